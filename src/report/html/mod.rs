//! `report.html`: one file that needs nothing from outside, for the screen, the phone and paper.

mod analysis;
mod captures;
mod compare;
mod compare_methods;
mod compare_tables;
mod figures;
mod pictures;
mod soak;
mod soak_trends;
mod soak_worst;
mod tables;
mod top;

use jiff::Timestamp;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::build::Report;

pub use analysis::render_analysis;
pub use compare::render_comparisons;

const STYLE: &str = include_str!("style.css");

/// The page. Every text in it is escaped; pictures are SVG and inline PNG.
#[must_use]
pub fn render(report: &Report) -> String {
    let board = report.summary.board.as_ref().map(|board| format!("{} rev {}", board.serial, board.revision));
    let title = format!(
        "{}: {} on {}",
        report.summary.verdict,
        report.summary.profile.as_deref().unwrap_or("unknown profile"),
        board.as_deref().unwrap_or("unknown board")
    );
    let content = html! {
        (top::render(report))
        (soak::render(report))
        (tables::bench(report))
        (tables::conditions(report))
        (figures::render(report))
        (figures::starts(report))
        (captures::render(report))
        (tables::missing(report))
        (tables::incidents(report))
        (tables::points(report))
        (tables::method(report))
    };
    page(&title, &content)
}

/// A whole page with its style; it needs nothing from outside.
fn page(title: &str, content: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { main { (content) } }
        }
    };
    page.into_string()
}

/// A picture that keeps its letters readable on a narrow page: it is scrolled, not shrunk away.
fn picture(svg: &str, class: &str, says: &str) -> Markup {
    html! { div class={ "picture " (class) } role="img" aria-label=(says) { (PreEscaped(svg)) } }
}

/// A map, at its own size or, where the page is narrower by little, shrunk to it; where it would shrink by more it is scrolled.
fn change_picture(svg: &str, width: f64, says: &str) -> Markup {
    const PHONE: f64 = 460.0;
    let class = if width <= PHONE { "picture map change fits" } else { "picture map change" };
    let size = format!("--width:{width:.0}px");
    html! { div class=(class) style=(size) role="img" aria-label=(says) { (PreEscaped(svg)) } }
}

/// A moment by the wall clock, for a table whose column says that it is UTC.
fn moment(utc: Timestamp) -> String {
    utc.strftime("%m-%d %H:%M:%S").to_string()
}

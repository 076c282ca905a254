//! Every board as a dot, so that nobody has to believe a mean.

use plotters::style::RGBColor;

use super::axis::{Field, Scale};
use super::canvas::{Anchor, Canvas, FAINT, GREY, INK, Letters, render, text_width};
use super::look::Side;
use super::map::STROKE;
use super::padded;
use crate::report::compare::pictures::{DotRow, Dots};

const WIDTH: f64 = 720.0;
/// Left end of the dots, unless a name in front of them is longer.
const LEFT: f64 = 110.0;
/// From the top of a row to its dots, and from there to the first serial number.
const ABOVE: f64 = 38.0;
const UNDER: f64 = 28.0;
/// Size of a name.
const SIZE: f64 = 12.5;
/// Dots nearer than this would lie on each other.
const APART: f64 = 9.0;
/// Lines under each other in which serial numbers may stand: so many at most, and room for so many in any case.
const LINES: usize = 8;
const LEAST_LINES: usize = 3;
const LINE: f64 = 12.0;

/// Draws the dots of every group. `None` where there is no board.
#[must_use]
pub fn render_dots(dots: &Dots) -> Option<String> {
    // Where the sides lie far apart each row has its own zero: its mean.
    let offset = |row: &DotRow| if dots.is_about_means { row.mean } else { 0.0 };
    let values =
        dots.rows.iter().flat_map(|row| row.boards.iter().map(move |(_, value)| *value - offset(row)));
    let range = values
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if !range.0.is_finite() {
        return None;
    }
    let names = dots.rows.iter().map(|row| text_width(&row.name, SIZE) + 16.0);
    let left = names.fold(LEFT, f64::max);
    let width = WIDTH.max(left + WIDTH - 2.0 * LEFT);
    let x = Scale::new(padded(range, 0.08), (left, width - 24.0));
    let rows: Vec<Row<'_>> = dots.rows.iter().map(|row| Row::of(row, offset(row), &x)).collect();
    let bottom = 10.0 + rows.iter().map(Row::height).sum::<f64>();
    let field = Field { x, y: Scale::new((0.0, 1.0), (bottom, 10.0)) };
    Some(render(width, bottom + 46.0, |canvas| {
        field.draw_level(canvas, &dots.axis);
        let tops = rows.iter().scan(10.0, |top, row| {
            let own = *top;
            *top += row.height();
            Some(own)
        });
        let middles: Vec<f64> = tops.map(|top| top + ABOVE).collect();
        let neighbours = rows.iter().zip(&middles).zip(rows.iter().zip(&middles).skip(1));
        for ((above, from), (below, to)) in neighbours.filter(|_| dots.is_paired) {
            for [(x, lift), (other_x, other_lift)] in above.joined(below) {
                canvas.line(&[(x, from + lift), (other_x, to + other_lift)], STROKE, 0.9);
            }
        }
        for (rank, (row, middle)) in rows.iter().zip(middles).enumerate() {
            canvas.line(&[(left, middle), (width - 24.0, middle)], FAINT, 1.0);
            row.draw(canvas, left, (middle, rank));
        }
    }))
}

/// A row with the places of its dots and serial numbers.
struct Row<'d> {
    row: &'d DotRow,
    mean_x: f64,
    dots: Vec<(&'d str, (f64, f64))>,
    serials: Vec<(&'d str, f64, usize)>,
}

impl<'d> Row<'d> {
    fn of(row: &'d DotRow, offset: f64, x: &Scale) -> Self {
        let mut boards: Vec<(&str, f64)> =
            row.boards.iter().map(|(serial, value)| (serial.as_str(), x.px(value - offset))).collect();
        boards.sort_by(|a, b| a.1.total_cmp(&b.1));
        let dots = boards.iter().map(|board| board.0).zip(lifted(&boards)).collect();
        Self { row, mean_x: x.px(row.mean - offset), dots, serials: labelled(&boards) }
    }

    /// The dots of the boards that both rows have.
    fn joined(&self, below: &Self) -> impl Iterator<Item = [(f64, f64); 2]> {
        self.dots.iter().filter_map(|(serial, dot)| {
            let (_, other) = below.dots.iter().find(|(other, _)| other == serial)?;
            Some([*dot, *other])
        })
    }

    fn height(&self) -> f64 {
        let lines = self.serials.iter().map(|(_, _, line)| line + 1).fold(LEAST_LINES, usize::max);
        ABOVE + UNDER - 4.0 + LINE * lines as f64
    }

    fn draw(&self, canvas: &Canvas<'_>, left: f64, (middle, rank): (f64, usize)) {
        let (look, row, x) = (Side::of(rank), self.row, self.mean_x);
        canvas.text(&row.name, (left - 12.0, middle), Letters::new(SIZE, INK, Anchor::Right).bold());
        canvas.line(&[(x, middle - 22.0), (x, middle + 19.0)], look.ink, 2.2);
        canvas.text(&row.told, (x, middle - 29.0), Letters::new(10.5, GREY, Anchor::Middle));
        for (_, (x, lift)) in &self.dots {
            look.mark(canvas, (*x, middle + lift), 4.4);
            if let Some(is_more) = row.truth_is_more {
                point_to_truth(canvas, (*x, middle + lift), if is_more { 1.0 } else { -1.0 }, look.ink);
            }
        }
        let small = |anchor| Letters::new(10.0, GREY, anchor);
        for (serial, x, line) in &self.serials {
            let y = middle + UNDER + LINE * *line as f64;
            canvas.text(serial, (*x, y), small(Anchor::Middle));
        }
        let unnamed = row.boards.len() - self.serials.len();
        if unnamed > 0 {
            let told = format!("{unnamed} without a name here");
            canvas.text(&told, (left - 12.0, middle + UNDER), small(Anchor::Right));
        }
    }
}

/// An arrow from the mark of a board to the side on which the truth lies.
fn point_to_truth(canvas: &Canvas<'_>, (x, y): (f64, f64), side: f64, ink: RGBColor) {
    canvas.line(&[(x + 4.0 * side, y), (x + 12.0 * side, y)], ink, 1.2);
    canvas.polygon(&[(x + 10.0 * side, y - 3.0), (x + 10.0 * side, y + 3.0), (x + 15.0 * side, y)], ink);
}

/// Where each dot stands, so that none lies on another as long as there is room, and none wholly on another after that.
fn lifted(boards: &[(&str, f64)]) -> Vec<(f64, f64)> {
    let mut placed: Vec<(f64, f64)> = Vec::new();
    for (_, x) in boards {
        let is_free = |lift: f64| {
            !placed.iter().any(|(other, at)| (other - x).abs() < APART && (at - lift).abs() < 1.0)
        };
        let whole = [0.0, -9.0, 9.0, -18.0, 18.0];
        let between = [-4.5, 4.5, -13.5, 13.5];
        let lift = whole.into_iter().chain(between).find(|lift| is_free(*lift)).unwrap_or(0.0);
        placed.push((*x, lift));
    }
    placed
}

/// The serial numbers that have room, from the left, each under its dot in the first line that is free there.
fn labelled<'n>(boards: &[(&'n str, f64)]) -> Vec<(&'n str, f64, usize)> {
    let mut ends = [f64::NEG_INFINITY; LINES];
    let mut found = Vec::new();
    for (serial, x) in boards {
        let half = 3.1 * serial.chars().count() as f64;
        if let Some(line) = ends.iter().position(|end| x - half > *end) {
            ends[line] = x + half + 4.0;
            found.push((*serial, *x, line));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boards_that_stand_close_keep_their_serial_numbers_and_do_not_lie_on_each_other() {
        let boards: Vec<(&str, f64)> = ["B1", "B2", "B3"].into_iter().zip([100.0, 101.0, 102.0]).collect();
        let lines: Vec<usize> = labelled(&boards).iter().map(|label| label.2).collect();
        assert_eq!(lines, [0, 1, 2]);
        let lifts: Vec<f64> = lifted(&boards).iter().map(|dot| dot.1).collect();
        assert_eq!(lifts, [0.0, -9.0, 9.0]);
    }

    #[test]
    fn every_one_of_nine_boards_of_one_value_keeps_a_dot_and_those_without_a_name_are_counted() {
        let of = |count: usize| DotRow {
            name: "A".to_owned(),
            boards: (1..=count).map(|number| (format!("A{number}"), 12.0)).collect(),
            mean: 12.0,
            told: "mean 12 V".to_owned(),
            truth_is_more: None,
        };
        let (row, few) = (of(9), of(3));
        let x = Scale::new((11.0, 13.0), (100.0, 700.0));
        let placed = Row::of(&row, 0.0, &x);
        let mut lifts: Vec<f64> = placed.dots.iter().map(|(_, dot)| dot.1).collect();
        lifts.sort_by(f64::total_cmp);
        lifts.dedup();
        assert_eq!((lifts.len(), placed.serials.len()), (9, LINES));
        // The row grows with its lines, so that no name stands in the next one.
        assert!(placed.height() > Row::of(&few, 0.0, &x).height() + 4.0 * LINE);
        let svg = |row| {
            render_dots(&Dots {
                axis: "V".to_owned(),
                is_about_means: false,
                is_paired: false,
                rows: vec![row],
            })
            .unwrap()
        };
        assert!(svg(row).contains("1 without a name here") && !svg(of(5)).contains("without a name"));
    }

    #[test]
    fn the_dots_of_one_board_are_joined_and_a_board_that_stands_alone_is_not() {
        let row = |boards: &[(&str, f64)]| DotRow {
            name: "side".to_owned(),
            boards: boards.iter().map(|(serial, value)| ((*serial).to_owned(), *value)).collect(),
            mean: 0.0,
            told: String::new(),
            truth_is_more: None,
        };
        let (before, after) =
            (row(&[("P1", 1.0), ("P2", 2.0), ("P3", 3.0)]), row(&[("P2", 1.5), ("P1", 4.0)]));
        let x = Scale::new((0.0, 10.0), (0.0, 100.0));
        let (above, below) = (Row::of(&before, 0.0, &x), Row::of(&after, 0.0, &x));
        let found: Vec<[(f64, f64); 2]> = above.joined(&below).collect();
        assert_eq!(found, [[(10.0, 0.0), (40.0, 0.0)], [(20.0, 0.0), (15.0, 0.0)]]);
    }

    #[test]
    fn of_sides_far_apart_each_stands_about_its_own_mean() {
        let row = |name: &str, at: f64| DotRow {
            name: name.to_owned(),
            boards: vec![("one".to_owned(), at - 1.0), ("two".to_owned(), at + 1.0)],
            mean: at,
            told: format!("mean {at}"),
            truth_is_more: None,
        };
        let rows = vec![row("before", 60.0), row("after", 20.0)];
        let of = |is_about_means| Dots {
            axis: "dB".to_owned(),
            is_about_means,
            is_paired: false,
            rows: rows.clone(),
        };
        let about = render_dots(&of(true)).unwrap();
        assert!(about.contains("mean 60") && about.contains("mean 20"));
        // The marks of the means stand over each other, and not where the sides are.
        assert_ne!(about, render_dots(&of(false)).unwrap());
        assert_eq!(
            render_dots(&Dots {
                axis: String::new(),
                is_about_means: false,
                is_paired: false,
                rows: Vec::new()
            }),
            None
        );
    }
}

//! The lines for the terminal: whether the groups may be compared, then what changed, then the limits.

use std::fmt::Write as _;

use super::parts::{Part, part};
use super::{course, next, order_words};
use super::{gate_words, untold, words};
use crate::base::count::counted;
use crate::compare::comparison::{Comparison, Request, Side};
use crate::compare::course::Course;
use crate::compare::effect::{Effect, Pairing};
use crate::compare::guard::Guard;

/// The lines of comparisons that share their first group. Of several, what keeps any from passing is told before the first one.
#[must_use]
pub fn render(made: &[Comparison], request: &Request) -> String {
    let mut text = String::new();
    if made.len() > 1 {
        for comparison in made {
            let groups = words::groups(comparison);
            if let Some(told) = words::not_kept(comparison, request.is_strict) {
                let _ = writeln!(text, "NOT MET  {groups}: {told}");
            }
            if let Some(told) = words::breaking(comparison) {
                let _ = writeln!(text, "NOT COMPARABLE  {groups}: {told}");
            }
        }
    }
    if !text.is_empty() {
        text.push('\n');
    }
    // Of all comparisons alike: once.
    let of_all =
        request.baseline.as_ref().map(words::baseline).into_iter().chain(words::left_out(&request.left_out));
    let of_all: Vec<String> = of_all.collect();
    let of_all = |at: usize| if at == 0 { &of_all[..] } else { &[] };
    let each: Vec<String> = (made.iter().enumerate())
        .map(|(at, comparison)| render_one(comparison, request, of_all(at)))
        .collect();
    text + &each.join("\n")
}

fn render_one(comparison: &Comparison, request: &Request, of_all: &[String]) -> String {
    let mut text = String::new();
    if let Some(told) = words::not_kept(comparison, request.is_strict) {
        let _ = writeln!(text, "NOT MET  {told}");
    }
    let guard = &comparison.guard;
    let (before, after) = (&comparison.before, &comparison.after);
    let side = |side: &Side| {
        format!("{} ({}, {})", side.name, counted(side.boards.len(), "board"), counted(side.runs, "run"))
    };
    // Writing into a String cannot fail.
    let _ = writeln!(
        text,
        "{}  {} against {}",
        guard.comparability.word().to_uppercase(),
        side(after),
        side(before)
    );
    if comparison.is_forced {
        let _ = writeln!(
            text,
            "      compared all the same, because --force was given; what follows proves nothing"
        );
    }
    render_differences(&mut text, guard);
    for told in of_all {
        let _ = writeln!(text, "  {told}");
    }
    if !comparison.is_made() {
        return text;
    }
    if comparison.pairing == Pairing::None && !comparison.shared.is_empty() {
        let boards = counted(comparison.shared.len(), "board");
        let _ = writeln!(
            text,
            "  {boards} {} on both sides: --pair board compares each with itself, which tells more",
            if comparison.shared.len() == 1 { "stands" } else { "stand" }
        );
    }
    let told: Vec<&Effect> = comparison.effects.iter().filter(|effect| !untold::is_untold(effect)).collect();
    for wanted in Part::ALL {
        let effects: Vec<&Effect> =
            told.iter().filter(|effect| part(effect.quantity()) == wanted).copied().collect();
        let clipped = if wanted == Part::Where { words::clipped_captures(comparison) } else { Vec::new() };
        if effects.is_empty() && clipped.is_empty() {
            continue;
        }
        let _ = writeln!(text, "\n{}", wanted.heading(comparison.is_within_runs()));
        for effect in effects {
            render_effect(&mut text, comparison, effect);
        }
        for told in clipped {
            let _ = writeln!(text, "  {told}");
        }
    }
    for (at, told) in untold::not_compared(comparison).iter().enumerate() {
        let _ = writeln!(text, "{}  {told}", if at == 0 { "\n" } else { "" });
    }
    if let Some(made) = &comparison.course {
        render_course(&mut text, made);
    }
    render_next(&mut text, comparison);
    let _ = writeln!(text, "\n{}", order_words::heading(comparison));
    for line in order_words::lines(comparison) {
        let _ = writeln!(text, "  {line}");
    }
    render_gates(&mut text, comparison);
    text
}

fn render_differences(text: &mut String, guard: &Guard) {
    for difference in &guard.differences {
        let _ = writeln!(
            text,
            "  {:<8} {}: {} before, {} after ({})",
            difference.weight.word(),
            difference.title(),
            difference.before,
            difference.after,
            difference.kind.why()
        );
    }
}

fn render_effect(text: &mut String, comparison: &Comparison, effect: &Effect) {
    let name = &comparison.after.name;
    let _ = writeln!(text, "  {:<19}  {name} {}", effect.sense().word(), words::change(comparison, effect));
}

fn render_course(text: &mut String, made: &Course) {
    let _ = writeln!(text, "\n{}", course::heading(made));
    for lines in course::lines(made) {
        let _ = writeln!(text, "  {}", lines.quantity.title());
        for step in &lines.steps {
            let _ = writeln!(
                text,
                "    {:<16} {:<19} {} from {}",
                step.title, step.sense, step.change, step.levels
            );
        }
        let _ = writeln!(text, "    {}", lines.growth);
    }
}

fn render_next(text: &mut String, comparison: &Comparison) {
    let _ = writeln!(text, "\nthe next boards, if they scatter normally");
    for effect in next::told_of_next(comparison) {
        for told in next::most_boards(comparison, effect).into_iter().flatten() {
            let _ = writeln!(text, "  {}: {told}", effect.quantity().title());
        }
    }
    for row in &comparison.capabilities {
        let _ = writeln!(text, "  {}", next::capability(row));
    }
    let not_concluded = next::not_concluded(comparison);
    if !not_concluded.is_empty() {
        let _ = writeln!(text, "\nwhat cannot be concluded");
    }
    for missing in not_concluded {
        let _ = writeln!(text, "  {}", missing.told);
    }
}

fn render_gates(text: &mut String, comparison: &Comparison) {
    if comparison.gates.is_empty() {
        return;
    }
    let _ = writeln!(text, "\nlimits on the change");
    for gate in &comparison.gates {
        let _ = writeln!(text, "  {:<10} {}", gate.judgement.word(), gate_words::gate(comparison, gate));
    }
}

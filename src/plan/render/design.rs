//! An order of runs: a table and the commands in one text that a shell can read, or JSON.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::json;

use crate::base::span::render_span;
use crate::plan::design::{Design, PlannedRun};

/// What the commands of an order say beside board and turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Campaign {
    /// Profile and options of every `soakrig run`, e.g. `p.toml --rig r.toml`.
    pub run: Vec<String>,
    /// Options that take the finished runs to `soakrig compare`: the folder of the runs.
    pub out: String,
    /// Whether the points of every run are shuffled.
    pub is_shuffled: bool,
    /// How long one run takes, about.
    pub each: Duration,
}

/// The command of a run, word by word.
fn run_command(run: &PlannedRun, campaign: &Campaign) -> Vec<String> {
    let mut words = vec!["soakrig".to_owned(), "run".to_owned()];
    words.extend(campaign.run.iter().cloned());
    let mut add = |option: &str, value: String| words.extend([option.to_owned(), value]);
    add("--board", run.board.serial.to_string());
    add("--revision", run.board.revision.to_string());
    add("--turn", run.turn.to_string());
    add("--seed", run.seed.to_string());
    if campaign.is_shuffled {
        words.push("--shuffle".to_owned());
    }
    words
}

/// The command that compares the finished runs.
fn compare_command(design: &Design, campaign: &Campaign) -> Vec<String> {
    let mut words: Vec<String> =
        ["soakrig", "compare", "--by", "revision", "--order"].into_iter().map(str::to_owned).collect();
    words.push(design.name.to_string());
    if design.is_paired {
        words.extend(["--pair".to_owned(), "board".to_owned()]);
    }
    words.push(campaign.out.clone());
    words
}

/// Renders an order as a table and as commands to be given one by one. All but the commands are comments.
#[must_use]
pub fn render_design(design: &Design, campaign: &Campaign) -> String {
    let mut text = String::new();
    let out = &mut text;
    // Writing into a String cannot fail.
    for line in head(design, campaign) {
        let _ = writeln!(out, "# {line}");
    }
    let _ = writeln!(out, "#\n#  turn  board             revision  begins after about");
    for (at, run) in design.runs.iter().enumerate() {
        let begins = campaign.each.saturating_mul(u32::try_from(at).unwrap_or(u32::MAX));
        let _ = writeln!(
            out,
            "# {:>5}  {:<16}  {:<8}  {:<8}{}",
            run.turn.number,
            run.board.serial,
            run.board.revision,
            render_span(begins),
            if run.turn.is_reference { "  reference board" } else { "" }
        );
    }
    let _ = writeln!(out, "\n# One by one; before each, fit the board that it names:");
    for run in &design.runs {
        let _ = writeln!(out, "{}", line(&run_command(run, campaign)));
    }
    let _ = writeln!(out, "\n# Then, with the runs of this order and no others:");
    let _ = writeln!(out, "{}", line(&compare_command(design, campaign)));
    let _ = writeln!(out, "\n# What the order is good for:");
    for told in good_for(design, campaign) {
        let _ = writeln!(out, "# - {told}");
    }
    let _ = writeln!(out, "# What it cannot do:");
    for told in CANNOT {
        let _ = writeln!(out, "# - {told}");
    }
    text
}

fn head(design: &Design, campaign: &Campaign) -> Vec<String> {
    let request = &design.request;
    let runs = u32::try_from(design.runs.len()).unwrap_or(u32::MAX);
    let revisions: Vec<&str> = request.revisions.iter().map(|revision| revision.as_str()).collect();
    let boards =
        if design.is_paired { "the same boards measured both ways" } else { "a board of each in turn" };
    vec![
        format!(
            "Order {}: {runs} runs to compare {} ({}, {boards}; seed {})",
            design.name,
            revisions.join(" with "),
            request.scheme.word(),
            request.seed
        ),
        format!(
            "About {} a run and {} in all, without the time it takes to change boards",
            render_span(campaign.each),
            render_span(campaign.each.saturating_mul(runs))
        ),
    ]
}

fn good_for(design: &Design, campaign: &Campaign) -> Vec<String> {
    let mut told = vec![
        "What drifts with time (warm-up, air, contacts, the instruments) meets all revisions alike, and the comparison takes \
         what is left of it off: it tells a drift per run beside the change."
            .to_owned(),
        "Which board comes when is drawn from the seed, so that nobody's choice is in it.".to_owned(),
    ];
    if campaign.is_shuffled {
        told.push(
            "Points are shuffled in every run, each by its own seed, so that no point always follows the same one. The load is \
             at 0 A whenever the input voltage changes, as in every order of points. Of the start-up threshold they tell hardly \
             anything: it takes an input voltage that rises."
                .to_owned(),
        );
    }
    if design.runs.first().is_some_and(|run| run.turn.is_reference) {
        told.push(
            "The reference board, first and last, tells of drift without any model: it is the same board."
                .to_owned(),
        );
    }
    told
}

const CANNOT: [&str; 3] = [
    "A drift that is no straight line over the runs is taken off in part only; a jump (an instrument changed half-way) is none.",
    "What is the same in every run (probe, fixture, an error of the scope) is not seen: it falls out of the change or it does not.",
    "It makes no boards: what three boards a side cannot show, no order shows.",
];

/// Words as a shell reads them.
fn line(words: &[String]) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Renders an order as one JSON object; commands are lists of words.
#[must_use]
pub fn render_design_json(design: &Design, campaign: &Campaign) -> String {
    let request = &design.request;
    let runs = design.runs.iter().map(|run| {
        json!({
            "turn": run.turn.number,
            "board": run.board.serial.as_str(),
            "revision": run.board.revision.as_str(),
            "reference": run.turn.is_reference,
            "seed": run.seed,
            "command": run_command(run, campaign),
        })
    });
    let value = json!({
        "format": "soakrig-order-1",
        "order": design.name.as_str(),
        "revisions": request.revisions.iter().map(|revision| revision.as_str()).collect::<Vec<_>>(),
        "design": request.scheme.word(),
        "same_boards": design.is_paired,
        "seed": request.seed,
        "shuffled_points": campaign.is_shuffled,
        "expected_run_s": campaign.each.as_secs_f64(),
        "runs": runs.collect::<Vec<_>>(),
        "compare": compare_command(design, campaign),
    });
    format!("{value:#}\n")
}

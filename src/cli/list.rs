//! `soakrig list`

use super::args::ListArgs;
use super::exit::Exit;
use super::message::{CliError, Outcome, print, tell};
use crate::record::{RunEntry, RunState, store};

pub(super) fn run(args: &ListArgs) -> Outcome {
    let runs = store::list(&args.out)?;
    if args.json {
        let rows: Vec<serde_json::Value> = runs.iter().map(json_row).collect();
        let text =
            serde_json::to_string_pretty(&rows).map_err(|error| CliError::internal(error.to_string()))?;
        print(&text)?;
    } else if runs.is_empty() {
        tell(&format!("no runs in {}", args.out.display()));
    } else {
        let width = runs.iter().map(|run| run.name.len()).max().unwrap_or(0);
        print(&runs.iter().map(|run| row(run, width)).collect::<String>())?;
    }
    Ok(Exit::Done)
}

/// Why a run cannot be read.
fn reason(run: &RunEntry) -> Option<&str> {
    match &run.state {
        RunState::Unreadable(why) => Some(why),
        _ => None,
    }
}

fn json_row(run: &RunEntry) -> serde_json::Value {
    serde_json::json!({
        "run": run.folder.display().to_string(),
        "state": run.state.word(),
        "why": reason(run),
        "summary": run.summary,
    })
}

fn row(run: &RunEntry, width: usize) -> String {
    let came = run.summary.as_ref().map_or_else(
        || reason(run).unwrap_or_default().to_owned(),
        |summary| {
            let points = &summary.points;
            format!("{:<10}  {}/{} points", summary.verdict, points.finished, points.planned)
        },
    );
    format!("{:<width$}  {:<10}  {came}\n", run.name, run.state.word())
}

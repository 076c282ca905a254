//! `soakrig list`

use super::args::ListArgs;
use super::exit::Exit;
use super::message::{CliError, Outcome, print, tell};
use crate::record::store;

pub(super) fn run(args: &ListArgs) -> Outcome {
    let runs = store::list(&args.out)?;
    if args.json {
        let rows: Vec<serde_json::Value> = runs
            .iter()
            .map(|run| {
                serde_json::json!({
                    "run": run.folder.display().to_string(),
                    "state": run.state.word(),
                    "summary": run.summary,
                })
            })
            .collect();
        let text = serde_json::to_string_pretty(&rows)
            .map_err(|error| CliError::new(Exit::Internal, error.to_string()))?;
        print(&text);
        return Ok(Exit::Done);
    }
    if runs.is_empty() {
        tell(&format!("no runs in {}", args.out.display()));
        return Ok(Exit::Done);
    }
    let width = runs.iter().map(|run| run.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for run in &runs {
        let (verdict, points) = run.summary.as_ref().map_or((String::new(), String::new()), |summary| {
            let points = &summary.points;
            (summary.verdict.to_string(), format!("{}/{} points", points.finished, points.planned))
        });
        text += &format!("{:<width$}  {:<10}  {verdict:<10}  {points}\n", run.name, run.state.word());
    }
    print(&text);
    Ok(Exit::Done)
}

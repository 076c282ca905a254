//! `soakrig report`

use super::args::ReportArgs;
use super::exit::Exit;
use super::message::{CliError, Outcome, Paint, colour, print};
use crate::base::clock::{Clock as _, RealClock};
use crate::record::{Record, store, summary};
use crate::report::products::{Written, write_at};
use crate::report::{recompute, text};

pub(super) fn run(args: &ReportArgs) -> Outcome {
    let folder = store::find(&args.which.out, &args.which.run)?;
    if args.recompute {
        let made = recompute::recompute(&Record::open(&folder)?)?;
        print(&recompute::render(&made))?;
        return Ok(if made.differences.is_empty() { Exit::Done } else { Exit::LimitFailed });
    }
    let now = RealClock::new().utc();
    tell_products(&write_at(&folder, Some(now))?, args.json)?;
    Ok(Exit::Done)
}

/// The result on stdout: lines for a person, or summary.json with the folder's path as `run`.
pub(super) fn tell_products(written: &Written, as_json: bool) -> Result<(), CliError> {
    if as_json {
        let mut summary = written.report.summary.clone();
        summary.run = written.folder.display().to_string();
        return print(&summary::render(&summary)?);
    }
    let text = text::render(&written.report, &written.folder);
    if colour(&std::io::stdout()) { print(&paint_verdict(&text)) } else { print(&text) }
}

/// The verdict is the first word, and the only one in colour.
fn paint_verdict(text: &str) -> String {
    let (verdict, rest) = text.split_at(text.find(' ').unwrap_or(0));
    let paint = match verdict {
        "PASS" => Paint::Green,
        "STOPPED" | "INCOMPLETE" | "RUNNING" => Paint::Yellow,
        // NOT JUDGED is neither good nor bad.
        "NOT" => return text.to_owned(),
        _ => Paint::Red,
    };
    format!("{}{rest}", paint.on(verdict))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_verdict_is_painted() {
        assert_eq!(paint_verdict("PASS  board 1\n"), "\u{1b}[1;32mPASS\u{1b}[0m  board 1\n");
        assert_eq!(paint_verdict("FAIL  board 1\n"), "\u{1b}[1;31mFAIL\u{1b}[0m  board 1\n");
        assert_eq!(paint_verdict("STOPPED  board 1\n"), "\u{1b}[1;33mSTOPPED\u{1b}[0m  board 1\n");
        assert_eq!(paint_verdict("NOT JUDGED  board 1\n"), "NOT JUDGED  board 1\n");
    }
}

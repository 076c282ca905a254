//! `soakrig report`

use super::args::ReportArgs;
use super::exit::Exit;
use super::message::{Outcome, print};
use crate::record::{store, summary};
use crate::report::products::{Written, write_all};
use crate::report::text;

pub(super) fn run(args: &ReportArgs) -> Outcome {
    let folder = store::find(&args.out, &args.run)?;
    tell_products(&write_all(&folder)?, args.json);
    Ok(Exit::Done)
}

/// The result on stdout: lines for a person, or summary.json with the folder's path as `run`.
pub(super) fn tell_products(written: &Written, as_json: bool) {
    if as_json {
        let mut summary = written.report.summary.clone();
        summary.run = written.folder.display().to_string();
        print(&summary::render(&summary));
    } else {
        print(&text::render(&written.report, &written.folder));
    }
}

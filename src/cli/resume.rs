//! `soakrig resume`

use super::args::ResumeArgs;
use super::message::{Outcome, tell};
use super::onlookers::Onlookers;
use super::run::{expected, heed_signals, own_program, tell_result};
use super::settings::Settings;
use super::status::take;
use crate::engine::StopWish;
use crate::event::{Event, Stamp};
use crate::live::State;
use crate::record::store;
use crate::session::{self, Pulse, RunRequest, Said};

pub(super) fn run(args: &ResumeArgs, settings: &Settings) -> Outcome {
    let folder = store::find(&args.which.out, &args.which.run)?;
    let mut state = State::default();
    let mut see = |at: Stamp, event: &Event| take(&mut state, &folder, at, event);
    let said = Said {
        board: args.board.as_ref(),
        revision: args.revision.as_ref(),
        rig: args.rig.as_deref(),
        after_trip: args.after_trip,
    };
    let resumable = session::prepare_resume(&folder, &said, &mut see)?;
    let telling = super::notify::load(settings)?;
    let stop = StopWish::default();
    let (done, planned) = (resumable.finished as usize, resumable.prepared.plan.points.len());
    if !args.telling.quiet {
        tell(&format!(
            "{}: {done} of {planned} points are finished and kept; it goes on with board {}",
            folder.display(),
            resumable.board.serial
        ));
        if args.board.is_none() {
            tell(
                "nothing can read the board's serial number: name it with --board to have it held against the run's",
            );
        }
    }
    state.foresee(expected(&resumable.prepared.plan));
    let pulse = Pulse::default();
    let mut onlookers = Onlookers::new(state, args.telling.quiet, telling.as_ref(), &pulse)?;
    heed_signals(&stop, &onlookers, &resumable.prepared.plan)?;
    let (program, seed) = (own_program()?, resumable.seed);
    let finished = session::resume(
        resumable,
        &mut RunRequest {
            program: &program,
            notify: settings.notify().map(|table| table.file),
            out: &args.which.out,
            seed,
            faults: None,
            full_tapes: args.telling.full_tapes,
            view: &mut onlookers,
            stop: &stop,
            pulse,
        },
    )?;
    onlookers.clear();
    let folder = finished.folder.clone();
    let outcome = tell_result(args.telling.json, finished);
    onlookers.finish(&folder, &stop);
    outcome
}

//! `soakrig sim`: the simulated bench for other programs, until stopped.

use std::time::Duration;

use serde_json::json;

use super::args::SimArgs;
use super::exit::Exit;
use super::message::{CliError, Outcome, print, tell};
use super::plan::overrides;
use crate::base::clock::{Clock, RealClock};
use crate::engine::StopWish;
use crate::session;

pub(super) fn run(args: &SimArgs) -> Outcome {
    let (rig, _, rig_text) = session::load_rig(&args.rig)?;
    let wanted = overrides(&args.board);
    let mut board = session::board_of(&rig);
    board.serial = wanted.serial.unwrap_or(board.serial);
    board.revision = wanted.revision.unwrap_or(board.revision);
    let stop = StopWish::default();
    #[cfg(unix)]
    super::signals_unix::listen(&stop, super::signals_unix::Hangup::Stops, |_| "")
        .map_err(|error| CliError::internal(format!("cannot listen for signals: {error}")))?;
    let serving = session::serve(&rig, &rig_text, &board, wanted.seed, args.port)?;
    if let Some(path) = &args.write_rig {
        std::fs::write(path, &serving.rig_text)
            .map_err(|error| CliError::usage(format!("cannot write {}: {error}", path.display())))?;
    }
    if args.json {
        let addresses: serde_json::Map<_, _> = serving
            .addresses()
            .map(|(role, address)| (role.to_owned(), json!(address.to_string())))
            .collect();
        print(&json!({ "addresses": addresses, "rig": serving.rig_text }).to_string())?;
    } else {
        for (role, address) in serving.addresses() {
            tell(&format!("{role:<12} {address}"));
        }
        tell("the rig file for this bench follows on stdout; Ctrl-C stops the bench");
        print(&serving.rig_text)?;
    }
    let clock = RealClock::new();
    while stop.asked().is_none() {
        clock.sleep(Duration::from_millis(100));
    }
    drop(serving);
    tell("the simulated bench has stopped");
    Ok(Exit::Done)
}

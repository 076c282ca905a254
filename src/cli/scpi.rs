//! `soakrig scpi`: one question to one instrument. Only questions: settings go through the hard limits of a run.

use std::sync::Arc;

use super::args::ScpiArgs;
use super::exit::Exit;
use super::message::{CliError, Outcome, print};
use crate::session;

pub(super) fn run(args: &ScpiArgs) -> Outcome {
    if !is_question(&args.query) {
        return Err(CliError::usage(format!(
            "`{}` is not a question: only questions can be asked here, because a setting would pass by the hard \
             limits of the rig; settings are made by a profile",
            args.query
        )));
    }
    let (rig, registry, _) = session::load_rig(&args.rig)?;
    let opened = session::open_world(&rig, &session::board_of(&rig), None)?;
    let surroundings = opened.surroundings(Arc::new(registry));
    let mut client = session::open_conversation(&rig, &args.role, &surroundings)?;
    let answer = client.query(&args.query).map_err(|error| {
        CliError::new(Exit::Instrument, format!("asking {} `{}`: {error}", args.role, args.query))
    })?;
    print(&answer)?;
    Ok(Exit::Done)
}

/// Questions that act: a self-test or a calibration may switch outputs.
const ACTING: [&str; 2] = ["*TST?", "*CAL?"];

/// Whether every command of a message asks for something and sets nothing. A line end would begin another message.
fn is_question(message: &str) -> bool {
    !message.contains(char::is_control)
        && message.split(';').all(|command| {
            let header = command.trim().split(char::is_whitespace).next().unwrap_or("");
            header.ends_with('?') && !ACTING.iter().any(|acting| header.eq_ignore_ascii_case(acting))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_not_taken_for_a_question() {
        for question in ["*IDN?", ":MEAS:VOLT? CH1", "*IDN?;SYST:ERR?"] {
            assert!(is_question(question), "{question}");
        }
        for setting in
            ["VOLT 24", "*IDN?;VOLT 24", "OUTP ON;OUTP?", "", "VOLT 24 ?", "*tst?", "*RST", "*IDN?\nVOLT 24"]
        {
            assert!(!is_question(setting), "{setting}");
        }
    }
}

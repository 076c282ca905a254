//! `soakrig scpi`: one question to one instrument. Only questions: settings go through the hard limits of a run.

use std::io::{self, IsTerminal};
use std::sync::Arc;

use serde_json::json;

use super::args::ScpiArgs;
use super::exit::Exit;
use super::message::{CliError, Outcome, print, print_bytes};
use crate::base::digest::to_hex;
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
    let timeout = client.settings().answer_timeout;
    let answer = client.query_bytes(&args.query, timeout).map_err(|error| {
        CliError::new(Exit::Instrument, format!("asking {} `{}`: {error}", args.role, args.query))
    })?;
    tell(args, &answer)?;
    Ok(Exit::Done)
}

/// Text as a line; anything else byte by byte as it came, but not to a terminal, which would take some for commands.
fn tell(args: &ScpiArgs, answer: &[u8]) -> Result<(), CliError> {
    match text_of(answer) {
        _ if args.json => print(&render_json(args, answer)),
        Some(text) => print(text),
        None if io::stdout().is_terminal() => Err(CliError::usage(format!(
            "the answer is {} bytes that are not text; send them to a file (`> answer.bin`), or ask with --json",
            answer.len()
        ))),
        None => print_bytes(answer),
    }
}

/// The answer as text, without the white space around it; `None` for what is not text, and for a block, which holds bytes
/// whatever they look like.
fn text_of(answer: &[u8]) -> Option<&str> {
    let text = str::from_utf8(answer).ok()?.trim();
    let is_block = matches!(text.as_bytes(), [b'#', b'0'..=b'9', ..]);
    let is_control = |c: char| c.is_control() && !c.is_whitespace();
    (!is_block && !text.contains(is_control)).then_some(text)
}

fn render_json(args: &ScpiArgs, answer: &[u8]) -> String {
    let text = text_of(answer);
    let hex = text.is_none().then(|| to_hex(answer));
    let told = json!({
        "role": args.role,
        "query": args.query,
        "bytes": answer.len(),
        "answer": text,
        "answer_hex": hex,
    });
    format!("{told:#}")
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
    fn what_is_not_text_is_not_taken_for_text() {
        assert_eq!(text_of(b" 1.5E+00 \r\n"), Some("1.5E+00"));
        assert_eq!(text_of("23 \u{b0}C\n".as_bytes()), Some("23 \u{b0}C"));
        assert_eq!(text_of(b"one\ntwo\tthree"), Some("one\ntwo\tthree"));
        // A block, Latin-1, and what a terminal would obey.
        for bytes in [&b"#15hello"[..], b"#9000000002\xff\xd8", b"#0abc", b"23 \xb0C", b"\x1b[2J", b"\0"] {
            assert_eq!(text_of(bytes), None, "{bytes:?}");
        }
        // A number in hex is no block.
        assert_eq!(text_of(b"#H1F"), Some("#H1F"));
    }

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

//! `soakrig notify-test`: tries every way by which people are told, with a message that says that it is a test.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::args::NotifyTestArgs;
use super::exit::Exit;
use super::message::{CliError, Outcome, print};
use super::settings;
use crate::base::clock::{Clock, RealClock};
use crate::notify::{self, About, Level, Message, Settings, Standing};
use crate::session::{Alarms, SessionError};

const NO_TABLE: &str = "no file of settings has a table [notify]: nobody is told anything";

/// The shortest table there is, for whoever has none.
const EXAMPLE: &str = "a command or an address is enough, for example\n  [notify]\n  command = [\"/usr/local/bin/page\", \"{level}\", \"{message}\"]";

pub(super) fn run(args: &NotifyTestArgs, settings: &settings::Settings) -> Outcome {
    let settings = load(settings)?.ok_or_else(|| {
        let files: String =
            settings.places.iter().map(|place| format!("  {}\n", place.file.display())).collect();
        let places = if files.is_empty() { "--no-config heeds none\n" } else { "looked for in\n" };
        CliError::usage(format!("{NO_TABLE}; {places}{files}{EXAMPLE}"))
    })?;
    let answers = notify::try_each(&settings, &test_message(args.level.into(), RealClock::new().utc()));
    let went = answers.iter().all(|(_, answer)| answer.is_ok());
    if args.json {
        let answers: Vec<Value> = answers.iter().map(answer_json).collect();
        print(&format!("{:#}", json!({ "went": went, "ways": answers })))?;
    } else {
        let lines: String = answers
            .iter()
            .map(|(way, answer)| match answer {
                Ok(told) => format!("ok   {way}: {told}\n"),
                Err(told) => format!("FAIL {way}: {told}\n"),
            })
            .collect();
        print(&lines)?;
    }
    Ok(if went { Exit::Done } else { Exit::Instrument })
}

fn answer_json((way, answer): &(String, Result<String, String>)) -> Value {
    let (went, told) = match answer {
        Ok(told) => (true, told),
        Err(told) => (false, told),
    };
    json!({ "way": way, "went": went, "told": told })
}

fn test_message(level: Level, utc: Timestamp) -> Message {
    Message {
        level,
        text: "soakrig tries whether this message comes through; nothing has happened".to_owned(),
        count: 1,
        utc,
        about: About::default(),
        standing: Standing::told("no run"),
        is_test: true,
    }
}

/// The alarms of the evening check: every way is tried once.
pub(super) fn try_alarms(settings: &settings::Settings) -> Result<Alarms, CliError> {
    let Some(settings) = load(settings)? else { return Ok(Alarms::NotConfigured) };
    let answers = notify::try_each(&settings, &test_message(Level::Warn, RealClock::new().utc()));
    Ok(Alarms::Tested(answers.into_iter().map(|(way, answer)| (way, answer.map(|_| ()))).collect()))
}

/// Whom to tell, where a file of settings says so.
pub(super) fn load(settings: &settings::Settings) -> Result<Option<Settings>, CliError> {
    let Some(table) = settings.notify() else { return Ok(None) };
    let name = table.file.display().to_string();
    let read = notify::parse(&name, table.text)
        .map_err(|faults| SessionError::Faults { faults, sources: vec![(name, table.text.to_owned())] })?;
    Ok(Some(read))
}

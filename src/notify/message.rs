//! A message in the forms in which it is sent: JSON, words in the environment, words in a command's arguments.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::level::Level;

/// The longest text of a message, in characters: it has to fit into an argument and onto a screen.
const MOST_CHARS: usize = 2000;

/// Which run a message is about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct About {
    /// The run's folder; empty before it is known.
    pub run: String,
    /// The profile.
    pub profile: String,
    /// The board's serial number.
    pub board: String,
    /// The rig.
    pub rig: String,
}

/// How the run stands: in a line, and as the same JSON that `soakrig status --json` tells.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// For a person.
    pub line: String,
    /// For a script.
    pub json: Value,
}

impl Standing {
    /// That is all there is to say: no state of a run.
    #[must_use]
    pub fn told(line: &str) -> Self {
        Self { line: line.to_owned(), json: Value::Null }
    }
}

/// What is sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// How urgent.
    pub level: Level,
    /// What.
    pub text: String,
    /// How often it happened since it was told the last time.
    pub count: u64,
    /// Wall time of the event.
    pub utc: Timestamp,
    /// Which run.
    pub about: About,
    /// How the run stands.
    pub standing: Standing,
    /// Whether it only tries the ways.
    pub is_test: bool,
}

/// Names that may stand in braces in a command's arguments.
pub const PLACES: [&str; 8] = ["level", "message", "count", "run", "profile", "board", "rig", "state"];

/// Bytes that an argument or a variable cannot hold, and line ends, become blanks.
fn plain(text: &str) -> String {
    text.chars().take(MOST_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

impl Message {
    /// The message as a person reads it, on one line.
    #[must_use]
    pub fn words(&self) -> String {
        let again = if self.count > 1 { format!(" ({} times)", self.count) } else { String::new() };
        let test = if self.is_test { "TEST: " } else { "" };
        plain(&format!("{test}{}{again}", self.text))
    }

    /// What stands for a name in braces.
    #[must_use]
    pub fn word(&self, place: &str) -> String {
        match place {
            "level" => self.level.word().to_owned(),
            "message" => self.words(),
            "count" => self.count.to_string(),
            "run" => plain(&self.about.run),
            "profile" => plain(&self.about.profile),
            "board" => plain(&self.about.board),
            "rig" => plain(&self.about.rig),
            "state" => plain(&self.standing.line),
            _ => String::new(),
        }
    }

    /// Variables of the environment: each place as `SOAKRIG_LEVEL`, `SOAKRIG_MESSAGE` and so on.
    pub fn variables(&self) -> impl Iterator<Item = (String, String)> {
        let test = [("SOAKRIG_TEST".to_owned(), u8::from(self.is_test).to_string())];
        PLACES
            .into_iter()
            .map(|place| (format!("SOAKRIG_{}", place.to_uppercase()), self.word(place)))
            .chain(test)
    }

    /// An argument with what stands in braces put in, in one pass: braces in a message are no places.
    #[must_use]
    pub fn fill(&self, argument: &str) -> String {
        let mut filled = String::with_capacity(argument.len());
        let mut rest = argument;
        while let Some((before, place, after)) = next_place(rest) {
            filled.push_str(before);
            filled.push_str(&self.word(place));
            rest = after;
        }
        filled.push_str(rest);
        filled
    }

    /// The message for a script.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "soakrig": env!("CARGO_PKG_VERSION"),
            "test": self.is_test,
            "level": self.level.word(),
            "message": self.words(),
            "count": self.count,
            "utc": self.utc.to_string(),
            "run": self.about.run,
            "profile": self.about.profile,
            "board": self.about.board,
            "rig": self.about.rig,
            "line": self.standing.line,
            "state": self.standing.json,
        })
    }
}

/// The text before the first place, its name, and the text behind it.
#[must_use]
pub fn next_place(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    while let Some(open) = text[from..].find('{').map(|at| from + at) {
        let name = &text[open + 1..];
        let length = name.find(|c: char| !c.is_ascii_alphabetic() && c != '_').unwrap_or(name.len());
        if length > 0 && name[length..].starts_with('}') {
            return Some((&text[..open], &name[..length], &name[length + 1..]));
        }
        from = open + 1;
    }
    None
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::notify) fn message(level: Level, text: &str) -> Message {
        Message {
            level,
            text: text.to_owned(),
            count: 1,
            utc: Timestamp::UNIX_EPOCH,
            about: About { run: "reports/R".to_owned(), profile: "soak".to_owned(), ..About::default() },
            standing: Standing { line: "24 V".to_owned(), json: json!({ "phase": "settling" }) },
            is_test: false,
        }
    }

    #[test]
    fn places_are_filled_in_one_pass_and_nothing_else_is_touched() {
        let sly = message(Level::Warn, "{run} $(reboot) `x`; \n rm -rf {level}");
        for (argument, filled) in [
            ("{level}", "warn"),
            ("--{level}={profile}", "--warn=soak"),
            ("{message}", "{run} $(reboot) `x`;   rm -rf {level}"),
            ("{", "{"),
            ("{}{ level}{{level}}", "{}{ level}{warn}"),
            ("no place", "no place"),
        ] {
            assert_eq!(sly.fill(argument), filled, "{argument}");
        }
        assert_eq!(message(Level::Warn, "a\0b").fill("{message}"), "a b");
    }

    #[test]
    fn the_message_is_told_as_json_and_in_variables() {
        let mut told = message(Level::Trip, "board at 110 °C");
        told.count = 3;
        insta::assert_snapshot!(told.json().to_string().replace(env!("CARGO_PKG_VERSION"), "VERSION"), @r#"
        {"board":"","count":3,"level":"trip","line":"24 V","message":"board at 110 °C (3 times)","profile":"soak","rig":"","run":"reports/R","soakrig":"VERSION","state":{"phase":"settling"},"test":false,"utc":"1970-01-01T00:00:00Z"}
        "#);
        let variables: Vec<String> =
            told.variables().map(|(name, value)| format!("{name}={value}")).collect();
        insta::assert_snapshot!(variables.join("\n"), @r"
        SOAKRIG_LEVEL=trip
        SOAKRIG_MESSAGE=board at 110 °C (3 times)
        SOAKRIG_COUNT=3
        SOAKRIG_RUN=reports/R
        SOAKRIG_PROFILE=soak
        SOAKRIG_BOARD=
        SOAKRIG_RIG=
        SOAKRIG_STATE=24 V
        SOAKRIG_TEST=0
        ");
    }
}

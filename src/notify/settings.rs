//! The checked settings: by which ways, of what, how often.

use std::time::Duration;

use super::http::check_header;
use super::level::Level;
use super::message::{PLACES, next_place};
use super::schema::NotifyFile;
use crate::base::names::nearest;
use crate::base::span::render_span_exactly;
use crate::instrument::dialect::Fault;
use crate::plan::document::Document;
use crate::plan::written::Written;

/// Whom to tell, and of what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// By which ways; none where nobody is told.
    pub ways: Vec<Way>,
    /// What is told.
    pub on: Vec<Level>,
    /// How often it is told that the run goes on.
    pub alive_every: Duration,
    /// How often the same warning is told at most.
    pub repeat_every: Duration,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// How often a message that failed is tried again.
    pub retries: u32,
    /// How long the end of a run waits for its last message.
    pub wait_at_end: Duration,
}

/// A way to tell.
#[derive(Clone, PartialEq, Eq)]
pub enum Way {
    /// A program and its arguments.
    Command(Vec<String>),
    /// An address to post to, and headers.
    Post {
        /// The address.
        url: String,
        /// Headers.
        headers: Vec<(String, String)>,
    },
}

impl std::fmt::Display for Way {
    /// Without what may be a secret: arguments, the path of an address, headers.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Command(words) => {
                write!(f, "command {}", words.first().map_or("", String::as_str))
            }
            Self::Post { url, .. } => write!(f, "POST to {}", without_secrets(url)),
        }
    }
}

impl std::fmt::Debug for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// Scheme, host and port of an address.
fn without_secrets(url: &str) -> String {
    let Ok(uri) = url.parse::<ureq::http::Uri>() else { return "an address".to_owned() };
    let port = uri.port_u16().map_or_else(String::new, |port| format!(":{port}"));
    format!("{}://{}{port}", uri.scheme_str().unwrap_or_default(), uri.host().unwrap_or_default())
}

/// Reads the table `[notify]` of a text that has one.
///
/// # Errors
/// Every fault at once, in the order of the lines.
pub fn parse(file_name: &str, text: &str) -> Result<Settings, Vec<Fault>> {
    let (file, mut document) = Document::read_part::<NotifyFile>(file_name, text, "notify");
    let settings = file.and_then(|file| check(&mut document, &file));
    document.finish(settings)
}

/// A key of the table with the value that counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// As it is written.
    pub name: &'static str,
    /// `None` where nobody says anything and nothing is built in.
    pub value: Option<toml::Value>,
    /// Where the value stands in the text; `None` where it is what is built in.
    pub at: Option<usize>,
}

/// Every key of the table `[notify]` with the value that counts; what counts where no file has the table, without a text.
///
/// # Errors
/// Every fault at once, in the order of the lines.
pub fn explain(file_name: &str, text: Option<&str>) -> Result<Vec<Key>, Vec<Fault>> {
    let Some(text) = text else { return Ok(Settings::silent().keys(|_| None)) };
    let (file, mut document) = Document::read_part::<NotifyFile>(file_name, text, "notify");
    let places = document.places.clone();
    let settings = file.and_then(|file| check(&mut document, &file));
    let settings = document.finish(settings)?;
    Ok(settings.keys(|name| {
        let key = format!("notify.{name}");
        places.is_written(&key).then(|| places.span(&key).map(|span| span.start))?
    }))
}

/// The JSON Schema of the table.
#[must_use]
pub fn json_schema() -> serde_json::Value {
    crate::plan::document::json_schema::<NotifyFile>()
}

impl Settings {
    /// Nobody is told anything; what is built in for the other keys.
    fn silent() -> Self {
        Self {
            ways: Vec::new(),
            on: Level::ALL.map(|(_, level)| level).into(),
            alive_every: Duration::from_secs(6 * 3600),
            repeat_every: Duration::from_secs(600),
            timeout: Duration::from_secs(20),
            retries: 5,
            wait_at_end: Duration::from_secs(30),
        }
    }

    fn keys(&self, at: impl Fn(&str) -> Option<usize>) -> Vec<Key> {
        let texts = |texts: &[String]| toml::Value::Array(texts.iter().cloned().map(Into::into).collect());
        let span = |span: Duration| Some(render_span_exactly(span).into());
        let command = self.ways.iter().find_map(|way| match way {
            Way::Command(words) => Some(texts(words)),
            Way::Post { .. } => None,
        });
        let post = self.ways.iter().find_map(|way| match way {
            Way::Post { url, headers } => Some((url, headers)),
            Way::Command(_) => None,
        });
        let headers = post.map(|(_, headers)| headers.iter().cloned()).into_iter().flatten();
        let headers: toml::Table = headers.map(|(name, value)| (name, value.into())).collect();
        let on: Vec<String> = self.on.iter().map(|level| level.word().to_owned()).collect();
        let values: [(&'static str, Option<toml::Value>); 9] = [
            ("command", command),
            ("url", post.map(|(url, _)| url.clone().into())),
            ("headers", (!headers.is_empty()).then_some(headers.into())),
            ("on", Some(texts(&on))),
            ("alive_every", span(self.alive_every)),
            ("repeat_every", span(self.repeat_every)),
            ("timeout", span(self.timeout)),
            ("retries", Some(i64::from(self.retries).into())),
            ("wait_at_end", span(self.wait_at_end)),
        ];
        values.map(|(name, value)| Key { name, value, at: at(name) }).into()
    }
}

fn check(document: &mut Document, file: &NotifyFile) -> Option<Settings> {
    let silent = Settings::silent();
    let command = file.command.as_ref().map(|words| check_command(document, words));
    let post = file.url.as_ref().map(|url| check_post(document, url, file));
    if file.headers.is_some() && file.url.is_none() {
        document.fault("notify.headers", "headers are sent with a POST, and there is no `url`");
    }
    if file.command.is_none() && file.url.is_none() {
        document.fault("notify", "neither `command` nor `url` is given: it says nowhere to send");
    }
    let on = match &file.on {
        None => Some(silent.on),
        Some(written) => check_levels(document, written),
    };
    let mut span =
        |key: &str, written: Option<&Written<Duration>>, (default, range): (Duration, (u64, u64))| {
            let key = format!("notify.{key}");
            match written {
                None => Some(default),
                Some(_) => {
                    let span = document.take(&key, written);
                    document.span_within(&key, span, range)
                }
            }
        };
    const DAY_MS: u64 = 86_400_000;
    let alive_every =
        span("alive_every", file.alive_every.as_ref(), (silent.alive_every, (1000, 30 * DAY_MS)));
    let repeat_every =
        span("repeat_every", file.repeat_every.as_ref(), (silent.repeat_every, (1000, DAY_MS)));
    let timeout = span("timeout", file.timeout.as_ref(), (silent.timeout, (100, 300_000)));
    let wait_at_end = span("wait_at_end", file.wait_at_end.as_ref(), (silent.wait_at_end, (0, 600_000)));
    let retries = match &file.retries {
        None => Some(u64::from(silent.retries)),
        written => {
            let retries = document.take("notify.retries", written.as_ref());
            document.within("notify.retries", retries, (0, 20))
        }
    };
    let ways: Option<Vec<Way>> = command.into_iter().chain(post).collect();
    Some(Settings {
        ways: ways?,
        on: on?,
        alive_every: alive_every?,
        repeat_every: repeat_every?,
        timeout: timeout?,
        retries: u32::try_from(retries?).ok()?,
        wait_at_end: wait_at_end?,
    })
}

fn check_levels(document: &mut Document, written: &[Written<Level>]) -> Option<Vec<Level>> {
    if written.is_empty() {
        document.fault("notify.on", "it names nothing that is told; leave the table out instead");
    }
    let levels: Vec<Option<Level>> = written
        .iter()
        .enumerate()
        .map(|(place, level)| document.take(&format!("notify.on[{}]", place + 1), Some(level)))
        .collect();
    levels.into_iter().collect()
}

fn check_command(document: &mut Document, written: &[Written<String>]) -> Option<Way> {
    let mut words = Vec::new();
    for (place, word) in written.iter().enumerate() {
        let key = format!("notify.command[{}]", place + 1);
        let word = document.take(&key, Some(word));
        if let Some(word) = &word {
            check_word(document, &key, word, place == 0);
        }
        words.push(word);
    }
    if written.is_empty() {
        document.fault("notify.command", "it is empty: the program comes first, then its arguments");
    }
    words.into_iter().collect::<Option<Vec<_>>>().map(Way::Command)
}

fn check_word(document: &mut Document, key: &str, word: &str, is_program: bool) {
    if word.contains('\0') {
        document.fault(key, "no argument can hold a zero byte");
    }
    let mut rest = word;
    while let Some((_, place, after)) = next_place(rest) {
        if is_program {
            document.fault(key, "the program's own name is not filled in; only its arguments are");
        } else if !PLACES.contains(&place) {
            let known = PLACES.map(|place| format!("{{{place}}}")).join(", ");
            let near =
                nearest(place, PLACES).map_or_else(String::new, |near| format!("; did you mean {{{near}}}?"));
            document.fault(key, format!("{{{place}}} is not known; known here: {known}{near}"));
        }
        rest = after;
    }
}

fn check_post(document: &mut Document, written: &Written<String>, file: &NotifyFile) -> Option<Way> {
    let url = document.take("notify.url", Some(written));
    let url = url.filter(|url| {
        let told = match url.parse::<ureq::http::Uri>() {
            Err(error) => Some(format!("it is no address: {error}")),
            Ok(uri) if !matches!(uri.scheme_str(), Some("http" | "https")) => {
                Some("an address begins with http:// or https://".to_owned())
            }
            Ok(uri) if uri.host().is_none_or(str::is_empty) => Some("it names no host".to_owned()),
            Ok(_) => None,
        };
        if let Some(told) = &told {
            document.fault("notify.url", told.clone());
        }
        told.is_none()
    });
    let mut headers = Vec::new();
    for (name, value) in file.headers.iter().flatten() {
        let key = format!("notify.headers.{name}");
        let value = document.take(&key, Some(value));
        if let Some(told) = value.as_ref().and_then(|value| check_header(name, value).err()) {
            document.fault(if document.places.is_written(&key) { &key } else { "notify.headers" }, told);
        }
        headers.push(value.map(|value| (name.clone(), value)));
    }
    Some(Way::Post { url: url?, headers: headers.into_iter().collect::<Option<Vec<_>>>()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_with_its_defaults() {
        let settings = parse("c.toml", "[notify]\ncommand = [\"/bin/page\", \"{level}\"]").unwrap();
        assert_eq!(settings.ways, [Way::Command(vec!["/bin/page".to_owned(), "{level}".to_owned()])]);
        assert_eq!(settings.on.len(), 4);
        assert_eq!((settings.alive_every, settings.retries), (Duration::from_secs(21_600), 5));
    }

    #[test]
    fn every_fault_is_told_at_its_place() {
        let text = r#"
[notify]
comand = ["x"]
command = ["{level}", "{mesage}", 5]
url = "ftp://x"
on = ["warn", "tripp"]
alive_every = "6"
timeout = "1 h"
retries = 99
headers = { "bad name" = "x", "Good" = "a\nb" }
"#;
        let told: Vec<String> = parse("c.toml", text)
            .unwrap_err()
            .iter()
            .map(|fault| {
                let line = fault.span.as_ref().map(|span| text[..span.start].matches('\n').count() + 1);
                format!("{} {fault}", line.map_or("-".to_owned(), |line| line.to_string()))
            })
            .collect();
        insta::assert_snapshot!(told.join("\n"), @r#"
        3 c.toml: `notify.comand`: unknown key `comand`; known here: `alive_every`, `command`, `headers`, `on`, `repeat_every`, `retries`, `timeout`, `url`, `wait_at_end`; did you mean `command`?
        4 c.toml: `notify.command[1]`: the program's own name is not filled in; only its arguments are
        4 c.toml: `notify.command[2]`: {mesage} is not known; known here: {level}, {message}, {count}, {run}, {profile}, {board}, {rig}, {state}; did you mean {message}?
        4 c.toml: `notify.command[3]`: a text in quotes is expected; write "5"
        5 c.toml: `notify.url`: an address begins with http:// or https://
        6 c.toml: `notify.on[2]`: "tripp" is not one of "warn", "trip", "finish", "alive"; did you mean `trip`?
        7 c.toml: `notify.alive_every`: `6` is not a length of time: the number 6 has no unit (d h min s ms us ns); write for example `1 d 12 h` or `200 ms`
        8 c.toml: `notify.timeout`: 1 h is out of range: 100 ms to 5 min is possible here
        9 c.toml: `notify.retries`: 99 is out of range: 0 to 20 is possible here
        10 c.toml: `notify.headers`: the value of `Good` holds what no header may hold
        10 c.toml: `notify.headers`: `bad name` is no header: invalid HTTP header name
        "#);
        for text in [
            "[notify]\n",
            "[notify]\ncommand = []",
            "[notify]\nheaders = { a = \"b\" }",
            "[notify]\nurl = \"http:\"",
            "[notify]\nurl=\"http://h\"\non=[]",
        ] {
            assert!(parse("c.toml", text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_way_is_named_without_its_secrets() {
        let way = Way::Post {
            url: "https://user:pw@hooks.example.org:8443/services/T0/SECRET?key=SECRET".to_owned(),
            headers: vec![("Authorization".to_owned(), "Bearer SECRET".to_owned())],
        };
        assert_eq!(
            format!("{way} {way:?}"),
            "POST to https://hooks.example.org:8443 POST to https://hooks.example.org:8443"
        );
    }
}

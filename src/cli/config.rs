//! `soakrig config`: every value, and who says so.

use serde_json::{Map, Value, json};

use super::args::ConfigArgs;
use super::exit::Exit;
use super::message::{CliError, Outcome, print};
use super::settings::{Origin, Place, Resolved, Settings, State, Table};

pub(super) fn run(args: &ConfigArgs, settings: &Settings) -> Outcome {
    let explained = settings.explain(&args.command)?;
    let text = if args.json { render_json(&explained, settings) } else { render(&explained, settings)? };
    print(&text)?;
    Ok(Exit::Done)
}

/// What a table says, whatever it means.
fn content(table: &Table<'_>) -> Map<String, Value> {
    table.read().0.unwrap_or_default()
}

/// A file of settings with everything in it; comments tell the origins.
fn render(explained: &[(String, Vec<Resolved>)], settings: &Settings) -> Result<String, CliError> {
    let mut text: String = settings.places.iter().map(place).collect();
    if settings.places.is_empty() {
        text.push_str("# no files, because of --no-config\n");
    }
    for (command, options) in explained {
        text.push_str(&format!("\n[{command}]\n"));
        let rows: Vec<(String, String)> = options.iter().map(row).collect();
        let width = rows.iter().map(|(said, _)| said.chars().count()).max().unwrap_or(0).min(60);
        for (said, origin) in rows {
            text.push_str(&format!("{said:<width$}  # {origin}\n"));
        }
    }
    for table in settings.tables() {
        let written = toml::to_string(&json!({ table.name: content(&table) }));
        let written = written.map_err(|error| CliError::internal(format!("[{}]: {error}", table.name)))?;
        text.push_str(&format!("\n# {}:{}\n{written}", table.file.display(), table.line));
    }
    Ok(text)
}

fn place(place: &Place) -> String {
    let state = match &place.state {
        State::Read => String::new(),
        State::Absent => " (not there)".to_owned(),
        State::PassedOver(reason) => format!(" (passed over: {reason})"),
    };
    format!("# {:<8} {}{state}\n", place.owner.word(), place.file.display())
}

/// An option as a line of a file, and its origin.
fn row(option: &Resolved) -> (String, String) {
    let said = match &option.value {
        Some(value) => format!("{} = {value}", option.name),
        None => format!("# {}", option.name),
    };
    let mut origin = match &option.origin {
        Origin::CommandLine => "command line".to_owned(),
        Origin::File(file, line) => format!("{file}:{line}"),
        Origin::Default => "default".to_owned(),
        Origin::Unset => "not set".to_owned(),
    };
    if let Some((file, line)) = &option.set_aside {
        origin.push_str(&format!("; {file}:{line} does not go with what counts before it"));
    }
    (said, origin)
}

fn render_json(explained: &[(String, Vec<Resolved>)], settings: &Settings) -> String {
    let files: Vec<Value> = settings.places.iter().map(json_place).collect();
    let values: Vec<Value> = explained
        .iter()
        .flat_map(|(command, options)| options.iter().map(|option| json_row(command, option)))
        .collect();
    let tables: Vec<Value> = settings
        .tables()
        .map(|table| {
            json!({
                "name": table.name,
                "value": content(&table),
                "file": table.file.display().to_string(),
                "line": table.line,
            })
        })
        .collect();
    format!("{:#}", json!({ "files": files, "values": values, "tables": tables }))
}

fn json_place(place: &Place) -> Value {
    let (state, why) = match &place.state {
        State::Read => ("read", None),
        State::Absent => ("absent", None),
        State::PassedOver(reason) => ("passed over", Some(reason)),
    };
    json!({
        "owner": place.owner.word(),
        "file": place.file.display().to_string(),
        "state": state,
        "why": why,
    })
}

fn json_row(command: &str, option: &Resolved) -> Value {
    let (origin, place) = match &option.origin {
        Origin::CommandLine => ("command line", None),
        Origin::File(file, line) => ("file", Some((file, line))),
        Origin::Default => ("default", None),
        Origin::Unset => ("not set", None),
    };
    let set_aside = option.set_aside.as_ref().map(|(file, line)| json!({ "file": file, "line": line }));
    json!({
        "command": command,
        "option": option.name,
        "value": option.value,
        "origin": origin,
        "file": place.map(|(file, _)| file),
        "line": place.map(|(_, line)| line),
        "set_aside": set_aside,
    })
}

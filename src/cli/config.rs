//! `soakrig config`: every value, and who says so.

use serde_json::{Value, json};

use super::args::ConfigArgs;
use super::exit::Exit;
use super::message::{Outcome, print};
use super::settings::{Origin, Place, Resolved, Settings, State};

pub(super) fn run(args: &ConfigArgs, settings: &Settings) -> Outcome {
    let explained = settings.explain(&args.command)?;
    let notify = settings.explain_notify()?;
    let text = if args.json {
        render_json(&explained, &notify, settings)
    } else {
        render(&explained, &notify, settings)
    };
    print(&text)?;
    Ok(Exit::Done)
}

/// A file of settings with everything in it; comments tell the origins.
fn render(explained: &[(String, Vec<Resolved>)], notify: &[Resolved], settings: &Settings) -> String {
    let mut text: String = settings.places.iter().map(place).collect();
    if settings.places.is_empty() {
        text.push_str("# no files, because of --no-config\n");
    }
    for (command, options) in explained {
        text.push_str(&format!("\n[{command}]\n"));
        text.push_str(&render_rows(options.iter().map(row)));
    }
    let rows = notify.iter().map(row);
    if let Some(table) = settings.notify() {
        let rows = render_rows(rows);
        text.push_str(&format!("\n# {}:{}\n[notify]\n{rows}", table.file.display(), table.line));
    } else {
        // As a table it would want to know whom to tell.
        text.push_str("\n# no file has this table: nobody is told anything\n# [notify]\n");
        text.push_str(&render_rows(
            rows.map(|(said, origin)| (format!("# {}", said.trim_start_matches("# ")), origin)),
        ));
    }
    text
}

fn render_rows(rows: impl Iterator<Item = (String, String)>) -> String {
    let rows: Vec<(String, String)> = rows.collect();
    let width = rows.iter().map(|(said, _)| said.chars().count()).max().unwrap_or(0).min(60);
    rows.into_iter().map(|(said, origin)| format!("{said:<width$}  # {origin}\n")).collect()
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

fn render_json(explained: &[(String, Vec<Resolved>)], notify: &[Resolved], settings: &Settings) -> String {
    let files: Vec<Value> = settings.places.iter().map(json_place).collect();
    let values: Vec<Value> = explained
        .iter()
        .flat_map(|(command, options)| options.iter().map(|option| json_row(Some(command), option)))
        .collect();
    let table = settings.notify();
    let notify = json!({
        "file": table.as_ref().map(|table| table.file.display().to_string()),
        "line": table.as_ref().map(|table| table.line),
        "values": notify.iter().map(|key| json_row(None, key)).collect::<Vec<_>>(),
    });
    format!("{:#}", json!({ "files": files, "values": values, "notify": notify }))
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

/// An option of a subcommand, or a key of the table [notify].
fn json_row(command: Option<&str>, option: &Resolved) -> Value {
    let (origin, place) = match &option.origin {
        Origin::CommandLine => ("command line", None),
        Origin::File(file, line) => ("file", Some((file, line))),
        Origin::Default => ("default", None),
        Origin::Unset => ("not set", None),
    };
    let set_aside = option.set_aside.as_ref().map(|(file, line)| json!({ "file": file, "line": line }));
    let mut row = json!({
        "value": option.value,
        "origin": origin,
        "file": place.map(|(file, _)| file),
        "line": place.map(|(_, line)| line),
    });
    match command {
        Some(command) => {
            row["command"] = json!(command);
            row["option"] = json!(option.name);
            row["set_aside"] = json!(set_aside);
        }
        None => row["key"] = json!(option.name),
    }
    row
}

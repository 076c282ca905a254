//! The house rules that a compiler does not know: who may use whom, and where the outside world may appear.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Who may use whom, bottom-up; the same table stands in docs/architecture.md.
const MAY_USE: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("waveform", &["base"]),
    ("trend", &["base"]),
    ("event", &["base", "waveform"]),
    ("link::wire", &["base"]),
    ("link::transport", &["base", "link::wire"]),
    ("link::scpi", &["base", "link::wire", "link::transport", "link::ErrorKind"]),
    ("link", &["base"]),
    ("instrument", &["base", "waveform", "event", "link"]),
    ("plan", &["base", "waveform", "trend", "event", "instrument::dialect"]),
    ("bench", &["base", "waveform", "event", "link", "instrument", "plan"]),
    ("engine", &["base", "waveform", "trend", "event", "link::ErrorKind", "instrument", "plan", "bench"]),
    ("deadman", &["base", "waveform", "event", "instrument", "plan", "bench"]),
    ("record", &["base", "waveform", "event"]),
    ("sim", &["base", "waveform", "link"]),
    ("compare::stat", &["base"]),
    ("compare", &["base", "waveform", "trend", "event", "record"]),
    ("report", &["base", "waveform", "trend", "event", "record", "compare"]),
    ("live", &["base", "event"]),
    ("notify", &["base", "event", "instrument::dialect", "plan::document", "plan::written"]),
    (
        "session",
        &[
            "base",
            "waveform",
            "trend",
            "event",
            "link",
            "instrument",
            "plan",
            "bench",
            "engine",
            "deadman",
            "record",
            "sim",
            "report",
        ],
    ),
    (
        "cli",
        &[
            "base",
            "waveform",
            "event",
            "link::transport",
            "link::scpi",
            "instrument",
            "plan",
            "bench",
            "engine::StopWish",
            "record",
            "sim",
            "compare",
            "report",
            "live",
            "notify",
            "session",
        ],
    ),
];

/// Words of the outside world, and the only places where each may stand.
const OUTSIDE: &[(&str, &[&str])] = &[
    ("std::time::Instant", &["base/clock.rs"]),
    ("Timestamp::now", &["base/clock.rs", "session/opening.rs"]),
    ("thread::sleep", &["base/clock.rs"]),
    ("SystemTime", &["base/clock.rs"]),
    ("TcpStream", &["link/transport/", "sim/server.rs"]),
    ("TcpListener", &["link/transport/", "sim/server.rs"]),
    ("serialport::", &["link/transport/", "sim/pty.rs"]),
    ("ureq::", &["notify/http.rs", "notify/settings.rs"]),
    ("sd_notify", &["notify/service_unix.rs"]),
    ("UdpSocket", &[]),
    ("UnixStream", &[]),
    ("UnixListener", &[]),
    ("UnixDatagram", &[]),
    (
        "process::Command",
        &[
            "deadman/process_unix.rs",
            "deadman/drill_unix.rs",
            "session/checking/host_unix.rs",
            "notify/command.rs",
        ],
    ),
    (
        "Command::new",
        &[
            "deadman/process_unix.rs",
            "deadman/drill_unix.rs",
            "session/checking/host_unix.rs",
            "notify/command.rs",
        ],
    ),
    ("std::env", &["session/lock.rs", "session/drilling_unix.rs", "cli/"]),
    ("std::fs", &["record/", "session/", "cli/"]),
    ("File::", &["record/", "session/", "cli/"]),
    ("println!", &[]),
    ("eprintln!", &[]),
    ("io::stdout", &["cli/"]),
    ("io::stderr", &["cli/"]),
    ("process::exit", &[]),
    ("signal_hook", &["cli/signals_unix.rs"]),
    (".unwrap()", &[]),
    (".expect(", &[]),
    ("todo!", &[]),
    ("unimplemented!", &[]),
    ("derive(Serialize", &["schema.rs", "record/format.rs", "record/format/"]),
    ("derive(Deserialize", &["schema.rs", "record/format.rs", "record/format/"]),
];

const BANNED_MODULES: &[&str] = &["utils", "util", "helpers", "common", "misc", "types", "manager", "errors"];

struct Source {
    /// Path below `src/`, with forward slashes.
    path: String,
    /// The whole text.
    text: String,
    /// The text without its tests and without comments.
    code: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(source(&root, &path));
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn source(root: &Path, path: &Path) -> Source {
    let text = fs::read_to_string(path).unwrap();
    let below = path.strip_prefix(root).unwrap().display().to_string().replace('\\', "/");
    let is_test_file = below.ends_with("tests.rs") || below.contains("/tests/");
    let before_tests = if is_test_file { "" } else { text.split("#[cfg(test)]\nmod ").next().unwrap_or("") };
    let code: Vec<&str> = before_tests.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join("\n");
    Source { path: below, text, code }
}

/// The room a file stands in.
fn room(path: &str) -> Option<&'static str> {
    let module = path.trim_end_matches(".rs").trim_end_matches("/mod").replace('/', "::");
    MAY_USE
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| module == *name || module.starts_with(&format!("{name}::")))
        .max_by_key(|name| name.len())
}

/// The module that a file is, from the crate's root: `link/scpi/mod.rs` is `link::scpi`.
fn module(path: &str) -> Vec<&str> {
    let mut names: Vec<&str> = path.trim_end_matches(".rs").split('/').collect();
    names.pop_if(|last| ["mod", "lib", "main"].contains(last));
    names
}

/// Every path of at least two names in a text, with the trees of `use` taken apart: `use a::{b, c::{d, e as f}}` is `a::b`,
/// `a::c::d` and `a::c::e`.
fn paths(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut rest = code;
    while let Some(start) = rest.find(|c: char| c.is_alphabetic() || c == '_') {
        rest = path_at(&rest[start..], "", &mut found);
    }
    found
}

/// Takes the path or tree of paths at the start of a text; gives what follows it.
fn path_at<'a>(text: &'a str, prefix: &str, found: &mut BTreeSet<String>) -> &'a str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let path = if prefix.is_empty() { text[..end].to_owned() } else { format!("{prefix}::{}", &text[..end]) };
    let rest = &text[end..];
    let Some(below) = rest.strip_prefix("::") else {
        if path.contains("::") {
            found.insert(path.trim_end_matches("::self").trim_end_matches("::").to_owned());
        }
        return rest;
    };
    let Some(mut list) = below.strip_prefix('{') else {
        return path_at(below, &path, found);
    };
    loop {
        list = list.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        if list.is_empty() {
            return list;
        }
        if let Some(after) = list.strip_prefix('}') {
            return after;
        }
        list = path_at(list, &path, found);
        // What an import is called here, or a star.
        list = &list[list.find([',', '}']).unwrap_or(list.len())..];
    }
}

/// A path inside the package from the crate's root, as `a::b`; `None` for one that is not told to be.
fn inside(path: &str, module: &[&str]) -> Option<String> {
    let names: Vec<&str> = path.split("::").collect();
    let (above, below) = match names[0] {
        "crate" => (&[][..], &names[1..]),
        "self" => (module, &names[1..]),
        "super" => {
            let ups = names.iter().take_while(|name| **name == "super").count();
            (&module[..module.len().saturating_sub(ups)], &names[ups..])
        }
        _ => return None,
    };
    Some([above, below].concat().join("::"))
}

#[test]
fn a_room_uses_only_the_rooms_it_may() {
    let allowed: BTreeMap<&str, &[&str]> = MAY_USE.iter().copied().collect();
    let mut faults = Vec::new();
    for source in sources() {
        let Some(room) = room(&source.path) else { continue };
        let module = module(&source.path);
        for used in paths(&source.code).iter().filter_map(|path| inside(path, &module)) {
            let own = used == room
                || used.starts_with(&format!("{room}::"))
                || room.starts_with(&format!("{used}::"));
            let fine =
                own || allowed[room].iter().any(|may| used == *may || used.starts_with(&format!("{may}::")));
            if !fine {
                faults.push(format!("{}: {room} may not use crate::{used}", source.path));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn paths_are_found_in_whatever_way_they_are_written() {
    let text = "use crate::{a::{b, c::{d as e, self}}, f};\nuse super::super::g::*;\n let x = std::time::Instant::now();\n\
                use std::{fs, io::{self, Read as _}};\nuse self::near::h;";
    let found = paths(text);
    for path in ["std::time::Instant::now", "std::fs", "std::io", "std::io::Read"] {
        assert!(found.contains(path), "{path}: {found:?}");
    }
    let inside: BTreeSet<String> = found.iter().filter_map(|path| inside(path, &["x", "y", "z"])).collect();
    assert_eq!(Vec::from_iter(inside), ["a::b", "a::c", "a::c::d", "f", "x::g", "x::y::z::near::h"]);
}

#[test]
fn every_file_stands_in_a_room_but_the_two_doors() {
    let doors: Vec<String> = sources()
        .into_iter()
        .filter(|source| room(&source.path).is_none())
        .map(|source| source.path)
        .collect();
    assert_eq!(doors, ["lib.rs", "main.rs"]);
    for source in sources().iter().filter(|source| doors.contains(&source.path)) {
        let fine = |line: &str| {
            let line = line.trim();
            ["", "}", "fn main() -> std::process::ExitCode {", "soakrig::cli::main()"].contains(&line)
                || line.starts_with("pub mod ")
        };
        let more: Vec<&str> = source.code.lines().filter(|line| !fine(line)).collect();
        assert!(more.is_empty(), "{} is a door, not a room: {more:?}", source.path);
    }
}

#[test]
fn the_table_of_rooms_is_bottom_up_so_there_is_no_cycle() {
    for (place, (room, uses)) in MAY_USE.iter().enumerate() {
        for used in *uses {
            let top = used.split("::").next().unwrap();
            let below = MAY_USE[..place].iter().any(|(name, _)| name.split("::").next() == Some(top));
            assert!(below, "{room} uses {used}, which stands at the same height or above");
        }
    }
}

#[test]
fn the_outside_world_appears_only_where_it_may() {
    let mut faults = Vec::new();
    for source in sources() {
        let paths: Vec<String> = paths(&source.code).iter().map(|path| format!("::{path}::")).collect();
        for (word, places) in OUTSIDE {
            let allowed = places.iter().any(|place| source.path.contains(place));
            let name = format!("::{word}::");
            if (stands_alone(&source.code, word) || paths.iter().any(|path| path.contains(&name))) && !allowed
            {
                faults.push(format!("{}: `{word}` may stand only in {places:?}", source.path));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Whether the word stands in the text, not as the end of a longer name.
fn stands_alone(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(place, _)| {
        let before = code[..place].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_') || word.starts_with('.')
    })
}

#[test]
fn no_module_is_a_drawer() {
    for source in sources() {
        let stem = Path::new(&source.path).file_stem().unwrap().to_str().unwrap().to_owned();
        assert!(!BANNED_MODULES.contains(&stem.as_str()), "{}: name it after what it holds", source.path);
        assert!(!source.path.split('/').any(|part| BANNED_MODULES.contains(&part)), "{}", source.path);
    }
}

#[test]
fn files_stay_short_enough_to_be_read() {
    let long: Vec<String> = sources()
        .iter()
        .map(|source| (source.code.lines().count(), &source.path))
        .filter(|(lines, _)| *lines > 450)
        .map(|(lines, path)| format!("{path}: {lines} lines of code"))
        .collect();
    assert!(long.is_empty(), "split by noun: {long:?}");
}

#[test]
fn nothing_left_to_do_is_left_in_the_code() {
    for source in sources() {
        for word in ["TODO", "FIXME", "XXX", "HACK"] {
            assert!(!source.text.contains(word), "{}: {word}", source.path);
        }
    }
}

#[test]
fn the_architecture_page_shows_the_same_table() {
    let page =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md")).unwrap();
    for (room, uses) in MAY_USE {
        let uses = if uses.is_empty() { "–".to_owned() } else { uses.join(", ") };
        let row = format!("| {room} | {uses} |");
        assert!(page.contains(&row), "docs/architecture.md lacks the row\n{row}");
    }
}

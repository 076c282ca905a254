//! Where files of settings are looked for.

use std::path::{Path, PathBuf};

use crate::session::read_text;

/// Names the system's file where it is another one than `/etc/soakrig/config.toml`.
const SYSTEM_VARIABLE: &str = "SOAKRIG_SYSTEM_CONFIG";

/// The project's file, in the project's folder.
const PROJECT_FILE: &str = "soakrig.toml";

/// Whose file it is; a later one counts before an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Owner {
    System,
    User,
    Project,
}

impl Owner {
    pub(in crate::cli) const fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Project => "project",
        }
    }
}

/// A place where a file of settings may be.
#[derive(Debug)]
pub(in crate::cli) struct Place {
    pub(in crate::cli) owner: Owner,
    pub(in crate::cli) file: PathBuf,
    pub(in crate::cli) state: State,
}

/// What became of a file.
#[derive(Debug)]
pub(in crate::cli) enum State {
    Read,
    Absent,
    /// It is there and does not count, with the reason.
    PassedOver(String),
}

/// All places of this process, with the texts of those that are there. Where nobody has a home there is no user's file.
pub(super) fn look() -> Vec<(Place, Result<Option<String>, String>)> {
    let system = variable(SYSTEM_VARIABLE).unwrap_or_else(|| PathBuf::from("/etc/soakrig/config.toml"));
    let user = user_folder().map(|folder| folder.join("soakrig/config.toml"));
    let project = std::env::current_dir().ok().map(|working| project_file(&working));
    let places = [(Owner::System, Some(system)), (Owner::User, user), (Owner::Project, project)].into_iter();
    places.filter_map(|(owner, file)| Some(look_at(owner, file?))).collect()
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// A relative folder does not count, by the XDG Base Directory Specification.
fn user_folder() -> Option<PathBuf> {
    let named = variable("XDG_CONFIG_HOME").filter(|folder| folder.is_absolute());
    named.or_else(|| Some(std::env::home_dir()?.join(".config")))
}

/// The nearest file from this folder upwards. The search ends at a folder with `.git` in it, which is the root of a project,
/// or at the root of the file system; where there is none, this is where it would have been found first.
fn project_file(working: &Path) -> PathBuf {
    for folder in working.ancestors() {
        let file = folder.join(PROJECT_FILE);
        if file.symlink_metadata().is_ok() {
            return file;
        }
        if folder.join(".git").exists() {
            break;
        }
    }
    working.join(PROJECT_FILE)
}

fn look_at(owner: Owner, file: PathBuf) -> (Place, Result<Option<String>, String>) {
    let (state, text) = match std::fs::metadata(&file) {
        Err(error) if is_absence(&error) => (State::Absent, Ok(None)),
        Err(error) => (State::Read, Err(format!("cannot read the settings: {error}"))),
        // Whoever opens a pipe waits for somebody who writes.
        Ok(facts) if !facts.is_file() => {
            (State::Read, Err("cannot read the settings: this is no file".to_owned()))
        }
        Ok(_) => match foreign(owner, &file) {
            Some(reason) => (State::PassedOver(reason), Ok(None)),
            None => (State::Read, read(&file)),
        },
    };
    (Place { owner, file, state }, text)
}

fn is_absence(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

fn read(file: &Path) -> Result<Option<String>, String> {
    read_text("settings", file).map(Some).map_err(|error| error.to_string())
}

/// Why a project's file is not taken as this person's.
#[cfg(unix)]
fn foreign(owner: Owner, file: &Path) -> Option<String> {
    (owner == Owner::Project && super::foreign_unix::is_foreign(file))
        .then(|| "it belongs to somebody else and lies in a folder that everybody may write to".to_owned())
}

#[cfg(not(unix))]
fn foreign(_: Owner, _: &Path) -> Option<String> {
    None
}

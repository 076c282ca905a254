//! Files to a plan. Nothing is touched.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::SessionError;
use super::opening::check_world;
use crate::base::names::nearest;
use crate::instrument::dialect::Registry;
use crate::plan::build::{self, Overrides};
use crate::plan::{Plan, Rig, profile, rig};
use crate::record::{FAMILIES, journal};

/// Longest rig, profile, family or settings file that is read: far more than any person writes.
const FILE_LIMIT: u64 = 1 << 20;

/// A checked plan and what it was made of.
#[derive(Debug)]
pub struct Prepared {
    /// The rig.
    pub rig: Rig,
    /// Families, with those of the rig's own folder.
    pub registry: Registry,
    /// The plan.
    pub plan: Plan,
    /// The rig file.
    pub rig_path: PathBuf,
    /// The rig file's text.
    pub rig_text: String,
    /// The profile file's text.
    pub profile_text: String,
    /// The files of the rig's own folder of families: names and texts.
    pub families: Vec<(String, String)>,
}

/// Reads and checks rig and profile and builds the plan. The faults of both files are told together.
///
/// # Errors
/// A file cannot be read, or faults; or the simulated bench has no such board.
pub fn prepare(
    profile_path: &Path,
    rig_path: &Path,
    overrides: &Overrides,
) -> Result<Prepared, SessionError> {
    let (rig_text, profile_text) = (read_text("rig", rig_path)?, read_text("profile", profile_path)?);
    let (rig_name, profile_name) = (rig_path.display().to_string(), profile_path.display().to_string());
    let mut sources =
        vec![(rig_name.clone(), rig_text.clone()), (profile_name.clone(), profile_text.clone())];
    let rig = rig::parse(&rig_name, &rig_text);
    let profile = profile::parse(&profile_name, &profile_text);
    let (rig, profile) = match (rig, profile) {
        (Ok(rig), Ok(profile)) => (rig, profile),
        (Err(_), Err(_))
            if rig::parse("", &profile_text).is_ok() || profile::parse("", &rig_text).is_ok() =>
        {
            let told = format!(
                "{profile_name} and {rig_name} look swapped: the first is read as a profile (what to do), the one behind --rig as a \
                 rig (what is wired to what)"
            );
            return Err(SessionError::Usage(told));
        }
        (rig, profile) => {
            let faults = rig.err().into_iter().chain(profile.err()).flatten().collect();
            return Err(SessionError::Faults { faults, sources });
        }
    };
    let (registry, families) = load_registry(&rig, rig_path, &mut sources)?;
    match build::build(&rig, &profile, &registry, overrides) {
        Ok(plan) => {
            check_world(&rig, &plan.board)?;
            let rig_path = rig_path.to_owned();
            Ok(Prepared { rig, registry, plan, rig_path, rig_text, profile_text, families })
        }
        Err(faults) => Err(SessionError::Faults { faults, sources }),
    }
}

/// Reads and checks a rig alone, with its families; its text comes with it.
///
/// # Errors
/// A file cannot be read, or faults.
pub fn load_rig(rig_path: &Path) -> Result<(Rig, Registry, String), SessionError> {
    let text = read_text("rig", rig_path)?;
    let name = rig_path.display().to_string();
    let mut sources = vec![(name.clone(), text.clone())];
    let rig = rig::parse(&name, &text)
        .map_err(|faults| SessionError::Faults { faults, sources: sources.clone() })?;
    let (registry, _) = load_registry(&rig, rig_path, &mut sources)?;
    Ok((rig, registry, text))
}

/// The families that a rig knows, and the files that are its own. A rig in a run folder brings those along that the run was
/// begun with, wherever they were.
fn load_registry(
    rig: &Rig,
    rig_path: &Path,
    sources: &mut Vec<(String, String)>,
) -> Result<(Registry, Vec<(String, String)>), SessionError> {
    let (mut extra, mut families) = (Vec::new(), Vec::new());
    if let Some(folder) = &rig.families {
        let beside = rig_path.parent().unwrap_or(Path::new("."));
        let kept = beside.join(FAMILIES);
        let is_record = beside.join(journal::FILE_NAME).is_file() && kept.is_dir();
        let folder = if is_record { kept } else { beside.join(folder) };
        let file_error =
            |error| SessionError::File { what: "folder of families", path: folder.clone(), error };
        let mut paths: Vec<_> = std::fs::read_dir(&folder)
            .map_err(file_error)?
            .collect::<Result<Vec<_>, _>>()
            .map_err(file_error)?
            .into_iter()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
            .collect();
        paths.sort();
        for path in paths {
            let text = read_text("family", &path)?;
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            families.push((name, text.clone()));
            extra.push((path.display().to_string(), text));
        }
    }
    sources.extend(extra.iter().cloned());
    let registry = Registry::with_files(&extra)
        .map_err(|faults| SessionError::Faults { faults, sources: sources.clone() })?;
    Ok((registry, families))
}

/// The text of a file. Never more than the limit is read, whatever the file is: a pipe or a device does not tell its size.
///
/// # Errors
/// The file cannot be read, is too long, or is not UTF-8; `what` says what it is to us.
pub fn read_text(what: &'static str, path: &Path) -> Result<String, SessionError> {
    let fault = |error| SessionError::File { what, path: path.to_owned(), error };
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(FILE_LIMIT + 1).read_to_end(&mut bytes))
        .map_err(|error| fault(told(path, error)))?;
    if bytes.len() as u64 > FILE_LIMIT {
        let told = format!("it has more than {FILE_LIMIT} bytes, and no such file has; is it the right one?");
        return Err(fault(io::Error::other(told)));
    }
    String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()].split(|byte| *byte == b'\n').count();
        fault(io::Error::other(format!("line {line} is not UTF-8 text; save the file as UTF-8")))
    })
}

/// A file that is not there is told with the nearest name that is.
fn told(path: &Path, error: io::Error) -> io::Error {
    if error.kind() != io::ErrorKind::NotFound {
        return error;
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let there: Vec<String> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".toml"))
        .collect();
    let wanted = path.file_name().unwrap_or_default().to_string_lossy();
    match nearest(&wanted, there.iter().map(String::as_str)) {
        Some(name) => {
            io::Error::other(format!("there is no such file; did you mean {}?", folder.join(name).display()))
        }
        None => io::Error::other("there is no such file"),
    }
}

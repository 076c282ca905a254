//! Files to a plan. Nothing is touched.

use std::path::Path;

use super::SessionError;
use crate::instrument::dialect::Registry;
use crate::plan::build::{self, Overrides};
use crate::plan::{Plan, Rig, profile, rig};

/// Longest rig, profile or family file that is read: far more than any person writes.
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
    /// The rig file's text.
    pub rig_text: String,
    /// The profile file's text.
    pub profile_text: String,
}

/// Reads and checks rig and profile and builds the plan. The faults of both files are told together.
///
/// # Errors
/// A file cannot be read, or faults.
pub fn prepare(
    profile_path: &Path,
    rig_path: &Path,
    overrides: &Overrides,
) -> Result<Prepared, SessionError> {
    let (rig_text, profile_text) = (read_text(rig_path)?, read_text(profile_path)?);
    let (rig_name, profile_name) = (rig_path.display().to_string(), profile_path.display().to_string());
    let mut sources =
        vec![(rig_name.clone(), rig_text.clone()), (profile_name.clone(), profile_text.clone())];
    let rig = rig::parse(&rig_name, &rig_text);
    let profile = profile::parse(&profile_name, &profile_text);
    let (rig, profile) = match (rig, profile) {
        (Ok(rig), Ok(profile)) => (rig, profile),
        (rig, profile) => {
            let faults = rig.err().into_iter().chain(profile.err()).flatten().collect();
            return Err(SessionError::Faults { faults, sources });
        }
    };
    let registry = load_registry(&rig, rig_path, &mut sources)?;
    match build::build(&rig, &profile, &registry, overrides) {
        Ok(plan) => Ok(Prepared { rig, registry, plan, rig_text, profile_text }),
        Err(faults) => Err(SessionError::Faults { faults, sources }),
    }
}

/// Reads and checks a rig alone, with its families.
///
/// # Errors
/// A file cannot be read, or faults.
pub fn load_rig(rig_path: &Path) -> Result<(Rig, Registry), SessionError> {
    let text = read_text(rig_path)?;
    let name = rig_path.display().to_string();
    let mut sources = vec![(name.clone(), text.clone())];
    let rig = rig::parse(&name, &text)
        .map_err(|faults| SessionError::Faults { faults, sources: sources.clone() })?;
    let registry = load_registry(&rig, rig_path, &mut sources)?;
    Ok((rig, registry))
}

fn load_registry(
    rig: &Rig,
    rig_path: &Path,
    sources: &mut Vec<(String, String)>,
) -> Result<Registry, SessionError> {
    let mut extra = Vec::new();
    if let Some(folder) = &rig.families {
        let folder = rig_path.parent().unwrap_or(Path::new(".")).join(folder);
        let file_error = |error| SessionError::File { path: folder.clone(), error };
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
            extra.push((path.display().to_string(), read_text(&path)?));
        }
    }
    sources.extend(extra.iter().cloned());
    Registry::with_files(&extra).map_err(|faults| SessionError::Faults { faults, sources: sources.clone() })
}

fn read_text(path: &Path) -> Result<String, SessionError> {
    let fault = |error| SessionError::File { path: path.to_owned(), error };
    let size = std::fs::metadata(path).map_err(fault)?.len();
    if size > FILE_LIMIT {
        let told = format!("it has {size} bytes, and no such file has more than {FILE_LIMIT}");
        return Err(fault(std::io::Error::other(told)));
    }
    std::fs::read_to_string(path).map_err(fault)
}

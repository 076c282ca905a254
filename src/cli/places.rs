//! Where a command writes what somebody asked for: never over a record, and never twice to one place.

use std::path::{Path, PathBuf};

use super::message::CliError;
use crate::record::journal::FILE_NAME;

/// Refuses places of which two are one, or one is a file of a run. Each stands with its option.
pub(super) fn check_places(places: &[(&str, Option<&Path>)]) -> Result<(), CliError> {
    let mut known: Vec<(&str, PathBuf)> = Vec::new();
    for (option, path) in places.iter().filter_map(|(option, path)| Some((*option, (*path)?))) {
        let place = placed(path);
        if let Some((other, _)) = known.iter().find(|(_, other)| *other == place) {
            return Err(CliError::usage(format!(
                "{other} and {option} would be written over each other: both name {}",
                path.display()
            )));
        }
        if place.is_file() && place.with_file_name(FILE_NAME).exists() {
            return Err(CliError::usage(format!(
                "{option} would be written over {}, which belongs to the record of a run; name another file",
                path.display()
            )));
        }
        known.push((option, place));
    }
    Ok(())
}

/// The place itself, however it is named.
fn placed(path: &Path) -> PathBuf {
    if let Ok(whole) = path.canonicalize() {
        return whole;
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (folder.canonicalize(), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

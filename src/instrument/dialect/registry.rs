//! All families that are known: those built in, and those of a folder that a rig names.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::check::check_family;
use super::family::{Class, Family};
use super::fault::Fault;
use crate::base::names::nearest;
use crate::link::wire::Identity;

/// The files that are built in: name and text.
pub const BUILT_IN: &[(&str, &str)] = &[
    ("supply/rigol_dp800.toml", include_str!("families/supply/rigol_dp800.toml")),
    ("supply/keysight_e36300.toml", include_str!("families/supply/keysight_e36300.toml")),
    ("load/rigol_dl3000.toml", include_str!("families/load/rigol_dl3000.toml")),
    ("load/siglent_sdl1000x.toml", include_str!("families/load/siglent_sdl1000x.toml")),
    ("scope/rigol_ds1000z.toml", include_str!("families/scope/rigol_ds1000z.toml")),
    ("scope/keysight_infiniivision.toml", include_str!("families/scope/keysight_infiniivision.toml")),
];

/// Families by name.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    families: BTreeMap<String, Arc<Family>>,
}

impl Registry {
    /// The families that are built in.
    ///
    /// # Errors
    /// A built-in file is faulty, which would be a fault of this program.
    pub fn built_in() -> Result<Self, Vec<Fault>> {
        Self::with_files(&[])
    }

    /// The families that are built in and those of further files, each as (name, text). A further file with the name of a
    /// built-in family takes its place, so that a wrong fact can be put right on the bench.
    ///
    /// # Errors
    /// Every fault of every file, also two files with one name, and two families that one instrument could be of.
    pub fn with_files(further: &[(String, String)]) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut families: BTreeMap<String, (Arc<Family>, &str)> = BTreeMap::new();
        for (file, text) in BUILT_IN {
            match check_family(file, text) {
                Ok(family) => {
                    families.insert(family.name.clone(), (Arc::new(family), file));
                }
                Err(found) => faults.extend(found),
            }
        }
        let mut named: BTreeMap<String, &str> = BTreeMap::new();
        for (file, text) in further {
            match check_family(file, text) {
                Ok(family) => {
                    if let Some(other) = named.insert(family.name.clone(), file) {
                        faults.push(fault(
                            file,
                            "name",
                            format!("`{}` is the family of {other}, too", family.name),
                        ));
                    }
                    families.insert(family.name.clone(), (Arc::new(family), file));
                }
                Err(found) => faults.extend(found),
            }
        }
        faults.extend(overlaps(&families));
        if faults.is_empty() {
            Ok(Self { families: families.into_iter().map(|(name, (family, _))| (name, family)).collect() })
        } else {
            Err(faults)
        }
    }

    /// The family of this name.
    #[must_use]
    pub fn family(&self, name: &str) -> Option<&Arc<Family>> {
        self.families.get(name)
    }

    /// The known name that was probably meant.
    #[must_use]
    pub fn nearest(&self, name: &str) -> Option<&str> {
        nearest(name, self.families.keys().map(String::as_str))
    }

    /// All families, by name.
    pub fn families(&self) -> impl Iterator<Item = &Arc<Family>> {
        self.families.values()
    }

    /// The names of all families of a class.
    pub fn names(&self, class: Class) -> impl Iterator<Item = &str> {
        self.families.values().filter(move |family| family.class == class).map(|family| family.name.as_str())
    }

    /// The family of the instrument that answered so; there is never more than one.
    #[must_use]
    pub fn identify(&self, identity: &Identity) -> Option<&Arc<Family>> {
        self.families.values().find(|family| family.names.matches(identity))
    }
}

fn overlaps(families: &BTreeMap<String, (Arc<Family>, &str)>) -> Vec<Fault> {
    let all: Vec<&(Arc<Family>, &str)> = families.values().collect();
    let mut faults = Vec::new();
    for (at, (one, file)) in all.iter().enumerate() {
        for (other, other_file) in &all[at + 1..] {
            if one.names.overlaps(&other.names) {
                let told = format!(
                    "an instrument could be of this family and of `{}` ({other_file}): {} against {}",
                    other.name, one.names, other.names
                );
                faults.push(fault(file, "identity.models", told));
            }
        }
    }
    faults
}

fn fault(file: &str, key: &str, message: String) -> Fault {
    Fault { file: file.to_owned(), span: None, key: key.to_owned(), message, nearest: None, also: Vec::new() }
}

//! Rigol DS1104Z.

use scpi::tree::Node;

use super::panel::{self, Panel};
use super::world::Bench;

/// What it answers to `*IDN?`.
pub(crate) const IDENTITY: &str = "RIGOL TECHNOLOGIES,DS1104Z,DS1ZA203500001,00.04.05.SP2";

/// The instrument.
#[derive(Debug)]
pub(crate) struct Scope {
    pub(crate) panel: Panel,
}

impl Scope {
    pub(crate) fn new(_vout: u8, _switch: u8, _seed: u64) -> Self {
        Self { panel: Panel::new(IDENTITY) }
    }
}

pub(crate) fn reset(_: &mut Bench) {}

/// The command tree.
pub(crate) const TREE: Node<'static, Bench> = panel::tree![
    system: [],
    scpi::Leaf!(b"RUN" => &panel::Verb::set(0, panel::accept))
];

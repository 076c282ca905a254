//! Runs that stand on one side of a comparison, folded into what each board showed: the memory grows with the boards, not
//! with the runs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use jiff::Timestamp;

use super::aspect::Aspect;
use super::cell::Place;
use super::floors::{self, Floors};
use super::regulation::Visits;
use super::run::{Cells, Run};
use super::spectra::Captures;
use super::stretch::Window;
use crate::base::clock::Instant;
use crate::base::names::{Revision, Serial};
use crate::event::{Limit, Turn};

/// A run that was taken in, without its points.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// The run folder's name.
    pub name: String,
    /// The run folder.
    pub folder: PathBuf,
    /// When it began.
    pub started: Timestamp,
    /// The stretch of it that was taken in; `None` where it is the whole run.
    pub window: Option<Window>,
    /// The board's serial number.
    pub serial: Serial,
    /// The board's revision.
    pub revision: Revision,
    /// Its place in an order of runs.
    pub turn: Option<Turn>,
}

impl Member {
    /// Whether a time by the run's clock lies in what was taken in.
    #[must_use]
    pub fn holds(&self, at: Instant) -> bool {
        is_held(self.window, at)
    }
}

/// Whether a time by the run's clock lies in a stretch of it, or in the whole run.
pub(super) fn is_held(window: Option<Window>, at: Instant) -> bool {
    window.is_none_or(|window| window.holds(at))
}

/// What a board showed, over all its runs of a group.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BoardCells {
    /// How many runs.
    pub runs: u32,
    /// Its values.
    pub cells: Cells,
    /// Where it was measured, and how often it was in regulation there.
    pub places: BTreeMap<Place, Visits>,
    /// What its spectra were taken from.
    pub captures: Captures,
    /// How it was measured: what its runs say, each once.
    pub aspects: BTreeMap<Aspect, BTreeSet<String>>,
}

impl BoardCells {
    /// Where it was in regulation at least once.
    pub(super) fn regulated(&self) -> impl Iterator<Item = Place> + '_ {
        self.places.iter().filter(|(_, visits)| visits.regulated > 0).map(|(place, _)| *place)
    }
}

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// What it is called: a revision, or a side.
    pub name: String,
    /// Its runs in the order they were taken in.
    pub members: Vec<Member>,
    /// Its boards by serial number.
    pub boards: BTreeMap<Serial, BoardCells>,
    /// Their revisions.
    pub revisions: BTreeSet<Revision>,
    /// How it was measured: what the runs say, each once.
    pub aspects: BTreeMap<Aspect, BTreeSet<String>>,
    /// Mean ambient temperature in °C over all points, lowest and highest of the runs' means; `None` where no run says.
    pub ambient: Option<Ambient>,
    /// The limits that all its runs have; `None` before the first run.
    pub limits: Option<Vec<Limit>>,
    /// What probe and scope alone show, over all its runs.
    pub floors: Floors,
    /// The steps of its soaks, each a group of its own; empty where none were asked for.
    pub steps: Vec<Group>,
}

/// The air beside the boards of a group, in °C.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ambient {
    /// Mean over all points.
    pub mean_c: f64,
    /// Lowest mean of a run.
    pub low_c: f64,
    /// Highest mean of a run.
    pub high_c: f64,
    readings: u32,
}

impl Group {
    /// A group without runs.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            members: Vec::new(),
            boards: BTreeMap::new(),
            revisions: BTreeSet::new(),
            aspects: BTreeMap::new(),
            ambient: None,
            limits: None,
            floors: Floors::new(),
            steps: Vec::new(),
        }
    }

    /// Takes a run in.
    pub fn add(&mut self, run: Run) {
        match &mut self.limits {
            Some(limits) => limits.retain(|limit| run.limits.contains(limit)),
            None => self.limits = Some(run.limits),
        }
        floors::merge(&mut self.floors, run.floors);
        for (title, step) in run.steps {
            match self.steps.iter_mut().find(|known| known.name == title) {
                Some(known) => known.add(step),
                None => {
                    let mut first = Self::new(title);
                    first.add(step);
                    self.steps.push(first);
                }
            }
        }
        let board = self.boards.entry(run.board.serial.clone()).or_default();
        board.runs += 1;
        for (key, cell) in &run.cells {
            board.cells.entry(*key).or_default().merge(cell);
        }
        for (place, visits) in run.places {
            board.places.entry(place).or_default().add(visits);
        }
        for (aspect, values) in run.aspects {
            self.aspects.entry(aspect.clone()).or_default().extend(values.iter().cloned());
            board.aspects.entry(aspect).or_default().extend(values);
        }
        if let Some((mean_c, readings)) = run.ambient {
            self.ambient = Some(Ambient::merged(self.ambient, mean_c, readings));
        }
        self.revisions.insert(run.board.revision.clone());
        self.members.push(Member {
            name: run.name,
            folder: run.folder,
            started: run.started,
            window: run.window,
            serial: run.board.serial,
            revision: run.board.revision,
            turn: run.turn,
        });
    }

    /// The group with some of its boards only.
    #[must_use]
    pub fn only(&self, serials: &[Serial]) -> Self {
        let mut only = self.clone();
        only.boards.retain(|serial, _| serials.contains(serial));
        only.members.retain(|member| serials.contains(&member.serial));
        if only.boards.len() < self.boards.len() {
            // How a board was measured that is left out says nothing of the others.
            only.aspects = BTreeMap::new();
            for (aspect, values) in only.boards.values().flat_map(|board| &board.aspects) {
                only.aspects.entry(aspect.clone()).or_default().extend(values.iter().cloned());
            }
        }
        only.steps = self.steps.iter().map(|step| step.only(serials)).collect();
        only
    }

    /// Where every board was measured.
    #[must_use]
    pub fn common_places(&self) -> BTreeSet<Place> {
        let mut boards = self.boards.values().map(|board| board.places.keys().copied().collect());
        let first: BTreeSet<Place> = boards.next().unwrap_or_default();
        boards.fold(first, |common, places: BTreeSet<Place>| common.intersection(&places).copied().collect())
    }

    /// Where any board was measured.
    #[must_use]
    pub fn all_places(&self) -> BTreeSet<Place> {
        self.boards.values().flat_map(|board| board.places.keys().copied()).collect()
    }
}

impl Ambient {
    fn merged(before: Option<Self>, mean_c: f64, readings: u32) -> Self {
        let Some(before) = before else { return Self { mean_c, low_c: mean_c, high_c: mean_c, readings } };
        let (own, new) = (f64::from(before.readings), f64::from(readings));
        Self {
            mean_c: (before.mean_c * own + mean_c * new) / (own + new),
            low_c: before.low_c.min(mean_c),
            high_c: before.high_c.max(mean_c),
            readings: before.readings + readings,
        }
    }
}

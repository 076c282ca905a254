//! How much a run of a plan writes: rather too much than too little, for whoever asks whether it fits on the disk.

use super::rig::Rig;
use super::step::Plan;

/// Lines of the journal at a point that is measured once, with every figure and some notes.
const JOURNAL_A_POINT: u64 = 8_000;
/// What the journal begins and ends with, noise floors included.
const JOURNAL_A_RUN: u64 = 50_000;
/// Questions and answers at a point, long answers by their length.
const TAPES_A_POINT: u64 = 30_000;
/// Opening, setting up, looking for ranges.
const TAPES_A_RUN: u64 = 300_000;
/// A row of the table, its lines in the manifest and in the report.
const PRODUCTS_A_POINT: u64 = 4_000;
/// A report with its pictures, a screen and the worst captures among them.
const PRODUCTS_A_RUN: u64 = 8_000_000;
/// A screenshot; a bitmap of 800 by 480 points has 1.15 MB.
const SCREEN: u64 = 1_500_000;
/// Bytes of a sample in its file; most scopes need one.
const SAMPLE: u64 = 2;
/// The head of a sample file.
const SAMPLES_HEAD: u64 = 128;
/// Captures of the noise floor, in every range that a point may use.
const FLOORS: u64 = 11;

/// What a run writes at most, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Forecast {
    /// `journal.jsonl`.
    pub journal: u64,
    /// `waveforms/`.
    pub samples: u64,
    /// `screens/`.
    pub screens: u64,
    /// `tapes/`.
    pub tapes: u64,
    /// What is made of the record: tables, report, manifest.
    pub products: u64,
}

impl Forecast {
    /// All together.
    #[must_use]
    pub fn total(&self) -> u64 {
        [self.journal, self.samples, self.screens, self.tapes, self.products]
            .into_iter()
            .fold(0, u64::saturating_add)
    }
}

/// What a run of the plan writes on this rig, from its points and captures.
#[must_use]
pub fn forecast(plan: &Plan, rig: &Rig) -> Forecast {
    let points = plan.points.len() as u64;
    let line = |a_point: u64, a_run: u64| points.saturating_mul(a_point).saturating_add(a_run);
    let capture = plan.capture.filter(|_| rig.scope.is_some());
    let signals = 1 + u64::from(rig.scope.as_ref().is_some_and(|scope| scope.lx.is_some()));
    let samples = capture.filter(|capture| capture.keep).map_or(0, |capture| {
        let kinds = u64::from(capture.ripple) + u64::from(capture.spikes);
        let floors = if capture.noise_floor { FLOORS } else { 0 };
        let traces = points.saturating_mul(kinds * signals).saturating_add(floors);
        traces.saturating_mul(capture.samples as u64 * SAMPLE + SAMPLES_HEAD)
    });
    let screens = capture
        .filter(|capture| capture.screen_every > 0)
        .map_or(0, |capture| points.div_ceil(u64::from(capture.screen_every)).saturating_mul(SCREEN));
    Forecast {
        journal: line(JOURNAL_A_POINT, JOURNAL_A_RUN),
        samples,
        screens,
        tapes: line(TAPES_A_POINT, TAPES_A_RUN),
        products: line(PRODUCTS_A_POINT, PRODUCTS_A_RUN),
    }
}

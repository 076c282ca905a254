//! How much a run of a plan writes: rather too much than too little, for whoever asks whether it fits on the disk.
//! It is no bound: where a watched figure drifts every capture is a new worst one and is kept, and in holds readings go on.

use super::profile::soak::Evidence;
use super::rig::Rig;
use super::step::Plan;
use crate::event::worst::watched;

/// Lines of the journal at a point that is measured once, with every figure and some notes.
const JOURNAL_A_POINT: u64 = 8_000;
/// What the journal begins and ends with, noise floors included.
const JOURNAL_A_RUN: u64 = 50_000;
/// Questions and answers at a point, long answers by their length.
const TAPES_A_POINT: u64 = 30_000;
/// Tapes of a soak that has some trouble.
const TAPES_A_SOAK: u64 = 10_000_000;
/// Breaches that are reckoned with.
const BREACHES: u64 = 10;
/// Opening, setting up, looking for ranges.
const TAPES_A_RUN: u64 = 300_000;
/// A row of the table, its lines in the manifest and in the report.
const PRODUCTS_A_POINT: u64 = 4_000;
/// A reading of a soak in the journal, in a batch with others.
const JOURNAL_A_READING: u64 = 120;
/// Its row in the table of readings.
const PRODUCTS_A_READING: u64 = 120;
/// A dwell of a soak: its beginning and end, outputs switched, a start looked at.
const JOURNAL_A_DWELL: u64 = 2_500;
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

/// About what a run writes, in bytes.
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

/// What a run of the plan writes on this rig, from its points, captures and readings.
#[must_use]
pub(super) fn forecast(plan: &Plan, rig: &Rig) -> Forecast {
    let points = plan.points.len() as u64;
    let (readings, dwells) = plan.soak.as_ref().map_or((0, 0), |soak| {
        let interval = soak.interval.as_secs_f64().max(1e-3);
        ((soak.lasts().as_secs_f64() / interval).ceil() as u64, soak.dwells.len() as u64)
    });
    let all = |a_run: u64, a_point: u64, a_dwell: u64, a_reading: u64| {
        a_run
            .saturating_add(points.saturating_mul(a_point))
            .saturating_add(dwells.saturating_mul(a_dwell))
            .saturating_add(readings.saturating_mul(a_reading))
    };
    let capture = plan.capture.filter(|_| rig.scope.is_some());
    let signals = 1 + u64::from(rig.scope.as_ref().is_some_and(|scope| scope.lx.is_some()));
    let samples = capture.map_or(0, |capture| {
        let kinds = u64::from(capture.ripple) + u64::from(capture.spikes);
        let floors = if capture.noise_floor { FLOORS } else { 0 };
        let kept = match &plan.soak {
            _ if capture.keep => points,
            Some(soak) => kept_of_soak(soak.evidence, points),
            None => return 0,
        };
        let traces = kept.saturating_mul(kinds * signals).saturating_add(floors);
        traces.saturating_mul(capture.samples as u64 * SAMPLE + SAMPLES_HEAD)
    });
    let screens = capture
        .filter(|capture| capture.screen_every > 0)
        .map_or(0, |capture| points.div_ceil(u64::from(capture.screen_every)).saturating_mul(SCREEN));
    Forecast {
        journal: all(JOURNAL_A_RUN, JOURNAL_A_POINT, JOURNAL_A_DWELL, JOURNAL_A_READING),
        samples,
        screens,
        // Of a soak only what stands around trouble is kept.
        tapes: if plan.soak.is_some() { TAPES_A_SOAK } else { all(TAPES_A_RUN, TAPES_A_POINT, 0, 0) },
        products: all(PRODUCTS_A_RUN, PRODUCTS_A_POINT, 0, PRODUCTS_A_READING),
    }
}

/// Captures of a soak whose traces are kept: every so many-th, the worst as they come, and those around some breaches. Of n random
/// values about k (1 + ln(n / k)) are among the k worst when they come (Renyi's records); figures that are worst together are
/// counted each.
fn kept_of_soak(evidence: Evidence, points: u64) -> u64 {
    let regular = points.checked_div(u64::from(evidence.every)).unwrap_or(0);
    let most = f64::from(evidence.worst);
    let of_each = if most > 0.0 { most * (1.0 + (points as f64 / most).max(1.0).ln()) } else { 0.0 };
    let worst = of_each.ceil() as u64 * watched().count() as u64;
    let breaches = BREACHES * u64::from(evidence.before + evidence.after + 1);
    (regular + worst + breaches).min(points)
}

#[cfg(test)]
mod tests {
    use crate::instrument::dialect::Registry;
    use crate::plan::build::{Overrides, build};
    use crate::plan::{profile, rig};

    #[test]
    fn a_soak_is_forecast_by_its_readings_and_no_less_than_it_wrote_on_the_simulated_bench() {
        let rig = rig::parse("sim.toml", include_str!("../../rigs/sim.toml")).unwrap();
        let registry = Registry::built_in().unwrap();
        for (text, written) in [
            (include_str!("../../profiles/thermal-soak.toml"), 26_405_265),
            (include_str!("../../profiles/power-cycle.toml"), 8_000_000),
            (include_str!("../../profiles/weekend-soak.toml"), 51_099_770),
        ] {
            let profile = profile::parse("p.toml", text).unwrap();
            let plan = build(&rig, &profile, &registry, &Overrides::default()).unwrap();
            let total = plan.writes.total();
            assert!((written..written * 6).contains(&total), "{}: {total} for {written}", plan.profile);
        }
    }
}

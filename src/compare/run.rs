//! One run as the comparison sees it, read line by line: its values by place, and what else could explain a difference.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::aspect::{Aspect, Kind as A};
use super::cell::{Cell, Place};
use super::completeness::Progress;
use super::course::{Over, Step};
use super::effect::Interval;
use super::floors::{self, Floors, FloorsRead};
use super::quantity::{COMPARED, Quantity};
use super::regulation::Visits;
use super::soak::Soaking;
use super::spectra::OUTPUT;
use super::stretch::{Stretch, Window};
use crate::base::units::{Hertz, Volts};
use crate::event::withheld::figure_of;
use crate::event::{
    Board, Event, FigureName, InstrumentFacts, Limit, PointId, PointResult, Region, RunFacts, RunVerdict,
    Stamp, Turn,
};
use crate::record::{Kept, RecordError, Tail, WaveformFacts, read_kept};
use crate::waveform::{Acquisition, FROM_WIDE};

/// How it is told that a run let all its traces go.
pub(super) const NONE_KEPT: &str = "none kept";

/// How it is told that an instrument should have been calibrated before.
pub(super) const PAST_DUE: &str = "was due";

type Aspects = BTreeMap<Aspect, BTreeSet<String>>;

/// Values by what was measured and where.
pub type Cells = BTreeMap<(Quantity, Place), Cell>;

/// A run read for a comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The run folder's name when it was made.
    pub name: String,
    /// The run folder.
    pub folder: PathBuf,
    /// When it began.
    pub started: Timestamp,
    /// Whether it is a soak.
    pub is_soak: bool,
    /// Where the stretch that was looked at lies; `None` where it is the whole run.
    pub window: Option<Window>,
    /// The board.
    pub board: Board,
    /// Its place in an order of runs.
    pub turn: Option<Turn>,
    /// What it was measured with and how: one of the things that must agree.
    pub aspects: Aspects,
    /// Its values.
    pub cells: Cells,
    /// The steps of a soak, each as a run of its own, where they were asked for.
    pub steps: Vec<(String, Run)>,
    /// Where points were measured, and how often they were in regulation.
    pub places: BTreeMap<Place, Visits>,
    /// Mean ambient temperature in °C, with the number of readings.
    pub ambient: Option<(f64, u32)>,
    /// The regulated output voltage it should have.
    pub vout_nominal: Volts,
    /// The limits of its profile.
    pub limits: Vec<Limit>,
    /// What probe and scope alone show, in the set-ups that were used.
    pub floors: Floors,
}

/// A finished point, as far as it is compared.
struct Point {
    at: Stamp,
    phase: Option<u16>,
    place: Place,
    region: Region,
    is_settled: bool,
    /// Whether its 20 MHz figures were taken from the capture of the spikes.
    is_from_wide: bool,
    values: Vec<(Quantity, Cell)>,
    ambient_c: Option<f64>,
}

impl Point {
    /// A temperature was one at which its sensor had stood still.
    fn withhold(&mut self, name: FigureName) {
        self.ambient_c.take_if(|_| name == FigureName::AmbientTemperature);
        self.values.retain(|(quantity, _)| ![Quantity::Rise, Quantity::Figure(name)].contains(quantity));
    }
}

#[derive(Default)]
struct Reader {
    name: String,
    started: Option<Stamp>,
    facts: Option<Box<RunFacts>>,
    instruments: Vec<InstrumentFacts>,
    /// How the kept traces were captured.
    traces: Aspects,
    /// How the noise floors were: as every point, but for the range.
    floor_traces: Aspects,
    floors: FloorsRead,
    /// Of a point that was measured again, the last counts.
    points: BTreeMap<PointId, Point>,
    soaking: Soaking,
    end: Option<RunVerdict>,
}

/// Reads a run, and the steps of a soak where they are asked for. Points that are not in regulation give no values; where they
/// are is kept.
///
/// # Errors
/// The record cannot be read or is damaged, or it ends before it says what was measured.
pub fn read_run(folder: &Path, over: Option<Over>) -> Result<Run, RecordError> {
    let mut reader = Reader::default();
    let tail = read_kept(folder, |at, kept| reader.take(at, kept))?;
    let mut run = reader.finish(folder, Stretch::Whole, &tail)?;
    let soak = reader.facts.as_ref().and_then(|facts| facts.soak.as_ref());
    if let (Some(over), Some(soak), Some(all)) = (over, soak, reader.window(Stretch::Whole)) {
        for Step { title, stretch } in over.steps(soak, all.lasts()) {
            run.steps.push((title, reader.finish(folder, stretch, &tail)?));
        }
    }
    Ok(run)
}

/// Reads stretches of a run, each as if it were a run of its own, in one pass over its journal.
///
/// # Errors
/// As [`read_run`].
pub fn read_stretches(folder: &Path, stretches: &[Stretch]) -> Result<Vec<Run>, RecordError> {
    let mut reader = Reader::default();
    let tail = read_kept(folder, |at, kept| reader.take(at, kept))?;
    stretches.iter().map(|stretch| reader.finish(folder, *stretch, &tail)).collect()
}

impl Reader {
    fn take(&mut self, at: Stamp, kept: Kept) {
        if let Kept::Event(event) = &kept {
            self.soaking.take(at.monotonic, event);
        }
        match kept {
            Kept::Header { run, .. } => {
                self.name = run;
                self.started = Some(at);
            }
            Kept::Event(Event::RunStarted(facts)) => self.facts = Some(facts),
            Kept::Event(Event::InstrumentOpened(facts)) => self.instruments.push(facts),
            Kept::Event(Event::NoiseFloorMeasured(floor)) => {
                tell_capture(&mut self.floor_traces, &floor.acquisition, floor.step_s);
                self.floors.take(*floor);
            }
            Kept::Event(Event::PointFinished(result)) => {
                self.points.insert(result.point, point(at, &result));
            }
            Kept::Event(Event::SensorFailed { role, withheld, .. }) => {
                let name = figure_of(&role);
                for id in &withheld.points {
                    if let (Some(name), Some(point)) = (name, self.points.get_mut(id)) {
                        point.withhold(name);
                    }
                }
            }
            Kept::Event(Event::RunFinished(end)) => self.end = Some(end.verdict),
            Kept::Event(Event::RunResumed(_)) => self.end = None,
            Kept::Waveform(facts) if facts.point != PointId::NONE => self.take_trace(&facts),
            _ => {}
        }
    }

    fn take_trace(&mut self, facts: &WaveformFacts) {
        let about = &facts.acquisition;
        if about.signal == OUTPUT {
            self.floors.take_capture(facts.point, about);
        }
        tell_capture(&mut self.traces, about, facts.step_s);
        // Floors are captured in every range, and tell none.
        let range = A::Range.of(&capture_of(about));
        let per_div = format!("{} per division", Volts(about.volts_per_div));
        self.traces.entry(range).or_default().insert(per_div);
    }

    fn finish(&self, folder: &Path, stretch: Stretch, tail: &Tail) -> Result<Run, RecordError> {
        let path = folder.join(crate::record::journal::FILE_NAME);
        let damaged =
            |what: &str| RecordError::Damaged { path: path.clone(), line: 0, what: what.to_owned() };
        let facts = self.facts.as_ref().ok_or_else(|| {
            damaged("it ends before it says which board was measured, so that it cannot be compared")
        })?;
        let started = self.started.ok_or_else(|| damaged("there is no header"))?;
        let window = self.window(stretch);
        let is_whole = stretch == Stretch::Whole;
        let is_within = |point: &Point| match stretch {
            Stretch::Whole => true,
            Stretch::Phase(phase) => point.phase == Some(phase),
            _ => window.is_some_and(|window| window.holds(point.at.monotonic)),
        };
        let points: Vec<&Point> = self.points.values().filter(|point| is_within(point)).collect();
        let regulated =
            self.points.iter().filter(|(_, point)| is_within(point) && point.region == Region::Regulated);
        let sources = regulated.map(|(id, point)| (*id, point.is_from_wide));
        let mut aspects = self.aspects(facts, tail);
        if let (Some(soak), Some(window)) = (&facts.soak, window) {
            let told = self.soaking.aspects(soak, window);
            aspects.extend(told.into_iter().map(|(kind, value)| (kind.whole(), BTreeSet::from([value]))));
        }
        let mut run = Run {
            name: self.name.clone(),
            folder: folder.to_owned(),
            started: started.utc,
            is_soak: facts.soak.is_some(),
            window: window.filter(|_| !is_whole),
            board: facts.board.clone(),
            turn: facts.turn.clone(),
            aspects,
            cells: Cells::new(),
            steps: Vec::new(),
            places: BTreeMap::new(),
            ambient: ambient(&points),
            vout_nominal: facts.vout_nominal,
            limits: facts.limits.clone(),
            floors: self.floors.of_points(sources),
        };
        for point in &points {
            let is_regulated = point.region == Region::Regulated;
            run.places.entry(point.place).or_default().count(is_regulated, point.is_settled);
            if is_regulated {
                for (quantity, cell) in &point.values {
                    run.cells.entry((*quantity, point.place)).or_default().merge(cell);
                }
            }
        }
        for (place, StartUp { vin_v, above_v }) in start_ups(&points) {
            run.cells.insert((Quantity::StartUp, place), Cell::one(vin_v, None));
            let step = Interval { low: vin_v - above_v, high: vin_v - above_v };
            floors::merge(&mut run.floors, [(Quantity::StartUp, step)].into());
        }
        Ok(run)
    }

    /// Where a stretch lies by the run's clock; `None` without a point.
    fn window(&self, stretch: Stretch) -> Option<Window> {
        let times = || self.points.values().map(|point| point.at.monotonic);
        Some(stretch.in_run(Window { from: times().min()?, to: times().max()? }))
    }

    fn aspects(&self, facts: &RunFacts, tail: &Tail) -> Aspects {
        let captures = if self.traces.is_empty() { &self.floor_traces } else { &self.traces };
        let mut aspects = captures.clone();
        let mut add = |aspect: Aspect, value: String| {
            aspects.entry(aspect).or_default().insert(value);
        };
        add(A::Bench.whole(), if facts.simulated { "simulated" } else { "real" }.to_owned());
        add(A::Nominal.whole(), facts.vout_nominal.to_string());
        add(A::Settling.whole(), facts.settle_rule.clone());
        add(A::Work.whole(), if facts.soak.is_some() { "soak" } else { "sweep" }.to_owned());
        add(A::Profile.whole(), facts.profile.to_string());
        add(A::ProfileText.whole(), short(&facts.profile_digest));
        // Before its first point a run has captured nothing that the profile would have to tell of.
        if !self.points.is_empty() && !facts.definitions.is_empty() {
            if captures.is_empty() {
                add(A::Capture.whole(), format!("profile {}", short(&facts.profile_digest)));
            }
            add(A::Traces.whole(), if self.traces.is_empty() { NONE_KEPT } else { "kept" }.to_owned());
        }
        add(A::RigText.whole(), short(&facts.rig_digest));
        if let Some(seed) = facts.seed.filter(|_| facts.simulated) {
            add(A::Seed.whole(), seed.to_string());
        }
        add(A::Software.whole(), facts.software.clone());
        for (figure, version) in &facts.definitions {
            add(A::Definition.of(figure), format!("version {version}"));
        }
        for instrument in &self.instruments {
            let role = instrument.role.to_string();
            add(A::Model.of(&role), format!("{} {}", instrument.maker, instrument.model).trim().to_owned());
            add(A::InstrumentSerial.of(&role), instrument.serial.clone());
            add(A::Firmware.of(&role), instrument.firmware.clone());
            if let Some((day, is_past)) = &instrument.calibration_due {
                let verb = if *is_past { PAST_DUE } else { "is due" };
                add(A::Calibration.of(&role), format!("{verb} on {day}"));
            }
        }
        let progress = Progress {
            name: &self.name,
            points: self.points.len(),
            planned: facts.points_planned.saturating_sub(self.soaking.left_out()) as usize,
            places: self.points.values().map(|point| point.place).collect(),
            soaked: self.window(Stretch::Whole).filter(|_| facts.soak.is_some()).map(Window::lasts),
            has_end: self.end.is_some(),
            is_torn: !matches!(tail, Tail::Whole),
        };
        add(A::Completeness.whole(), progress.told());
        aspects
    }
}

/// Which capture: signal and purpose.
fn capture_of(about: &Acquisition) -> String {
    format!("{}, {}", about.signal, about.purpose)
}

/// Takes how a trace was captured.
fn tell_capture(into: &mut Aspects, about: &Acquisition, step_s: f64) {
    let of = capture_of(about);
    let bandwidth = about.bandwidth_limit_hz.map_or_else(|| "full".to_owned(), |hz| Hertz(hz).to_string());
    let fixture = if about.fixture.is_empty() { "not told" } else { &about.fixture };
    for (kind, value) in [
        (A::Bandwidth, bandwidth),
        (A::Coupling, about.coupling.as_str().to_owned()),
        (A::Probe, format!("{}:1", about.probe_ratio)),
        (A::Fixture, fixture.to_owned()),
        (A::Channel, about.channel.to_string()),
        (A::Memory, format!("{} samples", about.memory_depth)),
        (A::SampleRate, Hertz(1.0 / step_s).to_string()),
    ] {
        into.entry(kind.of(&of)).or_default().insert(value);
    }
}

/// The first digits of a digest: enough to tell two files apart.
fn short(digest: &str) -> String {
    digest.chars().take(8).collect()
}

fn point(at: Stamp, result: &PointResult) -> Point {
    let value = |name: FigureName| result.figures.value(name);
    let ambient_c = value(FigureName::AmbientTemperature);
    let mut values = Vec::new();
    for quantity in COMPARED {
        let found = match quantity {
            Quantity::Figure(name) => value(*name).map(|found| (found, result.bounds.get(name).copied())),
            Quantity::Rise => result.figures.rise_k().map(|rise_k| (rise_k, None)),
            // Made of several points, or of the samples.
            Quantity::LoadRegulation | Quantity::StartUp | Quantity::Band(_) => None,
        };
        if let Some((found, bound)) = found
            && let Some(scaled) = quantity.scaled(found)
        {
            values.push((*quantity, Cell::one(scaled, bound)));
        }
    }
    let place = Place::of(result.setting);
    let is_from_wide = result.notes.iter().any(|note| note.starts_with(FROM_WIDE));
    Point {
        at,
        phase: result.phase,
        place,
        region: result.region,
        is_settled: result.is_settled(),
        is_from_wide,
        values,
        ambient_c,
    }
}

fn ambient(points: &[&Point]) -> Option<(f64, u32)> {
    let values: Vec<f64> = points.iter().filter_map(|point| point.ambient_c).collect();
    crate::base::stats::mean(&values).map(|mean| (mean, values.len() as u32))
}

/// Where a board starts, as far as it was tried.
struct StartUp {
    /// The lowest input voltage in regulation.
    vin_v: f64,
    /// The next lower one that was tried, which was not.
    above_v: f64,
}

/// The lowest input voltage in regulation at each load, where one below it was tried and was not. A board that runs goes on under
/// the voltage at which it starts: it shows a start only where the input was no higher since it was off.
fn start_ups(points: &[&Point]) -> Vec<(Place, StartUp)> {
    #[derive(Default)]
    struct AtLoad {
        on: Vec<f64>,
        ran_on: Vec<f64>,
        off: Vec<f64>,
    }
    let mut by_load: BTreeMap<Place, AtLoad> = BTreeMap::new();
    let mut in_turn = points.to_vec();
    in_turn.sort_by_key(|point| point.at.monotonic);
    let mut highest = f64::NEG_INFINITY;
    for point in in_turn {
        let Some(vin) = point.place.vin().map(Volts::value) else { continue };
        let at_load = by_load.entry(point.place.at_any_vin()).or_default();
        match point.region {
            Region::Regulated if highest <= vin => at_load.on.push(vin),
            Region::Regulated => at_load.ran_on.push(vin),
            Region::Off | Region::Unregulated => at_load.off.push(vin),
            Region::Unknown => {}
        }
        highest = if point.region == Region::Off { f64::NEG_INFINITY } else { highest.max(vin) };
    }
    let found = by_load.into_iter().filter_map(|(place, at_load)| {
        let vin_v = at_load.on.into_iter().reduce(f64::min)?;
        let above_v = at_load.off.into_iter().filter(|off| *off < vin_v).reduce(f64::max)?;
        // It may have started there, too.
        let is_open = at_load.ran_on.iter().any(|vin| above_v < *vin && *vin < vin_v);
        (!is_open).then_some((place, StartUp { vin_v, above_v }))
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Instant;
    use crate::base::units::Amps;
    use crate::event::Setting;

    /// Points in their turn: input voltage and region.
    fn told(points: &[(f64, Region)]) -> Option<(f64, f64)> {
        let at = |turn: usize| Stamp {
            utc: "2026-01-01T00:00:00Z".parse().unwrap(),
            monotonic: Instant(turn as u64),
        };
        let point = |(turn, (vin, region)): (usize, &(f64, Region))| Point {
            at: at(turn),
            phase: None,
            place: Place::of(Setting { vin: Volts(*vin), load: Amps(0.1) }),
            region: *region,
            is_settled: true,
            is_from_wide: false,
            values: Vec::new(),
            ambient_c: None,
        };
        let points: Vec<Point> = points.iter().enumerate().map(point).collect();
        let found = start_ups(&points.iter().collect::<Vec<_>>());
        found.first().map(|(_, StartUp { vin_v, above_v })| (*vin_v, *above_v))
    }

    #[test]
    fn a_board_that_runs_on_while_the_input_falls_shows_no_start() {
        use Region::{Off, Regulated, Unregulated};
        let rising = [(11.0, Off), (11.8, Off), (12.0, Regulated), (24.0, Regulated)];
        assert_eq!(told(&rising), Some((12.0, 11.8)));
        let falling = [(24.0, Regulated), (12.0, Regulated), (11.6, Regulated), (11.4, Off)];
        assert_eq!(told(&falling), None, "it may have started at 12 V, or not");
        let there_and_back =
            [(11.8, Off), (12.0, Regulated), (24.0, Regulated), (11.6, Regulated), (11.4, Off)];
        assert_eq!(told(&there_and_back), Some((12.0, 11.8)), "at 11.6 V it ran on");
        let overloaded = [(11.0, Off), (24.0, Unregulated), (12.0, Regulated), (24.0, Regulated)];
        assert_eq!(told(&overloaded), None, "an output that sags is one that runs");
        assert_eq!(told(&[(12.0, Regulated)]), None, "nothing lower was tried");
    }
}

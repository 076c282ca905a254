//! What the events of a soak tell beside the readings: phases, marks on the time axis, steady states, starts. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::base::clock::Instant;
use crate::base::names::Role;
use crate::event::{DwellEnd, DwellId, EarlyLook, Event, Frozen, Gap, LoadChange, Setting, StartCheck, Stop};
use crate::record::Record;

/// The settling of a stretch that trends leave out, at most; a quarter of a short stretch.
pub const SETTLING_S: f64 = 3600.0;

/// Most settings of a phase that are told one by one; a ramp has hundreds.
pub const MOST_SETTINGS: usize = 16;

/// A phase gone through once, on the time axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Stretch {
    /// Place of the phase in the profile.
    pub phase: u16,
    /// Its name.
    pub name: String,
    /// Which time it is gone through.
    pub round: u32,
    /// Begin and end, in seconds since the start of the run.
    pub span_s: (f64, f64),
    /// Trends use readings from here on.
    pub settled_s: f64,
}

/// What kind of thing is marked on the time axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MarkKind {
    /// A warning, or a sensor that failed.
    Warn,
    /// An interlock held the run.
    Hold,
    /// An interlock tripped.
    Trip,
    /// Something was tried again.
    Retry,
    /// A stop was asked for.
    Stop,
    /// A start failed.
    FailedStart,
    /// A limit was broken for the first time.
    Broken,
}

impl MarkKind {
    /// All kinds.
    pub const ALL: [Self; 7] =
        [Self::Warn, Self::Hold, Self::Trip, Self::Retry, Self::Stop, Self::FailedStart, Self::Broken];
    /// The letter that stands for it.
    #[must_use]
    pub const fn letter(self) -> &'static str {
        match self {
            Self::Warn => "W",
            Self::Hold => "H",
            Self::Trip => "T",
            Self::Retry => "R",
            Self::Stop => "S",
            Self::FailedStart => "F",
            Self::Broken => "L",
        }
    }
    /// One and many of it.
    #[must_use]
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Warn => ("warning", "warnings"),
            Self::Hold => ("interlock hold", "interlock holds"),
            Self::Trip => ("trip", "trips"),
            Self::Retry => ("retry", "retries"),
            Self::Stop => ("stop asked for", "stops asked for"),
            Self::FailedStart => ("failed start", "failed starts"),
            Self::Broken => ("limit broken for the first time", "limits broken for the first time"),
        }
    }
}

/// A dwell that was to end in thermal steady state.
#[derive(Debug, Clone, PartialEq)]
pub struct SteadyTime {
    /// Name of the phase, and which time it was gone through.
    pub phase: (String, u32),
    /// When it ended, in seconds since the start of the run.
    pub at_s: f64,
    /// How long it took.
    pub took: Duration,
    /// Whether the board was steady then.
    pub steady: bool,
}

/// An interlock held the run: from here to there the load was lowered.
#[derive(Debug, Clone, PartialEq)]
pub struct Hold {
    /// Begin and end, in seconds since the start of the run.
    pub span_s: (f64, f64),
    /// What was done to the load; `None` in a record that does not say it.
    pub load: Option<LoadChange>,
    /// Which rule, what was measured, against what.
    pub what: String,
    /// Whether it was released: the run may have ended, or been cut off, in it.
    pub is_released: bool,
}

/// What the events tell.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Story {
    /// The phases in the order they were gone through.
    pub stretches: Vec<Stretch>,
    /// Marks on the time axis.
    pub marks: Vec<(f64, MarkKind)>,
    /// Gaps that events tell.
    pub gaps: Vec<Gap>,
    /// Time in the dwells of the last phase so far.
    dwelt: Duration,
    /// What the dwells set, in their order, as far as they are over and say it.
    settings: BTreeMap<DwellId, Setting>,
    /// Which settings each phase has, up to one more than [`MOST_SETTINGS`].
    of_phases: BTreeMap<u16, Vec<Setting>>,
    /// Lowest and highest of everything that each phase has set, however much that is: volts and amperes.
    ranges: BTreeMap<u16, [(f64, f64); 2]>,
    /// Sensors that failed, and when.
    pub failed: Vec<(Instant, Role, String)>,
    /// From when on values had stood still that were called frozen only later.
    pub frozen: Frozen,
    /// Where an interlock held the run.
    pub holds: Vec<Hold>,
    /// Thermal steady states.
    pub steady: Vec<SteadyTime>,
    /// The look with which it ended early, if it did.
    pub ended_early: Option<EarlyLook>,
    /// When it tripped or was over, in seconds since the start of the run, where it was not gone on with; `None` of a record without an end.
    pub ended_s: Option<f64>,
    /// When the run was gone on with, in seconds since its start.
    resumed_s: Vec<f64>,
    /// When each dwell was over.
    over: BTreeMap<DwellId, Instant>,
    /// When the outputs were found off, or the run was over.
    off: Vec<Instant>,
    /// All starts.
    pub starts: Vec<StartCheck>,
    /// Limits of which a breach is told, by their places in the profile.
    pub broken: BTreeSet<usize>,
    /// When the first limit was broken.
    pub first_broken_s: Option<f64>,
    /// Why interlocks tripped.
    pub trips: Vec<String>,
}

impl Story {
    /// The stretch that a time falls in.
    #[must_use]
    pub fn stretch(&self, at_s: f64) -> Option<&Stretch> {
        let after = self.stretches.partition_point(|stretch| stretch.span_s.0 <= at_s);
        after.checked_sub(1).and_then(|place| self.stretches.get(place))
    }
    /// What was set in a dwell of a phase, where its settings are few enough to be told one by one.
    #[must_use]
    pub fn setting(&self, dwell: DwellId, phase: u16) -> Option<Setting> {
        self.settings.get(&dwell).copied().filter(|_| !self.is_blended(phase))
    }
    /// Whether a phase has too many settings to tell each by itself: those that lie close together are taken as one.
    #[must_use]
    pub fn is_blended(&self, phase: u16) -> bool {
        self.of_phases.get(&phase).is_some_and(|settings| settings.len() > MOST_SETTINGS)
    }
    /// Lowest input voltage and load that a phase has set in the dwells that are over and say it, in volts and amperes, and the
    /// highest.
    #[must_use]
    pub fn range(&self, phase: u16) -> Option<[(f64, f64); 2]> {
        self.ranges.get(&phase).copied()
    }
    /// How often the run was gone on with until then.
    #[must_use]
    pub fn resumed_until(&self, at_s: f64) -> usize {
        self.resumed_s.partition_point(|resumed_s| *resumed_s <= at_s)
    }
    /// When what was set in a dwell at this time was left.
    #[must_use]
    pub fn left_after(&self, dwell: DwellId, at: Instant) -> Option<Instant> {
        let off = self.off.get(self.off.partition_point(|off| *off < at));
        self.over.get(&dwell).into_iter().chain(off).min().copied()
    }
    /// How many holds were begun until then.
    #[must_use]
    pub fn holds_until(&self, at_s: f64) -> usize {
        self.holds.partition_point(|hold| hold.span_s.0 <= at_s)
    }
    /// A hold that was not released lasted as long as something was read in it; `read_s` are the stretches of such readings.
    pub fn extend_holds(&mut self, read_s: &[(f64, f64)]) {
        for (from_s, to_s) in read_s {
            if let Some(hold) =
                self.holds_until(*from_s).checked_sub(1).and_then(|place| self.holds.get_mut(place))
            {
                hold.span_s.1 = hold.span_s.1.max(*to_s);
            }
        }
    }
    /// How many marks of a kind there are.
    #[must_use]
    pub fn count(&self, kind: MarkKind) -> usize {
        self.marks.iter().filter(|(_, of)| *of == kind).count()
    }
}

/// Reads the events of a record.
#[must_use]
pub fn build(record: &Record) -> Story {
    let start = record.started().monotonic;
    let mut story = Story::default();
    // Whether the last hold goes on.
    let mut is_held = false;
    for logged in record.events() {
        let at_s = logged.at.monotonic.since(start).as_secs_f64();
        let mark = match &logged.event {
            Event::PhaseStarted { phase, name, round } => {
                end_stretch(&mut story, at_s);
                story.dwelt = Duration::ZERO;
                let span_s = (at_s, at_s);
                story.stretches.push(Stretch {
                    phase: *phase,
                    name: name.clone(),
                    round: *round,
                    span_s,
                    settled_s: at_s,
                });
                None
            }
            Event::DwellFinished { dwell, took, end, setting, .. } if *dwell != DwellId::WARMING => {
                end_dwell(&mut story, (*took, *end), at_s);
                take_setting(&mut story, (*dwell, *setting));
                story.over.insert(*dwell, logged.at.monotonic);
                None
            }
            Event::GapFound(gap) => {
                story.gaps.push(gap.clone());
                None
            }
            Event::LookedEarly(look) if look.ends() => {
                story.ended_early = Some(look.clone());
                None
            }
            Event::StartChecked(check) => {
                // A start that was looked at again after a cut counts once.
                if story.starts.last().is_some_and(|known| known.start == check.start) {
                    story.starts.pop();
                }
                story.starts.push(check.clone());
                (!check.started).then_some(MarkKind::FailedStart)
            }
            Event::SensorFailed { role, what, .. } => {
                story.failed.push((logged.at.monotonic, role.clone(), what.clone()));
                story.frozen.fail(logged.at.monotonic, role, what);
                Some(MarkKind::Warn)
            }
            Event::Warned { .. } => Some(MarkKind::Warn),
            Event::LimitBroken(broken) => {
                story.broken.insert(broken.limit);
                story.first_broken_s.get_or_insert(at_s);
                Some(MarkKind::Broken)
            }
            Event::InterlockHeld { .. } => Some(MarkKind::Hold),
            Event::InterlockTripped { what } => {
                story.trips.push(what.clone());
                Some(MarkKind::Trip)
            }
            Event::Retried { .. } => Some(MarkKind::Retry),
            Event::StopRequested { stop: Stop::AfterPoint | Stop::Now } => Some(MarkKind::Stop),
            _ => None,
        };
        story.marks.extend(mark.map(|kind| (at_s, kind)));
        is_held = follow_hold(&mut story.holds, (is_held, &logged.event), at_s);
    }
    let resumed = times(record, |event| matches!(event, Event::RunResumed(_)));
    story.resumed_s = resumed.map(|at| at.since(start).as_secs_f64()).collect();
    story.off = times(record, |event| matches!(event, Event::MadeSafe(_) | Event::RunFinished(_))).collect();
    story.ended_s = ended(record).map(|at| at.since(start).as_secs_f64());
    let ended_s = story.ended_s.unwrap_or(record.lasted().as_secs_f64());
    end_stretch(&mut story, ended_s);
    story
}

/// When such events happened.
fn times(record: &Record, is_meant: fn(&Event) -> bool) -> impl Iterator<Item = Instant> {
    record.events().iter().filter(move |logged| is_meant(&logged.event)).map(|logged| logged.at.monotonic)
}

/// When the run tripped or was over, where it was not gone on with.
fn ended(record: &Record) -> Option<Instant> {
    record.events().iter().fold(None, |ended, logged| match &logged.event {
        Event::RunResumed(_) => None,
        Event::InterlockTripped { .. } | Event::RunFinished(_) => ended.or(Some(logged.at.monotonic)),
        _ => ended,
    })
}

/// A phase that waits for the steady state waits in several dwells where captures come between.
fn end_dwell(story: &mut Story, (took, end): (Duration, DwellEnd), at_s: f64) {
    story.dwelt += took;
    if end == DwellEnd::Time {
        return;
    }
    let phase = story.stretch(at_s).map(|stretch| (stretch.name.clone(), stretch.round)).unwrap_or_default();
    story.steady.push(SteadyTime { phase, at_s, took: story.dwelt, steady: end == DwellEnd::Steady });
}

fn take_setting(story: &mut Story, (dwell, setting): (DwellId, Option<Setting>)) {
    let (Some(setting), Some(phase)) = (setting, story.stretches.last().map(|last| last.phase)) else {
        return;
    };
    story.settings.insert(dwell, setting);
    let (vin_v, load_a) = (setting.vin.value(), setting.load.value());
    let [low, high] = story.ranges.entry(phase).or_insert([(vin_v, load_a); 2]);
    *low = (low.0.min(vin_v), low.1.min(load_a));
    *high = (high.0.max(vin_v), high.1.max(load_a));
    let of_phase = story.of_phases.entry(phase).or_default();
    if of_phase.len() <= MOST_SETTINGS && !of_phase.contains(&setting) {
        of_phase.push(setting);
    }
}

/// The last stretch ends here, and with that its settling is known.
fn end_stretch(story: &mut Story, at_s: f64) {
    if let Some(last) = story.stretches.last_mut() {
        last.span_s.1 = at_s;
        last.settled_s = last.span_s.0 + SETTLING_S.min((at_s - last.span_s.0) / 4.0);
    }
}

/// Follows the last hold through an event; whether one goes on behind it. Of a run that was cut off in one, how long it lasted is
/// told by its readings.
fn follow_hold(holds: &mut Vec<Hold>, (is_held, event): (bool, &Event), at_s: f64) -> bool {
    if let Event::InterlockHeld { what, load } = event {
        holds.push(Hold { span_s: (at_s, at_s), load: *load, what: what.clone(), is_released: false });
        return true;
    }
    let is_cut = matches!(event, Event::RunResumed(_));
    if let Some(hold) = holds.last_mut().filter(|_| is_held && !is_cut) {
        hold.span_s.1 = at_s;
        hold.is_released = matches!(event, Event::InterlockReleased { .. });
    }
    let ends = matches!(
        event,
        Event::InterlockReleased { .. }
            | Event::InterlockTripped { .. }
            | Event::MadeSafe(_)
            | Event::RunFinished(_)
    );
    is_held && !is_cut && !ends
}

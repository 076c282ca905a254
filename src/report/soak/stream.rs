//! The readings of a soak, taken in one pass: whatever the report shows of them is kept in bounded memory.

use std::time::Duration;

use crate::base::clock::Instant;
use crate::event::{DwellId, Frozen, Gap, GapCause, Holes, Reading, Readings, Setting};
use crate::trend::{Envelope, Hourly, Means};

use super::story::Story;

/// Times of readings are kept in whole milliseconds: so far they may stand from what happened with them.
const ROUNDED: Duration = Duration::from_millis(2);

/// Columns of a curve over the whole run.
const COLUMNS: usize = 1000;
/// Most settings that are told apart.
const MOST_GROUPS: usize = 64;
/// Steps of time over the whole run that trends are computed from.
const STEPS: f64 = 5000.0;
/// Steps of time over the whole run for the Allan deviation.
const FINE_STEPS: f64 = 50_000.0;

/// What trends are computed of, in the order of [`Group::means`].
pub const WATCHED: usize = 5;

/// Readings at one setting of one phase, wherever in the run.
#[derive(Debug)]
pub struct Group {
    /// Place of the phase.
    pub phase: u16,
    /// What was set, where the record tells it.
    pub setting: Option<Setting>,
    /// Input voltage that was set, or else as it was read first, in volts.
    pub vin_v: f64,
    /// Output current that was set, or else as it was read first, in amperes.
    pub iout_a: f64,
    /// Whether settings that lie close together stand in it as one: what changes from one to the other is no change of the board.
    pub is_blend: bool,
    /// How many readings.
    pub count: u64,
    /// How long they stand for together.
    pub span: Duration,
    /// Means over even steps, without the settling: Vout, input power, efficiency, board temperature, rise over ambient.
    pub means: [Means; WATCHED],
    /// Finer means of Vout.
    pub fine: Means,
}

impl Group {
    /// Whether readings of a phase and of what was set in it belong to it. Where that is not known: within 2 % and a little.
    fn holds(&self, (phase, setting): (u16, Option<Setting>), (vin_v, iout_a): (f64, f64)) -> bool {
        if let (Some(own), Some(setting)) = (self.setting, setting) {
            return phase == self.phase && own == setting;
        }
        phase == self.phase
            && (vin_v - self.vin_v).abs() < 0.1 + 0.02 * self.vin_v
            && (iout_a - self.iout_a).abs() < 0.005 + 0.02 * self.iout_a
    }
    /// Whether the input was off.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.vin_v < Reading::POWERED_V
    }
}

/// Where a reading belongs. Readings that follow each other there are an interval apart; between two places anything may have been
/// done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A dwell, held or not.
    Dwell(DwellId),
    /// A hold outside of the dwells, by its number: of a point, which is measured without readings.
    Hold(usize),
}

impl Place {
    /// Of a batch up to which there were so many holds.
    fn of(batch: &Readings, holds: usize) -> Self {
        if batch.held && batch.dwell == DwellId::WARMING {
            Self::Hold(holds)
        } else {
            Self::Dwell(batch.dwell)
        }
    }
}

/// What is kept of all readings.
#[derive(Debug)]
pub struct Stream {
    start: Instant,
    interval_s: f64,
    steps_s: (f64, f64),
    /// Board and ambient temperature, output voltage, input power.
    pub curves: [Envelope; 4],
    /// Output voltage and board temperature an hour.
    pub hours: [Hourly; 2],
    /// By phase and setting.
    pub groups: Vec<Group>,
    /// How many readings of what the plan sets.
    pub count: u64,
    /// How many of a run that was held: they are drawn, and nothing is said of them.
    pub held: u64,
    /// The stretches of those, in seconds since the start of the run.
    pub held_s: Vec<(f64, f64)>,
    /// How long the former stand for together, the last one before a cut for a whole interval.
    pub stood: Duration,
    /// How long those of the former stand for that have the input on.
    pub powered: Duration,
    /// The part of it before the first limit was broken.
    pub working: Duration,
    /// Values that could not be read.
    pub holes: Holes,
    /// Values that had stood still when they were read: they are there, and nothing is made of them.
    pub frozen: Frozen,
    /// How many failures of sensors were told so far.
    failed: usize,
    /// How often the board was warmed up again after a gap, and how long that took: no phase holds it.
    pub rewarmed: (u64, Duration),
    /// How often the run had been resumed when it was last warmed up again.
    rewarmed_after: Option<usize>,
    /// Breaks inside a dwell that no event explains.
    pub breaks: Vec<Gap>,
    /// The last reading.
    pub last: Option<Instant>,
    /// Where the last reading belongs, and whether it was held.
    place: Option<(Place, bool)>,
    /// The last reading of what the plan sets, until it is known how long it stands.
    standing: Option<Standing>,
}

/// A reading stands for the time to the next one or until its setting is left, at most for the interval: readings alone would make
/// twice the time of a dwell that is a little longer than the interval.
#[derive(Debug)]
struct Standing {
    at: Instant,
    dwell: DwellId,
    is_on: bool,
    /// Before the first limit was broken.
    is_working: bool,
    is_rewarm: bool,
    group: Option<usize>,
}

impl Stream {
    /// A stream that has seen nothing, for a run that lasts so long.
    #[must_use]
    pub fn new(start: Instant, interval_s: f64, lasts_s: f64) -> Self {
        let interval_s = interval_s.max(1e-3);
        let step_s = (lasts_s / STEPS).clamp(interval_s, interval_s.max(60.0));
        // A whole number of readings a step: an uneven one would beat against them.
        let fine_s = (lasts_s / FINE_STEPS / interval_s).ceil().max(1.0) * interval_s;
        Self {
            start,
            interval_s,
            steps_s: (step_s, fine_s),
            curves: std::array::from_fn(|_| Envelope::new(COLUMNS, interval_s)),
            hours: std::array::from_fn(|_| Hourly::new(3600.0)),
            groups: Vec::new(),
            count: 0,
            held: 0,
            held_s: Vec::new(),
            stood: Duration::ZERO,
            powered: Duration::ZERO,
            working: Duration::ZERO,
            holes: Holes::default(),
            frozen: Frozen::default(),
            failed: 0,
            rewarmed: (0, Duration::ZERO),
            rewarmed_after: None,
            breaks: Vec::new(),
            last: None,
            place: None,
            standing: None,
        }
    }

    /// When the run began.
    #[must_use]
    pub const fn start(&self) -> Instant {
        self.start
    }

    /// Takes a batch; the story says where in the phases it stands, and what is known of missing readings.
    pub fn take(&mut self, batch: &Readings, story: &Story) {
        let seconds = |row: Option<&Reading>| row.map_or(0.0, |row| row.at.since(self.start).as_secs_f64());
        let (first_s, last_s) = (seconds(batch.rows.first()), seconds(batch.rows.last()));
        self.tell_failures(batch, story);
        let stretch = story.stretch(first_s);
        let place = Place::of(batch, story.holds_until(last_s + ROUNDED.as_secs_f64()));
        let is_rewarm = !batch.held && batch.dwell == DwellId::WARMING;
        if is_rewarm {
            self.count_rewarm(story.resumed_until(first_s));
        }
        let is_of_phase = !batch.held && !is_rewarm;
        let group =
            stretch.filter(|_| is_of_phase).and_then(|stretch| self.group(batch, stretch.phase, story));
        let settled_s = stretch.map_or(0.0, |stretch| stretch.settled_s);
        let is_touched = batch.rows.first().zip(batch.rows.last());
        let is_touched = is_touched.is_some_and(|(first, last)| self.frozen.touches(first.at, last.at));
        for row in &batch.rows {
            self.holes.take(row);
            let row = &if is_touched { self.frozen.without(row) } else { *row };
            let before = self.place.replace((place, batch.held));
            let goes_on = before.is_some_and(|(before, _)| before == place);
            if let (Some(last), true) = (self.last, goes_on) {
                self.look_for_break(last, row.at, &story.gaps);
            }
            self.last = Some(row.at);
            self.stand(Some(row.at), story);
            let is_on = self.draw_row(row);
            if batch.held {
                self.take_held(row, before.is_some_and(|(_, held)| held));
            } else {
                let at_s = row.at.since(self.start).as_secs_f64();
                let is_working = is_on && story.first_broken_s.is_none_or(|broken_s| at_s < broken_s);
                let (at, dwell) = (row.at, batch.dwell);
                self.standing = Some(Standing { at, dwell, is_on, is_working, is_rewarm, group });
                self.take_row(row, is_on, (group, settled_s));
            }
        }
    }

    fn count_rewarm(&mut self, resumed: usize) {
        let is_another = self.rewarmed_after.replace(resumed) != Some(resumed);
        self.rewarmed.0 += u64::from(is_another);
    }

    /// All readings were taken: how long the last one stands is told by what left its setting alone.
    pub fn finish(&mut self, story: &Story) {
        self.stand(None, story);
    }

    /// Counts how long the last reading stands, before the next one. Nobody knows that of the last one before a run was cut off.
    fn stand(&mut self, next: Option<Instant>, story: &Story) {
        let Some(standing) = self.standing.take() else { return };
        let left = story.left_after(standing.dwell, standing.at);
        let seconds = |at: Instant| at.since(self.start).as_secs_f64();
        let resumed = |at: Instant| story.resumed_until(seconds(at));
        let is_cut = |next: &Instant| resumed(*next) > resumed(standing.at);
        let until = match (next, left) {
            (Some(next), Some(left)) => Some(next.min(left)),
            (next, left) => next.or(left),
        };
        let interval = Duration::from_secs_f64(self.interval_s);
        let Some(until) = until.filter(|until| !is_cut(until)) else {
            // The board may have been off at once, but nothing else was done in this time.
            self.stood += interval;
            return;
        };
        let span = until.since(standing.at).min(interval);
        let part = |is_of: bool| if is_of { span } else { Duration::ZERO };
        self.stood += span;
        self.powered += part(standing.is_on);
        self.working += part(standing.is_working);
        self.rewarmed.1 += part(standing.is_rewarm);
        if let Some(group) = standing.group {
            self.groups[group].span += span;
        }
    }

    /// Failures stand in the record before the readings that lack the value.
    fn tell_failures(&mut self, batch: &Readings, story: &Story) {
        let Some(last) = batch.rows.last() else { return };
        let until = last.at + Readings::SPAN;
        while let Some((at, role, what)) = story.failed.get(self.failed).filter(|(at, ..)| *at <= until) {
            self.holes.fail(*at, role, what);
            self.failed += 1;
        }
    }

    /// What is shown of every reading; whether the input is on.
    fn draw_row(&mut self, row: &Reading) -> bool {
        let at_s = row.at.since(self.start).as_secs_f64();
        let is_on = row.is_on();
        let input_w = input_w(row);
        let shown = [row.board_c, row.ambient_c, row.vout_v.filter(|_| is_on), input_w.filter(|_| is_on)];
        for (curve, value) in self.curves.iter_mut().zip(shown) {
            if let Some(value) = value {
                curve.push(at_s, value);
            }
        }
        for (hours, value) in self.hours.iter_mut().zip([shown[2], row.board_c]) {
            if let Some(value) = value {
                hours.push(at_s, value);
            }
        }
        is_on
    }

    fn take_held(&mut self, row: &Reading, goes_on: bool) {
        let at_s = row.at.since(self.start).as_secs_f64();
        self.held += 1;
        match self.held_s.last_mut().filter(|_| goes_on) {
            Some(last) => last.1 = at_s,
            None => self.held_s.push((at_s, at_s)),
        }
    }

    /// What is said of a reading of what the plan sets.
    fn take_row(&mut self, row: &Reading, is_on: bool, (group, settled_s): (Option<usize>, f64)) {
        let at_s = row.at.since(self.start).as_secs_f64();
        self.count += 1;
        let input_w = input_w(row);
        let Some(group) = group.map(|place| &mut self.groups[place]) else {
            return;
        };
        group.count += 1;
        if at_s < settled_s || !is_on {
            return;
        }
        let output_w = row.vout_v.zip(row.iout_a).map(|(volts, amps)| volts * amps);
        let efficiency = output_w.zip(input_w).filter(|(_, input_w)| *input_w > 0.0).map(|(o, i)| o / i);
        let rise_k = row.board_c.zip(row.ambient_c).map(|(board, ambient)| board - ambient);
        for (means, value) in
            group.means.iter_mut().zip([row.vout_v, input_w, efficiency, row.board_c, rise_k])
        {
            if let Some(value) = value {
                means.push(at_s, value);
            }
        }
        if let Some(vout_v) = row.vout_v {
            group.fine.push(at_s, vout_v);
        }
    }

    /// The group of a batch; a batch stands at one setting.
    fn group(&mut self, batch: &Readings, phase: u16, story: &Story) -> Option<usize> {
        let judged = || batch.judged.as_ref().map(|judged| judged.setting);
        let is_blend = story.is_blended(phase);
        let setting = story.setting(batch.dwell, phase).or_else(judged).filter(|_| !is_blend);
        let mean = |value: fn(&Reading) -> Option<f64>| {
            let (sum, count) =
                batch.rows.iter().filter_map(value).fold((0.0, 0.0), |(s, n), v| (s + v, n + 1.0));
            (count > 0.0).then(|| sum / count)
        };
        let (vin_v, iout_a) = match setting {
            Some(setting) => (setting.vin.value(), setting.load.value()),
            None => (mean(|row| row.vin_v)?, mean(|row| row.iout_a)?),
        };
        let known = self.groups.iter().position(|group| group.holds((phase, setting), (vin_v, iout_a)));
        if known.is_none() && self.groups.len() < MOST_GROUPS {
            let (step_s, fine_s) = self.steps_s;
            self.groups.push(Group {
                phase,
                setting,
                vin_v,
                iout_a,
                is_blend,
                count: 0,
                span: Duration::ZERO,
                means: std::array::from_fn(|_| Means::new(step_s)),
                fine: Means::new(fine_s),
            });
            return Some(self.groups.len() - 1);
        }
        known
    }

    /// A break that no event explains: the controller was not there.
    fn look_for_break(&mut self, last: Instant, at: Instant, gaps: &[Gap]) {
        let late_s = at.since(last).as_secs_f64();
        if late_s <= 1.5 * self.interval_s {
            return;
        }
        let is_told = gaps.iter().any(|gap| u128::from(gap.to.0.abs_diff(at.0)) <= ROUNDED.as_nanos());
        if !is_told {
            self.breaks.push(Gap {
                from: last,
                to: at,
                missed: ((late_s / self.interval_s).round() as u64).saturating_sub(1).max(1),
                cause: GapCause::Controller,
                what: "the run was cut off and resumed, or nothing was written".to_owned(),
            });
        }
    }
}

fn input_w(row: &Reading) -> Option<f64> {
    row.vin_v.zip(row.iin_a).map(|(volts, amps)| volts * amps)
}

//! How far the present dwell came, what is missing of its readings, and which sensors are silent. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use super::timekeeping::Jumps;
use super::unconfirmed::Unconfirmed;
use crate::base::clock::Instant;
use crate::base::names::Role;
use crate::base::span::render_span;
use crate::event::{DwellId, Event, Gap, GapCause, Limit, Reading, Stamp};

/// A reading that comes after more intervals than this has another one missing before it.
pub(super) const LATE: f64 = 1.5;
/// Readings after which a failure is another trouble and not the last one going on.
const GONE_WELL: u32 = 10;
/// How long a sensor that does not answer is left in peace at first.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest for one that the interlocks need.
pub(super) const NEEDED_PAUSE: Duration = Duration::from_secs(10);
/// The longest for one that they do not need.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// How far the present dwell came, and what is known of a pause in it.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// The dwell, and how much of it is done.
    pub(super) within: Option<(DwellId, Duration)>,
    /// What a run that was cut off had done of a dwell, until that dwell is gone on with.
    earlier: Option<(DwellId, Duration)>,
    /// The last reading of that dwell.
    pub(super) last: Option<Instant>,
    /// Since when readings were due again after the last dwell, until the next reading: what is lost between two dwells is a
    /// gap where something was wrong there, and the plan's own doing where nothing was.
    between: Option<Instant>,
    /// Why there was none since.
    pub(super) trouble: Option<(GapCause, String)>,
    /// Sensors that do not answer: told once, and asked less and less often.
    pub(super) silent: BTreeMap<Role, Silence>,
    /// Readings since the last failure.
    pub(super) good: u32,
    /// The instrument that was waited for longest before the last reading.
    pub(super) waited: Option<(Role, Duration)>,
    /// What is taken back where a thermometer is found to have stood still.
    pub(super) unconfirmed: Unconfirmed,
}

/// A sensor that does not answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Silence {
    since: Instant,
    /// When it is asked again: waiting for it would make every reading late.
    pub(super) next: Instant,
    pause: Duration,
}

impl Silence {
    /// It did not answer at `at`, perhaps again.
    fn again(before: Option<Self>, at: Instant, longest: Duration) -> Self {
        let (since, pause) = before.map_or((at, FIRST_PAUSE), |before| (before.since, before.pause * 2));
        let pause = pause.min(longest);
        Self { since, next: at + pause, pause }
    }
}

impl Progress {
    /// Nothing is done yet of a run that is judged by these limits.
    pub(super) fn begun(limits: &[Limit]) -> Self {
        Self { unconfirmed: Unconfirmed::of(limits), ..Self::default() }
    }

    /// What a run that is gone on with had done of its dwell. Its bench is made ready first, which leaves a gap, also where it
    /// was cut off between two dwells.
    pub(super) fn resumed(earlier: Option<(DwellId, Duration)>, now: Instant) -> Self {
        let trouble = Some((GapCause::Controller, "the bench was made ready again".to_owned()));
        Self { earlier, last: earlier.map(|_| now), between: Some(now), trouble, ..Self::default() }
    }

    /// A point begins: no reading is due until it is over. The gap before it, where something was wrong.
    pub(super) fn begin_point(&mut self, at: Instant, interval: Duration) -> Option<Gap> {
        let gap = self.gap_before(at, interval, Jumps::default());
        self.trouble = None;
        gap
    }

    /// A point was measured: what went wrong within it has cost no reading.
    pub(super) fn finish_point(&mut self, at: Instant) {
        (self.between, self.trouble) = (Some(at), None);
    }

    /// A hold is over: the dwell goes on once the load is back, which costs readings. A point is measured from its beginning
    /// at once, and no reading is due then.
    pub(super) fn end_hold(&mut self) {
        if self.within.is_some() {
            self.trouble = Some((GapCause::Interlock, "the load went back after a hold".to_owned()));
        } else {
            (self.last, self.between, self.trouble) = (None, None, None);
        }
    }

    /// Whether enough was read since the last failure to call the next one another trouble; counts anew from now on.
    pub(super) fn take_has_gone_well(&mut self) -> bool {
        std::mem::take(&mut self.good) >= GONE_WELL
    }

    /// The dwell that is being done, and how much of it is done.
    pub(super) const fn within(&self) -> Option<(DwellId, Duration)> {
        self.within
    }

    /// The dwell that is done from now on, or again after a failure.
    pub(super) fn begin(&mut self, id: DwellId) {
        if self.within.is_some_and(|(known, _)| known == id) {
            return;
        }
        let earlier = self.earlier.take_if(|(known, _)| *known == id);
        self.within = Some(earlier.unwrap_or((id, Duration::ZERO)));
        if self.last.is_none() && self.between.is_none() {
            self.trouble = None;
        }
    }

    /// The dwell has come to its end. What comes next has no reading before it, unless the board was only warmed up for it.
    pub(super) fn finish(&mut self, id: DwellId) -> Duration {
        let took = self.done(id);
        self.within = None;
        if id != DwellId::WARMING || self.earlier.is_none() {
            self.between = self.last.take();
        }
        took
    }

    pub(super) fn done(&self, id: DwellId) -> Duration {
        self.within.filter(|(known, _)| *known == id).map_or(Duration::ZERO, |(_, done)| done)
    }

    /// The gap before a reading, if it came later than the interval lets it.
    pub(super) fn gap_before(&mut self, at: Instant, interval: Duration, jumps: Jumps) -> Option<Gap> {
        let Jumps { slept, stood, .. } = jumps;
        let waited = self.waited.take();
        let mut trouble = self.trouble.take();
        let between = self
            .between
            .take()
            .filter(|between| trouble.is_some() || !slept.is_zero() || is_most(stood, at.since(*between)));
        let from = self.last.or(between)?;
        let late = at.since(from) + slept;
        if late <= interval.mul_f64(LATE) {
            return None;
        }
        if !slept.is_zero() {
            let told = format!("the controller's machine slept for {}", render_span(slept));
            trouble = Some((GapCause::Sleep, told));
        }
        let missed = (late.as_secs_f64() / interval.as_secs_f64()).round() as u64;
        let (cause, what) =
            trouble.unwrap_or_else(|| self.why_late(late, interval, (stood, waited.as_ref())));
        Some(Gap { from, to: at, missed: missed.saturating_sub(1).max(1), cause, what })
    }

    /// The gap that is still open where the run ends before it was complete: the readings that were due until then.
    pub(super) fn gap_at_end(&mut self, at: Instant, interval: Duration, ended_by: &str) -> Option<Gap> {
        let trouble = self.trouble.take();
        let from = self.last.or(self.between.filter(|_| trouble.is_some()))?;
        let late = at.since(from);
        if late <= interval.mul_f64(LATE) {
            return None;
        }
        let (cause, what) =
            trouble.unwrap_or_else(|| (GapCause::Controller, "no reading was taken".to_owned()));
        let missed = (late.as_secs_f64() / interval.as_secs_f64()).floor() as u64;
        Some(Gap { from, to: at, missed, cause, what: format!("{what}; ended by {ended_by}") })
    }

    /// Why a reading is late although nothing failed: the controller stood still, or an answer that came in time, but slowly, makes
    /// up most of it; or else it is the controller's own doing.
    fn why_late(
        &self,
        late: Duration,
        interval: Duration,
        (stood, waited): (Duration, Option<&(Role, Duration)>),
    ) -> (GapCause, String) {
        let over = late.saturating_sub(interval);
        if is_most(stood, over) {
            return (GapCause::Controller, format!("the controller stood still for {}", render_span(stood)));
        }
        if let Some(role) = self.silent.keys().next() {
            let told = format!("the thermometer {role} was waited for, which does not answer");
            return (GapCause::Instrument, told);
        }
        if let Some((role, span)) = waited.filter(|(_, span)| is_most(*span, over)) {
            let told = format!("{role} was waited for, whose answer took {}", render_span(*span));
            return (GapCause::Instrument, told);
        }
        let told =
            format!("the reading before it took {} instead of {}", render_span(late), render_span(interval));
        (GapCause::Controller, told)
    }

    /// A sensor that is silent is told once, and once more when it answers again.
    pub(super) fn sort(
        &mut self,
        outbox: Vec<(Stamp, Event)>,
        reading: &Reading,
        (now, longest): (Stamp, Duration),
    ) -> Vec<(Stamp, Event)> {
        let mut told = Vec::new();
        for (at, mut event) in outbox {
            match &event {
                Event::SensorFailed { role, .. } => {
                    let longest = if role.as_str() == "board" { longest } else { LONGEST_PAUSE };
                    let before = self.silent.get(role).copied();
                    self.silent.insert(role.clone(), Silence::again(before, at.monotonic, longest));
                    if before.is_none() {
                        self.unconfirmed.take_back(at.monotonic, &mut event);
                        told.push((at, event));
                    }
                }
                _ => told.push((at, event)),
            }
        }
        let answers = |role: &Role| match role.as_str() {
            "board" => reading.board_c.is_some(),
            _ => reading.ambient_c.is_some(),
        };
        let back: Vec<Role> = self.silent.keys().filter(|role| answers(role)).cloned().collect();
        for role in back {
            if let Some(silence) = self.silent.remove(&role) {
                let span = render_span(now.monotonic.since(silence.since));
                let what = format!("the thermometer {role} answers again after {span}");
                told.push((now, Event::Warned { what }));
            }
        }
        told
    }
}

/// Whether a part makes up most of a whole; nothing is no part.
fn is_most(part: Duration, whole: Duration) -> bool {
    !part.is_zero() && part * 2 >= whole
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(1);

    fn at(seconds: u64) -> Instant {
        Instant(seconds * 1_000_000_000)
    }

    fn told(gap: Option<Gap>) -> Option<(u64, u64, u64, GapCause)> {
        gap.map(|gap| (gap.from.0 / 1_000_000_000, gap.to.0 / 1_000_000_000, gap.missed, gap.cause))
    }

    #[test]
    fn a_run_that_was_cut_off_between_two_dwells_tells_what_was_lost_until_its_next_reading_or_point() {
        let mut resumed = Progress::resumed(None, at(100));
        resumed.begin(DwellId(3));
        let gap = resumed.gap_before(at(107), INTERVAL, Jumps::default());
        assert_eq!(told(gap), Some((100, 107, 6, GapCause::Controller)));
        resumed.last = Some(at(107));
        assert_eq!(resumed.gap_before(at(108), INTERVAL, Jumps::default()), None, "told once");
        let mut resumed = Progress::resumed(None, at(100));
        let gap = resumed.begin_point(at(104), INTERVAL);
        assert_eq!(told(gap), Some((100, 104, 3, GapCause::Controller)));
        resumed.finish_point(at(110));
        resumed.begin(DwellId(3));
        assert_eq!(resumed.gap_before(at(113), INTERVAL, Jumps::default()), None, "a point is no gap");
    }

    #[test]
    fn a_gap_that_is_open_when_the_run_ends_is_told_with_what_ended_it() {
        let silent = || Some((GapCause::Instrument, "the load did not answer".to_owned()));
        // In a dwell, between two dwells, and where nothing is missing.
        let table = [
            (Some(10), None, silent(), Some((10, 52, 42, GapCause::Instrument))),
            (Some(10), None, None, Some((10, 52, 42, GapCause::Controller))),
            (None, Some(12), silent(), Some((12, 52, 40, GapCause::Instrument))),
            (None, Some(12), None, None),
            (Some(51), None, silent(), None),
            (None, None, silent(), None),
        ];
        for (last, between, trouble, expected) in table {
            let (last, between) = (last.map(at), between.map(at));
            let mut progress = Progress { last, between, trouble, ..Progress::default() };
            let gap = progress.gap_at_end(at(52), INTERVAL, "a trip");
            assert!(gap.as_ref().is_none_or(|gap| gap.what.ends_with("; ended by a trip")), "{gap:?}");
            assert_eq!(told(gap), expected);
        }
    }

    fn jumped((slept_s, stood_s): (u64, u64)) -> Jumps {
        Jumps { slept: Duration::from_secs(slept_s), stood: Duration::from_secs(stood_s), ..Jumps::default() }
    }

    #[test]
    fn a_late_reading_is_blamed_on_whoever_took_most_of_the_time() {
        // How long the program stood still, how long the load was waited for while it ran, and what is told.
        let table = [
            (9, 0, (GapCause::Controller, "the controller stood still for 9 s")),
            (8, 1, (GapCause::Controller, "the controller stood still for 8 s")),
            (0, 9, (GapCause::Instrument, "load was waited for, whose answer took 9 s")),
            (3, 6, (GapCause::Instrument, "load was waited for, whose answer took 6 s")),
            (0, 1, (GapCause::Controller, "the reading before it took 10 s instead of 1 s")),
        ];
        for (stood_s, waited_s, (cause, what)) in table {
            let waited = Some(("load".parse().unwrap(), Duration::from_secs(waited_s)));
            let mut progress = Progress { last: Some(at(10)), waited, ..Progress::default() };
            let gap = progress.gap_before(at(20), INTERVAL, jumped((0, stood_s))).unwrap();
            assert_eq!((gap.cause, gap.what.as_str()), (cause, what));
        }
    }

    #[test]
    fn between_two_dwells_only_trouble_sleep_and_standing_still_cost_readings() {
        let trouble = || Some((GapCause::Instrument, "the load did not answer".to_owned()));
        let table = [
            (None, (0, 0), None),
            (trouble(), (0, 0), Some((10, 15, 4, GapCause::Instrument))),
            (None, (60, 0), Some((10, 15, 64, GapCause::Sleep))),
            // Part of the switching, and most of it.
            (None, (0, 1), None),
            (None, (0, 4), Some((10, 15, 4, GapCause::Controller))),
        ];
        for (trouble, jumps, expected) in table {
            let mut progress = Progress::default();
            progress.begin(DwellId(1));
            progress.last = Some(at(10));
            progress.finish(DwellId(1));
            progress.trouble = trouble;
            progress.begin(DwellId(2));
            assert_eq!(told(progress.gap_before(at(15), INTERVAL, jumped(jumps))), expected);
        }
    }
}

//! What holds or trips the run, decided on what was measured. Pure: a reading and its time go in, a ruling comes out.

use std::cmp::Ordering;
use std::time::Duration;

use super::heat::HeatWatch;
use crate::base::clock::Instant;
use crate::base::units::{Amps, Celsius, Volts, beyond};
use crate::plan::profile::Interlocks;

/// A measured value the interlocks look at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Watched {
    /// Output voltage at the board.
    Vout(Volts),
    /// Input current.
    Iin(Amps),
    /// Output current.
    Iout(Amps),
    /// Board temperature.
    Board(Celsius),
    /// Temperature beside the board.
    Ambient(Celsius),
    /// A needed reading could not be had.
    Lost(Source),
}

/// Where a needed reading comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The board's thermometer.
    BoardThermometer,
    /// The load's or supply's own meter.
    Meter,
}

/// What the interlocks say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling {
    /// Nothing to do.
    Clear,
    /// Load to 0 A and wait; what and why.
    Hold(String),
    /// End the run with the outputs off; what and why.
    Trip(String),
}

/// Currents below this are noise of the meter, not swapped leads.
const REVERSE_CURRENT_A: f64 = -0.01;

/// The interlocks' memory: what was last seen, and since when something is lost or held.
#[derive(Debug)]
pub struct Interlock {
    rules: Interlocks,
    last_board: Option<(Instant, Celsius)>,
    lost_board: Option<Instant>,
    lost_meter: Option<Instant>,
    held_since: Option<Instant>,
    heat: HeatWatch,
}

impl Interlock {
    /// Interlocks by the plan's rules.
    #[must_use]
    pub const fn new(rules: Interlocks) -> Self {
        Self {
            rules,
            last_board: None,
            lost_board: None,
            lost_meter: None,
            held_since: None,
            heat: HeatWatch::new(&rules),
        }
    }

    /// Whether the board's temperature is needed at all.
    #[must_use]
    pub const fn needs_board_temperature(&self) -> bool {
        self.rules.over_temperature.is_some()
            || self.rules.hold_temperature.is_some()
            || self.rules.rise_k_per_min.is_some()
    }

    /// Whether the run is held.
    #[must_use]
    pub const fn is_held(&self) -> bool {
        self.held_since.is_some()
    }

    /// Why one value trips whatever was seen before it. It remembers nothing, so that it may be asked while others are still
    /// being read; [`Interlock::judge`] has the last word.
    #[must_use]
    pub fn trips_at_once(&self, seen: Watched) -> Option<String> {
        let ruling = match seen {
            Watched::Vout(vout) => over("output voltage", vout, self.rules.over_voltage),
            Watched::Iin(iin) => self.judge_iin(iin),
            Watched::Iout(iout) => judge_iout(iout),
            Watched::Board(board) => over("board temperature", board, self.rules.over_temperature),
            Watched::Ambient(ambient) => self.judge_ambient(ambient),
            Watched::Lost(_) => Ruling::Clear,
        };
        match ruling {
            Ruling::Trip(what) => Some(what),
            Ruling::Clear | Ruling::Hold(_) => None,
        }
    }

    /// How long a reading of supply or load may still be missing; `None` where none is.
    #[must_use]
    pub fn left_of_lost_reading(&self, now: Instant) -> Option<Duration> {
        let lost = now.since(self.lost_meter?);
        Some(self.rules.lost_reading.saturating_sub(lost))
    }

    fn judge_ambient(&self, ambient: Celsius) -> Ruling {
        over("temperature beside the board", ambient, self.rules.over_ambient)
    }

    /// What a person should know of these temperatures, in °C: each warning is told when it begins and when it is over.
    pub fn warnings(&mut self, board_c: Option<f64>, ambient_c: Option<f64>) -> Vec<String> {
        self.heat.judge(board_c, ambient_c)
    }

    fn judge_iin(&self, iin: Amps) -> Ruling {
        reversed("input", "the supply's leads at the board", iin)
            .unwrap_or_else(|| over("input current", iin, self.rules.over_current))
    }

    /// Judges one value.
    pub fn judge(&mut self, at: Instant, seen: Watched) -> Ruling {
        match seen {
            Watched::Vout(vout) => {
                self.lost_meter = None;
                over("output voltage", vout, self.rules.over_voltage)
            }
            Watched::Iin(iin) => {
                self.lost_meter = None;
                self.judge_iin(iin)
            }
            Watched::Iout(iout) => {
                self.lost_meter = None;
                judge_iout(iout)
            }
            Watched::Board(board) if board.value().is_nan() => self.judge_lost(at, Source::BoardThermometer),
            Watched::Board(board) => self.judge_temperature(at, board),
            Watched::Ambient(ambient) => self.judge_ambient(ambient),
            Watched::Lost(source) => self.judge_lost(at, source),
        }
    }

    fn judge_temperature(&mut self, at: Instant, board: Celsius) -> Ruling {
        self.lost_board = None;
        let rise = self.rise_k_per_min(at, board);
        let tripped = over("board temperature", board, self.rules.over_temperature);
        if tripped != Ruling::Clear {
            return tripped;
        }
        if let (Some(rise), Some(limit)) = (rise, self.rules.rise_k_per_min)
            && rise > limit
        {
            return Ruling::Trip(format!(
                "board temperature rises by {rise:.1} K a minute, more than {limit:.1} K a minute"
            ));
        }
        self.judge_hold(at, board)
    }

    fn judge_hold(&mut self, at: Instant, board: Celsius) -> Ruling {
        let (Some(hold), resume) = (self.rules.hold_temperature, self.rules.resume_temperature) else {
            return Ruling::Clear;
        };
        let resume = resume.unwrap_or(hold);
        match self.held_since {
            None if board > hold => {
                self.held_since = Some(at);
                let by = beyond(board, hold);
                Ruling::Hold(format!("board temperature {board} is above {hold}{by}; waiting for {resume}"))
            }
            None => Ruling::Clear,
            Some(_) if board <= resume => {
                self.held_since = None;
                Ruling::Clear
            }
            Some(since) if at.since(since) > self.rules.hold_limit => Ruling::Trip(format!(
                "board temperature {board} did not fall to {resume} within {}",
                crate::base::span::render_span(self.rules.hold_limit)
            )),
            Some(_) => Ruling::Hold(format!("board temperature {board} is still above {resume}")),
        }
    }

    /// Rate of rise over at least ten seconds, so that one step of a coarse sensor is no rise.
    fn rise_k_per_min(&mut self, at: Instant, board: Celsius) -> Option<f64> {
        let Some((since, before)) = self.last_board else {
            self.last_board = Some((at, board));
            return None;
        };
        let minutes = at.since(since).as_secs_f64() / 60.0;
        if minutes < 1.0 / 6.0 {
            return None;
        }
        self.last_board = Some((at, board));
        Some((board - before).value() / minutes)
    }

    fn judge_lost(&mut self, at: Instant, source: Source) -> Ruling {
        let (since, name) = match source {
            Source::BoardThermometer if !self.needs_board_temperature() => return Ruling::Clear,
            Source::BoardThermometer => (&mut self.lost_board, "the board's temperature"),
            Source::Meter => (&mut self.lost_meter, "a reading of supply or load"),
        };
        let since = *since.get_or_insert(at);
        let lost = at.since(since);
        if lost >= self.rules.lost_reading {
            Ruling::Trip(format!(
                "{name} has been missing for {}; without it the run is not watched",
                crate::base::span::render_span(lost)
            ))
        } else {
            Ruling::Clear
        }
    }
}

fn over<Q: crate::base::units::Quantity>(what: &str, seen: Q, limit: Option<Q>) -> Ruling {
    match limit {
        // Not `seen > limit`: a value that is no number must not pass.
        Some(limit) if seen.partial_cmp(&limit).is_none_or(Ordering::is_gt) => {
            Ruling::Trip(format!("{what} {seen} is above {limit}{}", beyond(seen, limit)))
        }
        _ => Ruling::Clear,
    }
}

fn judge_iout(iout: Amps) -> Ruling {
    reversed("output", "the load's leads", iout).unwrap_or(Ruling::Clear)
}

fn reversed(side: &str, where_to_look: &str, current: Amps) -> Option<Ruling> {
    if current.value().is_nan() {
        return Some(Ruling::Trip(format!("the {side} current is no number: nobody knows what flows")));
    }
    (current.value() < REVERSE_CURRENT_A).then(|| {
        Ruling::Trip(format!(
            "the {side} current is negative ({current}): the meter is connected the wrong way round; \
             swap {where_to_look}"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Interlocks {
        Interlocks {
            over_voltage: Some(Volts(5.5)),
            over_current: Some(Amps(0.8)),
            over_temperature: Some(Celsius(85.0)),
            hold_temperature: Some(Celsius(70.0)),
            resume_temperature: Some(Celsius(60.0)),
            hold_limit: Duration::from_secs(600),
            over_ambient: Some(Celsius(45.0)),
            rise_k_per_min: Some(30.0),
            lost_reading: Duration::from_secs(10),
            ..Interlocks::default()
        }
    }

    fn at(seconds: u64) -> Instant {
        Instant(seconds * 1_000_000_000)
    }

    #[test]
    fn what_trips_at_once_is_told_without_being_remembered() {
        let interlock = Interlock::new(rules());
        let trips = [
            Watched::Vout(Volts(5.6)),
            Watched::Vout(Volts(f64::NAN)),
            Watched::Iin(Amps(0.9)),
            Watched::Iin(Amps(-0.05)),
            Watched::Iout(Amps(-0.05)),
            Watched::Board(Celsius(90.0)),
            Watched::Ambient(Celsius(46.0)),
        ];
        for seen in trips {
            let told = interlock.trips_at_once(seen).map(Ruling::Trip);
            assert!(told.is_some(), "{seen:?}");
            if !matches!(seen, Watched::Vout(vout) if vout.value().is_nan()) {
                assert_eq!(told, Some(Interlock::new(rules()).judge(at(0), seen)), "{seen:?}");
            }
        }
        for seen in [Watched::Vout(Volts(5.0)), Watched::Board(Celsius(75.0)), Watched::Lost(Source::Meter)] {
            assert_eq!(interlock.trips_at_once(seen), None, "{seen:?}");
        }
    }

    #[test]
    fn a_temperature_that_is_no_number_is_a_lost_one() {
        let mut interlock = Interlock::new(rules());
        let nan = Watched::Board(Celsius(f64::NAN));
        assert_eq!(interlock.judge(at(0), nan), Ruling::Clear);
        assert!(matches!(interlock.judge(at(10), nan), Ruling::Trip(_)));
    }

    #[test]
    fn what_is_measured_holds_or_trips() {
        let table: [(&[(u64, Watched)], &str); 12] = [
            (&[(0, Watched::Vout(Volts(5.4)))], "clear"),
            (&[(0, Watched::Vout(Volts(5.6)))], "trip: output voltage 5.6 V is above 5.5 V"),
            (
                &[(0, Watched::Vout(Volts(5.50012)))],
                "trip: output voltage 5.5 V is above 5.5 V, 120 µV beyond it",
            ),
            (&[(0, Watched::Iin(Amps(0.9)))], "trip: input current 900 mA is above 800 mA"),
            (
                &[(0, Watched::Iin(Amps(-0.05)))],
                "trip: the input current is negative (-50 mA): the meter is connected the wrong way round; swap the \
                 supply's leads at the board",
            ),
            (&[(0, Watched::Iout(Amps(-0.002)))], "clear"),
            (
                &[(0, Watched::Iin(Amps(f64::NAN)))],
                "trip: the input current is no number: nobody knows what flows",
            ),
            (
                &[(0, Watched::Iout(Amps(f64::NAN)))],
                "trip: the output current is no number: nobody knows what flows",
            ),
            (&[(0, Watched::Board(Celsius(90.0)))], "trip: board temperature 90 °C is above 85 °C"),
            (
                &[(0, Watched::Board(Celsius(25.0))), (20, Watched::Board(Celsius(45.0)))],
                "trip: board temperature rises by 60.0 K a minute, more than 30.0 K a minute",
            ),
            (
                &[(0, Watched::Lost(Source::BoardThermometer)), (9, Watched::Lost(Source::BoardThermometer))],
                "clear",
            ),
            (
                &[(0, Watched::Lost(Source::Meter)), (11, Watched::Lost(Source::Meter))],
                "trip: a reading of supply or load has been missing for 11 s; without it the run is not watched",
            ),
        ];
        for (seen, expected) in table {
            let mut interlock = Interlock::new(rules());
            let mut ruling = Ruling::Clear;
            for (seconds, value) in seen {
                ruling = interlock.judge(at(*seconds), *value);
            }
            let told = match ruling {
                Ruling::Clear => "clear".to_owned(),
                Ruling::Hold(what) => format!("hold: {what}"),
                Ruling::Trip(what) => format!("trip: {what}"),
            };
            assert_eq!(told, expected);
        }
    }

    #[test]
    fn a_hold_ends_below_the_resume_threshold_and_not_before() {
        let mut interlock = Interlock::new(rules());
        let mut judge = |s: u64, c: f64| {
            (
                matches!(interlock.judge(at(s), Watched::Board(Celsius(c))), Ruling::Hold(_)),
                interlock.is_held(),
            )
        };
        assert_eq!(judge(0, 69.0), (false, false));
        assert_eq!(judge(60, 71.0), (true, true));
        assert_eq!(judge(120, 65.0), (true, true));
        assert_eq!(judge(180, 59.0), (false, false));
        assert_eq!(judge(240, 65.0), (false, false));
    }

    #[test]
    fn a_hold_that_never_cools_trips() {
        let mut interlock = Interlock::new(rules());
        let _ = interlock.judge(at(0), Watched::Board(Celsius(71.0)));
        let ruling = interlock.judge(at(700), Watched::Board(Celsius(71.0)));
        assert!(matches!(ruling, Ruling::Trip(_)), "{ruling:?}");
    }

    #[test]
    fn a_reading_that_comes_back_in_time_is_forgiven() {
        let mut interlock = Interlock::new(rules());
        let lost = Watched::Lost(Source::BoardThermometer);
        assert_eq!(interlock.judge(at(0), lost), Ruling::Clear);
        assert_eq!(interlock.judge(at(8), Watched::Board(Celsius(25.0))), Ruling::Clear);
        assert_eq!(interlock.judge(at(12), lost), Ruling::Clear);
    }
}

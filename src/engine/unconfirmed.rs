//! What rests on temperatures that may still be found to have stood still: a thermometer is called frozen only a while after its last
//! fresh value. Then the points and readings that were judged by that value are taken back. Pure.

use std::collections::{BTreeMap, VecDeque};

use super::tally::Tally;
use crate::base::clock::Instant;
use crate::event::withheld::{figure_of, why};
use crate::event::{
    Event, FigureName, Figures, Limit, PointResult, PointVerdict, Reading, ReadingsJudged, frozen,
};

const TEMPERATURES: [FigureName; 2] = [FigureName::BoardTemperature, FigureName::AmbientTemperature];
/// Most points and dwells that are remembered: far more than come in the time in which a standstill goes unnoticed.
const MOST_KEPT: usize = 1024;

/// The last points, and what came of limits on temperatures, as far as it is not confirmed yet.
#[derive(Debug, Default)]
pub(super) struct Unconfirmed {
    limits: Vec<Limit>,
    /// With the time in which the thermometers were read.
    points: VecDeque<((Instant, Instant), PointResult)>,
    trails: BTreeMap<FigureName, Trail>,
    /// The last standstill of each that is known, and why its values are none.
    stood: BTreeMap<FigureName, ((Instant, Instant), String)>,
    /// What came of limits in the present dwell without the readings that are taken back.
    revised: Vec<(FigureName, ReadingsJudged)>,
    /// What is taken back of the tally: verdicts of points, and readings that were judged and that failed.
    verdicts: Vec<(PointVerdict, PointVerdict)>,
    readings: (u64, u64),
}

/// Readings that hold the same value of a sensor, one after the other. The first of them is its own; the others are so only once
/// another value comes.
#[derive(Debug, Default)]
struct Trail {
    value: Option<f64>,
    /// Dwells that are over since: what was told of them, and what it would be without the others.
    over: VecDeque<(ReadingsJudged, ReadingsJudged)>,
    /// The present dwell without the others.
    present: Option<ReadingsJudged>,
}

impl Unconfirmed {
    pub(super) fn of(limits: &[Limit]) -> Self {
        Self { limits: limits.to_vec(), ..Self::default() }
    }

    /// Takes a point whose thermometers were read in that time, before it is told. What is known by now to rest on a standstill is
    /// taken back at once.
    pub(super) fn take_point(&mut self, read: (Instant, Instant), result: &mut PointResult) {
        for (name, (stood, why)) in &self.stood {
            if touches(*stood, read) {
                result.withhold(*name, &self.limits, why);
            }
        }
        let of_sensors = TEMPERATURES.into_iter().filter(|name| result.figures.value(*name).is_some());
        let figures: Figures = of_sensors.map(|name| (name, result.figures.figure(name))).collect();
        if figures.iter().next().is_none() {
            return;
        }
        if self.points.len() == MOST_KEPT {
            self.points.pop_front();
        }
        self.points.push_back((read, PointResult { figures, notes: Vec::new(), ..result.clone() }));
    }

    /// Takes a reading of a dwell, and what came of the limits there with it.
    pub(super) fn take_reading(&mut self, reading: &Reading, judged: &ReadingsJudged) {
        for name in TEMPERATURES {
            let trail = self.trails.entry(name).or_default();
            let value = reading.figure(name);
            if value.is_none() || value != trail.value {
                *trail = Trail { value, ..Trail::default() };
                trail.present = value.map(|_| judged.of_figure(name, &self.limits));
            } else if trail.present.as_ref().is_none_or(|present| present.dwell != judged.dwell) {
                trail.present = Some(ReadingsJudged::new(judged.dwell, judged.setting));
            }
        }
    }

    /// A dwell is over, or broken off: what is told of it.
    pub(super) fn end_dwell(&mut self, told: &ReadingsJudged) {
        for (name, trail) in &mut self.trails {
            let Some(instead) = trail.present.take().filter(|present| present.dwell == told.dwell) else {
                continue;
            };
            let told = told.of_figure(*name, &self.limits);
            if trail.over.len() == MOST_KEPT {
                trail.over.pop_front();
            }
            if told.checks != instead.checks {
                trail.over.push_back((told, instead));
            }
        }
    }

    /// A sensor failed: where it is called frozen, the event says what is taken back.
    pub(super) fn take_back(&mut self, at: Instant, event: &mut Event) {
        let Event::SensorFailed { role, what, withheld } = event else { return };
        let (Some(unchanged), Some(name)) = (frozen::unchanged(what), figure_of(role)) else { return };
        let stood = (Instant(at.0.saturating_sub(unchanged.as_nanos() as u64)), at);
        let why = why(role, what);
        for (read, result) in &mut self.points {
            let before = result.verdict;
            if touches(stood, *read) && result.withhold(name, &self.limits, &why) {
                withheld.points.push(result.point);
                self.verdicts.push((before, result.verdict));
            }
        }
        self.stood.insert(name, (stood, why));
        let trail = self.trails.entry(name).or_default();
        for (told, instead) in std::mem::take(&mut trail.over).into_iter().rev() {
            self.readings.0 += told.judged() - instead.judged();
            self.readings.1 += told.failed() - instead.failed();
            withheld.judged.push(instead);
        }
        self.revised.extend(trail.present.clone().map(|instead| (name, instead)));
    }

    /// What came of the limits in the present dwell, without what was taken back.
    pub(super) fn revise(&mut self, judged: &mut ReadingsJudged) {
        let dwell = judged.dwell;
        for (name, instead) in self.revised.drain(..).filter(|(_, instead)| instead.dwell == dwell) {
            judged.replace(name, &self.limits, instead);
        }
    }

    /// Takes what was taken back out of the tally.
    pub(super) fn correct(&mut self, tally: &mut Tally) {
        for (before, after) in self.verdicts.drain(..) {
            tally.revise(before, after);
        }
        let (judged, failed) = std::mem::take(&mut self.readings);
        tally.readings_judged = tally.readings_judged.saturating_sub(judged);
        tally.readings_failed = tally.readings_failed.saturating_sub(failed);
    }
}

/// Whether what was read in a time may be a value that stood still in another one.
fn touches((from, to): (Instant, Instant), (begun, ended): (Instant, Instant)) -> bool {
    from < ended && begun <= to
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::base::units::{Amps, Celsius, Volts};
    use crate::event::limit::{Known, check_limits, point_verdict};
    use crate::event::{Condition, DwellId, PointId, Region, Regulation, Setting, Withheld};

    fn at(second: u64) -> Instant {
        Instant(second * 1_000_000_000)
    }

    fn reading(second: u64, board_c: f64) -> Reading {
        Reading { board_c: Some(board_c), vout_v: Some(5.0), ..Reading::of(at(second), [None; 6]) }
    }

    fn limit(figure: FigureName, max: f64) -> Limit {
        Limit {
            name: figure.key().to_owned(),
            figure,
            min: None,
            max: Some(max),
            condition: Condition::default(),
            marginal: 0.0,
        }
    }

    fn point(id: u32, board_c: f64, limits: &[Limit]) -> PointResult {
        let setting = Setting { vin: Volts(24.0), load: Amps(0.5) };
        let figures: Figures =
            [(FigureName::Vout, Ok(5.0)), (FigureName::BoardTemperature, Ok(board_c))].into_iter().collect();
        let bounds = BTreeMap::new();
        let checks = check_limits(limits, setting, Known { figures: &figures, bounds: &bounds });
        PointResult {
            point: PointId(id),
            repeat: 1,
            phase: None,
            setting,
            figures,
            bounds,
            region: Region::Regulated,
            regulation: Ok(Regulation::ConstantVoltage),
            verdict: point_verdict(&checks),
            checks,
            notes: Vec::new(),
        }
    }

    #[test]
    fn points_that_were_measured_while_a_sensor_stood_still_are_taken_back_also_where_they_are_told_later() {
        let limits = [limit(FigureName::Vout, 6.0), limit(FigureName::BoardTemperature, 60.0)];
        let (mut unconfirmed, mut tally) = (Unconfirmed::of(&limits), Tally::default());
        // It stands still from 12 s on, which is noticed at 33 s.
        let take = |unconfirmed: &mut Unconfirmed, tally: &mut Tally, id, seconds: (u64, u64), board_c| {
            let mut result = point(id, board_c, &limits);
            unconfirmed.take_point((at(seconds.0), at(seconds.1)), &mut result);
            tally.add(&result);
            result.verdict
        };
        take(&mut unconfirmed, &mut tally, 1, (10, 11), 61.0);
        take(&mut unconfirmed, &mut tally, 2, (14, 15), 61.0);
        take(&mut unconfirmed, &mut tally, 3, (20, 21), 61.0);
        assert_eq!(tally.failed, 3);
        let mut event = Event::SensorFailed {
            role: "board".parse().unwrap(),
            what: frozen::told(Celsius(61.0), Duration::from_secs(21)),
            withheld: Withheld::default(),
        };
        unconfirmed.take_back(at(33), &mut event);
        let Event::SensorFailed { withheld, .. } = event else { unreachable!() };
        assert_eq!(withheld.points, [PointId(2), PointId(3)]);
        unconfirmed.correct(&mut tally);
        assert_eq!((tally.finished, tally.failed, tally.not_measured), (3, 1, 2));
        // Measured before that, and told behind it; and one of a sensor that is well again.
        let late = take(&mut unconfirmed, &mut tally, 4, (30, 31), 61.0);
        let well = take(&mut unconfirmed, &mut tally, 5, (40, 41), 40.0);
        assert_eq!((late, well), (PointVerdict::NotMeasured, PointVerdict::Pass));
    }

    #[test]
    fn readings_of_a_value_that_stood_still_count_for_no_limit_but_the_first_of_them() {
        let limits = [limit(FigureName::Vout, 6.0), limit(FigureName::BoardTemperature, 60.0)];
        let mut unconfirmed = Unconfirmed::of(&limits);
        let setting = Setting { vin: Volts(24.0), load: Amps(0.5) };
        let mut told = Vec::new();
        // The board's value changes until 14 s; it stands from there on, over the ends of two dwells.
        for (dwell, seconds) in [(1, 0..20), (2, 20..30), (3, 30..35)] {
            let mut judged = ReadingsJudged::new(DwellId(dwell), setting);
            for second in seconds {
                let reading = reading(second, 40.0 + second.min(14) as f64);
                judged.take(&limits, &reading);
                unconfirmed.take_reading(&reading, &judged);
            }
            if dwell < 3 {
                unconfirmed.end_dwell(&judged);
            }
            told.push(judged);
        }
        let mut event = Event::SensorFailed {
            role: "board".parse().unwrap(),
            what: frozen::told(Celsius(54.0), Duration::from_secs(21)),
            withheld: Withheld::default(),
        };
        unconfirmed.take_back(at(35), &mut event);
        let Event::SensorFailed { withheld, .. } = event else { unreachable!() };
        let counts = |judged: &ReadingsJudged| -> Vec<(usize, u64)> {
            judged.checks.iter().map(|check| (check.limit, check.judged)).collect()
        };
        let dwells: Vec<_> = withheld.judged.iter().map(|judged| (judged.dwell.0, counts(judged))).collect();
        assert_eq!(dwells, [(2, vec![]), (1, vec![(1, 15)])], "the last one first");
        let mut present = told.pop().unwrap();
        unconfirmed.revise(&mut present);
        assert_eq!(counts(&present), [(0, 5)], "Vout stands");
        let mut tally = Tally { readings_judged: 60, ..Tally::default() };
        unconfirmed.correct(&mut tally);
        assert_eq!(tally.readings_judged, 60 - 5 - 10);
        unconfirmed.correct(&mut tally);
        assert_eq!(tally.readings_judged, 45, "once");
    }
}

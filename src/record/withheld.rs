//! What a sensor that was called frozen takes back is left out of what stands before it in a record.

use super::format::{Entry, JudgedEntry};
use super::judged::{judged_in, judged_out};
use super::reader::Logged;
use crate::base::names::Role;
use crate::event::withheld::{figure_of, why};
use crate::event::{Event, FigureName, Limit, PointId, ReadingsJudged, Withheld};

/// The entry of a sensor that failed.
pub(super) fn sensor_out((role, what): (&Role, &str), withheld: &Withheld) -> Entry {
    Entry::SensorFailed {
        role: role.to_string(),
        what: what.to_owned(),
        withheld_points: withheld.points.iter().map(|point| point.0).collect(),
        withheld_judged: withheld.judged.iter().map(judged_out).collect(),
    }
}

/// What such an entry tells.
pub(super) fn sensor_in(role: Role, what: String, (points, judged): (Vec<u32>, Vec<JudgedEntry>)) -> Event {
    let withheld = Withheld {
        points: points.into_iter().map(PointId).collect(),
        judged: judged.into_iter().map(judged_in).collect(),
    };
    Event::SensorFailed { role, what, withheld }
}

/// Leaves it out of points, and of what came of limits in readings.
pub(super) fn leave_out(logged: &mut [Logged]) {
    let facts = logged.iter().find_map(|logged| match &logged.event {
        Event::RunStarted(facts) => Some(facts.limits.clone()),
        _ => None,
    });
    leave_out_by(logged, &facts.unwrap_or_default());
}

fn leave_out_by(logged: &mut [Logged], limits: &[Limit]) {
    for place in 0..logged.len() {
        let (before, behind) = logged.split_at_mut(place);
        let Some(Event::SensorFailed { role, what, withheld }) = behind.first().map(|logged| &logged.event)
        else {
            continue;
        };
        let Some(name) = figure_of(role).filter(|_| !withheld.is_empty()) else { continue };
        for point in &withheld.points {
            leave_out_of_point(before, *point, (name, limits, &why(role, what)));
        }
        leave_out_of_dwells(before, &withheld.judged, (name, limits));
    }
}

fn leave_out_of_point(
    before: &mut [Logged],
    point: PointId,
    (name, limits, why): (FigureName, &[Limit], &str),
) {
    let result = before.iter_mut().rev().find_map(|logged| match &mut logged.event {
        Event::PointFinished(result) if result.point == point => Some(result),
        _ => None,
    });
    if let Some(result) = result {
        result.withhold(name, limits, why);
    }
}

/// The last one stands first; a dwell that was told in parts is there as often.
fn leave_out_of_dwells(
    mut before: &mut [Logged],
    instead: &[ReadingsJudged],
    (name, limits): (FigureName, &[Limit]),
) {
    for instead in instead {
        let is_told = |logged: &Logged| match &logged.event {
            Event::ReadingsJudged(judged) => judged.dwell == instead.dwell,
            _ => false,
        };
        let Some(place) = before.iter().rposition(is_told) else { continue };
        let (earlier, told) = before.split_at_mut(place);
        if let Event::ReadingsJudged(judged) = &mut told[0].event {
            judged.replace(name, limits, instead.clone());
        }
        before = earlier;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::base::clock::Instant;
    use crate::base::units::{Amps, Volts};
    use crate::event::limit::{Known, check_limits, point_verdict};
    use crate::event::{
        Condition, DwellId, Figures, PointResult, PointVerdict, Reading, Region, Regulation, Setting, Stamp,
    };

    const SETTING: Setting = Setting { vin: Volts(24.0), load: Amps(0.5) };

    fn limits() -> [Limit; 2] {
        let of = |figure: FigureName, max| Limit {
            name: figure.key().to_owned(),
            figure,
            min: None,
            max: Some(max),
            condition: Condition::default(),
            marginal: 0.0,
        };
        [of(FigureName::Vout, 6.0), of(FigureName::BoardTemperature, 60.0)]
    }

    fn point(id: u32) -> Event {
        let figures: Figures =
            [(FigureName::Vout, Ok(5.0)), (FigureName::BoardTemperature, Ok(61.0))].into_iter().collect();
        let checks = check_limits(&limits(), SETTING, Known { figures: &figures, bounds: &BTreeMap::new() });
        Event::PointFinished(Box::new(PointResult {
            point: PointId(id),
            repeat: 1,
            phase: None,
            setting: SETTING,
            figures,
            bounds: BTreeMap::new(),
            region: Region::Regulated,
            regulation: Ok(Regulation::ConstantVoltage),
            verdict: point_verdict(&checks),
            checks,
            notes: Vec::new(),
        }))
    }

    fn judged(dwell: u32, readings: u64) -> ReadingsJudged {
        let mut judged = ReadingsJudged::new(DwellId(dwell), SETTING);
        for second in 0..readings {
            let row =
                Reading { vout_v: Some(5.0), board_c: Some(50.0), ..Reading::of(Instant(second), [None; 6]) };
            judged.take(&limits(), &row);
        }
        judged
    }

    #[test]
    fn points_and_readings_that_rest_on_a_value_that_stood_still_are_judged_by_what_is_left_of_them() {
        let board = |readings| judged(1, readings).of_figure(FigureName::BoardTemperature, &limits());
        let withheld = Withheld { points: vec![PointId(2)], judged: vec![board(0), board(3)] };
        let (role, what) = ("board".parse().unwrap(), "it is frozen".to_owned());
        let events = [
            point(1),
            Event::ReadingsJudged(judged(1, 9)),
            point(2),
            Event::ReadingsJudged(judged(2, 9)),
            // The same dwell, gone on with.
            Event::ReadingsJudged(judged(1, 9)),
            Event::SensorFailed { role, what, withheld },
            point(2),
        ];
        let at = Stamp { utc: jiff::Timestamp::UNIX_EPOCH, monotonic: Instant(0) };
        let mut logged: Vec<Logged> = events.into_iter().map(|event| Logged { at, event }).collect();
        leave_out_by(&mut logged, &limits());
        let told: Vec<String> = logged
            .iter()
            .filter_map(|logged| match &logged.event {
                Event::PointFinished(result) => Some(format!("{}", result.verdict)),
                Event::ReadingsJudged(judged) => {
                    Some(format!("{:?}", judged.checks.iter().map(|check| check.judged).collect::<Vec<_>>()))
                }
                _ => None,
            })
            .collect();
        assert_eq!(told, ["fail", "[9, 3]", "not_measured", "[9, 9]", "[9]", "fail"]);
        let Event::PointFinished(result) = &logged[2].event else { unreachable!() };
        assert_eq!(result.verdict, PointVerdict::NotMeasured);
        let why = result.figures.figure(FigureName::BoardTemperature).unwrap_err().0;
        assert_eq!(why, "the thermometer board stood still while it was measured (it is frozen)");
        assert_eq!(result.figures.value(FigureName::Vout), Some(5.0));
    }
}

//! Whether the answer of a soak is clear before its end, where the profile allows to ask: what the limits are held against is
//! kept in bounded memory, and judged at the planned looks.

use std::time::Duration;

use crate::base::clock::Instant;
use crate::base::span::render_span;
use crate::event::{DwellId, EarlyAnswer, EarlyLook, Limit, PointResult, Reading};
use crate::plan::soak::PlannedEarly;
use crate::plan::{Plan, PlannedDwell};
use crate::trend::{
    Bounds, ChangeSettings, DriftSettings, Early, Look, Means, NoAnswer, changes, drift, judge_early,
};

/// Steps of time over the phase that readings are averaged over.
const STEPS: u32 = 2000;
/// The settling at the begin of the phase that is left out, at most; a quarter of a short phase. As in the report.
const SETTLING: Duration = Duration::from_secs(3600);

/// What is kept of the phase for its looks.
#[derive(Debug)]
pub(super) struct EarlyWatch {
    plan: PlannedEarly,
    series: Vec<Series>,
    /// The first reading of the phase.
    begun: Option<Instant>,
}

/// The values of one limit.
#[derive(Debug)]
struct Series {
    limit: Limit,
    /// Whether each reading tells its figure; the others come from captures.
    of_readings: bool,
    means: Means,
}

impl EarlyWatch {
    /// What is watched for the looks of a plan; `None` where its profile allows none.
    pub(super) fn of(plan: &Plan) -> Option<Self> {
        let soak = plan.soak.as_ref()?;
        let early = soak.early?;
        let step_s = (early.lasts / STEPS).max(soak.interval).as_secs_f64();
        let applies = plan.limits.iter().filter(|limit| limit.condition.holds(early.setting));
        let series = applies.map(|limit| {
            let of_readings = Reading::tells(limit.figure);
            Series { limit: limit.clone(), of_readings, means: Means::new(step_s) }
        });
        Some(Self { plan: early, series: series.collect(), begun: None })
    }

    /// Takes a reading of a dwell.
    pub(super) fn take(&mut self, dwell: &PlannedDwell, reading: &Reading) {
        if dwell.phase != self.plan.phase || dwell.id == DwellId::WARMING {
            return;
        }
        self.begun.get_or_insert(reading.at);
        self.push(reading.at, true, &|limit| reading.figure(limit.figure));
    }

    /// Takes a capture.
    pub(super) fn take_point(&mut self, at: Instant, result: &PointResult) {
        if result.phase == Some(self.plan.phase) {
            self.push(at, false, &|limit| result.figures.value(limit.figure));
        }
    }

    fn push(&mut self, at: Instant, of_readings: bool, value: &dyn Fn(&Limit) -> Option<f64>) {
        let Some(begun) = self.begun else { return };
        let (after, settling) = (at.since(begun), SETTLING.min(self.plan.lasts / 4));
        if after < settling {
            return;
        }
        for series in self.series.iter_mut().filter(|series| series.of_readings == of_readings) {
            if let Some(value) = value(&series.limit) {
                series.means.push(after.as_secs_f64(), value);
            }
        }
    }

    /// Judges at a look.
    pub(super) fn look(&self, look: u32, now: Instant) -> EarlyLook {
        let planned = self.plan.lasts;
        let done = self.plan.due(look);
        let now_s = self.begun.map_or(0.0, |begun| now.since(begun).as_secs_f64());
        let end_s = now_s + planned.saturating_sub(done).as_secs_f64();
        let judged: Vec<(&Limit, Result<Early, NoAnswer>)> =
            self.series.iter().map(|series| (&series.limit, self.judge(series, end_s))).collect();
        let (answer, why) = conclude(&judged);
        let what = format!(
            "look {look} of {} after {} of {}, at {} % over all looks: {why}",
            self.plan.looks,
            render_span(done),
            render_span(planned),
            self.plan.percent(),
        );
        EarlyLook { look, looks: self.plan.looks, answer, done, planned, what }
    }

    /// Each look at each limit spends its part of the error: more limits see something sooner, too.
    fn judge(&self, series: &Series, end_s: f64) -> Result<Early, NoAnswer> {
        let limit = &series.limit;
        let readings = series.means.readings();
        let drift = drift(&readings, &DriftSettings::default())?;
        // Where there are too few values to look for changes of level, none is found; they widen the interval then.
        let settings = ChangeSettings { steps: Some(series.means.steps()), ..ChangeSettings::default() };
        let changes = changes(&readings, &settings).map_or(0, |changes| changes.found.len());
        let limits = u32::try_from(self.series.len()).unwrap_or(u32::MAX);
        let looks = self.plan.looks.saturating_mul(limits);
        let look = Look { end_s, confidence: self.plan.confidence, looks, changes };
        judge_early(&drift, &Bounds { min: limit.min, max: limit.max, margin: limit.marginal }, &look)
    }
}

/// One limit that fails is enough; to pass takes them all.
fn conclude(judged: &[(&Limit, Result<Early, NoAnswer>)]) -> (EarlyAnswer, String) {
    let named = |(limit, _): &(&Limit, _)| format!("`{}` ({})", limit.name, limit.bounds());
    if let Some(failed) = judged.iter().find(|(_, early)| matches!(early, Ok(Early::ClearFail))) {
        let told = format!("limit {} is passed, or surely will be by the planned end", named(failed));
        return (EarlyAnswer::Fail, told);
    }
    let open = judged.iter().find_map(|(limit, early)| match early {
        Ok(Early::GoOn(why)) => Some((limit, why.clone())),
        Err(why) => Some((limit, why.to_string())),
        Ok(_) => None,
    });
    match open {
        Some((limit, why)) => (EarlyAnswer::GoOn, format!("limit `{}` is not clear: {why}", limit.name)),
        None if judged.is_empty() => (EarlyAnswer::GoOn, "no limit applies".to_owned()),
        None => {
            let limits: Vec<String> = judged.iter().map(|judged| format!("`{}`", judged.0.name)).collect();
            let noun = if limits.len() == 1 { "limit" } else { "limits" };
            let told = format!("{noun} {} will hold to the planned end", limits.join(", "));
            (EarlyAnswer::Pass, told)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Condition, FigureName};

    #[test]
    fn one_limit_that_holds_is_told_as_one_and_several_as_several() {
        let limit = |name: &str| Limit {
            name: name.to_owned(),
            figure: FigureName::Vout,
            min: Some(4.8),
            max: None,
            condition: Condition(Vec::new()),
            marginal: 0.0,
        };
        let (one, two) = (limit("output voltage"), limit("efficiency"));
        let told = |limits: &[&Limit]| {
            let judged: Vec<_> = limits.iter().map(|limit| (*limit, Ok(Early::ClearPass))).collect();
            conclude(&judged).1
        };
        assert_eq!(told(&[&one]), "limit `output voltage` will hold to the planned end");
        assert_eq!(told(&[&one, &two]), "limits `output voltage`, `efficiency` will hold to the planned end");
    }
}

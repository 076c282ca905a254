//! The soak's part of `summary.json`.

use super::statement;
use super::{SoakView, trends};
use crate::event::HoleSum;
use crate::record::export_csv::rounded;
use crate::record::format::{DriftSummary, GapSummary, SoakSummary, StartSummary, ValuesMissing};

/// What a script wants to know of a soak.
#[must_use]
pub fn build(view: &SoakView) -> SoakSummary {
    let statement = &view.statement;
    let sentence = |told: &Result<String, String>| match told {
        Ok(told) => told.clone(),
        Err(reason) => format!("nothing is shown: {reason}"),
    };
    let starts = statement
        .starts
        .map(|starts| StartSummary { failure_at_most: starts.failure_at_most.map(rounded), ..starts });
    let drift = view.trends.iter().flat_map(|setting| {
        setting.trends.iter().map(|trend| {
            let per_hour = trend.drift.as_ref().ok().map(|drift| drift.per_hour);
            DriftSummary {
                phase: setting.phase.clone(),
                vin_v: rounded(setting.setting.vin.value()),
                load_a: rounded(setting.setting.load.value()),
                figure: trend.title.to_owned(),
                unit: if trend.unit == "°C" { "K" } else { trend.unit }.to_owned(),
                per_hour: per_hour.map(|estimate| rounded(estimate.value)),
                low: per_hour.map(|estimate| rounded(estimate.low)),
                high: per_hour.map(|estimate| rounded(estimate.high)),
                why_not: trend.drift.as_ref().err().cloned(),
            }
        })
    });
    let sentences = std::iter::once(&statement.on_hours).chain(&statement.on_starts).map(sentence);
    SoakSummary {
        board_hours: rounded(statement.board_hours),
        counted_hours: Some(rounded(statement.counted_hours)),
        failures: statement.failures.clone(),
        mtbf_at_least_h: statement.mtbf_h.map(rounded),
        statement: sentences.chain(statement.on_end.clone()).collect(),
        confidence: statement::CONFIDENCE,
        starts,
        readings: view.coverage.taken,
        coverage_percent: view.coverage.percent(),
        readings_held: view.coverage.held,
        held_percent: view.coverage.percent_held(),
        values_missing: view.coverage.holes.sums().into_iter().map(values_missing).collect(),
        gaps: view
            .coverage
            .lost
            .iter()
            .map(|(cause, lost)| GapSummary {
                cause: cause.word().to_owned(),
                gaps: lost.gaps,
                readings: lost.readings,
                percent: view.coverage.percent_lost(*cause),
            })
            .collect(),
        rewarms: view.rewarmed.0,
        rewarm_hours: rounded(view.rewarmed.1.as_secs_f64() / 3600.0),
        last_reading: view.last_reading.map(|(utc, _)| utc.to_string()),
        drift_confidence: trends::CONFIDENCE,
        drift: drift.collect(),
    }
}

fn values_missing(sum: HoleSum) -> ValuesMissing {
    let HoleSum { column, readings, percent, stretches, why } = sum;
    ValuesMissing { column: column.to_owned(), readings, percent, stretches, why }
}

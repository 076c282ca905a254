//! A plan for scripts. Units end the keys' names; what is not set is `null`.

use serde_json::{Value, json};

use super::text::checks;
use crate::plan::forecast::Forecast;
use crate::plan::step::{Plan, Step};

/// Renders a plan as one JSON object. Voltages are in volts, currents in amperes, times in seconds.
#[must_use]
pub fn render_plan_json(plan: &Plan) -> String {
    let value = json!({
        "format": "soakrig-plan-1",
        "profile": plan.profile.as_str(),
        "purpose": plan.purpose,
        "board": { "serial": plan.board.serial.as_str(), "revision": plan.board.revision.as_str() },
        "operator": plan.operator,
        "note": plan.note,
        "seed": plan.seed,
        "digests": { "plan": plan.digest, "rig": plan.rig_digest, "profile": plan.profile_digest },
        "expected_s": plan.expected.as_secs_f64(),
        "writes": writes(&plan.writes),
        "vout_nominal_v": plan.vout_nominal.value(),
        "safe_vout_v": plan.safe_vout.value(),
        "figures": plan.figures.iter().map(|figure| figure.key()).collect::<Vec<_>>(),
        "checks": checks(plan),
        "protection": protection(plan),
        "settle": settle(plan),
        "interlocks": interlocks(plan),
        "capture": capture(plan),
        "limits": limits(plan),
        "soak": soak(plan),
        "points": points(plan),
        "steps": plan.steps.iter().map(ToString::to_string).collect::<Vec<_>>(),
    });
    let mut text = format!("{value:#}");
    text.push('\n');
    text
}

fn writes(forecast: &Forecast) -> Value {
    json!({
        "total_bytes": forecast.total(),
        "journal_bytes": forecast.journal,
        "traces_bytes": forecast.samples,
        "screens_bytes": forecast.screens,
        "tapes_bytes": forecast.tapes,
        "products_bytes": forecast.products,
    })
}

fn protection(plan: &Plan) -> Value {
    let found = plan.steps.iter().find_map(|step| match step {
        Step::SetProtection { over_voltage, over_current, current_limit, load_limit } => Some(json!({
            "over_voltage_v": over_voltage.map(|level| level.value()),
            "over_current_a": over_current.map(|level| level.value()),
            "current_limit_a": current_limit.value(),
            "load_limit_a": load_limit.map(|level| level.value()),
        })),
        _ => None,
    });
    found.unwrap_or(Value::Null)
}

fn settle(plan: &Plan) -> Value {
    json!({
        "band_v": plan.settle.band.value(),
        "hold_s": plan.settle.hold.as_secs_f64(),
        "minimum_s": plan.settle.minimum.as_secs_f64(),
        "limit_s": plan.settle.limit.as_secs_f64(),
        "interval_s": plan.settle.interval.as_secs_f64(),
    })
}

fn interlocks(plan: &Plan) -> Value {
    let rules = &plan.interlocks;
    json!({
        "over_voltage_v": rules.over_voltage.map(|level| level.value()),
        "over_current_a": rules.over_current.map(|level| level.value()),
        "over_temperature_c": rules.over_temperature.map(|level| level.value()),
        "hold_temperature_c": rules.hold_temperature.map(|level| level.value()),
        "resume_temperature_c": rules.resume_temperature.map(|level| level.value()),
        "derate_to": rules.derate_to,
        "warn_temperature_c": rules.warn_temperature.map(|level| level.value()),
        "warn_ambient_c": rules.warn_ambient.map(|level| level.value()),
        "over_ambient_c": rules.over_ambient.map(|level| level.value()),
        "hold_limit_s": rules.hold_limit.as_secs_f64(),
        "rise_k_per_min": rules.rise_k_per_min,
        "lost_reading_s": rules.lost_reading.as_secs_f64(),
    })
}

fn capture(plan: &Plan) -> Value {
    let Some(capture) = plan.capture else { return Value::Null };
    json!({
        "span_s": capture.span.as_secs_f64(),
        "samples": capture.samples,
        "ripple": capture.ripple,
        "spikes": capture.spikes,
        "ripple_bandwidth_limit": capture.ripple_bandwidth_limit,
        "keep": capture.keep,
        "screen_every": capture.screen_every,
        "range_attempts": capture.range_attempts,
        "noise_floor": capture.noise_floor,
    })
}

/// Dwells are in the order of the plan; `phase` counts from 0 and is null for the point of a sweep.
fn soak(plan: &Plan) -> Value {
    let Some(soak) = &plan.soak else { return Value::Null };
    let dwells = soak.dwells.iter().map(|dwell| {
        json!({
            "dwell": dwell.id.0,
            "phase": dwell.phase,
            "vin_set_v": dwell.setting.vin.value(),
            "load_set_a": dwell.setting.load.value(),
            "is_on": dwell.is_on,
            "lasts_s": dwell.span.as_secs_f64(),
            "until": dwell.until.map(|rule| rule.written()),
        })
    });
    json!({
        "readings_s": soak.interval.as_secs_f64(),
        "phases": soak.phases,
        "lasts_s": soak.lasts().as_secs_f64(),
        "lasts_at_least_s": soak.lasts_at_least().as_secs_f64(),
        "starts": soak.starts.len(),
        "sweeps": soak.sweeps,
        "evidence": {
            "before": soak.evidence.before,
            "after": soak.evidence.after,
            "worst": soak.evidence.worst,
            "every": soak.evidence.every,
        },
        "early_stop": soak.early.map(|early| json!({
            "phase": early.phase,
            "looks": early.looks,
            "confidence": early.confidence,
        })),
        "dwells": dwells.collect::<Vec<_>>(),
    })
}

fn limits(plan: &Plan) -> Vec<Value> {
    let limits = plan.limits.iter().map(|limit| {
        json!({
            "name": limit.name,
            "figure": limit.figure.key(),
            "unit": limit.figure.unit(),
            "min": limit.min,
            "max": limit.max,
            "when": limit.condition.to_string(),
            "marginal": limit.marginal,
        })
    });
    limits.collect()
}

fn points(plan: &Plan) -> Vec<Value> {
    let points = plan.points.iter().map(|point| {
        json!({
            "point": point.id.0,
            "vin_set_v": point.setting.vin.value(),
            "load_set_a": point.setting.load.value(),
            "repeat": point.repeat,
            "phase": point.phase,
        })
    });
    points.collect()
}

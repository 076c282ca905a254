//! A plan as a person reads it before saying yes.

use std::fmt::Write as _;
use std::time::Duration;

use crate::base::span::render_span;
use crate::base::units::with_prefix;
use crate::event::{Region, Setting};
use crate::plan::course::has_room;
use crate::plan::forecast::Forecast;
use crate::plan::profile::{CaptureSelection, Interlocks, SettleRule};
use crate::plan::soak::{PlannedDwell, SoakPlan};
use crate::plan::step::{Plan, PlannedPoint, Step};

/// When a point counts as settled, as a sentence for reports.
#[must_use]
pub fn settle_sentence(rule: &SettleRule) -> String {
    format!(
        "A point counts as settled when readings of Vout every {} have stayed within {} for {}, not before {} after the last \
         change; after {} it is measured as it is and marked \"not settled\".",
        render_span(rule.interval),
        rule.band,
        render_span(rule.hold),
        render_span(rule.minimum),
        render_span(rule.limit)
    )
}

/// Renders a plan: what is for whom, what was checked, the points, the limits and how long it will take.
#[must_use]
pub fn render_plan(plan: &Plan) -> String {
    let mut text = String::new();
    let out = &mut text;
    let _ = writeln!(
        out,
        "Plan of {} for board {}, revision {}",
        plan.profile, plan.board.serial, plan.board.revision
    );
    let _ = writeln!(out, "{}", plan.purpose);
    for (what, told) in [("Operator", &plan.operator), ("Note", &plan.note)] {
        if let Some(told) = told {
            let _ = writeln!(out, "{what}: {told}");
        }
    }
    let sooner = plan.soak.as_ref().map_or(Duration::ZERO, |soak| soak.lasts() - soak.lasts_at_least());
    let sooner = match sooner {
        Duration::ZERO => String::new(),
        span => format!(", up to {} less where the board is warm sooner", render_span(span)),
    };
    let _ = writeln!(out, "\nExpected duration: about {} of bench time{sooner}", render_span(plan.expected));
    let _ = writeln!(out, "Written: about {}", writes(&plan.writes));
    let _ = writeln!(out, "Plan digest: {}", plan.digest);
    render_section(out, "Checked", &checks(plan));
    render_section(out, "Before the first point", &opening(plan));
    render_section(out, "At every point", &point_rules(plan));
    render_section(out, "Interlocks", &interlocks(&plan.interlocks));
    render_limits(out, plan);
    if let Some(soak) = &plan.soak {
        render_section(out, "Soak", &phases(soak, plan));
    }
    render_points(out, plan);
    text
}

fn render_section(out: &mut String, title: &str, lines: &[String]) {
    let _ = writeln!(out, "\n{title}");
    for line in lines {
        let _ = writeln!(out, "  - {line}");
    }
}

/// `12.4 MB (journal 3.1 MB, traces …)`; kinds of which nothing is written are left out.
fn writes(forecast: &Forecast) -> String {
    let show = |bytes: u64| with_prefix(rounded(bytes), "B");
    let kinds = [
        ("journal", forecast.journal),
        ("traces", forecast.samples),
        ("screens", forecast.screens),
        ("tapes", forecast.tapes),
        ("tables and report", forecast.products),
    ];
    let told: Vec<String> = kinds
        .into_iter()
        .filter(|(_, bytes)| *bytes > 0)
        .map(|(kind, bytes)| format!("{kind} {}", show(bytes)))
        .collect();
    format!("{} ({})", show(forecast.total()), told.join(", "))
}

/// To two digits: a forecast knows no more.
fn rounded(bytes: u64) -> f64 {
    let step = 10_u64.pow(bytes.checked_ilog10().unwrap_or(0).saturating_sub(1));
    (bytes.div_ceil(step) * step) as f64
}

/// Whatever is set for longer than a moment: points, dwells and starts.
fn settings(plan: &Plan) -> impl Iterator<Item = Setting> + '_ {
    let of_soak = plan
        .soak
        .iter()
        .flat_map(|soak| soak.dwells.iter().map(|dwell| dwell.setting).chain(soak.starts.iter().copied()));
    plan.points.iter().map(|point| point.setting).chain(of_soak)
}

/// What planning has proved, a sentence each.
#[must_use]
pub(super) fn checks(plan: &Plan) -> Vec<String> {
    let highest_vin = settings(plan).map(|setting| setting.vin.value()).fold(0.0, f64::max);
    let highest_load = settings(plan).map(|setting| setting.load.value()).fold(0.0, f64::max);
    let starts = plan.soak.as_ref().is_some_and(|soak| !soak.starts.is_empty());
    let mut checks = vec![
        format!(
            "the highest input voltage, {}, and the largest load, {}, are within the rig's hard limits and within what its instruments can do",
            with_prefix(highest_vin, "V"),
            with_prefix(highest_load, "A")
        ),
        "whatever is switched on is switched off again, the load before the supply".to_owned(),
        "nothing is switched on before its protection is set and the wiring looked at, and only at 0 V and 0 A".to_owned(),
        format!("the load is at 0 A whenever the input voltage changes{}", if starts { ", but for starts, from 0 V into the load" } else { "" }),
    ];
    if !plan.figures.is_empty() {
        let figures = plan.figures.len();
        checks.push(format!("all {figures} figures that are wanted can be had with this rig"));
    }
    checks
}

fn opening(plan: &Plan) -> Vec<String> {
    let is_opening = |step: &&Step| !matches!(step, Step::BeginPoint(_) | Step::BeginPhase { .. });
    plan.steps.iter().take_while(is_opening).map(ToString::to_string).collect()
}

fn point_rules(plan: &Plan) -> Vec<String> {
    let mut rules = vec![
        "set the load to 0 A and the input voltage, where it changes; then set the load".to_owned(),
        settle_sentence(&plan.settle),
        "read supply, load and thermometers side by side".to_owned(),
    ];
    rules.extend(plan.capture.as_ref().map(|capture| capture_sentence(capture, plan.soak.is_some())));
    rules
}

fn capture_sentence(capture: &CaptureSelection, is_soak: bool) -> String {
    let limiter = if capture.ripple_bandwidth_limit { " with the 20 MHz limiter" } else { "" };
    let kinds = match (capture.ripple, capture.spikes) {
        (true, true) => format!("once AC-coupled in a narrow range{limiter}, once in a wide range"),
        (true, false) => format!("AC-coupled in a narrow range{limiter}"),
        _ => "in a wide range".to_owned(),
    };
    let kept = match (capture.keep, is_soak) {
        (true, _) => "the traces are kept",
        (false, true) => "figures are kept, and the traces that the evidence of the soak asks for",
        (false, false) => "only figures are kept",
    };
    let screen = match capture.screen_every {
        0 => String::new(),
        1 => "; the scope's screen is kept".to_owned(),
        n => format!("; the scope's screen is kept at every {n}th point"),
    };
    format!("capture {} in {} samples, {kinds}; {kept}{screen}", render_span(capture.span), capture.samples)
}

fn interlocks(rules: &Interlocks) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(rules.over_voltage.map(|level| format!("output voltage above {level} trips")));
    lines.extend(rules.over_current.map(|level| format!("input current above {level} trips")));
    lines.extend(rules.over_temperature.map(|level| format!("board temperature above {level} trips")));
    if let (Some(hold), Some(resume)) = (rules.hold_temperature, rules.resume_temperature) {
        let longest = render_span(rules.hold_limit);
        let kept = if rules.derate_to > 0.0 {
            format!("at {:.0} % of the load", rules.derate_to * 100.0)
        } else {
            "without load".to_owned()
        };
        lines.push(format!(
            "board temperature above {hold} holds the run {kept} until it is below {resume}, {longest} at most"
        ));
    }
    lines.extend(rules.over_ambient.map(|level| format!("temperature beside the board above {level} trips")));
    lines.extend(rules.warn_temperature.map(|level| format!("board temperature above {level} is told")));
    lines.extend(
        rules.warn_ambient.map(|level| format!("temperature beside the board above {level} is told")),
    );
    lines.extend(
        rules.rise_k_per_min.map(|rise| format!("board temperature rising faster than {rise} K/min trips")),
    );
    lines.push(format!("a needed reading that is lost for {} trips", render_span(rules.lost_reading)));
    lines
}

fn render_limits(out: &mut String, plan: &Plan) {
    let lines: Vec<String> = plan
        .limits
        .iter()
        .map(|limit| {
            let condition = limit.condition.to_string();
            let at =
                if condition.is_empty() { "at every point".to_owned() } else { format!("where {condition}") };
            format!("{}: {} {}, {at}", limit.name, limit.figure.title(), limit.bounds())
        })
        .collect();
    if lines.is_empty() {
        let _ = writeln!(out, "\nLimits\n  - none: this run measures and does not judge");
    } else {
        render_section(out, "Limits", &lines);
    }
}

/// The phases with what they come to, and what else there is beside them.
fn phases(soak: &SoakPlan, plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    for (place, name) in soak.phases.iter().enumerate() {
        let dwells = || soak.dwells.iter().filter(|dwell| usize::from(dwell.phase) == place);
        let lasts = render_span(dwells().map(|dwell| dwell.span).sum());
        let span = |values: (f64, f64), unit: &str| {
            let show = |value: f64| with_prefix(value, unit);
            if values.0 < values.1 {
                format!("{} to {}", show(values.0), show(values.1))
            } else {
                show(values.1)
            }
        };
        let ends = |pick: fn(&PlannedDwell) -> f64| {
            let values = || dwells().filter(|dwell| dwell.is_on).map(pick);
            (values().fold(f64::INFINITY, f64::min), values().fold(0.0, f64::max))
        };
        let (vin, load) = (ends(|dwell| dwell.setting.vin.value()), ends(|dwell| dwell.setting.load.value()));
        let off: Duration = dwells().filter(|dwell| !dwell.is_on).map(|dwell| dwell.span).sum();
        let off = if off.is_zero() { String::new() } else { format!(", {} of it off", render_span(off)) };
        let until = dwells().find_map(|dwell| dwell.until).map_or_else(String::new, |rule| {
            let no_captures = soak.capture_every.is_some() && !has_room(rule, soak.interval);
            let told = if no_captures { "; no captures: this criterion has no time for one" } else { "" };
            format!(" at most, until the board is in thermal steady state ({rule}){told}")
        });
        let unjudged = if plan.phases_unjudged().contains(&place) {
            "; no reading of it is held against a limit: its settings are left before a point would have settled"
        } else {
            ""
        };
        lines.push(format!("{name}: {}, {}, {lasts}{until}{off}{unjudged}", span(vin, "V"), span(load, "A")));
    }
    let (most, least) = (soak.lasts(), soak.lasts_at_least());
    if least < most {
        lines.push(format!(
            "together {} at most; {} of it are held however soon the board is in thermal steady state",
            render_span(most),
            render_span(least)
        ));
    }
    lines.extend(soak.early.and_then(|early| {
        let name = soak.phases.get(usize::from(early.phase))?;
        Some(format!(
            "{name} may end early, at {} looks every {}: when all limits will hold to the planned end, or one will not, at {} % \
             over all looks; then the outputs go off without another sweep, and the hours show less",
            early.looks,
            render_span(early.due(1)),
            early.percent()
        ))
    }));
    lines.push(format!("readings of supply, load and thermometers every {}", render_span(soak.interval)));
    let captures = plan.points.iter().filter(|point| point.phase.is_some()).count();
    let of_sweeps = plan.points.len() - captures;
    let off = if soak.starts.is_empty() {
        String::new()
    } else {
        let least = with_prefix(plan.vout_nominal.value() * Region::OFF_BELOW, "V");
        format!(" (each counts where Vout has fallen under {least} before the input comes on)")
    };
    lines.push(format!(
        "{captures} captures, {} starts{off}, {} sweeps of together {of_sweeps} points",
        soak.starts.len(),
        soak.sweeps
    ));
    lines
}

/// The points; of a soak those of its first sweep, for the others are the same again.
fn render_points(out: &mut String, plan: &Plan) {
    let is_listed =
        |point: &&PlannedPoint| plan.soak.is_none() || (point.phase.is_none() && point.repeat == 1);
    let _ = match &plan.soak {
        None => writeln!(out, "\nPoints: {}", plan.points.len()),
        Some(_) => writeln!(out, "\nPoints of a sweep: {}", plan.points.iter().filter(is_listed).count()),
    };
    let repeats = plan.points.iter().filter(is_listed).map(|point| point.repeat).max().unwrap_or(1);
    let pass = |repeat: String| if repeats > 1 { repeat } else { String::new() };
    let head = format!(
        "{:>6}  {:>13}  {:>12}  {}",
        "point",
        "input voltage",
        "load current",
        pass("pass".to_owned())
    );
    let _ = writeln!(out, "{}", head.trim_end());
    for point in plan.points.iter().filter(is_listed) {
        let row = format!(
            "{:>6}  {:>13}  {:>12}  {}",
            point.id.0,
            point.setting.vin,
            point.setting.load,
            pass(format!("{:>4}", point.repeat))
        );
        let _ = writeln!(out, "{}", row.trim_end());
    }
}

//! Whether a rig can do what a profile asks for. Every refusal points into both files.

use super::ability::Ability;
use super::build::{load_limit_level, over_voltage_level};
use super::place::Places;
use super::profile::soak::Pattern;
use super::profile::{Profile, TraceNeed, trace_need};
use super::rig::Rig;
use crate::base::units::{Amps, Quantity, Volts};
use crate::event::FigureName;
use crate::instrument::dialect::Fault;

/// Room that an instrument's own protection needs above the largest setting: it must not trip on the setting itself, with
/// the inaccuracy of both.
const LEAST_ROOM: f64 = 1.02;

/// Everything that this rig cannot do for this profile.
#[must_use]
pub(super) fn check_fit(rig: &Rig, profile: &Profile, ability: &Ability) -> Vec<Fault> {
    let mut faults = Vec::new();
    check_source(rig, profile, ability, &mut faults);
    check_load(rig, profile, ability, &mut faults);
    check_capture(rig, profile, ability, &mut faults);
    check_figures(rig, profile, &mut faults);
    check_temperatures(rig, profile, &mut faults);
    check_steady(rig, profile, &mut faults);
    if rig.safe_vout >= profile.vout_nominal {
        let message = format!("the bench would count as safe with {} at the output", rig.safe_vout);
        let mut fault = rig.places.fault("safe.vout", message);
        fault.also.push(profile.places.label("vout_nominal", "the board's output voltage"));
        faults.push(fault);
    }
    faults
}

/// The key of an axis' value as it was written: the value itself, an item of a list, or an end of a range.
fn place_of<T: Quantity>(places: &Places, axis: &str, (values, wanted): (&[T], T)) -> Option<String> {
    let index = values.iter().position(|value| *value == wanted)?;
    let item = format!("{axis}[{}]", index + 1);
    if places.is_written(&item) {
        return Some(item);
    }
    let end = format!("{axis}.{}", if index == 0 { "from" } else { "to" });
    Some(if places.is_written(&end) { end } else { axis.to_owned() })
}

/// Where the profile says this input voltage, in the sweep or in a phase.
fn vin_place(profile: &Profile, vin: Volts) -> String {
    let of_phases = profile.soak.iter().flat_map(|soak| soak.phases.iter().enumerate());
    let of_phases = of_phases.map(|(index, phase)| (format!("soak.phases[{}].vin", index + 1), &phase.vin));
    let mut axes = std::iter::once(("points.vin".to_owned(), &profile.vin)).chain(of_phases);
    let found = axes.find_map(|(axis, values)| place_of(&profile.places, &axis, (values, vin)));
    found.unwrap_or_else(|| "points.vin".to_owned())
}

/// Where the profile says this load current, in the sweep or in a phase.
fn load_place(profile: &Profile, load: Amps) -> String {
    let of_phases = profile.soak.iter().flat_map(|soak| soak.phases.iter().enumerate());
    let of_phases = of_phases.map(|(index, phase)| (format!("soak.phases[{}].load", index + 1), &phase.load));
    let mut axes = std::iter::once(("points.load".to_owned(), &profile.load)).chain(of_phases);
    let found = axes.find_map(|(axis, values)| place_of(&profile.places, &axis, (values, load)));
    found.unwrap_or_else(|| "points.load".to_owned())
}

/// A fault in the profile, with the rig's part of it.
fn clash(profile: (&Profile, &str, String), rig: (&Rig, &str, String)) -> Fault {
    let mut fault = profile.0.places.fault(profile.1, profile.2);
    fault.also.push(rig.0.places.label(rig.1, rig.2));
    fault
}

fn check_source(rig: &Rig, profile: &Profile, ability: &Ability, faults: &mut Vec<Fault>) {
    let family = &rig.source.instrument.family;
    let highest = profile.highest_vin();
    let place = vin_place(profile, highest);
    let (allowed, possible) = (rig.source.max_voltage, ability.source.max_voltage);
    if highest > allowed {
        let message = format!("{highest} is more than this rig allows at the board's input");
        faults.push(clash(
            (profile, &place, message),
            (rig, "source.max_voltage", format!("{allowed} is the limit")),
        ));
    }
    if highest > possible {
        let message = format!("{highest} is more than the rig's supply can give");
        faults.push(clash(
            (profile, &place, message),
            (rig, "source.family", format!("this output of {family} ends at {possible}")),
        ));
    }
    if rig.source.max_current > ability.source.max_current {
        let message = format!(
            "{} cannot be limited by this supply, whose current limit ends at {}",
            rig.source.max_current, ability.source.max_current
        );
        let mut fault = rig.places.fault("source.max_current", message);
        fault.also.push(rig.places.label("source.family", format!("the family is {family}")));
        faults.push(fault);
    }
    if let Some(level) = over_voltage_level(rig, profile, ability)
        && highest <= allowed
        && highest <= possible
        && level < highest * LEAST_ROOM
    {
        let message = format!("{highest} leaves no room for the supply's over-voltage protection above it");
        let told =
            format!("the protection can be set to {level} at most; {} is needed", highest * LEAST_ROOM);
        let key = if level < rig.source.max_voltage { "source.family" } else { "source.max_voltage" };
        faults.push(clash((profile, &place, message), (rig, key, told)));
    }
}

fn check_load(rig: &Rig, profile: &Profile, ability: &Ability, faults: &mut Vec<Fault>) {
    let family = &rig.load.instrument.family;
    let highest = profile.highest_load();
    let place = load_place(profile, highest);
    let (allowed, possible) = (rig.load.max_current, ability.load.max_current);
    if highest > allowed {
        let message = format!("{highest} is more than this rig allows at the board's output");
        faults.push(clash(
            (profile, &place, message),
            (rig, "load.max_current", format!("{allowed} is the limit")),
        ));
    }
    if highest > possible {
        let message = format!("{highest} is more than the rig's load can draw");
        faults.push(clash(
            (profile, &place, message),
            (rig, "load.family", format!("{family} ends at {possible}")),
        ));
    }
    if let Some(level) = load_limit_level(rig, profile, ability)
        && highest <= allowed
        && highest <= possible
        && level < highest * LEAST_ROOM
    {
        let message = format!("{highest} leaves no room for the load's own current limit above it");
        let told = format!("the limit can be set to {level} at most; {} is needed", highest * LEAST_ROOM);
        let key = if level < rig.load.max_current { "load.family" } else { "load.max_current" };
        faults.push(clash((profile, &place, message), (rig, key, told)));
    }
    if profile.vout_nominal > ability.load.max_voltage {
        let message = format!("the load stands at most {}", ability.load.max_voltage);
        faults.push(clash(
            (profile, "vout_nominal", message),
            (rig, "load.family", format!("the family is {family}")),
        ));
    }
}

fn check_capture(rig: &Rig, profile: &Profile, ability: &Ability, faults: &mut Vec<Fault>) {
    let Some(capture) = profile.capture else { return };
    let (Some(scope), Some(able)) = (&rig.scope, &ability.scope) else {
        let message = "a trace is wanted, but the rig has no scope";
        faults.push(clash(
            (profile, "capture", message.to_owned()),
            (rig, "scope", "no [scope] in this rig".to_owned()),
        ));
        return;
    };
    if capture.ripple && capture.ripple_bandwidth_limit && !able.bandwidth_limit {
        faults.push(clash(
            (profile, "capture.ripple_bandwidth_limit", "the rig's scope has no 20 MHz limiter".to_owned()),
            (rig, "scope.family", format!("the family is {}", scope.instrument.family)),
        ));
    }
    let channels = [("scope.vout.channel", Some(&scope.vout)), ("scope.lx.channel", scope.lx.as_ref())];
    for (key, probe) in channels {
        if let Some(probe) = probe
            && probe.channel > able.channels
        {
            let message = format!("channel {} of a scope that has {}", probe.channel, able.channels);
            let mut fault = rig.places.fault(key, message);
            let told = format!("the family is {}", scope.instrument.family);
            fault.also.push(rig.places.label("scope.family", told));
            faults.push(fault);
        }
    }
}

fn check_figures(rig: &Rig, profile: &Profile, faults: &mut Vec<Fault>) {
    let has_switch_node = rig.scope.as_ref().is_some_and(|scope| scope.lx.is_some());
    let refused: Vec<&str> = profile
        .figures
        .iter()
        .filter(|figure| trace_need(**figure) == TraceNeed::VoutAndSwitchNode)
        .map(|figure| figure.key())
        .collect();
    // Without any scope the capture as a whole has been refused.
    if !has_switch_node && rig.scope.is_some() && !refused.is_empty() {
        let needs = if refused.len() == 1 { "needs" } else { "need" };
        let message =
            format!("{} {needs} the switch node, which this rig does not look at", refused.join(", "));
        faults.push(clash(
            (profile, &format!("figures.{}", refused[0]), message),
            (rig, "scope", "no [scope.lx] in this rig".to_owned()),
        ));
    }
    for (figure, role) in
        [(FigureName::BoardTemperature, "board"), (FigureName::AmbientTemperature, "ambient")]
    {
        if profile.figures.contains(&figure) && !has_thermometer(rig, role) {
            let message = format!("{figure} needs a thermometer `{role}`, which this rig does not have");
            faults.push(clash(
                (profile, &format!("figures.{figure}"), message),
                (rig, "thermometer", format!("no [thermometer.{role}] in this rig")),
            ));
        }
    }
}

fn has_thermometer(rig: &Rig, role: &str) -> bool {
    rig.thermometers.iter().any(|thermometer| thermometer.instrument.role.as_str() == role)
}

/// A rule on a temperature that nobody measures would never trip: only rules that nobody wrote may be dropped.
fn check_temperatures(rig: &Rig, profile: &Profile, faults: &mut Vec<Fault>) {
    let rules: [(&str, &[&str]); 2] = [
        ("board", &["over_temperature", "hold_temperature", "warn_temperature", "rise_k_per_min"]),
        ("ambient", &["warn_ambient", "over_ambient"]),
    ];
    for (role, names) in rules.into_iter().filter(|(role, _)| !has_thermometer(rig, role)) {
        for key in names.iter().map(|name| format!("interlocks.{name}")) {
            if profile.places.is_written(&key) {
                let message = format!("this rule needs a thermometer `{role}`, which this rig does not have");
                faults.push(clash(
                    (profile, &key, message),
                    (rig, "thermometer", format!("no [thermometer.{role}] in this rig")),
                ));
            }
        }
    }
}

/// A criterion on a temperature that nobody measures would never be met.
fn check_steady(rig: &Rig, profile: &Profile, faults: &mut Vec<Fault>) {
    let phases = profile.soak.iter().flat_map(|soak| soak.phases.iter().enumerate());
    for (index, phase) in phases {
        if matches!(phase.pattern, Pattern::Hold { until: Some(_), .. }) && !has_thermometer(rig, "board") {
            let message =
                "this criterion needs a thermometer `board`, which this rig does not have".to_owned();
            faults.push(clash(
                (profile, &format!("soak.phases[{}].until", index + 1), message),
                (rig, "thermometer", "no [thermometer.board] in this rig".to_owned()),
            ));
        }
    }
}

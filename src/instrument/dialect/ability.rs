//! The limits of a family's file: what each model can do.

use super::check::Check;
use super::family::{InputFacts, OutputFacts, ScopeFacts, ScreenFacts};
use super::reading::Placed;
use super::schema::{Class, FamilyText, InputText, OutputText, ScopeText, ScreenText};
use crate::base::units::{Amps, Hertz, Volts};
use crate::instrument::load::LoadAbility;
use crate::instrument::supply::SupplyAbility;

/// What a family's models can do.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) outputs: Vec<OutputFacts>,
    pub(super) inputs: Vec<InputFacts>,
    pub(super) screen: Option<ScreenFacts>,
    pub(super) scopes: Vec<ScopeFacts>,
}

/// Checks the sections that belong to the class and refuses those that do not.
pub(super) fn check_facts(check: &mut Check<'_>, family: &FamilyText, class: Class) -> Facts {
    let sections = [
        ("outputs", Class::Supply, family.outputs.first().map(|text| text.span.clone())),
        ("inputs", Class::Load, family.inputs.first().map(|text| text.span.clone())),
        ("scopes", Class::Scope, family.scopes.first().map(|text| text.span.clone())),
        ("screen", Class::Scope, family.screen.as_ref().map(|text| text.span.clone())),
    ];
    for (section, of, span) in sections {
        if of == class && span.is_none() {
            check.missing(section, None, "what the instruments of this class can do");
        } else if of != class && span.is_some() {
            check.faults.add(
                section,
                span,
                format!("belongs to the class {}, not {}", of.as_str(), class.as_str()),
            );
        }
    }
    let numbered = |section: &str, at: usize| format!("{section}[{at}]");
    let mut facts = Facts::default();
    match class {
        Class::Supply => {
            for (at, text) in family.outputs.iter().enumerate() {
                facts.outputs.extend(output(check, text, &numbered("outputs", at)));
            }
        }
        Class::Load => {
            for (at, text) in family.inputs.iter().enumerate() {
                facts.inputs.extend(input(check, text, &numbered("inputs", at)));
            }
        }
        Class::Scope => {
            for (at, text) in family.scopes.iter().enumerate() {
                facts.scopes.extend(scope(check, text, &numbered("scopes", at)));
            }
            facts.screen = family.screen.as_ref().and_then(|text| screen(check, text));
        }
    }
    facts
}

/// A required quantity of a section.
macro_rules! needed {
    ($check:ident, $placed:ident, $section:expr, $key:ident: $unit:ty, $expected:literal) => {{
        let key = format!("{}.{}", $section, stringify!($key));
        $check.required($placed.value.$key.as_ref(), &key, Some($placed.span.clone()), $expected);
        $check.quantity::<$unit>($placed.value.$key.as_ref(), &key)
    }};
}

fn output(check: &mut Check<'_>, placed: &Placed<OutputText>, section: &str) -> Option<OutputFacts> {
    let (text, table) = (&placed.value, Some(placed.span.clone()));
    check.source(text.source.as_ref(), section, table.clone());
    let models = check.patterns(text.models.as_deref(), &format!("{section}.models"), table.clone());
    let channel_key = format!("{section}.channel");
    let channel =
        check.required(text.channel.as_ref(), &channel_key, table.clone(), "the output's number, from 1");
    if channel == Some(0) {
        check.faults.add(&channel_key, table, "outputs are counted from 1");
    }
    let max_voltage = needed!(check, placed, section, max_voltage: Volts, "a voltage, e.g. `32 V`");
    let max_current = needed!(check, placed, section, max_current: Amps, "a current, e.g. `3.2 A`");
    let voltage_step = needed!(check, placed, section, voltage_step: Volts, "a voltage, e.g. `1 mV`");
    let current_step = needed!(check, placed, section, current_step: Amps, "a current, e.g. `1 mA`");
    let over_voltage = check.quantity(text.over_voltage.as_ref(), &format!("{section}.over_voltage"));
    let over_current = check.quantity(text.over_current.as_ref(), &format!("{section}.over_current"));
    Some(OutputFacts {
        models: models?,
        channel: channel?,
        ability: SupplyAbility {
            max_voltage: max_voltage?,
            max_current: max_current?,
            voltage_step: voltage_step?,
            current_step: current_step?,
            over_voltage,
            over_current,
        },
    })
}

fn input(check: &mut Check<'_>, placed: &Placed<InputText>, section: &str) -> Option<InputFacts> {
    let text = &placed.value;
    let table = Some(placed.span.clone());
    check.source(text.source.as_ref(), section, table.clone());
    let models = check.patterns(text.models.as_deref(), &format!("{section}.models"), table);
    let max_current = needed!(check, placed, section, max_current: Amps, "a current, e.g. `40 A`");
    let max_voltage = needed!(check, placed, section, max_voltage: Volts, "a voltage, e.g. `150 V`");
    let current_step = needed!(check, placed, section, current_step: Amps, "a current, e.g. `1 mA`");
    let over_current = check.quantity(text.over_current.as_ref(), &format!("{section}.over_current"));
    Some(InputFacts {
        models: models?,
        ability: LoadAbility {
            max_current: max_current?,
            max_voltage: max_voltage?,
            current_step: current_step?,
            over_current,
        },
    })
}

fn scope(check: &mut Check<'_>, placed: &Placed<ScopeText>, section: &str) -> Option<ScopeFacts> {
    let table = Some(placed.span.clone());
    check.source(placed.value.source.as_ref(), section, table.clone());
    let models = check.patterns(placed.value.models.as_deref(), &format!("{section}.models"), table.clone());
    let channels = placed.value.channels.as_ref();
    let channels =
        check.required(channels, &format!("{section}.channels"), table, "the number of analog channels");
    let bandwidth = needed!(check, placed, section, bandwidth: Hertz, "a frequency, e.g. `100 MHz`");
    Some(ScopeFacts { models: models?, channels: channels?, bandwidth: bandwidth? })
}

fn screen(check: &mut Check<'_>, placed: &Placed<ScreenText>) -> Option<ScreenFacts> {
    let (text, table) = (&placed.value, Some(placed.span.clone()));
    check.source(text.source.as_ref(), "screen", table.clone());
    let vertical = divisions(check, text.vertical_divisions.as_ref(), "vertical_divisions", placed);
    let horizontal = divisions(check, text.horizontal_divisions.as_ref(), "horizontal_divisions", placed);
    let per_division = divisions(check, text.codes_per_division.as_ref(), "codes_per_division", placed);
    let lowest = check.required(
        text.lowest_code.as_ref(),
        "screen.lowest_code",
        table.clone(),
        "a code from 0 to 255",
    );
    let highest = check.required(
        text.highest_code.as_ref(),
        "screen.highest_code",
        table.clone(),
        "a code from 0 to 255",
    );
    if lowest.zip(highest).is_some_and(|(lowest, highest)| lowest >= highest) {
        check.faults.add("screen.highest_code", table.clone(), "must be above the lowest code");
    }
    let smallest = needed!(check, placed, "screen", smallest_scale: Volts, "a voltage, e.g. `1 mV`");
    let largest = needed!(check, placed, "screen", largest_scale: Volts, "a voltage, e.g. `10 V`");
    check.required(
        text.fastest_timebase.as_ref(),
        "screen.fastest_timebase",
        table.clone(),
        "a time, e.g. `5 ns`",
    );
    check.required(
        text.slowest_timebase.as_ref(),
        "screen.slowest_timebase",
        table.clone(),
        "a time, e.g. `50 s`",
    );
    let fastest = check.span(text.fastest_timebase.as_ref(), "screen.fastest_timebase");
    let slowest = check.span(text.slowest_timebase.as_ref(), "screen.slowest_timebase");
    let depths = text.depths.as_ref().map(|depths| depths.value.clone()).unwrap_or_default();
    if depths.contains(&0) || !depths.is_sorted() {
        check.faults.add("screen.depths", table.clone(), "depths are above 0 and ascend");
    }
    let longest_transfer = text.longest_transfer.as_ref().map(|longest| longest.value);
    if longest_transfer == Some(0) {
        check.faults.add("screen.longest_transfer", table, "a transfer of 0 samples never ends");
    }
    Some(ScreenFacts {
        vertical_divisions: vertical?,
        horizontal_divisions: horizontal?,
        codes_per_division: per_division?,
        codes: (lowest?, highest?),
        scale_1x: (smallest?, largest?),
        timebase: (fastest?, slowest?),
        depths,
        longest_transfer,
    })
}

fn divisions(
    check: &mut Check<'_>,
    value: Option<&Placed<f64>>,
    name: &str,
    table: &Placed<ScreenText>,
) -> Option<f64> {
    let key = format!("screen.{name}");
    let number = check.required(value, &key, Some(table.span.clone()), "a number above 0")?;
    if !(number.is_finite() && number > 0.0) {
        check.faults.add(&key, value.map(|value| value.span.clone()), "must be a number above 0");
        return None;
    }
    Some(number)
}

//! Units as headings write them.

use std::fmt;

/// What a channel's samples are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unit {
    /// Volts. Also where the file names none: a scope's channel is taken as volts.
    Volt,
    /// Amperes, of a current probe.
    Ampere,
    /// Codes of a converter without a scale.
    Code,
    /// Something else, as the file writes it.
    Other(String),
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Volt => "V",
            Self::Ampere => "A",
            Self::Code => "codes",
            Self::Other(unit) => unit,
        })
    }
}

/// A unit of a channel with the power of ten of its prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scaled {
    pub(super) unit: Unit,
    pub(super) power: i16,
}

fn prefix_power(prefix: &str) -> Option<i16> {
    Some(match prefix {
        "" => 0,
        "n" => -9,
        "u" | "µ" | "μ" => -6,
        "m" => -3,
        "k" => 3,
        _ => return None,
    })
}

/// The unit that a word means, brackets around it or not; `None` where it is no unit at all.
pub(super) fn read_unit(word: &str) -> Option<Scaled> {
    let bare = bare(word);
    let plain = |unit| Some(Scaled { unit, power: 0 });
    match bare.to_lowercase().as_str() {
        "volt" | "volts" => return plain(Unit::Volt),
        "amp" | "amps" | "ampere" | "amperes" => return plain(Unit::Ampere),
        "w" | "watt" | "watts" | "vv" => return plain(Unit::Other(bare.to_owned())),
        _ => {}
    }
    let (prefix, unit) = bare.char_indices().next_back().map(|(last, _)| bare.split_at(last))?;
    let unit = match unit {
        "V" | "v" => Unit::Volt,
        "A" | "a" => Unit::Ampere,
        _ => return None,
    };
    Some(Scaled { unit, power: prefix_power(prefix)? })
}

/// The power of ten of a unit of time, brackets around it or not.
pub(super) fn read_time_unit(word: &str) -> Option<i16> {
    let bare = bare(word).to_lowercase();
    match bare.as_str() {
        "second" | "seconds" | "sec" => Some(0),
        _ => prefix_power(bare.strip_suffix('s')?),
    }
}

fn bare(word: &str) -> &str {
    word.trim().trim_start_matches(['(', '[']).trim_end_matches([')', ']']).trim()
}

/// Words for time at the head of a column.
const TIME_WORDS: [&str; 12] =
    ["time", "t", "x", "x-axis", "second", "seconds", "s", "times", "timestamp", "zeit", "temps", "tiempo"];

/// Whether a word says that a column holds time.
pub(super) fn is_time_word(word: &str) -> bool {
    TIME_WORDS.contains(&word.to_lowercase().as_str())
}

/// A heading cut into name and unit: `CH 1 (V)`, `Time(ms)`, `Vout [mV]`, `Zeit / µs`, `Time in ns`, `Vout, mV`, `vout_mV`.
pub(super) fn split_heading(word: &str) -> (&str, Option<&str>) {
    let word = word.trim();
    for (open, close) in [('(', ')'), ('[', ']')] {
        if let Some((name, unit)) = word.strip_suffix(close).and_then(|word| word.rsplit_once(open)) {
            return (name.trim(), Some(unit.trim()));
        }
    }
    for (joint, is_clear) in [("/", true), (",", true), (" in ", true), ("_", false), (" ", false)] {
        if let Some((name, unit)) = word.rsplit_once(joint)
            && ends_in_unit(name.trim(), unit.trim(), is_clear)
        {
            return (name.trim(), Some(unit.trim()));
        }
    }
    (word, None)
}

/// Whether what follows a name is its unit. Behind a blank or a stroke a lone letter is part of the name more often than not: of
/// `channel A`, of the rail `5 V`.
fn ends_in_unit(name: &str, unit: &str, is_clear: bool) -> bool {
    if !name.chars().any(char::is_alphabetic) {
        return false;
    }
    if read_time_unit(unit).is_some() {
        return is_clear || is_time_word(name);
    }
    read_unit(unit).is_some() && (is_clear || !unit.eq_ignore_ascii_case("a"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heading_falls_into_name_and_unit_however_they_are_joined() {
        let told: Vec<String> = [
            "CH 1 (V)",
            "Time(ms)",
            "Vout [mV]",
            "Zeit / µs",
            "Time/ms",
            "Time in ns",
            "Vout, mV",
            "time_ms",
            "t s",
            "U_aus / V",
            "vout mV",
            "vout_mV",
            "Iout / A",
            "iout_mA",
            "channel A",
            "CH_A",
            "5 V",
            "CH1_V",
            "dV/dt",
            "rise_s",
            "vout",
            "/ V",
            "",
        ]
        .map(|word| match split_heading(word) {
            (name, None) => name.to_owned(),
            (name, Some(unit)) => format!("{name} | {unit}"),
        })
        .into();
        insta::assert_snapshot!(told.join("; "), @"CH 1 | V; Time | ms; Vout | mV; Zeit | µs; Time | ms; Time | ns; Vout | mV; time | ms; t | s; U_aus | V; vout | mV; vout | mV; Iout | A; iout | mA; channel A; CH_A; 5 V; CH1 | V; dV/dt; rise_s; vout; / V; ");
    }
}

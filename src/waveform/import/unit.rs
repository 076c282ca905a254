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

/// Prefixes of units that are written out.
const LONG_PREFIXES: [(&str, i16); 4] = [("nano", -9), ("micro", -6), ("milli", -3), ("kilo", 3)];

/// A unit that is written out, in small letters, without its prefix, and the prefix's power of ten.
fn without_prefix(word: &str) -> (i16, &str) {
    let found = LONG_PREFIXES.iter().find_map(|(prefix, power)| Some((*power, word.strip_prefix(prefix)?)));
    found.unwrap_or((0, word))
}

/// The unit that a word means, brackets around it or not; `None` where it is no unit at all.
pub(super) fn read_unit(word: &str) -> Option<Scaled> {
    let bare = bare(word);
    let small = bare.to_lowercase();
    let (power, long) = without_prefix(&small);
    match long {
        "volt" | "volts" => return Some(Scaled { unit: Unit::Volt, power }),
        "amp" | "amps" | "ampere" | "amperes" => return Some(Scaled { unit: Unit::Ampere, power }),
        "w" | "watt" | "watts" | "vv" => {
            return Some(Scaled { unit: Unit::Other(bare.to_owned()), power: 0 });
        }
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
    match without_prefix(&bare) {
        (power, "second" | "seconds" | "sec") => Some(power),
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

/// A heading cut into name and unit: `CH 1 (V)`, `Time(ms)`, `Vout [mV]`, `Vout (mV) filtered`, `[mV] Vout`, `Zeit / µs`, `Time in ns`,
/// `Vout, mV`, `vout_mV`, `VOUT_MV`; `mV` alone is a unit, and `V(vout)` as a whole a name.
pub(super) fn split_heading(word: &str) -> (String, Option<String>) {
    let word = word.trim();
    if let Some((is_voltage, _)) = simulated(word) {
        return (word.to_owned(), Some((if is_voltage { "V" } else { "A" }).to_owned()));
    }
    if let Some((name, unit)) = bracketed(word) {
        return (name, Some(as_meant(word, unit)));
    }
    for (joint, is_clear) in [("/", true), (",", true), (" in ", true), ("_", false), (" ", false)] {
        if let Some((name, unit)) = word.rsplit_once(joint) {
            let (name, unit) = (name.trim(), as_meant(word, unit.trim()));
            if ends_in_unit(name, &unit, is_clear) {
                return (name.to_owned(), Some(unit));
            }
        }
    }
    let is_prefixed = word.ends_with(['V', 'A']) && read_unit(word).is_some_and(|unit| unit.power != 0)
        || read_time_unit(word).is_some_and(|power| power != 0);
    if is_prefixed { (String::new(), Some(word.to_owned())) } else { (word.to_owned(), None) }
}

/// What a simulator's heading is of, `V(vout)` or `I(L1)`, and whether it is a voltage: what stands in these brackets is a name,
/// unless it is a unit of just that.
pub(super) fn simulated(heading: &str) -> Option<(bool, &str)> {
    let (quantity, rest) = heading.trim().split_once('(')?;
    let inside = rest.strip_suffix(')')?.trim();
    let is_voltage = quantity.eq_ignore_ascii_case("v");
    let is_current = quantity.len() <= 2 && quantity.starts_with(['I', 'i']);
    let own = if is_voltage { Unit::Volt } else { Unit::Ampere };
    let is_unit = read_unit(inside).is_some_and(|read| read.unit == own);
    ((is_voltage || is_current) && !inside.is_empty() && !is_unit).then_some((is_voltage, inside))
}

/// Name and unit of a heading that holds its unit in brackets: the last ones at its end, whatever stands in them, but rather others
/// that hold what is known for a unit.
fn bracketed(word: &str) -> Option<(String, &str)> {
    let pairs = word.char_indices().filter_map(|(open, bracket)| {
        let close = match bracket {
            '(' => ')',
            '[' => ']',
            _ => return None,
        };
        let end = open + word[open..].find(close)?;
        Some((word[..open].trim(), word[open + 1..end].trim(), word[end + 1..].trim()))
    });
    let last = pairs.clone().next_back().filter(|(.., behind)| behind.is_empty());
    let is_known = |(before, unit, behind): &(&str, &str, &str)| {
        let is_time = read_time_unit(unit).is_some() && (behind.is_empty() || is_time_word(before));
        let is_lone = !behind.is_empty() && unit.eq_ignore_ascii_case("a");
        is_time || !is_lone && read_unit(unit).is_some()
    };
    let (before, unit, behind) = last.filter(is_known).or_else(|| pairs.rev().find(is_known)).or(last)?;
    Some((format!("{before} {behind}").trim().to_owned(), unit))
}

/// A unit as a heading in capital letters means it: `MV` of `VOUT_MV` is no megavolt.
fn as_meant(heading: &str, unit: &str) -> String {
    let is_capital = !heading.chars().any(char::is_lowercase);
    let is_meant = is_capital && ["MV", "UV", "KV", "MA", "UA"].contains(&unit);
    if !is_meant {
        return unit.to_owned();
    }
    let (prefix, unit) = unit.split_at(1);
    format!("{}{unit}", prefix.to_lowercase())
}

/// The unit with a prefix that a heading names but that is not known for its unit, by where it stands.
pub(super) fn left_unit(heading: &str) -> Option<&str> {
    let mut words = heading.split(|c: char| !c.is_alphanumeric());
    words.find(|word| read_unit(word).is_some_and(|unit| unit.power != 0))
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
            "Vout (mV) filtered",
            "[mV] Vout",
            "CH1 (V) [probe]",
            "Vout (raw)",
            "Zeit (ms) ab Start",
            "rises (s) of it",
            "VOUT_MV",
            "VOUT (MV)",
            "Vout (MV)",
            "Vout, millivolts",
            "mV",
            "us",
            "V",
            "V(vout)",
            "v(5v)",
            "V(mV)",
            "V(a)",
            "I(L1)",
            "Ix(U1:in)",
            "I(A)",
            "V()",
            "",
        ]
        .map(|word| match split_heading(word) {
            (name, None) => name,
            (name, Some(unit)) => format!("{name} | {unit}"),
        })
        .into();
        insta::assert_snapshot!(told.join("; "), @"CH 1 | V; Time | ms; Vout | mV; Zeit | µs; Time | ms; Time | ns; Vout | mV; time | ms; t | s; U_aus | V; vout | mV; vout | mV; Iout | A; iout | mA; channel A; CH_A; 5 V; CH1 | V; dV/dt; rise_s; vout; / V; Vout filtered | mV; Vout | mV; CH1 [probe] | V; Vout | raw; Zeit ab Start | ms; rises (s) of it; VOUT | mV; VOUT | mV; Vout | MV; Vout | millivolts;  | mV;  | us; V; V(vout) | V; v(5v) | V; V | mV; V(a) | V; I(L1) | A; Ix(U1:in) | A; I | A; V | ; ");
    }
}

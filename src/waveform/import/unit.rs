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

/// A heading cut into name and unit: `CH 1 (V)`, `Time(ms)`, `Vout [mV]`.
pub(super) fn split_heading(word: &str) -> (&str, Option<&str>) {
    let word = word.trim();
    for (open, close) in [('(', ')'), ('[', ']')] {
        if let Some((name, unit)) = word.strip_suffix(close).and_then(|word| word.rsplit_once(open)) {
            return (name.trim(), Some(unit.trim()));
        }
    }
    (word, None)
}

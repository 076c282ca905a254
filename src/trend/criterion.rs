//! What thermal steady state means, as data: standards differ, so it is a choice. [`CRITERIA`] holds those in use, by name.

use std::time::Duration;

use super::steady::On;
use crate::base::span::{parse_span, render_span};

/// How a criterion looks at the time it speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Highest less lowest reading within the time.
    Range,
    /// So many readings spread evenly over the time: highest less lowest of them.
    Readings(usize),
    /// The straight lines between begin and end of both halves of the time: the steeper one, over the whole time.
    Gradient,
}

/// "Not more than so many kelvin within so long."
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Criterion {
    /// As it is named in a profile.
    pub name: &'static str,
    /// Where it comes from; empty for one of the user's own.
    pub source: &'static str,
    /// Kelvin.
    pub change_k: f64,
    /// Within this time.
    pub within: Duration,
    /// How it is looked at.
    pub form: Form,
    /// Whether the change must stay under `change_k` rather than not exceed it.
    pub under: bool,
    /// Where this part of the absolute temperature is more than `change_k`, it is allowed instead.
    pub or_part_of_absolute: Option<f64>,
    /// It may be used only this part under the temperature limit (in degrees Celsius), or farther.
    pub only_under_limit_by: Option<f64>,
}

const fn range(name: &'static str, source: &'static str, change_k: f64, minutes: u64) -> Criterion {
    Criterion {
        name,
        source,
        change_k,
        within: Duration::from_secs(60 * minutes),
        form: Form::Range,
        under: false,
        or_part_of_absolute: None,
        only_under_limit_by: None,
    }
}

/// The criteria in use, the default first.
pub const CRITERIA: [Criterion; 8] = [
    range("1 K/h", "IEC 60598-1 and BS 1363-1, luminaires and plugs; the strict usual choice", 1.0, 60),
    range("IEC 62368-1", "B.1.6: 3 K in 30 min", 3.0, 30),
    Criterion {
        only_under_limit_by: Some(0.1),
        ..range("IEC 62368-1 short", "B.1.6: 1 K in 5 min, if 10 % or more under the limit", 1.0, 5)
    },
    range("IEC 61010-1", "decision sheet on 9.2: 2 K in 1 h", 2.0, 60),
    Criterion {
        form: Form::Gradient,
        under: true,
        ..range("IEC 60034-1", "ed. 12: a gradient under 2 K/h over two successive intervals", 2.0, 60)
    },
    Criterion {
        form: Form::Readings(3),
        under: true,
        ..range("IEC 61810-7", "ed. 2: under 1 K between any two of three readings 5 min apart", 1.0, 10)
    },
    Criterion {
        form: Form::Readings(2),
        or_part_of_absolute: Some(0.01),
        ..range(
            "IEC 62282-2",
            "ed. 1: 3 K or 1 % of the absolute temperature, two readings 15 min apart",
            3.0,
            15,
        )
    },
    Criterion { under: true, ..range("IEC 60335-2-6", "under 1 K in 15 min", 1.0, 15) },
];

/// The shortest time a criterion of one's own may speak of.
pub const SHORTEST: Duration = Duration::from_secs(10);
/// The longest.
pub const LONGEST: Duration = Duration::from_secs(7 * 86_400);

impl Default for Criterion {
    /// 1 K/h.
    fn default() -> Self {
        CRITERIA[0]
    }
}

impl Criterion {
    /// Reads a name of [`CRITERIA`] (large and small letters alike), or one of one's own: `0.5 K/2 h`, `1 K/15 min`. Profiles
    /// of earlier versions write `1 K in 1 h`.
    ///
    /// # Errors
    /// What is neither; the message lists the names.
    pub fn parse(text: &str) -> Result<Self, CriterionError> {
        let plain = |name: &str| name.split_whitespace().collect::<String>().to_lowercase();
        if let Some(known) = CRITERIA.iter().find(|known| plain(known.name) == plain(text)) {
            return Ok(*known);
        }
        let fault = || CriterionError { text: text.chars().take(80).collect() };
        let (change, within) = text.split_once('/').or_else(|| text.split_once(" in ")).ok_or_else(fault)?;
        let change_k: f64 =
            change.trim().strip_suffix('K').and_then(|k| k.trim().parse().ok()).ok_or_else(fault)?;
        let within = within.trim();
        let alone = within.starts_with(|c: char| c.is_alphabetic());
        let within = parse_span(&if alone { format!("1 {within}") } else { within.to_owned() });
        let within = within.map_err(|_| fault())?;
        let possible = change_k > 0.0 && change_k.is_finite() && within >= SHORTEST;
        if !possible || within > LONGEST {
            return Err(fault());
        }
        Ok(Self { change_k, within, ..range("", "", 1.0, 60) })
    }

    /// As it can be written in a profile: its name, or `0.5 K/2 h`.
    #[must_use]
    pub fn written(&self) -> String {
        if self.name.is_empty() {
            return format!("{} K/{}", self.change_k, render_span(self.within));
        }
        self.name.to_owned()
    }

    /// What it asks for, in words: `1 K within 1 h`.
    #[must_use]
    pub fn asks(&self) -> String {
        let word = if self.under { "under " } else { "" };
        format!("{word}{} K within {}", self.change_k, render_span(self.within))
    }

    /// Whether readings so far apart are near enough for it: each average holds two of them.
    #[must_use]
    pub fn suits(&self, interval: Duration) -> bool {
        interval.saturating_mul(8) <= self.within
    }

    /// The time over which readings are averaged, unless the caller chooses another.
    #[must_use]
    pub fn usual_average(&self) -> Duration {
        self.within / 60
    }

    /// The time over which readings so far apart are averaged: two go into each average, so that one that is late is no gap.
    #[must_use]
    pub fn average_of(&self, interval: Duration) -> Duration {
        self.usual_average().max(interval.saturating_mul(2))
    }

    /// The kelvin allowed at a temperature.
    pub(super) fn allowed_k(&self, on: On, highest_c: f64) -> f64 {
        let absolute_k = highest_c + 273.15;
        match self.or_part_of_absolute {
            Some(part) if on == On::Board => self.change_k.max(part * absolute_k),
            _ => self.change_k,
        }
    }
}

impl std::fmt::Display for Criterion {
    /// As it is written, with what it asks for where only a name says it: `IEC 61010-1: 2 K within 1 h`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.written(), self.asks())?;
        let form = match self.form {
            Form::Range => String::new(),
            Form::Readings(count) => format!(", {count} readings compared"),
            Form::Gradient => ", as a gradient in both halves".to_owned(),
        };
        f.write_str(&form)?;
        if let Some(part) = self.or_part_of_absolute {
            write!(f, ", or {} % of the absolute temperature", part * 100.0)?;
        }
        if let Some(part) = self.only_under_limit_by {
            write!(f, ", only {} % or more under the temperature limit", part * 100.0)?;
        }
        Ok(())
    }
}

/// Why a text is not a criterion.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no criterion for steady state: write kelvin within a time of 10 s to 7 d, e.g. `1 K/h` or `2 K/30 min`, or \
     one of {}",
    names()
)]
pub struct CriterionError {
    /// What was written.
    pub text: String,
}

fn names() -> String {
    CRITERIA.map(|criterion| format!("`{}`", criterion.name)).join(", ")
}

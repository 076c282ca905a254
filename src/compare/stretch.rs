//! Stretches of runs: of a soak the beginning may be held against the end, and each few hours looked at by themselves.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::base::clock::Instant;
use crate::base::span::{parse_span, render_span_exactly};

/// `start` and `end` without a length are one part in so many of a run, as in the report of a soak.
const PARTS: u32 = 10;

/// Which stretch of a run is looked at, by its points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stretch {
    /// All of it.
    #[default]
    Whole,
    /// So much from its first point on; a tenth of the run where it is not told.
    First(Option<Duration>),
    /// So much before its last point.
    Last(Option<Duration>),
    /// From so long after the first point, to before so long after it.
    Between(Duration, Duration),
    /// The captures of a phase of a soak, by its place in the profile; where they lie in time they alone say.
    Phase(u16),
}

/// A stretch of one run by its clock, both ends within.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Where it begins.
    pub from: Instant,
    /// Where it ends.
    pub to: Instant,
}

impl Window {
    /// Whether a time lies in it.
    #[must_use]
    pub fn holds(self, at: Instant) -> bool {
        self.from <= at && at <= self.to
    }
    /// Whether they have a time in common.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.from <= other.to && other.from <= self.to
    }
    /// How long it is.
    #[must_use]
    pub fn lasts(self) -> Duration {
        self.to.since(self.from)
    }
}

impl Stretch {
    /// Where it lies in a run whose points lie there.
    #[must_use]
    pub fn in_run(self, points: Window) -> Window {
        let Window { from, to } = points;
        let or_a_part = |span: Option<Duration>| span.unwrap_or(points.lasts() / PARTS);
        match self {
            Self::Whole | Self::Phase(_) => points,
            Self::First(span) => Window { from, to: from + or_a_part(span) },
            Self::Last(span) => {
                let begin = Instant(0) + to.since(Instant(0) + or_a_part(span));
                Window { from: begin.max(from), to }
            }
            Self::Between(begin, end) => {
                // A point at the border belongs to the next stretch.
                Window { from: from + begin, to: from + end.saturating_sub(Duration::from_nanos(1)) }
            }
        }
    }
}

/// Two stretches of the same runs, the first held against the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretches {
    /// The one that is held against.
    pub before: Stretch,
    /// The one in which something may have changed.
    pub after: Stretch,
}

impl FromStr for Stretches {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (before, after) = text.split_once(',').ok_or_else(|| {
            format!("`{text}` names one stretch: write two, e.g. `start,end` or `1h..3h,end:2h`")
        })?;
        Ok(Self { before: before.parse()?, after: after.parse()? })
    }
}

impl FromStr for Stretch {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let fault = |why: String| {
            format!(
                "`{text}` is no stretch of a run ({why}): write `start`, `end`, `start:2h`, `end:2h` or `2h..4h`"
            )
        };
        let span = |text: &str| parse_span(text).map_err(|error| fault(error.reason));
        let text = text.trim();
        if let Some((from, to)) = text.split_once("..") {
            let (from, to) = (span(from)?, span(to)?);
            return if from < to {
                Ok(Self::Between(from, to))
            } else {
                Err(fault("it ends before it begins".to_owned()))
            };
        }
        let (word, length) = match text.split_once(':') {
            Some((word, length)) => (word, Some(span(length)?)),
            None => (text, None),
        };
        if length.is_some_and(|length| length.is_zero()) {
            return Err(fault("it has no length".to_owned()));
        }
        match word {
            "start" => Ok(Self::First(length)),
            "end" => Ok(Self::Last(length)),
            _ => Err(fault("it begins with neither word".to_owned())),
        }
    }
}

impl fmt::Display for Stretch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |span: &Option<Duration>| {
            span.map_or_else(|| "a tenth of the run".to_owned(), render_span_exactly)
        };
        match self {
            Self::Whole => f.pad("the whole run"),
            Self::Phase(place) => f.pad(&format!("phase {}", u32::from(*place) + 1)),
            Self::First(span) => f.pad(&format!("the start ({})", part(span))),
            Self::Last(span) => f.pad(&format!("the end ({})", part(span))),
            Self::Between(from, to) => {
                f.pad(&format!("{} to {}", render_span_exactly(*from), render_span_exactly(*to)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn run(hours: u32) -> Window {
        let from = Instant(7_000_000_000);
        Window { from, to: from + HOUR * hours }
    }

    #[test]
    fn stretches_are_read_as_they_are_written_and_told_in_words() {
        let table = [
            ("start", Stretch::First(None), "the start (a tenth of the run)"),
            ("end:90min", Stretch::Last(Some(HOUR * 3 / 2)), "the end (1 h 30 min)"),
            (" start:2h", Stretch::First(Some(HOUR * 2)), "the start (2 h)"),
            ("0h..6h", Stretch::Between(Duration::ZERO, HOUR * 6), "0 s to 6 h"),
        ];
        for (text, expected, words) in table {
            let found: Stretch = text.parse().unwrap();
            assert_eq!((found, found.to_string().as_str()), (expected, words), "{text}");
        }
        for wrong in [
            "",
            "middle",
            "start:",
            "start:0s",
            "start:-1h",
            "4h..2h",
            "2h..2h",
            "1h..",
            "end:NaN h",
            "end:1e300h",
        ] {
            assert!(wrong.parse::<Stretch>().unwrap_err().contains("is no stretch"), "{wrong}");
        }
        assert!("start".parse::<Stretches>().unwrap_err().contains("names one stretch"));
    }

    #[test]
    fn a_point_at_the_border_of_two_stretches_lies_in_one_of_them() {
        let run = run(12);
        let of = |text: &str| text.parse::<Stretch>().unwrap().in_run(run);
        let border = run.from + HOUR * 6;
        assert!(!of("0h..6h").holds(border) && of("6h..12h").holds(border));
        assert!(!of("0h..6h").overlaps(of("6h..12h")) && of("start:7h").overlaps(of("end:7h")));
        assert_eq!(of("start").lasts(), HOUR * 12 / 10);
        assert_eq!((of("end").to, of("end").lasts()), (run.to, HOUR * 12 / 10));
        // Longer than the run is all of it.
        assert_eq!(of("end:100h"), run);
    }
}

//! A run's place in an order of runs that was laid down before the first of them.

use std::fmt;
use std::str::FromStr;

use crate::base::names::OrderName;

/// The most runs of an order: more than a bench makes in its life, and a bound for what is typed or read.
pub const MOST_RUNS: u32 = 100_000;

/// The place of a run in an order of runs, as `soakrig plan --compare` gives it: `3f2a9c10:2/12`, or with `:reference` behind
/// it for a run of the reference board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Which order.
    pub order: OrderName,
    /// Its place there, from 1.
    pub number: u32,
    /// How many runs the order has.
    pub of: u32,
    /// Whether it is a run of the reference board, which only tells how the bench drifts.
    pub is_reference: bool,
}

impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reference = if self.is_reference { ":reference" } else { "" };
        write!(f, "{}:{}/{}{reference}", self.order, self.number, self.of)
    }
}

/// Why a text is no turn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no place in an order of runs; one looks like `3f2a9c10:2/12` or `3f2a9c10:1/12:reference`")]
pub struct TurnError(String);

impl FromStr for Turn {
    type Err = TurnError;

    fn from_str(text: &str) -> Result<Self, TurnError> {
        let fault = || TurnError(text.chars().take(80).collect());
        let (order, rest) = text.split_once(':').ok_or_else(fault)?;
        let (place, is_reference) = match rest.split_once(':') {
            None => (rest, false),
            Some((place, "reference")) => (place, true),
            Some(_) => return Err(fault()),
        };
        let (number, of) = place.split_once('/').ok_or_else(fault)?;
        let count = |digits: &str| digits.parse::<u32>().map_err(|_| fault());
        Self::checked(order.parse().map_err(|_| fault())?, (count(number)?, count(of)?), is_reference)
            .ok_or_else(fault)
    }
}

impl Turn {
    /// A turn, if there can be such a one.
    #[must_use]
    pub fn checked(order: OrderName, (number, of): (u32, u32), is_reference: bool) -> Option<Self> {
        ((1..=of).contains(&number) && of <= MOST_RUNS).then_some(Self { order, number, of, is_reference })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_reads_as_it_is_written_and_nothing_else_does() {
        for written in ["3f2a9c10:2/12", "lot-7:1/1:reference", "x:100000/100000"] {
            assert_eq!(written.parse::<Turn>().unwrap().to_string(), written);
        }
        for wrong in [
            "",
            "x",
            "x:1",
            "x:0/3",
            "x:4/3",
            "x:1/3:",
            "x:1/3:ref",
            ":1/3",
            "x:1/100001",
            "x:-1/3",
            "x:1/3/4",
        ] {
            assert!(wrong.parse::<Turn>().is_err(), "{wrong}");
        }
    }
}

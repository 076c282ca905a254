//! A run's place in an order of runs that was laid down before the first of them.

use std::fmt;
use std::str::FromStr;

use super::Board;
use crate::base::names::OrderName;

/// The most runs of an order: more than a bench makes in its life, and a bound for what is typed or read.
pub const MOST_RUNS: u32 = 100_000;

/// The place of a run in an order of runs, as `soakrig plan --compare` gives it: `3f2a9c10:2/12:A/3`, with the revision and the
/// serial number of the board that the order has there; `:reference` stands in front of these for a run of the reference board. The
/// board may be missing: then nothing tells whether another one was measured.
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
    /// The board that the order has there, where that was told.
    pub board: Option<Board>,
}

impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reference = if self.is_reference { ":reference" } else { "" };
        write!(f, "{}:{}/{}{reference}", self.order, self.number, self.of)?;
        self.board.as_ref().map_or(Ok(()), |board| write!(f, ":{}/{}", board.revision, board.serial))
    }
}

/// Why a text is no turn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no place in an order of runs; one looks like `3f2a9c10:2/12:A/3` or `3f2a9c10:1/12:reference:A/3`"
)]
pub struct TurnError(String);

impl FromStr for Turn {
    type Err = TurnError;

    fn from_str(text: &str) -> Result<Self, TurnError> {
        let fault = || TurnError(text.chars().take(80).collect());
        let (order, rest) = text.split_once(':').ok_or_else(fault)?;
        let (place, behind) =
            rest.split_once(':').map_or((rest, None), |(place, behind)| (place, Some(behind)));
        let (is_reference, board) = match behind {
            None => (false, None),
            Some("reference") => (true, None),
            Some(behind) => match behind.strip_prefix("reference:") {
                Some(board) => (true, Some(board)),
                None => (false, Some(behind)),
            },
        };
        let board = board.map(|board| {
            let (revision, serial) = board.split_once('/').ok_or_else(fault)?;
            let revision = revision.parse().map_err(|_| fault())?;
            Ok(Board { revision, serial: serial.parse().map_err(|_| fault())? })
        });
        let (number, of) = place.split_once('/').ok_or_else(fault)?;
        let count = |digits: &str| digits.parse::<u32>().map_err(|_| fault());
        let order = order.parse().map_err(|_| fault())?;
        Self::checked(order, (count(number)?, count(of)?), is_reference, board.transpose()?).ok_or_else(fault)
    }
}

impl Turn {
    /// A turn, if there can be such a one.
    #[must_use]
    pub fn checked(
        order: OrderName,
        (number, of): (u32, u32),
        is_reference: bool,
        board: Option<Board>,
    ) -> Option<Self> {
        ((1..=of).contains(&number) && of <= MOST_RUNS).then_some(Self {
            order,
            number,
            of,
            is_reference,
            board,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_reads_as_it_is_written_and_nothing_else_does() {
        for written in
            ["3f2a9c10:2/12", "lot-7:1/1:reference", "x:100000/100000", "x:2/3:A/b-1", "x:1/3:reference:A/r"]
        {
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
            "x:1/3:A",
            "x:1/3:A/",
            "x:1/3:A/1/2",
            "x:1/3:A/1:reference",
        ] {
            assert!(wrong.parse::<Turn>().is_err(), "{wrong}");
        }
    }
}

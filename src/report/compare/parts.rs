//! Which part of a comparison's page a quantity belongs to.

use crate::compare::quantity::Quantity;
use crate::event::FigureName as F;

/// A part of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum Part {
    /// What the change was made for.
    Bought,
    /// In which bands of frequency.
    Where,
    /// What it costs.
    Price,
    /// The other figures of what rides on the output.
    Beside,
    /// How the board works.
    Work,
}

impl Part {
    /// All parts, in the order of the page.
    pub(in crate::report) const ALL: [Self; 5] =
        [Self::Bought, Self::Where, Self::Price, Self::Beside, Self::Work];

    /// Its heading; between stretches of the same runs nobody bought anything.
    pub(in crate::report) const fn heading(self, is_within_runs: bool) -> &'static str {
        match self {
            Self::Bought if is_within_runs => "what rides on the output",
            Self::Bought => "what it bought",
            Self::Where => "where in the spectrum",
            Self::Price if is_within_runs => "output voltage, losses and temperature",
            Self::Price => "what it costs",
            Self::Beside => "the same by other measures",
            Self::Work => "how the board works",
        }
    }
}

/// The part of a quantity.
#[must_use]
pub(in crate::report) const fn part(quantity: Quantity) -> Part {
    match quantity {
        Quantity::Figure(F::NoisePp20Mhz | F::RipplePp | F::NoisePpFull | F::SpikePos | F::SpikeNeg) => {
            Part::Bought
        }
        Quantity::Band(_) => Part::Where,
        Quantity::Figure(F::Vout | F::Efficiency | F::Loss)
        | Quantity::LoadRegulation
        | Quantity::Rise
        | Quantity::StartUp => Part::Price,
        Quantity::Figure(
            F::Mean
            | F::InputPower
            | F::BoardTemperature
            | F::Settle
            | F::Switching
            | F::Duty
            | F::PeriodStd
            | F::Ringing,
        ) => Part::Work,
        Quantity::Figure(_) => Part::Beside,
    }
}

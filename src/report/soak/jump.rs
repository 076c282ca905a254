//! Between which two of several looks a value changed most: sweeps, or rounds of a phase, with other things between them. Pure.

use crate::base::units::with_prefix;

/// A difference counts where it is this many times the largest of the others.
const STANDS_OUT: f64 = 3.0;

/// The difference between two neighbouring looks that stands out from all others. No interval stands behind it: the looks are
/// few.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Jump {
    /// The look before it.
    pub before: u32,
    /// The look behind it.
    pub behind: u32,
    /// By how much the value changed.
    pub change: f64,
    /// The largest of the other differences, without its sign.
    pub others: f64,
}

impl Jump {
    /// The one difference that stands out among numbered values; `None` where none does, or where there are fewer than three
    /// values: then nothing says how much they differ anyway.
    #[must_use]
    pub fn among(values: &[(u32, f64)]) -> Option<Self> {
        let differences = || values.windows(2).map(|pair| (pair[0].0, pair[1].0, pair[1].1 - pair[0].1));
        let (before, behind, change) = differences().max_by(|a, b| a.2.abs().total_cmp(&b.2.abs()))?;
        let others = differences().filter(|one| one.0 != before).map(|one| one.2.abs()).reduce(f64::max)?;
        (change.abs() > STANDS_OUT * others).then_some(Self { before, behind, change, others })
    }

    /// `+20.1 mV from sweep 2 to 3, else 0.4 mV at most`.
    #[must_use]
    pub fn told(&self, noun: &str, unit: &str) -> String {
        let show = |value: f64| match unit {
            "°C" => format!("{value:.2} K"),
            "" => format!("{:.2} %-points", value * 100.0),
            unit => with_prefix(value, unit),
        };
        let sign = if self.change < 0.0 { "−" } else { "+" };
        // What binary fractions leave of nothing is nothing.
        let others = if self.others < 1e-6 * self.change.abs() { 0.0 } else { self.others };
        let (change, others) = (show(self.change.abs()), show(others));
        format!("{sign}{change} from {noun} {} to {}, else {others} at most", self.before, self.behind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_difference_that_stands_out_is_told_and_a_drift_or_two_values_tell_none() {
        let numbered = |values: &[f64]| -> Vec<(u32, f64)> { (1..).zip(values.iter().copied()).collect() };
        let told = |values: &[f64]| Jump::among(&numbered(values)).map(|jump| jump.told("sweep", "V"));
        assert_eq!(
            told(&[5.0, 5.001, 5.021, 5.022]).as_deref(),
            Some("+20 mV from sweep 2 to 3, else 1 mV at most")
        );
        assert_eq!(told(&[5.021, 5.021, 5.0]).as_deref(), Some("−21 mV from sweep 2 to 3, else 0 V at most"));
        assert_eq!(told(&[5.0, 5.01, 5.02, 5.03]), None, "a drift");
        assert_eq!(told(&[5.0, 5.02, 5.0]), None, "there and back");
        assert_eq!(told(&[5.0, 5.02]), None);
        assert_eq!(told(&[f64::NAN, 5.0, 5.0]), None);
        assert_eq!(told(&[]), None);
    }
}

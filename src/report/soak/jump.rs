//! Between which two of several looks a value changed most: sweeps, or rounds of a phase, with other things between them. Pure.

use crate::base::distribution::t_quantile;
use crate::base::units::with_prefix;

/// A difference counts where it is this many times the largest of the others.
const STANDS_OUT: f64 = 3.0;

/// Where single looks at several settings are held against each other, it counts where chance alone makes one of that size, among
/// the other differences, so seldom: of two that are chance alone, one is three times the other two times in five.
const SELDOM: f64 = 1e-3;

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

    /// Whether it stands out of the differences of all settings, too: those between any two looks but its own, for what changes a
    /// board shows in all of them.
    #[must_use]
    pub fn stands_out_of(&self, settings: &[Vec<(u32, f64)>]) -> bool {
        let pairs = settings.iter().flat_map(|values| values.windows(2));
        let others: Vec<f64> =
            pairs.filter(|pair| pair[0].0 != self.before).map(|pair| pair[1].1 - pair[0].1).collect();
        let freedom = others.len() as f64;
        let square = others.iter().map(|change| change * change).sum::<f64>() / freedom;
        t_quantile(1.0 - SELDOM / 2.0, freedom)
            .is_some_and(|quantile| self.change.abs() > quantile * square.sqrt())
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
    fn a_change_of_a_single_look_counts_only_where_it_stands_out_of_those_of_all_settings() {
        let settings = |scatter: f64| -> Vec<Vec<(u32, f64)>> {
            let one = |place: u32| vec![(1, 5.0), (2, 5.0 + scatter * f64::from(place % 3)), (3, 5.02)];
            (0..6).map(one).collect()
        };
        let jump = |settings: &[Vec<(u32, f64)>]| Jump::among(&settings[0]).unwrap();
        let quiet = settings(0.001);
        assert!(jump(&quiet).stands_out_of(&quiet));
        let loud = settings(0.004);
        assert!(!jump(&loud).stands_out_of(&loud), "4 mV here and there are what 20 mV are held against");
        assert!(!jump(&quiet).stands_out_of(&[]), "nothing says how much looks differ");
        let few = [vec![(1, 5.0), (2, 5.001), (3, 5.02)]];
        assert!(!jump(&few).stands_out_of(&few), "one other difference says nearly nothing");
    }

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

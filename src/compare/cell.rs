//! Where something was measured, and what a board showed there.

use std::fmt;

use crate::base::units::{Amps, Volts};
use crate::event::Setting;
use crate::waveform::Bound;

/// Millionths: settings are matched to a microvolt and a microampere, far under what any supply can set.
const STEP: f64 = 1e-6;

/// A point of the comparison: input voltage and load, or one of them for what is made of several points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    vin: Option<i64>,
    load: Option<i64>,
}

impl Place {
    /// No place stands before it in their order.
    pub(super) const FIRST: Self = Self { vin: None, load: None };
    /// No place stands behind it.
    pub(super) const LAST: Self = Self { vin: Some(i64::MAX), load: Some(i64::MAX) };

    /// Where a setting stands.
    #[must_use]
    pub fn of(setting: Setting) -> Self {
        Self { vin: Some(steps(setting.vin.value())), load: Some(steps(setting.load.value())) }
    }
    /// The same input voltage at any load.
    #[must_use]
    pub const fn at_any_load(self) -> Self {
        Self { vin: self.vin, load: None }
    }
    /// The same load at any input voltage.
    #[must_use]
    pub const fn at_any_vin(self) -> Self {
        Self { vin: None, load: self.load }
    }
    /// Input voltage; `None` where it is made of several.
    #[must_use]
    pub fn vin(self) -> Option<Volts> {
        self.vin.map(|steps| Volts(value(steps)))
    }
    /// What was set; `None` where it is made of several points.
    #[must_use]
    pub fn setting(self) -> Option<Setting> {
        Some(Setting { vin: self.vin()?, load: self.load()? })
    }
    /// Load current; `None` where it is made of several.
    #[must_use]
    pub fn load(self) -> Option<Amps> {
        self.load.map(|steps| Amps(value(steps)))
    }
}

fn steps(value: f64) -> i64 {
    (value / STEP).round() as i64
}

/// A division gives the value as it was written, a multiplication would give 0.30000000000000004.
fn value(steps: i64) -> f64 {
    steps as f64 / (1.0 / STEP)
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.vin(), self.load()) {
            (Some(vin), Some(load)) => f.pad(&format!("{vin}, {load}")),
            (Some(vin), None) => f.pad(&vin.to_string()),
            (None, Some(load)) => f.pad(&load.to_string()),
            (None, None) => f.pad("everywhere"),
        }
    }
}

/// What a board showed at a place: the mean over its repeats, in the scale of the quantity.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Cell {
    count: u32,
    mean: f64,
    /// Sum of the squared deviations from the mean.
    squares: f64,
    /// How many of the values are no more than an upper bound, and how many no less than a lower one.
    upper: u32,
    lower: u32,
}

impl Cell {
    /// A cell of one value.
    #[must_use]
    pub fn one(value: f64, bound: Option<Bound>) -> Self {
        Self {
            count: 1,
            mean: value,
            squares: 0.0,
            upper: u32::from(bound == Some(Bound::Upper)),
            lower: u32::from(bound == Some(Bound::Lower)),
        }
    }
    /// Takes the values of another cell in.
    pub fn merge(&mut self, other: &Self) {
        let (own, new) = (f64::from(self.count), f64::from(other.count));
        let total = own + new;
        if total == 0.0 {
            return;
        }
        let step = other.mean - self.mean;
        self.mean += step * new / total;
        self.squares += other.squares + step * step * own * new / total;
        self.count += other.count;
        self.upper += other.upper;
        self.lower += other.lower;
    }
    /// How many repeats.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.count
    }
    /// Their mean.
    #[must_use]
    pub const fn mean(&self) -> f64 {
        self.mean
    }
    /// Their standard deviation; `None` for a single one.
    #[must_use]
    pub fn spread(&self) -> Option<f64> {
        (self.count > 1).then(|| (self.squares / f64::from(self.count - 1)).sqrt())
    }
    /// Whether the mean is a value, a bound, or neither, because some of the values are bounds from above and some from below.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match (self.upper, self.lower) {
            (0, 0) => Kind::Value,
            (_, 0) => Kind::Bound(Bound::Upper),
            (0, _) => Kind::Bound(Bound::Lower),
            _ => Kind::Nothing,
        }
    }
}

/// What a mean over repeats stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A value.
    Value,
    /// A bound on the truth: a mean of values and upper bounds is an upper bound.
    Bound(Bound),
    /// Neither.
    Nothing,
}

impl Kind {
    /// What a change is, of what stands before and after. What is no more than told after, or no less than told before, makes the
    /// change no more than told: there it falls by at least that. Two bounds that leave each other room, such as two values at the
    /// noise, tell nothing of it.
    #[must_use]
    pub const fn of_change(before: Self, after: Self) -> Self {
        use Bound::{Lower, Upper};
        match (before, after) {
            (Self::Value, Self::Value) => Self::Value,
            (Self::Value, Self::Bound(Upper)) | (Self::Bound(Lower), Self::Value | Self::Bound(Upper)) => {
                Self::Bound(Upper)
            }
            (Self::Value, Self::Bound(Lower)) | (Self::Bound(Upper), Self::Value | Self::Bound(Lower)) => {
                Self::Bound(Lower)
            }
            _ => Self::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(values: &[f64]) -> Cell {
        let mut cell = Cell::default();
        values.iter().for_each(|value| cell.merge(&Cell::one(*value, None)));
        cell
    }

    #[test]
    fn cells_merged_in_any_way_are_the_cell_of_all_values() {
        let all = cell(&[1.0, 4.0, 4.0, 7.0, 9.5]);
        let mut parts = cell(&[1.0, 4.0]);
        parts.merge(&cell(&[]));
        parts.merge(&cell(&[4.0, 7.0, 9.5]));
        assert_eq!(parts.count(), 5);
        assert!((parts.mean() - 5.1).abs() < 1e-12 && (all.mean() - 5.1).abs() < 1e-12);
        assert!((parts.spread().unwrap() - all.spread().unwrap()).abs() < 1e-12);
        assert_eq!(cell(&[3.0]).spread(), None);
    }

    #[test]
    fn a_mean_that_holds_a_bound_is_a_bound() {
        let mut mixed = cell(&[1.0]);
        mixed.merge(&Cell::one(2.0, Some(Bound::Upper)));
        assert_eq!(mixed.kind(), Kind::Bound(Bound::Upper));
        mixed.merge(&Cell::one(2.0, Some(Bound::Lower)));
        assert_eq!(mixed.kind(), Kind::Nothing);
        assert_eq!(cell(&[1.0]).kind(), Kind::Value);
    }

    #[test]
    fn a_change_is_as_known_as_both_of_its_sides_are() {
        use Kind::{Nothing, Value};
        let (least, most) = (Kind::Bound(Bound::Lower), Kind::Bound(Bound::Upper));
        let table = [
            (Value, Value, Value),
            // At the noise after: the change is at most that, so it falls by at least that.
            (Value, most, most),
            // At the noise before: it falls by at most that.
            (most, Value, least),
            (most, most, Nothing),
            (Value, least, least),
            (least, Value, most),
            (least, least, Nothing),
            (most, least, least),
            (least, most, most),
            (Nothing, Value, Nothing),
            (Value, Nothing, Nothing),
            (Nothing, most, Nothing),
        ];
        for (before, after, expected) in table {
            assert_eq!(Kind::of_change(before, after), expected, "{before:?} {after:?}");
        }
    }

    #[test]
    fn settings_that_differ_by_rounding_alone_are_one_place() {
        let at = |vin: f64, load: f64| Place::of(Setting { vin: Volts(vin), load: Amps(load) });
        assert_eq!(at(0.1 + 0.2, 0.03), at(0.3, 0.03));
        assert_ne!(at(12.0, 0.03), at(12.001, 0.03));
        assert_eq!(at(24.0, 0.03).to_string(), "24 V, 30 mA");
        assert_eq!(at(0.3, 0.0).vin(), Some(Volts(0.3)));
        assert_eq!(at(24.0, 0.03).at_any_vin().to_string(), "30 mA");
    }
}

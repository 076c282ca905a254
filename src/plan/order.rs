//! In which order points are taken.

use super::profile::Order;
use super::step::PlannedPoint;
use crate::base::random::Random;
use crate::base::units::{Amps, Volts};
use crate::event::{PointId, Setting};

/// The points in the order of measurement. Repeats are whole passes over all points, not the same point again at once: a
/// drift then shows as a difference between passes.
pub(super) fn arrange(vin: &[Volts], load: &[Amps], order: Order, repeats: u32) -> Vec<PlannedPoint> {
    let mut random = Random::seeded(match order {
        Order::Shuffled { seed } => seed,
        Order::Written | Order::Snake => 0,
    });
    let mut points = Vec::new();
    for repeat in 1..=repeats {
        let mut pass = match order {
            Order::Written | Order::Shuffled { .. } => rows(vin, load, |_| false),
            Order::Snake => rows(vin, load, |row| row % 2 == 1),
        };
        if matches!(order, Order::Shuffled { .. }) {
            shuffle(&mut pass, &mut random);
        }
        for setting in pass {
            let id = PointId(u32::try_from(points.len() + 1).unwrap_or(u32::MAX));
            points.push(PlannedPoint { id, setting, repeat, phase: None });
        }
    }
    points
}

fn rows(vin: &[Volts], load: &[Amps], is_backwards: impl Fn(usize) -> bool) -> Vec<Setting> {
    let mut settings = Vec::with_capacity(vin.len() * load.len());
    for (row, vin) in vin.iter().enumerate() {
        let along = |load: &Amps| Setting { vin: *vin, load: *load };
        if is_backwards(row) {
            settings.extend(load.iter().rev().map(along));
        } else {
            settings.extend(load.iter().map(along));
        }
    }
    settings
}

/// Fisher and Yates's shuffle.
pub(super) fn shuffle<T>(items: &mut [T], random: &mut Random) {
    for last in (1..items.len()).rev() {
        let pick = random.below(last + 1);
        items.swap(last, pick);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn drawn(order: Order, repeats: u32) -> String {
        let points = arrange(&[Volts(12.0), Volts(24.0)], &[Amps(0.0), Amps(0.1), Amps(0.5)], order, repeats);
        let shown = |point: &PlannedPoint| {
            format!("{}:{}/{}#{}", point.id.0, point.setting.vin, point.setting.load, point.repeat)
        };
        points.iter().map(shown).collect::<Vec<_>>().join("  ")
    }

    #[test]
    fn points_are_taken_as_written_as_a_snake_or_shuffled() {
        let drawn = [drawn(Order::Written, 1), drawn(Order::Snake, 2), drawn(Order::Shuffled { seed: 7 }, 1)];
        insta::assert_snapshot!(drawn.join("\n"), @"
        1:12 V/0 A#1  2:12 V/100 mA#1  3:12 V/500 mA#1  4:24 V/0 A#1  5:24 V/100 mA#1  6:24 V/500 mA#1
        1:12 V/0 A#1  2:12 V/100 mA#1  3:12 V/500 mA#1  4:24 V/500 mA#1  5:24 V/100 mA#1  6:24 V/0 A#1  7:12 V/0 A#2  8:12 V/100 mA#2  9:12 V/500 mA#2  10:24 V/500 mA#2  11:24 V/100 mA#2  12:24 V/0 A#2
        1:12 V/100 mA#1  2:24 V/500 mA#1  3:12 V/0 A#1  4:12 V/500 mA#1  5:24 V/100 mA#1  6:24 V/0 A#1
        ");
    }

    proptest! {
        #[test]
        fn every_order_takes_every_point_once_a_pass(
            rows in 1usize..8, columns in 1usize..8, seed: u64, repeats in 1u32..4, kind in 0u8..3,
        ) {
            let order = match kind {
                0 => Order::Written,
                1 => Order::Snake,
                _ => Order::Shuffled { seed },
            };
            let vin: Vec<Volts> = (0..rows).map(|row| Volts(row as f64)).collect();
            let load: Vec<Amps> = (0..columns).map(|column| Amps(column as f64)).collect();
            let points = arrange(&vin, &load, order, repeats);
            prop_assert_eq!(points.len(), rows * columns * repeats as usize);
            let mut seen: Vec<(u32, u64, u64)> = points
                .iter()
                .map(|point| (point.repeat, point.setting.vin.0 as u64, point.setting.load.0 as u64))
                .collect();
            seen.sort_unstable();
            seen.dedup();
            prop_assert_eq!(seen.len(), points.len());
            prop_assert!(points.iter().enumerate().all(|(index, point)| point.id.0 as usize == index + 1));
        }
    }
}

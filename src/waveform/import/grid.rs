//! The converter's grid under printed volts. Eight bits give at most 256 different values, evenly spaced but for the
//! rounding of the print; found again, they give codes with the true step, and a quarter of the memory.

use crate::waveform::{Codes, Scaling};

/// How finely a channel's numbers were printed, as powers of ten over all its numbers but zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Print {
    /// The finest digit that is not 0 anywhere: every number is a whole multiple of it.
    pub(super) finest: i16,
    /// The coarsest last digit: numbers are rounded to it at worst.
    pub(super) coarsest: i16,
}

/// An even grid: `volts = offset_v + code * step_v`, codes from 0 to `last`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Grid {
    offset_v: f64,
    step_v: f64,
    last: usize,
    /// Whether every value lies on it but for the last bits of its float.
    is_exact: bool,
}

/// From fewer different values no step is concluded.
const FEW: usize = 6;
/// So many different values must lie on a grid before they are moved onto it.
const MANY: usize = 24;
/// A converter's step is told from the print's from so many of its units on.
const CLEAR_OF_PRINT: f64 = 3.0;
const MOST_VALUES: usize = 1 << 16;

/// Samples on the grid they lie on, or as they are where there is none. `print` is `None` for binary numbers.
pub(super) fn find_codes(samples: Vec<f32>, print: Option<Print>) -> (Codes, Scaling) {
    let grid = distinct(&samples).and_then(|values| find_grid(&values, print));
    let Some(grid) = grid else {
        return (Codes::F32(samples), Scaling::VOLTS);
    };
    let code = |volts: f32| ((f64::from(volts) - grid.offset_v) / grid.step_v).round();
    let scaling = |zero_code| Scaling {
        volts_per_code: grid.step_v,
        zero_code,
        offset_v: grid.offset_v,
        ..Scaling::VOLTS
    };
    if grid.last <= usize::from(u8::MAX) {
        return (Codes::U8(samples.into_iter().map(|volts| code(volts) as u8).collect()), scaling(0.0));
    }
    let shift = -f64::from(i16::MIN);
    (Codes::I16(samples.into_iter().map(|volts| (code(volts) - shift) as i16).collect()), scaling(-shift))
}

/// The different values in rising order, or `None` of too many.
fn distinct(samples: &[f32]) -> Option<Vec<f64>> {
    let mut seen = std::collections::HashSet::new();
    let mut last = None;
    for sample in samples {
        // -0 is 0.
        let sample = sample + 0.0;
        if last != Some(sample) {
            last = Some(sample);
            if seen.insert(sample.to_bits()) && seen.len() > MOST_VALUES {
                return None;
            }
        }
    }
    let mut values: Vec<f64> = seen.into_iter().map(|bits| f64::from(f32::from_bits(bits))).collect();
    values.sort_by(f64::total_cmp);
    Some(values)
}

fn find_grid(values: &[f64], print: Option<Print>) -> Option<Grid> {
    let (first, last) = (*values.first()?, *values.last()?);
    // f32 keeps 24 bits; a file of f32 was computed in them.
    let float_v = first.abs().max(last.abs()) * f64::from(f32::EPSILON);
    let rounding_v = float_v + print.map_or(float_v, |print| 0.51 * 10f64.powi(i32::from(print.coarsest)));
    if values.len() < FEW {
        // The distance of two levels says nothing of the converter's step; the print is all that is known.
        return walk(values, 10f64.powi(i32::from(print?.finest)), rounding_v);
    }
    // Nearly every number lies near a grid hardly wider than the print's own: then the print is the grid, and moves nothing.
    let least_v = print.map_or(0.0, |print| CLEAR_OF_PRINT * 10f64.powi(i32::from(print.finest)));
    let by_gaps = smallest_gap(values, rounding_v)
        .and_then(|gap_v| (1..=4).find_map(|part| walk(values, gap_v / f64::from(part), rounding_v)))
        .filter(|grid| grid.is_exact || grid.step_v >= least_v);
    by_gaps.or_else(|| {
        // No even converter under it, but the print itself is a grid.
        let step_v = 10f64.powi(i32::from(print?.finest));
        walk(values, step_v, 2.0 * float_v)
    })
}

/// The mean of the smallest distances of neighbours, those that rounding can tell from each other left apart.
fn smallest_gap(values: &[f64], rounding_v: f64) -> Option<f64> {
    let gaps = || values.windows(2).map(|pair| pair[1] - pair[0]);
    let least = gaps().fold(f64::INFINITY, f64::min);
    let alike: Vec<f64> =
        gaps().filter(|gap| *gap <= least + 2.0 * rounding_v && *gap < 1.9 * least).collect();
    (!alike.is_empty() && least > 0.0).then(|| alike.iter().sum::<f64>() / alike.len() as f64)
}

/// Goes up the values counting steps, and makes the step better on the way; `None` where a value lies off the grid.
fn walk(values: &[f64], step_v: f64, rounding_v: f64) -> Option<Grid> {
    let (first, last) = (*values.first()?, *values.last()?);
    let float_v = first.abs().max(last.abs()) * f64::from(f32::EPSILON);
    if values.len() == 1 {
        return Some(Grid { offset_v: first, step_v, last: 0, is_exact: true });
    }
    let mut step_v = step_v;
    let mut places = Vec::with_capacity(values.len());
    let mut place = 0.0;
    let mut before = first;
    for value in values {
        place += ((value - before) / step_v).round();
        if place > (MOST_VALUES - 1) as f64 {
            return None;
        }
        places.push(place);
        before = *value;
        // Over a long way the rounding at both ends says little about one step.
        if place >= 8.0 {
            step_v = (value - first) / place;
        }
    }
    let count = values.len() as f64;
    let (mean_place, mean_value) = (places.iter().sum::<f64>() / count, values.iter().sum::<f64>() / count);
    let (mut above, mut below) = (0.0, 0.0);
    for (place, value) in places.iter().zip(values) {
        above += (place - mean_place) * (value - mean_value);
        below += (place - mean_place) * (place - mean_place);
    }
    let step_v = above / below;
    let offset_v = mean_value - mean_place * step_v;
    let off = |(place, value): (&f64, &f64)| (value - offset_v - place * step_v).abs();
    let worst = places.iter().zip(values).map(off).fold(0.0, f64::max);
    let distinct_places = places.windows(2).all(|pair| pair[1] > pair[0]);
    let allowed = (1.1 * rounding_v).min(0.3 * step_v);
    // Numbers that lie beside the grid need company, or any few would fit some grid.
    let is_exact = worst <= 4.0 * float_v;
    let company = values.len() >= MANY;
    (distinct_places && step_v > 0.0 && worst <= allowed && (is_exact || company)).then_some(Grid {
        offset_v,
        step_v,
        last: place as usize,
        is_exact,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Codes printed with so many decimals and read again.
    fn printed(codes: &[i32], step_v: f64, offset_v: f64, decimals: usize) -> Vec<f32> {
        codes
            .iter()
            .map(|code| format!("{:.decimals$}", f64::from(*code) * step_v + offset_v).parse().unwrap())
            .collect()
    }

    fn told(samples: Vec<f32>, print: Option<Print>) -> String {
        let (codes, scaling) = find_codes(samples, print);
        let kind = match &codes {
            Codes::U8(_) => "8 bits",
            Codes::I16(_) => "16 bits",
            Codes::F32(_) => return "no grid".to_owned(),
        };
        format!("{kind}, step {:.6}", scaling.volts_per_code)
    }

    #[test]
    fn the_step_of_the_converter_is_found_through_the_rounding_of_the_print() {
        let all: Vec<i32> = (0..256).map(|i| (i * 37) % 256).collect();
        let gaps: Vec<i32> = all.iter().filter(|code| *code % 7 != 3).copied().collect();
        let wide: Vec<i32> = (0..4096).collect();
        let print = |decimals: i16| Some(Print { finest: -decimals, coarsest: -decimals });
        let noise: Vec<f32> =
            (0..1000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32 / 1e7).collect();
        let rows = [
            ("0.04 V, two decimals", told(printed(&all, 0.04, -5.0, 2), print(2))),
            ("3.90625 mV, three decimals", told(printed(&all, 0.003_906_25, 0.1, 3), print(3))),
            ("3.90625 mV, gaps, three decimals", told(printed(&gaps, 0.003_906_25, 0.1, 3), print(3))),
            ("12 bits, 1.6 mV, four decimals", told(printed(&wide, 0.0016, -3.0, 4), print(4))),
            ("two levels", told(printed(&[0, 200], 0.04, 0.0, 2), print(2))),
            ("one level", told(vec![1.25; 9], print(2))),
            ("floats of codes", told(all.iter().map(|c| *c as f32 * 0.0137 - 1.1).collect(), None)),
            ("noise as floats", told(noise.clone(), None)),
            ("noise, nine decimals", told(noise, print(9))),
        ];
        let rows: Vec<String> = rows.iter().map(|(name, told)| format!("{name}: {told}")).collect();
        insta::assert_snapshot!(rows.join("\n"), @"
        0.04 V, two decimals: 8 bits, step 0.040000
        3.90625 mV, three decimals: 8 bits, step 0.003906
        3.90625 mV, gaps, three decimals: 8 bits, step 0.003906
        12 bits, 1.6 mV, four decimals: 16 bits, step 0.001600
        two levels: 16 bits, step 0.010000
        one level: 8 bits, step 0.010000
        floats of codes: 8 bits, step 0.013700
        noise as floats: no grid
        noise, nine decimals: no grid
        ");
    }

    proptest! {
        #[test]
        fn codes_read_back_within_the_rounding_of_the_print(
            codes in prop::collection::vec(-128i32..128, 1..300),
            step_mv in 1.0f64..400.0,
            offset_v in -20.0f64..20.0,
            decimals in 3usize..7,
        ) {
            let samples = printed(&codes, step_mv / 1000.0, offset_v, decimals);
            let digit = -(decimals as i16);
            let (found, scaling) = find_codes(samples.clone(), Some(Print { finest: digit, coarsest: digit }));
            let values: Vec<f64> = match &found {
                Codes::U8(codes) => codes.iter().map(|c| f64::from(*c)).collect(),
                Codes::I16(codes) => codes.iter().map(|c| f64::from(*c)).collect(),
                Codes::F32(samples) => samples.iter().map(|s| f64::from(*s)).collect(),
            };
            for (value, sample) in values.iter().zip(&samples) {
                let volts = (value - scaling.zero_code) * scaling.volts_per_code + scaling.offset_v;
                prop_assert!((volts - f64::from(*sample)).abs() <= 0.8 * 10f64.powi(digit.into()) + 1e-5);
            }
        }

        #[test]
        fn any_samples_keep_their_number(samples in prop::collection::vec(-1e29f32..1e29, 0..50)) {
            let count = samples.len();
            prop_assert_eq!(find_codes(samples, None).0.len(), count);
        }
    }
}

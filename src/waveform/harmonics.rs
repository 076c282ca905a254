//! The sums of the harmonic fit (R1): samples times cosines and sines of the switching frequency and its multiples.

use super::wide::{Work, widen};
use std::ops::Range;

/// Harmonics fitted together with the fundamental.
pub(super) const HARMONICS: usize = 5;

/// Unknowns of the harmonic fit: a constant, a cosine and a sine each.
pub(super) const UNKNOWNS: usize = 1 + 2 * HARMONICS;

/// Samples that share one table of the fit's functions; the table stays in the processor's nearest memory.
const TABLE: usize = 256;

/// Products that are added side by side.
const LANES: usize = 8;

/// Numbers side by side.
type Row = [f32; LANES];

/// Cosine and sine of each harmonic, of as many samples as a row has lanes.
type Functions = [Row; 2 * HARMONICS];

/// The functions over [`TABLE`] samples, row by row in the order in which they are read.
type Table = [Functions; TABLE / LANES];

fn build_table(step: f64) -> Table {
    let mut table = [[[0.0; LANES]; 2 * HARMONICS]; TABLE / LANES];
    for (index, functions) in table.iter_mut().enumerate() {
        for (number, function) in functions.iter_mut().enumerate() {
            for (lane, value) in function.iter_mut().enumerate() {
                let turn = (number / 2 + 1) as f64 * (index * LANES + lane) as f64 * step;
                *value = if number % 2 == 0 { turn.cos() } else { turn.sin() } as f32;
            }
        }
    }
    table
}

/// Sums of a block: of its samples times each function, and of its samples.
type Parts = (Functions, Row);

/// One block of samples, to be weighed with the functions of the fit.
struct Weigh<'a, R> {
    read: &'a R,
    range: Range<usize>,
    table: &'a Table,
}

/// Sums of so many samples times each of the fit's functions. `read` fills in a range of the samples, less what costs nothing but
/// digits; `step` is the fundamental's turn from one to the next. The sums of a block are f32, those of all blocks f64.
pub(super) fn harmonic_sums(
    samples: usize,
    step: f64,
    read: impl Fn(Range<usize>, &mut [f32]),
) -> [f64; UNKNOWNS] {
    let table = build_table(step);
    let mut sums = [0.0; UNKNOWNS];
    for from in (0..samples).step_by(TABLE) {
        let range = from..samples.min(from + TABLE);
        let (parts, whole) = widen(Weigh { read: &read, range, table: &table });
        // Not where the lanes are made: there a compiler would tear them apart.
        let sum_of = |lanes: &Row| f64::from(lanes.iter().sum::<f32>());
        sums[0] += sum_of(&whole);
        // The table begins anew with each block: its sums are turned by the phase at which the block begins.
        let (turn_sin, turn_cos) = (from as f64 * step).sin_cos();
        let (mut cos, mut sin) = (turn_cos, turn_sin);
        for harmonic in 0..HARMONICS {
            let (re, im) = (sum_of(&parts[2 * harmonic]), sum_of(&parts[2 * harmonic + 1]));
            sums[1 + 2 * harmonic] += cos * re - sin * im;
            sums[2 + 2 * harmonic] += sin * re + cos * im;
            (cos, sin) = (cos * turn_cos - sin * turn_sin, sin * turn_cos + cos * turn_sin);
        }
    }
    sums
}

impl<R: Fn(Range<usize>, &mut [f32])> Work for Weigh<'_, R> {
    type Output = Parts;

    /// Sums of the block, a lane each: its samples times each function of the table, and its samples.
    #[inline(always)]
    fn call(self) -> Parts {
        let count = self.range.len();
        let mut block = [0.0; TABLE];
        (self.read)(self.range, &mut block[..count]);
        let (mut sums, mut whole) = ([[0.0; LANES]; 2 * HARMONICS], [0.0; LANES]);
        for (row, functions) in block.as_chunks::<LANES>().0.iter().zip(self.table) {
            for lane in 0..LANES {
                whole[lane] += row[lane];
            }
            for number in 0..2 * HARMONICS {
                for lane in 0..LANES {
                    sums[number][lane] += row[lane] * functions[number][lane];
                }
            }
        }
        (sums, whole)
    }
}

/// Sums of products of the fit's functions over `count` samples, in closed form (geometric series).
pub(super) fn harmonic_matrix(count: usize, step: f64) -> [[f64; UNKNOWNS]; UNKNOWNS] {
    let n = count as f64;
    // Sum of cos(k w i) and sin(k w i) over i = 0..n.
    let series = |order: i32| -> (f64, f64) {
        let half = f64::from(order) * step / 2.0;
        if half.sin().abs() < 1e-12 {
            return (n, 0.0);
        }
        let ratio = (n * half).sin() / half.sin();
        (ratio * ((n - 1.0) * half).cos(), ratio * ((n - 1.0) * half).sin())
    };
    let mut matrix = [[0.0; UNKNOWNS]; UNKNOWNS];
    matrix[0][0] = n;
    for a in 1..=HARMONICS as i32 {
        let (cos_a, sin_a) = series(a);
        let row = 2 * a as usize - 1;
        (matrix[0][row], matrix[row][0]) = (cos_a, cos_a);
        (matrix[0][row + 1], matrix[row + 1][0]) = (sin_a, sin_a);
        for b in 1..=HARMONICS as i32 {
            let column = 2 * b as usize - 1;
            let ((cos_sum, sin_sum), (cos_less, sin_less)) = (series(a + b), series(a - b));
            matrix[row][column] = (cos_less + cos_sum) / 2.0;
            matrix[row + 1][column + 1] = (cos_less - cos_sum) / 2.0;
            // sin(a) cos(b) = (sin(a + b) + sin(a - b)) / 2
            matrix[row + 1][column] = (sin_sum + sin_less) / 2.0;
            matrix[row][column + 1] = (sin_sum - sin_less) / 2.0;
        }
    }
    matrix
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]
        #[test]
        fn sums_by_blocks_are_the_sums_of_their_definition(
            levels in prop::collection::vec(any::<u16>(), 1..1500), step in 0.001_f64..0.6,
        ) {
            let read = |range: Range<usize>, block: &mut [f32]| {
                let less = levels[range].iter().map(|level| f32::from(*level) - f32::from(levels[0]));
                block.iter_mut().zip(less).for_each(|(place, level)| *place = level);
            };
            let sums = harmonic_sums(levels.len(), step, read);
            let mut expected = [0.0; UNKNOWNS];
            for (index, level) in levels.iter().enumerate() {
                let value = f64::from(*level) - f64::from(levels[0]);
                expected[0] += value;
                for harmonic in 1..=HARMONICS {
                    let (sin, cos) = (harmonic as f64 * index as f64 * step).sin_cos();
                    expected[2 * harmonic - 1] += value * cos;
                    expected[2 * harmonic] += value * sin;
                }
            }
            for (sum, expected) in sums.iter().zip(&expected) {
                prop_assert!((sum - expected).abs() < 3e-7 * 65_536.0 * levels.len() as f64);
            }
        }
    }
}

//! The sums of the harmonic fit (R1): samples times cosines and sines of the switching frequency and its multiples.

use super::wide::widen;
use std::ops::Range;

/// Harmonics fitted together with the fundamental.
pub(super) const HARMONICS: usize = 5;

/// Unknowns of the harmonic fit: a constant, a cosine and a sine each.
pub(super) const UNKNOWNS: usize = 1 + 2 * HARMONICS;

/// Samples that share one table of the fit's functions; the table stays in the processor's nearest memory.
const TABLE: usize = 256;

/// Products that are added side by side.
const LANES: usize = 8;

/// Cosine and sine of each harmonic over [`TABLE`] samples.
type Table = [[[f64; TABLE]; 2]; HARMONICS];

fn build_table(step: f64) -> Table {
    let mut table = [[[0.0; TABLE]; 2]; HARMONICS];
    for (harmonic, [cosines, sines]) in table.iter_mut().enumerate() {
        for (index, (cos, sin)) in cosines.iter_mut().zip(sines).enumerate() {
            (*sin, *cos) = ((harmonic + 1) as f64 * index as f64 * step).sin_cos();
        }
    }
    table
}

/// Sums of so many samples (less their first, which costs nothing but digits) times each of the fit's functions. `read` fills
/// in a range of the samples; `step` is the fundamental's turn from one to the next.
pub(super) fn harmonic_sums(
    samples: usize,
    step: f64,
    read: impl Fn(Range<usize>, &mut [f64]),
) -> [f64; UNKNOWNS] {
    let table = build_table(step);
    let mut base = [0.0];
    read(0..samples.min(1), &mut base);
    let (mut sums, mut block) = ([0.0; UNKNOWNS], [0.0; TABLE]);
    for from in (0..samples).step_by(TABLE) {
        let count = TABLE.min(samples - from);
        let parts = widen(|| {
            read(from..from + count, &mut block[..count]);
            block[..count].iter_mut().for_each(|value| *value -= base[0]);
            block[count..].fill(0.0);
            weigh(&block, &table)
        });
        sums[0] += parts[0];
        // The table begins anew with each block: its sums are turned by the phase at which the block begins.
        let (turn_sin, turn_cos) = (from as f64 * step).sin_cos();
        let (mut cos, mut sin) = (turn_cos, turn_sin);
        for harmonic in 0..HARMONICS {
            let (re, im) = (parts[1 + 2 * harmonic], parts[2 + 2 * harmonic]);
            sums[1 + 2 * harmonic] += cos * re - sin * im;
            sums[2 + 2 * harmonic] += sin * re + cos * im;
            (cos, sin) = (cos * turn_cos - sin * turn_sin, sin * turn_cos + cos * turn_sin);
        }
    }
    sums
}

/// Sums of one block: its samples, and its samples times each function of the table.
#[inline(always)]
fn weigh(block: &[f64; TABLE], table: &Table) -> [f64; UNKNOWNS] {
    let mut sums = [0.0; UNKNOWNS];
    let rows = block.as_chunks::<LANES>().0;
    let mut plain = [0.0; LANES];
    for row in rows {
        plain.iter_mut().zip(row).for_each(|(lane, value)| *lane += value);
    }
    sums[0] = plain.iter().sum();
    for (harmonic, [cosines, sines]) in table.iter().enumerate() {
        let (mut re, mut im) = ([0.0; LANES], [0.0; LANES]);
        let functions = cosines.as_chunks::<LANES>().0.iter().zip(sines.as_chunks::<LANES>().0);
        for (row, (cosines, sines)) in rows.iter().zip(functions) {
            for lane in 0..LANES {
                re[lane] += row[lane] * cosines[lane];
                im[lane] += row[lane] * sines[lane];
            }
        }
        sums[1 + 2 * harmonic] = re.iter().sum();
        sums[2 + 2 * harmonic] = im.iter().sum();
    }
    sums
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
            let read = |range: Range<usize>, block: &mut [f64]| {
                block.iter_mut().zip(&levels[range]).for_each(|(place, level)| *place = f64::from(*level));
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
                prop_assert!((sum - expected).abs() < 1e-10 * 65_536.0 * levels.len() as f64);
            }
        }
    }
}

//! The instant at which a signal passes a level.

use std::ops::Range;

/// Which way a level is passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From below the level to it or above.
    Up,
    /// From above the level to it or below.
    Down,
}

/// Position of the first crossing inside `range`: the first pair of samples with the level between them, by linear
/// interpolation. `None` if the level is not passed that way.
#[must_use]
pub fn find_crossing(samples: &[f64], level: f64, direction: Direction, range: Range<usize>) -> Option<f64> {
    let from = range.start;
    let inside = samples.get(range)?;
    let passes = |pair: &[f64]| match direction {
        Direction::Up => pair[0] < level && level <= pair[1],
        Direction::Down => pair[0] > level && level >= pair[1],
    };
    let at = inside.windows(2).position(passes)?;
    let (before, after) = (inside[at], inside[at + 1]);
    Some((from + at) as f64 + (level - before) / (after - before))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crossing_is_the_first_pair_around_the_level_interpolated() {
        let samples = [0.0, 1.0, 3.0, 1.0, 3.0, 0.0];
        let cross = |level, direction, range| find_crossing(&samples, level, direction, range);
        let cases = [
            (2.0, Direction::Up, 0..6, Some(1.5)),
            (2.0, Direction::Down, 0..6, Some(2.5)),
            (2.0, Direction::Up, 2..6, Some(3.5)),
            // A level that a sample meets exactly is reached with it, and not passed a second time.
            (1.0, Direction::Up, 0..6, Some(1.0)),
            (1.0, Direction::Up, 1..3, None),
            (3.5, Direction::Up, 0..6, None),
            (2.0, Direction::Up, 0..60, None),
        ];
        for (level, direction, range, expected) in cases {
            assert_eq!(cross(level, direction, range.clone()), expected, "{level} {direction:?} {range:?}");
        }
    }
}

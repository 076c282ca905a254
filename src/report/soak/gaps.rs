//! Gaps that belong together: a thermometer that is silent for hours makes a reading late each time that it is asked again. Pure.

use crate::event::{Coverage, Gap};

/// Gaps of one cause that follow each other closely.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GapStretch {
    /// From the first to the last one, with what they miss together.
    pub whole: Gap,
    /// How many gaps.
    pub gaps: u64,
}

/// Puts gaps together, which stand in the order in which they began.
#[must_use]
pub fn stretches(gaps: &[Gap]) -> Vec<GapStretch> {
    let mut stretches: Vec<GapStretch> = Vec::new();
    for gap in gaps {
        // Between them others may stand.
        let known = stretches.iter_mut().rev().find(|known| {
            (known.whole.cause, &known.whole.what) == (gap.cause, &gap.what)
                && gap.from.since(known.whole.to) <= Coverage::TOGETHER
        });
        match known {
            Some(known) => {
                known.whole.to = known.whole.to.max(gap.to);
                known.whole.missed += gap.missed;
                known.gaps += 1;
            }
            None => stretches.push(GapStretch { whole: gap.clone(), gaps: 1 }),
        }
    }
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Instant;
    use crate::event::GapCause;

    fn gap(from_s: u64, what: &str) -> Gap {
        let at = |s: u64| Instant(s * 1_000_000_000);
        Gap {
            from: at(from_s),
            to: at(from_s + 3),
            missed: 2,
            cause: GapCause::Instrument,
            what: what.to_owned(),
        }
    }

    #[test]
    fn one_silence_is_one_stretch_and_the_next_one_another() {
        let silent = "ambient does not answer";
        let mut gaps: Vec<Gap> = (0..20).map(|n| gap(100 + 300 * n, silent)).collect();
        gaps.insert(3, gap(900, "the load did not answer"));
        gaps.push(gap(20_000, silent));
        let told: Vec<_> = stretches(&gaps)
            .into_iter()
            .map(|one| {
                (one.whole.from.0 / 1_000_000_000, one.whole.to.0 / 1_000_000_000, one.whole.missed, one.gaps)
            })
            .collect();
        assert_eq!(told, [(100, 5803, 40, 20), (900, 903, 2, 1), (20_000, 20_003, 2, 1)]);
    }
}

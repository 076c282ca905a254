//! Loops over samples with the widest instructions that the processor at hand has.

/// A loop over samples. A short closure is one; a longer loop is not taken into its caller unless it is told, which only a
/// method marked `#[inline(always)]` can be.
pub(super) use pulp::NullaryFnOnce as Work;

/// Runs `work` compiled for this processor: the same operations in the same order, several at a time, so that a figure does
/// not depend on the machine. What `work` calls must be `#[inline(always)]` to be compiled along with it.
pub(super) fn widen<W: Work>(work: W) -> W::Output {
    pulp::Arch::new().dispatch(work)
}

#[cfg(test)]
mod tests {
    use super::widen;
    use proptest::prelude::*;

    #[inline(always)]
    fn sum(values: &[f32]) -> f64 {
        let mut lanes = [0.0_f64; 16];
        for row in values.as_chunks::<16>().0 {
            lanes
                .iter_mut()
                .zip(row)
                .for_each(|(lane, value)| *lane += f64::from(*value) * f64::from(*value));
        }
        lanes.iter().sum()
    }

    proptest! {
        #[test]
        fn a_wide_processor_gives_the_same_bits_as_a_plain_one(values in prop::collection::vec(-9.0_f32..9.0, 0..300)) {
            prop_assert_eq!(widen(|| sum(&values)).to_bits(), sum(&values).to_bits());
        }
    }
}

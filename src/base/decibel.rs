//! Decibels of amplitudes: 20 log10. Powers have 10 log10 and are not meant here.

/// The amplitude in decibels over `reference`, both above zero; `None` where there is no logarithm.
#[must_use]
pub fn amplitude_db(amplitude: f64, reference: f64) -> Option<f64> {
    let ratio = amplitude / reference;
    // Both are looked at: two negative amplitudes have a ratio too.
    (amplitude > 0.0 && reference > 0.0 && ratio > 0.0 && ratio.is_finite()).then(|| 20.0 * ratio.log10())
}

/// The ratio of amplitudes that so many decibels are.
#[must_use]
pub fn amplitude_ratio(decibels: f64) -> f64 {
    10f64.powf(decibels / 20.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decibels_are_of_amplitudes_and_nothing_has_none() {
        assert_eq!(amplitude_db(0.1, 1.0), Some(-20.0));
        assert!((amplitude_db(2.0, 1.0).unwrap() - 6.0206).abs() < 1e-4);
        assert!((amplitude_ratio(40.0) - 100.0).abs() < 1e-12);
        for (amplitude, reference) in [
            (0.0, 1.0),
            (1.0, 0.0),
            (-1.0, -1.0),
            (f64::NAN, 1.0),
            (1.0, f64::INFINITY),
            (f64::INFINITY, 1.0),
        ] {
            assert_eq!(amplitude_db(amplitude, reference), None, "{amplitude} {reference}");
        }
    }
}

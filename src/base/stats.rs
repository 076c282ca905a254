//! Robust statistics for few values: what one wild reading must not spoil.

/// Arithmetic mean; `None` for no values.
#[must_use]
pub fn mean(values: &[f64]) -> Option<f64> {
    if values.is_empty() { None } else { Some(values.iter().sum::<f64>() / values.len() as f64) }
}

/// Standard deviation with the given degrees of freedom taken off (`ddof` 0: population, 1: sample).
#[must_use]
pub fn std_dev(values: &[f64], ddof: usize) -> Option<f64> {
    if values.len() <= ddof {
        return None;
    }
    let center = mean(values)?;
    let sum: f64 = values.iter().map(|v| (v - center).powi(2)).sum();
    Some((sum / (values.len() - ddof) as f64).sqrt())
}

/// Median; the mean of the middle two for an even count. Values that are not numbers are left out.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// Quantile by linear interpolation between order statistics (type 7 of Hyndman and Fan, numpy's default).
#[must_use]
pub fn quantile(values: &[f64], fraction: f64) -> Option<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).collect();
    if sorted.is_empty() || !(0.0..=1.0).contains(&fraction) {
        return None;
    }
    sorted.sort_by(f64::total_cmp);
    let position = fraction * (sorted.len() - 1) as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    let (low, high) = (sorted[below], sorted[above]);
    // Equal neighbours are given back as they are: interpolating between infinities would give not-a-number.
    if low == high { Some(low) } else { Some(low + (high - low) * (position - below as f64)) }
}

/// Spread by the median absolute deviation, scaled to the standard deviation of a normal distribution (1.4826).
#[must_use]
pub fn mad_sigma(values: &[f64]) -> Option<f64> {
    let center = median(values)?;
    let deviations: Vec<f64> = values.iter().map(|v| (v - center).abs()).collect();
    median(&deviations).map(|m| 1.4826 * m)
}

/// Slope of the least-squares line through `(x, y)`; `None` for fewer than two different `x`.
#[must_use]
pub fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let n = points.len() as f64;
    if points.len() < 2 {
        return None;
    }
    let (x_mean, y_mean) =
        (points.iter().map(|p| p.0).sum::<f64>() / n, points.iter().map(|p| p.1).sum::<f64>() / n);
    let sxx: f64 = points.iter().map(|p| (p.0 - x_mean).powi(2)).sum();
    let sxy: f64 = points.iter().map(|p| (p.0 - x_mean) * (p.1 - y_mean)).sum();
    if sxx > 0.0 { Some(sxy / sxx) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_wild_value_moves_the_mean_but_not_the_median() {
        let values = [5.0, 5.01, 4.99, 5.0, 1000.0];
        assert_eq!(median(&values), Some(5.0));
        assert!(mean(&values).unwrap() > 200.0);
        assert!((mad_sigma(&values).unwrap() - 1.4826 * 0.01).abs() < 1e-9);
    }

    #[test]
    fn quantiles_follow_numpy() {
        let values = [1.0, 2.0, 3.0, 4.0];
        assert!((quantile(&values, 0.95).unwrap() - 3.85).abs() < 1e-12);
        assert!((quantile(&values, 0.05).unwrap() - 1.15).abs() < 1e-12);
        assert_eq!(median(&[]), None);
        assert_eq!(quantile(&values, 1.5), None);
    }

    #[test]
    fn deviation_and_slope_of_known_sets() {
        assert_eq!(std_dev(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0], 0), Some(2.0));
        assert_eq!(std_dev(&[1.0], 1), None);
        assert_eq!(slope(&[(0.0, 1.0), (1.0, 3.0), (2.0, 5.0)]), Some(2.0));
        assert_eq!(slope(&[(1.0, 1.0), (1.0, 3.0)]), None);
    }
}

//! Many p at once: Holm 1979 where each is a claim, Benjamini and Hochberg 1995 where points are screened.

use super::NoAnswer;

/// p adjusted by Holm, in the order given: whoever claims all below alpha is wrong about any with at most that chance,
/// whatever the dependence.
///
/// # Errors
/// A p outside 0 to 1.
pub fn holm(p: &[f64]) -> Result<Vec<f64>, NoAnswer> {
    let order = ascending(p)?;
    let mut adjusted = vec![0.0; p.len()];
    let mut most: f64 = 0.0;
    for (place, at) in order.iter().enumerate() {
        most = most.max(p[*at] * (p.len() - place) as f64).min(1.0);
        adjusted[*at] = most;
    }
    Ok(adjusted)
}

/// p adjusted by Benjamini and Hochberg, in the order given: of those below alpha at most that part is false on average, where
/// the tests are independent or depend positively.
///
/// # Errors
/// A p outside 0 to 1.
pub fn benjamini_hochberg(p: &[f64]) -> Result<Vec<f64>, NoAnswer> {
    let order = ascending(p)?;
    let mut adjusted = vec![0.0; p.len()];
    let mut least: f64 = 1.0;
    for (place, at) in order.iter().enumerate().rev() {
        least = least.min(p[*at] * p.len() as f64 / (place + 1) as f64);
        adjusted[*at] = least;
    }
    Ok(adjusted)
}

fn ascending(p: &[f64]) -> Result<Vec<usize>, NoAnswer> {
    if let Some(wrong) = p.iter().find(|p| !(0.0..=1.0).contains(*p)) {
        return Err(NoAnswer::because(format!("{wrong} is no p: it lies between 0 and 1")));
    }
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    Ok(order)
}

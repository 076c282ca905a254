//! Tails and quantiles of the distributions that intervals are made of.
//!
//! The cumulative distributions are the incomplete gamma and beta functions (series and continued fractions, NIST Digital
//! Library of Mathematical Functions 8.7.1, 8.9.2, 8.17.22), each with both of its tails, so that no small tail is a difference
//! of large numbers; the quantile is found by halving in the logarithm. The crates at hand lose whole digits in the tails.
//! `tests/reference/trends.py` and `comparison.py` hold them against scipy.

/// More terms than this, and there is no answer.
const MOST_TERMS: usize = 100_000;
const TINY: f64 = 1e-300;

/// Lower and upper tail; `None` where there are none.
pub type Tails = Option<(f64, f64)>;

fn is_inside(probability: f64) -> bool {
    probability > 0.0 && probability < 1.0
}

fn is_shape(shape: f64) -> bool {
    shape > 0.0 && shape.is_finite()
}

/// Quantile of Student's t with `freedom` degrees of freedom, not necessarily whole; `None` outside (0, 1) or for a freedom
/// that is not above zero.
#[must_use]
pub fn t_quantile(probability: f64, freedom: f64) -> Option<f64> {
    if !is_inside(probability) || !is_shape(freedom) {
        return None;
    }
    if probability == 0.5 {
        return Some(0.0);
    }
    // Both tails of t are the upper tail of t^2/(freedom + t^2).
    let wanted = 2.0 * probability.min(1.0 - probability);
    let tails = |t: f64| {
        let ratio = t * (t / freedom);
        beta_tails(0.5, freedom / 2.0, (ratio / (1.0 + ratio), 1.0 / (1.0 + ratio)))
    };
    let magnitude = solve(&tails, (1.0 - wanted, wanted), 1e150)?;
    Some(if probability < 0.5 { -magnitude } else { magnitude })
}

/// Lower and upper tail of Student's t; `None` for a freedom that is not above zero or a `t` that is not a number.
#[must_use]
pub fn t_tails(t: f64, freedom: f64) -> Tails {
    if t.is_nan() || !is_shape(freedom) {
        return None;
    }
    let ratio = t * (t / freedom);
    // Both tails of t are the upper tail of t^2/(freedom + t^2).
    let share = if ratio.is_finite() { ratio / (1.0 + ratio) } else { 1.0 };
    let (_, both) = beta_tails(0.5, freedom / 2.0, (share, 1.0 / (1.0 + ratio)))?;
    Some(if t < 0.0 { (both / 2.0, 1.0 - both / 2.0) } else { (1.0 - both / 2.0, both / 2.0) })
}

/// Lower and upper tail of the normal distribution; `None` for what is not a number.
#[must_use]
pub fn normal_tails(z: f64) -> Tails {
    if z.is_nan() {
        return None;
    }
    let (_, both) = gamma_tails(0.5, (z * z / 2.0).min(1e6))?;
    Some(if z < 0.0 { (both / 2.0, 1.0 - both / 2.0) } else { (1.0 - both / 2.0, both / 2.0) })
}

/// Quantile of the normal distribution; `None` outside (0, 1).
#[must_use]
pub fn normal_quantile(probability: f64) -> Option<f64> {
    if !is_inside(probability) {
        return None;
    }
    if probability == 0.5 {
        return Some(0.0);
    }
    let wanted = 2.0 * probability.min(1.0 - probability);
    let magnitude = solve(&|z| gamma_tails(0.5, z * z / 2.0), (1.0 - wanted, wanted), 1e3)?;
    Some(if probability < 0.5 { -magnitude } else { magnitude })
}

/// Lower and upper tail of the non-central t: of (Z + `shift`) / sqrt(chi-square / `freedom`). `None` for a freedom below one
/// or beyond a million, or a shift beyond a thousand.
///
/// The integral over x = ln sqrt(chi-square / freedom) of the normal tail at `t` e^x - `shift`, by the trapezoidal rule: the
/// integrand falls off at both ends, so the rule is exact to rounding (Trefethen and Weideman 2014). Series such as AS 243
/// underflow where the shift is large. Tails under 1e-15 are not resolved.
#[must_use]
pub fn noncentral_t_tails(t: f64, freedom: f64, shift: f64) -> Tails {
    if !t.is_finite() || !(1.0..=1e6).contains(&freedom) || shift.is_nan() || shift.abs() > 1e3 {
        return None;
    }
    // Density of x, up to its constant: exp(freedom (x - e^(2x) / 2)), highest at 0 with the width 1/sqrt(2 freedom). The
    // constant is the sum's own, so that the weights sum to one.
    let width = 1.0 / (2.0 * freedom).sqrt();
    let low = (-40.0 / freedom).min(-9.0 * width) - 0.5 / freedom;
    let high = (9.0 * width).min(1.0 + 3.0 * width);
    // Finer than the density, than where it is analytic, and than the normal tail's own step, which is 1/shift wide.
    let step = (width / 4.0).min(0.12).min(0.3 / (1.0 + shift.abs()));
    let count = ((high - low) / step).ceil() as usize;
    let (mut below, mut above, mut total) = (0.0, 0.0, 0.0);
    for at in 0..=count {
        let x = low + at as f64 * step;
        let weight = (freedom * (x - f64::midpoint((2.0 * x).exp(), -1.0))).exp();
        if weight > 1e-20 {
            let (lower, upper) = normal_tails(t * x.exp() - shift)?;
            below += weight * lower;
            above += weight * upper;
            total += weight;
        }
    }
    (total > 0.0).then(|| (below / total, above / total))
}

/// Quantile of the non-central t; `None` as for its tails.
#[must_use]
pub fn noncentral_t_quantile(probability: f64, freedom: f64, shift: f64) -> Option<f64> {
    if !is_inside(probability) {
        return None;
    }
    // The smaller tail decides.
    let is_below = |t: f64| {
        let (below, above) = noncentral_t_tails(t, freedom, shift)?;
        Some(if probability <= 0.5 { below < probability } else { above > 1.0 - probability })
    };
    let (mut low, mut high, mut reach) = (shift - 1.0, shift + 1.0, 1.0);
    while !is_below(low)? {
        reach *= 2.0;
        (low, high) = (low - reach, low);
    }
    while is_below(high)? {
        reach *= 2.0;
        (low, high) = (high, high + reach);
    }
    for _ in 0..64 {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            break;
        }
        if is_below(middle)? { low = middle } else { high = middle }
    }
    Some(f64::midpoint(low, high))
}

/// Quantile of chi-square with `freedom` degrees of freedom; `None` outside (0, 1) or for a freedom that is not above zero.
#[must_use]
pub fn chi_square_quantile(probability: f64, freedom: f64) -> Option<f64> {
    if !is_inside(probability) || !is_shape(freedom) {
        return None;
    }
    solve(&|x| gamma_tails(freedom / 2.0, x / 2.0), (probability, 1.0 - probability), 1e150)
}

/// Quantile of the beta distribution; `None` outside (0, 1) or for shapes that are not above zero.
#[must_use]
pub fn beta_quantile(probability: f64, a: f64, b: f64) -> Option<f64> {
    if !is_inside(probability) || !is_shape(a) || !is_shape(b) {
        return None;
    }
    solve(&|x| beta_tails(a, b, (x, 1.0 - x)), (probability, 1.0 - probability), 1.0)
}

/// The factor of a two-sided interval: Student's t at (1 + confidence)/2.
#[must_use]
pub fn two_sided_t(confidence: f64, freedom: f64) -> Option<f64> {
    t_quantile(f64::midpoint(1.0, confidence), freedom)
}

/// Where a distribution of positive numbers up to `highest` has these tails; the smaller of them decides.
fn solve(tails: &dyn Fn(f64) -> Tails, (lower, upper): (f64, f64), highest: f64) -> Option<f64> {
    let is_below = |x: f64| {
        let (below, above) = tails(x)?;
        Some(if lower <= upper { below < lower } else { above > upper })
    };
    let (mut low, mut high) = (TINY.ln(), highest.ln());
    if !is_below(TINY)? {
        return None;
    }
    // From the whole range to a factor of two first, without looking at where the far tails do not converge.
    let mut reach = 1.0f64.min(highest);
    if is_below(reach)? {
        while reach < highest && is_below(reach)? {
            low = reach.ln();
            reach = (reach * 2.0).min(highest);
        }
        high = reach.ln();
    } else {
        while reach > TINY && !is_below(reach)? {
            high = reach.ln();
            reach /= 2.0;
        }
        low = low.max(reach.ln());
    }
    for _ in 0..80 {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            break;
        }
        if is_below(middle.exp())? { low = middle } else { high = middle }
    }
    Some(f64::midpoint(low, high).exp()).filter(|x| x.is_finite())
}

/// Tails of the gamma distribution of shape `a`.
fn gamma_tails(a: f64, x: f64) -> Tails {
    if x <= 0.0 {
        return Some((0.0, 1.0));
    }
    let front = (a * x.ln() - x - ln_gamma(a)).exp();
    if front == 0.0 {
        return Some(if x < a { (0.0, 1.0) } else { (1.0, 0.0) });
    }
    if x < a + 1.0 {
        let (mut term, mut sum) = (1.0 / a, 1.0 / a);
        for n in 1..MOST_TERMS {
            term *= x / (a + n as f64);
            sum += term;
            if term < sum * 1e-17 {
                let lower = front * sum;
                return Some((lower, 1.0 - lower));
            }
        }
        return None;
    }
    let b = |n: usize| x + 2.0 * n as f64 + 1.0 - a;
    let fraction = continued(b(0), &|n| (-(n as f64) * (n as f64 - a), b(n)))?;
    let upper = front / fraction;
    Some((1.0 - upper, upper))
}

/// Tails of the beta distribution at `x`, given with `1 - x` so that neither loses digits.
fn beta_tails(a: f64, b: f64, (x, rest): (f64, f64)) -> Tails {
    if x <= 0.0 {
        return Some((0.0, 1.0));
    }
    if rest <= 0.0 {
        return Some((1.0, 0.0));
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        return beta_lower(b, a, (rest, x)).map(|upper| (1.0 - upper, upper));
    }
    beta_lower(a, b, (x, rest)).map(|lower| (lower, 1.0 - lower))
}

fn beta_lower(a: f64, b: f64, (x, rest): (f64, f64)) -> Option<f64> {
    let front = (a * x.ln() + b * rest.ln() + ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b)).exp() / a;
    let term = |n: usize| {
        let m = (n / 2) as f64;
        let numerator = if n.is_multiple_of(2) {
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        } else {
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        };
        (numerator, 1.0)
    };
    Some(front / continued(1.0, &term)?)
}

/// b0 + a1/(b1 + a2/(b2 + ...)) by the method of Lentz; `term(n)` gives a and b, n from 1.
fn continued(b0: f64, term: &dyn Fn(usize) -> (f64, f64)) -> Option<f64> {
    let off_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let (mut value, mut c, mut d) = (off_zero(b0), off_zero(b0), 0.0);
    for n in 1..MOST_TERMS {
        let (numerator, b) = term(n);
        d = 1.0 / off_zero(b + numerator * d);
        c = off_zero(b + numerator / c);
        let step = c * d;
        value *= step;
        if (step - 1.0).abs() < 1e-15 {
            return Some(value);
        }
    }
    None
}

/// Logarithm of the gamma function for positive numbers: Stirling's series from 15 on (DLMF 5.11.1), below by going up.
fn ln_gamma(x: f64) -> f64 {
    const COEFFICIENTS: [f64; 7] = [
        1.0 / 12.0,
        -1.0 / 360.0,
        1.0 / 1260.0,
        -1.0 / 1680.0,
        1.0 / 1188.0,
        -691.0 / 360_360.0,
        1.0 / 156.0,
    ];
    let (mut at, mut product) = (x, 1.0);
    while at < 15.0 {
        product *= at;
        at += 1.0;
    }
    let square = 1.0 / (at * at);
    let series = COEFFICIENTS.iter().rev().fold(0.0, |sum, coefficient| sum * square + coefficient) / at;
    (at - 0.5) * at.ln() - at + 0.5 * std::f64::consts::TAU.ln() + series - product.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: Option<f64>, expected: f64) {
        assert!((found.unwrap() / expected - 1.0).abs() < 1e-10, "{found:?} {expected}");
    }

    #[test]
    fn tails_and_quantiles_are_those_of_scipy() {
        near(normal_quantile(0.975), 1.959_963_984_540_054);
        near(normal_quantile(1e-12), -7.034_483_825_301_132);
        near(normal_tails(-3.0).map(|tails| tails.0), 1.349_898_031_630_095e-3);
        near(t_tails(2.5, 4.3).map(|tails| tails.1), 0.031_224_037_318_105_67);
        near(t_tails(-2.5, 4.3).map(|tails| tails.0), 0.031_224_037_318_105_67);
        near(noncentral_t_tails(3.0, 4.0, 1.5).map(|tails| tails.0), 0.820_758_975_058_563_3);
        near(noncentral_t_quantile(0.95, 4.0, 3.678), 9.397_469_781_637_206);
    }

    #[test]
    fn a_shift_of_nothing_is_students_t() {
        for freedom in [1.0, 1.5, 4.0, 30.0, 5000.0] {
            for t in [-40.0, -2.0, -0.1, 0.0, 0.7, 3.0, 100.0] {
                let (plain, shifted) =
                    (t_tails(t, freedom).unwrap(), noncentral_t_tails(t, freedom, 0.0).unwrap());
                assert!((plain.0 - shifted.0).abs() < 1e-11, "{freedom} {t}: {plain:?} {shifted:?}");
                let is_far = plain.1 < 1e-12;
                assert!(is_far || (plain.1 / shifted.1 - 1.0).abs() < 1e-9, "{freedom} {t}: {shifted:?}");
            }
        }
    }

    #[test]
    fn nothing_comes_of_what_is_no_number() {
        assert_eq!(normal_tails(f64::NAN), None);
        assert_eq!(normal_tails(f64::INFINITY), Some((1.0, 0.0)));
        assert_eq!(t_tails(f64::NEG_INFINITY, 3.0), Some((0.0, 1.0)));
        assert_eq!(t_tails(1.0, 0.0), None);
        assert_eq!(normal_quantile(1.0), None);
        for (t, freedom, shift) in [
            (f64::INFINITY, 4.0, 1.0),
            (1.0, 0.5, 1.0),
            (1.0, 4.0, f64::NAN),
            (1.0, 4.0, 2000.0),
            (1.0, f64::NAN, 0.0),
        ] {
            assert_eq!(noncentral_t_tails(t, freedom, shift), None);
        }
        assert_eq!(noncentral_t_quantile(0.0, 4.0, 1.0), None);
    }
}

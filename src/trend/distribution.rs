//! Quantiles of the distributions that intervals are made of.
//!
//! The cumulative distributions are the incomplete gamma and beta functions (series and continued fractions, NIST Digital
//! Library of Mathematical Functions 8.7.1, 8.9.2, 8.17.22), each with both of its tails, so that no small tail is a difference
//! of large numbers; the quantile is found by halving in the logarithm. The crates at hand lose whole digits in the tails.
//! `tests/reference/trends.py` holds them against scipy.

/// More terms than this, and there is no answer.
const MOST_TERMS: usize = 100_000;
const TINY: f64 = 1e-300;

/// Lower and upper tail.
type Tails = Option<(f64, f64)>;

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

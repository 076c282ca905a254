//! A number with its interval, and the words where there is no number.

/// Why there is no answer, in words. It is never replaced by a number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoAnswer(pub String);

impl NoAnswer {
    pub(crate) fn because(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

/// An estimate with its confidence interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The best single number.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
    /// How often such an interval holds the true value, e.g. 0.95.
    pub confidence: f64,
}

impl Estimate {
    /// An estimate with the same reach to both sides.
    pub(crate) fn around(value: f64, reach: f64, confidence: f64) -> Self {
        Self { value, low: value - reach, high: value + reach, confidence }
    }
    /// The same in another unit. A negative factor turns the ends round.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        let (a, b) = (self.low * factor, self.high * factor);
        Self { value: self.value * factor, low: a.min(b), high: a.max(b), confidence: self.confidence }
    }
    /// Whether the interval holds the number.
    #[must_use]
    pub fn holds(&self, number: f64) -> bool {
        self.low <= number && number <= self.high
    }
}

/// Refuses what is no confidence: it stands between 0.5 and 1, both left out.
pub(crate) fn check_confidence(confidence: f64) -> Result<(), NoAnswer> {
    if confidence > 0.5 && confidence < 1.0 {
        Ok(())
    } else {
        Err(NoAnswer::because(format!(
            "a confidence of {confidence} is none: give a part between 0.5 and 1, e.g. 0.95"
        )))
    }
}

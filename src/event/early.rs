//! A look, planned by the profile, at whether the answer of a soak is clear before its end.

use std::time::Duration;

/// What a look came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EarlyAnswer {
    /// It is not clear: the soak goes on.
    GoOn,
    /// Every limit will hold to the planned end: the soak ends.
    Pass,
    /// A limit is passed, or surely will be by the planned end: the soak ends.
    Fail,
}

/// One look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlyLook {
    /// Which look, from 1.
    pub look: u32,
    /// How many are planned.
    pub looks: u32,
    /// What it came to.
    pub answer: EarlyAnswer,
    /// How much of the phase was done.
    pub done: Duration,
    /// How long it was to last.
    pub planned: Duration,
    /// By what rule and on what ground, as a sentence.
    pub what: String,
}

impl EarlyLook {
    /// Whether the soak ended with it.
    #[must_use]
    pub fn ends(&self) -> bool {
        self.answer != EarlyAnswer::GoOn
    }
}

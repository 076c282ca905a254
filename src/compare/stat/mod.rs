//! The statistics of a comparison: board scores go in, statements with intervals come out.
//!
//! Pure. The board is the unit of replication: a slice holds one score a board, the mean over the board's points and repeats.
//! Every difference is `after - before`. What cannot be concluded from what is there is an error with the reason in words,
//! never a number that is none. Definitions and sources: `docs/comparison.md`.

pub mod adjust;
pub mod boards;
pub mod bootstrap;
pub mod capability;
pub mod censored;
mod exact;
pub mod means;
pub mod order;
pub mod permutation;
pub mod ranks;
pub mod resolution;
pub mod shift;
pub mod stepped;
pub mod tolerance;

#[cfg(test)]
mod tests;

pub use adjust::{benjamini_hochberg, holm};
pub use boards::{Wanted, boards_needed, pairs_needed, power};
pub use bootstrap::{Bootstrap, BootstrapKind, BootstrapSettings, bootstrap, bootstrap_pairs};
pub use capability::{Capability, capability};
pub use censored::{
    CensoredShift, Score, censored_change, censored_ranks, censored_shift, known, mean_or_bound,
};
pub use means::{Equivalence, HELD_EVENLY, MeanDifference, NotWorse, Worse, one_sample, paired, welch};
pub use order::{
    BoardRun, OrderEffect, Replication, check_order, is_balanced_within, order_effect, order_inflation,
};
pub use permutation::{PermutationTest, permute_means, permute_pairs};
pub use ranks::{
    Exactness, RankTest, mann_whitney, signed_rank, smallest_mann_whitney_p, smallest_signed_rank_p,
};
pub use resolution::{Resolution, step_of};
pub use shift::{Shift, shift_of_pairs, shift_of_two};
pub use stepped::{Stepped, stepped, stepped_pairs};
pub use tolerance::{Coverage, one_sided_factor, tolerance_interval, tolerance_limit, two_sided_factor};

use crate::base::estimate::{Estimate, NoAnswer, check_confidence};

/// Refuses scores that no statement can be made of: too few, or not finite.
fn check_scores(scores: &[f64], least: usize, side: &str) -> Result<(), NoAnswer> {
    if scores.len() < least {
        return Err(NoAnswer::because(format!(
            "this needs at least {} {side}, there {}",
            if least == 1 { "one board".to_owned() } else { format!("{least} boards") },
            match scores.len() {
                0 => "is none".to_owned(),
                1 => "is one".to_owned(),
                count => format!("are {count}"),
            }
        )));
    }
    if scores.iter().any(|score| !score.is_finite()) {
        return Err(NoAnswer::because(format!("a score {side} is no finite number")));
    }
    Ok(())
}

/// Both sides of a comparison.
fn check_sides(before: &[f64], after: &[f64], least: usize) -> Result<(), NoAnswer> {
    check_scores(before, least, "before")?;
    check_scores(after, least, "after")
}

/// The changes of boards that were measured both ways, in the order of the boards.
fn changes(before: &[f64], after: &[f64], least: usize) -> Result<Vec<f64>, NoAnswer> {
    if before.len() != after.len() {
        return Err(NoAnswer::because(format!(
            "pairs need every board on both sides: there are {} before and {} after",
            before.len(),
            after.len()
        )));
    }
    check_sides(before, after, least)?;
    let changes: Vec<f64> = before.iter().zip(after).map(|(before, after)| after - before).collect();
    check_scores(&changes, least, "as changes")?;
    Ok(changes)
}

/// What is left when numbers are too large to compute with.
fn overflow() -> NoAnswer {
    NoAnswer::because("the numbers are too large or too far apart to compute with")
}

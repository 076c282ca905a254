//! Board scores with what the program says of them: `tests/reference/comparison.py` says it again with scipy.

use std::path::PathBuf;

use serde_json::{Value, json};
use soakrig::base::distribution::{noncentral_t_quantile, noncentral_t_tails, normal_quantile, t_tails};
use soakrig::base::estimate::Estimate;
use soakrig::base::random::Random;
use soakrig::compare::stat::{
    BoardRun, BootstrapKind, BootstrapSettings, Coverage, MeanDifference, RankTest, Replication, Score,
    Wanted, Worse, benjamini_hochberg, bootstrap, bootstrap_pairs, capability, censored_ranks, holm,
    mann_whitney, one_sample, one_sided_factor, order_effect, order_inflation, paired, permute_means,
    permute_pairs, power, shift_of_pairs, shift_of_two, signed_rank, two_sided_factor, welch,
};

/// Twelve uniform numbers a deviate: no function of the machine's in it. `grid` makes ties.
fn scores(random: &mut Random, count: usize, (mean, deviation): (f64, f64), grid: f64) -> Vec<f64> {
    let mut one = || {
        let deviate = (0..12).map(|_| random.fraction()).sum::<f64>() - 6.0;
        ((mean + deviation * deviate) / grid).round() * grid
    };
    (0..count).map(|_| one()).collect()
}

fn interval(estimate: &Estimate) -> Value {
    json!({ "value": estimate.value, "low": estimate.low, "high": estimate.high, "confidence": estimate.confidence })
}

fn difference(found: &MeanDifference) -> Value {
    let within = found.within((-2.5, 1.5), 0.05).unwrap();
    let (higher, lower) = (
        found.not_worse(Worse::Higher, 1.0, 0.05).unwrap(),
        found.not_worse(Worse::Lower, 1.0, 0.05).unwrap(),
    );
    json!({
        "estimate": interval(&found.estimate), "t": found.t, "freedom": found.freedom, "p": found.p,
        "within": [within.p, within.is_equivalent], "not_higher": [higher.p, higher.bound],
        "not_lower": [lower.p, lower.bound],
    })
}

fn ranks(found: &RankTest) -> Value {
    json!({
        "statistic": found.statistic, "p": found.p, "p_higher": found.p_higher, "p_lower": found.p_lower,
        "smallest_p": found.smallest_p, "zeros": found.zeros,
    })
}

fn runs(random: &mut Random, before: &[f64], after: &[f64], replication: Replication) -> Vec<BoardRun> {
    let mut runs = Vec::new();
    for (is_after, side) in [(false, before), (true, after)] {
        for (at, score) in side.iter().enumerate() {
            let own = if is_after && replication == Replication::Boards { 100 } else { 0 };
            let board = u32::try_from(at).unwrap() + own;
            // A board in three is run twice.
            for again in 0..1 + usize::from(at % 3 == 0) {
                let position = 20.0 * random.fraction();
                let score = score + 0.1 * position + 0.05 * again as f64;
                runs.push(BoardRun { board, is_after, position, score });
            }
        }
    }
    runs
}

fn ordered(random: &mut Random, before: &[f64], after: &[f64], replication: Replication) -> Value {
    let runs = runs(random, before, after, replication);
    let found = order_effect(&runs, replication, 0.9).unwrap();
    let alone = order_inflation(&runs, replication).unwrap();
    assert!((alone / found.inflation - 1.0).abs() < 1e-9, "{alone} {found:?}");
    let rows: Vec<Value> =
        runs.iter().map(|run| json!([run.board, run.is_after, run.position, run.score])).collect();
    json!({
        "within_boards": replication == Replication::WithinBoards, "runs": rows, "freedom": found.freedom,
        "effect": interval(&found.effect), "p": found.p, "drift": interval(&found.drift), "drift_p": found.drift_p,
        "inflation": found.inflation,
    })
}

/// One floor for both sides.
fn floored(before: &[f64], after: &[f64], floor: f64) -> Value {
    let seen = |scores: &[f64]| -> Vec<Score> {
        scores
            .iter()
            .map(|score| if *score < floor { Score::AtMost(floor) } else { Score::Is(*score) })
            .collect()
    };
    json!({ "floor": floor, "test": ranks(&censored_ranks(&seen(before), &seen(after)).unwrap()) })
}

fn bootstraps(before: &[f64], after: &[f64], is_paired: bool) -> Vec<Value> {
    let kinds = [("percentile", BootstrapKind::Percentile), ("BCa", BootstrapKind::Bca)];
    let told = |(name, kind): (&str, BootstrapKind)| {
        let settings = BootstrapSettings { confidence: 0.9, seed: 11, resamples: 50_000, kind };
        let found = if is_paired { bootstrap_pairs } else { bootstrap }(before, after, &settings).unwrap();
        json!({ "kind": name, "estimate": interval(&found.estimate) })
    };
    kinds.into_iter().map(told).collect()
}

fn told(seed: u64, (before, after): (usize, usize), grid: f64) -> Value {
    let mut random = Random::seeded(seed);
    let before = scores(&mut random, before, (40.0, 1.0), grid);
    let after = scores(&mut random, after, (39.0, 2.0), grid);
    let mut all = json!({
        "before": before, "after": after,
        "welch": difference(&welch(&before, &after, 0.95).unwrap()),
        "one_sample": difference(&one_sample(&before, 0.95).unwrap()),
        "mann_whitney": ranks(&mann_whitney(&before, &after).unwrap()),
        "floored": floored(&before, &after, 39.2),
        "shift": shift_of_two(&before, &after, 0.9).map(|shift| interval(&shift.estimate)).unwrap(),
        "permuted": permute_means(&before, &after).ok().map(|found| (found.p, found.ways)),
        "bootstraps": if seed.is_multiple_of(5) { bootstraps(&before, &after, false) } else { Vec::new() },
    });
    if before.len() > 2 && after.len() > 2 {
        all["order"] = ordered(&mut random, &before, &after, Replication::Boards);
    }
    if before.len() >= 5 {
        let found = capability(&before, (Some(36.0), Some(43.0)), 0.95).unwrap();
        all["cpk"] = interval(&found.cpk);
    }
    if before.len() == after.len() {
        all["paired"] = difference(&paired(&before, &after, 0.95).unwrap());
        all["signed_rank"] = ranks(&signed_rank(&before, &after).unwrap());
        all["shift_of_pairs"] =
            shift_of_pairs(&before, &after, 0.9).map(|shift| interval(&shift.estimate)).unwrap();
        all["permuted_pairs"] = json!(permute_pairs(&before, &after).ok().map(|found| (found.p, found.ways)));
        if before.len() > 3 {
            all["order_within"] = ordered(&mut random, &before, &after, Replication::WithinBoards);
        }
        if seed.is_multiple_of(5) {
            all["paired_bootstraps"] = json!(bootstraps(&before, &after, true));
        }
    }
    all
}

/// Orders of runs, with by how much each widens the variance of the effect; null where order and side are the same thing. They need
/// no scores, and no boards enough for anything else.
fn inflations() -> Value {
    let mut random = Random::seeded(41);
    let mut rows = Vec::new();
    let mut add = |runs: Vec<BoardRun>, replication: Replication| {
        let told: Vec<Value> =
            runs.iter().map(|run| json!([run.board, run.is_after, run.position])).collect();
        let found = order_inflation(&runs, replication);
        rows.push(json!([replication == Replication::WithinBoards, told, found]));
    };
    let run = |board: u32, is_after: bool, position: f64| BoardRun { board, is_after, position, score: 0.0 };
    for sides in
        ["AB", "ABB", "ABBA", "AABB", "ABAB", "AAAAABBBBB", "ABBBBBBBBB", "ABBAABBAAB", "BAAAB", "AAA"]
    {
        let runs = |board: fn(usize) -> u32| -> Vec<BoardRun> {
            let turns = sides.chars().enumerate();
            turns.map(|(at, side)| run(board(at), side == 'B', at as f64)).collect()
        };
        add(runs(|at| at as u32), Replication::Boards);
        // The same boards both ways: two runs each, or all of one board.
        add(runs(|at| at as u32 / 2), Replication::WithinBoards);
        add(runs(|_| 0), Replication::WithinBoards);
    }
    for count in [4, 7, 12] {
        let runs = |random: &mut Random, boards: u32| -> Vec<BoardRun> {
            let one = |nth: u32| run(nth % boards, nth / boards % 2 == 1, 30.0 * random.fraction());
            (0..count).map(one).collect()
        };
        let (alone, within) = (runs(&mut random, count), runs(&mut random, 2));
        let own = alone.into_iter().map(|run| BoardRun { is_after: run.board % 3 == 1, ..run });
        add(own.collect(), Replication::Boards);
        add(within, Replication::WithinBoards);
    }
    json!(rows)
}

fn tails() -> Value {
    let mut rows = Vec::new();
    for freedom in [1.0, 2.0, 4.5, 9.0, 40.0, 900.0] {
        for shift in [-3.0, 0.0, 0.4, 3.7, 12.0] {
            for t in [-4.0, -0.5, 0.0, 1.0, 4.0, 15.0] {
                rows.push(json!(["tail", t, freedom, shift, noncentral_t_tails(t, freedom, shift)]));
            }
            for p in [0.01, 0.3, 0.5, 0.95, 0.999] {
                rows.push(json!(["quantile", p, freedom, shift, noncentral_t_quantile(p, freedom, shift)]));
            }
        }
        for t in [-40.0, -2.5, 0.0, 0.3, 7.0] {
            rows.push(json!(["t", t, freedom, 0.0, t_tails(t, freedom)]));
        }
    }
    for p in [1e-9, 0.02, 0.5, 0.7, 0.999] {
        rows.push(json!(["normal", p, 0.0, 0.0, normal_quantile(p)]));
    }
    json!(rows)
}

fn factors() -> Value {
    let mut rows = Vec::new();
    for boards in [2, 3, 5, 10, 43, 250] {
        for (part, confidence) in [(0.95, 0.95), (0.99, 0.9), (0.9, 0.99)] {
            let coverage = Coverage { part, confidence };
            let (one, two) =
                (one_sided_factor(boards, coverage).unwrap(), two_sided_factor(boards, coverage).unwrap());
            rows.push(json!([boards, part, confidence, one, two]));
        }
    }
    json!(rows)
}

fn powers() -> Value {
    let mut rows = Vec::new();
    for boards in [(2, 2), (5, 5), (4, 9), (30, 12)] {
        for (difference, deviations) in [(1.0, (1.0, 1.0)), (3.0, (1.0, 4.0)), (-0.7, (0.5, 0.2))] {
            let found = power(boards, &Wanted { difference, deviations, alpha: 0.05 }).unwrap();
            rows.push(json!([[boards.0, boards.1], difference, [deviations.0, deviations.1], found]));
        }
    }
    json!(rows)
}

#[test]
#[ignore = "writes board scores to SOAKRIG_REFERENCE_DIR for the reference script"]
fn board_scores_and_what_they_show_for_the_reference_script() {
    let dir = PathBuf::from(std::env::var("SOAKRIG_REFERENCE_DIR").unwrap());
    let sizes = [(2, 2), (3, 3), (5, 5), (4, 7), (9, 3), (8, 8), (10, 10), (24, 26), (40, 35), (60, 60)];
    let mut cases = Vec::new();
    for (at, size) in sizes.into_iter().enumerate() {
        for (nth, grid) in [1e-6, 0.5, 1e-6, 1.0].into_iter().enumerate() {
            // So few boards on a coarse grid are often all the same.
            let grid = if size.0.min(size.1) > 3 { grid } else { 1e-6 };
            cases.push(told((10 * at + nth) as u64, size, grid));
        }
    }
    let mut random = Random::seeded(99);
    let adjusted: Vec<Value> = (0..20)
        .map(|count| {
            let p: Vec<f64> = (0..count).map(|_| random.fraction().powi(3)).collect();
            json!({ "p": p, "holm": holm(&p).unwrap(), "screened": benjamini_hochberg(&p).unwrap() })
        })
        .collect();
    let all = json!({
        "cases": cases, "tails": tails(), "inflations": inflations(), "factors": factors(), "powers": powers(), "adjusted": adjusted,
    });
    std::fs::write(dir.join("comparison.json"), all.to_string()).unwrap();
}

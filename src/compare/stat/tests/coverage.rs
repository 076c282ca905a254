//! How often the truth lies in the interval, and how often equal things are called different: simulated boards, fixed seeds. The
//! tables stand in `docs/comparison.md` too.

use super::super::*;
use super::{in_order, normal};
use crate::base::random::Random;

/// Boards a side, their scatter before and after, and how often the whole comparison is made.
struct Scene {
    name: &'static str,
    boards: usize,
    deviations: (f64, f64),
}

const SCENES: [Scene; 5] = [
    Scene { name: "3 + 3, alike", boards: 3, deviations: (1.0, 1.0) },
    Scene { name: "5 + 5, alike", boards: 5, deviations: (1.0, 1.0) },
    Scene { name: "5 + 5, 1 to 3", boards: 5, deviations: (1.0, 3.0) },
    Scene { name: "10 + 10, alike", boards: 10, deviations: (1.0, 1.0) },
    Scene { name: "10 + 10, 1 to 3", boards: 10, deviations: (1.0, 3.0) },
];
const TIMES: u32 = 2000;
const TRUTH: f64 = -37.0;

impl Scene {
    /// How often a comparison of two drawn sides comes out so, in per cent.
    fn share(&self, seed: u64, times: u32, comes_out: impl Fn(&[f64], &[f64], u64) -> bool) -> f64 {
        let mut random = Random::seeded(seed);
        let found = (0..times).filter(|time| {
            let before = normal(&mut random, self.boards, 60.0, self.deviations.0);
            let after = normal(&mut random, self.boards, 60.0 + TRUTH, self.deviations.1);
            comes_out(&before, &after, u64::from(*time))
        });
        100.0 * found.count() as f64 / f64::from(times)
    }
}

/// Three standard errors and a bit of a share of `expected` per cent.
fn margin(expected: f64, times: u32) -> f64 {
    3.3 * (expected * (100.0 - expected) / f64::from(times)).sqrt()
}

#[test]
fn intervals_hold_the_truth_as_often_as_they_say() {
    let mut table =
        vec![format!("{:<16} {:>6} {:>6} {:>6} {:>9}", "boards", "Welch", "paired", "ranks", "its level")];
    for scene in &SCENES {
        let welch = scene
            .share(1, TIMES, |before, after, _| welch(before, after, 0.95).unwrap().estimate.holds(TRUTH));
        // Pairs: the board's own level is in both and falls out.
        let paired = scene
            .share(2, TIMES, |before, after, _| paired(before, after, 0.95).unwrap().estimate.holds(TRUTH));
        let level = {
            let three: Vec<f64> = (0..scene.boards).map(|board| board as f64).collect();
            100.0 * shift_of_two(&three, &three, 0.95).unwrap().estimate.confidence
        };
        let ranks = scene.share(3, TIMES, |before, after, _| {
            shift_of_two(before, after, 0.95).unwrap().estimate.holds(TRUTH)
        });
        table.push(format!("{:<16} {welch:>6.1} {paired:>6.1} {ranks:>6.1} {level:>9.1}", scene.name));
        // Welch's degrees of freedom are an approximation that errs to the safe side for few boards.
        assert!(welch > 95.0 - margin(95.0, TIMES) && welch < 98.5, "{}: {welch}", scene.name);
        assert!((paired - 95.0).abs() < margin(95.0, TIMES), "{}: {paired}", scene.name);
        // Ranks promise a shift of the whole distribution; with unequal scatter they keep the promise only nearly.
        let slack = if scene.deviations.0 == scene.deviations.1 { 0.0 } else { 3.0 };
        assert!((ranks - level).abs() < margin(level, TIMES) + slack, "{}: {ranks} of {level}", scene.name);
    }
    insta::assert_snapshot!(table.join("\n"), @"
    boards            Welch paired  ranks its level
    3 + 3, alike       96.6   94.8   89.8      90.0
    5 + 5, alike       95.8   95.5   96.7      96.8
    5 + 5, 1 to 3      95.6   95.7   94.7      96.8
    10 + 10, alike     95.7   94.6   96.0      95.7
    10 + 10, 1 to 3    95.8   95.3   94.5      95.7
    ");
}

/// Boards whose parts lie anywhere between two limits, as those of a data sheet do, after boards that scatter little.
#[test]
fn an_interval_of_few_boards_that_scatter_evenly_holds_the_truth_less_often_than_it_says() {
    let mut table = vec![format!("{:<16} {:>6} {:>6}", "boards", "Welch", "paired")];
    // What is told of so few boards is what is drawn here, as near as so many draws come.
    for (boards, known, known_paired) in HELD_EVENLY {
        let mut random = Random::seeded(10);
        let mut held = [0_u32; 2];
        for _ in 0..TIMES {
            let before = normal(&mut random, boards, 60.0, 0.2);
            let change: Vec<f64> = (0..boards).map(|_| TRUTH + 4.0 * (random.fraction() - 0.5)).collect();
            let alone: Vec<f64> = change.iter().map(|change| 60.0 + change).collect();
            let same: Vec<f64> = before.iter().zip(&change).map(|(before, change)| before + change).collect();
            let found = [welch(&before, &alone, 0.95), paired(&before, &same, 0.95)];
            for (held, found) in held.iter_mut().zip(found) {
                *held += u32::from(found.unwrap().estimate.holds(TRUTH));
            }
        }
        let [welch, paired] = held.map(|held| 100.0 * f64::from(held) / f64::from(TIMES));
        table.push(format!("{:<16} {welch:>6.1} {paired:>6.1}", format!("{boards} + {boards}, evenly")));
        assert!((welch - known).abs() < margin(known, TIMES), "{boards}: {welch} of {known}");
        assert!((paired - known_paired).abs() < margin(known_paired, TIMES), "{boards}: {paired}");
    }
    insta::assert_snapshot!(table.join("\n"), @"
    boards            Welch paired
    2 + 2, evenly      91.6   93.0
    3 + 3, evenly      90.7   92.0
    4 + 4, evenly      90.8   91.5
    5 + 5, evenly      93.0   93.2
    6 + 6, evenly      93.2   93.4
    7 + 7, evenly      94.0   94.2
    8 + 8, evenly      93.8   93.8
    10 + 10, evenly    94.2   94.2
    ");
}

#[test]
fn a_bootstrap_of_few_boards_holds_the_truth_less_often_and_wider_percentiles_mend_most_of_it() {
    let kinds = [BootstrapKind::Percentile, BootstrapKind::Bca, BootstrapKind::Expanded];
    let mut table = vec![format!("{:<16} {:>10} {:>6} {:>8}", "boards", "percentile", "BCa", "expanded")];
    for scene in &SCENES {
        let shares = kinds.map(|kind| {
            scene.share(4, 1000, |before, after, time| {
                let settings = BootstrapSettings { confidence: 0.95, seed: time, resamples: 1000, kind };
                bootstrap(before, after, &settings).unwrap().estimate.holds(TRUTH)
            })
        });
        table.push(format!("{:<16} {:>10.1} {:>6.1} {:>8.1}", scene.name, shares[0], shares[1], shares[2]));
        assert!(shares[0] < shares[2] && shares[1] < shares[2], "{}: {shares:?}", scene.name);
        if scene.boards >= 5 {
            assert!(shares[2] > 95.0 - margin(95.0, 1000) - 1.0, "{}: {shares:?}", scene.name);
        }
    }
    insta::assert_snapshot!(table.join("\n"), @"
    boards           percentile    BCa expanded
    3 + 3, alike           79.5   80.6     89.5
    5 + 5, alike           87.3   88.1     94.6
    5 + 5, 1 to 3          86.8   87.1     93.7
    10 + 10, alike         91.2   91.3     94.1
    10 + 10, 1 to 3        89.7   90.0     93.1
    ");
}

#[test]
fn equal_things_are_called_different_no_more_often_than_promised() {
    let mut table = vec![format!(
        "{:<16} {:>6} {:>5} {:>11} {:>6} {:>5}",
        "boards", "Welch", "ranks", "permutation", "TOST", "Holm"
    )];
    for scene in &SCENES {
        let apart = |after: &[f64]| after.iter().map(|score| score - TRUTH).collect::<Vec<f64>>();
        let called = [
            scene.share(5, TIMES, |before, after, _| welch(before, &apart(after), 0.95).unwrap().p < 0.05),
            scene.share(6, TIMES, |before, after, _| mann_whitney(before, &apart(after)).unwrap().p < 0.05),
            // 184 756 ways a time with ten boards a side: the smaller ones do.
            if scene.boards > 5 {
                f64::NAN
            } else {
                scene.share(7, TIMES, |before, after, _| {
                    permute_means(before, &apart(after)).unwrap().p < 0.05
                })
            },
            // The truth at the margin itself is the hardest case of "not equal".
            scene.share(8, TIMES, |before, after, _| {
                let at_margin: Vec<f64> = apart(after).iter().map(|score| score + 2.0).collect();
                welch(before, &at_margin, 0.95).unwrap().within((-2.0, 2.0), 0.05).unwrap().is_equivalent
            }),
            scene.share(9, 1000, |_, _, time| {
                // Twelve points where nothing changed: any claim at all is a false one.
                let mut random = Random::seeded(1_000_000 + time);
                let p: Vec<f64> = (0..12)
                    .map(|_| {
                        let before = normal(&mut random, scene.boards, 0.0, scene.deviations.0);
                        let after = normal(&mut random, scene.boards, 0.0, scene.deviations.1);
                        welch(&before, &after, 0.95).unwrap().p
                    })
                    .collect();
                holm(&p).unwrap().iter().any(|p| *p < 0.05)
            }),
        ];
        let shown = |share: f64| if share.is_nan() { "-".to_owned() } else { format!("{share:.1}") };
        let [welch, ranks, permutation, tost, holm] = called.map(shown);
        table.push(format!("{:<16} {welch:>6} {ranks:>5} {permutation:>11} {tost:>6} {holm:>5}", scene.name));
        // Ranks and permutations promise nothing where the scatter differs; they go beyond by little.
        let slack = if scene.deviations.0 == scene.deviations.1 { 0.0 } else { 3.0 };
        for (at, share) in called.into_iter().enumerate().filter(|(_, share)| !share.is_nan()) {
            let times = if at == 4 { 1000 } else { TIMES };
            let slack = if at == 1 || at == 2 { slack } else { 0.0 };
            assert!(share < 5.0 + margin(5.0, times) + slack, "{}, {at}: {share}", scene.name);
        }
    }
    insta::assert_snapshot!(table.join("\n"), @"
    boards            Welch ranks permutation   TOST  Holm
    3 + 3, alike        3.7   0.0         0.0    3.7   1.8
    5 + 5, alike        4.2   3.4         4.6    4.9   3.7
    5 + 5, 1 to 3       4.5   4.9         7.5    2.1   6.2
    10 + 10, alike      4.8   3.4           -    4.6   5.2
    10 + 10, 1 to 3     6.1   6.2           -    3.4   5.4
    ");
}

#[test]
fn the_next_boards_lie_where_the_tolerance_interval_says() {
    let coverage = Coverage { part: 0.95, confidence: 0.95 };
    let mut table = vec![format!("{:<6} {:>9} {:>9} {:>6}", "boards", "one-sided", "two-sided", "Cpk")];
    for boards in [5, 10, 25] {
        let factors =
            (one_sided_factor(boards, coverage).unwrap(), two_sided_factor(boards, coverage).unwrap());
        let scene = Scene { name: "", boards, deviations: (1.0, 1.0) };
        let below = |z: f64| crate::base::distribution::normal_tails(z).unwrap().0;
        let moments = |scores: &[f64]| {
            use crate::base::stats::{mean, std_dev};
            (mean(scores).unwrap() - 60.0, std_dev(scores, 1).unwrap())
        };
        let one = scene.share(10, TIMES, |before, _, _| {
            let (center, deviation) = moments(before);
            below(center + factors.0 * deviation) >= 0.95
        });
        let two = scene.share(11, TIMES, |before, _, _| {
            let (center, deviation) = moments(before);
            below(center + factors.1 * deviation) - below(center - factors.1 * deviation) >= 0.95
        });
        // Limits four standard deviations away: a true Cpk of 4/3.
        let cpk = scene.share(12, TIMES, |before, _, _| {
            capability(before, (Some(56.0), Some(64.0)), 0.95).unwrap().cpk.holds(4.0 / 3.0)
        });
        table.push(format!("{boards:<6} {one:>9.1} {two:>9.1} {cpk:>6.1}"));
        assert!((one - 95.0).abs() < margin(95.0, TIMES), "{boards}: {one}");
        assert!((two - 95.0).abs() < margin(95.0, TIMES) + 0.5, "{boards}: {two}");
        assert!(boards < 25 || cpk > 95.0 - margin(95.0, TIMES) - 1.0, "{boards}: {cpk}");
    }
    insta::assert_snapshot!(table.join("\n"), @"
    boards one-sided two-sided    Cpk
    5           94.9      94.6   94.7
    10          94.7      94.7   95.5
    25          95.5      94.7   95.7
    ");
}

#[test]
fn drift_taken_off_leaves_the_effect_where_it_is_and_a_drift_ignored_does_not() {
    let orders = ["ABBAABBAAB", "AAAAABBBBB"];
    let mut table = Vec::new();
    for order in orders {
        let mut random = Random::seeded(13);
        let (mut held, mut plain_held) = (0, 0);
        for _ in 0..TIMES {
            let scatter = normal(&mut random, order.len(), 0.0, 1.0);
            let score = |at: usize, is_after: bool| {
                0.4 * at as f64 + scatter[at] + if is_after { TRUTH } else { 0.0 }
            };
            let runs = in_order(order, score);
            let side = |is_after: bool| -> Vec<f64> {
                runs.iter().filter(|run| run.is_after == is_after).map(|run| run.score).collect()
            };
            held += u32::from(order_effect(&runs, Replication::Boards, 0.95).unwrap().effect.holds(TRUTH));
            plain_held += u32::from(welch(&side(false), &side(true), 0.95).unwrap().estimate.holds(TRUTH));
        }
        let share = |count: u32| 100.0 * f64::from(count) / f64::from(TIMES);
        assert!((share(held) - 95.0).abs() < margin(95.0, TIMES), "{order}: {held}");
        table.push(format!(
            "{order}  drift taken off {:.1}  plain Welch {:.1}",
            share(held),
            share(plain_held)
        ));
    }
    insta::assert_snapshot!(table.join("\n"), @"
    ABBAABBAAB  drift taken off 94.5  plain Welch 99.7
    AAAAABBBBB  drift taken off 95.4  plain Welch 36.8
    ");
}

#[test]
fn so_many_boards_show_the_difference_as_often_as_was_asked() {
    for (difference, deviations) in [(2.0, (1.0, 1.0)), (3.0, (1.0, 2.0))] {
        let wanted = Wanted { difference, deviations, alpha: 0.05 };
        let boards = boards_needed(&wanted, 0.8).unwrap();
        let expected = 100.0 * power((boards, boards), &wanted).unwrap();
        let scene = Scene { name: "", boards, deviations };
        let found = scene.share(14, TIMES, |before, after, _| {
            let moved: Vec<f64> = after.iter().map(|score| score - TRUTH + difference).collect();
            welch(before, &moved, 0.95).unwrap().p < 0.05
        });
        assert!((found - expected).abs() < margin(expected, TIMES) + 1.0, "{boards}: {found} {expected}");
    }
}

use proptest::prelude::*;

use super::super::*;

fn scores(least: usize) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec((-500i32..500).prop_map(|tenth| f64::from(tenth) / 10.0), least..9)
}

fn scaled(scores: &[f64], factor: f64, shift: f64) -> Vec<f64> {
    scores.iter().map(|score| factor * score + shift).collect()
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * (1.0 + a.abs().max(b.abs()))
}

proptest! {
    #[test]
    fn turning_before_and_after_round_turns_the_answer_round(before in scores(2), after in scores(2)) {
        if let (Ok(one), Ok(other)) = (welch(&before, &after, 0.95), welch(&after, &before, 0.95)) {
            prop_assert!(near(one.estimate.low, -other.estimate.high) && near(one.p, other.p));
        }
        let (one, other) = (mann_whitney(&before, &after).unwrap(), mann_whitney(&after, &before).unwrap());
        prop_assert!(near(one.p, other.p) && near(one.p_higher, other.p_lower));
        let (one, other) =
            (shift_of_two(&before, &after, 0.95).unwrap(), shift_of_two(&after, &before, 0.95).unwrap());
        prop_assert!(near(one.estimate.low, -other.estimate.high) && near(one.estimate.value, -other.estimate.value));
        let (one, other) = (permute_means(&before, &after).unwrap(), permute_means(&after, &before).unwrap());
        prop_assert!(near(one.p, other.p), "{one:?} {other:?}");
    }

    #[test]
    fn another_unit_or_origin_changes_no_p(
        before in scores(2), after in scores(2), factor in 0.01f64..1000.0, origin in -100.0f64..100.0,
    ) {
        let (more, less) = (scaled(&before, factor, origin), scaled(&after, factor, origin));
        if let Ok(one) = welch(&before, &after, 0.95) {
            let other = welch(&more, &less, 0.95).unwrap();
            prop_assert!((one.p - other.p).abs() < 1e-6, "{one:?} {other:?}");
            prop_assert!((other.estimate.low - factor * one.estimate.low).abs() < 1e-6 * factor * (100.0 + origin.abs()));
        }
        // Ranks know neither; ties stay ties, as whole numbers are scaled by a power of two.
        let (more, less) = (scaled(&before, 4.0, 0.0), scaled(&after, 4.0, 0.0));
        prop_assert_eq!(mann_whitney(&before, &after).unwrap().p, mann_whitney(&more, &less).unwrap().p);
    }

    #[test]
    fn the_further_apart_the_smaller_the_p(before in scores(3), after in scores(3), step in 0.1f64..50.0) {
        let higher = scaled(&after, 1.0, step);
        let (one, other) = (mann_whitney(&before, &after).unwrap(), mann_whitney(&before, &higher).unwrap());
        prop_assert!(other.statistic >= one.statistic);
        if let (Ok(one), Ok(other)) = (welch(&before, &after, 0.95), welch(&before, &higher, 0.95)) {
            prop_assert!(other.t > one.t);
            prop_assert!(one.estimate.value < 0.0 || other.p <= one.p + 1e-12);
        }
    }

    #[test]
    fn every_p_is_one_and_every_interval_holds_its_value(
        before in prop::collection::vec(prop::num::f64::ANY, 0..6), after in prop::collection::vec(prop::num::f64::ANY, 0..6),
    ) {
        let settings = BootstrapSettings { confidence: 0.9, seed: 1, resamples: 1000, kind: BootstrapKind::Bca };
        let p = |p: f64| (0.0..=1.0).contains(&p);
        let whole = |e: Estimate| e.low <= e.value && e.value <= e.high && e.low.is_finite() && e.high.is_finite();
        for found in [welch(&before, &after, 0.9), paired(&before, &after, 0.9), one_sample(&before, 0.9)].into_iter().flatten() {
            prop_assert!(p(found.p) && whole(found.estimate), "{found:?}");
        }
        for found in [mann_whitney(&before, &after), signed_rank(&before, &after)].into_iter().flatten() {
            prop_assert!(p(found.p) && p(found.smallest_p) && found.p >= found.smallest_p - 1e-12, "{found:?}");
        }
        for found in [shift_of_two(&before, &after, 0.9), shift_of_pairs(&before, &after, 0.9)].into_iter().flatten() {
            prop_assert!(whole(found.estimate) && p(found.estimate.confidence), "{found:?}");
        }
        for found in [permute_means(&before, &after), permute_pairs(&before, &after)].into_iter().flatten() {
            prop_assert!(p(found.p) && found.p > 0.0 && found.difference.is_finite(), "{found:?}");
        }
        if let Ok(found) = bootstrap(&before, &after, &settings) {
            prop_assert!(found.estimate.low <= found.estimate.high && found.estimate.high.is_finite());
        }
        if let Ok(found) = capability(&before, (Some(-1.0), Some(1.0)), 0.95) {
            prop_assert!(whole(found.cpk));
        }
        if let Ok(found) = tolerance_interval(&before, Coverage { part: 0.9, confidence: 0.9 }) {
            prop_assert!(whole(found));
        }
    }

    #[test]
    fn an_adjusted_p_is_never_smaller_keeps_the_order_and_holm_is_the_stricter(
        p in prop::collection::vec(0.0f64..=1.0, 0..20),
    ) {
        let (holm, screened) = (holm(&p).unwrap(), benjamini_hochberg(&p).unwrap());
        for (at, p_at) in p.iter().enumerate() {
            prop_assert!(screened[at] >= *p_at - 1e-12 && holm[at] >= screened[at] - 1e-12 && holm[at] <= 1.0);
            for (other, p_other) in p.iter().enumerate() {
                prop_assert!(p_at > p_other || (holm[at] <= holm[other] && screened[at] <= screened[other]));
            }
        }
    }

    #[test]
    fn bounds_never_say_more_than_the_values_they_stand_for(
        before in scores(2), after in scores(2), floor in -20.0f64..20.0,
    ) {
        // The truth, and what a floor leaves of it.
        let seen = |scores: &[f64]| -> Vec<Score> {
            scores.iter().map(|s| if *s < floor { Score::AtMost(floor) } else { Score::Is(*s) }).collect()
        };
        let truth = shift_of_two(&before, &after, 0.95).unwrap();
        let found = censored_shift(&seen(&before), &seen(&after), 0.95).unwrap();
        prop_assert!(found.low.is_none_or(|low| low <= truth.estimate.low));
        prop_assert!(found.high.is_none_or(|high| high >= truth.estimate.high));
        match found.value {
            Some(Score::Is(value)) => prop_assert!(near(value, truth.estimate.value)),
            Some(Score::AtMost(value)) => prop_assert!(value >= truth.estimate.value - 1e-9),
            Some(Score::AtLeast(value)) => prop_assert!(value <= truth.estimate.value + 1e-9),
            None => {}
        }
        if before.iter().chain(&after).all(|score| *score >= floor) {
            prop_assert_eq!(censored_ranks(&seen(&before), &seen(&after)), mann_whitney(&before, &after));
        }
    }

    #[test]
    fn a_signed_rank_is_what_going_through_all_signs_gives(changes in scores(1)) {
        prop_assume!(changes.len() <= 8);
        let zero = vec![0.0; changes.len()];
        let Ok(found) = signed_rank(&zero, &changes) else { return Ok(()) };
        let moved: Vec<f64> = changes.iter().copied().filter(|change| *change != 0.0).collect();
        let rank = |of: f64| {
            let below = moved.iter().filter(|other| other.abs() < of.abs()).count() as f64;
            let same = moved.iter().filter(|other| other.abs() == of.abs()).count() as f64;
            below + (same + 1.0) / 2.0
        };
        let sums: Vec<f64> = (0..1u32 << moved.len())
            .map(|signs| moved.iter().enumerate().filter(|(at, _)| signs >> at & 1 == 1).map(|(_, change)| rank(*change)).sum())
            .collect();
        let part = |holds: &dyn Fn(f64) -> bool| sums.iter().filter(|sum| holds(**sum)).count() as f64 / sums.len() as f64;
        prop_assert!(near(found.p_lower, part(&|sum| sum <= found.statistic)));
        prop_assert!(near(found.p_higher, part(&|sum| sum >= found.statistic)));
    }
}

use super::super::*;
use super::in_order;

const BEFORE: [f64; 5] = [20.1, 22.4, 19.7, 21.3, 23.0];
const AFTER: [f64; 5] = [18.2, 19.9, 20.4, 17.1, 18.8];
const COVERAGE: Coverage = Coverage { part: 0.95, confidence: 0.95 };

/// Frozen from scipy 1.15.3 and statsmodels 0.14 unless said otherwise.
fn near(found: f64, expected: f64) {
    let scale = expected.abs().max(1e-12);
    assert!((found - expected).abs() / scale < 1e-9, "{found} {expected}");
}

#[test]
fn differences_of_means_are_those_of_scipy() {
    let welch = welch(&BEFORE, &AFTER, 0.95).unwrap();
    near(welch.estimate.value, -2.42);
    near(welch.freedom, 7.956_780_117_646_169);
    near(welch.t, -2.786_214_359_303_953);
    near(welch.p, 0.023_821_408_165_018_217);
    near(welch.estimate.low, -4.424_802_929_283_285);
    near(welch.estimate.high, -0.415_197_070_716_718_74);
    let paired = paired(&BEFORE, &AFTER, 0.95).unwrap();
    near(paired.p, 0.055_418_949_106_409_265);
    near(paired.estimate.low, -4.930_188_917_768_407);
    near(paired.estimate.high, 0.090_188_917_768_406_54);
}

#[test]
fn two_one_sided_tests_are_the_interval_inside_the_margins() {
    let difference = welch(&BEFORE, &AFTER, 0.95).unwrap();
    for (margin, p, one_sided) in [
        (4.0, 0.053_300_683_819_685_36, 3.949_354_844_656_772e-5),
        (1.0, 0.929_541_099_491_278_6, 0.002_178_613_708_380_769),
    ] {
        let within = difference.within((-margin, margin), 0.05).unwrap();
        near(within.p, p);
        let inside = within.interval.low > -margin && within.interval.high < margin;
        assert_eq!(within.is_equivalent, inside);
        near(difference.not_worse(Worse::Higher, margin, 0.05).unwrap().p, one_sided);
        near(difference.not_worse(Worse::Lower, margin, 0.05).unwrap().p, p);
    }
    assert!(difference.within((-4.2, 4.2), 0.05).unwrap().is_equivalent);
    assert!(difference.within((0.0, 1.0), 0.05).is_err());
}

#[test]
fn rank_tests_count_all_assignments_with_and_without_ties() {
    let test = mann_whitney(&BEFORE, &AFTER).unwrap();
    assert_eq!((test.statistic, test.exactness), (3.0, Exactness::Exact));
    near(test.p, 0.055_555_555_555_555_55);
    near(test.smallest_p, 2.0 / 252.0);
    // Gone through one by one with scipy's mid-ranks.
    let tied = mann_whitney(&[1.0, 2.0, 2.0, 3.0, 5.0], &[2.0, 4.0, 4.0, 6.0, 7.0]).unwrap();
    assert_eq!(tied.statistic, 20.0);
    near(tied.p, 0.142_857_142_857_142_85);
    let signed = signed_rank(&BEFORE, &AFTER).unwrap();
    assert_eq!(signed.statistic, 1.0);
    near(signed.p, 0.125);
    let many = |from: f64| (0..30).map(|k| f64::from(k) + from).collect::<Vec<_>>();
    let many = mann_whitney(&many(0.1), &many(4.5)).unwrap();
    assert_eq!((many.statistic, many.exactness), (575.0, Exactness::Approximate));
    near(many.p, 0.065_671_257_689_126_59);
}

#[test]
fn three_boards_a_side_never_reach_five_per_cent_and_four_do() {
    for (boards, p) in [(3, 0.1), (4, 2.0 / 70.0), (5, 2.0 / 252.0)] {
        near(smallest_mann_whitney_p(boards, boards), p);
        let far = |from: f64| (0..boards).map(|k| from + k as f64).collect::<Vec<_>>();
        let test = mann_whitney(&far(0.0), &far(1000.0)).unwrap();
        near(test.p, p);
        assert_eq!(test.cannot_reach(0.05), boards == 3);
    }
    assert_eq!(smallest_signed_rank_p(5), 0.0625);
    assert_eq!(smallest_mann_whitney_p(1, 1), 1.0);
    // Whether the boards say so or there are only ties.
    assert_eq!(mann_whitney(&[1.0; 4], &[1.0; 4]).unwrap().smallest_p, 1.0);
}

#[test]
fn a_shift_has_the_interval_of_the_same_test_or_says_that_there_is_none() {
    let shift = shift_of_two(&BEFORE, &AFTER, 0.95).unwrap();
    // R 4: wilcox.test(after, before, conf.int = TRUE): the ends are the third differences from outside, 96.8 %.
    let mut differences: Vec<f64> =
        AFTER.iter().flat_map(|after| BEFORE.iter().map(move |before| after - before)).collect();
    differences.sort_by(f64::total_cmp);
    near(shift.estimate.value, differences[12]);
    assert_eq!((shift.estimate.low, shift.estimate.high), (differences[2], differences[22]));
    near(shift.estimate.confidence, 1.0 - 2.0 * 4.0 / 252.0);
    assert!(shift.reaches_wanted() && shift.shortfall().is_none());
    let few = shift_of_two(&BEFORE[..3], &AFTER[..3], 0.95).unwrap();
    near(few.estimate.confidence, 0.9);
    insta::assert_snapshot!(few.shortfall().unwrap(), @"so few boards have no interval by ranks at 95 %: the widest one, from the lowest to the highest difference, has 90.0 %");
    let pairs = shift_of_pairs(&BEFORE, &AFTER, 0.95).unwrap();
    near(pairs.estimate.confidence, 0.9375);
    assert!(!pairs.reaches_wanted());
    assert_eq!(
        shift_of_two(&[1.0], &[2.0], 0.95).unwrap_err().0,
        "this needs at least 2 boards before, there is one"
    );
}

#[test]
fn permutations_are_gone_through_one_by_one() {
    let test = permute_means(&BEFORE, &AFTER).unwrap();
    near(test.difference, -2.42);
    near(test.p, 0.039_682_539_682_539_68);
    assert_eq!(test.ways, 252);
    assert_eq!(permute_pairs(&BEFORE, &AFTER).unwrap().ways, 32);
    assert_eq!(permute_means(&[0.0, 1.0, 2.0], &[10.0, 11.0, 12.0]).unwrap().p, 0.1);
    assert!(permute_means(&[1.0; 11], &[1.0; 11]).is_err());
}

#[test]
fn many_claims_are_adjusted_as_r_does() {
    // R: p.adjust(c(0.01, 0.04, 0.03, 0.5, 0.002), "holm" and "BH").
    let p = [0.01, 0.04, 0.03, 0.5, 0.002];
    let rounded = |p: Vec<f64>| p.iter().map(|p| (p * 1e9).round() / 1e9).collect::<Vec<_>>();
    assert_eq!(rounded(holm(&p).unwrap()), [0.04, 0.09, 0.09, 0.5, 0.01]);
    assert_eq!(rounded(benjamini_hochberg(&p).unwrap()), [0.025, 0.05, 0.05, 0.5, 0.01]);
    assert!(holm(&[0.5, f64::NAN]).is_err());
    assert_eq!(holm(&[]), Ok(vec![]));
}

#[test]
fn tolerance_factors_are_those_of_the_tables() {
    for (boards, one, two) in [
        (2, 26.259_673_983_034_47, 38.280_643_925_788_5),
        (5, 4.202_680_741_256_176, 5.093_525_891_861_282),
        (10, 2.910_963_413_078_166_5, 3.381_913_490_509_021),
        (30, 2.219_837_532_035_056_5, 2.549_635_295_173_618_8),
    ] {
        near(one_sided_factor(boards, COVERAGE).unwrap(), one);
        near(two_sided_factor(boards, COVERAGE).unwrap(), two);
    }
    assert!(one_sided_factor(1, COVERAGE).is_err());
    let all = tolerance_interval(&BEFORE, COVERAGE).unwrap();
    let limit = tolerance_limit(&BEFORE, Worse::Higher, COVERAGE).unwrap();
    assert!(all.value < limit && limit < all.high);
}

#[test]
fn a_cpk_stands_with_its_interval_or_not_at_all() {
    let found = capability(&BEFORE, (Some(15.0), Some(30.0)), 0.95).unwrap();
    // mean 21.3, s^2 = 2.025; +-1.96 sqrt(1/45 + Cpk^2/8).
    near(found.cpk.value, 6.3 / (3.0 * 2.025f64.sqrt()));
    let reach = 1.959_963_984_540_054 * (1.0 / 45.0 + found.cpk.value.powi(2) / 8.0).sqrt();
    near(found.cpk.high - found.cpk.value, reach);
    assert!(found.warning.is_some());
    assert!(capability(&BEFORE[..4], (None, Some(30.0)), 0.95).is_err());
    assert!(capability(&BEFORE, (None, None), 0.95).is_err());
    assert!(capability(&BEFORE, (Some(3.0), Some(2.0)), 0.95).is_err());
    assert!(capability(&BEFORE, (None, Some(20.0)), 0.95).unwrap().cpk.value < 0.0);
}

#[test]
fn how_many_boards_it_takes_is_what_the_tables_of_power_say() {
    let wanted = |difference: f64| Wanted { difference, deviations: (1.0, 1.0), alpha: 0.05 };
    near(power((5, 5), &wanted(1.0)).unwrap(), 0.286_295_493_380_597_57);
    near(power((10, 10), &wanted(-1.5)).unwrap(), 0.886_970_202_254_684_5);
    assert_eq!(boards_needed(&wanted(1.0), 0.8), Ok(17));
    assert_eq!(boards_needed(&wanted(2.0), 0.8), Ok(6));
    assert_eq!(boards_needed(&wanted(0.5), 0.9), Ok(86));
    assert_eq!(boards_needed(&wanted(500.0), 0.8), Ok(2));
    insta::assert_snapshot!(boards_needed(&wanted(1e-3), 0.8).unwrap_err().0, @"even 10000 boards would not show so small a difference");
    assert!(boards_needed(&wanted(0.0), 0.8).is_err());
}

#[test]
fn what_drowned_in_the_floor_stays_a_bound() {
    use Score::{AtLeast, AtMost, Is};
    // Ripple in dBuV; the floor at 20.
    assert_eq!(censored_change(Is(60.0), AtMost(20.0)), Ok(AtMost(-40.0)));
    assert_eq!(censored_change(AtMost(20.0), Is(60.0)), Ok(AtLeast(40.0)));
    assert_eq!(censored_change(Is(60.0), Is(25.0)), Ok(Is(-35.0)));
    assert!(censored_change(AtMost(20.0), AtMost(20.0)).is_err());
    assert_eq!(censored_change(AtLeast(60.0), AtMost(20.0)), Ok(AtMost(-40.0)));
    let after = [AtMost(20.0), AtMost(20.0), Is(21.0), Is(23.0), AtMost(20.0)];
    assert_eq!(known(&after), (vec![21.0, 23.0], 3));
    assert_eq!(mean_or_bound(&after), Ok(AtMost(20.8)));
    assert!(mean_or_bound(&[AtMost(1.0), AtLeast(2.0)]).is_err());
    let before = [60.0, 61.0, 58.0, 63.0, 60.5].map(Is);
    let test = censored_ranks(&before, &after).unwrap();
    near(test.p, 2.0 / 252.0);
    let shift = censored_shift(&before, &after, 0.95).unwrap();
    assert_eq!((shift.value, shift.low, shift.bounds), (Some(AtMost(-40.0)), None, 3));
    assert!(shift.high.unwrap() <= -37.0, "{shift:?}");
    // One floor for all is a tie at the floor.
    let (floored, tied) = (
        mann_whitney(&[20.0, 20.0, 25.0, 27.0], &[20.0, 22.0, 30.0, 31.0]).unwrap(),
        [AtMost(21.0), AtMost(21.0), Is(25.0), Is(27.0)],
    );
    let test = censored_ranks(&tied, &[AtMost(21.0), Is(22.0), Is(30.0), Is(31.0)]).unwrap();
    assert_eq!((test.p, test.statistic), (floored.p, floored.statistic));
}

#[test]
fn drift_is_told_apart_from_the_effect_where_the_order_lets_it() {
    // Effect -3, drift 0.5 a run, and a little scatter that adds up to nothing.
    let scatter = [0.02, -0.03, 0.01, 0.03, -0.02, -0.04, 0.01, 0.02];
    let told = |sides: &str| {
        let score = |at: usize, is_after: bool| {
            40.0 + 0.5 * at as f64 - if is_after { 3.0 } else { 0.0 } + scatter[at]
        };
        let runs = in_order(sides, score);
        order_effect(&runs, Replication::Boards, 0.95)
    };
    let (mixed, blocks) = (told("ABBAABBA").unwrap(), told("AAAABBBB").unwrap());
    for found in [mixed, blocks] {
        assert!(found.effect.holds(-3.0) && found.drift.holds(0.5), "{found:?}");
        assert!(found.drift_p < 0.001);
    }
    assert!((mixed.inflation - 1.0).abs() < 1e-12 && blocks.inflation > 4.0, "{mixed:?} {blocks:?}");
    let reach = |found: OrderEffect| found.effect.high - found.effect.low;
    assert!(reach(blocks) > 1.5 * reach(mixed));
    assert!(told("AB").is_err());
    assert!(told("AAAA").is_err());
}

#[test]
fn within_boards_the_boards_own_levels_do_not_count() {
    let run =
        |board: u32, is_after: bool, position: f64, score: f64| BoardRun { board, is_after, position, score };
    let runs = [
        run(1, false, 0.0, 40.0),
        run(1, true, 1.0, 37.52),
        run(2, true, 2.0, 88.0),
        run(2, false, 3.0, 91.49),
        run(3, false, 4.0, 12.02),
        run(3, true, 5.0, 9.5),
        run(4, true, 6.0, 60.01),
        run(4, false, 7.0, 63.5),
    ];
    let found = order_effect(&runs, Replication::WithinBoards, 0.95).unwrap();
    assert!(found.effect.holds(-3.0) && found.drift.holds(0.5), "{found:?}");
    assert_eq!(found.freedom, 2.0);
    assert!(found.effect.high - found.effect.low < 0.2);
    assert!(order_effect(&runs, Replication::Boards, 0.95).is_err());
}

#[test]
fn what_cannot_be_concluded_is_said_in_words() {
    let settings = BootstrapSettings { confidence: 0.95, seed: 1, resamples: 1000, kind: BootstrapKind::Bca };
    let same = [4.0; 5];
    let words = [
        welch(&[1.0], &[2.0, 3.0], 0.95).unwrap_err(),
        welch(&same, &same, 0.95).unwrap_err(),
        welch(&[1.0, f64::NAN], &[2.0, 3.0], 0.95).unwrap_err(),
        paired(&[1.0, 2.0], &[2.0], 0.95).unwrap_err(),
        one_sample(&[], 0.95).unwrap_err(),
        welch(&[1e308, -1e308], &[1.0, 2.0], 0.95).unwrap_err(),
        bootstrap(&same, &same, &settings).unwrap_err(),
        signed_rank(&same, &same).unwrap_err(),
        welch(&BEFORE, &AFTER, 95.0).unwrap_err(),
    ];
    insta::assert_snapshot!(words.map(|words| words.0).join("\n"), @"
    this needs at least 2 boards before, there is one
    the boards do not differ among themselves, so nothing tells how far the mean may be off
    a score before is no finite number
    pairs need every board on both sides: there are 2 before and 1 after
    this needs at least 2 boards in the group, there is none
    the numbers are too large or too far apart to compute with
    the boards do not differ among themselves: drawing them again tells nothing
    no board changed at all: there is nothing to rank
    a confidence of 95 is none: give a part between 0.5 and 1, e.g. 0.95
    ");
}

#[test]
fn a_bootstrap_is_the_same_for_ever_and_says_that_five_boards_are_few() {
    let settings = |kind| BootstrapSettings { confidence: 0.95, seed: 7, resamples: 4000, kind };
    let found = [BootstrapKind::Percentile, BootstrapKind::Expanded, BootstrapKind::Bca]
        .map(|kind| bootstrap(&BEFORE, &AFTER, &settings(kind)).unwrap());
    assert!(found[1].estimate.low < found[0].estimate.low && found[1].estimate.high > found[0].estimate.high);
    let told = found.map(|found| {
        format!("{:?}: {:.4} to {:.4}", found.settings.kind, found.estimate.low, found.estimate.high)
    });
    insta::assert_snapshot!(told.join("\n"), @"
    Percentile: -3.9800 to -0.9400
    Expanded: -4.4200 to -0.5000
    Bca: -3.9800 to -0.9400
    ");
    let once = bootstrap_pairs(&BEFORE, &AFTER, &settings(BootstrapKind::Bca)).unwrap();
    assert!(once.warning.unwrap().contains("5 boards"));
    assert!(once.estimate.holds(-2.42));
}

use std::time::Duration;

use proptest::prelude::*;

use super::super::{CRITERIA, Criterion, On, Steadiness, SteadyJudge, Temperatures, Why};
use super::Noise;
use crate::base::clock::Instant;
use crate::base::units::Celsius;

fn at(seconds: f64) -> Instant {
    Instant((seconds * 1e9) as u64)
}

fn board(celsius: f64) -> Temperatures {
    Temperatures { board: Some(Celsius(celsius)), ambient: None }
}

fn judge(name: &str) -> SteadyJudge {
    SteadyJudge::new(Criterion::parse(name).unwrap(), On::Board, None)
}

/// When the judge first says steady, reading once a second up to `until_s`; in seconds.
fn met_s(judge: &mut SteadyJudge, until_s: u32, curve: impl Fn(f64) -> Option<f64>) -> Option<f64> {
    (0..until_s).map(f64::from).find(|s| {
        curve(*s).is_some_and(|c| matches!(judge.take(at(*s), board(c)), Steadiness::Steady { .. }))
    })
}

/// A board that warms by 40 K with a time constant of 20 min.
fn warming(s: f64) -> f64 {
    63.0 - 40.0 * (-s / 1200.0).exp()
}

#[test]
fn every_criterion_finds_a_warming_board_steady_at_the_time_its_words_give() {
    // 40 exp(-t/1200) falls by (1 - exp(-T/1200)) of itself within T: when that is what is allowed, plus T.
    let rows: Vec<String> = CRITERIA
        .iter()
        .map(|criterion| {
            let mut judge = SteadyJudge::new(*criterion, On::Board, Some(Celsius(85.0)));
            let met_s = met_s(&mut judge, 40_000, |s| Some(warming(s))).unwrap();
            let within_s = criterion.within.as_secs_f64();
            let mut begin_s = 1200.0 * (40.0 * (1.0 - (-within_s / 1200.0).exp()) / criterion.change_k).ln();
            match criterion.name {
                // The first half does more: under 1 K within the first 30 min.
                "IEC 60034-1" => begin_s = 1200.0 * (40.0 * (1.0 - (-1.5_f64).exp())).ln(),
                // 1 % of 336 K is more than 3 K.
                "IEC 62282-2" => begin_s = 1200.0 * (40.0 * (1.0 - (-0.75_f64).exp()) / 3.33).ln(),
                _ => {}
            }
            let slot_s = within_s / 60.0;
            let (words_s, late_s) = (begin_s + within_s, met_s - begin_s - within_s);
            assert!((-slot_s..=2.5 * slot_s).contains(&late_s), "{}: {met_s} {words_s}", criterion.name);
            format!("{:<18} {:<24} {:>4.0} min", criterion.name, criterion.asks(), met_s / 60.0)
        })
        .collect();
    insta::assert_snapshot!(rows.join("\n"), @r"
    1 K/h              1 K within 1 h            134 min
    IEC 62368-1        3 K within 30 min          78 min
    IEC 62368-1 short  1 K within 5 min           49 min
    IEC 61010-1        2 K within 1 h            120 min
    IEC 60034-1        under 2 K within 1 h      130 min
    IEC 61810-7        under 1 K within 10 min    65 min
    IEC 62282-2        3 K within 15 min          52 min
    IEC 60335-2-6      under 1 K within 15 min    76 min
    ");
}

#[test]
fn steady_is_told_with_the_time_it_began_and_ends_when_the_board_moves_again() {
    let mut judge = judge("1 K/15 min");
    let step = |s: f64| if s < 5000.0 { 40.0 } else { 45.0 };
    let mut told = Vec::new();
    for s in (0..7000).map(f64::from) {
        let state = match judge.take(at(s), board(step(s))) {
            Steadiness::Steady { since, met_at, change_k } => {
                format!(
                    "steady since {:.0} s, met at {:.0} s, {change_k:.2} K",
                    since.seconds(),
                    met_at.seconds()
                )
            }
            Steadiness::NotYet(shortfall) => format!("{:?}", shortfall.why),
        };
        if told.last().is_none_or(|(_, last)| *last != state) {
            told.push((s, state));
        }
    }
    let told: Vec<String> = told.iter().map(|(s, state)| format!("{s} s: {state}")).collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    0 s: TooEarly
    915 s: steady since 15 s, met at 915 s, 0.00 K
    5010 s: StillChanging
    5925 s: steady since 5025 s, met at 5925 s, 0.00 K
    ");
}

#[test]
fn how_far_off_is_told_in_words() {
    let mut judge = judge("1 K/h");
    let mut said = vec![];
    for s in (0..7300).map(f64::from) {
        let state = judge.take(at(s), board(warming(s)));
        if [0.0, 700.0, 3700.0, 7200.0].contains(&s)
            && let Steadiness::NotYet(shortfall) = state
        {
            said.push(shortfall.to_string());
        }
    }
    if let Steadiness::NotYet(shortfall) = judge.judge(at(9000.0)) {
        said.push(shortfall.to_string());
    }
    insta::assert_snapshot!(said.join("\n"), @r"
    watched for 0 s of 1 h, no change known so far
    watched for 10 min of 1 h, changed 15.36 K so far
    changed 37.09 K within 1 h, 1 K is allowed; about 1 h 12 min to go
    changed 1.94 K within 1 h, 1 K is allowed; about 13 min 15 s to go
    the readings had a gap, watching for 1 h began again
    ");
}

#[test]
fn a_gap_never_makes_a_board_steady() {
    // An unreadable thermometer from 3000 s on, for longer than two slots: the hour begins again.
    let gap = |s: f64| (!(3000.0..3200.0).contains(&s)).then_some(40.0);
    let mut with_gap = judge("1 K/h");
    assert_eq!(met_s(&mut with_gap, 20_000, gap), Some(3200.0 + 3660.0));
    let mut without = judge("1 K/h");
    assert_eq!(met_s(&mut without, 20_000, |_| Some(40.0)), Some(3660.0));
    assert!(matches!(without.judge(at(3700.0)), Steadiness::Steady { .. }));
    let later = without.judge(at(4000.0));
    assert!(matches!(later, Steadiness::NotYet(shortfall) if shortfall.why == Why::Gap), "{later:?}");
    // A frozen reader that comes back hotter after the gap.
    let jump = |s: f64| {
        if s < 3000.0 {
            Some(40.0)
        } else if s < 5000.0 {
            None
        } else {
            Some(warming(s - 5000.0))
        }
    };
    assert!(met_s(&mut judge("1 K/h"), 9000, jump).is_none());
    // Readings too rare for the criterion are all gaps.
    let rare = |s: f64| (s % 20.0 == 0.0).then_some(40.0);
    assert_eq!(met_s(&mut judge("1 K/5 min"), 5000, rare), None);
    assert!(met_s(&mut judge("1 K/15 min"), 5000, rare).is_some());
    // Not a number is no reading.
    assert_eq!(met_s(&mut judge("1 K/h"), 9000, |_| Some(f64::NAN)), None);
}

#[test]
fn a_room_that_warms_counts_for_the_board_and_not_for_the_rise() {
    let take = |on: On, ambient: bool| {
        let mut judge = SteadyJudge::new(Criterion::default(), on, None);
        (0..20_000).map(f64::from).any(|s| {
            let room = 20.0 + s / 1800.0;
            let temperatures =
                Temperatures { board: Some(Celsius(room + 15.0)), ambient: ambient.then_some(Celsius(room)) };
            matches!(judge.take(at(s), temperatures), Steadiness::Steady { .. })
        })
    };
    assert!(!take(On::Board, true));
    assert!(take(On::Rise, true));
    assert!(!take(On::Rise, false), "without ambient there is no rise");
}

#[test]
fn a_thermometer_that_scatters_does_not_hide_a_steady_board_and_a_load_that_repeats_needs_its_period() {
    let mut noise = Noise::seeded(4);
    let scatter: Vec<f64> = (0..20_000).map(|_| 40.0 + 0.5 * noise.normal()).collect();
    assert!(met_s(&mut judge("1 K/h"), 20_000, |s| Some(scatter[s as usize])).is_some());
    let cycling = |s: f64| Some(40.0 + 3.0 * (s / 600.0 * std::f64::consts::TAU).sin());
    assert_eq!(met_s(&mut judge("1 K/h"), 20_000, cycling), None);
    let mut averaged = judge("1 K/h").averaging(Duration::from_secs(600));
    assert!(met_s(&mut averaged, 20_000, cycling).is_some());
}

#[test]
fn the_short_criterion_holds_only_well_under_the_limit() {
    for (limit, steady) in [(Some(85.0), true), (Some(46.0), true), (Some(44.0), false), (None, false)] {
        let criterion = Criterion::parse("IEC 62368-1 short").unwrap();
        let mut judge = SteadyJudge::new(criterion, On::Board, limit.map(Celsius));
        assert_eq!(met_s(&mut judge, 2000, |_| Some(40.0)).is_some(), steady, "{limit:?}");
    }
}

#[test]
fn criteria_are_read_by_name_or_in_kelvin_and_time() {
    assert_eq!(Criterion::default().name, "1 K/h");
    for (text, change_k, seconds) in [
        ("1 K/h", 1.0, 3600),
        ("1k/H", 1.0, 3600),
        ("0.5 K/2 h", 0.5, 7200),
        ("iec 60034-1", 2.0, 3600),
        ("2K/30min", 2.0, 1800),
    ] {
        let read = Criterion::parse(text).unwrap();
        assert_eq!((read.change_k, read.within.as_secs()), (change_k, seconds), "{text}");
    }
    for bad in ["", "1 K", "K/h", "-1 K/h", "1 K/0 s", "1 K/30 d", "1 C/h", "nan K/h", "IEC 1"] {
        assert!(Criterion::parse(bad).is_err(), "{bad}");
    }
    insta::assert_snapshot!(Criterion::parse("1 C/h").unwrap_err(), @"`1 C/h` is no criterion for steady state: write kelvin within a time of 10 s to 7 d, e.g. `1 K/h` or `2 K/30 min`, or one of `1 K/h`, `IEC 62368-1`, `IEC 62368-1 short`, `IEC 61010-1`, `IEC 60034-1`, `IEC 61810-7`, `IEC 62282-2`, `IEC 60335-2-6`");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn whatever_is_read_at_whatever_time_it_neither_panics_nor_calls_a_moving_board_steady(
        readings in prop::collection::vec((0u64..20_000_000_000, -50.0..150.0f64), 1..300),
        which in 0usize..CRITERIA.len(),
    ) {
        let mut judge = SteadyJudge::new(CRITERIA[which], On::Board, Some(Celsius(100.0)));
        let mut now = 0;
        for (nanos, celsius) in readings {
            now += nanos;
            if let Steadiness::Steady { since, met_at, change_k } = judge.take(Instant(now), board(celsius)) {
                prop_assert!(since <= met_at && met_at.0 <= now);
                prop_assert!(change_k <= CRITERIA[which].change_k.max(0.01 * 425.0));
            }
        }
    }
}

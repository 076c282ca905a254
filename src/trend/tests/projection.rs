use proptest::prelude::*;

use super::super::{Bounds, DriftSettings, Early, Line, Look, Outlook, Reach, drift, judge_early, project};
use super::{Noise, each_second};

/// A line through 5 V in the middle of a day, with 22 degrees of freedom.
fn line(per_h: f64, per_h_se: f64) -> Line {
    Line {
        center_s: 43_200.0,
        level: 5.0,
        level_se: 1e-4,
        per_s: per_h / 3600.0,
        per_s_se: per_h_se / 3600.0,
        freedom: 22.0,
    }
}

fn told(reach: Reach) -> String {
    let hours = |s: f64| format!("{:.1} h", s / 3600.0);
    match reach {
        Reach::Already => "already".to_owned(),
        Reach::Between { early_s, late_s } => format!("between {} and {}", hours(early_s), hours(late_s)),
        Reach::Never => "never".to_owned(),
        Reach::NotForeseeable { not_before_s: Some(s) } => {
            format!("not foreseeable, not before {}", hours(s))
        }
        Reach::NotForeseeable { not_before_s: None } => "not foreseeable".to_owned(),
    }
}

#[test]
fn the_interval_decides_when_a_limit_is_reached_and_what_that_means() {
    // Drift and its standard error in volts an hour, lower and upper limit, margin; from 24 h to 72 h.
    let table = [
        (0.0, 1e-5, None, Some(5.1), 0.0),
        (0.0, 1e-5, None, Some(5.1), 0.099),
        (1e-3, 1e-5, None, Some(5.1), 0.0),
        (2e-3, 1e-5, None, Some(5.1), 0.0),
        (2e-3, 1e-3, None, Some(5.1), 0.0),
        (-2e-3, 1e-5, None, Some(5.1), 0.0),
        (-2e-3, 1e-5, Some(4.9), Some(5.1), 0.0),
        (0.0, 1e-5, None, Some(4.9), 0.0),
        (0.0, 1e-5, Some(5.1), None, 0.0),
        (0.0, 1e-5, None, Some(5.0), 0.0),
        (0.0, 3e-3, Some(4.9), Some(5.1), 0.0),
        (1e-2, 1e-5, None, Some(5.1), 0.0),
    ];
    let rows: Vec<String> = table
        .iter()
        .map(|(per_h, se, min, max, margin)| {
            let bounds = Bounds { min: *min, max: *max, margin: *margin };
            let found = project(&line(*per_h, *se), &bounds, (86_400.0, 259_200.0), 0.95).unwrap();
            let reach = |reach: Option<Reach>| reach.map_or_else(|| "-".to_owned(), told);
            format!(
                "{per_h:>6} +- {se:<7} min {:<8} max {:<42} {:?}",
                reach(found.min),
                reach(found.max),
                found.outlook
            )
        })
        .collect();
    insta::assert_snapshot!(rows.join("\n"), @r"
         0 +- 0.00001 min -        max not foreseeable, not before 4833.9 h       Pass
         0 +- 0.00001 min -        max not foreseeable, not before 4833.9 h       Marginal
     0.001 +- 0.00001 min -        max between 110.0 h and 114.1 h                Pass
     0.002 +- 0.00001 min -        max between 61.5 h and 62.5 h                  Fail
     0.002 +- 0.001   min -        max not foreseeable, not before 36.5 h         Undecided
    -0.002 +- 0.00001 min -        max never                                      Pass
    -0.002 +- 0.00001 min between 61.5 h and 62.5 h max never                                      Fail
         0 +- 0.00001 min -        max already                                    Fail
         0 +- 0.00001 min already  max -                                          Fail
         0 +- 0.00001 min -        max not foreseeable                            Undecided
         0 +- 0.003   min not foreseeable, not before 28.1 h max not foreseeable, not before 28.1 h         Undecided
      0.01 +- 0.00001 min -        max already                                    Fail
    ");
}

#[test]
fn nothing_is_projected_from_nothing() {
    let line = line(0.0, 1e-5);
    let max = Bounds { max: Some(5.1), ..Bounds::default() };
    assert!(project(&line, &Bounds::default(), (0.0, 1.0), 0.95).is_err());
    assert!(project(&line, &max, (1.0, 0.0), 0.95).is_err());
    assert!(project(&line, &max, (0.0, f64::NAN), 0.95).is_err());
    assert!(project(&line, &max, (0.0, 1.0), 1.0).is_err());
}

proptest! {
    #[test]
    fn the_earliest_time_comes_first_and_the_line_lies_between(
        per_h in -1e-2..1e-2, se in 1e-7..1e-2, max in 4.9..5.2, now_h in 0.0..100.0,
    ) {
        let line = line(per_h, se);
        let now_s: f64 = 3600.0 * now_h;
        let bounds = Bounds { max: Some(max), ..Bounds::default() };
        let found = project(&line, &bounds, (now_s, now_s + 1e5), 0.95).unwrap();
        if let Some(Reach::Between { early_s, late_s }) = found.max {
            prop_assert!(now_s <= early_s && early_s <= late_s);
            let crossing_s = line.center_s + (max - line.level) / line.per_s;
            prop_assert!((early_s..=late_s).contains(&crossing_s) || (crossing_s - early_s).abs() < 1.0);
        }
        // Both signs of the same question have the same answer.
        let mirrored = Line { level: -line.level, per_s: -line.per_s, ..line };
        let below = Bounds { min: Some(-max), ..Bounds::default() };
        let same = project(&mirrored, &below, (now_s, now_s + 1e5), 0.95).unwrap();
        prop_assert_eq!((same.min, same.outlook), (found.max, found.outlook));
        if found.outlook == Outlook::Pass {
            prop_assert!(found.max != Some(Reach::Already));
        }
    }
}

#[test]
fn an_answer_is_clear_only_where_the_interval_is() {
    let day = 86_400.0;
    let run = |per_h: f64, noise_v: f64| {
        let mut noise = Noise::seeded(21);
        let values = (0..43_200).map(|s| 5.0 + per_h * f64::from(s) / 3600.0 + noise_v * noise.normal());
        drift(&each_second(values), &DriftSettings::default()).unwrap()
    };
    let bounds = Bounds { min: Some(4.9), max: Some(5.1), margin: 0.01 };
    let look = Look { end_s: day, confidence: 0.95, looks: 24, changes: 0 };
    let judged =
        |per_h: f64, noise_v: f64, look: Look| judge_early(&run(per_h, noise_v), &bounds, &look).unwrap();
    assert_eq!(judged(0.0, 1e-3, look), Early::ClearPass);
    assert_eq!(judged(1e-2, 1e-3, look), Early::ClearFail, "5.24 V at the end");
    assert_eq!(judged(2e-2, 1e-3, look), Early::ClearFail, "beyond it already");
    let why = [
        judged(4e-3, 1e-3, look),
        judged(4.17e-3, 1e-1, look),
        judged(0.0, 1e-3, Look { end_s: 3.0 * day, ..look }),
        judged(0.0, 1e-3, Look { changes: 1, ..look }),
        judged(0.0, 1e-3, Look { end_s: 1000.0, ..look }),
    ];
    insta::assert_snapshot!(why.map(|early| format!("{early:?}")).join("\n"), @r#"
    GoOn("it comes near a limit")
    GoOn("a limit lies inside the interval")
    GoOn("less than a quarter of the planned time has been watched")
    GoOn("a change of level was found: what follows is no straight line")
    GoOn("the planned end is reached")
    "#);
    assert!(judge_early(&run(0.0, 1e-3), &bounds, &Look { looks: 0, ..look }).is_err());
}

#[test]
fn who_looks_often_is_not_told_a_clear_pass_too_often() {
    // The true line ends a hair beyond the limit: every clear pass is wrong. Eight looks, 95 % over all of them.
    let (end_s, max) = (8000.0, 5.1);
    let bounds = Bounds { max: Some(max), ..Bounds::default() };
    let wrong = (0..200u64).filter(|seed| {
        let noise = Noise::seeded(9000 + seed).forgetting(30.0, 8000);
        let readings = each_second(
            noise.iter().enumerate().map(|(s, noise)| 5.0 + 0.1001 * s as f64 / end_s + 0.01 * noise),
        );
        (1..8usize).any(|look| {
            let found = drift(&readings[..1000 * look], &DriftSettings::default()).unwrap();
            let look = Look { end_s, confidence: 0.95, looks: 8, changes: 0 };
            judge_early(&found, &bounds, &look) == Ok(Early::ClearPass)
        })
    });
    // A pass is wrong to one side only: 2.5 %, and three standard errors of the simulation.
    let wrong = wrong.count();
    assert!(wrong <= 11, "{wrong} of 200");
}

use super::super::{BoardHours, Starts};
use crate::base::distribution::{beta_quantile, chi_square_quantile, t_quantile};

#[test]
fn bounds_are_those_of_the_textbook() {
    // Zero failures: T / ln 10 at 90 %. One and two: chi-square(0.9; 4) = 7.779440, (0.9; 6) = 10.644641.
    let table = [
        (168.0, 0, 168.0 / std::f64::consts::LN_10),
        (1000.0, 1, 2000.0 / 7.779_440),
        (1000.0, 2, 2000.0 / 10.644_641),
    ];
    for (hours, failures, mtbf_h) in table {
        let found = BoardHours { hours, failures }.mtbf_at_least_h(0.9).unwrap();
        assert!((found / mtbf_h - 1.0).abs() < 1e-6, "{failures}: {found} {mtbf_h}");
    }
    let needed = BoardHours::hours_to_show(10_000.0, 0, 0.9).unwrap();
    assert!((needed - 23_025.85).abs() < 0.01, "{needed}");
    // Zero of 59 is the classic 5 % at 95 %; one of ten: 0.3942 (one-sided 95 %).
    assert!((Starts { starts: 59, failures: 0 }.failure_at_most(0.95).unwrap() - 0.0495).abs() < 1e-4);
    assert!((Starts { starts: 10, failures: 1 }.failure_at_most(0.95).unwrap() - 0.3942).abs() < 1e-4);
    assert_eq!(Starts { starts: 3, failures: 3 }.failure_at_most(0.95), Ok(1.0));
}

#[test]
fn the_statement_says_what_was_shown_and_what_was_assumed() {
    let hours = [(168.0, 0), (72.0, 1), (2.5, 0), (100_000.0, 3)]
        .map(|(hours, failures)| BoardHours { hours, failures }.sentence(0.9).unwrap());
    let starts = [(1000, 0), (1, 0), (500, 1), (4, 4)]
        .map(|(starts, failures)| Starts { starts, failures }.sentence(0.9).unwrap());
    insta::assert_snapshot!([hours.join("\n"), starts.join("\n")].join("\n"), @r"
    0 failures in 168 board-hours: with 90 % confidence the MTBF is at least 72.9 h, if the failure rate is constant. Early failures and wear-out are not covered, and an MTBF is no service life. To show 1000 h would take 2310 board-hours without a failure.
    1 failure in 72 board-hours: with 90 % confidence the MTBF is at least 18.5 h, if the failure rate is constant. Early failures and wear-out are not covered, and an MTBF is no service life. To show 100 h would take 231 board-hours without a failure.
    0 failures in 2.5 board-hours: with 90 % confidence the MTBF is at least 1.08 h, if the failure rate is constant. Early failures and wear-out are not covered, and an MTBF is no service life. To show 10 h would take 23.1 board-hours without a failure.
    3 failures in 100000 board-hours: with 90 % confidence the MTBF is at least 14900 h, if the failure rate is constant. Early failures and wear-out are not covered, and an MTBF is no service life. To show 100000 h would take 231000 board-hours without a failure.
    0 failures in 1000 starts: with 90 % confidence at most 0.23 % of starts fail, if starts are independent and alike.
    0 failures in 1 start: with 90 % confidence at most 90 % of starts fail, if starts are independent and alike.
    1 failure in 500 starts: with 90 % confidence at most 0.776 % of starts fail, if starts are independent and alike.
    4 failures in 4 starts: with 90 % confidence at most 100 % of starts fail, if starts are independent and alike.
    ");
}

#[test]
fn nothing_is_claimed_from_nothing() {
    for hours in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(BoardHours { hours, failures: 0 }.sentence(0.9).is_err(), "{hours}");
    }
    assert!(Starts { starts: 0, failures: 0 }.sentence(0.9).is_err());
    assert!(Starts { starts: 2, failures: 3 }.sentence(0.9).is_err());
    assert!(BoardHours { hours: 1.0, failures: 0 }.sentence(90.0).is_err());
    let failed_at_once = BoardHours { hours: 0.0, failures: 1 };
    assert_eq!(
        failed_at_once.sentence(0.9).unwrap(),
        "1 failure before there was any time under test: no MTBF is shown."
    );
    assert!(failed_at_once.mtbf_at_least_h(0.9).is_err());
}

#[test]
fn quantiles_are_those_of_the_tables_and_nothing_panics_outside() {
    let near = |found: Option<f64>, expected: f64| {
        assert!((found.unwrap() / expected - 1.0).abs() < 1e-9, "{found:?} {expected}");
    };
    // Frozen from scipy 1.15.3.
    near(t_quantile(0.975, 22.0), 2.073_873_067_904_022);
    near(t_quantile(0.975, 1.5), 6.016_663_104_427_928);
    near(chi_square_quantile(0.9, 2.0), 4.605_170_185_988_092);
    near(chi_square_quantile(0.05, 0.5), 8.437_150_840_525_987e-6);
    near(beta_quantile(0.9, 2.0, 499.0), 0.007_756_994_552_213_628);
    for p in [0.0, 1.0, -0.1, 1.1, f64::NAN] {
        assert_eq!(t_quantile(p, 3.0), None);
        assert_eq!(chi_square_quantile(p, 3.0), None);
        assert_eq!(beta_quantile(p, 3.0, 3.0), None);
    }
    for shape in [0.0, -1.0, f64::NAN] {
        assert_eq!(t_quantile(0.9, shape), None);
        assert_eq!(chi_square_quantile(0.9, shape), None);
        assert_eq!(beta_quantile(0.9, shape, 1.0), None);
    }
}

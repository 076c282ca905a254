//! Named limits on a change: how much worse a quantity may become, and how near to its old value it must stay.

use std::str::FromStr;

use super::bounds::BoundedMean;
use super::effect::{Effect, Interval};
use super::quantity::{Better, Quantity};
use crate::base::units::{self, Amps, Hertz, Kelvins, Seconds, Volts, Watts};
use crate::waveform::Bound;

/// How much a quantity may change, e.g. `noise_pp_20mhz_v:1dB`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Allowance {
    /// Which quantity.
    pub quantity: Quantity,
    /// How much, in the unit of its change; never negative.
    pub most: f64,
}

impl FromStr for Allowance {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (key, amount) = text.split_once(':').ok_or_else(|| {
            format!("`{text}` names no amount: write for example `noise_pp_20mhz_v:1dB` or `vout_v:100mV`")
        })?;
        let quantity: Quantity = key.trim().parse()?;
        let most = parse_amount(quantity, amount.trim())?;
        if most >= 0.0 && most.is_finite() {
            Ok(Self { quantity, most })
        } else {
            Err(format!("`{amount}` is no allowance: it must be a number from 0 up"))
        }
    }
}

fn parse_amount(quantity: Quantity, text: &str) -> Result<f64, String> {
    fn si<Q: units::Quantity>(text: &str) -> Result<f64, String> {
        text.parse::<Q>().map(Q::value).map_err(|error| error.to_string())
    }
    // What is no SI unit takes no prefix.
    let suffixed = |unit: &str, factor: f64| {
        let number = text.strip_suffix(unit).and_then(|number| number.trim().parse::<f64>().ok());
        number.map(|number| number * factor).ok_or_else(|| {
            format!("`{text}` is no change of {quantity}: a number in {unit} is expected, e.g. `1{unit}`")
        })
    };
    match quantity.unit_of_change() {
        "" => suffixed("%", 0.01),
        "V" => si::<Volts>(text),
        "A" => si::<Amps>(text),
        "W" => si::<Watts>(text),
        "s" => si::<Seconds>(text),
        "Hz" => si::<Hertz>(text),
        "K" => si::<Kelvins>(text),
        unit => suffixed(unit, 1.0),
    }
}

/// The risk of each of the two one-sided tests that show something to be the same; their interval is of the level 1 - 2 alpha.
pub const SAME_ALPHA: f64 = 0.05;

/// How a limit on a change came out.
#[derive(Debug, Clone, PartialEq)]
pub enum Judgement {
    /// The whole interval lies within the limit.
    Met,
    /// The whole interval lies beyond the limit.
    Broken,
    /// The interval reaches over the limit: more boards are needed.
    Undecided,
    /// There is nothing to judge; why.
    Impossible(String),
}

impl Judgement {
    /// As it is told.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Broken => "broken",
            Self::Undecided => "undecided",
            Self::Impossible(_) => "not judged",
        }
    }
}

/// Holds a change against how much worse it may be. What is neither better nor worse may not move by more to either side. Where more
/// than half of the points are bounds these decide; of fewer none may leave open how much worse it is.
#[must_use]
pub fn judge_worse(allowance: Allowance, effect: Option<&Effect>) -> Judgement {
    let Some(effect) = effect else {
        return Judgement::Impossible(no_effect(allowance.quantity));
    };
    if let Some(bounded) = effect.bounded.as_ref().filter(|_| effect.is_told_by_bounds()) {
        return judge_bounded(bounded, |ends| judge(worsening(allowance.quantity, ends), allowance.most));
    }
    let interval = match (&effect.certainty.interval, effect.by_rounding()) {
        (Ok(interval), _) => *interval,
        // Boards that are all the same are held against it as they are.
        (Err(_), Some(ends)) => ends,
        (Err(why), None) => return Judgement::Impossible(why.clone()),
    };
    let by_values = judge(worsening(allowance.quantity, interval), allowance.most);
    if effect.is_open_to_worse() { unless_hidden(by_values) } else { by_values }
}

/// What the points with values say, where others have only bounds that leave just what is asked for open: they cannot meet a limit
/// for those.
fn unless_hidden(by_values: Judgement) -> Judgement {
    if by_values == Judgement::Met { Judgement::Undecided } else { by_values }
}

/// Whether a quantity is shown to be the same within a margin on both sides: two one-sided tests at 5 %, which is the 90 %
/// interval lying inside. That no change was found does not show it.
#[must_use]
pub fn judge_same(allowance: Allowance, effect: Option<&Effect>) -> Judgement {
    let Some(effect) = effect else {
        return Judgement::Impossible(no_effect(allowance.quantity));
    };
    let most = allowance.most;
    if let Some(bounded) = effect.bounded.as_ref().filter(|_| effect.is_told_by_bounds()) {
        return judge_bounded(bounded, |ends| {
            if ends.low > most || ends.high < -most { Judgement::Broken } else { Judgement::Undecided }
        });
    }
    let ends = effect.stepped_for_sameness().or_else(|| effect.by_rounding());
    let (is_shown, ends) = match (&effect.certainty.mean, ends) {
        (Ok(mean), _) => match mean.within((-most, most), SAME_ALPHA) {
            Err(why) => return Judgement::Impossible(why.0),
            Ok(told) => (told.is_equivalent, told.interval.into()),
        },
        (Err(_), Some(ends)) if most > 0.0 => (ends.lies_within(most), ends),
        (Err(why), _) => return Judgement::Impossible(why.clone()),
    };
    if is_shown && effect.matched.bounded.is_empty() {
        Judgement::Met
    } else if ends.low > most || ends.high < -most {
        Judgement::Broken
    } else {
        Judgement::Undecided
    }
}

/// Why neither side has a quantity: what was measured, or what is made of several points or of samples.
fn no_effect(quantity: Quantity) -> String {
    match quantity {
        Quantity::LoadRegulation => format!(
            "{quantity} takes two loads at one input voltage at which every board has an output voltage, and there are none"
        ),
        Quantity::StartUp => format!(
            "{quantity} takes an input voltage that was tried without regulation and a higher one in regulation, and no run of \
             either side has both"
        ),
        Quantity::Band(_) => format!(
            "{quantity} is made of kept samples, and neither side has any that tell it at a point that all boards share"
        ),
        _ => format!("no run of either side has the figure {quantity} at a point in regulation"),
    }
}

/// Holds what is known by bounds against a limit: all that lies on the one side of the sure end is possible, however far off.
fn judge_bounded(bounded: &BoundedMean, judged: impl Fn(Interval) -> Judgement) -> Judgement {
    match (&bounded.sure, bounded.bound) {
        (Err(why), _) => Judgement::Impossible(why.clone()),
        (Ok(sure), Bound::Upper) => judged(Interval { low: f64::NEG_INFINITY, high: *sure }),
        (Ok(sure), Bound::Lower) => judged(Interval { low: *sure, high: f64::INFINITY }),
    }
}

/// How far to the worse an interval reaches, from its near end to its far end.
fn worsening(quantity: Quantity, Interval { low, high }: Interval) -> (f64, f64) {
    match quantity.better() {
        Better::Lower => (low, high),
        Better::Higher => (-high, -low),
        // How far from no change the nearest and the farthest value of the interval are.
        Better::Neither if low <= 0.0 && high >= 0.0 => (0.0, high.max(-low)),
        Better::Neither => (low.abs().min(high.abs()), low.abs().max(high.abs())),
    }
}

fn judge((near, far): (f64, f64), most: f64) -> Judgement {
    if near > most {
        Judgement::Broken
    } else if far <= most {
        Judgement::Met
    } else {
        Judgement::Undecided
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allowance_is_read_in_the_unit_of_the_change() {
        let most = |text: &str| text.parse::<Allowance>().map(|allowance| allowance.most);
        assert_eq!(most("noise_pp_20mhz_v:1dB"), Ok(1.0));
        assert_eq!(most("noise_pp_20mhz_v: 0.5 dB"), Ok(0.5));
        assert_eq!(most("vout_v:100mV"), Ok(0.1));
        assert_eq!(most("efficiency:2%"), Ok(0.02));
        assert_eq!(most("board_c:3K"), Ok(3.0));
        assert_eq!(most("loss_w:20mW"), Ok(0.02));
        let prefixed = [
            ("vout_v:3uV", 3e-6),
            ("vout_v:3 µV", 3e-6),
            ("vout_v:0.1 V", 0.1),
            ("loss_w:1W", 1.0),
            ("settle_s:1ms", 1e-3),
            ("settle_s:20 us", 20e-6),
            ("settle_s:2s", 2.0),
            ("period_std_s:5ns", 5e-9),
            ("switching_hz:2kHz", 2e3),
            ("ring_hz:1.5 MHz", 1.5e6),
            ("switching_hz:7Hz", 7.0),
            ("rise_k:250mK", 0.25),
            ("duty:0.5 %", 0.005),
        ];
        for (text, expected) in prefixed {
            assert_eq!(most(text), Ok(expected), "{text}");
        }
        for wrong in [
            "noise_pp_20mhz_v",
            "noise_pp_20mhz_v:1V",
            "noise_pp_20mhz_v:-1dB",
            "noise_pp:1dB",
            "vout_v:1",
            "settle_s:1mV",
            "rise_k:1C",
        ] {
            assert!(most(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn values_that_are_all_the_same_are_the_same_within_any_margin_that_their_figures_can_tell() {
        use super::super::cell::{Cell, Place};
        use super::super::effect::{Pairing, Terms, compare_quantity};
        use super::super::group::{BoardCells, Group};
        let judged = |limit: &str, step: Option<f64>, after: f64| {
            let allowance: Allowance = limit.parse().unwrap();
            let group = |value: f64| {
                let mut group = Group::new("made");
                group
                    .floors
                    .extend(step.map(|step| (allowance.quantity, Interval { low: step, high: step })));
                for serial in ["1", "2", "3"] {
                    let cells = [((allowance.quantity, Place::FIRST), Cell::one(value, None))].into();
                    group
                        .boards
                        .insert(serial.parse().unwrap(), BoardCells { cells, ..BoardCells::default() });
                }
                group
            };
            let terms = Terms { pairing: Pairing::None, resampling: None, smallest: None };
            let effect = compare_quantity(allowance.quantity, (&group(12.0), &group(after)), terms);
            (judge_same(allowance, effect.as_ref()), judge_worse(allowance, effect.as_ref()))
        };
        use Judgement::{Broken, Met, Undecided};
        assert_eq!(judged("vout_v:1uV", None, 12.0), (Met, Met));
        assert_eq!(judged("vout_v:100mV", None, 12.2), (Broken, Broken));
        assert!(matches!(judged("vout_v:0V", None, 12.0), (Judgement::Impossible(_), _)));
        // Steps of 0.2 V hide how far three boards scatter: they decide nothing within 0.5 V, and enough at 3 V.
        assert_eq!(judged("start_up_v:500mV", Some(0.2), 12.0), (Undecided, Undecided));
        assert_eq!(judged("start_up_v:3V", Some(0.2), 12.0), (Met, Met));
        assert_eq!(judged("start_up_v:300mV", Some(0.2), 15.0), (Broken, Broken));
    }

    #[test]
    fn why_there_is_nothing_to_judge_says_of_runs_only_what_they_do_not_hold() {
        let why = |limit: &str| match judge_worse(limit.parse().unwrap(), None) {
            Judgement::Impossible(why) => why,
            other => panic!("{other:?}"),
        };
        assert!(why("harmonic_1_v:1dB").starts_with("no run of either side has the figure harmonic_1_v"));
        // The runs may well have what these are made of.
        for (limit, words) in [
            ("load_regulation_v:1mV", "takes two loads"),
            ("spectrum_50khz_200khz_v:1dB", "made of kept samples"),
            ("start_up_v:1V", "tried without regulation"),
        ] {
            let told = why(limit);
            assert!(told.contains(words) && !told.contains("has the figure"), "{told}");
        }
    }

    #[test]
    fn a_bound_is_held_against_a_limit_by_the_side_that_it_leaves_open() {
        use Bound::{Lower, Upper};
        use Judgement::{Broken, Met, Undecided};
        let worse = |key: &str, bound: Bound, sure: f64, most: f64| {
            let mean = BoundedMean { change: sure, bound, places: 4, sure: Ok(sure) };
            judge_bounded(&mean, |ends| judge(worsening(key.parse().unwrap(), ends), most))
        };
        let table = [
            // Noise: less is better. Into the floor it fell at least so far; out of the floor it rose at least so far.
            ("noise_pp_20mhz_v", Upper, -38.0, 1.0, Met),
            ("noise_pp_20mhz_v", Upper, 1.0, 1.0, Met),
            ("noise_pp_20mhz_v", Upper, 2.0, 1.0, Undecided),
            ("noise_pp_20mhz_v", Lower, 2.0, 1.0, Broken),
            ("noise_pp_20mhz_v", Lower, 0.5, 1.0, Undecided),
            ("noise_pp_20mhz_v", Lower, -30.0, 1.0, Undecided),
            // Efficiency: more is better.
            ("efficiency", Lower, -0.01, 0.02, Met),
            ("efficiency", Lower, -0.03, 0.02, Undecided),
            ("efficiency", Upper, -0.03, 0.02, Broken),
            ("efficiency", Upper, 0.5, 0.02, Undecided),
            // Neither is better: no bound alone shows that it stayed.
            ("vout_v", Upper, -0.2, 0.1, Broken),
            ("vout_v", Upper, 0.05, 0.1, Undecided),
            ("vout_v", Lower, 0.2, 0.1, Broken),
            ("vout_v", Lower, -0.05, 0.1, Undecided),
        ];
        for (key, bound, sure, most, expected) in table {
            assert_eq!(worse(key, bound, sure, most), expected, "{key} {bound:?} {sure} {most}");
        }
        let why = "one board".to_owned();
        let unsure = BoundedMean { change: -38.0, bound: Upper, places: 4, sure: Err(why.clone()) };
        assert_eq!(judge_bounded(&unsure, |_| Met), Judgement::Impossible(why));
    }

    #[test]
    fn what_a_few_bounds_leave_open_meets_no_limit_and_is_not_shown_to_be_the_same() {
        use super::super::cell::{Cell, Place};
        use super::super::effect::{Pairing, Sense, Terms, compare_quantity};
        use super::super::group::{BoardCells, Group};
        use crate::event::Setting;
        let at = |load: f64| Place::of(Setting { vin: Volts(24.0), load: Amps(load) });
        // Three boards a side that differ by next to nothing at two points, and one point with a bound alone after.
        let judged = |limit: &str, bound: Option<Bound>| {
            let allowance: Allowance = limit.parse().unwrap();
            let group = |shift: f64, bound: Option<Bound>| {
                let mut group = Group::new("made");
                for (serial, own) in [("1", 0.0), ("2", 0.01), ("3", 0.02)] {
                    let cell =
                        |load, bound| ((allowance.quantity, at(load)), Cell::one(-40.0 + own + shift, bound));
                    let cells = [cell(0.1, None), cell(0.2, None), cell(0.5, bound)].into();
                    group
                        .boards
                        .insert(serial.parse().unwrap(), BoardCells { cells, ..BoardCells::default() });
                }
                group
            };
            let terms = Terms { pairing: Pairing::None, resampling: None, smallest: Some(0.5) };
            let effect =
                compare_quantity(allowance.quantity, (&group(0.0, None), &group(0.003, bound)), terms);
            let effect = effect.unwrap();
            (judge_worse(allowance, Some(&effect)), judge_same(allowance, Some(&effect)), effect.sense())
        };
        use Judgement::{Met, Undecided};
        assert_eq!(judged("spike_pos_v:3dB", None), (Met, Met, Sense::TooSmall));
        assert_eq!(
            judged("spike_pos_v:3dB", Some(Bound::Lower)),
            (Undecided, Undecided, Sense::NoChange),
            "clipped: it may be any times as high"
        );
        assert_eq!(
            judged("spike_pos_v:3dB", Some(Bound::Upper)),
            (Met, Undecided, Sense::NoChange),
            "under the floor: no worse, and perhaps much better"
        );
    }

    #[test]
    fn a_limit_is_broken_only_where_the_whole_interval_lies_beyond_it() {
        let of = |key: &str, low: f64, high: f64| worsening(key.parse().unwrap(), Interval { low, high });
        let noise = |low, high| judge(of("noise_pp_20mhz_v", low, high), 1.0);
        assert_eq!(noise(-38.0, -36.0), Judgement::Met);
        assert_eq!(noise(-0.5, 1.0), Judgement::Met);
        assert_eq!(noise(0.5, 1.5), Judgement::Undecided);
        assert_eq!(noise(1.1, 1.5), Judgement::Broken);
        let efficiency = |low, high| judge(of("efficiency", low, high), 0.02);
        assert_eq!(efficiency(-0.01, 0.0), Judgement::Met);
        assert_eq!(efficiency(-0.05, -0.03), Judgement::Broken);
        let vout = |low, high| judge(of("vout_v", low, high), 0.1);
        assert_eq!(vout(-0.02, 0.03), Judgement::Met);
        assert_eq!(vout(-0.2, 0.3), Judgement::Undecided);
        assert_eq!(vout(-0.3, -0.2), Judgement::Broken);
        assert_eq!(vout(0.2, 0.3), Judgement::Broken);
    }
}

//! From readings to the figures of a point. Pure: what could not be had keeps its reason.

use crate::base::units::{Amps, Ohms, Volts};
use crate::event::figures::OUTPUT_OFF;
use crate::event::{FigureName, Figures, Region, Regulation, Setting};
use crate::waveform::figures::SteadyState;
use crate::waveform::{Figure, Unavailable};

/// What the meters said, each an average over the same moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeterReadings {
    /// Voltage at the supply's terminals.
    pub source_voltage: Volts,
    /// Current out of the supply.
    pub source_current: Amps,
    /// Voltage at the load's terminals.
    pub load_voltage: Volts,
    /// Current into the load.
    pub load_current: Amps,
}

/// What a setting of the supply and its own meter may differ by, as a share and as a constant: four times what the makers
/// of bench supplies allow for both together (0.1 % and 30 mV), so that only a setting that was not met is beyond it.
const SOURCE_TOLERANCE: (f64, Volts) = (0.004, Volts(0.12));

/// Everything that was read at a point.
#[derive(Debug, Clone)]
pub struct PointReadings {
    /// What was set.
    pub setting: Setting,
    /// The meters.
    pub meters: MeterReadings,
    /// Both leads from the supply to the board.
    pub source_lead: Ohms,
    /// Both leads from the board to the load.
    pub load_lead: Ohms,
    /// Board and ambient temperature.
    pub board_c: Figure,
    /// See `board_c`.
    pub ambient_c: Figure,
    /// How long settling took, in seconds, or that it did not come to an end.
    pub settle_s: Figure,
    /// How the supply said it was regulated, or why it did not say.
    pub regulation: Result<Regulation, Unavailable>,
}

/// Input voltage at the board: what the supply shows less the drop of the leads.
#[must_use]
pub fn board_vin(source_voltage: Volts, source_current: Amps, lead: Ohms) -> Volts {
    source_voltage - source_current * lead
}

/// Output voltage at the board: what the load shows plus the drop of the leads.
#[must_use]
pub fn board_vout(load_voltage: Volts, load_current: Amps, lead: Ohms) -> Volts {
    load_voltage + load_current * lead
}

/// Why the board did not stand at the input voltage that was set, or `None` where it did.
///
/// A supply in its current limit holds another voltage than the one set. One that senses at the board shows the drop of the
/// leads on top of its setting, so that the drop is allowed for.
#[must_use]
pub fn unmet_setting(readings: &PointReadings) -> Option<String> {
    let (set, meters) = (readings.setting.vin, readings.meters);
    let seen = format!("{} at its terminals where {set} is set", meters.source_voltage);
    if readings.regulation == Ok(Regulation::ConstantCurrent) {
        return Some(format!("supply in current limit: {seen}"));
    }
    let drop = (meters.source_current * readings.source_lead).abs();
    let (share, constant) = SOURCE_TOLERANCE;
    let allowed = share * set.value().abs() + constant.value() + drop.value();
    let differs = (meters.source_voltage - set).abs().value();
    // Whatever is no number is not at its setting.
    if differs <= allowed { None } else { Some(format!("supply not at its setting: {seen}")) }
}

/// In which state the board is, by its output voltage.
#[must_use]
pub fn region(vout: Volts, nominal: Volts) -> Region {
    let ratio = vout.value() / nominal.value();
    if ratio < Region::OFF_BELOW {
        Region::Off
    } else if (ratio - 1.0).abs() <= 0.1 {
        Region::Regulated
    } else {
        Region::Unregulated
    }
}

/// The figures of a point. Of an output that is off there are none of what would ride on it: what the scope shows then is its
/// own noise, which would meet every limit.
#[must_use]
pub fn build_figures(
    readings: &PointReadings,
    steady: &Result<SteadyState, Unavailable>,
    region: Region,
) -> Figures {
    let MeterReadings { source_voltage, source_current, load_voltage, load_current } = readings.meters;
    let vin = board_vin(source_voltage, source_current, readings.source_lead);
    let vout = board_vout(load_voltage, load_current, readings.load_lead);
    let (input_w, output_w) = ((vin * source_current).value(), (vout * load_current).value());
    let mut figures: Figures = [
        (FigureName::Vin, Ok(vin.value())),
        (FigureName::Iin, Ok(source_current.value())),
        (FigureName::Vout, Ok(vout.value())),
        (FigureName::Iout, Ok(load_current.value())),
        (FigureName::InputPower, Ok(input_w)),
        (FigureName::OutputPower, Ok(output_w)),
        (FigureName::Loss, Ok(input_w - output_w)),
        (FigureName::Efficiency, efficiency(readings.setting, input_w, output_w)),
        (FigureName::Settle, readings.settle_s.clone()),
        (FigureName::BoardTemperature, readings.board_c.clone()),
        (FigureName::AmbientTemperature, readings.ambient_c.clone()),
    ]
    .into_iter()
    .collect();
    match steady {
        Ok(steady) => {
            for (key, figure) in steady.figures() {
                if let Ok(name) = key.parse::<FigureName>() {
                    figures.insert(name, figure.clone());
                }
            }
        }
        Err(reason) => {
            for name in FigureName::ALL.iter().filter(|name| is_of_trace(**name)) {
                figures.insert(*name, Err(reason.clone()));
            }
        }
    }
    if region == Region::Off {
        for name in FigureName::ALL.iter().filter(|name| name.needs_output()) {
            figures.insert(*name, Err(Unavailable::because(OUTPUT_OFF)));
        }
    }
    figures
}

fn efficiency(setting: Setting, input_w: f64, output_w: f64) -> Figure {
    if setting.load.value() <= 0.0 {
        return Err(Unavailable::because("no load is set, and efficiency has no meaning at 0 A"));
    }
    if input_w <= 0.0 {
        return Err(Unavailable::because("no input power was measured"));
    }
    let ratio = output_w / input_w;
    if ratio > 1.0 {
        return Err(Unavailable::because(format!(
            "more power out ({output_w:.3} W) than in ({input_w:.3} W): below the meters' resolution, or lead \
             resistances in the rig are wrong"
        )));
    }
    Ok(ratio)
}

/// Whether a figure is made of a trace.
#[must_use]
pub fn is_of_trace(name: FigureName) -> bool {
    use FigureName as F;
    !matches!(
        name,
        F::Vin
            | F::Iin
            | F::Vout
            | F::Iout
            | F::Efficiency
            | F::Settle
            | F::BoardTemperature
            | F::AmbientTemperature
            | F::InputPower
            | F::OutputPower
            | F::Loss
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    use crate::event::limit::{Known, check_limits};
    use crate::event::{Condition, Limit, Outcome};

    fn readings(load_a: f64, source: (f64, f64), output: (f64, f64)) -> PointReadings {
        PointReadings {
            setting: Setting { vin: Volts(24.0), load: Amps(load_a) },
            meters: MeterReadings {
                source_voltage: Volts(source.0),
                source_current: Amps(source.1),
                load_voltage: Volts(output.0),
                load_current: Amps(output.1),
            },
            source_lead: Ohms(0.2),
            load_lead: Ohms(0.1),
            board_c: Ok(40.0),
            ambient_c: Err(Unavailable::because("no such sensor")),
            settle_s: Ok(0.35),
            regulation: Ok(Regulation::ConstantVoltage),
        }
    }

    #[test]
    fn a_supply_that_does_not_hold_its_setting_is_told_from_one_that_does() {
        let cv = Ok(Regulation::ConstantVoltage);
        let mute = Err(Unavailable::because("the family `x` has no `read_regulation`"));
        let table = [
            (24.024, cv.clone(), "met"),
            // 125 mA through 0.2 ohm and remote sensing.
            (24.2, cv.clone(), "met"),
            (24.3, cv.clone(), "supply not at its setting: 24.3 V at its terminals where 24 V is set"),
            (14.0, cv.clone(), "supply not at its setting: 14 V at its terminals where 24 V is set"),
            (f64::NAN, cv.clone(), "supply not at its setting: NaN V at its terminals where 24 V is set"),
            (
                23.99,
                Ok(Regulation::ConstantCurrent),
                "supply in current limit: 23.99 V at its terminals where 24 V is set",
            ),
            (24.0, Ok(Regulation::Unregulated), "met"),
            // A family that cannot say is judged by its meter alone.
            (24.0, mute.clone(), "met"),
            (14.0, mute, "supply not at its setting: 14 V at its terminals where 24 V is set"),
        ];
        for (terminals, regulation, expected) in table {
            let mut read = readings(0.5, (terminals, 0.125), (4.95, 0.5));
            read.regulation = regulation;
            let told = unmet_setting(&read).unwrap_or_else(|| "met".to_owned());
            assert_eq!(told, expected);
        }
    }

    #[test]
    fn lead_drops_are_taken_out_before_anything_is_computed() {
        let no_scope = Err(Unavailable::because("no scope"));
        let read = readings(0.5, (24.0, 0.125), (4.95, 0.5));
        let figures = build_figures(&read, &no_scope, region(Volts(5.0), Volts(5.0)));
        assert!((figures.value(FigureName::Vin).unwrap() - 23.975).abs() < 1e-12);
        assert!((figures.value(FigureName::Vout).unwrap() - 5.0).abs() < 1e-12);
        let expected = 5.0 * 0.5 / (23.975 * 0.125);
        assert!((figures.value(FigureName::Efficiency).unwrap() - expected).abs() < 1e-12);
        assert_eq!(figures.figure(FigureName::RipplePp).unwrap_err().0, "no scope");
        assert_eq!(figures.figure(FigureName::AmbientTemperature).unwrap_err().0, "no such sensor");
    }

    #[test]
    fn efficiency_is_never_a_number_where_it_has_no_meaning() {
        let told = |readings: &PointReadings, vout: f64| {
            build_figures(readings, &Err(Unavailable::because("no scope")), region(Volts(vout), Volts(5.0)))
                .figure(FigureName::Efficiency)
                .unwrap_err()
                .0
        };
        assert_eq!(told(&readings(0.1, (8.0, 0.001), (0.0, 0.0)), 0.0), "the output is off");
        assert!(told(&readings(0.0, (24.0, 0.002), (5.0, 0.0)), 5.0).contains("0 A"));
        assert!(told(&readings(0.03, (24.0, 0.0), (5.0, 0.03)), 5.0).contains("no input power"));
        assert!(told(&readings(0.03, (24.0, 0.001), (5.0, 0.03)), 5.0).contains("more power out"));
    }

    #[test]
    fn an_output_that_is_off_has_neither_ripple_nor_noise_nor_spikes_to_pass_a_limit() {
        let mut quiet = SteadyState::unavailable("not made");
        (quiet.noise_pp_20mhz_v, quiet.spike_pos_v, quiet.mean_v) = (Ok(1.6e-3), Ok(1.2e-3), Ok(0.01));
        let figures = build_figures(&readings(0.1, (24.0, 0.0), (0.01, 0.0)), &Ok(quiet), Region::Off);
        for name in FigureName::ALL.iter().filter(|name| name.needs_output()) {
            assert_eq!(figures.figure(*name).unwrap_err().0, OUTPUT_OFF, "{name}");
        }
        // What it is at is a figure also where it is nothing.
        assert_eq!(figures.value(FigureName::Mean), Some(0.01));
        assert!(figures.value(FigureName::Vout).is_some());
        let limit = Limit {
            name: "noise".into(),
            figure: FigureName::NoisePp20Mhz,
            min: None,
            max: Some(0.05),
            condition: Condition::default(),
            marginal: 0.0,
        };
        let setting = Setting { vin: Volts(24.0), load: Amps(0.1) };
        let checks = check_limits(&[limit], setting, Known { figures: &figures, bounds: &BTreeMap::new() });
        assert_eq!(checks[0].outcome, Outcome::NotMeasured(OUTPUT_OFF.to_owned()));
    }

    #[test]
    fn the_region_is_told_by_the_output_voltage() {
        let regions: Vec<&str> =
            [0.0, 0.4, 2.0, 4.6, 5.2, 6.0].map(|v| region(Volts(v), Volts(5.0)).as_str()).into();
        assert_eq!(regions, ["off", "off", "unregulated", "regulated", "regulated", "unregulated"]);
    }
}

//! Readings with what the program says of them: `tests/reference/trends.py` says it again from the definitions.

use std::path::PathBuf;

use serde_json::{Value, json};
use soakrig::base::distribution::{beta_quantile, chi_square_quantile, t_quantile};
use soakrig::trend::{
    Averaging, BoardHours, DriftSettings, Estimate, Grid, Reading, Starts, allan, drift, start_against_end,
};

/// Splitmix64 and twelve uniform numbers a deviate: no function of the machine's in it.
struct Noise(u64);

impl Noise {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

const COUNT: usize = 2400;
const PER_S: f64 = 2e-7;

/// A drifting output, one reading a second, with noise of 1 mV that keeps a part of itself from reading to reading.
fn readings(seed: u64, keep: f64, gap: std::ops::Range<usize>) -> Vec<Reading> {
    let mut noise = Noise(seed.wrapping_mul(0xd134_2543_de82_ef95));
    let mut level = noise.normal();
    let values: Vec<f64> = (0..COUNT)
        .map(|s| {
            level = keep * level + (1.0 - keep * keep).sqrt() * noise.normal();
            5.0 + PER_S * s as f64 + 1e-3 * level
        })
        .collect();
    let all = values.into_iter().enumerate().map(|(s, value)| Reading { at_s: s as f64, value });
    all.filter(|reading| !gap.contains(&(reading.at_s as usize))).collect()
}

fn interval(estimate: &Estimate) -> Value {
    json!({ "value": estimate.value, "low": estimate.low, "high": estimate.high, "confidence": estimate.confidence })
}

fn told(seed: u64, keep: f64, gap: std::ops::Range<usize>) -> Value {
    let readings = readings(seed, keep, gap);
    let settings = DriftSettings { settling_s: 100.0, confidence: 0.9 };
    let drift = drift(&readings, &settings).unwrap();
    let difference = start_against_end(&readings, 600.0, &settings).unwrap();
    let grid = Grid::build(&readings, Some(1.0)).unwrap();
    let allan: Vec<Value> = allan(&grid, Averaging::OneTwoFive, 0.9)
        .unwrap()
        .iter()
        .map(|point| {
            json!({
                "averaged": point.averaged, "tau_s": point.tau_s, "deviation": interval(&point.deviation),
                "differences": point.differences,
            })
        })
        .collect();
    json!({
        "keep": keep, "scatter": 1e-3, "settling_s": settings.settling_s, "confidence": settings.confidence, "part_s": 600.0,
        "at_s": readings.iter().map(|reading| reading.at_s).collect::<Vec<_>>(),
        "values": readings.iter().map(|reading| reading.value).collect::<Vec<_>>(),
        "drift": {
            "per_hour": interval(&drift.per_hour), "at_end": interval(&drift.at_end), "blocks": drift.blocks,
            "autocorrelation": drift.autocorrelation, "per_s_se": drift.line.per_s_se, "freedom": drift.line.freedom,
        },
        "difference": {
            "start": interval(&difference.start), "end": interval(&difference.end), "change": interval(&difference.change),
        },
        "allan": allan,
    })
}

fn quantiles() -> Vec<Value> {
    let mut rows = Vec::new();
    for p in [1e-6, 1e-3, 0.05, 0.3, 0.5, 0.9, 0.975, 0.999, 1.0 - 1e-6] {
        for freedom in [0.5, 1.5, 2.0, 7.3, 22.0, 384.0, 1e5] {
            rows.push(json!(["t", p, [freedom], t_quantile(p, freedom)]));
            rows.push(json!(["chi_square", p, [freedom], chi_square_quantile(p, freedom)]));
            rows.push(json!(["beta", p, [2.0, freedom], beta_quantile(p, 2.0, freedom)]));
        }
    }
    rows
}

#[test]
#[ignore = "writes readings to SOAKRIG_REFERENCE_DIR for the reference script"]
fn readings_and_what_they_show_for_the_reference_script() {
    let dir = PathBuf::from(std::env::var("SOAKRIG_REFERENCE_DIR").unwrap());
    let mut series: Vec<Value> =
        (1..=24).flat_map(|seed| [0.0, 0.9, 0.98].map(|keep| told(seed, keep, 0..0))).collect();
    series.extend((1..=4).map(|seed| told(100 + seed, 0.9, 900..1350)));
    let mut mtbf = Vec::new();
    let mut starts = Vec::new();
    for confidence in [0.6, 0.9, 0.95, 0.99] {
        for failures in [0, 1, 2, 5, 20, 300] {
            for hours in [1.0, 168.0, 50_000.0] {
                let bound = BoardHours { hours, failures }.mtbf_at_least_h(confidence).unwrap();
                mtbf.push(json!([confidence, hours, failures, bound]));
            }
            for tried in [1, 10, 500, 100_000] {
                if failures <= tried {
                    let bound = Starts { starts: tried, failures }.failure_at_most(confidence).unwrap();
                    starts.push(json!([confidence, tried, failures, bound]));
                }
            }
        }
    }
    let all = json!({ "series": series, "quantiles": quantiles(), "mtbf": mtbf, "starts": starts });
    std::fs::write(dir.join("trends.json"), all.to_string()).unwrap();
}

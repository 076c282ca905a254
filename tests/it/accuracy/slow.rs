//! Slow records and what the program makes of them, for `tests/reference/transitions.py`.

use super::npy;
use super::trace::Dice;
use serde_json::{Map, Value, json};
use soakrig::waveform::transitions::{
    LoadStepTerms, LoadStepTimes, SETTLING_BANDS, ShortTerms, ShortTimes, SlowRecord, StartUpRecord,
    StepResponse, TimeWindow, find_step_instants, measure_fall, measure_load_step, measure_short,
    measure_start_up,
};
use soakrig::waveform::{Codes, Figure};
use std::f64::consts::TAU;
use std::path::{Path, PathBuf};

const RATE_HZ: f64 = 2e6;
const AVERAGE_S: f64 = 1.0 / 122e3;

/// A record of a function of the time, with the ripple and the noise that averages have to remove.
fn record(span_s: f64, ripple: f64, noise: f64, of: impl Fn(f64) -> f64) -> SlowRecord {
    let mut dice = Dice::seeded(7 + (span_s * 1e6) as u64);
    let samples = (0..(span_s * RATE_HZ).round() as usize).map(|index| {
        let s = index as f64 / RATE_HZ;
        (of(s) + ripple * (TAU * 122e3 * s).sin() + noise * dice.normal()) as f32
    });
    SlowRecord::new(samples.collect(), RATE_HZ).unwrap()
}

/// A rise with an overshoot that dies away.
fn rise(s: f64) -> f64 {
    if s < 0.0 { 0.0 } else { 1.0 - (-s / 0.3e-3).exp() * ((TAU * 0.7e3 * s).cos() - 0.1) / 0.9 }
}

struct Page<'a> {
    dir: &'a Path,
    figures: Map<String, Value>,
}

impl Page<'_> {
    fn put(&mut self, name: impl Into<String>, figure: &Figure) {
        let value =
            figure.as_ref().map_or_else(|reason| json!({ "unavailable": reason.0 }), |value| json!(value));
        self.figures.insert(name.into(), value);
    }

    fn write(self, kind: &str, arguments: &Value, records: &[(&str, &SlowRecord)]) {
        for (name, record) in records {
            let file = self.dir.join(format!("{kind}.{name}.npy"));
            std::fs::write(file, npy(&Codes::F32(record.samples().to_vec()))).unwrap();
        }
        let page = json!({ "rate_hz": RATE_HZ, "average_s": AVERAGE_S, "arguments": arguments, "figures": self.figures });
        std::fs::write(self.dir.join(format!("{kind}.json")), page.to_string()).unwrap();
    }
}

fn start_up(dir: &Path, kind: &str, (from_s, to_s): (f64, f64), is_step: bool) {
    let input = move |s: f64| {
        if is_step { 24.0 * ((s - 0.5e-3) / 20e-6).clamp(0.0, 1.0) } else { 1500.0 * s.min(16e-3) }
    };
    let starts_s = if is_step { 0.9e-3 } else { 8.2e-3 };
    let vin = record(to_s, 0.0, 5e-3, input);
    let vout = record(to_s, 8e-3, 2e-3, |s| 5.0 * rise(s - starts_s));
    let last = TimeWindow { from_s, to_s };
    let record = StartUpRecord {
        vout: &vout,
        vin: &vin,
        last,
        average_s: AVERAGE_S,
        input_is_step: is_step,
        bands: &SETTLING_BANDS,
    };
    let state = measure_start_up(&record).unwrap();
    let mut page = Page { dir, figures: Map::new() };
    for (name, figure) in [
        ("final_vout_v", &state.final_vout_v),
        ("final_vin_v", &state.final_vin_v),
        ("t2_s", &state.t2_s),
        ("t10_s", &state.t10_s),
        ("t90_s", &state.t90_s),
        ("rise_s", &state.rise_s),
        ("vin_at_t2_v", &state.vin_at_t2_v),
        ("vin_at_t10_v", &state.vin_at_t10_v),
        ("vin_at_t90_v", &state.vin_at_t90_v),
        ("delay_to_10_s", &state.delay_to_10_s),
        ("delay_to_90_s", &state.delay_to_90_s),
        ("overshoot_v", &state.overshoot_v),
        ("overshoot_part", &state.overshoot_part),
    ] {
        page.put(name, figure);
    }
    for settling in &state.settling {
        page.put(format!("settling_{:.0}_s", settling.band * 100.0), &settling.settling_s);
    }
    let arguments = json!({ "from_s": from_s, "to_s": to_s, "is_step": is_step });
    page.write(kind, &arguments, &[("vout", &vout), ("vin", &vin)]);
}

fn fall(dir: &Path) {
    let vin = record(12e-3, 0.0, 5e-3, |s| 24.0 - 2500.0 * (s - 2e-3).max(0.0));
    let vout = record(12e-3, 8e-3, 2e-3, |s| 5.0 * (-(s - 9e-3).max(0.0) / 0.6e-3).exp());
    let state = measure_fall(&vout, &vin, 5.0, 2e-3, AVERAGE_S).unwrap();
    let mut page = Page { dir, figures: Map::new() };
    for (name, figure) in [
        ("t95_s", &state.t95_s),
        ("t90_s", &state.t90_s),
        ("t50_s", &state.t50_s),
        ("t10_s", &state.t10_s),
        ("vin_at_t95_v", &state.vin_at_t95_v),
        ("vin_at_t90_v", &state.vin_at_t90_v),
        ("fall_s", &state.fall_s),
    ] {
        page.put(name, figure);
    }
    page.write("fall", &json!({ "from_s": 2e-3, "full_v": 5.0 }), &[("vout", &vout), ("vin", &vin)]);
}

fn load_step(dir: &Path) {
    let load =
        |s: f64| 0.05 + 0.45 * (((s - 2e-3) / 2e-6).clamp(0.0, 1.0) - ((s - 5e-3) / 2e-6).clamp(0.0, 1.0));
    let dip = |s: f64| if s < 0.0 { 0.0 } else { (-s / 70e-6).exp() * (TAU * 3e3 * s).cos() };
    let iload = record(8e-3, 0.0, 1e-3, load);
    let vout =
        record(8e-3, 8e-3, 2e-3, |s| 5.0 - 0.02 * load(s) - 0.16 * dip(s - 2e-3) + 0.14 * dip(s - 5e-3));
    let times = find_step_instants(&iload, 0.05, 0.5).unwrap();
    let state = measure_load_step(&vout, times, &LoadStepTerms::of_period(AVERAGE_S)).unwrap();
    let LoadStepTimes { up_s, down_s } = times;
    let mut page = Page { dir, figures: Map::new() };
    for (name, value) in [
        ("up_s", up_s),
        ("down_s", down_s),
        ("light_before_v", state.light_before_v),
        ("heavy_v", state.heavy_v),
        ("light_after_v", state.light_after_v),
        ("load_regulation_v", state.load_regulation_v),
    ] {
        page.put(name, &Ok(value));
    }
    for (word, StepResponse { beyond_new_v, beyond_old_v, recovery }) in
        [("up", &state.up), ("down", &state.down)]
    {
        page.put(format!("{word}_beyond_new_v"), &Ok(*beyond_new_v));
        page.put(format!("{word}_beyond_old_v"), &Ok(*beyond_old_v));
        for into in recovery {
            page.put(format!("{word}_recovery_{:.0}_s", into.band_v * 1e3), &into.recovery_s);
        }
    }
    page.write(
        "load_step",
        &json!({ "light_a": 0.05, "heavy_a": 0.5 }),
        &[("vout", &vout), ("iload", &iload)],
    );
}

fn short(dir: &Path) {
    let (on_s, off_s, vin_v) = (5e-3, 49e-3, 24.0);
    // Hiccup: a burst of 0.8 ms every 6.3 ms, and the output capacitor's discharge at first.
    let burst = move |s: f64| s > on_s && s < off_s && (s - on_s - 1e-3).rem_euclid(6.3e-3) < 0.8e-3;
    let iout = record(56e-3, 0.0, 3e-3, move |s| {
        let discharge = if s >= on_s { 12.0 * (-(s - on_s) / 4e-6).exp() } else { 0.0 };
        if burst(s) { 0.9 + discharge } else { discharge }
    });
    let iin = record(56e-3, 0.0, 1e-3, move |s| if burst(s) { 0.11 } else { 0.002 });
    let watts = iin.samples().iter().map(|a| a * vin_v as f32).collect();
    let input_w = SlowRecord::new(watts, RATE_HZ).unwrap();
    let vout = record(56e-3, 8e-3, 2e-3, move |s| if s < on_s { 5.0 } else { 5.0 * rise(s - 51.2e-3) });
    let state =
        measure_short(&vout, &iout, &input_w, ShortTimes { on_s, off_s }, ShortTerms::of_period(AVERAGE_S))
            .unwrap();
    let mut page = Page { dir, figures: Map::new() };
    page.put("bursts", &Ok(state.bursts as f64));
    for (name, figure) in [
        ("burst_period_s", &state.burst_period_s),
        ("burst_s", &state.burst_s),
        ("mean_current_a", &state.mean_current_a),
        ("mean_power_w", &state.mean_power_w),
        ("peak_current_a", &state.peak_current_a),
        ("restart_s", &state.restart_s),
        ("restart_rise_s", &state.restart_rise_s),
    ] {
        page.put(name, figure);
    }
    let arguments = json!({ "on_s": on_s, "off_s": off_s, "vin_v": vin_v });
    page.write("short", &arguments, &[("vout", &vout), ("iout", &iout), ("iin", &iin)]);
}

#[test]
#[ignore = "writes slow records to SOAKRIG_REFERENCE_DIR for the reference script"]
fn slow_records_for_the_second_implementation() {
    let dir = PathBuf::from(std::env::var("SOAKRIG_REFERENCE_DIR").unwrap()).join("slow");
    std::fs::create_dir_all(&dir).unwrap();
    start_up(&dir, "start_up_ramp", (18e-3, 20e-3), false);
    start_up(&dir, "start_up_step", (7e-3, 8e-3), true);
    fall(&dir);
    load_step(&dir);
    short(&dir);
}

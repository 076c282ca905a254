//! A month of readings, eight columns at one a second (2.6 million rows): what one pass into hours, columns of a plot and
//! minute means costs, and what the analyses of minute means cost. Prints times and bytes; the aim of the pass is well under
//! a second.

#![allow(clippy::print_stdout)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use soakrig::trend::{
    Averaging, ChangeSettings, Column, DriftSettings, Envelope, Hourly, IntervalStats, Means, allan, changes,
    drift,
};

const ROWS: usize = 30 * 86_400;
const COLUMNS: usize = 8;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let values = readings();
    let mut best = Duration::MAX;
    let mut kept = Vec::new();
    for _ in 0..3 {
        let start = Instant::now();
        kept =
            (0..COLUMNS).map(|_| (Hourly::new(3600.0), Envelope::new(2000, 1.0), Means::new(60.0))).collect();
        for (second, value) in values.iter().enumerate() {
            for (column, (hourly, envelope, means)) in kept.iter_mut().enumerate() {
                let (at_s, value) = (second as f64, value + column as f64);
                hourly.push(at_s, value);
                envelope.push(at_s, value);
                means.push(at_s, value);
            }
        }
        best = best.min(start.elapsed());
    }
    let bytes: usize = kept
        .iter()
        .map(|(hourly, envelope, means)| {
            hourly.intervals().len() * size_of::<IntervalStats>()
                + envelope.columns().len() * size_of::<Column>()
                + means.readings().len() * 24
        })
        .sum();
    println!("trend/one_pass: {ROWS} rows x {COLUMNS} columns: {best:?}, {bytes} bytes kept");
    let (_, _, means) = &kept[0];
    let minutes = means.readings();
    let start = Instant::now();
    let found = drift(&minutes, &DriftSettings::default())?;
    println!("trend/drift of {} minute means: {:?}", minutes.len(), start.elapsed());
    let start = Instant::now();
    let jumps = changes(&minutes, &ChangeSettings::default())?;
    println!("trend/changes: {:?}, {} found", start.elapsed(), jumps.found.len());
    let start = Instant::now();
    let points = allan(&means.grid()?, Averaging::OneTwoFive, 0.95)?;
    println!("trend/allan: {:?}, {} averaging times", start.elapsed(), points.len());
    black_box((found, jumps, points));
    Ok(())
}

/// A drift, a step and noise, from a linear congruential generator.
fn readings() -> Vec<f64> {
    let mut state = 1u64;
    (0..ROWS)
        .map(|second| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let noise = (state >> 11) as f64 / (1u64 << 53) as f64 - 0.5;
            let step = if second > ROWS / 3 { 2e-4 } else { 0.0 };
            5.0 + 1e-10 * second as f64 + step + 2e-3 * noise
        })
        .collect()
}

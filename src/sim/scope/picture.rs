//! The screen as a picture: `:DISPlay:DATA?`.

use std::time::Duration;

use scpi::error::{ErrorCode, Result};

use super::knobs::P;
use super::poll;
use super::wave::with_screen;
use crate::base::units::with_prefix;
use crate::sim::panel::{Answer, optional_word};
use crate::sim::screen::{HEIGHT, Ink, Picture, WIDTH};
use crate::sim::world::Bench;

/// The graticule: 12 by 8 divisions of 50 pixels.
const LEFT: usize = 100;
const TOP: usize = 40;
const DIV: usize = 50;
const RIGHT: usize = LEFT + 12 * DIV;
const BOTTOM: usize = TOP + 8 * DIV;

/// `:DISPlay:DATA? [colour,invert,format]`.
pub(super) fn data(bench: &mut Bench, _: usize, p: P) -> Result<Answer> {
    optional_word(p)?;
    optional_word(p)?;
    let format = optional_word(p)?.unwrap_or_else(|| "BMP24".to_owned());
    poll(bench);
    let shown: Vec<usize> = (0..4).filter(|index| bench.scope.channels[*index].shown).collect();
    let picture = with_screen(bench, |capture| {
        let mut picture = Picture::black();
        draw_grid(&mut picture);
        for index in &shown {
            let columns = capture.columns(*index, RIGHT - LEFT);
            let ink = Ink::CHANNELS[*index];
            draw_trace(&mut picture, &columns, ink);
            let channel = &capture.channels[*index];
            let zero = level(127.0 + channel.y_origin());
            picture.fill((LEFT - 12, zero.saturating_sub(2)), (LEFT - 2, zero + 2), ink);
            let told = format!("CH{} {}/DIV", index + 1, with_prefix(channel.scale_v, "V"));
            picture.write((8 + index * (WIDTH / 4), HEIGHT - 26), &told, ink);
        }
        let told = format!(
            "{}/DIV  {}  {} PTS",
            with_prefix(capture.time_scale_s, "s"),
            with_prefix(capture.rate_hz, "SA/s"),
            capture.depth
        );
        picture.write((LEFT, 8), &told, Ink::White);
        picture
    });
    bench.takes(Duration::from_millis(100));
    match format.as_str() {
        "PNG" => Ok(Answer::Block(picture.png())),
        "BMP24" | "BMP8" | "BMP" => Ok(Answer::Block(picture.bmp())),
        _ => Err(ErrorCode::IllegalParameterValue.into()),
    }
}

fn draw_grid(picture: &mut Picture) {
    for line in 0..=12 {
        let ink = if line % 6 == 0 { Ink::Frame } else { Ink::Grid };
        let x = LEFT + line * DIV;
        for y in (TOP..=BOTTOM).step_by(if line % 6 == 0 { 1 } else { 4 }) {
            picture.dot(x, y, ink);
        }
    }
    for line in 0..=8 {
        let ink = if line % 4 == 0 { Ink::Frame } else { Ink::Grid };
        let y = TOP + line * DIV;
        for x in (LEFT..=RIGHT).step_by(if line % 4 == 0 { 1 } else { 4 }) {
            picture.dot(x, y, ink);
        }
    }
    picture.fill((LEFT + 6 * DIV - 4, TOP - 10), (LEFT + 6 * DIV + 4, TOP - 4), Ink::White);
}

/// The row of a code: 25 codes a division of 50 pixels, 127 in the middle.
fn level(code: f64) -> usize {
    let row = (TOP + 4 * DIV) as f64 - (code - 127.0) * 2.0;
    row.clamp(TOP as f64, BOTTOM as f64) as usize
}

/// A stroke a column from its lowest to its highest code, reaching to the column before it.
fn draw_trace(picture: &mut Picture, columns: &[(u8, u8)], ink: Ink) {
    let mut last: Option<(usize, usize)> = None;
    for (column, (low, high)) in columns.iter().enumerate() {
        let (top, bottom) = (level(f64::from(*high)), level(f64::from(*low)));
        let (last_top, last_bottom) = last.unwrap_or((top, bottom));
        let x = LEFT + column;
        picture.fill((x, top.min(last_bottom)), (x, bottom.max(last_top)), ink);
        last = Some((top, bottom));
    }
}

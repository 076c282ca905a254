//! The screen as a picture: `:DISPlay:DATA?`.

use std::time::Duration;

use scpi::error::{ErrorCode, Result};

use super::knobs::P;
use super::wave::with_screen;
use super::{SCREEN_POINTS, poll};
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
            let codes = capture.screen(*index);
            draw_trace(&mut picture, &codes, Ink::CHANNELS[*index]);
            let zero = level(127.0 + capture.channels[*index].y_origin());
            picture.fill((LEFT - 12, zero.saturating_sub(2)), (LEFT - 2, zero + 2), Ink::CHANNELS[*index]);
            let box_left = 8 + index * (WIDTH / 4);
            picture.fill(
                (box_left, HEIGHT - 24),
                (box_left + WIDTH / 4 - 24, HEIGHT - 20),
                Ink::CHANNELS[*index],
            );
        }
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

/// Two points fall on one column; neighbours are joined, so that no spike is lost.
fn draw_trace(picture: &mut Picture, codes: &[u8], ink: Ink) {
    let mut last = None;
    for (point, code) in codes.iter().enumerate().take(SCREEN_POINTS) {
        let (x, y) = (LEFT + point / 2, level(f64::from(*code)));
        let from = last.unwrap_or(y);
        picture.fill((x, y.min(from)), (x, y.max(from)), ink);
        last = Some(y);
    }
}

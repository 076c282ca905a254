//! Pictures of the instruments' screens: 800 by 480, as PNG and as BMP.
//!
//! PNG (RFC 2083) with stored deflate blocks: the sizes are those of the raw picture, which a simulator may afford.

pub(crate) const WIDTH: usize = 800;
pub(crate) const HEIGHT: usize = 480;

/// Colours of the palette.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    Black = 0,
    Grid = 1,
    Frame = 2,
    One = 3,
    Two = 4,
    Three = 5,
    Four = 6,
    White = 7,
}

impl Ink {
    /// The colour Rigol gives a channel, by index from 0.
    pub(crate) const CHANNELS: [Self; 4] = [Self::One, Self::Two, Self::Three, Self::Four];
}

const PALETTE: [[u8; 3]; 8] = [
    [0, 0, 0],
    [52, 52, 52],
    [120, 120, 120],
    [248, 232, 40],
    [32, 224, 240],
    [232, 64, 232],
    [56, 104, 248],
    [232, 232, 232],
];

/// Letters of three by five dots, a row a number: what labels of channels and time need.
const LETTERS: [(char, [u8; 5]); 31] = [
    ('0', [7, 5, 5, 5, 7]),
    ('1', [2, 6, 2, 2, 7]),
    ('2', [7, 1, 7, 4, 7]),
    ('3', [7, 1, 7, 1, 7]),
    ('4', [5, 5, 7, 1, 1]),
    ('5', [7, 4, 7, 1, 7]),
    ('6', [7, 4, 7, 5, 7]),
    ('7', [7, 1, 1, 2, 2]),
    ('8', [7, 5, 7, 5, 7]),
    ('9', [7, 5, 7, 1, 7]),
    ('.', [0, 0, 0, 0, 2]),
    ('-', [0, 0, 7, 0, 0]),
    ('/', [1, 1, 2, 4, 4]),
    ('A', [2, 5, 7, 5, 5]),
    ('C', [7, 4, 4, 4, 7]),
    ('D', [6, 5, 5, 5, 6]),
    ('G', [7, 4, 5, 5, 7]),
    ('H', [5, 5, 7, 5, 5]),
    ('I', [7, 2, 2, 2, 7]),
    ('M', [5, 7, 7, 5, 5]),
    ('P', [7, 5, 7, 4, 4]),
    ('S', [7, 4, 7, 1, 7]),
    ('T', [7, 2, 2, 2, 2]),
    ('V', [5, 5, 5, 5, 2]),
    ('k', [4, 5, 6, 6, 5]),
    ('m', [0, 0, 7, 7, 5]),
    ('n', [0, 0, 6, 5, 5]),
    ('p', [0, 6, 5, 6, 4]),
    ('s', [0, 3, 6, 1, 6]),
    ('µ', [0, 5, 5, 6, 4]),
    ('O', [7, 5, 5, 5, 7]),
];

/// A picture with a palette.
#[derive(Debug, Clone)]
pub(crate) struct Picture {
    pixels: Vec<u8>,
}

impl Picture {
    /// A black screen.
    pub(crate) fn black() -> Self {
        Self { pixels: vec![Ink::Black as u8; WIDTH * HEIGHT] }
    }

    /// Colours one pixel; outside the screen nothing happens.
    pub(crate) fn dot(&mut self, x: usize, y: usize, ink: Ink) {
        if x < WIDTH && y < HEIGHT {
            self.pixels[y * WIDTH + x] = ink as u8;
        }
    }

    /// Fills the rectangle from `(left, top)` to `(right, bottom)`, both included.
    pub(crate) fn fill(&mut self, (left, top): (usize, usize), (right, bottom): (usize, usize), ink: Ink) {
        for y in top..=bottom.min(HEIGHT - 1) {
            for x in left..=right.min(WIDTH - 1) {
                self.dot(x, y, ink);
            }
        }
    }

    /// Writes `text` with its upper left corner at `(left, top)`, letters of 9 by 15 pixels; what has no letter is a gap.
    pub(crate) fn write(&mut self, (left, top): (usize, usize), text: &str, ink: Ink) {
        const DOT: usize = 2;
        for (place, letter) in text.chars().enumerate() {
            let rows = LETTERS.iter().find(|(known, _)| *known == letter).map_or([0; 5], |(_, rows)| *rows);
            for (row, bits) in rows.into_iter().enumerate() {
                for column in (0..3).filter(|column| bits & (4 >> column) != 0) {
                    let (x, y) = (left + (place * 4 + column) * DOT * 3 / 2, top + row * DOT * 3 / 2);
                    self.fill((x, y), (x + DOT, y + DOT), ink);
                }
            }
        }
    }

    /// The picture as PNG.
    pub(crate) fn png(&self) -> Vec<u8> {
        let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
        let mut header = Vec::new();
        header.extend_from_slice(&(WIDTH as u32).to_be_bytes());
        header.extend_from_slice(&(HEIGHT as u32).to_be_bytes());
        // Eight bits a pixel, palette, deflate, no filter, not interlaced.
        header.extend_from_slice(&[8, 3, 0, 0, 0]);
        chunk(&mut out, *b"IHDR", &header);
        chunk(&mut out, *b"PLTE", PALETTE.as_flattened());
        let mut raw = Vec::with_capacity((WIDTH + 1) * HEIGHT);
        for row in self.pixels.chunks(WIDTH) {
            raw.push(0);
            raw.extend_from_slice(row);
        }
        chunk(&mut out, *b"IDAT", &stored(&raw));
        chunk(&mut out, *b"IEND", &[]);
        out
    }

    /// The picture as an uncompressed 8-bit BMP.
    pub(crate) fn bmp(&self) -> Vec<u8> {
        let data_at = 14 + 40 + 4 * PALETTE.len() as u32;
        let size = data_at + (WIDTH * HEIGHT) as u32;
        let mut out = b"BM".to_vec();
        for word in [size, 0, data_at, 40, WIDTH as u32, HEIGHT as u32] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out.extend_from_slice(&1u16.to_le_bytes());
        out.extend_from_slice(&8u16.to_le_bytes());
        for word in [0, (WIDTH * HEIGHT) as u32, 2835, 2835, PALETTE.len() as u32, 0] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        for [red, green, blue] in PALETTE {
            out.extend_from_slice(&[blue, green, red, 0]);
        }
        for row in self.pixels.chunks(WIDTH).rev() {
            out.extend_from_slice(row);
        }
        out
    }
}

fn chunk(out: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    out.extend_from_slice(&(data.len() as u32).to_be_bytes());
    let start = out.len();
    out.extend_from_slice(&kind);
    out.extend_from_slice(data);
    let crc = crc32fast::hash(&out[start..]);
    out.extend_from_slice(&crc.to_be_bytes());
}

/// A zlib stream (RFC 1950) of stored blocks.
fn stored(raw: &[u8]) -> Vec<u8> {
    const BLOCK: usize = 65_535;
    let mut out = vec![0x78, 0x01];
    let count = raw.len().div_ceil(BLOCK);
    for (index, block) in raw.chunks(BLOCK).enumerate() {
        out.push(u8::from(index + 1 == count));
        let length = block.len() as u16;
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(block);
    }
    let (mut a, mut b) = (1u32, 0u32);
    for byte in raw {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    out.extend_from_slice(&((b << 16) | a).to_be_bytes());
    out
}

/// A screen with a pair of bars (voltage, current, each as a part of full scale) for every channel.
pub(crate) fn bars(channels: &[(f64, f64)]) -> Picture {
    let mut picture = Picture::black();
    let slot = WIDTH / channels.len().max(1);
    for (index, (volts, amps)) in channels.iter().enumerate() {
        let left = index * slot + slot / 8;
        for (part, lane) in [(volts, 0), (amps, 1)] {
            let (from, to) = (left + lane * slot * 3 / 8, left + (lane + 1) * slot * 3 / 8 - 8);
            picture.fill((from, 60), (to, 440), Ink::Grid);
            let top = 440 - (part.clamp(0.0, 1.0) * 380.0) as usize;
            picture.fill((from, top), (to, 440), Ink::CHANNELS[index % 4]);
        }
    }
    picture
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_png_has_whole_chunks_with_right_sums_and_ends() {
        let png = bars(&[(0.5, 0.1)]).png();
        let mut rest = png.strip_prefix(b"\x89PNG\r\n\x1a\n").unwrap();
        let mut kinds = Vec::new();
        while !rest.is_empty() {
            let length = u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize;
            let (body, tail) = rest[4..].split_at(4 + length);
            assert_eq!(crc32fast::hash(body).to_be_bytes(), tail[..4]);
            kinds.push(String::from_utf8_lossy(&body[..4]).into_owned());
            rest = &tail[4..];
        }
        assert_eq!(kinds, ["IHDR", "PLTE", "IDAT", "IEND"]);
    }

    #[test]
    fn a_bmp_is_as_long_as_it_says() {
        let bmp = Picture::black().bmp();
        assert_eq!(&bmp[..2], b"BM");
        assert_eq!(u32::from_le_bytes(bmp[2..6].try_into().unwrap()) as usize, bmp.len());
    }
}

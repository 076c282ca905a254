//! A picture of coloured cells as a small PNG: its size depends on the number of cells alone, never on what is in them.

use plotters::style::RGBColor;

use super::canvas::place;
use crate::report::base64::render_base64;

/// Colours of a raster; cells of colour 0 are clear.
pub(super) const COLORS: usize = 16;

/// The most bytes of one stored block (RFC 1951, 3.2.4).
const BLOCK: usize = 0xffff;

/// A PNG of `cells` (colour numbers under [`COLORS`], row by row from the top), `columns` wide. Not compressed: that would
/// need a library, and the size is bounded as it is.
pub(super) fn render_png(cells: &[u8], columns: usize, palette: &[RGBColor; COLORS]) -> Vec<u8> {
    let columns = columns.max(1);
    let rows = cells.len() / columns;
    // Each line begins with its filter, none; two cells share a byte.
    let lines = cells.chunks_exact(columns).flat_map(|line| {
        let pairs = line.chunks(2).map(|pair| (pair[0] & 15) << 4 | pair.get(1).map_or(0, |cell| cell & 15));
        std::iter::once(0).chain(pairs)
    });
    let data: Vec<u8> = lines.collect();
    let mut head = Vec::with_capacity(13);
    head.extend_from_slice(&(columns as u32).to_be_bytes());
    head.extend_from_slice(&(rows as u32).to_be_bytes());
    // Four bits a cell, by palette, the only compression and filter method there are, not interlaced.
    head.extend_from_slice(&[4, 3, 0, 0, 0]);
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    push_chunk(&mut png, *b"IHDR", &head);
    push_chunk(
        &mut png,
        *b"PLTE",
        &palette.iter().flat_map(|color| [color.0, color.1, color.2]).collect::<Vec<_>>(),
    );
    push_chunk(&mut png, *b"tRNS", &[0]);
    push_chunk(&mut png, *b"IDAT", &stored(&data));
    push_chunk(&mut png, *b"IEND", &[]);
    png
}

/// Puts a raster between two drawings of one size, stretched over the rectangle.
pub(super) fn layer(under: &str, png: &[u8], (from, to): ((f64, f64), (f64, f64)), over: &str) -> String {
    let (x, y) = (place(from.0), place(from.1));
    let (width, height) = (place(to.0) - x, place(to.1) - y);
    let ground = under.trim_end().strip_suffix("</svg>").unwrap_or(under);
    let top = over.split_once('>').map_or("", |(_, rest)| rest);
    let data = render_base64(png);
    format!(
        "{ground}<image x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" preserveAspectRatio=\"none\" \
         style=\"image-rendering:pixelated\" href=\"data:image/png;base64,{data}\"/>{top}"
    )
}

fn push_chunk(png: &mut Vec<u8>, name: [u8; 4], data: &[u8]) {
    png.extend_from_slice(&(data.len() as u32).to_be_bytes());
    let from = png.len();
    png.extend_from_slice(&name);
    png.extend_from_slice(data);
    let sum = crc32fast::hash(&png[from..]);
    png.extend_from_slice(&sum.to_be_bytes());
}

/// A zlib stream of stored blocks.
fn stored(data: &[u8]) -> Vec<u8> {
    let mut stream = vec![0x78, 0x01];
    let count = data.len().div_ceil(BLOCK).max(1);
    for (place, block) in data.chunks(BLOCK).enumerate() {
        let length = block.len() as u16;
        stream.push(u8::from(place + 1 == count));
        stream.extend_from_slice(&length.to_le_bytes());
        stream.extend_from_slice(&(!length).to_le_bytes());
        stream.extend_from_slice(block);
    }
    if data.is_empty() {
        stream.extend_from_slice(&[1, 0, 0, 0xff, 0xff]);
    }
    stream.extend_from_slice(&adler32(data).to_be_bytes());
    stream
}

/// RFC 1950, 8.2.
fn adler32(data: &[u8]) -> u32 {
    const MODULUS: u32 = 65521;
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in data {
        a = (a + u32::from(*byte)) % MODULUS;
        b = (b + a) % MODULUS;
    }
    b << 16 | a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
        assert_eq!(adler32(b""), 1);
    }

    #[test]
    fn the_size_depends_on_the_number_of_cells_alone() {
        let palette = [RGBColor(1, 2, 3); COLORS];
        let empty = render_png(&vec![0; 480 * 240], 480, &palette);
        let busy: Vec<u8> = (0..480 * 240).map(|place| (place * 7 % 16) as u8).collect();
        let full = render_png(&busy, 480, &palette);
        assert_eq!(empty.len(), full.len());
        assert!(full.len() < 58_500, "{}", full.len());
        assert_eq!(&full[12..24], b"IHDR\x00\x00\x01\xe0\x00\x00\x00\xf0");
    }
}

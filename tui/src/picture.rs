//! Small pictures as the server makes them, and what of them falls into which cell.

use std::io::Cursor;

use png::{ColorType, Decoder, Limits, Transformations};

/// The server's have 160 pixels at most; nothing larger is worth its memory here.
const LONGEST_SIDE: u32 = 512;
/// What the decoder may ask for besides the pixels.
const MOST_MEMORY: usize = 4 * 1024 * 1024;

/// Red, green, blue.
pub type Rgb = [u8; 3];

/// A picture whose pixels are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    width: usize,
    height: usize,
    /// Red, green, blue, and how opaque; row by row.
    pixels: Vec<[u8; 4]>,
}

impl Picture {
    /// `None` for what is no PNG, or a larger one than the server makes.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), Limits { bytes: MOST_MEMORY });
        decoder.set_transformations(Transformations::normalize_to_color8() | Transformations::ALPHA);
        let mut reader = decoder.read_info().ok()?;
        let (width, height) = reader.info().size();
        if width == 0 || height == 0 || width.max(height) > LONGEST_SIDE {
            return None;
        }
        let mut bytes = vec![0; reader.output_buffer_size()?];
        let frame = reader.next_frame(&mut bytes).ok()?;
        let bytes = bytes.get(..frame.buffer_size())?;
        let pixels = match frame.color_type {
            ColorType::Rgba => bytes.as_chunks::<4>().0.to_vec(),
            ColorType::GrayscaleAlpha => {
                bytes.as_chunks::<2>().0.iter().map(|&[grey, opaque]| [grey, grey, grey, opaque]).collect()
            }
            ColorType::Grayscale | ColorType::Rgb | ColorType::Indexed => return None,
        };
        let (width, height) = (usize::try_from(width).ok()?, usize::try_from(height).ok()?);
        (pixels.len() == width * height).then_some(Self { width, height, pixels })
    }

    /// The columns and rows that it fills of so many: a cell holds a pixel and the one below it.
    pub fn fitting(&self, columns: u16, rows: u16) -> (u16, u16) {
        let (most_columns, most_rows) = (usize::from(columns), usize::from(rows));
        let tall = (most_columns * self.height).div_ceil(2 * self.width);
        let (wide, tall) = if tall <= most_rows {
            (most_columns, tall)
        } else {
            (2 * most_rows * self.width / self.height, most_rows)
        };
        let cells = |cells: usize, most: u16| u16::try_from(cells).unwrap_or(most).clamp(1.min(most), most);
        (cells(wide, columns), cells(tall, rows))
    }

    /// Upper and lower half of every cell, row by row; what is transparent shows the ground.
    pub fn halves(&self, columns: u16, rows: u16, ground: Rgb) -> Vec<Vec<[Rgb; 2]>> {
        let (columns, rows) = (usize::from(columns), usize::from(rows));
        let half =
            |column, half| self.mean(share(column, columns, self.width), share(half, 2 * rows, self.height), ground);
        let row = |row| (0..columns).map(|column| [half(column, 2 * row), half(column, 2 * row + 1)]).collect();
        (0..rows).map(row).collect()
    }

    fn mean(&self, columns: (usize, usize), rows: (usize, usize), ground: Rgb) -> Rgb {
        let (mut sums, mut count) = ([0_u32; 3], 0);
        for y in rows.0..rows.1 {
            for [red, green, blue, opaque] in &self.pixels[y * self.width + columns.0..y * self.width + columns.1] {
                let opaque = u32::from(*opaque);
                for ((sum, colour), ground) in sums.iter_mut().zip([red, green, blue]).zip(ground) {
                    *sum += (u32::from(*colour) * opaque + u32::from(ground) * (255 - opaque)) / 255;
                }
                count += 1;
            }
        }
        sums.map(|sum| u8::try_from(sum / count.max(1)).unwrap_or(u8::MAX))
    }
}

/// Which of `pixels` fall into part `at` of `parts`; at least one.
fn share(at: usize, parts: usize, pixels: usize) -> (usize, usize) {
    let parts = parts.max(1);
    let start = (at * pixels / parts).min(pixels - 1);
    (start, ((at + 1) * pixels / parts).clamp(start + 1, pixels))
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A PNG of these sides: red grows to the right, green downwards; its left half is see-through if `hole`.
    pub(crate) fn png(width: u32, height: u32, hole: bool) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(ColorType::Rgba);
        let mut writer = encoder.write_header().unwrap();
        let level = |at: u32, of: u32| u8::try_from(at * 255 / of.saturating_sub(1).max(1)).unwrap();
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let data: Vec<u8> = pixels
            .flat_map(|(x, y)| [level(x, width), level(y, height), 60, if hole && x < width / 2 { 0 } else { 255 }])
            .collect();
        writer.write_image_data(&data).unwrap();
        writer.finish().unwrap();
        bytes
    }

    #[test]
    fn it_keeps_its_shape() {
        let fitting =
            |width, height, columns, rows| Picture::read(&png(width, height, false)).unwrap().fitting(columns, rows);
        assert_eq!(fitting(160, 120, 112, 30), (80, 30));
        assert_eq!(fitting(160, 120, 40, 30), (40, 15));
        assert_eq!(fitting(160, 1, 40, 30), (40, 1));
        assert_eq!(fitting(1, 160, 40, 30), (1, 30));
        assert_eq!(fitting(160, 120, 0, 0), (0, 0));
    }

    #[test]
    fn every_cell_has_two_pixels_and_the_ground_shines_through() {
        let picture = Picture::read(&png(4, 4, true)).unwrap();
        let halves = picture.halves(4, 2, [9, 9, 9]);
        assert_eq!((halves.len(), halves[0].len()), (2, 4));
        assert_eq!(halves[0][0], [[9, 9, 9]; 2]);
        assert_eq!(halves[0][3], [[255, 0, 60], [255, 85, 60]]);
        assert_eq!(halves[1][3], [[255, 170, 60], [255, 255, 60]]);
    }

    #[test]
    fn what_the_server_does_not_make_is_not_shown() {
        assert_eq!(Picture::read(b""), None);
        assert_eq!(Picture::read(b"<html>"), None);
        assert_eq!(Picture::read(&png(513, 1, false)), None);
        let whole = png(8, 8, false);
        assert_eq!(Picture::read(&whole[..whole.len() / 2]), None);
    }

    proptest! {
        #[test]
        fn promise_10_no_bytes_do_harm(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..10),
            columns in 0_u16..50,
            rows in 0_u16..20,
        ) {
            let mut bytes = png(12, 9, true);
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if let Some(picture) = Picture::read(&bytes) {
                let (columns, rows) = picture.fitting(columns, rows);
                let halves = picture.halves(columns, rows, [0; 3]);
                prop_assert!(halves.len() == usize::from(rows));
                prop_assert!(halves.iter().all(|row| row.len() == usize::from(columns)));
            }
        }
    }
}

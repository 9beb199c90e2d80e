//! A small picture of a picture. What comes in is foreign: whatever it is, this takes bounded memory
//! and time, and what cannot be decoded has none.

use std::io::Cursor;

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

/// Of its longer side, in pixels.
const SIDE: u32 = 160;

/// Larger files have none; WhatsApp takes at most 5 MB of a picture.
pub(super) const MOST_BYTES: usize = 16 * 1024 * 1024;
/// A few bytes can claim any number of pixels. Phones make up to 50 million, WhatsApp sends a tenth of that.
const MOST_PIXELS: u64 = 24_000_000;
/// What a decoder may ask for in one piece; with four bytes a pixel it is enough.
const MOST_MEMORY: u64 = 128 * 1024 * 1024;

/// As PNG, upright, with what is transparent left so; what is small already keeps its size.
pub(super) fn of(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok()?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().ok()?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MOST_PIXELS || decoder.total_bytes() > MOST_MEMORY {
        return None;
    }
    let orientation = decoder.orientation().ok()?;
    let whole = DynamicImage::from_decoder(decoder).ok()?;
    let mut small = if width.max(height) > SIDE { whole.thumbnail(SIDE, SIDE) } else { whole };
    small.apply_orientation(orientation);
    let small = DynamicImage::from(small.into_rgba8());
    let mut png = Cursor::new(Vec::new());
    small.write_to(&mut png, ImageFormat::Png).ok()?;
    Some(png.into_inner())
}

#[cfg(test)]
mod tests {
    use image::{GenericImageView, Rgb, RgbImage};
    use proptest::prelude::*;

    use super::*;

    fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
        let picture = RgbImage::from_fn(width, height, |x, y| Rgb([(x % 256) as u8, (y % 256) as u8, 7]));
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn size(png: &[u8]) -> (u32, u32) {
        image::load_from_memory_with_format(png, ImageFormat::Png).unwrap().dimensions()
    }

    #[test]
    fn its_longer_side_is_short() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
            assert_eq!(size(&of(&picture(800, 600, format)).unwrap()), (160, 120), "{format:?}");
        }
        assert_eq!(size(&of(&picture(30, 900, ImageFormat::Png)).unwrap()), (5, 160));
        assert_eq!(size(&of(&picture(3_000, 1, ImageFormat::Png)).unwrap()), (160, 1));
        assert_eq!(size(&of(&picture(16, 9, ImageFormat::Png)).unwrap()), (16, 9), "nothing is made larger");
    }

    #[test]
    fn it_stands_upright() {
        let mut turned = picture(400, 200, ImageFormat::Jpeg);
        // Exif that says: turn it by 90 degrees.
        let exif = b"\xff\xe1\x00\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
        turned.splice(2..2, exif.iter().copied());
        assert_eq!(size(&of(&turned).unwrap()), (80, 160));
    }

    /// A PNG that claims these sides and has next to nothing in it.
    fn claims(width: u32, height: u32) -> Vec<u8> {
        let mut png = picture(8, 8, ImageFormat::Png);
        png[16..20].copy_from_slice(&width.to_be_bytes());
        png[20..24].copy_from_slice(&height.to_be_bytes());
        let mut sum = !0_u32;
        for byte in &png[12..29] {
            sum ^= u32::from(*byte);
            for _ in 0..8 {
                sum = if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 };
            }
        }
        png[29..33].copy_from_slice(&(!sum).to_be_bytes());
        png
    }

    #[test]
    fn a_bomb_is_not_set_off() {
        for (width, height) in [(u32::MAX >> 1, u32::MAX >> 1), (60_000, 60_000), (6_000, 4_001), (1, 24_000_001)] {
            assert_eq!(of(&claims(width, height)), None, "{width} x {height}");
        }
    }

    #[test]
    fn what_is_no_picture_has_none() {
        for bytes in [&b""[..], b"just words", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"GIF89a\x01\0\x01\0", b"<svg/>"] {
            assert_eq!(of(bytes), None, "{bytes:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn promise_10_no_bytes_do_harm(
            format in prop_oneof![Just(ImageFormat::Jpeg), Just(ImageFormat::Png), Just(ImageFormat::WebP)],
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
            end in any::<prop::sample::Index>(),
            whole in any::<bool>(),
        ) {
            let mut bytes = picture(40, 30, format);
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if !whole {
                bytes.truncate(end.index(bytes.len()));
            }
            if let Some(png) = of(&bytes) {
                let (width, height) = size(&png);
                prop_assert!(width <= SIDE && height <= SIDE);
            }
        }

        #[test]
        fn promise_10_nor_do_those_of_a_head(
            head in prop_oneof![
                Just(&b"\x89PNG\r\n\x1a\n"[..]),
                Just(&b"\xff\xd8\xff"[..]),
                Just(&b"RIFF\xff\xff\0\0WEBPVP8L"[..]),
                Just(&b"RIFF\xff\xff\0\0WEBPVP8X\x0a\0\0\0"[..]),
            ],
            rest in prop::collection::vec(any::<u8>(), 0..600),
        ) {
            of(&[head, &rest].concat());
        }
    }
}

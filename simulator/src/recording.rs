//! Files that tell in words what they hold, so that a simulated model hears and sees without ears and eyes: a
//! voice message says it in a comment of its Ogg container (RFC 7845), a picture in a text chunk of its PNG.

const COMMENT: &str = "DESCRIPTION=";
const CHUNK: &[u8] = b"iTXt";
/// Its keyword, neither compressed nor translated.
const KEYWORD: &[u8] = b"Description\0\0\0\0\0";

/// An Opus recording without sound, of somebody who says `words`.
pub fn voice(words: &str) -> Vec<u8> {
    let head = [b"OpusHead".as_slice(), &[1, 1, 0, 0], &48_000_u32.to_le_bytes(), &[0, 0, 0]].concat();
    let comment = format!("{COMMENT}{words}");
    let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes();
    let tags = [b"OpusTags".as_slice(), &length(0), &length(1), &length(comment.len()), comment.as_bytes()].concat();
    [page(0, 0x02, &head), page(1, 0x04, &tags)].concat()
}

/// `png` with a chunk more, of somebody who sees `words` in it; as it is if it is no PNG.
pub fn picture(png: &[u8], words: &str) -> Vec<u8> {
    /// The signature and the header's chunk.
    const HEAD: usize = 8 + 25;
    let Some((head, rest)) = png.split_at_checked(HEAD) else { return png.to_vec() };
    let text = [KEYWORD, words.as_bytes()].concat();
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes();
    let sealed = [CHUNK, &text].concat();
    [head, &length, &sealed, &crc32(&sealed).to_be_bytes(), rest].concat()
}

/// What such a file says of itself.
pub fn told(file: &[u8]) -> Option<String> {
    let words = if file.starts_with(b"OggS") { comment(file)? } else { chunk(file)? };
    String::from_utf8(words.to_vec()).ok()
}

fn comment(file: &[u8]) -> Option<&[u8]> {
    let at = find(file, COMMENT.as_bytes())?;
    let length = u32::from_le_bytes(file.get(at.checked_sub(4)?..at)?.try_into().ok()?);
    file.get(at..)?.get(..usize::try_from(length).ok()?)?.strip_prefix(COMMENT.as_bytes())
}

fn chunk(file: &[u8]) -> Option<&[u8]> {
    let at = find(file, CHUNK)?;
    let length = u32::from_be_bytes(file.get(at.checked_sub(4)?..at)?.try_into().ok()?);
    file.get(at + CHUNK.len()..)?.get(..usize::try_from(length).ok()?)?.strip_prefix(KEYWORD)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// One page that holds one packet (RFC 3533).
fn page(number: u32, kind: u8, packet: &[u8]) -> Vec<u8> {
    let laces = std::iter::repeat_n(255, packet.len() / 255).chain([u8::try_from(packet.len() % 255).unwrap_or(0)]);
    let laces: Vec<u8> = laces.collect();
    let count = u8::try_from(laces.len()).unwrap_or(u8::MAX);
    let mut page =
        [b"OggS".as_slice(), &[0, kind], &[0; 8], &[1, 0, 0, 0], &number.to_le_bytes(), &[0; 4], &[count]].concat();
    page.extend(laces);
    page.extend(packet);
    page
}

/// Of a PNG's chunk (ISO 3309).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_tells_what_it_holds() {
        let png = include_bytes!("customers/files/two-mugs.png");
        for words in ["", "¿Dónde está mi pedido 4711?", "a box with one mug"] {
            assert_eq!(told(&voice(words)).as_deref(), Some(words));
            assert_eq!(told(&picture(png, words)).as_deref(), Some(words));
        }
        assert_eq!(told(png), None);
        assert_eq!(told(b"OggS"), None);
        assert_eq!(told(b""), None);
    }

    #[test]
    fn a_chunk_is_sealed_as_png_has_it() {
        // The last chunk of every PNG.
        assert_eq!(crc32(b"IEND"), 0xae42_6082);
    }
}

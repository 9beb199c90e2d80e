//! Whether the first bytes of a file are what its message says: a picture must be one.

use baton_shared::file;

/// A document may be anything: it is only ever saved, never shown. Pictures are of few kinds, all of
/// them known by their first bytes. Of sound and film there are too many to know them all, so these
/// only must not be something else.
pub(super) fn fits(kind: &str, head: &[u8]) -> bool {
    let found = file::type_of(head).map(|found| found.split('/').next().unwrap_or_default());
    match kind {
        kind if is_picture(kind) => found == Some("image"),
        "audio" | "video" => matches!(found, None | Some("audio" | "video")),
        _ => true,
    }
}

pub(super) fn is_picture(kind: &str) -> bool {
    matches!(kind, "image" | "sticker")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    const PROGRAM: &[u8] = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    const PAGE: &[u8] = b"<!DOCTYPE html><html><script>alert(1)</script></html>";
    const OGG: &[u8] = b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x13OpusHead";
    const ARCHIVE: &[u8] = b"PK\x03\x04\x14\0\0\0\x08\0";

    #[test]
    fn a_picture_is_a_picture() {
        assert!(fits("image", PNG));
        assert!(fits("sticker", b"RIFF\x24\0\0\0WEBPVP8 "));
        for lie in [PROGRAM, PAGE, OGG, b"", b"just words"] {
            assert!(!fits("image", lie), "{lie:?}");
        }
    }

    #[test]
    fn sound_and_film_are_not_something_else() {
        assert!(fits("audio", OGG));
        assert!(fits("video", b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"));
        assert!(fits("audio", b"of a kind that nobody knows"));
        for lie in [PROGRAM, PAGE, PNG, ARCHIVE] {
            assert!(!fits("video", lie), "{lie:?}");
        }
    }

    #[test]
    fn a_document_may_be_anything() {
        assert!(fits("document", PROGRAM) && fits("document", b""));
    }
}

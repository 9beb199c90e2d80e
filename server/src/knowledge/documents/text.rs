//! Plain text: its letters, whatever they were written in, and its paragraphs.

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

use super::{Block, Kind, Unreadable};

/// The text of a document: by its byte order mark, as UTF-8, as `declared`, else as Windows writes western letters.
pub(super) fn decoded(kind: Kind, bytes: &[u8], declared: Option<&str>) -> Result<String, Unreadable> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return Ok(encoding.decode_without_bom_handling(&bytes[mark..]).0.into_owned());
    }
    if bytes.contains(&0) {
        return Err(Unreadable::Broken(kind, "it has bytes of zero, as programs and pictures have".into()));
    }
    if let Ok(text) = str::from_utf8(bytes) {
        return Ok(text.to_owned());
    }
    let declared = declared.and_then(|name| Encoding::for_label(name.as_bytes())).filter(|one| *one != UTF_8);
    Ok(declared.unwrap_or(WINDOWS_1252).decode_without_bom_handling(bytes).0.into_owned())
}

/// Paragraphs between empty lines.
pub(super) fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut paragraph: Vec<&str> = Vec::new();
    for line in text.lines().chain([""]) {
        if !line.trim().is_empty() {
            paragraph.push(line);
        } else if !paragraph.is_empty() {
            blocks.push(Block::Text(paragraph.join("\n")));
            paragraph.clear();
        }
    }
    blocks
}

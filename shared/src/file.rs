//! Files that agents send: which kinds there are, what WhatsApp takes of each, and how a file is told
//! by its first bytes. Checked here by both ends, so that nothing is carried in vain.

use serde::{Deserialize, Serialize};

use crate::content::plain_name;

/// As what a file is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(type_name = "text", rename_all = "snake_case"))]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    Image,
    Video,
    Audio,
    /// An audio that looks as if it had been recorded with the microphone button.
    Voice,
    Document,
    Sticker,
}

/// So much of a file tells what it is.
pub const HEAD: usize = 8 * 1024;

/// Meta's limit of a caption, in characters.
pub const CAPTION_LIMIT: usize = 1024;

/// The largest file of any kind, in bytes.
pub const LARGEST: u64 = FileKind::Document.limit();

const KILOBYTE: u64 = 1024;
const MEGABYTE: u64 = 1024 * KILOBYTE;

/// A static sticker; one that moves may be as large as its kind.
const STILL_STICKER: u64 = 100 * KILOBYTE;
/// Stickers are squares of so many pixels.
const STICKER_SIDE: u32 = 512;

pub const JPEG: &str = "image/jpeg";
pub const PNG: &str = "image/png";
pub const WEBP: &str = "image/webp";
pub const OPUS: &str = "audio/ogg; codecs=opus";

impl FileKind {
    pub const ALL: [Self; 6] = [Self::Image, Self::Video, Self::Audio, Self::Voice, Self::Document, Self::Sticker];

    /// The word used in SQL and on the wire.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Voice => "voice",
            Self::Document => "document",
            Self::Sticker => "sticker",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// The `type` of the message that brings it.
    pub const fn message_kind(self) -> &'static str {
        match self {
            Self::Voice => "audio",
            kind => kind.word(),
        }
    }

    /// In bytes (Meta: "Supported media types").
    pub const fn limit(self) -> u64 {
        match self {
            Self::Image => 5 * MEGABYTE,
            Self::Video | Self::Audio | Self::Voice => 16 * MEGABYTE,
            Self::Document => 100 * MEGABYTE,
            Self::Sticker => 500 * KILOBYTE,
        }
    }

    /// Whether WhatsApp shows words with it.
    pub const fn has_caption(self) -> bool {
        matches!(self, Self::Image | Self::Video | Self::Document)
    }

    /// What may be sent so; anything may be a document.
    const fn types(self) -> &'static [&'static str] {
        match self {
            Self::Image => &[JPEG, PNG],
            Self::Video => &["video/mp4", "video/3gpp"],
            Self::Audio => &["audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", OPUS],
            Self::Voice => &[OPUS],
            Self::Sticker => &[WEBP],
            Self::Document => &[],
        }
    }

    /// The same for a person.
    const fn takes(self) -> &'static str {
        match self {
            Self::Image => "JPEG or PNG",
            Self::Video => "MP4 or 3GP",
            Self::Audio => "AAC, AMR, MP3, M4A or OGG with Opus",
            Self::Voice => "OGG with Opus",
            Self::Sticker => "WebP",
            Self::Document => "any type",
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Image => "an image",
            Self::Video => "a video",
            Self::Audio => "an audio",
            Self::Voice => "a voice message",
            Self::Document => "a document",
            Self::Sticker => "a sticker",
        }
    }
}

/// What is known of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// As Meta names it.
    pub mime_type: &'static str,
    /// In bytes.
    pub size: u64,
    /// How many channels its sound has, if it is Opus.
    channels: Option<u8>,
    /// Its sides in pixels and whether it moves, if it is a WebP.
    picture: Option<(u32, u32, bool)>,
}

/// Why a file cannot be sent as what it was meant to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    #[error("the file is empty")]
    Empty,
    #[error("the file is {found}: WhatsApp takes {taken} for {kind}{way_out}")]
    Type { found: String, taken: &'static str, kind: &'static str, way_out: &'static str },
    #[error("the file has {size}: WhatsApp takes at most {most} for {kind}{way_out}")]
    Size { size: String, most: String, kind: &'static str, way_out: &'static str },
    #[error("the file is in stereo: WhatsApp plays Opus in mono only")]
    Stereo,
    #[error("the file has {width} x {height} pixels: a sticker has 512 x 512")]
    Side { width: u32, height: u32 },
    #[error("the caption has {length} characters: at most {CAPTION_LIMIT} are possible")]
    Caption { length: usize },
    #[error("the caption cannot be sent: WhatsApp shows none with {0}")]
    NoCaption(&'static str),
}

impl Facts {
    /// By the first [`HEAD`] bytes, and by its name where these say nothing.
    pub fn of(head: &[u8], name: &str, size: u64) -> Self {
        let mime_type = mime_type(head, name);
        let channels = (mime_type == OPUS).then(|| head.get(37).copied()).flatten();
        let picture = (mime_type == WEBP).then(|| webp(head)).flatten();
        Self { mime_type, size, channels, picture }
    }

    /// As what it is sent if nobody says otherwise.
    pub fn usual_kind(&self) -> FileKind {
        let kinds = [FileKind::Image, FileKind::Video, FileKind::Audio];
        kinds.into_iter().find(|kind| self.check(*kind).is_ok()).unwrap_or(FileKind::Document)
    }

    /// As what it can be sent, the usual first.
    pub fn kinds(&self) -> Vec<FileKind> {
        let usual = self.usual_kind();
        let others = FileKind::ALL.into_iter().filter(|kind| *kind != usual && self.check(*kind).is_ok());
        std::iter::once(usual).chain(others).collect()
    }

    /// # Errors
    /// What WhatsApp would refuse, in a sentence that names it.
    pub fn check(&self, kind: FileKind) -> Result<(), Unfit> {
        if self.size == 0 {
            return Err(Unfit::Empty);
        }
        let way_out = if kind == FileKind::Document { "" } else { "; send it as a document" };
        if !kind.types().is_empty() && !kind.types().contains(&self.mime_type) {
            let found = self.mime_type.to_owned();
            return Err(Unfit::Type { found, taken: kind.takes(), kind: kind.name(), way_out });
        }
        let is_still = matches!(self.picture, Some((_, _, false)));
        let most = if kind == FileKind::Sticker && is_still { STILL_STICKER } else { kind.limit() };
        if self.size > most {
            let (size, most) = (in_words(self.size), in_words(most));
            return Err(Unfit::Size { size, most, kind: kind.name(), way_out });
        }
        match (kind, self.channels, self.picture) {
            (FileKind::Audio | FileKind::Voice, Some(2..), _) => Err(Unfit::Stereo),
            (FileKind::Sticker, _, Some((width, height, _))) if (width, height) != (STICKER_SIDE, STICKER_SIDE) => {
                Err(Unfit::Side { width, height })
            }
            _ => Ok(()),
        }
    }
}

/// # Errors
/// If WhatsApp would not show these words with such a file.
pub fn check_caption(kind: FileKind, caption: &str) -> Result<(), Unfit> {
    let length = caption.chars().count();
    if length > CAPTION_LIMIT {
        return Err(Unfit::Caption { length });
    }
    if length > 0 && !kind.has_caption() {
        return Err(Unfit::NoCaption(kind.name()));
    }
    Ok(())
}

/// `4.2 MB`, rounded up, so that what is too large never reads as what is allowed.
fn in_words(bytes: u64) -> String {
    let (unit, word) = if bytes >= MEGABYTE { (MEGABYTE, "MB") } else { (KILOBYTE, "KB") };
    let tenths = bytes.saturating_mul(10).div_ceil(unit);
    match (tenths / 10, tenths % 10) {
        (whole, 0) => format!("{whole} {word}"),
        (whole, tenth) => format!("{whole}.{tenth} {word}"),
    }
}

/// What the first [`HEAD`] bytes of a file say that it is; `None` if they say nothing.
pub fn type_of(head: &[u8]) -> Option<&'static str> {
    match (head.get(4..8), head.get(8..11)) {
        (Some(b"ftyp"), Some(b"3gp" | b"3g2")) => return Some("video/3gpp"),
        (Some(b"ftyp"), Some(b"M4A")) => return Some("audio/mp4"),
        _ => {}
    }
    infer::get(head).map(|found| match found.mime_type() {
        "audio/opus" => OPUS,
        "audio/m4a" => "audio/mp4",
        found => found,
    })
}

fn mime_type(head: &[u8], name: &str) -> &'static str {
    match type_of(head) {
        // Of an office's documents the name knows more than the first bytes.
        Some("application/zip") | None => by_name(name),
        Some(found) => found,
    }
}

fn by_name(name: &str) -> &'static str {
    let name = plain_name(name).unwrap_or_default().to_ascii_lowercase();
    match name.rsplit_once('.').map_or("", |(_, end)| end) {
        "txt" | "csv" | "md" | "log" => "text/plain",
        "pdf" => "application/pdf",
        "doc" => "application/msword",
        "xls" => "application/vnd.ms-excel",
        "ppt" => "application/vnd.ms-powerpoint",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "pptx" => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "zip" => "application/zip",
        _ => "application/octet-stream",
    }
}

/// Width, height and whether it moves, from the first chunk after `RIFF....WEBP`.
fn webp(head: &[u8]) -> Option<(u32, u32, bool)> {
    let number = |at: usize, bytes: usize| {
        let bytes = head.get(at..at + bytes)?;
        Some(bytes.iter().rev().fold(0_u32, |number, byte| number << 8 | u32::from(*byte)))
    };
    match head.get(12..16)? {
        b"VP8X" => Some((number(24, 3)? + 1, number(27, 3)? + 1, number(20, 1)? & 2 != 0)),
        b"VP8L" => {
            let sides = number(21, 4)?;
            Some(((sides & 0x3fff) + 1, (sides >> 14 & 0x3fff) + 1, false))
        }
        b"VP8 " => Some((number(26, 2)? & 0x3fff, number(28, 2)? & 0x3fff, false)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG_HEAD: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    const MP4_HEAD: &[u8] = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom";

    fn opus(channels: u8) -> Vec<u8> {
        let mut head = b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x13OpusHead\x01".to_vec();
        head.push(channels);
        head
    }

    fn sticker(side: u32, moves: bool) -> Vec<u8> {
        let mut head = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0".to_vec();
        head.extend([if moves { 2 } else { 0 }, 0, 0, 0]);
        for _ in 0..2 {
            head.extend(&(side - 1).to_le_bytes()[..3]);
        }
        head
    }

    fn facts(head: &[u8], name: &str) -> Facts {
        Facts::of(head, name, 1_000)
    }

    #[test]
    fn a_file_is_what_its_first_bytes_say() {
        assert_eq!(facts(PNG_HEAD, "bill.pdf").kinds(), [FileKind::Image, FileKind::Document]);
        assert_eq!(facts(MP4_HEAD, "x").kinds(), [FileKind::Video, FileKind::Document]);
        assert_eq!(facts(&opus(1), "x").kinds(), [FileKind::Audio, FileKind::Voice, FileKind::Document]);
        assert_eq!(facts(b"\0\0\0\x14ftyp3gp4", "x").mime_type, "video/3gpp");
        assert_eq!(facts(b"%PDF-1.7", "x").kinds(), [FileKind::Document]);
        assert_eq!(facts(b"a,b\n1,2", "List.CSV").mime_type, "text/plain");
        assert_eq!(facts(b"nobody knows", "x").mime_type, "application/octet-stream");
    }

    #[test]
    fn what_meta_would_refuse_is_refused_here_with_its_name() {
        let why = |facts: Facts, kind| facts.check(kind).unwrap_err().to_string();
        let large = |size| Facts::of(PNG_HEAD, "x.png", size);
        assert_eq!(large(5 << 20).check(FileKind::Image), Ok(()));
        assert_eq!(
            why(large((5 << 20) + 1), FileKind::Image),
            "the file has 5.1 MB: WhatsApp takes at most 5 MB for an image; send it as a document"
        );
        assert_eq!(large((5 << 20) + 1).usual_kind(), FileKind::Document);
        assert!(why(large(101 << 20), FileKind::Document).ends_with("takes at most 100 MB for a document"));
        assert_eq!(
            why(facts(b"%PDF-1.7", "x"), FileKind::Image),
            "the file is application/pdf: WhatsApp takes JPEG or PNG for an image; send it as a document"
        );
        assert_eq!(
            why(facts(&opus(2), "x"), FileKind::Voice),
            "the file is in stereo: WhatsApp plays Opus in mono only"
        );
        assert_eq!(why(Facts::of(b"", "x.txt", 0), FileKind::Document), "the file is empty");
    }

    #[test]
    fn a_sticker_has_its_own_measure() {
        let check = |side, moves, size| Facts::of(&sticker(side, moves), "x.webp", size).check(FileKind::Sticker);
        assert_eq!(check(512, false, 100 << 10), Ok(()));
        assert!(matches!(check(512, false, 101 << 10), Err(Unfit::Size { .. })));
        assert_eq!(check(512, true, 500 << 10), Ok(()));
        assert_eq!(check(256, false, 1_000), Err(Unfit::Side { width: 256, height: 256 }));
    }

    #[test]
    fn words_stand_only_where_whatsapp_shows_them() {
        assert_eq!(check_caption(FileKind::Image, &"é".repeat(1024)), Ok(()));
        assert_eq!(check_caption(FileKind::Image, &"é".repeat(1025)), Err(Unfit::Caption { length: 1025 }));
        assert_eq!(check_caption(FileKind::Voice, ""), Ok(()));
        assert_eq!(check_caption(FileKind::Voice, "hi"), Err(Unfit::NoCaption("a voice message")));
    }
}

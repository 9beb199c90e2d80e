//! Documents of every kind as headings and text. All of it is foreign: each parser has limits, and what cannot
//! be read is an error with its reason, never a panic that gets out.

mod csv;
mod docx;
mod html;
mod markdown;
mod pdf;
mod text;

use std::{path::PathBuf, sync::Arc};

pub use pdf::read_pdf;

use unicode_normalization::UnicodeNormalization;

/// Of a file, in bytes. What is larger is a book, or an attack.
pub const LARGEST: usize = 32 * 1024 * 1024;
/// Of the text of a document, in bytes: some 2,000 chunks.
pub const MOST_TEXT: usize = 4 * 1024 * 1024;

/// A part of a document, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// Level 1 is outermost.
    Heading {
        level: u8,
        text: String,
    },
    Text(String),
}

/// What a document is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Markdown,
    Text,
    Html,
    Pdf,
    Docx,
    /// A question and its answer a row.
    Csv,
}

/// Why a document cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("it has {0} bytes, more than the {LARGEST} that are read")]
    TooLarge(usize),
    #[error("its text is longer than {MOST_TEXT} bytes")]
    TooMuchText,
    #[error("there is no text in it")]
    Empty,
    #[error("it is no {kind}: {why}", kind = .0.title(), why = .1)]
    Broken(Kind, String),
    #[error("it took longer than {0} seconds to read")]
    TooSlow(u64),
    #[error("PDFs are read by the program baton-server, which is not here")]
    NoProgram,
}

impl Kind {
    pub const ALL: [Self; 6] = [Self::Markdown, Self::Text, Self::Html, Self::Pdf, Self::Docx, Self::Csv];

    /// The word used in SQL.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Markdown => "markdown",
            Self::Text => "text",
            Self::Html => "html",
            Self::Pdf => "pdf",
            Self::Docx => "docx",
            Self::Csv => "csv",
        }
    }

    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Markdown => "Markdown",
            Self::Text => "text",
            Self::Html => "HTML",
            Self::Pdf => "PDF",
            Self::Docx => "Word document (DOCX)",
            Self::Csv => "CSV of questions and answers",
        }
    }

    /// By the ending of its name.
    pub fn of_name(name: &str) -> Option<Self> {
        let ending = name.rsplit_once('.')?.1.to_ascii_lowercase();
        Some(match ending.as_str() {
            "md" | "markdown" => Self::Markdown,
            "txt" | "text" => Self::Text,
            "html" | "htm" | "xhtml" => Self::Html,
            "pdf" => Self::Pdf,
            "docx" => Self::Docx,
            "csv" => Self::Csv,
            _ => return None,
        })
    }

    /// By a server's `Content-Type`.
    pub fn of_mime(mime: &str) -> Option<Self> {
        let mime = mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        Some(match mime.as_str() {
            "text/markdown" | "text/x-markdown" => Self::Markdown,
            "text/plain" => Self::Text,
            "text/html" | "application/xhtml+xml" => Self::Html,
            "application/pdf" => Self::Pdf,
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => Self::Docx,
            "text/csv" => Self::Csv,
            _ => return None,
        })
    }
}

/// Reads documents. PDFs, whose parser may panic, or take all memory or a minute, are read by a process of
/// their own.
#[derive(Clone, Debug)]
pub struct Reader {
    /// `baton-server`.
    program: Option<PathBuf>,
}

impl Reader {
    /// Without the path of `baton-server` no PDF is read.
    pub const fn new(program: Option<PathBuf>) -> Self {
        Self { program }
    }

    /// The blocks of a document. `charset` is what a server said of its letters.
    ///
    /// # Errors
    /// See [`Unreadable`].
    pub async fn read(&self, kind: Kind, bytes: Arc<[u8]>, charset: Option<String>) -> Result<Vec<Block>, Unreadable> {
        if bytes.len() > LARGEST {
            return Err(Unreadable::TooLarge(bytes.len()));
        }
        if kind == Kind::Pdf {
            let program = self.program.as_deref().ok_or(Unreadable::NoProgram)?;
            let pages = pdf::pages(program, &bytes).await?;
            return checked(pdf::blocks(&pages));
        }
        let reading = tokio::task::spawn_blocking(move || parse(kind, &bytes, charset.as_deref()));
        reading.await.map_err(|_| Unreadable::Broken(kind, "its parser gave up".into()))?
    }
}

/// The blocks of any document but a PDF.
///
/// # Errors
/// See [`Unreadable`].
pub fn parse(kind: Kind, bytes: &[u8], charset: Option<&str>) -> Result<Vec<Block>, Unreadable> {
    if bytes.len() > LARGEST {
        return Err(Unreadable::TooLarge(bytes.len()));
    }
    let text = |declared| text::decoded(kind, bytes, declared);
    checked(match kind {
        Kind::Markdown => markdown::blocks(&text(charset)?),
        Kind::Text => text::blocks(&text(charset)?),
        Kind::Html => html::blocks(&text(charset.or(html::charset(bytes)))?),
        Kind::Csv => csv::blocks(&text(charset)?)?,
        Kind::Docx => docx::blocks(bytes)?,
        Kind::Pdf => return Err(Unreadable::NoProgram),
    })
}

/// Composed letters without ligatures, and nothing that cannot be seen.
fn checked(blocks: Vec<Block>) -> Result<Vec<Block>, Unreadable> {
    let length = |block: &Block| match block {
        Block::Heading { text, .. } | Block::Text(text) => text.len(),
    };
    if blocks.iter().map(length).sum::<usize>() > MOST_TEXT {
        return Err(Unreadable::TooMuchText);
    }
    let clean = blocks.into_iter().map(|block| match block {
        Block::Heading { level, text } => Block::Heading { level, text: cleaned(&text) },
        Block::Text(text) => Block::Text(cleaned(&text)),
    });
    let clean: Vec<Block> = clean.collect();
    if clean.iter().map(length).sum::<usize>() > MOST_TEXT {
        return Err(Unreadable::TooMuchText);
    }
    let says = |block: &Block| match block {
        Block::Heading { text, .. } | Block::Text(text) => text.chars().any(char::is_alphanumeric),
    };
    if clean.iter().any(says) { Ok(clean) } else { Err(Unreadable::Empty) }
}

fn cleaned(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control() && c != '\n'
            || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    let text: String = text.chars().map(|c| if c == '\t' { ' ' } else { c }).filter(|c| !hidden(*c)).nfkc().collect();
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines().map(str::trim_end) {
        // No more than one empty line in a row.
        if !(line.is_empty() && lines.last().is_none_or(|last| last.is_empty())) {
            lines.push(line);
        }
    }
    lines.join("\n").trim_end().to_owned()
}

#[cfg(test)]
mod tests;

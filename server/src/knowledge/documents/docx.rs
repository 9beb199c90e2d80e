//! A Word document: the paragraphs of `word/document.xml` in a zip, with limits on what comes out of it.

use std::io::{Cursor, Read};

use quick_xml::{Reader, events::Event};
use zip::ZipArchive;

use super::{Block, Kind, MOST_TEXT, Unreadable};

/// Of the unpacked XML, in bytes: some ten times the text that is read.
const LARGEST: u64 = 48 * 1024 * 1024;

pub(super) fn blocks(bytes: &[u8]) -> Result<Vec<Block>, Unreadable> {
    let broken = |why: String| Unreadable::Broken(Kind::Docx, why);
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|why| broken(why.to_string()))?;
    let document = archive.by_name("word/document.xml").map_err(|why| broken(why.to_string()))?;
    let mut xml = Vec::new();
    // What the archive says of its sizes is not believed.
    document.take(LARGEST + 1).read_to_end(&mut xml).map_err(|why| broken(why.to_string()))?;
    if xml.len() as u64 > LARGEST {
        return Err(broken(format!("it unpacks to more than {LARGEST} bytes")));
    }
    paragraphs(&xml)
}

fn paragraphs(xml: &[u8]) -> Result<Vec<Block>, Unreadable> {
    let broken = |why: String| Unreadable::Broken(Kind::Docx, why);
    let mut reader = Reader::from_reader(xml);
    let mut page = Page::default();
    loop {
        match reader.read_event().map_err(|why| broken(why.to_string()))? {
            Event::Start(tag) => page.begin(tag.local_name().as_ref(), &attribute(&tag)),
            Event::Empty(tag) => {
                page.begin(tag.local_name().as_ref(), &attribute(&tag));
                page.end(tag.local_name().as_ref());
            }
            Event::End(tag) => page.end(tag.local_name().as_ref()),
            Event::Text(text) => page.say(&text.decode().map_err(|why| broken(why.to_string()))?),
            Event::GeneralRef(name) => page.say(&reference(&name)),
            Event::Eof => break,
            Event::CData(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => (),
        }
        if page.length > MOST_TEXT {
            return Err(Unreadable::TooMuchText);
        }
    }
    Ok(page.blocks)
}

/// The value of `w:val`, which is all that we ask of any element.
fn attribute(tag: &quick_xml::events::BytesStart<'_>) -> String {
    let found = tag.attributes().flatten().find(|attribute| attribute.key.local_name().as_ref() == b"val");
    found.map(|attribute| String::from_utf8_lossy(&attribute.value).into_owned()).unwrap_or_default()
}

/// XML's own five names, and letters by number.
fn reference(name: &quick_xml::events::BytesRef<'_>) -> String {
    if let Ok(Some(letter)) = name.resolve_char_ref() {
        return letter.to_string();
    }
    match name.decode().as_deref() {
        Ok("amp") => "&",
        Ok("lt") => "<",
        Ok("gt") => ">",
        Ok("quot") => "\"",
        Ok("apos") => "'",
        _ => "",
    }
    .to_owned()
}

/// A document as far as it was read.
#[derive(Default)]
struct Page {
    blocks: Vec<Block>,
    length: usize,
    paragraph: String,
    level: Option<u8>,
    in_text: bool,
    /// How many cells deep; their paragraphs are parts of a row.
    cells: usize,
    row: Vec<String>,
}

impl Page {
    fn begin(&mut self, name: &[u8], value: &str) {
        match name {
            b"t" => self.in_text = true,
            b"tab" => self.paragraph.push(' '),
            b"br" | b"cr" => self.paragraph.push('\n'),
            b"pStyle" => self.level = heading(value).or(self.level),
            b"outlineLvl" => self.level = value.parse().ok().filter(|level| *level < 9).map(|level: u8| level + 1),
            b"tc" => self.cells += 1,
            b"tr" if self.cells == 0 => self.row.clear(),
            _ => (),
        }
    }

    fn end(&mut self, name: &[u8]) {
        match name {
            b"t" => self.in_text = false,
            b"p" => self.paragraph(),
            b"tc" => self.cells = self.cells.saturating_sub(1),
            b"tr" if self.cells == 0 => {
                let row = std::mem::take(&mut self.row).join(" | ");
                self.push(None, &row);
            }
            _ => (),
        }
    }

    fn say(&mut self, text: &str) {
        if self.in_text {
            self.paragraph.push_str(text);
            self.length += text.len();
        }
    }

    fn paragraph(&mut self) {
        let (text, level) = (std::mem::take(&mut self.paragraph), self.level.take());
        if self.cells > 0 {
            self.row.extend(Some(text.trim().to_owned()).filter(|text| !text.is_empty()));
        } else {
            self.push(level, &text);
        }
    }

    fn push(&mut self, level: Option<u8>, text: &str) {
        let text = text.trim();
        if !text.is_empty() {
            self.blocks.push(match level {
                Some(level) => Block::Heading { level, text: text.into() },
                None => Block::Text(text.into()),
            });
        }
    }
}

/// `Heading1`; in other languages Word drops letters with accents: `berschrift1`, `Ttulo2`.
fn heading(style: &str) -> Option<u8> {
    let style = style.to_ascii_lowercase();
    let (name, digit) = style.split_at_checked(style.len().checked_sub(1)?)?;
    let names = ["heading", "berschrift", "überschrift", "ttulo", "título", "titre", "titolo", "kop"];
    match digit.parse::<u8>() {
        Ok(level @ 1..=9) if names.contains(&name.trim()) => Some(level),
        _ => (style == "title" || style == "titel").then_some(1),
    }
}

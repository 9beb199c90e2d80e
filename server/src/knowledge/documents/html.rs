//! HTML as a reader sees it: headings, paragraphs, lists, rows; neither scripts nor styles nor menus.

use html5gum::{Token, Tokenizer};

use super::Block;

/// What is no part of what a page says.
const UNSEEN: [&[u8]; 11] = [
    b"script",
    b"style",
    b"template",
    b"noscript",
    b"svg",
    b"math",
    b"nav",
    b"iframe",
    b"object",
    b"select",
    b"textarea",
];
/// Each begins and ends a paragraph.
const BLOCKS: [&[u8]; 26] = [
    b"address",
    b"article",
    b"aside",
    b"blockquote",
    b"body",
    b"dd",
    b"details",
    b"div",
    b"dl",
    b"dt",
    b"fieldset",
    b"figure",
    b"figcaption",
    b"footer",
    b"form",
    b"header",
    b"hr",
    b"main",
    b"ol",
    b"p",
    b"pre",
    b"section",
    b"summary",
    b"table",
    b"ul",
    b"center",
];

/// What `<meta charset>` says, within the first kilobyte.
pub(super) fn charset(bytes: &[u8]) -> Option<&str> {
    let head = &bytes[..bytes.len().min(1024)];
    let ascii = head.iter().position(|byte| !byte.is_ascii()).map_or(head, |end| &head[..end]);
    let head = str::from_utf8(ascii).ok()?;
    let (_, value) = head.split_once("charset=")?;
    let value = value.trim_start_matches(['"', '\'']);
    value.split(|c: char| !(c.is_ascii_alphanumeric() || "-_".contains(c))).next().filter(|name| !name.is_empty())
}

pub(super) fn blocks(text: &str) -> Vec<Block> {
    let mut page = Page::default();
    for Ok(token) in Tokenizer::new(text) {
        match token {
            Token::StartTag(tag) => page.begin(&tag.name, tag.self_closing),
            Token::EndTag(tag) => page.end(&tag.name),
            Token::String(text) => page.say(&String::from_utf8_lossy(&text)),
            Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => (),
        }
    }
    page.close();
    page.blocks
}

/// A page as far as it was read.
#[derive(Default)]
struct Page {
    blocks: Vec<Block>,
    text: String,
    heading: Option<u8>,
    /// The element that nothing is read of, and how many of its kind are open.
    unseen: Option<(Vec<u8>, usize)>,
    in_title: bool,
    title: String,
    /// Within `<pre>` spaces and lines stand as they are.
    as_it_stands: bool,
}

impl Page {
    fn begin(&mut self, name: &[u8], self_closing: bool) {
        if let Some((unseen, open)) = &mut self.unseen {
            *open += usize::from(name == unseen.as_slice() && !self_closing);
            return;
        }
        match name {
            _ if UNSEEN.contains(&name) && !self_closing => self.unseen = Some((name.to_vec(), 1)),
            b"title" => self.in_title = true,
            b"br" => self.text.push('\n'),
            b"li" => {
                self.line();
                self.text.push_str("- ");
            }
            b"tr" => self.line(),
            b"td" | b"th" if !self.text.is_empty() && !self.text.ends_with('\n') => self.text.push_str(" | "),
            _ => match level(name) {
                Some(level) => {
                    self.paragraph();
                    self.heading = Some(level);
                }
                None if BLOCKS.contains(&name) => {
                    self.paragraph();
                    self.as_it_stands |= name == b"pre";
                }
                None => (),
            },
        }
    }

    fn end(&mut self, name: &[u8]) {
        if let Some((unseen, open)) = &mut self.unseen {
            *open -= usize::from(name == unseen.as_slice());
            if *open == 0 {
                self.unseen = None;
            }
            return;
        }
        match name {
            b"title" => self.in_title = false,
            b"head" => self.in_title = false,
            b"li" | b"tr" => self.line(),
            _ if BLOCKS.contains(&name) || level(name).is_some() => {
                self.paragraph();
                self.as_it_stands &= name != b"pre";
            }
            _ => (),
        }
    }

    fn say(&mut self, text: &str) {
        if self.unseen.is_some() {
            return;
        }
        if self.in_title {
            self.title.push_str(text);
            return;
        }
        if self.as_it_stands {
            self.text.push_str(text);
            return;
        }
        for (number, word) in text.split(|c: char| c.is_ascii_whitespace()).enumerate() {
            if number > 0 && !self.text.is_empty() && !self.text.ends_with([' ', '\n']) {
                self.text.push(' ');
            }
            self.text.push_str(word);
        }
    }

    fn line(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
    }

    fn paragraph(&mut self) {
        let text = std::mem::take(&mut self.text);
        let heading = self.heading.take();
        let text = text.trim();
        if text.is_empty() || text == "-" {
            return;
        }
        self.blocks.push(match heading {
            Some(level) => Block::Heading { level, text: text.into() },
            None => Block::Text(text.into()),
        });
    }

    /// The page's title stands above all, unless its first heading says the same.
    fn close(&mut self) {
        self.paragraph();
        let title = self.title.split_whitespace().collect::<Vec<_>>().join(" ");
        let first = self.blocks.iter().find_map(|block| match block {
            Block::Heading { text, .. } => Some(text.as_str()),
            Block::Text(_) => None,
        });
        if !title.is_empty() && first.is_none_or(|first| !title.contains(first)) {
            self.blocks.insert(0, Block::Heading { level: 0, text: title });
        }
    }
}

fn level(name: &[u8]) -> Option<u8> {
    match name {
        [b'h', digit @ b'1'..=b'6'] => Some(digit - b'0'),
        _ => None,
    }
}

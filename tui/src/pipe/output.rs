//! Lines on standard output.

use std::io::{self, Write};

use serde::Serialize;

/// How lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line, as in `docs/protocol.md`.
    Json,
}

/// Where lines go; whoever reads them may stop at any time.
pub struct Output<W: Write> {
    out: W,
    pub format: Format,
}

impl<W: Write> Output<W> {
    pub const fn new(out: W, format: Format) -> Self {
        Self { out, format }
    }

    pub fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{text}")?;
        self.out.flush()
    }

    /// JSON in ASCII: whatever is in it, a terminal that shows it is not steered by it.
    pub fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        let text = ascii(&serde_json::to_string(value)?);
        self.line(&text)
    }
}

/// Everything beyond ASCII, and DEL, as JSON's `\u` escapes.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for letter in json.chars() {
        if matches!(letter, ' '..='~') {
            text.push(letter);
        } else {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_steers_no_terminal_and_reads_the_same() {
        let hostile = "olá \u{1b}[2J \u{9b}31m \u{202e}😀\u{7f}";
        let mut bytes = Vec::new();
        Output::new(&mut bytes, Format::Json).json(&hostile).unwrap();
        let line = String::from_utf8(bytes).unwrap();
        assert!(line.trim_end().bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{line}");
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), hostile);
    }
}

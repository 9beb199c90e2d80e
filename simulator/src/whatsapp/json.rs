//! JSON as Meta writes it: ASCII only, so that a receiver which signs what it parsed instead of
//! what it got is found out.

use std::io;

use serde::Serialize;
use serde_json::ser::Formatter;

/// A webhook body: non-ASCII as `\uXXXX` in lower-case hex, `/` as `\/`.
pub(crate) fn webhook(value: &impl Serialize) -> Vec<u8> {
    write(value, Escapes { at_sign: false })
}

/// An answer of the Graph API, which escapes `@` too.
pub(crate) fn graph(value: &impl Serialize) -> Vec<u8> {
    write(value, Escapes { at_sign: true })
}

fn write(value: &impl Serialize, escapes: Escapes) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(512);
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, escapes);
    value.serialize(&mut serializer).expect("the simulator's own types become JSON in memory");
    bytes
}

struct Escapes {
    at_sign: bool,
}

impl Formatter for Escapes {
    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        for c in fragment.chars() {
            match c {
                '/' => writer.write_all(br"\/")?,
                '@' if self.at_sign => writer.write_all(br"\u0040")?,
                c if c.is_ascii() => writer.write_all(&[c as u8])?,
                c => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        write!(writer, "\\u{unit:04x}")?;
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn webhooks_are_ascii_with_lower_case_pairs() {
        assert_eq!(webhook(&"né 😀 a/b @\u{1b}"), br#""n\u00e9 \ud83d\ude00 a\/b @\u001b""#);
    }

    #[test]
    fn graph_escapes_the_at_sign_too() {
        assert_eq!(graph(&"a@b/c"), br#""a\u0040b\/c""#);
    }
}

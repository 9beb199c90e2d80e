//! Puts U+FFFD where an escape is half of a character, which no JSON reader accepts.

/// The body with every lone `\ud800`..`\udfff` replaced; `None` if there is none.
pub(super) fn lone_surrogates(body: &[u8]) -> Option<Vec<u8>> {
    let mut repaired = Vec::with_capacity(body.len());
    let mut found = false;
    let mut at = 0;
    while at < body.len() {
        let length = match unit(&body[at..]) {
            Some(0xd800..=0xdbff) if matches!(unit(&body[at + 6..]), Some(0xdc00..=0xdfff)) => 12,
            Some(0xd800..=0xdfff) => {
                found = true;
                repaired.extend(br"\ufffd");
                at += 6;
                continue;
            }
            // An escaped backslash is no beginning of an escape.
            _ if body[at] == b'\\' => 2.min(body.len() - at),
            _ => 1,
        };
        repaired.extend(&body[at..at + length]);
        at += length;
    }
    found.then_some(repaired)
}

/// The code unit of a `\uXXXX` that stands at the beginning.
fn unit(bytes: &[u8]) -> Option<u16> {
    let digits = bytes.strip_prefix(br"\u")?.get(..4)?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repaired(text: &str) -> Option<String> {
        lone_surrogates(text.as_bytes()).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn only_halves_are_replaced() {
        assert_eq!(repaired(r#""a\ud83d\ude00b\/\u00e9""#), None);
        assert_eq!(repaired(r#""\ud83d""#).as_deref(), Some(r#""\ufffd""#));
        assert_eq!(repaired(r#""\ude00\ud83d\ud83d\ude00""#).as_deref(), Some(r#""\ufffd\ufffd\ud83d\ude00""#));
        assert_eq!(repaired(r#""\\ud83d""#), None);
        assert_eq!(repaired(r#""\ud83d\"#).as_deref(), Some(r#""\ufffd\"#));
    }
}

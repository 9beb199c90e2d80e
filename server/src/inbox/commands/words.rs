//! What people type, made fit to be kept and sent.

use baton_shared::protocol::Refusal;

use super::No;

/// A family with skin tones is the longest emoji there is, in code points.
const EMOJI_LIMIT: usize = 16;

/// `text` without what nobody typed on purpose, if something is left and it is not too long.
pub(super) fn required(text: &str, limit: usize, what: &str) -> Result<String, No> {
    let text = optional(text, limit, what)?;
    if text.is_empty() {
        return Err(No::because(Refusal::Invalid, format!("{what} is missing.")));
    }
    Ok(text)
}

/// The same, where nothing is fine as well.
pub(super) fn optional(text: &str, limit: usize, what: &str) -> Result<String, No> {
    let text = clean(text);
    let length = text.chars().count();
    if length > limit {
        return Err(No::because(
            Refusal::Invalid,
            format!("{what} has {length} characters: at most {limit} are possible."),
        ));
    }
    Ok(text)
}

/// One emoji, or nothing; what is none Meta refuses with a number that tells nobody anything.
pub(super) fn emoji(text: &str) -> Result<String, No> {
    let text = clean(text);
    if text.chars().count() > EMOJI_LIMIT || text.chars().any(|char| char.is_ascii() && !char.is_ascii_digit()) {
        return Err(No::because(Refusal::Invalid, "A reaction is one emoji."));
    }
    Ok(text)
}

/// One kind of line ends, no control characters, nothing blank around it.
pub(super) fn clean(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let kept: String = text.chars().filter(|char| matches!(char, '\n' | '\t') || !char.is_control()).collect();
    kept.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_types_is_not_sent() {
        assert_eq!(clean(" a\r\nb\rc\0\u{1b}[31m\td \n"), "a\nb\nc[31m\td");
    }

    #[test]
    fn a_reaction_is_an_emoji_or_nothing() {
        for fine in ["", "👍", "❤️", "👨‍👩‍👧‍👦", "1️⃣"] {
            assert_eq!(emoji(fine).unwrap(), fine);
        }
        for wrong in ["ok", ":)", "👍👍👍👍👍👍👍👍👍👍👍👍👍👍👍👍👍"] {
            assert!(emoji(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_text_has_at_least_one_character_and_at_most_so_many() {
        assert_eq!(required("äöü", 3, "The text").unwrap(), "äöü");
        for wrong in ["", " \n ", "\0", "äöüx"] {
            assert!(
                matches!(required(wrong, 3, "The text"), Err(No::Refused { code: Refusal::Invalid, .. })),
                "{wrong:?}"
            );
        }
    }
}

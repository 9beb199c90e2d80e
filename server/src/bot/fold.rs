//! Text as the bot's rules compare it: small letters, no accents, words and marks apart.

use unicode_normalization::UnicodeNormalization;

/// More of one message than this is not read by the rules: nobody asks in so many letters, and
/// what is longer must not cost more.
const READ: usize = 2_000;

/// `text` in small letters without accents, every run of digits a `0`, words and other marks
/// separated by one space.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len().min(READ) + 8);
    let mut last = Kind::Space;
    for c in text.chars().take(READ).nfkd().flat_map(char::to_lowercase) {
        let kind = Kind::of(c);
        let joins = kind == last && matches!(kind, Kind::Letter | Kind::Digit);
        if kind == Kind::Accent || joins && kind == Kind::Digit {
            continue;
        }
        if kind != Kind::Space {
            if !joins && !folded.is_empty() {
                folded.push(' ');
            }
            match (kind, c) {
                (Kind::Digit, _) => folded.push('0'),
                (_, 'ß') => folded.push_str("ss"),
                _ => folded.push(c),
            }
        }
        last = kind;
    }
    folded
}

/// The words of a folded text, without its marks.
pub fn words(folded: &str) -> impl Iterator<Item = &str> {
    folded.split(' ').filter(|word| is_word(word))
}

/// Whether a piece of a folded text is a word or a number.
pub fn is_word(piece: &str) -> bool {
    piece.chars().next().is_some_and(char::is_alphanumeric)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Letter,
    Digit,
    Accent,
    Mark,
    Space,
}

impl Kind {
    fn of(c: char) -> Self {
        match c {
            _ if unicode_normalization::char::is_combining_mark(c) => Self::Accent,
            _ if c.is_numeric() => Self::Digit,
            _ if c.is_alphabetic() => Self::Letter,
            _ if c.is_whitespace() || c.is_control() => Self::Space,
            _ => Self::Mark,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn accents_case_and_numbers_do_not_matter() {
        assert_eq!(fold("¿Cuándo ABREN?"), "¿ cuando abren ?");
        assert_eq!(fold("  don't  "), "don ' t");
        assert_eq!(fold("Straße 12, Nr. 3456"), "strasse 0 , nr . 0");
        assert_eq!(words("don ' t 0 !").collect::<Vec<_>>(), ["don", "t", "0"]);
    }

    #[test]
    fn a_heap_of_accents_is_nothing() {
        assert_eq!(fold(&"\u{301}".repeat(32_000)), "");
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(text in "\\PC{0,40}") {
            let once = fold(&text);
            prop_assert!(!once.contains("  "));
            prop_assert_eq!(fold(&once).split_whitespace().count(), once.split_whitespace().count());
        }
    }
}

//! Cuts a text that is too long for one message where a reader would pause.

use unicode_normalization::char::is_combining_mark;

/// Cuts `text` into parts of at most `limit` characters, at the end of a paragraph, a line, a
/// sentence or a word if there is one in the second half of a part, else between characters that
/// are seen as two. White space at a cut is dropped; a text of nothing else has no parts.
pub fn split(text: &str, limit: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text.trim();
    while let Some(too_far) = nth(rest, limit.max(1)) {
        let cut = cut(rest, too_far);
        parts.push(rest[..cut].trim_end());
        rest = rest[cut..].trim_start();
    }
    if !rest.is_empty() {
        parts.push(rest);
    }
    parts
}

/// Where the character number `count` begins, if there are more than `count`.
fn nth(text: &str, count: usize) -> Option<usize> {
    text.char_indices().nth(count).map(|(at, _)| at)
}

/// The best place to cut, after the first byte and not after `end`.
fn cut(text: &str, end: usize) -> usize {
    let head = &text[..end];
    let half = head.char_indices().nth(head.chars().count() / 2).map_or(0, |(at, _)| at);
    let good = |at: &usize| *at > half;
    None.or_else(|| head.rfind("\n\n").filter(good))
        .or_else(|| head.rfind('\n').filter(good))
        .or_else(|| sentence_end(text, end).filter(good))
        .or_else(|| word_end(text, end).filter(good))
        .or_else(|| between_characters(text, end))
        // A single heap of marks longer than a message: any border will do.
        .unwrap_or(end)
}

/// After the last `.`, `!` or `?` with a space behind it, or the last full stop of a script without spaces.
fn sentence_end(text: &str, end: usize) -> Option<usize> {
    let mut behind = text[end..].chars().next();
    for (at, char) in text[..end].char_indices().rev() {
        let ends = match char {
            '.' | '!' | '?' | '…' | '؟' | '।' => behind.is_some_and(char::is_whitespace),
            '。' | '！' | '？' => true,
            _ => false,
        };
        if ends {
            return Some(at + char.len_utf8());
        }
        behind = Some(char);
    }
    None
}

/// The last place with white space behind it.
fn word_end(text: &str, end: usize) -> Option<usize> {
    if text[end..].starts_with(char::is_whitespace) {
        return Some(end);
    }
    text[..end].char_indices().rfind(|(_, char)| char.is_whitespace()).map(|(at, _)| at)
}

/// The last place, at or before `end`, between two characters that do not belong together.
fn between_characters(text: &str, end: usize) -> Option<usize> {
    let borders = text[..end].char_indices().map(|(at, _)| at).chain([end]);
    borders.rev().find(|at| *at > 0 && parts_at(text, *at))
}

fn parts_at(text: &str, at: usize) -> bool {
    let (Some(before), Some(behind)) = (text[..at].chars().next_back(), text[at..].chars().next()) else {
        return true;
    };
    !(is_combining_mark(behind) || joins(before) || joins(behind) || both_flags(text, at, before, behind))
}

/// Zero width joiner, variation selectors, skin tones and the tags of flags, which change their neighbour.
const fn joins(char: char) -> bool {
    matches!(char, '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0020}'..='\u{e007f}')
}

/// Whether the cut would part the two letters of one flag.
fn both_flags(text: &str, at: usize, before: char, behind: char) -> bool {
    let flag = |char: char| matches!(char, '\u{1f1e6}'..='\u{1f1ff}');
    flag(before) && flag(behind) && text[..at].chars().rev().take_while(|char| flag(*char)).count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn without_space(text: &str) -> String {
        text.chars().filter(|char| !char.is_whitespace()).collect()
    }

    #[test]
    fn a_text_that_fits_stays_whole() {
        assert_eq!(split("Hello.\n\nBye.", 4096), ["Hello.\n\nBye."]);
        assert_eq!(split(" \n ", 4096), Vec::<&str>::new());
    }

    #[test]
    fn it_is_cut_where_a_reader_pauses() {
        assert_eq!(split("One two.\n\nThree four five.", 16), ["One two.", "Three four five."]);
        assert_eq!(split("One two three\nfour five six", 20), ["One two three", "four five six"]);
        assert_eq!(split("It is 3.50 euros. Thank you all", 24), ["It is 3.50 euros.", "Thank you all"]);
        assert_eq!(split("one two three four", 13), ["one two three", "four"]);
        assert_eq!(split("one two three four", 12), ["one two", "three four"]);
        assert_eq!(split("これは一つ。これは二つ。", 8), ["これは一つ。", "これは二つ。"]);
    }

    #[test]
    fn what_is_seen_as_one_is_not_cut() {
        assert_eq!(split("aaae\u{301}", 4), ["aaa", "e\u{301}"]);
        assert_eq!(split("aa👩\u{200d}🚀", 4), ["aa", "👩\u{200d}🚀"]);
        assert_eq!(split("a🇩🇪🇫🇷", 4), ["a🇩🇪", "🇫🇷"]);
        assert_eq!(split("\u{301}\u{301}\u{301}", 2), ["\u{301}\u{301}", "\u{301}"]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_every_part_fits(
            text in r"([a-z]{1,9}|\.|\n|\n\n| |é|e\u{301}|\u{301}{1,30}|🇩🇪|👍🏽|。){0,80}", limit in 1_usize..60,
        ) {
            let parts = split(&text, limit);
            for part in &parts {
                prop_assert!(!part.is_empty() && part.chars().count() <= limit);
            }
            prop_assert_eq!(without_space(&parts.concat()), without_space(&text));
        }
    }
}

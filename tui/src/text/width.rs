//! How many cells text takes: always summed over clusters, never asked of a whole string.

use std::ops::Range;

use ratatui::buffer::CellWidth;
use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::scalar;

/// What a reader sees as one character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cluster<'a> {
    /// Byte at which it starts.
    pub start: usize,
    pub text: &'a str,
    /// Cells; 0 for `\n`.
    pub width: usize,
}

/// Cells of one cluster: what ratatui reserves for it, whatever the terminal believes.
pub fn cluster(text: &str) -> usize {
    match text.as_bytes() {
        [] => 0,
        [byte] => usize::from(!byte.is_ascii_control()),
        _ => usize::from(text.cell_width()),
    }
}

/// Cells of a line.
pub fn of(line: &str) -> usize {
    if is_printable_ascii(line) { line.len() } else { clusters(line).map(|cluster| cluster.width).sum() }
}

/// The clusters of `text` in order.
pub fn clusters(text: &str) -> impl Iterator<Item = Cluster<'_>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let text = next_cluster(text.get(start..)?)?;
        let cluster = Cluster { start, text, width: cluster(text) };
        start += text.len();
        Some(cluster)
    })
}

fn next_cluster(rest: &str) -> Option<&str> {
    match rest.as_bytes() {
        [] => None,
        // Two ASCII characters never belong together, unless they are CR LF.
        [first, second, ..] if first.is_ascii() && second.is_ascii() && *first != b'\r' => Some(&rest[..1]),
        _ => rest.graphemes(true).next(),
    }
}

/// The longest beginning of `line` that fits into `cells`.
pub fn prefix(line: &str, cells: usize) -> &str {
    let mut used = 0;
    let end = clusters(line).find(|cluster| {
        used += cluster.width;
        used > cells
    });
    end.map_or(line, |cluster| &line[..cluster.start])
}

/// `range` narrowed to whole clusters of `text`; empty if it holds none.
pub fn whole_clusters(text: &str, range: Range<usize>) -> Range<usize> {
    let start = ceil_boundary(text, range.start);
    start..floor_boundary(text, range.end).max(start)
}

/// The cluster boundary at or before byte `at`.
pub fn floor_boundary(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    let at = (0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    if is_boundary(text, at) { at } else { previous_boundary(text, at) }
}

/// The cluster boundary at or after byte `at`.
pub fn ceil_boundary(text: &str, at: usize) -> usize {
    let at = (at.min(text.len())..=text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(text.len());
    if is_boundary(text, at) { at } else { next_boundary(text, at) }
}

/// Start of the cluster before `at`, which must be a character boundary.
pub fn previous_boundary(text: &str, at: usize) -> usize {
    GraphemeCursor::new(at, text.len(), true).prev_boundary(text, 0).ok().flatten().unwrap_or(0)
}

/// End of the cluster after `at`, which must be a character boundary.
pub fn next_boundary(text: &str, at: usize) -> usize {
    GraphemeCursor::new(at, text.len(), true).next_boundary(text, 0).ok().flatten().unwrap_or(text.len())
}

fn is_boundary(text: &str, at: usize) -> bool {
    GraphemeCursor::new(at, text.len(), true).is_boundary(text, 0).unwrap_or(true)
}

/// Whether terminals disagree about the width of this cluster, so that nothing may be drawn
/// relative to where it ends: variation selectors, joiners, keycaps, skin tones, flags, letters that
/// take cells beyond their first, and U+FFFD, which some do not draw at all.
pub fn is_risky(cluster: &str) -> bool {
    // ratatui adds a cell for these voice marks, which unicode-width has counted already.
    if cluster.len() < 3 || cluster.ends_with(['\u{ff9e}', '\u{ff9f}']) {
        return cluster.len() >= 3;
    }
    let mut scalars = cluster.chars();
    let first = scalars.next().unwrap_or_default();
    if scalars.as_str().is_empty() {
        let is_part = scalar::is_flag_letter(first) || scalar::is_skin_tone(first);
        return is_part || first == '\u{fffd}' || first.width() > Some(2);
    }
    let names = |c| matches!(c, '\u{fe0f}' | '\u{200d}' | '\u{20e3}') || scalar::is_skin_tone(c) || scalar::is_tag(c);
    scalar::is_flag_letter(first)
        || scalar::is_skin_tone(first)
        || scalars.any(names)
        || first.width() != Some(self::cluster(cluster))
}

/// Whether `c` followed by U+FE0F is two cells wide, as a colourful emoji is.
pub(super) fn has_emoji_form(c: char) -> bool {
    let mut pair = [0; 8];
    let length = c.encode_utf8(&mut pair).len();
    pair[length..length + 3].copy_from_slice("\u{fe0f}".as_bytes());
    std::str::from_utf8(&pair[..length + 3]).is_ok_and(|pair| pair.width() == 2)
}

fn is_printable_ascii(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::strange, *};

    #[test]
    fn widths_are_summed_per_cluster() {
        assert_eq!(of("سلام"), 4, "as one string unicode-width says 3");
        assert_eq!(of("日本"), 4);
        assert_eq!(of("e\u{301}"), 1);
        assert_eq!(of("❤\u{fe0f}"), 2);
        assert_eq!(of("👨‍👩‍👧🇧🇷"), 4);
    }

    #[test]
    fn what_terminals_measured_differently_is_risky() {
        for cluster in
            ["❤\u{fe0f}", "1\u{fe0f}\u{20e3}", "👍🏽", "👨‍👩‍👧", "🇧🇷", "\u{1f1e7}", "क्षि", "\u{1f3fd}", "\u{fffd}", "ｶﾞ"]
        {
            assert!(is_risky(cluster), "{}", cluster.escape_unicode());
        }
        for cluster in ["a", "é", "日", "😀", "e\u{301}\u{316}", "م"] {
            assert!(!is_risky(cluster), "{}", cluster.escape_unicode());
        }
    }

    #[test]
    fn prefixes_end_between_clusters() {
        assert_eq!(prefix("日本", 3), "日");
        assert_eq!(prefix("a👨‍👩‍👧b", 2), "a");
        assert_eq!(prefix("abc", 9), "abc");
    }

    proptest! {
        #[test]
        fn clusters_are_those_of_the_standard(text in strange::text(0..40)) {
            let ours: Vec<&str> = clusters(&text).map(|cluster| cluster.text).collect();
            let theirs: Vec<&str> = text.graphemes(true).collect();
            prop_assert_eq!(ours, theirs);
        }

        #[test]
        fn boundaries_lie_between_clusters(text in strange::text(0..20), at in 0_usize..120) {
            let bounds: Vec<usize> = clusters(&text).map(|cluster| cluster.start).chain([text.len()]).collect();
            let (floor, ceil) = (floor_boundary(&text, at), ceil_boundary(&text, at));
            prop_assert!(bounds.contains(&floor) && bounds.contains(&ceil));
            prop_assert!(floor <= at && (ceil >= at || ceil == text.len()));
        }
    }
}

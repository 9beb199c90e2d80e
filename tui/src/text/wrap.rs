//! The line wrapper: at spaces, between CJK characters, and through words that are too long.
//!
//! ratatui's own wrapping panics on ordinary Unicode, so customers' text never gets there.

use super::{
    scalar,
    width::{self, Cluster},
};

/// One row of wrapped text: a byte range of it. What lies between one row's end and the next one's
/// start is only spaces that hang over the edge, or the `\n`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    pub start: usize,
    pub end: usize,
    /// Cells; more than was asked for only if a single cluster is.
    pub width: usize,
}

/// Wraps `text` into rows of at most `width` cells (of 1, if it is 0). Never empty.
pub fn rows(text: &str, width: usize) -> Vec<Row> {
    let mut rows = Vec::with_capacity(1 + text.len() / width.max(8));
    let mut start = 0;
    for line in text.split('\n') {
        let cells = width::of(line);
        if cells <= width {
            rows.push(Row { start, end: start + line.len(), width: cells });
        } else {
            Wrapping { width: width.max(1), offset: start, rows: &mut rows, row: RowSoFar::default() }.run(line);
        }
        start += line.len() + 1;
    }
    rows
}

/// Row and column of byte `at`. The column may lie beyond the edge if `at` is among hanging spaces.
pub fn caret(rows: &[Row], text: &str, at: usize) -> (usize, usize) {
    let row = rows.partition_point(|row| row.start <= at).saturating_sub(1);
    let before = rows.get(row).and_then(|row| text.get(row.start..at));
    (row, before.map_or(0, width::of))
}

/// The byte at which a caret in `row` at `column` stands; the row's last place if it is shorter.
pub fn offset_at(rows: &[Row], text: &str, row: usize, column: usize) -> usize {
    let Some(here) = rows.get(row) else { return text.len() };
    let at = here.start + width::prefix(&text[here.start..here.end], column).len();
    // Where a word was cut, the end of this row is the beginning of the next: stay on this one.
    let is_next_row = rows.get(row + 1).is_some_and(|next| next.start == at) && at > here.start;
    if is_next_row { width::previous_boundary(text, at) } else { at }
}

struct Wrapping<'r> {
    width: usize,
    /// Where the line stands in the text.
    offset: usize,
    rows: &'r mut Vec<Row>,
    row: RowSoFar,
}

#[derive(Default)]
struct RowSoFar {
    start: usize,
    column: usize,
    /// Whether something other than spaces stands in it.
    begun: bool,
    /// The last place where it may end.
    gap: Option<Gap>,
}

/// A place to break: the row ends at `end`, the next one starts at `next`.
#[derive(Clone, Copy)]
struct Gap {
    end: usize,
    end_column: usize,
    next: usize,
    next_column: usize,
}

impl Wrapping<'_> {
    fn run(mut self, line: &str) {
        let mut before: Option<Cluster<'_>> = None;
        for cluster in width::clusters(line) {
            if cluster.text == " " && self.row.begun {
                self.hang(cluster);
            } else {
                if before.is_some_and(|before| may_break_between(before.text, cluster.text)) {
                    self.allow_break(cluster.start);
                }
                self.place(cluster);
            }
            before = Some(cluster);
        }
        self.finish(line.len());
    }

    /// Spaces after a word never wrap: they hang over the edge.
    fn hang(&mut self, space: Cluster<'_>) {
        let row = &mut self.row;
        let run = row.gap.filter(|gap| gap.next == space.start && gap.end < gap.next);
        let (end, end_column) = run.map_or((space.start, row.column), |gap| (gap.end, gap.end_column));
        row.column += 1;
        row.gap = Some(Gap { end, end_column, next: space.start + 1, next_column: row.column });
    }

    fn allow_break(&mut self, at: usize) {
        let row = &mut self.row;
        if row.begun && row.gap.is_none_or(|gap| gap.next < at) {
            row.gap = Some(Gap { end: at, end_column: row.column, next: at, next_column: row.column });
        }
    }

    fn place(&mut self, cluster: Cluster<'_>) {
        while self.row.column + cluster.width > self.width && cluster.start > self.row.start {
            let here = Gap {
                end: cluster.start,
                end_column: self.row.column,
                next: cluster.start,
                next_column: self.row.column,
            };
            self.break_at(self.row.gap.unwrap_or(here));
        }
        self.row.column += cluster.width;
        self.row.begun |= cluster.text != " ";
    }

    fn break_at(&mut self, gap: Gap) {
        self.push(self.row.start, gap.end, gap.end_column);
        let column = self.row.column - gap.next_column;
        self.row = RowSoFar { start: gap.next, column, begun: column > 0, gap: None };
    }

    fn finish(mut self, end: usize) {
        let hanging = self.row.gap.filter(|gap| gap.next == end && self.row.column > self.width);
        let (end, column) = hanging.map_or((end, self.row.column), |gap| (gap.end, gap.end_column));
        self.push(self.row.start, end, column);
    }

    fn push(&mut self, start: usize, end: usize, width: usize) {
        self.rows.push(Row { start: self.offset + start, end: self.offset + end, width });
    }
}

/// Whether a row may end between two clusters without a space: beside an ideograph or kana, unless
/// punctuation would start a row or an opening bracket end one.
fn may_break_between(before: &str, after: &str) -> bool {
    let (Some(before), Some(after)) = (before.chars().next(), after.chars().next()) else { return false };
    (is_ideographic(before) || is_ideographic(after))
        && !"、。，．・：；？！」』）】〉》〕］｝ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ,.!?:;)]}".contains(after)
        && !"「『（【〈《〔［｛([{".contains(before)
}

fn is_ideographic(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff01}'..='\u{ffef}' | '\u{20000}'..='\u{3ffff}')
        && !scalar::is_emoji(c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::{Clean, strange},
        *,
    };

    fn wrapped(text: &str, width: usize) -> Vec<&str> {
        rows(text, width).into_iter().map(|row| &text[row.start..row.end]).collect()
    }

    #[test]
    fn words_wrap_at_spaces() {
        assert_eq!(wrapped("the quick brown fox", 9), ["the quick", "brown fox"]);
        assert_eq!(wrapped("the quick   brown", 9), ["the quick", "brown"]);
        assert_eq!(wrapped("", 9), [""]);
        assert_eq!(wrapped("a\n\nb\n", 9), ["a", "", "b", ""]);
    }

    #[test]
    fn indents_stay() {
        assert_eq!(wrapped("  two spaces", 8), ["  two", "spaces"]);
        assert_eq!(wrapped("      ab", 4), ["    ", "  ab"]);
    }

    #[test]
    fn long_words_are_cut_between_clusters() {
        assert_eq!(wrapped("see https://example.org/x", 8), ["see", "https://", "example.", "org/x"]);
        assert_eq!(wrapped("👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧", 5), ["👨‍👩‍👧👨‍👩‍👧", "👨‍👩‍👧"]);
        assert_eq!(wrapped("👨‍👩‍👧ab", 1), ["👨‍👩‍👧", "a", "b"]);
    }

    #[test]
    fn cjk_wraps_anywhere_but_before_punctuation() {
        assert_eq!(wrapped("日本語日本語", 5), ["日本", "語日", "本語"]);
        assert_eq!(wrapped("日本語。日本", 6), ["日本", "語。日", "本"]);
        assert_eq!(wrapped("abc日本", 5), ["abc日", "本"]);
    }

    #[test]
    fn what_breaks_the_usual_wrapper_is_wrapped() {
        let text = Clean::from_untrusted(&format!("a\u{200b}{}", "日".repeat(200)));
        for width in [40, 58, 60, 72, 100] {
            assert!(rows(text.as_str(), width).iter().all(|row| row.width <= width));
        }
    }

    #[test]
    fn carets_go_there_and_back() {
        let text = "the quick brown";
        let rows = rows(text, 9);
        assert_eq!(caret(&rows, text, 0), (0, 0));
        assert_eq!(caret(&rows, text, 9), (0, 9));
        assert_eq!(caret(&rows, text, 10), (1, 0));
        assert_eq!(caret(&rows, text, 15), (1, 5));
        assert_eq!(offset_at(&rows, text, 1, 2), 12);
        assert_eq!(offset_at(&rows, text, 0, 99), 9);
        assert_eq!(offset_at(&super::rows("abcdef", 3), "abcdef", 0, 99), 2);
    }

    proptest! {
        #[test]
        fn rows_fit_and_lose_nothing(raw in strange::text(0..60), width in 1_usize..200) {
            let text = Clean::from_untrusted(&raw);
            let text = text.as_str();
            let rows = rows(text, width);
            let mut at = 0;
            for row in &rows {
                prop_assert!(row.start >= at && row.end >= row.start);
                prop_assert!(text[at..row.start].chars().all(|c| c == ' ' || c == '\n'));
                prop_assert!(!text[row.start..row.end].contains('\n'));
                let clusters: Vec<_> = width::clusters(&text[row.start..row.end]).collect();
                prop_assert_eq!(row.width, clusters.iter().map(|cluster| cluster.width).sum::<usize>());
                prop_assert!(row.width <= width || clusters.len() == 1);
                at = row.end;
            }
            prop_assert!(text[at..].chars().all(|c| c == ' '));
        }

        #[test]
        fn a_caret_comes_back_to_where_it_was(raw in strange::text(0..30), width in 1_usize..40) {
            let text = Clean::from_untrusted(&raw);
            let text = text.as_str();
            let rows = rows(text, width);
            for (index, row) in rows.iter().enumerate() {
                for cluster in width::clusters(&text[row.start..row.end]) {
                    let at = row.start + cluster.start;
                    let (line, column) = caret(&rows, text, at);
                    prop_assert_eq!(line, index);
                    prop_assert_eq!(offset_at(&rows, text, line, column), at);
                }
            }
        }
    }
}

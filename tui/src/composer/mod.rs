//! The editor in which agents write: plain text, a cursor between clusters, undo; no screen, no clock.

mod burst;
mod history;
mod motion;

use std::ops::Range;

pub use burst::Burst;
use history::{Edit, History, Kind};

use crate::text::{
    Clean, Row,
    filter::{Policy, filter},
    width, wrap,
};

/// Characters in one WhatsApp text message.
pub const LIMIT: usize = 4_096;
/// More is not taken, so that a wrong paste cannot slow the client down.
const BYTES_MAX: usize = 256 * 1024;

/// What is being written. The text holds what [`Clean`] may hold, so it can be drawn and sent as it is.
#[derive(Clone, Debug, Default)]
pub struct Editor {
    text: String,
    /// Byte; always between two clusters.
    cursor: usize,
    /// The other end of the selection.
    anchor: Option<usize>,
    /// The column that moves up and down try to keep.
    goal: Option<usize>,
    killed: String,
    history: History,
}

/// The text wrapped for a width, and where the caret stands in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    pub rows: Vec<Row>,
    /// Row and column; the column is always inside the width.
    pub caret: (usize, usize),
}

impl Editor {
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn clean(&self) -> Clean {
        Clean::already(&self.text)
    }

    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The byte at which the cursor stands.
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// Characters, as WhatsApp counts them.
    pub fn count(&self) -> usize {
        self.text.chars().count()
    }

    /// How many characters are too many for one message.
    pub fn over(&self) -> usize {
        self.count().saturating_sub(LIMIT)
    }

    /// The selected bytes, if any.
    pub fn selection(&self) -> Option<Range<usize>> {
        let anchor = self.anchor?;
        (anchor != self.cursor).then(|| anchor.min(self.cursor)..anchor.max(self.cursor))
    }

    pub fn selected(&self) -> Option<Clean> {
        self.selection().map(|range| Clean::already(&self.text[range]))
    }

    pub fn select_all(&mut self) {
        self.anchor = Some(0);
        self.cursor = self.text.len();
    }

    /// Types `raw` in place of the selection: one key, or what an input method gives at once.
    pub fn insert(&mut self, raw: &str) {
        self.write(raw, Kind::Type);
    }

    pub fn newline(&mut self) {
        self.write("\n", Kind::Other);
    }

    /// Puts pasted text in place of the selection; how many lines it had.
    pub fn paste(&mut self, raw: &str) -> usize {
        let before = self.text.len();
        self.write(raw, Kind::Other);
        if self.text.len() == before { 0 } else { filtered(raw).lines().count() }
    }

    /// Deletes the selection or the cluster before the cursor.
    pub fn backspace(&mut self) {
        let before = self.selection().unwrap_or_else(|| width::previous_boundary(&self.text, self.cursor)..self.cursor);
        self.remove(before, Kind::Delete);
    }

    /// Deletes the selection or the cluster after the cursor.
    pub fn delete(&mut self) {
        let after = self.selection().unwrap_or_else(|| self.cursor..width::next_boundary(&self.text, self.cursor));
        self.remove(after, Kind::Delete);
    }

    /// Cuts to the end of the line, or its end itself.
    pub fn kill_to_line_end(&mut self) {
        let end = self.line_end_at(self.cursor);
        let end = if end == self.cursor { width::next_boundary(&self.text, end) } else { end };
        self.kill(self.cursor..end);
    }

    pub fn kill_to_line_start(&mut self) {
        self.kill(self.line_start_at(self.cursor)..self.cursor);
    }

    pub fn kill_word_left(&mut self) {
        self.kill(self.word_left_of(self.cursor)..self.cursor);
    }

    /// Cuts the selection, for the clipboard.
    pub fn cut(&mut self) -> Option<Clean> {
        let range = self.selection()?;
        self.kill(range);
        Some(Clean::already(&self.killed))
    }

    /// Puts back what was cut last.
    pub fn yank(&mut self) {
        let killed = self.killed.clone();
        self.write(&killed, Kind::Other);
    }

    /// Takes the last change back; whether there was one.
    pub fn undo(&mut self) -> bool {
        let Some(edit) = self.history.undo() else { return false };
        self.text.replace_range(edit.at..edit.at + edit.inserted.len(), &edit.removed);
        let cursor = edit.cursor_before;
        self.stand(cursor);
        true
    }

    /// Makes the change again that was taken back last; whether there was one.
    pub fn redo(&mut self) -> bool {
        let Some(edit) = self.history.redo() else { return false };
        self.text.replace_range(edit.at..edit.at + edit.removed.len(), &edit.inserted);
        let cursor = edit.cursor_after;
        self.stand(cursor);
        true
    }

    /// Gives the text away and begins anew, also with nothing to undo.
    pub fn take(&mut self) -> String {
        let text = std::mem::take(&mut self.text);
        *self = Self { killed: std::mem::take(&mut self.killed), ..Self::default() };
        text
    }

    /// Begins anew with a draft that was kept; `cursor` is moved to the next place where it may stand.
    pub fn set(&mut self, raw: &str, cursor: usize) {
        self.take();
        self.text = filtered(raw);
        self.stand(cursor);
    }

    /// Replaces everything, as when a proposal is merged in; can be undone.
    pub fn replace(&mut self, raw: &str) {
        self.select_all();
        self.write(raw, Kind::Other);
    }

    /// Wraps the text for `width` cells, of which the last is left for the caret.
    pub fn view(&self, width: usize) -> View {
        let rows = self.rows(width);
        let (row, column) = wrap::caret(&rows, &self.text, self.cursor);
        View { rows, caret: (row, column.min(width.saturating_sub(1))) }
    }

    /// The text of a row of [`Editor::view`].
    pub fn row_text(&self, row: &Row) -> Clean {
        Clean::already(self.text.get(row.start..row.end).unwrap_or_default())
    }

    fn rows(&self, width: usize) -> Vec<Row> {
        wrap::rows(&self.text, width.saturating_sub(1).max(1))
    }

    fn write(&mut self, raw: &str, kind: Kind) {
        let range = self.selection().unwrap_or(self.cursor..self.cursor);
        let room = BYTES_MAX.saturating_sub(self.text.len() - range.len());
        let raw = &raw[..width::floor_boundary(raw, room)];
        let (before, after) = (&self.text[..range.start], &self.text[range.end..]);
        if can_stand_between(before, raw) {
            self.change(range.start, range.len(), raw.to_owned(), range.start + raw.len(), kind);
            return;
        }
        // A mark or joiner belongs to the letter before it, which only the whole text shows.
        let start = filtered(&format!("{before}{raw}")).len();
        let whole = filtered(&format!("{before}{raw}{after}"));
        let cursor = width::ceil_boundary(&whole, start);
        let (at, removed, inserted) = difference(&self.text, &whole);
        self.change(at, removed, inserted, cursor, kind);
    }

    fn remove(&mut self, range: Range<usize>, kind: Kind) {
        let whole = filtered(&format!("{}{}", &self.text[..range.start], &self.text[range.end..]));
        let cursor = range.start.min(whole.len());
        let (at, removed, inserted) = difference(&self.text, &whole);
        self.change(at, removed, inserted, cursor, kind);
    }

    fn kill(&mut self, range: Range<usize>) {
        if !range.is_empty() {
            self.killed = self.text[range.clone()].to_owned();
            self.remove(range, Kind::Other);
        }
    }

    fn change(&mut self, at: usize, removed: usize, inserted: String, cursor: usize, kind: Kind) {
        let cursor_before = self.cursor;
        let old = self.text[at..at + removed].to_owned();
        self.text.replace_range(at..at + removed, &inserted);
        self.stand(cursor);
        if old != inserted {
            self.history.push(Edit { at, removed: old, inserted, cursor_before, cursor_after: self.cursor, kind });
        }
    }

    /// Puts the cursor at `at` or the next place where it may stand, with nothing selected.
    fn stand(&mut self, at: usize) {
        self.cursor = width::ceil_boundary(&self.text, at);
        self.anchor = None;
        self.goal = None;
    }
}

/// Whether plain `raw` changes nothing about what stands before it.
fn can_stand_between(before: &str, raw: &str) -> bool {
    raw.bytes().all(|byte| byte == b'\n' || matches!(byte, b' '..=b'~')) && !before.ends_with(['\u{200c}', '\u{200d}'])
}

fn filtered(raw: &str) -> String {
    filter(raw, Policy { bytes_max: usize::MAX, line_cells_max: usize::MAX, one_line: false, open_end: true }).text
}

/// Where two texts differ: the byte, how many bytes of `old` go, and what comes instead.
fn difference(old: &str, new: &str) -> (usize, usize, String) {
    let same = old.char_indices().zip(new.chars()).find(|((_, a), b)| a != b);
    let at = same.map_or(old.len().min(new.len()), |((at, _), _)| at);
    let tail = |(a, b): &(char, char)| a == b;
    let back: usize =
        old[at..].chars().rev().zip(new[at..].chars().rev()).take_while(tail).map(|(c, _)| c.len_utf8()).sum();
    (at, old.len() - back - at, new[at..new.len() - back].to_owned())
}

#[cfg(test)]
mod tests;

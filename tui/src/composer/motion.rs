//! Moves of the cursor; each selects what it passes if it is told to `extend`.

use super::Editor;
use crate::text::{width, wrap};

impl Editor {
    pub fn left(&mut self, extend: bool) {
        let target = match self.selection() {
            Some(range) if !extend => range.start,
            _ => width::previous_boundary(&self.text, self.cursor),
        };
        self.go(target, extend);
    }

    pub fn right(&mut self, extend: bool) {
        let target = match self.selection() {
            Some(range) if !extend => range.end,
            _ => width::next_boundary(&self.text, self.cursor),
        };
        self.go(target, extend);
    }

    pub fn word_left(&mut self, extend: bool) {
        self.go(self.word_left_of(self.cursor), extend);
    }

    pub fn word_right(&mut self, extend: bool) {
        self.go(self.word_right_of(self.cursor), extend);
    }

    pub fn line_start(&mut self, extend: bool) {
        self.go(self.line_start_at(self.cursor), extend);
    }

    pub fn line_end(&mut self, extend: bool) {
        self.go(self.line_end_at(self.cursor), extend);
    }

    pub fn start(&mut self, extend: bool) {
        self.go(0, extend);
    }

    pub fn end(&mut self, extend: bool) {
        self.go(self.text.len(), extend);
    }

    /// Up a row of the text wrapped for `width`; false if the cursor is in the first row.
    pub fn up(&mut self, width: usize, extend: bool) -> bool {
        self.vertical(width, extend, |row| row.checked_sub(1))
    }

    /// Down a row of the text wrapped for `width`; false if the cursor is in the last row.
    pub fn down(&mut self, width: usize, extend: bool) -> bool {
        self.vertical(width, extend, |row| row.checked_add(1))
    }

    pub(super) fn word_left_of(&self, at: usize) -> usize {
        let mut target = at;
        let mut word = Class::Space;
        while target > 0 {
            let before = width::previous_boundary(&self.text, target);
            let class = class(&self.text[before..target]);
            if word != Class::Space && class != word {
                break;
            }
            word = class;
            target = before;
        }
        target
    }

    fn word_right_of(&self, at: usize) -> usize {
        let mut clusters = width::clusters(&self.text[at..]).map(|cluster| (cluster.start, class(cluster.text)));
        let word = clusters.find(|(_, class)| *class != Class::Space);
        let next = word.and_then(|(_, word)| clusters.find(|(_, class)| *class != word));
        next.map_or(self.text.len(), |(start, _)| at + start)
    }

    pub(super) fn line_start_at(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |line_end| line_end + 1)
    }

    pub(super) fn line_end_at(&self, at: usize) -> usize {
        self.text[at..].find('\n').map_or(self.text.len(), |length| at + length)
    }

    fn vertical(&mut self, width: usize, extend: bool, step: impl Fn(usize) -> Option<usize>) -> bool {
        let rows = self.rows(width);
        let (row, column) = wrap::caret(&rows, &self.text, self.cursor);
        let Some(row) = step(row).filter(|row| *row < rows.len()) else { return false };
        let goal = self.goal.unwrap_or(column);
        self.go(wrap::offset_at(&rows, &self.text, row, goal), extend);
        self.goal = Some(goal);
        true
    }

    fn go(&mut self, target: usize, extend: bool) {
        let anchor = self.anchor.unwrap_or(self.cursor);
        self.stand(target);
        self.anchor = extend.then_some(anchor);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Space,
    Word,
    Sign,
}

fn class(cluster: &str) -> Class {
    match cluster.chars().next() {
        Some(c) if c.is_whitespace() => Class::Space,
        Some(c) if c.is_alphanumeric() || c == '_' => Class::Word,
        _ => Class::Sign,
    }
}

//! Changes that can be taken back, a word at a time.

use std::collections::VecDeque;

const EDITS_MAX: usize = 1_000;

/// One change: at byte `at`, `removed` became `inserted`.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    pub at: usize,
    pub removed: String,
    pub inserted: String,
    pub cursor_before: usize,
    pub cursor_after: usize,
    pub kind: Kind,
}

/// Which changes belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Type,
    Delete,
    /// Stands alone.
    Other,
}

#[derive(Clone, Debug, Default)]
pub(super) struct History {
    done: VecDeque<Edit>,
    undone: Vec<Edit>,
}

impl History {
    pub(super) fn push(&mut self, edit: Edit) {
        self.undone.clear();
        if let Some(last) = self.done.back_mut()
            && continues(last, &edit)
        {
            merge(last, edit);
            return;
        }
        if self.done.len() == EDITS_MAX {
            self.done.pop_front();
        }
        self.done.push_back(edit);
    }

    pub(super) fn undo(&mut self) -> Option<&Edit> {
        self.undone.push(self.done.pop_back()?);
        self.undone.last()
    }

    pub(super) fn redo(&mut self) -> Option<&Edit> {
        self.done.push_back(self.undone.pop()?);
        self.done.back()
    }
}

fn continues(last: &Edit, next: &Edit) -> bool {
    if last.kind != next.kind || last.cursor_after != next.cursor_before {
        return false;
    }
    match next.kind {
        Kind::Type => {
            let begins_word =
                last.inserted.ends_with(char::is_whitespace) && !next.inserted.starts_with(char::is_whitespace);
            next.removed.is_empty() && next.at == last.at + last.inserted.len() && !begins_word
        }
        Kind::Delete => {
            let plain = last.inserted.is_empty() && next.inserted.is_empty();
            plain && (next.at + next.removed.len() == last.at || next.at == last.at)
        }
        Kind::Other => false,
    }
}

fn merge(last: &mut Edit, next: Edit) {
    last.cursor_after = next.cursor_after;
    if next.kind == Kind::Type {
        last.inserted.push_str(&next.inserted);
    } else if next.at == last.at {
        last.removed.push_str(&next.removed);
    } else {
        last.removed.insert_str(0, &next.removed);
        last.at = next.at;
    }
}

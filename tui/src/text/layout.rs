//! A message as it stands on the screen: its marks read, its lines wrapped; and a cache of those.

use std::{collections::HashMap, hash::Hash, ops::Range};

use ratatui::{
    style::{Modifier, Style},
    text::{Line, Span},
};

use super::{
    Clean, Emoji,
    contain::contain,
    marks::{self, Marks},
    wrap::{self, Row},
};

const BROKEN: Clean = Clean::from_static("[cannot display, press v]");

/// A text laid out for one width.
#[derive(Clone, Debug)]
pub struct Laid {
    text: Clean,
    spans: Vec<(Range<usize>, Marks)>,
    rows: Vec<Row>,
}

impl Laid {
    /// A message of WhatsApp's: its marks are read and taken out.
    pub fn message(raw: &Clean, width: usize, emoji: Emoji) -> Self {
        contain(|| {
            let marked = marks::parse(&raw.shown(emoji));
            let rows = wrap::rows(marked.text.as_str(), width);
            Self { text: marked.text, spans: marked.spans, rows }
        })
        .unwrap_or_else(|| Self::plain(&BROKEN, width, emoji))
    }

    /// A note or other text that nobody marks.
    pub fn plain(raw: &Clean, width: usize, emoji: Emoji) -> Self {
        let text = raw.shown(emoji).into_owned();
        let rows = wrap::rows(text.as_str(), width);
        Self { text, spans: Vec::new(), rows }
    }

    /// Rows; at least 1.
    pub fn height(&self) -> usize {
        self.rows.len()
    }

    /// Cells of the widest row.
    pub fn width(&self) -> usize {
        self.rows.iter().map(|row| row.width).max().unwrap_or(0)
    }

    /// The text as it is shown.
    pub fn text(&self) -> &Clean {
        &self.text
    }

    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The stretches of one row, in order; nothing for a row that is not there.
    pub fn stretches(&self, row: usize) -> impl Iterator<Item = (&str, Marks)> {
        let (start, end) = self.rows.get(row).map_or((0, 0), |row| (row.start, row.end));
        let first = self.spans.partition_point(|(range, _)| range.end <= start);
        let mut spans = self.spans[first..].iter().peekable();
        let mut at = start;
        std::iter::from_fn(move || {
            if at >= end {
                return None;
            }
            let (stop, marks) = match spans.peek() {
                Some((range, marks)) if range.start <= at => (range.end, *marks),
                Some((range, _)) => (range.start, Marks::default()),
                None => (end, Marks::default()),
            };
            let stop = stop.min(end);
            spans.next_if(|(range, _)| range.end <= stop);
            let stretch = &self.text.as_str()[at..stop];
            at = stop;
            Some((stretch, marks))
        })
    }

    /// One row for drawing; marks add to `base`.
    pub fn line(&self, row: usize, base: Style) -> Line<'_> {
        self.stretches(row).map(|(text, marks)| Span::styled(text, marked(base, marks))).collect()
    }
}

/// `base` with what `marks` add. A terminal has one kind of letter, so mono is shown dim.
pub fn marked(base: Style, marks: Marks) -> Style {
    let pairs = [
        (marks.bold, Modifier::BOLD),
        (marks.italic, Modifier::ITALIC),
        (marks.strike, Modifier::CROSSED_OUT),
        (marks.mono, Modifier::DIM),
    ];
    pairs.into_iter().filter(|(set, _)| *set).fold(base, |style, (_, modifier)| style.add_modifier(modifier))
}

/// Layouts by message, each for one version, width and manner of showing emoji.
#[derive(Debug)]
pub struct LaidCache<K> {
    capacity: usize,
    clock: u64,
    entries: HashMap<K, Entry>,
}

#[derive(Debug)]
struct Entry {
    version: i64,
    width: usize,
    emoji: Emoji,
    used: u64,
    laid: Laid,
}

impl<K: Eq + Hash + Copy> LaidCache<K> {
    /// Keeps at least half of `capacity` layouts, at most `capacity`.
    pub fn new(capacity: usize) -> Self {
        Self { capacity: capacity.max(2), clock: 0, entries: HashMap::new() }
    }

    /// The layout of `key`, made by `make` unless it is here for just this version, width and manner.
    pub fn get(&mut self, key: K, version: i64, width: usize, emoji: Emoji, make: impl FnOnce() -> Laid) -> &Laid {
        self.clock += 1;
        let used = self.clock;
        if self.entries.len() >= self.capacity && !self.entries.contains_key(&key) {
            self.forget_older_half();
        }
        let fresh = |entry: &Entry| entry.version == version && entry.width == width && entry.emoji == emoji;
        if self.entries.get(&key).is_some_and(|entry| !fresh(entry)) {
            self.entries.remove(&key);
        }
        let entry = self.entries.entry(key).or_insert_with(|| Entry { version, width, emoji, used, laid: make() });
        entry.used = used;
        &entry.laid
    }

    pub fn clear(&mut self) {
        self.entries.clear();
    }

    fn forget_older_half(&mut self) {
        let mut ages: Vec<u64> = self.entries.values().map(|entry| entry.used).collect();
        let half = ages.len() / 2;
        let (_, &mut middle, _) = ages.select_nth_unstable(half);
        self.entries.retain(|_, entry| entry.used >= middle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretches(laid: &Laid, row: usize) -> Vec<(&str, bool)> {
        laid.stretches(row).map(|(text, marks)| (text, marks.bold)).collect()
    }

    #[test]
    fn marks_go_on_over_rows() {
        let laid = Laid::message(&Clean::from_untrusted("one *two three* four"), 9, Emoji::Safe);
        assert_eq!(laid.height(), 3);
        assert_eq!(stretches(&laid, 0), [("one ", false), ("two", true)]);
        assert_eq!(stretches(&laid, 1), [("three", true)]);
        assert_eq!(stretches(&laid, 2), [("four", false)]);
        assert_eq!(stretches(&laid, 3), []);
    }

    #[test]
    fn a_layout_is_made_once_for_each_version_and_width() {
        let mut cache = LaidCache::new(10);
        let mut made = 0;
        for (version, width) in [(1, 9), (1, 9), (2, 9), (2, 20), (2, 20)] {
            cache.get("id", version, width, Emoji::Safe, || {
                made += 1;
                Laid::plain(&Clean::from_static("text"), width, Emoji::Safe)
            });
        }
        assert_eq!(made, 3);
    }

    #[test]
    fn the_cache_forgets_what_was_not_seen_for_longest() {
        let mut cache = LaidCache::new(4);
        let plain = || Laid::plain(&Clean::from_static("text"), 9, Emoji::Safe);
        for key in [1, 2, 3, 4, 1, 5] {
            cache.get(key, 0, 9, Emoji::Safe, plain);
        }
        assert!(cache.entries.contains_key(&1) && cache.entries.contains_key(&5));
        assert!(!cache.entries.contains_key(&2) && cache.entries.len() <= 4);
    }
}

//! What every view draws with: text that is measured by the cluster, frames, rules.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::Style,
};

use crate::{
    text::{Clean, Emoji, Laid, paint},
    theme::Theme,
};

/// A stretch of text and how it looks.
pub(super) type Part = (Clean, Style);

/// Draws on one frame.
pub(super) struct Pen<'a> {
    pub(super) buffer: &'a mut Buffer,
    pub(super) theme: &'a Theme,
    pub(super) emoji: Emoji,
    /// Where the terminal's cursor goes.
    pub(super) caret: Option<Position>,
}

/// Own words put together at run time; unlike [`Clean::line`] this keeps spaces at the ends.
pub(super) fn words(text: impl AsRef<str>) -> Clean {
    Clean::from_untrusted(text.as_ref())
}

/// A literal of ours.
pub(super) const fn fixed(text: &'static str) -> Clean {
    Clean::from_static(text)
}

/// Cells of all parts together.
pub(super) fn width(parts: &[Part]) -> u16 {
    parts.iter().map(|(text, _)| u16::try_from(text.width()).unwrap_or(u16::MAX)).fold(0, u16::saturating_add)
}

impl Pen<'_> {
    /// The column after it.
    pub(super) fn text(&mut self, x: u16, y: u16, max: u16, text: &Clean, style: Style) -> u16 {
        let shown = text.shown(self.emoji);
        let fitting = shown.truncated(usize::from(max), &self.theme.glyphs.ellipsis);
        paint::text(self.buffer, x, y, max, &fitting, style)
    }

    pub(super) fn parts(&mut self, x: u16, y: u16, max: u16, parts: &[Part]) -> u16 {
        let end = x.saturating_add(max);
        let mut x = x;
        for (text, style) in parts {
            let room = end.saturating_sub(x);
            x = self.text(x, y, room, text, *style);
            // What follows a cut would read as if it belonged to it.
            if text.width() > usize::from(room) {
                break;
            }
        }
        x
    }

    /// Parts that end before column `right`; the column they start at.
    pub(super) fn parts_right(&mut self, left: u16, right: u16, y: u16, parts: &[Part]) -> u16 {
        let start = right.saturating_sub(width(parts)).max(left);
        self.parts(start, y, right.saturating_sub(start), parts);
        start
    }

    /// Parts at both ends of a row, the right ones first served, a cell of padding at each end.
    pub(super) fn ends(&mut self, area: Rect, y: u16, left: &[Part], right: &[Part]) {
        let (from, to) = (area.x + 1, area.right().saturating_sub(1));
        let start = self.parts_right(from, to, y, right);
        let gap = u16::from(!right.is_empty());
        self.parts(from, y, start.saturating_sub(from + gap), left);
    }

    pub(super) fn centered(&mut self, area: Rect, y: u16, text: &Clean, style: Style) {
        let room = area.width.saturating_sub(2);
        let cells = u16::try_from(text.width()).unwrap_or(u16::MAX).min(room);
        self.text(area.x + 1 + (room - cells) / 2, y, cells, text, style);
    }

    pub(super) fn row(&mut self, x: u16, y: u16, max: u16, laid: &Laid, row: usize, style: Style) -> u16 {
        paint::row(self.buffer, x, y, max, laid, row, style)
    }

    pub(super) fn fill(&mut self, area: Rect, style: Style) {
        paint::fill(self.buffer, area, style);
    }

    /// Empties an area, for what lies over others.
    pub(super) fn clear(&mut self, area: Rect, style: Style) {
        for y in area.top()..area.bottom().min(self.buffer.area.bottom()) {
            for x in area.left()..area.right().min(self.buffer.area.right()) {
                self.buffer[(x, y)].reset();
            }
        }
        self.fill(area, style);
    }

    /// A row of one sign.
    pub(super) fn rule(&mut self, x: u16, y: u16, cells: u16, sign: &Clean, style: Style) {
        for x in x..x.saturating_add(cells) {
            paint::text(self.buffer, x, y, 1, sign, style);
        }
    }

    /// Text in the middle of a row of signs.
    pub(super) fn ruled(&mut self, area: Rect, y: u16, text: &Clean, sign: &Clean, style: Style, rule: Style) {
        let text =
            text.shown(self.emoji).truncated(usize::from(area.width.saturating_sub(8)), &self.theme.glyphs.ellipsis);
        let cells = u16::try_from(text.width()).unwrap_or(u16::MAX) + 2;
        let before = area.width.saturating_sub(cells) / 2;
        self.rule(area.x, y, before, sign, rule);
        paint::text(self.buffer, area.x + before + 1, y, area.width, &text, style);
        self.rule(area.x + before + cells, y, area.width.saturating_sub(before + cells), sign, rule);
    }

    /// A frame with titles in its upper edge.
    pub(super) fn frame(&mut self, area: Rect, focused: bool, left: &[Part], right: &[Part]) {
        if area.width < 2 || area.height < 2 {
            return;
        }
        let style = if focused { self.theme.accent } else { self.theme.faint };
        let set = &self.theme.glyphs.border;
        let (right_x, bottom_y) = (area.right() - 1, area.bottom() - 1);
        let sign = |text: &'static str| Clean::from_static(text);
        for x in area.left() + 1..right_x {
            paint::text(self.buffer, x, area.y, 1, &sign(set.horizontal_top), style);
            paint::text(self.buffer, x, bottom_y, 1, &sign(set.horizontal_bottom), style);
        }
        for y in area.top() + 1..bottom_y {
            paint::text(self.buffer, area.x, y, 1, &sign(set.vertical_left), style);
            paint::text(self.buffer, right_x, y, 1, &sign(set.vertical_right), style);
        }
        for (x, y, corner) in [
            (area.x, area.y, set.top_left),
            (right_x, area.y, set.top_right),
            (area.x, bottom_y, set.bottom_left),
            (right_x, bottom_y, set.bottom_right),
        ] {
            paint::text(self.buffer, x, y, 1, &sign(corner), style);
        }
        self.titles(area, area.y, left, right);
    }

    /// A line through a frame, from edge to edge, with titles in it.
    pub(super) fn divide(&mut self, frame: Rect, y: u16, focused: bool, left: &[Part], right: &[Part]) {
        let style = if focused { self.theme.accent } else { self.theme.faint };
        let is_ascii = self.theme.glyphs.border.top_left == "+";
        let (start, end) = if is_ascii { (fixed("+"), fixed("+")) } else { (fixed("├"), fixed("┤")) };
        self.rule(frame.x + 1, y, frame.width.saturating_sub(2), &self.theme.glyphs.rule, style);
        paint::text(self.buffer, frame.x, y, 1, &start, style);
        paint::text(self.buffer, frame.right().saturating_sub(1), y, 1, &end, style);
        self.titles(frame, y, left, right);
    }

    /// Titles stand in an edge with a space at each end.
    fn titles(&mut self, frame: Rect, y: u16, left: &[Part], right: &[Part]) {
        let (from, to) = (frame.x + 2, frame.right().saturating_sub(2));
        let mut end = to;
        if !right.is_empty() && width(right) + 4 < frame.width {
            let padded = padded(right);
            end = self.parts_right(from, to, y, &padded);
        }
        if !left.is_empty() {
            self.parts(from, y, end.saturating_sub(from), &padded(left));
        }
    }
}

fn padded(parts: &[Part]) -> Vec<Part> {
    let space = || (fixed(" "), Style::new());
    std::iter::once(space()).chain(parts.iter().cloned()).chain(std::iter::once(space())).collect()
}

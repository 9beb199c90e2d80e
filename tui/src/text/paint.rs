//! Puts text into cells, cluster by cluster, never outside the buffer.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{Clean, Laid, layout::marked, width};

/// Draws the first line of `text` at (`x`, `y`) in at most `max` cells; the column after it.
pub fn text(buffer: &mut Buffer, x: u16, y: u16, max: u16, text: &Clean, style: Style) -> u16 {
    stretch(buffer, x, y, max, text.as_str(), style)
}

/// Draws `text` so that it ends before column `right`, cut at `left`; the column it starts at.
pub fn text_right(buffer: &mut Buffer, left: u16, right: u16, y: u16, text: &Clean, style: Style) -> u16 {
    let room = right.saturating_sub(left);
    let cells = u16::try_from(text.width()).unwrap_or(u16::MAX).min(room);
    stretch(buffer, right - cells, y, cells, text.as_str(), style);
    right - cells
}

/// Draws row `row` of `laid`; the column after it.
pub fn row(buffer: &mut Buffer, x: u16, y: u16, max: u16, laid: &Laid, row: usize, base: Style) -> u16 {
    let end = x.saturating_add(max);
    laid.stretches(row)
        .fold(x, |x, (text, marks)| stretch(buffer, x, y, end.saturating_sub(x), text, marked(base, marks)))
}

/// Sets the style of all cells of `area` that lie in the buffer.
pub fn fill(buffer: &mut Buffer, area: Rect, style: Style) {
    buffer.set_style(area.intersection(buffer.area), style);
}

fn stretch(buffer: &mut Buffer, mut x: u16, y: u16, max: u16, text: &str, style: Style) -> u16 {
    let area = buffer.area;
    if y < area.top() || y >= area.bottom() || x < area.left() {
        return x;
    }
    let end = x.saturating_add(max).min(area.right());
    for cluster in width::clusters(text) {
        let cells = u16::try_from(cluster.width).unwrap_or(u16::MAX);
        if cells == 0 || cells > end.saturating_sub(x) {
            break;
        }
        buffer[(x, y)].set_symbol(cluster.text).set_style(style);
        for covered in x + 1..x + cells {
            buffer[(covered, y)].reset();
            buffer[(covered, y)].set_style(style);
        }
        x += cells;
    }
    x
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::layout::Rect;

    use super::{
        super::{Emoji, strange},
        *,
    };

    fn drawn(buffer: &Buffer) -> String {
        buffer.content.iter().map(|cell| cell.symbol()).collect()
    }

    #[test]
    fn wide_clusters_take_their_cells_and_never_half_of_them() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 5, 1));
        assert_eq!(text(&mut buffer, 0, 0, 9, &Clean::from_static("日本語"), Style::new()), 4);
        assert_eq!(drawn(&buffer), "日 本  ");
    }

    #[test]
    fn text_can_end_at_the_right() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 6, 1));
        assert_eq!(text_right(&mut buffer, 0, 6, 0, &Clean::from_static("日b"), Style::new()), 3);
        assert_eq!(drawn(&buffer), "   日 b");
        assert_eq!(text_right(&mut buffer, 4, 6, 0, &Clean::from_static("abc"), Style::new()), 4);
    }

    #[test]
    fn nothing_outside_the_buffer_is_touched() {
        let mut buffer = Buffer::empty(Rect::new(2, 2, 3, 1));
        for (x, y) in [(0, 2), (2, 0), (9, 2), (2, 9), (u16::MAX, u16::MAX)] {
            text(&mut buffer, x, y, 9, &Clean::from_static("abcd"), Style::new());
        }
        assert_eq!(drawn(&buffer), "   ");
        fill(&mut buffer, Rect::new(0, 0, 50, 50), Style::new());
    }

    proptest! {
        #[test]
        fn anything_can_be_drawn_anywhere(raw in strange::text(0..40), width in 1_u16..60, x in 0_u16..70, max in 0_u16..80) {
            let clean = Clean::from_untrusted(&raw);
            let laid = Laid::message(&clean, usize::from(max), Emoji::Full);
            let mut buffer = Buffer::empty(Rect::new(0, 0, width, 3));
            for line in 0..laid.height().min(5) {
                let end = row(&mut buffer, x, u16::try_from(line).unwrap(), max, &laid, line, Style::new());
                prop_assert!(end <= x.max(width));
            }
        }
    }
}

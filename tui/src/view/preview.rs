//! A picture, as small as the server made it, in the cells of an overlay.

use ratatui::layout::Rect;

use super::{
    overlay::inside,
    pen::{Pen, fixed},
};
use crate::{
    state::overlay::{Preview, Shown},
    text::wrap,
};

/// Cells that the frame takes.
const FRAME: (u16, u16) = (4, 2);

/// Width and height of the overlay on a screen of this size.
pub(super) fn size(preview: &Preview, screen: Rect) -> (u16, u16) {
    match &preview.shown {
        Shown::Here(picture) => {
            let room = |cells: u16, frame: u16| cells.saturating_sub(frame + 2);
            let (width, height) = picture.fitting(room(screen.width, FRAME.0), room(screen.height, FRAME.1));
            // Its title needs some room, however narrow it is.
            (width.max(36) + FRAME.0, height + FRAME.1)
        }
        Shown::Loading | Shown::Not(_) => (60, 6),
    }
}

pub(super) fn draw(pen: &mut Pen<'_>, preview: &Preview, area: Rect) {
    let theme = pen.theme;
    pen.frame(area, true, &[(preview.name.clone(), theme.accent)], &[(fixed("Esc closes"), theme.faint)]);
    let inner = inside(area);
    match &preview.shown {
        Shown::Loading => {
            pen.text(inner.x, inner.y + 1, inner.width, &fixed("The picture is on its way."), theme.muted);
        }
        Shown::Not(why) => {
            let rows = wrap::rows(why.as_str(), usize::from(inner.width.max(1)));
            for (row, y) in rows.iter().zip(inner.y + 1..inner.bottom()) {
                pen.text(inner.x, y, inner.width, &why.slice(row.start..row.end), theme.warn);
            }
        }
        Shown::Here(picture) => {
            let (columns, rows) = picture.fitting(inner.width, inner.height);
            let left = inner.x + (inner.width - columns) / 2;
            for (cells, y) in picture.halves(columns, rows, theme.canvas.ground).into_iter().zip(inner.y..) {
                for (pixels, x) in cells.into_iter().zip(left..) {
                    let (sign, style) = theme.canvas.cell(pixels);
                    pen.text(x, y, 1, &sign, style);
                }
            }
        }
    }
}

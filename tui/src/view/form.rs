//! The sheet of an offer: its kinds, then the lines of one.

use ratatui::layout::Rect;

use super::{
    composer,
    overlay::inside,
    pen::{Pen, fixed, words},
};
use crate::{
    state::{
        State,
        form::{Form, Kind},
        overlay::OfferSheet,
    },
    text::wrap,
};

/// Cells of the labels.
const LABELS: u16 = 18;

pub(super) fn draw(pen: &mut Pen<'_>, state: &State, sheet: &OfferSheet, area: Rect) {
    let theme = pen.theme;
    let name = state.queue.get(sheet.conversation).map_or(fixed("this"), |row| row.customer.clone());
    let title = match &sheet.form {
        Some(form) => format!("To {name}: {}", form.kind.words().0),
        None => format!("Send to {name}"),
    };
    pen.frame(area, true, &[(words(title), theme.accent)], &[]);
    let inner = inside(area);
    match &sheet.form {
        Some(form) => lines(pen, sheet, form, inner),
        None => kinds(pen, sheet, inner),
    }
}

fn kinds(pen: &mut Pen<'_>, sheet: &OfferSheet, area: Rect) {
    let theme = pen.theme;
    for ((at, kind), y) in Kind::ALL.iter().enumerate().zip(area.y..area.bottom()) {
        let line = Rect { y, height: 1, ..area };
        if at == sheet.at {
            pen.fill(line, theme.selected);
        }
        let (name, about) = kind.words();
        let number = words(format!("{} ", at + 1));
        let x = pen.parts(line.x + 1, y, line.width, &[(number, theme.muted), (fixed(name), theme.fg)]);
        let about_x = (line.x + 24).max(x + 2);
        pen.text(about_x, y, line.right().saturating_sub(about_x), &fixed(about), theme.faint_on(at == sheet.at));
    }
    let enter = &theme.glyphs.enter;
    foot(pen, area, &format!("{enter} choose   j/k move   Esc cancel"));
}

fn lines(pen: &mut Pen<'_>, sheet: &OfferSheet, form: &Form, area: Rect) {
    let theme = pen.theme;
    let mut y = area.y;
    let bottom = area.bottom().saturating_sub(3);
    for ((at, field), editor) in form.kind.fields().iter().enumerate().zip(&form.values) {
        let (is_current, height) = (at == form.at, field.rows.min(bottom.saturating_sub(y)));
        if height == 0 {
            break;
        }
        let style = if is_current { theme.accent } else { theme.muted };
        pen.text(area.x, y, LABELS, &fixed(field.label), style);
        let bar = if is_current { theme.accent } else { theme.faint };
        for row in y..y + height {
            pen.text(area.x + LABELS, row, 1, &theme.glyphs.stem, bar);
        }
        let text = Rect { x: area.x + LABELS + 2, y, width: area.width.saturating_sub(LABELS + 2), height };
        composer::text(pen, editor, text, is_current);
        if editor.is_empty() {
            composer::faint(pen, text, field.hint);
        }
        y += height;
    }
    if let Some(trouble) = &sheet.trouble {
        let rows = wrap::rows(trouble.as_str(), usize::from(area.width.max(1)));
        for (row, y) in rows.iter().zip(area.bottom().saturating_sub(3)..area.bottom().saturating_sub(1)) {
            pen.text(area.x, y, area.width, &trouble.slice(row.start..row.end), theme.warn);
        }
    }
    let enter = &theme.glyphs.enter;
    foot(pen, area, &format!("{enter} send   Tab next   ^j next line   Esc keep and leave"));
}

fn foot(pen: &mut Pen<'_>, area: Rect, text: &str) {
    let style = pen.theme.muted;
    pen.text(area.x, area.bottom().saturating_sub(1), area.width, &words(text), style);
}

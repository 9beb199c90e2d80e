//! The templates: a list with what each says, then its fields with a preview.

use baton_shared::template::Template;
use ratatui::layout::Rect;

use super::{
    composer,
    overlay::inside,
    pen::{Pen, fixed, words},
};
use crate::{
    state::{
        State,
        overlay::{Filling, TemplateSheet},
    },
    text::{Clean, wrap},
};

pub(super) fn draw(pen: &mut Pen<'_>, state: &State, sheet: &TemplateSheet, area: Rect) {
    match &sheet.filling {
        Some(filling) => fill_in(pen, state, filling, area),
        None => choose(pen, sheet, area),
    }
}

fn choose(pen: &mut Pen<'_>, sheet: &TemplateSheet, area: Rect) {
    let theme = pen.theme;
    let hint = format!("type to search, {} chooses, Esc cancels", theme.glyphs.enter);
    pen.frame(area, true, &[(fixed("Send a template"), theme.accent)], &[(words(hint), theme.faint)]);
    let inner = inside(area);
    composer::text(pen, &sheet.picker.typed, Rect { height: 1, ..inner }, true);
    if sheet.picker.typed.is_empty() {
        composer::faint(pen, Rect { height: 1, ..inner }, "name, words or language");
    }
    let list = Rect { y: inner.y + 2, height: inner.height.saturating_sub(8), ..inner };
    let found = sheet.found();
    if found.is_empty() {
        let why = match &sheet.all {
            None => "asking the server…",
            Some(all) if all.is_empty() => "the number has no templates: make them in Meta's WhatsApp Manager",
            Some(_) => "no template has this in it",
        };
        pen.text(list.x, list.y, list.width, &fixed(why), theme.muted);
        return;
    }
    let top = sheet.picker.at.saturating_sub(usize::from(list.height.saturating_sub(1)));
    for ((at, template), y) in found.iter().enumerate().skip(top).zip(list.y..list.bottom()) {
        let line = Rect { y, height: 1, ..list };
        if at == sheet.picker.at {
            pen.fill(line, theme.selected);
        }
        let style = if template.is_approved() { theme.fg } else { theme.faint_on(at == sheet.picker.at) };
        let category = template.category.to_lowercase();
        let right = if template.is_approved() {
            let judged = template.quality.as_deref().filter(|quality| matches!(*quality, "YELLOW" | "RED"));
            let quality = judged.map_or_else(String::new, |quality| format!(", {} quality", quality.to_lowercase()));
            (words(format!("{category}{quality}")), theme.muted)
        } else {
            (words(format!("{category}, {}", template.status.to_lowercase())), theme.warn)
        };
        let left = [
            (Clean::line(&template.name), style),
            (words(format!("  {}", Clean::line(&template.language))), theme.faint),
        ];
        pen.ends(line, y, &left, &[right]);
    }
    if let Some(template) = found.get(sheet.picker.at) {
        let below = cost(pen, template, below(inner, list.bottom()));
        preview(pen, &template.preview(&[]), below);
    }
}

fn fill_in(pen: &mut Pen<'_>, state: &State, filling: &Filling, area: Rect) {
    let theme = pen.theme;
    let name = Clean::line(&filling.template.name);
    let hint = format!("Tab next, {} sends, Esc cancels", theme.glyphs.enter);
    pen.frame(area, true, &[(name, theme.accent)], &[(words(hint), theme.faint)]);
    let inner = inside(area);
    let slots = filling.template.slots();
    // The field that is written in is always seen.
    let room = usize::from(inner.height.saturating_sub(7));
    let top = filling.at.saturating_sub(room.saturating_sub(1));
    let mut y = inner.y;
    for ((at, slot), value) in slots.iter().enumerate().zip(&filling.values).skip(top).take(room) {
        let style = if at == filling.at { theme.accent } else { theme.muted };
        let label = Clean::line(&label(slot)).padded(18, &theme.glyphs.ellipsis);
        let x = pen.text(inner.x, y, 18, &label, style);
        let line = Rect { x: x + 1, y, width: inner.right().saturating_sub(x + 1), height: 1 };
        composer::text(pen, value, line, at == filling.at && state.overlays.len() == 1);
        if value.is_empty() {
            composer::faint(pen, line, if at == filling.at { "type here" } else { "empty" });
        }
        y += 1;
    }
    if slots.is_empty() {
        pen.text(inner.x, y, inner.width, &fixed("Nothing has to be filled in."), theme.muted);
        y += 1;
    }
    let below = cost(pen, &filling.template, below(inner, y));
    preview(pen, &filling.template.preview(&filling.texts()), below);
}

/// What Meta takes for it; gives what is left of `area` below.
fn cost(pen: &mut Pen<'_>, template: &Template, area: Rect) -> Rect {
    let text = fixed(template.cost());
    let rows = wrap::rows(text.as_str(), usize::from(area.width.max(1)));
    let mut y = area.y;
    for row in &rows {
        if y < area.bottom() {
            pen.text(area.x, y, area.width, &text.slice(row.start..row.end), pen.theme.muted);
            y += 1;
        }
    }
    below(area, y)
}

/// The part of `area` from the row `y` on.
fn below(area: Rect, y: u16) -> Rect {
    Rect { y, height: area.bottom().saturating_sub(y), ..area }
}

fn label(slot: &baton_shared::template::Slot) -> String {
    use baton_shared::template::Part;
    match slot.part {
        Part::HeaderText => format!("title {}", slot.name),
        Part::HeaderMedia => format!("{}, path or link", slot.name),
        Part::Body => format!("field {}", slot.name),
        Part::Button(place) => format!("button {}, {}", place + 1, slot.name),
    }
}

/// How the customer will read it.
fn preview(pen: &mut Pen<'_>, text: &str, area: Rect) {
    let theme = pen.theme;
    let text = Clean::from_untrusted(text);
    let rows = wrap::rows(text.as_str(), usize::from(area.width.saturating_sub(2).max(1)));
    for (row, y) in rows.iter().zip(area.y..area.bottom()) {
        pen.text(area.x, y, 1, &theme.glyphs.stem, theme.you);
        pen.text(area.x + 2, y, area.width.saturating_sub(2), &text.slice(row.start..row.end), theme.fg);
    }
}

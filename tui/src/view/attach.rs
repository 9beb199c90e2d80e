//! The sheet of a file that is to be sent, and how far one on its way has come.

use ratatui::layout::Rect;

use super::{
    composer,
    overlay::inside,
    pen::{Pen, fixed, words},
};
use crate::{
    composer::Editor,
    local::Slot,
    state::{
        State,
        bringing::Bringing,
        overlay::{FileField, FileSheet},
    },
    text::{Clean, wrap},
    words as say,
};

pub(super) fn draw(pen: &mut Pen<'_>, state: &State, sheet: &FileSheet, area: Rect) {
    let theme = pen.theme;
    let name = state.queue.get(sheet.conversation).map_or(fixed("this"), |row| row.customer.clone());
    pen.frame(area, true, &[(words(format!("Send a file to {name}")), theme.accent)], &[]);
    let inner = inside(area);
    match state.bringing.iter().find(|one| one.conversation == sheet.conversation && one.is_going()) {
        Some(one) => on_its_way(pen, one, inner),
        None => form(pen, state, sheet, inner),
    }
}

fn on_its_way(pen: &mut Pen<'_>, one: &Bringing, area: Rect) {
    let theme = pen.theme;
    pen.text(area.x, area.y, area.width, &words(format!("{} {}", one.kind.word(), one.name)), theme.fg);
    pen.text(area.x, area.y + 2, area.width, &words(one.progress()), theme.accent);
    pen.text(area.x, area.y + 4, area.width, &fixed("It goes on while you do something else."), theme.muted);
    foot(pen, area, "x stop it   Esc let it go on");
}

fn form(pen: &mut Pen<'_>, state: &State, sheet: &FileSheet, area: Rect) {
    let theme = pen.theme;
    let rows = |y: u16, height| Rect { y: area.y + y, height, ..area };
    label(pen, rows(0, 1), "File", sheet.field == FileField::Path);
    field(pen, state, sheet, FileField::Path, rows(1, 1), "a path; ~ is your own folder, Tab completes");
    label(pen, rows(3, 1), "Words with it", sheet.field == FileField::Caption);
    field(pen, state, sheet, FileField::Caption, rows(4, 1), "none");
    label(pen, rows(6, 1), "As", sheet.field == FileField::Kind);
    let is_current = sheet.field == FileField::Kind;
    let arrows = if is_current { theme.accent } else { theme.faint };
    match &sheet.looked {
        Some(looked) => {
            let size = say::bytes(looked.facts.size);
            let kind = format!("{}, {size}, {}", sheet.kind().word(), looked.facts.mime_type);
            let parts = [(fixed("< "), arrows), (words(kind), theme.fg), (fixed(" >"), arrows)];
            pen.parts(area.x, area.y + 7, area.width, &parts);
        }
        None => {
            pen.text(area.x, area.y + 7, area.width, &fixed("what its bytes say"), theme.faint);
        }
    }
    below(pen, sheet, Rect { y: area.y + 9, height: area.height.saturating_sub(11), ..area });
    let enter = &theme.glyphs.enter;
    let does = match sheet.field {
        _ if sheet.looked.is_none() => "look at it   Tab complete",
        FileField::Kind => "send   Left Right as what",
        FileField::Path | FileField::Caption => "send",
    };
    foot(pen, area, &format!("{enter} {does}   Up Down field   Esc keep and leave"));
}

/// What is wrong, or how the path may go on.
fn below(pen: &mut Pen<'_>, sheet: &FileSheet, area: Rect) {
    let theme = pen.theme;
    if let Some(trouble) = &sheet.trouble {
        let rows = wrap::rows(trouble.as_str(), usize::from(area.width.max(1)));
        for (row, y) in rows.iter().zip(area.y..area.bottom()) {
            pen.text(area.x, y, area.width, &trouble.slice(row.start..row.end), theme.warn);
        }
        return;
    }
    let choices: Vec<&str> = sheet.choices.iter().map(Clean::as_str).collect();
    let all = Clean::line(&choices.join(&format!(" {} ", theme.glyphs.separator)));
    let rows = wrap::rows(all.as_str(), usize::from(area.width.max(1)));
    for (row, y) in rows.iter().zip(area.y..area.bottom()) {
        pen.text(area.x, y, area.width, &all.slice(row.start..row.end), theme.muted);
    }
}

fn label(pen: &mut Pen<'_>, area: Rect, text: &'static str, is_current: bool) {
    let theme = pen.theme;
    let style = if is_current { theme.accent } else { theme.muted };
    pen.text(area.x, area.y, area.width, &fixed(text), style);
}

fn field(pen: &mut Pen<'_>, state: &State, sheet: &FileSheet, which: FileField, area: Rect, empty: &'static str) {
    let (none, is_current) = (Editor::default(), sheet.field == which);
    let slot = which.slot().unwrap_or(Slot::File);
    let editor = state.composers.get(&sheet.conversation).and_then(|composer| composer.editor(slot)).unwrap_or(&none);
    let bar = pen.theme.glyphs.stem.clone();
    let style = if is_current { pen.theme.accent } else { pen.theme.faint };
    pen.text(area.x, area.y, 1, &bar, style);
    let text = Rect { x: area.x + 2, width: area.width.saturating_sub(2), ..area };
    composer::text(pen, editor, text, is_current);
    if editor.is_empty() {
        composer::faint(pen, text, empty);
    }
}

fn foot(pen: &mut Pen<'_>, area: Rect, text: &str) {
    let style = pen.theme.muted;
    pen.text(area.x, area.bottom().saturating_sub(1), area.width, &words(text), style);
}

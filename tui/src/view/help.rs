//! All there is to do: the menu under Space, the searchable help, the palette. All three are made
//! from the one table.

use ratatui::layout::Rect;

use super::pen::{Part, Pen, fixed, words};
use crate::{
    keys::{Action, Context, EDITING, Group, TABLE},
    state::{State, overlay::Picker},
    text::Clean,
};

/// Whether the menu is open: Space was typed, and more may follow.
pub(super) fn is_menu(state: &State) -> bool {
    state.typed.first().is_some_and(|first| first.code == crossterm::event::KeyCode::Char(' '))
}

/// The menu: what one key does, in columns.
pub(super) fn menu(pen: &mut Pen<'_>, state: &State) {
    let context = Context::of(state);
    let continued = state.given.keymap.continuations(context, &state.typed);
    let entries: Vec<(String, Action)> = if state.typed.len() > 1 {
        continued
    } else {
        let direct = TABLE.iter().filter(|spec| spec.contexts.contains(&context) && spec.group != Group::Move);
        let direct = direct.filter_map(|spec| Some((state.given.keymap.hint(spec.action)?, spec.action)));
        // What begins with Space is shown without it.
        direct.filter(|(keys, _)| !keys.starts_with("Space")).chain(continued).collect()
    };
    let screen = pen.buffer.area;
    let columns = (screen.width / 28).clamp(2, 5);
    let rows = u16::try_from(entries.len()).unwrap_or(u16::MAX).div_ceil(columns);
    let area = Rect { x: 0, y: screen.height.saturating_sub(rows + 4), width: screen.width, height: rows + 2 };
    let theme = pen.theme;
    pen.clear(area, theme.raised);
    pen.frame(area, true, &[(fixed("Space"), theme.accent)], &[(fixed("Esc closes"), theme.faint)]);
    let cell = area.width.saturating_sub(2) / columns;
    for (at, (keys, action)) in entries.iter().enumerate() {
        let at = u16::try_from(at).unwrap_or(u16::MAX);
        let (x, y) = (area.x + 2 + at / rows * cell, area.y + 1 + at % rows);
        let can = action.enabled(state).is_ok();
        let (key_style, style) = if can { (theme.accent, theme.fg) } else { (theme.faint, theme.faint) };
        let parts = [(words(format!("{keys:<4} ")), key_style), (words(action.spec().label), style)];
        pen.parts(x, y, cell.saturating_sub(2), &parts);
    }
}

/// Help: every action with its keys, and why it cannot be done now.
pub(super) fn help(pen: &mut Pen<'_>, state: &State, picker: &Picker, area: Rect) {
    let theme = pen.theme;
    pen.frame(area, true, &[(fixed("Help"), theme.accent)], &[(fixed("type to search, Esc closes"), theme.faint)]);
    let inner = super::overlay::inside(area);
    super::composer::text(pen, &picker.typed, Rect { height: 1, ..inner }, true);
    if picker.typed.is_empty() {
        super::composer::faint(pen, inner, "search: a word or a key");
    }
    let list = Rect { y: inner.y + 2, height: inner.height.saturating_sub(2), ..inner };
    let lines = help_lines(pen, state, picker);
    let top = picker.at.min(lines.len().saturating_sub(usize::from(list.height)));
    for (line, y) in lines.iter().skip(top).zip(list.y..list.bottom()) {
        pen.parts(list.x, y, list.width, line);
    }
}

fn help_lines(pen: &Pen<'_>, state: &State, picker: &Picker) -> Vec<Vec<Part>> {
    let theme = pen.theme;
    let found = picker.actions();
    let mut lines = Vec::new();
    for group in Group::ALL {
        let actions: Vec<&Action> = found.iter().filter(|action| action.spec().group == group).collect();
        if actions.is_empty() {
            continue;
        }
        lines.push(vec![(fixed(group.title()), theme.muted)]);
        lines.extend(actions.into_iter().map(|action| help_line(pen, state, *action)));
        lines.push(Vec::new());
    }
    if picker.typed.is_empty() {
        lines.push(vec![(fixed("While writing"), theme.muted)]);
        let editing = |(keys, label): &(&'static str, &'static str)| {
            vec![(words(format!("  {keys:<20} ")), theme.accent), (fixed(label), theme.fg)]
        };
        lines.extend(EDITING.iter().map(editing));
        lines.push(Vec::new());
        lines.push(vec![(
            fixed("Keys can be changed in config.toml, under [keys], by the name at the right."),
            theme.faint,
        )]);
    }
    lines
}

fn help_line(pen: &Pen<'_>, state: &State, action: Action) -> Vec<Part> {
    let theme = pen.theme;
    let spec = action.spec();
    let keys = state.given.keymap.hints(action).join(" ");
    let mut line = vec![
        (words(&keys).padded(22, &theme.glyphs.ellipsis), theme.accent),
        (words(spec.label).padded(26, &theme.glyphs.ellipsis), theme.fg),
        (words(spec.id).padded(16, &theme.glyphs.ellipsis), theme.faint),
    ];
    line.insert(0, (fixed("  "), theme.fg));
    if let Err(why) = action.enabled(state) {
        line.push((words(why.0), theme.faint));
    }
    line
}

/// The palette: actions by name.
pub(super) fn palette(pen: &mut Pen<'_>, state: &State, picker: &Picker, area: Rect) {
    let theme = pen.theme;
    let enter = theme.glyphs.enter.clone();
    pen.frame(
        area,
        true,
        &[(fixed("Do"), theme.accent)],
        &[(words(format!("{enter} does it, Esc closes")), theme.faint)],
    );
    let inner = super::overlay::inside(area);
    let x = pen.text(inner.x, inner.y, 2, &fixed(": "), theme.accent);
    super::composer::text(
        pen,
        &picker.typed,
        Rect { x, width: inner.width.saturating_sub(2), height: 1, ..inner },
        true,
    );
    let list = Rect { y: inner.y + 1, height: inner.height.saturating_sub(1), ..inner };
    let top = picker.at.saturating_sub(usize::from(list.height.saturating_sub(1)));
    for ((at, action), y) in picker.actions().into_iter().enumerate().skip(top).zip(list.y..list.bottom()) {
        let line = Rect { y, height: 1, ..list };
        if at == picker.at {
            pen.fill(line, theme.selected);
        }
        let (style, right): (_, Clean) = match action.enabled(state) {
            Ok(()) => (theme.fg, words(state.given.keymap.hint(action).unwrap_or_default())),
            Err(why) => (theme.faint_on(at == picker.at), words(why.0).truncated(40, &theme.glyphs.ellipsis)),
        };
        let spec = action.spec();
        let left = [
            (words(spec.label).padded(26, &theme.glyphs.ellipsis), style),
            (words(spec.id), theme.faint_on(at == picker.at)),
        ];
        pen.ends(line, y, &left, &[(right, theme.muted)]);
    }
}

//! The last lines: what keys do now, what just happened, and the first steps of a newcomer.

use ratatui::{layout::Rect, style::Modifier};

use super::pen::{Part, Pen, fixed, width, words};
use crate::{
    keys::{Action, Context, Spec, TABLE},
    local::Slot,
    state::{
        Mode, State,
        layout::{ChatLayout, Layout},
        toast::Tone,
    },
};

pub(super) fn draw(pen: &mut Pen<'_>, state: &State, row: Rect) {
    let theme = pen.theme;
    let (mode, style) = match (state.mode, state.open_composer().map(|composer| composer.slot)) {
        (Mode::Normal, _) => ("NORMAL", theme.accent),
        (Mode::Filter, _) => ("FILTER", theme.accent),
        (Mode::Compose, Some(Slot::Note)) => ("NOTE", theme.warn),
        (Mode::Compose, _) => ("WRITE", theme.you),
    };
    let x = pen.text(row.x + 1, row.y, row.width, &fixed(mode), style.add_modifier(Modifier::BOLD)) + 2;
    let rest = Rect { x, width: row.width.saturating_sub(x + 1), ..row };
    if !state.typed.is_empty() && !super::help::is_menu(state) {
        return continuations(pen, state, rest);
    }
    if state.mode == Mode::Filter {
        let sentence = words(format!("type to narrow the queue  {} open  Esc all", theme.glyphs.enter));
        pen.text(rest.x, rest.y, rest.width, &sentence, theme.muted);
        return;
    }
    keys(pen, state, rest, Context::of(state));
}

/// Keys of a context, as many as there is room for; what cannot be done now is left out.
fn keys(pen: &mut Pen<'_>, state: &State, row: Rect, context: Context) {
    let mut specs: Vec<&Spec> = TABLE.iter().filter(|spec| spec.hint > 0 && spec.contexts.contains(&context)).collect();
    specs.sort_by_key(|spec| spec.hint);
    let always = if context == Context::Compose { Vec::new() } else { menu(pen, state) };
    let room = row.width.saturating_sub(width(&always) + 2);
    let usable = specs.into_iter().filter(|spec| spec.action.enabled(state).is_ok() || context == Context::Compose);
    let end = list(pen, state, Rect { width: room, ..row }, usable.map(|spec| spec.action));
    let end = if end == row.x { end } else { end + 2 };
    pen.parts(end, row.y, row.right().saturating_sub(end), &always);
}

fn menu(pen: &Pen<'_>, state: &State) -> Vec<Part> {
    let palette = state.given.keymap.hint(Action::Palette).unwrap_or_default();
    let theme = pen.theme;
    vec![
        (fixed("Space"), theme.accent),
        (fixed(" menu  "), theme.muted),
        (words(palette), theme.accent),
        (fixed(" all"), theme.muted),
    ]
}

/// Actions with their keys; the column after the last that fits in whole.
pub(super) fn list(pen: &mut Pen<'_>, state: &State, row: Rect, actions: impl Iterator<Item = Action>) -> u16 {
    let theme = pen.theme;
    let mut x = row.x;
    for action in actions {
        let Some(key) = state.given.keymap.hint(action) else { continue };
        let style = if action.enabled(state).is_ok() { theme.accent } else { theme.faint };
        let parts = [(words(key), style), (words(format!(" {}", label(state, action))), theme.muted)];
        let gap = if x == row.x { 0 } else { 2 };
        if x + gap + width(&parts) > row.right() {
            break;
        }
        x = pen.parts(x + gap, row.y, row.right().saturating_sub(x), &parts);
    }
    x
}

/// A note is not sent, and in a row of actions on proposals the word stands only once.
fn label(state: &State, action: Action) -> &'static str {
    let is_note = state.open_composer().is_some_and(|composer| composer.slot == Slot::Note);
    if action == Action::Send && is_note {
        return "keep note";
    }
    let label = action.spec().label;
    label.strip_suffix(" proposal").filter(|_| action != Action::NextProposal).unwrap_or(label)
}

fn continuations(pen: &mut Pen<'_>, state: &State, row: Rect) {
    let theme = pen.theme;
    let typed: String = state.typed.iter().map(|chord| chord.hint()).collect();
    let mut parts: Vec<Part> = vec![(words(format!("{typed}{}  ", theme.glyphs.ellipsis)), theme.accent)];
    for (keys, action) in state.given.keymap.continuations(Context::of(state), &state.typed) {
        parts.extend([(words(keys), theme.accent), (words(format!(" {}  ", action.spec().label)), theme.muted)]);
    }
    pen.parts(row.x, row.y, row.width, &parts);
}

/// What just happened, or why the line is down.
pub(super) fn status(pen: &mut Pen<'_>, state: &State, row: Rect) {
    let (theme, glyphs) = (pen.theme, pen.theme.glyphs);
    let room = row.width.saturating_sub(2);
    if let Some(toast) = state.toasts.current() {
        let (sign, style) = match toast.tone {
            Tone::Done => (&glyphs.yes, theme.ok),
            Tone::Info => (&glyphs.separator, theme.accent),
            Tone::Warn => (&glyphs.flag, theme.warn),
            Tone::Bad => (&glyphs.no, theme.danger),
        };
        let x = pen.text(row.x + 1, row.y, room, sign, style) + 1;
        let style = if toast.tone == Tone::Bad { theme.danger } else { theme.fg };
        pen.text(x, row.y, row.right().saturating_sub(x + 1), &toast.text, style);
        return;
    }
    match &state.line.phase {
        crate::state::line::Phase::Stopped { why } => {
            pen.text(row.x + 1, row.y, room, why, theme.danger);
        }
        _ => {
            if let Some(why) = &state.line.why {
                let sentence = words(format!("{why}; everything stays readable, what you write is kept"));
                pen.text(row.x + 1, row.y, room, &sentence, theme.muted);
            }
        }
    }
}

/// A few lines for somebody who is here for the first time: in the chat's pane while it is empty, else
/// where sentences come and go.
pub(super) fn first_steps(pen: &mut Pen<'_>, state: &State, layout: &Layout) {
    let in_the_way = state.mode == Mode::Compose || !state.overlays.is_empty();
    if state.settings.hints_seen || state.me.is_none() || in_the_way {
        return;
    }
    let hint = |action| state.given.keymap.hint(action).unwrap_or_default();
    let (urgent, take, reply) = (hint(Action::Urgent), hint(Action::Take), hint(Action::Reply));
    let theme = pen.theme;
    let Some(area) = layout.chat.and_then(|chat| steps_area(state, &chat)) else {
        let room = layout.status.width.saturating_sub(2);
        if state.toasts.current().is_none() && state.line.why.is_none() {
            let line = format!(
                "{urgent} opens who needs you most, {take} takes over, {reply} replies, {} explains all",
                hint(Action::Help)
            );
            pen.text(layout.status.x + 1, layout.status.y, room, &words(line), theme.muted);
        }
        return;
    };
    let lines = [
        format!("{urgent} opens who needs you most"),
        format!("{take} takes over, {reply} replies"),
        format!("{} gives it back to the bot with a note", hint(Action::HandBack)),
        "what you type is never lost".to_owned(),
        format!("Space shows what keys do, {} explains all", hint(Action::Help)),
    ];
    pen.clear(area, theme.raised);
    pen.frame(area, true, &[(fixed("First steps"), theme.accent)], &[(fixed("Esc hides this"), theme.faint)]);
    for (line, y) in lines.iter().zip(area.y + 1..area.bottom().saturating_sub(1)) {
        pen.text(area.x + 2, y, area.width.saturating_sub(4), &words(line), theme.fg);
    }
}

/// Below what the empty pane says; no word of a customer's is worth hiding for it.
fn steps_area(state: &State, chat: &ChatLayout) -> Option<Rect> {
    const SIZE: (u16, u16) = (47, 7);
    let frame = chat.frame;
    let y = frame.y + frame.height / 3 + 3;
    let fits = state.open.is_none() && frame.width >= SIZE.0 + 2 && y + SIZE.1 < frame.bottom();
    fits.then(|| Rect { x: frame.x + (frame.width - SIZE.0) / 2, y, width: SIZE.0, height: SIZE.1 })
}

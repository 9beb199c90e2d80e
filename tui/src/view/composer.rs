//! Where one writes, and above it what the bot proposes.

use ratatui::layout::Rect;

use super::pen::{Part, Pen, fixed, words};
use crate::{
    composer::{Editor, LIMIT},
    keys::Action,
    local::Slot,
    state::{Mode, Pane, State, composer::Composer, layout::ChatLayout, proposal},
    text::{Clean, wrap},
    words as say,
};

pub(super) fn draw(pen: &mut Pen<'_>, state: &State, layout: &ChatLayout) {
    if state.open_row().is_none() {
        return;
    }
    let focused = state.focus == Pane::Chat || state.mode == Mode::Compose;
    if let Some(area) = layout.proposal {
        card(pen, state, layout.frame, area, focused);
    }
    let composer = state.open_composer();
    let slot = composer.map_or(Slot::Reply, |composer| composer.slot);
    pen.divide(layout.frame, layout.composer.y, focused, &title(pen, state, slot), &count(pen, state, composer));
    match composer.and_then(Composer::current).filter(|editor| !editor.is_empty() || state.mode == Mode::Compose) {
        Some(editor) => text(pen, editor, layout.editor, state.mode == Mode::Compose && state.overlays.is_empty()),
        None if state.mode == Mode::Compose => pen.caret = Some((layout.editor.x, layout.editor.y).into()),
        None => invitation(pen, state, layout.editor),
    }
}

fn title(pen: &Pen<'_>, state: &State, slot: Slot) -> Vec<Part> {
    let theme = pen.theme;
    let style = if state.mode == Mode::Compose { theme.you } else { theme.muted };
    if slot == Slot::Note {
        return vec![(words(format!("{} Note, colleagues only", theme.glyphs.note)), theme.warn)];
    }
    let from_proposal = state.open_composer().is_some_and(|composer| composer.proposal.is_some());
    let waits = state.open_composer().is_some_and(|composer| composer.later);
    let name = match (from_proposal, waits) {
        (true, _) => "Reply, from a proposal",
        (_, true) => "Reply, when they write",
        _ => "Reply",
    };
    let mut parts = vec![(words(format!("{} {name}", theme.glyphs.you)), style)];
    let quoted = state.open_composer().and_then(|composer| composer.reply_to);
    if let Some(said) = quoted.and_then(|id| state.open_thread()?.get(id)) {
        let line = Clean::line(said.text.as_str()).truncated(28, &theme.glyphs.ellipsis);
        parts.push((words(format!(" to: {line}")), theme.muted));
    }
    if let Some(by) = state.open_thread().and_then(|thread| thread.waits_for_bot(state.now)) {
        let until = say::clock_seconds(by, &state.given.zone);
        parts.push((words(format!(", goes after the bot's last word, at the latest {until}")), theme.warn));
    }
    parts
}

/// Whether the draft is safe, and how long it is.
fn count(pen: &Pen<'_>, state: &State, composer: Option<&Composer>) -> Vec<Part> {
    let theme = pen.theme;
    let Some((composer, editor)) = composer.and_then(|composer| Some((composer, composer.current()?))) else {
        return Vec::new();
    };
    let mut parts = Vec::new();
    if !composer.stash.is_empty() {
        parts.push((words(format!("{} in the stash", composer.stash.len())), theme.muted));
    }
    if !editor.is_empty() {
        let kept = composer.text(composer.slot).and_then(|text| text.kept_at).filter(|_| composer.keep_at().is_none());
        let draft = match kept {
            Some(at) => format!("draft saved {}", say::clock_seconds(at, &state.given.zone)),
            None => format!("draft{}", theme.glyphs.ellipsis),
        };
        parts.push((words(draft), theme.faint));
        let is_over = editor.over() > 0 && composer.slot == Slot::Reply;
        let style = if is_over { theme.danger } else { theme.faint };
        let count = match composer.parts() {
            many @ 2.. if is_over => format!("{} characters, {many} messages", editor.count()),
            _ => format!("{}/{LIMIT}", editor.count()),
        };
        parts.push((words(count), style));
    }
    let mut joined = Vec::new();
    for part in parts {
        if !joined.is_empty() {
            joined.push(super::header::separator(pen));
        }
        joined.push(part);
    }
    joined
}

/// What can be done here, while nothing is written.
fn invitation(pen: &mut Pen<'_>, state: &State, area: Rect) {
    let theme = pen.theme;
    let hint = |action| state.given.keymap.hint(action).unwrap_or_default();
    let sentence = match Action::Reply.enabled(state) {
        Ok(()) => words(format!("{} to reply, {} to note something", hint(Action::Reply), hint(Action::Note))),
        Err(why) => words(why.0 + &then_a_template(state)),
    };
    let rows = wrap::rows(sentence.as_str(), usize::from(area.width.max(1)));
    for (row, y) in rows.iter().zip(area.y..area.bottom()) {
        pen.text(area.x, y, area.width, &sentence.slice(row.start..row.end), theme.faint);
    }
}

/// What a closed window leaves to whoever takes over.
fn then_a_template(state: &State) -> String {
    let is_closed = state.open_row().is_some_and(|row| !state.is_mine(row) && !row.window.is_open(state.now));
    if !is_closed || Action::Take.enabled(state).is_err() {
        return String::new();
    }
    let key = state.given.keymap.hint(Action::Template).unwrap_or_default();
    format!("; the 24-hour window is closed, so then {key} sends a template")
}

/// The text, scrolled so that the caret is seen.
pub(super) fn text(pen: &mut Pen<'_>, editor: &Editor, area: Rect, has_caret: bool) {
    let view = editor.view(usize::from(area.width));
    let height = usize::from(area.height);
    let top = view.caret.0.saturating_sub(height.saturating_sub(1));
    let selection = editor.selection();
    for (row, y) in view.rows.iter().skip(top).zip(area.y..area.bottom()) {
        let style = pen.theme.fg;
        pen.text(area.x, y, area.width, &editor.row_text(row), style);
        if let Some(selected) = &selection {
            mark(pen, editor, row, selected, Rect { y, height: 1, ..area });
        }
    }
    if has_caret {
        let x = area.x + u16::try_from(view.caret.1).unwrap_or(0);
        let y = area.y + u16::try_from(view.caret.0 - top).unwrap_or(0);
        pen.caret = Some((x, y.min(area.bottom().saturating_sub(1))).into());
    }
}

fn mark(pen: &mut Pen<'_>, editor: &Editor, row: &wrap::Row, selected: &std::ops::Range<usize>, line: Rect) {
    let (start, end) = (selected.start.max(row.start), selected.end.min(row.end));
    if start >= end {
        return;
    }
    let cells = |from: usize, to: usize| {
        u16::try_from(crate::text::width::of(editor.text().get(from..to).unwrap_or_default())).unwrap_or(0)
    };
    let x = line.x + cells(row.start, start);
    pen.fill(Rect { x, width: cells(start, end).min(line.right().saturating_sub(x)), ..line }, pen.theme.selected);
}

/// The bot's proposal: never inside what one writes.
fn card(pen: &mut Pen<'_>, state: &State, frame: Rect, area: Rect, focused: bool) {
    let Some((shown, at, count)) = proposal::shown(state) else { return };
    let theme = pen.theme;
    let mut left = vec![(words(format!("{} The bot proposes", theme.glyphs.bot)), theme.bot)];
    if let Some(confidence) = shown.confidence {
        left.push((words(format!(" {} {confidence} % sure", theme.glyphs.separator)), theme.muted));
    }
    if proposal::is_stale(state) {
        left.push((words(format!(" {} they wrote since", theme.glyphs.separator)), theme.warn));
    }
    let right = if count > 1 { vec![(words(format!("{} of {count}", at + 1)), theme.muted)] } else { Vec::new() };
    pen.divide(frame, area.y, focused, &left, &right);
    let inner = Rect { x: area.x + 1, y: area.y + 1, width: area.width.saturating_sub(2), height: area.height - 2 };
    let rows = wrap::rows(shown.text.as_str(), usize::from(inner.width.max(1)));
    let is_cut = rows.len() > usize::from(inner.height);
    for (row, y) in rows.iter().zip(inner.y..inner.bottom()) {
        let is_last = y + 1 == inner.bottom();
        let text = shown.text.slice(row.start..row.end);
        let end = pen.text(inner.x, y, inner.width, &text, theme.fg);
        if is_cut && is_last {
            pen.text(end.min(inner.right().saturating_sub(2)), y, 2, &theme.glyphs.ellipsis, theme.muted);
        }
    }
    let actions = [Action::Approve, Action::EditProposal, Action::Discard, Action::NextProposal];
    let shown = actions.into_iter().filter(|action| *action != Action::NextProposal || count > 1);
    let line = Rect { y: area.bottom() - 1, height: 1, ..inner };
    let can = |action: Action| action.enabled(state).is_ok();
    match (can(Action::Approve), can(Action::Take)) {
        // What has to be done first; the rest says itself then.
        (false, true) => {
            let hint = |action| state.given.keymap.hint(action).unwrap_or_default();
            let (take, approve) = (hint(Action::Take), hint(Action::Approve));
            let parts = [
                (words(take), theme.accent),
                (fixed(" takes over, then "), theme.muted),
                (words(approve), theme.accent),
                (fixed(" approves"), theme.muted),
            ];
            pen.parts(line.x, line.y, line.width, &parts);
        }
        (true | false, _) => {
            super::hint::list(pen, state, line, shown);
        }
    }
}

/// A placeholder in an empty field.
pub(super) fn faint(pen: &mut Pen<'_>, area: Rect, text: &'static str) {
    let style = pen.theme.faint;
    pen.text(area.x, area.y, area.width, &fixed(text), style);
}

//! Moving in the queue, opening conversations, and which panes are seen.

use baton_shared::ConversationId;
use crossterm::event::KeyCode;

use crate::{
    event::{Effect, Effects},
    keys::Chord,
    local::{Slot, Write},
    net::Request,
    state::{
        Mode, Pane, State,
        layout::{THREE_PANES, TWO_PANES},
        overlay::Overlay,
        queue::Item,
        toast::Tone,
        urgency::{Section, Standing, Urgency},
    },
    words,
};

/// Threads that are followed at once: the open one and those one comes back to.
const FOLLOWED_MAX: usize = 4;

pub(super) fn step(state: &mut State, by: isize) {
    state.queue.hold(state.now);
    state.queue.step(by);
}

pub(super) fn half_page(state: &mut State, by: isize) {
    let lines = isize::try_from(state.queue_height() / 2).unwrap_or(1).max(2);
    state.queue.hold(state.now);
    state.queue.step_lines(lines * by);
}

pub(super) fn to_top(state: &mut State) {
    state.queue.release();
    state.queue.settle(state.now, state.queue_height());
    state.queue.first();
}

pub(super) fn to_bottom(state: &mut State) {
    state.queue.hold(state.now);
    state.queue.last();
}

pub(super) fn open_selected(state: &mut State, out: &mut Effects) {
    match (state.focus, state.queue.selected) {
        (Pane::Queue, Some(Item::Section(section))) => {
            state.queue.fold(section, false);
            state.queue.release();
        }
        (Pane::Queue, Some(Item::Row(id))) => open(state, id, out),
        (Pane::Queue | Pane::Chat | Pane::Context, _) => {}
    }
}

/// Shows a conversation and follows it.
pub(super) fn open(state: &mut State, id: ConversationId, out: &mut Effects) {
    let is_followed = state.followed.contains(&id);
    state.followed.retain(|followed| *followed != id);
    state.followed.push(id);
    if !is_followed {
        out.push(Effect::Net(Request::Open(id)));
    } else if state.open != Some(id) {
        let unread = state.queue.get(id).map_or(0, |row| row.unread);
        if let Some(thread) = state.threads.get_mut(&id) {
            thread.note_unread(unread);
            thread.to_end();
        }
    }
    while state.followed.len() > FOLLOWED_MAX {
        let left = state.followed.remove(0);
        state.threads.remove(&left);
        out.push(Effect::Net(Request::Close(left)));
    }
    if state.open != Some(id) {
        (state.proposal_at, state.context_scroll, state.pasted, state.read_at) = (0, 0, None, None);
        state.composer(id).slot = Slot::Reply;
        state.toasts.pass();
    }
    state.open = Some(id);
    state.focus = Pane::Chat;
    state.mode = Mode::Normal;
}

pub(super) fn most_urgent(state: &mut State, out: &mut Effects) {
    let (now, height) = (state.now, state.queue_height());
    let Some((id, standing)) = state.queue.most_urgent(now, state.open) else { return };
    state.queue.select(id, now, height);
    let why = why_urgent(state, id, standing);
    open(state, id, out);
    state.toast(Tone::Info, why);
}

fn why_urgent(state: &State, id: ConversationId, standing: Standing) -> String {
    let Some(row) = state.queue.get(id) else { return String::new() };
    let since = crate::state::urgency::needed_since(row).unwrap_or(row.updated_at);
    let waits = words::age(state.now.since(since));
    match standing.urgency {
        Urgency::Overdue => format!("most urgent: waits for {waits}, longer than anybody should"),
        Urgency::Lost => "most urgent: its owner is not here any more".into(),
        Urgency::Closing => format!("most urgent: the window closes in {}", words::left(row.window.left(state.now))),
        Urgency::Trouble => "most urgent: something of yours did not go out".into(),
        Urgency::Calm => format!("most urgent: waits for {waits}"),
    }
}

pub(super) fn back(state: &mut State, out: &mut Effects) {
    if let Some(before) = state.followed.iter().rev().nth(1).copied() {
        open(state, before, out);
        state.queue.selected = Some(Item::Row(before));
    }
}

pub(super) fn fold(state: &mut State) {
    let Some(at) = state.queue.items().iter().position(|item| Some(*item) == state.queue.selected) else { return };
    let section = state.queue.items()[..=at].iter().rev().find_map(|item| match item {
        Item::Section(section) => Some(*section),
        Item::Row(_) => None,
    });
    set_folded(state, section, true);
}

pub(super) fn unfold(state: &mut State) {
    if let Some(Item::Section(section)) = state.queue.selected {
        set_folded(state, Some(section), false);
    }
}

fn set_folded(state: &mut State, section: Option<Section>, folded: bool) {
    if let Some(section) = section {
        state.queue.fold(section, folded);
        state.queue.release();
        if folded {
            state.queue.selected = Some(Item::Section(section));
        }
    }
}

pub(super) fn filter(state: &mut State) {
    state.mode = Mode::Filter;
    state.focus = Pane::Queue;
    state.zoom = false;
}

/// A key while the filter is typed: Enter keeps it, Esc ends it.
pub(super) fn filter_key(state: &mut State, chord: Chord, out: &mut Effects) {
    let mut filter = state.queue.filter.clone();
    match chord.code {
        KeyCode::Enter => {
            state.mode = Mode::Normal;
            return open_selected(state, out);
        }
        KeyCode::Esc => {
            state.mode = Mode::Normal;
            filter.clear();
        }
        KeyCode::Down => return step(state, 1),
        KeyCode::Up => return step(state, -1),
        KeyCode::Tab => {
            state.mode = Mode::Normal;
            return;
        }
        KeyCode::Backspace => {
            filter.pop();
        }
        KeyCode::Char('u') if chord.ctrl => filter.clear(),
        KeyCode::Char(letter) if !chord.ctrl && !chord.alt => filter.extend(letter.to_lowercase()),
        _ => return,
    }
    state.queue.set_filter(filter);
    state.queue.release();
}

pub(super) fn next_pane(state: &mut State, by: isize) {
    let mut panes = vec![Pane::Queue];
    if state.open.is_some() {
        panes.push(Pane::Chat);
        let beside = state.size.0 >= THREE_PANES && !state.settings.hide_context;
        // Where there is one pane at a time, every pane has its turn.
        if beside || state.size.0 < TWO_PANES {
            panes.push(Pane::Context);
        }
    }
    let here = panes.iter().position(|pane| *pane == state.focus).unwrap_or(0);
    let count = isize::try_from(panes.len()).unwrap_or(1);
    let there = (isize::try_from(here).unwrap_or(0) + by).rem_euclid(count);
    go_to_pane(state, panes[usize::try_from(there).unwrap_or(0)]);
}

pub(super) fn go_to_pane(state: &mut State, pane: Pane) {
    let is_beside = state.size.0 >= THREE_PANES && !state.settings.hide_context;
    if pane == Pane::Context && state.size.0 >= TWO_PANES && (!is_beside || state.zoom) {
        return state.overlays.push(Overlay::Context { scroll: 0 });
    }
    if pane != Pane::Chat {
        state.zoom = false;
    }
    state.focus = pane;
}

pub(super) fn zoom(state: &mut State) {
    state.zoom = !state.zoom;
    state.focus = Pane::Chat;
}

pub(super) fn toggle_context(state: &mut State, out: &mut Effects) {
    if state.size.0 < THREE_PANES {
        return go_to_pane(state, Pane::Context);
    }
    state.settings.hide_context = !state.settings.hide_context;
    if state.settings.hide_context && state.focus == Pane::Context {
        state.focus = Pane::Chat;
    }
    out.push(Effect::Keep(Write::Settings(state.settings.clone())));
}

pub(super) fn widen(state: &mut State, by: i16, out: &mut Effects) {
    let width = state.settings.queue_width.unwrap_or(36);
    state.settings.queue_width = Some(width.saturating_add_signed(by).clamp(28, 48));
    out.push(Effect::Keep(Write::Settings(state.settings.clone())));
}

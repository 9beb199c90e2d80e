//! A key was pressed: who gets it?

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind};

use super::{draft, edit, overlay, perform, queue};
use crate::{
    event::{Effect, Effects},
    keys::{Action, Chord, Context, Found, Group},
    local::Write,
    net::Request,
    state::{Mode, Pane, State, line::Phase, toast::Tone},
};

/// So many keys, and the first hints are not needed any more.
const HINTS_FOR_KEYS: u32 = 12;

pub(super) fn pressed(state: &mut State, key: KeyEvent, out: &mut Effects) {
    if key.kind == KeyEventKind::Release {
        return;
    }
    if matches!(state.line.phase, Phase::Waiting { .. }) {
        out.push(Effect::Net(Request::Nudge));
    }
    let chord = Chord::from(key);
    outgrow_hints(state, chord, out);
    if chord.ctrl && chord.code == KeyCode::Char('c') {
        return interrupt(state, out);
    }
    if !state.overlays.is_empty() {
        overlay::key(state, chord, out);
    } else if state.mode == Mode::Filter {
        queue::filter_key(state, chord, out);
    } else {
        bound(state, chord, out);
    }
}

/// The key as part of what the keymap knows.
fn bound(state: &mut State, chord: Chord, out: &mut Effects) {
    let context = Context::of(state);
    // What is quicker than fingers is a paste.
    let is_burst = edit::is_burst(state);
    if is_burst && state.mode == Mode::Compose && edit::pasted_key(state, chord) {
        return state.typed.clear();
    }
    if chord.code == KeyCode::Esc && (!state.typed.is_empty() || state.mode == Mode::Normal) {
        return escape(state);
    }
    state.typed.push(chord);
    match state.given.keymap.find(context, &state.typed) {
        Found::Prefix => {}
        Found::Action(action) => {
            state.typed.clear();
            if is_burst && !is_harmless(action) {
                return state.toast(Tone::Warn, "too quick to be typed: a paste is no command, and nothing was done");
            }
            perform(state, action, out);
        }
        Found::Nothing => {
            let first = state.typed.first().copied();
            let is_menu = state.typed.len() == 2 && first.is_some_and(|first| first.code == KeyCode::Char(' '));
            state.typed.clear();
            match state.given.keymap.find(context, &[chord]) {
                // The menu shows what every key does, so those keys do it.
                Found::Action(action) if is_menu => perform(state, action, out),
                _ if state.mode == Mode::Compose => edit::key(state, chord, out),
                Found::Action(_) | Found::Prefix | Found::Nothing => {}
            }
        }
    }
}

/// A pasted text in which somebody moves about does no harm; one that takes over, resolves or
/// approves would. In the composer a paste is text and was dealt with.
fn is_harmless(action: Action) -> bool {
    let spec = action.spec();
    matches!(spec.group, Group::Move | Group::View) || spec.contexts == [Context::Compose]
}

/// One step back: out of a sequence, out of the zoom, out to the queue.
fn escape(state: &mut State) {
    if !state.typed.is_empty() {
        state.typed.clear();
    } else if state.zoom {
        state.zoom = false;
    } else if !state.queue.filter.is_empty() {
        state.queue.set_filter(String::new());
        state.queue.release();
    } else {
        state.focus = Pane::Queue;
    }
}

/// `^c` never throws anything away: it leaves what lies on top, and at last asks whether to quit.
fn interrupt(state: &mut State, out: &mut Effects) {
    state.typed.clear();
    if state.overlays.pop().is_some() {
        return;
    }
    match state.mode {
        Mode::Compose | Mode::Filter => state.mode = Mode::Normal,
        Mode::Normal => overlay::quit(state, out),
    }
    draft::keep_all(state, out);
}

fn outgrow_hints(state: &mut State, chord: Chord, out: &mut Effects) {
    if state.settings.hints_seen {
        return;
    }
    state.keys_pressed += 1;
    if state.keys_pressed >= HINTS_FOR_KEYS || chord.code == KeyCode::Esc {
        state.settings.hints_seen = true;
        out.push(Effect::Keep(Write::Settings(state.settings.clone())));
    }
}

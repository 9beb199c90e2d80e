//! What events do to the state: the only writer. One file an area, named as in `state` and `view`.

mod answer;
mod attach;
mod board;
mod compose;
mod control;
mod draft;
mod edit;
mod file;
mod hands;
mod key;
mod merge;
mod message;
mod net;
mod offer;
mod overlay;
mod proposal;
mod queue;
mod settle;
mod template;
mod thread;

use baton_shared::{
    ConversationId, Micros,
    protocol::{Act, Command, ThreadAction},
};

use crate::{
    event::{Cause, Effect, Effects, Event},
    keys::Action,
    local::Write,
    net::{Request, Unanswered},
    state::{
        Pane, State,
        commands::Stage,
        thread::{Manner, Thread},
        toast::Tone,
    },
};

/// Applies what happened; returns what the world should do.
pub fn update(state: &mut State, event: Event) -> Effects {
    let mut out = Effects::new();
    state.now = Micros(event.now.0.saturating_add(state.ahead));
    match event.cause {
        Cause::Key(key) => key::pressed(state, key, &mut out),
        Cause::Paste(text) => edit::pasted(state, &text),
        Cause::Resize { columns, rows } => state.size = (columns, rows),
        Cause::Focus(focused) => focus(state, focused, &mut out),
        Cause::Net(happened) => net::happened(state, happened, event.now, &mut out),
        Cause::Tick => {}
        Cause::Kept(kept) => draft::kept(state, kept, &mut out),
        Cause::File(news) => file::happened(state, news, &mut out),
        Cause::Edited { conversation, slot, text } => edit::came_back(state, conversation, slot, text),
        Cause::Stop => quit(state, &mut out),
    }
    settle::settle(state, &mut out);
    out
}

/// Does what a key or the palette asked for, or says why not.
fn perform(state: &mut State, action: Action, out: &mut Effects) {
    if let Err(why) = action.enabled(state) {
        let label = action.spec().label;
        return state.toast(Tone::Warn, format!("{label}: {}", why.0));
    }
    match action {
        Action::Down => step(state, 1),
        Action::Up => step(state, -1),
        Action::HalfDown => half_page(state, 1),
        Action::HalfUp => half_page(state, -1),
        Action::Top => to_top(state),
        Action::Bottom => to_bottom(state),
        Action::Open => queue::open_selected(state, out),
        Action::NextPane => queue::next_pane(state, 1),
        Action::PreviousPane => queue::next_pane(state, -1),
        Action::QueuePane => queue::go_to_pane(state, Pane::Queue),
        Action::ChatPane => queue::go_to_pane(state, Pane::Chat),
        Action::ContextPane => queue::go_to_pane(state, Pane::Context),
        Action::Zoom => queue::zoom(state),
        Action::Urgent => queue::most_urgent(state, out),
        Action::Back => queue::back(state, out),
        Action::Fold => queue::fold(state),
        Action::Unfold => queue::unfold(state),
        Action::Filter => queue::filter(state),
        Action::Reply => compose::reply(state, out),
        Action::ReplyTo => compose::reply_to_this(state, out),
        Action::Later => compose::later(state, out),
        Action::Attach => attach::begin(state),
        Action::Offer => offer::begin(state),
        Action::Template => template::pick(state, out),
        Action::Consent => overlay::consent(state),
        Action::React => message::react(state),
        Action::Note => compose::note(state, out),
        Action::Leave => compose::leave(state),
        Action::Send => compose::send(state, out),
        Action::Newline => edit::newline(state),
        Action::Stash => compose::stash(state),
        Action::Undo => edit::undo(state),
        Action::Redo => edit::redo(state),
        Action::OwnEditor => compose::own_editor(state, out),
        Action::Take => control::take(state, out),
        Action::HandBack => control::hand_back(state, out),
        Action::Resolve => control::resolve(state, out),
        Action::Release => control::release(state, out),
        Action::Escalate => control::escalate(state, out),
        Action::PassThread => control::thread(state, ThreadAction::Pass, out),
        Action::ReleaseThread => control::thread(state, ThreadAction::Release, out),
        Action::Block => control::block(state),
        Action::Board => board::show(state, out),
        Action::Split => merge::ask(state),
        Action::Forget => control::forget(state),
        Action::Assign => control::assign(state, out),
        Action::Approve => proposal::approve(state, out),
        Action::EditProposal => proposal::edit(state),
        Action::Discard => proposal::discard(state, out),
        Action::NextProposal => proposal::next(state),
        Action::Copy => message::copy(state, out),
        Action::CopyThread => message::copy_thread(state, out),
        Action::Raw => message::raw(state),
        Action::Preview => file::preview(state, out),
        Action::OpenFile => file::open(state, out),
        Action::SaveFile => file::save(state),
        Action::Quoted => message::quoted(state),
        Action::Resend => message::resend(state),
        Action::Cancel => message::cancel(state, out),
        Action::Palette => overlay::palette(state),
        Action::Help => overlay::help(state),
        Action::ToggleContext => queue::toggle_context(state, out),
        Action::Wider => queue::widen(state, 2, out),
        Action::Narrower => queue::widen(state, -2, out),
        Action::Redraw => out.push(Effect::Redraw),
        Action::Quit => overlay::quit(state, out),
    }
}

/// Gives a command: to disk first, from there to the line, which sends it until it is answered.
fn give(state: &mut State, conversation: ConversationId, act: Act, out: &mut Effects) {
    let command = Command { id: state.given.ids.next(state.now), conversation, act };
    // Staleness is measured by this machine's clock.
    let made_at = Micros(state.now.0 - state.ahead);
    if matches!(command.act, Act::Read { .. }) {
        // Nobody misses it after a crash.
        state.commands.put(command.clone(), made_at, Stage::Given);
        return out.push(Effect::Net(Request::Command(command)));
    }
    state.toasts.pass();
    state.commands.put(command.clone(), made_at, Stage::Keeping);
    out.push(Effect::Keep(Write::Command(Unanswered { made_at, command })));
}

/// Changes the open thread, if there is one.
fn with_thread(state: &mut State, change: impl FnOnce(&mut Thread, usize, &Manner)) {
    let (height, manner) = (state.thread_height(), state.manner());
    if let Some(thread) = state.open.and_then(|id| state.threads.get_mut(&id)) {
        change(thread, height, &manner);
    }
}

fn step(state: &mut State, by: isize) {
    match state.focus {
        Pane::Queue => queue::step(state, by),
        Pane::Chat => with_thread(state, |thread, height, manner| thread.step(by, height, manner)),
        Pane::Context => state.context_scroll = state.context_scroll.saturating_add_signed(by),
    }
}

fn half_page(state: &mut State, by: isize) {
    match state.focus {
        Pane::Queue => queue::half_page(state, by),
        Pane::Chat => thread::half_page(state, by),
        Pane::Context => state.context_scroll = state.context_scroll.saturating_add_signed(by * 8),
    }
}

fn to_top(state: &mut State) {
    match state.focus {
        Pane::Queue => queue::to_top(state),
        Pane::Chat => with_thread(state, |thread, _, _| thread.to_start()),
        Pane::Context => state.context_scroll = 0,
    }
}

fn to_bottom(state: &mut State) {
    match state.focus {
        Pane::Queue => queue::to_bottom(state),
        Pane::Chat => with_thread(state, |thread, _, _| thread.to_end()),
        Pane::Context => state.context_scroll = usize::MAX / 2,
    }
}

fn focus(state: &mut State, focused: bool, out: &mut Effects) {
    state.focused = focused;
    if focused && !state.line.is_connected() {
        out.push(Effect::Net(Request::Nudge));
    }
}

fn quit(state: &mut State, out: &mut Effects) {
    draft::keep_all(state, out);
    out.push(Effect::Quit);
}

#[cfg(test)]
mod tests;

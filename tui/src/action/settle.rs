//! What follows from every change: order, what was seen, what is due.

use std::time::Duration;

use baton_shared::protocol::{Act, Doing};

use super::{board, draft, give, with_thread};
use crate::{
    event::{Effect, Effects},
    local::Slot,
    net::Request,
    state::{Mode, Pane, State, layout::Layout, toast::Tone},
    text::{Anchor, Clean},
    words,
};

/// Looked at for so long, it has been read.
const READING: Duration = Duration::from_secs(1);

/// A window that closes within this is announced.
const CLOSING: Duration = Duration::from_secs(600);
const LOOK_AT_WINDOWS: Duration = Duration::from_secs(10);

pub(super) fn settle(state: &mut State, out: &mut Effects) {
    state.toasts.expire(state.now);
    state.queue.beside(state.open);
    let (now, height) = (state.now, state.queue_height());
    state.queue.settle(now, height);
    announce(state, out);
    warn_of_windows(state);
    show_pending(state);
    look(state, out);
    read(state, out);
    draft::keep_due(state, out);
    draft::tell_server(state, out);
    be_here(state, out);
    board::ask_again(state, out);
}

/// Whoever looks elsewhere is told that somebody waits.
fn announce(state: &mut State, out: &mut Effects) {
    let (arrived, news) = (state.queue.take_arrived(), std::mem::take(&mut state.news));
    if state.focused {
        return;
    }
    let needs = if arrived == 1 { "needs" } else { "need" };
    let waiting = (arrived > 0).then(|| format!("{} {needs} a person", words::count(arrived, "conversation")));
    let of_mine = [
        (news.given, "conversation", "given to you"),
        (news.lost, "conversation", "of yours changed hands"),
        (news.wrote, "customer", "of yours wrote"),
    ];
    let of_mine = of_mine.into_iter().filter(|(number, ..)| *number > 0);
    let of_mine = of_mine.map(|(number, thing, what)| format!("{} {what}", words::count(number, thing)));
    let sentence: Vec<String> = waiting.into_iter().chain(of_mine).collect();
    if !sentence.is_empty() {
        out.push(Effect::Notify(Clean::line(&sentence.join(", "))));
    }
}

/// Says once that a window of mine is about to close.
fn warn_of_windows(state: &mut State) {
    if state.now < state.look_at_windows {
        return;
    }
    state.look_at_windows = state.now.plus(LOOK_AT_WINDOWS);
    let (now, me) = (state.now, state.my_id());
    let closing = state.queue.rows().find(|row| {
        let is_near = row.window.is_open(now) && row.window.left(now) < CLOSING;
        let is_told = state.warned_windows.get(&row.id) == row.window.closes_at.as_ref();
        is_near && !is_told && me.is_some() && row.control.owner() == me
    });
    if let Some(row) = closing {
        let sentence = format!("{}: the window closes in {}", row.customer, words::left(row.window.left(now)));
        let told = row.window.closes_at.map(|at| (row.id, at));
        state.warned_windows.extend(told);
        state.toast(Tone::Warn, sentence);
    }
}

/// What I said is drawn as pending until its message is in the thread.
fn show_pending(state: &mut State) {
    let arrived: Vec<_> = state
        .commands
        .messages()
        .filter(|(conversation, message)| {
            // A thread that is not followed will bring the message when it is opened.
            state.threads.get(conversation).is_none_or(|thread| thread.get(*message).is_some())
        })
        .map(|(_, message)| message)
        .collect();
    for message in arrived {
        state.commands.shown(message);
    }
    let me = state.my_id();
    for (conversation, thread) in &mut state.threads {
        let going = state.bringing.iter().filter(|one| one.conversation == *conversation && one.is_going());
        let pending = state.commands.said(*conversation, me).into_iter().chain(going.map(|one| one.said(me)));
        thread.set_pending(pending.collect());
    }
}

/// What is on screen has been seen; where the start comes near, older messages are fetched.
fn look(state: &mut State, out: &mut Effects) {
    if Layout::of(state).chat.is_none() {
        return;
    }
    let Some(conversation) = state.open else { return };
    let is_connected = state.line.is_connected();
    with_thread(state, |thread, height, manner| {
        thread.see(height, manner);
        if is_connected
            && thread.wants_older(height, manner)
            && let Some(before) = thread.oldest()
        {
            thread.loading = true;
            out.push(Effect::Net(Request::History { conversation, before }));
        }
    });
}

/// Browsing is not reading: only the end of the chat one works in, looked at for a moment.
fn read(state: &mut State, out: &mut Effects) {
    let newest = unread_in_sight(state);
    match (newest, state.read_at) {
        (None, _) => state.read_at = None,
        (Some((conversation, message)), Some((known, seen, at))) if (known, seen) == (conversation, message) => {
            if state.now >= at {
                state.read_at = None;
                state.queue.amend(conversation, |row| row.unread = 0);
                give(state, conversation, Act::Read { through: message }, out);
            }
        }
        (Some((conversation, message)), _) => {
            state.read_at = Some((conversation, message, state.now.plus(READING)));
        }
    }
}

fn unread_in_sight(state: &State) -> Option<(baton_shared::ConversationId, baton_shared::MessageId)> {
    let row = state.open_row().filter(|row| row.unread > 0)?;
    let thread = state.open_thread().filter(|thread| thread.anchor == Anchor::Bottom)?;
    let works_here = state.focused && (state.focus == Pane::Chat || state.mode == Mode::Compose);
    let is_pending = state.commands.is_pending(row.id, |act| matches!(act, Act::Read { .. }));
    let newest = thread.newest_of_customer().filter(|_| works_here && !is_pending)?;
    Some((row.id, newest.id))
}

fn be_here(state: &mut State, out: &mut Effects) {
    let viewing = state.open.filter(|_| Layout::of(state).chat.is_some());
    let typing = viewing.is_some() && state.now < state.typing_until;
    let to_customer = typing && viewing.is_some_and(|open| state.composer(open).slot == Slot::Reply);
    let doing = Doing { viewing, typing, to_customer };
    if state.said_here != doing {
        state.said_here = doing;
        out.push(Effect::Net(Request::Here(doing)));
    }
}

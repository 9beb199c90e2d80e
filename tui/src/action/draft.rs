//! Typed text on its way to disk and to the server.

use baton_shared::ConversationId;

use crate::{
    event::{Effect, Effects, Kept},
    local::Write,
    net::Request,
    state::{State, toast::Tone},
};

/// What is due goes to disk.
pub(super) fn keep_due(state: &mut State, out: &mut Effects) {
    keep(state, false, out);
}

/// Everything typed goes to disk, due or not: somebody leaves.
pub(super) fn keep_all(state: &mut State, out: &mut Effects) {
    keep(state, true, out);
}

fn keep(state: &mut State, all: bool, out: &mut Effects) {
    let now = state.now;
    let due = state.composers.iter_mut().filter_map(|(id, composer)| composer.due(*id, now, all));
    out.extend(due.map(Effect::Keep));
}

/// Replies that are on disk go to the server, one at a time.
pub(super) fn tell_server(state: &mut State, out: &mut Effects) {
    if !state.line.is_connected() {
        return;
    }
    for (conversation, composer) in &mut state.composers {
        if composer.keep_at().is_some() {
            continue;
        }
        if let Some((text, based_on)) = composer.to_say() {
            out.push(Effect::Net(Request::Draft { conversation: *conversation, text, based_on }));
        }
    }
}

/// A write to disk ended.
pub(super) fn kept(state: &mut State, kept: Kept, out: &mut Effects) {
    match kept {
        Kept::Command(id) => out.extend(state.commands.kept(id).map(|command| Effect::Net(Request::Command(command)))),
        Kept::Draft { conversation, slot } => {
            let now = state.now;
            state.composer(conversation).kept(slot, now);
        }
        Kept::Failed { what, why } => failed(state, *what, &why, out),
    }
}

fn failed(state: &mut State, what: Write, why: &str, out: &mut Effects) {
    match what {
        // Better sent without a copy here than not sent.
        Write::Command(unanswered) => {
            let command = state.commands.kept(unanswered.command.id);
            out.extend(command.map(|command| Effect::Net(Request::Command(command))));
        }
        Write::Desk { conversation, slot, .. } => try_again(state, conversation, slot),
        Write::ForgetCommand(_) | Write::Settings(_) => {}
    }
    state.toast(Tone::Bad, format!("this disk keeps nothing: {why}; a crash would lose what you type"));
}

fn try_again(state: &mut State, conversation: ConversationId, slot: crate::local::Slot) {
    let later = state.now.plus(std::time::Duration::from_secs(5));
    state.composer(conversation).keep_soon(slot, later);
}

//! Writing: begin, send, put aside.

use baton_shared::{ConversationId, MessageId, protocol::Act};

use super::{draft, give, queue};
use crate::{
    composer::Editor,
    event::{Effect, Effects},
    local::Slot,
    state::{Mode, Pane, State, thread::Thread, toast::Tone},
};

pub(super) fn reply(state: &mut State, out: &mut Effects) {
    begin(state, Slot::Reply, out);
    reply_to(state, None);
}

/// The same, with the message under the cursor shown above it.
pub(super) fn reply_to_this(state: &mut State, out: &mut Effects) {
    let quoted = state.open_thread().and_then(Thread::chosen).map(|said| said.id);
    begin(state, Slot::Reply, out);
    reply_to(state, quoted);
}

/// For a closed window: it waits until the customer has written.
pub(super) fn later(state: &mut State, out: &mut Effects) {
    begin(state, Slot::Reply, out);
    if let Some(composer) = state.open.and_then(|id| state.composers.get_mut(&id)) {
        (composer.later, composer.reply_to, composer.proposal) = (true, None, None);
    }
}

fn reply_to(state: &mut State, quoted: Option<MessageId>) {
    if let Some(composer) = state.open.and_then(|id| state.composers.get_mut(&id)) {
        (composer.reply_to, composer.later) = (quoted, false);
    }
}

pub(super) fn note(state: &mut State, out: &mut Effects) {
    begin(state, Slot::Note, out);
}

fn begin(state: &mut State, slot: Slot, out: &mut Effects) {
    let Some(conversation) = state.current_id() else { return };
    if state.open != Some(conversation) {
        queue::open(state, conversation, out);
    }
    state.composer(conversation).slot = slot;
    state.toasts.pass();
    state.focus = Pane::Chat;
    state.mode = Mode::Compose;
}

/// Back to commands; the text stays and goes to disk now.
pub(super) fn leave(state: &mut State) {
    state.mode = Mode::Normal;
    let (now, open) = (state.now, state.open);
    if let Some(composer) = open.and_then(|id| state.composers.get_mut(&id))
        && composer.keep_at().is_some()
    {
        composer.keep_soon(composer.slot, now);
    }
    if let Some(composer) = open.and_then(|id| state.composers.get_mut(&id))
        && composer.slot == Slot::Note
        && composer.is_empty(Slot::Note)
    {
        composer.slot = Slot::Reply;
    }
}

pub(super) fn send(state: &mut State, out: &mut Effects) {
    let Some(conversation) = state.open else { return };
    let editor = state.open_composer().and_then(|composer| composer.current());
    // Over a slow line typed keys may come all at once: one line is no paste to ask about.
    let written = editor.map_or(0, |editor| editor.text().trim().lines().count());
    if let Some(lines) = state.pasted.take_if(|lines| *lines > 1 && written > 1) {
        // A line end is not yet another line.
        let lines = lines.min(written);
        let key = state.given.keymap.hint(crate::keys::Action::Send).unwrap_or_default();
        return state.toast(Tone::Warn, format!("pasted {lines} lines; {key} again sends them"));
    }
    state.pasted = None;
    let composer = state.composer(conversation);
    let parts = composer.parts();
    if parts > 1 && composer.agreed.replace(parts) != Some(parts) {
        let key = state.given.keymap.hint(crate::keys::Action::Send).unwrap_or_default();
        return state.toast(Tone::Warn, format!("too long for one message: {key} again sends it as {parts}"));
    }
    let Some(act) = act(state, conversation) else { return };
    // First the command, then the empty draft: the disk never has neither.
    give(state, conversation, act, out);
    let now = state.now;
    let composer = state.composer(conversation);
    let was_note = composer.slot == Slot::Note;
    composer.edit(composer.slot, now, Editor::take);
    composer.keep_soon(composer.slot, now);
    if was_note {
        composer.slot = Slot::Reply;
        state.mode = Mode::Normal;
    } else {
        (composer.proposal, composer.reply_to, composer.in_spite_of) = (None, None, None);
        (composer.agreed, composer.later) = (None, false);
    }
    state.typing_until = now;
    if let Some(thread) = state.threads.get_mut(&conversation) {
        // Who answers has read what was new.
        thread.unread_from = None;
        thread.to_end();
    }
    draft::keep_due(state, out);
}

fn act(state: &State, conversation: ConversationId) -> Option<Act> {
    let composer = state.composers.get(&conversation)?;
    let text = composer.current()?.text().trim_end().to_owned();
    if composer.slot == Slot::Note {
        return Some(Act::Note { text });
    }
    let epoch = state.queue.get(conversation)?.epoch;
    let seen = seen(state, conversation);
    Some(match composer.proposal {
        Some(proposal) => Act::UseProposal { epoch, proposal, text, seen },
        None if composer.later && !state.queue.get(conversation)?.window.is_open(state.now) => {
            Act::SendWhenTheyWrite { epoch, text }
        }
        None if composer.parts() > 1 => {
            Act::SendParts { epoch, text, parts: composer.parts(), seen, reply_to: composer.reply_to }
        }
        None => Act::Send { epoch, text, seen, reply_to: composer.reply_to },
    })
}

/// The customer's newest message that was on screen, or that the server has told about.
pub(super) fn seen(state: &State, conversation: ConversationId) -> Option<MessageId> {
    let thread = state.threads.get(&conversation)?;
    let told = state.composers.get(&conversation).and_then(|composer| composer.in_spite_of);
    told.filter(|message| thread.get(*message).is_none()).or(thread.seen)
}

/// With a text: puts it aside. Without: brings the last one back.
pub(super) fn stash(state: &mut State) {
    let now = state.now;
    let Some(composer) = state.open.and_then(|id| state.composers.get_mut(&id)) else { return };
    let slot = composer.slot;
    let sentence = if composer.put_aside(slot, now) {
        composer.proposal = None;
        "put aside; the same key brings it back"
    } else if composer.bring_back(slot, now) {
        "brought back from the stash"
    } else {
        return;
    };
    state.toast(Tone::Done, sentence);
}

pub(super) fn own_editor(state: &mut State, out: &mut Effects) {
    let Some(conversation) = state.open else { return };
    draft::keep_all(state, out);
    let composer = state.composer(conversation);
    let (slot, text) = (composer.slot, composer.current().map(|editor| editor.text().to_owned()).unwrap_or_default());
    out.push(Effect::Edit { conversation, slot, text });
}

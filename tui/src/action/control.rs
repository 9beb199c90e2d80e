//! Taking over, and passing it on.

use baton_shared::{
    Control,
    protocol::{Act, ThreadAction},
};

use super::{give, queue};
use crate::{
    composer::Editor,
    event::Effects,
    state::{
        State,
        known::Conversation,
        overlay::{Assign, Field, Overlay, Sheet, Take},
        toast::Tone,
    },
};

/// At once, unless there is something to know first: the bot is writing, or somebody else has it.
pub(super) fn take(state: &mut State, out: &mut Effects) {
    let Some(row) = state.current() else { return };
    let (conversation, owner, epoch) = (row.id, row.control.owner(), row.epoch);
    let row_is_elsewhere = row.control == Control::Elsewhere;
    let bot_is_writing = row.control == Control::Bot && row.bot_busy;
    if state.open != Some(conversation) {
        queue::open(state, conversation, out);
    }
    if row_is_elsewhere {
        return give(state, conversation, Act::Thread { epoch, action: ThreadAction::Take }, out);
    }
    if owner.is_some() || bot_is_writing {
        let take = Take { conversation, owner, reason: Editor::default() };
        return state.overlays.push(Overlay::Take(take));
    }
    give(state, conversation, Act::Take { epoch }, out);
}

/// The dialog was confirmed.
pub(super) fn take_confirmed(state: &mut State, take: &Take, out: &mut Effects) {
    let (Some(row), Some(me)) = (state.queue.get(take.conversation), state.my_id()) else { return };
    let epoch = row.epoch;
    let act = match row.control.owner() {
        Some(_) => Act::Assign { epoch, to: me, reason: take.reason.text().trim().to_owned() },
        None => Act::Take { epoch },
    };
    give(state, take.conversation, act, out);
}

pub(super) fn hand_back(state: &mut State, out: &mut Effects) {
    if let Some(sheet) = sheet(state, Field::Note, out) {
        state.overlays.push(Overlay::HandBack(sheet));
    }
}

pub(super) fn resolve(state: &mut State, out: &mut Effects) {
    if let Some(sheet) = sheet(state, Field::Outcome, out) {
        state.overlays.push(Overlay::Resolve(sheet));
    }
}

fn sheet(state: &mut State, field: Field, out: &mut Effects) -> Option<Sheet> {
    let conversation = state.current_id()?;
    if state.open != Some(conversation) {
        queue::open(state, conversation, out);
    }
    Some(Sheet { conversation, outcome: 0, field })
}

pub(super) fn release(state: &mut State, out: &mut Effects) {
    act_on_current(state, |row| Act::Release { epoch: row.epoch }, out);
}

pub(super) fn escalate(state: &mut State, out: &mut Effects) {
    act_on_current(state, |row| Act::Escalate { epoch: row.epoch, reason: "asked_by_agent".into() }, out);
}

/// WhatsApp is asked who of the business's apps has the thread.
pub(super) fn thread(state: &mut State, action: ThreadAction, out: &mut Effects) {
    act_on_current(state, |row| Act::Thread { epoch: row.epoch, action }, out);
}

/// Asks before it blocks, or ends that.
pub(super) fn block(state: &mut State) {
    let Some(conversation) = state.current_id() else { return };
    let is_blocked = state.threads.get(&conversation).is_some_and(|thread| thread.card.blocked_at.is_some());
    state.overlays.push(Overlay::Block { conversation, blocked: !is_blocked });
}

/// Asks before the bot forgets.
pub(super) fn forget(state: &mut State) {
    let Some(conversation) = state.current_id() else { return };
    state.overlays.push(Overlay::Forget { conversation });
}

fn act_on_current(state: &mut State, act: impl FnOnce(&Conversation) -> Act, out: &mut Effects) {
    let Some((conversation, act)) = state.current().map(|row| (row.id, act(row))) else { return };
    give(state, conversation, act, out);
}

pub(super) fn assign(state: &mut State, _out: &mut Effects) {
    let Some(conversation) = state.current_id() else { return };
    let assign = Assign { conversation, to: 0, reason: Editor::default(), in_reason: false };
    if assign.candidates(state).is_empty() {
        return state.toast(Tone::Warn, "there is nobody else to give it to");
    }
    state.overlays.push(Overlay::Assign(assign));
}

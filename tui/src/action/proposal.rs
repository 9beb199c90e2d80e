//! What the bot proposes: send it, change it, put it away.

use baton_shared::{
    ConversationId, ProposalId,
    protocol::{Act, TEXT_LIMIT},
};

use super::{compose::seen, give};
use crate::{
    event::Effects,
    local::Slot,
    state::{
        Mode, Pane, State,
        proposal::{self, is_stale},
        toast::Tone,
    },
};

/// Sends the proposal as it is. If the customer wrote after it was made, that needs a second key.
pub(super) fn approve(state: &mut State, out: &mut Effects) {
    let Some((conversation, proposal, text)) = shown(state) else { return };
    if text.chars().count() > TEXT_LIMIT {
        return state.toast(Tone::Warn, "too long for one message: edit it first");
    }
    if is_stale(state) && state.approved_stale != Some(proposal) {
        state.approved_stale = Some(proposal);
        return state.toast(Tone::Warn, "the customer wrote after this was made; again to send it all the same");
    }
    let Some(epoch) = state.queue.get(conversation).map(|row| row.epoch) else { return };
    let seen = seen(state, conversation);
    give(state, conversation, Act::UseProposal { epoch, proposal, text, seen }, out);
    if let Some(thread) = state.threads.get_mut(&conversation) {
        // The server will say so too; until then a second key must not send it twice.
        thread.card.proposals.retain(|known| known.id != proposal);
        thread.to_end();
    }
}

/// Puts the proposal into the composer; what was written there is kept below it.
pub(super) fn edit(state: &mut State) {
    let Some((conversation, proposal, text)) = shown(state) else { return };
    let now = state.now;
    let composer = state.composer(conversation);
    composer.slot = Slot::Reply;
    composer.edit(Slot::Reply, now, |editor| {
        let merged = if editor.is_empty() { text } else { format!("{text}\n\n{}", editor.text()) };
        editor.replace(&merged);
    });
    composer.proposal = Some(proposal);
    (state.mode, state.focus) = (Mode::Compose, Pane::Chat);
}

pub(super) fn discard(state: &mut State, out: &mut Effects) {
    let Some((conversation, proposal, _)) = shown(state) else { return };
    give(state, conversation, Act::DropProposal { proposal }, out);
    if let Some(thread) = state.threads.get_mut(&conversation) {
        thread.card.proposals.retain(|known| known.id != proposal);
    }
}

pub(super) fn next(state: &mut State) {
    let Some((_, at, count)) = proposal::shown(state) else { return };
    state.proposal_at = (at + 1) % count;
}

fn shown(state: &State) -> Option<(ConversationId, ProposalId, String)> {
    let (proposal, ..) = proposal::shown(state)?;
    Some((state.open?, proposal.id, proposal.text.as_str().to_owned()))
}

//! Which of the bot's proposals is on screen, and whether it still fits.

use super::{State, known::Proposal};

/// The proposal that the card shows.
pub fn shown(state: &State) -> Option<(&Proposal, usize, usize)> {
    let proposals = &state.open_thread()?.card.proposals;
    let at = state.proposal_at.min(proposals.len().checked_sub(1)?);
    Some((proposals.get(at)?, at, proposals.len()))
}

/// Whether the customer wrote after the shown proposal was made.
pub fn is_stale(state: &State) -> bool {
    let Some((proposal, ..)) = shown(state) else { return false };
    let newest = state.open_thread().and_then(|thread| thread.newest_of_customer());
    newest.is_some_and(|said| said.place.arrived_at > proposal.made_at)
}

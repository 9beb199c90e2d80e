//! What customers say about being written to: by WhatsApp's own switch, or by a word.

use baton_shared::{CustomerId, Ids, Micros};

use super::{Arrival, Conversation, Moment, Preference, StoreError, Tx};
use crate::{
    domain::consent::word,
    store::{
        consents::{self, Consent, Source},
        conversations,
        customers::{self, AliasKind, Key},
        events::{self, Event},
    },
};

/// Whoever is no customer yet has nothing to be told.
pub(super) async fn store(tx: &mut Tx, wishes: &[Preference], at: Moment, ids: &Ids) -> Result<(), StoreError> {
    for wish in wishes {
        // The user id says more than the phone.
        let names = [(AliasKind::User, &wish.user_id), (AliasKind::Phone, &wish.phone)];
        let names = names.into_iter().filter_map(|(kind, value)| Some((wish.scope.as_str(), kind, value.as_deref()?)));
        let known = customers::find(tx.conn(), names.clone()).await?;
        let goes_by = |key: Key| known.iter().map(|known| &known.alias).find(|alias| alias.key() == key);
        let mut keys = names.map(|(scope, kind, value)| Key::new(scope, kind, value));
        let Some(customer) = keys.find_map(goes_by).map(|alias| alias.customer) else { continue };
        let when = said_at(wish.second, at.now);
        keep(tx, customer, wish.granted, Source::Meta, wish.proof.clone(), when, at, ids).await?;
    }
    Ok(())
}

/// A message that is nothing but `stop`, or `start`, in some language.
pub(super) async fn by_word(
    tx: &mut Tx,
    thread: &mut Conversation,
    arrival: &Arrival,
    at: Moment,
    ids: &Ids,
) -> Result<(), StoreError> {
    let (Some(customer), Some(granted)) = (thread.customer, word(&arrival.text)) else { return Ok(()) };
    let when = said_at(arrival.second, at.now);
    keep(tx, customer, granted, Source::Word, arrival.wamid.clone(), when, at, ids).await
}

/// Meta tells whole seconds. It counts as said at the end of its second: what was recorded in the same
/// second, just before, must not overrule a refusal.
fn said_at(second: Option<i64>, now: Micros) -> Micros {
    second.map_or(now, |second| Micros::from_seconds(second.saturating_add(1))).min(now)
}

/// Stores it, and tells whoever has a conversation with this customer on screen.
#[expect(clippy::too_many_arguments, reason = "each is a fact about the wish that no other implies")]
pub(in crate::store) async fn keep(
    tx: &mut Tx,
    customer: CustomerId,
    granted: bool,
    source: Source,
    proof: String,
    when: Micros,
    at: Moment,
    ids: &Ids,
) -> Result<(), StoreError> {
    let new = Consent { id: ids.next(at.now), customer, granted, source, proof, agent: None, at: when };
    if consents::put(tx, &new).await? {
        for thread in conversations::lock_of_customers(tx, &[customer]).await? {
            events::append(tx, Event::new("consent_changed", at.now).of(thread.id)).await?;
        }
    }
    Ok(())
}

//! Which arrivals change a message instead of being one.

use std::collections::HashMap;

use baton_shared::{ConversationId, Ids, MessageId, message::Author};

use super::{Arrival, Moment, StoreError, Stored, Tx};
use crate::{
    domain::{amended::Kind, order},
    store::{amendments::Amendment, messages},
};

pub(super) fn is_amendment(arrival: &Arrival) -> bool {
    Kind::of(&arrival.kind).is_some() && arrival.quoted.is_some()
}

/// What is stored of a change; `None` if the arrival is a message of its own.
pub(super) fn amendment(arrival: &Arrival, thread: ConversationId, at: Moment, ids: &Ids) -> Option<Amendment> {
    Kind::of(&arrival.kind)?;
    Some(Amendment {
        id: ids.next(at.now),
        conversation: thread,
        wamid: arrival.wamid.clone(),
        target: arrival.quoted.clone()?,
        kind: arrival.kind.clone(),
        author: if arrival.by_business { Author::Phone } else { Author::Customer },
        actor: arrival.user_id.clone().or_else(|| arrival.phone.clone()).unwrap_or_default(),
        text: arrival.text.clone(),
        detail: arrival.detail.clone(),
        second: order::inbound(arrival.second, at.now, arrival.index).second,
        arrived_at: at.now,
    })
}

/// The messages that this batch changes, as far as they are here.
pub(super) struct Targets {
    known: HashMap<String, (MessageId, ConversationId)>,
    /// Those that were changed.
    pub(super) amended: Vec<MessageId>,
}

impl Targets {
    pub(super) async fn find(tx: &mut Tx, arrivals: &[&Arrival]) -> Result<Self, StoreError> {
        let amending = arrivals.iter().filter(|one| is_amendment(one));
        let wamids: Vec<&str> = amending.filter_map(|one| one.quoted.as_deref()).collect();
        let mut known = HashMap::new();
        if !wamids.is_empty() {
            let found = messages::by_wamids(tx.conn(), wamids).await?;
            known.extend(found.into_iter().map(|(wamid, message, thread)| (wamid, (message, thread))));
        }
        Ok(Self { known, amended: Vec::new() })
    }

    /// One that came with this very batch.
    pub(super) fn add(&mut self, message: &Stored) {
        if let Some(wamid) = &message.wamid {
            self.known.insert(wamid.clone(), (message.id, message.conversation));
        }
    }

    /// The message that is changed; a change does not reach into another conversation.
    pub(super) fn of(&mut self, amendment: &Amendment) -> Option<MessageId> {
        let (message, thread) = self.known.get(&amendment.target)?;
        if *thread != amendment.conversation {
            return None;
        }
        self.amended.push(*message);
        Some(*message)
    }
}

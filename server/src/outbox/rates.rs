//! Meta's limits of one number, asked before a message starts.

use std::collections::HashMap;

use baton_shared::{ConversationId, Micros};

use crate::whatsapp::limits::{Pair, Throughput};

/// What may go when. All times are of leases.
#[derive(Debug)]
pub(super) struct Rates {
    number: Throughput,
    pairs: HashMap<ConversationId, Pair>,
}

/// Why a message may not go yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TooFast {
    /// The number as a whole.
    Number(Micros),
    /// This customer only.
    Pair(Micros),
}

impl Rates {
    /// Goes on from the attempts of the last minutes, whoever made them.
    pub(super) fn after(attempts: impl IntoIterator<Item = (ConversationId, Micros)>) -> Self {
        let mut rates = Self { number: Throughput::new(Throughput::USUAL), pairs: HashMap::new() };
        for (conversation, at) in attempts {
            rates.number.record(at);
            rates.pairs.entry(conversation).or_default().record(at);
        }
        rates
    }

    pub(super) fn take(&mut self, conversation: ConversationId, now: Micros) -> Result<(), TooFast> {
        let pair = self.pairs.entry(conversation).or_default();
        let before = *pair;
        pair.take(now).map_err(TooFast::Pair)?;
        self.number.take(now).map_err(|until| {
            *pair = before;
            TooFast::Number(until)
        })
    }

    /// What was taken for a message that did not start.
    pub(super) fn give_back(&mut self, conversation: ConversationId) {
        self.number.give_back();
        if let Some(pair) = self.pairs.get_mut(&conversation) {
            pair.give_back();
        }
    }

    /// Forgets customers to whom nothing is owed.
    pub(super) fn forget_idle(&mut self, now: Micros) {
        self.pairs.retain(|_, pair| !pair.is_idle(now));
    }
}

//! Meta's limits of one number, asked before a message starts.

use std::collections::HashMap;

use baton_shared::{ConversationId, Micros};

use crate::whatsapp::limits::{Pair, Throughput};

/// What may go when. All times are of leases.
#[derive(Debug)]
pub(super) struct Rates {
    number: Throughput,
    per_second: u32,
    /// Meta has asked for silence until then.
    silent_until: Micros,
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
        let per_second = Throughput::USUAL;
        let mut rates = Self {
            number: Throughput::new(per_second),
            per_second,
            silent_until: Micros(i64::MIN),
            pairs: HashMap::new(),
        };
        for (conversation, at) in attempts {
            rates.number.record(at);
            rates.pairs.entry(conversation).or_default().record(at);
        }
        rates
    }

    /// So many messages a second from now on.
    pub(super) fn allow(&mut self, per_second: u32) {
        if self.per_second != per_second {
            self.per_second = per_second;
            self.number.allow(per_second);
        }
    }

    pub(super) fn take(&mut self, conversation: ConversationId, now: Micros) -> Result<(), TooFast> {
        if now < self.silent_until {
            return Err(TooFast::Number(self.silent_until));
        }
        let pair = self.pairs.entry(conversation).or_default();
        let before = *pair;
        pair.take(now).map_err(TooFast::Pair)?;
        self.number.take(now).map_err(|until| {
            *pair = before;
            TooFast::Number(until)
        })
    }

    /// Nothing goes before `until`.
    pub(super) fn be_silent(&mut self, until: Micros) {
        self.silent_until = self.silent_until.max(until);
    }

    /// How much has gone to this customer lately: whoever has had least goes first.
    pub(super) fn had(&self, conversation: ConversationId, now: Micros) -> u32 {
        self.pairs.get(&conversation).filter(|pair| !pair.is_idle(now)).map_or(0, |pair| pair.sent())
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

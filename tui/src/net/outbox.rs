//! Commands that nobody has answered yet: sent again after every reconnect, under the same id.

use std::{collections::VecDeque, time::Duration};

use baton_shared::{CommandId, Micros, protocol::Command};
use serde::{Deserialize, Serialize};

/// A command and when its author gave it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unanswered {
    pub made_at: Micros,
    pub command: Command,
}

/// In the order in which they were given.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: VecDeque<Unanswered>,
}

impl Outbox {
    pub(super) fn push(&mut self, unanswered: Unanswered) {
        self.waiting.push_back(unanswered);
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Unanswered> {
        self.waiting.iter()
    }

    /// The command that `id` names, which now has its answer; `None` for a second answer.
    pub(super) fn settle(&mut self, id: CommandId) -> Option<Command> {
        let at = self.waiting.iter().position(|waiting| waiting.command.id == id)?;
        self.waiting.remove(at).map(|unanswered| unanswered.command)
    }

    /// Takes out what was given longer than `limit` ago: words that were right then may be wrong
    /// now, so their author decides.
    pub(super) fn expire(&mut self, now: Micros, limit: Duration) -> Vec<Command> {
        let (stale, fresh) = std::mem::take(&mut self.waiting).into_iter().partition(|w| now.since(w.made_at) > limit);
        self.waiting = fresh;
        let stale: VecDeque<Unanswered> = stale;
        stale.into_iter().map(|unanswered| unanswered.command).collect()
    }
}

#[cfg(test)]
mod tests {
    use baton_shared::{ConversationId, Epoch, Ids, protocol::Act};

    use super::*;

    fn given(ids: &Ids, second: i64) -> Unanswered {
        let made_at = Micros::from_seconds(second);
        let conversation: ConversationId = ids.next(made_at);
        Unanswered {
            made_at,
            command: Command { id: ids.next(made_at), conversation, act: Act::Take { epoch: Epoch(1) } },
        }
    }

    #[test]
    fn an_answer_settles_once() {
        let ids = Ids::seeded(1);
        let mut outbox = Outbox::default();
        let (a, b) = (given(&ids, 1), given(&ids, 2));
        outbox.push(a.clone());
        outbox.push(b.clone());
        assert_eq!(outbox.settle(a.command.id), Some(a.command.clone()));
        assert_eq!(outbox.settle(a.command.id), None);
        assert_eq!(outbox.iter().collect::<Vec<_>>(), [&b]);
    }

    #[test]
    fn old_words_are_not_sent_by_themselves() {
        let ids = Ids::seeded(1);
        let mut outbox = Outbox::default();
        let (old, young) = (given(&ids, 0), given(&ids, 500));
        outbox.push(old.clone());
        outbox.push(young.clone());
        let stale = outbox.expire(Micros::from_seconds(700), Duration::from_secs(600));
        assert_eq!(stale, [old.command]);
        assert_eq!(outbox.len(), 1);
    }
}

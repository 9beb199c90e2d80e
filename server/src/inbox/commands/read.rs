//! Somebody has read what there is; the customer is told only by whoever answers them.

use baton_shared::{
    MessageId,
    message::Author,
    protocol::{Answer, Refusal},
};

use crate::store::{messages, wakes::Topic};

use super::{Desk, No};

impl Desk<'_> {
    /// A silent watcher of a colleague's conversation leaves no trace.
    pub(super) async fn read(&mut self, through: MessageId) -> Result<Answer, No> {
        let message = messages::by_id(self.tx.conn(), through).await?;
        let message = message.filter(|message| message.conversation == self.conversation.id);
        let nothing = || No::because(Refusal::NotFound, "There is no such message in this conversation.");
        let message = message.ok_or_else(nothing)?;
        let someone_elses = self.conversation.control.owner().is_some() && !self.is_mine();
        let all_read = self.conversation.newest.is_none_or(|newest| newest == through);
        if someone_elses || (self.conversation.unread == 0 && !self.is_mine()) {
            return Ok(self.done(None));
        }
        if all_read {
            self.conversation.unread = 0;
        }
        if self.is_mine() && message.author == Author::Customer {
            self.conversation.mark_wamid = message.wamid;
            self.tx.wake(Topic::Outbox);
        }
        self.tell(self.event("read").about(through)).await?;
        self.save().await?;
        Ok(self.done(None))
    }
}

//! What is in trouble is sent again, or not at all.

use baton_shared::{
    Control, MessageId,
    message::{Author, Delivery},
    protocol::{Answer, Refusal},
};

use crate::{
    domain::control::{Refused, may_send},
    store::{
        messages::{self, Stored},
        outbox,
        wakes::Topic,
    },
};

use super::{
    super::roles::{Right, may},
    Desk, No,
};

impl Desk<'_> {
    /// A new message with the same text; the old one is nobody's worry any more, and never sent.
    pub(super) async fn resend(&mut self, message: MessageId) -> Result<Answer, No> {
        may_send(self.conversation.control, self.who())?;
        let mut old = self.message(message).await?;
        if !may_go_again(&old) {
            let why = "Only what failed, was held or may not have arrived can be sent again, and once.";
            return Err(No::because(Refusal::NotFromHere, why));
        }
        if old.kind != outbox::TEMPLATE {
            self.check_open()?;
        }
        // A file that Meta would not have is brought to it once more.
        let anew = old.delivery == Some(Delivery::Failed);
        old.trouble = false;
        if old.delivery == Some(Delivery::Held) {
            old.delivery = Some(Delivery::Cancelled);
        }
        messages::save(self.tx, &old).await?;
        self.tell(self.event("message_state").about(old.id).because("sent_again")).await?;
        let payload = messages::raw(self.tx.conn(), old.id).await?;
        let new = Stored {
            kind: old.kind,
            detail: old.detail,
            quoted: old.quoted,
            resends: Some(old.id),
            payload,
            ..self.new_message(Author::Agent, old.text)
        };
        let new = self.answer(new).await?;
        self.attach_again(message, new, anew).await?;
        Ok(self.done(Some(new)))
    }

    pub(super) async fn cancel(&mut self, message: MessageId) -> Result<Answer, No> {
        let mut message = self.message(message).await?;
        let theirs = self.is_mine() || message.agent == Some(self.agent.id);
        if !theirs && !may(self.agent.role, Right::Assign) {
            return Err(Refused::NotYours { owner: self.conversation.control.owner() }.into());
        }
        if !matches!(message.delivery, Some(Delivery::Queued | Delivery::Held)) {
            return Err(No::because(Refusal::NotFromHere, "It is too late: only what has not left can be cancelled."));
        }
        message.delivery = Some(Delivery::Cancelled);
        message.next_try_at = None;
        message.trouble = false;
        messages::save(self.tx, &message).await?;
        self.unanswer(&message);
        self.tell(self.event("message_state").about(message.id).because("cancelled")).await?;
        self.save().await?;
        self.tx.wake(Topic::Outbox);
        Ok(self.done(Some(message.id)))
    }

    /// The customer has the last word again, and somebody owes an answer.
    fn unanswer(&mut self, lost: &Stored) {
        if matches!(self.conversation.control, Control::Resolved { .. }) {
            return;
        }
        self.conversation.unanswer(lost);
        if self.conversation.control == Control::Bot && self.conversation.unanswered_since.is_some() {
            self.conversation.due_at.get_or_insert(self.at.time);
            self.conversation.due_since.get_or_insert(self.at.time);
            self.tx.wake(Topic::Turns);
        }
    }

    pub(super) async fn message(&mut self, id: MessageId) -> Result<Stored, No> {
        let found = messages::by_id(self.tx.conn(), id).await?;
        let found = found.filter(|message| message.conversation == self.conversation.id);
        found.ok_or_else(|| No::because(Refusal::NotFound, "There is no such message in this conversation."))
    }
}

fn may_go_again(message: &Stored) -> bool {
    let stuck = matches!(message.delivery, Some(Delivery::Failed | Delivery::Held | Delivery::Unknown));
    stuck && message.trouble && matches!(message.author, Author::Agent | Author::Bot | Author::System)
}

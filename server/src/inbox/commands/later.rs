//! Words for a closed window: they wait until the customer has written.

use baton_shared::{
    message::{Author, Delivery},
    protocol::{Answer, Refusal, TEXT_LIMIT},
};

use crate::{
    domain::{control::may_send, outgoing::Hold},
    store::messages::{self, Stored},
};

use super::{Desk, No, words};

impl Desk<'_> {
    /// Nothing is answered by it yet: whoever waits, waits.
    pub(super) async fn send_when_they_write(&mut self, text: &str) -> Result<Answer, No> {
        may_send(self.conversation.control, self.who())?;
        let text = words::required(text, TEXT_LIMIT, "The text")?;
        if self.window().is_open(self.meta_now()) {
            let why = "The window is open: the customer has written. Look at it, and send it now.";
            return Err(No::because(Refusal::NotFromHere, why));
        }
        self.empty_draft(&text).await?;
        let new = Stored {
            delivery: Some(Delivery::Held),
            next_try_at: None,
            problem: Some(Hold::UntilTheyWrite.word().into()),
            ..self.new_message(Author::Agent, text)
        };
        messages::insert(self.tx, &new).await?;
        // What is wrong is never known at first, so it is not stored with a new one.
        messages::save(self.tx, &new).await?;
        self.conversation.last_message = Some(new.id);
        self.tell(self.event("message_queued").about(new.id)).await?;
        self.save().await?;
        Ok(self.done(Some(new.id)))
    }
}

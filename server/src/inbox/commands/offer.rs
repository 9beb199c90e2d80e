//! Choices, links, questions, forms, places and cards.

use baton_shared::{
    MessageId,
    content::Detail,
    message::Author,
    offer::Offer,
    protocol::{Answer, Refusal},
};

use crate::{domain::control::may_send, store::messages::Stored, whatsapp::offer::payload};

use super::{Desk, No, say, words};

impl Desk<'_> {
    pub(super) async fn send_offer(
        &mut self,
        offer: &Offer,
        seen: Option<MessageId>,
        reply_to: Option<MessageId>,
    ) -> Result<Answer, No> {
        may_send(self.conversation.control, self.who())?;
        let mut offer = offer.clone();
        for text in offer.texts_mut() {
            *text = words::clean(text);
        }
        offer
            .check()
            .map_err(|unfit| No::because(Refusal::Invalid, format!("It cannot be sent like this: {unfit}.")))?;
        self.check_open()?;
        if let Some(newest) = self.missed(seen) {
            return Ok(Answer::WroteMeanwhile { newest });
        }
        let quoted = self.quoted(reply_to).await?;
        let new = self.new_message(Author::Agent, offer.text());
        let (kind, payload) = (offer.message_kind().into(), Some(payload(&offer, &new.id.to_string()).to_string()));
        let detail = Detail { content: Some(offer.content()), ..Detail::default() };
        let new = Stored { kind, payload, quoted, detail: Some(say::json(&detail)?), ..new };
        let message = self.answer(new).await?;
        Ok(self.done(Some(message)))
    }
}

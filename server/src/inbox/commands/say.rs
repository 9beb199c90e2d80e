//! An agent says something: to the customer if they own the conversation, to colleagues always.

use baton_shared::{
    MessageId, Micros,
    content::{Content, Detail},
    message::Author,
    protocol::{Answer, PARTS_LIMIT, Refusal, TEXT_LIMIT},
    split::split,
};

use crate::{
    domain::control::may_send,
    store::{
        StoreError, drafts,
        messages::{self, Stored},
        outbox,
    },
    whatsapp::outgoing,
};

use super::{Desk, No, words};

impl Desk<'_> {
    pub(super) async fn send(
        &mut self,
        text: &str,
        seen: Option<MessageId>,
        reply_to: Option<MessageId>,
    ) -> Result<Answer, No> {
        may_send(self.conversation.control, self.who())?;
        let text = words::required(text, TEXT_LIMIT, "The text")?;
        self.check_open()?;
        if let Some(newest) = self.missed(seen) {
            return Ok(Answer::WroteMeanwhile { newest });
        }
        let quoted = self.quoted(reply_to).await?;
        self.empty_draft(&text).await?;
        let message = self.answer(Stored { quoted, ..self.new_message(Author::Agent, text) }).await?;
        Ok(self.done(Some(message)))
    }

    /// A long text as the messages that its author agreed to: all of them or none, in order, and when
    /// one fails the later ones are held.
    pub(super) async fn send_parts(
        &mut self,
        text: &str,
        agreed: u32,
        seen: Option<MessageId>,
        reply_to: Option<MessageId>,
    ) -> Result<Answer, No> {
        may_send(self.conversation.control, self.who())?;
        let text = words::required(text, TEXT_LIMIT * PARTS_LIMIT as usize, "The text")?;
        let parts = split(&text, TEXT_LIMIT);
        if parts.len() != agreed as usize || agreed > PARTS_LIMIT {
            let why = format!("It would become {} messages, not {agreed}. Look again.", parts.len());
            return Err(No::because(Refusal::Invalid, why));
        }
        self.check_open()?;
        if let Some(newest) = self.missed(seen) {
            return Ok(Answer::WroteMeanwhile { newest });
        }
        let mut quoted = self.quoted(reply_to).await?;
        self.empty_draft(&text).await?;
        // What they have in common, so that whoever sees one fail finds the others.
        let together = Some(self.context.ids.next(self.at.now));
        let parts = parts.into_iter().map(|part| Stored {
            turn: together,
            quoted: quoted.take(),
            ..self.new_message(Author::Agent, part.to_owned())
        });
        let parts: Vec<Stored> = parts.collect();
        let last = parts.last().map(|last| last.id);
        outbox::queue(self.tx, &mut self.conversation, parts, self.at).await?;
        self.conversation.unread = 0;
        self.save().await?;
        Ok(self.done(last))
    }

    /// A sign on a message; an empty one takes it away. It answers nothing.
    pub(super) async fn react(&mut self, message: MessageId, emoji: &str) -> Result<Answer, No> {
        may_send(self.conversation.control, self.who())?;
        let emoji = words::emoji(emoji)?;
        self.check_open()?;
        let target = self.wamid_of(message).await?;
        let detail = Detail { content: Some(Content::Reaction { emoji: Some(emoji.clone()) }), ..Detail::default() };
        let new = Stored {
            kind: outbox::REACTION.into(),
            detail: Some(json(&detail)?),
            payload: Some(outgoing::reaction(&target, &emoji).to_string()),
            quoted: Some(target),
            ..self.new_message(Author::Agent, emoji)
        };
        let id = self.queue(new).await?;
        self.save().await?;
        Ok(self.done(Some(id)))
    }

    /// What it shows above itself.
    pub(super) async fn quoted(&mut self, reply_to: Option<MessageId>) -> Result<Option<String>, No> {
        match reply_to {
            Some(message) => Ok(Some(self.wamid_of(message).await?)),
            None => Ok(None),
        }
    }

    /// Meta's id of a message of this conversation.
    async fn wamid_of(&mut self, message: MessageId) -> Result<String, No> {
        let why = "That message cannot be replied to: WhatsApp does not know it yet.";
        self.message(message).await?.wamid.ok_or_else(|| No::because(Refusal::NotFromHere, why))
    }

    /// What the customer wrote that the author had not on screen.
    pub(super) fn missed(&self, seen: Option<MessageId>) -> Option<MessageId> {
        self.conversation.newest.filter(|newest| Some(*newest) != seen)
    }

    /// Whether anything may be sent, and free text within the window.
    pub(super) fn check_open(&self) -> Result<(), No> {
        self.check_sending_on()?;
        if !self.window().is_open(self.meta_now()) {
            let why = "The 24-hour window is closed: wait until the customer writes again.";
            return Err(No::because(Refusal::WindowClosed, why));
        }
        Ok(())
    }

    pub(super) fn check_sending_on(&self) -> Result<(), No> {
        if !self.channel.sending_on {
            return Err(No::because(Refusal::SendingOff, "All sending from this number is switched off."));
        }
        Ok(())
    }

    /// Our clock, corrected with Graph's.
    pub(super) const fn meta_now(&self) -> Micros {
        Micros(self.at.now.0.saturating_add(self.channel.clock_offset))
    }

    /// Queues the agent's word; the customer is answered by it.
    pub(super) async fn answer(&mut self, message: Stored) -> Result<MessageId, No> {
        let message = self.queue(message).await?;
        self.conversation.unread = 0;
        self.save().await?;
        Ok(message)
    }

    /// The caller saves the conversation.
    async fn queue(&mut self, message: Stored) -> Result<MessageId, No> {
        let id = message.id;
        outbox::queue(self.tx, &mut self.conversation, vec![message], self.at).await?;
        Ok(id)
    }

    pub(super) async fn note(&mut self, text: &str) -> Result<Answer, No> {
        let text = words::required(text, TEXT_LIMIT, "The note")?;
        let message = self.keep_note(text).await?;
        Ok(self.done(Some(message)))
    }

    pub(super) async fn keep_note(&mut self, text: String) -> Result<MessageId, No> {
        let note = self.new_message(Author::Note, text);
        messages::insert(self.tx, &note).await?;
        self.tell(self.event("note_added").about(note.id)).await?;
        Ok(note.id)
    }

    pub(super) fn new_message(&self, author: Author, text: String) -> Stored {
        let (conversation, at) = (&self.conversation, self.at);
        let id = self.context.ids.next(at.now);
        let new = Stored::queued(
            id,
            conversation.id,
            conversation.channel,
            author,
            text,
            conversation.epoch,
            at.now,
            at.time,
        );
        let by_agent = matches!(author, Author::Agent | Author::Note);
        Stored { agent: by_agent.then_some(self.agent.id), ..new }
    }

    /// What has been sent is no draft any more; what was typed since stays.
    pub(super) async fn empty_draft(&mut self, sent: &str) -> Result<(), No> {
        let (agent, conversation, now) = (self.agent.id, self.conversation.id, self.at.now);
        let draft = drafts::get(self.tx.conn(), agent, conversation).await?;
        if let Some(draft) = draft.filter(|draft| words::clean(&draft.text) == sent) {
            // Err: it was changed meanwhile, and so it stays.
            let _ = drafts::put(self.tx, agent, conversation, "", draft.revision, now).await?;
        }
        Ok(())
    }
}

/// What is stored of a detail.
pub(super) fn json(detail: &Detail) -> Result<String, StoreError> {
    serde_json::to_string(detail).map_err(|_| StoreError::Corrupt("a detail that is no JSON"))
}

//! A template: the only word that may go into a closed window.

use baton_shared::{
    MessageId, UploadId,
    content::{Content, Detail},
    message::Author,
    protocol::{Answer, Refusal},
    template::{Filled, Template},
};

use crate::{
    domain::control::may_send,
    store::{
        consents::{self, Consent, Source},
        messages::Stored,
        outbox, templates,
        uploads::Upload,
    },
    whatsapp::outgoing,
};

use super::{Desk, No, file::shown, say, words};

/// The longest account of how a customer agreed, in characters.
const PROOF_LIMIT: usize = 500;

impl Desk<'_> {
    pub(super) async fn send_template(&mut self, filled: &Filled, seen: Option<MessageId>) -> Result<Answer, No> {
        may_send(self.conversation.control, self.who())?;
        self.check_sending_on()?;
        let template = self.template(filled).await?;
        template.check(&filled.values).map_err(|misfit| {
            No::because(Refusal::Invalid, format!("The template cannot be sent like this: {misfit}."))
        })?;
        if template.is_marketing() {
            self.check_marketing().await?;
        }
        if let Some(newest) = self.missed(seen) {
            return Ok(Answer::WroteMeanwhile { newest });
        }
        let file = match template.header_file(&filled.values) {
            Some((file, kind)) => Some(self.header_file(file, kind).await?),
            None => None,
        };
        let detail =
            file.as_ref().map(|file| Detail { content: Some(Content::Media(shown(file))), ..Detail::default() });
        let new = Stored {
            detail: detail.as_ref().map(say::json).transpose()?,
            kind: outbox::TEMPLATE.into(),
            payload: Some(outgoing::template(&template, filled).to_string()),
            ..self.new_message(Author::Agent, template.preview(&filled.values))
        };
        let message = self.answer(new).await?;
        if let Some(file) = &file {
            self.attach(message, file).await?;
        }
        Ok(self.done(Some(message)))
    }

    /// The file for a header of this kind.
    async fn header_file(&mut self, file: UploadId, kind: &str) -> Result<Upload, No> {
        let file = self.upload(file).await?;
        if file.kind.word() == kind {
            return Ok(file);
        }
        let why = format!("The template's header is a file of the kind {kind}, this one is a {}.", file.kind.word());
        Err(No::because(Refusal::Invalid, why))
    }

    /// Only to whoever said yes, and has not said no since.
    async fn check_marketing(&mut self) -> Result<(), No> {
        let known = consents::of_conversation(self.tx.conn(), self.conversation.id).await?;
        let why = match known.map(|known| known.granted) {
            Some(true) => return Ok(()),
            Some(false) => "The customer wants no marketing.",
            None => "This is marketing, and it is not on record that the customer agreed to it. Record it first.",
        };
        Err(No::because(Refusal::NotAllowed, why))
    }

    /// An agent records what the customer said, and how.
    pub(super) async fn consent(&mut self, granted: bool, proof: &str) -> Result<Answer, No> {
        let proof = words::required(proof, PROOF_LIMIT, "How the customer said it")?;
        let Some(customer) = self.conversation.customer else {
            return Err(No::because(Refusal::NotFromHere, "A group agrees to nothing."));
        };
        let (id, at) = (self.context.ids.next(self.at.now), self.at.now);
        let agent = Some(self.agent.id);
        let new = Consent { id, customer, granted, source: Source::Agent, proof, agent, at };
        consents::put(self.tx, &new).await?;
        self.tell(self.event("consent_changed")).await?;
        self.save().await?;
        Ok(self.done(None))
    }

    async fn template(&mut self, filled: &Filled) -> Result<Template, No> {
        let account = &self.channel.business_account_id;
        let found = templates::by_name(self.tx.conn(), account, &filled.name, &filled.language).await?;
        let Some(found) = found else {
            let why = format!("There is no template {} in {}.", filled.name, filled.language);
            return Err(No::because(Refusal::NotFound, why));
        };
        let template =
            outgoing::read_template(&found.name, &found.language, &found.category, &found.status, &found.components);
        if !template.is_approved() {
            let why = format!("Meta does not let this template be sent: it is {}.", found.status.to_lowercase());
            return Err(No::because(Refusal::NotFromHere, why));
        }
        Ok(template)
    }
}

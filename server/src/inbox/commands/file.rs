//! A file that the agent brought before goes to the customer.

use std::time::Duration;

use baton_shared::{
    MessageId, UploadId,
    content::{self, Content, Detail, MediaState},
    file::{FileKind, check_caption},
    message::Author,
    protocol::{Answer, Refusal},
};

use crate::{
    domain::control::may_send,
    store::{
        media::{self, Media},
        messages::Stored,
        uploads::{self, Upload},
    },
    whatsapp::outgoing,
};

use super::{Desk, No, say, words};

/// How long it may be named; it is kept longer.
const USABLE: Duration = Duration::from_secs(12 * 3_600);

impl Desk<'_> {
    pub(super) async fn send_file(
        &mut self,
        file: UploadId,
        caption: &str,
        seen: Option<MessageId>,
        reply_to: Option<MessageId>,
    ) -> Result<Answer, No> {
        may_send(self.conversation.control, self.who())?;
        let file = self.upload(file).await?;
        let caption = words::clean(caption);
        check_caption(file.kind, &caption)
            .map_err(|unfit| No::because(Refusal::Invalid, format!("It cannot be sent like this: {unfit}.")))?;
        self.check_open()?;
        if let Some(newest) = self.missed(seen) {
            return Ok(Answer::WroteMeanwhile { newest });
        }
        let quoted = self.quoted(reply_to).await?;
        let detail = Detail { content: Some(Content::Media(shown(&file))), ..Detail::default() };
        let new = Stored {
            kind: file.kind.message_kind().into(),
            detail: Some(say::json(&detail)?),
            payload: Some(outgoing::file(file.kind, &caption, file.file_name.as_deref()).to_string()),
            quoted,
            ..self.new_message(Author::Agent, caption)
        };
        let id = new.id;
        self.answer(new).await?;
        self.attach(id, &file).await?;
        Ok(self.done(Some(id)))
    }

    /// One of the agent's own, brought for this conversation a while ago at the most.
    pub(super) async fn upload(&mut self, file: UploadId) -> Result<Upload, No> {
        let found = uploads::get(self.tx.conn(), self.agent.id, file).await?;
        let here = found.filter(|file| file.conversation == self.conversation.id);
        let young = here.filter(|file| self.at.now.since(file.created_at) < USABLE);
        young.ok_or_else(|| No::because(Refusal::NotFound, "The file is not on the server any more: attach it again."))
    }

    /// Its message is stored.
    pub(super) async fn attach(&mut self, message: MessageId, file: &Upload) -> Result<(), No> {
        let new = Media {
            message,
            conversation: self.conversation.id,
            channel: self.conversation.channel,
            meta_id: None,
            kind: file.kind.message_kind().into(),
            mime_type: Some(file.mime_type.clone()),
            digest: Some(file.digest.clone()),
            file_name: file.file_name.clone(),
            state: MediaState::Stored,
            problem: None,
            size: Some(file.size),
            place: Some(file.place.clone()),
            thumbnail: file.thumbnail,
            meta_until: None,
            tries: 0,
            next_try_at: self.at.time,
            created_at: self.at.now,
            words: None,
            words_state: None,
            words_problem: None,
            words_tries: 0,
        };
        Ok(media::attach(self.tx, &new).await?)
    }

    /// The file of a message goes with the one that sends it again. What Meta called it is forgotten if
    /// Meta would not have it.
    pub(super) async fn attach_again(&mut self, old: MessageId, new: MessageId, anew: bool) -> Result<(), No> {
        let Some(file) = media::of(self.tx.conn(), &[old]).await?.pop() else { return Ok(()) };
        let known = file.meta_id.zip(file.meta_until).filter(|_| !anew);
        let (meta_id, meta_until) = known.unzip();
        let again = Media { message: new, meta_id, meta_until, created_at: self.at.now, ..file };
        Ok(media::attach(self.tx, &again).await?)
    }
}

pub(super) fn shown(file: &Upload) -> content::Media {
    content::Media {
        mime_type: Some(file.mime_type.clone()),
        file_name: file.file_name.clone(),
        voice: file.kind == FileKind::Voice,
        ..content::Media::default()
    }
}

//! A customer's word: how it opens the window and becomes news.

use baton_shared::Micros;
use serde_json::Value as Json;

use super::{
    Attachment, Known, PersonId, Said, Whatsapp,
    ids::{self, Way},
    news::{About, News},
};

/// What a customer says.
#[derive(Clone, Debug)]
pub struct Saying {
    number: usize,
    kind: String,
    object: Json,
    attachment: Option<Box<Attachment>>,
    at: Option<Micros>,
    reply_to: Option<String>,
}

/// A customer's message, as webhooks repeat it.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) person: PersonId,
    pub(crate) number: usize,
    pub(crate) wamid: String,
    /// On Meta's clock.
    pub(crate) timestamp: i64,
    pub(crate) kind: String,
    pub(crate) object: Json,
    pub(crate) reply_to: Option<String>,
}

impl Saying {
    pub fn text(text: impl Into<String>) -> Self {
        Self::other("text", serde_json::json!({ "body": text.into() }))
    }

    /// Any other type (`image`, `order`, one that nobody knows) with its object.
    pub fn other(kind: impl Into<String>, object: Json) -> Self {
        Self { number: 0, kind: kind.into(), object, attachment: None, at: None, reply_to: None }
    }

    /// Something with a file.
    pub fn attached(attachment: Attachment) -> Self {
        let kind = attachment.kind.clone();
        Self { attachment: Some(Box::new(attachment)), ..Self::other(kind, Json::Null) }
    }

    /// To this number, counted as in the configuration; otherwise to the first.
    #[must_use]
    pub fn to_number(self, number: usize) -> Self {
        Self { number, ..self }
    }

    /// Said then, although it is delivered only now.
    #[must_use]
    pub fn at(self, at: Micros) -> Self {
        Self { at: Some(at), ..self }
    }

    /// As an answer to the message with this id.
    #[must_use]
    pub fn reply_to(self, wamid: impl Into<String>) -> Self {
        Self { reply_to: Some(wamid.into()), ..self }
    }
}

impl Whatsapp {
    /// A customer says something; the new message's id. Its webhook follows.
    ///
    /// # Panics
    /// If the person was not added or the number is not configured.
    pub fn say(&mut self, now: Micros, person: PersonId, saying: Saying) -> String {
        let number_id = self.config.numbers[saying.number].id.clone();
        let digits = self.people[person.0].digits().to_owned();
        let wamid = ids::wamid(&mut self.rng, Way::FromCustomer, &digits);
        let spoken_at = saying.at.unwrap_or(now).min(now);
        let meta_time = self.meta_time(spoken_at);
        self.rates.receive(&self.config.limits, now, saying.number);
        self.open_window(saying.number, person, meta_time);
        self.known.insert(wamid.clone(), Known::Incoming);
        self.ledger.said.push(Said {
            at: spoken_at,
            person,
            number: number_id,
            wamid: wamid.clone(),
            kind: saying.kind.clone(),
        });
        let object = match saying.attachment {
            Some(attachment) => self.attach(now, *attachment),
            None => saying.object,
        };
        self.incoming.push(Incoming {
            person,
            number: saying.number,
            wamid: wamid.clone(),
            timestamp: meta_time.seconds(),
            kind: saying.kind,
            object,
            reply_to: saying.reply_to,
        });
        let said = self.incoming.len() - 1;
        let about = if self.people[person.0].is_elsewhere { About::Copy(said) } else { About::Said(said) };
        self.report(now, News { number: saying.number, about }, false);
        wamid
    }

    /// A customer answers an interactive message with one of its buttons or rows; the new message's id.
    /// `None` if nothing of that title was offered.
    pub fn choose(&mut self, now: Micros, person: PersonId, wamid: &str, title: &str) -> Option<String> {
        let sent = self.outgoing.iter().find(|sent| sent.wamid == wamid && sent.person == Some(person))?;
        let action = &sent.offer.as_ref()?["action"];
        let all = |value: &Json| value.as_array().cloned().unwrap_or_default();
        let buttons = all(&action["buttons"]).into_iter().map(|button| ("button_reply", button["reply"].clone()));
        let rows = all(&action["sections"]).into_iter().flat_map(|section| all(&section["rows"]));
        let mut offered = buttons.chain(rows.map(|row| ("list_reply", row)));
        let (kind, chosen) = offered.find(|(_, one)| one["title"] == title)?;
        let number = sent.number;
        let object = serde_json::json!({"type": kind, kind: chosen});
        let saying = Saying::other("interactive", object).to_number(number).reply_to(wamid);
        Some(self.say(now, person, saying))
    }

    /// Meta counts from the second that it puts into the webhook.
    fn open_window(&mut self, number: usize, person: PersonId, meta_time: Micros) {
        let said = Micros::from_seconds(meta_time.seconds());
        let last = self.last_words.entry((number, person)).or_insert(said);
        *last = said.max(*last);
    }
}

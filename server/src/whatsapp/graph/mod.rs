//! The Graph client: what Baton asks of Meta, one method a request.

mod account;
mod answer;
mod http;
mod media;
mod thread;
mod transport;
mod usage;

use std::{fmt, sync::Arc, time::Duration};

use ::http::{HeaderName, Method};
use baton_shared::Micros;
use serde_json::{Value, json};

pub use account::{PhoneNumber, Subscription, Template, TemplatePage, TokenFacts};
pub use answer::{CallError, GraphError, clock_offset};
pub use http::HttpTransport;
pub use media::{MediaFacts, NewFile, NoFile};
pub use transport::{Form, NoResponse, Opened, Opening, Pending, Request, Response, Transport};

use self::answer::Answer;
use crate::config::{Channel, Secret};

/// One access token's view of Graph.
#[derive(Clone)]
pub struct Graph {
    transport: Arc<dyn Transport>,
    base_url: String,
    token: Secret,
    key_header: Option<HeaderName>,
}

/// Whom a message is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// Digits, with or without a leading `+`.
    Phone(String),
    /// A business-scoped user id.
    UserId(String),
}

/// A message to send.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    pub to: &'a Recipient,
    /// Its `type` with the object of that name.
    pub payload: &'a Value,
    /// The wamid of the message that it replies to.
    pub reply_to: Option<&'a str>,
    /// The attempt, which comes back with every status as `biz_opaque_callback_data`.
    pub callback: &'a str,
}

/// Meta has it, nothing more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    pub wamid: String,
    /// Meta's clock, for [`clock_offset`].
    pub date: Option<Micros>,
    /// How long nothing more should be sent: a limit is near.
    pub pause: Option<Duration>,
}

impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Graph").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

impl Graph {
    /// `base_url` has Graph's version and no slash at its end.
    pub fn new(transport: Arc<dyn Transport>, base_url: impl Into<String>, token: Secret) -> Self {
        Self { transport, base_url: base_url.into(), token, key_header: None }
    }

    /// As the settings of a number say: where its Graph is, and how it takes the key.
    pub fn of(transport: Arc<dyn Transport>, channel: &Channel) -> Self {
        let key_header = channel.key_header.clone();
        Self { key_header, ..Self::new(transport, &channel.graph_url, channel.access_token.clone()) }
    }

    /// Sends a message once: `POST /<phone number id>/messages`.
    ///
    /// # Errors
    /// [`CallError::Unanswered`] also if the answer has no message id: then nobody knows.
    pub async fn send(
        &self,
        phone_number_id: &str,
        message: Outgoing<'_>,
        deadline: Duration,
    ) -> Result<Accepted, CallError> {
        let answer = self.post(phone_number_id, "messages", &body(message), deadline).await?;
        match answer.json.pointer("/messages/0/id").and_then(Value::as_str) {
            Some(wamid) if !wamid.is_empty() => {
                Ok(Accepted { wamid: wamid.to_owned(), date: answer.date, pause: answer.pause })
            }
            _ => Err(CallError::Unanswered("an answer without a message id".into())),
        }
    }

    /// Marks a customer's message, and all before it, as read; `typing` shows for up to 25 s, or
    /// until something is sent.
    ///
    /// # Errors
    /// As any call; nothing depends on it.
    pub async fn mark_read(
        &self,
        phone_number_id: &str,
        wamid: &str,
        typing: bool,
        deadline: Duration,
    ) -> Result<(), CallError> {
        let mut body = json!({"messaging_product": "whatsapp", "status": "read", "message_id": wamid});
        if typing {
            body["typing_indicator"] = json!({"type": "text"});
        }
        self.post(phone_number_id, "messages", &body, deadline).await.map(drop)
    }

    async fn post(&self, id: &str, edge: &str, body: &Value, deadline: Duration) -> Result<Answer, CallError> {
        let url = self.url(&[id, edge], &[])?;
        let (bearer, key_header) = (Some(self.token.clone()), self.key_header.clone());
        let request = Request { method: Method::POST, url, bearer, key_header, body: Some(body.to_string()), deadline };
        answer::read(&self.transport.send(request).await?)
    }

    async fn get(&self, path: &[&str], query: &[(&str, &str)], deadline: Duration) -> Result<Answer, CallError> {
        let url = self.url(path, query)?;
        let (bearer, key_header) = (Some(self.token.clone()), self.key_header.clone());
        let request = Request { method: Method::GET, url, bearer, key_header, body: None, deadline };
        answer::read(&self.transport.send(request).await?)
    }

    /// With another token, which Graph itself takes.
    async fn get_as(
        &self,
        token: Secret,
        path: &[&str],
        query: &[(&str, &str)],
        deadline: Duration,
    ) -> Result<Answer, CallError> {
        let url = self.url(path, query)?;
        let request = Request { method: Method::GET, url, bearer: Some(token), key_header: None, body: None, deadline };
        answer::read(&self.transport.send(request).await?)
    }

    fn url(&self, path: &[&str], query: &[(&str, &str)]) -> Result<String, CallError> {
        let wrong = || CallError::Unsent("the Graph address is not one".into());
        let mut url = reqwest::Url::parse(&self.base_url).map_err(|_| wrong())?;
        url.path_segments_mut().map_err(|()| wrong())?.pop_if_empty().extend(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url.into())
    }
}

fn body(message: Outgoing<'_>) -> Value {
    let mut body = json!({
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "biz_opaque_callback_data": message.callback,
    });
    for (key, value) in message.payload.as_object().into_iter().flatten() {
        body[key] = value.clone();
    }
    match message.to {
        // Without the plus, Meta puts the business's own country code in front.
        Recipient::Phone(phone) => body["to"] = json!(format!("+{}", phone.trim_start_matches('+'))),
        Recipient::UserId(user_id) => body["recipient"] = json!(user_id),
    }
    if let Some(wamid) = message.reply_to {
        body["context"] = json!({"message_id": wamid});
    }
    body
}

#[cfg(test)]
mod tests;

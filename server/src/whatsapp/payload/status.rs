//! How far one of our messages has come, and Meta's errors.

use baton_shared::message::Delivery;
use serde_json::Value;

use super::{
    json,
    person::{Keys, Sender, person},
};

/// One element of `statuses`.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    pub wamid: String,
    pub state: Reported,
    /// Meta's second.
    pub timestamp: Option<i64>,
    /// Whom it was for; in a group the participant.
    pub recipient: Sender,
    pub group: Option<String>,
    /// `biz_opaque_callback_data`: the attempt.
    pub callback: Option<String>,
    pub errors: Vec<MetaError>,
    /// `service`, `utility`, ... or a word that did not exist when this was written.
    pub pricing_category: Option<String>,
    /// `regular`, `free_customer_service`, ...
    pub pricing_type: Option<String>,
    /// `PMP`, ...
    pub pricing_model: Option<String>,
    pub billable: Option<bool>,
    /// `conversation.origin.type`: what began it.
    pub origin: Option<String>,
    /// Meta's second until which the conversation lasts, where it says so.
    pub expires: Option<i64>,
}

/// What a status says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reported {
    Known(Delivery),
    /// A word that this build does not know.
    Other(String),
}

impl Reported {
    pub const fn delivery(&self) -> Option<Delivery> {
        match self {
            Self::Known(delivery) => Some(*delivery),
            Self::Other(_) => None,
        }
    }
}

/// An element of `errors`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetaError {
    pub code: i64,
    pub title: String,
    /// The part that says what is wrong with this very message.
    pub details: String,
}

/// An element of `statuses`; `None` without an id.
pub(super) fn status(element: &Value, contacts: &[Value]) -> Option<Status> {
    let in_group = json::text(element, "recipient_type").as_deref() == Some("group");
    let keys = if in_group { Keys::PARTICIPANT } else { Keys::RECIPIENT };
    Some(Status {
        wamid: json::text(element, "id")?,
        state: reported(json::text(element, "status").unwrap_or_default()),
        timestamp: json::number(element, "timestamp"),
        recipient: person(element, &keys, contacts),
        group: in_group.then(|| json::text(element, "recipient_id")).flatten(),
        callback: json::text(element, "biz_opaque_callback_data"),
        errors: errors(element),
        pricing_category: json::at(element, &["pricing", "category"]).and_then(json::as_text),
        pricing_type: json::at(element, &["pricing", "type"]).and_then(json::as_text),
        pricing_model: json::at(element, &["pricing", "pricing_model"]).and_then(json::as_text),
        billable: json::at(element, &["pricing", "billable"]).and_then(Value::as_bool),
        origin: json::at(element, &["conversation", "origin", "type"]).and_then(json::as_text),
        expires: json::get(element, "conversation").and_then(|one| json::number(one, "expiration_timestamp")),
    })
}

/// The `errors` of a message or a status.
pub(super) fn errors(element: &Value) -> Vec<MetaError> {
    let error = |error: &Value| {
        Some(MetaError {
            code: json::number(error, "code")?,
            title: json::text(error, "title").or_else(|| json::text(error, "message")).unwrap_or_default(),
            details: json::at(error, &["error_data", "details"])
                .or_else(|| json::get(error, "details"))
                .and_then(json::as_text)
                .unwrap_or_default(),
        })
    };
    json::elements(element, "errors").iter().filter_map(error).collect()
}

fn reported(word: String) -> Reported {
    Reported::Known(match word.as_str() {
        "sent" => Delivery::Sent,
        "delivered" => Delivery::Delivered,
        "read" => Delivery::Read,
        "played" => Delivery::Played,
        "failed" => Delivery::Failed,
        _ => return Reported::Other(word),
    })
}

//! The shapes of webhook bodies, in the order in which Meta writes their keys.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;

#[derive(Serialize)]
pub(crate) struct Envelope<'a> {
    pub(crate) object: &'static str,
    pub(crate) entry: Vec<Entry<'a>>,
}

#[derive(Serialize)]
pub(crate) struct Entry<'a> {
    /// The account's id.
    pub(crate) id: &'a str,
    pub(crate) changes: Vec<Change<'a>>,
}

#[derive(Serialize)]
pub(crate) struct Change<'a> {
    pub(crate) value: Value<'a>,
    pub(crate) field: &'static str,
}

#[derive(Serialize)]
pub(crate) struct Value<'a> {
    pub(crate) messaging_product: &'static str,
    pub(crate) metadata: Metadata<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) contacts: Vec<Contact<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) statuses: Vec<Status<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) standby: Option<Standby<'a>>,
}

/// Copies of a thread that another app has, one level deeper.
#[derive(Default, Serialize)]
pub(crate) struct Standby<'a> {
    pub(crate) contacts: Vec<Contact<'a>>,
    pub(crate) messages: Vec<Message<'a>>,
}

#[derive(Serialize)]
pub(crate) struct Metadata<'a> {
    pub(crate) display_phone_number: &'a str,
    pub(crate) phone_number_id: &'a str,
}

#[derive(Serialize, PartialEq)]
pub(crate) struct Contact<'a> {
    #[serde(skip_serializing_if = "Profile::is_empty")]
    pub(crate) profile: Profile<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) wa_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user_id: Option<&'a str>,
}

#[derive(Serialize, PartialEq)]
pub(crate) struct Profile<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) username: Option<&'a str>,
}

impl Profile<'_> {
    fn is_empty(&self) -> bool {
        self.name.is_none() && self.username.is_none()
    }
}

#[derive(Serialize)]
pub(crate) struct Message<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) context: Option<Context<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) from_user_id: Option<&'a str>,
    pub(crate) id: &'a str,
    /// Seconds since 1970, as a string.
    pub(crate) timestamp: String,
    /// The object of the message's type, under the type's name.
    #[serde(flatten)]
    pub(crate) object: BTreeMap<&'a str, Json>,
    pub(crate) r#type: &'a str,
}

#[derive(Serialize)]
pub(crate) struct Context<'a> {
    pub(crate) from: &'a str,
    pub(crate) id: &'a str,
}

#[derive(Serialize)]
pub(crate) struct Status<'a> {
    pub(crate) id: &'a str,
    pub(crate) status: &'static str,
    pub(crate) timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) recipient_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) recipient_user_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) biz_opaque_callback_data: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pricing: Option<Pricing<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) errors: Vec<StatusError>,
}

#[derive(Serialize)]
pub(crate) struct Pricing<'a> {
    pub(crate) billable: bool,
    pub(crate) pricing_model: &'static str,
    pub(crate) r#type: &'static str,
    pub(crate) category: &'a str,
}

#[derive(Serialize)]
pub(crate) struct StatusError {
    pub(crate) code: i64,
    pub(crate) title: &'static str,
    pub(crate) message: &'static str,
    pub(crate) error_data: ErrorData,
    pub(crate) href: &'static str,
}

#[derive(Serialize)]
pub(crate) struct ErrorData {
    pub(crate) details: &'static str,
}

//! Webhook bodies of what customers said: made by hand, for what the simulated WhatsApp would not send.

use baton_server::config;
use baton_shared::ConversationId;
use serde_json::{Value, json};

use crate::app::App;

/// A customer as a webhook names them.
#[derive(Clone, Copy, Debug)]
pub struct Sender<'a> {
    pub phone: Option<&'a str>,
    pub user_id: Option<&'a str>,
}

/// By a phone alone, as before 2026.
pub const fn phone(phone: &str) -> Sender<'_> {
    Sender { phone: Some(phone), user_id: None }
}

pub fn text(body: &str) -> Value {
    json!({"type": "text", "text": {"body": body}})
}

/// The body of a webhook with one change.
pub fn change(number: &config::Channel, field: &str, mut value: Value) -> Value {
    value["messaging_product"] = json!("whatsapp");
    value["metadata"] = json!({"display_phone_number": "15550783881", "phone_number_id": number.phone_number_id});
    json!({"object": "whatsapp_business_account",
           "entry": [{"id": number.business_account_id, "changes": [{"field": field, "value": value}]}]})
}

/// The body of a webhook with one message; `rest` is its `type` with what belongs to it.
pub fn message(number: &config::Channel, from: Sender<'_>, wamid: &str, second: i64, rest: Value) -> Value {
    let mut message = json!({"id": wamid, "timestamp": second.to_string()});
    let mut contact = json!({"profile": {"name": "Marina"}});
    for (key, of_contact, value) in [("from", "wa_id", from.phone), ("from_user_id", "user_id", from.user_id)] {
        if let Some(value) = value {
            message[key] = json!(value);
            contact[of_contact] = json!(value);
        }
    }
    let rest = rest.as_object().cloned().unwrap_or_default();
    // What the system says comes without contacts.
    let contacts = if rest.get("type") == Some(&json!("system")) { json!([]) } else { json!([contact]) };
    message.as_object_mut().expect("an object").extend(rest);
    change(number, "messages", json!({"contacts": contacts, "messages": [message]}))
}

impl App {
    /// A customer's message, or what changes one, arrives and is answered 200.
    pub async fn receives(&self, from: Sender<'_>, wamid: &str, second: i64, rest: Value) {
        let body = message(&self.settings().whatsapp.channels[0], from, wamid, second, rest);
        assert!(self.post(body.to_string()).await.is_success());
    }

    /// A customer's message arrives and is stored; its conversation.
    pub async fn arrives(&self, from: Sender<'_>, wamid: &str, second: i64, rest: Value) -> ConversationId {
        self.receives(from, wamid, second, rest).await;
        self.acts().conversation_of(wamid).await.expect("it is stored")
    }
}

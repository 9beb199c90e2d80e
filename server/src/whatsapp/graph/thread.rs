//! What is asked about a thread or a customer besides sending.

use std::time::Duration;

use ::http::Method;
use baton_shared::message::Delivery;
use serde_json::{Value, json};

use super::{CallError, Graph, Recipient, Request, answer};

/// What Meta has noted of one of our messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noted {
    pub state: Delivery,
    /// Meta's second.
    pub second: Option<i64>,
}

/// Pages and nodes of a history that are read at the most.
const NODES: usize = 3;

impl Graph {
    /// Who of several apps has a thread: `POST /<phone number id>/thread_control`; `action` is `pass`, `take` or
    /// `release`.
    ///
    /// # Errors
    /// 2494191 if the thread is another app's and may not be taken.
    pub async fn thread_control(
        &self,
        phone_number_id: &str,
        to: &Recipient,
        action: &str,
        deadline: Duration,
    ) -> Result<(), CallError> {
        let mut body = json!({"messaging_product": "whatsapp", "action": action});
        match to {
            Recipient::Phone(phone) => body["to"] = json!(format!("+{}", phone.trim_start_matches('+'))),
            Recipient::UserId(user_id) => body["recipient"] = json!(user_id),
        }
        self.post(phone_number_id, "thread_control", &body, deadline).await.map(drop)
    }

    /// Blocks a customer, or ends that: `POST` or `DELETE /<phone number id>/block_users`.
    ///
    /// # Errors
    /// 139100 if this customer could not be blocked.
    pub async fn block(
        &self,
        phone_number_id: &str,
        user: &str,
        blocked: bool,
        deadline: Duration,
    ) -> Result<(), CallError> {
        let body = json!({"messaging_product": "whatsapp", "block_users": [{"user": user}]});
        let method = if blocked { Method::POST } else { Method::DELETE };
        let url = self.url(&[phone_number_id, "block_users"], &[])?;
        let bearer = Some(self.token.clone());
        let key_header = self.key_header.clone();
        let request = Request { method, url, bearer, key_header, body: Some(body.to_string()), deadline };
        answer::read(&self.transport.send(request).await?).map(drop)
    }

    /// What became of one of our messages, for when its statuses went missing:
    /// `GET /<phone number id>/message_history`, then its `events`.
    ///
    /// # Errors
    /// As any call.
    pub async fn message_history(
        &self,
        phone_number_id: &str,
        wamid: &str,
        deadline: Duration,
    ) -> Result<Vec<Noted>, CallError> {
        let found = self.get(&[phone_number_id, "message_history"], &[("message_id", wamid)], deadline).await?;
        let mut noted = Vec::new();
        for node in elements(&found.json, "data").take(NODES) {
            match node.get("events") {
                Some(events) => noted.extend(elements(events, "data").filter_map(event)),
                None => {
                    let Some(id) = answer::text(node, "id") else { continue };
                    let events = self.get(&[&id, "events"], &[], deadline).await?;
                    noted.extend(elements(&events.json, "data").filter_map(event));
                }
            }
        }
        Ok(noted)
    }
}

fn elements<'a>(json: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    json.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// A word that nobody knows says nothing.
fn event(json: &Value) -> Option<Noted> {
    let state = match answer::text(json, "delivery_status")?.to_lowercase().as_str() {
        "sent" => Delivery::Sent,
        "delivered" => Delivery::Delivered,
        "read" => Delivery::Read,
        "played" => Delivery::Played,
        "failed" | "error" => Delivery::Failed,
        _ => return None,
    };
    let second = ["occurrence_timestamp", "status_timestamp"].iter().find_map(|key| answer::number(json, key));
    Some(Noted { state, second })
}

//! Who of several apps has a thread, who is blocked, and what became of a message.

use baton_shared::Micros;
use serde_json::{Value as Json, json};

use super::{Answer, Done, GraphError, json as bytes, route::Target};
use crate::whatsapp::{PersonId, Whatsapp};

/// What an id of a message's history begins with.
const HISTORY: &str = "9000";

impl Whatsapp {
    /// `POST /<number>/thread_control`.
    pub(super) fn thread_control(&mut self, target: &Target<'_>, body: &[u8]) -> Result<Answer, GraphError> {
        self.number_of(target)?;
        let body: Json = serde_json::from_slice(body).unwrap_or_default();
        let named = body["to"].as_str().or_else(|| body["recipient"].as_str());
        let named = named.ok_or_else(|| GraphError::missing("Param to or recipient is required."))?;
        let person = self.someone(named).ok_or_else(|| GraphError::bad_value("Recipient is not known."))?;
        let person = &mut self.people[person.0];
        match body["action"].as_str() {
            Some("pass" | "release") if person.is_elsewhere => return Err(GraphError::not_owner()),
            Some("pass" | "release") => person.is_elsewhere = true,
            // Only the app that the business has chosen for escalations may.
            Some("take") if person.is_elsewhere && !person.may_be_taken => return Err(GraphError::not_owner()),
            Some("take") => person.is_elsewhere = false,
            _ => return Err(GraphError::bad_value("Param action must be one of {pass, release, take}")),
        }
        let answer = json!({"messaging_product": "whatsapp", "request_id": "AQ0"});
        Ok(Answer { body: bytes::graph(&answer), done: Done::Answered, usage: None })
    }

    /// `POST` and `DELETE /<number>/block_users`.
    pub(super) fn block_users(&mut self, target: &Target<'_>, body: &[u8], block: bool) -> Result<Answer, GraphError> {
        self.number_of(target)?;
        let body: Json = serde_json::from_slice(body).unwrap_or_default();
        let mut done = Vec::new();
        for one in body["block_users"].as_array().into_iter().flatten() {
            let named = one["user"].as_str().unwrap_or_default();
            let person = self.someone(named).ok_or_else(GraphError::not_blocked)?;
            let person = &mut self.people[person.0];
            person.is_blocked = block;
            done.push(json!({"input": named, "wa_id": person.phone, "user_id": person.user_id}));
        }
        let list = if block { "added_users" } else { "removed_users" };
        let answer = json!({"messaging_product": "whatsapp", "block_users": {list: done}});
        Ok(Answer { body: bytes::graph(&answer), done: Done::Answered, usage: None })
    }

    /// `GET /<number>/message_history?message_id=`.
    pub(super) fn message_history(&self, target: &Target<'_>) -> Result<Answer, GraphError> {
        self.number_of(target)?;
        let wamid = target.parameter("message_id").ok_or_else(|| GraphError::required("message_id"))?;
        let found = self.outgoing.iter().position(|one| one.wamid == wamid);
        let data: Vec<Json> =
            found.iter().map(|place| json!({"id": format!("{HISTORY}{place}"), "message_id": wamid})).collect();
        Ok(Answer { body: bytes::graph(&json!({"data": data})), done: Done::Answered, usage: None })
    }

    /// `GET /<history>/events`: the newest first.
    pub(super) fn history_events(&self, now: Micros, target: &Target<'_>) -> Result<Answer, GraphError> {
        let place = target.id.strip_prefix(HISTORY).and_then(|place| place.parse::<usize>().ok());
        let message = place.and_then(|place| self.outgoing.get(place));
        let message = message.ok_or_else(|| GraphError::no_object(target.method, target.id))?;
        let at = self.meta_time(now).seconds();
        let event = |status: &str| json!({"id": "1", "delivery_status": status, "occurrence_timestamp": at});
        let arrived = self.ledger.reached().iter().any(|one| one.wamid == message.wamid);
        let mut data = vec![event("ACCEPTED"), event("SENT")];
        data.extend(arrived.then(|| event("DELIVERED")));
        data.reverse();
        Ok(Answer { body: bytes::graph(&json!({"data": data})), done: Done::Answered, usage: None })
    }

    fn number_of(&self, target: &Target<'_>) -> Result<(), GraphError> {
        let known = self.config.numbers.iter().any(|number| number.id == target.id);
        if known { Ok(()) } else { Err(GraphError::no_object(target.method, target.id)) }
    }

    fn someone(&self, named: &str) -> Option<PersonId> {
        let digits = named.trim_start_matches('+');
        self.people.iter().position(|one| one.user_id == named || one.phone == digits).map(PersonId)
    }
}

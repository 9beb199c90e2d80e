//! A webhook body taken apart, leniently: every message, status and other fact of every change of
//! every entry, in order. What nobody knows yet is kept by name with its JSON, never refused.

pub mod account;
mod detail;
mod file;
mod json;
mod message;
mod person;
mod readable;
mod repair;
mod status;
mod twice;

use baton_shared::content::Call;
use serde_json::Value;

pub use file::File;
pub use message::{Inbound, MovedTo, Origin};
pub use person::Sender;
pub use status::{MetaError, Reported, Status};

/// One webhook body.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Payload {
    pub items: Vec<Item>,
    /// A key stands twice in one object, so that somebody else may find other items in it.
    pub ambiguous: bool,
}

/// One fact, and what it needs to be routed.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Its place in the body: entry, change and place in the array, counted through.
    pub index: i64,
    /// The WhatsApp Business account: the entry's `id`, or empty.
    pub waba: String,
    /// The change's `field`, or empty.
    pub field: String,
    /// When Meta says it happened, for facts about the account: the entry's `time`, in seconds.
    pub time: Option<i64>,
    /// The channel; `None` for facts about the account.
    pub phone_number_id: Option<String>,
    /// The channel's number for people, in digits.
    pub display_phone_number: Option<String>,
    pub fact: Fact,
    /// The JSON of just this element.
    pub raw: String,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// Something was said, to us or where we see it.
    Message(Box<Inbound>),
    /// How far one of our messages has come.
    Status(Box<Status>),
    /// Anything else, by the name that Meta gives it or by what is wrong with it.
    Notice {
        kind: String,
        /// Meta's second.
        timestamp: Option<i64>,
        /// The person it is about, if it names one.
        sender: Option<Box<Sender>>,
        /// A call by the customer, which opens the window like a message.
        call: Option<Call>,
        /// Whether the customer wants marketing, as WhatsApp's own switch says.
        marketing: Option<bool>,
        /// The thread changes hands between the business's apps.
        handover: Option<Handover>,
    },
}

/// A thread that goes from one app of the business's to another (`messaging_handovers`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handover {
    /// It is ours from now on.
    pub to_us: bool,
    /// The other app wants a person for it.
    pub wants_person: bool,
    /// What the other app says about it.
    pub why: String,
}

/// Why a body cannot be taken apart at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Cut off, not UTF-8, or nested too deeply; `why` holds no content.
    #[error("not JSON: {why}")]
    NotJson { why: String },
    #[error("not a JSON object")]
    NotAnObject,
    #[error("no `entry` array")]
    NoEntry,
}

/// Takes a webhook body apart.
///
/// # Errors
/// Only if it is not a JSON object with an `entry` array.
pub fn parse(body: &[u8]) -> Result<Payload, Unreadable> {
    let (root, ambiguous) = root(body)?;
    if !root.is_object() {
        return Err(Unreadable::NotAnObject);
    }
    let Some(Value::Array(entries)) = root.get("entry") else {
        return Err(Unreadable::NoEntry);
    };
    let mut items = Vec::new();
    for entry in entries {
        read_entry(entry, &mut items);
    }
    Ok(Payload { items, ambiguous })
}

fn root(body: &[u8]) -> Result<(Value, bool), Unreadable> {
    twice::read(body).or_else(|error| {
        // Half an emoji in one message must not cost its whole batch.
        repair::lone_surrogates(body)
            .and_then(|repaired| twice::read(&repaired).ok())
            .ok_or_else(|| Unreadable::NotJson { why: error.to_string() })
    })
}

fn read_entry(entry: &Value, items: &mut Vec<Item>) {
    let waba = json::text(entry, "id").unwrap_or_default();
    let changes = json::elements(entry, "changes");
    if changes.is_empty() {
        let mut change = Change { waba, time: None, field: String::new(), value: &Value::Null, items };
        change.notice("entry_without_changes", entry);
        return;
    }
    for change in changes {
        let field = json::text(change, "field").unwrap_or_default();
        let value = json::get(change, "value").unwrap_or(&Value::Null);
        let time = json::number(entry, "time");
        Change { waba: waba.clone(), time, field, value, items }.read(change);
    }
}

/// One change while it is read.
struct Change<'a, 'out> {
    waba: String,
    time: Option<i64>,
    field: String,
    value: &'a Value,
    items: &'out mut Vec<Item>,
}

/// Parts of a value that are facts of their own beside messages and statuses.
const NOTICES: [&str; 7] = [
    "calls",
    "user_actions",
    "user_preferences",
    "groups",
    "state_sync",
    "conversation_context",
    "messaging_handovers",
];

impl Change<'_, '_> {
    fn read(mut self, whole: &Value) {
        let before = self.items.len();
        let value = self.value;
        let spoken = match self.field.as_str() {
            "history" => Origin::History,
            "standby" => Origin::Standby,
            _ => Origin::Direct,
        };
        self.said(value, spoken);
        for standby in json::elements(value, "standby") {
            self.said(standby, Origin::Standby);
        }
        for chunk in json::elements(value, "history") {
            self.history(chunk);
        }
        for element in json::elements(value, "user_id_update") {
            self.moved(element);
        }
        for kind in NOTICES {
            for element in json::elements(value, kind) {
                self.notice(kind, element);
            }
        }
        // Errors of a flow belong to its event; these stand alone.
        if json::get(value, "event").is_none() {
            for error in json::elements(value, "errors") {
                self.notice("errors", error);
            }
        }
        if self.items.len() == before {
            let kind = if self.field.is_empty() { "change_without_field".to_owned() } else { self.field.clone() };
            self.notice(&kind, if value.is_null() { whole } else { value });
        }
    }

    /// Messages, echoes and statuses of `value`, which is the change's own or its `standby`.
    fn said(&mut self, value: &Value, origin: Origin) {
        let contacts = json::elements(value, "contacts");
        for element in json::elements(value, "messages") {
            let read = message::inbound(element, contacts, origin);
            self.message(read, element);
        }
        for element in json::elements(value, "message_echoes") {
            let origin = if origin == Origin::Direct { Origin::Echo } else { origin };
            let read = message::echo(element, contacts, self.display_phone_number().as_deref(), origin);
            self.message(read, element);
        }
        for element in json::elements(value, "statuses") {
            self.status(element, contacts);
        }
    }

    fn history(&mut self, chunk: &Value) {
        let us = self.display_phone_number();
        for thread in json::elements(chunk, "threads") {
            for element in json::elements(thread, "messages") {
                let read = message::history(element, thread, us.as_deref());
                self.message(read, element);
            }
        }
        if json::get(chunk, "threads").is_none() {
            self.notice("history", chunk);
        }
    }

    fn message(&mut self, read: Option<Inbound>, element: &Value) {
        match read {
            Some(inbound) => self.push(Fact::Message(Box::new(inbound)), element),
            None => self.notice("message_without_id", element),
        }
    }

    /// A customer goes by another user id from now on: the same as a `system` message that says so.
    fn moved(&mut self, element: &Value) {
        let number = self.channel("phone_number_id").unwrap_or_default();
        match message::user_id_update(element, json::elements(self.value, "contacts"), &number) {
            Some(inbound) => self.push(Fact::Message(Box::new(inbound)), element),
            None => self.notice("user_id_update", element),
        }
    }

    fn status(&mut self, element: &Value, contacts: &[Value]) {
        let of_a_call = self.field == "calls" || json::text(element, "type").as_deref() == Some("call");
        match status::status(element, contacts) {
            _ if of_a_call => self.notice("call_status", element),
            Some(status) => self.push(Fact::Status(Box::new(status)), element),
            None => self.notice("status_without_id", element),
        }
    }

    fn notice(&mut self, kind: &str, element: &Value) {
        let sender = person::named_in(element, json::elements(self.value, "contacts"));
        let called = kind == "calls" && json::text(element, "direction").as_deref() == Some("USER_INITIATED");
        let fact = Fact::Notice {
            kind: kind.to_owned(),
            timestamp: json::number(element, "timestamp"),
            call: Some(detail::call(element)).filter(|call| called && call.event.as_deref() == Some("connect")),
            sender: sender.map(Box::new),
            handover: (self.field == "messaging_handovers").then(|| detail::handover(element)).flatten(),
            marketing: (kind == "user_preferences").then(|| detail::marketing(element)).flatten(),
        };
        self.push(fact, element);
    }

    fn push(&mut self, fact: Fact, element: &Value) {
        self.items.push(Item {
            index: i64::try_from(self.items.len()).unwrap_or(i64::MAX),
            waba: self.waba.clone(),
            field: self.field.clone(),
            time: self.time,
            phone_number_id: self.channel("phone_number_id"),
            display_phone_number: self.display_phone_number(),
            fact,
            raw: element.to_string(),
        });
    }

    fn display_phone_number(&self) -> Option<String> {
        self.channel("display_phone_number").map(person::digits)
    }

    /// Thread hand-overs have it under `recipient`, facts about the account beside their event.
    fn channel(&self, key: &str) -> Option<String> {
        ["metadata", "recipient"]
            .iter()
            .find_map(|part| json::text(self.value.get(part)?, key))
            .or_else(|| json::text(self.value, key))
    }
}

#[cfg(test)]
mod tests;

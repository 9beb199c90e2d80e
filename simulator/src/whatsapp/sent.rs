//! For a simulator that stands alone: people come into being when they are written to, and what they
//! were sent is kept, so that they can press its buttons.

use baton_shared::Micros;
use serde_json::{Value as Json, json};

use super::{Person, PersonId, Saying, Whatsapp};

/// So many of the newest are kept.
const KEPT: usize = 10_000;

impl Whatsapp {
    /// The person with this phone or user id, made if nobody has it.
    pub fn person(&mut self, phone_or_user_id: &str) -> PersonId {
        let known = self.people.iter().position(|person| {
            let phone = digits(phone_or_user_id);
            (!phone.is_empty() && person.phone == phone) || person.user_id == phone_or_user_id
        });
        if let Some(known) = known {
            return PersonId(known);
        }
        let is_user_id = phone_or_user_id.contains('.');
        let user_id = format!("US.{:017}", self.rng.u64(10_000_000_000_000_000..100_000_000_000_000_000));
        let person = match is_user_id {
            true => Person { shares_phone: false, ..Person::new("A customer", "", phone_or_user_id) },
            false => Person::new("A customer", &digits(phone_or_user_id), &user_id),
        };
        self.add_person(person)
    }

    pub fn person_mut(&mut self, person: PersonId) -> &mut Person {
        &mut self.people[person.0]
    }

    /// Whoever is written to exists.
    pub(super) fn meet(&mut self, recipient: Option<&str>) {
        let is_one = |text: &&str| text.contains('.') || digits(text).len() >= 5;
        if let Some(recipient) = recipient.filter(is_one) {
            self.person(recipient);
        }
    }

    pub(super) fn keep_sent(&mut self, wamid: &str, body: &[u8]) {
        if !self.config.alone {
            return;
        }
        if self.sent.len() >= KEPT {
            self.sent.drain(..KEPT / 10);
        }
        self.sent.push((wamid.to_owned(), serde_json::from_slice(body).unwrap_or_default()));
    }

    /// The request that a message came of.
    pub fn sent(&self, wamid: &str) -> Option<&Json> {
        self.sent.iter().rev().find(|(known, _)| known == wamid).map(|(_, body)| body)
    }

    /// A customer presses a button, or a row of a list, of the newest message to them that has it, by its
    /// title or id; the new message's id.
    pub fn press(&mut self, now: Micros, person: PersonId, title_or_id: &str) -> Option<String> {
        let (phone, user_id) = (self.people[person.0].phone.clone(), self.people[person.0].user_id.clone());
        let to_them = |body: &Json| {
            let to = body["to"].as_str().map(str::to_owned).unwrap_or_else(|| body["to"].to_string());
            digits(&to) == phone && !phone.is_empty() || body["recipient"] == user_id.as_str()
        };
        let found = self.sent.iter().rev().filter(|(_, body)| to_them(body)).find_map(|(wamid, body)| {
            let reply = offered(body, title_or_id).or_else(|| self.quick_reply(body, title_or_id))?;
            Some((wamid.clone(), reply))
        });
        let (wamid, (kind, object)) = found?;
        Some(self.say(now, person, Saying::other(kind, object).reply_to(wamid)))
    }

    /// A template's button: what it says stands in the template, what it sends in the request.
    fn quick_reply(&self, body: &Json, wanted: &str) -> Option<(&'static str, Json)> {
        let template = &body["template"];
        let all = self.config.accounts.iter().flat_map(|account| &account.templates);
        let known = all.into_iter().find(|known| template["name"] == known.name.as_str())?;
        let mut parts = known.components.as_ref()?.as_array()?.iter();
        let buttons = parts.find(|part| is(part, "buttons"));
        let buttons = buttons?["buttons"].as_array()?;
        let place = buttons.iter().position(|button| button["text"] == wanted)?;
        let index = |part: &Json| part["index"].as_u64().or_else(|| part["index"].as_str()?.parse().ok());
        let mut filled = template["components"].as_array().into_iter().flatten();
        let given = filled.find(|part| is(part, "button") && index(part) == u64::try_from(place).ok());
        let payload = given.and_then(|part| part["parameters"][0]["payload"].as_str()).unwrap_or(wanted);
        Some(("button", json!({"payload": payload, "text": wanted})))
    }
}

/// Whether a part of a template is of this type; clients write it in both cases.
fn is(part: &Json, wanted: &str) -> bool {
    part["type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case(wanted))
}

/// A button or row of an interactive message.
fn offered(body: &Json, wanted: &str) -> Option<(&'static str, Json)> {
    let action = &body["interactive"]["action"];
    let is_it = |one: &&Json| one["title"] == wanted || one["id"] == wanted;
    let mut buttons = action["buttons"].as_array().into_iter().flatten().map(|button| &button["reply"]);
    if let Some(button) = buttons.find(is_it) {
        return Some(("interactive", json!({"type": "button_reply", "button_reply": button})));
    }
    let sections = action["sections"].as_array().into_iter().flatten();
    let mut rows = sections.flat_map(|section| section["rows"].as_array().into_iter().flatten());
    let row = rows.find(is_it)?;
    Some(("interactive", json!({"type": "list_reply", "list_reply": row})))
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

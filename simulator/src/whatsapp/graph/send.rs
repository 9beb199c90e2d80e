//! `POST /<number>/messages`: what is checked at once, what is taken, and read marks.

use baton_shared::{Micros, protocol::TEXT_LIMIT};
use serde::Serialize;
use serde_json::Value as Json;

use super::{Answer, Done, GraphError, files::Named, ids, interactive, json as bytes, route::Target};
use crate::whatsapp::{Known, PersonId, Template, Whatsapp, fate::Outgoing, ids::Way, limits::Exceeded};

/// What may be sent, as `type`.
const TYPES: [&str; 11] = [
    "text",
    "image",
    "video",
    "audio",
    "document",
    "sticker",
    "location",
    "contacts",
    "reaction",
    "interactive",
    "template",
];

/// The longest `biz_opaque_callback_data`.
const OPAQUE_LIMIT: usize = 512;

#[derive(Serialize)]
struct Taken<'a> {
    messaging_product: &'static str,
    contacts: [Recipient<'a>; 1],
    messages: [Id<'a>; 1],
}

#[derive(Serialize)]
struct Recipient<'a> {
    input: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    wa_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a str>,
}

#[derive(Serialize)]
struct Id<'a> {
    id: &'a str,
    /// Only templates have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    message_status: Option<&'static str>,
}

#[derive(Serialize)]
struct Success {
    success: bool,
}

/// A message that passed every check of its shape.
struct Checked<'a> {
    kind: &'a str,
    text: String,
    opaque: Option<&'a str>,
    /// The template's category.
    category: Option<String>,
    file: Option<Named>,
    offer: Option<Json>,
}

/// To whom: as given, and who that is.
struct Addressee {
    input: String,
    phone: Option<String>,
    person: Option<PersonId>,
}

impl Whatsapp {
    pub(super) fn messages(
        &mut self,
        now: Micros,
        target: &Target<'_>,
        body: &[u8],
        hurried: bool,
    ) -> Result<Answer, GraphError> {
        let number = self.config.numbers.iter().position(|number| number.id == target.id);
        let number = number.ok_or_else(|| GraphError::no_object(target.method, target.id))?;
        let body: Json =
            serde_json::from_slice(body).map_err(|_| GraphError::invalid("The body is not valid JSON."))?;
        if !self.config.numbers[number].registered {
            return Err(GraphError::not_registered());
        }
        if self.config.numbers[number].banned {
            return Err(GraphError::banned());
        }
        match body["messaging_product"].as_str() {
            Some("whatsapp") => {}
            Some(_) => return Err(GraphError::invalid("Param messaging_product must be one of {WHATSAPP}")),
            None => return Err(GraphError::required("messaging_product")),
        }
        if body["status"] == "read" {
            return self.mark_read(number, &body);
        }
        let addressee = self.addressee(number, &body)?;
        if let Some(person) = addressee.person.map(|person| &self.people[person.0]) {
            if person.is_blocked {
                return Err(GraphError::blocked_by_us());
            }
            if person.is_elsewhere {
                return Err(GraphError::not_owner());
            }
        }
        let checked = self.check(now, number, &body)?;
        self.take(now, number, &addressee, checked, hurried)
    }

    /// Accepts it: from here on everything is told by webhooks. There is no idempotency key; the
    /// same request again is another message.
    fn take(
        &mut self,
        now: Micros,
        number: usize,
        addressee: &Addressee,
        checked: Checked<'_>,
        hurried: bool,
    ) -> Result<Answer, GraphError> {
        self.rates.send(&self.config.limits, now, number, addressee.person).map_err(|exceeded| match exceeded {
            Exceeded::Number => GraphError::throughput(),
            Exceeded::Pair => GraphError::pair_rate(),
        })?;
        let person = addressee.person.map(|person| self.people[person.0].clone());
        let digits = person.as_ref().map_or(addressee.input.as_str(), |person| person.digits()).to_owned();
        let wamid = ids::wamid(&mut self.rng, Way::ToCustomer, &digits);
        let price = self.price(now, number, checked.kind, checked.category.as_deref());
        self.known.insert(wamid.clone(), Known::Outgoing);
        self.outgoing.push(Outgoing {
            wamid: wamid.clone(),
            number,
            person: addressee.person,
            phone: addressee.phone.clone(),
            kind: checked.kind.into(),
            text: checked.text,
            opaque: checked.opaque.map(str::to_owned),
            price,
            file_taken: checked.file.as_ref().is_none_or(|file| file.is_taken),
            file: checked.file.and_then(|file| file.id),
            offer: checked.offer,
        });
        self.decide_fate(now, self.outgoing.len() - 1, hurried);
        let by_phone = addressee.phone.is_some();
        let body = bytes::graph(&Taken {
            messaging_product: "whatsapp",
            contacts: [Recipient {
                input: &addressee.input,
                wa_id: addressee.phone.as_deref(),
                user_id: person.as_ref().filter(|_| !by_phone).map(|person| person.user_id.as_str()),
            }],
            messages: [Id { id: &wamid, message_status: (checked.kind == "template").then_some("accepted") }],
        });
        Ok(Answer { body, done: Done::Accepted { wamid }, usage: self.send_usage(number) })
    }

    fn mark_read(&self, number: usize, body: &Json) -> Result<Answer, GraphError> {
        let id = body["message_id"].as_str().ok_or_else(|| GraphError::required("message_id"))?;
        match self.known.get(id) {
            None => return Err(GraphError::invalid("Please check the message ID you have provided.")),
            Some(Known::Outgoing) => {
                return Err(GraphError::invalid(format!(
                    "Message supplied to mark message as read API with message ID: {id} is outgoing. Please use an \
                     incoming message ID."
                )));
            }
            Some(Known::Incoming) => {}
        }
        let done = Done::ReadMark { wamid: id.into(), typing: !body["typing_indicator"].is_null() };
        Ok(Answer { body: bytes::graph(&Success { success: true }), done, usage: self.send_usage(number) })
    }

    /// `to` is a phone, as a string or a number; `recipient` a user id; if both are there, `to` counts.
    fn addressee(&self, number: usize, body: &Json) -> Result<Addressee, GraphError> {
        let to = match &body["to"] {
            Json::String(to) => Some(to.clone()),
            Json::Number(to) => Some(to.to_string()),
            _ => None,
        };
        let recipient = body["recipient"].as_str().map(str::to_owned);
        let Some(input) = to.clone().or(recipient).filter(|input| !input.is_empty()) else {
            return Err(GraphError::missing("Param to or recipient is required."));
        };
        if to.is_none() {
            let person = self.people.iter().position(|person| person.user_id == input).map(PersonId);
            return Ok(Addressee { input, phone: None, person });
        }
        let digits: String = input.chars().filter(char::is_ascii_digit).collect();
        let is_phone = input.chars().all(|c| c.is_ascii_digit() || "+-() ".contains(c)) && digits.len() >= 5;
        if !is_phone {
            return Err(GraphError::bad_value("Param to is not a valid phone number."));
        }
        if self.config.numbers[number].phone == digits {
            return Err(GraphError::same_number());
        }
        let person = self.people.iter().position(|person| person.phone == digits).map(PersonId);
        Ok(Addressee { input, phone: Some(digits), person })
    }

    fn check<'a>(&self, now: Micros, number: usize, body: &'a Json) -> Result<Checked<'a>, GraphError> {
        let kind = match &body["type"] {
            Json::Null => "text",
            Json::String(kind) if TYPES.contains(&kind.as_str()) => kind.as_str(),
            _ => {
                return Err(GraphError::invalid(format!(
                    "Param type must be one of {{{}}}.",
                    TYPES.join(", ").to_uppercase()
                )));
            }
        };
        let opaque = body["biz_opaque_callback_data"].as_str();
        if opaque.is_some_and(|opaque| opaque.len() > OPAQUE_LIMIT) {
            return Err(GraphError::invalid("Param biz_opaque_callback_data must be at most 512 characters long."));
        }
        let object = &body[kind];
        if object.is_null() {
            return Err(GraphError::missing(format!("Param {kind} is required.")));
        }
        let (text, category) = match kind {
            "text" => (checked_text(object)?, None),
            "template" => {
                let template = self.template(number, object)?;
                (filled(&template.body, object)?, Some(template.category.clone()))
            }
            "reaction" => (self.reaction(object)?, None),
            "interactive" => (interactive::checked(object)?, None),
            "location" => (location(object)?, None),
            "contacts" => (contacts(object)?, None),
            _ => (words(object, &["caption", "name", "filename"]), None),
        };
        let file = match kind {
            "template" => self.header_file(now, object)?,
            "image" | "video" | "audio" | "document" | "sticker" => Some(self.named(now, kind, object)?),
            _ => None,
        };
        let offer = (kind == "interactive").then(|| object.clone());
        Ok(Checked { kind, text, opaque, category, file, offer })
    }

    fn reaction(&self, object: &Json) -> Result<String, GraphError> {
        match object["message_id"].as_str().map(|id| self.known.contains_key(id)) {
            None => Err(GraphError::missing("Param reaction['message_id'] is required.")),
            Some(false) => Err(GraphError::bad_value("Message id is not valid.")),
            Some(true) => Ok(words(object, &["emoji"])),
        }
    }

    /// What a template's header brings.
    fn header_file(&self, now: Micros, object: &Json) -> Result<Option<Named>, GraphError> {
        let components = object["components"].as_array().into_iter().flatten();
        let header = components.into_iter().find(|one| one["type"] == "header");
        let parameter = header.map(|header| &header["parameters"][0]);
        match parameter.and_then(|one| Some((one, one["type"].as_str()?))) {
            Some((one, kind @ ("image" | "video" | "document"))) => Ok(Some(self.named(now, kind, &one[kind])?)),
            _ => Ok(None),
        }
    }

    fn template(&self, number: usize, object: &Json) -> Result<&Template, GraphError> {
        let (name, language) = (object["name"].as_str(), object["language"]["code"].as_str());
        let (Some(name), Some(language)) = (name, language) else {
            return Err(GraphError::missing("Param template['name'] and template['language']['code'] are required."));
        };
        let account = &self.config.numbers[number].account;
        let mut templates = self.config.accounts.iter().filter(|a| a.id == *account).flat_map(|a| &a.templates);
        match templates.find(|template| template.name == name && template.language == language) {
            None => Err(GraphError::no_template()),
            Some(template) if template.status == "PAUSED" => Err(GraphError::template_paused()),
            Some(template) if template.status != "APPROVED" => Err(GraphError::no_template()),
            Some(template) => Ok(template),
        }
    }

    fn send_usage(&self, number: usize) -> Option<(String, &'static str)> {
        Some((self.config.numbers[number].account.clone(), "whatsapp"))
    }
}

/// The body with what was filled in; Meta counts the parameters.
fn filled(body: &str, object: &Json) -> Result<String, GraphError> {
    let components = object["components"].as_array().into_iter().flatten();
    // Clients write it in both cases.
    let is_body = |component: &&Json| component["type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("body"));
    let given = components.filter(is_body);
    let given: Vec<&str> = given
        .flat_map(|component| component["parameters"].as_array().into_iter().flatten())
        .map(|parameter| parameter["text"].as_str().unwrap_or_default())
        .collect();
    let wanted = body.matches("{{").count();
    if given.len() != wanted {
        return Err(GraphError::parameter_count(given.len(), wanted));
    }
    let mut given = given.into_iter();
    let mut pieces = body.split("{{");
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (_, rest) = piece.split_once("}}").unwrap_or(("", piece));
        text.extend([given.next().unwrap_or_default(), rest]);
    }
    Ok(text)
}

fn checked_text(object: &Json) -> Result<String, GraphError> {
    let text = match &object["body"] {
        Json::Null => return Err(GraphError::missing("Param text['body'] is required.")),
        Json::String(text) => text,
        _ => return Err(GraphError::bad_value("Param text['body'] must be a string.")),
    };
    if text.trim().is_empty() {
        return Err(GraphError::bad_value("Param text['body'] must not be empty."));
    }
    if text.chars().count() > TEXT_LIMIT {
        return Err(GraphError::invalid(format!("Param text['body'] must be at most {TEXT_LIMIT} characters long.")));
    }
    Ok(text.clone())
}

fn location(object: &Json) -> Result<String, GraphError> {
    for (key, most) in [("latitude", 90.0), ("longitude", 180.0)] {
        let degrees = object[key].as_f64().or_else(|| object[key].as_str()?.parse().ok());
        let degrees = degrees.ok_or_else(|| GraphError::missing(format!("Param location['{key}'] is required.")))?;
        if degrees.abs() > most {
            return Err(GraphError::bad_value(format!("Param location['{key}'] is not valid.")));
        }
    }
    Ok(words(object, &["name"]))
}

fn contacts(object: &Json) -> Result<String, GraphError> {
    let cards = object.as_array().filter(|cards| !cards.is_empty());
    let cards = cards.ok_or_else(|| GraphError::missing("Param contacts is required."))?;
    for card in cards {
        let name = card["name"].as_object();
        let whole = name.is_some_and(|name| name.len() > 1 && name.contains_key("formatted_name"));
        if !whole {
            let why = "Param contacts['name'] needs formatted_name and one part of the name.";
            return Err(GraphError::missing(why));
        }
    }
    Ok(words(&cards[0]["name"], &["formatted_name"]))
}

/// The first of these keys that holds text.
fn words(object: &Json, keys: &[&str]) -> String {
    keys.iter().find_map(|key| object[*key].as_str()).unwrap_or_default().to_owned()
}

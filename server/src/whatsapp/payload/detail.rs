//! The typed body of a message, and what came along with it. What does not fit is as if it were not
//! there; the raw element is kept beside it.

use baton_shared::{
    Micros,
    content::{
        Call, Choice, ContactCard, Content, Detail, Field, Form, Forwarded, Location, Media, Order, OrderItem, Product,
        Referral,
    },
};
use serde_json::Value;

use super::{json, status::errors};

pub(super) fn detail(kind: &str, element: &Value) -> Detail {
    let context = json::get(element, "context").unwrap_or(&Value::Null);
    Detail {
        content: content(kind, element),
        referral: json::get(element, "referral").and_then(referral),
        product: json::get(context, "referred_product").and_then(product),
        forwarded: forwarded(context),
        sources: Vec::new(),
    }
}

fn content(kind: &str, element: &Value) -> Option<Content> {
    let content = json::get(element, kind).unwrap_or(&Value::Null);
    match kind {
        "image" | "video" | "audio" | "document" | "sticker" => Some(Content::Media(media(content))),
        "location" => location(content).map(Content::Location),
        "contacts" => Some(Content::Contacts { cards: json::elements(element, "contacts").iter().map(card).collect() }),
        "interactive" => interactive(content),
        "button" => Some(Content::Choice(Choice {
            id: json::text(content, "payload"),
            title: json::text(content, "text"),
            description: None,
        })),
        "order" => Some(Content::Order(order(content))),
        "reaction" => Some(Content::Reaction { emoji: json::text(content, "emoji") }),
        "system" => json::text(content, "type").map(|event| Content::System { event }),
        "unsupported" | "errors" => Some(unsupported(element)),
        // The new content of an edited message is a message within.
        "edit" => {
            let inner = json::get(content, "message")?;
            self::content(&json::text(inner, "type").filter(|kind| kind != "edit")?, inner)
        }
        _ => None,
    }
}

fn media(content: &Value) -> Media {
    let flag = |key| json::get(content, key).and_then(Value::as_bool).unwrap_or(false);
    Media {
        mime_type: json::text(content, "mime_type"),
        file_name: json::text(content, "filename"),
        voice: flag("voice"),
        animated: flag("animated"),
        ..Media::default()
    }
}

fn location(content: &Value) -> Option<Location> {
    Some(Location {
        latitude: json::text(content, "latitude")?,
        longitude: json::text(content, "longitude")?,
        name: json::text(content, "name"),
        address: json::text(content, "address"),
        url: json::text(content, "url"),
    })
}

fn card(card: &Value) -> ContactCard {
    let texts = |list, keys: [&str; 2]| {
        let entries = json::elements(card, list).iter();
        entries.filter_map(|entry| keys.iter().find_map(|key| json::text(entry, key))).collect()
    };
    let name = json::at(card, &["name", "formatted_name"]).and_then(json::as_text);
    ContactCard {
        name: name.or_else(|| json::at(card, &["name", "first_name"]).and_then(json::as_text)),
        organisation: json::at(card, &["org", "company"]).and_then(json::as_text),
        phones: texts("phones", ["phone", "wa_id"]),
        emails: texts("emails", ["email", "address"]),
    }
}

fn interactive(content: &Value) -> Option<Content> {
    if let Some(form) = json::get(content, "nfm_reply") {
        return Some(Content::Form(filled_in(form)));
    }
    if let Some(reply) = json::get(content, "call_permission_reply") {
        let granted = json::text(reply, "response").as_deref() == Some("accept");
        let until = json::number(reply, "expiration_timestamp").map(Micros::from_seconds);
        return Some(Content::CallPermission { granted, until });
    }
    let reply = json::get(content, "button_reply").or_else(|| json::get(content, "list_reply"))?;
    Some(Content::Choice(Choice {
        id: json::text(reply, "id"),
        title: json::text(reply, "title"),
        description: json::text(reply, "description"),
    }))
}

/// The answers travel as JSON in a string, which may be broken or missing.
pub(super) fn filled_in(form: &Value) -> Form {
    let response = json::text(form, "response_json");
    let answers = response.as_deref().map(serde_json::from_str);
    let (fields, broken) = match answers {
        Some(Ok(Value::Object(answers))) => (answers, false),
        Some(_) => (serde_json::Map::new(), true),
        None => (serde_json::Map::new(), false),
    };
    let shown = fields.into_iter().filter(|(name, _)| name != "flow_token");
    let fields = shown.filter_map(|(name, value)| {
        let value = json::as_text(&value).or_else(|| (!value.is_null()).then(|| value.to_string()))?;
        Some(Field { name, value })
    });
    Form { name: json::text(form, "name"), fields: fields.collect(), broken }
}

fn order(content: &Value) -> Order {
    let item = |item: &Value| {
        Some(OrderItem {
            product: json::text(item, "product_retailer_id")?,
            quantity: json::text(item, "quantity"),
            price: json::text(item, "item_price"),
            currency: json::text(item, "currency"),
        })
    };
    let items = json::elements(content, "product_items").iter().filter_map(item).collect();
    Order { catalog: json::text(content, "catalog_id"), items }
}

/// An element of `user_preferences`: `stop`, `resume` or `signup` to marketing messages.
pub(super) fn marketing(element: &Value) -> Option<bool> {
    json::text(element, "category").filter(|category| category == "marketing_messages")?;
    match json::text(element, "value")?.as_str() {
        "stop" => Some(false),
        "resume" | "signup" => Some(true),
        _ => None,
    }
}

/// An element of `calls`, which names itself nothing.
pub(super) fn call(element: &Value) -> Call {
    Call {
        by_customer: json::text(element, "direction").as_deref() == Some("USER_INITIATED"),
        event: json::text(element, "event"),
        seconds: json::number(element, "duration"),
    }
}

fn unsupported(element: &Value) -> Content {
    let what = json::at(element, &["unsupported", "type"]).and_then(json::as_text);
    let error = errors(element).into_iter().next();
    Content::Unsupported {
        what,
        code: error.as_ref().map(|error| error.code),
        why: error.map(|error| if error.details.is_empty() { error.title } else { error.details }),
    }
}

fn referral(referral: &Value) -> Option<Referral> {
    let read = Referral {
        source: json::text(referral, "source_type"),
        url: json::text(referral, "source_url"),
        headline: json::text(referral, "headline"),
        body: json::text(referral, "body"),
    };
    (read != Referral::default()).then_some(read)
}

fn product(product: &Value) -> Option<Product> {
    let read =
        Product { catalog: json::text(product, "catalog_id"), product: json::text(product, "product_retailer_id") };
    (read.catalog.is_some() || read.product.is_some()).then_some(read)
}

fn forwarded(context: &Value) -> Option<Forwarded> {
    let flag = |key| json::get(context, key).and_then(Value::as_bool) == Some(true);
    match (flag("frequently_forwarded"), flag("forwarded")) {
        (true, _) => Some(Forwarded::Often),
        (false, true) => Some(Forwarded::Once),
        (false, false) => None,
    }
}

/// Who has the thread now. Meta's agent is `ai_agent`; what is passed is passed to whoever hears of it, and what is
/// taken is taken from them.
pub(super) fn handover(element: &Value) -> Option<super::Handover> {
    let kind = json::text(element, "type")?;
    let passed = match kind.as_str() {
        "control_passed" => true,
        "control_taken" => false,
        _ => return None,
    };
    let part = json::get(element, &kind).unwrap_or(&Value::Null);
    let new = json::text(part, "new_owner_role").unwrap_or_default().to_lowercase();
    let to_us = match new.as_str() {
        "ai_agent" => false,
        "partner" | "escalation" => true,
        _ => passed,
    };
    let why = json::text(part, "metadata").unwrap_or_default();
    Some(super::Handover { to_us, wants_person: to_us && new == "escalation", why })
}

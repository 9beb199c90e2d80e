//! What a person can read of a message of any kind.

use serde_json::Value;

use super::{detail, json};

/// The text of a text; of other kinds a caption, a title, a name; or nothing.
pub(super) fn readable(kind: &str, element: &Value) -> String {
    let content = json::get(element, kind).unwrap_or(&Value::Null);
    match kind {
        "text" => json::text(content, "body").or_else(|| json::as_text(content)),
        "image" | "video" | "audio" | "sticker" => json::text(content, "caption"),
        "document" => json::text(content, "caption").or_else(|| json::text(content, "filename")),
        "location" => location(content),
        "contacts" => contacts(json::elements(element, "contacts")),
        "reaction" => json::text(content, "emoji"),
        "interactive" => interactive(content),
        "button" => json::text(content, "text").or_else(|| json::text(content, "payload")),
        "order" => order(content),
        "unsupported" => json::text(content, "type"),
        "edit" => edited(content),
        _ => ["body", "text", "caption", "title", "name"].iter().find_map(|key| json::text(content, key)),
    }
    .unwrap_or_default()
}

fn location(content: &Value) -> Option<String> {
    let named: Vec<_> = ["name", "address"].iter().filter_map(|key| json::text(content, key)).collect();
    if named.is_empty() {
        Some(format!("{}, {}", json::text(content, "latitude")?, json::text(content, "longitude")?))
    } else {
        Some(named.join(", "))
    }
}

fn contacts(cards: &[Value]) -> Option<String> {
    let card = |card: &Value| {
        let name = json::at(card, &["name", "formatted_name"]).and_then(json::as_text);
        let phones = json::elements(card, "phones").iter();
        let phones = phones.filter_map(|phone| json::text(phone, "phone").or_else(|| json::text(phone, "wa_id")));
        let line: Vec<_> = name.into_iter().chain(phones).collect();
        (!line.is_empty()).then(|| line.join(" "))
    };
    let cards: Vec<_> = cards.iter().filter_map(card).collect();
    (!cards.is_empty()).then(|| cards.join("\n"))
}

fn interactive(content: &Value) -> Option<String> {
    if let Some(form) = json::get(content, "nfm_reply") {
        return filled_in(form);
    }
    if let Some(reply) = json::get(content, "call_permission_reply") {
        return json::text(reply, "response");
    }
    let reply = json::get(content, "button_reply").or_else(|| json::get(content, "list_reply"))?;
    let lines: Vec<_> = ["title", "description"].iter().filter_map(|key| json::text(reply, key)).collect();
    if lines.is_empty() { json::text(reply, "id") } else { Some(lines.join("\n")) }
}

fn filled_in(form: &Value) -> Option<String> {
    let fields = detail::filled_in(form).fields.into_iter().map(|field| format!("{}: {}", field.name, field.value));
    let lines: Vec<_> = json::text(form, "body").into_iter().chain(fields).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn order(content: &Value) -> Option<String> {
    let items = json::elements(content, "product_items").iter().filter_map(|item| {
        let product = json::text(item, "product_retailer_id")?;
        let quantity = json::text(item, "quantity").unwrap_or_else(|| "1".to_owned());
        Some(format!("{quantity} × {product}"))
    });
    let lines: Vec<_> = json::text(content, "text").into_iter().chain(items).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// The new content of an edited message, which is a message within.
fn edited(content: &Value) -> Option<String> {
    let inner = json::get(content, "message")?;
    let kind = json::text(inner, "type").filter(|kind| kind != "edit")?;
    Some(readable(&kind, inner))
}

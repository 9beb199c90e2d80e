//! What a message is on Meta's wire: its `type` with the object of that name.

use baton_shared::{
    file::FileKind,
    template::{Button, Filled, Header, Part, Template, named_file},
};
use serde_json::{Value, json};

/// Shown with a preview of the first link, if there is one.
pub fn text(body: &str) -> Value {
    let has_link = ["https://", "http://"].iter().any(|start| body.contains(start));
    json!({"type": "text", "text": {"body": body, "preview_url": has_link}})
}

/// A file with the words that go with it; [`name_file`] says which.
pub fn file(kind: FileKind, caption: &str, name: Option<&str>) -> Value {
    let mut object = json!({});
    if !caption.is_empty() {
        object["caption"] = json!(caption);
    }
    if let (FileKind::Document, Some(name)) = (kind, name) {
        object["filename"] = json!(name);
    }
    if kind == FileKind::Voice {
        object["voice"] = json!(true);
    }
    let kind = kind.message_kind();
    json!({"type": kind, kind: object})
}

/// Puts Meta's id of the file where the payload wants one: in the message itself, or in a template's header.
pub fn name_file(payload: &mut Value, meta_id: &str) {
    let kind = payload["type"].as_str().unwrap_or_default().to_owned();
    if kind != "template" {
        payload[&kind]["id"] = json!(meta_id);
    } else if let Some(parameter) = payload.pointer_mut("/template/components/0/parameters/0") {
        let kind = parameter["type"].as_str().unwrap_or_default().to_owned();
        parameter[&kind] = json!({"id": meta_id});
    }
}

/// An empty emoji takes the reaction away.
pub fn reaction(wamid: &str, emoji: &str) -> Value {
    json!({"type": "reaction", "reaction": {"message_id": wamid, "emoji": emoji}})
}

/// A template that was found to fit what was filled in.
pub fn template(template: &Template, filled: &Filled) -> Value {
    let mut components = Vec::new();
    let parameters = |part| -> Vec<Value> {
        template.values_of(part, &filled.values).into_iter().map(|(name, value)| parameter(&name, value)).collect()
    };
    match &template.header {
        Some(Header::Text { .. }) => push(&mut components, json!({"type": "header"}), parameters(Part::HeaderText)),
        Some(Header::Media { kind }) => {
            let links = template.values_of(Part::HeaderMedia, &filled.values);
            let media = links.into_iter().map(|(_, link)| match named_file(link) {
                // [`name_file`] says which, once Meta has it.
                Some(_) => json!({"type": kind, kind: {}}),
                None => json!({"type": kind, kind: {"link": link}}),
            });
            let media = media.collect();
            push(&mut components, json!({"type": "header"}), media);
        }
        Some(Header::Other { .. }) | None => {}
    }
    push(&mut components, json!({"type": "body"}), parameters(Part::Body));
    for (place, button) in template.buttons.iter().enumerate() {
        let values = template.values_of(Part::Button(place), &filled.values);
        let parameters = values.into_iter().map(|(_, value)| match button.kind.as_str() {
            "copy_code" => json!({"type": "coupon_code", "coupon_code": value}),
            _ => json!({"type": "text", "text": value}),
        });
        let head = json!({"type": "button", "sub_type": button.kind, "index": place.to_string()});
        push(&mut components, head, parameters.collect());
    }
    json!({"type": "template", "template": {
        "name": filled.name, "language": {"code": filled.language}, "components": components,
    }})
}

/// A component without parameters is left out.
fn push(components: &mut Vec<Value>, mut head: Value, parameters: Vec<Value>) {
    if !parameters.is_empty() {
        head["parameters"] = Value::Array(parameters);
        components.push(head);
    }
}

/// Positional ones are numbered, named ones carry their name.
fn parameter(name: &str, value: &str) -> Value {
    let mut parameter = json!({"type": "text", "text": value});
    if name.parse::<u32>().is_err() {
        parameter["parameter_name"] = json!(name);
    }
    parameter
}

/// A template as Meta describes it; what is not understood is left out or named.
pub fn read_template(name: &str, language: &str, category: &str, status: &str, components: &str) -> Template {
    let components: Value = serde_json::from_str(components).unwrap_or(Value::Null);
    let part = |kind: &str| {
        let components = components.as_array().into_iter().flatten();
        components.into_iter().find(|one| one["type"].as_str().is_some_and(|found| found.eq_ignore_ascii_case(kind)))
    };
    let text = |part: Option<&Value>| part.and_then(|part| part["text"].as_str()).map(str::to_owned);
    let buttons = part("BUTTONS").and_then(|part| part["buttons"].as_array()).into_iter().flatten();
    Template {
        name: name.to_owned(),
        language: language.to_owned(),
        category: category.to_owned(),
        status: status.to_owned(),
        quality: None,
        header: part("HEADER").map(header),
        body: text(part("BODY")).unwrap_or_default(),
        footer: text(part("FOOTER")),
        buttons: buttons.map(button).collect(),
    }
}

fn header(header: &Value) -> Header {
    let format = header["format"].as_str().unwrap_or("TEXT").to_lowercase();
    match format.as_str() {
        "text" => Header::Text { text: header["text"].as_str().unwrap_or_default().to_owned() },
        "image" | "video" | "document" => Header::Media { kind: format },
        _ => Header::Other { format },
    }
}

fn button(button: &Value) -> Button {
    let text = |key: &str| button[key].as_str().map(str::to_owned);
    Button {
        kind: text("type").unwrap_or_default().to_lowercase(),
        text: text("text").unwrap_or_default(),
        url: text("url"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPONENTS: &str = r#"[
        {"type":"HEADER","format":"IMAGE"},
        {"type":"BODY","text":"Hello {{name}}, order {{order_number}} is here."},
        {"type":"BUTTONS","buttons":[
            {"type":"QUICK_REPLY","text":"Thanks"},
            {"type":"URL","text":"Track","url":"https://l.example/{{1}}"}]}]"#;

    #[test]
    fn only_a_text_with_a_link_asks_for_a_preview() {
        for (body, previews) in [("see https://l.example", true), ("http://l.example", true), ("l.example", false)] {
            assert_eq!(text(body)["text"], json!({"body": body, "preview_url": previews}));
        }
    }

    #[test]
    fn a_filled_template_has_the_shape_of_metas() {
        let described = read_template("parcel", "en", "UTILITY", "APPROVED", COMPONENTS);
        let values = ["https://l.example/box.png", "Marina", "77", "abc"].map(str::to_owned).to_vec();
        assert_eq!(described.check(&values), Ok(()));
        let filled = Filled { name: "parcel".into(), language: "en".into(), values };
        assert_eq!(
            template(&described, &filled)["template"]["components"],
            json!([
                {"type": "header", "parameters": [{"type": "image", "image": {"link": "https://l.example/box.png"}}]},
                {"type": "body", "parameters": [
                    {"type": "text", "text": "Marina", "parameter_name": "name"},
                    {"type": "text", "text": "77", "parameter_name": "order_number"}]},
                {"type": "button", "sub_type": "url", "index": "1", "parameters": [{"type": "text", "text": "abc"}]},
            ])
        );
    }

    #[test]
    fn what_nobody_understands_is_a_template_without_fields() {
        for components in ["", "null", "[1]", r#"{"type":"BODY"}"#, r#"[{"type":"BODY","text":7}]"#] {
            assert_eq!(read_template("x", "en", "UTILITY", "APPROVED", components).slots(), []);
        }
    }
}

//! Interactive messages, as Meta checks them: what is missing, and what is too long or too much.

use serde_json::Value as Json;

use super::GraphError;

const BODY: usize = 1024;
const LIST_BODY: usize = 4096;
const AROUND: usize = 60;
const BUTTON: usize = 20;
const ID: usize = 256;
const ROW_ID: usize = 200;
const TITLE: usize = 24;
const DESCRIPTION: usize = 72;

/// Its body, if all of it may be sent.
pub(super) fn checked(object: &Json) -> Result<String, GraphError> {
    let at = "interactive";
    let kind = text(object, at, "type", ID)?;
    let most = if kind == "list" { LIST_BODY } else { BODY };
    let body = text(&object["body"], "interactive['body']", "text", most)?;
    if !object["footer"].is_null() {
        text(&object["footer"], "interactive['footer']", "text", AROUND)?;
    }
    if object["header"]["type"] == "text" {
        text(&object["header"], "interactive['header']", "text", AROUND)?;
    }
    let action = &object["action"];
    let named = |name: &str| match action["name"] == name {
        true => Ok(()),
        false => Err(GraphError::bad_value(format!("Param interactive['action']['name'] must be {name}."))),
    };
    match kind {
        "button" => buttons(action)?,
        "list" => list(action)?,
        "cta_url" => {
            named("cta_url")?;
            let at = "interactive['action']['parameters']";
            text(&action["parameters"], at, "display_text", BUTTON)?;
            let url = text(&action["parameters"], at, "url", 2_000)?;
            if !url.starts_with("http") {
                return Err(GraphError::bad_value(format!("Param {at}['url'] is not a valid URL.")));
            }
        }
        "location_request_message" => named("send_location")?,
        "request_contact_info" => named("request_contact_info")?,
        "flow" => {
            named("flow")?;
            let at = "interactive['action']['parameters']";
            for key in ["flow_message_version", "flow_cta"] {
                text(&action["parameters"], at, key, BUTTON)?;
            }
            let known = ["flow_id", "flow_name"].iter().any(|key| action["parameters"][key].is_string());
            if !known {
                return Err(GraphError::missing(format!("Param {at}['flow_id'] is required.")));
            }
        }
        other => return Err(GraphError::invalid(format!("Param interactive['type'] must not be {other}."))),
    }
    Ok(body.to_owned())
}

fn buttons(action: &Json) -> Result<(), GraphError> {
    let at = "interactive['action']['buttons']";
    let buttons = array(action, at, "buttons", 3)?;
    let mut seen = Vec::new();
    for button in buttons {
        let reply = &button["reply"];
        for (key, most) in [("id", ID), ("title", BUTTON)] {
            let text = text(reply, at, key, most)?;
            if seen.contains(&(key, text)) {
                return Err(GraphError::bad_value(format!("Param {at}: {key}s must be unique.")));
            }
            seen.push((key, text));
        }
    }
    Ok(())
}

fn list(action: &Json) -> Result<(), GraphError> {
    let at = "interactive['action']['sections']";
    text(action, "interactive['action']", "button", BUTTON)?;
    let sections = array(action, at, "sections", 10)?;
    let mut ids: Vec<&str> = Vec::new();
    for section in sections {
        if sections.len() > 1 || !section["title"].is_null() {
            text(section, at, "title", TITLE)?;
        }
        for row in array(section, at, "rows", 10)? {
            let id = text(row, at, "id", ROW_ID)?;
            text(row, at, "title", TITLE)?;
            if !row["description"].is_null() {
                text(row, at, "description", DESCRIPTION)?;
            }
            if ids.contains(&id) {
                return Err(GraphError::bad_value(format!("Param {at}: row ids must be unique.")));
            }
            ids.push(id);
        }
    }
    match ids.len() {
        ..=10 => Ok(()),
        many => Err(GraphError::bad_value(format!("Param {at} has {many} rows: at most 10 in all sections."))),
    }
}

fn text<'a>(object: &'a Json, at: &str, key: &str, most: usize) -> Result<&'a str, GraphError> {
    let text = object[key].as_str().filter(|text| !text.trim().is_empty());
    let text = text.ok_or_else(|| GraphError::missing(format!("Param {at}['{key}'] is required.")))?;
    match text.chars().count() {
        length if length > most => {
            Err(GraphError::bad_value(format!("Param {at}['{key}'] must be at most {most} characters long.")))
        }
        _ => Ok(text),
    }
}

fn array<'a>(object: &'a Json, at: &str, key: &str, most: usize) -> Result<&'a [Json], GraphError> {
    match object[key].as_array().map(Vec::as_slice) {
        None | Some([]) => Err(GraphError::missing(format!("Param {at} is required."))),
        Some(all) if all.len() > most => Err(GraphError::bad_value(format!("Param {at}: at most {most} are allowed."))),
        Some(all) => Ok(all),
    }
}

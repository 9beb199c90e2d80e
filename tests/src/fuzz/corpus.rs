//! Webhook bodies to begin with: our own, and those of the folder that `BATON_WEBHOOK_CORPUS` names.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde_json::Value;

/// Stands in whatever customers said or are called, and must stand in no log.
pub const PRIVATE: &str = "xqzq-private";

/// Every `*.json` below a folder, in the order of their names.
pub fn json_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return files };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            files.extend(json_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The files of our own bodies.
pub fn own() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/webhooks");
    let files = json_files(&folder);
    assert!(files.len() >= 100, "our own corpus is at {}", folder.display());
    files
}

/// The files of the folder that `BATON_WEBHOOK_CORPUS` names; none if it is not set.
#[expect(clippy::disallowed_methods, reason = "the environment names a folder of further bodies")]
pub fn named() -> Vec<PathBuf> {
    let Ok(folder) = std::env::var("BATON_WEBHOOK_CORPUS") else { return Vec::new() };
    let files = json_files(Path::new(&folder));
    assert!(!files.is_empty(), "BATON_WEBHOOK_CORPUS: no *.json under {folder}");
    files
}

/// The numbers that bodies are about, each with its account; accounts without a number of their own
/// get one.
pub fn numbers<'a>(bodies: impl IntoIterator<Item = &'a Value>) -> BTreeMap<String, String> {
    let mut numbers = BTreeMap::new();
    for body in bodies {
        for entry in body["entry"].as_array().into_iter().flatten() {
            let account = entry["id"].as_str().unwrap_or_default();
            numbers.entry(format!("of-{account}")).or_insert_with(|| account.to_owned());
            find_numbers(entry, account, &mut numbers);
        }
    }
    numbers
}

fn find_numbers(value: &Value, account: &str, numbers: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(object) => {
            if let Some(number) = object.get("phone_number_id") {
                let number = number.as_str().map_or_else(|| number.to_string(), str::to_owned);
                numbers.entry(number).or_insert_with(|| account.to_owned());
            }
            object.values().for_each(|value| find_numbers(value, account, numbers));
        }
        Value::Array(array) => array.iter().for_each(|value| find_numbers(value, account, numbers)),
        _ => {}
    }
}

/// The same body under message ids of its own, so that it is news; [`PRIVATE`] stands in its words.
pub fn fresh(value: &Value, tag: &str) -> Value {
    const WORDS: [&str; 7] = ["body", "name", "caption", "filename", "text", "title", "formatted_name"];
    let with = |key: &str, value: &Value| match value {
        Value::String(text) if text.starts_with("wamid") => format!("{text}{tag}").into(),
        Value::String(text) if WORDS.contains(&key) => format!("{PRIVATE} {text}").into(),
        other => fresh(other, tag),
    };
    match value {
        Value::Object(object) => {
            Value::Object(object.iter().map(|(key, value)| (key.clone(), with(key, value))).collect())
        }
        Value::Array(elements) => Value::Array(elements.iter().map(|element| with("", element)).collect()),
        other => other.clone(),
    }
}

/// Meta's ids of every message, echo and status that a reader of the body finds. What is no JSON, or
/// nothing to a reader of webhooks, has none.
pub fn ids(body: &[u8]) -> Vec<String> {
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return Vec::new() };
    let mut ids = Vec::new();
    for entry in body["entry"].as_array().into_iter().flatten() {
        for change in entry["changes"].as_array().into_iter().flatten() {
            let value = &change["value"];
            let standby =
                value["standby"].as_array().map_or_else(|| vec![&value["standby"]], |all| all.iter().collect());
            for holder in standby.into_iter().chain([value]) {
                for kind in ["messages", "message_echoes", "statuses"] {
                    ids.extend(holder[kind].as_array().into_iter().flatten().filter_map(id));
                }
            }
        }
    }
    ids
}

fn id(element: &Value) -> Option<String> {
    element["id"].as_str().filter(|id| !id.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fresh_bodies_have_their_own_ids_and_say_something_private() {
        let body = json!({"entry": [{"id": "3", "changes": [{"value": {
            "metadata": {"phone_number_id": "7"},
            "messages": [{"id": "wamid.1", "text": {"body": "hello"}}],
            "standby": {"statuses": [{"id": "wamid.2"}]},
        }}]}]});
        let body = fresh(&body, "#a");
        assert_eq!(ids(body.to_string().as_bytes()), ["wamid.2#a", "wamid.1#a"]);
        assert!(body.to_string().contains("xqzq-private hello"));
        assert_eq!(numbers([&body]), BTreeMap::from([("7".into(), "3".into()), ("of-3".into(), "3".into())]));
    }
}

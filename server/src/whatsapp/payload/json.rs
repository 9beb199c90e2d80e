//! Reading foreign JSON without ever being disappointed: what does not fit is as if it were not there.

use serde_json::Value;

/// The value under `key`, unless it is absent or null.
pub(super) fn get<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    value.get(key).filter(|found| !found.is_null())
}

/// The value at the end of a path of keys.
pub(super) fn at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, key| get(value, key))
}

/// A string or a number under `key` as text; empty counts as absent.
pub(super) fn text(value: &Value, key: &str) -> Option<String> {
    get(value, key).and_then(as_text)
}

/// A string or a number as text; empty counts as absent. NUL, which PostgreSQL cannot store, is replaced.
pub(super) fn as_text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) if text.contains('\0') => text.replace('\0', "\u{fffd}"),
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// A whole number under `key`, written as a number or as a string.
pub(super) fn number(value: &Value, key: &str) -> Option<i64> {
    match get(value, key)? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The elements of an array under `key`; anything else than an array counts as its only element.
pub(super) fn elements<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    match get(value, key) {
        None => &[],
        Some(Value::Array(elements)) => elements,
        Some(single) => std::slice::from_ref(single),
    }
}

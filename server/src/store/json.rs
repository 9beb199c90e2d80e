//! Sets of rows travel to a statement as one JSON text: one round trip however many there are.
//! Ids stand in it as plain hex, which `unhex` (SQLite) and `::uuid` (PostgreSQL) both read.
//!
//! SQLite writes an element of `json_each` out as text each time its `value` is named, so a statement
//! with many columns takes it once (`with rows as materialized`).

use serde_json::Value;
use uuid::Uuid;

pub(super) fn id(id: impl Into<Uuid>) -> Value {
    Value::String(id.into().simple().to_string())
}

pub(super) fn maybe_id(value: Option<impl Into<Uuid>>) -> Value {
    value.map_or(Value::Null, id)
}

/// A set of ids.
pub(super) fn ids<T: Into<Uuid> + Copy>(ids: &[T]) -> String {
    Value::Array(ids.iter().map(|one| id(*one)).collect()).to_string()
}

/// A set of texts.
pub(super) fn texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    Value::Array(texts.into_iter().map(|text| Value::String(text.to_owned())).collect()).to_string()
}

/// A set of rows.
pub(super) fn rows(rows: Vec<Value>) -> String {
    Value::Array(rows).to_string()
}

//! Fills any JSON schema from a thought: what a property is called says what belongs there.

use serde_json::{Map, Number, Value as Json, json};

use super::{mind::Thought, words};

/// A value that the schema accepts, as far as the thought has something for it.
pub(super) fn fill(schema: &Json, thought: &Thought) -> Json {
    Filler { root: schema, thought }.value("", schema, 0)
}

struct Filler<'a> {
    root: &'a Json,
    thought: &'a Thought,
}

/// Schemas may contain themselves; answers end.
const DEEPEST: usize = 8;

impl Filler<'_> {
    fn value(&self, name: &str, schema: &Json, depth: usize) -> Json {
        let schema = self.resolve(schema);
        if depth > DEEPEST {
            return Json::Null;
        }
        if let Some(constant) = schema.get("const") {
            return constant.clone();
        }
        if let Some(options) = schema["enum"].as_array() {
            return self.choose(name, options);
        }
        match kind(schema) {
            "object" => self.object(schema, depth),
            "array" if name.to_lowercase().contains("source") => json!(self.thought.sources),
            "array" => json!([]),
            "boolean" => json!(self.thought.says_yes_to(name)),
            "number" | "integer" => self.number(name, schema),
            "null" => Json::Null,
            _ => json!(self.thought.text_for(name)),
        }
    }

    fn object(&self, schema: &Json, depth: usize) -> Json {
        let properties = schema["properties"].as_object().into_iter().flatten();
        Json::Object(
            properties.map(|(name, schema)| (name.clone(), self.value(name, schema, depth + 1))).collect::<Map<_, _>>(),
        )
    }

    /// A share of what the schema allows; from 0 to 1 unless it says otherwise.
    fn number(&self, name: &str, schema: &Json) -> Json {
        let share = if name.to_lowercase().contains("confidence") { self.thought.confidence } else { 0.0 };
        let lowest = schema["minimum"].as_f64().unwrap_or(0.0);
        let highest = schema["maximum"].as_f64().unwrap_or(1.0).max(lowest);
        let value = lowest + share * (highest - lowest);
        if kind(schema) == "integer" {
            #[expect(clippy::cast_possible_truncation, reason = "a small number, rounded")]
            return json!(value.round() as i64);
        }
        Number::from_f64((value * 100.0).round() / 100.0).map_or(Json::Null, Json::Number)
    }

    /// Words like `low` by how sure it is, others by what they share with the conversation.
    fn choose(&self, name: &str, options: &[Json]) -> Json {
        let graded = [("high", 0.7..=1.0), ("medium", 0.4..=0.7), ("low", 0.0..=0.4)];
        let grade = graded.iter().find(|(_, range)| range.contains(&self.thought.confidence)).map(|(word, _)| *word);
        if name.to_lowercase().contains("confidence")
            && let Some(option) = options.iter().find(|option| option.as_str() == grade)
        {
            return option.clone();
        }
        let topic =
            if name.to_lowercase().contains("reason") { self.thought.reason_words() } else { &self.thought.topic };
        let shared = |option: &&Json| option.as_str().map_or(0, |option| words::shared(option, topic));
        let best = options.iter().filter(|option| shared(option) > 0).max_by_key(shared);
        let nothing = options.iter().find(|option| option.as_str().is_none_or(str::is_empty));
        best.or(nothing).or_else(|| options.first()).cloned().unwrap_or_default()
    }

    /// Follows references within the schema, and takes the first alternative that is not null.
    fn resolve<'a>(&'a self, schema: &'a Json) -> &'a Json {
        let mut schema = schema;
        for _ in 0..DEEPEST {
            let alternatives = schema["anyOf"].as_array().or_else(|| schema["oneOf"].as_array());
            if let Some(pointer) = schema["$ref"].as_str() {
                schema = self.root.pointer(pointer.trim_start_matches('#')).unwrap_or(&Json::Null);
            } else if let Some(first) = alternatives.and_then(|all| all.iter().find(|one| one["type"] != "null")) {
                schema = first;
            } else {
                break;
            }
        }
        schema
    }
}

fn kind(schema: &Json) -> &str {
    match &schema["type"] {
        Json::String(kind) => kind,
        Json::Array(kinds) => kinds.iter().filter_map(Json::as_str).find(|kind| *kind != "null").unwrap_or("null"),
        _ if schema["properties"].is_object() => "object",
        _ => "string",
    }
}

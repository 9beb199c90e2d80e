//! Facts about a customer that hold for years: a model proposes them, this decides which are kept.

use serde_json::{Map, Value, json};

use super::super::{
    context::TurnContext,
    fold::{fold, words},
};

/// Something that a model would keep: a name for it and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposed {
    pub key: String,
    pub value: String,
}

/// Of one answer; who wants to keep more did not understand the task.
const PROPOSED: usize = 3;
/// Characters.
const KEY: usize = 32;
const VALUE: usize = 100;
/// A number of so many digits is a card's, an account's or a phone's: nothing to keep beside a name.
const DIGITS: usize = 9;

/// Of the answer's schema.
pub fn schema() -> Value {
    json!({
        "type": "array",
        "description": "what is worth knowing about this customer in a year, in the customer's own words; mostly empty",
        "items": {
            "type": "object",
            "properties": {
                "key": {"type": "string", "description": "such as shoe_size, last_order, prefers"},
                "value": {"type": "string"},
            },
            "required": ["key", "value"],
            "additionalProperties": false,
        },
    })
}

/// What a model proposes; whatever has not the form is left out.
pub fn read(object: &Map<String, Value>) -> Vec<Proposed> {
    let all = object.get("remember").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let one = |item: &Value| {
        let text = |key| item.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
        Some(Proposed { key: text("key")?.to_lowercase().replace([' ', '-'], "_"), value: text("value")?.to_owned() })
    };
    all.iter().filter_map(one).take(PROPOSED).collect()
}

/// Those that may be kept: short, of a plain name, no secret, and said by the customer in this turn.
pub fn kept(proposed: &[Proposed], context: &TurnContext) -> Vec<Proposed> {
    let question = context.question();
    let may = |one: &&Proposed| is_name(&one.key) && is_harmless(&one.value) && is_said(&one.value, &question);
    proposed.iter().filter(may).cloned().collect()
}

fn is_name(key: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    key.len() <= KEY && key.chars().all(plain) && key.starts_with(|c: char| c.is_ascii_lowercase())
}

fn is_harmless(value: &str) -> bool {
    let digits = value.chars().filter(char::is_ascii_digit).count();
    let secret = ["password", "passwort", "senha", "contraseña", "mot de passe", "pin", "cvv", "iban"];
    let folded = format!(" {} ", fold(value));
    let names_secret = secret.iter().any(|word| folded.contains(&format!(" {} ", fold(word))));
    value.chars().count() <= VALUE && !value.contains(char::is_control) && digits < DIGITS && !names_secret
}

/// Every word and number of it, in any order: what the customer did not say is not known.
fn is_said(value: &str, question: &str) -> bool {
    let (value_folded, question_folded) = (fold(value), format!(" {} ", fold(question)));
    let mut pieces = words(&value_folded).peekable();
    let has_words = pieces.peek().is_some();
    let numbers: Vec<&str> = numbers(question).collect();
    has_words
        && pieces.all(|word| question_folded.contains(&format!(" {word} ")))
        && self::numbers(value).all(|number| numbers.contains(&number))
}

fn numbers(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_digit()).filter(|run| !run.is_empty())
}

#[cfg(test)]
mod tests {
    use baton_shared::{Micros, message::Author};

    use super::*;
    use crate::bot::context::Said;

    fn writes(text: &str) -> TurnContext {
        let said = Said {
            author: Author::Customer,
            agent: None,
            kind: "text".into(),
            text: text.into(),
            seen: None,
            at: Micros::from_seconds(1_795_000_000),
            unanswered: true,
            given_back: false,
            may_not_have_arrived: false,
        };
        TurnContext { said: vec![said], ..TurnContext::default() }
    }

    fn keeps(key: &str, value: &str, text: &str) -> bool {
        let object = json!({"remember": [{"key": key, "value": value}]});
        !kept(&read(object.as_object().unwrap()), &writes(text)).is_empty()
    }

    #[test]
    fn what_the_customer_said_is_kept() {
        assert!(keeps("Shoe size", "42", "I wear size 42, thanks"));
        assert!(keeps("prefers", "écru linen", "I always take LINEN, écru if you have it"));
    }

    #[test]
    fn what_nobody_said_or_nobody_should_keep_is_not() {
        for (key, value, text) in [
            ("shoe_size", "43", "I wear size 42"),
            ("prefers", "silk", "I always take linen"),
            ("card", "4111 1111 1111 1111", "my card is 4111 1111 1111 1111"),
            ("login", "password hunter", "my password hunter"),
            ("x'; drop", "linen", "linen"),
            ("", "linen", "linen"),
            ("prefers", "", "linen"),
            ("prefers", "!!", "linen !!"),
            ("prefers", "\u{1b}[2J linen", "linen \u{1b}[2J"),
        ] {
            assert!(!keeps(key, value, text), "{key}: {value}");
        }
        let many: Vec<Value> = (0..9).map(|n| json!({"key": format!("k{n}"), "value": "linen"})).collect();
        let all = json!({"remember": many});
        assert_eq!(kept(&read(all.as_object().unwrap()), &writes("linen")).len(), PROPOSED);
        for odd in [json!({}), json!({"remember": "linen"}), json!({"remember": [7, {"key": 1}, null]})] {
            assert!(read(odd.as_object().unwrap()).is_empty());
        }
    }
}

//! The form in which a model answers, and the way back from what it really wrote.

use serde_json::{Map, Value, json};

use super::{
    super::memory::facts::{self, Proposed},
    shape::Shape,
};

/// What the model says, put into types.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelReply {
    /// For the customer; may be empty only if `handoff`.
    pub reply: String,
    /// 0 to 1.
    pub confidence: f32,
    /// The model wants a person.
    pub handoff: bool,
    /// Why: one of [`REASONS`], or nothing.
    pub reason: Option<String>,
    /// One of the playbook's stages.
    pub stage: Option<String>,
    /// What it would keep of the customer; nobody has checked it.
    pub remember: Vec<Proposed>,
    /// Numbers of the passages that the reply rests on; `None` if it does not say.
    pub sources: Option<Vec<usize>>,
}

/// Why a model may want a person.
pub const REASONS: [&str; 3] = ["asked_for_human", "human_only_topic", "low_confidence"];

/// WhatsApp's longest text, in characters. A model that writes more did not understand its task.
const LONGEST: usize = 4_096;

/// The JSON schema of the form; without bounds on numbers, which not every provider takes.
fn schema(stages: &[String]) -> Value {
    let reasons: Vec<&str> = REASONS.into_iter().chain([""]).collect();
    let stage = match stages {
        [] => json!({"type": "string"}),
        stages => json!({"type": "string", "enum": stages}),
    };
    json!({
        "type": "object",
        "properties": {
            "reply": {"type": "string", "description": "the message to the customer"},
            "confidence": {"type": "number", "description": "from 0 to 1: how sure it is right and helps"},
            "handoff": {"type": "boolean", "description": "whether a person must take over"},
            "reason": {"type": "string", "enum": reasons, "description": "why a person must; empty if not"},
            "stage": stage,
            "sources": {
                "type": "array",
                "items": {"type": "integer"},
                "description": "numbers of the documents that the message rests on",
            },
            "remember": facts::schema(),
        },
        "required": ["reply", "confidence", "handoff", "reason", "stage", "sources", "remember"],
        "additionalProperties": false,
    })
}

/// The shape of an answer to a customer; `stages` are the playbook's.
pub fn shape(stages: &[String]) -> Shape<ModelReply> {
    let known = stages.to_vec();
    Shape::new(schema(stages), move |object| from_object(object, &known))
}

/// What a model wrote as JSON; failing that, the first JSON object in it.
pub(super) fn object_in(text: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(text.trim()).ok().or_else(|| first_object(text))
}

/// Wrong types are mended where there is no doubt what is meant. `None`: it cannot be used.
fn from_object(object: &Map<String, Value>, stages: &[String]) -> Option<ModelReply> {
    let handoff = truth(object.get("handoff"));
    let reply = reply(object.get("reply"))?;
    if reply.is_empty() && !handoff {
        return None;
    }
    Some(ModelReply {
        reply,
        confidence: confidence(object.get("confidence")),
        handoff,
        reason: word(object.get("reason"), |word| REASONS.contains(&word)),
        stage: word(object.get("stage"), |word| stages.iter().any(|stage| stage == word)),
        remember: facts::read(object),
        sources: object.get("sources").and_then(Value::as_array).map(|numbers| self::numbers(numbers)),
    })
}

/// The first `{...}` that is JSON, whatever stands around it.
fn first_object(text: &str) -> Option<Map<String, Value>> {
    /// Prose with many braces is not searched for ever.
    const TRIES: usize = 16;
    text.match_indices('{').take(TRIES).find_map(|(at, _)| {
        serde_json::Deserializer::from_str(&text[at..]).into_iter::<Map<String, Value>>().next()?.ok()
    })
}

/// `None` if it is no text or too long to be a message.
fn reply(value: Option<&Value>) -> Option<String> {
    let text = match value {
        None | Some(Value::Null) => "",
        Some(Value::String(text)) => text.trim(),
        Some(_) => return None,
    };
    let fits = text.chars().count() <= LONGEST;
    fits.then(|| text.chars().filter(|c| *c == '\n' || !c.is_control()).collect())
}

/// A number that is missing or no number means: not sure at all. Some models count to a hundred.
#[expect(clippy::cast_possible_truncation, reason = "a share needs no more digits")]
fn confidence(value: Option<&Value>) -> f32 {
    let number = match value {
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) => text.trim().trim_end_matches('%').parse().ok(),
        _ => None,
    };
    match number {
        Some(percent) if percent > 1.0 && percent <= 100.0 => (percent / 100.0) as f32,
        Some(share) if (0.0..=1.0).contains(&share) => share as f32,
        _ => 0.0,
    }
}

fn truth(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Bool(truth)) => *truth,
        Some(Value::String(text)) => matches!(text.trim().to_lowercase().as_str(), "true" | "yes"),
        _ => false,
    }
}

/// Those that are numbers, also as text.
fn numbers(values: &[Value]) -> Vec<usize> {
    let number = |value: &Value| match value {
        Value::String(text) => text.trim().parse().ok(),
        value => value.as_u64().and_then(|number| usize::try_from(number).ok()),
    };
    values.iter().filter_map(number).collect()
}

fn word(value: Option<&Value>, known: impl Fn(&str) -> bool) -> Option<String> {
    value.and_then(Value::as_str).map(str::trim).filter(|word| known(word)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str, stages: &[String]) -> Option<ModelReply> {
        from_object(&object_in(text)?, stages)
    }

    fn stages() -> Vec<String> {
        vec!["question".into(), "done".into()]
    }

    #[test]
    fn the_form_is_read_as_it_is() {
        let text = r#"{"reply":"Hi","confidence":0.8,"handoff":false,"reason":"","stage":"done","sources":[2,"1",{}]}"#;
        let reply = parse(text, &stages()).unwrap();
        assert_eq!(
            reply,
            ModelReply {
                reply: "Hi".into(),
                confidence: 0.8,
                handoff: false,
                reason: None,
                stage: Some("done".into()),
                remember: Vec::new(),
                sources: Some(vec![2, 1]),
            }
        );
    }

    #[test]
    fn what_is_clear_is_mended() {
        let fenced = "Sure! Here is {it}:\n```json\n{\"reply\":\"Hi {you}\",\"confidence\":\"85%\",\"handoff\":\"yes\",\"stage\":\"moon\"}\n```";
        let reply = parse(fenced, &stages()).unwrap();
        assert_eq!(reply.reply, "Hi {you}");
        assert!((reply.confidence - 0.85).abs() < 1e-6);
        assert!(reply.handoff);
        assert_eq!(reply.stage, None);
        assert!(parse(r#"{"reply":"Hi","confidence":-3}"#, &[]).unwrap().confidence.abs() < 1e-6);
    }

    #[test]
    fn what_is_not_clear_is_refused() {
        for text in [
            "",
            "Your parcel is on its way!",
            "{\"reply\":\"Hi",
            "{\"reply\":\"\"}",
            "{\"reply\":7}",
            "{}",
            "[]",
            "null",
            "\"reply\"",
            &format!("{{\"reply\":\"{}\"}}", "x".repeat(5_000)),
            &"{".repeat(60_000),
            &"[".repeat(60_000),
        ] {
            assert_eq!(parse(text, &stages()), None, "{}", &text[..text.len().min(40)]);
        }
    }

    proptest! {
        #[test]
        fn nothing_a_model_writes_breaks_the_parser(text in "(\\PC|[{}\\[\\]\":,\\\\\n]|reply|true|0.5){0,60}") {
            if let Some(reply) = parse(&text, &stages()) {
                prop_assert!((0.0..=1.0).contains(&reply.confidence));
                prop_assert!(!reply.reply.is_empty() || reply.handoff);
            }
        }

        #[test]
        fn a_good_answer_survives_whatever_stands_around_it(
            before in "[^{]{0,30}", after in "\\PC{0,30}", reply in "[^\\p{Cc}]{1,50}", confidence in 0.0_f32..=1.0,
        ) {
            prop_assume!(!reply.trim().is_empty());
            let object = json!({"reply": reply, "confidence": confidence, "handoff": false, "reason": "", "stage": ""});
            let read = parse(&format!("{before}{object}{after}"), &[]).unwrap();
            prop_assert_eq!(read.reply, reply.trim());
            prop_assert!((read.confidence - confidence).abs() < 1e-5);
        }
    }
}

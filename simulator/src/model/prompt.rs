//! A prompt, whichever format it came in: what the model was told, and in which form it is to answer.

use serde_json::{Value as Json, json};

use super::{
    Said,
    transcript::{self, Speaker},
};

/// Everything a model is given.
#[derive(Debug)]
pub(super) struct Prompt {
    /// Instructions and knowledge.
    pub(super) system: String,
    pub(super) turns: Vec<Turn>,
    pub(super) form: Form,
}

#[derive(Debug)]
pub(super) struct Turn {
    pub(super) from_model: bool,
    pub(super) text: String,
}

/// How the answer is to look.
#[derive(Debug)]
pub(super) enum Form {
    Prose,
    Json { schema: Json },
    Tool { name: String, schema: Json },
}

impl Form {
    /// What a prompt means that asks for JSON in words only.
    pub(super) fn asked_in_words(system: &str) -> Self {
        let system = system.to_lowercase();
        if system.contains("json") && system.contains("reply") && system.contains("confidence") {
            Self::Json { schema: usual_schema() }
        } else {
            Self::Prose
        }
    }

    /// JSON of no particular shape.
    pub(super) fn any_json() -> Self {
        Self::Json { schema: usual_schema() }
    }

    pub(super) fn wrap(&self, text: String) -> Said {
        match self {
            Self::Prose | Self::Json { .. } => Said::Text(text),
            Self::Tool { name, .. } => Said::Tool { name: name.clone(), arguments: text },
        }
    }
}

/// What a customer service pipeline usually wants to know.
fn usual_schema() -> Json {
    json!({"type": "object", "properties": {
        "reply": {"type": "string"},
        "confidence": {"type": "number"},
        "handoff": {"type": "boolean"},
        "reason": {"type": "string"},
        "stage": {"type": "string"},
        "sources": {"type": "array", "items": {"type": "integer"}},
    }})
}

impl Prompt {
    /// What the customer said since the model spoke last.
    pub(super) fn question(&self) -> String {
        let since = self.turns.iter().rposition(|turn| turn.from_model).map_or(0, |last| last + 1);
        let texts: Vec<&str> = self.turns[since..].iter().map(|turn| turn.text.as_str()).collect();
        let text = texts.join("\n");
        transcript::question(&transcript::read(&text)).unwrap_or(text)
    }

    /// What the model said itself, so that it does not repeat it.
    pub(super) fn said_before(&self, text: &str) -> bool {
        let mut written = self.turns.iter().flat_map(|turn| transcript::read(&turn.text));
        self.turns.iter().any(|turn| turn.from_model && turn.text.contains(text))
            || written.any(|line| line.speaker == Speaker::Model && line.text.contains(text))
    }

    /// Everything that was said to the model and by it, line by line.
    pub(super) fn context(&self) -> impl Iterator<Item = &str> {
        let others = self.turns.iter().map(|turn| turn.text.as_str());
        std::iter::once(self.system.as_str()).chain(others).flat_map(str::lines)
    }

    /// Roughly, as everyone counts who has no tokenizer.
    pub(super) fn tokens(&self) -> usize {
        (self.system.len() + self.turns.iter().map(|turn| turn.text.len()).sum::<usize>()).div_ceil(4)
    }
}

/// Text, or the text parts of a list of parts.
pub(super) fn flatten(content: &Json) -> String {
    match content {
        Json::String(text) => text.clone(),
        Json::Array(parts) => {
            let texts: Vec<&str> =
                parts.iter().filter_map(|part| part["text"].as_str().or_else(|| part["content"].as_str())).collect();
            texts.join("\n")
        }
        _ => String::new(),
    }
}

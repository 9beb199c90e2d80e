//! Anthropic's Messages API: `POST /v1/messages`.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Failure, Prompt, Usage, Written,
    transport::{Request, Response},
};
use crate::config::{Model, Secret, Structured};

const VERSION: &str = "2023-06-01";
const TOOL: &str = "emit_reply";

pub(super) fn request(model: &Model, structured: Structured, prompt: &Prompt, schema: &Value) -> Request {
    let mut body = json!({
        "model": model.name,
        "max_tokens": model.max_tokens,
        "system": prompt.system,
        "messages": [{"role": "user", "content": prompt.user}],
    });
    match structured {
        Structured::Schema => body["output_config"] = json!({"format": {"type": "json_schema", "schema": schema}}),
        Structured::Tool => {
            let about = "Gives the answer to the customer.";
            body["tools"] = json!([{"name": TOOL, "description": about, "input_schema": schema}]);
            body["tool_choice"] = json!({"type": "tool", "name": TOOL});
        }
        Structured::Object | Structured::Prompt => {}
    }
    let mut headers = vec![("anthropic-version", Secret::new(VERSION))];
    headers.extend(model.api_key.iter().map(|key| ("x-api-key", key.clone())));
    Request {
        url: format!("{}/v1/messages", model.base_url),
        headers,
        body: body.to_string(),
        deadline: model.deadline,
    }
}

pub(super) fn read(response: &Response) -> Result<(Written, Usage), (Failure, Usage)> {
    if response.status != 200 {
        return Err((Failure::of_response(response), Usage::default()));
    }
    let message: Message =
        serde_json::from_slice(&response.body).map_err(|_| (Failure::Malformed, Usage::default()))?;
    let usage = message.usage.read();
    match message.stop_reason.as_deref() {
        Some("refusal") => Err((Failure::Filtered, usage)),
        Some("model_context_window_exceeded") => Err((Failure::ContextTooLong, usage)),
        _ => message.written().map(|written| (written, usage)).ok_or((Failure::Malformed, usage)),
    }
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    content: Vec<Block>,
    stop_reason: Option<String>,
    #[serde(default)]
    usage: Tokens,
}

impl Message {
    /// The tool's input if it was called, else all text.
    fn written(self) -> Option<Written> {
        let mut all = String::new();
        for block in self.content {
            match block {
                Block { input: Some(input), .. } => return Some(Written::Object(input)),
                Block { text: Some(text), .. } => all.push_str(&text),
                Block { .. } => {}
            }
        }
        (!all.is_empty()).then_some(Written::Text(all))
    }
}

/// `text` has a text, `tool_use` an input; other kinds have neither.
#[derive(Deserialize)]
struct Block {
    text: Option<String>,
    input: Option<Map<String, Value>>,
}

#[derive(Deserialize, Default)]
struct Tokens {
    #[serde(default)]
    input_tokens: u32,
    #[serde(default)]
    output_tokens: u32,
    cache_creation_input_tokens: Option<u32>,
    cache_read_input_tokens: Option<u32>,
}

impl Tokens {
    /// Anthropic counts cached input apart from the rest.
    fn read(&self) -> Usage {
        let cached = self.cache_read_input_tokens.unwrap_or(0);
        let written = self.cache_creation_input_tokens.unwrap_or(0);
        Usage {
            input_tokens: self.input_tokens.saturating_add(cached).saturating_add(written),
            cached_tokens: cached,
            output_tokens: self.output_tokens,
        }
    }
}

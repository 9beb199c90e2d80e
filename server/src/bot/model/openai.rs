//! OpenAI's chat completions, which many servers speak: `POST /chat/completions`.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Failure, Prompt, Usage, Written,
    transport::{Request, Response},
};
use crate::config::{Model, Secret, Structured};

const TOOL: &str = "emit_reply";

pub(super) fn request(model: &Model, structured: Structured, prompt: &Prompt, schema: &Value) -> Request {
    let mut body = json!({
        "model": model.name,
        "messages": [
            {"role": "system", "content": prompt.system},
            {"role": "user", "content": prompt.user},
        ],
    });
    // OpenAI's newer models refuse the old name, other servers do not know the new one.
    let limit = if model.provider == "openai" { "max_completion_tokens" } else { "max_tokens" };
    body[limit] = model.max_tokens.into();
    match structured {
        Structured::Schema => {
            body["response_format"] =
                json!({"type": "json_schema", "json_schema": {"name": "reply", "strict": true, "schema": schema}});
        }
        Structured::Tool => {
            body["tools"] = json!([{"type": "function", "function": {"name": TOOL, "parameters": schema}}]);
            body["tool_choice"] = json!({"type": "function", "function": {"name": TOOL}});
        }
        Structured::Object => body["response_format"] = json!({"type": "json_object"}),
        Structured::Prompt => {}
    }
    let bearer = |key: &Secret| Secret::new(format!("Bearer {}", key.reveal()));
    Request {
        url: format!("{}/chat/completions", model.base_url),
        headers: model.api_key.iter().map(|key| ("authorization", bearer(key))).collect(),
        body: body.to_string(),
        deadline: model.deadline,
    }
}

pub(super) fn read(response: &Response) -> Result<(Written, Usage), (Failure, Usage)> {
    if response.status != 200 {
        return Err((Failure::of_response(response), Usage::default()));
    }
    let completion: Completion =
        serde_json::from_slice(&response.body).map_err(|_| (Failure::Malformed, Usage::default()))?;
    let usage = completion.usage.unwrap_or_default().read();
    let choice = completion.choices.into_iter().next().ok_or((Failure::Malformed, usage))?;
    let declined = choice.message.refusal.as_ref().is_some_and(|refusal| !refusal.is_empty());
    if declined || choice.finish_reason.as_deref() == Some("content_filter") {
        return Err((Failure::Filtered, usage));
    }
    choice.message.written().map(|written| (written, usage)).ok_or((Failure::Malformed, usage))
}

#[derive(Deserialize)]
struct Completion {
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<Tokens>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    content: Option<String>,
    refusal: Option<String>,
    tool_calls: Option<Vec<Call>>,
}

impl Message {
    /// A tool's arguments whatever `finish_reason` says: not every server keeps the two in step.
    fn written(self) -> Option<Written> {
        let call = self.tool_calls.into_iter().flatten().next();
        call.map(|call| call.function.arguments).or(self.content).map(Written::Text)
    }
}

#[derive(Deserialize)]
struct Call {
    function: Function,
}

#[derive(Deserialize)]
struct Function {
    arguments: String,
}

#[derive(Deserialize, Default)]
struct Tokens {
    #[serde(default)]
    prompt_tokens: u32,
    #[serde(default)]
    completion_tokens: u32,
    prompt_tokens_details: Option<Details>,
}

#[derive(Deserialize)]
struct Details {
    cached_tokens: Option<u32>,
}

impl Tokens {
    fn read(&self) -> Usage {
        let cached = self.prompt_tokens_details.as_ref().and_then(|details| details.cached_tokens);
        Usage {
            input_tokens: self.prompt_tokens,
            cached_tokens: cached.unwrap_or(0),
            output_tokens: self.completion_tokens,
        }
    }
}

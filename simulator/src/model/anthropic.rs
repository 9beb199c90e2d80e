//! Anthropic's Messages API: `POST /v1/messages`.

use serde_json::{Value as Json, json};

use super::{
    Refusal, Said, Spoken, Wire,
    prompt::{Form, Prompt, Turn, flatten},
};

pub(super) struct Messages;

impl Wire for Messages {
    fn parse(body: &Json) -> Result<Prompt, String> {
        if body["model"].as_str().is_none_or(str::is_empty) {
            return Err("model: Field required".into());
        }
        if body["max_tokens"].as_u64().is_none_or(|tokens| tokens == 0) {
            return Err("max_tokens: Field required".into());
        }
        if body["stream"] == true {
            return Err("stream: this provider does not stream".into());
        }
        let messages = body["messages"].as_array().filter(|messages| !messages.is_empty());
        let messages = messages.ok_or("messages: at least one message is required")?;
        let mut turns = Vec::with_capacity(messages.len());
        for (index, message) in messages.iter().enumerate() {
            let from_model = match message["role"].as_str() {
                Some("user") => false,
                Some("assistant") => true,
                _ => return Err(format!("messages.{index}.role: Input should be 'user' or 'assistant'")),
            };
            turns.push(Turn { from_model, text: flatten(&message["content"]) });
        }
        let system = flatten(&body["system"]);
        Ok(Prompt { form: form(body, &system)?, system, turns })
    }

    fn answer(reply: &Spoken<'_>) -> Json {
        let (content, stop_reason, length) = match &reply.said {
            Said::Text(text) => (json!({"type": "text", "text": text}), "end_turn", text.len()),
            Said::Tool { name, arguments } => {
                // What broke off arrives as an object all the same, without what was missing.
                let input: Json = serde_json::from_str(arguments).unwrap_or_else(|_| json!({}));
                let call =
                    json!({"type": "tool_use", "id": format!("toolu_{}", reply.id), "name": name, "input": input});
                (call, "tool_use", arguments.len())
            }
        };
        json!({
            "id": format!("msg_{}", reply.id),
            "type": "message",
            "role": "assistant",
            "model": reply.model,
            "content": [content],
            "stop_reason": if reply.cut_short { "max_tokens" } else { stop_reason },
            "stop_sequence": null,
            "usage": {
                "input_tokens": reply.input_tokens,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0,
                "output_tokens": length.div_ceil(4),
                "service_tier": "standard",
            },
        })
    }

    fn error(refusal: &Refusal, id: &str) -> Json {
        let kind = match refusal.status {
            401 => "authentication_error",
            404 => "not_found_error",
            429 => "rate_limit_error",
            500 => "api_error",
            529 => "overloaded_error",
            _ => "invalid_request_error",
        };
        json!({
            "type": "error",
            "error": {"type": kind, "message": refusal.message},
            "request_id": format!("req_{id}"),
        })
    }
}

fn form(body: &Json, system: &str) -> Result<Form, String> {
    let format = &body["output_config"]["format"];
    if format["type"] == "json_schema" {
        return match &format["schema"] {
            schema @ Json::Object(_) => Ok(Form::Json { schema: schema.clone() }),
            _ => Err("output_config.format.schema: Field required".into()),
        };
    }
    let tools = body["tools"].as_array().map_or(&[][..], Vec::as_slice);
    let chosen = match body["tool_choice"]["type"].as_str() {
        Some("tool") => {
            let named = tools.iter().find(|tool| tool["name"] == body["tool_choice"]["name"]);
            Some(named.ok_or("tool_choice: tool not found in provided tools")?)
        }
        Some("any") => tools.first(),
        _ => None,
    };
    Ok(match chosen {
        Some(tool) => {
            Form::Tool { name: tool["name"].as_str().unwrap_or_default().into(), schema: tool["input_schema"].clone() }
        }
        None => Form::asked_in_words(system),
    })
}

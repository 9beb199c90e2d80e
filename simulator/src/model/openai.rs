//! OpenAI's chat completions, as OpenAI and those who look like it answer them:
//! `POST /v1/chat/completions`.

use serde_json::{Value as Json, json};

use super::{
    Refusal, Said, Spoken, Wire,
    prompt::{Form, Prompt, Turn, flatten},
};

pub(super) struct ChatCompletions;

impl Wire for ChatCompletions {
    fn parse(body: &Json) -> Result<Prompt, String> {
        if body["model"].as_str().is_none_or(str::is_empty) {
            return Err("you must provide a model parameter".into());
        }
        if body["stream"] == true {
            return Err("This provider does not stream".into());
        }
        let messages = body["messages"].as_array().filter(|messages| !messages.is_empty());
        let messages = messages.ok_or("Invalid 'messages': empty array")?;
        let mut system = Vec::new();
        let mut turns = Vec::new();
        for (index, message) in messages.iter().enumerate() {
            let text = flatten(&message["content"]);
            match message["role"].as_str() {
                Some("system" | "developer") => system.push(text),
                Some("user" | "tool") => turns.push(Turn { from_model: false, text }),
                Some("assistant") => turns.push(Turn { from_model: true, text }),
                _ => return Err(format!("Invalid value for 'messages[{index}].role'")),
            }
        }
        let system = system.join("\n");
        Ok(Prompt { form: form(body, &system)?, system, turns })
    }

    fn answer(reply: &Spoken<'_>) -> Json {
        let (message, finish_reason, length) = match &reply.said {
            Said::Text(text) => {
                (json!({"role": "assistant", "content": text, "refusal": null, "annotations": []}), "stop", text.len())
            }
            Said::Tool { name, arguments } => {
                let function = json!({"name": name, "arguments": arguments});
                let call = json!({"id": format!("call_{}", reply.id), "type": "function", "function": function});
                let message = json!({"role": "assistant", "content": null, "refusal": null, "tool_calls": [call]});
                (message, "tool_calls", arguments.len())
            }
        };
        let output_tokens = length.div_ceil(4);
        json!({
            "id": format!("chatcmpl-{}", reply.id),
            "object": "chat.completion",
            "created": reply.at.seconds(),
            "model": reply.model,
            "choices": [{
                "index": 0,
                "message": message,
                "logprobs": null,
                "finish_reason": if reply.cut_short { "length" } else { finish_reason },
            }],
            "usage": {
                "prompt_tokens": reply.input_tokens,
                "completion_tokens": output_tokens,
                "total_tokens": reply.input_tokens + output_tokens,
                "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
                "completion_tokens_details": {
                    "reasoning_tokens": 0,
                    "audio_tokens": 0,
                    "accepted_prediction_tokens": 0,
                    "rejected_prediction_tokens": 0,
                },
            },
            "service_tier": "default",
            "system_fingerprint": "fp_simulated",
        })
    }

    fn error(refusal: &Refusal, _: &str) -> Json {
        let (kind, code) = match refusal.status {
            401 => ("invalid_request_error", json!("invalid_api_key")),
            429 => ("requests", json!("rate_limit_exceeded")),
            500.. => ("server_error", json!(null)),
            _ => ("invalid_request_error", json!(null)),
        };
        json!({"error": {"message": refusal.message, "type": kind, "param": null, "code": code}})
    }
}

fn form(body: &Json, system: &str) -> Result<Form, String> {
    let format = &body["response_format"];
    match format["type"].as_str() {
        Some("json_schema") => {
            return match &format["json_schema"]["schema"] {
                schema @ Json::Object(_) => Ok(Form::Json { schema: schema.clone() }),
                _ => Err("Missing required parameter: 'response_format.json_schema.schema'".into()),
            };
        }
        Some("json_object") => return Ok(Form::any_json()),
        _ => {}
    }
    let tools = body["tools"].as_array().map_or(&[][..], Vec::as_slice);
    let chosen = match &body["tool_choice"] {
        Json::String(choice) if choice == "required" => tools.first(),
        Json::Object(choice) => {
            let name = choice.get("function").map(|function| &function["name"]);
            let named = tools.iter().find(|tool| Some(&tool["function"]["name"]) == name);
            Some(named.ok_or("Invalid value for 'tool_choice': no such tool")?)
        }
        _ => None,
    };
    Ok(match chosen {
        Some(tool) => Form::Tool {
            name: tool["function"]["name"].as_str().unwrap_or_default().into(),
            schema: tool["function"]["parameters"].clone(),
        },
        None => Form::asked_in_words(system),
    })
}

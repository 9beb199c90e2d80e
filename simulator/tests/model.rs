//! The simulated model provider: both formats, what it answers from, and what goes wrong.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use baton_shared::{Micros, SystemClock};
use baton_simulator::{
    Model, ModelConfig, ModelServer, Span,
    model::{ModelFault, ModelFaults, ModelReply, ModelRequest},
};
use http::{HeaderMap, HeaderValue, Method};
use serde_json::{Value as Json, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

const SYSTEM: &str = "You answer for a bicycle workshop.\nNever promise a date.\n\n# Knowledge\n\
    - Opening hours: Monday to Friday 9 to 18, Saturday 10 to 14, closed on Sunday.\n\
    - Repairs take three working days; we send a message when a bicycle is ready.\n\
    - Delivery: we deliver within the city for 15 euros.\n\
    Q: Which forms of payment do you accept?\nA: Cash and all common cards.\n";

fn schema() -> Json {
    json!({"type": "object", "additionalProperties": false,
        "required": ["reply", "confidence", "handoff", "reason", "stage"],
        "properties": {
            "reply": {"type": "string"},
            "confidence": {"type": "number"},
            "handoff": {"type": "boolean"},
            "reason": {"type": ["string", "null"]},
            "stage": {"$ref": "#/$defs/stage"},
        },
        "$defs": {"stage": {"type": "string", "enum": ["greeting", "repairs", "payment"]}},
    })
}

fn model(faults: ModelFaults) -> Model {
    Model::new(ModelConfig { faults, ..ModelConfig::default() }, fastrand::Rng::with_seed(4))
}

fn ask(model: &mut Model, path: &str, body: &Json) -> ModelReply {
    let mut headers = HeaderMap::new();
    headers.insert("x-api-key", HeaderValue::from_static("a key"));
    let body = body.to_string();
    let request = ModelRequest { method: &Method::POST, path, headers: &headers, body: body.as_bytes() };
    model.answer(Micros::from_seconds(1_795_000_000), request)
}

fn json_of(reply: &ModelReply) -> Json {
    serde_json::from_slice(&reply.body).unwrap()
}

fn anthropic(messages: &Json) -> Json {
    json!({"model": "small", "max_tokens": 1024, "system": SYSTEM, "messages": messages,
        "output_config": {"format": {"type": "json_schema", "schema": schema()}}})
}

fn openai(messages: &[Json]) -> Json {
    let messages: Vec<Json> =
        [json!({"role": "system", "content": SYSTEM})].into_iter().chain(messages.iter().cloned()).collect();
    json!({"model": "small", "messages": messages, "response_format":
        {"type": "json_schema", "json_schema": {"name": "turn", "strict": true, "schema": schema()}}})
}

/// What it says to one line of a customer, as structured output.
fn thought(question: &str) -> Json {
    let reply = ask(
        &mut model(ModelFaults::none()),
        "/v1/messages",
        &anthropic(&json!([{"role": "user", "content": question}])),
    );
    assert_eq!(reply.status, 200, "{}", json_of(&reply));
    serde_json::from_str(json_of(&reply)["content"][0]["text"].as_str().unwrap()).unwrap()
}

#[test]
fn it_answers_in_the_shape_of_anthropics_messages() {
    let body = anthropic(&json!([{"role": "user", "content": [{"type": "text", "text": "When are you open?"}]}]));
    let answer = json_of(&ask(&mut model(ModelFaults::none()), "/v1/messages", &body));
    assert_eq!(
        (&answer["type"], &answer["role"], &answer["model"]),
        (&json!("message"), &json!("assistant"), &json!("small"))
    );
    assert_eq!(answer["stop_reason"], json!("end_turn"));
    assert!(answer["id"].as_str().unwrap().starts_with("msg_"));
    assert!(answer["usage"]["input_tokens"].as_u64() > Some(50) && answer["usage"]["output_tokens"].as_u64() > Some(5));
}

#[test]
fn it_answers_in_the_shape_of_chat_completions() {
    for path in ["/v1/chat/completions", "/openai/v1/chat/completions"] {
        let body = openai(&[json!({"role": "user", "content": "When are you open?"})]);
        let answer = json_of(&ask(&mut model(ModelFaults::none()), path, &body));
        assert_eq!((&answer["object"], &answer["created"]), (&json!("chat.completion"), &json!(1_795_000_000)));
        assert_eq!(answer["choices"][0]["finish_reason"], json!("stop"));
        assert_eq!(answer["service_tier"], json!("default"));
        let usage = &answer["usage"];
        assert_eq!(
            usage["total_tokens"].as_u64(),
            Some(usage["prompt_tokens"].as_u64().unwrap() + usage["completion_tokens"].as_u64().unwrap())
        );
        let said: Json = serde_json::from_str(answer["choices"][0]["message"]["content"].as_str().unwrap()).unwrap();
        assert!(said["reply"].as_str().unwrap().contains("9 to 18"));
    }
}

#[test]
fn a_forced_tool_is_called() {
    let user = json!({"role": "user", "content": "When are you open?"});
    let mut body = json!({"model": "small", "max_tokens": 9, "system": SYSTEM, "messages": [user],
        "tools": [{"name": "other", "input_schema": {}}, {"name": "emit_reply", "input_schema": schema()}],
        "tool_choice": {"type": "tool", "name": "emit_reply"}});
    let answer = json_of(&ask(&mut model(ModelFaults::none()), "/v1/messages", &body));
    assert_eq!(answer["stop_reason"], json!("tool_use"));
    assert_eq!(
        (&answer["content"][0]["type"], &answer["content"][0]["name"]),
        (&json!("tool_use"), &json!("emit_reply"))
    );
    assert!(answer["content"][0]["input"]["reply"].as_str().unwrap().contains("9 to 18"));
    body["tool_choice"]["name"] = json!("missing");
    assert_eq!(ask(&mut model(ModelFaults::none()), "/v1/messages", &body).status, 400);

    let function = json!({"type": "function", "function": {"name": "emit_reply", "parameters": schema()}});
    let body = json!({"model": "small", "messages": [{"role": "system", "content": SYSTEM}, user], "tools": [function],
        "tool_choice": {"type": "function", "function": {"name": "emit_reply"}}});
    let answer = json_of(&ask(&mut model(ModelFaults::none()), "/v1/chat/completions", &body));
    let call = &answer["choices"][0]["message"]["tool_calls"][0]["function"];
    let arguments: Json = serde_json::from_str(call["arguments"].as_str().unwrap()).unwrap();
    assert!(arguments["reply"].as_str().unwrap().contains("9 to 18"));
}

#[test]
fn it_knows_what_the_prompt_says_in_any_language_and_nothing_else() {
    for (question, fact) in [
        ("When are you open on Saturday?", "10 to 14"),
        ("¿A qué hora abren el sábado?", "10 to 14"),
        ("Liefern Sie auch?", "15 euros"),
        ("Est-ce que je peux payer par carte ?", "all common cards"),
        ("how long do repairs take", "three working days"),
    ] {
        let thought = thought(question);
        assert!(thought["reply"].as_str().unwrap().contains(fact), "{question}: {thought}");
        assert!(thought["confidence"].as_f64().unwrap() > 0.6, "{question}: {thought}");
        assert_eq!(thought["handoff"], json!(false));
    }
    let vague = thought("and what about the thing we spoke of before");
    assert!(vague["confidence"].as_f64().unwrap() < 0.3, "{vague}");
    let elsewhere = thought("Do you rent out canoes?");
    assert!(elsewhere["confidence"].as_f64().unwrap() < 0.3, "{elsewhere}");
    assert!(!elsewhere["reply"].as_str().unwrap().contains("Never"), "instructions are not told");
}

#[test]
fn who_needs_a_person_is_handed_over_with_a_reason() {
    for (question, reason) in [
        ("I want to talk to a human", "person"),
        ("Quiero hablar con una persona", "person"),
        ("My lawyer will write to you", "legal"),
        ("The brake failed, I am in hospital", "injury"),
    ] {
        let thought = thought(question);
        assert_eq!(thought["handoff"], json!(true), "{question}");
        assert!(thought["reason"].as_str().unwrap().contains(reason), "{question}: {thought}");
    }
}

#[test]
fn a_colleagues_note_is_told_once() {
    let note = "a replacement wheel is reserved for her";
    let system = format!("{SYSTEM}\n# Context\nHandled by a person until 14:00.\nNote: {note}");
    let mut messages = vec![json!({"role": "user", "content": "So what now?"})];
    let said = |messages: &[Json]| {
        let body = json!({"model": "small", "max_tokens": 99, "system": system, "messages": messages});
        json_of(&ask(&mut model(ModelFaults::none()), "/v1/messages", &body))["content"][0]["text"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let first = said(&messages);
    assert!(first.contains(note), "{first}");
    messages.extend([
        json!({"role": "assistant", "content": first}),
        json!({"role": "user", "content": "When are you open?"}),
    ]);
    let second = said(&messages);
    assert!(!second.contains(note) && second.contains("9 to 18"), "{second}");
}

#[test]
fn a_conversation_in_lines_of_json_is_understood() {
    let system = "You are Rosa.\nFACTS (all that you know):\n- Repairs take three working days.\n- Closed on Sunday.\n\
        RULES\n- Hand over when the facts do not answer it.\n- Lines with \"mark\" are true.";
    let thought = |texts: &[&str]| {
        let mut lines = vec![
            json!({"by": "customer", "text": "are you open on Sunday?"}),
            json!({"by": "you", "text": "Closed on Sunday."}),
            json!({"mark": "a person handled this", "note": "her chain was replaced", "promised": "a call on Monday"}),
        ];
        lines.extend(texts.iter().map(|text| json!({"by": "customer", "text": text, "unanswered": true})));
        lines.push(json!({"mark": "You are active now."}));
        let user = lines.iter().map(Json::to_string).collect::<Vec<_>>().join("\n");
        let mut body = anthropic(&json!([{"role": "user", "content": user}]));
        body["system"] = json!(system);
        let reasons = json!({"enum": ["asked_for_human", "low_confidence", ""]});
        body["output_config"]["format"]["schema"]["properties"]["reason"] = reasons;
        let answer = json_of(&ask(&mut model(ModelFaults::none()), "/v1/messages", &body));
        serde_json::from_str::<Json>(answer["content"][0]["text"].as_str().unwrap()).unwrap()
    };
    let known = thought(&["hello", "how long do repairs take"]);
    let reply = known["reply"].as_str().unwrap();
    assert!(reply.contains("three working days") && !reply.contains("Sunday"), "{known}");
    assert!(reply.contains("a call on Monday") && reply.contains("her chain was replaced"), "{known}");
    assert_eq!((&known["handoff"], &known["reason"]), (&json!(false), &json!("")));
    let asked = thought(&["let me speak with a human"]);
    assert_eq!((&asked["handoff"], &asked["reason"]), (&json!(true), &json!("asked_for_human")));
}

#[test]
fn what_it_does_not_know_it_hands_over_if_it_was_told_to() {
    let say = |rule: &str| {
        let mut body = anthropic(&json!([{"role": "user", "content": "Do you rent out canoes?"}]));
        body["system"] = json!(format!("{SYSTEM}\n# Rules\n{rule}"));
        let answer = json_of(&ask(&mut model(ModelFaults::none()), "/v1/messages", &body));
        serde_json::from_str::<Json>(answer["content"][0]["text"].as_str().unwrap()).unwrap()["handoff"].clone()
    };
    assert_eq!(say("Escalate what you do not know."), json!(true));
    assert_eq!(say("Be brief."), json!(false));
}

#[test]
fn a_schema_is_filled_whatever_it_asks_for() {
    let schema = json!({"type": "object", "properties": {
        "answer": {"anyOf": [{"type": "null"}, {"type": "string"}]},
        "confidence": {"type": "integer", "minimum": 0, "maximum": 100},
        "confidence_level": {"enum": ["low", "medium", "high"]},
        "stage": {"enum": ["greeting", "delivery", "payment"]},
        "language": {"type": "string"},
        "sources": {"type": "array", "items": {"type": "string"}},
        "more": {"type": "object", "properties": {"should_escalate": {"type": "boolean"}, "version": {"const": 3}}},
    }});
    let mut body = anthropic(&json!([{"role": "user", "content": "Kann ich mit Karte zahlen?"}]));
    body["output_config"]["format"]["schema"] = schema;
    let answer = json_of(&ask(&mut model(ModelFaults::none()), "/v1/messages", &body));
    let said: Json = serde_json::from_str(answer["content"][0]["text"].as_str().unwrap()).unwrap();
    assert!(said["answer"].as_str().unwrap().contains("cards"));
    assert!(said["confidence"].as_i64() > Some(60), "{said}");
    assert_eq!(said["confidence_level"], json!("high"));
    assert_eq!(said["stage"], json!("payment"));
    assert_eq!(said["language"], json!("de"));
    assert_eq!(said["sources"], json!([]));
    assert_eq!(said["more"], json!({"should_escalate": false, "version": 3}));
}

#[test]
fn requests_that_no_provider_takes_are_refused_in_its_words() {
    let mut strict =
        Model::new(ModelConfig { keys: vec!["right".into()], ..ModelConfig::default() }, fastrand::Rng::with_seed(1));
    let body = anthropic(&json!([{"role": "user", "content": "hi"}]));
    let refused = ask(&mut strict, "/v1/messages", &body);
    assert_eq!((refused.status, json_of(&refused)["error"]["type"].clone()), (401, json!("authentication_error")));
    let refused = ask(&mut strict, "/v1/chat/completions", &openai(&[]));
    assert_eq!((refused.status, json_of(&refused)["error"]["code"].clone()), (401, json!("invalid_api_key")));
    let mut open = model(ModelFaults::none());
    assert_eq!(ask(&mut open, "/v1/embeddings", &body).status, 404);
    assert_eq!(ask(&mut open, "/v1/messages", &json!("text")).status, 400);
    let mut endless = body.clone();
    endless.as_object_mut().unwrap().remove("max_tokens");
    let refused = json_of(&ask(&mut open, "/v1/messages", &endless));
    assert_eq!((&refused["type"], &refused["error"]["type"]), (&json!("error"), &json!("invalid_request_error")));
    assert_eq!(ask(&mut open, "/v1/messages", &anthropic(&json!([]))).status, 400);
}

#[test]
fn each_fault_shows_as_it_would() {
    let none = ModelFaults::none;
    let once = |faults| {
        ask(&mut model(faults), "/v1/messages", &anthropic(&json!([{"role": "user", "content": "When are you open?"}])))
    };
    let limited = once(ModelFaults { rate_limited: 1.0, ..none() });
    assert_eq!((limited.status, json_of(&limited)["error"]["type"].clone()), (429, json!("rate_limit_error")));
    assert!((1..=5).contains(&limited.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap()));
    let overloaded = once(ModelFaults { overloaded: 1.0, ..none() });
    assert_eq!((overloaded.status, json_of(&overloaded)["error"]["type"].clone()), (529, json!("overloaded_error")));
    assert_eq!(once(ModelFaults { server_error: 1.0, ..none() }).status, 500);
    let text = |reply: &ModelReply| json_of(reply)["content"][0]["text"].as_str().unwrap().to_owned();
    let is_json = |text: &str| serde_json::from_str::<Json>(text).is_ok();
    let prose = text(&once(ModelFaults { prose: 1.0, ..none() }));
    assert!(!is_json(&prose) && prose.contains("9 to 18"));
    let huge = text(&once(ModelFaults { huge: 1.0, ..none() }));
    assert!((50_000..60_000).contains(&huge.len()) && !is_json(&huge));
    let broken = once(ModelFaults { broken_json: 1.0, ..none() });
    assert!(text(&broken).starts_with('{') && !is_json(&text(&broken)));
    assert_eq!(json_of(&broken)["stop_reason"], json!("max_tokens"));
    assert_eq!(once(ModelFaults { stall: 1.0, ..none() }).fault, Some(ModelFault::Stall));
}

#[test]
fn a_seed_replays_every_answer_and_a_rough_day_has_every_fault() {
    let run = || {
        let mut model = model(ModelFaults::rough());
        let body = openai(&[json!({"role": "user", "content": "Liefern Sie?"})]);
        let replies: Vec<_> = (0..600).map(|_| ask(&mut model, "/v1/chat/completions", &body)).collect();
        let faults: BTreeSet<_> = model.asked().iter().filter_map(|asked| asked.fault).collect();
        (replies.into_iter().map(|reply| (reply.status, reply.body, reply.latency)).collect::<Vec<_>>(), faults)
    };
    let first = run();
    assert_eq!(first.1.len(), 7);
    assert!(first == run());
}

#[tokio::test]
async fn over_a_socket_it_answers_or_stalls_and_stops_all_the_same() {
    let soon = Duration::from_secs(20);
    let config = ModelConfig { latency: Span::ZERO, ..ModelConfig::default() };
    let model = Model::new(config, fastrand::Rng::with_seed(1));
    let server = ModelServer::start(model, Arc::new(SystemClock::default())).await.unwrap();
    let address = server.base_url().trim_start_matches("http://").to_owned();
    let body = anthropic(&json!([{"role": "user", "content": "When are you open?"}])).to_string();
    let exchange = || async {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        let head = format!(
            "POST /v1/messages HTTP/1.1\r\nhost: x\r\nx-api-key: k\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(body.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.map(|_| answer)
    };
    let answer = timeout(soon, exchange()).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("9 to 18"), "{answer}");

    server.with(|model| model.config_mut().faults.stall = 1.0);
    let taken = async {
        while server.with(|model| model.asked().len()) < 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        answer = exchange() => panic!("answered: {answer:?}"),
        taken = timeout(soon, taken) => taken.unwrap(),
    }
    timeout(soon, server.stop()).await.unwrap();
}

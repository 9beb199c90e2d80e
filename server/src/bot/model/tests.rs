//! The clients against a server that answers well and badly, over real sockets.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response as Answer},
};
use serde_json::json;
use tokio::{io::AsyncReadExt, net::TcpListener};

use super::*;
use crate::config::Secret;

/// What the server is to do with each request, and what it got.
#[derive(Clone, Default)]
struct Fake {
    answers: Arc<Mutex<Vec<Answer>>>,
    got: Arc<Mutex<Vec<Got>>>,
}

#[derive(Clone)]
struct Got {
    path: String,
    headers: HeaderMap,
    body: Value,
}

async fn handle(State(fake): State<Fake>, uri: Uri, headers: HeaderMap, body: Bytes) -> Answer {
    let body = serde_json::from_slice(&body).unwrap();
    fake.got.lock().unwrap().push(Got { path: uri.path().into(), headers, body });
    let mut answers = fake.answers.lock().unwrap();
    if answers.is_empty() { StatusCode::IM_A_TEAPOT.into_response() } else { answers.remove(0) }
}

#[expect(clippy::disallowed_methods, reason = "the server ends with the test's runtime")]
async fn serve(answers: Vec<Answer>) -> (SocketAddr, Fake) {
    let fake = Fake { answers: Arc::new(Mutex::new(answers)), got: Arc::default() };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().fallback(handle).with_state(fake.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, fake)
}

fn client(wire: Wire, structured: Structured, base_url: String) -> Client {
    // Another test may have installed it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let model = Model {
        provider: if wire == Wire::OpenAi { "openai".into() } else { "anthropic".into() },
        wire,
        name: "small".into(),
        base_url,
        api_key: Some(Secret::new("k")),
        deadline: Duration::from_millis(400),
        max_tokens: 300,
        structured,
        link: crate::config::Link::default(),
    };
    Client::new(model, Arc::new(HttpTransport::new().unwrap()))
}

fn in_our_shape() -> Shape<ModelReply> {
    reply::shape(&["done".into()])
}

async fn ask(wire: Wire, structured: Structured, answers: Vec<Answer>) -> (Asked<ModelReply>, Vec<Got>) {
    let (address, fake) = serve(answers).await;
    let asked = client(wire, structured, format!("http://{address}")).ask(&prompt(), &in_our_shape()).await;
    let got = fake.got.lock().unwrap().clone();
    (asked, got)
}

fn prompt() -> Prompt {
    Prompt { system: "be kind".into(), user: "where is it".into() }
}

fn form() -> Value {
    json!({"reply": "On its way.", "confidence": 0.9, "handoff": false, "reason": "", "stage": "done"})
}

fn ok(body: &Value) -> Answer {
    (StatusCode::OK, body.to_string()).into_response()
}

fn status(status: u16, body: &Value) -> Answer {
    (StatusCode::from_u16(status).unwrap(), body.to_string()).into_response()
}

fn anthropic(text: &str) -> Answer {
    ok(&json!({
        "type": "message", "content": [{"type": "text", "text": text}], "stop_reason": "end_turn",
        "usage": {"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 7},
    }))
}

fn openai(text: &str) -> Answer {
    ok(&json!({
        "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 17, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 7}},
    }))
}

const USED: Usage = Usage { input_tokens: 17, cached_tokens: 7, output_tokens: 5 };

#[tokio::test]
async fn anthropic_is_asked_for_a_schema_and_answers() {
    let (asked, got) = ask(Wire::Anthropic, Structured::Schema, vec![anthropic(&form().to_string())]).await;
    assert_eq!(asked.answer.unwrap().reply, "On its way.");
    assert_eq!((asked.usage, got.len()), (USED, 1));
    assert_eq!(got[0].path, "/v1/messages");
    assert_eq!(got[0].headers["x-api-key"], "k");
    assert_eq!(got[0].headers["anthropic-version"], "2023-06-01");
    assert_eq!(got[0].body["system"], "be kind");
    assert_eq!(got[0].body["max_tokens"], 300);
    assert_eq!(got[0].body["output_config"]["format"]["type"], "json_schema");
}

#[tokio::test]
async fn openai_is_asked_for_a_schema_and_answers() {
    let (asked, got) = ask(Wire::OpenAi, Structured::Schema, vec![openai(&form().to_string())]).await;
    assert_eq!(asked.answer.unwrap().stage.as_deref(), Some("done"));
    assert_eq!((asked.usage, got.len()), (USED, 1));
    assert_eq!(got[0].path, "/chat/completions");
    assert_eq!(got[0].headers["authorization"], "Bearer k");
    assert_eq!(got[0].body["max_completion_tokens"], 300);
    assert_eq!(got[0].body["response_format"]["json_schema"]["strict"], true);
}

#[tokio::test]
async fn a_server_that_knows_no_schema_is_asked_otherwise_and_not_again() {
    let refusal =
        || status(400, &json!({"error": {"type": "invalid_request_error", "message": "output_config: Extra inputs"}}));
    let tool = || {
        ok(
            &json!({"content": [{"type": "tool_use", "name": "emit_reply", "input": form()}], "stop_reason": "tool_use"}),
        )
    };
    let (address, fake) = serve(vec![refusal(), tool(), tool()]).await;
    let client = client(Wire::Anthropic, Structured::Schema, format!("http://{address}"));
    for _ in 0..2 {
        assert_eq!(client.ask(&prompt(), &in_our_shape()).await.answer.unwrap().reply, "On its way.");
    }
    let got = fake.got.lock().unwrap();
    assert_eq!(got.len(), 3);
    assert!(got[1].body["tool_choice"]["name"] == "emit_reply" && got[2].body["tool_choice"]["name"] == "emit_reply");
}

#[tokio::test]
async fn openais_ladder_goes_down_to_the_bare_prompt() {
    let refusal = || status(400, &json!({"error": {"message": "response_format is not supported; tools neither"}}));
    let answers = vec![refusal(), refusal(), refusal(), openai(&format!("Here: {}", form()))];
    let (asked, got) = ask(Wire::OpenAi, Structured::Schema, answers).await;
    assert_eq!(asked.answer.unwrap().reply, "On its way.");
    assert_eq!(got[1].body["tool_choice"]["function"]["name"], "emit_reply");
    assert_eq!(got[2].body["response_format"]["type"], "json_object");
    assert_eq!(got[3].body.get("response_format"), None);
}

#[tokio::test]
async fn a_tools_arguments_count_whatever_the_finish_reason_says() {
    let call = json!({"function": {"name": "emit_reply", "arguments": form().to_string()}});
    let answer =
        ok(&json!({"choices": [{"message": {"content": null, "tool_calls": [call]}, "finish_reason": "stop"}]}));
    let (asked, _) = ask(Wire::OpenAi, Structured::Tool, vec![answer]).await;
    assert_eq!(asked.answer.unwrap().reply, "On its way.");
}

#[tokio::test]
async fn bad_answers_are_named_and_what_they_used_is_counted() {
    let prose = "Your parcel is on its way! ".repeat(40);
    let fifty_kb = "x".repeat(50_000);
    let cut = r#"{"reply":"On its"#;
    for bad in [prose.as_str(), fifty_kb.as_str(), cut, "", r#"{"confidence":1}"#] {
        for (wire, answer) in [(Wire::Anthropic, anthropic as fn(&str) -> Answer), (Wire::OpenAi, openai)] {
            let (asked, got) = ask(wire, Structured::Schema, vec![answer(bad)]).await;
            assert_eq!((asked.answer, got.len()), (Err(Failure::Malformed), 1));
            assert_eq!(asked.usage, USED, "failed calls cost, too");
        }
    }
    let not_json = (StatusCode::OK, "<html>").into_response();
    let (asked, _) = ask(Wire::OpenAi, Structured::Schema, vec![not_json]).await;
    assert_eq!(asked.answer, Err(Failure::Malformed));
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let (asked, _) = ask(Wire::OpenAi, Structured::Schema, vec![openai(&"x".repeat(100_000))]).await;
    assert_eq!(asked.answer, Err(Failure::TooLong));
}

#[tokio::test]
async fn every_error_has_its_name() {
    let wait = || {
        let mut answer = status(429, &json!({"error": {"type": "rate_limit_error"}}));
        answer.headers_mut().insert("retry-after", "7".parse().unwrap());
        answer
    };
    let message = |text: &str| json!({"error": {"message": text}});
    let cases: Vec<(Answer, Failure)> = vec![
        (wait(), Failure::RateLimited { retry_after: Some(Duration::from_secs(7)) }),
        (status(429, &message("slow down")), Failure::RateLimited { retry_after: None }),
        (status(429, &json!({"error": {"code": "insufficient_quota"}})), Failure::KeyRefused),
        (status(529, &json!({"error": {"type": "overloaded_error"}})), Failure::Overloaded),
        (status(503, &json!({})), Failure::Overloaded),
        (status(401, &json!({"error": {"code": "invalid_api_key"}})), Failure::KeyRefused),
        (status(404, &json!({"error": {"code": "model_not_found"}})), Failure::UnknownModel),
        (status(400, &json!({"error": {"code": "context_length_exceeded"}})), Failure::ContextTooLong),
        (status(400, &message("prompt is too long: 9 tokens")), Failure::ContextTooLong),
        (status(400, &json!({"error": {"code": "content_filter"}})), Failure::Filtered),
        (status(400, &message("temperature is out of range")), Failure::Rejected { status: 400, form: false }),
    ];
    for (answer, failure) in cases {
        let (asked, got) = ask(Wire::OpenAi, Structured::Schema, vec![answer]).await;
        assert_eq!((asked.answer, got.len()), (Err(failure), 1));
    }
    let refusal = ok(&json!({"content": [], "stop_reason": "refusal"}));
    assert_eq!(ask(Wire::Anthropic, Structured::Schema, vec![refusal]).await.0.answer, Err(Failure::Filtered));
    let (asked, _) = ask(Wire::Anthropic, Structured::Schema, vec![status(500, &json!({}))]).await;
    assert_eq!(asked.answer, Err(Failure::Server { status: 500 }));
}

#[tokio::test]
async fn nobody_there_silence_and_a_broken_line_are_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let client = client(Wire::OpenAi, Structured::Schema, format!("http://{address}"));
    // Accepted by the kernel, read by nobody.
    assert_eq!(client.ask(&prompt(), &in_our_shape()).await.answer, Err(Failure::TimedOut));

    let hang_up = async {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let _ = socket.read(&mut [0; 64]).await;
        }
    };
    let (prompt, shape) = (prompt(), in_our_shape());
    let asked = tokio::select! { asked = client.ask(&prompt, &shape) => asked, () = hang_up => unreachable!() };
    assert_eq!(asked.answer, Err(Failure::Broken));

    drop(listener);
    assert_eq!(client.ask(&prompt, &shape).await.answer, Err(Failure::Unreachable));
}

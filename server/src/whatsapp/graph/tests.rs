//! What is asked of Meta, byte for byte where it matters, and what is made of the answers.

use std::sync::{LazyLock, Mutex};

use super::*;
use crate::whatsapp::outgoing;

const DEADLINE: Duration = Duration::from_secs(10);

/// Answers from a list and remembers what was asked.
#[derive(Default)]
struct Script {
    answers: Mutex<Vec<Result<Response, NoResponse>>>,
    asked: Mutex<Vec<Request>>,
}

impl Transport for Script {
    fn send(&self, request: Request) -> Pending<'_> {
        self.asked.lock().unwrap().push(request);
        let answer = self.answers.lock().unwrap().remove(0);
        Box::pin(async { answer })
    }
}

fn graph(answers: Vec<Result<Response, NoResponse>>) -> (Graph, Arc<Script>) {
    let script = Arc::new(Script { answers: Mutex::new(answers), ..Script::default() });
    (Graph::new(script.clone(), "http://127.0.0.1:9/v26.0", Secret::new("TOKEN")), script)
}

fn says(body: &str) -> Result<Response, NoResponse> {
    Ok(Response { status: 200, body: body.as_bytes().to_vec(), ..Response::default() })
}

fn asked(script: &Script) -> (String, Value) {
    let request = script.asked.lock().unwrap().remove(0);
    let body = request.body.map_or(Value::Null, |body| serde_json::from_str(&body).unwrap());
    (format!("{} {}", request.method, request.url), body)
}

static TEXT: LazyLock<Value> = LazyLock::new(|| outgoing::text("Good news!"));

fn text(to: &Recipient) -> Outgoing<'_> {
    Outgoing { to, payload: &TEXT, reply_to: None, callback: "attempt-1" }
}

const SENT: &str =
    r#"{"messaging_product":"whatsapp","contacts":[{"input":"1","wa_id":"1"}],"messages":[{"id":"wamid.A"}]}"#;

#[tokio::test]
async fn a_number_is_written_with_its_plus() {
    for phone in ["4915550100101", "+4915550100101"] {
        let (graph, script) = graph(vec![says(SENT)]);
        let to = Recipient::Phone(phone.into());
        let accepted = graph.send("42", text(&to), DEADLINE).await.unwrap();
        assert_eq!(accepted.wamid, "wamid.A");
        let (line, body) = asked(&script);
        assert_eq!(line, "POST http://127.0.0.1:9/v26.0/42/messages");
        assert_eq!(
            body,
            json!({
                "messaging_product": "whatsapp", "recipient_type": "individual", "to": "+4915550100101",
                "type": "text", "text": {"body": "Good news!", "preview_url": false},
                "biz_opaque_callback_data": "attempt-1",
            })
        );
    }
}

#[tokio::test]
async fn a_user_id_goes_as_recipient_and_a_reply_names_its_message() {
    let (graph, script) = graph(vec![says(SENT)]);
    let to = Recipient::UserId("DE.7".into());
    let payload = outgoing::text("See https://l.example");
    let text = Outgoing { reply_to: Some("wamid.Q"), payload: &payload, ..text(&to) };
    graph.send("42", text, DEADLINE).await.unwrap();
    let (_, body) = asked(&script);
    assert_eq!((&body["recipient"], body.get("to")), (&json!("DE.7"), None));
    assert_eq!(body["context"], json!({"message_id": "wamid.Q"}));
    assert_eq!(body["text"]["preview_url"], json!(true));
}

#[tokio::test]
async fn promise_5_a_yes_without_an_id_is_unknown() {
    let to = Recipient::Phone("1".into());
    for body in
        [r#"{"success":true}"#, r#"{"messages":[]}"#, r#"{"messages":[{"id":""}]}"#, r#"{"messages":[{"id":5}]}"#]
    {
        let (graph, _) = graph(vec![says(body)]);
        let error = graph.send("42", text(&to), DEADLINE).await.unwrap_err();
        assert_eq!(error.outcome(), crate::domain::outgoing::Outcome::Unanswered, "{body}");
    }
}

#[tokio::test]
async fn what_was_never_sent_is_told_from_what_was_never_answered() {
    use crate::domain::outgoing::Outcome;
    let to = Recipient::Phone("1".into());
    let lost = vec![Err(NoResponse::Unsent("refused".into())), Err(NoResponse::Unanswered("reset".into()))];
    let (graph, _) = graph(lost);
    let first = graph.send("42", text(&to), DEADLINE).await.unwrap_err();
    let second = graph.send("42", text(&to), DEADLINE).await.unwrap_err();
    assert_eq!((first.outcome(), second.outcome()), (Outcome::NotSent, Outcome::Unanswered));
}

#[tokio::test]
async fn reading_shows_typing_only_when_asked() {
    let (graph, script) = graph(vec![says(r#"{"success":true}"#), says(r#"{"success":true}"#)]);
    graph.mark_read("42", "wamid.Q", false, DEADLINE).await.unwrap();
    graph.mark_read("42", "wamid.Q", true, DEADLINE).await.unwrap();
    let read = json!({"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.Q"});
    assert_eq!(asked(&script).1, read);
    assert_eq!(asked(&script).1["typing_indicator"], json!({"type": "text"}));
}

#[tokio::test]
async fn templates_come_in_pages() {
    let page = r#"{"data":[{"name":"parcel","components":[{"type":"BODY","text":"Hi"}],"language":"de","status":"APPROVED","category":"UTILITY","id":"88"}],
        "paging":{"cursors":{"before":"a","after":"b c"},"next":"https://graph.example/x"}}"#;
    let last = r#"{"data":[],"paging":{"cursors":{"after":"z"}}}"#;
    let (graph, script) = graph(vec![says(page), says(last), says(r#"{"data":[]}"#)]);
    let first = graph.templates("31", None, DEADLINE).await.unwrap();
    assert_eq!((first.templates[0].id.as_str(), first.templates[0].name.as_str()), ("88", "parcel"));
    assert_eq!(first.templates[0].components, r#"[{"text":"Hi","type":"BODY"}]"#);
    assert_eq!(first.after.as_deref(), Some("b c"));
    assert_eq!(graph.templates("31", first.after.as_deref(), DEADLINE).await.unwrap(), TemplatePage::default());
    assert_eq!(graph.templates("31", None, DEADLINE).await.unwrap(), TemplatePage::default());
    asked(&script);
    assert!(asked(&script).0.ends_with("&limit=100&after=b+c"));
}

#[tokio::test]
async fn doctor_sees_number_apps_fields_and_token() {
    let (graph, script) = graph(vec![
        says(
            r#"{"display_phone_number":"+49 30 555010","verified_name":"Lamps","status":"CONNECTED","throughput":{"level":"STANDARD"},"id":"42"}"#,
        ),
        says(r#"{"data":[{"whatsapp_business_api_data":{"id":"77","name":"Baton"}}]}"#),
        says(
            r#"{"data":[{"object":"whatsapp_business_account","callback_url":"https://x.example","active":true,"fields":[{"name":"messages","version":"v26.0"},"calls"]}]}"#,
        ),
        says(r#"{"data":{"app_id":77,"is_valid":true,"expires_at":0,"scopes":["whatsapp_business_messaging"]}}"#),
    ]);
    let secret = Secret::new("S&P");
    let number = graph.phone_number("42", DEADLINE).await.unwrap();
    assert_eq!((number.status.as_deref(), number.throughput.as_deref()), (Some("CONNECTED"), Some("STANDARD")));
    assert_eq!(graph.subscribed_apps("31", DEADLINE).await.unwrap(), ["77"]);
    let subscriptions = graph.subscriptions("77", &secret, DEADLINE).await.unwrap();
    assert!(subscriptions[0].active);
    assert_eq!(subscriptions[0].fields, ["messages", "calls"]);
    let facts = graph.token_facts("77", &secret, DEADLINE).await.unwrap();
    assert_eq!((facts.is_valid, facts.app_id.as_deref(), facts.expires_at), (true, Some("77"), None));
    let bearers: Vec<_> = script.asked.lock().unwrap().iter().map(|request| request.bearer.clone().unwrap()).collect();
    let bearers: Vec<_> = bearers.iter().map(Secret::reveal).collect();
    assert_eq!(bearers, ["TOKEN", "TOKEN", "77|S&P", "77|S&P"]);
}

#[tokio::test]
async fn an_id_from_outside_stays_one_step_of_the_path() {
    let (graph, script) = graph(vec![says("{}")]);
    graph.phone_number("../me?x=1", DEADLINE).await.unwrap();
    assert!(asked(&script).0.starts_with("GET http://127.0.0.1:9/v26.0/..%2Fme%3Fx=1?fields="));
}

#[test]
fn nothing_secret_prints_itself() {
    let (graph, _) = graph(vec![]);
    assert!(!format!("{graph:?}").contains("TOKEN"));
    let request = Request {
        method: Method::POST,
        url: "http://x/TOKEN".into(),
        bearer: Some(Secret::new("TOKEN")),
        key_header: None,
        body: Some("TOKEN".into()),
        deadline: DEADLINE,
    };
    assert!(!format!("{request:?}").contains("TOKEN"));
}

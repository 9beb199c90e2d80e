//! The simulator as others use it: by HTTP alone.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

use std::time::Duration;

use axum::{Router, routing::post};
use baton_simulator::{
    Server,
    standalone::{Options, start},
    whatsapp::{SIGNATURE_HEADER, sign},
};
use bytes::Bytes;
use clap::Parser;
use http::{HeaderMap, StatusCode};
use serde_json::{Value as Json, json};
use tokio::{net::TcpListener, sync::mpsc, time::timeout};

const SOON: Duration = Duration::from_secs(60);
const SECRET: &str = "9f2c4e1b7a6d8053c1f0e9d8b7a69584";
const NUMBER: &str = "106853218861066";

/// Somebody's webhook server.
async fn receiver() -> (String, mpsc::UnboundedReceiver<Json>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/webhook", listener.local_addr().unwrap());
    let take = post(move |headers: HeaderMap, body: Bytes| async move {
        let right = headers[SIGNATURE_HEADER].to_str().is_ok_and(|signature| signature == sign(SECRET, &body));
        let _ = sender.send(serde_json::from_slice(&body).unwrap());
        if right { StatusCode::OK } else { StatusCode::UNAUTHORIZED }
    });
    let challenge = async |uri: http::Uri| {
        let query = uri.query().unwrap_or_default().to_owned();
        query.split('&').find_map(|pair| pair.strip_prefix("hub.challenge=")).unwrap_or_default().to_owned()
    };
    let serve = axum::serve(listener, Router::new().route("/webhook", take.get(challenge))).into_future();
    tokio_util::task::TaskTracker::new().spawn(serve);
    (url, receiver)
}

struct Alone {
    server: Server,
    client: reqwest::Client,
    webhooks: mpsc::UnboundedReceiver<Json>,
}

impl Alone {
    async fn new() -> Self {
        let (url, webhooks) = receiver().await;
        let options = Options::parse_from(["whatsapp-simulator", "--listen", "127.0.0.1:0", "--callback", &url]);
        let server = start(&options).await.unwrap();
        server.handshake(&options.app_id).await.unwrap();
        Self { server, client: reqwest::Client::new(), webhooks }
    }

    /// As curl does it: without saying that it is JSON.
    async fn control(&self, path: &str, body: &Json) -> (StatusCode, Json) {
        let url = format!("{}/simulator/{path}", self.server.base_url());
        let answer = self.client.post(url).body(body.to_string()).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    async fn says(&self, body: Json) -> String {
        let (status, answer) = self.control("messages", &body).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer["id"].as_str().unwrap().to_owned()
    }

    async fn sends(&self, body: Json) -> String {
        let url = format!("{}/{NUMBER}/messages", self.server.graph_url());
        let answer = self.client.post(url).bearer_auth("EAAGsimulated0token").json(&body).send().await.unwrap();
        let answer: Json = answer.json().await.unwrap();
        answer["messages"][0]["id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// The value of the next webhook in which this is found.
    async fn hears(&mut self, found: impl Fn(&Json) -> bool) -> Json {
        let next = async {
            loop {
                let body = self.webhooks.recv().await.expect("webhooks");
                let value = &body["entry"][0]["changes"][0]["value"];
                if found(value) {
                    return value.clone();
                }
            }
        };
        timeout(SOON, next).await.expect("a webhook")
    }
}

#[tokio::test]
async fn a_customer_writes_is_answered_and_presses_a_button() {
    let mut alone = Alone::new().await;
    let wamid = alone.says(json!({"from": "15550100199", "name": "Marina", "text": "Are you open?"})).await;
    let value = alone.hears(|value| value["messages"][0]["id"] == wamid.as_str()).await;
    assert_eq!(value["messages"][0]["text"]["body"], "Are you open?");
    assert_eq!(value["contacts"][0]["profile"]["name"], "Marina");

    let buttons = json!([{"type": "reply", "reply": {"id": "y", "title": "Yes"}},
                         {"type": "reply", "reply": {"id": "n", "title": "No"}}]);
    let asked = alone
        .sends(json!({
            "messaging_product": "whatsapp", "to": "+15550100199", "type": "interactive",
            "interactive": {"type": "button", "body": {"text": "Shall we?"}, "action": {"buttons": buttons}},
        }))
        .await;
    alone.hears(|value| value["statuses"][0]["id"] == asked.as_str()).await;
    let pressed = alone.says(json!({"from": "15550100199", "press": "No"})).await;
    let value = alone.hears(|value| value["messages"][0]["id"] == pressed.as_str()).await;
    assert_eq!(
        value["messages"][0]["interactive"],
        json!({"type": "button_reply", "button_reply": {"id": "n", "title": "No"}})
    );
    assert_eq!(value["messages"][0]["context"]["id"], asked.as_str());

    let (status, why) = alone.control("messages", &json!({"from": "15550100199", "press": "Perhaps"})).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(why["error"].as_str().unwrap().contains("Perhaps"), "{why}");
    alone.server.stop().await;
}

#[tokio::test]
async fn whoever_is_written_to_exists_and_outside_the_window_it_fails_as_it_does_at_meta() {
    let mut alone = Alone::new().await;
    let text = json!({"messaging_product": "whatsapp", "to": "4915550001", "type": "text", "text": {"body": "Hello"}});
    let wamid = alone.sends(text).await;
    let status = alone.hears(|value| value["statuses"][0]["id"] == wamid.as_str()).await["statuses"][0].clone();
    assert_eq!((&status["status"], &status["errors"][0]["code"]), (&json!("failed"), &json!(131_047)));
    let template = json!({"messaging_product": "whatsapp", "to": "4915550001", "type": "template",
        "template": {"name": "conversation_follow_up", "language": {"code": "en"},
                     "components": [{"type": "body", "parameters": [{"type": "text", "text": "Tom"}]}]}});
    let wamid = alone.sends(template).await;
    alone
        .hears(|value| value["statuses"][0]["id"] == wamid.as_str() && value["statuses"][0]["status"] != "failed")
        .await;
    let url = format!("{}/simulator/messages?to=4915550001", alone.server.base_url());
    let messages: Json = alone.client.get(url).send().await.unwrap().json().await.unwrap();
    assert_eq!(messages.as_array().unwrap().len(), 2);
    assert_eq!(messages[1]["request"]["template"]["name"], "conversation_follow_up");
    alone.server.stop().await;
}

#[tokio::test]
async fn files_reactions_people_faults_and_news_by_hand() {
    let mut alone = Alone::new().await;
    let file = json!({"type": "image", "mime_type": "image/png", "base64": "iVBORw0KGgo=", "caption": "the lamp"});
    let wamid = alone.says(json!({"from": "15550100199", "file": file})).await;
    let image = alone.hears(|value| value["messages"][0]["id"] == wamid.as_str()).await["messages"][0]["image"].clone();
    let bytes =
        alone.client.get(image["url"].as_str().unwrap()).bearer_auth("EAAGsimulated0token").send().await.unwrap();
    assert_eq!(bytes.bytes().await.unwrap(), b"\x89PNG\r\n\x1a\n".as_slice());

    let (_, person) =
        alone.control("people", &json!({"phone": "15550100199", "username": "marina", "shares_phone": false})).await;
    assert_eq!(person["username"], "marina");
    let wamid =
        alone.says(json!({"from": "15550100199", "reaction": {"message_id": wamid, "emoji": "\u{1f44d}"}})).await;
    let value = alone.hears(|value| value["messages"][0]["id"] == wamid.as_str()).await;
    assert_eq!((&value["messages"][0]["type"], value["messages"][0].get("from")), (&json!("reaction"), None));

    let (_, told) =
        alone.control("webhooks", &json!({"field": "account_update", "value": {"event": "VERIFIED_ACCOUNT"}})).await;
    assert_eq!(told["apps"], 1);
    alone.hears(|value| value["event"] == "VERIFIED_ACCOUNT").await;
    let (status, _) = alone.control("templates/1101", &json!({"status": "PAUSED"})).await;
    assert_eq!(status, StatusCode::OK);
    alone.hears(|value| value["event"] == "PAUSED").await;

    assert_eq!(alone.control("faults", &json!({"busy": 1.0})).await.0, StatusCode::OK);
    for (path, wrong) in [
        ("faults", json!({"earthquake": 1})),
        ("faults", json!({"busy": 7})),
        ("messages", json!({"text": "from nobody"})),
        ("messages", json!({"from": "1"})),
        ("messages", json!({"from": "15550100199", "text": "hello", "to": "999"})),
        ("callback", json!({"url": "http://127.0.0.1:1/nobody"})),
    ] {
        let (status, why) = alone.control(path, &wrong).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path} {wrong} {why}");
    }
    let app = |query: &str| format!("{}/670843887433847/subscriptions?{query}", alone.server.graph_url());
    let token =
        format!("{}/oauth/access_token?client_id=670843887433847&client_secret={SECRET}", alone.server.graph_url());
    let token: Json = alone.client.get(token).send().await.unwrap().json().await.unwrap();
    let token = token["access_token"].as_str().unwrap().replace('|', "%7C");
    let (url, _webhooks) = receiver().await;
    for (callback, wanted) in [(url.as_str(), 200), ("http://127.0.0.1:1/nobody", 400)] {
        let query = format!("access_token={token}&verify_token=v&fields=messages&callback_url={callback}");
        let answer = alone.client.post(app(&query)).bearer_auth("EAAGsimulated0token").send().await.unwrap();
        assert_eq!(answer.status().as_u16(), wanted, "{callback}: {}", answer.text().await.unwrap());
    }
    let help = alone.client.get(format!("{}/simulator", alone.server.base_url())).send().await.unwrap();
    assert!(help.text().await.unwrap().contains("POST /simulator/messages"));
    alone.server.stop().await;
}

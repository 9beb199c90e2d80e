//! The answers of the Graph API, key by key: the shapes that recorded traffic of 2024 to 2026 has.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

use std::time::Duration;

use baton_shared::Micros;
use baton_simulator::whatsapp::{Config, GraphRequest, Reply, Whatsapp};
use http::Method;
use serde_json::{Value as Json, json};

const NUMBER: &str = "106853218861066";
const ACCOUNT: &str = "215589313241560883";
const START: Micros = Micros::from_seconds(1_795_000_000);

struct Graph(Whatsapp);

impl Graph {
    fn new() -> Self {
        let mut config = Config::shop().calling("http://127.0.0.1:1/webhook");
        config.apps[0].fields.push("message_template_status_update".into());
        Self(Whatsapp::new(config, fastrand::Rng::with_seed(1)))
    }

    fn ask(&mut self, method: &Method, path: &str, body: &str) -> Reply {
        let authorization = Some("Bearer EAAGsimulated0token");
        let path_and_query = &format!("/{path}");
        self.0.request(START, GraphRequest { method, path_and_query, authorization, body: body.as_bytes() })
    }

    /// The text of an answer, which was 200.
    fn gets(&mut self, path: &str) -> String {
        let reply = self.ask(&Method::GET, path, "");
        assert_eq!(reply.status, 200, "{path}: {}", text(&reply));
        let tag = reply.headers["etag"].to_str().unwrap();
        assert!(tag.len() == 42 && tag.starts_with('"') && tag.ends_with('"'), "{tag}");
        text(&reply)
    }

    fn posts(&mut self, path: &str, body: &str) -> Reply {
        self.ask(&Method::POST, path, body)
    }
}

fn text(reply: &Reply) -> String {
    String::from_utf8(reply.body.to_vec()).unwrap()
}

/// The names of an object's keys, as they are written.
fn keys(object: &str) -> Vec<String> {
    let mut rest = object;
    let (mut keys, mut depth) = (Vec::new(), 0);
    while let Some(at) = rest.find(['{', '}', '[', ']', '"']) {
        match rest.as_bytes()[at] {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {
                let mut end = at + 1;
                while rest.as_bytes()[end] != b'"' {
                    end += if rest.as_bytes()[end] == b'\\' { 2 } else { 1 };
                }
                if depth == 1 && rest[end + 1..].starts_with(':') {
                    keys.push(rest[at + 1..end].to_owned());
                }
                rest = &rest[end + 1..];
                continue;
            }
        }
        rest = &rest[at + 1..];
    }
    keys
}

fn error(reply: &Reply) -> (u16, Json) {
    (reply.status, serde_json::from_slice::<Json>(&reply.body).unwrap()["error"].clone())
}

#[test]
fn fields_come_in_the_order_in_which_they_are_asked_for_and_an_id_always() {
    let mut graph = Graph::new();
    let account =
        graph.gets(&format!("v26.0/{ACCOUNT}?fields=id,name,timezone_id,primary_business_location,ownership_type"));
    // What has no value is left out, and no error.
    assert_eq!(keys(&account), ["id", "name", "timezone_id", "ownership_type"]);
    let namespace = graph.gets(&format!("v26.0/{ACCOUNT}?fields=message_template_namespace"));
    assert_eq!(keys(&namespace), ["message_template_namespace", "id"]);
    let number = graph.gets(&format!(
        "v26.0/{NUMBER}?fields=id,is_official_business_account,display_phone_number,verified_name,account_mode,\
         quality_rating,code_verification_status,eligibility_for_api_business_global_search,is_pin_enabled,name_status"
    ));
    let wanted = [
        "id",
        "is_official_business_account",
        "display_phone_number",
        "verified_name",
        "account_mode",
        "quality_rating",
        "code_verification_status",
        "is_pin_enabled",
        "name_status",
    ];
    assert_eq!(keys(&number), wanted);
    let (status, unknown) = error(&graph.ask(&Method::GET, &format!("v26.0/{NUMBER}?fields=shoe_size"), ""));
    assert_eq!(status, 400);
    assert!(unknown["message"].as_str().unwrap().contains("nonexisting field (shoe_size)"), "{unknown}");
}

#[test]
fn a_profile_is_flat_and_changed_by_a_form_or_json() {
    let mut graph = Graph::new();
    let path = format!("v26.0/{NUMBER}/whatsapp_business_profile");
    assert_eq!(
        graph.gets(&format!("{path}?fields=vertical")),
        r#"{"data":[{"vertical":"UNDEFINED","messaging_product":"whatsapp"}]}"#
    );
    let form = "messaging_product=whatsapp&email=shop%40example.com&websites=%5B%22https%3A%2F%2Fexample.com%2F%22%5D";
    assert_eq!(text(&graph.posts(&path, form)), r#"{"success":true}"#);
    let json = json!({"messaging_product": "whatsapp", "about": "Lamps", "vertical": "RETAIL"});
    assert_eq!(text(&graph.posts(&path, &json.to_string())), r#"{"success":true}"#);
    let profile = graph.gets(&format!("{path}?fields=about,address,email,profile_picture_url,websites,vertical"));
    assert_eq!(
        profile,
        r#"{"data":[{"about":"Lamps","email":"shop\u0040example.com","websites":["https:\/\/example.com\/"],"vertical":"RETAIL","messaging_product":"whatsapp"}]}"#
    );
    let (status, nobody) = error(&graph.posts("v26.0/123123/whatsapp_business_profile", form));
    assert_eq!((status, &nobody["code"], &nobody["error_subcode"]), (400, &json!(100), &json!(33)));
}

#[test]
fn a_number_is_registered_with_its_pin_and_sends_only_then() {
    let mut graph = Graph::new();
    let send = json!({"messaging_product": "whatsapp", "to": "15550100199", "type": "text", "text": {"body": "hello"}});
    let path = |edge: &str| format!("v26.0/{NUMBER}/{edge}");
    assert_eq!(text(&graph.posts(&path("deregister"), "")), r#"{"success":true}"#);
    let (_, refused) = error(&graph.posts(&path("messages"), &send.to_string()));
    assert_eq!(refused["code"], 133_010);
    let (_, refused) = error(&graph.posts(&path("register"), "messaging_product=whatsapp&pin=999999"));
    assert_eq!(refused["code"], 133_005);
    assert_eq!(graph.posts(&path("register"), "messaging_product=whatsapp&pin=123").status, 400);
    assert_eq!(text(&graph.posts(&path("register"), "messaging_product=whatsapp&pin=123456")), r#"{"success":true}"#);
    assert_eq!(graph.posts(&path("messages"), &send.to_string()).status, 200);
}

#[test]
fn a_template_is_made_approved_changed_and_deleted() {
    let mut graph = Graph::new();
    let path = format!("v26.0/{ACCOUNT}/message_templates");
    let new = json!({"name": "seasonal", "language": "en", "category": "MARKETING", "parameter_format": "NAMED",
                     "components": [{"type": "BODY", "text": "Hello {{name}}"}]});
    let made = text(&graph.posts(&path, &new.to_string()));
    assert_eq!(keys(&made), ["id", "status", "category"]);
    let made: Json = serde_json::from_str(&made).unwrap();
    assert_eq!((&made["status"], &made["category"]), (&json!("PENDING"), &json!("MARKETING")));
    let id = made["id"].as_str().unwrap().to_owned();
    let (_, twice) = error(&graph.posts(&path, &new.to_string()));
    assert_eq!((&twice["error_subcode"], &twice["is_transient"]), (&json!(2_388_024), &json!(false)));

    let template = graph.gets(&format!("v26.0/{id}"));
    assert_eq!(keys(&template), ["name", "parameter_format", "components", "language", "status", "category", "id"]);

    let webhooks = graph.0.due(START.plus(Duration::from_secs(10)));
    let news: Json = serde_json::from_slice(&webhooks[0].body).unwrap();
    let change = &news["entry"][0]["changes"][0];
    assert_eq!(
        (&change["field"], &change["value"]["event"]),
        (&json!("message_template_status_update"), &json!("APPROVED"))
    );
    assert_eq!(change["value"]["message_template_id"], json!(id.parse::<u64>().unwrap()), "a number here");
    assert!(graph.gets(&format!("v26.0/{id}?fields=status")).contains("APPROVED"));

    let other = json!({"components": [{"type": "BODY", "text": "Good day {{name}}"}], "category": "UTILITY"});
    assert_eq!(text(&graph.posts(&format!("v26.0/{id}"), &other.to_string())), r#"{"success":true}"#);
    assert!(graph.gets(&format!("v26.0/{id}")).contains("Good day"));
    let delete = |graph: &mut Graph, query: &str| graph.ask(&Method::DELETE, &format!("{path}?{query}"), "");
    assert_eq!(text(&delete(&mut graph, &format!("hsm_id={id}&name=seasonal"))), r#"{"success":true}"#);
    let gone = delete(&mut graph, "name=fake%20name");
    let gone_text = text(&gone);
    let error_at = gone_text.find("{\"message\"").unwrap();
    let wanted = [
        "message",
        "type",
        "code",
        "error_subcode",
        "is_transient",
        "error_user_title",
        "error_user_msg",
        "fbtrace_id",
    ];
    assert_eq!(keys(&gone_text[error_at..]), wanted);
    let (status, gone) = error(&gone);
    assert_eq!((status, &gone["error_subcode"]), (400, &json!(2_593_002)));
    assert_eq!(gone["error_user_msg"], "The message template fake name wasn't found for this account.");
    let (_, gone) = error(&graph.ask(&Method::GET, &format!("v26.0/{id}"), ""));
    assert_eq!(gone["error_subcode"], 33);
    assert_eq!(graph.gets(&format!("{path}?name=nothing")), r#"{"data":[]}"#, "an empty list has no paging");
}

#[test]
fn an_id_that_cannot_be_one_is_told_so_only_when_it_is_deleted() {
    let mut graph = Graph::new();
    let (status, malformed) = error(&graph.ask(&Method::DELETE, "123_123", ""));
    assert_eq!((status, &malformed["message"]), (400, &json!("(#100) Invalid post_id parameter")));
    let reply = graph.ask(&Method::GET, "123_123", "");
    assert_eq!(reply.headers["cross-origin-resource-policy"], "cross-origin");
    assert_eq!((reply.headers.get("etag"), error(&reply).1["error_subcode"].as_i64()), (None, Some(33)));
    let trace = error(&reply).1["fbtrace_id"].clone();
    assert_eq!(reply.headers["x-fb-request-id"].to_str().unwrap(), trace.as_str().unwrap());
}

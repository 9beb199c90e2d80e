//! The simulated WhatsApp's files: what is uploaded, looked up, fetched, and gone.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

use std::time::Duration;

use baton_shared::Micros;
use baton_simulator::whatsapp::{Attachment, Config, GraphRequest, Person, Reply, Saying, Whatsapp};
use http::Method;
use serde_json::Value as Json;

const NUMBER: &str = "106853218861066";
const TOKEN: &str = "Bearer EAAGsimulated0token";
const BASE: &str = "http://127.0.0.1:1";
const DAY: u64 = 24 * 3_600;

struct Case {
    whatsapp: Whatsapp,
    now: Micros,
}

impl Case {
    fn new() -> Self {
        let mut config = Config::shop().calling("http://127.0.0.1:2/webhook");
        config.base_url = BASE.into();
        let whatsapp = Whatsapp::new(config, fastrand::Rng::with_seed(1));
        Self { whatsapp, now: Micros::from_seconds(1_795_000_000) }
    }

    fn ask(&mut self, method: &Method, path: &str, authorization: Option<&str>, body: &[u8]) -> Reply {
        let request = GraphRequest { method, path_and_query: path, authorization, body };
        self.whatsapp.request(self.now, request)
    }

    fn graph(&mut self, method: &Method, path: &str, body: &[u8]) -> (u16, Json) {
        let reply = self.ask(method, &format!("/v26.0/{path}"), Some(TOKEN), body);
        (reply.status, serde_json::from_slice(&reply.body).unwrap())
    }

    /// The address of a file, without the host.
    fn address(&mut self, id: &str) -> String {
        let (status, facts) = self.graph(&Method::GET, id, b"");
        assert_eq!(status, 200, "{facts}");
        facts["url"].as_str().unwrap().strip_prefix(BASE).unwrap().to_owned()
    }

    fn pass(&mut self, seconds: u64) {
        self.now = self.now.plus(Duration::from_secs(seconds));
    }
}

fn form(kind: &str, bytes: &[u8]) -> Vec<u8> {
    let mut body = b"--b\r\nContent-Disposition: form-data; name=\"messaging_product\"\r\n\r\nwhatsapp\r\n".to_vec();
    body.extend_from_slice(b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n");
    body.extend_from_slice(format!("Content-Type: {kind}\r\n\r\n").as_bytes());
    body.extend_from_slice(bytes);
    body.extend_from_slice(b"\r\n--b--\r\n");
    body
}

fn upload(case: &mut Case) -> String {
    let (status, answer) = case.graph(&Method::POST, &format!("{NUMBER}/media"), &form("image/png", b"\x89PNG"));
    assert_eq!(status, 200, "{answer}");
    answer["id"].as_str().unwrap().to_owned()
}

#[test]
fn what_is_uploaded_is_looked_up_fetched_and_deleted() {
    let mut case = Case::new();
    let id = upload(&mut case);
    let (_, facts) = case.graph(&Method::GET, &id, b"");
    assert_eq!((facts["file_size"].as_u64(), facts["mime_type"].as_str()), (Some(4), Some("image/png")));
    // In hex here; webhooks have base64.
    assert_eq!(facts["sha256"].as_str().unwrap().len(), 64);
    let address = case.address(&id);
    let fetched = case.ask(&Method::GET, &address, Some(TOKEN), b"");
    assert_eq!((fetched.status, fetched.body.as_ref()), (200, b"\x89PNG".as_slice()));
    assert_eq!(fetched.headers["content-type"], "image/png");
    assert_eq!(case.graph(&Method::DELETE, &id, b"").1["success"], true);
    for method in [Method::GET, Method::DELETE] {
        let (status, error) = case.graph(&method, &id, b"");
        assert_eq!((status, error["error"]["error_subcode"].as_i64()), (400, Some(33)));
    }
    assert_eq!(case.ask(&Method::GET, &address, Some(TOKEN), b"").status, 404);
}

#[test]
fn bytes_need_the_header_and_an_address_of_five_minutes() {
    let mut case = Case::new();
    let id = upload(&mut case);
    let address = case.address(&id);
    assert_eq!(case.ask(&Method::GET, &address, None, b"").status, 401);
    let in_query = format!("{address}&access_token=EAAGsimulated0token");
    assert_eq!(case.ask(&Method::GET, &in_query, None, b"").status, 401);
    let forged = address.replace("&ext=1", "&ext=2");
    assert_eq!(case.ask(&Method::GET, &forged, Some(TOKEN), b"").status, 404);
    case.pass(300);
    assert_eq!(case.ask(&Method::GET, &address, Some(TOKEN), b"").status, 404);
    let again = case.address(&id);
    assert_eq!(case.ask(&Method::GET, &again, Some(TOKEN), b"").status, 200);
}

#[test]
fn a_customers_file_is_gone_after_seven_days_an_upload_after_thirty() {
    let mut case = Case::new();
    let mine = upload(&mut case);
    let marina = case.whatsapp.add_person(Person::new("Marina", "15550100199", "US.1"));
    let attachment = Attachment::new("document", "application/pdf", b"%PDF-1.4".as_slice()).named("bill.pdf");
    case.whatsapp.say(case.now, marina, Saying::attached(attachment));
    case.pass(1);
    let webhook = case.whatsapp.due(case.now).remove(0);
    let body: Json = serde_json::from_slice(&webhook.body).unwrap();
    let document = &body["entry"][0]["changes"][0]["value"]["messages"][0]["document"];
    assert_eq!(document["filename"], "bill.pdf");
    assert_eq!(document["sha256"].as_str().unwrap().len(), 44);
    let theirs = document["id"].as_str().unwrap().to_owned();
    let lives = |case: &mut Case, id: &str| case.graph(&Method::GET, id, b"").0 == 200;
    case.pass(7 * DAY - 2);
    assert!(lives(&mut case, &theirs));
    case.pass(2);
    assert!(!lives(&mut case, &theirs) && lives(&mut case, &mine));
    case.pass(23 * DAY);
    assert!(!lives(&mut case, &mine));
}

#[test]
fn a_form_that_is_none_and_a_file_of_no_supported_type_are_refused() {
    let mut case = Case::new();
    let path = format!("{NUMBER}/media");
    // One that is too large is taken, and refused when it is to be sent.
    for body in [b"{}".to_vec(), form("application-x/nonsense", b"x")] {
        let (status, error) = case.graph(&Method::POST, &path, &body);
        assert_eq!(status, 400, "{error}");
    }
    assert_eq!(case.graph(&Method::POST, "1/media", &form("image/png", b"x")).1["error"]["error_subcode"], 33);
}

//! The simulated WhatsApp, driven step by step without sockets.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

use std::time::Duration;

use baton_shared::Micros;
use baton_simulator::whatsapp::{
    Config, Done, Fault, Faults, GraphRequest, OutgoingWebhook, Person, PersonId, Reply, Saying, Whatsapp, sign,
};
use http::Method;
use serde_json::{Value as Json, json};

const NUMBER: &str = "106853218861066";
const TOKEN: &str = "Bearer EAAGsimulated0token";
const MARINA: &str = "15550100199";
const HOUR: u64 = 3_600;

struct Case {
    whatsapp: Whatsapp,
    now: Micros,
    marina: PersonId,
    posted: Vec<OutgoingWebhook>,
}

impl Case {
    fn new(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::shop().calling("http://127.0.0.1:1/webhook");
        change(&mut config);
        let mut whatsapp = Whatsapp::new(config, fastrand::Rng::with_seed(1));
        let marina = whatsapp.add_person(Person::new("Marina Núñez 😀", MARINA, "US.13491208655302741918"));
        Self { whatsapp, now: Micros::from_seconds(1_795_000_000), marina, posted: Vec::new() }
    }

    fn with_faults(faults: Faults) -> Self {
        Self::new(|config| config.faults = faults)
    }

    fn ask(&mut self, method: &Method, path: &str, body: &str) -> Reply {
        let path_and_query = &format!("/v26.0/{path}");
        let request = GraphRequest { method, path_and_query, authorization: Some(TOKEN), body: body.as_bytes() };
        self.whatsapp.request(self.now, request)
    }

    fn post(&mut self, body: &Json) -> Reply {
        self.ask(&Method::POST, &format!("{NUMBER}/messages"), &body.to_string())
    }

    fn send(&mut self, text: &str) -> Reply {
        self.post(&text_to(MARINA, text))
    }

    fn marina_says(&mut self, text: &str) -> String {
        self.whatsapp.say(self.now, self.marina, Saying::text(text))
    }

    /// Time passes; every webhook is answered `status` at once.
    fn pass(&mut self, length: Duration, mut status: impl FnMut(&OutgoingWebhook) -> Option<u16>) {
        let until = self.now.plus(length);
        while let Some(next) = self.whatsapp.next_due().filter(|next| *next <= until) {
            self.now = self.now.max(next);
            for webhook in self.whatsapp.due(self.now) {
                self.whatsapp.answered(webhook.id, status(&webhook), self.now);
                self.posted.push(webhook);
            }
        }
        self.now = until;
    }

    fn minute(&mut self) {
        self.pass(Duration::from_secs(60), |_| Some(200));
    }

    /// Every change's value of every body posted so far.
    fn values(&self) -> Vec<Json> {
        let bodies = self.posted.iter().map(|webhook| serde_json::from_slice::<Json>(&webhook.body).unwrap());
        let of = |json: &Json, key: &str| json[key].as_array().cloned().unwrap_or_default();
        bodies
            .flat_map(|body| of(&body, "entry"))
            .flat_map(|entry| of(&entry, "changes"))
            .map(|c| c["value"].clone())
            .collect()
    }

    fn statuses(&self) -> Vec<Json> {
        self.values().iter().flat_map(|value| value["statuses"].as_array().cloned().unwrap_or_default()).collect()
    }
}

fn text_to(to: &str, text: &str) -> Json {
    json!({"messaging_product": "whatsapp", "to": to, "type": "text", "text": {"body": text}})
}

fn json_of(reply: &Reply) -> Json {
    serde_json::from_slice(&reply.body).unwrap()
}

fn wamid_of(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{}", json_of(reply));
    json_of(reply)["messages"][0]["id"].as_str().unwrap().to_owned()
}

fn words(statuses: &[Json]) -> Vec<&str> {
    statuses.iter().filter_map(|status| status["status"].as_str()).collect()
}

#[test]
fn a_customers_message_becomes_a_signed_escaped_webhook() {
    let mut case = Case::new(|_| {});
    let wamid = case.marina_says("¿está abierto? a/b");
    case.minute();
    let [webhook] = &case.posted[..] else { panic!("one webhook") };
    let secret = &case.whatsapp.config().apps[0].secret;
    assert_eq!(webhook.signature, sign(secret, &webhook.body));
    assert!(webhook.body.is_ascii());
    let text = std::str::from_utf8(&webhook.body).unwrap();
    assert!(text.contains(r#""body":"\u00bfest\u00e1 abierto? a\/b""#), "{text}");
    assert!(text.contains(r"N\u00fa\u00f1ez \ud83d\ude00"), "{text}");
    let value = &case.values()[0];
    assert_eq!(value["metadata"], json!({"display_phone_number": "15550783881", "phone_number_id": NUMBER}));
    assert_eq!(value["messages"][0]["id"], json!(wamid));
    assert_eq!(value["messages"][0]["from"], json!(MARINA));
    assert_eq!(value["messages"][0]["from_user_id"], json!("US.13491208655302741918"));
    assert_eq!(value["messages"][0]["timestamp"], json!("1795000000"));
    assert_eq!(value["contacts"][0]["wa_id"], json!(MARINA));
}

#[test]
fn an_account_without_a_subscribed_app_is_silent() {
    let mut case = Case::new(|config| config.accounts[0].subscribed.clear());
    case.marina_says("hi");
    case.minute();
    assert!(case.posted.is_empty());
}

#[test]
fn who_has_a_username_is_known_without_a_phone() {
    let mut case = Case::new(|_| {});
    let pablo = case.whatsapp.add_person(Person::new("Pablo", "34600111222", "ES.900").known_only_as("pablom"));
    case.whatsapp.say(case.now, pablo, Saying::text("hola"));
    case.minute();
    let reply = case.post(&json!({"messaging_product": "whatsapp", "recipient": "ES.900", "text": {"body": "¡hola!"}}));
    assert_eq!(json_of(&reply)["contacts"], json!([{"input": "ES.900", "user_id": "ES.900"}]));
    case.minute();
    let bodies: Vec<u8> = case.posted.iter().flat_map(|webhook| webhook.body.to_vec()).collect();
    assert!(!String::from_utf8(bodies).unwrap().contains("34600111222"));
    assert_eq!(case.values()[0]["contacts"][0]["profile"], json!({"name": "Pablo", "username": "pablom"}));
    assert!(case.statuses().iter().all(|status| status["recipient_user_id"] == "ES.900"));
}

#[test]
fn an_accepted_text_reaches_the_customer_and_its_statuses_only_climb() {
    let mut case = Case::new(|_| {});
    case.marina_says("hi");
    let mut ticks = 0;
    for _ in 0..40 {
        let mut request = text_to(MARINA, "hello");
        request["biz_opaque_callback_data"] = json!("attempt-7");
        let wamid = wamid_of(&case.post(&request));
        case.minute();
        let statuses: Vec<Json> = case.statuses().into_iter().filter(|s| s["id"] == json!(wamid)).collect();
        let seen = words(&statuses);
        let mut by_time: Vec<(i64, &str)> = statuses
            .iter()
            .map(|status| (status["timestamp"].as_str().unwrap().parse().unwrap(), status["status"].as_str().unwrap()))
            .collect();
        by_time.sort_by_key(|(at, word)| (*at, ["sent", "delivered", "read"].iter().position(|w| w == word)));
        let climbed: Vec<&str> = by_time.iter().map(|(_, word)| *word).collect();
        assert!(climbed == ["sent", "delivered", "read"] || climbed == ["sent", "read"], "{seen:?}");
        ticks += usize::from(climbed.len() == 2);
        let priced: Vec<&Json> = statuses.iter().filter(|status| !status["pricing"].is_null()).collect();
        assert_eq!(priced.len(), 2, "on sent and on exactly one of delivered and read");
        assert!(statuses.iter().all(|status| status["biz_opaque_callback_data"] == "attempt-7"));
    }
    assert!((1..20).contains(&ticks), "read at once now and then: {ticks}");
    assert_eq!(case.whatsapp.ledger().reached().len(), 40);
    assert_eq!(case.whatsapp.ledger().accepted().count(), 40);
    assert!(case.whatsapp.ledger().reached().iter().all(|reached| reached.opaque.as_deref() == Some("attempt-7")));
}

#[test]
fn after_a_day_free_text_fails_later_and_a_template_does_not() {
    for (hours, fails) in [(23, false), (24, true)] {
        let mut case = Case::new(|_| {});
        case.marina_says("hi");
        case.pass(Duration::from_secs(hours * HOUR), |_| Some(200));
        case.posted.clear();
        assert_eq!(case.send("still there?").status, 200);
        case.minute();
        let statuses = case.statuses();
        assert_eq!(words(&statuses).contains(&"failed"), fails);
        if fails {
            assert_eq!(statuses[0]["errors"][0]["code"], json!(131_047));
            assert!(statuses[0].get("recipient_user_id").is_none());
            assert!(case.whatsapp.ledger().reached().is_empty());
        }
        let template = json!({"messaging_product": "whatsapp", "to": MARINA, "type": "template",
            "template": {"name": "order_update", "language": {"code": "en"},
                "components": [{"type": "body", "parameters": [
                    {"type": "text", "text": "Marina"}, {"type": "text", "text": "88121"}]}]}});
        let reply = case.post(&template);
        assert_eq!(json_of(&reply)["messages"][0]["message_status"], json!("accepted"));
        let before = case.whatsapp.ledger().reached().len();
        case.minute();
        assert_eq!(case.whatsapp.ledger().reached().len(), before + 1);
    }
}

#[test]
fn an_old_word_that_comes_late_opens_only_what_is_left() {
    let mut case = Case::new(|_| {});
    let said_at = case.now.minus(Duration::from_secs(26 * HOUR));
    case.whatsapp.say(case.now, case.marina, Saying::text("yesterday").at(said_at));
    case.minute();
    assert_eq!(case.values()[0]["messages"][0]["timestamp"], json!(said_at.seconds().to_string()));
    case.send("late");
    case.minute();
    assert_eq!(words(&case.statuses()), ["failed"]);
}

#[test]
fn nobody_behind_a_number_is_found_out_later() {
    let mut case = Case::new(|_| {});
    assert_eq!(case.post(&text_to("+49 151 0000000", "hello")).status, 200);
    case.minute();
    assert_eq!(case.statuses()[0]["errors"][0]["code"], json!(131_026));
    assert_eq!(case.statuses()[0]["recipient_id"], json!("491510000000"));
}

#[test]
fn a_webhook_comes_again_until_it_is_answered_200() {
    let mut case = Case::new(|_| {});
    let wamid = case.marina_says("hi");
    let mut answers = [Some(503), None, Some(500), Some(404)].into_iter();
    case.pass(Duration::from_secs(HOUR), |_| answers.next().unwrap_or(Some(200)));
    assert_eq!(case.posted.iter().map(|webhook| webhook.attempt).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert!(case.posted.iter().all(|webhook| webhook.body == case.posted[0].body));
    let attempts = &case.whatsapp.ledger().signed()[0].attempts;
    let waits: Vec<Duration> = attempts.windows(2).map(|pair| pair[1].posted_at.since(pair[0].posted_at)).collect();
    assert!(waits.windows(2).all(|pair| pair[1] > pair[0]), "{waits:?}");
    assert!(case.whatsapp.ledger().inbound_acked().contains(wamid.as_str()));
}

#[test]
fn nobody_retries_for_ever() {
    let mut case = Case::new(|_| {});
    let wamid = case.marina_says("hi");
    case.pass(Duration::from_secs(10 * 24 * HOUR), |_| Some(503));
    let signed = &case.whatsapp.ledger().signed()[0];
    assert!(signed.given_up);
    let lasted = signed.attempts.last().unwrap().posted_at.since(signed.signed_at);
    assert!((6 * 24 * HOUR..=7 * 24 * HOUR).contains(&lasted.as_secs()), "{lasted:?}");
    assert!(case.whatsapp.ledger().inbound_posted().contains(wamid.as_str()));
    assert!(case.whatsapp.ledger().inbound_acked().is_empty());
    assert_eq!(case.whatsapp.next_due(), None);
}

#[test]
fn duplicates_come_as_the_same_bytes_and_in_other_company() {
    let mut case = Case::with_faults(Faults { duplicate: 0.8, batch: 0.5, ..Faults::none() });
    let said: Vec<String> = (0..30).map(|i| case.marina_says(&format!("line {i}"))).collect();
    case.minute();
    let ledger = case.whatsapp.ledger();
    let acked = ledger.inbound_acked();
    assert_eq!(acked.len(), 30);
    assert!(said.iter().all(|wamid| acked.contains(wamid.as_str())));
    let same_bytes = ledger.signed().iter().filter(|signed| signed.duplicate_of.is_some()).count();
    let posted: usize = ledger.signed().iter().map(|signed| signed.messages.len()).sum();
    let again: usize = ledger.signed().iter().filter_map(|s| s.duplicate_of.map(|_| s.messages.len())).sum();
    assert!(same_bytes > 0);
    assert!(posted > 30 + again, "some came again in another body");
    assert_eq!(ledger.duplicates_posted(), posted - 30);
}

#[test]
fn batches_hold_every_message_once_in_all_three_layouts() {
    let mut case = Case::with_faults(Faults { batch: 1.0, ..Faults::none() });
    let mut arrays = [0, 0, 0];
    for round in 0..30 {
        for line in 0..5 {
            case.marina_says(&format!("{round} {line}"));
        }
        case.posted.clear();
        case.minute();
        let mut seen = 0;
        for webhook in &case.posted {
            let body: Json = serde_json::from_slice(&webhook.body).unwrap();
            let entries = body["entry"].as_array().unwrap();
            let changes: Vec<&Json> = entries.iter().flat_map(|entry| entry["changes"].as_array().unwrap()).collect();
            let counts: Vec<usize> =
                changes.iter().map(|change| change["value"]["messages"].as_array().unwrap().len()).collect();
            seen += counts.iter().sum::<usize>();
            arrays[0] += usize::from(counts.iter().any(|count| *count > 1));
            arrays[1] += usize::from(entries.len() == 1 && changes.len() > 1);
            arrays[2] += usize::from(entries.len() > 1);
        }
        assert_eq!(seen, 5);
    }
    assert!(arrays.iter().all(|count| *count > 0), "{arrays:?}");
}

#[test]
fn the_pair_rate_refuses_the_forty_sixth_at_once() {
    let mut case = Case::new(|_| {});
    case.marina_says("hi");
    assert!((0..45).all(|_| case.send("again").status == 200));
    let refused = case.send("again");
    assert_eq!((refused.status, json_of(&refused)["error"]["code"].as_i64()), (429, Some(131_056)));
    case.pass(Duration::from_secs(6), |_| Some(200));
    assert_eq!(case.send("again").status, 200);
    assert_eq!(case.send("again").status, 429);
}

#[test]
fn a_numbers_throughput_is_shared_by_both_ways() {
    let mut case = Case::new(|config| config.limits.throughput = 5);
    (0..3).for_each(|_| drop(case.marina_says("hi")));
    assert_eq!([case.send("a").status, case.send("b").status], [200, 200]);
    let refused = case.send("c");
    assert_eq!((refused.status, json_of(&refused)["error"]["code"].as_i64()), (429, Some(130_429)));
}

#[test]
fn service_messages_cost_beyond_the_free_ones() {
    let mut case = Case::new(|config| config.limits.free_service_messages = 2);
    case.marina_says("hi");
    (0..3).for_each(|_| drop(case.send("hello")));
    case.minute();
    let sent: Vec<Json> = case.statuses().into_iter().filter(|status| status["status"] == "sent").collect();
    let regular = sent.iter().filter(|status| status["pricing"]["type"] == "regular").count();
    let free = sent.iter().filter(|status| status["pricing"]["type"] == "free_customer_service").count();
    assert_eq!((free, regular), (2, 1));
}

#[test]
fn what_cannot_be_sent_is_refused_at_once_in_graphs_words() {
    let mut case = Case::new(|_| {});
    let unnamed = json!({"to": MARINA, "text": {"body": "x"}});
    let nobody = json!({"messaging_product": "whatsapp", "text": {"body": "x"}});
    let empty = json!({"messaging_product": "whatsapp", "to": MARINA, "text": {"body": "  "}});
    let bare = json!({"messaging_product": "whatsapp", "to": MARINA, "type": "image"});
    let strange = json!({"messaging_product": "whatsapp", "to": MARINA, "type": "telegram", "telegram": {}});
    let template = json!({"messaging_product": "whatsapp", "to": MARINA, "type": "template",
        "template": {"name": "nope", "language": {"code": "en"}}});
    let cases = [
        (unnamed, 100),
        (nobody, 131_008),
        (empty, 131_009),
        (bare, 131_008),
        (strange, 100),
        (template, 132_001),
        (text_to(MARINA, &"é".repeat(4_097)), 100),
        (text_to("marina", "x"), 131_009),
        (text_to("15550783881", "x"), 131_021),
    ];
    for (body, code) in cases {
        let reply = case.post(&body);
        assert_eq!(json_of(&reply)["error"]["code"], json!(code), "{body}");
        assert!(reply.status >= 400 && reply.headers.contains_key("www-authenticate"), "{body}");
    }
    assert_eq!(case.send(&"é".repeat(4_096)).status, 200);
    assert_eq!(case.ask(&Method::POST, &format!("{NUMBER}/messages"), "{").status, 400);
    assert_eq!(case.whatsapp.ledger().accepted().count(), 1);
    case.whatsapp.config_mut().numbers[0].registered = false;
    assert_eq!(json_of(&case.send("x"))["error"]["code"], json!(133_010));
}

#[test]
fn a_foreign_object_and_a_bad_token_are_told_apart() {
    let mut case = Case::new(|_| {});
    let reply = case.ask(&Method::POST, "123123/messages", "{}");
    assert_eq!(reply.status, 400);
    let text = std::str::from_utf8(&reply.body).unwrap();
    assert!(
        text.starts_with(r#"{"error":{"message":"Unsupported post request. Object with ID '123123' does not exist"#)
    );
    assert!(text.contains(r#"https:\/\/developers.facebook.com\/docs\/graph-api","type":"GraphMethodException","code":100,"error_subcode":33"#));
    for (authorization, code) in [(None, 104), (Some("Bearer other"), 190)] {
        let path_and_query = &format!("/v26.0/{NUMBER}");
        let request = GraphRequest { method: &Method::GET, path_and_query, authorization, body: b"" };
        let reply = case.whatsapp.request(case.now, request);
        assert_eq!((reply.status, json_of(&reply)["error"]["code"].as_i64()), (401, Some(code)));
    }
}

#[test]
fn read_marks_need_a_message_of_the_customer() {
    let mut case = Case::new(|_| {});
    let said = case.marina_says("hi");
    let sent = wamid_of(&case.send("hello"));
    let mark = |id: &str| json!({"messaging_product": "whatsapp", "status": "read", "message_id": id, "typing_indicator": {"type": "text"}});
    assert_eq!(json_of(&case.post(&mark(&said))), json!({"success": true}));
    assert_eq!(case.whatsapp.ledger().requests().last().unwrap().done, Done::ReadMark { wamid: said, typing: true });
    let of_ours = json_of(&case.post(&mark(&sent)))["error"]["error_data"]["details"].to_string();
    assert!(of_ours.contains("is outgoing"), "{of_ours}");
    let unknown = json_of(&case.post(&mark("wamid.x")));
    assert_eq!(unknown["error"]["error_data"]["details"], json!("Please check the message ID you have provided."));
}

#[test]
fn a_doctor_finds_number_templates_and_subscriptions() {
    let mut case = Case::new(|_| {});
    let number = case.ask(&Method::GET, &format!("{NUMBER}?fields=display_phone_number,status"), "");
    assert_eq!(
        json_of(&number),
        json!({"display_phone_number": "+1 555-078-3881", "id": NUMBER, "status": "CONNECTED"})
    );
    assert!(number.headers["x-business-use-case-usage"].to_str().unwrap().contains("whatsapp_business_management"));
    let wrong = case.ask(&Method::GET, &format!("{NUMBER}?fields=colour"), "");
    assert_eq!(json_of(&wrong)["error"]["code"], json!(100));

    let account = "215589313241560883";
    let mut names = Vec::new();
    let mut path = format!("{account}/message_templates?limit=2");
    loop {
        let page = json_of(&case.ask(&Method::GET, &path, ""));
        names.extend(
            page["data"].as_array().unwrap().iter().map(|template| template["id"].as_str().unwrap().to_owned()),
        );
        match page["paging"]["next"].as_str() {
            Some(next) => path = next.split_once("/v26.0/").unwrap().1.to_owned(),
            None => break,
        }
    }
    assert_eq!(names, ["1101", "1102", "1104", "1103"]);
    let none = case.ask(&Method::GET, &format!("{account}/message_templates?name=nope"), "");
    assert_eq!(&none.body[..], br#"{"data":[]}"#);

    let apps = json_of(&case.ask(&Method::GET, &format!("{account}/subscribed_apps"), ""));
    assert_eq!(apps["data"][0]["whatsapp_business_api_data"]["id"], json!("670843887433847"));
    case.whatsapp.config_mut().accounts[0].subscribed.clear();
    let silent = case.ask(&Method::GET, &format!("{account}/subscribed_apps"), "");
    assert_eq!(&silent.body[..], br#"{"data":[]}"#);
    assert_eq!(&case.ask(&Method::POST, &format!("{account}/subscribed_apps"), "").body[..], br#"{"success":true}"#);
    assert_eq!(case.whatsapp.config().accounts[0].subscribed, ["670843887433847"]);
    let refused = case.ask(&Method::GET, "670843887433847/subscriptions", "");
    assert_eq!(json_of(&refused)["error"]["code"], json!(15));
    let path_and_query =
        "/v26.0/670843887433847/subscriptions?access_token=670843887433847%7C9f2c4e1b7a6d8053c1f0e9d8b7a69584";
    let request = GraphRequest { method: &Method::GET, path_and_query, authorization: None, body: b"" };
    let fields = json_of(&case.whatsapp.request(case.now, request))["data"][0]["fields"].clone();
    assert_eq!(fields[0], json!({"name": "messages", "version": "v26.0"}));
}

#[test]
fn answers_tell_metas_time_and_the_version_that_answered() {
    let mut case = Case::new(|config| config.clock_ahead = 90_000_000);
    case.now = Micros::from_seconds(1_795_000_000);
    let reply = case.ask(&Method::GET, NUMBER, "");
    assert_eq!(reply.headers["date"], "Wed, 18 Nov 2026 11:08:10 GMT");
    assert_eq!(reply.headers["facebook-api-version"], "v26.0");
    let request = GraphRequest {
        method: &Method::GET,
        path_and_query: &format!("/v19.0/{NUMBER}"),
        authorization: Some(TOKEN),
        body: b"",
    };
    let old = case.whatsapp.request(case.now, request);
    assert_eq!(old.headers["facebook-api-version"], "v21.0");
    assert!(old.headers.contains_key("x-ad-api-version-warning"));
}

#[test]
fn what_breaks_after_the_message_was_taken_still_reaches_the_customer() {
    let after = [
        Faults { cut_after: 1.0, ..Faults::none() },
        Faults { silence_after: 1.0, ..Faults::none() },
        Faults { unavailable_after: 1.0, ..Faults::none() },
    ];
    let before = [
        Faults { cut_before: 1.0, ..Faults::none() },
        Faults { silence_before: 1.0, ..Faults::none() },
        Faults { unavailable: 1.0, ..Faults::none() },
        Faults { no_connection: 1.0, ..Faults::none() },
        Faults { busy: 1.0, ..Faults::none() },
    ];
    for (faults, reaches) in
        after.into_iter().map(|faults| (faults, 1)).chain(before.into_iter().map(|faults| (faults, 0)))
    {
        let mut case = Case::with_faults(faults);
        case.marina_says("hi");
        let reply = case.send("hello");
        assert!(reply.fault.is_some());
        assert!(!reply.fault.is_some_and(Fault::is_answered) || reply.status >= 429);
        case.minute();
        let ledger = case.whatsapp.ledger();
        assert_eq!(ledger.reached().len(), reaches, "{:?}", reply.fault);
        assert_eq!(ledger.requests()[0].text.as_deref(), Some("hello"));
        assert_eq!(ledger.requests()[0].recipient.as_deref(), Some(MARINA));
    }
}

#[test]
fn statuses_can_overtake_the_answer() {
    let mut case = Case::with_faults(Faults { overtake: 1.0, ..Faults::none() });
    case.marina_says("hi");
    case.minute();
    case.posted.clear();
    let reply = case.send("hello");
    case.pass(reply.latency, |_| Some(200));
    assert!(words(&case.statuses()).contains(&"sent"), "before the answer");
}

#[test]
fn a_status_can_be_missing_but_the_message_is_there() {
    let mut case = Case::with_faults(Faults { missing_status: 1.0, ..Faults::none() });
    case.marina_says("hi");
    for _ in 0..20 {
        case.posted.clear();
        let wamid = wamid_of(&case.send("hello"));
        case.minute();
        assert!((1..3).contains(&case.statuses().iter().filter(|status| status["id"] == json!(wamid)).count()));
    }
    assert_eq!(case.whatsapp.ledger().reached().len(), 20);
}

#[test]
fn the_ledger_finds_who_got_the_same_twice() {
    let mut case = Case::new(|_| {});
    case.marina_says("hi");
    for (text, attempt) in [("one", "a"), ("two", "b"), ("one", "c")] {
        let mut request = text_to(MARINA, text);
        request["biz_opaque_callback_data"] = json!(attempt);
        case.post(&request);
    }
    case.minute();
    let ledger = case.whatsapp.ledger();
    let by_text = ledger.doubled(|reached| Some(reached.text.clone()));
    assert_eq!(by_text.len(), 1);
    assert_eq!(by_text[0].iter().filter(|reached| reached.text == "one").count(), 2);
    assert!(ledger.doubled(|reached| reached.opaque.clone()).is_empty());
}

#[test]
fn a_seed_replays_every_byte() {
    let run = || {
        let mut case = Case::with_faults(Faults::rough());
        let mut transcript = Vec::new();
        for round in 0..60 {
            case.marina_says(&format!("question {round}"));
            let reply = case.send(&format!("answer {round}"));
            transcript.push((reply.status, reply.body, format!("{:?}", reply.fault)));
            case.pass(Duration::from_secs(3), |webhook| Some(if webhook.attempt == 1 { 503 } else { 200 }));
        }
        case.minute();
        let bodies: Vec<_> =
            case.posted.iter().map(|w| (w.id, w.attempt, w.body.clone(), w.signature.clone())).collect();
        (transcript, bodies)
    };
    let (first, second) = (run(), run());
    assert!(first == second);
    assert!(first.1.len() > 120);
}

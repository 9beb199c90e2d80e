//! Promises 1, 2 and 10 at the door: over real HTTP, on both engines.

use std::path::PathBuf;

use baton_server::store::{conversations, letters, messages};
use baton_simulator::whatsapp::{Config, Person, Saying, sign};
use baton_tests::{
    app::{App, eventually},
    fuzz::kept::notices,
    on_both,
    store::left_out,
};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const NUMBER: &str = "106853218861066";
const ACCOUNT: &str = "215589313241560883";

/// A signed-for text by a customer.
fn text(wamid: &str, words: &str) -> Value {
    message(
        json!({"from": "15550001111", "id": wamid, "timestamp": "1790000000", "type": "text", "text": {"body": words}}),
    )
}

fn message(message: Value) -> Value {
    change(json!({
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": NUMBER},
        "contacts": [{"profile": {"name": "Marina"}, "wa_id": "15550001111"}],
        "messages": [message],
    }))
}

fn change(value: Value) -> Value {
    json!({"object": "whatsapp_business_account",
           "entry": [{"id": ACCOUNT, "changes": [{"field": "messages", "value": value}]}]})
}

async fn stored(app: &App, wamids: &[&str]) -> usize {
    messages::by_wamids(app.reader().await.conn(), wamids.iter().copied()).await.unwrap().len()
}

async fn dead_letters(app: &App) -> i64 {
    letters::count(app.reader().await.conn()).await.unwrap()
}

on_both!(
    promise_1_what_is_answered_200_survives_a_crash,
    app | app | {
        let mut app = app;
        for number in 0..20 {
            let status = app.post(text(&format!("wamid.{number}"), "hello").to_string()).await;
            assert_eq!(status, StatusCode::OK);
        }
        app.crash().await;
        app.restart().await;
        let wamids: Vec<String> = (0..20).map(|number| format!("wamid.{number}")).collect();
        let wamids: Vec<&str> = wamids.iter().map(String::as_str).collect();
        assert_eq!(stored(&app, &wamids).await, 20);
    }
);

on_both!(
    promise_2_every_message_of_every_change_of_every_entry,
    app | app
        | {
            let value = |ids: [&str; 2]| {
                json!({
                    "messaging_product": "whatsapp", "metadata": {"phone_number_id": NUMBER},
                    "messages": ids.map(|id| json!({"from": "15550001111", "id": id, "timestamp": 1_790_000_000, "type": "text", "text": {"body": id}})),
                })
            };
            let entry = |changes: [[&str; 2]; 2]| {
                json!({
                    "id": ACCOUNT, "changes": changes.map(|ids| json!({"field": "messages", "value": value(ids)})),
                })
            };
            let body = json!({"object": "whatsapp_business_account",
                      "entry": [entry([["a", "b"], ["c", "d"]]), entry([["e", "f"], ["g", "a"]])]});
            for _ in 0..3 {
                assert_eq!(app.post(body.to_string()).await, StatusCode::OK);
            }
            assert_eq!(stored(&app, &["a", "b", "c", "d", "e", "f", "g"]).await, 7);
            let mut reader = app.reader().await;
            let (_, _, conversation) = messages::by_wamids(reader.conn(), ["a"]).await.unwrap().remove(0);
            let said = messages::said(reader.conn(), conversation, 50).await.unwrap();
            assert_eq!(said.iter().map(|one| one.text.as_str()).collect::<String>(), "abcdefg");
        }
);

/// Facts that are about no message: of a template, a call, a group, a customer's wish, an error, a hand-over.
fn facts() -> Value {
    let metadata = json!({"display_phone_number": "15550783881", "phone_number_id": NUMBER});
    let one = |field: &str, mut value: Value| {
        value["metadata"] = metadata.clone();
        json!({"field": field, "value": value})
    };
    let changes = json!([
        one(
            "message_template_status_update",
            json!({"event": "APPROVED", "message_template_name": "a", "message_template_language": "de"})
        ),
        one(
            "calls",
            json!({"calls": [{"id": "wacid.1", "from": "15550001111", "timestamp": "1790000000", "event": "terminate"}]})
        ),
        one(
            "group_lifecycle_update",
            json!({"groups": [{"timestamp": "1790000000", "group_id": "g", "type": "group_create"}]})
        ),
        one(
            "user_preferences",
            json!({"user_preferences": [{"wa_id": "15550001111", "category": "marketing_messages", "value": "stop", "timestamp": 1_790_000_000}]})
        ),
        one("messages", json!({"errors": [{"code": 130_429, "title": "Rate limit hit"}]})),
        one("a_field_of_tomorrow", json!({"what": "ever"})),
    ]);
    json!({"object": "whatsapp_business_account", "entry": [{"id": ACCOUNT, "time": 1_790_000_000, "changes": changes}]})
}

on_both!(
    promise_2_a_fact_that_is_about_no_message_is_kept_once_too,
    app | app | {
        // SQLite's file belongs to one server.
        let second = if app.db().is_postgres() { Some(app.second_server().await) } else { None };
        let other =
            second.as_ref().map_or_else(|| app.webhook_url(), |server| format!("http://{}/webhook", server.address()));
        let body = facts().to_string();
        let signature = sign(&Config::shop().apps[0].secret, body.as_bytes());
        // Again and again, at once, and at another door of the same store.
        let posts = (0..8).map(|_| app.post(body.clone()));
        assert!(futures::future::join_all(posts).await.into_iter().all(|status| status == StatusCode::OK));
        let posts =
            (0..8).map(|_| app.client.post(&other).header("X-Hub-Signature-256", &signature).body(body.clone()).send());
        for answer in futures::future::join_all(posts).await {
            assert_eq!(answer.unwrap().status(), StatusCode::OK);
        }
        let kept = notices(app.db()).await;
        assert_eq!(kept.len(), 6, "{kept:?}");
        // The same words of another time are another fact: approved, paused, and approved again.
        let mut later = facts();
        later["entry"][0]["time"] = json!(1_790_003_600);
        assert_eq!(app.post(later.to_string()).await, StatusCode::OK);
        assert_eq!(notices(app.db()).await.len(), 12);
        if let Some(second) = second {
            second.stop().await;
        }
    }
);

on_both!(
    the_answers_of_the_contract,
    app | app | {
        let body = text("wamid.1", "hello").to_string().into_bytes();
        assert_eq!(app.post_signed(body.clone(), None).await, StatusCode::UNAUTHORIZED);
        assert_eq!(app.post_signed(body.clone(), Some("sha256=zz")).await, StatusCode::UNAUTHORIZED);
        let forged = sign("another secret", &body);
        assert_eq!(app.post_signed(body.clone(), Some(&forged)).await, StatusCode::UNAUTHORIZED);
        assert_eq!(stored(&app, &["wamid.1"]).await, 0);
        assert_eq!(app.post(vec![b' '; 4 * 1024 * 1024 + 1]).await, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(app.post(body).await, StatusCode::OK);
        let elsewhere = app.client.post(app.url("/webhook/nobody")).body("{}").send().await.unwrap();
        assert_eq!(elsewhere.status(), StatusCode::NOT_FOUND);
        assert_eq!(dead_letters(&app).await, 0);
    }
);

on_both!(
    the_handshake_gives_the_challenge_back,
    app | app | {
        app.simulator.handshake("670843887433847").await.unwrap();
        let wrong = app.url("/webhook?hub.mode=subscribe&hub.challenge=12&hub.verify_token=guess");
        assert_eq!(app.client.get(wrong).send().await.unwrap().status(), StatusCode::FORBIDDEN);
    }
);

on_both!(
    promise_10_what_nobody_can_read_is_kept_and_harms_nobody,
    app | app | {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let bodies: [Vec<u8>; 7] = [
            b"{\"entry\":[".to_vec(),
            b"not json at all".to_vec(),
            b"{\"object\":\"whatsapp_business_account\"}".to_vec(),
            b"\xff\xfe{\"entry\":[]}".to_vec(),
            deep.into_bytes(),
            b"".to_vec(),
            b"[]".to_vec(),
        ];
        let count = i64::try_from(bodies.len()).unwrap();
        for body in bodies {
            assert_eq!(app.post(body).await, StatusCode::OK);
        }
        assert_eq!(dead_letters(&app).await, count);
        assert_eq!(app.post(text("wamid.after", "still here").to_string()).await, StatusCode::OK);
        assert_eq!(stored(&app, &["wamid.after"]).await, 1);
    }
);

on_both!(
    promise_2_a_dead_letter_that_comes_again_is_the_same_letter,
    app | app | {
        let (one, again) = tokio::join!(app.post("not json"), app.post("not json"));
        assert_eq!((one, again), (StatusCode::OK, StatusCode::OK));
        assert_eq!(app.post("not json").await, StatusCode::OK);
        assert_eq!(dead_letters(&app).await, 1);
        assert_eq!(app.post("not json either").await, StatusCode::OK);
        assert_eq!(dead_letters(&app).await, 2);
    }
);

on_both!(
    promise_1_of_two_readings_none_is_lost,
    app | app | {
        let once = text("wamid.1", "one").to_string();
        let twice = once.replacen("\"messages\":[", "\"messages\":[{\"id\":\"wamid.0\"}],\"messages\":[", 1);
        assert_ne!(once, twice);
        assert_eq!(app.post(twice).await, StatusCode::OK);
        assert_eq!(stored(&app, &["wamid.0", "wamid.1"]).await, 1);
        let letter = letters::waiting(app.reader().await.conn(), 10).await.unwrap().remove(0);
        assert!(letter.reason.contains("stands twice"), "{}", letter.reason);
        assert!(String::from_utf8(letter.body).unwrap().contains("wamid.0"));
    }
);

/// Posts byte by byte what no HTTP client would; the first line of the answer, if there is one.
async fn raw(app: &App, head: &str, body: &[u8]) -> String {
    let stream = TcpStream::connect(app.url("").trim_start_matches("http://")).await.unwrap();
    let (mut from, mut to) = stream.into_split();
    let head = format!("POST /webhook HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{head}\r\n\r\n");
    let mut answer = Vec::new();
    let write = async {
        // Whoever has heard enough hangs up.
        let _ = to.write_all(&[head.as_bytes(), body].concat()).await;
        let _ = to.shutdown().await;
    };
    let (_, _) = tokio::join!(write, from.read_to_end(&mut answer));
    String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned()
}

on_both!(
    what_breaks_off_on_its_way_is_not_acknowledged,
    app | app | {
        let body = text("wamid.1", "hello").to_string().into_bytes();
        let signature = sign(app.settings().whatsapp.apps[0].secret.reveal(), &body);
        let head = format!("content-length: {}\r\nx-hub-signature-256: {signature}", body.len());
        for length in [0, 1, body.len() / 2, body.len() - 1] {
            let answer = raw(&app, &head, &body[..length]).await;
            assert!(!answer.contains("200"), "{answer}");
        }
        // As long as it says, but less than was signed.
        let head = format!("content-length: {}\r\nx-hub-signature-256: {signature}", body.len() - 1);
        assert!(raw(&app, &head, &body[..body.len() - 1]).await.contains("401"));
        assert_eq!((stored(&app, &["wamid.1"]).await, dead_letters(&app).await), (0, 0));
        assert_eq!(app.post(body).await, StatusCode::OK);
    }
);

on_both!(
    a_body_that_does_not_say_how_long_it_is_has_the_same_limit,
    app | app | {
        let piece = [b"100000\r\n".as_slice(), &[b' '; 1024 * 1024], b"\r\n"].concat();
        let answer = raw(&app, "transfer-encoding: chunked", &[piece.repeat(5), b"0\r\n\r\n".to_vec()].concat()).await;
        assert!(answer.contains("413"), "{answer}");
    }
);

on_both!(
    a_foreign_number_is_a_dead_letter_until_it_is_ours,
    app | app | {
        let mut body = text("wamid.1", "hello");
        body["entry"][0]["changes"][0]["value"]["metadata"]["phone_number_id"] = json!("999");
        assert_eq!(app.post(body.to_string()).await, StatusCode::OK);
        assert_eq!((dead_letters(&app).await, stored(&app, &["wamid.1"]).await), (1, 0));
        let letter = letters::waiting(app.reader().await.conn(), 1).await.unwrap().remove(0);
        assert!(letter.reason.starts_with("it is for phone_number_id "), "{}", letter.reason);
        let context = app.server.as_ref().unwrap().context();
        let replayed = baton_server::intake::replay::replay(context, false).await.unwrap();
        assert_eq!((replayed.dead, replayed.read), (1, 0));
        // Junk can be put away, and is not what a new number finds again.
        assert_eq!(app.post("junk").await, StatusCode::OK);
        assert_eq!(dead_letters(&app).await, 2);
        let at = context.moment();
        let channel = baton_server::store::channels::Channel {
            id: context.ids.next(at.now),
            app: "default".into(),
            phone_number_id: "999".into(),
            business_account_id: "1".into(),
            name: "second".into(),
            team: String::new(),
            bot_on: true,
            sending_on: true,
            clock_offset: 0,
            meta: baton_server::store::channels::Meta::default(),
        };
        context
            .db
            .write(baton_server::store::Urgency::First, move |tx| {
                let channel = channel.clone();
                Box::pin(async move { baton_server::store::channels::put(tx, &channel).await })
            })
            .await
            .unwrap();
        let replayed = baton_server::intake::replay::replay(context, false).await.unwrap();
        assert_eq!((replayed.dead, replayed.read, replayed.messages), (1, 1, 1));
        let replayed = baton_server::intake::replay::replay(context, true).await.unwrap();
        assert_eq!((replayed.dead, replayed.read), (1, 0));
        assert_eq!((dead_letters(&app).await, stored(&app, &["wamid.1"]).await), (0, 1));
    }
);

on_both!(
    what_stands_where_an_id_should_is_not_repeated,
    app | app | {
        let mut body = text("wamid.1", "hello");
        body["entry"][0]["changes"][0]["value"]["metadata"]["phone_number_id"] = json!("my secret is 42");
        assert_eq!(app.post(body.to_string()).await, StatusCode::OK);
        let letter = letters::waiting(app.reader().await.conn(), 1).await.unwrap().remove(0);
        assert!(letter.reason.contains("no id") && !letter.reason.contains("secret"), "{}", letter.reason);
    }
);

on_both!(
    an_unknown_type_stands_in_the_thread_by_its_name,
    app | app | {
        let hologram = message(json!({"from": "15550001111", "id": "wamid.h", "timestamp": "1790000000",
                                  "type": "hologram", "hologram": {"depth": 3}}));
        assert_eq!(app.post(hologram.to_string()).await, StatusCode::OK);
        let mut reader = app.reader().await;
        let (_, id, conversation) = messages::by_wamids(reader.conn(), ["wamid.h"]).await.unwrap().remove(0);
        assert_eq!(messages::by_id(reader.conn(), id).await.unwrap().unwrap().kind, "hologram");
        let thread = conversations::by_id(reader.conn(), conversation).await.unwrap().unwrap();
        assert!(thread.due_at.is_some() || thread.handoff.is_some(), "promise 13: somebody must answer it");
        assert_eq!(dead_letters(&app).await, 0);
    }
);

on_both!(
    promise_10_a_burst_of_one_customer_harms_nobody,
    app | app | {
        const BURST: usize = 500;
        let posts = (0..BURST).map(|number| {
            let app = &app;
            let marks = "\u{301}".repeat(if number % 50 == 0 { 32_000 } else { 1 });
            async move { app.post(text(&format!("wamid.{number}"), &format!("a{marks}")).to_string()).await }
        });
        let (other, wamid) = app.simulator.with(|world, now| {
            let other = world.whatsapp.add_person(Person::new("Tom", "15550002222", "US.2"));
            (other, world.whatsapp.say(now, other, Saying::text("When are you open?")))
        });
        let statuses = futures::future::join_all(posts).await;
        assert!(statuses.iter().all(|status| *status == StatusCode::OK), "{statuses:?}");
        let wamids: Vec<String> = (0..BURST).map(|number| format!("wamid.{number}")).collect();
        assert_eq!(stored(&app, &wamids.iter().map(String::as_str).collect::<Vec<_>>()).await, BURST);
        eventually("somebody else is answered", async || {
            stored(&app, &[&wamid]).await == 1 && !app.reached(other).is_empty()
        })
        .await;
    }
);

/// Every body of our own corpus, and of the folder that `BATON_WEBHOOK_CORPUS` names, is answered
/// 200 and leaves no dead letter.
mod corpus {
    use baton_simulator::whatsapp::Config;
    use baton_tests::{fuzz::corpus, store::Database};

    use super::*;

    #[tokio::test]
    async fn every_body_is_understood_on_sqlite() {
        run(Database::sqlite()).await;
    }

    #[tokio::test]
    async fn every_body_is_understood_on_postgres() {
        match Database::postgres().await {
            Some(database) => run(database).await,
            None => left_out("every_body_is_understood_on_postgres"),
        }
    }

    async fn run(database: Database) {
        let mut files = corpus::own();
        // Made of nothing but wrong types, account and number among them: it can belong to nobody.
        files.retain(|file| !file.ends_with("odd_types.json"));
        files.extend(corpus::named());
        let bodies: Vec<(PathBuf, Vec<u8>)> =
            files.into_iter().map(|file| (file.clone(), std::fs::read(&file).unwrap())).collect();
        // Each body belongs to some number of some account: all of them are ours here.
        let values: Vec<Value> = bodies.iter().filter_map(|(_, body)| serde_json::from_slice(body).ok()).collect();
        let app = App::start_with(database, Config::shop(), corpus::numbers(&values)).await;
        for (file, body) in bodies {
            assert_eq!(app.post(body).await, StatusCode::OK, "{}", file.display());
            let waiting = letters::waiting(app.reader().await.conn(), 1).await.unwrap();
            assert!(waiting.is_empty(), "{}: {}", file.display(), waiting[0].reason);
        }
        eventually("the server still answers", async || {
            app.post(text("wamid.last", "hello").to_string()).await == StatusCode::OK
        })
        .await;
    }
}

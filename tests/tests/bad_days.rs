//! What goes wrong at Meta in the middle of the day: the token revoked, the number banned, the same
//! message in two deliveries at once, and the webhooks of one app at the door of another.

use std::time::Duration;

use baton_server::{
    Server,
    config::{App as AppSettings, Channel, Secret},
    store::{letters, messages},
};
use baton_shared::message::{Author, Delivery};
use baton_simulator::whatsapp::sign;
use baton_tests::{on_both, post::Post};
use reqwest::StatusCode;
use serde_json::{Value, json};

const MINUTE: Duration = Duration::from_secs(60);
const NUMBER: &str = "106853218861066";
const ACCOUNT: &str = "215589313241560883";

/// While `breaks` holds, what is sent fails and says why; customers are heard; afterwards the next goes.
async fn one_fails_and_the_next_goes(mut post: Post, code: &str, breaks: impl Fn(&Post, bool)) {
    let talk = post.customer().await;
    let ana = post.acts.add_agent("Ana").await;
    post.acts.take(talk.conversation, ana).await;
    breaks(&post, true);
    let lost = post.queue(talk, Author::Agent, "Hello.").await;
    post.pass_until(MINUTE, async |post| post.is(lost, Delivery::Failed).await).await;
    let failed = post.acts.message(lost).await;
    assert!(failed.trouble, "somebody must look at it");
    assert_eq!(failed.problem.as_deref(), Some(code));
    let wamid = post.says(talk.person);
    post.pass_until(MINUTE, async |post| post.acts.conversation_of(&wamid).await.is_some()).await;
    breaks(&post, false);
    let next = post.queue(talk, Author::Agent, "Are you there?").await;
    post.pass_until(3 * MINUTE, async |post| post.is(next, Delivery::Read).await || post.is_accepted(next).await).await;
    assert_eq!(post.taken("Hello."), 0, "what has failed is sent by nobody but a person");
    assert_eq!(post.asked("Hello."), 1);
}

/// While `breaks` holds, what is sent waits and says why; customers are heard; afterwards all of it goes, once.
async fn all_wait_and_go(mut post: Post, code: &str, breaks: impl Fn(&Post, bool)) {
    let talk = post.customer().await;
    let ana = post.acts.add_agent("Ana").await;
    post.acts.take(talk.conversation, ana).await;
    breaks(&post, true);
    let first = post.queue(talk, Author::Agent, "Hello.").await;
    post.pass_until(MINUTE, async |post| post.is(first, Delivery::Held).await).await;
    let held = post.acts.message(first).await;
    assert!(held.trouble, "somebody must look at it");
    assert_eq!(held.problem.as_deref(), Some(code));
    let second = post.queue(talk, Author::Agent, "Are you there?").await;
    let wamid = post.says(talk.person);
    post.pass_until(MINUTE, async |post| post.acts.conversation_of(&wamid).await.is_some()).await;
    post.pass_until(MINUTE, async |post| post.is(second, Delivery::Held).await).await;
    assert_eq!(post.asked("Are you there?"), 0, "one refusal is enough");
    breaks(&post, false);
    let both = async |post: &Post| post.is_accepted(first).await && post.is_accepted(second).await;
    post.pass_until(12 * MINUTE, both).await;
    post.pass(MINUTE).await;
    // Meta may deliver them in another order than it took them.
    let mut reached = post.reached(talk.person);
    reached.sort();
    assert_eq!(reached, ["Are you there?", "Hello."]);
}

on_both!(
    promise_10_a_token_that_is_revoked_holds_what_is_sent_and_nothing_else,
    post | post | {
        let own = post.world().whatsapp.config().tokens.clone();
        let revoke = |post: &Post, revoked: bool| {
            post.world().whatsapp.config_mut().tokens = if revoked { vec!["another".into()] } else { own.clone() };
        };
        all_wait_and_go(post, "number_token", revoke).await;
    }
);

on_both!(
    promise_10_a_number_that_is_locked_holds_what_is_sent_and_nothing_else,
    post | post | {
        let ban = |post: &Post, banned: bool| post.world().whatsapp.config_mut().numbers[0].banned = banned;
        all_wait_and_go(post, "number_locked", ban).await;
    }
);

on_both!(
    promise_10_a_number_that_is_not_registered_fails_what_is_sent_and_nothing_else,
    post | post | {
        let deregister = |post: &Post, gone: bool| post.world().whatsapp.config_mut().numbers[0].registered = !gone;
        one_fails_and_the_next_goes(post, "133010", deregister).await;
    }
);

fn text(account: &str, number: &str, wamids: &[&str]) -> Vec<u8> {
    let messages: Vec<Value> = wamids
        .iter()
        .map(|wamid| {
            json!({"from": "15550001111", "id": wamid, "timestamp": "1790000000", "type": "text",
                   "text": {"body": "hello"}})
        })
        .collect();
    let value = json!({
        "messaging_product": "whatsapp", "metadata": {"phone_number_id": number},
        "contacts": [{"profile": {"name": "Marina"}, "wa_id": "15550001111"}], "messages": messages,
    });
    json!({"object": "whatsapp_business_account",
           "entry": [{"id": account, "changes": [{"field": "messages", "value": value}]}]})
    .to_string()
    .into_bytes()
}

on_both!(
    promise_2_a_message_in_two_batches_at_once_is_one,
    app | app | {
        let shared = |n: usize| format!("wamid.shared.{n}");
        for n in 0..20 {
            let (first, second) = (format!("wamid.first.{n}"), format!("wamid.second.{n}"));
            let one = app.post(text(ACCOUNT, NUMBER, &[&first, &shared(n)]));
            let two = app.post(text(ACCOUNT, NUMBER, &[&shared(n), &second]));
            assert_eq!(tokio::join!(one, two), (StatusCode::OK, StatusCode::OK));
        }
        let mut reader = app.reader().await;
        let (_, _, conversation) = messages::by_wamids(reader.conn(), ["wamid.shared.0"]).await.unwrap().remove(0);
        let said = messages::said(reader.conn(), conversation, 500).await.unwrap();
        assert_eq!(said.iter().filter(|one| one.author == Author::Customer).count(), 60);
    }
);

on_both!(
    a_webhook_of_one_app_for_a_number_of_another_is_a_dead_letter,
    app | app | {
        const OTHER: (&str, &str, &str) = ("second secret", "306853218861066", "315589313241560883");
        let mut app = app;
        app.stop().await;
        let mut settings = app.settings();
        let (secret, number, account) = OTHER;
        settings.whatsapp.apps.push(AppSettings {
            name: "second".into(),
            secret: Secret::new(secret),
            ..settings.whatsapp.apps[0].clone()
        });
        settings.whatsapp.channels.push(Channel {
            name: "outlet".into(),
            app: "second".into(),
            phone_number_id: number.into(),
            business_account_id: account.into(),
            team: "outlet".into(),
            ..settings.whatsapp.channels[0].clone()
        });
        let first = settings.whatsapp.apps[0].secret.reveal().to_owned();
        app.server = Some(Server::start(settings, app.parts()).await.unwrap());
        let post = async |path: &str, secret: &str, body: Vec<u8>| {
            let signature = sign(secret, &body);
            let request = app.client.post(app.url(path)).header("X-Hub-Signature-256", signature).body(body);
            request.send().await.unwrap().status()
        };
        let stored = async |wamid: &str| messages::by_wamids(app.reader().await.conn(), [wamid]).await.unwrap().len();
        let dead = async || letters::count(app.reader().await.conn()).await.unwrap();

        assert_eq!(post("/webhook", &first, text(ACCOUNT, NUMBER, &["wamid.1"])).await, StatusCode::OK);
        assert_eq!(post("/webhook/second", secret, text(account, number, &["wamid.2"])).await, StatusCode::OK);
        assert_eq!((stored("wamid.1").await, stored("wamid.2").await, dead().await), (1, 1, 0));

        assert_eq!(post("/webhook/second", secret, text(ACCOUNT, NUMBER, &["wamid.3"])).await, StatusCode::OK);
        assert_eq!(post("/webhook", &first, text(account, number, &["wamid.4"])).await, StatusCode::OK);
        assert_eq!((stored("wamid.3").await, stored("wamid.4").await, dead().await), (0, 0, 2));

        let forged = post("/webhook/second", &first, text(account, number, &["wamid.5"])).await;
        assert_eq!(forged, StatusCode::UNAUTHORIZED);
        assert_eq!((stored("wamid.5").await, dead().await), (0, 2));
        let context = app.server.as_ref().unwrap().context();
        let channels = baton_server::store::channels::every(context.db.reader().await.unwrap().conn()).await.unwrap();
        let outlet = channels.iter().find(|channel| channel.name == "outlet").unwrap();
        assert_eq!((outlet.app.as_str(), outlet.team.as_str()), ("second", "outlet"));
    }
);

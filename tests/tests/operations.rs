//! The keeper: how a server says that it is well, what it throws away, and what an operator does beside it.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use baton_server::{
    Context,
    config::Shelf,
    operations::{
        self,
        doctor::{Finding, Mark, examine},
    },
    store::{
        Db, Urgency, channels, commands,
        events::{self, Event, Position},
        messages, rows, settings,
    },
};
use baton_shared::{AgentId, CommandId, Role, message::Delivery};
use baton_simulator::whatsapp::{Person, Saying};
use baton_tests::{
    app::{App, eventually},
    bucket::Bucket,
    on_both,
    scene::Scene,
    store::TestStore,
};
use reqwest::StatusCode;

async fn get(app: &App, path: &str) -> (StatusCode, String) {
    let answer = app.client.get(app.url(path)).send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

/// Each line of the page by what stands before its number.
async fn metrics(app: &App) -> HashMap<String, f64> {
    let (status, page) = get(app, "/metrics").await;
    assert_eq!(status, StatusCode::OK);
    let lines = page.lines().filter(|line| !line.starts_with('#'));
    let lines = lines.map(|line| line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}")));
    let metrics: HashMap<String, f64> = lines
        .map(|(name, value)| (name.to_owned(), value.parse().unwrap_or_else(|_| panic!("{name} {value}"))))
        .collect();
    for name in metrics.keys() {
        let name = name.split('{').next().unwrap();
        assert!(page.contains(&format!("# TYPE {name} ")), "{name} has no type");
    }
    metrics
}

fn write(app: &App, phone: &str, text: &str) {
    app.simulator.with(|world, now| {
        let person = world.whatsapp.add_person(Person::new("Marina", phone, &format!("US.{phone}")));
        world.whatsapp.say(now, person, Saying::text(text));
    });
}

on_both!(
    what_happens_is_counted,
    app | app | {
        assert_eq!(get(&app, "/health/live").await.0, StatusCode::OK);
        assert_eq!(get(&app, "/health/ready").await, (StatusCode::OK, "ready\n".into()));
        let before = metrics(&app).await;
        assert_eq!(before["baton_store_up"], 1.0);
        assert_eq!(before["baton_deliveries_total{outcome=\"stored\"}"], 0.0);

        write(&app, "15550001", "I want to talk to a human please");
        assert_eq!(app.post_signed(b"{}".to_vec(), None).await, StatusCode::UNAUTHORIZED);
        assert_eq!(app.post("no json").await, StatusCode::OK);
        eventually("the bridge is sent and counted", async || {
            let now = metrics(&app).await;
            now["baton_sends_total{outcome=\"accepted\"}"] >= 1.0 && now["baton_conversations_waiting"] == 1.0
        })
        .await;
        let now = metrics(&app).await;
        assert!(now["baton_deliveries_total{outcome=\"stored\"}"] >= 2.0, "{now:?}");
        assert_eq!(now["baton_deliveries_total{outcome=\"refused\"}"], 1.0);
        assert_eq!((now["baton_messages_in_total"], now["baton_dead_letters"]), (1.0, 1.0));
        assert!(now["baton_store_commits_total"] > 0.0, "{now:?}");
        assert!(now["baton_store_jobs_total"] >= now["baton_store_commits_total"], "{now:?}");
        let heard: Vec<&String> = now.keys().filter(|name| name.starts_with("baton_channel_heard")).collect();
        assert!(heard.len() == 1 && now[heard[0]] < 60.0, "{now:?}");
        assert!(now["baton_waiting_seconds"] < 60.0 && now["baton_event_lag_seconds"] >= 0.0, "{now:?}");
    }
);

on_both!(
    a_store_that_is_gone_is_told,
    app | app | {
        app.db().close().await;
        assert_eq!(get(&app, "/health/live").await.0, StatusCode::OK);
        let (status, why) = get(&app, "/health/ready").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(why.starts_with("the store does not answer"), "{why}");
        assert_eq!(metrics(&app).await["baton_store_up"], 0.0);
    }
);

fn context(store: &TestStore) -> Context {
    let settings = baton_server::config::Settings::load(None, &|_| None).unwrap();
    Context::new(store.db.clone(), store.clock.clone(), store.ids.clone(), settings).unwrap()
}

async fn append(store: &TestStore, count: usize) {
    let event = Event::new("taken", store.moment().now);
    let job = store.db.write(Urgency::First, move |tx| {
        let events = vec![event.clone(); count];
        Box::pin(async move { events::append_all(tx, &events).await })
    });
    job.await.unwrap();
}

/// The agents who gave a command, and the command.
async fn command(scene: &Scene, name: &str) -> (AgentId, CommandId) {
    let agent = scene.add_agent(name, Role::Agent).await.id;
    let now = scene.store.moment().now;
    let id = scene.store.ids.next(now);
    scene
        .write(move |tx| {
            let known = commands::Known { hash: "h".into(), answer: "{}".into() };
            Box::pin(async move { commands::insert(tx, agent, id, &known, now).await })
        })
        .await;
    (agent, id)
}

async fn is_known(store: &TestStore, (agent, id): (AgentId, CommandId)) -> bool {
    let mut reader = store.db.reader().await.unwrap();
    commands::get(reader.conn(), agent, id).await.unwrap().is_some()
}

async fn kept(store: &TestStore) -> usize {
    let mut reader = store.db.reader().await.unwrap();
    events::after(reader.conn(), Position::START, 10_000).await.unwrap().len()
}

const DAY: Duration = Duration::from_secs(24 * 3_600);

on_both!(what_is_old_is_thrown_away_and_nothing_else, |store| {
    let scene = Scene::new(store).await;
    let (store, context) = (&scene.store, context(&scene.store));
    append(store, 2_500).await;
    let old = command(&scene, "Ana").await;
    store.advance(DAY * 8);
    let young = command(&scene, "Bea").await;
    operations::sweep(&context).await.unwrap();
    assert!(!is_known(store, old).await && is_known(store, young).await);
    eventually("no event is a quarter old", async || kept(store).await >= 2_500).await;

    store.advance(DAY * 83);
    append(store, 3).await;
    operations::sweep(&context).await.unwrap();
    // One of them tells that Bea was added.
    eventually("only young events are kept", async || kept(store).await == 3 + 1).await;
    store.advance(DAY * 91);
    operations::sweep(&context).await.unwrap();
    assert_eq!(kept(store).await, 1, "the end of the stream stays, however old");
});

/// A guest of the same SQLite file gets its turn, and harms nobody.
#[tokio::test]
async fn commands_succeed_beside_a_busy_server() {
    let app = App::sqlite().await;
    let url = app.settings().database_url.reveal().to_owned();
    let done = AtomicBool::new(false);
    let load = async {
        let mut sent = 0;
        while !done.load(Ordering::Relaxed) {
            let posts = (0..32).map(|one| app.post(delivery(&format!("wamid.{sent}.{one}"))));
            let answers = futures::future::join_all(posts).await;
            assert!(answers.iter().all(|status| *status == StatusCode::OK), "{answers:?}");
            sent += 1;
        }
        sent
    };
    let guest = async {
        for number in 0..20 {
            let db = Db::open_beside(&url, app.clock.clone()).await.unwrap();
            let (key, value) = (format!("guest.{number}"), number.to_string());
            let job = db.write(Urgency::First, move |tx| {
                let (key, value) = (key.clone(), value.clone());
                Box::pin(async move { settings::put(tx, &key, &value).await })
            });
            job.await.unwrap();
            db.close().await;
        }
        done.store(true, Ordering::Relaxed);
    };
    let (rounds, ()) = futures::join!(load, guest);
    assert!(rounds > 0);
}

fn delivery(wamid: &str) -> String {
    serde_json::json!({"object": "whatsapp_business_account", "entry": [{"id": "215589313241560883", "changes": [{
    "field": "messages", "value": {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": "106853218861066"},
        "contacts": [{"profile": {"name": "Marina"}, "wa_id": "15550001111"}],
        "messages": [{"from": "15550001111", "id": wamid, "timestamp": "1790000000", "type": "text",
                      "text": {"body": "hello"}}],
    }}]}]})
    .to_string()
}

/// As `baton-server switch sending` does it, in another process.
async fn switch(app: &App, sending_on: bool) {
    let db = Db::open_beside(app.settings().database_url.reveal(), app.clock.clone()).await.unwrap();
    let channel = channels::every(db.reader().await.unwrap().conn()).await.unwrap().remove(0);
    let job = db.write(Urgency::First, move |tx| Box::pin(channels::switch(tx, channel.id, true, sending_on)));
    job.await.unwrap();
    db.close().await;
}

async fn deliveries(app: &App) -> Vec<Delivery> {
    let mut reader = app.reader().await;
    let at = app.server.as_ref().unwrap().context().moment();
    let Some(row) = rows::queue(reader.conn(), 10, at).await.unwrap().pop() else { return Vec::new() };
    let said = messages::said(reader.conn(), row.row.conversation, 50).await.unwrap();
    said.into_iter().filter_map(|one| one.delivery).collect()
}

on_both!(
    a_switch_is_noticed_by_the_server_that_runs,
    app | app | {
        switch(&app, false).await;
        write(&app, "15550001", "I want to talk to a human please");
        eventually("the bridge is held", async || deliveries(&app).await == [Delivery::Held]).await;
        assert_eq!(metrics(&app).await["baton_sends_total{outcome=\"accepted\"}"], 0.0);
        switch(&app, true).await;
        eventually("it goes out", async || deliveries(&app).await.iter().all(|one| one.is_settled())).await;
    }
);

async fn doctor(app: &App) -> Vec<Finding> {
    examine(&app.settings(), app.clock.clone(), app.parts().graph).await
}

fn wrong(findings: &[Finding]) -> Vec<(&str, &str)> {
    let wrong = findings.iter().filter(|finding| finding.mark == Mark::Wrong);
    wrong.map(|finding| (finding.about.as_str(), finding.words.as_str())).collect()
}

#[tokio::test]
async fn the_doctor_tries_the_bucket() {
    let app = App::sqlite().await;
    let bucket = Bucket::start().await;
    let mut settings = app.settings();
    for (secret, is_right) in [(Bucket::SECRET, true), ("of somebody else", false)] {
        settings.media.shelf = Shelf::Bucket(bucket.settings(secret));
        let findings = examine(&settings, app.clock.clone(), app.parts().graph).await;
        let media = findings.iter().find(|finding| finding.about == "media").expect("a finding");
        assert_eq!(media.mark == Mark::Right, is_right, "{media:?}");
        assert!(!media.words.contains(secret) && media.words.contains("s3://files/baton/media"), "{media:?}");
        assert!(bucket.files().is_empty(), "nothing is left");
    }
}

on_both!(
    the_doctor_finds_nothing_where_nothing_is_wrong,
    app | app | {
        write(&app, "15550001", "When are you open?");
        eventually("the message came", async || metrics(&app).await["baton_messages_in_total"] == 1.0).await;
        let findings = doctor(&app).await;
        assert_eq!(wrong(&findings), []);
        let right: Vec<&str> =
            findings.iter().filter(|one| one.mark == Mark::Right).map(|one| one.about.as_str()).collect();
        for about in [
            "settings",
            "server",
            "database",
            "media",
            "events",
            "dead letters",
            "webhooks of default",
            "clock",
            "number of default",
            "subscription of default",
            "templates of default",
            "webhook of app default",
        ] {
            assert!(right.contains(&about), "{about} in {findings:#?}");
        }
        let settings = app.settings();
        let secrets = [&settings.whatsapp.channels[0].access_token, &settings.whatsapp.apps[0].secret];
        let told = format!("{findings:?}");
        assert!(secrets.iter().all(|secret| !told.contains(secret.reveal())), "{told}");
    }
);

/// What is broken, and what the one thing that the doctor finds wrong is called and says.
type Broken = (&'static str, fn(&mut baton_simulator::whatsapp::Config), &'static str, &'static str);

const BROKEN: [Broken; 8] = [
    ("token", |config| config.tokens = vec!["another".into()], "number of default", "does not accept the access token"),
    ("number", |config| config.numbers[0].id = "9".into(), "number of default", "phone_number_id is wrong"),
    ("registration", |config| config.numbers[0].registered = false, "number of default", "expected CONNECTED"),
    ("subscription", |config| config.accounts[0].subscribed.clear(), "subscription of default", "/subscribed_apps"),
    ("callback", |config| config.apps[0].callback_url = None, "webhook of app default", "https://YOUR-SERVER/webhook"),
    (
        "path",
        |config| config.apps[0].callback_url = Some("https://example.com/whatsapp".into()),
        "webhook of app default",
        "expected a path that ends with /webhook",
    ),
    ("fields", |config| config.apps[0].fields = vec!["flows".into()], "webhook of app default", "no message comes"),
    ("clock", |config| config.clock_ahead = 120_000_000, "clock", "behind Meta"),
];

#[tokio::test]
async fn the_doctor_names_what_is_broken_and_what_to_do() {
    let app = App::sqlite().await;
    let sound = app.simulator.with(|world, _| world.whatsapp.config().clone());
    for (what, damage, about, words) in BROKEN {
        app.simulator.with(|world, _| {
            let config = world.whatsapp.config_mut();
            *config = sound.clone();
            damage(config);
        });
        let findings = doctor(&app).await;
        let found = wrong(&findings);
        assert!(found.len() == 1 && found[0].0 == about && found[0].1.contains(words), "{what}: {found:?}");
    }
}

on_both!(
    the_doctor_finds_what_waits,
    app | app | {
        assert_eq!(app.post("no json").await, StatusCode::OK);
        let findings = doctor(&app).await;
        let [(about, words)] = wrong(&findings)[..] else { panic!("{findings:#?}") };
        assert!(about == "dead letters" && words.starts_with("1 wait; the first: "), "{words}");
        switch(&app, false).await;
        let findings = doctor(&app).await;
        assert!(
            findings.iter().any(|one| one.mark == Mark::Note && one.about == "switches of default"),
            "{findings:?}"
        );
    }
);

//! Nobody reads or sends without signing in.

use std::time::Duration;

use baton_server::{inbox::Options, store::agents};
use baton_shared::{
    Clock, Role,
    protocol::{Act, Command, ProblemCode, ServerFrame},
};
use baton_tests::on_both;
use reqwest::{Method, StatusCode};
use tokio_tungstenite::tungstenite;

use crate::house::{Desk, House, Screen, Signed, dial};

pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) body: serde_json::Value,
}

pub(crate) async fn ask(desk: &Desk, method: Method, route: &str, token: Option<&str>, body: &str) -> Answered {
    baton::net::prepare_tls();
    let mut request = reqwest::Client::new().request(method, format!("{}{route}", desk.url())).body(body.to_owned());
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let response = request.send().await.unwrap();
    let status = response.status();
    let text = response.text().await.unwrap();
    let body = if text.is_empty() { serde_json::Value::Null } else { serde_json::from_str(&text).unwrap() };
    Answered { status, body }
}

/// Every route of the desk that is not the sign-in.
pub(crate) const GUARDED: [(Method, &str); 10] = [
    (Method::GET, "/inbox"),
    (Method::POST, "/api/v1/sign-out"),
    (Method::GET, "/api/v1/me"),
    (Method::GET, "/api/v1/queue"),
    (Method::GET, "/api/v1/conversations/0192d4c8-0000-7000-8000-000000000001"),
    (
        Method::PUT,
        "/api/v1/conversations/0192d4c8-0000-7000-8000-000000000001/files/0192d4c8-0000-7000-8000-000000000003",
    ),
    (Method::POST, "/api/v1/commands"),
    (Method::GET, "/api/v1/media/0192d4c8-0000-7000-8000-000000000002"),
    (Method::POST, "/api/v1/media/0192d4c8-0000-7000-8000-000000000002/link"),
    (Method::GET, "/api/v1/media/0192d4c8-0000-7000-8000-000000000002/thumbnail"),
];

on_both!(promise_11_without_a_token_there_is_nothing, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    for (method, route) in GUARDED {
        for token in [None, Some(""), Some("guess"), Some("é"), Some(&*"x".repeat(5_000))] {
            let answered = ask(&desk, method.clone(), route, token.filter(|token| token.is_ascii()), "").await;
            assert_eq!(answered.status, StatusCode::UNAUTHORIZED, "{route}");
            assert_eq!(answered.body["code"], "signed_out", "{route}");
        }
    }
    let refused = dial(&desk, "guess").await;
    let Err(tungstenite::Error::Http(response)) = refused else { panic!("let in") };
    assert_eq!(response.status(), 401);
});

on_both!(whatever_is_refused_says_why_in_json, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let long = "x".repeat(3_000_000);
    let thread = "/api/v1/conversations/0192d4c8-0000-7000-8000-000000000001";
    for (method, route, body, status, code) in [
        (Method::GET, "/inbox", "", 400, "unreadable"),
        (Method::DELETE, "/api/v1/queue", "", 405, "method"),
        (Method::GET, "/api/v1/conversations/none", "", 404, "not_found"),
        (Method::GET, "/api/v1/conversations/%ff", "", 404, "not_found"),
        (Method::GET, thread, "", 404, "not_found"),
        (Method::GET, &*format!("{thread}?before=then"), "", 400, "unreadable"),
        (Method::GET, &*format!("{thread}?before=1.2.3&before=4.5.6"), "", 400, "unreadable"),
        (Method::POST, "/api/v1/commands", "{}", 400, "unreadable"),
        (Method::POST, "/api/v1/commands", &long, 400, "unreadable"),
        (Method::POST, "/api/v1/sign-in", &long, 400, "unreadable"),
    ] {
        let answered = ask(&desk, method, route, Some(&ana.token), body).await;
        assert_eq!((answered.status.as_u16(), answered.body["code"].as_str()), (status, Some(code)), "{route}");
        assert!(answered.body["why"].as_str().is_some_and(|why| why.ends_with('.')), "{route}");
    }
});

on_both!(a_secret_works_once, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let (id, secret) = house.person("Ana", Role::Agent, "").await;
    let address = desk.url().parse().unwrap();
    let signed = baton::net::sign_in(&address, &format!(" {secret}\n")).await.unwrap();
    assert_eq!(signed.me.id, id);
    assert!(baton::net::sign_in(&address, &secret).await.is_err());
    let me = ask(&desk, Method::GET, "/api/v1/me", Some(&signed.token), "").await;
    assert_eq!((me.status, &me.body["name"]), (StatusCode::OK, &"Ana".into()));
    // Neither is stored as it is.
    let mut reader = house.context.db.reader().await.unwrap();
    for plain in [&secret, &signed.token] {
        assert_eq!(agents::signed_in(reader.conn(), plain).await.unwrap(), None);
    }
});

on_both!(guessing_secrets_is_slow, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let mut tried = 0;
    loop {
        let answered = ask(&desk, Method::POST, "/api/v1/sign-in", None, r#"{"secret":"open sesame"}"#).await;
        match answered.status {
            StatusCode::UNAUTHORIZED => tried += 1,
            status => {
                break assert_eq!(
                    (status, &answered.body["code"]),
                    (StatusCode::TOO_MANY_REQUESTS, &"too_many".into())
                );
            }
        }
    }
    assert_eq!(tried, 10);
    house.store.advance(Duration::from_secs(60));
    for wrong in ["", "{}", "[", r#"{"secret":5}"#, &"x".repeat(10_000)] {
        let answered = ask(&desk, Method::POST, "/api/v1/sign-in", None, wrong).await;
        assert_eq!((answered.status, &answered.body["code"]), (StatusCode::BAD_REQUEST, &"unreadable".into()));
    }
    let (_, secret) = house.person("Ana", Role::Agent, "").await;
    baton::net::sign_in(&desk.url().parse().unwrap(), &secret).await.unwrap();
});

async fn signed_out(screen: &mut Screen) {
    screen
        .expect(|frame| {
            matches!(frame, ServerFrame::Problem { code: ProblemCode::SignedOut, fatal: true, .. }).then_some(())
        })
        .await;
}

async fn may_ask(desk: &Desk, who: &Signed) -> bool {
    ask(desk, Method::GET, "/api/v1/me", Some(&who.token), "").await.status == StatusCode::OK
}

on_both!(signing_out_ends_it_everywhere, |store| {
    let house = House::open(store).await;
    let (desk, other) = (house.serve().await, house.another().await);
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let ben = house.sign_in(&desk, "Ben", Role::Agent).await;
    let (mut anas, mut bens) = (Screen::open(&other, &ana).await, Screen::open(&other, &ben).await);
    let done = ask(&desk, Method::POST, "/api/v1/sign-out", Some(&ana.token), "").await;
    assert_eq!(done.status, StatusCode::NO_CONTENT);
    signed_out(&mut anas).await;
    assert!(!may_ask(&desk, &ana).await && may_ask(&desk, &ben).await);
    let (thread, _) = house.writes("15550001", "hello").await;
    bens.until(|screen| screen.rows.contains_key(&thread)).await;
});

on_both!(a_sign_in_that_is_not_used_ends, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let month = house.context.settings.inbox.session;
    house.store.advance(month - Duration::from_secs(60));
    assert!(may_ask(&desk, &ana).await, "and used again by this");
    house.store.advance(month - Duration::from_secs(60));
    assert!(may_ask(&desk, &ana).await);
    house.store.advance(month + Duration::from_secs(60));
    assert!(!may_ask(&desk, &ana).await);
});

on_both!(whoever_is_disabled_does_nothing_any_more, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let (thread, _) = house.writes("15550001", "hello").await;
    let (id, now) = (ana.id, house.store.clock.now());
    house.write(move |tx| Box::pin(async move { agents::disable(tx, id, now).await })).await;
    assert!(!may_ask(&desk, &ana).await);
    let act = Act::Take { epoch: baton_shared::Epoch(1) };
    let command = Command { id: house.context.ids.next(now), conversation: thread, act };
    let body = serde_json::to_string(&command).unwrap();
    let answered = ask(&desk, Method::POST, "/api/v1/commands", Some(&ana.token), &body).await;
    assert_eq!(answered.status, StatusCode::UNAUTHORIZED);
});

on_both!(promise_11_whoever_is_disabled_reads_no_more, |store| {
    let house = House::open(store).await;
    // Nothing looks after the sign-ins by the clock here.
    let options = || Options { sign_in_check: Duration::from_secs(1_000), ..Options::default() };
    let (desk, other) = (house.serve_with(options()).await, house.another_with(options()).await);
    let (ana, ben) = (house.sign_in(&desk, "Ana", Role::Agent).await, house.sign_in(&desk, "Ben", Role::Agent).await);
    let (mut here, mut there) = (Screen::open(&desk, &ana).await, Screen::open(&other, &ana).await);
    let mut bens = Screen::open(&desk, &ben).await;
    let (id, now) = (ana.id, house.store.clock.now());
    house.write(move |tx| Box::pin(async move { agents::disable(tx, id, now).await })).await;
    signed_out(&mut here).await;
    signed_out(&mut there).await;
    bens.until(|screen| screen.people.iter().all(|person| person.id != id)).await;
});

on_both!(whoever_is_added_has_a_name_on_every_screen, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let ada = house.sign_in(&desk, "Ada", Role::Admin).await;
    let (mut anas, mut adas) = (Screen::open(&desk, &ana).await, Screen::open(&desk, &ada).await);
    let (lou, _) = house.person("Lou", Role::Supervisor, "").await;
    for screen in [&mut anas, &mut adas] {
        screen.until(|screen| screen.people.iter().any(|one| (one.id, &*one.name) == (lou, "Lou"))).await;
        assert_eq!((screen.people.len(), screen.snapshots), (3, 1), "{:?}", screen.people);
    }
});

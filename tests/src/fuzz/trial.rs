//! A real server is sent bodies, and what it did with them is looked at.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
};

use baton::net::sign_in;
use baton_shared::protocol::{Person, ServerFrame};
use baton_simulator::whatsapp::Config;
use fastrand::Rng;
use futures::{StreamExt, stream};
use reqwest::StatusCode;
use serde_json::json;

use super::{corpus, kept::Kept, screen::Inbox, watch};
use crate::{app::App, store::Database};

/// So many bodies are on their way together.
const AT_ONCE: usize = 8;
/// So many conversations are opened in the client.
const OPENED: usize = 20;

/// One body, and how it is delivered.
#[derive(Clone, Debug)]
pub struct Case {
    pub body: Vec<u8>,
    pub how: How,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    Once,
    /// Two deliveries of it at the same moment.
    TwiceAtOnce,
    /// Once more after all the others.
    AgainLater,
}

/// What must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub what: String,
    /// Which body it is about, where that is known.
    pub case: Option<usize>,
}

/// What came of one trial.
#[derive(Debug, Default)]
pub struct Outcome {
    pub posts: usize,
    pub messages: usize,
    pub dead: usize,
    pub findings: Vec<Finding>,
}

impl Outcome {
    fn finds(&mut self, case: Option<usize>, what: impl Into<String>) {
        let finding = Finding { what: what.into(), case };
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }
}

/// Where trials take place.
#[derive(Clone, Debug)]
pub struct Place {
    pub postgres: bool,
    /// `phone_number_id`s that the server serves, with their accounts.
    pub numbers: BTreeMap<String, String>,
}

impl Place {
    /// Sends the cases to a new server over an empty store.
    pub async fn trial(&self, cases: &[Case], rng: &mut Rng) -> Outcome {
        watch::begin();
        watch::take();
        let database = match self.postgres {
            true => Database::postgres().await.expect("a PostgreSQL"),
            false => Database::sqlite(),
        };
        let mut app = App::start_with(database, Config::shop(), self.numbers.clone()).await;
        let mut outcome = Outcome::default();
        post(&app, cases, &mut outcome).await;
        still_well(&app, &mut outcome).await;
        look(&app, cases, &mut outcome).await;
        show(&app, rng, &mut outcome).await;
        app.crash().await;
        for seen in watch::take() {
            outcome.finds(None, seen);
        }
        outcome
    }
}

async fn post(app: &App, cases: &[Case], outcome: &mut Outcome) {
    let first = cases.iter().enumerate().map(|(number, case)| async move {
        let one = app.post(case.body.clone());
        let both = match case.how {
            How::TwiceAtOnce => <[_; 2]>::from(tokio::join!(one, app.post(case.body.clone()))).to_vec(),
            How::Once | How::AgainLater => vec![one.await],
        };
        (number, both)
    });
    let again = cases.iter().enumerate().filter(|(_, case)| case.how == How::AgainLater);
    let again = again.map(|(number, case)| async move { (number, vec![app.post(case.body.clone()).await]) });
    let mut answers: Vec<(usize, Vec<StatusCode>)> = stream::iter(first).buffer_unordered(AT_ONCE).collect().await;
    answers.extend(stream::iter(again).buffer_unordered(AT_ONCE).collect::<Vec<_>>().await);
    for (number, statuses) in answers {
        outcome.posts += statuses.len();
        for status in statuses.into_iter().filter(|status| *status != StatusCode::OK) {
            outcome.finds(Some(number), format!("answered {status}"));
        }
    }
}

/// Whatever was sent, the next customer is heard.
async fn still_well(app: &App, outcome: &mut Outcome) {
    let number = &app.settings().whatsapp.channels[0];
    let plain = json!({"object": "whatsapp_business_account", "entry": [{"id": number.business_account_id,
        "changes": [{"field": "messages", "value": {
            "messaging_product": "whatsapp", "metadata": {"phone_number_id": number.phone_number_id},
            "messages": [{"from": "15557654321", "id": "wamid.after-all", "timestamp": "1790000000", "type": "text",
                          "text": {"body": "hello"}}]}}]}]});
    let status = app.post(plain.to_string()).await;
    let ready = app.client.get(app.url("/health/ready")).send().await.map(|answer| answer.status());
    if status != StatusCode::OK || !matches!(ready, Ok(StatusCode::OK)) {
        outcome.finds(None, format!("afterwards a plain message gets {status}, the health {ready:?}"));
    }
}

async fn look(app: &App, cases: &[Case], outcome: &mut Outcome) {
    let kept = Kept::read(app.db()).await;
    if !kept.knows("wamid.after-all") {
        outcome.finds(None, "afterwards a plain message is not stored");
    }
    if kept.without_reason > 0 {
        outcome.finds(None, "a dead letter without a reason");
    }
    if kept.talking_events > 0 {
        outcome.finds(None, "an event says what a customer said");
    }
    for (number, case) in cases.iter().enumerate() {
        let letters = kept.letters(&case.body);
        if letters > 1 {
            outcome.finds(Some(number), "a dead letter is kept twice");
        }
        if letters > 0 {
            continue;
        }
        if baton_server::whatsapp::payload::parse(&case.body).is_err() {
            outcome.finds(Some(number), "it cannot be read, and is no dead letter");
        }
        if corpus::ids(&case.body).iter().any(|id| !kept.knows(id)) {
            outcome.finds(Some(number), "something in it is lost");
        }
    }
    (outcome.messages, outcome.dead) = (kept.messages, kept.dead());
}

/// The agents' client can show all of it.
async fn show(app: &App, rng: &mut Rng, outcome: &mut Outcome) {
    let address = app.url("").parse().expect("an address");
    let token = sign_in(&address, &app.add_agent("Ana").await).await.expect("a sign-in").token;
    let get = async |path: &str| {
        let answer = app.client.get(app.url(path)).bearer_auth(&token).send().await.expect("an answer");
        answer.bytes().await.expect("a body")
    };
    let me: Person = serde_json::from_slice(&get("/api/v1/me").await).expect("a person");
    let Ok(queue) = serde_json::from_slice::<ServerFrame>(&get("/api/v1/queue").await) else {
        return outcome.finds(None, "the client cannot read the queue");
    };
    let ServerFrame::Snapshot { rows, .. } = &queue else {
        return outcome.finds(None, "the queue is no snapshot");
    };
    let mut conversations: Vec<_> = rows.iter().map(|row| row.conversation).collect();
    rng.shuffle(&mut conversations);
    conversations.truncate(OPENED);
    let mut frames = Vec::new();
    for conversation in conversations {
        match serde_json::from_slice::<ServerFrame>(&get(&format!("/api/v1/conversations/{conversation}")).await) {
            Ok(frame) => frames.push((conversation, frame)),
            Err(why) => outcome.finds(None, format!("the client cannot read a thread: {why}")),
        }
    }
    // The panic itself is seen by the watch.
    let now = app.clock.now();
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let mut inbox = Inbox::new(me, now);
        inbox.shows(queue);
        for (conversation, frame) in frames {
            inbox.opens(conversation, frame);
        }
    }));
}

//! The outbox as it runs: its own task, real sockets, several servers. What takes longer than a test
//! may take is tried under a clock moved by hand, in `outbox.rs`.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use baton_server::{
    Server,
    whatsapp::graph::{HttpTransport, Pending, Request, Transport},
};
use baton_shared::{
    MessageId,
    message::{Author, Delivery},
};
use baton_simulator::{Span, whatsapp::Faults};
use baton_tests::{
    acts::Acts,
    app::{App, eventually},
    on_both,
    post::Talk,
    proxy::Proxy,
    store::left_out,
};

fn simulated(app: &App) -> std::net::SocketAddr {
    app.simulator.base_url().trim_start_matches("http://").parse().expect("an address")
}

fn faults(app: &App, faults: Faults) {
    app.simulator.with(|world, _| world.whatsapp.config_mut().faults = faults);
}

async fn state(acts: &Acts, message: MessageId) -> Delivery {
    acts.message(message).await.delivery.expect("one of ours")
}

async fn arrived(acts: &Acts, messages: &[MessageId]) -> bool {
    for message in messages {
        if !matches!(state(acts, *message).await, Delivery::Delivered | Delivery::Read) {
            return false;
        }
    }
    true
}

fn asked(app: &App, words: &str) -> usize {
    app.simulator.with(|world, _| {
        world.whatsapp.ledger().requests().iter().filter(|one| one.text.as_deref() == Some(words)).count()
    })
}

/// How many messages reached the same customer twice; each text is said once.
fn doubled(app: &App) -> usize {
    app.simulator.with(|world, _| world.whatsapp.ledger().doubled(|one| Some(one.text.clone())).len())
}

on_both!(
    promise_5_a_refused_connection_is_tried_again,
    app | app | {
        let mut app = app;
        let mut cable = Proxy::to(simulated(&app)).await;
        app.stop().await;
        let mut settings = app.settings();
        let graph_url = &mut settings.whatsapp.channels[0].graph_url;
        let version = graph_url.rsplit('/').next().unwrap_or_default();
        *graph_url = format!("http://{}/{version}", cable.address());
        app.server = Some(Server::start(settings, app.parts()).await.unwrap());
        let acts = app.acts();
        let ana = acts.add_agent("Ana").await;
        let talk = app.taken("Marina", ana).await;
        cable.cut().await;
        let hers = acts.queue(talk.conversation, Author::Agent, "Hello, this is Ana.").await;
        eventually("it was tried twice", async || acts.message(hers).await.attempts >= 2).await;
        assert_eq!(asked(&app, "Hello, this is Ana."), 0);
        cable.mend().await;
        eventually("it arrives", async || arrived(&acts, &[hers]).await).await;
        assert_eq!(app.reached(talk.person), ["Hello, this is Ana."]);
    }
);

on_both!(
    promise_10_a_customer_whose_answer_hangs_delays_nobody_else,
    app | app | {
        let acts = app.acts();
        let ana = acts.add_agent("Ana").await;
        let (slow, quick) = (app.taken("Marina", ana).await, app.taken("Tom", ana).await);
        faults(&app, Faults { silence_after: 1.0, ..Faults::none() });
        app.simulator
            .with(|world, _| world.whatsapp.config_mut().pace.webhook = Span::exactly(Duration::from_secs(3_600)));
        let hangs = acts.queue(slow.conversation, Author::Agent, "Are you there?").await;
        eventually("it is on its way", async || asked(&app, "Are you there?") == 1).await;
        faults(&app, Faults::none());
        let goes = acts.queue(quick.conversation, Author::Agent, "Here you are.").await;
        eventually("the other is accepted", async || state(&acts, goes).await == Delivery::Accepted).await;
        assert_eq!(state(&acts, hangs).await, Delivery::Sending);
    }
);

on_both!(
    promise_7_statuses_in_any_order_and_number_end_in_the_same_place,
    app | app | {
        faults(&app, Faults { duplicate: 0.4, reorder: 0.4, batch: 0.4, overtake: 0.3, ..Faults::none() });
        app.simulator.with(|world, _| world.whatsapp.config_mut().pace.read = Span::millis(50, 200));
        let acts = app.acts();
        let ana = acts.add_agent("Ana").await;
        let (mut talks, mut messages) = (Vec::new(), Vec::new());
        for number in 0..4 {
            talks.push((app.taken("Marina", ana).await, number));
        }
        for line in 0..5 {
            for (talk, number) in &talks {
                let words = format!("Line {line} for {number}.");
                messages.push(acts.queue(talk.conversation, Author::Agent, &words).await);
            }
        }
        eventually("all are read", async || {
            for message in &messages {
                if state(&acts, *message).await != Delivery::Read {
                    return false;
                }
            }
            true
        })
        .await;
        assert_eq!(doubled(&app), 0);
        for (talk, number) in talks {
            let expected: BTreeSet<String> = (0..5).map(|line| format!("Line {line} for {number}.")).collect();
            assert_eq!(app.reached(talk.person).into_iter().collect::<BTreeSet<_>>(), expected);
        }
    }
);

/// Counts what one server asks of Meta.
struct Counted {
    http: HttpTransport,
    sends: AtomicUsize,
}

impl Counted {
    fn new() -> Arc<Self> {
        Arc::new(Self { http: HttpTransport::new().unwrap(), sends: AtomicUsize::new(0) })
    }

    fn sends(&self) -> usize {
        self.sends.load(Ordering::SeqCst)
    }
}

impl Transport for Counted {
    fn send(&self, request: Request) -> Pending<'_> {
        if request.body.is_some() {
            self.sends.fetch_add(1, Ordering::SeqCst);
        }
        self.http.send(request)
    }
}

/// A server over the same store, on a port of its own.
async fn beside(app: &App) -> (Server, Arc<Counted>) {
    let counted = Counted::new();
    let (mut settings, mut parts) = (app.settings(), app.parts());
    settings.listen = ([127, 0, 0, 1], 0).into();
    parts.graph = counted.clone();
    (Server::start(settings, parts).await.unwrap(), counted)
}

#[tokio::test]
async fn one_of_two_servers_drives_the_outbox_and_the_other_takes_over() {
    let Some(mut app) = App::postgres().await else {
        return left_out("one_of_two_servers_drives_the_outbox_and_the_other_takes_over");
    };
    let (first, by_first) = beside(&app).await;
    let (second, by_second) = beside(&app).await;
    // The app's own server has the lease and gives it back; what comes in still comes in there.
    let acts = Acts(second.context().clone());
    let ana = acts.add_agent("Ana").await;
    // Two, for a burst to one must be paid back before the next.
    let (marina, tom) = (app.taken("Marina", ana).await, app.taken("Tom", ana).await);
    app.stop().await;
    let mut messages = Vec::new();
    for line in 0..10 {
        messages.push(acts.queue(marina.conversation, Author::Agent, &format!("Line {line}.")).await);
    }
    let by_both = || by_first.sends() + by_second.sends();
    eventually("ten are accepted", async || state(&acts, messages[9]).await == Delivery::Accepted).await;
    assert_eq!(by_both(), 10);
    assert!(by_first.sends() == 10 || by_second.sends() == 10, "{} and {}", by_first.sends(), by_second.sends());
    // Whoever drives dies: its lease ends by itself.
    let (driver, driven, other, by_other) = if by_first.sends() == 10 {
        (first, by_first, second, by_second)
    } else {
        (second, by_second, first, by_first)
    };
    let acts = Acts(other.context().clone());
    driver.crash().await;
    for line in 10..20 {
        messages.push(acts.queue(tom.conversation, Author::Agent, &format!("Line {line}.")).await);
    }
    eventually("the other took over", async || by_other.sends() > 0).await;
    eventually("and sent the rest", async || by_other.sends() == 10).await;
    assert_eq!(driven.sends(), 10);
    app.restart().await;
    let lines = |lines: std::ops::Range<u8>| lines.map(|line| format!("Line {line}.")).collect::<BTreeSet<_>>();
    let reached = |talk: Talk| app.reached(talk.person).into_iter().collect::<BTreeSet<_>>();
    eventually("all arrived", async || reached(tom).len() == 10).await;
    assert_eq!(reached(marina), lines(0..10));
    assert_eq!(reached(tom), lines(10..20));
    assert_eq!(doubled(&app), 0);
    other.stop().await;
}

//! What models cost and what the bot remembers: counted, capped, fenced and forgotten, on both engines.

use std::time::Duration;

use baton_server::{
    Server,
    config::{Link, Model, Secret, Structured, Wire},
    domain::money::{Nanos, Price},
    store::{
        handoffs,
        memory::{self, Digest, FACTS, Fact},
        spending::{
            self, Payer,
            page::{Month, page},
        },
    },
};
use baton_shared::{Control, ConversationId, Micros, message::Place};
use baton_simulator::{
    Span,
    model::{Model as Simulated, ModelConfig, ModelServer},
    whatsapp::{Person, PersonId, Saying},
};
use baton_tests::{
    app::{App, eventually},
    on_both,
};

const PRICE: Price = Price { input: 1_000_000_000, cached: 100_000_000, output: 5_000_000_000 };

const QUESTION: &str = "from which size to which do your shoes run, and do the laces survive a dishwasher?";

async fn provider(app: &App) -> ModelServer {
    let config = ModelConfig { latency: Span::millis(1, 10), ..ModelConfig::default() };
    let simulated = Simulated::new(config, fastrand::Rng::with_seed(1));
    ModelServer::start(simulated, app.clock.clone()).await.expect("a socket")
}

fn model(provider: &ModelServer) -> Model {
    Model {
        provider: "anthropic".into(),
        wire: Wire::Anthropic,
        name: "small".into(),
        base_url: provider.base_url().into(),
        api_key: Some(Secret::new("key")),
        deadline: Duration::from_secs(20),
        max_tokens: 300,
        structured: Structured::Schema,
        link: Link { price: Some(PRICE), ..Link::default() },
    }
}

/// A new customer says these lines at once; Meta's id of the last.
fn writes(app: &App, phone: &str, lines: &[String]) -> (PersonId, String) {
    app.simulator.with(|world, now| {
        let person = world.whatsapp.add_person(Person::new("Marina", phone, &format!("US.{phone}")));
        let said: Vec<String> = lines.iter().map(|line| world.whatsapp.say(now, person, Saying::text(line))).collect();
        (person, said.last().cloned().expect("a line"))
    })
}

async fn payer(app: &App, wamid: &str) -> Payer {
    let acts = app.acts();
    eventually("the customer's word is stored", async || acts.conversation_of(wamid).await.is_some()).await;
    let thread = acts.thread(acts.conversation_of(wamid).await.expect("stored a moment ago")).await;
    Payer { channel: thread.channel, conversation: thread.id, customer: thread.customer }
}

on_both!(
    what_a_turn_costs_is_counted_and_a_spent_budget_calls_a_person,
    app | app | {
        let mut app = app;
        let provider = provider(&app).await;
        app.stop().await;
        let mut settings = app.settings();
        settings.models = vec![model(&provider)];
        settings.books[0].playbook.intents.retain(|intent| intent.name == "opening_hours");
        app.server = Some(Server::start(settings.clone(), app.parts()).await.expect("a server starts"));
        let (asks, wamid) = writes(&app, "15550001", &[QUESTION.into()]);
        eventually("an answer", async || !app.reached(asks).is_empty()).await;
        let first = payer(&app, &wamid).await;
        let now = app.clock.now();
        let (customer, channel) = spending::spent(app.reader().await.conn(), &first, now).await.expect("a read");
        let costs = page(app.reader().await.conn(), Month::of(now)).await.expect("a read");
        let total = spending::of_conversation(app.reader().await.conn(), first.conversation).await.expect("a read");
        assert!(customer > Nanos::ZERO && customer == channel, "{customer:?}");
        assert_eq!((costs.total.calls, costs.total.nanos, costs.total.unpriced), (1, channel.0, 0));
        assert_eq!((total.calls, total.nanos), (1, channel.0));
        assert_eq!(costs.models[0].name, "anthropic small");
        assert_eq!((costs.days.len(), costs.purposes[0].name.as_str()), (1, "answer"));

        app.stop().await;
        settings.books[0].playbook.budget.channel_month = Some(Nanos(channel.0 + 1));
        app.server = Some(Server::start(settings, app.parts()).await.expect("a server starts"));
        let (_, wamid) = writes(&app, "15550002", &[QUESTION.into()]);
        let (other, _) = writes(&app, "15550003", &["When are you open?".into()]);
        let second = payer(&app, &wamid).await;
        eventually("approved answers still go out", async || !app.reached(other).is_empty()).await;
        eventually("a person is called", async || {
            matches!(app.acts().thread(second.conversation).await.control, Control::Waiting { .. })
        })
        .await;
        let card = handoffs::latest(app.reader().await.conn(), second.conversation, 5).await.expect("a read").remove(0);
        assert_eq!(card.reason, "budget_spent");
        let after = spending::spent(app.reader().await.conn(), &second, app.clock.now()).await.expect("a read");
        assert_eq!(after, (Nanos::ZERO, channel), "nothing was asked, and nothing stays set aside");
        app.stop().await;
        provider.stop().await;
    }
);

on_both!(
    a_long_past_is_written_in_the_background,
    app | app | {
        let mut app = app;
        let provider = provider(&app).await;
        app.stop().await;
        let mut settings = app.settings();
        settings.models = vec![model(&provider)];
        app.server = Some(Server::start(settings, app.parts()).await.expect("a server starts"));
        let lines: Vec<String> =
            (0..44).map(|n| format!("{n}: {}", "my shoes, size 38, still hurt. ".repeat(4))).collect();
        let (_, wamid) = writes(&app, "15550001", &lines);
        let conversation = payer(&app, &wamid).await.conversation;
        let read = async || memory::digest(app.reader().await.conn(), conversation).await.expect("a read");
        eventually("its past is written", async || read().await.is_some()).await;
        let digest = read().await.expect("written a moment ago");
        assert!(digest.revision == 1 && !digest.text.is_empty());
        let remembered = async || {
            let costs = page(app.reader().await.conn(), Month::of(app.clock.now())).await.expect("a read");
            costs.purposes.iter().any(|line| line.name == "remember" && line.calls == 1)
        };
        eventually("what it cost is counted", remembered).await;
        app.stop().await;
        provider.stop().await;
    }
);

async fn leased(app: &App, time: Micros, until: Micros) -> Option<Digest> {
    app.acts().write(move |tx| Box::pin(async move { memory::lease(tx, time, until).await })).await
}

async fn replaced(app: &App, digest: &Digest, text: &'static str) -> bool {
    let (digest, through) = (digest.clone(), Place { second: 7, arrived_at: Micros(7), index: 0 });
    let acts = app.acts();
    let job = acts.write(move |tx| {
        let digest = digest.clone();
        Box::pin(async move { memory::replace(tx, &digest, text, through).await })
    });
    job.await
}

on_both!(
    an_older_past_never_replaces_a_newer,
    app | app | {
        let (_, wamid) = writes(&app, "15550001", &["When are you open?".into()]);
        let conversation: ConversationId = payer(&app, &wamid).await.conversation;
        // The server's own room is not at it: it has no model.
        let ask = async |time: i64| {
            app.acts()
                .write(move |tx| Box::pin(async move { memory::ask(tx, conversation, Micros(time)).await }))
                .await;
        };
        ask(10).await;
        assert!(leased(&app, Micros(9), Micros(50)).await.is_none(), "not yet");
        let slow = leased(&app, Micros(10), Micros(50)).await.expect("due");
        ask(10).await;
        assert!(leased(&app, Micros(49), Micros(90)).await.is_none(), "one at a time, also if it is asked for again");
        let quick = leased(&app, Micros(50), Micros(90)).await.expect("its lease is over");
        assert!(replaced(&app, &quick, "new").await);
        assert!(!replaced(&app, &slow, "old").await);
        assert!(!replaced(&app, &quick, "twice").await);
        let digest = memory::digest(app.reader().await.conn(), conversation).await.expect("a read").expect("written");
        assert_eq!((digest.text.as_str(), digest.revision, digest.through().second), ("new", 1, 7));
        assert!(leased(&app, Micros(1_000), Micros(2_000)).await.is_none(), "nothing is due any more");
    }
);

on_both!(
    what_is_known_of_a_customer_is_bounded_and_can_be_forgotten,
    app | app | {
        let (_, wamid) = writes(&app, "15550001", &["When are you open?".into()]);
        let payer = payer(&app, &wamid).await;
        let customer = payer.customer.expect("a customer");
        let fact = |key: &str, value: &str, at| Fact {
            key: key.into(),
            value: value.into(),
            message: None,
            learnt_at: Micros(at),
        };
        let learn = async |facts: Vec<Fact>| {
            let acts = app.acts();
            let job = acts.write(move |tx| {
                let facts = facts.clone();
                Box::pin(async move { memory::learn(tx, customer, &facts).await })
            });
            job.await;
        };
        let known = async || memory::facts(app.reader().await.conn(), customer).await.expect("a read");
        learn(vec![fact("shoe_size", "38", 10), fact("prefers", "linen", 11)]).await;
        learn(vec![fact("shoe_size", "37", 5)]).await;
        assert_eq!(known().await, [fact("prefers", "linen", 11), fact("shoe_size", "38", 10)], "the newer counts");
        let many = (0..30).map(|n| fact(&format!("k{n}"), "v", 100 + n)).collect();
        learn(many).await;
        let all = known().await;
        assert_eq!(i64::try_from(all.len()), Ok(FACTS));
        assert_eq!((all[0].key.as_str(), all.iter().any(|fact| fact.key == "prefers")), ("k29", false));
        let of = memory::of_conversation(app.reader().await.conn(), payer.conversation).await.expect("a read");
        assert_eq!(of, all);
        app.acts().write(move |tx| Box::pin(async move { memory::forget(tx, customer).await })).await;
        assert!(known().await.is_empty());
    }
);

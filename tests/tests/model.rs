//! The bot's clients and the simulated provider understand each other, in both wire formats; and what
//! becomes of customers when it says nothing, or nonsense.

use std::{sync::Arc, time::Duration};

use baton_server::{
    Server,
    bot::{
        chain::{Bottomless, Chain},
        context::{HumanStretch, Said, TurnContext},
        decide::{Brain, Decision, decide},
        model::{HttpTransport, Transport},
    },
    config::{Link, Model, Playbook, Secret, Structured, Wire},
    store::handoffs,
};
use baton_shared::{Control, Micros, SystemClock, message::Author};
use baton_simulator::{
    Span,
    model::{Model as Simulated, ModelConfig, ModelFaults, ModelServer},
    whatsapp::{Person, PersonId, Saying},
};
use baton_tests::{
    app::{App, eventually},
    on_both,
};

fn model(wire: Wire, base: &str) -> Model {
    Model {
        provider: "other".into(),
        wire,
        name: "small".into(),
        base_url: if wire == Wire::OpenAi { format!("{base}/v1") } else { base.into() },
        api_key: Some(Secret::new("key")),
        deadline: Duration::from_secs(5),
        max_tokens: 300,
        structured: Structured::Schema,
        link: Link::default(),
    }
}

fn asks(text: &str) -> TurnContext {
    let at = Micros::from_seconds(1_795_000_000);
    let said = Said {
        author: Author::Customer,
        agent: None,
        kind: "text".into(),
        text: text.into(),
        seen: None,
        at,
        unanswered: true,
        given_back: false,
        may_not_have_arrived: false,
    };
    TurnContext { channel: "shop".into(), said: vec![said], ..TurnContext::default() }
}

#[tokio::test]
async fn a_question_about_a_fact_is_answered_from_the_playbook() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let simulated = Simulated::new(ModelConfig::default(), fastrand::Rng::with_seed(1));
    let server = ModelServer::start(simulated, Arc::new(SystemClock::default())).await.expect("a socket");
    let transport: Arc<dyn Transport> = Arc::new(HttpTransport::new().expect("TLS"));
    for wire in [Wire::Anthropic, Wire::OpenAi] {
        let clock = Arc::new(SystemClock::default());
        let chain = Arc::new(Chain::new(&[model(wire, server.base_url())], &transport, clock));
        // Without intents every question goes to the model.
        let playbook = Playbook { intents: Vec::new(), ..Playbook::shop() };
        let brain = Brain::new(playbook, chain);
        let question = "from which size to which do your shoes run?";
        let Decision::Reply(reply) = decide(&brain, &asks(question), &Bottomless).await else { panic!("no reply") };
        assert!(reply.text.contains("35 to 46"), "{}", reply.text);
        assert!(reply.cost.usage.output_tokens > 0);

        let mut context = asks("so when does the blue vase from before arrive at my place?");
        context.stretches.push(HumanStretch {
            by: "Ana".into(),
            from: Micros::from_seconds(1_794_990_000),
            to: Micros::from_seconds(1_794_999_000),
            outcome: Some("solved".into()),
            note: None,
            promised: Some("the blue vase arrives on Friday".into()),
        });
        let said = match decide(&brain, &context, &Bottomless).await {
            Decision::Reply(reply) => reply.text,
            Decision::Handoff(handoff) => handoff.suggestion.expect("a suggestion").text,
            Decision::Quiet { rule, .. } => panic!("{rule}"),
        };
        assert!(said.contains("the blue vase arrives on Friday"), "{said}");
    }
    server.stop().await;
}

/// A new customer writes; Meta's id of what they said.
fn writes(app: &App, phone: &str, text: &str) -> (PersonId, String) {
    app.simulator.with(|world, now| {
        let person = world.whatsapp.add_person(Person::new("Marina", phone, &format!("US.{phone}")));
        (person, world.whatsapp.say(now, person, Saying::text(text)))
    })
}

const NONSENSE: [(&str, ModelFaults); 5] = [
    ("silence", ModelFaults { stall: 1.0, ..ModelFaults::none() }),
    ("an error", ModelFaults { server_error: 1.0, ..ModelFaults::none() }),
    ("prose", ModelFaults { prose: 1.0, ..ModelFaults::none() }),
    ("50 kB", ModelFaults { huge: 1.0, ..ModelFaults::none() }),
    ("half an answer", ModelFaults { broken_json: 1.0, ..ModelFaults::none() }),
];

on_both!(
    promise_10_a_model_that_talks_nonsense_calls_a_person_and_delays_nobody_else,
    app | app | {
        let mut app = app;
        let config = ModelConfig { latency: Span::millis(1, 10), ..ModelConfig::default() };
        let simulated = Simulated::new(config.clone(), fastrand::Rng::with_seed(1));
        let server = ModelServer::start(simulated, app.clock.clone()).await.expect("a socket");
        app.stop().await;
        let mut settings = app.settings();
        let deadline = Duration::from_secs(1);
        settings.models = vec![Model { deadline, ..model(Wire::Anthropic, server.base_url()) }];
        app.server = Some(Server::start(settings, app.parts()).await.expect("a server starts"));
        for ((what, faults), number) in NONSENSE.into_iter().zip(0..) {
            server.with(|model| {
                let config = ModelConfig { faults, ..config.clone() };
                *model = Simulated::new(config, fastrand::Rng::with_seed(1));
            });
            let question = "do the laces of your blue shoes survive a dishwasher?";
            let (asks, wamid) = writes(&app, &format!("1555000{number}"), question);
            let (other, _) = writes(&app, &format!("1555100{number}"), "When are you open?");
            eventually("somebody else is answered", async || !app.reached(other).is_empty()).await;
            eventually(what, async || !app.reached(asks).is_empty()).await;
            let said = app.reached(asks);
            assert!(said.len() == 1 && said[0].contains("colleague"), "{what}: {said:?}");
            let acts = app.acts();
            let thread = acts.thread(acts.conversation_of(&wamid).await.expect("stored")).await;
            assert!(matches!(thread.control, Control::Waiting { .. }), "{what}: {:?}", thread.control);
            let card = handoffs::latest(app.reader().await.conn(), thread.id, 5).await.expect("a read").remove(0);
            assert_eq!(card.reason, "model_failed", "{what}");
        }
        app.stop().await;
        server.stop().await;
    }
);

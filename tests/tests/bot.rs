//! The brain at work: customers of the simulated WhatsApp meet the real bot, on both engines.

use baton_server::{
    inbox::commands,
    store::{audit, conversations, handoffs, messages, rows},
};
use baton_shared::{
    AgentId, Control, Epoch,
    message::{Author, Delivery},
    protocol::{Act, Answer, Command},
};
use baton_simulator::whatsapp::{Person, PersonId, Saying};
use baton_tests::{
    app::{App, eventually},
    on_both,
    said::{phone, text},
};

/// A customer writes these lines at once.
async fn writes(app: &App, name: &str, phone: &str, lines: &[&str]) {
    app.simulator.with(|world, now| {
        let person = world.whatsapp.add_person(Person::new(name, phone, &format!("US.{phone}")));
        for line in lines {
            world.whatsapp.say(now, person, Saying::text(*line));
        }
    });
}

/// What each author said in the only conversation, in order.
async fn said(app: &App) -> Vec<(Author, String, Option<Delivery>)> {
    let mut reader = app.db().snapshot().await.unwrap();
    let at = app.server.as_ref().unwrap().context().moment();
    let Some(row) = rows::queue(reader.conn(), 10, at).await.unwrap().pop() else { return Vec::new() };
    let said = messages::said(reader.conn(), row.row.conversation, 50).await.unwrap();
    said.into_iter().map(|one| (one.author, one.text, one.delivery)).collect()
}

/// The only conversation, once it is there.
async fn thread(app: &App) -> conversations::Conversation {
    eventually("somebody has written", async || !said(app).await.is_empty()).await;
    // The queue is read in two parts, and the conversation may go from the one to the other meanwhile.
    let mut reader = app.db().snapshot().await.unwrap();
    let at = app.server.as_ref().unwrap().context().moment();
    let row = rows::queue(reader.conn(), 10, at).await.unwrap().pop().unwrap();
    conversations::by_id(reader.conn(), row.row.conversation).await.unwrap().unwrap()
}

on_both!(
    a_plain_question_gets_the_approved_answer,
    app | app | {
        writes(&app, "Marina", "15550001", &["When are you open?"]).await;
        eventually("an answer is delivered", async || {
            said(&app).await.iter().any(|(author, _, delivery)| {
                *author == Author::Bot && matches!(delivery, Some(Delivery::Delivered | Delivery::Read))
            })
        })
        .await;
        let thread = thread(&app).await;
        assert_eq!((thread.control, thread.unanswered_since, thread.due_at), (Control::Bot, None, None));
    }
);

on_both!(
    a_burst_gets_one_answer,
    app | app | {
        writes(&app, "Marina", "15550001", &["Hi", "quick question", "when are you open?"]).await;
        eventually("an answer is accepted", async || {
            said(&app)
                .await
                .iter()
                .any(|(author, _, delivery)| *author == Author::Bot && delivery.is_some_and(Delivery::is_settled))
        })
        .await;
        eventually("nothing more is due", async || thread(&app).await.due_at.is_none()).await;
        let answers = said(&app).await.iter().filter(|(author, ..)| *author == Author::Bot).count();
        assert_eq!(answers, 1);
    }
);

on_both!(
    who_asks_for_a_person_waits_with_a_bridge_and_a_card,
    app | app | {
        writes(&app, "Marina", "15550001", &["I want to talk to a human please"]).await;
        eventually("the bridge is accepted", async || {
            said(&app)
                .await
                .iter()
                .any(|(author, _, delivery)| *author == Author::System && delivery.is_some_and(Delivery::is_settled))
        })
        .await;
        let thread = thread(&app).await;
        assert!(matches!(thread.control, Control::Waiting { .. }), "{:?}", thread.control);
        let mut reader = app.reader().await;
        let card = handoffs::latest(reader.conn(), thread.id, 5).await.unwrap();
        assert_eq!(card.len(), 1);
        assert_eq!(card[0].reason, "asked_for_human");
        assert!(card[0].summary.contains("human"), "{}", card[0].summary);
    }
);

on_both!(
    whoever_writes_at_the_same_moment_is_answered,
    app | app | {
        for number in 0..60 {
            writes(&app, "Marina", &format!("1555{number:04}"), &["When are you open?"]).await;
        }
        eventually("everybody has an answer", async || {
            let reached = app.simulator.with(|world, _| world.whatsapp.ledger().reached().len());
            reached == 60
        })
        .await;
    }
);

on_both!(
    what_was_kept_during_an_outage_is_answered_with_an_apology,
    app | app | {
        let hours_ago = app.clock.now().seconds() - 3 * 3_600;
        app.arrives(phone("15550001"), "wamid.kept", hours_ago, text("When are you open?")).await;
        eventually("the bot answers", async || said(&app).await.iter().any(|(author, ..)| *author == Author::Bot))
            .await;
        let answers = said(&app).await;
        let (_, text, _) = answers.iter().find(|(author, ..)| *author == Author::Bot).unwrap();
        assert!(text.contains("Sorry for the wait"), "{text}");
    }
);

const OUTLET: &str = r#"
business = "Outlet"
languages = ["en"]
reopen = "waiting"
[texts]
bridge_without_wait = "Somebody of the outlet comes."
[[intent]]
name = "opening_hours"
action = "answer"
answer = "The outlet opens on Mondays only."
examples = ["when are you open?", "when do you open?", "what are your opening hours?"]
"#;

on_both!(
    each_number_speaks_by_its_own_playbook,
    app | app | {
        let mut app = app;
        assert!(app.stop().await);
        app.add_number("206853218861066", "outlet.toml", OUTLET);
        app.restart().await;
        let (marina, bruno) = app.simulator.with(|world, now| {
            let marina = world.whatsapp.add_person(Person::new("Marina", "15550001", "US.15550001"));
            let bruno = world.whatsapp.add_person(Person::new("Bruno", "15550002", "US.15550002"));
            world.whatsapp.say(now, marina, Saying::text("When are you open?"));
            world.whatsapp.say(now, bruno, Saying::text("When are you open?").to_number(1));
            (marina, bruno)
        });
        eventually("both have an answer", async || !app.reached(marina).is_empty() && !app.reached(bruno).is_empty())
            .await;
        assert!(app.reached(marina)[0].contains("Our store is open"), "{:?}", app.reached(marina));
        assert_eq!(app.reached(bruno), ["The outlet opens on Mondays only."]);

        // What the desk and the door say of it is the outlet's, too.
        let ana = app.acts().add_agent("Ana").await;
        let outlet = of_channel(&app, "n206853218861066").await;
        let act = async |act: fn(Epoch) -> Act| {
            let acts = app.acts();
            let epoch = of_channel(&app, "n206853218861066").await.epoch;
            let command = Command { id: acts.0.ids.next(acts.0.clock.now()), conversation: outlet.id, act: act(epoch) };
            let answer = commands::execute(&acts.0, ana, &command).await.unwrap();
            assert!(matches!(answer, Answer::Done { .. }), "{answer:?}");
        };
        act(|epoch| Act::Escalate { epoch, reason: String::new() }).await;
        eventually("the outlet's bridge", async || app.reached(bruno).len() == 2).await;
        assert_eq!(app.reached(bruno)[1], "Somebody of the outlet comes.");
        act(|_| Act::Take { epoch: Epoch(0) }).await;
        act(|epoch| Act::Resolve { epoch, outcome: "solved".into() }).await;
        app.simulator.with(|world, now| world.whatsapp.say(now, bruno, Saying::text("Hello?").to_number(1)));
        eventually("a person is needed", async || {
            matches!(of_channel(&app, "n206853218861066").await.control, Control::Waiting { .. })
        })
        .await;
    }
);

/// The only conversation of this channel.
async fn of_channel(app: &App, channel: &str) -> conversations::Conversation {
    let mut reader = app.db().snapshot().await.unwrap();
    let at = app.server.as_ref().unwrap().context().moment();
    let rows = rows::queue(reader.conn(), 10, at).await.unwrap();
    let row = rows.into_iter().find(|row| row.row.channel == channel).unwrap();
    conversations::by_id(reader.conn(), row.row.conversation).await.unwrap().unwrap()
}

/// Marina asks for a person; Ana takes it, reads it, and gives it back with `outcome`.
async fn given_back(app: &App, ana: AgentId, outcome: &str) {
    let acts = app.acts();
    eventually("a person is needed", async || {
        said(app).await.iter().any(|(author, _, delivery)| {
            *author == Author::System && matches!(delivery, Some(Delivery::Sent | Delivery::Delivered | Delivery::Read))
        })
    })
    .await;
    let waiting = thread(app).await;
    let through = waiting.newest.expect("Marina wrote");
    let back = |epoch| Act::HandBack {
        epoch,
        outcome: outcome.into(),
        note: "called them by phone".into(),
        promised: String::new(),
    };
    let act = async |act: Act| {
        let id = acts.0.ids.next(acts.0.clock.now());
        let command = Command { id, conversation: waiting.id, act };
        match commands::execute(&acts.0, ana, &command).await.unwrap() {
            Answer::Done { epoch, .. } => epoch,
            other => panic!("{other:?}"),
        }
    };
    let epoch = act(Act::Take { epoch: Epoch(0) }).await;
    act(Act::Read { through }).await;
    act(back(epoch)).await;
}

async fn bridges(app: &App) -> usize {
    let is_bridge = |text: &str| text.starts_with("I am passing you");
    said(app).await.iter().filter(|(author, text, _)| *author == Author::System && is_bridge(text)).count()
}

on_both!(
    what_a_person_has_settled_is_not_asked_for_again,
    app | app | {
        let ana = app.acts().add_agent("Ana").await;
        writes(&app, "Marina", "15550001", &["I want to talk to a human please"]).await;
        given_back(&app, ana, "solved").await;
        eventually("the turn is made", async || thread(&app).await.due_at.is_none()).await;
        let settled = thread(&app).await;
        assert_eq!((settled.control, settled.unanswered_since), (Control::Bot, None));
        assert_eq!(bridges(&app).await, 1);
        let mut reader = app.reader().await;
        let facts = audit::facts(reader.conn()).await.unwrap();
        assert!(facts.iter().any(|fact| fact.kind == "turn_made" && fact.detail.as_deref() == Some("quiet")));
        drop(reader);
        // Whoever asks once more gets a person once more, and is told so.
        app.simulator.with(|world, now| {
            world.whatsapp.say(now, PersonId(0), Saying::text("No, I want to talk to a human please"));
        });
        eventually("a person is needed again", async || {
            matches!(thread(&app).await.control, Control::Waiting { .. }) && bridges(&app).await == 2
        })
        .await;
    }
);

on_both!(
    promise_13_what_a_person_has_not_settled_waits_again_without_a_second_bridge,
    app | app | {
        let ana = app.acts().add_agent("Ana").await;
        writes(&app, "Marina", "15550001", &["I want to talk to a human please"]).await;
        let asked_at = {
            eventually("Marina is there", async || !said(&app).await.is_empty()).await;
            thread(&app).await.unanswered_since.expect("the last word is hers")
        };
        given_back(&app, ana, "follow_up").await;
        eventually("a person is needed again", async || matches!(thread(&app).await.control, Control::Waiting { .. }))
            .await;
        let again = thread(&app).await;
        assert_eq!((again.unanswered_since, bridges(&app).await), (Some(asked_at), 1));
    }
);

on_both!(
    without_a_playbook_of_its_own_a_number_does_not_speak,
    app | app | {
        let mut app = app;
        assert!(app.stop().await);
        app.playbook = String::new();
        app.restart().await;
        writes(&app, "Marina", "15550001", &["When are you open?"]).await;
        eventually("a person is needed", async || {
            let reader = &mut app.reader().await;
            let facts = audit::facts(reader.conn()).await.unwrap();
            facts.iter().any(|fact| fact.kind == "escalated" && fact.detail.as_deref() == Some("bot_off"))
        })
        .await;
        let said: Vec<Author> = said(&app).await.into_iter().map(|(author, ..)| author).collect();
        assert_eq!(said, [Author::Customer]);
    }
);

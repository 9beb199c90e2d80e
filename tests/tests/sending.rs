//! What agents send besides plain text: templates, replies and reactions, from their command to what
//! the simulated WhatsApp is asked, on both engines.

use baton::net::{Client, NetEvent};
use baton_shared::{
    ConversationId, Epoch, MessageId,
    message::{Author, Delivery},
    protocol::{Act, Answer, ClientFrame, Doing, Refusal, ServerFrame},
    split::split,
    template::{Filled, Template},
};
use baton_simulator::whatsapp::{Done, Person, PersonId, Saying};
use baton_tests::{
    app::{App, eventually},
    on_both,
    said::{change, phone, text},
};
use serde_json::json;

const PHONE: &str = "15550001111";
const DAY: i64 = 24 * 3_600;

/// A customer whose last word was said `ago` seconds ago.
async fn wrote(app: &App, wamid: &str, ago: i64) -> (PersonId, ConversationId, MessageId) {
    let second = app.clock.now().seconds() - ago;
    let person = app.simulator.with(|world, _| world.whatsapp.add_person(Person::new("Marina", PHONE, "US.1")));
    let conversation = app.arrives(phone(PHONE), wamid, second, text("Where is my lamp?")).await;
    (person, conversation, app.acts().message_of(wamid).await)
}

async fn take(client: &mut Client, conversation: ConversationId) -> Epoch {
    match client.act(conversation, Act::Take { epoch: Epoch(1) }).await.expect("a line") {
        Answer::Done { epoch, .. } => epoch,
        other => panic!("{other:?}"),
    }
}

fn done(answer: Answer) -> MessageId {
    match answer {
        Answer::Done { message: Some(message), .. } => message,
        other => panic!("{other:?}"),
    }
}

async fn templates(client: &mut Client, conversation: ConversationId) -> Vec<Template> {
    client.say(&ClientFrame::Templates { conversation });
    loop {
        if let NetEvent::Frame(frame) = client.next().await.expect("a line")
            && let ServerFrame::Templates { templates, .. } = *frame
        {
            return templates;
        }
    }
}

on_both!(
    promise_6_only_a_template_goes_into_a_closed_window,
    app | app | {
        let (person, conversation, asked) = wrote(&app, "wamid.old", 2 * DAY).await;
        let mut client = app.agent("Ana").await;
        let epoch = take(&mut client, conversation).await;
        let send = Act::Send { epoch, text: "Hello".into(), seen: Some(asked), reply_to: None };
        let refused = client.act(conversation, send).await.expect("a line");
        assert!(matches!(refused, Answer::Refused { code: Refusal::WindowClosed, .. }), "{refused:?}");
        // Synced from Meta at the start.
        let mut all = templates(&mut client, conversation).await;
        while all.is_empty() {
            all = templates(&mut client, conversation).await;
        }
        let names: Vec<(&str, &str)> = all.iter().map(|one| (one.name.as_str(), one.language.as_str())).collect();
        assert!(names.contains(&("order_update", "en")), "{names:?}");
        let act = |values: &[&str], name: &str| Act::SendTemplate {
            epoch,
            template: Filled {
                name: name.into(),
                language: "en".into(),
                values: values.iter().map(|value| (*value).into()).collect(),
            },
            seen: Some(asked),
        };
        for (wrong, code) in [
            (act(&["Marina"], "order_update"), Refusal::Invalid),
            (act(&["Marina", " "], "order_update"), Refusal::Invalid),
            (act(&["Marina", "a\nb"], "order_update"), Refusal::Invalid),
            (act(&["Marina", "77"], "no_such_thing"), Refusal::NotFound),
        ] {
            let answer = client.act(conversation, wrong).await.expect("a line");
            assert!(matches!(answer, Answer::Refused { code: found, .. } if found == code), "{answer:?}");
        }
        let sent = done(client.act(conversation, act(&["Marina", "77"], "order_update")).await.expect("a line"));
        let words = "Hello Marina, there is news about your order 77.";
        eventually("it reaches her phone", async || app.reached(person) == [words]).await;
        let stored = app.acts().message(sent).await;
        assert_eq!((stored.kind.as_str(), stored.text.as_str(), stored.author), ("template", words, Author::Agent));
    }
);

on_both!(
    a_reply_names_its_message_and_a_reaction_answers_nothing,
    app | app | {
        let (person, conversation, asked) = wrote(&app, "wamid.new", 60).await;
        app.simulator.with(|world, now| world.whatsapp.say(now, person, Saying::text("Hello?")));
        let acts = app.acts();
        eventually("both are there", async || acts.thread(conversation).await.unread == 2).await;
        let newest = acts.thread(conversation).await.newest;
        let mut client = app.agent("Ana").await;
        let epoch = take(&mut client, conversation).await;
        let react = |emoji: &str| Act::React { epoch, message: newest.expect("she wrote"), emoji: emoji.into() };
        let no_emoji = client.act(conversation, react("ok")).await.expect("a line");
        assert!(matches!(no_emoji, Answer::Refused { code: Refusal::Invalid, .. }), "{no_emoji:?}");
        let sign = done(client.act(conversation, react("\u{1f44d}")).await.expect("a line"));
        assert!(acts.thread(conversation).await.unanswered_since.is_some(), "she still waits for words");
        let text = "It comes on Friday.".to_owned();
        let reply = Act::Send { epoch, text: text.clone(), seen: newest, reply_to: Some(asked) };
        let reply = done(client.act(conversation, reply).await.expect("a line"));
        eventually("the reply arrives", async || app.reached(person).contains(&text)).await;
        assert!(acts.thread(conversation).await.unanswered_since.is_none());
        let refers = app.simulator.with(|world, _| {
            let requests = world.whatsapp.ledger().requests().iter();
            requests.filter_map(|request| request.refers_to.clone()).collect::<Vec<_>>()
        });
        let newest = acts.message(newest.expect("she wrote")).await.wamid.expect("it came from Meta");
        assert_eq!(refers, [newest, "wamid.new".into()]);
        eventually("both are settled", async || {
            let is_there = |delivery: Option<Delivery>| delivery.is_some_and(Delivery::is_settled);
            is_there(acts.message(sign).await.delivery) && is_there(acts.message(reply).await.delivery)
        })
        .await;
        // What is not in this conversation cannot be replied to.
        let (_, other, _) = wrote_as(&app, "15550002222", "wamid.other").await;
        let epoch = take(&mut client, other).await;
        let stray = Act::Send { epoch, text: "no".into(), seen: None, reply_to: Some(asked) };
        let refused = client.act(other, stray).await.expect("a line");
        assert!(matches!(refused, Answer::Refused { .. } | Answer::WroteMeanwhile { .. }), "{refused:?}");
    }
);

async fn wrote_as(app: &App, phone: &str, wamid: &str) -> (PersonId, ConversationId, MessageId) {
    let person = app.simulator.with(|world, _| world.whatsapp.add_person(Person::new("Bo", phone, "US.2")));
    let wamid = app.simulator.with(|world, now| world.whatsapp.say(now, person, Saying::text(wamid)));
    let acts = app.acts();
    eventually("it is stored", async || acts.conversation_of(&wamid).await.is_some()).await;
    let conversation = acts.conversation_of(&wamid).await.expect("stored a moment ago");
    (person, conversation, acts.message_of(&wamid).await)
}

/// WhatsApp's own switch, turned by the customer.
async fn preference(app: &App, value: &str) {
    let number = &app.settings().whatsapp.channels[0];
    let preference = json!({"wa_id": PHONE, "category": "marketing_messages", "value": value, "detail": "said so",
                            "timestamp": app.clock.now().seconds()});
    let contact = json!({"profile": {"name": "Marina"}, "wa_id": PHONE});
    let value = json!({"contacts": [contact], "user_preferences": [preference]});
    let body = change(number, "user_preferences", value);
    for _ in 0..2 {
        assert!(app.post(body.to_string()).await.is_success());
    }
}

on_both!(
    marketing_goes_only_to_whoever_agreed_and_never_after_they_refused,
    app | app | {
        let (person, conversation, asked) = wrote(&app, "wamid.old", 60).await;
        let mut client = app.agent("Ana").await;
        let epoch = take(&mut client, conversation).await;
        while templates(&mut client, conversation).await.is_empty() {}
        let sale = |seen| Act::SendTemplate {
            epoch,
            template: Filled { name: "autumn_sale".into(), language: "en".into(), values: vec!["Marina".into()] },
            seen,
        };
        let refused = client.act(conversation, sale(Some(asked))).await.expect("a line");
        let Answer::Refused { code: Refusal::NotAllowed, why, .. } = refused else { panic!("{refused:?}") };
        assert!(why.contains("Record it first"), "{why}");
        let consent = Act::Consent { granted: true, proof: "asked for it on the phone".into() };
        assert!(matches!(client.act(conversation, consent).await.expect("a line"), Answer::Done { .. }));
        done(client.act(conversation, sale(Some(asked))).await.expect("a line"));
        let words = "Hello Marina, all lamps are 20 % off this week.";
        eventually("it reaches her", async || app.reached(person).contains(&words.to_owned())).await;
        // Each of these says no, and the newest word counts.
        preference(&app, "stop").await;
        let refused = client.act(conversation, sale(Some(asked))).await.expect("a line");
        let Answer::Refused { code: Refusal::NotAllowed, why, .. } = refused else { panic!("{refused:?}") };
        assert!(why.contains("no marketing"), "{why}");
        let consent = Act::Consent { granted: true, proof: "changed her mind".into() };
        assert!(matches!(client.act(conversation, consent).await.expect("a line"), Answer::Done { .. }));
        app.simulator.with(|world, now| world.whatsapp.say(now, person, Saying::text("STOP")));
        let acts = app.acts();
        eventually("her word is there", async || acts.thread(conversation).await.newest != Some(asked)).await;
        let newest = acts.thread(conversation).await.newest;
        let refused = client.act(conversation, sale(newest)).await.expect("a line");
        assert!(matches!(refused, Answer::Refused { code: Refusal::NotAllowed, .. }), "{refused:?}");
    }
);

/// How often the customer was shown that somebody types.
fn typing_shown(app: &App) -> usize {
    app.simulator.with(|world, _| {
        let requests = world.whatsapp.ledger().requests().iter();
        requests.filter(|request| matches!(request.done, Done::ReadMark { typing: true, .. })).count()
    })
}

on_both!(
    a_customer_sees_only_the_agent_who_writes_to_them_type,
    app | app | {
        app.acts().switch(false, true).await;
        let (_, conversation, _) = wrote_as(&app, PHONE, "Where is my lamp?").await;
        let (mut ana, mut ben) = (app.agent("Ana").await, app.agent("Ben").await);
        take(&mut ana, conversation).await;
        ben.act(conversation, Act::Note { text: "She called".into() }).await.expect("a line");
        let types = |to_customer| Doing { viewing: Some(conversation), typing: true, to_customer };
        // A frame is answered after the ones before it.
        ben.here(types(true));
        templates(&mut ben, conversation).await;
        ana.here(types(false));
        templates(&mut ana, conversation).await;
        assert_eq!(typing_shown(&app), 0, "one watches, the other writes a note");
        ana.here(types(true));
        templates(&mut ana, conversation).await;
        eventually("the customer sees it", async || typing_shown(&app) > 0).await;
        templates(&mut ana, conversation).await;
        assert_eq!(typing_shown(&app), 1);
    }
);

on_both!(
    a_long_text_goes_as_the_messages_that_its_author_agreed_to,
    app | app | {
        let (_, conversation, asked) = wrote(&app, "wamid.long", 60).await;
        let mut client = app.agent("Ana").await;
        let epoch = take(&mut client, conversation).await;
        let text: String = (0..900).map(|number| format!("word {number}. ")).collect();
        let expected: Vec<String> = split(&text, 4_096).into_iter().map(str::to_owned).collect();
        let parts = u32::try_from(expected.len()).expect("few");
        assert!(parts > 1);
        let act = |parts, seen| Act::SendParts { epoch, text: text.clone(), parts, seen, reply_to: Some(asked) };
        for wrong in [1, parts + 1] {
            let answer = client.act(conversation, act(wrong, Some(asked))).await.expect("a line");
            let Answer::Refused { code: Refusal::Invalid, why, .. } = answer else { panic!("{answer:?}") };
            assert!(why.contains(&format!("{parts} messages")), "{why}");
        }
        let blind = client.act(conversation, act(parts, None)).await.expect("a line");
        assert!(matches!(blind, Answer::WroteMeanwhile { .. }), "{blind:?}");
        let last = done(client.act(conversation, act(parts, Some(asked))).await.expect("a line"));
        let asked_of_meta = || {
            app.simulator.with(|world, _| {
                let requests = world.whatsapp.ledger().requests().iter().filter(|request| request.opaque.is_some());
                let texts = requests.filter_map(|request| request.text.clone());
                // Also that somebody is there now.
                texts.filter(|text| text.contains("word")).collect::<Vec<_>>()
            })
        };
        eventually("all of it is sent", async || asked_of_meta().len() == expected.len()).await;
        assert_eq!(asked_of_meta(), expected, "in order");
        assert_eq!(app.acts().message(last).await.text, expected[expected.len() - 1]);
    }
);

on_both!(
    what_waits_for_the_customer_goes_when_they_write_and_only_from_its_owner,
    app | app | {
        let (person, conversation, _) = wrote(&app, "wamid.silent", 2 * DAY).await;
        let acts = app.acts();
        let mut client = app.agent("Ana").await;
        let epoch = take(&mut client, conversation).await;
        let later = |text: &str, epoch| Act::SendWhenTheyWrite { epoch, text: text.into() };
        let waits = done(client.act(conversation, later("Your lamp is here.", epoch)).await.expect("a line"));
        let mind = done(client.act(conversation, later("Never mind.", epoch)).await.expect("a line"));
        let stored = acts.message(waits).await;
        assert_eq!((stored.delivery, stored.problem.as_deref()), (Some(Delivery::Held), Some("until_they_write")));
        assert!(acts.thread(conversation).await.unanswered_since.is_some(), "she is not answered by it");
        let cancelled = client.act(conversation, Act::Cancel { message: mind }).await.expect("a line");
        assert!(matches!(cancelled, Answer::Done { .. }), "{cancelled:?}");
        app.simulator.with(|world, now| world.whatsapp.say(now, person, Saying::text("Hello?")));
        eventually("it reaches her", async || app.reached(person) == ["Your lamp is here."]).await;
        assert!(acts.thread(conversation).await.unanswered_since.is_some(), "nobody has read what she wrote");
        assert_eq!(acts.message(mind).await.delivery, Some(Delivery::Cancelled));
        // Now that she has written, there is nothing to wait for.
        let refused = client.act(conversation, later("Too late.", epoch)).await.expect("a line");
        assert!(matches!(refused, Answer::Refused { code: Refusal::NotFromHere, .. }), "{refused:?}");
    }
);

on_both!(
    promise_9_what_waited_is_a_draft_again_when_somebody_else_has_the_conversation,
    app | app | {
        let (person, conversation, _) = wrote(&app, "wamid.silent", 2 * DAY).await;
        let acts = app.acts();
        let mut client = app.agent("Ana").await;
        let epoch = take(&mut client, conversation).await;
        let act = Act::SendWhenTheyWrite { epoch, text: "Your lamp is here.".into() };
        let waits = done(client.act(conversation, act).await.expect("a line"));
        client.act(conversation, Act::Release { epoch }).await.expect("a line");
        app.simulator.with(|world, now| world.whatsapp.say(now, person, Saying::text("Hello?")));
        eventually("it does not go", async || acts.message(waits).await.delivery == Some(Delivery::Cancelled)).await;
        client.open(conversation);
        let draft = loop {
            if let NetEvent::Frame(frame) = client.next().await.expect("a line")
                && let ServerFrame::Thread(thread) = *frame
            {
                break thread.draft;
            }
        };
        assert_eq!(draft.map(|draft| draft.text).as_deref(), Some("Your lamp is here."));
        assert!(app.reached(person).iter().all(|text| text != "Your lamp is here."));
    }
);

on_both!(
    promise_6_a_template_is_tried_again_into_a_closed_window,
    app | app | {
        let (person, conversation, asked) = wrote(&app, "wamid.old", 2 * DAY).await;
        let mut client = app.agent("Ana").await;
        let epoch = take(&mut client, conversation).await;
        while templates(&mut client, conversation).await.is_empty() {}
        app.simulator.with(|world, _| world.whatsapp.config_mut().faults.busy = 1.0);
        let values = vec!["Marina".into(), "77".into()];
        let template = Filled { name: "order_update".into(), language: "en".into(), values };
        let act = Act::SendTemplate { epoch, template, seen: Some(asked) };
        let sent = done(client.act(conversation, act).await.expect("a line"));
        let acts = app.acts();
        eventually("it was refused for now", async || acts.message(sent).await.problem.is_some()).await;
        assert_eq!(acts.message(sent).await.delivery, Some(Delivery::Queued));
        app.simulator.with(|world, _| world.whatsapp.config_mut().faults.busy = 0.0);
        eventually("it reaches her", async || app.reached(person).len() == 1).await;
    }
);

//! Whoever waits for a person hears what happens, and is not forgotten.

use std::{collections::BTreeSet, time::Duration};

use baton_server::{
    config::{Book, Playbook},
    domain::control::{Step, Who},
    inbox::{commands, lost},
    store::{
        control::{self, Because},
        conversations, leases, messages, rows,
    },
};
use baton_shared::{
    AgentId, Control, ConversationId, Epoch, Micros, Role,
    message::Author,
    protocol::{Act, Answer, Command},
};
use baton_tests::{
    on_both,
    store::{NOON, TestStore},
};

use crate::house::House;

const MINUTE: Duration = Duration::from_secs(60);

/// It is a Friday, at noon.
const PLAYBOOK: &str = r#"
business = "B"
languages = ["en", "de"]
[aliases]
"Ana Lima" = "Ana"
[waiting]
still_waiting_minutes = 5
still_waiting_again_minutes = 10
deadline_minutes = 15
out_of_hours = "callback"
[hours]
zone = "UTC"
monday = "9:00-17:00"
friday = "9:00-17:00"
[texts]
bridge = "Somebody comes in {wait}."
bridge_without_wait = "Somebody comes."
still_waiting = "Not forgotten."
out_of_hours = { en = "We are back {back}.", de = "Wir sind {back} wieder da." }
nobody_came = "Nobody came."
person_is_here = "{person} is here."
transferred = "{person} goes on."
back_to_assistant = "The bot again."
resolved = "Done."
"#;

async fn house(store: TestStore, more: &str) -> House {
    let text = PLAYBOOK.replace("out_of_hours = \"callback\"", &format!("out_of_hours = \"callback\"\n{more}"));
    let playbook = Playbook::parse("p.toml", &text).unwrap();
    let book = Book { name: "p.toml".into(), playbook, may_speak: true, place: "p.toml".into() };
    House::with(store, |settings| settings.books = vec![book]).await
}

/// What the system has said, in order.
async fn told(house: &House, thread: ConversationId) -> Vec<String> {
    let mut reader = house.context.db.reader().await.unwrap();
    let said = messages::said(reader.conn(), thread, 50).await.unwrap();
    said.into_iter().filter(|one| one.author == Author::System).map(|one| one.text).collect()
}

async fn act(house: &House, agent: AgentId, thread: ConversationId, act: Act) -> Epoch {
    let id = house.context.ids.next(house.moment().now);
    let command = Command { id, conversation: thread, act };
    match commands::execute(&house.context, agent, &command).await.unwrap() {
        Answer::Done { epoch, .. } => epoch,
        other => panic!("{other:?}"),
    }
}

/// A person is asked for by an agent.
async fn escalated(house: &House, agent: AgentId, phone: &str) -> ConversationId {
    let (thread, _) = house.writes(phone, "hello").await;
    let epoch = house.conversation(thread).await.epoch;
    act(house, agent, thread, Act::Escalate { epoch, reason: String::new() }).await;
    thread
}

/// Once more after what was planned for then: nothing happens twice.
async fn later(house: &House, length: Duration) {
    house.time_passes(length).await;
    house.time_passes(Duration::ZERO).await;
}

async fn callback_at(house: &House, thread: ConversationId) -> Option<Micros> {
    let mut reader = house.context.db.reader().await.unwrap();
    rows::by_ids(reader.conn(), &[thread], house.moment()).await.unwrap().pop().unwrap().row.callback_at
}

on_both!(promise_13_who_waits_hears_it_and_is_told_that_nobody_came, |store| {
    let house = house(store, "").await;
    let (ana, _) = house.person("Ana Lima", Role::Agent, "").await;
    let thread = escalated(&house, ana, "15550001").await;
    assert_eq!(told(&house, thread).await, ["Somebody comes."], "nobody is here, so no time is promised");
    later(&house, MINUTE).await;
    assert_eq!(told(&house, thread).await.len(), 1);
    later(&house, 4 * MINUTE).await;
    assert_eq!(told(&house, thread).await[1..], ["Not forgotten."]);
    later(&house, 5 * MINUTE).await;
    later(&house, 5 * MINUTE).await;
    assert_eq!(told(&house, thread).await[1..], ["Not forgotten.", "Not forgotten.", "Nobody came."]);
    later(&house, 60 * MINUTE).await;
    assert_eq!(told(&house, thread).await.len(), 4);
    assert!(matches!(house.conversation(thread).await.control, Control::Waiting { .. }));
});

on_both!(promise_13_out_of_hours_a_callback_is_promised_and_kept_in_the_queue, |store| {
    let house = house(store, "").await;
    let (ana, _) = house.person("Ana Lima", Role::Agent, "").await;
    house.store.advance(6 * 60 * MINUTE);
    let thread = escalated(&house, ana, "15550001").await;
    assert_eq!(told(&house, thread).await, ["We are back on Monday at 9:00."]);
    later(&house, MINUTE).await;
    let monday = NOON.plus(Duration::from_secs((3 * 24 - 3) * 3_600));
    assert_eq!(callback_at(&house, thread).await, Some(monday));
    later(&house, 12 * 60 * MINUTE).await;
    assert_eq!(told(&house, thread).await.len(), 1);
    // On Monday the window is closed: nothing is said into it, and it still waits.
    later(&house, 3 * 24 * 60 * MINUTE).await;
    assert_eq!(told(&house, thread).await.len(), 1);
    assert!(matches!(house.conversation(thread).await.control, Control::Waiting { .. }));
});

on_both!(who_opens_a_conversation_into_the_queue_is_answered_by_the_clock, |store| {
    let house = house(store, "").await;
    let (thread, _) = house.writes("15550001", "hello").await;
    let (at, ids) = (house.moment(), house.context.ids.clone());
    house
        .write(move |tx| {
            let ids = ids.clone();
            Box::pin(async move {
                let mut locked = conversations::lock(tx, thread).await?.unwrap();
                locked.language = Some("de".into());
                let because = Because::reason("reopened");
                control::pass(tx, &mut locked, Step::Escalate, Who::Rule, &because, at, &ids).await?.unwrap();
                conversations::save(tx, &locked).await
            })
        })
        .await;
    later(&house, Duration::ZERO).await;
    assert_eq!(told(&house, thread).await, ["Somebody comes."]);
    later(&house, 5 * 60 * MINUTE).await;
    assert_eq!(told(&house, thread).await.last().unwrap(), "Wir sind am Montag um 9:00 Uhr wieder da.");
});

on_both!(promise_13_the_bot_tries_once_more_and_not_again, |store| {
    let house = house(store, "at_deadline = \"bot\"").await;
    let (ana, _) = house.person("Ana Lima", Role::Agent, "").await;
    let thread = escalated(&house, ana, "15550001").await;
    later(&house, 5 * MINUTE).await;
    later(&house, 10 * MINUTE).await;
    let with_bot = house.conversation(thread).await;
    assert_eq!(with_bot.control, Control::Bot);
    assert!(with_bot.due_at.is_some(), "the customer's word is unanswered");
    assert_eq!(told(&house, thread).await[1..], ["Not forgotten.", "The bot again."]);
    // It cannot, and calls for a person again.
    let (at, ids) = (house.moment(), house.context.ids.clone());
    house
        .write(move |tx| {
            let ids = ids.clone();
            Box::pin(async move {
                let mut locked = conversations::lock(tx, thread).await?.unwrap();
                let because = Because::reason("low_confidence");
                control::pass(tx, &mut locked, Step::Escalate, Who::Bot, &because, at, &ids).await?.unwrap();
                conversations::save(tx, &locked).await
            })
        })
        .await;
    later(&house, 20 * MINUTE).await;
    assert!(matches!(house.conversation(thread).await.control, Control::Waiting { .. }));
    assert_eq!(told(&house, thread).await[3..], ["Nobody came."]);
});

on_both!(a_customer_who_waits_may_have_the_bot_back, |store| {
    let house = house(store, "").await;
    let (ana, _) = house.person("Ana Lima", Role::Agent, "").await;
    let thread = escalated(&house, ana, "15550001").await;
    house.writes("15550001", "Bot, please!").await;
    later(&house, Duration::ZERO).await;
    let with_bot = house.conversation(thread).await;
    assert_eq!((with_bot.control, with_bot.unanswered_since), (Control::Bot, None));
    assert_eq!(told(&house, thread).await[1..], ["The bot again."]);
});

on_both!(a_customer_hears_who_is_there_who_goes_on_and_that_it_is_done, |store| {
    let house = house(store, "").await;
    let (ana, _) = house.person("Ana Lima", Role::Agent, "").await;
    let (leo, _) = house.person("Leo", Role::Agent, "").await;
    let thread = escalated(&house, ana, "15550001").await;
    let epoch = act(&house, ana, thread, Act::Take { epoch: Epoch(0) }).await;
    let epoch = act(&house, ana, thread, Act::Assign { to: leo, reason: String::new(), epoch }).await;
    let epoch = act(&house, leo, thread, Act::Release { epoch }).await;
    let epoch = act(&house, ana, thread, Act::Take { epoch }).await;
    act(&house, ana, thread, Act::Resolve { epoch, outcome: "solved".into() }).await;
    let all = ["Somebody comes.", "Ana is here.", "Leo goes on.", "Done."];
    assert_eq!(told(&house, thread).await, all, "none twice");

    // Nobody is told anything after the day in which we may write.
    let (thread, _) = house.writes("15550002", "hello").await;
    house.store.advance(25 * 60 * MINUTE);
    let epoch = act(&house, ana, thread, Act::Take { epoch: Epoch(0) }).await;
    act(&house, ana, thread, Act::Resolve { epoch, outcome: "solved".into() }).await;
    assert_eq!(told(&house, thread).await, [""; 0]);
});

on_both!(promise_13_two_servers_and_a_restart_tell_it_once, |store| {
    let house = house(store, "").await;
    let (ana, _) = house.person("Ana Lima", Role::Agent, "").await;
    let mut threads = BTreeSet::new();
    for number in 0..8 {
        threads.insert(escalated(&house, ana, &format!("1555000{number}")).await);
    }
    later(&house, Duration::ZERO).await;
    let (at, grace) = (house.moment(), house.context.settings.inbox.grace);
    // The time of leases begins anew with a process.
    house.write(move |tx| Box::pin(leases::restart(tx, at.time, grace))).await;
    house.store.advance(6 * MINUTE);
    let (first, second) = tokio::join!(lost::step(&house.context), lost::step(&house.context));
    assert_eq!(first.unwrap() + second.unwrap(), threads.len());
    for thread in threads {
        assert_eq!(told(&house, thread).await[1..], ["Not forgotten."]);
    }
});

use std::sync::OnceLock;

use baton_shared::{
    AgentId, Control, Epoch, Role, Window,
    message::{Author, Body, Message, Place},
    protocol::{Card, Event, Person, Row},
};
use proptest::prelude::*;

use super::*;
use crate::{config::AgentsSee, store::agents::Agent};

fn thread(number: u8) -> ConversationId {
    ConversationId(uuid::Uuid::from_u128(u128::from(number)))
}

fn me() -> AgentId {
    AgentId(uuid::Uuid::from_u128(77))
}

fn follower(role: Role, agents_see: AgentsSee) -> Follower {
    let (name, team, created_at) = ("Ana".into(), "north".into(), Micros(0));
    let agent = Agent { id: me(), name, role, team, created_at, disabled_at: None };
    Follower::new(Viewer { agent, agents_see }, "ab12".into())
}

fn row(number: u8, waits: bool) -> RowItem {
    let row = Row {
        conversation: thread(number),
        version: 1,
        channel: "Shop".into(),
        customer: "\u{202e}\"Marina\"\n".into(),
        handle: "+49 ***1234".into(),
        control: if waits { Control::Waiting { since: Micros(1) } } else { Control::Bot },
        epoch: Epoch(1),
        window: Window::default(),
        reason: None,
        waiting_since: None,
        unanswered_since: None,
        unread: 0,
        last: None,
        bot_busy: false,
        proposals: 0,
        troubles: 0,
        held: 0,
        returns_at: None,
        callback_at: None,
        updated_at: Micros(1),
    };
    RowItem { row: Item::new(row), team: if number.is_multiple_of(2) { "south".into() } else { String::new() } }
}

fn message(number: u8, length: usize) -> Message {
    Message {
        id: baton_shared::MessageId(uuid::Uuid::from_u128(u128::from(number))),
        conversation: thread(number % 8),
        version: 1,
        author: Author::Customer,
        agent: None,
        body: Body::text("x".repeat(length)),
        place: Place { second: 1, arrived_at: Micros(1), index: 1 },
        at: Micros(1),
        late: false,
        delivery: None,
        problem: None,
        quote: None,
        reactions: vec![],
        edited: None,
        revoked_at: None,
        sent_again: false,
    }
}

fn event(number: u8) -> Event {
    let conversation = (number < 200).then(|| thread(number % 8));
    Event { kind: "message_in".into(), at: Micros(1), conversation, message: None, agent: None, detail: None }
}

fn person() -> Person {
    Person { id: AgentId(uuid::Uuid::from_u128(9)), name: "Ana".into(), role: Role::Agent }
}

fn batch(after: i64, rows: &[bool], messages: &[(u8, usize)], events: &[u8]) -> Batch {
    let position = |seq| Position { xid: 0, seq };
    let last = after + i64::try_from(events.len()).unwrap();
    let card = Card {
        conversation: thread(1),
        version: 1,
        handoffs: vec![],
        proposals: vec![],
        marketing: None,
        merged: None,
        free_entry: None,
        facts: vec![],
        blocked_at: None,
    };
    Batch {
        after: position(after),
        through: position(last),
        now: Micros(5),
        full: false,
        held: false,
        events: (after + 1..).zip(events).map(|(seq, number)| (position(seq), Item::new(event(*number)))).collect(),
        rows: (0..).zip(rows).map(|(number, waits)| row(number, *waits)).collect(),
        messages: messages.iter().map(|(number, length)| Item::new(message(*number, *length))).collect(),
        cards: vec![Item::new(card)],
        merged: vec![],
        people: vec![Item::new(person())],
        shared: [OnceLock::new(), OnceLock::new()],
    }
}

/// The frames put together again.
fn together(texts: &[Utf8Bytes]) -> Events {
    let mut whole: Option<Events> = None;
    for text in texts {
        assert!(text.len() <= FRAME_LIMIT);
        let ServerFrame::Events(next) = serde_json::from_str(text).unwrap() else { panic!("{text}") };
        let Some(whole) = &mut whole else {
            whole = Some(next);
            continue;
        };
        assert_eq!(next.after, whole.through);
        whole.through = next.through;
        whole.rows.extend(next.rows);
        whole.messages.extend(next.messages);
        whole.cards.extend(next.cards);
        whole.events.extend(next.events);
        whole.gone.extend(next.gone);
        whole.people.extend(next.people);
    }
    whole.unwrap()
}

fn any_viewer() -> impl Strategy<Value = (Role, AgentsSee)> {
    let sees = prop_oneof![Just(AgentsSee::All), Just(AgentsSee::Team)];
    (prop::sample::select(Role::ALL.to_vec()), sees)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn promise_8_the_text_is_the_frame(
        (role, sees) in any_viewer(),
        rows in prop::collection::vec(any::<bool>(), 0..8),
        again in prop::collection::vec(any::<bool>(), 8),
        messages in prop::collection::vec((any::<u8>(), 0..900_000_usize), 0..12),
        events in prop::collection::vec(any::<u8>(), 1..20),
        open in prop::collection::vec(0..8_u8, 0..4),
    ) {
        let mut one = follower(role, sees);
        open.iter().for_each(|number| one.open(thread(*number)));
        let mut other = one.clone();
        let first = batch(0, &rows, &messages, &events);
        let second = batch(i64::try_from(events.len()).unwrap(), &again[..rows.len()], &messages, &events);
        for batch in [first, second] {
            let Next::Frame(frame) = one.frame(&batch) else { panic!("not new") };
            // Twice, for what is shared is written once.
            let Next::Frame(texts) = other.clone().texts(&batch) else { panic!("not new") };
            prop_assert_eq!(&together(&texts), &frame);
            let Next::Frame(texts) = other.texts(&batch) else { panic!("not new") };
            prop_assert_eq!(&together(&texts), &frame);
            prop_assert_eq!(one.cursor(), frame.through);
        }
    }

    #[test]
    fn promise_8_a_place_is_passed_once(
        seen in 0..6_i64,
        batches in prop::collection::vec((0..6_i64, 1..6_usize), 1..6),
    ) {
        let mut one = follower(Role::Supervisor, AgentsSee::All);
        one.position = Position { xid: 0, seq: seen };
        for (after, count) in batches {
            let (before, batch) = (one.position, batch(after, &[], &[], &vec![255; count]));
            match one.frame(&batch) {
                Next::Frame(frame) => {
                    let passed = one.position.seq - before.seq;
                    prop_assert_eq!(frame.events.len(), usize::try_from(passed).unwrap());
                }
                Next::Seen => prop_assert!(batch.through <= before && one.position == before),
                Next::Gap => prop_assert!(batch.after > before && one.position == before),
            }
        }
    }
}

#[test]
fn a_sign_of_life_is_a_frame() {
    let mut one = follower(Role::Agent, AgentsSee::All);
    let quiet = batch(0, &[], &[], &[]);
    for _ in 0..2 {
        let Next::Frame(frame) = one.frame(&quiet) else { panic!("not told") };
        assert_eq!(frame.after, frame.through);
    }
}

//! What agents do.

use baton_shared::{
    Control, ConversationId, Epoch, Micros, Role,
    message::{Author, Delivery},
    protocol::{Act, Answer, Command, Refusal},
};
use baton_tests::on_both;

use crate::house::{House, Screen};

pub(crate) fn epoch(answer: &Answer) -> Epoch {
    match answer {
        Answer::Done { epoch, .. } => *epoch,
        other => panic!("not done: {other:?}"),
    }
}

pub(crate) fn refusal(answer: &Answer) -> Refusal {
    match answer {
        Answer::Refused { code, .. } => *code,
        other => panic!("not refused: {other:?}"),
    }
}

pub(crate) async fn takes(house: &House, screen: &mut Screen, thread: ConversationId) -> Epoch {
    epoch(&screen.act(house, thread, Act::Take { epoch: Epoch(0) }).await)
}

on_both!(an_agent_takes_answers_and_hands_back, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let mut screen = Screen::open(&desk, &ana).await;
    assert!(screen.rows.is_empty());

    let (thread, asked) = house.writes("15550001", "where is my parcel?").await;
    screen.until(|screen| screen.rows.contains_key(&thread)).await;
    assert_eq!(screen.rows[&thread].unread, 1);
    assert_eq!(screen.follow(thread).await.messages.len(), 1);

    let taken = screen.act(&house, thread, Act::Take { epoch: Epoch(1) }).await;
    let now = epoch(&taken);
    screen.shows(thread, |row| row.control.owner() == Some(ana.id)).await;
    screen.until(|screen| screen.cards[&thread].handoffs.iter().any(|one| one.agent == Some(ana.id))).await;

    let send = Act::Send { epoch: now, text: " on its way\r\n".into(), seen: Some(asked), reply_to: None };
    let Answer::Done { message: Some(sent), .. } = screen.act(&house, thread, send).await else { panic!("not sent") };
    screen.until(|screen| screen.messages.contains_key(&sent)).await;
    let shown = &screen.messages[&sent];
    assert_eq!((shown.author, shown.body.text.as_str()), (Author::Agent, "on its way"));
    assert_eq!((shown.agent, shown.delivery), (Some(ana.id), Some(Delivery::Queued)));
    screen.shows(thread, |row| row.unanswered_since.is_none()).await;
    assert_eq!(screen.rows[&thread].unread, 0);

    let back =
        Act::HandBack { epoch: now, outcome: "solved".into(), note: "be kind".into(), promised: "a call".into() };
    epoch(&screen.act(&house, thread, back).await);
    screen.shows(thread, |row| row.control == Control::Bot).await;
    screen.until(|screen| screen.cards[&thread].handoffs[0].closed_at.is_some()).await;
    let handoff = &screen.cards[&thread].handoffs[0];
    assert_eq!(handoff.note.as_deref(), Some("be kind"));
    assert_eq!((handoff.outcome.as_deref(), handoff.promised.as_deref()), (Some("solved"), Some("a call")));
    let kinds: Vec<&str> = screen.events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["message_in", "taken", "message_queued", "handed_back"]);
});

on_both!(promise_4_of_two_who_take_at_once_one_gets_it, |store| {
    let house = House::open(store).await;
    let (desk, other) = (house.serve().await, house.another().await);
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let ben = house.sign_in(&other, "Ben", Role::Agent).await;
    let (mut anas, mut bens) = (Screen::open(&desk, &ana).await, Screen::open(&other, &ben).await);
    for round in 0..10 {
        let (thread, _) = house.writes(&format!("1555{round}"), "help").await;
        let take = || Act::Take { epoch: Epoch(1) };
        let (a, b) = tokio::join!(anas.act(&house, thread, take()), bens.act(&house, thread, take()));
        let (winner, loser) = match (&a, &b) {
            (Answer::Done { .. }, Answer::Refused { .. }) => (ana.id, &b),
            (Answer::Refused { .. }, Answer::Done { .. }) => (ben.id, &a),
            other => panic!("not one of them: {other:?}"),
        };
        let Answer::Refused { code, owner, .. } = loser else { panic!("{loser:?}") };
        assert_eq!((*code, *owner), (Refusal::NotYours, Some(winner)));
        for screen in [&mut anas, &mut bens] {
            screen.shows(thread, |row| row.control.owner() == Some(winner)).await;
        }
    }
});

on_both!(a_command_is_done_once_on_whatever_server, |store| {
    let house = House::open(store).await;
    let (desk, other) = (house.serve().await, house.another().await);
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let (mut here, mut there) = (Screen::open(&desk, &ana).await, Screen::open(&other, &ana).await);
    let (thread, asked) = house.writes("15550001", "hello").await;
    let now = takes(&house, &mut here, thread).await;
    let act = Act::Send { epoch: now, text: "good day".into(), seen: Some(asked), reply_to: None };
    let send = Command { id: house.context.ids.next(Micros(0)), conversation: thread, act };
    let (first, second) = tokio::join!(here.command(send.clone()), there.command(send.clone()));
    let third = there.command(send.clone()).await;
    assert!(matches!(first, Answer::Done { message: Some(_), .. }), "{first:?}");
    assert_eq!((&first, &first), (&second, &third));
    let sent = here.follow(thread).await.messages.into_iter().filter(|message| message.author == Author::Agent);
    assert_eq!(sent.count(), 1);

    let act = Act::Send { epoch: now, text: "good night".into(), seen: Some(asked), reply_to: None };
    let reused = there.command(Command { act, ..send.clone() }).await;
    assert_eq!(refusal(&reused), Refusal::IdReused);
    assert_eq!(here.command(send).await, first, "the first answer stays");
});

on_both!(what_is_somebody_elses_stays_theirs, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let ben = house.sign_in(&desk, "Ben", Role::Agent).await;
    let (mut anas, mut bens) = (Screen::open(&desk, &ana).await, Screen::open(&desk, &ben).await);
    let (thread, asked) = house.writes("15550001", "hello").await;
    let epoch = takes(&house, &mut anas, thread).await;
    let proposal = house.context.ids.next(Micros(0));
    let acts = [
        Act::Take { epoch },
        Act::Assign { epoch, to: ben.id, reason: "mine".into() },
        Act::Release { epoch },
        Act::HandBack { epoch, outcome: String::new(), note: String::new(), promised: String::new() },
        Act::Resolve { epoch, outcome: String::new() },
        Act::Send { epoch, text: "hi".into(), seen: Some(asked), reply_to: None },
        Act::Resend { epoch, message: asked },
        Act::Cancel { message: asked },
        Act::UseProposal { epoch, proposal, text: "hi".into(), seen: Some(asked) },
        Act::DropProposal { proposal },
    ];
    let before = house.conversation(thread).await;
    for act in acts {
        let answer = bens.act(&house, thread, act.clone()).await;
        let Answer::Refused { code: Refusal::NotYours, owner, .. } = answer else { panic!("{act:?}: {answer:?}") };
        assert_eq!(owner, Some(ana.id), "{act:?}");
    }
    // Reading along leaves no trace.
    bens.act(&house, thread, Act::Read { through: asked }).await;
    assert_eq!(house.conversation(thread).await, before);
    let nowhere = house.context.ids.next(Micros(0));
    assert_eq!(refusal(&bens.act(&house, nowhere, Act::Take { epoch }).await), Refusal::NotFound);
});

on_both!(an_act_on_an_older_screen_is_not_done, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let mut screen = Screen::open(&desk, &ana).await;
    let (thread, asked) = house.writes("15550001", "hello").await;
    let old = takes(&house, &mut screen, thread).await;
    epoch(&screen.act(&house, thread, Act::Release { epoch: old }).await);
    let now = takes(&house, &mut screen, thread).await;
    assert!(now > old);
    let proposal = house.context.ids.next(Micros(0));
    for epoch in [old, now.next()] {
        for act in [
            Act::Assign { epoch, to: ana.id, reason: String::new() },
            Act::Release { epoch },
            Act::HandBack { epoch, outcome: String::new(), note: String::new(), promised: String::new() },
            Act::Resolve { epoch, outcome: String::new() },
            Act::Escalate { epoch, reason: String::new() },
            Act::Send { epoch, text: "hi".into(), seen: Some(asked), reply_to: None },
            Act::Resend { epoch, message: asked },
            Act::UseProposal { epoch, proposal, text: "hi".into(), seen: Some(asked) },
        ] {
            assert_eq!(refusal(&screen.act(&house, thread, act.clone()).await), Refusal::Outdated, "{act:?}");
        }
    }
});

on_both!(a_transfer_needs_no_reason_and_a_steal_does, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let ben = house.sign_in(&desk, "Ben", Role::Agent).await;
    let eva = house.sign_in(&desk, "Eva", Role::Supervisor).await;
    let (admin, _) = house.person("Root", Role::Admin, "").await;
    let (mut anas, mut evas) = (Screen::open(&desk, &ana).await, Screen::open(&desk, &eva).await);
    let (thread, _) = house.writes("15550001", "hello").await;
    let now = takes(&house, &mut anas, thread).await;
    for to in [admin, house.context.ids.next(Micros(0))] {
        let answer = anas.act(&house, thread, Act::Assign { epoch: now, to, reason: String::new() }).await;
        assert_eq!(refusal(&answer), Refusal::NotFound);
    }
    let transfer = Act::Assign { epoch: now, to: ben.id, reason: String::new() };
    let now = epoch(&anas.act(&house, thread, transfer).await);
    assert_eq!(house.conversation(thread).await.control.owner(), Some(ben.id));

    let steal = |reason: &str| Act::Assign { epoch: now, to: eva.id, reason: reason.into() };
    assert_eq!(refusal(&evas.act(&house, thread, steal(" ")).await), Refusal::Invalid);
    epoch(&evas.act(&house, thread, steal("Ben is at lunch")).await);
    evas.shows(thread, |row| row.control.owner() == Some(eva.id)).await;
    let told = evas.follow(thread).await;
    let note = told.messages.last().unwrap();
    assert_eq!((note.author, note.agent, note.body.text.as_str()), (Author::Note, Some(eva.id), "Ben is at lunch"));
    // A row may be younger than the events that came with it.
    evas.until(|screen| screen.events.iter().filter(|event| event.kind == "assigned_by").count() == 2).await;
    let by: Vec<_> = evas.events.iter().filter(|event| event.kind == "assigned_by").map(|event| event.agent).collect();
    assert_eq!(by, [Some(ana.id), Some(eva.id)], "the audit trail names who did it");
    assert!(evas.events.iter().all(|event| event.detail.as_deref() != Some("Ben is at lunch")), "and holds no text");
});

on_both!(a_person_who_is_asked_for_by_an_agent_is_announced, |store| {
    let house = House::with(store, |settings| settings.books[0].may_speak = true).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let mut screen = Screen::open(&desk, &ana).await;
    let (thread, _) = house.writes("15550001", "hello").await;
    screen.follow(thread).await;
    let act = Act::Escalate { epoch: Epoch(1), reason: "sounds upset".into() };
    let now = epoch(&screen.act(&house, thread, act).await);
    screen.until(|screen| screen.messages.values().any(|message| message.author == Author::System)).await;
    screen.until(|screen| screen.cards[&thread].handoffs.len() == 1).await;
    let handoff = &screen.cards[&thread].handoffs[0];
    assert_eq!((handoff.reason.as_str(), handoff.summary.as_str()), ("asked_by_agent", "sounds upset"));
    let bridge = screen.messages.values().find(|message| message.author == Author::System).unwrap().id;
    assert_eq!(house.message(bridge).await.epoch, Some(now), "fenced by the queue's epoch");
    takes(&house, &mut screen, thread).await;
    assert_eq!(house.message(bridge).await.delivery, Some(Delivery::Cancelled));
});

on_both!(promise_13_what_is_handed_back_unanswered_is_due_at_once, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let mut screen = Screen::open(&desk, &ana).await;
    let (thread, _) = house.writes("15550001", "hello").await;
    let now = takes(&house, &mut screen, thread).await;
    assert_eq!(house.conversation(thread).await.due_at, None);
    let back = Act::HandBack { epoch: now, outcome: String::new(), note: String::new(), promised: String::new() };
    epoch(&screen.act(&house, thread, back).await);
    assert!(house.conversation(thread).await.due_at.is_some_and(|due| due <= house.moment().time));
});

on_both!(reading_tells_the_customer_only_if_it_is_mine, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let mut screen = Screen::open(&desk, &ana).await;
    let (thread, first) = house.writes("15550001", "hello").await;
    screen.act(&house, thread, Act::Read { through: first }).await;
    assert_eq!(house.conversation(thread).await.unread, 0);
    assert_eq!(house.conversation(thread).await.mark_wamid, None);
    takes(&house, &mut screen, thread).await;
    let (_, second) = house.writes("15550001", "anybody?").await;
    screen.act(&house, thread, Act::Read { through: first }).await;
    assert_eq!(house.conversation(thread).await.unread, 1, "there is more to read");
    screen.act(&house, thread, Act::Read { through: second }).await;
    let read = house.conversation(thread).await;
    assert_eq!((read.unread, read.mark_wamid), (0, house.message(second).await.wamid));
    let (elsewhere, theirs) = house.writes("15550002", "hello").await;
    assert_eq!(refusal(&screen.act(&house, thread, Act::Read { through: theirs }).await), Refusal::NotFound);
    assert_eq!(house.conversation(elsewhere).await.unread, 1);
});

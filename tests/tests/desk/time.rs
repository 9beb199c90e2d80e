//! What time does.

use std::time::Duration;

use baton_server::{
    domain::control::{Step, Who},
    inbox::presence,
    store::{
        control::{self, Because},
        conversations,
    },
};
use baton_shared::{
    Control, ConversationId, Role,
    protocol::{Act, ClientFrame, Doing, PRESENCE_ENDS},
};
use baton_tests::on_both;

use crate::{
    acts::{epoch, takes},
    house::{House, Screen},
};

const SECOND: Duration = Duration::from_secs(1);

on_both!(who_is_here_and_where, |store| {
    let house = House::open(store).await;
    let (desk, other) = (house.serve().await, house.another().await);
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let ben = house.sign_in(&desk, "Ben", Role::Agent).await;
    let mut anas = Screen::open(&desk, &ana).await;
    let mut bens = Screen::open(&other, &ben).await;
    let (thread, _) = house.writes("15550001", "hello").await;
    anas.until(|screen| screen.here.iter().any(|here| here.agent == ben.id)).await;
    bens.say(&ClientFrame::Here(Doing { viewing: Some(thread), typing: true, ..Doing::default() })).await;
    anas.until(|screen| {
        screen.here.iter().any(|here| here.agent == ben.id && here.viewing == Some(thread) && here.typing)
    })
    .await;
    // Whoever says goodbye is gone at once; whoever is cut off may come back.
    bens.wire.close(None).await.unwrap();
    anas.until(|screen| screen.here.iter().all(|here| here.agent == ana.id)).await;
    let bens = Screen::open(&other, &ben).await;
    anas.until(|screen| screen.here.iter().any(|here| here.agent == ben.id)).await;
    drop(bens);
    other.life.stop(SECOND).await;
    let (next, _) = house.writes("15550002", "hello").await;
    anas.until(|screen| screen.rows.contains_key(&next)).await;
    assert!(presence::who(&house.context).await.unwrap().iter().any(|here| here.agent == ben.id));
    // The other server measured the database's clock some seconds later, while ours stood still.
    house.store.advance(PRESENCE_ENDS + 60 * SECOND);
    assert!(presence::who(&house.context).await.unwrap().iter().all(|here| here.agent != ben.id));
});

on_both!(a_lost_agents_conversations_go_back_after_a_while, |store| {
    let house = House::open(store).await;
    let (desk, other) = (house.serve().await, house.another().await);
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let ben = house.sign_in(&desk, "Ben", Role::Agent).await;
    let mut bens = Screen::open(&desk, &ben).await;
    let mut anas = Screen::open(&other, &ana).await;
    let (thread, _) = house.writes("15550001", "hello").await;
    takes(&house, &mut anas, thread).await;
    let since = house.conversation(thread).await.waiting_since;
    assert_eq!(house.time_passes(SECOND).await, 0, "she is here");

    drop(anas);
    // Her row goes with the connection; if her machine died, it ends by itself.
    other.life.cut();
    let grace = house.context.settings.inbox.grace;
    house.store.advance(Duration::from_secs(16));
    bens.say(&ClientFrame::Here(Doing::default())).await;
    while house.time_passes(Duration::ZERO).await == 0 {}
    bens.shows(thread, |row| row.returns_at.is_some()).await;
    let left = bens.rows[&thread].returns_at.unwrap().since(house.moment().now);
    assert!(left <= grace && left > grace - 2 * SECOND, "{left:?}");

    assert_eq!(house.time_passes(grace - 2 * SECOND).await, 0);
    assert_eq!(house.time_passes(3 * SECOND).await, 1);
    bens.shows(thread, |row| matches!(row.control, Control::Waiting { .. })).await;
    assert!(since.is_none_or(|since| bens.rows[&thread].waiting_since == Some(since)), "it keeps its age");
    // A row may be younger than the events of its frame.
    bens.until(|screen| screen.events.iter().any(|event| event.detail.as_deref() == Some("owner_lost"))).await;
});

on_both!(whoever_comes_back_in_time_keeps_theirs, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let mut screen = Screen::open(&desk, &ana).await;
    let (thread, _) = house.writes("15550001", "hello").await;
    takes(&house, &mut screen, thread).await;
    house.store.advance(Duration::from_secs(16));
    while house.conversation(thread).await.returns_at.is_none() {
        house.time_passes(Duration::ZERO).await;
    }
    let mut screen = Screen::open(&desk, &ana).await;
    screen.until(|screen| screen.here.iter().any(|here| here.agent == ana.id)).await;
    assert_eq!(house.time_passes(SECOND).await, 1);
    screen.shows(thread, |row| row.returns_at.is_none()).await;
    assert_eq!(house.conversation(thread).await.control.owner(), Some(ana.id));
});

on_both!(promise_13_an_agent_who_does_not_answer_loses_it, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let mut screen = Screen::open(&desk, &ana).await;
    let (waits, _) = house.writes("15550001", "hello").await;
    let (answered, asked) = house.writes("15550002", "hello").await;
    takes(&house, &mut screen, waits).await;
    let now = takes(&house, &mut screen, answered).await;
    let send = Act::Send { epoch: now, text: "hi".into(), seen: Some(asked), reply_to: None };
    epoch(&screen.act(&house, answered, send).await);
    let idle = house.context.settings.inbox.idle;
    house.store.advance(idle + SECOND);
    screen.say(&ClientFrame::Here(Doing { viewing: Some(waits), typing: false, ..Doing::default() })).await;
    while house.conversation(waits).await.control.owner().is_some() {
        house.time_passes(Duration::ZERO).await;
    }
    assert_eq!(house.conversation(answered).await.control.owner(), Some(ana.id));
});

async fn phone_replies(house: &House, thread: ConversationId, pause: Duration) {
    let (at, ids) = (house.moment(), house.context.ids.clone());
    let step = Step::PhoneReply { until: at.now.plus(pause) };
    house
        .write(move |tx| {
            let ids = ids.clone();
            Box::pin(async move {
                let mut locked = conversations::lock(tx, thread).await?.unwrap();
                let passed = control::pass(tx, &mut locked, step, Who::Phone, &Because::default(), at, &ids).await?;
                assert!(passed.is_ok_and(|passed| passed.changed));
                conversations::save(tx, &locked).await
            })
        })
        .await;
}

on_both!(a_pause_after_a_reply_on_the_phone_ends, |store| {
    let house = House::open(store).await;
    let (thread, _) = house.writes("15550001", "hello").await;
    phone_replies(&house, thread, 60 * SECOND).await;
    assert_eq!(house.time_passes(59 * SECOND).await, 0);
    assert_eq!(house.time_passes(2 * SECOND).await, 1);
    // The customer's word was not answered by this test's phone.
    assert!(matches!(house.conversation(thread).await.control, Control::Waiting { .. }));
    assert_eq!(house.time_passes(SECOND).await, 0);
});

//! The real client's line on a bad day: cut off again and again, and a database that goes away.

use std::{sync::Arc, time::Duration};

use baton::net::{Client, NetEvent, Settings, Timing};
use baton_server::inbox::Options;
use baton_shared::{
    ConversationId, Ids, Role, SystemClock,
    protocol::{Act, Answer, ServerFrame},
};
use baton_tests::{
    on_both,
    store::{Hold, TestStore, left_out, let_in},
};

use crate::house::{Desk, House, Screen, Signed};

fn line(desk: &Desk, who: &Signed) -> Client {
    let timing =
        Timing { first_retry: Duration::from_millis(2), last_retry: Duration::from_millis(100), ..Timing::default() };
    let address = desk.url().parse().unwrap();
    let settings = Settings { address, token: who.token.clone(), build: "test".into(), timing };
    Client::new(settings, Arc::new(SystemClock::default()), Arc::new(Ids::system()))
}

/// Notes are given one after the other while the line is cut; each must be kept once.
async fn notes(
    client: &mut Client,
    conversation: ConversationId,
    count: usize,
    mut disturb: impl FnMut(&mut Client, usize),
) {
    for number in 0..count {
        client.command(conversation, Act::Note { text: format!("note {number}") });
        disturb(client, number);
        while client.unanswered() > 0 {
            match client.next().await.expect("the client stopped") {
                NetEvent::Stopped(stop) => panic!("{stop}"),
                NetEvent::Lost { gap, why, .. } => assert!(!gap, "{why}"),
                _ => (),
            }
        }
    }
}

async fn said(client: &mut Client, conversation: ConversationId) -> Vec<String> {
    client.open(conversation);
    loop {
        if let Some(NetEvent::Frame(frame)) = client.next().await
            && let ServerFrame::Thread(thread) = *frame
        {
            return thread.messages.into_iter().map(|message| message.body.text).collect();
        }
    }
}

fn all(count: usize) -> Vec<String> {
    std::iter::once("hello".into()).chain((0..count).map(|number| format!("note {number}"))).collect()
}

on_both!(promise_8_a_line_that_breaks_all_the_time_loses_and_repeats_nothing, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let (thread, _) = house.writes("15550001", "hello").await;
    house.store.advance(Duration::from_secs(1));
    let mut client = line(&desk, &ana);
    notes(&mut client, thread, 30, |client, number| {
        house.store.advance(Duration::from_secs(1));
        if number % 3 != 0 {
            client.cut();
        }
    })
    .await;
    assert_eq!(said(&mut client, thread).await, all(30));
    assert_eq!(client.stats().gaps, 0);
    assert!(client.stats().welcomes > 10, "{:?}", client.stats());
});

#[tokio::test]
async fn a_database_that_comes_back_finds_everybody_there() {
    let Some(store) = TestStore::postgres().await else {
        return left_out("a_database_that_comes_back_finds_everybody_there");
    };
    let house = House::open(store).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let (thread, _) = house.writes("15550001", "hello").await;
    house.store.advance(Duration::from_secs(1));
    let mut client = line(&desk, &ana);
    notes(&mut client, thread, 1, |_, _| ()).await;
    let_in(&house.store.url, false).await;
    house.store.advance(Duration::from_secs(1));
    // Given to a server that cannot reach its store: nobody says that it was done.
    client.command(thread, Act::Note { text: "note 1".into() });
    let mut lost = 0;
    while lost < 3 {
        match client.next().await.unwrap() {
            NetEvent::Answer { answer, .. } => panic!("{answer:?}"),
            NetEvent::Lost { .. } => lost += 1,
            _ => (),
        }
    }
    let_in(&house.store.url, true).await;
    while client.unanswered() > 0 {
        client.next().await.unwrap();
    }
    assert_eq!(said(&mut client, thread).await, all(2));
    assert_eq!(client.stats().gaps, 0);
    // The feed goes on as well.
    let (next, _) = house.writes("15550002", "hello").await;
    loop {
        if let Some(NetEvent::Frame(frame)) = client.next().await
            && let ServerFrame::Events(events) = *frame
            && events.events.iter().any(|event| event.conversation == Some(next))
        {
            break;
        }
    }
}

/// Somebody else's, in another database of the same cluster. What was committed meanwhile is not seen,
/// so no screen is told that it shows the present; whoever acts is answered all the same.
#[tokio::test]
async fn promise_8_a_transaction_left_open_in_the_cluster_only_delays() {
    let Some(store) = TestStore::postgres().await else {
        return left_out("promise_8_a_transaction_left_open_in_the_cluster_only_delays");
    };
    let house = House::open(store).await;
    let beat = Duration::from_millis(1);
    let desk = house.serve_with(Options { heartbeat: beat, poll: beat, ..Options::default() }).await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let (thread, _) = house.writes("15550001", "hello").await;
    let mut screen = Screen::open(&desk, &ana).await;
    let hold = Hold::begin().await;
    house.store.advance(Duration::from_secs(1));
    let (next, _) = house.writes("15550002", "hello").await;
    // What came before it may still be told; then nothing, however often the server looks.
    let (mut quiet, mut acts) = (0, 0);
    while quiet < 50 {
        assert!(acts < 500, "a screen is told again and again that it shows the present");
        house.store.advance(Duration::from_secs(1));
        let before = screen.frames;
        let answer = screen.act(&house, thread, Act::Note { text: format!("note {acts}") }).await;
        assert!(matches!(answer, Answer::Done { .. }), "{answer:?}");
        acts += 1;
        quiet = if screen.frames == before { quiet + 1 } else { 0 };
    }
    assert!(!screen.rows.contains_key(&next));
    hold.end().await;
    screen.shows(next, |_| true).await;
}

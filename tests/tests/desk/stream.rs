//! What agents are shown.

use std::time::Duration;

use baton_server::{
    inbox::{
        Options, Snapshot,
        roles::Viewer,
        stream::{self, Follower},
    },
    store::{
        agents,
        events::{self, Position},
    },
};
use baton_shared::{
    Epoch, MessageId, Role,
    protocol::{Act, ClientFrame, Cursor, ProblemCode, Refusal, ServerFrame},
};
use baton_tests::{on_both, store::TestStore};

use crate::{
    acts::{epoch, refusal},
    house::{House, Screen, team_only},
};

on_both!(promise_8_no_event_is_missed_over_many_connections, |store| {
    let house = House::open(store).await;
    let (desk, other) = (house.serve().await, house.another().await);
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let mut screen = Screen::open(&desk, &ana).await;
    let begun = screen.events.len();
    let writing = async {
        let mut written = vec![];
        for round in 0..60 {
            written.push(house.writes(&format!("1555{}", round % 7), "more").await.1);
        }
        written
    };
    let reading = async {
        for round in 0..25 {
            for _ in 0..round % 3 {
                screen.next().await;
            }
            screen.reconnect(if round % 2 == 0 { &other } else { &desk }).await;
        }
        screen
    };
    let (written, mut screen) = tokio::join!(writing, reading);
    let last = *written.last().unwrap();
    screen.until(|screen| screen.events.iter().any(|event| event.message == Some(last))).await;
    assert_eq!(screen.snapshots, 1, "a good cursor is followed by what was missed");
    let shown: Vec<MessageId> = screen.events[begun..].iter().filter_map(|event| event.message).collect();
    let mut reader = house.context.db.reader().await.unwrap();
    let stored = events::after(reader.conn(), Position::START, 1_000).await.unwrap();
    let stored: Vec<MessageId> = stored.into_iter().filter_map(|event| event.message).collect();
    assert_eq!(shown, stored, "each event once, in order");
});

on_both!(promise_8_a_cursor_that_is_worth_nothing_gets_a_snapshot, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let (thread, _) = house.writes("15550001", "hello").await;
    house.store.advance(Duration::from_secs(1));
    let now = house.moment().now;
    // A transaction elsewhere in the cluster may hold the horizon back for a moment.
    while house.write(move |tx| Box::pin(events::forget(tx, now, 100))).await == 0 {}
    house.writes("15550001", "hello again").await;
    let mut screen = Screen::open(&desk, &ana).await;
    let good = screen.through.clone().unwrap().0;
    let (stream, rest) = good.split_once('.').unwrap();
    let foreign = format!("{}.{rest}", stream.chars().rev().collect::<String>());
    let future = format!("{stream}.a.7fffffffffffffff.7fffffffffffffff");
    let ancient = format!("{stream}.a.0.0");
    let others = format!("{stream}.n.{}", rest.split_once('.').unwrap().1);
    for (number, cursor) in [foreign, future, ancient, others, String::new(), "💥".into()].into_iter().enumerate() {
        screen.through = Some(Cursor(cursor.clone()));
        screen.reconnect(&desk).await;
        screen.until(|screen| screen.snapshots == number + 2).await;
        assert!(screen.rows.contains_key(&thread), "{cursor}");
    }
    screen.reconnect(&desk).await;
    let (next, _) = house.writes("15550002", "hello").await;
    screen.until(|screen| screen.rows.contains_key(&next)).await;
    assert_eq!(screen.snapshots, 7, "a good one goes on");
});

on_both!(promise_8_the_place_moves_although_nothing_happens, |store| {
    let house = House::open(store).await;
    let heartbeat = Duration::from_millis(50);
    let desk = house.serve_with(Options { heartbeat, poll: heartbeat, ..Options::default() }).await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let mut screen = Screen::open(&desk, &ana).await;
    for _ in 0..5 {
        screen
            .expect(|frame| matches!(frame, ServerFrame::Events(events) if events.events.is_empty()).then_some(()))
            .await;
    }
});

on_both!(history_comes_in_pages_without_gap_or_repeat, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let mut screen = Screen::open(&desk, &ana).await;
    let mut said = vec![];
    for _ in 0..24 {
        let five = [("15550001", "a"), ("15550001", "b"), ("15550001", "c"), ("15550001", "d"), ("15550001", "e")];
        said.extend(house.many_write(house.channel, &five).await.into_iter().map(|(_, message)| message));
        house.store.advance(Duration::from_millis(700));
    }
    let (thread, _) = house.writes("15550001", "last").await;
    let mut taken = 1;
    epoch(&screen.act(&house, thread, Act::Take { epoch: Epoch(1) }).await);
    let newest = screen.follow(thread).await;
    assert!(newest.more);
    let mut marks = newest.marks;
    let mut page = newest.messages;
    let mut read: Vec<MessageId> = vec![];
    loop {
        assert!(page.is_sorted_by_key(|message| message.place));
        read.splice(0..0, page.iter().map(|message| message.id));
        let before = page[0].place;
        screen.say(&ClientFrame::History { conversation: thread, before }).await;
        let (older, more, more_marks) = screen
            .expect(|frame| match frame {
                ServerFrame::History { messages, more, marks, .. } => Some((messages, more, marks)),
                _ => None,
            })
            .await;
        marks.extend(more_marks);
        taken += 1;
        page = older;
        if !more {
            read.splice(0..0, page.iter().map(|message| message.id));
            break;
        }
    }
    read.pop();
    assert_eq!((taken, read), (3, said));
    assert_eq!(marks.iter().map(|mark| mark.kind.as_str()).collect::<Vec<_>>(), ["taken"]);
});

on_both!(a_wall_of_text_comes_in_frames_that_fit, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let mut screen = Screen::open(&desk, &ana).await;
    let (thread, _) = house.writes("15550001", "hello").await;
    screen.follow(thread).await;
    let wall = "e\u{301}\u{301}\u{301}".repeat(9_000);
    let said = house.many_write(house.channel, &[("15550001", wall.as_str()); 100]).await;
    screen.until(|screen| said.iter().all(|(_, message)| screen.messages.contains_key(message))).await;
    // Pages are shorter then, and all of it is there.
    let mut page = screen.follow(thread).await.messages;
    let mut read = page.len();
    loop {
        let before = page[0].place;
        screen.say(&ClientFrame::History { conversation: thread, before }).await;
        let (older, more) = screen
            .expect(|frame| match frame {
                ServerFrame::History { messages, more, .. } => Some((messages, more)),
                _ => None,
            })
            .await;
        read += older.len();
        if !more {
            break;
        }
        page = older;
    }
    assert_eq!(read, 101);
});

on_both!(promise_8_what_was_said_in_an_open_conversation_while_nobody_listened_comes_too, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let mut screen = Screen::open(&desk, &ana).await;
    let (thread, _) = house.writes("15550001", "hello").await;
    screen.follow(thread).await;
    // More than a page of it, so that the page that comes with the thread cannot hold them all.
    let said = house.many_write(house.channel, &[("15550001", "more"); 80]).await;
    screen.reconnect(&desk).await;
    screen.until(|screen| said.iter().all(|(_, message)| screen.messages.contains_key(message))).await;
    assert_eq!(screen.snapshots, 1, "it went on where it was");
});

#[tokio::test]
async fn promise_10_a_row_that_makes_no_sense_hides_nobody_else() {
    let house = House::open(TestStore::sqlite().await).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let mut screen = Screen::open(&desk, &ana).await;
    let (broken, _) = house.writes("15550001", "hello").await;
    screen.until(|screen| screen.rows.contains_key(&broken)).await;
    let raw = sqlx::SqlitePool::connect(&house.store.url).await.unwrap();
    let tamper = sqlx::query("update conversation set control = 'waiting' where id = $1");
    tamper.bind(broken).execute(&raw).await.unwrap();
    let (whole, _) = house.writes("15550002", "hello").await;
    screen.until(|screen| screen.rows.contains_key(&whole)).await;
    let mut again = Screen::open(&desk, &ana).await;
    again.until(|screen| screen.rows.contains_key(&whole)).await;
    assert!(!again.rows.contains_key(&broken));
}

on_both!(a_closed_conversation_sends_no_messages, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let mut screen = Screen::open(&desk, &ana).await;
    let (thread, first) = house.writes("15550001", "hello").await;
    screen.follow(thread).await;
    let (_, second) = house.writes("15550001", "again").await;
    screen.until(|screen| screen.messages.contains_key(&second)).await;
    screen.say(&ClientFrame::Close { conversation: thread }).await;
    // Answered in order: from here on it is closed.
    let nowhere = house.context.ids.next(house.moment().now);
    screen.say(&ClientFrame::Open { conversation: nowhere }).await;
    screen
        .expect(|frame| matches!(frame, ServerFrame::Problem { code: ProblemCode::NotAllowed, .. }).then_some(()))
        .await;
    let (_, third) = house.writes("15550001", "and again").await;
    screen.until(|screen| screen.events.iter().any(|event| event.message == Some(third))).await;
    assert!(screen.messages.contains_key(&first) && !screen.messages.contains_key(&third));
    assert_eq!(screen.rows[&thread].last.as_ref().unwrap().text, "and again");
});

on_both!(what_leaves_a_teams_view_is_gone, |store| {
    let house = House::with(store, team_only).await;
    let desk = house.serve().await;
    let theirs = house.context.ids.next(house.moment().now);
    house.put_channel(theirs, "1066", "south").await;
    let ana = house.sign_in_to_team(&desk, "Ana", Role::Agent, "north").await;
    let sue = house.sign_in_to_team(&desk, "Sue", Role::Agent, "south").await;
    let (mut anas, mut sues) = (Screen::open(&desk, &ana).await, Screen::open(&desk, &sue).await);
    let (bots, _) = house.writes_to(theirs, "15550001", "hello").await;
    let (open, _) = house.writes("15550002", "hello").await;
    // The bot's conversations are the team's to watch; a channel without a team is everybody's.
    sues.until(|screen| screen.rows.len() == 2).await;
    anas.until(|screen| screen.rows.contains_key(&open)).await;
    assert!(!anas.rows.contains_key(&bots));
    assert!(anas.events.iter().all(|event| event.conversation != Some(bots)), "not even that something happened");

    // What waits for a person is in everybody's queue, until somebody has it.
    let waits = Act::Escalate { epoch: Epoch(1), reason: String::new() };
    epoch(&sues.act(&house, bots, waits).await);
    anas.until(|screen| screen.rows.contains_key(&bots)).await;
    anas.follow(bots).await;
    epoch(&sues.act(&house, bots, Act::Take { epoch: Epoch(2) }).await);
    anas.until(|screen| screen.gone == [bots]).await;
    let (_, more) = house.writes_to(theirs, "15550001", "still there?").await;
    let (_, last) = house.writes("15550002", "hello").await;
    anas.until(|screen| screen.events.iter().any(|event| event.message == Some(last))).await;
    assert!(!anas.messages.contains_key(&more));
    anas.say(&ClientFrame::Open { conversation: bots }).await;
    anas.expect(|frame| matches!(frame, ServerFrame::Problem { code: ProblemCode::NotAllowed, .. }).then_some(()))
        .await;
    assert_eq!(refusal(&anas.act(&house, bots, Act::Note { text: "hm".into() }).await), Refusal::NotFound);
});

on_both!(promise_8_the_stream_needs_no_socket, |store| {
    let house = House::open(store).await;
    let (id, _) = house.person("Ana", Role::Agent, "").await;
    let agent = agents::by_id(house.context.db.reader().await.unwrap().conn(), id).await.unwrap().unwrap();
    let viewer = Viewer { agent, agents_see: house.context.settings.inbox.agents_see };
    let mut follower = Follower::new(viewer, stream::name(&house.context).await.unwrap());
    let frames = follower.snapshot(&Snapshot::read(&house.context).await.unwrap());
    assert!(matches!(frames[0], ServerFrame::Snapshot { .. }));
    let (thread, first) = house.writes("15550001", "hello").await;
    follower.open(thread);
    let mut through = follower.cursor();
    let mut heard = vec![];
    // A transaction elsewhere in the cluster may hold the horizon back for a moment.
    while heard.is_empty() {
        let events = stream::after(&house.context, &mut follower).await.unwrap();
        assert_eq!(events.after, through);
        through = events.through;
        heard.extend(events.messages);
    }
    assert_eq!(heard.iter().map(|message| message.id).collect::<Vec<_>>(), [first]);
});

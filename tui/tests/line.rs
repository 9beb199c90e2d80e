//! The line to the server, against a server of a few lines that speaks the real frames.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{sync::Arc, time::Duration};

use baton::net::{Address, Client, NetEvent, Settings, Stop, Timing, Unanswered};
use baton_shared::{
    AgentId, CommandId, Control, ConversationId, Epoch, Ids, ManualClock, Micros, Role, Window,
    protocol::{
        Act, Answer, Card, ClientFrame, Command, Cursor, Events, Person, ProblemCode, Row, ServerFrame, Thread,
    },
};
use futures::{SinkExt, StreamExt};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Notify,
};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{ErrorResponse, Request, Response},
    },
};

const NOW: Micros = Micros::from_seconds(1_700_000_000);

/// The server's side of the wire.
struct Desk {
    listener: TcpListener,
}

struct Peer {
    wire: WebSocketStream<TcpStream>,
}

impl Desk {
    async fn bind() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").await.unwrap() }
    }

    fn address(&self) -> Address {
        format!("http://{}", self.listener.local_addr().unwrap()).parse().unwrap()
    }

    /// Lets a client in that shows the right token, and tells its hello.
    async fn accept(&self) -> (Peer, Option<Cursor>, Vec<ConversationId>) {
        let (stream, _) = self.listener.accept().await.unwrap();
        #[expect(clippy::result_large_err, reason = "the signature is tungstenite's")]
        let check = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
            assert_eq!(request.uri().path(), "/inbox");
            assert_eq!(request.headers()["authorization"], "Bearer open sesame");
            Ok(response)
        };
        let mut peer = Peer { wire: accept_hdr_async(stream, check).await.unwrap() };
        let ClientFrame::Hello { resume, open, .. } = peer.heard().await else { panic!("no hello") };
        (peer, resume, open)
    }

    async fn welcome(&self) -> (Peer, Option<Cursor>, Vec<ConversationId>) {
        let (mut peer, resume, open) = self.accept().await;
        peer.say(ServerFrame::Welcome { protocol: 1, build: "test".into(), me: me(), now: NOW }).await;
        (peer, resume, open)
    }
}

impl Peer {
    async fn say(&mut self, frame: ServerFrame) {
        self.wire.send(Message::text(serde_json::to_string(&frame).unwrap())).await.unwrap();
    }

    /// The next frame that is not about presence.
    async fn heard(&mut self) -> ClientFrame {
        loop {
            let message = self.wire.next().await.expect("the client hung up").unwrap();
            if let Message::Text(text) = message {
                let frame = serde_json::from_str(&text).unwrap();
                if !matches!(frame, ClientFrame::Here(_)) {
                    return frame;
                }
            }
        }
    }
}

fn me() -> Person {
    Person { id: AgentId(Ids::seeded(9).next::<AgentId>(NOW).0), name: "Ana".into(), role: Role::Agent }
}

fn timing() -> Timing {
    Timing { first_retry: Duration::from_millis(2), last_retry: Duration::from_millis(20), ..Timing::default() }
}

fn client(desk: &Desk, timing: Timing) -> (Client, Arc<ManualClock>) {
    let settings = Settings { address: desk.address(), token: "open sesame".into(), build: "test".into(), timing };
    let clock = Arc::new(ManualClock::at(NOW));
    (Client::new(settings, clock.clone(), Arc::new(Ids::seeded(1))), clock)
}

fn conversation() -> ConversationId {
    Ids::seeded(5).next(NOW)
}

fn snapshot(as_of: &str) -> ServerFrame {
    ServerFrame::Snapshot { as_of: Cursor(as_of.into()), rows: vec![], people: vec![] }
}

fn events(after: &str, through: &str) -> ServerFrame {
    ServerFrame::Events(Events {
        after: Cursor(after.into()),
        through: Cursor(through.into()),
        now: NOW,
        events: vec![],
        rows: vec![],
        messages: vec![],
        cards: vec![],
        gone: vec![],
        people: vec![],
    })
}

fn thread(conversation: ConversationId) -> ServerFrame {
    let row = Row {
        conversation,
        version: 1,
        channel: "shop".into(),
        customer: "Marina".into(),
        handle: "…01".into(),
        control: Control::Bot,
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
        updated_at: NOW,
    };
    let card = Card {
        conversation,
        version: 1,
        handoffs: vec![],
        proposals: vec![],
        marketing: None,
        merged: None,
        free_entry: None,
        facts: vec![],
        blocked_at: None,
    };
    ServerFrame::Thread(Box::new(Thread { row, messages: vec![], marks: vec![], more: false, card, draft: None }))
}

fn done() -> Answer {
    Answer::Done { epoch: Epoch(2), message: None, last_bot_word: None, settles_by: None }
}

fn taken(frame: ClientFrame) -> CommandId {
    let ClientFrame::Command(Command { id, act: Act::Take { .. }, .. }) = frame else { panic!("{frame:?}") };
    id
}

async fn until(client: &mut Client, wanted: impl Fn(&NetEvent) -> bool) -> NetEvent {
    let search = async {
        loop {
            let event = client.next().await.expect("the client goes on");
            if wanted(&event) {
                return event;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), search).await.expect("it happens in time")
}

/// Waits for the server's part while the client goes on.
async fn either<T>(server: impl Future<Output = T>, agent: impl Future<Output = ()>) -> T {
    tokio::select! {
        peer = server => peer,
        () = agent => panic!("the client ended first"),
        () = tokio::time::sleep(Duration::from_secs(20)) => panic!("the server waits for something"),
    }
}

fn is_frame(event: &NetEvent) -> bool {
    matches!(event, NetEvent::Frame(_))
}

#[tokio::test]
async fn events_that_follow_are_passed_on_and_resumed_from() {
    let desk = Desk::bind().await;
    let (mut client, _) = client(&desk, timing());
    let applied = Notify::new();
    let server = async {
        let (mut peer, resume, _) = desk.welcome().await;
        assert_eq!(resume, None);
        peer.say(snapshot("a")).await;
        peer.say(events("a", "b")).await;
        peer.say(events("b", "c")).await;
        applied.notified().await;
        drop(peer);
        let (mut peer, resume, _) = desk.welcome().await;
        assert_eq!(resume, Some(Cursor("c".into())));
        peer.say(events("c", "d")).await;
        peer
    };
    let agent = async {
        for _ in 0..3 {
            until(&mut client, is_frame).await;
        }
        applied.notify_one();
        until(&mut client, is_frame).await;
        assert_eq!(client.through(), Some(&Cursor("d".into())));
        assert_eq!((client.stats().gaps, client.stats().frames, client.stats().welcomes), (0, 3, 2));
    };
    tokio::join!(server, agent);
}

#[tokio::test]
async fn promise_8_a_gap_is_seen_and_everything_asked_for_again() {
    let desk = Desk::bind().await;
    let (mut client, _) = client(&desk, timing());
    let server = async {
        let (mut peer, ..) = desk.welcome().await;
        peer.say(snapshot("a")).await;
        peer.say(events("b", "c")).await;
        let (mut next, resume, _) = desk.welcome().await;
        assert_eq!(resume, None, "a client that missed something does not resume");
        next.say(snapshot("c")).await;
        (peer, next)
    };
    let agent = async {
        until(&mut client, is_frame).await;
        let lost = until(&mut client, |event| matches!(event, NetEvent::Lost { .. } | NetEvent::Frame(_))).await;
        assert!(
            matches!(lost, NetEvent::Lost { gap: true, .. }),
            "the events behind the gap are not passed on: {lost:?}"
        );
        until(&mut client, is_frame).await;
        assert_eq!(client.stats().gaps, 1);
    };
    tokio::join!(server, agent);
}

#[tokio::test]
async fn promise_8_a_thread_that_comes_after_it_was_closed_is_not_shown() {
    let desk = Desk::bind().await;
    let (mut client, _) = client(&desk, timing());
    let closed = conversation();
    let server = async {
        let (mut peer, ..) = desk.welcome().await;
        peer.say(snapshot("a")).await;
        assert!(matches!(peer.heard().await, ClientFrame::Open { conversation } if conversation == closed));
        assert!(matches!(peer.heard().await, ClientFrame::Close { conversation } if conversation == closed));
        peer.say(thread(closed)).await;
        peer.say(events("a", "b")).await;
        peer
    };
    let agent = async {
        until(&mut client, is_frame).await;
        client.open(closed);
        client.close_conversation(closed);
        let next = until(&mut client, is_frame).await;
        assert!(
            matches!(&next, NetEvent::Frame(frame) if matches!(**frame, ServerFrame::Events(_))),
            "nothing would keep that thread up to date: {next:?}"
        );
    };
    tokio::join!(server, agent);
}

#[tokio::test]
async fn promise_5_a_command_is_sent_until_it_is_answered_under_one_id() {
    let desk = Desk::bind().await;
    let (mut client, _) = client(&desk, timing());
    let server = async {
        let (mut peer, ..) = desk.welcome().await;
        let first = taken(peer.heard().await);
        drop(peer);
        let (mut peer, ..) = desk.welcome().await;
        assert_eq!(taken(peer.heard().await), first);
        // Answered twice, as a server may that was asked twice.
        peer.say(ServerFrame::Answer { id: first, answer: done() }).await;
        peer.say(ServerFrame::Answer { id: first, answer: done() }).await;
        peer.say(snapshot("a")).await;
        peer
    };
    let agent = async {
        assert_eq!(client.act(conversation(), Act::Take { epoch: Epoch(1) }).await, Ok(done()));
        let next = until(&mut client, |event| {
            !matches!(
                event,
                NetEvent::RoundTrip(_) | NetEvent::Lost { .. } | NetEvent::Connecting { .. } | NetEvent::Welcome { .. }
            )
        })
        .await;
        assert!(is_frame(&next), "one answer is enough: {next:?}");
        assert_eq!(client.unanswered(), 0);
    };
    tokio::join!(server, agent);
}

#[tokio::test]
async fn commands_of_an_earlier_run_go_out_unless_they_grew_old() {
    let desk = Desk::bind().await;
    let (mut client, _) = client(&desk, timing());
    let ids = Ids::seeded(3);
    let command = || Command { id: ids.next(NOW), conversation: conversation(), act: Act::Take { epoch: Epoch(1) } };
    let (old, fresh) = (command(), command());
    client.restore(vec![
        Unanswered { made_at: NOW.minus(Duration::from_secs(3600)), command: old.clone() },
        Unanswered { made_at: NOW.minus(Duration::from_secs(60)), command: fresh.clone() },
    ]);
    let server = async {
        let (mut peer, ..) = desk.welcome().await;
        assert_eq!(taken(peer.heard().await), fresh.id);
        peer
    };
    let agent = async {
        let event = until(&mut client, |event| matches!(event, NetEvent::Expired(_))).await;
        assert_eq!(event, NetEvent::Expired(Box::new(old.clone())));
        while client.next().await.is_some() {}
    };
    either(server, agent).await;
}

#[tokio::test]
async fn open_conversations_are_named_again_and_nothing_counts_until_the_snapshot_of_a_resync() {
    let desk = Desk::bind().await;
    let (mut client, _) = client(&desk, timing());
    client.open(conversation());
    let server = async {
        let (peer, _, open) = desk.welcome().await;
        assert_eq!(open, [conversation()]);
        drop(peer);
        let (mut peer, _, open) = desk.welcome().await;
        assert_eq!(open, [conversation()]);
        peer.say(snapshot("a")).await;
        peer.say(ServerFrame::Resync { why: "slow".into() }).await;
        peer.say(events("x", "y")).await;
        peer.say(snapshot("z")).await;
        peer.say(events("z", "zz")).await;
        peer
    };
    let agent = async {
        for _ in 0..3 {
            until(&mut client, is_frame).await;
        }
        assert_eq!((client.stats().gaps, client.stats().snapshots, client.stats().frames), (0, 2, 1));
    };
    tokio::join!(server, agent);
}

#[tokio::test]
async fn what_is_opened_and_closed_between_hello_and_welcome_is_said_after_it() {
    let desk = Desk::bind().await;
    let (mut client, _) = client(&desk, timing());
    let other: ConversationId = Ids::seeded(6).next(NOW);
    client.open(conversation());
    let greeted = Notify::new();
    let server = async {
        let (mut peer, _, open) = desk.accept().await;
        assert_eq!(open, [conversation()]);
        greeted.notify_one();
        // The agent acts before the next frame is looked at.
        tokio::task::yield_now().await;
        peer.say(ServerFrame::Welcome { protocol: 1, build: "test".into(), me: me(), now: NOW }).await;
        assert_eq!(peer.heard().await, ClientFrame::Open { conversation: other });
        assert_eq!(peer.heard().await, ClientFrame::Close { conversation: conversation() });
    };
    let agent = async {
        loop {
            tokio::select! {
                biased;
                () = greeted.notified() => {
                    client.open(other);
                    client.close_conversation(conversation());
                }
                event = client.next() => assert!(event.is_some()),
            }
        }
    };
    either(server, agent).await;
}

#[tokio::test]
async fn a_silent_server_is_lost_and_a_moving_one_is_left() {
    let desk = Desk::bind().await;
    let quick = Timing { silence: Duration::from_millis(60), ..timing() };
    let (mut client, _) = client(&desk, quick);
    let server = async {
        let (silent, ..) = desk.welcome().await;
        let (mut moving, ..) = desk.welcome().await;
        moving.say(ServerFrame::Moving { wait_ms: 5 }).await;
        let (mut peer, ..) = desk.welcome().await;
        peer.say(snapshot("a")).await;
        (silent, moving, peer)
    };
    let agent = async {
        let lost = |event: &NetEvent| matches!(event, NetEvent::Lost { .. });
        let NetEvent::Lost { why, .. } = until(&mut client, lost).await else { unreachable!() };
        assert!(why.contains("silent"), "{why}");
        let NetEvent::Lost { retry_in, .. } = until(&mut client, lost).await else { unreachable!() };
        assert!(retry_in >= Duration::from_millis(5), "{retry_in:?}");
        until(&mut client, is_frame).await;
    };
    tokio::join!(server, agent);
}

#[tokio::test]
async fn another_version_stops_the_client_with_a_sentence() {
    let desk = Desk::bind().await;
    let (mut client, _) = client(&desk, timing());
    let server = async {
        let (mut peer, ..) = desk.accept().await;
        let why = "this server speaks 3 to 4: install baton 2.0".to_owned();
        peer.say(ServerFrame::Problem { code: ProblemCode::Version, why, fatal: true }).await;
        peer
    };
    let agent = async {
        let stopped = until(&mut client, |event| matches!(event, NetEvent::Stopped(_))).await;
        let sentence = "this server speaks 3 to 4: install baton 2.0".to_owned();
        assert_eq!(stopped, NetEvent::Stopped(Stop::Version(sentence)));
        assert_eq!(client.next().await, None);
    };
    tokio::join!(server, agent);
}

#[tokio::test]
async fn a_younger_server_is_refused_by_the_client_itself() {
    let desk = Desk::bind().await;
    let (mut client, _) = client(&desk, timing());
    let server = async {
        let (mut peer, ..) = desk.accept().await;
        peer.say(ServerFrame::Welcome { protocol: 9, build: "9.0".into(), me: me(), now: NOW }).await;
        peer
    };
    let agent = async {
        let NetEvent::Stopped(Stop::Version(why)) = until(&mut client, |e| matches!(e, NetEvent::Stopped(_))).await
        else {
            unreachable!()
        };
        assert_eq!(why, "the server (9.0) speaks protocol 9, this client 1: update this client");
    };
    tokio::join!(server, agent);
}

#[tokio::test]
async fn garbage_and_younger_frames_harm_nothing() {
    let desk = Desk::bind().await;
    let (mut client, _) = client(&desk, timing());
    let server = async {
        let (mut peer, ..) = desk.welcome().await;
        for garbage in ["", "{", "[]", r#"{"type":"events"}"#, r#"{"type":"hologram"}"#, "\u{0}"] {
            peer.wire.send(Message::text(garbage)).await.unwrap();
        }
        peer.wire.send(Message::binary(vec![0xFF, 0xFE])).await.unwrap();
        peer.say(snapshot("a")).await;
        peer
    };
    let agent = async {
        until(&mut client, is_frame).await;
        assert_eq!((client.stats().unreadable, client.stats().unknown), (6, 1));
    };
    tokio::join!(server, agent);
}

#[tokio::test]
async fn a_nudge_does_not_wait_for_the_next_try() {
    let desk = Desk::bind().await;
    let patient = Timing { first_retry: Duration::from_secs(3600), last_retry: Duration::from_secs(3600), ..timing() };
    let (mut client, _) = client(&desk, patient);
    let server = async {
        drop(desk.welcome().await);
        desk.welcome().await
    };
    let agent = async {
        until(&mut client, |event| matches!(event, NetEvent::Lost { .. })).await;
        client.nudge();
        until(&mut client, |event| matches!(event, NetEvent::Welcome { .. })).await;
    };
    tokio::join!(server, agent);
}

#[tokio::test]
async fn a_wait_that_is_cancelled_loses_nothing() {
    let desk = Desk::bind().await;
    let (mut client, clock) = client(&desk, timing());
    let server = async {
        let (mut peer, ..) = desk.welcome().await;
        peer.say(snapshot("0")).await;
        for n in 0..50 {
            peer.say(events(&n.to_string(), &(n + 1).to_string())).await;
        }
        for _ in 0..20 {
            peer.heard().await;
        }
        peer
    };
    let agent = async {
        let mut frames = 0;
        for n in 0..20 {
            client.command(conversation(), Act::Note { text: n.to_string() });
        }
        while frames < 51 {
            clock.advance(Duration::from_millis(1));
            let event = tokio::select! {
                biased;
                event = client.next() => event,
                () = tokio::task::yield_now() => continue,
            };
            frames += u64::from(event.is_some_and(|event| is_frame(&event)));
        }
        assert_eq!((client.stats().gaps, client.unanswered()), (0, 20));
        while client.next().await.is_some() {}
    };
    either(server, agent).await;
}

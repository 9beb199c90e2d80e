//! The real program in a real terminal, against a server of a few lines that speaks the real frames.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "clippy takes the helpers of a test for no test")]

use std::{
    io::{Read, Write},
    num::NonZero,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    time::Duration,
};

use baton::{net::Address, session::Session};
use baton_shared::{
    AgentId, Control, ConversationId, Epoch, Ids, MessageId, Micros, Role, Window,
    message::{Author, Body, Message, Place},
    protocol::{Act, Answer, Card, ClientFrame, Command, Cursor, Draft, Person, Row, ServerFrame, SignedIn, Thread},
};
use futures::{SinkExt, StreamExt};
use portable_pty::{Child, CommandBuilder, PtySize, native_pty_system};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{WebSocketStream, accept_async, tungstenite};

const PATIENCE: Duration = Duration::from_secs(60);
const NAME: &str = "Marina\u{1b}]0;owned\u{7}\u{1b}]52;c;ZXZpbA==\u{7}\u{9b}31m";

/// A server that lets one agent own one conversation, and tells the commands that it was given.
struct Desk {
    address: Address,
    commands: Receiver<Command>,
    /// Whether it answers commands.
    answers: Arc<AtomicBool>,
}

impl Desk {
    fn start() -> Self {
        let (sender, commands) = channel();
        let answers = Arc::new(AtomicBool::new(true));
        let answering = answers.clone();
        let (ready, started) = channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                ready.send(listener.local_addr().unwrap()).unwrap();
                let mut draft = None;
                while let Ok((stream, _)) = listener.accept().await {
                    serve(accept_async(stream).await.unwrap(), &sender, &answering, &mut draft).await;
                }
            });
        });
        let address = format!("http://{}", started.recv_timeout(PATIENCE).unwrap()).parse().unwrap();
        Self { address, commands, answers }
    }

    /// A home in which somebody is signed in.
    fn home(&self) -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        let granted = SignedIn { token: "token".into(), me: me() };
        Session::new(&self.address, granted, false).save(&home.path().join(".config/baton/session.json")).unwrap();
        home
    }
}

async fn serve(
    mut wire: WebSocketStream<TcpStream>,
    commands: &Sender<Command>,
    answers: &AtomicBool,
    draft: &mut Option<Draft>,
) {
    while let Some(Ok(message)) = wire.next().await {
        let tungstenite::Message::Text(text) = message else { continue };
        let frames = match serde_json::from_str(&text).unwrap() {
            ClientFrame::Hello { .. } => vec![
                ServerFrame::Welcome { protocol: 1, build: "test".into(), me: me(), now: now() },
                ServerFrame::Snapshot { as_of: Cursor("0".into()), rows: vec![row()], people: vec![me()] },
            ],
            ClientFrame::Open { .. } => vec![ServerFrame::Thread(Box::new(thread(draft.clone())))],
            ClientFrame::Draft { conversation, text, based_on } => {
                *draft = Some(Draft { text, revision: based_on + 1, written_at: now() });
                vec![ServerFrame::DraftSaved { conversation, revision: based_on + 1 }]
            }
            ClientFrame::Command(command) => {
                let answer = Answer::Done { epoch: Epoch(1), message: None, last_bot_word: None, settles_by: None };
                let frame = ServerFrame::Answer { id: command.id, answer };
                if !matches!(command.act, Act::Read { .. }) {
                    commands.send(command).unwrap();
                }
                if answers.load(Ordering::SeqCst) { vec![frame] } else { vec![] }
            }
            ClientFrame::Here(_)
            | ClientFrame::Close { .. }
            | ClientFrame::History { .. }
            | ClientFrame::Board
            | ClientFrame::Templates { .. } => vec![],
        };
        for frame in frames {
            let text = serde_json::to_string(&frame).unwrap();
            if wire.send(tungstenite::Message::text(text)).await.is_err() {
                return;
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the program under test reads the machine's clock")]
fn now() -> Micros {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Micros(i64::try_from(since.as_micros()).unwrap())
}

fn me() -> Person {
    let id: AgentId = Ids::seeded(1).next(Micros::ZERO);
    Person { id, name: "Ana".into(), role: Role::Agent }
}

fn conversation() -> ConversationId {
    Ids::seeded(2).next(Micros::ZERO)
}

fn row() -> Row {
    Row {
        conversation: conversation(),
        version: 1,
        channel: "shop".into(),
        customer: NAME.into(),
        handle: "+55 ***21".into(),
        control: Control::Agent { agent: me().id, since: now() },
        epoch: Epoch(1),
        window: Window { closes_at: Some(now().plus(Duration::from_secs(80_000))), overruled: false },
        reason: None,
        waiting_since: None,
        unanswered_since: Some(now()),
        unread: 1,
        last: None,
        bot_busy: false,
        proposals: 0,
        troubles: 0,
        held: 0,
        returns_at: None,
        callback_at: None,
        updated_at: now(),
    }
}

fn thread(draft: Option<Draft>) -> Thread {
    let id: MessageId = Ids::seeded(3).next(Micros::ZERO);
    let at = now().minus(Duration::from_secs(60));
    let message = Message {
        id,
        conversation: conversation(),
        version: 1,
        author: Author::Customer,
        agent: None,
        body: Body::text("Where is my parcel?\u{1b}[2J\u{1b}]52;c;ZXZpbA==\u{7}"),
        place: Place { second: at.seconds(), arrived_at: at, index: 0 },
        at,
        late: false,
        delivery: None,
        problem: None,
        quote: None,
        reactions: vec![],
        edited: None,
        revoked_at: None,
        sent_again: false,
    };
    let card = Card {
        conversation: conversation(),
        version: 1,
        handoffs: vec![],
        proposals: vec![],
        marketing: None,
        merged: None,
        free_entry: None,
        facts: vec![],
        blocked_at: None,
    };
    Thread { row: row(), messages: vec![message], marks: vec![], more: false, card, draft }
}

/// `baton` in a terminal of 100 columns.
struct Terminal {
    emulator: vt100::Parser,
    raw: Vec<u8>,
    output: Receiver<Vec<u8>>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
}

impl Terminal {
    fn open(home: &Path) -> Self {
        let pair = native_pty_system().openpty(PtySize { rows: 30, cols: 100, ..PtySize::default() }).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_baton"));
        command.env_clear();
        for (name, value) in [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("BATON_TEST_PROBES", "none")] {
            command.env(name, value);
        }
        command.env("HOME", home);
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let keys = pair.master.take_writer().unwrap();
        let (sender, output) = channel();
        std::thread::spawn(move || {
            // The terminal stays open for as long as it is read.
            let _master = pair.master;
            let mut chunk = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut chunk) {
                if sender.send(chunk[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        let emulator = vt100::Parser::new(NonZero::new(30).unwrap(), NonZero::new(100).unwrap(), 0);
        Self { emulator, raw: Vec::new(), output, keys, child }
    }

    fn wait_for(&mut self, text: &str) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while !self.emulator.screen().contents().contains(text) {
            let left = deadline.saturating_duration_since(tokio::time::Instant::now());
            let Ok(bytes) = self.output.recv_timeout(left) else {
                panic!("`{text}` was not seen in:\n{}", self.emulator.screen().contents());
            };
            self.emulator.process(&bytes);
            self.raw.extend(bytes);
        }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Types as a person does: each letter is seen before the next.
    fn types(&mut self, text: &str) {
        for at in 1..=text.len() {
            self.press(&text[at - 1..at]);
            self.wait_for(&text[..at]);
        }
    }

    /// Opens the one conversation and begins a reply.
    fn begin_reply(&mut self) {
        self.wait_for("MINE");
        self.press("\r");
        self.wait_for("Where is my parcel?");
        self.press("i");
        self.wait_for("WRITE");
    }
}

#[test]
fn promise_9_what_was_typed_survives_kill_9() {
    let desk = Desk::start();
    let home = desk.home();
    let mut terminal = Terminal::open(home.path());
    terminal.begin_reply();
    terminal.types("half a sentence");
    terminal.wait_for("draft saved");
    terminal.child.kill().unwrap();
    terminal.child.wait().unwrap();

    let mut terminal = Terminal::open(home.path());
    terminal.wait_for("draft");
    terminal.press("\r");
    terminal.wait_for("half a sentence");
    assert!(desk.commands.try_recv().is_err(), "nothing was sent");
}

#[test]
fn promise_9_sigterm_writes_what_was_typed_a_moment_ago() {
    let desk = Desk::start();
    let home = desk.home();
    let mut terminal = Terminal::open(home.path());
    terminal.begin_reply();
    terminal.types("last words");
    let id = terminal.child.process_id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-s", "TERM", &id]).status().unwrap().success());
    terminal.child.wait().unwrap();

    let mut terminal = Terminal::open(home.path());
    terminal.wait_for("draft");
    terminal.press("\r");
    terminal.wait_for("last words");
}

#[test]
fn promise_5_what_nobody_answered_is_sent_again_by_the_next_run_under_the_same_id() {
    let desk = Desk::start();
    let home = desk.home();
    desk.answers.store(false, Ordering::SeqCst);
    let mut terminal = Terminal::open(home.path());
    terminal.begin_reply();
    terminal.types("on its way");
    terminal.wait_for("draft saved");
    terminal.press("\r");
    let first = desk.commands.recv_timeout(PATIENCE).unwrap();
    terminal.child.kill().unwrap();
    terminal.child.wait().unwrap();

    desk.answers.store(true, Ordering::SeqCst);
    let _terminal = Terminal::open(home.path());
    assert_eq!(desk.commands.recv_timeout(PATIENCE).unwrap(), first);
}

#[test]
fn a_paste_is_not_sent_until_enter_is_pressed_twice() {
    let desk = Desk::start();
    let home = desk.home();
    let mut terminal = Terminal::open(home.path());
    terminal.begin_reply();
    terminal.press("\x1b[200~first line\rsecond line\r\x1b[201~");
    // Keys right after the one that began the reply could be taken for a paste themselves.
    terminal.wait_for("draft saved");
    terminal.press("\r");
    terminal.wait_for("pasted 2 lines");
    assert!(desk.commands.try_recv().is_err());
    terminal.press("\r");
    let Act::Send { text, .. } = desk.commands.recv_timeout(PATIENCE).unwrap().act else { panic!("no send") };
    assert_eq!(text, "first line\nsecond line");
}

#[test]
fn promise_12_a_customer_steers_no_terminal_and_leaving_gives_it_back() {
    let desk = Desk::start();
    let home = desk.home();
    let mut terminal = Terminal::open(home.path());
    terminal.begin_reply();
    terminal.press("\x1b");
    terminal.wait_for("NORMAL");
    terminal.press("q");
    terminal.wait_for("is yours: it goes back");
    terminal.press("y");
    while let Ok(bytes) = terminal.output.recv_timeout(PATIENCE) {
        terminal.emulator.process(&bytes);
        terminal.raw.extend(bytes);
    }
    assert!(terminal.child.wait().unwrap().success());
    let raw = String::from_utf8_lossy(&terminal.raw);
    assert!(!raw.contains("\x1b]52;") && !raw.contains("\x1b]0;") && !raw.contains('\u{9b}'));
    assert!(!terminal.emulator.screen().alternate_screen() && !terminal.emulator.screen().bracketed_paste());
}

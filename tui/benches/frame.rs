//! How long a frame takes at 240x70 with 10,000 conversations in the list and 50,000 messages in the
//! thread: from what happened, through `update` and `draw`, to the bytes for the terminal.
//!
//! `cargo bench --workspace --bench frame`. Prints figures, asserts none.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    time::Duration,
};

use baton::{
    action::update,
    event::{Cause, Event},
    keys::Keymap,
    local::Settings,
    net::NetEvent,
    state::{Given, Left, Pane, State},
    term::Screen,
    text::{Clean, Emoji},
    theme::{Ground, Theme, Tier},
    view,
};
use baton_shared::{
    AgentId, Clock, Control, ConversationId, Epoch, Ids, MessageId, Micros, Role, SystemClock, Window,
    message::{Author, Body, Delivery, Message, Place},
    protocol::{Card, Cursor, Events, Person, Preview, Row, ServerFrame, Thread},
};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use hdrhistogram::Histogram;
use jiff::tz::TimeZone;
use ratatui::layout::Size;

const SIZE: (u16, u16) = (240, 70);
const CONVERSATIONS: u64 = 10_000;
const MESSAGES: u64 = 50_000;
const FRAMES: u64 = 1_000;
const BEGAN: Micros = Micros::from_seconds(1_710_252_300);
const SAYINGS: [&str; 4] = [
    "Oi, meu pedido 88121 chegou quebrado e o robô não entende. Quero falar com uma pessoa! 😡",
    "Where is my parcel? I ordered it two weeks ago and nobody answers.",
    "मेरा पार्सल कहाँ है? मैंने इसे दो हफ़्ते पहले मँगवाया था 👨‍👩‍👧",
    "注文した荷物はどこですか？二週間前に注文しました。",
];

fn main() {
    let mut bench = Bench::new();
    println!("a frame at {}x{}, {CONVERSATIONS} conversations, {MESSAGES} messages in the thread", SIZE.0, SIZE.1);
    println!("  what happens                         p50, p99, max ms             bytes a frame");
    bench.measure("time passes, nothing changes", |bench, _| bench.happens(Cause::Tick));
    bench.measure("a row's last message changes", |bench, n| bench.brings(n * 7, 1));
    bench.measure("50 rows change at once", |bench, n| bench.brings(n * 53, 50));
    bench.measure("a new message in the open thread", Bench::says);
    bench.measure("the cursor moves in the list", |bench, n| bench.presses(if n % 200 < 100 { 'j' } else { 'k' }));
    bench.state.focus = Pane::Chat;
    bench.measure("the thread scrolls by a screen", |bench, n| {
        bench.happens(key(if n % 400 < 200 { KeyCode::PageUp } else { KeyCode::PageDown }));
    });
    bench.presses('i');
    bench.measure("a letter is typed", |bench, n| bench.presses(if n % 12 == 11 { ' ' } else { 'e' }));
    bench.measure("the terminal's size changes", |bench, n| {
        let columns = SIZE.0 - u16::try_from(n % 2).expect("it fits");
        bench.screen.resize(Size { width: columns, height: SIZE.1 });
        bench.happens(Cause::Resize { columns, rows: SIZE.1 });
    });
    println!("  memory of all that: {:.1} MB resident", resident());
}

/// Of this process: the inbox's state and what it was made of.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim_end_matches("kB").trim().parse::<f64>().unwrap_or(f64::NAN) * 1_024.0 / 1e6
}

fn key(code: KeyCode) -> Cause {
    Cause::Key(KeyEvent::new(code, KeyModifiers::NONE))
}

struct Bench {
    state: State,
    theme: Theme,
    screen: Screen<Counted>,
    /// The inbox's own time, which frames do not take.
    now: Micros,
    clock: SystemClock,
    version: i64,
    said: u64,
}

/// A terminal that is quicker than any.
#[derive(Default)]
struct Counted(usize);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Bench {
    fn new() -> Self {
        let given = Given {
            label: Clean::from_static("bench"),
            is_production: false,
            zone: TimeZone::UTC,
            emoji: Emoji::Safe,
            patience: Duration::from_secs(300),
            keymap: Keymap::new(&BTreeMap::new(), false).expect("it fits"),
            home: "/home".into(),
            folder: "/home".into(),
            ids: Ids::seeded(42),
        };
        let left = Left { settings: Settings { hints_seen: true, ..Settings::default() }, ..Left::default() };
        let screen = Screen::with_size(Counted::default(), Size { width: SIZE.0, height: SIZE.1 }).expect("it fits");
        let mut bench = Self {
            state: State::new(given, left, SIZE, BEGAN),
            theme: Theme::new(Tier::True, Ground::Dark, false),
            screen,
            now: BEGAN,
            clock: SystemClock::default(),
            version: 1,
            said: MESSAGES,
        };
        let me = Person { id: agent(), name: "Ana Lima".into(), role: Role::Agent };
        bench.happens(Cause::Net(NetEvent::Welcome { me: me.clone(), now: BEGAN }));
        let rows = (0..CONVERSATIONS).map(|n| row(n, 1, BEGAN)).collect();
        bench.server(ServerFrame::Snapshot { as_of: Cursor("0".into()), rows, people: vec![me] });
        // The first of the list is opened; the thread stands for it whichever it is.
        bench.happens(key(KeyCode::Enter));
        let open = bench.state.open.expect("a conversation is open");
        let thread = Thread {
            row: Row { conversation: open, ..row(0, 1, BEGAN) },
            messages: (0..MESSAGES).map(|n| message(open, n)).collect(),
            marks: vec![],
            more: false,
            card: Card {
                conversation: open,
                version: 1,
                handoffs: vec![],
                proposals: vec![],
                marketing: None,
                merged: None,
                free_entry: None,
                facts: vec![],
                blocked_at: None,
            },
            draft: None,
        };
        bench.server(ServerFrame::Thread(Box::new(thread)));
        bench.paint();
        bench
    }

    fn measure(&mut self, what: &str, mut happen: impl FnMut(&mut Self, u64)) {
        let mut took = Histogram::<u64>::new(3).expect("it fits");
        let before = self.screen.out().0;
        for n in 0..FRAMES {
            // Long enough apart that rows may move and keys are no paste.
            self.now = self.now.plus(Duration::from_millis(250));
            let began = self.clock.monotonic();
            happen(self, n);
            self.paint();
            let frame = self.clock.monotonic() - began;
            took.record(u64::try_from(frame.as_micros()).expect("it fits")).expect("it fits");
        }
        let bytes = (self.screen.out().0 - before) / usize::try_from(FRAMES).expect("it fits");
        let millis = |micros: u64| micros as f64 / 1_000.0;
        let at = |quantile| millis(took.value_at_quantile(quantile));
        println!("  {what:<34} {:8.2} {:8.2} {:8.2} {bytes:16}", at(0.5), at(0.99), millis(took.max()));
    }

    fn happens(&mut self, cause: Cause) {
        drop(update(&mut self.state, Event { now: self.now, cause }));
    }

    fn presses(&mut self, letter: char) {
        self.happens(key(KeyCode::Char(letter)));
    }

    fn server(&mut self, frame: ServerFrame) {
        self.happens(Cause::Net(NetEvent::Frame(Box::new(frame))));
    }

    fn brings(&mut self, first: u64, many: u64) {
        self.version += 1;
        let rows = (first..first + many).map(|n| row(n % CONVERSATIONS, self.version, self.now)).collect();
        self.server(ServerFrame::Events(Events { rows, ..events(self.now) }));
    }

    fn says(&mut self, _: u64) {
        let Some(open) = self.state.open else { return };
        self.said += 1;
        let messages = vec![message(open, self.said)];
        self.server(ServerFrame::Events(Events { messages, ..events(self.now) }));
    }

    fn paint(&mut self) {
        let Self { state, theme, screen, .. } = self;
        screen.draw(|frame| view::draw(state, theme, frame)).expect("it fits");
    }
}

fn agent() -> AgentId {
    Ids::seeded(1).next(Micros::ZERO)
}

fn conversation(n: u64) -> ConversationId {
    Ids::seeded(1_000_000 + n).next(Micros::ZERO)
}

fn events(now: Micros) -> Events {
    Events {
        after: Cursor("0".into()),
        through: Cursor("1".into()),
        now,
        events: vec![],
        rows: vec![],
        messages: vec![],
        cards: vec![],
        gone: vec![],
        people: vec![],
    }
}

fn saying(n: u64) -> String {
    SAYINGS[usize::try_from(n).expect("it fits") % SAYINGS.len()].to_owned()
}

/// A tenth wait, a twentieth is mine, most are the bot's.
fn row(n: u64, version: i64, now: Micros) -> Row {
    let since = BEGAN.minus(Duration::from_secs(n % 3_600));
    let (control, waits) = match n % 20 {
        0 | 1 => (Control::Waiting { since }, true),
        2 => (Control::Agent { agent: agent(), since }, true),
        3 => (Control::Resolved { at: since }, false),
        _ => (Control::Bot, false),
    };
    Row {
        conversation: conversation(n),
        version,
        channel: "Loja".into(),
        customer: format!("Marina Souza {n}"),
        handle: "+55 11 ****-4821".into(),
        control,
        epoch: Epoch(1),
        window: Window { closes_at: Some(BEGAN.plus(Duration::from_secs(600 + n * 8))), overruled: false },
        reason: waits.then(|| "asked_for_human".into()),
        waiting_since: waits.then_some(since),
        unanswered_since: waits.then_some(since),
        unread: i64::from(waits),
        last: Some(Preview { author: Author::Customer, text: saying(n), at: now, delivery: None }),
        bot_busy: false,
        proposals: 0,
        troubles: 0,
        held: 0,
        returns_at: None,
        callback_at: None,
        updated_at: now,
    }
}

fn message(conversation: ConversationId, n: u64) -> Message {
    let at = BEGAN.minus(Duration::from_secs(60 * MESSAGES)).plus(Duration::from_secs(60 * n));
    let author =
        [Author::Customer, Author::Bot, Author::Customer, Author::Agent][usize::try_from(n).expect("it fits") % 4];
    let id: MessageId = Ids::seeded(2_000_000 + n).next(at);
    Message {
        id,
        conversation,
        version: 1,
        author,
        agent: (author == Author::Agent).then(agent),
        body: Body::text(saying(n)),
        place: Place { second: at.seconds(), arrived_at: at, index: 0 },
        at,
        late: false,
        delivery: (author != Author::Customer).then_some(Delivery::Read),
        problem: None,
        quote: None,
        reactions: vec![],
        edited: None,
        revoked_at: None,
        sent_again: false,
    }
}

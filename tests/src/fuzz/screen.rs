//! The agents' client, shown everything that came: each thread is opened and painted, wide and narrow.

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
    ConversationId, Ids, Micros,
    protocol::{Person, ServerFrame},
};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::tz::TimeZone;
use ratatui::layout::Size;

const SIZES: [(u16, u16); 3] = [(120, 36), (40, 10), (240, 70)];

/// A terminal that nobody looks at.
#[derive(Default)]
struct Nowhere;

impl Write for Nowhere {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One inbox.
pub struct Inbox {
    state: State,
    screen: Screen<Nowhere>,
    theme: Theme,
    now: Micros,
}

impl Inbox {
    pub fn new(me: Person, now: Micros) -> Self {
        let size = SIZES[0];
        let given = Given {
            label: Clean::from_static("fuzz"),
            is_production: false,
            zone: TimeZone::UTC,
            emoji: Emoji::Safe,
            patience: Duration::from_secs(300),
            keymap: Keymap::new(&BTreeMap::new(), false).expect("the usual keys"),
            home: "/home".into(),
            folder: "/home".into(),
            ids: Ids::seeded(1),
        };
        let left = Left { settings: Settings { hints_seen: true, ..Settings::default() }, ..Left::default() };
        let screen = Screen::with_size(Nowhere, Size { width: size.0, height: size.1 }).expect("a screen");
        let mut inbox = Self {
            state: State::new(given, left, size, now),
            screen,
            theme: Theme::new(Tier::True, Ground::Dark, false),
            now,
        };
        inbox.happens(Cause::Net(NetEvent::Welcome { me, now }));
        inbox
    }

    /// Every row, and each thread in turn.
    pub fn shows(&mut self, queue: ServerFrame) {
        self.happens(Cause::Net(NetEvent::Frame(Box::new(queue))));
        self.paint();
    }

    /// Opens a conversation as its row was pressed, then its thread comes; what is wanted is scrolled through.
    pub fn opens(&mut self, conversation: ConversationId, thread: ServerFrame) {
        let height = self.state.queue_height();
        self.state.queue.select(conversation, self.now, height);
        self.state.focus = Pane::Queue;
        self.presses(KeyCode::Enter);
        self.happens(Cause::Net(NetEvent::Frame(Box::new(thread))));
        for size in SIZES {
            self.screen.resize(Size { width: size.0, height: size.1 });
            self.happens(Cause::Resize { columns: size.0, rows: size.1 });
            self.paint();
        }
        self.state.focus = Pane::Chat;
        for key in [KeyCode::PageUp, KeyCode::Up, KeyCode::Home, KeyCode::PageDown, KeyCode::End] {
            self.presses(key);
            self.paint();
        }
    }

    fn presses(&mut self, code: KeyCode) {
        self.now = self.now.plus(Duration::from_millis(40));
        self.happens(Cause::Key(KeyEvent::new(code, KeyModifiers::NONE)));
    }

    fn happens(&mut self, cause: Cause) {
        drop(update(&mut self.state, Event { now: self.now, cause }));
    }

    fn paint(&mut self) {
        let Self { state, screen, theme, .. } = self;
        screen.draw(|frame| view::draw(state, theme, frame)).expect("a frame");
    }
}

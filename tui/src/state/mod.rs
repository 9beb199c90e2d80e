//! All that the inbox knows. Only `action::update` writes it, `view::draw` reads it; neither does I/O.

pub mod bringing;
pub mod commands;
pub mod composer;
pub mod form;
pub mod known;
pub mod layout;
pub mod line;
pub mod overlay;
pub mod proposal;
pub mod queue;
pub mod thread;
pub mod toast;
pub mod urgency;

use std::{collections::HashMap, path::PathBuf, time::Duration};

use baton_shared::{
    AgentId, Control, ConversationId, Ids, MessageId, Micros, ProposalId, Role,
    protocol::{Doing, Presence, Row},
};
use jiff::tz::TimeZone;

use self::{
    commands::Commands,
    composer::Composer,
    known::{Conversation, Person},
    layout::Layout,
    line::Line,
    overlay::Overlay,
    queue::Queue,
    thread::{Manner, Thread},
    toast::{Toasts, Tone},
};
use crate::{
    composer::Burst,
    keys::{Chord, Keymap},
    local::{Desk, Settings},
    net::Unanswered,
    text::{Clean, Emoji},
};

/// The three panes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pane {
    Queue,
    Chat,
    Context,
}

/// Where keys go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// They are commands.
    Normal,
    /// They are text for the composer.
    Compose,
    /// They narrow the queue.
    Filter,
}

/// What is given from outside and does not change.
#[derive(Debug)]
pub struct Given {
    /// The environment, shown in the header: `PROD`, `demo`, a host.
    pub label: Clean,
    /// A real shop's customers are behind it.
    pub is_production: bool,
    pub zone: TimeZone,
    pub emoji: Emoji,
    /// How long a customer may wait before it is too long.
    pub patience: Duration,
    pub keymap: Keymap,
    /// What `~` stands for.
    pub home: PathBuf,
    /// Where files go if nobody says otherwise.
    pub folder: PathBuf,
    pub ids: Ids,
}

/// What an earlier run left on disk.
#[derive(Debug, Default)]
pub struct Left {
    pub desks: HashMap<ConversationId, Desk>,
    pub commands: Vec<Unanswered>,
    pub settings: Settings,
}

/// What whoever looks elsewhere should hear of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Customers of mine that wrote.
    pub wrote: usize,
    /// Conversations that somebody gave me.
    pub given: usize,
    /// Conversations that were mine until somebody else said otherwise.
    pub lost: usize,
}

/// Everything.
#[derive(Debug)]
pub struct State {
    pub given: Given,
    /// The server's time, as far as we know.
    pub now: Micros,
    /// The server's clock minus ours.
    pub ahead: i64,
    pub size: (u16, u16),
    /// The terminal's window is in front.
    pub focused: bool,

    pub me: Option<Person>,
    pub people: HashMap<AgentId, Person>,
    pub here: Vec<Presence>,
    pub line: Line,
    pub queue: Queue,
    pub threads: HashMap<ConversationId, Thread>,
    /// Conversations whose threads are followed, the one opened last at the end.
    pub followed: Vec<ConversationId>,
    pub open: Option<ConversationId>,
    pub composers: HashMap<ConversationId, Composer>,
    pub commands: Commands,
    /// Conversations that have gone into others.
    pub merged: HashMap<ConversationId, ConversationId>,
    /// Files on their way to the server.
    pub bringing: Vec<bringing::Bringing>,

    pub focus: Pane,
    pub mode: Mode,
    pub zoom: bool,
    pub context_scroll: usize,
    pub proposal_at: usize,
    /// A proposal that is older than the customer's last word, and was approved once.
    pub approved_stale: Option<ProposalId>,
    pub overlays: Vec<Overlay>,
    pub toasts: Toasts,
    /// Keys of a sequence that has not ended.
    pub typed: Vec<Chord>,
    pub burst: Burst,
    /// The terminal announces pastes, so that keys are keys however quick they come.
    pub marks_pastes: bool,
    /// Lines of a paste that is in the composer, unsent.
    pub pasted: Option<usize>,
    pub typing_until: Micros,
    /// What the server was told of us last.
    pub said_here: Doing,
    /// What has been looked at long enough to count as read, then.
    pub read_at: Option<(ConversationId, MessageId, Micros)>,
    pub settings: Settings,
    /// What happened to conversations of mine since whoever looks elsewhere was told.
    pub news: News,
    /// Windows that were announced to close soon, until when.
    pub warned_windows: HashMap<ConversationId, Micros>,
    /// When windows are looked at next.
    pub look_at_windows: Micros,
    /// Keys pressed while the first hints show.
    pub keys_pressed: u32,
}

impl State {
    pub fn new(given: Given, left: Left, size: (u16, u16), now: Micros) -> Self {
        let mut commands = Commands::default();
        for unanswered in left.commands {
            commands.put(unanswered.command, unanswered.made_at, commands::Stage::Given);
        }
        let composers = left.desks.into_iter().map(|(id, desk)| (id, Composer::restored(desk))).collect();
        Self {
            now,
            ahead: 0,
            size,
            focused: true,
            me: None,
            people: HashMap::new(),
            here: Vec::new(),
            line: Line::default(),
            queue: Queue::new(given.patience),
            threads: HashMap::new(),
            followed: Vec::new(),
            open: None,
            composers,
            commands,
            merged: HashMap::new(),
            bringing: Vec::new(),
            focus: Pane::Queue,
            mode: Mode::Normal,
            zoom: false,
            context_scroll: 0,
            proposal_at: 0,
            approved_stale: None,
            overlays: Vec::new(),
            toasts: Toasts::default(),
            typed: Vec::new(),
            burst: Burst::default(),
            marks_pastes: false,
            pasted: None,
            typing_until: Micros::ZERO,
            said_here: Doing::default(),
            read_at: None,
            settings: left.settings,
            news: News::default(),
            warned_windows: HashMap::new(),
            look_at_windows: Micros::ZERO,
            keys_pressed: 0,
            given,
        }
    }

    pub fn my_id(&self) -> Option<AgentId> {
        self.me.as_ref().map(|me| me.id)
    }

    pub fn is_supervisor(&self) -> bool {
        self.me.as_ref().is_some_and(|me| me.role == Role::Supervisor)
    }

    /// Admins keep people and settings, and see no customers.
    pub fn is_admin(&self) -> bool {
        self.me.as_ref().is_some_and(|me| me.role == Role::Admin)
    }

    /// What an empty queue means.
    pub fn empty_queue(&self) -> &'static str {
        if self.is_admin() { crate::words::NOT_FOR_ADMINS } else { "nobody waits" }
    }

    /// A person's name, or what stands for somebody unknown.
    pub fn name(&self, agent: AgentId) -> Clean {
        self.people.get(&agent).map_or(Clean::from_static("a colleague"), |person| person.name.clone())
    }

    /// The conversation that acts are about: the open one, or in the queue the one under the cursor.
    pub fn current_id(&self) -> Option<ConversationId> {
        match self.focus {
            Pane::Queue if self.mode != Mode::Compose => self.queue.selected_row().or(self.open),
            Pane::Queue | Pane::Chat | Pane::Context => self.open,
        }
    }

    pub fn current(&self) -> Option<&Conversation> {
        self.queue.get(self.current_id()?)
    }

    /// The open conversation's row.
    pub fn open_row(&self) -> Option<&Conversation> {
        self.queue.get(self.open?)
    }

    pub fn open_thread(&self) -> Option<&Thread> {
        self.threads.get(&self.open?)
    }

    pub fn composer(&mut self, conversation: ConversationId) -> &mut Composer {
        self.composers.entry(conversation).or_default()
    }

    /// The conversation, or where it has gone.
    pub fn present(&self, conversation: ConversationId) -> ConversationId {
        let mut present = conversation;
        // As many steps as there are: they could go in a circle, if one was split off and merged again.
        for _ in 0..self.merged.len() {
            match self.merged.get(&present) {
                Some(into) => present = *into,
                None => break,
            }
        }
        present
    }

    pub fn open_composer(&self) -> Option<&Composer> {
        self.composers.get(&self.open?)
    }

    pub fn is_mine(&self, conversation: &Conversation) -> bool {
        self.my_id().is_some_and(|me| conversation.control.owner() == Some(me))
    }

    /// How the open thread is drawn.
    pub fn manner(&self) -> Manner {
        let width = Layout::of(self).chat.map_or(1, |chat| usize::from(chat.thread.width.saturating_sub(2)));
        Manner { width, emoji: self.given.emoji, zone: self.given.zone.clone() }
    }

    /// Lines of the open thread that can be seen.
    pub fn thread_height(&self) -> usize {
        Layout::of(self).chat.map_or(0, |chat| usize::from(chat.thread.height))
    }

    /// Lines of the queue that can be seen.
    pub fn queue_height(&self) -> usize {
        Layout::of(self).queue.map_or(0, |queue| usize::from(queue.list.height))
    }

    pub fn toast(&mut self, tone: Tone, text: impl AsRef<str>) {
        self.toasts.say(tone, Clean::line(text.as_ref()), self.now);
    }

    /// Colleagues who look at a conversation, and whether they type.
    pub fn others_at(&self, conversation: ConversationId) -> impl Iterator<Item = (Clean, bool)> {
        let me = self.my_id();
        let there = move |here: &&Presence| here.viewing == Some(conversation) && Some(here.agent) != me;
        self.here.iter().filter(there).map(|here| (self.name(here.agent), here.typing))
    }

    /// What the terminal's title says.
    pub fn title(&self) -> Clean {
        use urgency::Section;
        let waiting = self.queue.total(Section::Now) + self.queue.total(Section::Waiting);
        Clean::line(&format!("baton {} waiting", waiting))
    }

    /// When something is to be done though nothing happens but time; by this machine's clock.
    pub fn wake_at(&self) -> Micros {
        // Ages and countdowns tick on screen.
        let second = Micros::from_seconds(self.now.seconds() + 1);
        let read = self.read_at.map(|(_, _, at)| at);
        let keep = self.composers.values().filter_map(Composer::keep_at).min();
        let moments = [Some(second), self.toasts.wake_at(), read, keep, Some(self.queue.wake_at())];
        let soonest = moments.into_iter().flatten().min().unwrap_or(second).max(self.now);
        Micros(soonest.0 - self.ahead)
    }

    /// What a snapshot or events say about rows.
    pub fn put_rows(&mut self, rows: Vec<Row>) {
        for row in rows {
            self.queue.put(row.into());
        }
    }

    /// Who has the next word, as one sees it.
    pub fn owner_words(&self, control: &Control) -> Clean {
        match control {
            Control::Bot => Clean::from_static("the bot answers"),
            Control::Waiting { .. } => Clean::from_static("waits for a person"),
            Control::Agent { agent, .. } if Some(*agent) == self.my_id() => Clean::from_static("yours"),
            Control::Agent { agent, .. } => Clean::line(&format!("{} has it", self.name(*agent))),
            Control::Phone { .. } => Clean::from_static("somebody writes on the phone"),
            Control::Elsewhere => Clean::from_static("another app has it"),
            Control::Resolved { .. } => Clean::from_static("resolved"),
        }
    }
}

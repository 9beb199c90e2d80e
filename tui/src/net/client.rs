//! One agent's line to the server, over as many connections as it takes.

use std::{
    collections::{BTreeSet, VecDeque},
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use baton_shared::{
    Clock, CommandId, ConversationId, Ids, Micros,
    protocol::{
        Act, Answer, ClientFrame, Command, Cursor, Doing, HEARTBEAT, OLDEST_PROTOCOL, PRESENCE_ENDS, PROTOCOL, Person,
        ProblemCode, ServerFrame,
    },
};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Bytes;

use super::{
    Address, Unanswered,
    backoff::{Backoff, jitter},
    outbox::Outbox,
    socket::{Incoming, Lost, Socket},
};

/// Where to connect, as whom, and how patiently.
#[derive(Clone)]
pub struct Settings {
    pub address: Address,
    pub token: String,
    /// What this build calls itself, for the server's log.
    pub build: String,
    pub timing: Timing,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The token is a secret.
        f.debug_struct("Settings").field("address", &self.address).field("build", &self.build).finish_non_exhaustive()
    }
}

/// How long things take.
#[derive(Clone, Debug)]
pub struct Timing {
    /// How often the client says that it is here.
    pub heartbeat: Duration,
    /// A server that is silent for this long is lost.
    pub silence: Duration,
    /// How long a connection may take to open.
    pub connect: Duration,
    pub first_retry: Duration,
    pub last_retry: Duration,
    /// A command that could not be delivered for this long is given back to its author.
    pub stale: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            heartbeat: HEARTBEAT,
            silence: PRESENCE_ENDS,
            connect: Duration::from_secs(10),
            first_retry: Duration::from_millis(250),
            last_retry: Duration::from_secs(15),
            stale: Duration::from_secs(600),
        }
    }
}

/// What happens on the line.
#[derive(Clone, Debug, PartialEq)]
pub enum NetEvent {
    /// A connection is being opened, for the `attempt`th time since the last one was lost.
    Connecting { attempt: u32 },
    /// The server knows us. What it sends next is the present, or leads there.
    Welcome { me: Person, now: Micros },
    /// Snapshot, events, threads and the like; events only when nothing is missing before them.
    Frame(Box<ServerFrame>),
    /// What became of a command, once.
    Answer { command: Box<Command>, answer: Answer },
    /// A command that could not be delivered in time and was not sent, as far as this client knows.
    Expired(Box<Command>),
    /// How long a ping took.
    RoundTrip(Duration),
    /// The connection is gone; the next try begins after `retry_in`.
    Lost { why: String, retry_in: Duration, gap: bool },
    /// There will be no further try: a person has to do something.
    Stopped(Stop),
}

/// Why the client stopped for good.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    #[error("{0}")]
    Version(String),
    #[error("signed out: {}; sign in again with `baton login`", .0.trim_end_matches('.'))]
    SignedOut(String),
}

/// What was counted since the client began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Connections on which the server said welcome.
    pub welcomes: u64,
    pub snapshots: u64,
    /// `Events` frames that were applied.
    pub frames: u64,
    /// `Events` frames that did not follow the one before.
    pub gaps: u64,
    /// Frames that could not be read.
    pub unreadable: u64,
    /// Frames of a kind that this build does not know.
    pub unknown: u64,
    /// Commands that were sent again after a reconnect.
    pub resent: u64,
}

/// The line. Nothing happens unless [`next`](Self::next) or [`act`](Self::act) is awaited; both may be
/// cancelled at any moment without losing anything.
pub struct Client {
    settings: Settings,
    clock: Arc<dyn Clock>,
    ids: Arc<Ids>,
    link: Link,
    backoff: Backoff,
    through: Option<Cursor>,
    /// A snapshot is due: events before it are of no use.
    resync: bool,
    outbox: Outbox,
    open: BTreeSet<ConversationId>,
    /// Those that the hello of this connection named.
    named: BTreeSet<ConversationId>,
    here: Doing,
    ready: VecDeque<NetEvent>,
    stats: Stats,
}

enum Link {
    Down { until: Instant, may_hurry: bool },
    Opening(Pin<Box<dyn Future<Output = Result<Socket, Lost>> + Send>>),
    Up(Box<Up>),
    Stopped,
}

struct Up {
    socket: Socket,
    welcomed: bool,
    heard: Instant,
    beat: Instant,
}

/// What an open connection comes up with.
enum Turn {
    In(Result<Incoming, Lost>),
    Beat,
    Silent,
}

impl Client {
    pub fn new(settings: Settings, clock: Arc<dyn Clock>, ids: Arc<Ids>) -> Self {
        super::prepare_tls();
        let backoff = Backoff::new(settings.timing.first_retry, settings.timing.last_retry);
        Self {
            settings,
            clock,
            ids,
            link: Link::Down { until: Instant::now(), may_hurry: false },
            backoff,
            through: None,
            resync: false,
            outbox: Outbox::default(),
            open: BTreeSet::new(),
            named: BTreeSet::new(),
            here: Doing::default(),
            ready: VecDeque::new(),
            stats: Stats::default(),
        }
    }

    /// Commands of an earlier run that nobody answered.
    pub fn restore(&mut self, unanswered: Vec<Unanswered>) {
        for one in unanswered {
            self.outbox.push(one);
        }
    }

    /// The next thing that happens; `None` once the client has stopped for good.
    pub async fn next(&mut self) -> Option<NetEvent> {
        match self.ready.pop_front() {
            Some(event) => Some(event),
            None => self.advance().await,
        }
    }

    /// Gives a command and waits for its answer; what else happens meanwhile is kept for
    /// [`next`](Self::next).
    pub async fn act(&mut self, conversation: ConversationId, act: Act) -> Result<Answer, Stop> {
        let id = self.command(conversation, act);
        loop {
            match self.advance().await {
                Some(NetEvent::Answer { command, answer }) if command.id == id => return Ok(answer),
                Some(NetEvent::Stopped(stop)) => return Err(stop),
                Some(event) => self.ready.push_back(event),
                None => return Err(Stop::SignedOut("the client has stopped".into())),
            }
        }
    }

    /// Gives a command under a new id; its answer comes as an event.
    pub fn command(&mut self, conversation: ConversationId, act: Act) -> CommandId {
        let id = self.ids.next(self.clock.now());
        self.submit(Command { id, conversation, act });
        id
    }

    /// Gives a command; it is sent, again after every reconnect, until it is answered.
    pub fn submit(&mut self, command: Command) {
        self.say(&ClientFrame::Command(command.clone()));
        self.outbox.push(Unanswered { made_at: self.clock.now(), command });
    }

    /// Follows a conversation's messages, also after a reconnect.
    pub fn open(&mut self, conversation: ConversationId) {
        self.open.insert(conversation);
        self.say(&ClientFrame::Open { conversation });
    }

    pub fn close_conversation(&mut self, conversation: ConversationId) {
        if self.open.remove(&conversation) {
            self.say(&ClientFrame::Close { conversation });
        }
    }

    /// Whether this conversation's messages are followed.
    pub fn follows(&self, conversation: ConversationId) -> bool {
        self.open.contains(&conversation)
    }

    /// What the agent looks at and does; said at once and then with every heartbeat.
    pub fn here(&mut self, doing: Doing) {
        if self.here != doing {
            self.here = doing;
            self.say(&ClientFrame::Here(doing));
        }
    }

    /// Says a frame if the server listens; returns whether it does. Unlike a command it is not
    /// said again later.
    pub fn say(&mut self, frame: &ClientFrame) -> bool {
        match &mut self.link {
            Link::Up(up) if up.welcomed => {
                up.socket.push(frame);
                true
            }
            Link::Up(_) | Link::Down { .. } | Link::Opening(_) | Link::Stopped => false,
        }
    }

    /// Somebody waits: the next try to connect begins now.
    pub fn nudge(&mut self) {
        if let Link::Down { until, may_hurry: true } = &mut self.link {
            *until = Instant::now();
        }
    }

    /// Breaks the connection as a fault would; for tests and drills.
    pub fn cut(&mut self) {
        if matches!(self.link, Link::Up(_) | Link::Opening(_)) {
            let event = self.lost(&Lost::Broken("cut on purpose".into()));
            self.ready.push_back(event);
        }
    }

    /// Says goodbye.
    pub async fn close(mut self) {
        if let Link::Up(up) = std::mem::replace(&mut self.link, Link::Stopped) {
            let goodbye = tokio::time::timeout(Duration::from_secs(1), up.socket.close());
            if !matches!(goodbye.await, Ok(Ok(()))) {
                tracing::debug!("the connection ended without a goodbye");
            }
        }
    }

    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// Commands without an answer so far.
    pub fn unanswered(&self) -> usize {
        self.outbox.len()
    }

    /// The place in the stream up to which everything was seen.
    pub fn through(&self) -> Option<&Cursor> {
        self.through.as_ref()
    }

    async fn advance(&mut self) -> Option<NetEvent> {
        loop {
            match &mut self.link {
                Link::Stopped => return None,
                Link::Down { until, .. } => {
                    tokio::time::sleep_until(*until).await;
                    self.link = self.dial();
                    return Some(NetEvent::Connecting { attempt: self.backoff.tries() + 1 });
                }
                Link::Opening(opening) => match opening.as_mut().await {
                    Ok(socket) => self.greet(socket),
                    Err(lost) => return Some(self.lost(&lost)),
                },
                Link::Up(up) => match up.turn(&self.settings.timing).await {
                    Turn::In(Ok(incoming)) => {
                        if let Some(event) = self.take_in(incoming) {
                            return Some(event);
                        }
                    }
                    Turn::In(Err(lost)) => return Some(self.lost(&lost)),
                    Turn::Beat => self.beat(),
                    Turn::Silent => return Some(self.lost(&Lost::Silent(self.settings.timing.silence.as_secs()))),
                },
            }
        }
    }

    fn dial(&self) -> Link {
        let (address, token) = (self.settings.address.clone(), self.settings.token.clone());
        let limit = self.settings.timing.connect;
        Link::Opening(Box::pin(async move {
            let opening = tokio::time::timeout(limit, Socket::open(&address, &token));
            opening.await.unwrap_or_else(|_| Err(Lost::Slow(limit.as_secs())))
        }))
    }

    fn greet(&mut self, mut socket: Socket) {
        socket.push(&ClientFrame::Hello {
            protocol: PROTOCOL,
            build: self.settings.build.clone(),
            resume: self.through.clone(),
            open: self.open.iter().copied().collect(),
        });
        self.named.clone_from(&self.open);
        let now = Instant::now();
        self.resync = false;
        self.link = Link::Up(Box::new(Up { socket, welcomed: false, heard: now, beat: now }));
    }

    /// Says that we are here, and asks whether the server is.
    fn beat(&mut self) {
        self.say(&ClientFrame::Here(self.here));
        let sent = u64::try_from(self.clock.monotonic().as_micros()).unwrap_or(0);
        if let Link::Up(up) = &mut self.link {
            up.socket.ping(Bytes::copy_from_slice(&sent.to_be_bytes()));
        }
    }

    fn take_in(&mut self, incoming: Incoming) -> Option<NetEvent> {
        match incoming {
            Incoming::Frame(frame) => self.take_in_frame(frame),
            Incoming::Pong(payload) => {
                let sent = u64::from_be_bytes(payload.as_ref().try_into().ok()?);
                Some(NetEvent::RoundTrip(self.clock.monotonic().saturating_sub(Duration::from_micros(sent))))
            }
            Incoming::Noise { unreadable } => {
                self.stats.unreadable += u64::from(unreadable);
                None
            }
        }
    }

    fn take_in_frame(&mut self, frame: Box<ServerFrame>) -> Option<NetEvent> {
        match *frame {
            ServerFrame::Welcome { protocol, build, me, now } => Some(self.welcomed(protocol, &build, me, now)),
            ServerFrame::Answer { id, answer } => {
                let command = Box::new(self.outbox.settle(id)?);
                Some(NetEvent::Answer { command, answer })
            }
            ServerFrame::Snapshot { ref as_of, .. } => {
                self.through = Some(as_of.clone());
                self.stats.snapshots += 1;
                self.resync = false;
                Some(NetEvent::Frame(frame))
            }
            ServerFrame::Events(ref events) => {
                if self.resync {
                    return None;
                }
                if self.through.as_ref() != Some(&events.after) {
                    return Some(self.missed_something());
                }
                self.through = Some(events.through.clone());
                self.stats.frames += 1;
                // The server follows them no more; should they be seen again, they are opened anew.
                for gone in &events.gone {
                    self.open.remove(gone);
                }
                Some(NetEvent::Frame(frame))
            }
            ServerFrame::Resync { ref why } => {
                tracing::info!(why, "the server begins anew");
                self.resync = true;
                None
            }
            ServerFrame::Moving { wait_ms } => {
                let wait = Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0));
                Some(self.moving(wait))
            }
            ServerFrame::Problem { code, ref why, fatal } => Some(match problem(code, why, fatal) {
                Some(Ok(stop)) => self.stopped(stop),
                Some(Err(lost)) => self.lost(&lost),
                None => NetEvent::Frame(frame),
            }),
            ServerFrame::Unknown => {
                self.stats.unknown += 1;
                None
            }
            // It was on its way when the conversation was closed: nothing would keep it up to date.
            ServerFrame::Thread(ref thread) if !self.open.contains(&thread.row.conversation) => None,
            ServerFrame::Thread(_)
            | ServerFrame::Board(_)
            | ServerFrame::Merged { .. }
            | ServerFrame::History { .. }
            | ServerFrame::Templates { .. }
            | ServerFrame::DraftSaved { .. }
            | ServerFrame::DraftDiffers { .. }
            | ServerFrame::Presence { .. } => Some(NetEvent::Frame(frame)),
        }
    }

    fn welcomed(&mut self, protocol: u32, build: &str, me: Person, now: Micros) -> NetEvent {
        if !(OLDEST_PROTOCOL..=PROTOCOL).contains(&protocol) {
            let older = if protocol > PROTOCOL { "this client" } else { "the server" };
            return self.stopped(Stop::Version(format!(
                "the server ({build}) speaks protocol {protocol}, this client {PROTOCOL}: update {older}"
            )));
        }
        self.backoff.succeeded();
        self.stats.welcomes += 1;
        if let Link::Up(up) = &mut self.link {
            up.welcomed = true;
            up.beat = Instant::now();
        }
        self.open_what_was_opened_since();
        self.send_again();
        self.beat();
        NetEvent::Welcome { me, now }
    }

    /// Between hello and welcome nothing else is said: what changed meanwhile is said now.
    fn open_what_was_opened_since(&mut self) {
        let named = std::mem::take(&mut self.named);
        for conversation in self.open.difference(&named).copied().collect::<Vec<_>>() {
            self.say(&ClientFrame::Open { conversation });
        }
        for conversation in named.difference(&self.open).copied().collect::<Vec<_>>() {
            self.say(&ClientFrame::Close { conversation });
        }
    }

    /// What nobody answered is given again, unless it has grown old.
    fn send_again(&mut self) {
        let stale = self.outbox.expire(self.clock.now(), self.settings.timing.stale);
        self.ready.extend(stale.into_iter().map(|command| NetEvent::Expired(Box::new(command))));
        if let Link::Up(up) = &mut self.link {
            for unanswered in self.outbox.iter() {
                up.socket.push(&ClientFrame::Command(unanswered.command.clone()));
                // Counted also if it is said for the first time: it was given before this connection.
                self.stats.resent += 1;
            }
        }
    }

    fn missed_something(&mut self) -> NetEvent {
        self.stats.gaps += 1;
        self.through = None;
        self.lost(&Lost::Gap)
    }

    fn moving(&mut self, wait: Duration) -> NetEvent {
        let retry_in = wait + jitter(&self.ids, wait.max(Duration::from_millis(500)));
        self.link = Link::Down { until: Instant::now() + retry_in, may_hurry: false };
        NetEvent::Lost { why: Lost::Moving.to_string(), retry_in, gap: false }
    }

    fn lost(&mut self, lost: &Lost) -> NetEvent {
        if matches!(lost, Lost::SignedOut) {
            return self.stopped(Stop::SignedOut(lost.to_string()));
        }
        let retry_in = self.backoff.next(&self.ids);
        self.link = Link::Down { until: Instant::now() + retry_in, may_hurry: true };
        NetEvent::Lost { why: lost.to_string(), retry_in, gap: matches!(lost, Lost::Gap) }
    }

    fn stopped(&mut self, stop: Stop) -> NetEvent {
        self.link = Link::Stopped;
        NetEvent::Stopped(stop)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("stats", &self.stats).finish_non_exhaustive()
    }
}

impl Up {
    async fn turn(&mut self, timing: &Timing) -> Turn {
        tokio::select! {
            biased;
            incoming = self.socket.next() => {
                self.heard = Instant::now();
                Turn::In(incoming)
            }
            () = tokio::time::sleep_until(self.heard + timing.silence) => Turn::Silent,
            () = tokio::time::sleep_until(self.beat + timing.heartbeat) => {
                self.beat = Instant::now();
                Turn::Beat
            }
        }
    }
}

/// What a problem means for the line: a stop, a loss, or nothing.
fn problem(code: ProblemCode, why: &str, fatal: bool) -> Option<Result<Stop, Lost>> {
    match code {
        ProblemCode::Version => Some(Ok(Stop::Version(why.into()))),
        ProblemCode::SignedOut => Some(Ok(Stop::SignedOut(why.into()))),
        ProblemCode::Unreadable
        | ProblemCode::Order
        | ProblemCode::NotAllowed
        | ProblemCode::Unavailable
        | ProblemCode::Other => fatal.then(|| Err(Lost::Problem(why.into()))),
    }
}

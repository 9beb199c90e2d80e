//! One client's connection: hello, then what it may see, as it happens, and what it asks for.

mod talk;
mod wire;

use std::{collections::HashSet, sync::Arc, time::Duration};

use axum::{
    extract::{
        State, WebSocketUpgrade,
        ws::{Utf8Bytes, WebSocket, rejection::WebSocketUpgradeRejection},
    },
    response::Response,
};
use baton_shared::{
    ConversationId,
    protocol::{ClientFrame, Cursor, OLDEST_PROTOCOL, PROTOCOL, ProblemCode, ServerFrame},
};
use tokio::{
    sync::{broadcast, watch},
    time::{Instant, sleep_until, timeout},
};

use super::{
    Batch,
    feed::Hub,
    guard::{self, SignedIn},
    presence::Beacon,
    refusal::Refusal,
    stream::{self, Follower, Next},
    typing::Typing,
};
use wire::{CLIENT_FRAME_LIMIT, End, Heard, WRITE_BUFFER_LIMIT, Wire};

/// What this server calls itself.
const BUILD: &str = concat!("baton-server ", env!("CARGO_PKG_VERSION"));

/// So many frames in a row that cannot be read, and the client is no client.
const GARBAGE_LIMIT: u32 = 5;

/// A client that says more than this waits; everybody else does not.
const FRAMES_AT_ONCE: u32 = 100;
const ONE_MORE_EVERY: Duration = Duration::from_millis(20);

/// So many conversations may be open on one screen.
const OPEN_LIMIT: usize = 64;

/// `GET /inbox`: the websocket.
pub(super) async fn connect(
    State(hub): State<Arc<Hub>>,
    who: SignedIn,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Refusal> {
    let upgrade = upgrade.map_err(|_| Refusal::Unreadable("This is a websocket: connect with ws:// or wss://."))?;
    if hub.life.stopping().is_cancelled() {
        return Err(Refusal::Stopping);
    }
    let upgrade = upgrade
        .max_message_size(CLIENT_FRAME_LIMIT)
        .max_frame_size(CLIENT_FRAME_LIMIT)
        // Small buffers: hundreds of connections stay cheap.
        .read_buffer_size(8 * 1024)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_BUFFER_LIMIT);
    Ok(upgrade.on_upgrade(async move |socket| {
        let life = hub.life.clone();
        life.spawn(serve(hub, who, socket));
    }))
}

async fn serve(hub: Arc<Hub>, who: SignedIn, socket: WebSocket) {
    let mut wire = Wire::new(socket, hub.options.write);
    let end = match Box::pin(talk_with(&hub, who.clone(), &mut wire)).await {
        Ok(()) => End::Left,
        Err(end) => end,
    };
    tracing::info!(agent = %who.agent.id, %end, "a connection ended");
    if let End::Store(error) = &end {
        tracing::warn!(%error, "a connection ended because of the store");
    }
    let moving = u64::try_from(hub.options.moving.as_millis()).unwrap_or(u64::MAX);
    let wait = i64::try_from(hub.context.ids.below(moving)).unwrap_or(0);
    wire.end(&end, wait).await;
}

async fn talk_with(hub: &Arc<Hub>, who: SignedIn, wire: &mut Wire) -> Result<(), End> {
    let stop = hub.life.stopping();
    let hello = tokio::select! {
        () = stop.cancelled() => return Err(End::Stopping),
        hello = timeout(hub.options.hello, hello(wire)) => hello.map_err(|_| End::Silent)??,
    };
    let mut session = Session::new(hub, who).await?;
    let talk = async {
        session.begin(wire, hello).await?;
        session.follow(wire).await
    };
    let end = tokio::select! {
        () = stop.cancelled() => Err(End::Stopping),
        end = talk => end,
    };
    if !end.as_ref().is_err_and(End::may_come_back) {
        session.leave().await;
    }
    end
}

/// What a client says first.
struct Hello {
    resume: Option<Cursor>,
    open: Vec<ConversationId>,
}

async fn hello(wire: &mut Wire) -> Result<Hello, End> {
    loop {
        let frame = match wire.heard().await? {
            Heard::Alive => continue,
            Heard::Unreadable => return Err(End::Problem(ProblemCode::Unreadable, "That was no frame.".into())),
            Heard::Frame(frame) => frame,
        };
        return match *frame {
            ClientFrame::Hello { protocol, .. } if !(OLDEST_PROTOCOL..=PROTOCOL).contains(&protocol) => {
                Err(End::Problem(ProblemCode::Version, version_problem(protocol)))
            }
            ClientFrame::Hello { resume, open, .. } => Ok(Hello { resume, open }),
            _ => Err(End::Problem(ProblemCode::Order, "The first frame must be `hello`.".into())),
        };
    }
}

fn version_problem(theirs: u32) -> String {
    let spoken = format!("This server ({BUILD}) speaks protocol {OLDEST_PROTOCOL} to {PROTOCOL}, your client {theirs}");
    if theirs < OLDEST_PROTOCOL {
        format!("{spoken}: update your client.")
    } else {
        format!("{spoken}: ask for the server to be updated, or use an older client.")
    }
}

/// A connection that has said hello.
struct Session<'h> {
    hub: &'h Arc<Hub>,
    who: SignedIn,
    follower: Follower,
    batches: broadcast::Receiver<Arc<Batch>>,
    presence: watch::Receiver<Arc<Vec<baton_shared::protocol::Presence>>>,
    beacon: Beacon,
    typing: Typing,
    opened: Opened,
    heard_at: Instant,
    pinged_at: Instant,
    checked_at: Instant,
    garbage: u32,
    /// Each frame of the client's moves this on; it may be some frames ahead of now.
    busy_until: Instant,
}

/// What happens to a session.
enum Turn {
    Heard(Result<Heard, End>),
    Batch(Result<Arc<Batch>, broadcast::error::RecvError>),
    Presence,
    Time,
}

impl<'h> Session<'h> {
    async fn new(hub: &'h Arc<Hub>, who: SignedIn) -> Result<Self, End> {
        let now = Instant::now();
        let follower = Follower::new(who.viewer(&hub.context), hub.stream().await?);
        Ok(Self {
            hub,
            follower,
            // First, so that nothing falls in between.
            batches: hub.batches.subscribe(),
            presence: hub.presence.subscribe(),
            beacon: Beacon::new(hub, who.clone()),
            typing: Typing::default(),
            opened: Opened { hub: hub.clone(), ids: HashSet::new() },
            who,
            heard_at: now,
            pinged_at: now,
            checked_at: now,
            garbage: 0,
            busy_until: now,
        })
    }

    async fn begin(&mut self, wire: &mut Wire, hello: Hello) -> Result<(), End> {
        wire.say(&ServerFrame::Welcome {
            protocol: PROTOCOL,
            build: BUILD.into(),
            me: self.who.agent.clone().into(),
            now: self.hub.context.clock.now(),
        })
        .await?;
        // First, so that what they missed comes with what was said in them.
        for conversation in hello.open.iter().take(OPEN_LIMIT) {
            self.opened.add(*conversation);
            self.follower.open(*conversation);
        }
        let missed = match &hello.resume {
            Some(resume) => stream::missed(&self.hub.context, &mut self.follower, resume).await?,
            None => None,
        };
        match missed {
            Some(frames) => write_all(wire, frames).await?,
            None => self.snapshot(wire).await?,
        }
        for conversation in hello.open.into_iter().take(OPEN_LIMIT) {
            self.open(wire, conversation).await?;
        }
        self.beacon.write(self.hub).await?;
        self.presence.mark_changed();
        Ok(())
    }

    async fn follow(&mut self, wire: &mut Wire) -> Result<(), End> {
        loop {
            match self.turn(wire).await {
                Turn::Heard(heard) => self.heard(wire, heard?).await?,
                Turn::Batch(Ok(batch)) => self.tell(wire, &batch).await?,
                Turn::Batch(Err(broadcast::error::RecvError::Lagged(_))) => self.resync(wire).await?,
                Turn::Batch(Err(broadcast::error::RecvError::Closed)) => return Err(End::Stopping),
                Turn::Presence => self.tell_presence(wire).await?,
                Turn::Time => self.look_after(wire).await?,
            }
        }
    }

    async fn turn(&mut self, wire: &mut Wire) -> Turn {
        let at_once = ONE_MORE_EVERY * FRAMES_AT_ONCE;
        let quiet = self.busy_until > Instant::now() + at_once;
        let wake = self.next_duty();
        let wake = if quiet { wake.min(self.busy_until - at_once) } else { wake };
        tokio::select! {
            heard = wire.heard(), if !quiet => Turn::Heard(heard),
            batch = self.batches.recv() => Turn::Batch(batch),
            Ok(()) = self.presence.changed() => Turn::Presence,
            () = sleep_until(wake) => Turn::Time,
        }
    }

    /// When there is something to look after.
    fn next_duty(&self) -> Instant {
        let options = &self.hub.options;
        let ping = self.pinged_at + options.silence / 3;
        let silence = self.heard_at + options.silence;
        let check = self.checked_at + options.sign_in_check;
        let duties = [Some(ping), Some(silence), Some(check), self.beacon.due()];
        duties.into_iter().flatten().min().unwrap_or(ping)
    }

    async fn look_after(&mut self, wire: &mut Wire) -> Result<(), End> {
        let (now, options) = (Instant::now(), &self.hub.options);
        if now >= self.heard_at + options.silence {
            return Err(End::Silent);
        }
        if now >= self.pinged_at + options.silence / 3 {
            self.pinged_at = now;
            wire.ping().await?;
        }
        if self.beacon.due().is_some_and(|due| due <= now) {
            self.beacon.write(self.hub).await?;
        }
        if now >= self.checked_at + options.sign_in_check {
            self.check_sign_in().await?;
        }
        Ok(())
    }

    /// Ends with the sign-in, and begins anew if what this person may do has changed.
    async fn check_sign_in(&mut self) -> Result<(), End> {
        self.checked_at = Instant::now();
        let found = guard::check(&self.hub.context, self.who.token_hash.clone()).await?;
        let Some(found) = found else {
            return Err(End::Problem(ProblemCode::SignedOut, "Your sign-in has ended.".into()));
        };
        if found.agent != self.who.agent {
            let why = "What you may see has changed; connecting again shows it.";
            return Err(End::Problem(ProblemCode::Other, why.into()));
        }
        Ok(())
    }

    async fn tell(&mut self, wire: &mut Wire, batch: &Batch) -> Result<(), End> {
        // First: whoever has been signed out is told nothing any more.
        if batch.is_about(self.who.agent.id) {
            self.check_sign_in().await?;
        }
        let mut next = self.follower.texts(batch);
        while next == Next::Gap {
            self.catch_up(wire).await?;
            next = self.follower.texts(batch);
        }
        if let Next::Frame(texts) = next {
            write_all(wire, texts).await?;
        }
        self.opened.keep(self.follower.opened());
        Ok(())
    }

    /// Reads for this client alone what came between where it stands and the present.
    async fn catch_up(&mut self, wire: &mut Wire) -> Result<(), End> {
        let open = self.follower.opened().clone();
        let batch = Batch::read(&self.hub.context, self.follower.position(), |id| open.contains(&id)).await?;
        if batch.through > self.follower.position()
            && let Next::Frame(texts) = self.follower.texts(&batch)
        {
            write_all(wire, texts).await?;
        }
        Ok(())
    }

    async fn resync(&mut self, wire: &mut Wire) -> Result<(), End> {
        tracing::info!(agent = %self.who.agent.id, "a client fell behind and begins anew");
        self.batches = self.batches.resubscribe();
        wire.say(&ServerFrame::Resync { why: "You fell too far behind.".into() }).await?;
        self.snapshot(wire).await?;
        // A snapshot has rows only: what was said in open conversations meanwhile comes with these.
        for conversation in self.follower.opened().clone() {
            self.open(wire, conversation).await?;
        }
        Ok(())
    }

    async fn snapshot(&mut self, wire: &mut Wire) -> Result<(), End> {
        let snapshot = self.hub.snapshot().await?;
        write_all(wire, self.follower.snapshot_texts(&snapshot)).await?;
        self.catch_up(wire).await
    }

    /// Others' whereabouts, as far as this person may know the places.
    async fn tell_presence(&mut self, wire: &mut Wire) -> Result<(), End> {
        let here = self.presence.borrow_and_update().clone();
        let mut here = Vec::clone(&here);
        for one in here.iter_mut().filter(|one| one.agent != self.who.agent.id) {
            if !one.viewing.is_some_and(|id| self.follower.knows(id)) {
                (one.viewing, one.typing) = (None, false);
            }
        }
        wire.say(&ServerFrame::Presence { here }).await
    }

    async fn leave(self) {
        self.beacon.leave(self.hub).await;
    }
}

/// What this connection has open, so that the feed reads it; taken back when the connection ends.
struct Opened {
    hub: Arc<Hub>,
    ids: HashSet<ConversationId>,
}

impl Opened {
    fn add(&mut self, id: ConversationId) {
        if self.ids.insert(id) {
            self.hub.open.add(id);
        }
    }

    fn remove(&mut self, id: ConversationId) {
        if self.ids.remove(&id) {
            self.hub.open.remove(id);
        }
    }

    /// A conversation that this person may no longer see is not open any more.
    fn keep(&mut self, open: &HashSet<ConversationId>) {
        if open.len() < self.ids.len() {
            for closed in self.ids.difference(open).copied().collect::<Vec<_>>() {
                self.remove(closed);
            }
        }
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        for id in &self.ids {
            self.hub.open.remove(*id);
        }
    }
}

async fn write_all(wire: &mut Wire, frames: Vec<Utf8Bytes>) -> Result<(), End> {
    for frame in frames {
        wire.write(frame).await?;
    }
    Ok(())
}

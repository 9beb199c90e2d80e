//! One task a server reads the stream of events, once for all who follow it.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use baton_shared::{ConversationId, protocol::Presence};
use tokio::{
    sync::{Mutex, Notify, OnceCell, broadcast, watch},
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    Context,
    lifecycle::Lifecycle,
    store::{
        StoreError,
        events::{self, Position},
        wakes::Topic,
    },
};

use super::{Batch, Options, Snapshot, sign_in::Guesses, stream};

/// Batches are at least so far apart: what comes closer travels together.
const SPACING: Duration = Duration::from_millis(4);

/// A snapshot serves everybody who begins within this.
const SNAPSHOT_LIVES: Duration = Duration::from_millis(500);

/// What all connections of this server share.
#[derive(Debug)]
pub(super) struct Hub {
    pub(super) context: Context,
    pub(super) life: Lifecycle,
    pub(super) options: Options,
    pub(super) batches: broadcast::Sender<Arc<Batch>>,
    pub(super) open: OpenThreads,
    pub(super) presence: watch::Sender<Arc<Vec<Presence>>>,
    /// Somebody of this server's came, left or moved.
    pub(super) moved: Notify,
    pub(super) guesses: Guesses,
    snapshot: Mutex<Option<(Instant, Arc<Snapshot>)>>,
    stream: OnceCell<Arc<str>>,
}

impl Hub {
    pub(super) fn new(context: Context, life: Lifecycle, options: Options) -> Self {
        Self {
            batches: broadcast::Sender::new(options.backlog.max(1)),
            context,
            life,
            options,
            open: OpenThreads::default(),
            presence: watch::Sender::default(),
            moved: Notify::new(),
            guesses: Guesses::default(),
            snapshot: Mutex::default(),
            stream: OnceCell::new(),
        }
    }

    /// Everything there is to see, not older than half a second: when all clients come back at
    /// once, it is read once. Whoever gets it reads what has happened since.
    pub(super) async fn snapshot(&self) -> Result<Arc<Snapshot>, StoreError> {
        let mut kept = self.snapshot.lock().await;
        match &*kept {
            Some((read_at, snapshot)) if read_at.elapsed() < SNAPSHOT_LIVES => Ok(snapshot.clone()),
            _ => {
                let read_at = Instant::now();
                let snapshot = Arc::new(Snapshot::read(&self.context).await?);
                *kept = Some((read_at, snapshot.clone()));
                Ok(snapshot)
            }
        }
    }

    pub(super) async fn stream(&self) -> Result<Arc<str>, StoreError> {
        self.stream.get_or_try_init(|| stream::name(&self.context)).await.cloned()
    }
}

/// The conversations that are open on some screen, and on how many.
#[derive(Debug, Default)]
pub(super) struct OpenThreads(RwLock<HashMap<ConversationId, usize>>);

impl OpenThreads {
    pub(super) fn add(&self, id: ConversationId) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner).entry(id).or_default() += 1;
    }

    pub(super) fn remove(&self, id: ConversationId) {
        let mut open = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(screens) = open.get_mut(&id) {
            *screens -= 1;
            if *screens == 0 {
                open.remove(&id);
            }
        }
    }

    fn has(&self, id: ConversationId) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains_key(&id)
    }
}

/// Reads and tells until `stop`.
pub(super) async fn run(hub: Arc<Hub>, stop: CancellationToken) {
    let mut bell = hub.context.db.wakes().listen(Topic::Events);
    let mut feed = Feed { hub: &hub, position: None, told_at: Instant::now() };
    while !stop.is_cancelled() {
        bell.mark_unchanged();
        let pause = match feed.advance().await {
            Ok(()) => SPACING,
            Err(error) => {
                tracing::warn!(%error, "events cannot be read; trying again");
                hub.options.poll
            }
        };
        sleep(pause).await;
        tokio::select! {
            () = stop.cancelled() => return,
            _ = timeout(hub.options.poll, bell.changed()) => (),
        }
    }
}

struct Feed<'h> {
    hub: &'h Hub,
    position: Option<Position>,
    told_at: Instant,
}

impl Feed<'_> {
    /// Tells what has happened since the last time, in as many batches as it takes.
    async fn advance(&mut self) -> Result<(), StoreError> {
        let Some(mut position) = self.position.filter(|_| self.hub.batches.receiver_count() > 0) else {
            // Nobody listens: whoever comes begins with a snapshot, or reads what they missed.
            let here = events::horizon(self.hub.context.db.reader().await?.conn()).await?.position;
            self.position = Some(self.position.map_or(here, |known| known.max(here)));
            return Ok(());
        };
        loop {
            let batch = Batch::read(&self.hub.context, position, |id| self.hub.open.has(id)).await?;
            position = batch.through;
            self.position = Some(position);
            let full = batch.full;
            self.tell(batch);
            if !full {
                return Ok(());
            }
        }
    }

    /// An empty batch is told only as a sign of life. While a transaction anywhere in the database's
    /// cluster holds the stream there is none: screens say then that they may be behind.
    fn tell(&mut self, batch: Batch) {
        let quiet = batch.is_empty() && (batch.held || self.told_at.elapsed() < self.hub.options.heartbeat);
        if quiet {
            // The place moved without news; whoever listens is led there by the next batch.
            self.position = Some(batch.after);
            return;
        }
        self.told_at = Instant::now();
        // Err: the last listener has just gone.
        let _ = self.hub.batches.send(Arc::new(batch));
    }
}

//! Who is here: a row a connection, renewed while its client says so; read by one task a server.

use std::{sync::Arc, time::Duration};

use baton_shared::{
    ConversationId,
    protocol::{HEARTBEAT, PRESENCE_ENDS, Presence},
};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    Context,
    store::{
        StoreError, Urgency,
        agents::{self, Here},
    },
};

use super::{feed::Hub, guard::SignedIn};

/// What changes within this is told at once.
const GATHER: Duration = Duration::from_millis(30);

/// A client that moves about quickly is written down so often at the most.
const AT_MOST_EVERY: Duration = Duration::from_millis(250);

/// Tells all connections who is here, whenever that changes, until `stop`.
pub(super) async fn run(hub: Arc<Hub>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if hub.presence.receiver_count() > 0
            && let Err(error) = look(&hub).await
        {
            tracing::warn!(%error, "who is here cannot be read; trying again");
        }
        sleep(GATHER).await;
        tokio::select! {
            () = stop.cancelled() => return,
            _ = timeout(hub.options.presence, hub.moved.notified()) => (),
        }
    }
}

async fn look(hub: &Hub) -> Result<(), StoreError> {
    let here = Arc::new(who(&hub.context).await?);
    hub.presence.send_if_modified(|known| {
        let changed = *known != here;
        *known = here;
        changed
    });
    Ok(())
}

/// Who is here, on any server; one entry for each thing that somebody looks at.
pub async fn who(context: &Context) -> Result<Vec<Presence>, StoreError> {
    let since = context.db.time().minus(PRESENCE_ENDS);
    let rows = agents::who(context.db.reader().await?.conn(), since).await?;
    let mut here: Vec<Presence> = Vec::with_capacity(rows.len());
    for Here { agent, viewing, typing } in rows {
        match here.iter_mut().find(|known| known.agent == agent && known.viewing == viewing) {
            Some(known) => known.typing |= typing,
            None => here.push(Presence { agent, viewing, typing }),
        }
    }
    Ok(here)
}

/// One connection's row.
#[derive(Debug)]
pub(super) struct Beacon {
    connection: Uuid,
    who: SignedIn,
    viewing: Option<ConversationId>,
    typing: bool,
    changed: bool,
    /// The client has said that it is here since the row was written.
    said: bool,
    written_at: Option<Instant>,
}

impl Beacon {
    pub(super) fn new(hub: &Hub, who: SignedIn) -> Self {
        let connection: Uuid = hub.context.ids.next(hub.context.clock.now());
        Self { connection, who, viewing: None, typing: false, changed: true, said: true, written_at: None }
    }

    pub(super) fn say(&mut self, viewing: Option<ConversationId>, typing: bool) {
        self.changed |= (self.viewing, self.typing) != (viewing, typing);
        self.said = true;
        (self.viewing, self.typing) = (viewing, typing);
    }

    /// When the row wants to be written; never for a client that is silent.
    pub(super) fn due(&self) -> Option<Instant> {
        let least = if self.changed { AT_MOST_EVERY } else { HEARTBEAT / 2 };
        let now = Instant::now();
        self.said.then(|| self.written_at.map_or(now, |at| at + least))
    }

    pub(super) async fn write(&mut self, hub: &Hub) -> Result<(), StoreError> {
        let here = Here { agent: self.who.agent.id, viewing: self.viewing, typing: self.typing };
        let (connection, session, time) = (self.connection, self.who.session, hub.context.db.time());
        let job = hub.context.db.write(Urgency::First, move |tx| {
            let here = here.clone();
            Box::pin(async move { agents::here(tx, connection, session, &here, time).await })
        });
        job.await?;
        if std::mem::take(&mut self.changed) {
            hub.moved.notify_one();
        }
        self.said = false;
        self.written_at = Some(Instant::now());
        Ok(())
    }

    /// Says goodbye; a row that could not be taken away ends by itself.
    pub(super) async fn leave(self, hub: &Hub) {
        let connection = self.connection;
        let job =
            hub.context.db.write(Urgency::First, move |tx| Box::pin(async move { agents::gone(tx, connection).await }));
        if let Err(error) = job.await {
            tracing::debug!(%error, "a presence ends by itself");
        }
        hub.moved.notify_one();
    }
}

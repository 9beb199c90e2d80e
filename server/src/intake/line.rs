//! Where deliveries wait for the store: many are stored in one transaction, one by one if that
//! fails, and above a limit they are shed instead of kept in memory.

use std::sync::Arc;

use tokio::sync::{Mutex, mpsc, oneshot};

use crate::{
    Context,
    config::Reopen,
    lifecycle::Lifecycle,
    store::{
        StoreError, Urgency,
        deliveries::{self, Batch, Kept, Policy},
    },
};

/// More than this wait for the store: Meta is asked to try again.
const WAITING_LIMIT: usize = 2_048;
/// So many are stored together.
const TOGETHER: usize = 128;
/// PostgreSQL takes several transactions at once; SQLite has one writer.
const POSTGRES_LANES: usize = 3;

#[derive(Clone, Debug)]
pub struct Line {
    waiting: mpsc::Sender<Waiting>,
}

struct Waiting {
    batch: Batch,
    answer: oneshot::Sender<Result<Kept, StoreError>>,
}

/// Why a delivery was not stored.
#[derive(Debug)]
pub(super) enum Full {
    Full,
    NotKept(StoreError),
}

impl Line {
    pub fn start(context: Context, life: &Lifecycle) -> Self {
        let (waiting, line) = mpsc::channel(WAITING_LIMIT);
        let line = Arc::new(Mutex::new(line));
        for _ in 0..if context.db.is_postgres() { POSTGRES_LANES } else { 1 } {
            life.spawn(store_all(context.clone(), line.clone()));
        }
        Self { waiting }
    }

    /// Answers once it is durable.
    pub(super) async fn store(&self, batch: Batch) -> Result<Kept, Full> {
        let (answer, answered) = oneshot::channel();
        self.waiting.try_send(Waiting { batch, answer }).map_err(|_| Full::Full)?;
        answered.await.unwrap_or(Err(StoreError::Closed)).map_err(Full::NotKept)
    }
}

/// Ends when the last sender is gone: the server has stopped taking requests by then.
async fn store_all(context: Context, line: Arc<Mutex<mpsc::Receiver<Waiting>>>) {
    loop {
        let mut together = Vec::new();
        if line.lock().await.recv_many(&mut together, TOGETHER).await == 0 {
            return;
        }
        store_together(&context, together).await;
    }
}

async fn store_together(context: &Context, mut together: Vec<Waiting>) {
    if together.len() > 1 {
        let mut joined = Batch::default();
        for waiting in &together {
            joined.join(waiting.batch.clone());
        }
        match store(context, joined).await {
            Ok(_) => {
                together.drain(..).for_each(|waiting| drop(waiting.answer.send(Ok(Kept::default()))));
                return;
            }
            Err(error) => tracing::debug!(%error, "storing one by one"),
        }
    }
    for waiting in together {
        let kept = store(context, waiting.batch).await;
        // Whoever sent it may have hung up: it is stored, and known when it comes again.
        let _ = waiting.answer.send(kept);
    }
}

/// One transaction.
pub(super) async fn store(context: &Context, batch: Batch) -> Result<Kept, StoreError> {
    let (batch, policy, at) = (Arc::new(batch), policy(context), context.moment());
    let ids = context.ids.clone();
    let job = context.db.write(Urgency::Deliveries, move |tx| {
        let (batch, ids) = (batch.clone(), ids.clone());
        Box::pin(async move { deliveries::store(tx, &batch, &policy, at, &ids).await })
    });
    let kept = job.await?;
    context.counters.messages_in.add(kept.messages);
    Ok(kept)
}

fn policy(context: &Context) -> Policy {
    let playbook = &context.settings.playbook;
    Policy {
        pause: playbook.burst,
        reopen_to_waiting: playbook.reopen == Reopen::Waiting,
        late_after: Some(playbook.late.after),
        phone_pause: context.settings.inbox.phone_pause,
    }
}

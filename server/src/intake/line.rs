//! Where deliveries wait for the store: many are stored in one transaction, one by one if that
//! fails, and above a limit they are shed instead of kept in memory.

use std::sync::Arc;

use tokio::sync::{Mutex, mpsc, oneshot};

use crate::{
    Context,
    config::{Reopen, Settings},
    lifecycle::Lifecycle,
    store::{
        StoreError, Urgency,
        deliveries::{self, Batch, Kept, Policies, Policy},
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
    pub fn start(context: Context, policies: &Arc<Policies>, life: &Lifecycle) -> Self {
        let (waiting, line) = mpsc::channel(WAITING_LIMIT);
        let line = Arc::new(Mutex::new(line));
        for _ in 0..if context.db.is_postgres() { POSTGRES_LANES } else { 1 } {
            life.spawn(store_all(context.clone(), policies.clone(), line.clone()));
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
async fn store_all(context: Context, policies: Arc<Policies>, line: Arc<Mutex<mpsc::Receiver<Waiting>>>) {
    loop {
        let mut together = Vec::new();
        if line.lock().await.recv_many(&mut together, TOGETHER).await == 0 {
            return;
        }
        store_together(&context, &policies, together).await;
    }
}

async fn store_together(context: &Context, policies: &Arc<Policies>, mut together: Vec<Waiting>) {
    if together.len() > 1 {
        let mut joined = Batch::default();
        for waiting in &together {
            joined.join(waiting.batch.clone());
        }
        match store(context, policies, joined).await {
            Ok(_) => {
                together.drain(..).for_each(|waiting| drop(waiting.answer.send(Ok(Kept::default()))));
                return;
            }
            Err(error) => tracing::debug!(%error, "storing one by one"),
        }
    }
    for waiting in together {
        let kept = store(context, policies, waiting.batch).await;
        // Whoever sent it may have hung up: it is stored, and known when it comes again.
        let _ = waiting.answer.send(kept);
    }
}

/// One transaction.
pub(super) async fn store(context: &Context, policies: &Arc<Policies>, batch: Batch) -> Result<Kept, StoreError> {
    let (batch, policies, at) = (Arc::new(batch), policies.clone(), context.moment());
    let ids = context.ids.clone();
    let job = context.db.write(Urgency::Deliveries, move |tx| {
        let (batch, policies, ids) = (batch.clone(), policies.clone(), ids.clone());
        Box::pin(async move { deliveries::store(tx, &batch, &policies, at, &ids).await })
    });
    let kept = job.await?;
    context.counters.messages_in.add(kept.messages);
    Ok(kept)
}

/// What the playbook of this number says about arrivals.
pub(super) fn policy(settings: &Settings, phone_number_id: &str) -> Policy {
    let playbook = &settings.book_of(phone_number_id).playbook;
    Policy {
        pause: playbook.burst,
        reopen_to_waiting: playbook.reopen == Reopen::Waiting,
        late_after: Some(playbook.late.after),
        phone_pause: settings.inbox.phone_pause,
    }
}

//! How writes reach the disk. On SQLite one task writes: it takes the most urgent jobs that wait, up
//! to 128 of them or 2 ms, into one transaction, each behind a savepoint of its own, and answers
//! after the commit. Each transaction has room for what customers wrote: were there always something
//! more urgent, no delivery would ever be answered. On PostgreSQL each job is a transaction, begun again on a serialisation failure.

use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use baton_shared::Clock;
use sqlx::{Connection, PgPool, SqliteConnection};
use tokio::sync::{Notify, oneshot};

use super::{
    StoreError, Tx, Urgency,
    engine::TxInner,
    wakes::{Topics, Wakes},
};

/// What a job is while it runs.
pub type Work<'t, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 't>>;

/// What was written since the store was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    pub commits: u64,
    /// Several of them share a commit on SQLite.
    pub jobs: u64,
}

/// Counts it.
#[derive(Debug, Default)]
pub(super) struct Tally {
    commits: AtomicU64,
    jobs: AtomicU64,
}

impl Tally {
    fn commit(&self, jobs: usize) {
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.jobs.fetch_add(jobs as u64, Ordering::Relaxed);
    }

    pub(super) fn written(&self) -> Written {
        Written { commits: self.commits.load(Ordering::Relaxed), jobs: self.jobs.load(Ordering::Relaxed) }
    }
}

const URGENCIES: [Urgency; 3] = [Urgency::First, Urgency::Deliveries, Urgency::Last];
const JOBS_PER_COMMIT: usize = 128;
const COMMIT_AFTER: Duration = Duration::from_millis(2);
/// More than this are not kept waiting: the caller sheds its load instead.
const WAITING_LIMIT: usize = 4_096;
const POSTGRES_TRIES: usize = 8;
const CHECKPOINT_EVERY: Duration = Duration::from_millis(250);

/// Two statements a text: each text is a trip to SQLite's own thread and back.
const BEGIN: &str = "begin immediate; savepoint job";
const NEXT: &str = "release job; savepoint job";
const COMMIT: &str = "release job; commit";

/// The one task that writes to SQLite.
#[derive(Debug)]
pub(super) struct Writer {
    line: Arc<Line>,
}

/// Where jobs wait, the most urgent first.
struct Line {
    waiting: Mutex<Waiting>,
    arrived: Notify,
    ended: Notify,
}

#[derive(Default)]
struct Waiting {
    jobs: [VecDeque<Box<dyn Job>>; URGENCIES.len()],
    closed: bool,
    ended: bool,
}

trait Job: Send {
    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> Work<'t, ()>;
    fn answer(self: Box<Self>, result: Result<(), StoreError>);
}

struct Pending<T, F> {
    job: F,
    value: Option<T>,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job for Pending<T, F>
where
    T: Send,
    F: for<'t> FnMut(&'t mut Tx) -> Work<'t, T> + Send,
{
    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> Work<'t, ()> {
        Box::pin(async move {
            self.value = Some((self.job)(tx).await?);
            Ok(())
        })
    }

    fn answer(self: Box<Self>, result: Result<(), StoreError>) {
        let Self { value, answer, .. } = *self;
        let result = result.and_then(|()| value.ok_or(StoreError::Closed));
        // Whoever asked may have gone; what they asked for is done all the same.
        let _ = answer.send(result);
    }
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Line")
    }
}

impl Writer {
    pub(super) fn start(
        connection: SqliteConnection,
        checkpointer: Option<SqliteConnection>,
        begin_tries: usize,
        clock: Arc<dyn Clock>,
        wakes: Arc<Wakes>,
        tally: Arc<Tally>,
    ) -> Self {
        let line = Arc::new(Line { waiting: Mutex::default(), arrived: Notify::new(), ended: Notify::new() });
        spawn(write_all(connection, line.clone(), begin_tries, clock, wakes, tally));
        if let Some(checkpointer) = checkpointer {
            spawn(checkpoint(checkpointer, Arc::downgrade(&line)));
        }
        Self { line }
    }

    pub(super) async fn run<T, F>(&self, urgency: Urgency, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'t> FnMut(&'t mut Tx) -> Work<'t, T> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        self.line.push(urgency, Box::new(Pending { job, value: None, answer }))?;
        answered.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Takes no more jobs and waits for those that were taken.
    pub(super) async fn close(&self) {
        let ended = self.line.ended.notified();
        {
            let mut waiting = self.line.lock();
            waiting.closed = true;
            if waiting.ended {
                return;
            }
        }
        self.line.arrived.notify_one();
        ended.await;
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.line.lock().closed = true;
        self.line.arrived.notify_one();
    }
}

impl Line {
    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, urgency: Urgency, job: Box<dyn Job>) -> Result<(), StoreError> {
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(StoreError::Closed);
        }
        let queue = &mut waiting.jobs[urgency as usize];
        if queue.len() >= WAITING_LIMIT {
            return Err(StoreError::Busy);
        }
        queue.push_back(job);
        drop(waiting);
        self.arrived.notify_one();
        Ok(())
    }

    /// The most urgent job.
    fn pop(&self) -> Option<(Urgency, Box<dyn Job>)> {
        let mut waiting = self.lock();
        URGENCIES.into_iter().find_map(|urgency| Some((urgency, waiting.jobs[urgency as usize].pop_front()?)))
    }

    fn pop_delivery(&self) -> Option<(Urgency, Box<dyn Job>)> {
        let urgency = Urgency::Deliveries;
        Some((urgency, self.lock().jobs[urgency as usize].pop_front()?))
    }

    /// The next job, however long it takes; `None` once closed and empty.
    async fn next(&self) -> Option<(Urgency, Box<dyn Job>)> {
        loop {
            let arrived = self.arrived.notified();
            if let Some(job) = self.pop() {
                return Some(job);
            }
            if self.lock().closed {
                return None;
            }
            arrived.await;
        }
    }
}

async fn write_all(
    mut connection: SqliteConnection,
    line: Arc<Line>,
    begin_tries: usize,
    clock: Arc<dyn Clock>,
    wakes: Arc<Wakes>,
    tally: Arc<Tally>,
) {
    while let Some(first) = line.next().await {
        let (back, batch, result, topics) = write_batch(connection, first, &line, begin_tries, &*clock).await;
        connection = back;
        let jobs = batch.len();
        for (job, own) in batch {
            job.answer(own.and_then(|()| result.clone()));
        }
        if result.is_ok() {
            tally.commit(jobs);
            wakes.ring(topics);
        }
    }
    if let Err(error) = connection.close().await {
        tracing::warn!(%error, "closing the database's writer");
    }
    line.lock().ended = true;
    line.ended.notify_waiters();
}

type Done = (Box<dyn Job>, Result<(), StoreError>);

/// One transaction: its connection back, each job with its own result, the commit's, and whom to wake.
async fn write_batch(
    connection: SqliteConnection,
    first: (Urgency, Box<dyn Job>),
    line: &Line,
    begin_tries: usize,
    clock: &dyn Clock,
) -> (SqliteConnection, Vec<Done>, Result<(), StoreError>, Topics) {
    let mut tx = Tx { inner: TxInner::Sqlite(connection), wakes: Topics::default() };
    let mut batch = Vec::new();
    let mut next = Some(first);
    let mut result = begin(&mut tx, begin_tries).await;
    let began = clock.monotonic();
    let mut delivered = false;
    while let Some((urgency, mut job)) = next.take() {
        let own = match &result {
            Ok(()) => run_behind_savepoint(&mut tx, &mut *job).await,
            Err(_) => Ok(Ok(())),
        };
        let own = own.unwrap_or_else(|gone| {
            result = Err(gone);
            Ok(())
        });
        batch.push((job, own));
        delivered |= urgency == Urgency::Deliveries;
        if result.is_ok() {
            let is_full = batch.len() >= JOBS_PER_COMMIT || clock.monotonic() - began >= COMMIT_AFTER;
            next = if !is_full { line.pop() } else { None };
            next = next.or_else(|| if delivered { None } else { line.pop_delivery() });
            result = execute(&mut tx, if next.is_some() { NEXT } else { COMMIT }).await;
        }
    }
    if result.is_err() {
        // The transaction may be gone already, with the disk that was full.
        let _ = execute(&mut tx, "rollback").await;
    }
    let TxInner::Sqlite(connection) = tx.inner else { unreachable!("begun above on SQLite") };
    (connection, batch, result, tx.wakes)
}

/// Takes the one right to write; another process may have it.
async fn begin(tx: &mut Tx, tries: usize) -> Result<(), StoreError> {
    for _ in 1..tries {
        match execute(tx, BEGIN).await {
            Err(error) if error.is_taken() => (),
            done => return done,
        }
    }
    execute(tx, BEGIN).await
}

/// Between two of [`BEGIN`], [`NEXT`] and [`COMMIT`]. The job's own result; an error if the
/// transaction is gone, as SQLite does it on a full disk: the next savepoint would begin another.
async fn run_behind_savepoint(tx: &mut Tx, job: &mut dyn Job) -> Result<Result<(), StoreError>, StoreError> {
    let done = job.run(tx).await;
    if let Err(why) = &done {
        execute(tx, "rollback to job").await.map_err(|_| why.clone())?;
    }
    Ok(done)
}

async fn execute(tx: &mut Tx, sql: &'static str) -> Result<(), StoreError> {
    let TxInner::Sqlite(connection) = &mut tx.inner else { unreachable!("only the SQLite writer calls this") };
    sqlx::raw_sql(sql).execute(connection).await?;
    Ok(())
}

/// Keeps the log short, off the commit path; ends with the writer.
async fn checkpoint(mut connection: SqliteConnection, line: std::sync::Weak<Line>) {
    while let Some(line) = line.upgrade() {
        if line.lock().ended {
            return;
        }
        drop(line);
        tokio::time::sleep(CHECKPOINT_EVERY).await;
        if let Err(error) = sqlx::query("pragma wal_checkpoint(passive)").execute(&mut connection).await {
            tracing::warn!(%error, "checkpoint");
        }
    }
}

/// Runs `job` in a transaction of its own, again after a serialisation failure or a deadlock.
pub(super) async fn run_postgres<T, F>(pool: &PgPool, wakes: &Wakes, tally: &Tally, mut job: F) -> Result<T, StoreError>
where
    F: for<'t> FnMut(&'t mut Tx) -> Work<'t, T>,
{
    let mut tries = 0;
    loop {
        tries += 1;
        match try_postgres(pool, &mut job).await {
            Ok((value, topics)) => {
                tally.commit(1);
                wakes.ring(topics);
                return Ok(value);
            }
            Err(error) if error.is_conflict() && tries < POSTGRES_TRIES => {}
            Err(error) => return Err(error),
        }
    }
}

async fn try_postgres<T, F>(pool: &PgPool, job: &mut F) -> Result<(T, Topics), StoreError>
where
    F: for<'t> FnMut(&'t mut Tx) -> Work<'t, T>,
{
    let mut tx = Tx { inner: TxInner::Postgres(pool.begin().await?), wakes: Topics::default() };
    let value = job(&mut tx).await?;
    let TxInner::Postgres(transaction) = tx.inner else { unreachable!("begun above on PostgreSQL") };
    transaction.commit().await?;
    Ok((value, tx.wakes))
}

fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    #[expect(clippy::disallowed_methods, reason = "ends by itself when the last handle to the store is dropped")]
    tokio::spawn(task);
}

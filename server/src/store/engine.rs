//! The single place that knows there are two engines: one enum per role, two arms each.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use baton_shared::{Clock, Micros};
use sqlx::{
    ConnectOptions, Connection, PgConnection, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool, Transaction,
    pool::PoolConnection,
    postgres::PgPoolOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{
    StoreError,
    gate::{Gate, Point},
    schema,
    wakes::{Topics, Wakes},
    writer::{self, Tally, Work, Writer, Written},
};

/// Which jobs go first when many wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// A person, a lease or a send result waits for it.
    First,
    /// What customers wrote.
    Deliveries,
    /// Purge, index, ingest: in slices under 20 ms.
    Last,
}

/// A store. Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub struct Db(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    engine: Engine,
    clock: Arc<dyn Clock>,
    wakes: Arc<Wakes>,
    tally: Arc<Tally>,
    gate: Option<Arc<dyn Gate>>,
    /// What to add to our monotonic clock to get the time of leases.
    lease_offset: AtomicI64,
}

#[derive(Debug)]
enum Engine {
    Sqlite { readers: SqlitePool, writer: Writer, lock: Option<std::fs::File> },
    Postgres(PgPool),
}

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("`{0}` is not a database address: expected sqlite://path/to/baton.db or postgres://user@host/name")]
    Address(String),
    #[error("another server already uses `{}`: SQLite takes one; use PostgreSQL to run several", file.display())]
    InUse { file: PathBuf },
    #[error("`{}` does not exist yet: the server makes it at its first start", file.display())]
    Missing { file: PathBuf },
    #[error("the tables in `{}` are those of another version than this one: use the program of the server that runs", file.display())]
    OtherVersion { file: PathBuf },
    #[error("`{}` is only to be read: expected a file, in a folder, that this user may write", file.display())]
    ReadOnly { file: PathBuf },
    #[error("`{}` is being written by another process: expected that it ends, or commits", file.display())]
    Taken { file: PathBuf },
    #[error("cannot open `{}`: {why}: expected a file in a folder that is there and that this user may write", file.display())]
    File { file: PathBuf, why: std::io::Error },
    #[error("cannot reach the database: {0}")]
    Database(#[from] sqlx::Error),
    #[error("cannot bring the database's tables up to date: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
}

/// Statements that would be prepared again and again are kept, this many a connection.
const STATEMENTS: usize = 256;
const READERS: u32 = 8;
const POSTGRES_CONNECTIONS: u32 = 24;
/// A command beside the server holds the lock for as long as it brings the tables up to date.
const LOCK_TRIES: u32 = 5;
const LOCK_AGAIN_AFTER: Duration = Duration::from_millis(100);

impl Db {
    /// Opens the store at `url`, creates a SQLite file that is missing, brings the tables up to date.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open(url: &str, clock: Arc<dyn Clock>, gate: Option<Arc<dyn Gate>>) -> Result<Self, OpenError> {
        Self::open_as(Role::Server, url, clock, gate).await
    }

    /// Opens a store that is there for one act from the command line, also while a server uses the
    /// same SQLite file: without its lock, and leaving the tables as they are then.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open_beside(url: &str, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        Self::open_as(Role::Guest, url, clock, None).await
    }

    async fn open_as(
        role: Role,
        url: &str,
        clock: Arc<dyn Clock>,
        gate: Option<Arc<dyn Gate>>,
    ) -> Result<Self, OpenError> {
        let (wakes, tally): (Arc<Wakes>, Arc<Tally>) = Default::default();
        let (engine, lease_offset) = if url.starts_with("sqlite:") {
            (open_sqlite(role, url, clock.clone(), wakes.clone(), tally.clone()).await?, 0)
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let pool = open_postgres(url).await?;
            let offset = postgres_offset(&pool, &*clock).await?;
            (Engine::Postgres(pool), offset)
        } else {
            return Err(OpenError::Address(without_user(url)));
        };
        let db =
            Self(Arc::new(Inner { engine, clock, wakes, tally, gate, lease_offset: AtomicI64::new(lease_offset) }));
        Ok(db)
    }

    /// The time of leases and deadlines: the database's own on PostgreSQL, so that all servers agree;
    /// this process's on SQLite, which has one server. Never the wall's.
    pub fn time(&self) -> Micros {
        let since = i64::try_from(self.0.clock.monotonic().as_micros()).unwrap_or(i64::MAX);
        Micros(since.saturating_add(self.0.lease_offset.load(Ordering::Relaxed)))
    }

    pub fn wakes(&self) -> &Wakes {
        &self.0.wakes
    }

    /// By this process.
    pub fn written(&self) -> Written {
        self.0.tally.written()
    }

    pub fn is_postgres(&self) -> bool {
        matches!(self.0.engine, Engine::Postgres(_))
    }

    /// A connection to read with.
    ///
    /// # Errors
    /// [`StoreError::Database`] if none is to be had.
    pub async fn reader(&self) -> Result<Reader, StoreError> {
        self.pass(Point::Before).await;
        Ok(match &self.0.engine {
            Engine::Sqlite { readers, .. } => Reader::Sqlite(readers.acquire().await?),
            Engine::Postgres(pool) => Reader::Postgres(pool.acquire().await?),
        })
    }

    /// A connection on which all reads see one moment.
    ///
    /// # Errors
    /// [`StoreError::Database`] if none is to be had.
    pub async fn snapshot(&self) -> Result<Reader, StoreError> {
        self.pass(Point::Before).await;
        Ok(match &self.0.engine {
            Engine::Sqlite { readers, .. } => Reader::SqliteSnapshot(readers.begin().await?),
            Engine::Postgres(pool) => {
                Reader::PostgresSnapshot(pool.begin_with("begin isolation level repeatable read read only").await?)
            }
        })
    }

    /// Runs `job` in one transaction and answers after its commit. The job may run more than once
    /// (never committing more than once), so it takes what it needs by clone.
    ///
    /// # Errors
    /// What the job returned, [`StoreError::Database`], or [`StoreError::Busy`] if too many wait.
    pub async fn write<T, F>(&self, urgency: Urgency, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'t> FnMut(&'t mut Tx) -> Work<'t, T> + Send + 'static,
    {
        self.pass(Point::Before).await;
        let done = match &self.0.engine {
            Engine::Sqlite { writer, .. } => writer.run(urgency, job).await,
            Engine::Postgres(pool) => writer::run_postgres(pool, &self.0.wakes, &self.0.tally, job).await,
        };
        self.pass(Point::Committed).await;
        done
    }

    /// Waits until nothing is being written, then closes every connection.
    pub async fn close(&self) {
        match &self.0.engine {
            Engine::Sqlite { readers, writer, lock } => {
                writer.close().await;
                readers.close().await;
                if let Some(Err(error)) = lock.as_ref().map(std::fs::File::unlock) {
                    tracing::warn!(%error, "the lock of the database goes with this process");
                }
            }
            Engine::Postgres(pool) => pool.close().await,
        }
    }

    /// Measures the database's clock again; a drift costs only time, never a promise.
    ///
    /// # Errors
    /// [`StoreError::Database`] if it cannot be asked.
    pub async fn measure_time(&self) -> Result<(), StoreError> {
        if let Engine::Postgres(pool) = &self.0.engine {
            let offset = postgres_offset(pool, &*self.0.clock).await?;
            self.0.lease_offset.store(offset, Ordering::Relaxed);
        }
        Ok(())
    }

    /// PostgreSQL's pool, for its own notifications.
    pub(super) fn postgres(&self) -> Option<&PgPool> {
        match &self.0.engine {
            Engine::Postgres(pool) => Some(pool),
            Engine::Sqlite { .. } => None,
        }
    }

    async fn pass(&self, point: Point) {
        if let Some(gate) = &self.0.gate {
            gate.pass(point).await;
        }
    }
}

/// As what a SQLite file is opened.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// The only one that serves from it.
    Server,
    /// For one act, beside a server or without one.
    Guest,
}

impl Role {
    /// How long one try to write waits for another process, and how many are made. A guest finds the
    /// short gaps between a busy server's commits only if it looks often.
    const fn patience(self) -> (Duration, usize) {
        match self {
            Self::Server => (Duration::from_secs(5), 1),
            Self::Guest => (Duration::from_millis(50), 300),
        }
    }
}

async fn open_sqlite(
    role: Role,
    url: &str,
    clock: Arc<dyn Clock>,
    wakes: Arc<Wakes>,
    tally: Arc<Tally>,
) -> Result<Engine, OpenError> {
    let options = sqlite_options(role, url)?;
    let file = options.get_filename().to_path_buf();
    let lock = match role {
        Role::Server => Some(lock_for_serving(&file).await?),
        Role::Guest if !file.exists() => return Err(OpenError::Missing { file }),
        Role::Guest => lock_if_free(&file)?,
    };
    let mut writer = SqliteConnection::connect_with(&options).await?;
    if role == Role::Server {
        try_to_write(&mut writer).await.map_err(|why| not_writable(why, &file))?;
    }
    if lock.is_some() {
        schema::sqlite().run(&mut writer).await?;
    } else if !schema::is_current(&mut writer).await? {
        return Err(OpenError::OtherVersion { file });
    }
    let checkpointer = match role {
        Role::Server => Some(SqliteConnection::connect_with(&options).await?),
        Role::Guest => None,
    };
    let readers = SqlitePoolOptions::new().max_connections(READERS).connect_with(options.read_only(true)).await?;
    let (_, tries) = role.patience();
    let writer = Writer::start(writer, checkpointer, tries, clock, wakes, tally);
    // A server that starts meanwhile must not find the file taken by a guest.
    Ok(Engine::Sqlite { readers, writer, lock: lock.filter(|_| role == Role::Server) })
}

/// What cannot be written is to be known now. SQLite begins even with a file that is only to be read;
/// it notices at the first write, which is taken back.
async fn try_to_write(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let mut tx = connection.begin_with("begin immediate").await?;
    sqlx::query("pragma user_version = 0").execute(&mut *tx).await?;
    tx.rollback().await
}

impl OpenError {
    /// PostgreSQL's sentence, if it has no database of that name.
    pub fn no_such_database(&self) -> Option<&str> {
        const CODE: &str = "3D000";
        match self {
            Self::Database(sqlx::Error::Database(why)) if why.code().as_deref() == Some(CODE) => Some(why.message()),
            _ => None,
        }
    }
}

fn not_writable(why: sqlx::Error, file: &Path) -> OpenError {
    let file = file.to_path_buf();
    match super::sqlite_code(&why) {
        Some(super::SQLITE_READONLY) => OpenError::ReadOnly { file },
        Some(super::SQLITE_BUSY) => OpenError::Taken { file },
        _ => OpenError::Database(why),
    }
}

fn sqlite_options(role: Role, url: &str) -> Result<SqliteConnectOptions, OpenError> {
    let (timeout, _) = role.patience();
    let options = SqliteConnectOptions::from_str(url).map_err(|_| OpenError::Address(without_user(url)))?;
    let options = options
        .create_if_missing(role == Role::Server)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(timeout)
        .statement_cache_capacity(STATEMENTS)
        // Checkpoints run on a connection of their own, or they own the p99.
        .pragma("wal_autocheckpoint", "0")
        .pragma("temp_store", "memory")
        .pragma("cache_size", "-65536")
        .disable_statement_logging();
    Ok(options)
}

/// Held as long as the store is open, and let go by the system if the process dies.
async fn lock_for_serving(database: &Path) -> Result<std::fs::File, OpenError> {
    for _ in 1..LOCK_TRIES {
        if let Some(lock) = lock_if_free(database)? {
            return Ok(lock);
        }
        tokio::time::sleep(LOCK_AGAIN_AFTER).await;
    }
    lock_if_free(database)?.ok_or_else(|| OpenError::InUse { file: database.to_path_buf() })
}

fn lock_if_free(database: &Path) -> Result<Option<std::fs::File>, OpenError> {
    let mut path = database.as_os_str().to_owned();
    path.push(".lock");
    let path = PathBuf::from(path);
    let file = std::fs::File::create(&path).map_err(|why| OpenError::File { file: database.to_path_buf(), why })?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(error)) => Err(OpenError::File { file: path, why: error }),
    }
}

/// An address as it may be shown: a password stands before the `@`.
fn without_user(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, place))) => format!("{scheme}://...@{place}"),
        _ => url.to_owned(),
    }
}

async fn open_postgres(url: &str) -> Result<PgPool, OpenError> {
    let options = sqlx::postgres::PgConnectOptions::from_str(url)
        .map_err(|_| OpenError::Address(without_user(url)))?
        .statement_cache_capacity(STATEMENTS)
        .application_name("baton")
        .disable_statement_logging();
    let pool = PgPoolOptions::new().max_connections(POSTGRES_CONNECTIONS).acquire_timeout(Duration::from_secs(5));
    let pool = match pool.connect_with(options.clone()).await {
        Ok(pool) => pool,
        // The pool goes on trying, and forgets why.
        Err(sqlx::Error::PoolTimedOut) => {
            let why = PgConnection::connect_with(&options).await.err();
            return Err(why.unwrap_or(sqlx::Error::PoolTimedOut).into());
        }
        Err(error) => return Err(error.into()),
    };
    schema::postgres().run(&pool).await?;
    Ok(pool)
}

async fn postgres_offset(pool: &PgPool, clock: &dyn Clock) -> Result<i64, sqlx::Error> {
    let theirs: i64 =
        sqlx::query_scalar("select (extract(epoch from clock_timestamp()) * 1000000)::bigint").fetch_one(pool).await?;
    Ok(theirs - i64::try_from(clock.monotonic().as_micros()).unwrap_or(i64::MAX))
}

/// A connection to read with.
#[derive(Debug)]
pub enum Reader {
    Sqlite(PoolConnection<Sqlite>),
    SqliteSnapshot(Transaction<'static, Sqlite>),
    Postgres(PoolConnection<Postgres>),
    PostgresSnapshot(Transaction<'static, Postgres>),
}

impl Reader {
    pub fn conn(&mut self) -> Conn<'_> {
        match self {
            Self::Sqlite(c) => Conn::Sqlite(c),
            Self::SqliteSnapshot(c) => Conn::Sqlite(c),
            Self::Postgres(c) => Conn::Postgres(c),
            Self::PostgresSnapshot(c) => Conn::Postgres(c),
        }
    }
}

/// A transaction that writes. Its commit is not its own: see [`Db::write`].
#[derive(Debug)]
pub struct Tx {
    pub(super) inner: TxInner,
    pub(super) wakes: Topics,
}

#[derive(Debug)]
pub(super) enum TxInner {
    Sqlite(SqliteConnection),
    Postgres(Transaction<'static, Postgres>),
}

impl Tx {
    pub fn conn(&mut self) -> Conn<'_> {
        match &mut self.inner {
            TxInner::Sqlite(c) => Conn::Sqlite(c),
            TxInner::Postgres(c) => Conn::Postgres(c),
        }
    }

    /// Somebody must look into the store once this is committed.
    pub const fn wake(&mut self, topic: super::wakes::Topic) {
        self.wakes.add(topic);
    }
}

/// A borrowed connection of either engine; what every query runs on.
#[derive(Debug)]
pub enum Conn<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
}

impl Conn<'_> {
    /// The same connection, lent once more.
    pub fn again(&mut self) -> Conn<'_> {
        match self {
            Self::Sqlite(c) => Conn::Sqlite(c),
            Self::Postgres(c) => Conn::Postgres(c),
        }
    }
}

/// One statement, in one text or in one per dialect.
#[derive(Clone, Copy, Debug)]
pub enum Sql {
    Both(&'static str),
    Each { sqlite: &'static str, postgres: &'static str },
}

impl Sql {
    pub const fn sqlite(&self) -> &'static str {
        match self {
            Self::Both(text) | Self::Each { sqlite: text, .. } => text,
        }
    }

    pub const fn postgres(&self) -> &'static str {
        match self {
            Self::Both(text) | Self::Each { postgres: text, .. } => text,
        }
    }
}

/// Runs the same query expression on whichever engine is behind `$conn`.
macro_rules! on {
    ($conn:expr, $sql:expr, |$c:ident, $text:ident| $query:expr) => {
        match $conn {
            $crate::store::Conn::Sqlite($c) => {
                let $text = $sql.sqlite();
                $query
            }
            $crate::store::Conn::Postgres($c) => {
                let $text = $sql.postgres();
                $query
            }
        }
    };
}
pub(super) use on;

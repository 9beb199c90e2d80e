//! A store of its own for each test, on either engine.
//!
//! PostgreSQL is the one at `BATON_TEST_POSTGRES_URL`, else a local one that answers. Where there is
//! none, a test of it says that it was left out, and fails if `BATON_TEST_POSTGRES_REQUIRED` is set.

use std::{
    str::FromStr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use baton_server::store::{Db, Moment, gate::Gate};
use baton_shared::{Clock, Ids, ManualClock, Micros};
use sqlx::{ConnectOptions, Connection, Executor, PgConnection, postgres::PgConnectOptions};

/// 2026-11-20 12:00 UTC.
pub const NOON: Micros = Micros::from_seconds(1_795_176_000);

/// An empty database of a test's own, removed with it.
pub struct Database {
    pub url: String,
    /// Where files go.
    pub media: tempfile::TempDir,
    _place: Place,
}

enum Place {
    Folder(#[expect(dead_code, reason = "removed when dropped")] tempfile::TempDir),
    Database { admin: Box<PgConnectOptions>, name: String },
}

impl Database {
    pub fn sqlite() -> Self {
        Self::sqlite_at(tempfile::tempdir().expect("a temporary folder"))
    }

    /// In a temporary folder of this one.
    pub fn sqlite_in(folder: &std::path::Path) -> Self {
        Self::sqlite_at(tempfile::tempdir_in(folder).expect("a temporary folder"))
    }

    fn sqlite_at(folder: tempfile::TempDir) -> Self {
        let url = format!("sqlite://{}", folder.path().join("baton.db").display());
        Self { url, media: media(), _place: Place::Folder(folder) }
    }

    /// `None` where there is no PostgreSQL.
    pub async fn postgres() -> Option<Self> {
        let admin = postgres_server().await?;
        let mut bytes = [0; 6];
        Ids::system().fill(&mut bytes);
        let name = format!("baton_test_{}", hex::encode(bytes));
        let mut connection = PgConnection::connect_with(&admin).await.expect("PostgreSQL answered a moment ago");
        let create = sqlx::AssertSqlSafe(format!("create database {name}"));
        connection.execute(sqlx::query(create)).await.expect("may create a database");
        let url = admin.clone().database(&name).to_url_lossy().to_string();
        Some(Self { url, media: media(), _place: Place::Database { admin: Box::new(admin), name } })
    }
}

fn media() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// A store, its clock and its chance.
pub struct TestStore {
    pub db: Db,
    pub clock: Arc<ManualClock>,
    pub ids: Arc<Ids>,
    /// The address that another server would open.
    pub url: String,
    _database: Database,
}

impl TestStore {
    pub async fn sqlite() -> Self {
        Self::open(Database::sqlite(), None).await
    }

    /// On SQLite, with a gate before and after every call.
    pub async fn sqlite_behind(gate: Arc<dyn Gate>) -> Self {
        Self::open(Database::sqlite(), Some(gate)).await
    }

    /// `None` where there is no PostgreSQL.
    pub async fn postgres() -> Option<Self> {
        Some(Self::open(Database::postgres().await?, None).await)
    }

    async fn open(database: Database, gate: Option<Arc<dyn Gate>>) -> Self {
        let clock = Arc::new(ManualClock::at(NOON));
        let db = Db::open(&database.url, clock.clone(), gate).await.expect("a store opens");
        Self { db, clock, ids: Arc::new(Ids::seeded(1)), url: database.url.clone(), _database: database }
    }

    pub fn moment(&self) -> Moment {
        Moment { now: self.clock.now(), time: self.db.time() }
    }

    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Self::Database { admin, name } = self else { return };
        let (admin, drop) = (admin.clone(), format!("drop database if exists {name} with (force)"));
        // Its own thread and runtime: the test's may be ending.
        let cleaner = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut connection = PgConnection::connect_with(&admin).await.map_err(std::io::Error::other)?;
                let done = connection.execute(sqlx::query(sqlx::AssertSqlSafe(drop))).await;
                done.map(|_| ()).map_err(std::io::Error::other)
            })
        });
        if !matches!(cleaner.join(), Ok(Ok(()))) {
            eprintln!("the database {name} is left behind");
        }
    }
}

/// The server to make databases on; asked for once a process.
pub async fn postgres_server() -> Option<PgConnectOptions> {
    static FOUND: OnceLock<Option<String>> = OnceLock::new();
    let url = match FOUND.get() {
        Some(found) => found.clone(),
        None => {
            let found = find_postgres().await;
            FOUND.get_or_init(|| found).clone()
        }
    };
    url.and_then(|url| PgConnectOptions::from_str(&url).ok()).map(ConnectOptions::disable_statement_logging)
}

#[expect(clippy::disallowed_methods, reason = "tests are told by the environment where PostgreSQL is")]
async fn find_postgres() -> Option<String> {
    let named = std::env::var("BATON_TEST_POSTGRES_URL").ok();
    let url = named.unwrap_or_else(|| "postgres://postgres@127.0.0.1:5432/postgres".into());
    let answers = match PgConnectOptions::from_str(&url) {
        Ok(options) => tokio::time::timeout(Duration::from_secs(5), PgConnection::connect_with(&options)).await,
        Err(error) => panic!("BATON_TEST_POSTGRES_URL: {error}"),
    };
    if matches!(answers, Ok(Ok(_))) {
        return Some(url);
    }
    assert!(std::env::var("BATON_TEST_POSTGRES_REQUIRED").is_err(), "no PostgreSQL answers at {url}");
    None
}

/// Lets everybody into a database of PostgreSQL; or nobody any more, and throws out whoever is in.
pub async fn let_in(url: &str, open: bool) {
    let options: PgConnectOptions = url.parse().expect("an address");
    let name = options.get_database().expect("a database").to_owned();
    let mut admin = PgConnection::connect_with(&options.database("postgres")).await.expect("PostgreSQL answers");
    let sql = format!("alter database {name} with allow_connections {open}");
    admin.execute(sqlx::query(sqlx::AssertSqlSafe(sql))).await.expect("may change a database");
    if !open {
        let end = "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1";
        sqlx::query(end).bind(name).execute(&mut admin).await.expect("may end connections");
    }
}

/// A transaction that somebody leaves open in another database of the same cluster.
pub struct Hold(PgConnection);

impl Hold {
    pub async fn begin() -> Self {
        let server = postgres_server().await.expect("a PostgreSQL");
        let mut connection = PgConnection::connect_with(&server).await.expect("PostgreSQL answers");
        connection.execute("begin").await.expect("a transaction");
        connection.execute("select pg_current_xact_id()").await.expect("a transaction that counts");
        Self(connection)
    }

    pub async fn end(mut self) {
        self.0.execute("rollback").await.expect("the end of a transaction");
    }
}

/// Says that a test was left out.
pub fn left_out(test: &str) {
    eprintln!("left out: {test} (no PostgreSQL: set BATON_TEST_POSTGRES_URL, or run .ci/test)");
}

/// The longest that a test may take on a machine that does much else.
const IN_TIME: Duration = Duration::from_secs(240);

/// A test that waits for what never comes fails, although signs of life go on.
pub async fn in_time(test: impl Future<Output = ()>) {
    tokio::time::timeout(IN_TIME, test).await.expect("what it waits for does not happen");
}

/// One test body, both engines: `on_both!(name, |store| { ... })` with a store and a clock that
/// stands still, `on_both!(name, app |app| { ... })` with whole servers around a simulator, or
/// `on_both!(name, post |post| { ... })` with an outbox that is moved by hand.
#[macro_export]
macro_rules! on_both {
    ($name:ident, |$store:ident| $body:block) => {
        $crate::on_both!(@ $name, $store, $crate::store::TestStore, $body,
            $crate::store::TestStore::sqlite().await, $crate::store::TestStore::postgres().await);
    };
    ($name:ident, app |$app:ident| $body:block) => {
        $crate::on_both!(@ $name, $app, $crate::app::App, $body,
            $crate::app::App::sqlite().await, $crate::app::App::postgres().await);
    };
    ($name:ident, post |$post:ident| $body:block) => {
        $crate::on_both!(@ $name, $post, $crate::post::Post, $body,
            $crate::post::Post::sqlite().await, $crate::post::Post::postgres().await);
    };
    (@ $name:ident, $given:ident, $type:ty, $body:block, $sqlite:expr, $postgres:expr) => {
        mod $name {
            use super::*;

            async fn body($given: $type) $body

            #[tokio::test]
            async fn sqlite() {
                $crate::store::in_time(body($sqlite)).await;
            }

            #[tokio::test]
            async fn postgres() {
                match $postgres {
                    Some(given) => $crate::store::in_time(body(given)).await,
                    None => $crate::store::left_out(concat!(module_path!(), "::postgres")),
                }
            }
        }
    };
}

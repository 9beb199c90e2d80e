//! Shared migrations, plus the few that only one engine understands.

use sqlx::{SqliteConnection, migrate::Migrator};

static SHARED: Migrator = sqlx::migrate!("../migrations");
static SQLITE: Migrator = sqlx::migrate!("../migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("../migrations/postgres");

pub fn sqlite() -> Migrator {
    merged(&SQLITE)
}

pub fn postgres() -> Migrator {
    merged(&POSTGRES)
}

/// Whether the tables are those of this version, without touching them.
///
/// # Errors
/// If they cannot be read, or are none of ours.
pub async fn is_current(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    let newest = "select coalesce(max(version), 0) from _sqlx_migrations where success";
    let newest: i64 = sqlx::query_scalar(newest).fetch_one(connection).await?;
    Ok(sqlite().iter().map(|migration| migration.version).max() == Some(newest))
}

fn merged(own: &Migrator) -> Migrator {
    let mut all: Vec<_> = SHARED.iter().chain(own.iter()).cloned().collect();
    all.sort_by_key(|migration| migration.version);
    assert!(all.windows(2).all(|pair| pair[0].version < pair[1].version), "two migrations share a version");
    Migrator::with_migrations(all)
}

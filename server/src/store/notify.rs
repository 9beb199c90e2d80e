//! PostgreSQL's own bell between servers: after commit, at most one a server and 20 ms. Polling
//! backs it up, so a lost one costs only time.

use std::time::Duration;

use sqlx::postgres::PgListener;
use tokio_util::sync::CancellationToken;

use super::{
    Db,
    wakes::{Topic, Topics},
};

const CHANNEL: &str = "baton";
const AT_MOST_EVERY: Duration = Duration::from_millis(20);
const AGAIN_AFTER: Duration = Duration::from_secs(2);

/// Rings our bells when another server has committed, and theirs when we have; until `stop`.
/// `server` is a name that no other server has. Nothing to do on SQLite.
pub async fn run(db: Db, server: String, stop: CancellationToken) {
    if db.postgres().is_none() {
        return;
    }
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => return,
            result = exchange(&db, &server) => {
                if let Err(error) = result {
                    tracing::warn!(%error, "notifications between servers; polling goes on");
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(AGAIN_AFTER) => (),
        }
    }
}

async fn exchange(db: &Db, server: &str) -> Result<(), sqlx::Error> {
    let Some(pool) = db.postgres() else { return Ok(()) };
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    let mut ours = db.wakes().listen(Topic::Events);
    // What our own bell says because another server rang must not go back to it.
    let mut echo = false;
    loop {
        tokio::select! {
            theirs = listener.recv() => {
                if theirs?.payload() != server {
                    echo = true;
                    db.wakes().ring(Topics::OF_OTHERS);
                }
            }
            rung = ours.changed() => {
                if rung.is_err() {
                    return Ok(());
                }
                if std::mem::take(&mut echo) {
                    continue;
                }
                sqlx::query("select pg_notify($1, $2)").bind(CHANNEL).bind(server).execute(pool).await?;
                tokio::time::sleep(AT_MOST_EVERY).await;
            }
        }
    }
}

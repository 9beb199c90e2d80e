//! The time of leases starts anew with a process on SQLite: what was counted in the old one is over.

use std::time::Duration;

use baton_shared::Micros;

use super::{Sql, StoreError, Tx, engine::on};
use crate::domain::outgoing::UNKNOWN_HOLDS;

const TURNS: Sql = Sql::Both(
    "update conversation set due_at = 0, due_since = 0, lease = lease + 1, lease_until = 0 where due_at is not null",
);
const TIMERS: Sql = Sql::Both("update conversation set returns_at = $1 where returns_at is not null");
const CHANNELS: Sql = Sql::Both("update channel set lease_until = 0");
const QUEUED: Sql = Sql::Both("update message set next_try_at = 0, first_try_at = null where delivery = 'queued'");
const SENDING: Sql = Sql::Both("update message set deadline = -1 where delivery = 'sending'");
const UNKNOWN: Sql =
    Sql::Both("update message set next_try_at = $1 where delivery = 'unknown' and next_try_at is not null");
const MEDIA: Sql = Sql::Both("update media set next_try_at = 0 where state = 'waiting'");
const ERRANDS: Sql = Sql::Both("update errand set next_try_at = 0 where state = 'waiting'");
const PRESENCE: Sql = Sql::Both("delete from presence");

pub const ALL: &[&Sql] = &[&TURNS, &TIMERS, &CHANNELS, &QUEUED, &SENDING, &UNKNOWN, &MEDIA, &ERRANDS, &PRESENCE];

/// After a restart of the one server of a SQLite file: turns, messages and files are due now, timers run
/// their full length again, requests that were on their way are nobody's any more.
pub async fn restart(tx: &mut Tx, time: Micros, grace: Duration) -> Result<(), StoreError> {
    for sql in [TURNS, CHANNELS, QUEUED, SENDING, MEDIA, ERRANDS, PRESENCE] {
        on!(tx.conn(), sql, |c, sql| sqlx::query(sql).execute(c).await.map(drop))?;
    }
    for (sql, length) in [(TIMERS, grace), (UNKNOWN, UNKNOWN_HOLDS)] {
        on!(tx.conn(), sql, |c, sql| sqlx::query(sql).bind(time.plus(length)).execute(c).await.map(drop))?;
    }
    Ok(())
}

//! What came well signed but could not be used: dead letters, and notices about accounts.

use std::collections::HashSet;

use baton_shared::{ChannelId, DeadLetterId, Micros};
use serde_json::json;
use uuid::Uuid;

use super::{Conn, Sql, StoreError, Tx, engine::on, json, wakes::Topic};

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct DeadLetter {
    pub id: DeadLetterId,
    pub app: String,
    /// A sentence: why nobody could read it.
    pub reason: String,
    /// The bytes as they came.
    pub body: Vec<u8>,
    /// SHA-256 of the body in hex; `None` for those from before digests were kept.
    pub digest: Option<String>,
    pub arrived_at: Micros,
    pub replayed_at: Option<Micros>,
}

/// What Meta says about an account, a number or a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub id: Uuid,
    pub app: String,
    pub channel: Option<ChannelId>,
    /// The webhook's field.
    pub field: String,
    pub kind: String,
    pub raw: String,
    /// SHA-256, in hex, of all that makes it this fact: the same for every repeat.
    pub digest: String,
    pub arrived_at: Micros,
}

const INSERT: Sql = Sql::Both(
    "insert into dead_letter (id, app, reason, body, digest, arrived_at) values ($1, $2, $3, $4, $5, $6) \
     on conflict (app, digest) do nothing",
);
const WAITING: Sql = Sql::Both(
    "select id, app, reason, body, digest, arrived_at, replayed_at from dead_letter where replayed_at is null \
     order by arrived_at, id limit $1",
);
const COUNT: Sql = Sql::Both("select count(*) from dead_letter where replayed_at is null");
const REPLAYED: Sql = Sql::Both("update dead_letter set replayed_at = $2 where id = $1");
const NOTICE: Sql = Sql::Each {
    sqlite: "insert into notice (id, app, channel_id, field, kind, raw, digest, arrived_at) \
             select unhex(value->>'id'), value->>'app', unhex(value->>'channel'), value->>'field', value->>'kind', \
             value->>'raw', value->>'digest', value->>'arrived_at' from json_each($1) where true \
             on conflict (app, digest) do nothing returning digest",
    postgres: "insert into notice (id, app, channel_id, field, kind, raw, digest, arrived_at) \
               select r.id, r.app, r.channel, r.field, r.kind, r.raw, r.digest, r.arrived_at \
               from json_to_recordset($1::json) as r(id uuid, app text, channel uuid, field text, kind text, \
               raw text, digest text, arrived_at bigint) on conflict (app, digest) do nothing returning digest",
};

pub const ALL: &[&Sql] = &[&INSERT, &WAITING, &COUNT, &REPLAYED, &NOTICE];

/// Keeps it unless the same bytes are here already; whether it is new.
pub async fn insert(tx: &mut Tx, letter: &DeadLetter) -> Result<bool, StoreError> {
    let inserted = on!(tx.conn(), INSERT, |c, sql| {
        sqlx::query(sql)
            .bind(letter.id)
            .bind(&letter.app)
            .bind(&letter.reason)
            .bind(&letter.body)
            .bind(&letter.digest)
            .bind(letter.arrived_at)
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(inserted > 0)
}

/// Those that were not replayed yet, oldest first.
pub async fn waiting(conn: Conn<'_>, limit: i64) -> Result<Vec<DeadLetter>, StoreError> {
    Ok(on!(conn, WAITING, |c, sql| sqlx::query_as(sql).bind(limit).fetch_all(c).await)?)
}

pub async fn count(conn: Conn<'_>) -> Result<i64, StoreError> {
    Ok(on!(conn, COUNT, |c, sql| sqlx::query_scalar(sql).fetch_one(c).await)?)
}

pub async fn replayed(tx: &mut Tx, id: DeadLetterId, now: Micros) -> Result<(), StoreError> {
    on!(tx.conn(), REPLAYED, |c, sql| sqlx::query(sql).bind(id).bind(now).execute(c).await.map(drop))?;
    Ok(())
}

/// Keeps those that are not here already; the digests of those that are new.
pub async fn notice_all(tx: &mut Tx, notices: &[Notice]) -> Result<HashSet<String>, StoreError> {
    if notices.is_empty() {
        return Ok(HashSet::new());
    }
    let rows = notices.iter().map(|one| {
        json!({
            "id": json::id(one.id), "app": one.app, "channel": json::maybe_id(one.channel), "field": one.field,
            "kind": one.kind, "raw": one.raw, "digest": one.digest, "arrived_at": one.arrived_at,
        })
    });
    let rows = json::rows(rows.collect());
    let new: Vec<String> = on!(tx.conn(), NOTICE, |c, sql| sqlx::query_scalar(sql).bind(rows).fetch_all(c).await)?;
    // Also of numbers: of which of several it is, only Graph says.
    const ASKED_AGAIN: [&str; 5] =
        ["message_template_", "template_", "phone_number_", "account_", "business_capability_"];
    if notices.iter().any(|one| ASKED_AGAIN.iter().any(|start| one.field.starts_with(start))) {
        tx.wake(Topic::Templates);
    }
    Ok(new.into_iter().collect())
}

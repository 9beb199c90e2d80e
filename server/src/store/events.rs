//! Events: one fact each, appended in the transaction of the state it changes; ids and kinds, never
//! text. They are what clients follow, and the audit trail.

use baton_shared::{AgentId, ConversationId, Epoch, MessageId, Micros, protocol};
use serde_json::json;

use super::{Conn, Sql, StoreError, Tx, engine::on, json, settings, wakes::Topic};

/// A fact to append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub at: Micros,
    pub kind: &'static str,
    pub conversation: Option<ConversationId>,
    pub message: Option<MessageId>,
    pub agent: Option<AgentId>,
    pub epoch: Option<Epoch>,
    /// A code.
    pub detail: Option<String>,
}

impl Event {
    pub const fn new(kind: &'static str, at: Micros) -> Self {
        Self { at, kind, conversation: None, message: None, agent: None, epoch: None, detail: None }
    }

    #[must_use]
    pub fn of(self, conversation: ConversationId) -> Self {
        Self { conversation: Some(conversation), ..self }
    }

    #[must_use]
    pub fn about(self, message: MessageId) -> Self {
        Self { message: Some(message), ..self }
    }

    #[must_use]
    pub fn by(self, agent: Option<AgentId>) -> Self {
        Self { agent, ..self }
    }

    #[must_use]
    pub fn under(self, epoch: Epoch) -> Self {
        Self { epoch: Some(epoch), ..self }
    }

    #[must_use]
    pub fn because(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }
}

/// A place in the stream: ordered by transaction, then by number within it (on SQLite the
/// transaction is always 0, for `seq` follows commit order there).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    pub xid: i64,
    pub seq: i64,
}

impl Position {
    pub const START: Self = Self { xid: 0, seq: 0 };
}

/// The place up to which everything is visible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Horizon {
    pub position: Position,
    /// What was committed behind it may not be visible yet.
    pub held: bool,
}

/// A fact as it was appended.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Appended {
    pub xid: i64,
    pub seq: i64,
    pub at: Micros,
    pub kind: String,
    #[sqlx(rename = "conversation_id")]
    pub conversation: Option<ConversationId>,
    #[sqlx(rename = "message_id")]
    pub message: Option<MessageId>,
    #[sqlx(rename = "agent_id")]
    pub agent: Option<AgentId>,
    pub epoch: Option<Epoch>,
    pub detail: Option<String>,
}

impl Appended {
    pub const fn position(&self) -> Position {
        Position { xid: self.xid, seq: self.seq }
    }
}

impl From<Appended> for protocol::Event {
    fn from(event: Appended) -> Self {
        Self {
            kind: event.kind,
            at: event.at,
            conversation: event.conversation,
            message: event.message,
            agent: event.agent,
            detail: event.detail,
        }
    }
}

const APPEND: Sql = Sql::Each {
    sqlite: "with rows as materialized (select value as r from json_each($1)) \
             insert into event (at, kind, conversation_id, message_id, agent_id, epoch, detail) \
             select r->>'at', r->>'kind', unhex(r->>'conversation'), unhex(r->>'message'), unhex(r->>'agent'), \
             r->>'epoch', r->>'detail' from rows",
    postgres: "insert into event (at, kind, conversation_id, message_id, agent_id, epoch, detail) \
               select r.at, r.kind, r.conversation, r.message, r.agent, r.epoch, r.detail \
               from json_to_recordset($1::json) as r(at bigint, kind text, conversation uuid, message uuid, \
               agent uuid, epoch bigint, detail text)",
};

/// A transaction with a lower `xid` may still be running: nothing at or above the oldest one that
/// is counts as seen.
const AFTER: Sql = Sql::Each {
    sqlite: "select xid, seq, at, kind, conversation_id, message_id, agent_id, epoch, detail from event \
             where seq > $2 and xid >= $1 order by seq limit $3",
    postgres: "select xid::text::bigint as xid, seq, at, kind, conversation_id, message_id, agent_id, epoch, detail \
               from event where (xid, seq) > ($1::text::xid8, $2) and xid < pg_snapshot_xmin(pg_current_snapshot()) \
               order by event.xid, seq limit $3",
};

/// Everything up to here is seen by whoever has read all events now. It is held while a transaction
/// runs that began before another one that is over.
const HORIZON: Sql = Sql::Each {
    sqlite: "select 0 as xid, coalesce(max(seq), 0) as seq, false as held from event",
    postgres: "select pg_snapshot_xmin(now)::text::bigint - 1 as xid, 9223372036854775807 as seq, \
               pg_snapshot_xmin(now) < pg_snapshot_xmax(now) as held from pg_current_snapshot() as now",
};

/// The oldest go first, so that the stream is whole from some place on; never what somebody who is
/// at the horizon has not seen. The newest stays: the place where the stream ends must never go back.
const FORGET: Sql = Sql::Each {
    sqlite: "delete from event where seq in (select seq from event order by seq limit $2) and at < $1 \
             and seq < (select max(seq) from event) returning xid, seq",
    postgres: "delete from event where seq in (select seq from event \
               where xid < pg_snapshot_xmin(pg_current_snapshot()) order by event.xid, seq limit $2) and at < $1 \
               and seq < (select max(seq) from event) returning xid::text::bigint as xid, seq",
};

/// Where what was forgotten ends.
const FORGOTTEN: &str = "events_forgotten";

/// How long the horizon has stood still, at the most: the age of the oldest transaction that runs.
const LAG: Sql = Sql::Each {
    sqlite: "select 0 as lag",
    postgres: "select coalesce((extract(epoch from max(clock_timestamp() - xact_start)) * 1000000)::bigint, 0) as lag \
               from pg_stat_activity where backend_xid is not null or backend_xmin is not null",
};

const OF_CONVERSATIONS: Sql = Sql::Each {
    sqlite: "select xid, seq, at, kind, conversation_id, message_id, agent_id, epoch, detail from event \
             where conversation_id in (select unhex(value) from json_each($1)) and at >= $2 and at < $3 \
             and kind in (select value from json_each($4)) order by at, seq",
    postgres: "select xid::text::bigint as xid, seq, at, kind, conversation_id, message_id, agent_id, epoch, detail \
               from event where conversation_id in (select value::uuid from json_array_elements_text($1::json)) \
               and at >= $2 and at < $3 \
               and kind in (select json_array_elements_text($4::json)) order by at, seq",
};

pub const ALL: &[&Sql] = &[&APPEND, &AFTER, &HORIZON, &FORGET, &LAG, &OF_CONVERSATIONS];

pub async fn append(tx: &mut Tx, event: Event) -> Result<(), StoreError> {
    append_all(tx, &[event]).await
}

pub async fn append_all(tx: &mut Tx, events: &[Event]) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    let rows = events.iter().map(|event| {
        json!({
            "at": event.at, "kind": event.kind, "conversation": json::maybe_id(event.conversation),
            "message": json::maybe_id(event.message), "agent": json::maybe_id(event.agent),
            "epoch": event.epoch, "detail": event.detail,
        })
    });
    let rows = json::rows(rows.collect());
    on!(tx.conn(), APPEND, |c, sql| sqlx::query(sql).bind(rows).execute(c).await.map(drop))?;
    tx.wake(Topic::Events);
    Ok(())
}

/// Up to `limit` events after `position`, in order, none of which another can still precede.
pub async fn after(conn: Conn<'_>, position: Position, limit: i64) -> Result<Vec<Appended>, StoreError> {
    Ok(match conn {
        Conn::Sqlite(c) => {
            sqlx::query_as(AFTER.sqlite()).bind(position.xid).bind(position.seq).bind(limit).fetch_all(c).await?
        }
        Conn::Postgres(c) => {
            sqlx::query_as(AFTER.postgres())
                .bind(position.xid.to_string())
                .bind(position.seq)
                .bind(limit)
                .fetch_all(c)
                .await?
        }
    })
}

/// How far everything is visible to the transaction that asks.
pub async fn horizon(conn: Conn<'_>) -> Result<Horizon, StoreError> {
    let (xid, seq, held) = on!(conn, HORIZON, |c, sql| sqlx::query_as(sql).fetch_one(c).await)?;
    Ok(Horizon { position: Position { xid, seq }, held })
}

/// Forgets up to `limit` events from before `before`; returns how many. Cursors older than these are
/// worth nothing from then on.
pub async fn forget(tx: &mut Tx, before: Micros, limit: i64) -> Result<u64, StoreError> {
    let gone: Vec<(i64, i64)> =
        on!(tx.conn(), FORGET, |c, sql| sqlx::query_as(sql).bind(before).bind(limit).fetch_all(c).await)?;
    if let Some((xid, seq)) = gone.iter().max() {
        let end = forgotten(tx.conn()).await?.max(Position { xid: *xid, seq: *seq });
        settings::put(tx, FORGOTTEN, &format!("{}.{}", end.xid, end.seq)).await?;
    }
    Ok(u64::try_from(gone.len()).unwrap_or(u64::MAX))
}

/// The last event that was forgotten: the stream is whole behind it.
pub async fn forgotten(conn: Conn<'_>) -> Result<Position, StoreError> {
    let Some(end) = settings::get(conn, FORGOTTEN).await? else { return Ok(Position::START) };
    let parts = end.split_once('.').and_then(|(xid, seq)| Some((xid.parse().ok()?, seq.parse().ok()?)));
    parts
        .map(|(xid, seq)| Position { xid, seq })
        .ok_or(StoreError::Corrupt("the place up to which events are forgotten"))
}

/// In microseconds: how far the horizon may be behind, because of a transaction that stays open
/// anywhere in the PostgreSQL cluster.
pub async fn lag(conn: Conn<'_>) -> Result<i64, StoreError> {
    Ok(on!(conn, LAG, |c, sql| sqlx::query_scalar(sql).fetch_one(c).await)?)
}

/// The events of some kinds of these conversations, from `from` until before `until`.
pub async fn of_conversations(
    conn: Conn<'_>,
    conversations: &[ConversationId],
    kinds: &[&str],
    from: Micros,
    until: Micros,
) -> Result<Vec<Appended>, StoreError> {
    let (ids, kinds) = (json::ids(conversations), json::texts(kinds.iter().copied()));
    Ok(on!(conn, OF_CONVERSATIONS, |c, sql| {
        sqlx::query_as(sql).bind(ids).bind(from).bind(until).bind(kinds).fetch_all(c).await
    })?)
}

/// The name of this stream of events: another one after a restore, so that no cursor of the old
/// one is believed.
pub async fn stream(conn: Conn<'_>) -> Result<Option<String>, StoreError> {
    settings::get(conn, "stream").await
}

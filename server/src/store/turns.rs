//! The bot's turns: which are due, who makes them, and what came of each.

use baton_shared::{Control, ConversationId, Micros, TurnId};

use super::{
    Conn, Sql, StoreError, Tx,
    conversations::{self, Conversation},
    engine::on,
};

/// What came of a turn, with its cost, also of one that was dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    pub id: TurnId,
    pub conversation: ConversationId,
    pub began_at: Micros,
    pub ended_at: Micros,
    pub outcome: Outcome,
    /// A code: the reason of a handoff, of a drop or of silence.
    pub why: Option<String>,
    pub intent: Option<String>,
    /// In hundredths.
    pub confidence: Option<i64>,
    pub model: Option<String>,
    pub tokens_in: i64,
    pub tokens_out: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Outcome {
    Sent,
    Proposed,
    Dropped,
    HandedOff,
    Quiet,
}

impl Outcome {
    /// The word used in SQL and in events.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Proposed => "proposed",
            Self::Dropped => "dropped",
            Self::HandedOff => "handed_off",
            Self::Quiet => "quiet",
        }
    }
}

const DUE: Sql = Sql::Both(
    "select id from conversation where due_at <= $1 and lease_until < $1 and control = 'bot' and due_late = $3 \
     order by due_at limit $2",
);
const NEXT_DUE: Sql = Sql::Both("select min(due_at) from conversation where due_at > $1 and control = 'bot'");
const INSERT: Sql = Sql::Both(
    "insert into turn (id, conversation_id, began_at, ended_at, outcome, why, intent, confidence, model, tokens_in, \
     tokens_out) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
);

pub const ALL: &[&Sql] = &[&DUE, &NEXT_DUE, &INSERT];

/// Conversations whose turn is due at `time` (of leases) and that nobody works on: whoever wrote just now first,
/// then whoever wrote before an outage.
pub async fn due(mut conn: Conn<'_>, time: Micros, limit: i64) -> Result<Vec<ConversationId>, StoreError> {
    let mut due = due_as(conn.again(), time, limit, false).await?;
    let left = limit.saturating_sub(i64::try_from(due.len()).unwrap_or(limit));
    if left > 0 {
        due.extend(due_as(conn, time, left, true).await?);
    }
    Ok(due)
}

async fn due_as(conn: Conn<'_>, time: Micros, limit: i64, late: bool) -> Result<Vec<ConversationId>, StoreError> {
    Ok(on!(conn, DUE, |c, sql| sqlx::query_scalar(sql).bind(time).bind(limit).bind(late).fetch_all(c).await)?)
}

/// When the next turn is due, after `time`.
pub async fn next_due(conn: Conn<'_>, time: Micros) -> Result<Option<Micros>, StoreError> {
    Ok(on!(conn, NEXT_DUE, |c, sql| sqlx::query_scalar(sql).bind(time).fetch_one(c).await)?)
}

/// Takes the turn of a conversation until `until`, if it is still due and nobody has it. The lease
/// that it carries then is compared in the transaction that commits the answer.
pub async fn lease(
    tx: &mut Tx,
    id: ConversationId,
    time: Micros,
    until: Micros,
) -> Result<Option<Conversation>, StoreError> {
    let Some(mut thread) = conversations::lock(tx, id).await? else { return Ok(None) };
    let due = thread.due_at.is_some_and(|due| due <= time);
    if !due || thread.lease_until >= time || thread.control != Control::Bot {
        return Ok(None);
    }
    thread.lease += 1;
    thread.lease_until = until;
    conversations::save(tx, &thread).await?;
    Ok(Some(thread))
}

pub async fn insert(tx: &mut Tx, turn: &Turn) -> Result<(), StoreError> {
    on!(tx.conn(), INSERT, |c, sql| {
        sqlx::query(sql)
            .bind(turn.id)
            .bind(turn.conversation)
            .bind(turn.began_at)
            .bind(turn.ended_at)
            .bind(turn.outcome)
            .bind(&turn.why)
            .bind(&turn.intent)
            .bind(turn.confidence)
            .bind(&turn.model)
            .bind(turn.tokens_in)
            .bind(turn.tokens_out)
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(())
}

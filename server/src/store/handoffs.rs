//! Handoffs: each one stretch from escalation to hand back or resolve.

use baton_shared::{AgentId, ConversationId, HandoffId, Micros, protocol};

use super::{Conn, Sql, StoreError, Tx, engine::on};

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Handoff {
    pub id: HandoffId,
    #[sqlx(rename = "conversation_id")]
    pub conversation: ConversationId,
    /// A code: `asked_for_human`, `low_confidence`, `send_failed`, ...
    pub reason: String,
    pub summary: String,
    pub opened_at: Micros,
    pub taken_at: Option<Micros>,
    /// The last agent who had it.
    #[sqlx(rename = "agent_id")]
    pub agent: Option<AgentId>,
    pub closed_at: Option<Micros>,
    pub outcome: Option<String>,
    pub note: Option<String>,
    pub promised: Option<String>,
    /// What the customer has been told by rule since: words of [`Told`](crate::domain::occasion::Told).
    pub told: String,
    /// From when patience with the queue counts: since it came into it, or when people are there again.
    pub patient_from: Option<Micros>,
    /// When the customer is called back, because nobody could come.
    pub callback_at: Option<Micros>,
    /// The customer has asked for the bot.
    pub wants_bot: bool,
}

impl From<Handoff> for protocol::Handoff {
    fn from(handoff: Handoff) -> Self {
        Self {
            id: handoff.id,
            reason: handoff.reason,
            summary: handoff.summary,
            opened_at: handoff.opened_at,
            taken_at: handoff.taken_at,
            agent: handoff.agent,
            closed_at: handoff.closed_at,
            outcome: handoff.outcome,
            note: handoff.note,
            promised: handoff.promised,
        }
    }
}

/// How a stretch ends by itself, if nobody says how.
pub const ANSWERED_ON_PHONE: &str = "answered_on_phone";
pub const OTHER_APP: &str = "other_app";
pub const RESOLVED: &str = "resolved";
pub const HANDED_BACK: &str = "handed_back";
pub const NOBODY_CAME: &str = "nobody_came";
pub const WANTED_THE_BOT: &str = "wanted_the_bot";

/// What an agent says when they hand back and nothing is left to be answered.
const NO_ANSWER_OWED: [&str; 3] = ["solved", "answered", "no_answer_needed"];

impl Handoff {
    /// Whether a person gave it back, and not a phone, another app or nobody yet.
    pub fn went_to_the_bot(&self) -> bool {
        let elsewhere = [ANSWERED_ON_PHONE, OTHER_APP, RESOLVED];
        self.closed_at.is_some() && self.outcome.as_deref().is_some_and(|outcome| !elsewhere.contains(&outcome))
    }

    pub fn owes_no_answer(&self) -> bool {
        self.outcome.as_deref().is_some_and(|outcome| NO_ANSWER_OWED.contains(&outcome))
    }
}

/// How a stretch ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ending {
    pub outcome: String,
    pub note: String,
    pub promised: String,
}

const OPEN: Sql = Sql::Both(
    "insert into handoff (id, conversation_id, reason, summary, opened_at, told) values ($1, $2, $3, $4, $5, $6)",
);
const TAKEN: Sql = Sql::Both("update handoff set taken_at = coalesce(taken_at, $2), agent_id = $3 where id = $1");
const CLOSE: Sql = Sql::Both(
    "update handoff set closed_at = $2, outcome = $3, note = $4, promised = $5 where id = $1 and closed_at is null",
);
macro_rules! columns {
    () => {
        "id, conversation_id, reason, summary, opened_at, taken_at, agent_id, closed_at, outcome, note, promised, \
         told, patient_from, callback_at, wants_bot"
    };
}

const LATEST: Sql = Sql::Both(concat!(
    "select ",
    columns!(),
    " from handoff where conversation_id = $1 order by opened_at desc, id desc limit $2"
));
const BY_ID: Sql = Sql::Both(concat!("select ", columns!(), " from handoff where id = $1"));
const SAVE: Sql = Sql::Both("update handoff set told = $2, patient_from = $3, callback_at = $4 where id = $1");
/// It comes into the queue, now or again.
const QUEUED: Sql =
    Sql::Both("update handoff set patient_from = $2, callback_at = null, wants_bot = false where id = $1");
const WANTS_BOT: Sql = Sql::Both("update handoff set wants_bot = true where id = $1");

/// The waits of the last that were taken.
const WAITS: Sql = Sql::Both(
    "select taken_at - opened_at from handoff where taken_at is not null and opened_at > $1 \
     order by opened_at desc limit 50",
);

pub const ALL: &[&Sql] = &[&OPEN, &TAKEN, &CLOSE, &LATEST, &BY_ID, &SAVE, &QUEUED, &WANTS_BOT, &WAITS];

pub async fn open(
    tx: &mut Tx,
    id: HandoffId,
    conversation: ConversationId,
    reason: &str,
    summary: &str,
    told: &str,
    now: Micros,
) -> Result<(), StoreError> {
    let (reason, summary, told) = (reason.to_owned(), summary.to_owned(), told.to_owned());
    on!(tx.conn(), OPEN, |c, sql| {
        sqlx::query(sql)
            .bind(id)
            .bind(conversation)
            .bind(reason)
            .bind(summary)
            .bind(now)
            .bind(told)
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(())
}

pub async fn by_id(conn: Conn<'_>, id: HandoffId) -> Result<Option<Handoff>, StoreError> {
    Ok(on!(conn, BY_ID, |c, sql| sqlx::query_as(sql).bind(id).fetch_optional(c).await)?)
}

/// Keeps what was told and promised.
pub async fn save(tx: &mut Tx, one: &Handoff) -> Result<(), StoreError> {
    on!(tx.conn(), SAVE, |c, sql| {
        sqlx::query(sql)
            .bind(one.id)
            .bind(&one.told)
            .bind(one.patient_from)
            .bind(one.callback_at)
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(())
}

/// It waits from now on.
pub async fn queued(tx: &mut Tx, id: HandoffId, now: Micros) -> Result<(), StoreError> {
    on!(tx.conn(), QUEUED, |c, sql| sqlx::query(sql).bind(id).bind(now).execute(c).await.map(drop))?;
    Ok(())
}

/// The customer asks for the bot.
pub async fn wants_bot(tx: &mut Tx, id: HandoffId) -> Result<(), StoreError> {
    on!(tx.conn(), WANTS_BOT, |c, sql| sqlx::query(sql).bind(id).execute(c).await.map(drop))?;
    Ok(())
}

pub async fn taken(tx: &mut Tx, id: HandoffId, agent: AgentId, now: Micros) -> Result<(), StoreError> {
    on!(tx.conn(), TAKEN, |c, sql| sqlx::query(sql).bind(id).bind(now).bind(agent).execute(c).await.map(drop))?;
    Ok(())
}

pub async fn close(tx: &mut Tx, id: HandoffId, ending: &Ending, now: Micros) -> Result<(), StoreError> {
    on!(tx.conn(), CLOSE, |c, sql| {
        sqlx::query(sql)
            .bind(id)
            .bind(now)
            .bind(&ending.outcome)
            .bind(&ending.note)
            .bind(&ending.promised)
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(())
}

/// The newest `limit`, newest first.
pub async fn latest(conn: Conn<'_>, conversation: ConversationId, limit: i64) -> Result<Vec<Handoff>, StoreError> {
    Ok(on!(conn, LATEST, |c, sql| sqlx::query_as(sql).bind(conversation).bind(limit).fetch_all(c).await)?)
}

/// How long the last customers waited for a person, in microseconds, of the handoffs since `since`.
pub async fn waits(conn: Conn<'_>, since: Micros) -> Result<Vec<i64>, StoreError> {
    Ok(on!(conn, WAITS, |c, sql| sqlx::query_scalar(sql).bind(since).fetch_all(c).await)?)
}

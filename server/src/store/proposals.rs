//! Proposals: a bot's text that waits for a person.

use baton_shared::{AgentId, ConversationId, Micros, ProposalId, protocol};

use super::{Conn, Sql, StoreError, Tx, engine::on};

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Proposal {
    pub id: ProposalId,
    #[sqlx(rename = "conversation_id")]
    pub conversation: ConversationId,
    pub text: String,
    /// A code: `taken` (a change of control cancelled it), `moved` (control moved while it was made).
    pub origin: String,
    /// In hundredths.
    pub confidence: Option<i64>,
    pub made_at: Micros,
    pub decided_at: Option<Micros>,
}

impl From<Proposal> for protocol::Proposal {
    fn from(proposal: Proposal) -> Self {
        Self {
            id: proposal.id,
            text: proposal.text,
            origin: proposal.origin,
            made_at: proposal.made_at,
            confidence: proposal.confidence.and_then(|hundredths| u8::try_from(hundredths).ok()),
        }
    }
}

/// What became of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Decision {
    Used,
    Dropped,
    /// The conversation went on without it.
    Outdated,
}

const INSERT: Sql = Sql::Both(
    "insert into proposal (id, conversation_id, text, origin, confidence, made_at) values ($1, $2, $3, $4, $5, $6)",
);
const OPEN: Sql = Sql::Both(
    "select id, conversation_id, text, origin, confidence, made_at, decided_at from proposal \
     where conversation_id = $1 and decided_at is null order by made_at, id",
);
const BY_ID: Sql =
    Sql::Both("select id, conversation_id, text, origin, confidence, made_at, decided_at from proposal where id = $1");
const DECIDE: Sql =
    Sql::Both("update proposal set decided_at = $2, decision = $3, agent_id = $4 where id = $1 and decided_at is null");
const OUTDATE: Sql = Sql::Both(
    "update proposal set decided_at = $2, decision = 'outdated' where conversation_id = $1 and decided_at is null",
);

pub const ALL: &[&Sql] = &[&INSERT, &OPEN, &BY_ID, &DECIDE, &OUTDATE];

pub async fn insert(tx: &mut Tx, new: &Proposal) -> Result<(), StoreError> {
    on!(tx.conn(), INSERT, |c, sql| {
        sqlx::query(sql)
            .bind(new.id)
            .bind(new.conversation)
            .bind(&new.text)
            .bind(&new.origin)
            .bind(new.confidence)
            .bind(new.made_at)
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(())
}

/// Those that wait, oldest first.
pub async fn open(conn: Conn<'_>, conversation: ConversationId) -> Result<Vec<Proposal>, StoreError> {
    Ok(on!(conn, OPEN, |c, sql| sqlx::query_as(sql).bind(conversation).fetch_all(c).await)?)
}

pub async fn by_id(conn: Conn<'_>, id: ProposalId) -> Result<Option<Proposal>, StoreError> {
    Ok(on!(conn, BY_ID, |c, sql| sqlx::query_as(sql).bind(id).fetch_optional(c).await)?)
}

/// Whether it was still open.
pub async fn decide(
    tx: &mut Tx,
    id: ProposalId,
    decision: Decision,
    agent: AgentId,
    now: Micros,
) -> Result<bool, StoreError> {
    let rows = on!(tx.conn(), DECIDE, |c, sql| {
        sqlx::query(sql).bind(id).bind(now).bind(decision).bind(agent).execute(c).await.map(|done| done.rows_affected())
    })?;
    Ok(rows == 1)
}

/// Puts away all that wait: the bot has the baton again, or nobody needs it.
pub async fn outdate(tx: &mut Tx, conversation: ConversationId, now: Micros) -> Result<(), StoreError> {
    on!(tx.conn(), OUTDATE, |c, sql| sqlx::query(sql).bind(conversation).bind(now).execute(c).await.map(drop))?;
    Ok(())
}

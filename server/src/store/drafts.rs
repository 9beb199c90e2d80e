//! Drafts: an agent's unsent text, keyed by conversation and author.

use baton_shared::{AgentId, ConversationId, Micros};

use super::{Conn, Sql, StoreError, Tx, engine::on};

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Draft {
    pub text: String,
    pub revision: i64,
    pub written_at: Micros,
}

const GET: Sql = Sql::Both("select text, revision, written_at from draft where agent_id = $1 and conversation_id = $2");
const INSERT: Sql = Sql::Both(
    "insert into draft (agent_id, conversation_id, text, revision, written_at) values ($1, $2, $3, 1, $4) \
     on conflict (agent_id, conversation_id) do nothing returning revision",
);
const UPDATE: Sql = Sql::Both(
    "update draft set text = $3, revision = revision + 1, written_at = $4 \
     where agent_id = $1 and conversation_id = $2 and (revision = $5 or text = $3) returning revision",
);

const OF: Sql = Sql::Both("select agent_id, text from draft where conversation_id = $1");
const APPEND: Sql = Sql::Both(
    "update draft set text = case when text = '' or $3 = '' then text || $3 else text || '\n\n' || $3 end, \
     revision = revision + 1, written_at = $4 where agent_id = $1 and conversation_id = $2",
);
const MOVE: Sql = Sql::Both("update draft set conversation_id = $3 where agent_id = $1 and conversation_id = $2");
const DROP: Sql = Sql::Both("delete from draft where agent_id = $1 and conversation_id = $2");

pub const ALL: &[&Sql] = &[&GET, &INSERT, &UPDATE, &OF, &APPEND, &MOVE, &DROP];

pub async fn get(conn: Conn<'_>, agent: AgentId, conversation: ConversationId) -> Result<Option<Draft>, StoreError> {
    Ok(on!(conn, GET, |c, sql| sqlx::query_as(sql).bind(agent).bind(conversation).fetch_optional(c).await)?)
}

/// Stores `text` if it was typed on top of the revision that is stored (0: none), and says the new
/// one; otherwise nothing changes and the stored draft comes back.
pub async fn put(
    tx: &mut Tx,
    agent: AgentId,
    conversation: ConversationId,
    text: &str,
    based_on: i64,
    now: Micros,
) -> Result<Result<i64, Draft>, StoreError> {
    let text = text.to_owned();
    let updated: Option<i64> = on!(tx.conn(), UPDATE, |c, sql| {
        sqlx::query_scalar(sql)
            .bind(agent)
            .bind(conversation)
            .bind(&text)
            .bind(now)
            .bind(based_on)
            .fetch_optional(c)
            .await
    })?;
    if let Some(revision) = updated {
        return Ok(Ok(revision));
    }
    let inserted: Option<i64> = on!(tx.conn(), INSERT, |c, sql| {
        sqlx::query_scalar(sql).bind(agent).bind(conversation).bind(&text).bind(now).fetch_optional(c).await
    })?;
    match inserted {
        Some(revision) => Ok(Ok(revision)),
        None => get(tx.conn(), agent, conversation).await?.map(Err).ok_or(StoreError::Conflict),
    }
}

/// What everybody has typed for the one goes to the other; whoever typed for both has both texts there.
pub async fn merge(tx: &mut Tx, from: ConversationId, to: ConversationId, now: Micros) -> Result<(), StoreError> {
    let drafts: Vec<(AgentId, String)> =
        on!(tx.conn(), OF, |c, sql| sqlx::query_as(sql).bind(from).fetch_all(c).await)?;
    for (agent, text) in drafts {
        let appended = on!(tx.conn(), APPEND, |c, sql| {
            let query = sqlx::query(sql).bind(agent).bind(to).bind(&text).bind(now);
            query.execute(c).await.map(|done| done.rows_affected())
        })?;
        if appended == 0 {
            on!(tx.conn(), MOVE, |c, sql| {
                sqlx::query(sql).bind(agent).bind(from).bind(to).execute(c).await.map(drop)
            })?;
        } else {
            on!(tx.conn(), DROP, |c, sql| sqlx::query(sql).bind(agent).bind(from).execute(c).await.map(drop))?;
        }
    }
    Ok(())
}

//! Commands of agents and their answers: a repeat, on any server, gets the answer of the first.

use baton_shared::{AgentId, CommandId, Micros};

use super::{Conn, Sql, StoreError, Tx, engine::on};

/// What is known of a command's id.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Known {
    /// Of the whole command: the same id with another body is an error.
    pub hash: String,
    /// The answer's JSON.
    pub answer: String,
}

const GET: Sql = Sql::Both("select hash, answer from command where agent_id = $1 and id = $2");
const INSERT: Sql = Sql::Both("insert into command (agent_id, id, hash, answer, at) values ($1, $2, $3, $4, $5)");
const FORGET: Sql = Sql::Both("delete from command where at < $1");

pub const ALL: &[&Sql] = &[&GET, &INSERT, &FORGET];

pub async fn get(conn: Conn<'_>, agent: AgentId, id: CommandId) -> Result<Option<Known>, StoreError> {
    Ok(on!(conn, GET, |c, sql| sqlx::query_as(sql).bind(agent).bind(id).fetch_optional(c).await)?)
}

/// Stores the answer in the transaction of its effect.
///
/// # Errors
/// [`StoreError::Conflict`] if the same command was answered meanwhile: begin again and find it.
pub async fn insert(tx: &mut Tx, agent: AgentId, id: CommandId, known: &Known, now: Micros) -> Result<(), StoreError> {
    let done = on!(tx.conn(), INSERT, |c, sql| {
        sqlx::query(sql).bind(agent).bind(id).bind(&known.hash).bind(&known.answer).bind(now).execute(c).await.map(drop)
    });
    done.map_err(|error| match StoreError::from(error) {
        StoreError::Duplicate => StoreError::Conflict,
        other => other,
    })
}

pub async fn forget(tx: &mut Tx, before: Micros) -> Result<u64, StoreError> {
    Ok(on!(tx.conn(), FORGET, |c, sql| {
        sqlx::query(sql).bind(before).execute(c).await.map(|done| done.rows_affected())
    })?)
}

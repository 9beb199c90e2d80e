//! The people who sign in, their sign-ins, and who is here now.

use baton_shared::{AgentId, ConversationId, Micros, Role, SessionId, protocol};
use uuid::Uuid;

use super::{
    Conn, Sql, StoreError, Tx,
    engine::on,
    events::{self, Event},
};

/// The kinds of events about people; each names the one whom it is about.
pub const ADDED: &str = "agent_added";
pub const DISABLED: &str = "agent_disabled";
pub const SECRET: &str = "agent_secret";
pub const SIGNED_OUT: &str = "signed_out";

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Agent {
    pub id: AgentId,
    pub name: String,
    pub role: Role,
    /// Empty: all teams.
    pub team: String,
    pub created_at: Micros,
    pub disabled_at: Option<Micros>,
}

impl From<Agent> for protocol::Person {
    fn from(agent: Agent) -> Self {
        Self { id: agent.id, name: agent.name, role: agent.role }
    }
}

/// Somebody who is here.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Here {
    #[sqlx(rename = "agent_id")]
    pub agent: AgentId,
    pub viewing: Option<ConversationId>,
    pub typing: bool,
}

const INSERT: Sql =
    Sql::Both("insert into agent (id, name, role, team, secret_hash, created_at) values ($1, $2, $3, $4, $5, $6)");
const EVERY: Sql = Sql::Both("select id, name, role, team, created_at, disabled_at from agent order by name");
const BY_NAME: Sql = Sql::Both("select id, name, role, team, created_at, disabled_at from agent where name = $1");
const BY_ID: Sql = Sql::Both("select id, name, role, team, created_at, disabled_at from agent where id = $1");
const NEW_SECRET: Sql = Sql::Both("update agent set secret_hash = $2 where id = $1");
const USE_SECRET: Sql = Sql::Both(
    "update agent set secret_hash = null where secret_hash = $1 and disabled_at is null \
     returning id, name, role, team, created_at, disabled_at",
);
const DISABLE: Sql = Sql::Both("update agent set disabled_at = $2, secret_hash = null where id = $1");
const SIGN_IN: Sql =
    Sql::Both("insert into session (id, agent_id, token_hash, created_at, used_at) values ($1, $2, $3, $4, $4)");
const SIGNED_IN: Sql = Sql::Both(
    "select s.id as session_id, s.used_at, a.id, a.name, a.role, a.team, a.created_at, a.disabled_at from session s \
     join agent a on a.id = s.agent_id where s.token_hash = $1 and s.ended_at is null and a.disabled_at is null",
);
const SIGN_OUT: Sql = Sql::Both("update session set ended_at = $2 where id = $1 and ended_at is null");
const SIGN_OUT_EVERYWHERE: Sql = Sql::Both("update session set ended_at = $2 where agent_id = $1 and ended_at is null");
const USED: Sql = Sql::Both("update session set used_at = $2 where id = $1");
const HERE: Sql = Sql::Both(
    "insert into presence (id, session_id, agent_id, viewing, typing, renewed_at) values ($1, $2, $3, $4, $5, $6) \
     on conflict (id) do update set viewing = excluded.viewing, typing = excluded.typing, \
     renewed_at = excluded.renewed_at",
);
const GONE: Sql = Sql::Both("delete from presence where id = $1");
const WHO: Sql =
    Sql::Both("select agent_id, viewing, typing from presence where renewed_at > $1 order by agent_id, id");
const EXPIRE: Sql = Sql::Both("delete from presence where renewed_at <= $1");

pub const ALL: &[&Sql] = &[
    &INSERT,
    &EVERY,
    &BY_NAME,
    &BY_ID,
    &NEW_SECRET,
    &USE_SECRET,
    &DISABLE,
    &SIGN_IN,
    &SIGNED_IN,
    &SIGN_OUT,
    &SIGN_OUT_EVERYWHERE,
    &USED,
    &HERE,
    &GONE,
    &WHO,
    &EXPIRE,
];

/// # Errors
/// [`StoreError::Duplicate`] if somebody has that name.
pub async fn insert(tx: &mut Tx, new: &Agent, secret_hash: &str) -> Result<(), StoreError> {
    let hash = secret_hash.to_owned();
    on!(tx.conn(), INSERT, |c, sql| {
        sqlx::query(sql)
            .bind(new.id)
            .bind(&new.name)
            .bind(new.role)
            .bind(&new.team)
            .bind(hash)
            .bind(new.created_at)
            .execute(c)
            .await
            .map(drop)
    })?;
    happened(tx, ADDED, new.id, new.created_at).await
}

/// In the audit trail, and for everybody's screen.
async fn happened(tx: &mut Tx, kind: &'static str, whom: AgentId, now: Micros) -> Result<(), StoreError> {
    events::append(tx, Event::new(kind, now).by(Some(whom))).await
}

pub async fn every(conn: Conn<'_>) -> Result<Vec<Agent>, StoreError> {
    Ok(on!(conn, EVERY, |c, sql| sqlx::query_as(sql).fetch_all(c).await)?)
}

pub async fn by_name(conn: Conn<'_>, name: &str) -> Result<Option<Agent>, StoreError> {
    Ok(on!(conn, BY_NAME, |c, sql| sqlx::query_as(sql).bind(name.to_owned()).fetch_optional(c).await)?)
}

pub async fn by_id(conn: Conn<'_>, id: AgentId) -> Result<Option<Agent>, StoreError> {
    Ok(on!(conn, BY_ID, |c, sql| sqlx::query_as(sql).bind(id).fetch_optional(c).await)?)
}

/// A new one-time secret; older ones are worth nothing.
pub async fn new_secret(tx: &mut Tx, id: AgentId, secret_hash: &str, now: Micros) -> Result<(), StoreError> {
    let hash = secret_hash.to_owned();
    on!(tx.conn(), NEW_SECRET, |c, sql| sqlx::query(sql).bind(id).bind(hash).execute(c).await.map(drop))?;
    happened(tx, SECRET, id, now).await
}

/// Whose secret it is; it is used up by that.
pub async fn use_secret(tx: &mut Tx, secret_hash: &str) -> Result<Option<Agent>, StoreError> {
    let hash = secret_hash.to_owned();
    Ok(on!(tx.conn(), USE_SECRET, |c, sql| sqlx::query_as(sql).bind(hash).fetch_optional(c).await)?)
}

/// Ends every sign-in of theirs, too.
pub async fn disable(tx: &mut Tx, id: AgentId, now: Micros) -> Result<(), StoreError> {
    on!(tx.conn(), DISABLE, |c, sql| sqlx::query(sql).bind(id).bind(now).execute(c).await.map(drop))?;
    on!(tx.conn(), SIGN_OUT_EVERYWHERE, |c, sql| sqlx::query(sql).bind(id).bind(now).execute(c).await.map(drop))?;
    happened(tx, DISABLED, id, now).await
}

pub async fn sign_in(
    tx: &mut Tx,
    session: SessionId,
    agent: AgentId,
    token_hash: &str,
    now: Micros,
) -> Result<(), StoreError> {
    let hash = token_hash.to_owned();
    on!(tx.conn(), SIGN_IN, |c, sql| {
        sqlx::query(sql).bind(session).bind(agent).bind(hash).bind(now).execute(c).await.map(drop)
    })?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct SignedIn {
    session_id: SessionId,
    used_at: Micros,
    #[sqlx(flatten)]
    agent: Agent,
}

/// Ends one sign-in.
pub async fn sign_out(tx: &mut Tx, session: SessionId, agent: AgentId, now: Micros) -> Result<(), StoreError> {
    on!(tx.conn(), SIGN_OUT, |c, sql| sqlx::query(sql).bind(session).bind(now).execute(c).await.map(drop))?;
    happened(tx, SIGNED_OUT, agent, now).await
}

/// A sign-in is still used.
pub async fn used(tx: &mut Tx, session: SessionId, now: Micros) -> Result<(), StoreError> {
    on!(tx.conn(), USED, |c, sql| sqlx::query(sql).bind(session).bind(now).execute(c).await.map(drop))?;
    Ok(())
}

/// Whose token it is, and when it was used last (to the hour), unless they were signed out or disabled.
pub async fn signed_in(conn: Conn<'_>, token_hash: &str) -> Result<Option<(SessionId, Micros, Agent)>, StoreError> {
    let hash = token_hash.to_owned();
    let found: Option<SignedIn> =
        on!(conn, SIGNED_IN, |c, sql| sqlx::query_as(sql).bind(hash).fetch_optional(c).await)?;
    Ok(found.map(|found| (found.session_id, found.used_at, found.agent)))
}

/// `connection` is here at `time` (of leases).
pub async fn here(
    tx: &mut Tx,
    connection: Uuid,
    session: SessionId,
    here: &Here,
    time: Micros,
) -> Result<(), StoreError> {
    on!(tx.conn(), HERE, |c, sql| {
        sqlx::query(sql)
            .bind(connection)
            .bind(session)
            .bind(here.agent)
            .bind(here.viewing)
            .bind(here.typing)
            .bind(time)
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(())
}

/// `connection` said goodbye.
pub async fn gone(tx: &mut Tx, connection: Uuid) -> Result<(), StoreError> {
    on!(tx.conn(), GONE, |c, sql| sqlx::query(sql).bind(connection).execute(c).await.map(drop))?;
    Ok(())
}

/// Who renewed their presence after `since` (in the time of leases); a row a connection.
pub async fn who(conn: Conn<'_>, since: Micros) -> Result<Vec<Here>, StoreError> {
    Ok(on!(conn, WHO, |c, sql| sqlx::query_as(sql).bind(since).fetch_all(c).await)?)
}

/// Forgets those who did not renew it after `since`.
pub async fn expire(tx: &mut Tx, since: Micros) -> Result<(), StoreError> {
    on!(tx.conn(), EXPIRE, |c, sql| sqlx::query(sql).bind(since).execute(c).await.map(drop))?;
    Ok(())
}

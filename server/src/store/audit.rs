//! The whole of what is stored, to be compared with what the outside world saw. It reads every row:
//! for audits and tests, not for a server at work.

use baton_shared::{
    AgentId, AttemptId, ConversationId, Epoch, MessageId, Micros,
    message::{Author, Delivery},
};

use super::{Conn, Sql, StoreError, engine::on};

/// A message, as far as an audit cares.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Message {
    pub id: MessageId,
    #[sqlx(rename = "conversation_id")]
    pub conversation: ConversationId,
    pub author: Author,
    pub wamid: Option<String>,
    pub text: String,
    pub delivery: Option<Delivery>,
    /// The epoch that fences it.
    pub epoch: Option<Epoch>,
}

/// One try to send a message.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Attempt {
    pub id: AttemptId,
    #[sqlx(rename = "message_id")]
    pub message: MessageId,
    pub started_at: Micros,
}

/// A fact about a conversation.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Fact {
    /// Within one conversation this is the order of commits on either engine, for whoever appends
    /// a fact about it has it locked.
    pub seq: i64,
    pub kind: String,
    #[sqlx(rename = "conversation_id")]
    pub conversation: ConversationId,
    #[sqlx(rename = "message_id")]
    pub message: Option<MessageId>,
    #[sqlx(rename = "agent_id")]
    pub agent: Option<AgentId>,
    pub epoch: Option<Epoch>,
    pub detail: Option<String>,
}

const MESSAGES: Sql =
    Sql::Both("select id, conversation_id, author, wamid, text, delivery, epoch from message order by id");
const ATTEMPTS: Sql = Sql::Both("select id, message_id, started_at from attempt order by id");
const FACTS: Sql = Sql::Both(
    "select seq, kind, conversation_id, message_id, agent_id, epoch, detail from event \
     where conversation_id is not null order by seq",
);
/// Whatever waits behind another one waits with it.
const ON_THEIR_WAY: Sql = Sql::Both(
    "select (select count(*) from message m where m.delivery = 'sending' or m.delivery = 'queued' \
     and m.next_try_at <= $1 and not exists (select 1 from message e where e.conversation_id = m.conversation_id \
     and (e.delivery = 'unknown' or e.delivery = 'queued' and (e.arrived_at, e.place) < (m.arrived_at, m.place)))) \
     + (select count(*) from conversation c where c.control = 'bot' and c.due_at is not null)",
);

pub const ALL: &[&Sql] = &[&MESSAGES, &ATTEMPTS, &FACTS, &ON_THEIR_WAY];

pub async fn messages(conn: Conn<'_>) -> Result<Vec<Message>, StoreError> {
    Ok(on!(conn, MESSAGES, |c, sql| sqlx::query_as(sql).fetch_all(c).await)?)
}

pub async fn attempts(conn: Conn<'_>) -> Result<Vec<Attempt>, StoreError> {
    Ok(on!(conn, ATTEMPTS, |c, sql| sqlx::query_as(sql).fetch_all(c).await)?)
}

/// What happened to conversations, in the order of `seq`.
pub async fn facts(conn: Conn<'_>) -> Result<Vec<Fact>, StoreError> {
    Ok(on!(conn, FACTS, |c, sql| sqlx::query_as(sql).fetch_all(c).await)?)
}

/// How many messages and turns are the server's to do now, at `time` of leases. What the rates hold
/// back until later, or an earlier send of which nobody knows whether it arrived, is not counted.
pub async fn on_their_way(conn: Conn<'_>, time: Micros) -> Result<i64, StoreError> {
    Ok(on!(conn, ON_THEIR_WAY, |c, sql| sqlx::query_scalar(sql).bind(time).fetch_one(c).await)?)
}

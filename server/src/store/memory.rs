//! What the bot remembers: of a conversation its past in a few lines, of a customer what is true for years.

use baton_shared::{ConversationId, CustomerId, MessageId, Micros, message::Place, protocol};

use super::{Conn, Sql, StoreError, Tx, engine::on, wakes::Topic};

/// A conversation's past, up to a place in its thread.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Digest {
    #[sqlx(rename = "conversation_id")]
    pub conversation: ConversationId,
    pub text: String,
    /// The place of the newest message that is in it.
    second: i64,
    arrived_at: Micros,
    place: i64,
    /// Grows with every one: an older one never replaces a newer.
    pub revision: i64,
    /// Grows with every lease.
    pub lease: i64,
}

impl Digest {
    pub const fn through(&self) -> Place {
        Place { second: self.second, arrived_at: self.arrived_at, index: self.place }
    }
}

/// Something to know about a customer.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Fact {
    pub key: String,
    pub value: String,
    /// The customer's words that it was taken from.
    #[sqlx(rename = "message_id")]
    pub message: Option<MessageId>,
    pub learnt_at: Micros,
}

impl From<Fact> for protocol::Fact {
    fn from(fact: Fact) -> Self {
        Self { key: fact.key, value: fact.value, learnt_at: fact.learnt_at, message: fact.message }
    }
}

/// The events of a conversation: something was learnt of its customer, or everything forgotten.
pub const LEARNT: &str = "learnt";
pub const FORGOTTEN: &str = "forgotten";

/// More are not kept of one customer: what was learnt longest ago goes.
pub const FACTS: i64 = 20;

macro_rules! columns {
    () => {
        "conversation_id, text, second, arrived_at, place, revision, lease"
    };
}

const DIGEST: Sql =
    Sql::Both(concat!("select ", columns!(), " from digest where conversation_id = $1 and revision > 0"));
/// What is begun already is not begun again before its time.
const ASK: Sql = Sql::Both(
    "insert into digest (conversation_id, text, second, arrived_at, place, revision, lease, due_at) \
     values ($1, '', 0, 0, 0, 0, 0, $2) on conflict (conversation_id) do update set due_at = excluded.due_at \
     where digest.due_at is null",
);
/// Of two that look at once one gets it.
const LEASE: Sql = Sql::Both(concat!(
    "update digest set due_at = $2, lease = lease + 1 where conversation_id = (select conversation_id from digest \
     where due_at <= $1 order by due_at limit 1) and due_at <= $1 returning ",
    columns!()
));
/// Fenced: whoever was slower than its lease, or than a merger or an erasure, changes nothing.
const REPLACE: Sql = Sql::Both(
    "update digest set text = $4, second = $5, arrived_at = $6, place = $7, revision = revision + 1, due_at = null \
     where conversation_id = $1 and lease = $2 and revision = $3",
);
const DONE: Sql =
    Sql::Both("update digest set due_at = null where conversation_id = $1 and lease = $2 and revision = $3");
const POSTPONE: Sql =
    Sql::Both("update digest set due_at = $4 where conversation_id = $1 and lease = $2 and revision = $3");
const DROP: Sql = Sql::Both("delete from digest where conversation_id = $1");
const FACTS_OF: Sql = Sql::Both(
    "select key, value, message_id, learnt_at from fact where customer_id = $1 order by learnt_at desc, key limit $2",
);
const OF_CONVERSATION: Sql = Sql::Both(
    "select f.key, f.value, f.message_id, f.learnt_at from fact f join conversation c on c.customer_id = f.customer_id \
     where c.id = $1 order by f.learnt_at desc, f.key limit $2",
);
const LEARN: Sql = Sql::Both(
    "insert into fact (customer_id, key, value, message_id, learnt_at) values ($1, $2, $3, $4, $5) \
     on conflict (customer_id, key) do update set value = excluded.value, message_id = excluded.message_id, \
     learnt_at = excluded.learnt_at where excluded.learnt_at >= fact.learnt_at",
);
const TRIM: Sql = Sql::Both(
    "delete from fact where customer_id = $1 and key not in (select key from fact where customer_id = $1 \
     order by learnt_at desc, key limit $2)",
);
const GIVE: Sql = Sql::Both(
    "update fact set customer_id = $2 where customer_id = $1 \
     and key not in (select key from fact where customer_id = $2)",
);
const FORGET: Sql = Sql::Both("delete from fact where customer_id = $1");
const DROP_OF_CUSTOMER: Sql =
    Sql::Both("delete from digest where conversation_id in (select id from conversation where customer_id = $1)");

pub const ALL: &[&Sql] = &[
    &DIGEST,
    &ASK,
    &LEASE,
    &REPLACE,
    &DONE,
    &POSTPONE,
    &DROP,
    &FACTS_OF,
    &OF_CONVERSATION,
    &LEARN,
    &TRIM,
    &GIVE,
    &FORGET,
    &DROP_OF_CUSTOMER,
];

/// The past in a few lines, if somebody has written it.
pub async fn digest(conn: Conn<'_>, conversation: ConversationId) -> Result<Option<Digest>, StoreError> {
    Ok(on!(conn, DIGEST, |c, sql| sqlx::query_as(sql).bind(conversation).fetch_optional(c).await)?)
}

/// The conversation has become long: somebody shall write its past, from `time` (of leases) on.
pub async fn ask(tx: &mut Tx, conversation: ConversationId, time: Micros) -> Result<(), StoreError> {
    on!(tx.conn(), ASK, |c, sql| sqlx::query(sql).bind(conversation).bind(time).execute(c).await.map(drop))?;
    tx.wake(Topic::Memory);
    Ok(())
}

/// One whose time has come, until `until` nobody else's.
pub async fn lease(tx: &mut Tx, time: Micros, until: Micros) -> Result<Option<Digest>, StoreError> {
    Ok(on!(tx.conn(), LEASE, |c, sql| sqlx::query_as(sql).bind(time).bind(until).fetch_optional(c).await)?)
}

/// Whether it was still the newest and still ours.
pub async fn replace(tx: &mut Tx, from: &Digest, text: &str, through: Place) -> Result<bool, StoreError> {
    let rows = on!(tx.conn(), REPLACE, |c, sql| {
        sqlx::query(sql)
            .bind(from.conversation)
            .bind(from.lease)
            .bind(from.revision)
            .bind(text.to_owned())
            .bind(through.second)
            .bind(through.arrived_at)
            .bind(through.index)
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(rows > 0)
}

/// There is nothing to write yet.
pub async fn done(tx: &mut Tx, from: &Digest) -> Result<(), StoreError> {
    on!(tx.conn(), DONE, |c, sql| {
        sqlx::query(sql).bind(from.conversation).bind(from.lease).bind(from.revision).execute(c).await.map(drop)
    })?;
    Ok(())
}

/// No model answers: not before `time` (of leases).
pub async fn postpone(tx: &mut Tx, from: &Digest, time: Micros) -> Result<(), StoreError> {
    on!(tx.conn(), POSTPONE, |c, sql| {
        sqlx::query(sql)
            .bind(from.conversation)
            .bind(from.lease)
            .bind(from.revision)
            .bind(time)
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(())
}

/// Another conversation has gone into this one, or out of it: its past is written anew.
pub async fn drop_digest(tx: &mut Tx, conversation: ConversationId) -> Result<(), StoreError> {
    on!(tx.conn(), DROP, |c, sql| sqlx::query(sql).bind(conversation).execute(c).await.map(drop))?;
    Ok(())
}

/// What is known of a customer, the newest first.
pub async fn facts(conn: Conn<'_>, customer: CustomerId) -> Result<Vec<Fact>, StoreError> {
    Ok(on!(conn, FACTS_OF, |c, sql| sqlx::query_as(sql).bind(customer).bind(FACTS).fetch_all(c).await)?)
}

/// What is known of the customer of a conversation, the newest first.
pub async fn of_conversation(conn: Conn<'_>, conversation: ConversationId) -> Result<Vec<Fact>, StoreError> {
    Ok(on!(conn, OF_CONVERSATION, |c, sql| sqlx::query_as(sql).bind(conversation).bind(FACTS).fetch_all(c).await)?)
}

/// Of two of the same key the newer counts.
pub async fn learn(tx: &mut Tx, customer: CustomerId, facts: &[Fact]) -> Result<(), StoreError> {
    for fact in facts {
        on!(tx.conn(), LEARN, |c, sql| {
            sqlx::query(sql)
                .bind(customer)
                .bind(fact.key.clone())
                .bind(fact.value.clone())
                .bind(fact.message)
                .bind(fact.learnt_at)
                .execute(c)
                .await
                .map(drop)
        })?;
    }
    if !facts.is_empty() {
        on!(tx.conn(), TRIM, |c, sql| sqlx::query(sql).bind(customer).bind(FACTS).execute(c).await.map(drop))?;
    }
    Ok(())
}

/// Two customers are one: what is known of both goes to `to`, who is believed where they differ.
pub async fn give(tx: &mut Tx, from: CustomerId, to: CustomerId) -> Result<(), StoreError> {
    on!(tx.conn(), GIVE, |c, sql| sqlx::query(sql).bind(from).bind(to).execute(c).await.map(drop))?;
    on!(tx.conn(), FORGET, |c, sql| sqlx::query(sql).bind(from).execute(c).await.map(drop))?;
    Ok(())
}

/// Forgets everything that the bot remembers of a customer besides what was said.
pub async fn forget(tx: &mut Tx, customer: CustomerId) -> Result<(), StoreError> {
    for statement in [&FORGET, &DROP_OF_CUSTOMER] {
        on!(tx.conn(), statement, |c, sql| sqlx::query(sql).bind(customer).execute(c).await.map(drop))?;
    }
    Ok(())
}

//! What customers agreed to: appended with time and proof, the newest counts.

use baton_shared::{AgentId, ConversationId, CustomerId, Micros};
use uuid::Uuid;

use super::{Conn, Sql, StoreError, Tx, engine::on};

/// Who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Source {
    /// WhatsApp's own switch, or its refusal to deliver (131050).
    Meta,
    /// A word of the customer's.
    Word,
    /// Recorded by an agent.
    Agent,
}

/// Whether a customer wants marketing.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Consent {
    pub id: Uuid,
    #[sqlx(rename = "customer_id")]
    pub customer: CustomerId,
    pub granted: bool,
    pub source: Source,
    /// The message or signal that says so, or an agent's words.
    pub proof: String,
    #[sqlx(rename = "agent_id")]
    pub agent: Option<AgentId>,
    pub at: Micros,
}

/// A signal that came twice is one.
const PUT: Sql = Sql::Both(
    "insert into consent (id, customer_id, topic, granted, source, proof, agent_id, at) \
     values ($1, $2, 'marketing', $3, $4, $5, $6, $7) on conflict (customer_id, topic, source, proof, at) do nothing",
);
const LATEST: Sql = Sql::Both(
    "select id, customer_id, granted, source, proof, agent_id, at from consent \
     where customer_id = $1 and topic = 'marketing' order by at desc, id desc limit 1",
);

const OF_CONVERSATION: Sql = Sql::Both(
    "select s.id, s.customer_id, s.granted, s.source, s.proof, s.agent_id, s.at from consent s \
     join conversation c on c.customer_id = s.customer_id \
     where c.id = $1 and s.topic = 'marketing' order by s.at desc, s.id desc limit 1",
);

pub const ALL: &[&Sql] = &[&PUT, &LATEST, &OF_CONVERSATION];

/// What holds about marketing to whom a conversation is with.
pub async fn of_conversation(conn: Conn<'_>, conversation: ConversationId) -> Result<Option<Consent>, StoreError> {
    Ok(on!(conn, OF_CONVERSATION, |c, sql| sqlx::query_as(sql).bind(conversation).fetch_optional(c).await)?)
}

/// Whether it was news.
pub async fn put(tx: &mut Tx, new: &Consent) -> Result<bool, StoreError> {
    let rows = on!(tx.conn(), PUT, |c, sql| {
        sqlx::query(sql)
            .bind(new.id)
            .bind(new.customer)
            .bind(new.granted)
            .bind(new.source)
            .bind(&new.proof)
            .bind(new.agent)
            .bind(new.at)
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(rows > 0)
}

/// What holds about marketing; `None` if nobody ever said anything.
pub async fn latest(conn: Conn<'_>, customer: CustomerId) -> Result<Option<Consent>, StoreError> {
    Ok(on!(conn, LATEST, |c, sql| sqlx::query_as(sql).bind(customer).fetch_optional(c).await)?)
}

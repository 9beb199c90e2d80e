//! What models cost: every call, and what is set aside and spent of the caps. WhatsApp's own prices stand beside
//! them on the page of costs.

use baton_shared::{ChannelId, ConversationId, CustomerId, Ids, Micros, TurnId};
use jiff::Timestamp;
use uuid::Uuid;

pub mod page;

use super::{Conn, Sql, StoreError, Tx, engine::on};
use crate::domain::money::{Budget, Call, Nanos};

/// Whose budgets a call is paid from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payer {
    pub channel: ChannelId,
    pub conversation: ConversationId,
    /// `None`: a group.
    pub customer: Option<CustomerId>,
}

const RESERVE: Sql = Sql::Both(
    "insert into spending (scope, owner, period, nanos) select $1, $2, $3, cast($4 as bigint) \
     where cast($4 as bigint) <= cast($5 as bigint) \
     on conflict (scope, owner, period) do update set nanos = spending.nanos + excluded.nanos \
     where spending.nanos + excluded.nanos <= $5",
);
const ADD: Sql = Sql::Both(
    "insert into spending (scope, owner, period, nanos) values ($1, $2, $3, $4) \
     on conflict (scope, owner, period) do update set nanos = spending.nanos + excluded.nanos",
);
const SPENT: Sql = Sql::Both("select nanos from spending where scope = $1 and owner = $2 and period = $3");
const INSERT: Sql = Sql::Both(
    "insert into model_call (id, turn_id, conversation_id, channel_id, purpose, intent, provider, model, began_at, \
     took, tokens_in, tokens_cached, tokens_out, cost, failure) \
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
);
/// A day has 86,400,000,000 microseconds.
const CALLS: Sql = Sql::Both(
    "select channel_id, provider, model, purpose, intent, began_at / 86400000000 as day, count(*) as calls, \
     count(case when failure is null then 1 end) as useful, count(case when cost is null then 1 end) as unpriced, \
     cast(sum(tokens_in) as bigint) as tokens_in, cast(sum(tokens_cached) as bigint) as tokens_cached, \
     cast(sum(tokens_out) as bigint) as tokens_out, cast(coalesce(sum(cost), 0) as bigint) as nanos, \
     cast(sum(took) as bigint) as took from model_call where began_at >= $1 and began_at < $2 \
     group by channel_id, provider, model, purpose, intent, began_at / 86400000000",
);
const MESSAGES: Sql = Sql::Both(
    "select channel_id, category, type as kind, billable, count(*) as messages from price \
     where at >= $1 and at < $2 group by channel_id, category, type, billable",
);
const OF_CONVERSATION: Sql = Sql::Both(
    "select count(*) as calls, cast(coalesce(sum(cost), 0) as bigint) as nanos, \
     count(case when cost is null then 1 end) as unpriced from model_call where conversation_id = $1",
);
const FORGET: Sql = Sql::Both("delete from model_call where began_at < $1");
const FORGET_SPENDING: Sql = Sql::Both("delete from spending where scope = $1 and period < $2");

pub const ALL: &[&Sql] =
    &[&RESERVE, &ADD, &SPENT, &INSERT, &CALLS, &MESSAGES, &OF_CONVERSATION, &FORGET, &FORGET_SPENDING];

/// Calls of one kind on one day (counted from 1970, in UTC).
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Calls {
    #[sqlx(rename = "channel_id")]
    pub channel: ChannelId,
    pub provider: String,
    pub model: String,
    pub purpose: String,
    pub intent: Option<String>,
    pub day: i64,
    pub calls: i64,
    /// Whose answer was used.
    pub useful: i64,
    /// Of models of which nobody has said what they cost.
    pub unpriced: i64,
    pub tokens_in: i64,
    pub tokens_cached: i64,
    pub tokens_out: i64,
    pub nanos: i64,
    /// Microseconds, all calls together.
    pub took: i64,
}

/// Messages of which Meta says the same: it names a category, never an amount.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Messages {
    #[sqlx(rename = "channel_id")]
    pub channel: ChannelId,
    /// `service`, `utility`, `marketing`, ...
    pub category: Option<String>,
    /// `regular`, `free_customer_service`, `free_entry_point`, ...
    pub kind: Option<String>,
    pub billable: Option<bool>,
    pub messages: i64,
}

/// What one conversation has cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Total {
    pub calls: i64,
    pub nanos: i64,
    pub unpriced: i64,
}

/// A cap's row.
struct Account {
    scope: &'static str,
    owner: Uuid,
    period: String,
}

const CUSTOMER_DAY: &str = "customer_day";
const CHANNEL_MONTH: &str = "channel_month";

impl Payer {
    fn customer_day(&self, at: Micros) -> Account {
        let owner = self.customer.map_or(self.conversation.0, |customer| customer.0);
        Account { scope: CUSTOMER_DAY, owner, period: day(at) }
    }

    fn channel_month(&self, at: Micros) -> Account {
        Account { scope: CHANNEL_MONTH, owner: self.channel.0, period: month(at) }
    }
}

/// `2026-11-20`, in UTC.
pub fn day(at: Micros) -> String {
    date(at).strftime("%Y-%m-%d").to_string()
}

/// `2026-11`, in UTC.
pub fn month(at: Micros) -> String {
    date(at).strftime("%Y-%m").to_string()
}

fn date(at: Micros) -> Timestamp {
    Timestamp::from_microsecond(at.0).unwrap_or_default()
}

/// Sets `most` aside in every capped account, or in none; `false` if one of them does not hold as much.
pub async fn reserve(tx: &mut Tx, payer: &Payer, budget: &Budget, most: Nanos, at: Micros) -> Result<bool, StoreError> {
    let (customer, channel) = (payer.customer_day(at), payer.channel_month(at));
    if !put_aside(tx, &customer, most, budget.customer_day).await? {
        return Ok(false);
    }
    if !put_aside(tx, &channel, most, budget.channel_month).await? {
        add(tx, &customer, Nanos(-most.0)).await?;
        return Ok(false);
    }
    Ok(true)
}

async fn put_aside(tx: &mut Tx, account: &Account, most: Nanos, cap: Option<Nanos>) -> Result<bool, StoreError> {
    let cap = cap.map_or(i64::MAX, |cap| cap.0);
    let rows = on!(tx.conn(), RESERVE, |c, sql| {
        sqlx::query(sql)
            .bind(account.scope)
            .bind(account.owner)
            .bind(account.period.clone())
            .bind(most.0)
            .bind(cap)
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(rows > 0)
}

async fn add(tx: &mut Tx, account: &Account, nanos: Nanos) -> Result<(), StoreError> {
    on!(tx.conn(), ADD, |c, sql| {
        sqlx::query(sql)
            .bind(account.scope)
            .bind(account.owner)
            .bind(account.period.clone())
            .bind(nanos.0)
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(())
}

/// Keeps the calls, and takes what they cost instead of what was set aside for them.
pub async fn settle(
    tx: &mut Tx,
    payer: &Payer,
    turn: Option<TurnId>,
    intent: Option<&str>,
    calls: &[Call],
    ids: &Ids,
) -> Result<(), StoreError> {
    for call in calls {
        insert(tx, payer, turn, intent, call, ids.next(call.began_at)).await?;
        let rest = Nanos(call.cost.unwrap_or_default().0 - call.reserved.0);
        if rest != Nanos::ZERO {
            add(tx, &payer.customer_day(call.began_at), rest).await?;
            add(tx, &payer.channel_month(call.began_at), rest).await?;
        }
    }
    Ok(())
}

async fn insert(
    tx: &mut Tx,
    payer: &Payer,
    turn: Option<TurnId>,
    intent: Option<&str>,
    call: &Call,
    id: Uuid,
) -> Result<(), StoreError> {
    let took = i64::try_from(call.took.as_micros()).unwrap_or(i64::MAX);
    on!(tx.conn(), INSERT, |c, sql| {
        sqlx::query(sql)
            .bind(id)
            .bind(turn)
            .bind(payer.conversation)
            .bind(payer.channel)
            .bind(call.purpose.word())
            .bind(intent.map(str::to_owned))
            .bind(call.provider.clone())
            .bind(call.model.clone())
            .bind(call.began_at)
            .bind(took)
            .bind(i64::from(call.usage.input_tokens))
            .bind(i64::from(call.usage.cached_tokens))
            .bind(i64::from(call.usage.output_tokens))
            .bind(call.cost.map(|cost| cost.0))
            .bind(call.failure)
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(())
}

/// What is spent or set aside of a customer's day and a channel's month.
pub async fn spent(mut conn: Conn<'_>, payer: &Payer, at: Micros) -> Result<(Nanos, Nanos), StoreError> {
    let customer = balance(conn.again(), &payer.customer_day(at)).await?;
    Ok((customer, balance(conn, &payer.channel_month(at)).await?))
}

async fn balance(conn: Conn<'_>, account: &Account) -> Result<Nanos, StoreError> {
    let nanos: Option<i64> = on!(conn, SPENT, |c, sql| {
        sqlx::query_scalar(sql)
            .bind(account.scope)
            .bind(account.owner)
            .bind(account.period.clone())
            .fetch_optional(c)
            .await
    })?;
    Ok(Nanos(nanos.unwrap_or(0)))
}

/// All calls that began from `from` on and before `to`, by number, model, purpose, intent and day.
pub async fn calls(conn: Conn<'_>, from: Micros, to: Micros) -> Result<Vec<Calls>, StoreError> {
    Ok(on!(conn, CALLS, |c, sql| sqlx::query_as(sql).bind(from).bind(to).fetch_all(c).await)?)
}

/// What Meta said of messages in that time, by number and category.
pub async fn messages(conn: Conn<'_>, from: Micros, to: Micros) -> Result<Vec<Messages>, StoreError> {
    Ok(on!(conn, MESSAGES, |c, sql| sqlx::query_as(sql).bind(from).bind(to).fetch_all(c).await)?)
}

pub async fn of_conversation(conn: Conn<'_>, conversation: ConversationId) -> Result<Total, StoreError> {
    Ok(on!(conn, OF_CONVERSATION, |c, sql| sqlx::query_as(sql).bind(conversation).fetch_one(c).await)?)
}

/// Forgets calls from before `before`, and the caps' accounts of days and months that are over.
pub async fn forget(tx: &mut Tx, before: Micros) -> Result<(), StoreError> {
    on!(tx.conn(), FORGET, |c, sql| sqlx::query(sql).bind(before).execute(c).await.map(drop))?;
    for (scope, period) in [(CUSTOMER_DAY, day(before)), (CHANNEL_MONTH, month(before))] {
        on!(tx.conn(), FORGET_SPENDING, |c, sql| sqlx::query(sql)
            .bind(scope)
            .bind(&period)
            .execute(c)
            .await
            .map(drop))?;
    }
    Ok(())
}

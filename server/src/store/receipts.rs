//! What Meta says a message costs, and how far one to a group has come at each of its members. By Meta's id: a
//! status may be here before the message has it.

use std::collections::BTreeMap;

use baton_shared::{ConversationId, Micros, message::Delivery};
use serde_json::json;

use super::{Conn, Sql, StoreError, Tx, deliveries::StatusNews, engine::on, json};

/// What a status says of the price.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Price {
    pub billable: Option<bool>,
    /// `PMP`: by message.
    pub model: Option<String>,
    /// `regular`, `free_customer_service`, `free_entry_point`, or a word that did not exist when this was written.
    pub kind: Option<String>,
    /// `service`, `utility`, `marketing`, ...
    pub category: Option<String>,
    /// What began the conversation: `service`, `referral_conversion`, ...
    pub origin: Option<String>,
    /// Until when a free entry point lasts.
    pub free_until: Option<Micros>,
}

/// A price's `type` and an older payload's origin, of what an advertisement brought and is free for a while.
pub const FREE_ENTRY_POINT: &str = "free_entry_point";
pub const REFERRAL_CONVERSION: &str = "referral_conversion";

impl Price {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The price of the newest message that has one.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Known {
    pub kind: Option<String>,
    pub origin: Option<String>,
    pub free_until: Option<Micros>,
    pub at: Micros,
}

impl Known {
    /// An advertisement brought the customer, and WhatsApp takes nothing for what is said meanwhile.
    pub fn is_free_entry(&self) -> bool {
        self.kind.as_deref() == Some(FREE_ENTRY_POINT)
            || (self.kind.is_none() && self.origin.as_deref() == Some(REFERRAL_CONVERSION))
    }
}

/// A member of a group and how far a message has come there.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Receipt {
    pub recipient: String,
    pub state: Delivery,
    pub code: Option<i64>,
}

const PRICES: Sql = Sql::Each {
    sqlite: "with rows as materialized (select value as r from json_each($1)) \
             insert into price (wamid, recipient, channel_id, billable, model, type, category, origin, free_until, at) \
             select r->>'wamid', r->>'recipient', unhex(r->>'channel'), r->>'billable', r->>'model', r->>'type', \
             r->>'category', r->>'origin', r->>'free_until', r->>'at' from rows where true \
             on conflict (wamid, recipient) do update set billable = coalesce(excluded.billable, billable), \
             model = coalesce(excluded.model, model), type = coalesce(excluded.type, type), \
             category = coalesce(excluded.category, category), origin = coalesce(excluded.origin, origin), \
             free_until = coalesce(excluded.free_until, free_until)",
    postgres: "insert into price (wamid, recipient, channel_id, billable, model, type, category, origin, free_until, at) \
               select r.wamid, r.recipient, r.channel, r.billable, r.model, r.type, r.category, r.origin, r.free_until, \
               r.at from json_to_recordset($1::json) as r(wamid text, recipient text, channel uuid, billable boolean, \
               model text, type text, category text, origin text, free_until bigint, at bigint) \
               on conflict (wamid, recipient) do update set billable = coalesce(excluded.billable, price.billable), \
               model = coalesce(excluded.model, price.model), type = coalesce(excluded.type, price.type), \
               category = coalesce(excluded.category, price.category), origin = coalesce(excluded.origin, price.origin), \
               free_until = coalesce(excluded.free_until, price.free_until)",
};
/// One by one: groups are few.
const RECEIPT: Sql = Sql::Both(
    "insert into receipt (wamid, recipient, state, step, code, at) values ($1, $2, $3, $4, $5, $6) \
     on conflict (wamid, recipient) do update set state = excluded.state, step = excluded.step, code = excluded.code, \
     at = excluded.at where excluded.step > receipt.step",
);
/// Of the last messages only: what a conversation costs now, not what it cost once.
const NEWEST: Sql = Sql::Both(
    "select p.type as kind, p.origin, p.free_until, p.at from (select wamid, second, arrived_at, place from message \
     where conversation_id = $1 order by second desc, arrived_at desc, place desc limit 50) m \
     join price p on p.wamid = m.wamid order by m.second desc, m.arrived_at desc, m.place desc limit 1",
);
const OF: Sql = Sql::Both("select recipient, state, code from receipt where wamid = $1 order by recipient");

pub const ALL: &[&Sql] = &[&PRICES, &RECEIPT, &NEWEST, &OF];

/// Keeps what these statuses say of prices and of members of groups.
pub(super) async fn keep(tx: &mut Tx, news: &[StatusNews], now: Micros) -> Result<(), StoreError> {
    keep_prices(tx, news, now).await?;
    keep_receipts(tx, news, now).await
}

async fn keep_prices(tx: &mut Tx, news: &[StatusNews], now: Micros) -> Result<(), StoreError> {
    // A row stands once in a statement; of two that say something the later one counts.
    let mut rows = BTreeMap::new();
    for one in news.iter().filter(|one| !one.price.is_empty()) {
        let row = rows.entry((&one.wamid, one.recipient.as_deref().unwrap_or_default())).or_insert_with(|| {
            json!({"wamid": one.wamid, "recipient": one.recipient.as_deref().unwrap_or_default(),
                   "channel": json::id(one.channel), "at": at(one, now)})
        });
        let Price { billable, model, kind, category, origin, free_until } = &one.price;
        let said = json!({"billable": billable, "model": model, "type": kind, "category": category, "origin": origin,
                          "free_until": free_until});
        for (key, value) in said.as_object().into_iter().flatten() {
            if !value.is_null() || row.get(key).is_none() {
                row[key] = value.clone();
            }
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    let rows = json::rows(rows.into_values().collect());
    on!(tx.conn(), PRICES, |c, sql| sqlx::query(sql).bind(rows).execute(c).await.map(drop))?;
    Ok(())
}

async fn keep_receipts(tx: &mut Tx, news: &[StatusNews], now: Micros) -> Result<(), StoreError> {
    for one in news {
        let (Some(recipient), Some(step)) = (&one.recipient, step(one.state)) else { continue };
        on!(tx.conn(), RECEIPT, |c, sql| {
            sqlx::query(sql)
                .bind(&one.wamid)
                .bind(recipient)
                .bind(one.state)
                .bind(step)
                .bind(one.code)
                .bind(at(one, now))
                .execute(c)
                .await
                .map(drop)
        })?;
    }
    Ok(())
}

fn at(one: &StatusNews, now: Micros) -> Micros {
    one.second.map_or(now, Micros::from_seconds).min(now)
}

/// A failure after delivery is not believed.
const fn step(state: Delivery) -> Option<i64> {
    match state {
        Delivery::Sent => Some(1),
        Delivery::Failed => Some(2),
        Delivery::Delivered => Some(3),
        Delivery::Read => Some(4),
        Delivery::Played => Some(5),
        Delivery::Queued
        | Delivery::Sending
        | Delivery::Accepted
        | Delivery::Held
        | Delivery::Cancelled
        | Delivery::Unknown => None,
    }
}

/// What Meta said last about what this conversation costs; `None` if it has said nothing lately.
pub async fn newest(conn: Conn<'_>, conversation: ConversationId) -> Result<Option<Known>, StoreError> {
    Ok(on!(conn, NEWEST, |c, sql| sqlx::query_as(sql).bind(conversation).fetch_optional(c).await)?)
}

/// How far a message to a group has come at each of its members.
pub async fn of(conn: Conn<'_>, wamid: &str) -> Result<Vec<Receipt>, StoreError> {
    let wamid = wamid.to_owned();
    Ok(on!(conn, OF, |c, sql| sqlx::query_as(sql).bind(&wamid).fetch_all(c).await)?)
}

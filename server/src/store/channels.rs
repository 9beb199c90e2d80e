//! Channels: the business numbers, their switches, and who drives their outboxes.

use baton_shared::{ChannelId, Micros};

use super::{Conn, Sql, StoreError, Tx, engine::on};
use crate::domain::standing::Stop;

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Channel {
    pub id: ChannelId,
    /// The Meta app whose secret signs this number's webhooks.
    pub app: String,
    pub phone_number_id: String,
    /// The WhatsApp Business Account.
    pub business_account_id: String,
    pub name: String,
    /// Agents of this team see its conversations; empty for everyone.
    pub team: String,
    /// The bot may answer.
    pub bot_on: bool,
    /// Anything may be sent at all.
    pub sending_on: bool,
    /// How far Graph's clock is ahead of ours, in microseconds.
    pub clock_offset: i64,
    #[sqlx(flatten)]
    pub meta: Meta,
}

/// How a number stands with Meta.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Meta {
    /// `GREEN`, `YELLOW`, `RED`; `None` before anybody has said.
    pub quality: Option<String>,
    pub messaging_limit: Option<String>,
    /// Messages that may leave in a second.
    pub per_second: i64,
    /// The business's own phone is on the same number.
    pub coexistence: bool,
    /// Why WhatsApp takes nothing from it: the word of a [`Stop`].
    #[sqlx(rename = "hold")]
    pub stop: Option<String>,
    /// By the wall; without it until Meta says otherwise.
    #[sqlx(rename = "hold_until")]
    pub stop_until: Option<Micros>,
}

impl Default for Meta {
    fn default() -> Self {
        Self { quality: None, messaging_limit: None, per_second: 80, coexistence: false, stop: None, stop_until: None }
    }
}

impl Meta {
    /// Why nothing goes, whether or not it will be tried again soon.
    pub fn stop(&self) -> Option<Stop> {
        self.stop.as_deref().and_then(Stop::from_word)
    }

    /// Why nothing goes at `now`.
    pub fn stop_at(&self, now: Micros) -> Option<Stop> {
        self.stop().filter(|_| self.stop_until.is_none_or(|until| until > now))
    }
}

macro_rules! columns {
    () => {
        "id, app, phone_number_id, business_account_id, name, team, bot_on, sending_on, clock_offset, \
         quality, messaging_limit, per_second, coexistence, hold, hold_until"
    };
}

const EVERY: Sql = Sql::Both(concat!("select ", columns!(), " from channel order by name, id"));
const BY_ID: Sql = Sql::Both(concat!("select ", columns!(), " from channel where id = $1"));
const PUT: Sql = Sql::Both(
    "insert into channel (id, app, phone_number_id, business_account_id, name, team, bot_on, sending_on) \
     values ($1, $2, $3, $4, $5, $6, true, true) \
     on conflict (phone_number_id) do update set app = excluded.app, \
     business_account_id = excluded.business_account_id, name = excluded.name, team = excluded.team",
);
const SWITCH: Sql = Sql::Both("update channel set bot_on = $2, sending_on = $3 where id = $1");
/// What was held by the switch, or because the number was stopped, goes to the fence again, which decides anew;
/// the bot's words ($2) only when it may speak.
const RELEASE: Sql = Sql::Both(
    "update message set delivery = 'queued', next_try_at = 0, problem = null, trouble = false, version = version + 1 \
     where channel_id = $1 and delivery = 'held' and (problem = 'switched_off' or problem like 'number%') \
     and ($2 or author <> 'bot')",
);
const OFFSET: Sql = Sql::Both("update channel set clock_offset = $2 where id = $1");
const HEARD: Sql = Sql::Both("update channel set heard_at = $2 where id = $1");
const LAST_HEARD: Sql = Sql::Both("select heard_at from channel where id = $1");
const QUEUED: Sql = Sql::Both("select count(*) from message where channel_id = $1 and delivery = 'queued'");
const LEASE: Sql = Sql::Both(
    "update channel set lease = lease + 1, lease_until = $3 where id = $1 and lease_until < $2 returning lease",
);
const RENEW: Sql = Sql::Both("update channel set lease_until = $3 where id = $1 and lease = $2");

const QUALITY: Sql = Sql::Both("update channel set quality = $2 where id = $1");
const LIMIT: Sql = Sql::Both("update channel set messaging_limit = $2 where id = $1");
const PER_SECOND: Sql = Sql::Both("update channel set per_second = $2 where id = $1 and not coexistence");
const COEXISTENCE: Sql =
    Sql::Both("update channel set coexistence = true, per_second = $2 where id = $1 and not coexistence");
const STOP: Sql = Sql::Both("update channel set hold = $2, hold_until = $3 where id = $1");

pub const ALL: &[&Sql] = &[
    &EVERY,
    &BY_ID,
    &PUT,
    &SWITCH,
    &RELEASE,
    &OFFSET,
    &HEARD,
    &LAST_HEARD,
    &QUEUED,
    &LEASE,
    &RENEW,
    &QUALITY,
    &LIMIT,
    &PER_SECOND,
    &COEXISTENCE,
    &STOP,
];

pub async fn every(conn: Conn<'_>) -> Result<Vec<Channel>, StoreError> {
    Ok(on!(conn, EVERY, |c, sql| sqlx::query_as(sql).fetch_all(c).await)?)
}

pub async fn by_id(conn: Conn<'_>, id: ChannelId) -> Result<Option<Channel>, StoreError> {
    Ok(on!(conn, BY_ID, |c, sql| sqlx::query_as(sql).bind(id).fetch_optional(c).await)?)
}

/// Stores what the settings say of a number; its id, its switches and its clock stay as they are.
pub async fn put(tx: &mut Tx, channel: &Channel) -> Result<(), StoreError> {
    on!(tx.conn(), PUT, |c, sql| {
        sqlx::query(sql)
            .bind(channel.id)
            .bind(&channel.app)
            .bind(&channel.phone_number_id)
            .bind(&channel.business_account_id)
            .bind(&channel.name)
            .bind(&channel.team)
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(())
}

/// Turns the bot, or all sending, on or off; what was held only by that is tried again.
pub async fn switch(tx: &mut Tx, id: ChannelId, bot_on: bool, sending_on: bool) -> Result<(), StoreError> {
    on!(tx.conn(), SWITCH, |c, sql| {
        sqlx::query(sql).bind(id).bind(bot_on).bind(sending_on).execute(c).await.map(drop)
    })?;
    if sending_on {
        on!(tx.conn(), RELEASE, |c, sql| sqlx::query(sql).bind(id).bind(bot_on).execute(c).await.map(drop))?;
    }
    tx.wake(super::wakes::Topic::Outbox);
    tx.wake(super::wakes::Topic::Turns);
    Ok(())
}

pub async fn set_quality(tx: &mut Tx, id: ChannelId, quality: &str) -> Result<(), StoreError> {
    on!(tx.conn(), QUALITY, |c, sql| sqlx::query(sql).bind(id).bind(quality).execute(c).await.map(drop))?;
    Ok(())
}

/// In Meta's words.
pub async fn set_limit(tx: &mut Tx, id: ChannelId, limit: &str) -> Result<(), StoreError> {
    on!(tx.conn(), LIMIT, |c, sql| sqlx::query(sql).bind(id).bind(limit).execute(c).await.map(drop))?;
    Ok(())
}

/// A number that the business's own phone is on as well stays as slow as it is.
pub async fn set_per_second(tx: &mut Tx, id: ChannelId, rate: i64) -> Result<(), StoreError> {
    on!(tx.conn(), PER_SECOND, |c, sql| sqlx::query(sql).bind(id).bind(rate).execute(c).await.map(drop))?;
    Ok(())
}

/// Somebody wrote on the business's own phone: from now on it sends no more than `rate` a second.
pub async fn shares_with_phone(tx: &mut Tx, id: ChannelId, rate: i64) -> Result<(), StoreError> {
    on!(tx.conn(), COEXISTENCE, |c, sql| sqlx::query(sql).bind(id).bind(rate).execute(c).await.map(drop))?;
    Ok(())
}

/// WhatsApp takes nothing from it, for this long if that is known.
pub async fn stop(tx: &mut Tx, id: ChannelId, stop: Stop, until: Option<Micros>) -> Result<(), StoreError> {
    let word = stop.word();
    on!(tx.conn(), STOP, |c, sql| sqlx::query(sql).bind(id).bind(word).bind(until).execute(c).await.map(drop))?;
    Ok(())
}

/// It may send again; what waited for that is tried.
pub async fn lift(tx: &mut Tx, id: ChannelId) -> Result<(), StoreError> {
    let (none, never): (Option<&str>, Option<Micros>) = (None, None);
    on!(tx.conn(), STOP, |c, sql| sqlx::query(sql).bind(id).bind(none).bind(never).execute(c).await.map(drop))?;
    if let Some(channel) = by_id(tx.conn(), id).await?.filter(|channel| channel.sending_on) {
        on!(tx.conn(), RELEASE, |c, sql| sqlx::query(sql).bind(id).bind(channel.bot_on).execute(c).await.map(drop))?;
    }
    tx.wake(super::wakes::Topic::Outbox);
    Ok(())
}

pub async fn set_clock_offset(tx: &mut Tx, id: ChannelId, offset: i64) -> Result<(), StoreError> {
    on!(tx.conn(), OFFSET, |c, sql| sqlx::query(sql).bind(id).bind(offset).execute(c).await.map(drop))?;
    Ok(())
}

/// A delivery for this number was stored.
pub async fn heard(tx: &mut Tx, id: ChannelId, now: Micros) -> Result<(), StoreError> {
    on!(tx.conn(), HEARD, |c, sql| sqlx::query(sql).bind(id).bind(now).execute(c).await.map(drop))?;
    Ok(())
}

pub async fn last_heard(conn: Conn<'_>, id: ChannelId) -> Result<Option<Micros>, StoreError> {
    let heard: Option<Option<Micros>> =
        on!(conn, LAST_HEARD, |c, sql| sqlx::query_scalar(sql).bind(id).fetch_optional(c).await)?;
    Ok(heard.flatten())
}

/// How many messages wait to be sent.
pub async fn queued(conn: Conn<'_>, id: ChannelId) -> Result<i64, StoreError> {
    Ok(on!(conn, QUEUED, |c, sql| sqlx::query_scalar(sql).bind(id).fetch_one(c).await)?)
}

/// The right to drive this number's outbox until `until`, if nobody has it at `time` (of leases).
/// The number returned grows with every change of hands.
pub async fn lease(tx: &mut Tx, id: ChannelId, time: Micros, until: Micros) -> Result<Option<i64>, StoreError> {
    Ok(on!(tx.conn(), LEASE, |c, sql| {
        sqlx::query_scalar(sql).bind(id).bind(time).bind(until).fetch_optional(c).await
    })?)
}

/// Whether the lease is still ours; it lasts until `until` then (now, to let it go).
pub async fn renew(tx: &mut Tx, id: ChannelId, lease: i64, until: Micros) -> Result<bool, StoreError> {
    let rows = on!(tx.conn(), RENEW, |c, sql| {
        sqlx::query(sql).bind(id).bind(lease).bind(until).execute(c).await.map(|done| done.rows_affected())
    })?;
    Ok(rows == 1)
}

//! How much of what there is, for whoever watches the server: counts, never contents.

use baton_shared::{ChannelId, Micros};

use super::{Conn, Sql, StoreError, engine::on};

/// Counts at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Figures {
    /// Conversations that wait for a person.
    pub waiting: i64,
    /// Since when the one that waits longest does.
    pub waiting_since: Option<Micros>,
    /// Turns of the bot that are due.
    pub turns_due: i64,
    pub queued: i64,
    pub sending: i64,
    /// Messages of which nobody knows whether they arrived.
    pub unknown: i64,
    /// Messages that a person must look at.
    pub trouble: i64,
    /// Dead letters that were not replayed.
    pub dead_letters: i64,
    /// Connections of agents, to any server.
    pub clients: i64,
    pub agents: i64,
}

const READ: Sql = Sql::Both(
    "select \
     (select count(*) from conversation where control = 'waiting') as waiting, \
     (select min(waiting_since) from conversation where control = 'waiting') as waiting_since, \
     (select count(*) from conversation where control = 'bot' and due_at <= $1) as turns_due, \
     (select count(*) from message where delivery = 'queued') as queued, \
     (select count(*) from message where delivery = 'sending') as sending, \
     (select count(*) from message where delivery = 'unknown') as \"unknown\", \
     (select count(*) from message where trouble) as trouble, \
     (select count(*) from dead_letter where replayed_at is null) as dead_letters, \
     (select count(*) from presence where renewed_at > $2) as clients, \
     (select count(distinct agent_id) from presence where renewed_at > $2) as agents",
);

/// Of each number; what does not apply is 0.
const OF_CHANNELS: Sql = Sql::Both(
    "select ch.id, \
     (select count(*) from conversation c where c.channel_id = ch.id and c.control = 'waiting') as waiting, \
     (select count(*) from conversation c left join handoff h on h.id = c.handoff where c.channel_id = ch.id \
     and (c.control = 'bot' and c.due_at is not null and c.due_late \
     or c.control = 'waiting' and h.reason = 'late')) as late, \
     (select count(*) from message m where m.channel_id = ch.id and m.delivery = 'queued') as queued, \
     (select count(*) from message m where m.channel_id = ch.id and m.trouble and m.delivery = 'held') as held, \
     ch.heard_at from channel ch order by ch.name, ch.id",
);

pub const ALL: &[&Sql] = &[&READ, &OF_CHANNELS];

/// What waits on one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct OfChannel {
    pub id: ChannelId,
    pub waiting: i64,
    /// Of customers who wrote before an outage.
    pub late: i64,
    pub queued: i64,
    pub held: i64,
    pub heard_at: Option<Micros>,
}

pub async fn of_channels(conn: Conn<'_>) -> Result<Vec<OfChannel>, StoreError> {
    Ok(on!(conn, OF_CHANNELS, |c, sql| sqlx::query_as(sql).fetch_all(c).await)?)
}

/// At `time` (of leases); a connection counts if it gave a sign of life after `since` (too).
pub async fn read(conn: Conn<'_>, time: Micros, since: Micros) -> Result<Figures, StoreError> {
    Ok(on!(conn, READ, |c, sql| sqlx::query_as(sql).bind(time).bind(since).fetch_one(c).await)?)
}

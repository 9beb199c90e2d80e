//! Conversations as they stand in the queue.

use baton_shared::{
    AgentId, ChannelId, Control, ConversationId, Epoch, Micros, Window,
    message::{Author, Delivery},
    protocol::{Preview, Row},
};

use super::{Conn, Moment, Sql, StoreError, engine::on, json};

/// A row, and what decides who may see it.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    pub row: Row,
    pub channel: ChannelId,
    /// The channel's team; empty for everyone.
    pub team: String,
}

#[derive(sqlx::FromRow)]
struct Raw {
    id: ConversationId,
    channel_id: ChannelId,
    version: i64,
    channel: String,
    team: String,
    customer: Option<String>,
    phone: Option<String>,
    user_id: Option<String>,
    group_id: Option<String>,
    control: String,
    owner: Option<AgentId>,
    control_moment: Option<Micros>,
    epoch: Epoch,
    window_closes_at: Option<Micros>,
    window_overruled: bool,
    reason: Option<String>,
    waiting_since: Option<Micros>,
    unanswered_since: Option<Micros>,
    unread: i64,
    due_at: Option<Micros>,
    returns_at: Option<Micros>,
    callback_at: Option<Micros>,
    updated_at: Micros,
    last_author: Option<Author>,
    last_kind: Option<String>,
    last_text: Option<String>,
    last_second: Option<i64>,
    last_delivery: Option<Delivery>,
    proposals: i64,
    troubles: i64,
    held: i64,
}

/// How much of the last message a row shows, in characters.
const PREVIEW: usize = 120;

macro_rules! select {
    () => {
        "select c.id, c.channel_id, c.version, ch.name as channel, ch.team, cu.name as customer, \
         (select a.value from alias a where a.customer_id = c.customer_id and a.kind = 'phone' limit 1) as phone, \
         (select a.value from alias a where a.customer_id = c.customer_id and a.kind = 'user' limit 1) as user_id, \
         c.group_id, c.control, c.owner, c.control_moment, c.epoch, c.window_closes_at, c.window_overruled, h.reason, \
         c.waiting_since, c.unanswered_since, c.unread, c.due_at, c.returns_at, h.callback_at, c.updated_at, \
         m.author as last_author, m.kind as last_kind, substr(m.text, 1, 240) as last_text, m.second as last_second, \
         m.delivery as last_delivery, \
         (select count(*) from proposal p where p.conversation_id = c.id and p.decided_at is null) as proposals, \
         (select count(*) from message t where t.conversation_id = c.id and t.trouble) as troubles, \
         (select count(*) from message t where t.conversation_id = c.id and t.trouble and t.delivery = 'held') as held \
         from conversation c join channel ch on ch.id = c.channel_id \
         left join customer cu on cu.id = c.customer_id left join handoff h on h.id = c.handoff \
         left join message m on m.id = c.last_message "
    };
}

const BY_IDS: Sql = Sql::Each {
    sqlite: concat!(select!(), "where c.merged_into is null and c.id in (select unhex(value) from json_each($1))"),
    postgres: concat!(
        select!(),
        "where c.merged_into is null and c.id in (select value::uuid from json_array_elements_text($1::json))"
    ),
};

/// Whoever needs or has a person, all of them.
const ATTENTION: Sql =
    Sql::Both(concat!(select!(), "where c.control in ('waiting', 'agent', 'phone') order by c.updated_at desc"));

/// The others, the most recent.
const RECENT: Sql = Sql::Both(concat!(
    select!(),
    "where c.control in ('bot', 'elsewhere', 'resolved') and c.merged_into is null order by c.updated_at desc limit $1"
));

pub const ALL: &[&Sql] = &[&BY_IDS, &ATTENTION, &RECENT];

pub async fn by_ids(conn: Conn<'_>, ids: &[ConversationId], at: Moment) -> Result<Vec<Seen>, StoreError> {
    let ids = json::ids(ids);
    let raw: Vec<Raw> = on!(conn, BY_IDS, |c, sql| sqlx::query_as(sql).bind(ids).fetch_all(c).await)?;
    Ok(readable(raw, at))
}

/// Whoever needs or has a person, and of the others the `recent` most recent.
pub async fn queue(mut conn: Conn<'_>, recent: i64, at: Moment) -> Result<Vec<Seen>, StoreError> {
    let mut raw: Vec<Raw> = on!(conn.again(), ATTENTION, |c, sql| sqlx::query_as(sql).fetch_all(c).await)?;
    let others: Vec<Raw> = on!(conn, RECENT, |c, sql| sqlx::query_as(sql).bind(recent).fetch_all(c).await)?;
    raw.extend(others);
    Ok(readable(raw, at))
}

/// One that does not make sense is left out and told to the operator: it must not hide the others.
fn readable(raw: Vec<Raw>, at: Moment) -> Vec<Seen> {
    let rows = raw.into_iter().map(|raw| (raw.id, seen(raw, at)));
    let rows = rows.filter_map(|(conversation, row)| match row {
        Ok(row) => Some(row),
        Err(error) => {
            tracing::error!(%conversation, %error, "a conversation is left out of the queue");
            None
        }
    });
    rows.collect()
}

fn seen(raw: Raw, at: Moment) -> Result<Seen, StoreError> {
    let control = Control::from_parts(&raw.control, raw.owner, raw.control_moment)
        .ok_or(StoreError::Corrupt("control, owner and moment of a conversation do not fit"))?;
    let handle = masked(raw.phone.as_deref(), raw.user_id.as_deref().or(raw.group_id.as_deref()));
    let last = match (raw.last_author, raw.last_second) {
        (Some(author), Some(second)) => Some(Preview {
            author,
            text: preview(raw.last_kind.as_deref().unwrap_or_default(), raw.last_text.as_deref().unwrap_or_default()),
            at: Micros::from_seconds(second),
            delivery: raw.last_delivery,
        }),
        _ => None,
    };
    let customer = raw.customer.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| handle.clone());
    let row = Row {
        conversation: raw.id,
        version: raw.version,
        channel: raw.channel,
        customer,
        handle,
        control,
        epoch: raw.epoch,
        window: Window { closes_at: raw.window_closes_at, overruled: raw.window_overruled },
        reason: raw.reason,
        waiting_since: raw.waiting_since,
        unanswered_since: raw.unanswered_since,
        unread: raw.unread,
        last,
        bot_busy: raw.due_at.is_some(),
        proposals: raw.proposals,
        troubles: raw.troubles,
        held: raw.held,
        returns_at: raw.returns_at.filter(|_| control.owner().is_some()).map(|time| at.wall_time_of(time)),
        callback_at: raw.callback_at.filter(|_| matches!(control, Control::Waiting { .. })),
        updated_at: raw.updated_at,
    };
    Ok(Seen { row, channel: raw.channel_id, team: raw.team })
}

/// A message in a line: its text, or what stands for a kind that has none.
pub fn preview(kind: &str, text: &str) -> String {
    let text: String = text.chars().take(PREVIEW).collect();
    match (kind, text.is_empty()) {
        ("text", _) => text,
        (kind, true) => format!("[{kind}]"),
        (kind, false) => format!("[{kind}] {text}").chars().take(PREVIEW).collect(),
    }
}

/// A phone number with its middle masked, or the end of another id: to tell namesakes apart.
pub fn masked(phone: Option<&str>, id: Option<&str>) -> String {
    if let Some(phone) = phone {
        let digits: Vec<char> = phone.chars().collect();
        let tail: String = digits.iter().skip(digits.len().saturating_sub(4)).collect();
        let head: String = digits.iter().take(2.min(digits.len().saturating_sub(4))).collect();
        return format!("+{head} ***{tail}");
    }
    let id = id.unwrap_or("?");
    let characters: Vec<char> = id.chars().collect();
    let tail: String = characters.iter().skip(characters.len().saturating_sub(4)).collect();
    let head: String = id.split('.').next().unwrap_or_default().chars().take(2).collect();
    format!("{head}.***{tail}")
}

//! Conversations: one row for one channel and one other side, and everything that a decision about
//! it needs. Whoever changes one holds its row's lock.

use baton_shared::{
    AgentId, ChannelId, Control, ConversationId, CustomerId, Epoch, HandoffId, MessageId, Micros, Window,
};
use serde_json::json;

use crate::{
    domain::control::Baton,
    mutation::{self, Mutation},
};

use super::{Conn, Sql, StoreError, Tx, engine::on, json, messages::Stored};

#[derive(Clone, Debug, PartialEq)]
pub struct Conversation {
    pub id: ConversationId,
    pub channel: ChannelId,
    /// `None` for a group.
    pub customer: Option<CustomerId>,
    pub group: Option<String>,
    pub control: Control,
    pub epoch: Epoch,
    pub episode: i64,
    /// Since when a person has been needed; survives take and release.
    pub waiting_since: Option<Micros>,
    pub window: Window,
    /// When the bot's turn is due, in the time of leases.
    pub due_at: Option<Micros>,
    /// What is due came late: whoever writes now is answered first.
    pub due_late: bool,
    /// When the first message of the burst arrived, in the time of leases.
    pub due_since: Option<Micros>,
    pub lease: i64,
    pub lease_until: Micros,
    /// How often the turn was dropped because the customer wrote.
    pub begun_again: i64,
    /// Turns in a row that did not help.
    pub unresolved: i64,
    pub language: Option<String>,
    /// The customer's newest message, by arrival.
    pub newest: Option<MessageId>,
    /// The youngest second in the thread.
    pub newest_second: i64,
    /// Since when the customer has had the last word.
    pub unanswered_since: Option<Micros>,
    pub unread: i64,
    pub last_message: Option<MessageId>,
    /// The open handoff.
    pub handoff: Option<HandoffId>,
    /// When time does something to it, in the time of leases: a lost agent's conversation goes back to the queue,
    /// a pause of the phone's ends, somebody who waits is told something.
    pub returns_at: Option<Micros>,
    /// A read mark that waits to be sent for this message of Meta's.
    pub mark_wamid: Option<String>,
    pub mark_typing: bool,
    /// It has turned out to be with the same customer as that one, and is there now.
    pub merged_into: Option<ConversationId>,
    pub version: i64,
    pub created_at: Micros,
    pub updated_at: Micros,
}

/// The other side of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    Customer(CustomerId),
    Group(String),
}

impl Conversation {
    pub fn new(id: ConversationId, channel: ChannelId, side: Side, now: Micros) -> Self {
        let (customer, group) = match side {
            Side::Customer(customer) => (Some(customer), None),
            Side::Group(group) => (None, Some(group)),
        };
        Self {
            id,
            channel,
            customer,
            group,
            control: Control::Bot,
            epoch: Epoch(1),
            episode: 1,
            waiting_since: None,
            window: Window::default(),
            due_at: None,
            due_since: None,
            due_late: false,
            lease: 0,
            lease_until: Micros::ZERO,
            begun_again: 0,
            unresolved: 0,
            language: None,
            newest: None,
            newest_second: 0,
            unanswered_since: None,
            unread: 0,
            last_message: None,
            handoff: None,
            returns_at: None,
            mark_wamid: None,
            mark_typing: false,
            merged_into: None,
            version: 0,
            created_at: now,
            updated_at: now,
        }
    }

    /// The other side; `None` for a row that does not make sense.
    pub fn side(&self) -> Option<Side> {
        self.customer.map(Side::Customer).or_else(|| self.group.clone().map(Side::Group))
    }

    pub const fn baton(&self) -> Baton {
        Baton { control: self.control, epoch: self.epoch, waiting_since: self.waiting_since }
    }

    /// One of ours will not reach the customer: they have the last word again, since when they had it.
    pub fn unanswer(&mut self, lost: &Stored) {
        self.unanswered_since = self.unanswered_since.into_iter().chain(lost.answers).min();
    }

    /// No turn is owed any more. The lease keeps its number: whoever makes the turn now finds the
    /// epoch moved, and their text becomes a proposal.
    pub fn forget_turn(&mut self) {
        self.due_at = None;
        self.due_since = None;
        self.due_late = false;
        self.begun_again = 0;
        self.lease_until = Micros::ZERO;
    }
}

#[derive(sqlx::FromRow)]
struct Raw {
    id: ConversationId,
    channel_id: ChannelId,
    customer_id: Option<CustomerId>,
    group_id: Option<String>,
    control: String,
    owner: Option<AgentId>,
    control_moment: Option<Micros>,
    epoch: Epoch,
    episode: i64,
    waiting_since: Option<Micros>,
    window_closes_at: Option<Micros>,
    window_overruled: bool,
    due_at: Option<Micros>,
    due_since: Option<Micros>,
    due_late: bool,
    lease: i64,
    lease_until: Micros,
    begun_again: i64,
    unresolved: i64,
    language: Option<String>,
    newest: Option<MessageId>,
    newest_second: i64,
    unanswered_since: Option<Micros>,
    unread: i64,
    last_message: Option<MessageId>,
    handoff: Option<HandoffId>,
    returns_at: Option<Micros>,
    mark_wamid: Option<String>,
    mark_typing: bool,
    merged_into: Option<ConversationId>,
    version: i64,
    created_at: Micros,
    updated_at: Micros,
}

impl TryFrom<Raw> for Conversation {
    type Error = StoreError;

    fn try_from(raw: Raw) -> Result<Self, StoreError> {
        Ok(Self {
            control: Control::from_parts(&raw.control, raw.owner, raw.control_moment)
                .ok_or(StoreError::Corrupt("control, owner and moment of a conversation do not fit"))?,
            window: Window { closes_at: raw.window_closes_at, overruled: raw.window_overruled },
            id: raw.id,
            channel: raw.channel_id,
            customer: raw.customer_id,
            group: raw.group_id,
            epoch: raw.epoch,
            episode: raw.episode,
            waiting_since: raw.waiting_since,
            due_at: raw.due_at,
            due_since: raw.due_since,
            due_late: raw.due_late,
            lease: raw.lease,
            lease_until: raw.lease_until,
            begun_again: raw.begun_again,
            unresolved: raw.unresolved,
            language: raw.language,
            newest: raw.newest,
            newest_second: raw.newest_second,
            unanswered_since: raw.unanswered_since,
            unread: raw.unread,
            last_message: raw.last_message,
            handoff: raw.handoff,
            returns_at: raw.returns_at,
            mark_wamid: raw.mark_wamid,
            mark_typing: raw.mark_typing,
            merged_into: raw.merged_into,
            version: raw.version,
            created_at: raw.created_at,
            updated_at: raw.updated_at,
        })
    }
}

macro_rules! columns {
    () => {
        "id, channel_id, customer_id, group_id, control, owner, control_moment, epoch, episode, waiting_since, \
         window_closes_at, window_overruled, due_at, due_since, due_late, lease, lease_until, begun_again, unresolved, language, \
         newest, newest_second, unanswered_since, unread, last_message, handoff, returns_at, mark_wamid, mark_typing, \
         merged_into, version, created_at, updated_at"
    };
}

const BY_ID: Sql = Sql::Both(concat!("select ", columns!(), " from conversation where id = $1"));

/// `no key update` conflicts with itself but not with the foreign keys of new messages.
const LOCK: Sql = Sql::Each {
    sqlite: concat!(
        "select ",
        columns!(),
        " from conversation where id in (select unhex(value) from json_each($1)) order by id"
    ),
    postgres: concat!(
        "select ",
        columns!(),
        " from conversation where id in (select value::uuid from json_array_elements_text($1::json)) \
         order by id for no key update"
    ),
};

/// The same without the lock: what the fence would be without what it stands on.
const LOOK: Sql = Sql::Each {
    sqlite: LOCK.sqlite(),
    postgres: concat!(
        "select ",
        columns!(),
        " from conversation where id in (select value::uuid from json_array_elements_text($1::json)) order by id"
    ),
};

const OF_CUSTOMERS: Sql = Sql::Each {
    sqlite: concat!(
        "select ",
        columns!(),
        " from conversation where customer_id in (select unhex(value) from json_each($1)) order by id"
    ),
    postgres: concat!(
        "select ",
        columns!(),
        " from conversation where customer_id in (select value::uuid from json_array_elements_text($1::json)) \
         order by id for no key update"
    ),
};

const OF_GROUPS: Sql = Sql::Each {
    sqlite: concat!(
        "select ",
        columns!(),
        " from conversation where group_id in (select value from json_each($1)) order by id"
    ),
    postgres: concat!(
        "select ",
        columns!(),
        " from conversation where group_id in (select json_array_elements_text($1::json)) \
         order by id for no key update"
    ),
};

const INSERT: Sql = Sql::Each {
    sqlite: "with rows as materialized (select value as r from json_each($1)) \
             insert into conversation (id, channel_id, customer_id, group_id, control, epoch, episode, \
             window_overruled, lease, lease_until, begun_again, unresolved, newest_second, unread, mark_typing, \
             version, created_at, updated_at) \
             select unhex(r->>'id'), unhex(r->>'channel'), unhex(r->>'customer'), r->>'group', 'bot', \
             r->>'epoch', 1, false, 0, 0, 0, 0, 0, 0, false, 0, r->>'now', r->>'now' from rows",
    postgres: "insert into conversation (id, channel_id, customer_id, group_id, control, epoch, episode, \
               window_overruled, lease, lease_until, begun_again, unresolved, newest_second, unread, mark_typing, \
               version, created_at, updated_at) \
               select r.id, r.channel, r.customer, r.\"group\", 'bot', r.epoch, 1, false, 0, 0, 0, 0, 0, 0, false, 0, \
               r.now, r.now from json_to_recordset($1::json) as r(id uuid, channel uuid, customer uuid, \"group\" text, \
               epoch bigint, now bigint)",
};

const SAVE: Sql = Sql::Each {
    sqlite: "with rows as materialized (select value as r from json_each($1)) \
             update conversation set control = r->>'control', owner = unhex(r->>'owner'), \
             control_moment = r->>'moment', epoch = r->>'epoch', episode = r->>'episode', \
             waiting_since = r->>'waiting_since', window_closes_at = r->>'closes_at', \
             window_overruled = r->>'overruled', due_at = r->>'due_at', due_since = r->>'due_since', due_late = r->>'due_late', \
             lease = r->>'lease', lease_until = r->>'lease_until', begun_again = r->>'begun_again', \
             unresolved = r->>'unresolved', language = r->>'language', newest = unhex(r->>'newest'), \
             newest_second = r->>'newest_second', unanswered_since = r->>'unanswered_since', \
             unread = r->>'unread', last_message = unhex(r->>'last_message'), \
             handoff = unhex(r->>'handoff'), returns_at = r->>'returns_at', \
             mark_wamid = r->>'mark_wamid', mark_typing = r->>'mark_typing', \
             version = version + 1, updated_at = r->>'updated_at' \
             from rows where conversation.id = unhex(r->>'id')",
    postgres: "update conversation set control = r.control, owner = r.owner, control_moment = r.moment, \
               epoch = r.epoch, episode = r.episode, waiting_since = r.waiting_since, window_closes_at = r.closes_at, \
               window_overruled = r.overruled, due_at = r.due_at, due_since = r.due_since, \
               due_late = r.due_late, lease = r.lease, \
               lease_until = r.lease_until, begun_again = r.begun_again, unresolved = r.unresolved, \
               language = r.language, newest = r.newest, newest_second = r.newest_second, \
               unanswered_since = r.unanswered_since, unread = r.unread, last_message = r.last_message, \
               handoff = r.handoff, returns_at = r.returns_at, mark_wamid = r.mark_wamid, mark_typing = r.mark_typing, \
               version = conversation.version + 1, updated_at = r.updated_at \
               from json_to_recordset($1::json) as r(id uuid, control text, owner uuid, moment bigint, epoch bigint, \
               episode bigint, waiting_since bigint, closes_at bigint, overruled boolean, due_at bigint, \
               due_since bigint, due_late boolean, lease bigint, lease_until bigint, begun_again bigint, unresolved bigint, \
               language text, newest uuid, newest_second bigint, unanswered_since bigint, unread bigint, \
               last_message uuid, handoff uuid, returns_at bigint, mark_wamid text, mark_typing boolean, \
               updated_at bigint) where conversation.id = r.id",
};

const OWNED: Sql = Sql::Both(
    "select id, owner, control_moment as since, unanswered_since, returns_at from conversation \
     where control = 'agent' order by id",
);
const OVERTAKEN: Sql = Sql::Both(
    "select id from conversation where control in ('phone', 'waiting') and returns_at <= $1 order by returns_at limit $2",
);

/// Nobody sees it, so the version stays.
const LOOK_AGAIN: Sql = Sql::Both("update conversation set returns_at = $2 where id = $1");

const GIVE: Sql = Sql::Both("update conversation set customer_id = $2 where id = $1");
const MERGE: Sql = Sql::Both("update conversation set merged_into = $2 where id = $1");

pub const ALL: &[&Sql] =
    &[&BY_ID, &LOCK, &LOOK, &OF_CUSTOMERS, &OF_GROUPS, &INSERT, &SAVE, &OWNED, &OVERTAKEN, &LOOK_AGAIN, &GIVE, &MERGE];

/// A conversation in an agent's hands.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Owned {
    pub id: ConversationId,
    pub owner: AgentId,
    /// When they got it.
    pub since: Micros,
    pub unanswered_since: Option<Micros>,
    /// In the time of leases.
    pub returns_at: Option<Micros>,
}

/// All that are in agents' hands.
pub async fn owned(conn: Conn<'_>) -> Result<Vec<Owned>, StoreError> {
    Ok(on!(conn, OWNED, |c, sql| sqlx::query_as(sql).fetch_all(c).await)?)
}

/// Up to `limit` to which time does something at `time` (of leases): a pause after a reply on the phone is over,
/// or somebody waits for a person.
pub async fn overtaken(conn: Conn<'_>, time: Micros, limit: i64) -> Result<Vec<ConversationId>, StoreError> {
    Ok(on!(conn, OVERTAKEN, |c, sql| sqlx::query_scalar(sql).bind(time).bind(limit).fetch_all(c).await)?)
}

pub async fn by_id(conn: Conn<'_>, id: ConversationId) -> Result<Option<Conversation>, StoreError> {
    let raw: Option<Raw> = on!(conn, BY_ID, |c, sql| sqlx::query_as(sql).bind(id).fetch_optional(c).await)?;
    raw.map(Conversation::try_from).transpose()
}

/// Reads it and holds its row until the transaction ends: what the fence stands on.
pub async fn lock(tx: &mut Tx, id: ConversationId) -> Result<Option<Conversation>, StoreError> {
    Ok(lock_all(tx, &[id]).await?.pop())
}

/// The same, and if it has been merged into another one, that one.
pub async fn lock_present(tx: &mut Tx, id: ConversationId) -> Result<Option<Conversation>, StoreError> {
    let mut found = lock(tx, id).await?;
    while let Some(into) = found.as_ref().and_then(|one| one.merged_into) {
        found = lock(tx, into).await?;
    }
    Ok(found)
}

/// When time does something to it next, in the time of leases; for a row that is locked and not saved otherwise.
pub async fn look_again(tx: &mut Tx, id: ConversationId, time: Option<Micros>) -> Result<(), StoreError> {
    on!(tx.conn(), LOOK_AGAIN, |c, sql| sqlx::query(sql).bind(id).bind(time).execute(c).await.map(drop))?;
    Ok(())
}

/// It is with this customer from now on.
pub async fn give(tx: &mut Tx, id: ConversationId, to: CustomerId) -> Result<(), StoreError> {
    on!(tx.conn(), GIVE, |c, sql| sqlx::query(sql).bind(id).bind(to).execute(c).await.map(drop))?;
    Ok(())
}

/// Says that it is there now; `None`: that it is one of its own again.
pub async fn merge_into(tx: &mut Tx, id: ConversationId, into: Option<ConversationId>) -> Result<(), StoreError> {
    on!(tx.conn(), MERGE, |c, sql| sqlx::query(sql).bind(id).bind(into).execute(c).await.map(drop))?;
    Ok(())
}

/// Locks several in the order of their ids, so that two who do so never wait for one another.
pub async fn lock_all(tx: &mut Tx, ids: &[ConversationId]) -> Result<Vec<Conversation>, StoreError> {
    let ids = json::ids(ids);
    let sql = if mutation::is(Mutation::NoLock) { LOOK } else { LOCK };
    let raw: Vec<Raw> = on!(tx.conn(), sql, |c, sql| sqlx::query_as(sql).bind(ids).fetch_all(c).await)?;
    raw.into_iter().map(Conversation::try_from).collect()
}

/// Locks all conversations of these customers, on every channel.
pub async fn lock_of_customers(tx: &mut Tx, customers: &[CustomerId]) -> Result<Vec<Conversation>, StoreError> {
    let ids = json::ids(customers);
    let raw: Vec<Raw> = on!(tx.conn(), OF_CUSTOMERS, |c, sql| sqlx::query_as(sql).bind(ids).fetch_all(c).await)?;
    raw.into_iter().map(Conversation::try_from).collect()
}

/// Locks all conversations of these groups, on every channel.
pub async fn lock_of_groups<'a>(
    tx: &mut Tx,
    groups: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<Conversation>, StoreError> {
    let groups = json::texts(groups);
    let raw: Vec<Raw> = on!(tx.conn(), OF_GROUPS, |c, sql| sqlx::query_as(sql).bind(groups).fetch_all(c).await)?;
    raw.into_iter().map(Conversation::try_from).collect()
}

/// Stores new ones, all the bot's.
pub async fn insert_all(tx: &mut Tx, new: &[Conversation]) -> Result<(), StoreError> {
    if new.is_empty() {
        return Ok(());
    }
    let rows = new.iter().map(|one| {
        json!({
            "id": json::id(one.id), "channel": json::id(one.channel), "customer": json::maybe_id(one.customer),
            "group": one.group, "epoch": one.epoch, "now": one.created_at,
        })
    });
    let rows = json::rows(rows.collect());
    let done = on!(tx.conn(), INSERT, |c, sql| sqlx::query(sql).bind(rows).execute(c).await.map(drop));
    done.map_err(|error| match StoreError::from(error) {
        // Another server met the same customer at the same time: begin again and find theirs.
        StoreError::Duplicate => StoreError::Conflict,
        other => other,
    })
}

/// Writes back one that was locked; its version grows.
pub async fn save(tx: &mut Tx, one: &Conversation) -> Result<(), StoreError> {
    save_all(tx, std::slice::from_ref(one)).await
}

/// Writes back several that were locked; the version of each grows.
pub async fn save_all(tx: &mut Tx, changed: &[Conversation]) -> Result<(), StoreError> {
    if changed.is_empty() {
        return Ok(());
    }
    let rows = changed.iter().map(|one| {
        json!({
            "id": json::id(one.id), "control": one.control.word(), "owner": json::maybe_id(one.control.owner()),
            "moment": one.control.moment(), "epoch": one.epoch, "episode": one.episode,
            "waiting_since": one.waiting_since, "closes_at": one.window.closes_at,
            "overruled": one.window.overruled, "due_at": one.due_at, "due_since": one.due_since, "due_late": one.due_late,
            "lease": one.lease, "lease_until": one.lease_until, "begun_again": one.begun_again,
            "unresolved": one.unresolved, "language": one.language, "newest": json::maybe_id(one.newest),
            "newest_second": one.newest_second, "unanswered_since": one.unanswered_since, "unread": one.unread,
            "last_message": json::maybe_id(one.last_message), "handoff": json::maybe_id(one.handoff),
            "returns_at": one.returns_at, "mark_wamid": one.mark_wamid, "mark_typing": one.mark_typing,
            "updated_at": one.updated_at,
        })
    });
    let rows = json::rows(rows.collect());
    on!(tx.conn(), SAVE, |c, sql| sqlx::query(sql).bind(rows).execute(c).await.map(drop))?;
    Ok(())
}

//! Messages: what was said, where it stands in its thread, and how far it has come.

use baton_shared::{
    AgentId, AttemptId, ChannelId, ConversationId, Epoch, MessageId, Micros, TurnId,
    message::{Author, Delivery, Place},
};
use serde_json::json;

use super::{Conn, Sql, StoreError, Tx, engine::on, json};

/// A message as it is stored.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct Stored {
    pub id: MessageId,
    #[sqlx(rename = "conversation_id")]
    pub conversation: ConversationId,
    #[sqlx(rename = "channel_id")]
    pub channel: ChannelId,
    pub author: Author,
    #[sqlx(rename = "agent_id")]
    pub agent: Option<AgentId>,
    /// Meta's id.
    pub wamid: Option<String>,
    /// `text`, or the type that Meta names.
    pub kind: String,
    pub text: String,
    /// What it holds besides its text: a [`Detail`](baton_shared::content::Detail) as JSON.
    pub detail: Option<String>,
    /// Meta's id of the message that this one replies to.
    pub quoted: Option<String>,
    /// What goes over the wire, as JSON, of what is not plain text; only set on what is queued.
    #[sqlx(skip)]
    pub payload: Option<String>,
    pub second: i64,
    pub arrived_at: Micros,
    pub place: i64,
    pub late: bool,
    /// `None` for what is not ours to send.
    pub delivery: Option<Delivery>,
    /// The epoch that fences it, for the bot's and the system's words.
    pub epoch: Option<Epoch>,
    #[sqlx(rename = "turn_id")]
    pub turn: Option<TurnId>,
    /// Since when the customer had waited for it: the wait goes on if it never arrives.
    pub answers: Option<Micros>,
    pub attempts: i64,
    #[sqlx(rename = "attempt_id")]
    pub attempt: Option<AttemptId>,
    /// In the time of leases. `sending`: when the request must be over; `unknown`: when the next may go.
    pub deadline: Option<Micros>,
    pub first_try_at: Option<Micros>,
    pub next_try_at: Option<Micros>,
    /// A code: what is wrong.
    pub problem: Option<String>,
    /// A person must look at it.
    pub trouble: bool,
    /// The message that this one sends again.
    pub resends: Option<MessageId>,
    pub version: i64,
    pub created_at: Micros,
}

impl Stored {
    /// Where it stands in its thread.
    pub const fn in_thread(&self) -> Place {
        Place { second: self.second, arrived_at: self.arrived_at, index: self.place }
    }

    pub fn stands_at(&self) -> Place {
        Place { second: self.second, arrived_at: self.arrived_at, index: self.place }
    }

    /// One of ours, queued now at `time` of leases.
    #[expect(clippy::too_many_arguments, reason = "each is a fact about the message that no other implies")]
    pub fn queued(
        id: MessageId,
        conversation: ConversationId,
        channel: ChannelId,
        author: Author,
        text: String,
        epoch: Epoch,
        now: Micros,
        time: Micros,
    ) -> Self {
        Self {
            id,
            conversation,
            channel,
            author,
            agent: None,
            wamid: None,
            kind: "text".into(),
            text,
            detail: None,
            quoted: None,
            payload: None,
            second: now.seconds(),
            arrived_at: now,
            place: 0,
            late: false,
            delivery: author.is_ours_to_send().then_some(Delivery::Queued),
            epoch: author.is_fenced().then_some(epoch),
            turn: None,
            answers: None,
            attempts: 0,
            attempt: None,
            deadline: None,
            first_try_at: None,
            next_try_at: author.is_ours_to_send().then_some(time),
            problem: None,
            trouble: false,
            resends: None,
            version: 1,
            created_at: now,
        }
    }
}

macro_rules! columns {
    () => {
        "id, conversation_id, channel_id, author, agent_id, wamid, kind, text, detail, quoted, second, arrived_at, place, \
         late, delivery, epoch, turn_id, answers, attempts, attempt_id, deadline, first_try_at, next_try_at, problem, trouble, \
         resends, version, created_at"
    };
}

const BY_ID: Sql = Sql::Both(concat!("select ", columns!(), " from message where id = $1"));

const RAW: Sql = Sql::Both("select raw from message where id = $1");

const BY_IDS: Sql = Sql::Each {
    sqlite: concat!("select ", columns!(), " from message where id in (select unhex(value) from json_each($1))"),
    postgres: concat!(
        "select ",
        columns!(),
        " from message where id in (select value::uuid from json_array_elements_text($1::json))"
    ),
};

const KNOWN: Sql = Sql::Each {
    sqlite: "select wamid, id, conversation_id from message where wamid in (select value from json_each($1))",
    postgres: "select wamid, id, conversation_id from message \
               where wamid in (select json_array_elements_text($1::json))",
};

const BY_ATTEMPTS: Sql = Sql::Each {
    sqlite: "select a.id, m.id, m.conversation_id from attempt a join message m on m.id = a.message_id \
             where a.id in (select unhex(value) from json_each($1))",
    postgres: "select a.id, m.id, m.conversation_id from attempt a join message m on m.id = a.message_id \
               where a.id in (select value::uuid from json_array_elements_text($1::json))",
};

/// Newest first: the page before a place in the thread.
const PAGE: Sql = Sql::Both(concat!(
    "select ",
    columns!(),
    " from message where conversation_id = $1 and (second, arrived_at, place) < ($2, $3, $4) \
     order by second desc, arrived_at desc, place desc limit $5"
));

const INSERT: Sql = Sql::Each {
    sqlite: "with rows as materialized (select value as r from json_each($1)) \
             insert into message (id, conversation_id, channel_id, author, agent_id, wamid, kind, text, detail, quoted, raw, second, \
             arrived_at, place, late, delivery, epoch, turn_id, answers, attempts, next_try_at, trouble, resends, version, \
             created_at) \
             select unhex(r->>'id'), unhex(r->>'conversation'), unhex(r->>'channel'), r->>'author', \
             unhex(r->>'agent'), r->>'wamid', r->>'kind', r->>'text', r->>'detail', r->>'quoted', r->>'raw', r->>'second', \
             r->>'arrived_at', r->>'place', r->>'late', r->>'delivery', r->>'epoch', \
             unhex(r->>'turn'), r->>'answers', 0, r->>'next_try_at', false, unhex(r->>'resends'), 1, r->>'created_at' \
             from rows",
    postgres: "insert into message (id, conversation_id, channel_id, author, agent_id, wamid, kind, text, detail, quoted, raw, second, \
               arrived_at, place, late, delivery, epoch, turn_id, answers, attempts, next_try_at, trouble, resends, version, \
               created_at) \
               select r.id, r.conversation, r.channel, r.author, r.agent, r.wamid, r.kind, r.text, r.detail, r.quoted, r.raw, r.second, \
               r.arrived_at, r.place, r.late, r.delivery, r.epoch, r.turn, r.answers, 0, r.next_try_at, false, r.resends, 1, \
               r.created_at from json_to_recordset($1::json) as r(id uuid, conversation uuid, channel uuid, \
               author text, agent uuid, wamid text, kind text, text text, detail text, quoted text, raw text, second bigint, arrived_at bigint, \
               place bigint, late boolean, delivery text, epoch bigint, turn uuid, answers bigint, next_try_at bigint, resends uuid, \
               created_at bigint)",
};

const SAVE: Sql = Sql::Each {
    sqlite: "with rows as materialized (select value as r from json_each($1)) \
             update message set wamid = r->>'wamid', second = r->>'second', \
             arrived_at = r->>'arrived_at', delivery = r->>'delivery', attempts = r->>'attempts', \
             attempt_id = unhex(r->>'attempt'), deadline = r->>'deadline', \
             first_try_at = r->>'first_try_at', next_try_at = r->>'next_try_at', \
             problem = r->>'problem', trouble = r->>'trouble', version = version + 1 \
             from rows where message.id = unhex(r->>'id')",
    postgres: "update message set wamid = r.wamid, second = r.second, arrived_at = r.arrived_at, \
               delivery = r.delivery, attempts = r.attempts, attempt_id = r.attempt, deadline = r.deadline, \
               first_try_at = r.first_try_at, next_try_at = r.next_try_at, problem = r.problem, trouble = r.trouble, \
               version = message.version + 1 from json_to_recordset($1::json) as r(id uuid, wamid text, \
               second bigint, arrived_at bigint, delivery text, attempts bigint, attempt uuid, deadline bigint, \
               first_try_at bigint, next_try_at bigint, problem text, trouble boolean) where message.id = r.id",
};

/// Not yet on their way, in the order in which they would go.
const UNSENT: Sql = Sql::Both(concat!(
    "select ",
    columns!(),
    " from message where conversation_id = $1 and delivery in ('queued', 'held') order by arrived_at, place"
));

const MOVING: Sql = Sql::Both(concat!(
    "select ",
    columns!(),
    " from message where conversation_id = $1 and delivery in ('queued', 'sending', 'unknown') \
     order by arrived_at, place"
));

/// What the bot reads: the newest by place that were said to or by the customer.
const SAID: Sql = Sql::Both(concat!(
    "select ",
    columns!(),
    " from message where conversation_id = $1 and author <> 'note' \
     order by second desc, arrived_at desc, place desc limit $2"
));

/// Something about them has changed that stands elsewhere.
const TOUCH: Sql = Sql::Each {
    sqlite: "update message set version = version + 1 where id in (select unhex(value) from json_each($1))",
    postgres: "update message set version = version + 1 \
               where id in (select value::uuid from json_array_elements_text($1::json))",
};

const SHORT: Sql = Sql::Each {
    sqlite: "select wamid, id, conversation_id, author, kind, substr(text, 1, 120) as text from message \
             where wamid in (select value from json_each($1))",
    postgres: "select wamid, id, conversation_id, author, kind, substr(text, 1, 120) as text from message \
               where wamid in (select json_array_elements_text($1::json))",
};

/// Taken by Meta, and nothing more was heard; each is looked for by one server, and not again for a while.
const SILENT: Sql = Sql::Both(concat!(
    "update message set looked_at = $4 where id in (select id from message where delivery = 'accepted' \
     and created_at > $1 and created_at < $2 and wamid is not null and (looked_at is null or looked_at < $3) \
     order by created_at limit $5) returning ",
    columns!()
));

pub const ALL: &[&Sql] = &[
    &SILENT,
    &BY_ID,
    &RAW,
    &BY_IDS,
    &KNOWN,
    &BY_ATTEMPTS,
    &PAGE,
    &INSERT,
    &SAVE,
    &UNSENT,
    &MOVING,
    &SAID,
    &TOUCH,
    &SHORT,
];

/// A message in short, for whatever replies to it or changes it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Short {
    pub wamid: String,
    pub id: MessageId,
    #[sqlx(rename = "conversation_id")]
    pub conversation: ConversationId,
    pub author: Author,
    pub kind: String,
    /// At most 120 characters of it.
    pub text: String,
}

/// Those of Meta's ids that are messages here, in short.
pub async fn in_short<'a>(conn: Conn<'_>, wamids: impl IntoIterator<Item = &'a str>) -> Result<Vec<Short>, StoreError> {
    let wamids = json::texts(wamids);
    Ok(on!(conn, SHORT, |c, sql| sqlx::query_as(sql).bind(wamids).fetch_all(c).await)?)
}

/// Their conversations are locked; the version of each grows.
pub async fn touch(tx: &mut Tx, ids: &[MessageId]) -> Result<(), StoreError> {
    if ids.is_empty() {
        return Ok(());
    }
    let ids = json::ids(ids);
    on!(tx.conn(), TOUCH, |c, sql| sqlx::query(sql).bind(ids).execute(c).await.map(drop))?;
    Ok(())
}

pub async fn by_id(conn: Conn<'_>, id: MessageId) -> Result<Option<Stored>, StoreError> {
    Ok(on!(conn, BY_ID, |c, sql| sqlx::query_as(sql).bind(id).fetch_optional(c).await)?)
}

/// The element of a message on Meta's wire: as it came, or as it goes. Plain text has none.
pub async fn raw(conn: Conn<'_>, id: MessageId) -> Result<Option<String>, StoreError> {
    let raw: Option<Option<String>> =
        on!(conn, RAW, |c, sql| sqlx::query_scalar(sql).bind(id).fetch_optional(c).await)?;
    Ok(raw.flatten())
}

pub async fn by_ids(conn: Conn<'_>, ids: &[MessageId]) -> Result<Vec<Stored>, StoreError> {
    let ids = json::ids(ids);
    Ok(on!(conn, BY_IDS, |c, sql| sqlx::query_as(sql).bind(ids).fetch_all(c).await)?)
}

/// Those of Meta's ids that are stored already, each with its message and conversation.
pub async fn by_wamids<'a>(
    conn: Conn<'_>,
    wamids: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<(String, MessageId, ConversationId)>, StoreError> {
    let wamids = json::texts(wamids);
    Ok(on!(conn, KNOWN, |c, sql| sqlx::query_as(sql).bind(wamids).fetch_all(c).await)?)
}

/// The messages that these attempts tried to send, and their conversations.
pub async fn by_attempts(
    conn: Conn<'_>,
    attempts: &[AttemptId],
) -> Result<Vec<(AttemptId, MessageId, ConversationId)>, StoreError> {
    let ids = json::ids(attempts);
    Ok(on!(conn, BY_ATTEMPTS, |c, sql| sqlx::query_as(sql).bind(ids).fetch_all(c).await)?)
}

/// Up to `limit` messages before `before`, oldest first.
pub async fn page(
    conn: Conn<'_>,
    conversation: ConversationId,
    before: Place,
    limit: i64,
) -> Result<Vec<Stored>, StoreError> {
    let mut page: Vec<Stored> = on!(conn, PAGE, |c, sql| {
        sqlx::query_as(sql)
            .bind(conversation)
            .bind(before.second)
            .bind(before.arrived_at)
            .bind(before.index)
            .bind(limit)
            .fetch_all(c)
            .await
    })?;
    page.reverse();
    Ok(page)
}

/// The newest `limit` that were said to or by the customer, oldest first.
pub async fn said(conn: Conn<'_>, conversation: ConversationId, limit: i64) -> Result<Vec<Stored>, StoreError> {
    let mut said: Vec<Stored> =
        on!(conn, SAID, |c, sql| sqlx::query_as(sql).bind(conversation).bind(limit).fetch_all(c).await)?;
    said.reverse();
    Ok(said)
}

/// Queued or held, in order.
pub async fn unsent(conn: Conn<'_>, conversation: ConversationId) -> Result<Vec<Stored>, StoreError> {
    Ok(on!(conn, UNSENT, |c, sql| sqlx::query_as(sql).bind(conversation).fetch_all(c).await)?)
}

/// Queued, sending or unknown, in order.
pub async fn moving(conn: Conn<'_>, conversation: ConversationId) -> Result<Vec<Stored>, StoreError> {
    Ok(on!(conn, MOVING, |c, sql| sqlx::query_as(sql).bind(conversation).fetch_all(c).await)?)
}

/// Stores new ones; `raw` beside each is the element as it came.
pub async fn insert_all(tx: &mut Tx, new: &[(Stored, Option<&str>)]) -> Result<(), StoreError> {
    if new.is_empty() {
        return Ok(());
    }
    let rows = new.iter().map(|(one, raw)| {
        json!({
            "id": json::id(one.id), "conversation": json::id(one.conversation), "channel": json::id(one.channel),
            "author": one.author.word(), "agent": json::maybe_id(one.agent), "wamid": one.wamid, "kind": one.kind,
            "text": one.text, "detail": one.detail, "quoted": one.quoted, "raw": raw, "second": one.second, "arrived_at": one.arrived_at, "place": one.place,
            "late": one.late, "delivery": one.delivery.map(Delivery::word), "epoch": one.epoch,
            "turn": json::maybe_id(one.turn), "answers": one.answers, "next_try_at": one.next_try_at,
            "resends": json::maybe_id(one.resends), "created_at": one.created_at,
        })
    });
    let rows = json::rows(rows.collect());
    on!(tx.conn(), INSERT, |c, sql| sqlx::query(sql).bind(rows).execute(c).await.map(drop))?;
    Ok(())
}

pub async fn insert(tx: &mut Tx, new: &Stored) -> Result<(), StoreError> {
    insert_all(tx, &[(new.clone(), None)]).await
}

/// Writes back one whose conversation is locked; its version grows.
pub async fn save(tx: &mut Tx, one: &Stored) -> Result<(), StoreError> {
    save_all(tx, std::slice::from_ref(one)).await
}

/// Writes back several whose conversations are locked; the version of each grows.
pub async fn save_all(tx: &mut Tx, changed: &[Stored]) -> Result<(), StoreError> {
    if changed.is_empty() {
        return Ok(());
    }
    let rows = changed.iter().map(|one| {
        json!({
            "id": json::id(one.id), "wamid": one.wamid, "second": one.second, "arrived_at": one.arrived_at,
            "delivery": one.delivery.map(Delivery::word), "attempts": one.attempts,
            "attempt": json::maybe_id(one.attempt), "deadline": one.deadline, "first_try_at": one.first_try_at,
            "next_try_at": one.next_try_at, "problem": one.problem, "trouble": one.trouble,
        })
    });
    let rows = json::rows(rows.collect());
    on!(tx.conn(), SAVE, |c, sql| sqlx::query(sql).bind(rows).execute(c).await.map(drop))?;
    Ok(())
}

/// Up to `limit` that were queued after `since` and before `before`, that Meta took, and of which nothing was heard;
/// unless somebody has looked for them since `looked`.
pub async fn take_silent(
    tx: &mut Tx,
    since: Micros,
    before: Micros,
    looked: Micros,
    now: Micros,
    limit: i64,
) -> Result<Vec<Stored>, StoreError> {
    Ok(on!(tx.conn(), SILENT, |c, sql| {
        sqlx::query_as(sql).bind(since).bind(before).bind(looked).bind(now).bind(limit).fetch_all(c).await
    })?)
}

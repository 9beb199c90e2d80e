//! Two customers who turn out to be one, and a person who says that they are two after all.

use std::collections::HashMap;

use baton_shared::{
    AgentId, Control, ConversationId, CustomerId, Ids, MessageId, Micros, Window,
    message::{Author, Place},
};
use serde_json::json;
use uuid::Uuid;

use crate::{
    domain::merge::{self, Fate, Half, Merged, Which},
    mutation::{self, Mutation},
};

use super::{
    Conn, Moment, Sql, StoreError, Tx,
    consents::{self, Consent},
    control::cancel,
    conversations::{self, Conversation},
    customers::{self, Alias, AliasKind},
    drafts,
    engine::on,
    events::{self, Event},
    handoffs::{self, Ending},
    memory,
    messages::{self, Stored},
    wakes::Topic,
};

/// One conversation that went into another one; the same twice if it only changed its customer.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Merger {
    pub id: Uuid,
    pub kept: ConversationId,
    pub gone: ConversationId,
    pub kept_customer: CustomerId,
    pub gone_customer: CustomerId,
    names: String,
    /// Until when the one that stayed was open by itself.
    kept_closes_at: Option<Micros>,
    pub at: Micros,
}

macro_rules! columns {
    () => {
        "id, kept, gone, kept_customer, gone_customer, names, kept_closes_at, at"
    };
}

const INSERT: Sql = Sql::Both(concat!("insert into merger (", columns!(), ") values ($1, $2, $3, $4, $5, $6, $7, $8)"));
const LATEST: Sql = Sql::Both(concat!(
    "select ",
    columns!(),
    " from merger where kept = $1 and split_at is null order by at desc, id desc limit 1"
));
const OF_PAIR: Sql = Sql::Both(concat!(
    "select ",
    columns!(),
    " from merger where kept_customer = $1 and gone_customer = $2 and split_at is null order by id"
));
const WERE_SPLIT: Sql = Sql::Both(
    "select count(*) from merger where split_at is not null and ((kept_customer = $1 and gone_customer = $2) \
     or (kept_customer = $2 and gone_customer = $1))",
);
const SPLIT: Sql = Sql::Both("update merger set split_at = $2, split_by = $3 where id = $1");
/// What is in it now, however many times it was merged on the way.
const SOURCES: Sql = Sql::Both(
    "with recursive source(id) as (select gone from merger where kept = $1 and gone <> $1 and split_at is null \
     union select m.gone from merger m join source s on m.kept = s.id where m.gone <> m.kept and m.split_at is null) \
     select id from source",
);
const CAME_FROM: Sql = Sql::Both("select count(*) from message where conversation_id = $1 and merged_from = $2");

const MESSAGES: Sql = Sql::Both(
    "update message set conversation_id = $2, merged_from = coalesce(merged_from, $1), version = version + 1 \
     where conversation_id = $1",
);
const AMENDMENTS: Sql = Sql::Both("update amendment set conversation_id = $2 where conversation_id = $1");
const FILES: Sql = Sql::Both("update media set conversation_id = $2 where conversation_id = $1");
const PROPOSALS: Sql = Sql::Both("update proposal set conversation_id = $2 where conversation_id = $1");
const HANDOFFS: Sql = Sql::Both(
    "update handoff set conversation_id = $2, merged_from = coalesce(merged_from, $1) where conversation_id = $1",
);
/// What an agent has brought and not sent yet; a split leaves it where it is.
const UPLOADS: Sql = Sql::Both("update upload set conversation_id = $2 where conversation_id = $1");
const CALLS: Sql = Sql::Both("update model_call set conversation_id = $2 where conversation_id = $1");
const MOVES: [Sql; 7] = [MESSAGES, AMENDMENTS, FILES, UPLOADS, PROPOSALS, HANDOFFS, CALLS];

/// What stayed in the queue goes out as if it had been queued now: nothing of it may be fenced off.
const STAMP: Sql = Sql::Both(
    "update message set epoch = $2 where conversation_id = $1 and delivery in ('queued', 'held') and epoch is not null",
);

const MESSAGES_BACK: Sql = Sql::Both(
    "update message set conversation_id = $2, merged_from = nullif(merged_from, $2), version = version + 1 \
     where conversation_id = $1 and merged_from = $3",
);
const AMENDMENTS_BACK: Sql = Sql::Both(
    "update amendment set conversation_id = $1 where conversation_id <> $1 \
     and target in (select wamid from message where conversation_id = $1)",
);
const FILES_BACK: Sql = Sql::Both(
    "update media set conversation_id = $1 where conversation_id <> $1 \
     and message_id in (select id from message where conversation_id = $1)",
);
const HANDOFFS_BACK: Sql = Sql::Both(
    "update handoff set conversation_id = $2, merged_from = nullif(merged_from, $2) \
     where conversation_id = $1 and merged_from = $3 and closed_at is not null",
);

pub const ALL: &[&Sql] = &[
    &INSERT,
    &LATEST,
    &OF_PAIR,
    &WERE_SPLIT,
    &SPLIT,
    &SOURCES,
    &CAME_FROM,
    &MESSAGES,
    &AMENDMENTS,
    &FILES,
    &UPLOADS,
    &PROPOSALS,
    &HANDOFFS,
    &CALLS,
    &STAMP,
    &MESSAGES_BACK,
    &AMENDMENTS_BACK,
    &FILES_BACK,
    &HANDOFFS_BACK,
];

/// The event of a conversation that another one has gone into; its detail is the id of that one.
pub const MERGED: &str = "merged";

/// The event of both when a person has split them.
pub const SPLIT_AGAIN: &str = "split";

/// Why the one that is split off waits for a person.
const SPLIT_OFF: &str = "split";

/// How a handoff ends whose conversation has another one open.
const MERGED_OUTCOME: &str = "merged";

/// Whether a person has said that these two are not one.
pub async fn were_split(conn: Conn<'_>, one: CustomerId, other: CustomerId) -> Result<bool, StoreError> {
    let count: i64 = on!(conn, WERE_SPLIT, |c, sql| sqlx::query_scalar(sql).bind(one).bind(other).fetch_one(c).await)?;
    Ok(count > 0)
}

/// The last one that went into this conversation and has not been split off since.
pub async fn latest(conn: Conn<'_>, kept: ConversationId) -> Result<Option<Merger>, StoreError> {
    Ok(on!(conn, LATEST, |c, sql| sqlx::query_as(sql).bind(kept).fetch_optional(c).await)?)
}

/// The conversations that are in this one.
pub async fn sources(conn: Conn<'_>, kept: ConversationId) -> Result<Vec<ConversationId>, StoreError> {
    Ok(on!(conn, SOURCES, |c, sql| sqlx::query_scalar(sql).bind(kept).fetch_all(c).await)?)
}

impl Merger {
    /// The names that would go back.
    pub fn names(&self) -> Vec<Alias> {
        let names: Vec<(String, String, String)> = serde_json::from_str(&self.names).unwrap_or_default();
        let alias = |(scope, kind, value): (String, String, String)| {
            let kind = if kind == AliasKind::User.word() { AliasKind::User } else { AliasKind::Phone };
            Alias { scope, kind, value, customer: self.gone_customer }
        };
        names.into_iter().map(alias).collect()
    }

    /// How many messages would go back.
    pub async fn messages(&self, conn: Conn<'_>) -> Result<i64, StoreError> {
        Ok(on!(conn, CAME_FROM, |c, sql| {
            sqlx::query_scalar(sql).bind(self.kept).bind(self.gone).fetch_one(c).await
        })?)
    }
}

/// Makes one customer of two: on every number one conversation with everything that was in both.
pub async fn merge(tx: &mut Tx, kept: CustomerId, gone: CustomerId, at: Moment, ids: &Ids) -> Result<(), StoreError> {
    let threads = conversations::lock_of_customers(tx, &[kept, gone]).await?;
    let threads = threads.into_iter().filter(|thread| thread.merged_into.is_none());
    let (mut mine, theirs): (Vec<_>, Vec<_>) = threads.partition(|thread| thread.customer == Some(kept));
    let names = customers::aliases_of(tx.conn(), &[gone]).await?;
    customers::give_names(tx, gone, kept).await?;
    memory::give(tx, gone, kept).await?;
    if let Some(wish) = consents::latest(tx.conn(), gone).await? {
        consents::put(tx, &Consent { id: ids.next(at.now), customer: kept, ..wish }).await?;
    }
    if let Some(at) = customers::by_id(tx.conn(), gone).await?.and_then(|gone| gone.blocked_at) {
        customers::set_blocked(tx, kept, Some(at)).await?;
    }
    let record = |kept_thread: ConversationId, gone_thread: ConversationId, kept_closes_at| Merger {
        id: ids.next(at.now),
        kept: kept_thread,
        gone: gone_thread,
        kept_customer: kept,
        gone_customer: gone,
        names: json_of(&names),
        kept_closes_at,
        at: at.now,
    };
    for mut other in theirs {
        let Some(thread) = mine.iter_mut().find(|thread| thread.channel == other.channel) else {
            conversations::give(tx, other.id, kept).await?;
            other.updated_at = at.now;
            conversations::save(tx, &other).await?;
            insert(tx, &record(other.id, other.id, other.window.closes_at)).await?;
            events::append(tx, Event::new(MERGED, at.now).of(other.id)).await?;
            continue;
        };
        let closes_at = thread.window.closes_at;
        let merged = unite(tx, thread, &mut other, at, ids).await?;
        insert(tx, &record(thread.id, other.id, closes_at)).await?;
        let event = Event::new(MERGED, at.now).of(thread.id).under(thread.epoch).by(merged.lost_by);
        events::append(tx, event.because(other.id.to_string())).await?;
    }
    tx.wake(Topic::Outbox);
    tx.wake(Topic::Turns);
    Ok(())
}

fn json_of(names: &[Alias]) -> String {
    let names = names.iter().map(|name| json!([name.scope, name.kind.word(), name.value]));
    serde_json::Value::Array(names.collect()).to_string()
}

async fn insert(tx: &mut Tx, new: &Merger) -> Result<(), StoreError> {
    on!(tx.conn(), INSERT, |c, sql| {
        sqlx::query(sql)
            .bind(new.id)
            .bind(new.kept)
            .bind(new.gone)
            .bind(new.kept_customer)
            .bind(new.gone_customer)
            .bind(&new.names)
            .bind(new.kept_closes_at)
            .bind(new.at)
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(())
}

const fn half(thread: &Conversation) -> Half {
    Half {
        baton: thread.baton(),
        window: thread.window,
        due_at: thread.due_at,
        due_since: thread.due_since,
        unanswered_since: thread.unanswered_since,
    }
}

/// Both are locked; both are saved.
async fn unite(
    tx: &mut Tx,
    kept: &mut Conversation,
    gone: &mut Conversation,
    at: Moment,
    ids: &Ids,
) -> Result<Merged, StoreError> {
    let mut merged = merge::merge(half(kept), half(gone), at.time);
    if mutation::is(Mutation::MergeKeepsEpoch) {
        merged.baton.epoch = kept.epoch;
    }
    if mutation::is(Mutation::MergeForgetsControl) {
        merged.baton.control = kept.control;
    }
    let were = [(kept.id, kept.control), (gone.id, gone.control)];
    take_over(tx, kept, gone, &merged, at).await?;
    for (id, was) in were {
        for mut word in messages::unsent(tx.conn(), id).await? {
            if merge::fate(word.author, was, merged.baton.control) == Fate::Cancelled {
                cancel(tx, kept, &mut word, at, ids).await?;
                kept.unanswer(&word);
            }
        }
    }
    for statement in MOVES {
        on!(tx.conn(), statement, |c, sql| sqlx::query(sql).bind(gone.id).bind(kept.id).execute(c).await.map(drop))?;
    }
    on!(tx.conn(), STAMP, |c, sql| sqlx::query(sql).bind(kept.id).bind(kept.epoch).execute(c).await.map(drop))?;
    drafts::merge(tx, gone.id, kept.id, at.now).await?;
    memory::drop_digest(tx, kept.id).await?;
    memory::drop_digest(tx, gone.id).await?;
    conversations::save(tx, kept).await?;
    leave(gone, at);
    conversations::save(tx, gone).await?;
    conversations::merge_into(tx, gone.id, Some(kept.id)).await?;
    Ok(merged)
}

async fn take_over(
    tx: &mut Tx,
    kept: &mut Conversation,
    gone: &Conversation,
    merged: &Merged,
    at: Moment,
) -> Result<(), StoreError> {
    let wanted: Vec<MessageId> =
        [kept.newest, gone.newest, kept.last_message, gone.last_message].into_iter().flatten().collect();
    let known = messages::by_ids(tx.conn(), &wanted).await?;
    let arrived: HashMap<MessageId, (Micros, i64)> =
        known.iter().map(|one| (one.id, (one.arrived_at, one.place))).collect();
    let newer = |one: Option<MessageId>, other: Option<MessageId>| {
        one.into_iter().chain(other).max_by_key(|id| arrived.get(id).copied())
    };
    kept.newest = newer(kept.newest, gone.newest);
    kept.last_message = newer(kept.last_message, gone.last_message);
    let from = if merged.from == Which::First { &*kept } else { gone };
    let (returns_at, handoff) = (from.returns_at, from.handoff);
    if kept.mark_wamid.is_none() || kept.newest == gone.newest {
        (kept.mark_wamid, kept.mark_typing) = (gone.mark_wamid.clone().or(kept.mark_wamid.take()), gone.mark_typing);
    }
    kept.returns_at = returns_at;
    let other = kept.handoff.into_iter().chain(gone.handoff).find(|other| Some(*other) != handoff);
    kept.handoff = handoff.or(other);
    if let Some(other) = other.filter(|other| Some(*other) != kept.handoff) {
        let ending = Ending { outcome: MERGED_OUTCOME.into(), ..Ending::default() };
        handoffs::close(tx, other, &ending, at.now).await?;
    }
    (kept.control, kept.epoch) = (merged.baton.control, merged.baton.epoch);
    kept.waiting_since = merged.baton.waiting_since;
    kept.window = merged.window;
    (kept.due_at, kept.due_since) = (merged.due_at, merged.due_since);
    kept.unanswered_since = merged.unanswered_since;
    kept.due_late = kept.due_at.is_some() && kept.due_late && gone.due_late;
    kept.begun_again = 0;
    if kept.control == Control::Bot {
        // Who makes a turn now knows one half only: it is dropped and made anew.
        kept.lease += 1;
        kept.lease_until = Micros::ZERO;
    }
    kept.episode = kept.episode.max(gone.episode);
    kept.unresolved = kept.unresolved.max(gone.unresolved);
    kept.unread += gone.unread;
    kept.newest_second = kept.newest_second.max(gone.newest_second);
    kept.language = kept.language.take().or_else(|| gone.language.clone());
    kept.updated_at = at.now;
    Ok(())
}

/// Nothing is owed in it any more; its window is kept for when it is split off.
fn leave(gone: &mut Conversation, at: Moment) {
    gone.control = Control::Resolved { at: at.now };
    gone.epoch = gone.epoch.next();
    gone.forget_turn();
    gone.lease += 1;
    gone.waiting_since = None;
    gone.unanswered_since = None;
    gone.unread = 0;
    gone.handoff = None;
    gone.returns_at = None;
    (gone.mark_wamid, gone.mark_typing) = (None, false);
    gone.updated_at = at.now;
}

/// Undoes the last merger of a conversation that is locked; the caller saves it. What came from the other one
/// goes back there and waits for a person; what was said since stays. Whether there was any.
pub async fn split(
    tx: &mut Tx,
    thread: &mut Conversation,
    by: AgentId,
    at: Moment,
    ids: &Ids,
) -> Result<bool, StoreError> {
    let Some(last) = latest(tx.conn(), thread.id).await? else { return Ok(false) };
    let pair: Vec<Merger> = on!(tx.conn(), OF_PAIR, |c, sql| {
        sqlx::query_as(sql).bind(last.kept_customer).bind(last.gone_customer).fetch_all(c).await
    })?;
    for merger in &pair {
        if merger.kept == merger.gone {
            conversations::give(tx, merger.gone, merger.gone_customer).await?;
            events::append(tx, Event::new(SPLIT_AGAIN, at.now).of(merger.gone).by(Some(by))).await?;
        } else if merger.kept == thread.id {
            part(tx, thread, merger, by, at, ids).await?;
        } else if let Some(mut kept) = conversations::lock(tx, merger.kept).await? {
            part(tx, &mut kept, merger, by, at, ids).await?;
            conversations::save(tx, &kept).await?;
        }
        on!(tx.conn(), SPLIT, |c, sql| {
            sqlx::query(sql).bind(merger.id).bind(at.now).bind(by).execute(c).await.map(drop)
        })?;
    }
    for name in last.names() {
        customers::put_alias(tx, &name).await?;
    }
    tx.wake(Topic::Outbox);
    Ok(true)
}

async fn part(
    tx: &mut Tx,
    kept: &mut Conversation,
    merger: &Merger,
    by: AgentId,
    at: Moment,
    ids: &Ids,
) -> Result<(), StoreError> {
    let Some(mut gone) = conversations::lock(tx, merger.gone).await? else {
        return Err(StoreError::Corrupt("a conversation that was merged is not there"));
    };
    let mut from = sources(tx.conn(), gone.id).await?;
    from.push(gone.id);
    for statement in [MESSAGES_BACK, HANDOFFS_BACK] {
        for source in &from {
            on!(tx.conn(), statement, |c, sql| {
                sqlx::query(sql).bind(kept.id).bind(gone.id).bind(*source).execute(c).await.map(drop)
            })?;
        }
    }
    for statement in [AMENDMENTS_BACK, FILES_BACK] {
        on!(tx.conn(), statement, |c, sql| sqlx::query(sql).bind(gone.id).execute(c).await.map(drop))?;
    }
    if kept.window.closes_at == gone.window.closes_at {
        kept.window = Window { closes_at: merger.kept_closes_at, ..kept.window };
    }
    for thread in [&mut *kept, &mut gone] {
        look_again(tx, thread).await?;
        thread.updated_at = at.now;
    }
    conversations::merge_into(tx, gone.id, None).await?;
    memory::drop_digest(tx, kept.id).await?;
    gone.control = Control::Waiting { since: at.now };
    gone.waiting_since = Some(at.now);
    gone.epoch = gone.epoch.next();
    let handoff = ids.next(at.now);
    handoffs::open(tx, handoff, gone.id, SPLIT_OFF, "", "", at.now).await?;
    handoffs::queued(tx, handoff, at.now).await?;
    (gone.handoff, gone.returns_at) = (Some(handoff), Some(at.time));
    conversations::save(tx, &gone).await?;
    for thread in [kept.id, gone.id] {
        events::append(tx, Event::new(SPLIT_AGAIN, at.now).of(thread).by(Some(by))).await?;
    }
    Ok(())
}

/// What is last in it now.
async fn look_again(tx: &mut Tx, thread: &mut Conversation) -> Result<(), StoreError> {
    const LAST: i64 = 50;
    const NEWEST: Place = Place { second: i64::MAX, arrived_at: Micros::MAX, index: i64::MAX };
    let last = messages::page(tx.conn(), thread.id, NEWEST, LAST).await?;
    let of_customer = |one: &&Stored| one.author == Author::Customer;
    thread.last_message = last.last().map(|one| one.id);
    thread.newest = last.iter().filter(of_customer).max_by_key(|one| (one.arrived_at, one.place)).map(|one| one.id);
    Ok(())
}

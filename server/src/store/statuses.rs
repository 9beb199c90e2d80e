//! Evidence from Meta about our messages. It comes late, twice, out of order, and may overtake the
//! answer to our own request: matched by Meta's id, then by our attempt, else kept for later.

use std::collections::HashMap;

use baton_shared::{
    AttemptId, ChannelId, ConversationId, Ids, MessageId, Micros,
    message::{Author, Delivery},
};
use uuid::Uuid;

use crate::domain::standing::Stop;

use super::{
    Conn, Moment, Sql, StoreError, Tx,
    consents::Source,
    control::cancel,
    conversations::{self, Conversation},
    deliveries::{StatusNews, WINDOW_CLOSED, ask_person_after_failure, wishes},
    engine::on,
    events::{self, Event},
    messages::{self, Stored},
    outbox,
    receipts::{self, Price},
    wakes::Topic,
};

#[derive(Clone, Debug, sqlx::FromRow)]
struct Early {
    wamid: String,
    attempt_id: Option<AttemptId>,
    state: Delivery,
    at: i64,
    code: Option<i64>,
}

/// Graph's error for a message to somebody who has stopped marketing.
const MARKETING_STOPPED: i64 = 131_050;

const KEEP: Sql = Sql::Both(
    "insert into early_status (id, wamid, attempt_id, state, at, code, arrived_at) values ($1, $2, $3, $4, $5, $6, $7)",
);
const EARLY: Sql = Sql::Both(
    "select wamid, attempt_id, state, at, code from early_status where wamid = $1 or attempt_id = $2 \
     order by arrived_at, id",
);
const FORGET: Sql = Sql::Both("delete from early_status where wamid = $1 or attempt_id = $2");
const FORGET_OLD: Sql = Sql::Both("delete from early_status where arrived_at < $1");
const EARLY_COUNT: Sql = Sql::Both("select count(*) from early_status");

pub const ALL: &[&Sql] = &[&KEEP, &EARLY, &FORGET, &FORGET_OLD, &EARLY_COUNT];

/// Applies what can be matched and keeps the rest.
pub(super) async fn store(tx: &mut Tx, news: &[StatusNews], at: Moment, ids: &Ids) -> Result<(), StoreError> {
    if news.is_empty() {
        return Ok(());
    }
    receipts::keep(tx, news, at.now).await?;
    let targets = targets(tx, news).await?;
    let mut matched: Vec<(MessageId, &StatusNews)> = Vec::new();
    // Failed for one member of a group is not failed.
    for one in news.iter().filter(|one| one.recipient.is_none() || one.state != Delivery::Failed) {
        match targets.find(one) {
            Some(message) => matched.push((message, one)),
            None => keep(tx, one, at, ids).await?,
        }
    }
    let mut threads: Vec<ConversationId> = matched.iter().filter_map(|(id, _)| targets.thread(*id)).collect();
    threads.sort_unstable();
    threads.dedup();
    let mut threads: HashMap<ConversationId, Conversation> =
        conversations::lock_all(tx, &threads).await?.into_iter().map(|thread| (thread.id, thread)).collect();
    let mut wanted: Vec<MessageId> = matched.iter().map(|(id, _)| *id).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let mut known: HashMap<MessageId, Stored> =
        messages::by_ids(tx.conn(), &wanted).await?.into_iter().map(|one| (one.id, one)).collect();
    let mut changed = Vec::new();
    for (id, one) in matched {
        let Some(message) = known.get_mut(&id) else { continue };
        // It was merged into another conversation between the two looks: begin again and find it there.
        let thread = threads.get_mut(&message.conversation).ok_or(StoreError::Conflict)?;
        if apply(tx, thread, message, one, at, ids).await? && !changed.contains(&id) {
            changed.push(id);
        }
    }
    let touched: Vec<ConversationId> =
        changed.iter().filter_map(|id| known.get(id)).map(|message| message.conversation).collect();
    let messages: Vec<Stored> = changed.iter().filter_map(|id| known.remove(id)).collect();
    messages::save_all(tx, &messages).await?;
    threads.retain(|id, _| touched.contains(id));
    conversations::save_all(tx, &threads.into_values().collect::<Vec<_>>()).await
}

/// Which message each status is about.
struct Targets {
    by_wamid: HashMap<String, MessageId>,
    by_attempt: HashMap<AttemptId, MessageId>,
    threads: HashMap<MessageId, ConversationId>,
}

impl Targets {
    fn find(&self, news: &StatusNews) -> Option<MessageId> {
        let by_attempt = || news.attempt.and_then(|attempt| self.by_attempt.get(&attempt));
        self.by_wamid.get(&news.wamid).or_else(by_attempt).copied()
    }

    fn thread(&self, message: MessageId) -> Option<ConversationId> {
        self.threads.get(&message).copied()
    }
}

async fn targets(tx: &mut Tx, news: &[StatusNews]) -> Result<Targets, StoreError> {
    let by_wamid = messages::by_wamids(tx.conn(), news.iter().map(|one| one.wamid.as_str())).await?;
    let attempts: Vec<AttemptId> = news.iter().filter_map(|one| one.attempt).collect();
    let by_attempt = if attempts.is_empty() { Vec::new() } else { messages::by_attempts(tx.conn(), &attempts).await? };
    let threads = by_wamid.iter().map(|(_, message, thread)| (*message, *thread));
    let threads = threads.chain(by_attempt.iter().map(|(_, message, thread)| (*message, *thread))).collect();
    Ok(Targets {
        by_wamid: by_wamid.into_iter().map(|(wamid, message, _)| (wamid, message)).collect(),
        by_attempt: by_attempt.into_iter().map(|(attempt, message, _)| (attempt, message)).collect(),
        threads,
    })
}

async fn keep(tx: &mut Tx, one: &StatusNews, at: Moment, ids: &Ids) -> Result<(), StoreError> {
    let id: Uuid = ids.next(at.now);
    on!(tx.conn(), KEEP, |c, sql| {
        sqlx::query(sql)
            .bind(id)
            .bind(&one.wamid)
            .bind(one.attempt)
            .bind(one.state)
            .bind(one.second.unwrap_or_default())
            .bind(one.code)
            .bind(at.now)
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(())
}

/// One piece of evidence about one message; whether it was news. The caller saves both.
pub(super) async fn apply(
    tx: &mut Tx,
    thread: &mut Conversation,
    message: &mut Stored,
    news: &StatusNews,
    at: Moment,
    ids: &Ids,
) -> Result<bool, StoreError> {
    let Some(before) = message.delivery else { return Ok(false) };
    let mut changed = false;
    if message.wamid.is_none() && news.state != Delivery::Failed {
        message.wamid = Some(news.wamid.clone());
        changed = true;
    }
    let Some(after) = before.after_evidence(news.state) else {
        if changed {
            events::append(tx, Event::new("message_state", at.now).of(thread.id).about(message.id)).await?;
        }
        return Ok(changed);
    };
    message.delivery = Some(after);
    message.next_try_at = None;
    message.deadline = None;
    message.trouble = after == Delivery::Failed;
    message.problem = (after == Delivery::Failed).then(|| news.code.unwrap_or_default().to_string());
    thread.updated_at = at.now;
    if let Some(stop) = news.code.filter(|_| after == Delivery::Failed).and_then(Stop::of_error) {
        outbox::stopped(tx, thread.channel, stop, at).await?;
    }
    if news.code == Some(WINDOW_CLOSED) && after == Delivery::Failed {
        thread.window = thread.window.overrule();
    }
    if news.code == Some(MARKETING_STOPPED)
        && let Some(customer) = thread.customer
    {
        let (proof, when) = (news.wamid.clone(), at.now);
        wishes::keep(tx, customer, false, Source::Meta, proof, when, at, ids).await?;
    }
    events::append(tx, Event::new("message_state", at.now).of(thread.id).about(message.id)).await?;
    if after == Delivery::Failed {
        hold_later_parts(tx, thread, message, at, ids).await?;
        ask_person_after_failure(tx, thread, message, at, ids).await?;
    }
    // The one behind it may go now.
    tx.wake(Topic::Outbox);
    Ok(true)
}

/// If one part of a split answer fails, later parts are held; of an answer whose control has moved
/// they are cancelled like every unsent word.
pub(super) async fn hold_later_parts(
    tx: &mut Tx,
    thread: &Conversation,
    failed: &Stored,
    at: Moment,
    ids: &Ids,
) -> Result<(), StoreError> {
    let Some(turn) = failed.turn else { return Ok(()) };
    for mut part in messages::unsent(tx.conn(), thread.id).await? {
        let later = part.turn == Some(turn) && (part.arrived_at, part.place) > (failed.arrived_at, failed.place);
        if !later || part.delivery != Some(Delivery::Queued) {
            continue;
        }
        if part.author == Author::Bot && part.epoch != Some(thread.epoch) {
            cancel(tx, thread, &mut part, at, ids).await?;
            continue;
        }
        part.delivery = Some(Delivery::Held);
        part.problem = Some("earlier_part_failed".into());
        part.trouble = true;
        part.next_try_at = None;
        messages::save(tx, &part).await?;
        events::append(tx, Event::new("message_state", at.now).of(thread.id).about(part.id)).await?;
    }
    Ok(())
}

/// What overtook the answer to our request, oldest first; it is forgotten by this.
pub(super) async fn take_early(
    tx: &mut Tx,
    channel: ChannelId,
    wamid: &str,
    attempt: Option<AttemptId>,
) -> Result<Vec<StatusNews>, StoreError> {
    let wamid = wamid.to_owned();
    let early: Vec<Early> =
        on!(tx.conn(), EARLY, |c, sql| sqlx::query_as(sql).bind(&wamid).bind(attempt).fetch_all(c).await)?;
    if !early.is_empty() {
        on!(tx.conn(), FORGET, |c, sql| sqlx::query(sql).bind(&wamid).bind(attempt).execute(c).await.map(drop))?;
    }
    Ok(early
        .into_iter()
        .map(|one| StatusNews {
            channel,
            wamid: one.wamid,
            recipient: None,
            attempt: one.attempt_id,
            state: one.state,
            second: Some(one.at),
            code: one.code,
            price: Price::default(),
        })
        .collect())
}

/// Statuses of messages that were never ours.
pub async fn forget_old(tx: &mut Tx, before: Micros) -> Result<u64, StoreError> {
    Ok(on!(tx.conn(), FORGET_OLD, |c, sql| {
        sqlx::query(sql).bind(before).execute(c).await.map(|done| done.rows_affected())
    })?)
}

/// How many statuses wait for their message.
pub async fn early_count(conn: Conn<'_>) -> Result<i64, StoreError> {
    Ok(on!(conn, EARLY_COUNT, |c, sql| sqlx::query_scalar(sql).fetch_one(c).await)?)
}

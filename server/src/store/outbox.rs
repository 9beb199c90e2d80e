//! The way of an outgoing message through the store: which may go, the transaction that marks it
//! `sending` (the fence), and what its outcome makes of it. Both lock the conversation's row, like
//! every change of control, so one of the two is first.

use std::time::Duration;

use baton_shared::{
    AttemptId, ChannelId, ConversationId, Ids, MessageId, Micros, Window,
    content::MediaState,
    message::{Author, Delivery},
};

use crate::{
    domain::{
        outgoing::{
            self, Ahead, Form, Gate, Hold, Next, Outcome, REQUEST_DEADLINE, Scene, Start, Switch, Tries, UNKNOWN_HOLDS,
        },
        standing::Stop,
    },
    mutation::{self, Mutation},
};

use super::{
    Conn, Moment, Sql, StoreError, Tx, channels,
    control::cancel,
    conversations::{self, Conversation},
    customers::{self, AliasKind},
    deliveries::{StatusNews, WINDOW_CLOSED, ask_person_after_failure},
    drafts,
    engine::on,
    events::{self, Event},
    media::{self, Media},
    messages::{self, Stored},
    standings, statuses,
    wakes::Topic,
};

/// The kind of a message that may go into a closed window.
pub const TEMPLATE: &str = "template";

/// The problem of a message that waits because Graph could not be reached.
pub const NOT_REACHED: &str = "not_reached";

/// The kind of a message that is a sign on another one, and no answer.
pub const REACTION: &str = "reaction";

/// Whoever brings a file to Meta says so again before this is over.
const BRINGING: Duration = Duration::from_secs(30);

/// How long an id is good that Meta gave to a file of ours: 30 days, less one.
const UPLOAD_LIVES: Duration = Duration::from_secs(29 * 24 * 3_600);

/// A message that may be due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Candidate {
    #[sqlx(rename = "id")]
    pub message: MessageId,
    #[sqlx(rename = "conversation_id")]
    pub conversation: ConversationId,
    pub author: Author,
}

/// One that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Due {
    #[sqlx(flatten)]
    pub candidate: Candidate,
    /// The smaller, the sooner: an agent's answer, the bot's, a template.
    pub turn: i32,
}

/// To whom it goes: either, by what is known of the customer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recipient {
    pub user_id: Option<String>,
    /// In digits, with the country's code.
    pub phone: Option<String>,
}

/// A message that is on its way now.
#[derive(Clone, Debug, PartialEq)]
pub struct Sending {
    pub message: Stored,
    /// Its `type` with the object of that name, as JSON; `None` for plain text.
    pub payload: Option<String>,
    /// What Meta calls the file that it brings.
    pub file: Option<String>,
    /// Travels as `biz_opaque_callback_data`.
    pub attempt: AttemptId,
    pub recipient: Recipient,
    /// In the time of leases: found passed before the request is written, it is not written.
    pub deadline: Micros,
}

/// What became of an attempt to start.
#[derive(Clone, Debug, PartialEq)]
pub enum Started {
    Go(Box<Sending>),
    /// Meta has to be brought its file first; nobody else does that for a while.
    Bring(Box<Media>),
    /// Cancelled, held, waiting behind another, or gone meanwhile.
    Not,
}

/// A read mark that waits to be sent.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ReadMark {
    #[sqlx(rename = "id")]
    pub conversation: ConversationId,
    #[sqlx(rename = "mark_wamid")]
    pub wamid: String,
    #[sqlx(rename = "mark_typing")]
    pub typing: bool,
}

/// Agents before the bot, answers before templates that the business starts, then the longest waiting; the first of each conversation, and only once
/// whatever has started lets it: as `domain::outgoing::gate` says, which looks again under the lock.
const DUE: Sql = Sql::Both(
    "select m.id, m.conversation_id, m.author, \
     case when m.kind = 'template' then 2 when m.author = 'agent' then 0 else 1 end as turn from message m \
     where m.channel_id = $1 and m.delivery = 'queued' and m.next_try_at <= $2 \
     and not exists (select 1 from message e where e.conversation_id = m.conversation_id \
     and e.delivery in ('queued', 'sending', 'unknown') and case \
     when e.delivery = 'queued' then (e.arrived_at, e.place) < (m.arrived_at, m.place) \
     when e.delivery = 'unknown' and coalesce(e.next_try_at, 0) <= $2 then false \
     when m.author = 'agent' and e.author in ('bot', 'system') then coalesce(e.deadline, 0) > $2 \
     else true end) \
     order by turn, m.next_try_at, m.arrived_at, m.place limit $3",
);
/// The window is asked again under the lock.
const UNTIL_THEY_WRITE: Sql = Sql::Both(
    "select m.id, m.conversation_id, m.author from message m join conversation c on c.id = m.conversation_id \
     where m.channel_id = $1 and m.delivery = 'held' and m.problem = 'until_they_write' and c.window_closes_at > $2 \
     order by m.arrived_at limit $3",
);
const NEXT_DUE: Sql = Sql::Both(
    "select min(next_try_at) from message where channel_id = $1 and delivery = 'queued' and next_try_at > $2",
);
const OVERDUE: Sql = Sql::Both(
    "select id, conversation_id, author from message where delivery = 'sending' and deadline < $1 \
     order by deadline limit $2",
);
const UNSETTLED: Sql = Sql::Both(
    "select id, conversation_id, author from message where delivery = 'unknown' and next_try_at <= $1 \
     order by next_try_at limit $2",
);
const ATTEMPT: Sql =
    Sql::Both("insert into attempt (id, message_id, channel_id, number, started_at) values ($1, $2, $3, $4, $5)");
const ATTEMPT_ENDED: Sql = Sql::Both("update attempt set ended_at = $2, outcome = $3, code = $4 where id = $1");
const RECENT: Sql = Sql::Both(
    "select m.conversation_id, a.started_at from attempt a join message m on m.id = a.message_id \
     where a.channel_id = $1 and a.started_at > $2 order by a.started_at",
);
const POSTPONE: Sql = Sql::Both("update message set next_try_at = $2 where id = $1 and delivery = 'queued'");
const MARKS: Sql = Sql::Both(
    "select id, mark_wamid, mark_typing from conversation where channel_id = $1 and mark_wamid is not null \
     order by updated_at limit $2",
);
const MARKED: Sql =
    Sql::Both("update conversation set mark_wamid = null, mark_typing = false where id = $1 and mark_wamid = $2");

pub const ALL: &[&Sql] = &[
    &DUE,
    &UNTIL_THEY_WRITE,
    &NEXT_DUE,
    &OVERDUE,
    &UNSETTLED,
    &ATTEMPT,
    &ATTEMPT_ENDED,
    &RECENT,
    &POSTPONE,
    &MARKS,
    &MARKED,
];

/// Puts what is said next on its way: the parts of one answer, in order. A bot's or an agent's word
/// answers the customer; the caller saves the conversation.
pub async fn queue(
    tx: &mut Tx,
    thread: &mut Conversation,
    mut parts: Vec<Stored>,
    at: Moment,
) -> Result<(), StoreError> {
    let says = |part: &Stored| matches!(part.author, Author::Bot | Author::Agent) && part.kind != REACTION;
    let answers = parts.iter().any(says);
    let waited = if answers { thread.unanswered_since.take() } else { None };
    // Two may be queued in one microsecond, or another server's clock may be ahead of ours.
    let last = messages::moving(tx.conn(), thread.id).await?.pop().map(|last| (last.arrived_at, last.place));
    for (place, part) in (0..).zip(&mut parts) {
        part.place = place;
        if let Some((arrived_at, behind)) = last.filter(|(arrived_at, _)| *arrived_at >= part.arrived_at) {
            (part.arrived_at, part.place) = (arrived_at, behind + 1 + place);
        }
        part.answers = waited;
        let event = Event::new("message_queued", at.now).of(thread.id).about(part.id).by(part.agent);
        events::append(tx, event).await?;
        thread.last_message = Some(part.id);
    }
    let payloads: Vec<Option<String>> = parts.iter_mut().map(|part| part.payload.take()).collect();
    let parts: Vec<(Stored, Option<&str>)> = parts.into_iter().zip(payloads.iter().map(Option::as_deref)).collect();
    messages::insert_all(tx, &parts).await?;
    thread.updated_at = at.now;
    tx.wake(Topic::Outbox);
    Ok(())
}

/// Lets the customer see that somebody types. WhatsApp knows the sign only together with a read mark of
/// their newest message.
pub async fn show_typing(tx: &mut Tx, thread: &mut Conversation) -> Result<(), StoreError> {
    let Some(newest) = thread.newest else { return Ok(()) };
    let Some(wamid) = messages::by_id(tx.conn(), newest).await?.and_then(|newest| newest.wamid) else { return Ok(()) };
    thread.mark_wamid = Some(wamid);
    thread.mark_typing = true;
    conversations::save(tx, thread).await?;
    tx.wake(Topic::Outbox);
    Ok(())
}

/// Up to `limit` messages of a channel that may go at `time`, at most one a conversation.
pub async fn due(conn: Conn<'_>, channel: ChannelId, time: Micros, limit: i64) -> Result<Vec<Due>, StoreError> {
    Ok(on!(conn, DUE, |c, sql| sqlx::query_as(sql).bind(channel).bind(time).bind(limit).fetch_all(c).await)?)
}

/// Words that waited for the customer, whose window may be open now.
pub async fn answered(
    conn: Conn<'_>,
    channel: ChannelId,
    now: Micros,
    limit: i64,
) -> Result<Vec<Candidate>, StoreError> {
    Ok(on!(conn, UNTIL_THEY_WRITE, |c, sql| {
        sqlx::query_as(sql).bind(channel).bind(now).bind(limit).fetch_all(c).await
    })?)
}

/// The customer has written: what waited for that goes, if its author still has the conversation, or
/// is their draft again. It answers nothing, for it was written before.
pub async fn let_go(tx: &mut Tx, candidate: Candidate, at: Moment) -> Result<(), StoreError> {
    let locked = conversations::lock(tx, candidate.conversation).await?;
    let (Some(mut thread), Some(mut message)) = (locked, messages::by_id(tx.conn(), candidate.message).await?) else {
        return Ok(());
    };
    let offset = channels::by_id(tx.conn(), thread.channel).await?.map_or(0, |channel| channel.clock_offset);
    let is_open = thread.window.is_open(Micros(at.now.0.saturating_add(offset)));
    let waits =
        message.delivery == Some(Delivery::Held) && message.problem.as_deref() == Some(Hold::UntilTheyWrite.word());
    if !is_open || !waits {
        return Ok(());
    }
    message.problem = None;
    if message.agent.is_some() && thread.control.owner() == message.agent {
        message.delivery = Some(Delivery::Queued);
        // It takes its place among what is said now.
        (message.arrived_at, message.second, message.next_try_at) = (at.now, at.now.seconds(), Some(at.time));
    } else {
        message.delivery = Some(Delivery::Cancelled);
        if let Some(agent) = message.agent {
            let draft = drafts::get(tx.conn(), agent, thread.id).await?;
            let (revision, is_empty) = draft.map_or((0, true), |draft| (draft.revision, draft.text.is_empty()));
            if is_empty {
                // Err: another one was written meanwhile; this one is still to be read in the thread.
                let _ = drafts::put(tx, agent, thread.id, &message.text, revision, at.now).await?;
            }
        }
    }
    messages::save(tx, &message).await?;
    events::append(tx, Event::new("message_state", at.now).of(thread.id).about(message.id)).await?;
    thread.updated_at = at.now;
    conversations::save(tx, &thread).await?;
    tx.wake(Topic::Outbox);
    Ok(())
}

/// When the next one of a channel may be due, after `time`.
pub async fn next_due(conn: Conn<'_>, channel: ChannelId, time: Micros) -> Result<Option<Micros>, StoreError> {
    Ok(on!(conn, NEXT_DUE, |c, sql| sqlx::query_scalar(sql).bind(channel).bind(time).fetch_one(c).await)?)
}

/// Found `sending` after their deadline: nobody knows what became of them.
pub async fn overdue(conn: Conn<'_>, time: Micros, limit: i64) -> Result<Vec<Candidate>, StoreError> {
    Ok(on!(conn, OVERDUE, |c, sql| sqlx::query_as(sql).bind(time).bind(limit).fetch_all(c).await)?)
}

/// `unknown` for as long as the next one waits behind them.
pub async fn unsettled(conn: Conn<'_>, time: Micros, limit: i64) -> Result<Vec<Candidate>, StoreError> {
    Ok(on!(conn, UNSETTLED, |c, sql| sqlx::query_as(sql).bind(time).bind(limit).fetch_all(c).await)?)
}

/// The attempts of a channel since `since`, oldest first: its rate buckets are rebuilt from them.
pub async fn recent(
    conn: Conn<'_>,
    channel: ChannelId,
    since: Micros,
) -> Result<Vec<(ConversationId, Micros)>, StoreError> {
    Ok(on!(conn, RECENT, |c, sql| sqlx::query_as(sql).bind(channel).bind(since).fetch_all(c).await)?)
}

/// The transaction that marks a message `sending`, or finds that it must not start.
pub async fn start(tx: &mut Tx, candidate: Candidate, at: Moment, ids: &Ids) -> Result<Started, StoreError> {
    let Some((mut thread, mut message)) = locked(tx, candidate).await? else {
        return Ok(Started::Not);
    };
    if message.delivery != Some(Delivery::Queued) || message.next_try_at.is_none_or(|due| due > at.time) {
        return Ok(Started::Not);
    }
    let decision = decide(tx, &thread, &message, at).await?;
    let started = match decision {
        Start::Go => match gate_ahead(tx, &message, at).await? {
            Gate::Open => {
                let file = file_of(tx, &message).await?;
                if let Some(file) = file.as_ref().filter(|file| file.meta_until.is_none_or(|until| until <= at.now)) {
                    postpone(tx, message.id, at.time_in(BRINGING)).await?;
                    return Ok(Started::Bring(Box::new(file.clone())));
                }
                go(tx, &mut thread, message, file.and_then(|file| file.meta_id), at, ids).await?
            }
            Gate::At(later) => {
                postpone(tx, message.id, later).await?;
                return Ok(Started::Not);
            }
            Gate::Shut => return Ok(Started::Not),
        },
        Start::Cancel => {
            cancel(tx, &thread, &mut message, at, ids).await?;
            Started::Not
        }
        Start::Hold(hold) => {
            self::hold(tx, &mut thread, &mut message, hold, at, ids).await?;
            Started::Not
        }
    };
    thread.updated_at = at.now;
    conversations::save(tx, &thread).await?;
    Ok(started)
}

/// The message and the conversation that it is in: that may have been merged into another one meanwhile.
async fn locked(tx: &mut Tx, candidate: Candidate) -> Result<Option<(Conversation, Stored)>, StoreError> {
    let thread = conversations::lock_present(tx, candidate.conversation).await?;
    let message = messages::by_id(tx.conn(), candidate.message).await?;
    match (thread, message) {
        (Some(thread), Some(message)) if message.conversation == thread.id => Ok(Some((thread, message))),
        // Split off again.
        (Some(_), Some(message)) => {
            let thread = conversations::lock(tx, message.conversation).await?;
            Ok(thread.map(|thread| (thread, message)))
        }
        _ => Ok(None),
    }
}

async fn decide(tx: &mut Tx, thread: &Conversation, message: &Stored, at: Moment) -> Result<Start, StoreError> {
    let Some(channel) = channels::by_id(tx.conn(), thread.channel).await? else {
        return Err(StoreError::Corrupt("a conversation without a channel"));
    };
    let switch = match (channel.sending_on, channel.bot_on) {
        (false, _) => Switch::SendingOff,
        (true, false) => Switch::BotOff,
        (true, true) => Switch::On,
    };
    // Without the fence, every word counts as said under the present epoch.
    let said_under = message.epoch.filter(|_| !mutation::is(Mutation::NoFence)).unwrap_or(thread.epoch);
    let now = Micros(at.now.0.saturating_add(channel.clock_offset));
    let form = if message.kind == TEMPLATE { Form::Template } else { Form::Free };
    let stop = channel.meta.stop_at(at.now);
    let scene = Scene { epoch: thread.epoch, window: thread.window, switch, stop, now };
    Ok(outgoing::start(message.author, form, said_under, scene))
}

/// Whether the one ahead of it has gone far enough.
async fn gate_ahead(tx: &mut Tx, message: &Stored, at: Moment) -> Result<Gate, StoreError> {
    let moving = messages::moving(tx.conn(), message.conversation).await?;
    let mut gate = Gate::Open;
    for ahead in moving {
        let Some(delivery) = ahead.delivery else { continue };
        // Whatever has started is ahead, also if both were queued in the same microsecond.
        let earlier = (ahead.arrived_at, ahead.place) < (message.arrived_at, message.place);
        if ahead.id == message.id || (delivery == Delivery::Queued && !earlier) {
            continue;
        }
        // Given up: nobody waits for it any more, however young this process's time is.
        let since = ahead.next_try_at.map_or(Micros(i64::MIN), |until| until.minus(UNKNOWN_HOLDS));
        let ahead = Ahead { author: ahead.author, delivery, since, deadline: ahead.deadline };
        gate = match (gate, outgoing::gate(ahead, message.author, at.time)) {
            (Gate::Shut, _) | (_, Gate::Shut) => Gate::Shut,
            (Gate::At(a), Gate::At(b)) => Gate::At(a.max(b)),
            (Gate::At(a), Gate::Open) | (Gate::Open, Gate::At(a)) => Gate::At(a),
            (Gate::Open, Gate::Open) => Gate::Open,
        };
    }
    Ok(gate)
}

async fn go(
    tx: &mut Tx,
    thread: &mut Conversation,
    mut message: Stored,
    file: Option<String>,
    at: Moment,
    ids: &Ids,
) -> Result<Started, StoreError> {
    let attempt: AttemptId = ids.next(at.now);
    let deadline = at.time_in(REQUEST_DEADLINE);
    message.delivery = Some(Delivery::Sending);
    message.attempts += 1;
    message.attempt = Some(attempt);
    message.deadline = Some(deadline);
    message.first_try_at.get_or_insert(at.time);
    message.next_try_at = None;
    // Ours take part in the order with the second in which they started.
    message.second = at.now.seconds();
    thread.newest_second = thread.newest_second.max(message.second);
    messages::save(tx, &message).await?;
    on!(tx.conn(), ATTEMPT, |c, sql| {
        sqlx::query(sql)
            .bind(attempt)
            .bind(message.id)
            .bind(message.channel)
            .bind(message.attempts)
            .bind(at.now)
            .execute(c)
            .await
            .map(drop)
    })?;
    let event = Event::new("message_state", at.now).of(thread.id).about(message.id).under(thread.epoch);
    events::append(tx, event.because("sending")).await?;
    let recipient = recipient(tx, thread).await?;
    let payload = messages::raw(tx.conn(), message.id).await?;
    Ok(Started::Go(Box::new(Sending { message, payload, file, attempt, recipient, deadline })))
}

/// The file that a message of ours brings. Words alone have none, and are most.
async fn file_of(tx: &mut Tx, message: &Stored) -> Result<Option<Media>, StoreError> {
    if message.kind == "text" || message.kind == REACTION {
        return Ok(None);
    }
    let file = media::of(tx.conn(), &[message.id]).await?.pop();
    Ok(file.filter(|file| file.state == MediaState::Stored))
}

/// Still being brought: nobody else does it for a while. Whether it is still to be sent.
pub async fn bringing(tx: &mut Tx, message: MessageId, at: Moment) -> Result<bool, StoreError> {
    let until = at.time_in(BRINGING);
    let rows = on!(tx.conn(), POSTPONE, |c, sql| {
        sqlx::query(sql).bind(message).bind(until).execute(c).await.map(|done| done.rows_affected())
    })?;
    Ok(rows == 1)
}

/// Meta has the file of a message, which may go now.
pub async fn brought(tx: &mut Tx, candidate: Candidate, meta_id: &str, at: Moment) -> Result<(), StoreError> {
    if conversations::lock(tx, candidate.conversation).await?.is_some() {
        media::sendable(tx, candidate.message, meta_id, at.now.plus(UPLOAD_LIVES)).await?;
        postpone(tx, candidate.message, at.time).await?;
        tx.wake(Topic::Outbox);
    }
    Ok(())
}

/// Meta did not get the file of a message: it is tried again, or it is over. Nothing of the message
/// has reached anybody, so whatever is not known may be done again.
pub async fn not_brought(
    tx: &mut Tx,
    candidate: Candidate,
    tries: u32,
    report: &Report,
    at: Moment,
    ids: &Ids,
) -> Result<(), StoreError> {
    let locked = conversations::lock(tx, candidate.conversation).await?;
    let (Some(mut thread), Some(mut message)) = (locked, messages::by_id(tx.conn(), candidate.message).await?) else {
        return Ok(());
    };
    if message.delivery != Some(Delivery::Queued) {
        return Ok(());
    }
    message.first_try_at.get_or_insert(at.time);
    let outcome = if report.outcome == Outcome::Unanswered { Outcome::NotSent } else { report.outcome };
    let report = Report { outcome, ..report.clone() };
    let made = Stored { attempts: tries.into(), ..message.clone() };
    let next = next(&thread, &made, &report, at);
    match next {
        Next::Again { at: again } => wait_for(&mut message, &report, at.lease_time_of(again)),
        Next::Held(hold) => trouble(&mut message, Delivery::Held, hold.word().into()),
        Next::Accepted | Next::Failed(_) | Next::Unknown => fail(&mut message, &report),
    }
    after_trouble(tx, &mut thread, &message, next, at, ids).await
}

pub(super) async fn recipient(tx: &mut Tx, thread: &Conversation) -> Result<Recipient, StoreError> {
    let Some(customer) = thread.customer else { return Ok(Recipient::default()) };
    let mut recipient = Recipient::default();
    for alias in customers::aliases_of(tx.conn(), &[customer]).await? {
        match alias.kind {
            AliasKind::User => recipient.user_id = Some(alias.value),
            AliasKind::Phone => recipient.phone = Some(alias.value),
        }
    }
    Ok(recipient)
}

async fn hold(
    tx: &mut Tx,
    thread: &mut Conversation,
    message: &mut Stored,
    hold: Hold,
    at: Moment,
    ids: &Ids,
) -> Result<(), StoreError> {
    message.delivery = Some(Delivery::Held);
    message.next_try_at = None;
    message.problem = Some(hold.word().into());
    message.trouble = true;
    messages::save(tx, message).await?;
    events::append(tx, Event::new("message_state", at.now).of(thread.id).about(message.id)).await?;
    statuses::hold_later_parts(tx, thread, message, at, ids).await?;
    // A sentence of the system's that is switched off needs nobody; the customer's question does.
    if matches!(hold, Hold::SwitchedOff | Hold::Stopped(_)) && message.author == Author::System {
        return Ok(());
    }
    ask_person_after_failure(tx, thread, message, at, ids).await
}

/// What the outside said about an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub outcome: Outcome,
    /// Meta's id, if it accepted.
    pub wamid: Option<String>,
    /// Meta's error code, if it refused.
    pub code: Option<i64>,
    /// Chance, from 0 to 999.
    pub jitter: u16,
}

/// Stores what became of an attempt. A status that was quicker has the last word.
pub async fn settle(
    tx: &mut Tx,
    candidate: Candidate,
    attempt: AttemptId,
    report: &Report,
    at: Moment,
    ids: &Ids,
) -> Result<(), StoreError> {
    let Some((mut thread, mut message)) = locked(tx, candidate).await? else {
        return Ok(());
    };
    let stop = report.code.and_then(Stop::of_error);
    let next = match (next(&thread, &message, report, at), stop) {
        // Not this message is wrong: it waits with all the others.
        (Next::Failed(_), Some(stop)) => Next::Held(Hold::Stopped(stop)),
        (next, _) => next,
    };
    if let Some(stop) = stop {
        stopped(tx, thread.channel, stop, at).await?;
    }
    attempt_ended(tx, attempt, next, report, at).await?;
    if message.attempt != Some(attempt) {
        return Ok(());
    }
    match next {
        Next::Accepted => accepted(tx, &mut thread, &mut message, attempt, report, at, ids).await?,
        // Given up for unknown, though its sender knows: Meta refused it.
        Next::Failed(_) if message.delivery == Some(Delivery::Unknown) => fail(&mut message, report),
        // A webhook said more than our own request did.
        _ if message.delivery != Some(Delivery::Sending) => return Ok(()),
        Next::Again { at: again } => wait_for(&mut message, report, at.lease_time_of(again)),
        Next::Held(hold) => trouble(&mut message, Delivery::Held, hold.word().into()),
        Next::Failed(_) => fail(&mut message, report),
        Next::Unknown => {
            trouble(&mut message, Delivery::Unknown, "no_answer".into());
            message.next_try_at = Some(at.time_in(UNKNOWN_HOLDS));
            apply_early(tx, &mut thread, &mut message, "", Some(attempt), at, ids).await?;
        }
    }
    if report.code == Some(WINDOW_CLOSED) {
        thread.window = thread.window.overrule();
    }
    after_trouble(tx, &mut thread, &message, next, at, ids).await
}

/// What follows for the conversation and whoever watches it.
async fn after_trouble(
    tx: &mut Tx,
    thread: &mut Conversation,
    message: &Stored,
    next: Next,
    at: Moment,
    ids: &Ids,
) -> Result<(), StoreError> {
    messages::save(tx, message).await?;
    events::append(tx, Event::new("message_state", at.now).of(thread.id).about(message.id)).await?;
    if matches!(next, Next::Failed(_) | Next::Held(_)) {
        statuses::hold_later_parts(tx, thread, message, at, ids).await?;
        ask_person_after_failure(tx, thread, message, at, ids).await?;
    }
    thread.updated_at = at.now;
    conversations::save(tx, thread).await?;
    tx.wake(Topic::Outbox);
    Ok(())
}

fn wait_for(message: &mut Stored, report: &Report, again: Micros) {
    message.delivery = Some(Delivery::Queued);
    message.next_try_at = Some(again);
    message.deadline = None;
    // Why it waits; nobody has to do anything about it.
    message.problem = Some(report.code.map_or_else(|| NOT_REACHED.into(), |code| code.to_string()));
}

/// How long a number whose sends are refused for its own sake is left alone before one is tried again.
const TRIED_AGAIN_AFTER: Duration = Duration::from_secs(10 * 60);

/// Everything from this number would be refused: nothing more is sent for a while.
pub(super) async fn stopped(tx: &mut Tx, id: ChannelId, stop: Stop, at: Moment) -> Result<(), StoreError> {
    let Some(channel) = channels::by_id(tx.conn(), id).await? else { return Ok(()) };
    let until = at.now.plus(TRIED_AGAIN_AFTER);
    standings::stopped_by_error(tx, &channel, stop, until, at.now).await
}

fn next(thread: &Conversation, message: &Stored, report: &Report, at: Moment) -> Next {
    let tries = Tries {
        made: u32::try_from(message.attempts).unwrap_or(u32::MAX),
        first_at: at.wall_time_of(message.first_try_at.unwrap_or(at.time)),
        now: at.now,
        // A template needs none.
        window: if message.kind == TEMPLATE { Window::ALWAYS } else { thread.window },
        jitter: report.jitter,
    };
    outgoing::next(report.outcome, tries)
}

fn fail(message: &mut Stored, report: &Report) {
    let code = report.code.map_or_else(|| "not_sent".into(), |code| code.to_string());
    trouble(message, Delivery::Failed, code);
}

fn trouble(message: &mut Stored, delivery: Delivery, problem: String) {
    message.delivery = Some(delivery);
    message.problem = Some(problem);
    message.trouble = true;
    message.next_try_at = None;
}

async fn accepted(
    tx: &mut Tx,
    thread: &mut Conversation,
    message: &mut Stored,
    attempt: AttemptId,
    report: &Report,
    at: Moment,
    ids: &Ids,
) -> Result<(), StoreError> {
    if let Some(after) = message.delivery.and_then(|before| before.after_evidence(Delivery::Accepted)) {
        message.delivery = Some(after);
        message.trouble = false;
        message.problem = None;
        message.next_try_at = None;
        message.deadline = None;
    }
    if let Some(wamid) = &report.wamid {
        message.wamid.get_or_insert_with(|| wamid.clone());
        let wamid = wamid.clone();
        apply_early(tx, thread, message, &wamid, Some(attempt), at, ids).await?;
    }
    Ok(())
}

async fn apply_early(
    tx: &mut Tx,
    thread: &mut Conversation,
    message: &mut Stored,
    wamid: &str,
    attempt: Option<AttemptId>,
    at: Moment,
    ids: &Ids,
) -> Result<(), StoreError> {
    let early: Vec<StatusNews> = statuses::take_early(tx, message.channel, wamid, attempt).await?;
    for news in early {
        statuses::apply(tx, thread, message, &news, at, ids).await?;
    }
    Ok(())
}

async fn attempt_ended(
    tx: &mut Tx,
    attempt: AttemptId,
    next: Next,
    report: &Report,
    at: Moment,
) -> Result<(), StoreError> {
    let outcome = match next {
        Next::Accepted => "accepted",
        Next::Again { .. } => "retry",
        Next::Held(_) => "unsent",
        Next::Failed(_) => "failed",
        Next::Unknown => "unknown",
    };
    on!(tx.conn(), ATTEMPT_ENDED, |c, sql| {
        sqlx::query(sql).bind(attempt).bind(at.now).bind(outcome).bind(report.code).execute(c).await.map(drop)
    })?;
    Ok(())
}

/// An unknown send of the bot's that nothing settled: a person is needed now.
pub async fn give_up_waiting(tx: &mut Tx, candidate: Candidate, at: Moment, ids: &Ids) -> Result<(), StoreError> {
    let Some((mut thread, mut message)) = locked(tx, candidate).await? else {
        return Ok(());
    };
    if message.delivery != Some(Delivery::Unknown) || message.next_try_at.is_none_or(|until| until > at.time) {
        return Ok(());
    }
    message.next_try_at = None;
    messages::save(tx, &message).await?;
    events::append(tx, Event::new("message_state", at.now).of(thread.id).about(message.id)).await?;
    ask_person_after_failure(tx, &mut thread, &message, at, ids).await?;
    thread.updated_at = at.now;
    conversations::save(tx, &thread).await?;
    tx.wake(Topic::Outbox);
    Ok(())
}

/// Not before `until`: the rate to this customer is used up.
pub async fn postpone(tx: &mut Tx, message: MessageId, until: Micros) -> Result<(), StoreError> {
    on!(tx.conn(), POSTPONE, |c, sql| sqlx::query(sql).bind(message).bind(until).execute(c).await.map(drop))?;
    Ok(())
}

/// Read marks of a channel that wait to be sent.
pub async fn read_marks(conn: Conn<'_>, channel: ChannelId, limit: i64) -> Result<Vec<ReadMark>, StoreError> {
    Ok(on!(conn, MARKS, |c, sql| sqlx::query_as(sql).bind(channel).bind(limit).fetch_all(c).await)?)
}

/// A read mark was taken on its way; it is not worth a second try.
pub async fn marked(tx: &mut Tx, mark: &ReadMark) -> Result<(), StoreError> {
    on!(tx.conn(), MARKED, |c, sql| {
        sqlx::query(sql).bind(mark.conversation).bind(&mark.wamid).execute(c).await.map(drop)
    })?;
    Ok(())
}

//! What a batch of webhooks brought, stored set-wise: a statement a table, however many messages.

mod amended;
mod handovers;
mod moves;
mod sides;
pub(super) mod wishes;

use std::collections::{HashMap, HashSet};

use baton_shared::{
    AttemptId, ChannelId, Control, ConversationId, CustomerId, Ids, MessageId, Micros,
    message::{Author, Delivery},
};

use crate::domain::{
    control::{Step, Who},
    order, outgoing,
    turn::{self, Pause, Said},
    wish::asks_for_bot,
};

pub use self::handovers::Handover;
use self::sides::Found;

use super::{
    Moment, StoreError, Tx, amendments, channels,
    control::{self, Because},
    conversations::{self, Conversation, Side},
    customers::AliasKind,
    events::{self, Event},
    handoffs,
    letters::{self, DeadLetter, Notice},
    media,
    messages::{self, Stored},
    receipts::Price,
    standings, statuses,
    wakes::Topic,
};

/// Where a message came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Said to us.
    Direct,
    /// A copy of a thread that another app owns.
    Standby,
    /// Typed on the business's own phone.
    Echo,
    /// Imported from the time before.
    History,
}

/// One message as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    pub channel: ChannelId,
    /// The portfolio that user ids mean something in.
    pub scope: String,
    /// The other side, by what the webhook says of them.
    pub user_id: Option<String>,
    pub phone: Option<String>,
    pub name: Option<String>,
    pub username: Option<String>,
    pub group: Option<String>,
    pub wamid: String,
    pub kind: String,
    pub text: String,
    /// What it holds besides its text: a [`Detail`](baton_shared::content::Detail) as JSON.
    pub detail: Option<String>,
    /// Meta's id of the message that it replies to, or that it changes.
    pub quoted: Option<String>,
    /// The file that it brings.
    pub file: Option<media::Announced>,
    /// What the customer goes by from now on, instead of the one of that kind before.
    pub moved_to: Option<(AliasKind, String)>,
    /// The element as it came, for what is not plain text.
    pub raw: Option<String>,
    /// Meta's second.
    pub second: Option<i64>,
    /// Its number in the delivery.
    pub index: i64,
    pub opens_window: bool,
    pub origin: Origin,
    /// The business said it itself: on its phone, or in the time before.
    pub by_business: bool,
}

/// One status as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusNews {
    pub channel: ChannelId,
    pub wamid: String,
    /// Whom of a group it is about.
    pub recipient: Option<String>,
    pub attempt: Option<AttemptId>,
    pub state: Delivery,
    pub second: Option<i64>,
    /// Meta's error code, for `failed`.
    pub code: Option<i64>,
    pub price: Price,
}

/// A customer's wish about marketing, as WhatsApp's own switch says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preference {
    pub scope: String,
    pub user_id: Option<String>,
    pub phone: Option<String>,
    pub granted: bool,
    /// Meta's second.
    pub second: Option<i64>,
    /// The same for every repeat.
    pub proof: String,
}

/// Everything that one or several deliveries brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    pub arrivals: Vec<Arrival>,
    pub statuses: Vec<StatusNews>,
    pub preferences: Vec<Preference>,
    pub notices: Vec<Notice>,
    pub standings: Vec<standings::Said>,
    pub handovers: Vec<Handover>,
    pub letters: Vec<DeadLetter>,
}

impl Batch {
    pub fn join(&mut self, other: Self) {
        self.arrivals.extend(other.arrivals);
        self.statuses.extend(other.statuses);
        self.preferences.extend(other.preferences);
        self.notices.extend(other.notices);
        self.standings.extend(other.standings);
        self.handovers.extend(other.handovers);
        self.letters.extend(other.letters);
    }
}

/// What the playbook says about arrivals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    pub pause: Pause,
    /// A resolved customer who writes again waits for a person instead of meeting the bot.
    pub reopen_to_waiting: bool,
    /// Older than this on arrival is late; `None`: nothing is.
    pub late_after: Option<std::time::Duration>,
    /// How long the bot pauses after somebody typed on the business's phone.
    pub phone_pause: std::time::Duration,
}

/// The policy of each number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policies {
    pub of: HashMap<ChannelId, Policy>,
    /// Of the numbers that are not in `of`.
    pub otherwise: Policy,
}

impl Policies {
    fn of(&self, channel: ChannelId) -> &Policy {
        self.of.get(&channel).unwrap_or(&self.otherwise)
    }
}

/// What came of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    pub messages: usize,
    pub duplicates: usize,
}

/// Stores all of it, or nothing.
pub async fn store(tx: &mut Tx, batch: &Batch, policies: &Policies, at: Moment, ids: &Ids) -> Result<Kept, StoreError> {
    let kept = store_arrivals(tx, &batch.arrivals, policies, at, ids).await?;
    statuses::store(tx, &batch.statuses, at, ids).await?;
    wishes::store(tx, &batch.preferences, at, ids).await?;
    let new = letters::notice_all(tx, &batch.notices).await?;
    let handovers = batch.handovers.iter().filter(|one| new.contains(&one.digest));
    handovers::store(tx, handovers, at, ids).await?;
    standings::store(tx, &batch.standings, at.now).await?;
    for letter in &batch.letters {
        if letters::insert(tx, letter).await? {
            events::append(tx, Event::new("dead_letter", at.now)).await?;
        }
    }
    Ok(kept)
}

async fn store_arrivals(
    tx: &mut Tx,
    arrivals: &[Arrival],
    policies: &Policies,
    at: Moment,
    ids: &Ids,
) -> Result<Kept, StoreError> {
    let mut seen = HashSet::new();
    let once: Vec<&Arrival> = arrivals.iter().filter(|one| seen.insert(one.wamid.as_str())).collect();
    if once.is_empty() {
        return Ok(Kept::default());
    }
    let Found { arrivals: once, sides, recycled, blocked } = sides::find(tx, once, at, ids).await?;
    let mut threads = threads(tx, &once, &sides, at.now, ids).await?;
    // Under the locks of their conversations: another server that has the same message waits there.
    let known = known(tx, &once).await?;
    let mut targets = amended::Targets::find(tx, &once).await?;
    let mut new = Vec::new();
    let mut files = Vec::new();
    let mut amendments = Vec::new();
    let mut facts = Vec::new();
    for (arrival, side) in once.iter().zip(&sides) {
        if known.contains(&arrival.wamid) {
            continue;
        }
        let Some(thread) = threads.get_mut(&(arrival.channel, side.clone())) else {
            return Err(StoreError::Corrupt("a conversation that was just found or made is missing"));
        };
        let policy = policies.of(arrival.channel);
        if let Some(amendment) = amended::amendment(arrival, thread.id, at, ids) {
            let target = targets.of(&amendment);
            amendments.push((amendment, arrival.raw.as_deref()));
            if let Some(target) = target {
                amend(tx, thread, arrival, policy, at);
                facts.push(Event::new("message_amended", at.now).of(thread.id).about(target));
                continue;
            }
        }
        let is_blocked = thread.customer.is_some_and(|customer| blocked.contains(&customer));
        let message = arrive(tx, thread, arrival, is_blocked, policy, at, ids).await?;
        targets.add(&message);
        facts.push(Event::new("message_in", at.now).of(thread.id).about(message.id));
        files.extend(arrival.file.as_ref().map(|file| (new.len(), file)));
        new.push((message, arrival.raw.as_deref()));
    }
    let recycled = threads.values().filter(|thread| thread.customer.is_some_and(|one| recycled.contains(&one)));
    let recycled: Vec<Event> = recycled.map(|thread| Event::new("number_recycled", at.now).of(thread.id)).collect();
    messages::insert_all(tx, &new).await?;
    let files: Vec<_> = files.into_iter().map(|(place, file)| (&new[place].0, file)).collect();
    media::insert_all(tx, &files, at.time).await?;
    amendments::insert_all(tx, &amendments).await?;
    messages::touch(tx, &targets.amended).await?;
    let changed: HashSet<ConversationId> = facts.iter().filter_map(|fact| fact.conversation).collect();
    let changed: Vec<Conversation> = threads.into_values().filter(|thread| changed.contains(&thread.id)).collect();
    conversations::save_all(tx, &changed).await?;
    let told: Vec<Event> = recycled.into_iter().chain(facts.iter().cloned()).collect();
    events::append_all(tx, &told).await?;
    let shared: HashSet<ChannelId> =
        once.iter().filter(|one| one.origin == Origin::Echo).map(|one| one.channel).collect();
    for channel in shared {
        channels::shares_with_phone(tx, channel, SHARED_WITH_PHONE).await?;
    }
    let heard: HashSet<ChannelId> = changed.iter().map(|thread| thread.channel).collect();
    for channel in heard {
        channels::heard(tx, channel, at.now).await?;
    }
    Ok(Kept { messages: facts.len(), duplicates: arrivals.len() - facts.len() })
}

/// Messages a second of a number that is also in the WhatsApp Business app (Meta: throughput).
const SHARED_WITH_PHONE: i64 = 20;

/// Those of Meta's ids that are stored already.
pub(super) async fn known(tx: &mut Tx, arrivals: &[&Arrival]) -> Result<HashSet<String>, StoreError> {
    let wamids = || arrivals.iter().map(|one| one.wamid.as_str());
    let messages = messages::by_wamids(tx.conn(), wamids()).await?;
    let mut known: HashSet<String> = messages.into_iter().map(|(wamid, _, _)| wamid).collect();
    if arrivals.iter().any(|one| amended::is_amendment(one)) {
        known.extend(amendments::known(tx.conn(), wamids()).await?);
    }
    Ok(known)
}

/// The conversation of each side on its channel, locked, made where there is none.
async fn threads(
    tx: &mut Tx,
    arrivals: &[&Arrival],
    sides: &[Side],
    now: Micros,
    ids: &Ids,
) -> Result<HashMap<(ChannelId, Side), Conversation>, StoreError> {
    let mut customers = HashSet::new();
    let mut groups = HashSet::new();
    for side in sides {
        match side {
            Side::Customer(customer) => drop(customers.insert(*customer)),
            Side::Group(group) => drop(groups.insert(group.as_str())),
        }
    }
    let mut found = Vec::new();
    if !customers.is_empty() {
        let customers: Vec<CustomerId> = customers.into_iter().collect();
        found.extend(conversations::lock_of_customers(tx, &customers).await?);
    }
    if !groups.is_empty() {
        found.extend(conversations::lock_of_groups(tx, groups).await?);
    }
    // Merged while we waited for its lock: begin again, and find whose it is now.
    if found.iter().any(|one| one.merged_into.is_some()) {
        return Err(StoreError::Conflict);
    }
    let mut threads: HashMap<(ChannelId, Side), Conversation> =
        found.into_iter().filter_map(|one| Some(((one.channel, one.side()?), one))).collect();
    let mut new = Vec::new();
    for (arrival, side) in arrivals.iter().zip(sides) {
        threads.entry((arrival.channel, side.clone())).or_insert_with(|| {
            let one = Conversation::new(ids.next(now), arrival.channel, side.clone(), now);
            new.push(one.clone());
            one
        });
    }
    conversations::insert_all(tx, &new).await?;
    Ok(threads)
}

/// One message changes its conversation.
async fn arrive(
    tx: &mut Tx,
    thread: &mut Conversation,
    arrival: &Arrival,
    blocked: bool,
    policy: &Policy,
    at: Moment,
    ids: &Ids,
) -> Result<Stored, StoreError> {
    let place = order::inbound(arrival.second, at.now, arrival.index);
    let author = if arrival.by_business { Author::Phone } else { Author::Customer };
    let message = Stored {
        second: place.second,
        place: place.index,
        late: place.second < thread.newest_second,
        wamid: Some(arrival.wamid.clone()),
        kind: arrival.kind.clone(),
        detail: arrival.detail.clone(),
        quoted: arrival.quoted.clone(),
        ..Stored::queued(
            ids.next(at.now),
            thread.id,
            thread.channel,
            author,
            arrival.text.clone(),
            thread.epoch,
            at.now,
            at.time,
        )
    };
    thread.newest_second = thread.newest_second.max(place.second);
    thread.updated_at = at.now;
    thread.last_message = Some(message.id);
    if arrival.opens_window {
        thread.window = thread.window.opened_by(Micros::from_seconds(place.second), at.now);
    }
    match arrival.origin {
        Origin::Echo => phone_reply(tx, thread, policy, at, ids).await?,
        Origin::Standby => world(tx, thread, Step::GoElsewhere, Who::Meta, at, ids).await?,
        Origin::Direct => {
            wishes::by_word(tx, thread, arrival, at, ids).await?;
            if blocked {
                // It was on its way when they were blocked: kept, and no answer is owed.
                (thread.newest, thread.unread) = (Some(message.id), thread.unread + 1);
            } else {
                customer_writes(tx, thread, arrival, message.id, policy, at, ids).await?;
            }
        }
        Origin::History => {}
    }
    Ok(message)
}

/// A changed question is asked again; a sign or a deletion asks nothing.
fn amend(tx: &mut Tx, thread: &mut Conversation, arrival: &Arrival, policy: &Policy, at: Moment) {
    thread.updated_at = at.now;
    let said = Said { kind: &arrival.kind, in_group: arrival.group.is_some(), is_copy: false };
    if arrival.by_business || arrival.origin != Origin::Direct || turn::expects_answer(said).is_err() {
        return;
    }
    thread.unread += 1;
    thread.unanswered_since.get_or_insert(at.now);
    make_due(tx, thread, said, policy, at);
}

fn make_due(tx: &mut Tx, thread: &mut Conversation, said: Said<'_>, policy: &Policy, at: Moment) {
    if turn::owed(thread.control, said).is_ok() {
        let first = *thread.due_since.get_or_insert(at.time);
        thread.due_at = Some(turn::due(first, at.time, policy.pause));
        tx.wake(Topic::Turns);
    }
}

async fn phone_reply(
    tx: &mut Tx,
    thread: &mut Conversation,
    policy: &Policy,
    at: Moment,
    ids: &Ids,
) -> Result<(), StoreError> {
    thread.unanswered_since = None;
    let until = at.now.plus(policy.phone_pause);
    world(tx, thread, Step::PhoneReply { until }, Who::Phone, at, ids).await
}

async fn customer_writes(
    tx: &mut Tx,
    thread: &mut Conversation,
    arrival: &Arrival,
    message: MessageId,
    policy: &Policy,
    at: Moment,
    ids: &Ids,
) -> Result<(), StoreError> {
    let said = Said { kind: &arrival.kind, in_group: arrival.group.is_some(), is_copy: false };
    if turn::expects_answer(said).is_err() {
        return Ok(());
    }
    thread.newest = Some(message);
    thread.unread += 1;
    // Said to us and not copied: the thread is ours again.
    if thread.control == Control::Elsewhere {
        world(tx, thread, Step::Returned { unanswered: false }, Who::Meta, at, ids).await?;
    }
    thread.unanswered_since.get_or_insert(at.now);
    if matches!(thread.control, Control::Resolved { .. }) {
        thread.episode += 1;
        let step = Step::CustomerWrites { to_waiting: policy.reopen_to_waiting };
        world(tx, thread, step, Who::Customer, at, ids).await?;
    }
    if let (Control::Waiting { .. }, Some(handoff), true) =
        (thread.control, thread.handoff, asks_for_bot(&arrival.text))
    {
        // What comes of it is the playbook's to say, which is not known here.
        handoffs::wants_bot(tx, handoff).await?;
        thread.returns_at = Some(at.time);
    }
    make_due(tx, thread, said, policy, at);
    let second = arrival.second.unwrap_or(at.now.seconds());
    let age = at.now.since(Micros::from_seconds(second));
    thread.due_late = thread.due_at.is_some() && policy.late_after.is_some_and(|late| age > late);
    Ok(())
}

/// What the world did is a fact: where the table has no step for it, nothing changes.
async fn world(
    tx: &mut Tx,
    thread: &mut Conversation,
    step: Step,
    who: Who,
    at: Moment,
    ids: &Ids,
) -> Result<(), StoreError> {
    world_because(tx, thread, step, who, &Because::reason(control::event_kind(step)), at, ids).await
}

/// The Graph error that says that the customer service window is closed, whatever our clock says.
pub const WINDOW_CLOSED: i64 = 131_047;

/// One of ours came to nothing: the customer has the last word again, and if it was the bot's or the
/// system's, a person is needed, unless the customer has written since.
pub async fn ask_person_after_failure(
    tx: &mut Tx,
    thread: &mut Conversation,
    message: &Stored,
    at: Moment,
    ids: &Ids,
) -> Result<(), StoreError> {
    let Some(delivery) = message.delivery else { return Ok(()) };
    let needed = outgoing::person_needed(message.author, delivery, message.created_at, thread.unanswered_since, at.now);
    thread.unanswer(message);
    if let outgoing::PersonNeeded::Now(reason) = needed
        && thread.control == Control::Bot
    {
        world_because(tx, thread, Step::Escalate, Who::Rule, &Because::reason(reason), at, ids).await?;
    }
    Ok(())
}

async fn world_because(
    tx: &mut Tx,
    thread: &mut Conversation,
    step: Step,
    who: Who,
    because: &Because,
    at: Moment,
    ids: &Ids,
) -> Result<(), StoreError> {
    if let Err(refused) = control::pass(tx, thread, step, who, because, at, ids).await? {
        tracing::debug!(conversation = %thread.id, %refused, "a fact without a step");
    }
    Ok(())
}

//! The baton changes hands: what the control table decides, and everything that follows from it in
//! the same transaction, under the conversation's lock.

use baton_shared::{
    AgentId, Control, HandoffId, Ids, MessageId, ProposalId,
    message::{Author, Delivery},
};

use crate::{
    domain::control::{Refused, Step, Who},
    mutation::{self, Mutation},
};

use super::{
    Moment, StoreError, Tx,
    conversations::Conversation,
    events::{self, Event},
    handoffs::{self, Ending},
    messages::{self, Stored},
    proposals::{self, Proposal},
    wakes::Topic,
};

/// Why a person is needed, and what they should know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Because {
    /// A code.
    pub reason: String,
    pub summary: String,
    /// For hand back and resolve.
    pub ending: Ending,
}

impl Because {
    pub fn reason(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), ..Self::default() }
    }
}

/// What a step did besides changing control.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Passed {
    /// Whether control changed at all.
    pub changed: bool,
    /// The bot's and the system's words that will not be sent.
    pub cancelled: Vec<MessageId>,
    /// A word of the bot's or the system's that was already on its way: the last one.
    pub last_word: Option<Stored>,
    /// The handoff that is open now, or was closed by it.
    pub handoff: Option<HandoffId>,
}

/// Takes `step` for a conversation that is locked; the caller saves it. What is refused changes nothing.
pub async fn pass(
    tx: &mut Tx,
    conversation: &mut Conversation,
    step: Step,
    who: Who,
    because: &Because,
    at: Moment,
    ids: &Ids,
) -> Result<Result<Passed, Refused>, StoreError> {
    let before = conversation.control;
    let baton = match conversation.baton().step(step, who, at.now) {
        Ok(baton) => baton,
        Err(refused) => return Ok(Err(refused)),
    };
    if baton.epoch == conversation.epoch {
        return Ok(Ok(Passed::default()));
    }
    (conversation.control, conversation.epoch) = (baton.control, baton.epoch);
    conversation.waiting_since = baton.waiting_since;
    conversation.updated_at = at.now;
    let event = Event::new(event_kind(step), at.now)
        .of(conversation.id)
        .by(agent_of(who, step))
        .under(conversation.epoch)
        .because(because.reason.clone());
    events::append(tx, event).await?;
    let mut passed = Passed { changed: true, ..Passed::default() };
    fence(tx, conversation, &mut passed, at, ids).await?;
    turn_after(tx, conversation, at);
    timer_after(conversation, at);
    let open = conversation.handoff;
    handoff_after(tx, conversation, before, because, at, ids).await?;
    passed.handoff = conversation.handoff.or(open);
    if matches!(conversation.control, Control::Bot | Control::Resolved { .. }) {
        proposals::outdate(tx, conversation.id, at.now).await?;
    }
    tx.wake(Topic::Outbox);
    Ok(Ok(passed))
}

/// Words that were queued under an older epoch do not start any more.
async fn fence(
    tx: &mut Tx,
    conversation: &mut Conversation,
    passed: &mut Passed,
    at: Moment,
    ids: &Ids,
) -> Result<(), StoreError> {
    for mut message in messages::unsent(tx.conn(), conversation.id).await? {
        if message.author.is_fenced() && !mutation::is(Mutation::NoFence) {
            cancel(tx, conversation, &mut message, at, ids).await?;
            conversation.unanswer(&message);
            passed.cancelled.push(message.id);
        }
    }
    passed.last_word = messages::moving(tx.conn(), conversation.id)
        .await?
        .into_iter()
        .rfind(|message| message.author.is_fenced() && message.delivery == Some(Delivery::Sending));
    Ok(())
}

/// Cancels a word of the bot's or the system's; the bot's text is kept for whoever has the baton now.
pub async fn cancel(
    tx: &mut Tx,
    conversation: &Conversation,
    message: &mut Stored,
    at: Moment,
    ids: &Ids,
) -> Result<(), StoreError> {
    message.delivery = Some(Delivery::Cancelled);
    message.next_try_at = None;
    message.trouble = false;
    messages::save(tx, message).await?;
    events::append(tx, Event::new("message_state", at.now).of(conversation.id).about(message.id)).await?;
    let person = matches!(conversation.control, Control::Waiting { .. } | Control::Agent { .. });
    if message.author == Author::Bot && person {
        let proposal = Proposal {
            id: ids.next::<ProposalId>(at.now),
            conversation: conversation.id,
            text: message.text.clone(),
            origin: "taken".into(),
            confidence: None,
            made_at: at.now,
            decided_at: None,
        };
        proposals::insert(tx, &proposal).await?;
    }
    Ok(())
}

/// The bot owes nothing while it does not have the baton, and answers at once when it gets it back.
fn turn_after(tx: &mut Tx, conversation: &mut Conversation, at: Moment) {
    conversation.forget_turn();
    if conversation.control == Control::Bot && conversation.unanswered_since.is_some() {
        conversation.due_at = Some(at.time);
        conversation.due_since = Some(at.time);
        tx.wake(Topic::Turns);
    }
}

fn timer_after(conversation: &mut Conversation, at: Moment) {
    conversation.returns_at = match conversation.control {
        Control::Phone { until } => Some(at.lease_time_of(until)),
        // At once: what the playbook says of waiting is not known here.
        Control::Waiting { .. } => Some(at.time),
        Control::Bot | Control::Agent { .. } | Control::Elsewhere | Control::Resolved { .. } => None,
    };
}

/// A handoff is open exactly while a person is needed or at work.
async fn handoff_after(
    tx: &mut Tx,
    conversation: &mut Conversation,
    before: Control,
    because: &Because,
    at: Moment,
    ids: &Ids,
) -> Result<(), StoreError> {
    match conversation.control {
        Control::Waiting { .. } => {
            let handoff = open_handoff(tx, conversation, because, "needs_person", at, ids).await?;
            handoffs::queued(tx, handoff, at.now).await?;
        }
        Control::Agent { agent, .. } => {
            let handoff = open_handoff(tx, conversation, because, "taken_unasked", at, ids).await?;
            handoffs::taken(tx, handoff, agent, at.now).await?;
        }
        Control::Bot | Control::Phone { .. } | Control::Elsewhere | Control::Resolved { .. } => {
            if let Some(handoff) = conversation.handoff.take() {
                let mut ending = because.ending.clone();
                if ending.outcome.is_empty() {
                    ending.outcome = default_outcome(conversation.control, before).into();
                }
                handoffs::close(tx, handoff, &ending, at.now).await?;
                // What did not help before a person had it says nothing about what comes after them.
                conversation.unresolved = 0;
            }
            if matches!(conversation.control, Control::Resolved { .. }) {
                conversation.unanswered_since = None;
                conversation.unread = 0;
                conversation.unresolved = 0;
            }
        }
    }
    Ok(())
}

async fn open_handoff(
    tx: &mut Tx,
    conversation: &mut Conversation,
    because: &Because,
    default: &str,
    at: Moment,
    ids: &Ids,
) -> Result<HandoffId, StoreError> {
    if let Some(open) = conversation.handoff {
        return Ok(open);
    }
    let id: HandoffId = ids.next(at.now);
    let reason = if because.reason.is_empty() { default } else { &because.reason };
    // The bot had tried again because nobody came: the customer has heard all that before.
    let last = handoffs::latest(tx.conn(), conversation.id, 1).await?.pop();
    let goes_on = last.filter(|last| last.outcome.as_deref() == Some(handoffs::NOBODY_CAME));
    let told = goes_on.map(|last| last.told).unwrap_or_default();
    handoffs::open(tx, id, conversation.id, reason, &because.summary, &told, at.now).await?;
    conversation.handoff = Some(id);
    Ok(id)
}

const fn default_outcome(now: Control, before: Control) -> &'static str {
    match (now, before) {
        (Control::Phone { .. }, _) => handoffs::ANSWERED_ON_PHONE,
        (Control::Elsewhere, _) => handoffs::OTHER_APP,
        (Control::Resolved { .. }, _) => handoffs::RESOLVED,
        _ => handoffs::HANDED_BACK,
    }
}

/// Who is named in the event: the actor, or whom it was given to.
const fn agent_of(who: Who, step: Step) -> Option<AgentId> {
    match (who, step) {
        (_, Step::Assign { to }) => Some(to),
        (Who::Agent { id, .. }, _) => Some(id),
        _ => None,
    }
}

/// The event's kind.
pub const fn event_kind(step: Step) -> &'static str {
    match step {
        Step::Escalate => "escalated",
        Step::Take { .. } => "taken",
        Step::Assign { .. } => "assigned",
        Step::Release => "released",
        Step::HandBack => "handed_back",
        Step::PhoneReply { .. } => "phone_replied",
        Step::PauseEnds { .. } => "pause_ended",
        Step::GoElsewhere => "elsewhere",
        Step::Returned { .. } => "returned",
        Step::Resolve => "resolved",
        Step::CustomerWrites { .. } => "reopened",
    }
}

/// The kinds of [`event_kind`], and what else is a mark in a thread.
pub const KINDS: &[&str] = &[
    "number_recycled",
    super::mergers::MERGED,
    super::mergers::SPLIT_AGAIN,
    super::errands::REFUSED,
    super::errands::BLOCKED,
    super::errands::UNBLOCKED,
    "escalated",
    "taken",
    "assigned",
    "released",
    "handed_back",
    "phone_replied",
    "pause_ended",
    "elsewhere",
    "returned",
    "resolved",
    "reopened",
];

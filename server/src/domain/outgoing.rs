//! The way of an outgoing message: whether it may start, what an attempt's outcome makes of it,
//! and when the next one goes.

use std::time::Duration;

use super::standing::Stop;
use baton_shared::{
    Epoch, Micros, Window,
    message::{Author, Delivery},
};

/// How long a retryable failure may hold its conversation.
pub const RETRY_LIMIT: Duration = Duration::from_secs(10 * 60);

/// How long the next message waits behind one of which nobody knows whether it arrived.
pub const UNKNOWN_HOLDS: Duration = Duration::from_secs(60);

/// How long a request may take; it stands in the row of a message that is `sending`.
pub const REQUEST_DEADLINE: Duration = Duration::from_secs(10);

/// The tries of an error that may be an accident, but seldom heals.
const FEW: u32 = 3;

/// The operator's switch of a channel, read in the transaction that marks a message `sending`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Switch {
    #[default]
    On,
    BotOff,
    SendingOff,
}

impl Switch {
    pub const ALL: [Self; 3] = [Self::On, Self::BotOff, Self::SendingOff];

    /// The word used in SQL and on the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::BotOff => "bot_off",
            Self::SendingOff => "sending_off",
        }
    }
}

/// Why a message is kept back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    WindowClosed,
    SwitchedOff,
    EarlierPartFailed,
    /// Its author wants it to go once the customer has written.
    UntilTheyWrite,
    /// WhatsApp takes nothing from the number.
    Stopped(Stop),
}

impl Hold {
    /// The one that has this code.
    pub fn from_word(word: &str) -> Option<Self> {
        let known = [Self::WindowClosed, Self::SwitchedOff, Self::EarlierPartFailed, Self::UntilTheyWrite];
        let known = known.into_iter().find(|hold| hold.word() == word);
        known.or_else(|| Stop::from_word(word).map(Self::Stopped))
    }

    /// The code used in SQL and in events.
    pub const fn word(self) -> &'static str {
        match self {
            Self::WindowClosed => "window_closed",
            Self::SwitchedOff => "switched_off",
            Self::EarlierPartFailed => "earlier_part_failed",
            Self::UntilTheyWrite => "until_they_write",
            Self::Stopped(stop) => stop.word(),
        }
    }

    /// What is wrong and what to do, for an agent.
    pub fn sentence(self) -> String {
        let sentence = match self {
            Self::Stopped(stop) => {
                return format!(
                    "Not sent: {}. The operator has been told; it goes when that is settled.",
                    stop.sentence()
                );
            }
            Self::WindowClosed => {
                "Not sent: the 24-hour window is closed. Send a template, or wait until the customer writes."
            }
            Self::SwitchedOff => "Not sent: sending is switched off. It can be sent again when it is on.",
            Self::EarlierPartFailed => "Not sent: an earlier part of this answer failed. Check it and send again.",
            Self::UntilTheyWrite => {
                "Waits: it goes out by itself when the customer writes, if its author has the conversation then."
            }
        };
        sentence.into()
    }
}

/// What the transaction that would mark a message `sending` finds, under the conversation's lock.
#[derive(Clone, Copy, Debug)]
pub struct Scene {
    /// The conversation's epoch now.
    pub epoch: Epoch,
    pub window: Window,
    pub switch: Switch,
    /// Why WhatsApp takes nothing from the number.
    pub stop: Option<Stop>,
    /// Our clock, corrected with Graph's `Date` header.
    pub now: Micros,
}

/// Whether a queued message may start on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    Go,
    /// Control has moved since it was queued; a bot's text is kept as a proposal.
    Cancel,
    Hold(Hold),
}

/// What a message is to the customer service window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Goes only while the window is open.
    Free,
    /// Approved by Meta beforehand: goes at any time.
    Template,
}

/// The fence: decides over a message that was queued under `epoch`.
pub fn start(author: Author, form: Form, epoch: Epoch, scene: Scene) -> Start {
    if author.is_fenced() && epoch != scene.epoch {
        return Start::Cancel;
    }
    let off = match scene.switch {
        Switch::On => false,
        Switch::BotOff => author == Author::Bot,
        Switch::SendingOff => true,
    };
    if off {
        Start::Hold(Hold::SwitchedOff)
    } else if let Some(stop) = scene.stop.filter(|stop| stop.stops(form)) {
        Start::Hold(Hold::Stopped(stop))
    } else if form == Form::Template || scene.window.is_open(scene.now) {
        Start::Go
    } else {
        Start::Hold(Hold::WindowClosed)
    }
}

/// Whether and how a Graph error may be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    Never,
    /// It may be an accident: a few times.
    Few,
    /// Meta is busy, or we are too fast.
    Backoff,
    /// Too many messages to this customer: 4^n seconds.
    Pair,
    /// Not sooner than this.
    After(Duration),
}

/// What came of one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Meta answered with an id.
    Accepted,
    /// Meta answered with an error. `wait`: what it said about when to come back.
    Refused { retry: Retry, wait: Option<Duration> },
    /// The connection was never opened, or the deadline had passed before the request was written.
    NotSent,
    /// Anything else: deadline, reset, an answer that is not Graph's, `sending` found after its lease.
    Unanswered,
}

/// What the decision over the next step needs to know.
#[derive(Clone, Copy, Debug)]
pub struct Tries {
    /// How many attempts there were, with this one.
    pub made: u32,
    pub first_at: Micros,
    pub now: Micros,
    pub window: Window,
    /// Chance, from 0 to 999.
    pub jitter: u16,
}

/// What becomes of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    Accepted,
    /// Queued again, not before `at`.
    Again {
        at: Micros,
    },
    Held(Hold),
    Failed(Failure),
    Unknown,
}

/// Why it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Meta will not have it.
    Refused,
    /// It was tried for as long as it may.
    GaveUp,
}

impl Next {
    pub const fn delivery(self) -> Delivery {
        match self {
            Self::Accepted => Delivery::Accepted,
            Self::Again { .. } => Delivery::Queued,
            Self::Held(_) => Delivery::Held,
            Self::Failed(_) => Delivery::Failed,
            Self::Unknown => Delivery::Unknown,
        }
    }
}

/// The next state of a message that was `sending`.
pub fn next(outcome: Outcome, tries: Tries) -> Next {
    match outcome {
        Outcome::Accepted => Next::Accepted,
        Outcome::Unanswered => Next::Unknown,
        Outcome::NotSent => again(Retry::Backoff, None, tries),
        Outcome::Refused { retry, wait } => again(retry, wait, tries),
    }
}

fn again(retry: Retry, wait: Option<Duration>, tries: Tries) -> Next {
    let Some(delay) = delay(retry, tries) else {
        return Next::Failed(if retry == Retry::Never { Failure::Refused } else { Failure::GaveUp });
    };
    let at = tries.now.plus(delay.max(wait.unwrap_or_default()));
    if at > tries.first_at.plus(RETRY_LIMIT) {
        Next::Failed(Failure::GaveUp)
    } else if !tries.window.is_open(at) {
        Next::Held(Hold::WindowClosed)
    } else {
        Next::Again { at }
    }
}

/// How long to wait before the next try; `None` if there is none.
fn delay(retry: Retry, tries: Tries) -> Option<Duration> {
    let made = tries.made.max(1);
    match retry {
        Retry::Never => None,
        Retry::Few if made >= FEW => None,
        Retry::Few | Retry::Backoff => Some(jittered(Duration::from_secs(1 << (made - 1).min(6)), tries.jitter)),
        // Meta's own advice, from the first retry on.
        Retry::Pair => Some(Duration::from_secs(4_u64.pow(made.min(4)))),
        Retry::After(least) => Some(least + jittered(least / 4, tries.jitter)),
    }
}

/// Between half and the whole of `whole`, so that many who failed together do not come back together.
fn jittered(whole: Duration, jitter: u16) -> Duration {
    whole / 2 + whole * u32::from(jitter.min(999)) / 2_000
}

/// The message before the one that wants to go.
#[derive(Clone, Copy, Debug)]
pub struct Ahead {
    pub author: Author,
    pub delivery: Delivery,
    /// When it came into this state.
    pub since: Micros,
    /// Of its request, while or after it was `sending`.
    pub deadline: Option<Micros>,
}

/// When the message behind may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    Open,
    At(Micros),
    /// Not before the one ahead has changed.
    Shut,
}

/// Whether a message by `behind` may go, given the nearest one ahead of it in its conversation.
pub fn gate(ahead: Ahead, behind: Author, now: Micros) -> Gate {
    // An agent's first word after a take waits only until the bot's last one can no longer start.
    let last_word = behind == Author::Agent && ahead.author.is_fenced();
    let free_at = match ahead.delivery {
        Delivery::Queued => return Gate::Shut,
        Delivery::Sending if last_word => ahead.deadline,
        Delivery::Sending => None,
        Delivery::Unknown => {
            let settled = ahead.since.plus(UNKNOWN_HOLDS);
            Some(if last_word { ahead.deadline.map_or(settled, |deadline| deadline.min(settled)) } else { settled })
        }
        Delivery::Accepted
        | Delivery::Sent
        | Delivery::Delivered
        | Delivery::Read
        | Delivery::Played
        | Delivery::Held
        | Delivery::Cancelled
        | Delivery::Failed => return Gate::Open,
    };
    match free_at {
        None => Gate::Shut,
        Some(at) if at <= now => Gate::Open,
        Some(at) => Gate::At(at),
    }
}

/// Whether the later parts of a split answer are held, after an earlier one came to this.
pub const fn holds_later_parts(earlier: Delivery) -> bool {
    match earlier {
        Delivery::Failed | Delivery::Held | Delivery::Cancelled => true,
        Delivery::Queued
        | Delivery::Sending
        | Delivery::Accepted
        | Delivery::Sent
        | Delivery::Delivered
        | Delivery::Read
        | Delivery::Played
        | Delivery::Unknown => false,
    }
}

/// When a conversation of the bot's turns to Waiting because of one of its messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PersonNeeded {
    No,
    /// With this reason of the handoff.
    Now(&'static str),
    /// Unless a status or the customer's next word settles it.
    At(Micros),
}

/// Whether a message that came to `delivery` at `since` needs a person. `customer_wrote_at` is the
/// arrival of the customer's newest word: with it the turn goes on, and its context says that the
/// message may not have arrived.
pub fn person_needed(
    author: Author,
    delivery: Delivery,
    since: Micros,
    customer_wrote_at: Option<Micros>,
    now: Micros,
) -> PersonNeeded {
    if !author.is_fenced() || customer_wrote_at.is_some_and(|at| at > since) {
        return PersonNeeded::No;
    }
    match delivery {
        Delivery::Failed => PersonNeeded::Now("message_failed"),
        Delivery::Held => PersonNeeded::Now("message_held"),
        Delivery::Unknown => {
            let at = since.plus(UNKNOWN_HOLDS);
            if at <= now { PersonNeeded::Now("message_unsettled") } else { PersonNeeded::At(at) }
        }
        Delivery::Queued
        | Delivery::Sending
        | Delivery::Accepted
        | Delivery::Sent
        | Delivery::Delivered
        | Delivery::Read
        | Delivery::Played
        | Delivery::Cancelled => PersonNeeded::No,
    }
}

#[cfg(test)]
#[path = "outgoing_tests.rs"]
mod tests;

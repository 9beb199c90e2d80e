//! Two conversations that turn out to be with one customer become one: who has it then, until when it is
//! open, what is owed, and what becomes of the words that have not left.

use baton_shared::{AgentId, Control, Epoch, Micros, Window, message::Author};

use super::control::Baton;

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Half {
    pub baton: Baton,
    pub window: Window,
    /// In the time of leases.
    pub due_at: Option<Micros>,
    pub due_since: Option<Micros>,
    /// Since when the customer has had the last word.
    pub unanswered_since: Option<Micros>,
}

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    First,
    Second,
}

/// What they are together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Merged {
    pub baton: Baton,
    pub window: Window,
    pub due_at: Option<Micros>,
    pub due_since: Option<Micros>,
    pub unanswered_since: Option<Micros>,
    /// Whose control it is.
    pub from: Which,
    /// Had the other one, and has not got this one.
    pub lost_by: Option<AgentId>,
}

/// Agent over Waiting over Bot. Of two agents the earlier owner keeps it. What Meta or the business's phone
/// says keeps the bot quiet.
const fn rank(control: Control) -> u8 {
    match control {
        Control::Agent { .. } => 5,
        Control::Waiting { .. } => 4,
        Control::Elsewhere => 3,
        Control::Phone { .. } => 2,
        Control::Bot => 1,
        Control::Resolved { .. } => 0,
    }
}

/// Of both, at `time` (of leases); one bot's turn is due if the bot has it and an answer is owed.
pub fn merge(first: Half, second: Half, time: Micros) -> Merged {
    let from = which(first.baton.control, second.baton.control);
    let (kept, other) = match from {
        Which::First => (first, second),
        Which::Second => (second, first),
    };
    let waiting_since = earlier(first.baton.waiting_since, second.baton.waiting_since);
    let control = match kept.baton.control {
        Control::Waiting { since } => Control::Waiting { since: waiting_since.unwrap_or(since) },
        control => control,
    };
    let owner = control.owner();
    let unanswered_since = earlier(first.unanswered_since, second.unanswered_since);
    let due = earlier(first.due_at, second.due_at).or(unanswered_since.map(|_| time));
    let due_at = due.filter(|_| control == Control::Bot);
    Merged {
        baton: Baton {
            control,
            epoch: Epoch(first.baton.epoch.0.max(second.baton.epoch.0)).next(),
            waiting_since: waiting_since.filter(|_| matches!(control, Control::Waiting { .. } | Control::Agent { .. })),
        },
        window: later(first.window, second.window),
        due_at,
        due_since: due_at.map(|due| earlier(first.due_since, second.due_since).unwrap_or(due)),
        unanswered_since,
        from,
        lost_by: other.baton.control.owner().filter(|agent| Some(*agent) != owner),
    }
}

fn which(first: Control, second: Control) -> Which {
    let second_has_it = match (first, second) {
        (Control::Agent { since: first, .. }, Control::Agent { since: second, .. }) => second < first,
        // The later end of a pause, and the later end of an episode.
        (Control::Phone { until: first }, Control::Phone { until: second })
        | (Control::Resolved { at: first }, Control::Resolved { at: second }) => second > first,
        (first, second) => rank(second) > rank(first),
    };
    if second_has_it { Which::Second } else { Which::First }
}

fn earlier(one: Option<Micros>, other: Option<Micros>) -> Option<Micros> {
    one.into_iter().chain(other).min()
}

/// What Meta said of the younger one holds.
fn later(first: Window, second: Window) -> Window {
    use std::cmp::Ordering;
    match first.closes_at.cmp(&second.closes_at) {
        Ordering::Greater => first,
        Ordering::Less => second,
        Ordering::Equal => Window { overruled: first.overruled || second.overruled, ..first },
    }
}

/// What becomes of a word that was queued in one of the two and has not left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It goes, in the order in which it was queued; a fenced one under the new epoch.
    Stays,
    /// It was said by somebody who has not got the next word any more.
    Cancelled,
}

/// A person's words stay. The bot's and the system's stay if who has the conversation now is who had it
/// when they were queued: `was` of their own half, `is` of both.
pub const fn fate(author: Author, was: Control, is: Control) -> Fate {
    let same = matches!(
        (was, is),
        (Control::Bot, Control::Bot)
            | (Control::Waiting { .. }, Control::Waiting { .. })
            | (Control::Resolved { .. }, Control::Resolved { .. })
    );
    if same || !author.is_fenced() { Fate::Stays } else { Fate::Cancelled }
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;

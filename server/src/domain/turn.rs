//! When the bot's turn is due, whether one is owed at all, and what becomes of its answer.

use std::time::Duration;

use baton_shared::{Control, Micros};

/// How often a turn is begun again because the customer wrote meanwhile; then its answer goes out.
pub const BEGIN_AGAIN_MAX: u8 = 2;

/// How long the bot waits for the rest of a burst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// After each message.
    pub quiet: Duration,
    /// After the first unanswered one, however many follow.
    pub limit: Duration,
}

impl Default for Pause {
    fn default() -> Self {
        Self { quiet: Duration::from_millis(2_500), limit: Duration::from_secs(10) }
    }
}

/// When the turn for everything unanswered is due, after a message that arrived `now`.
pub fn due(first_unanswered_at: Micros, now: Micros, pause: Pause) -> Micros {
    now.plus(pause.quiet).min(first_unanswered_at.plus(pause.limit)).max(now)
}

/// What the rules need to know of a message by the customer. A late one counts like any other:
/// read and answered go by arrival.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// Meta's type: `text`, `image`, `reaction`, ...
    pub kind: &'a str,
    pub in_group: bool,
    /// Not said to us now: a standby copy, an echo of the business's phone, imported history.
    pub is_copy: bool,
}

/// The named rules by which the bot owes no turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoTurn {
    /// Nobody expects an answer to a reaction, a deletion or a system notice.
    Silent,
    Group,
    Copy,
    /// A person is needed or has it: they answer.
    Person,
    /// The business answers on its own phone; the end of the pause decides.
    Phone,
    Elsewhere,
}

impl NoTurn {
    /// The word used in events.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Group => "group",
            Self::Copy => "copy",
            Self::Person => "person",
            Self::Phone => "phone",
            Self::Elsewhere => "elsewhere",
        }
    }
}

/// Whether the customer has the last word after this; whoever owns the conversation owes an answer.
///
/// # Errors
/// The rule that says that no answer is owed.
pub fn expects_answer(said: Said<'_>) -> Result<(), NoTurn> {
    match said.kind {
        _ if said.is_copy => Err(NoTurn::Copy),
        _ if said.in_group => Err(NoTurn::Group),
        "reaction" | "revoke" | "system" | "request_welcome" => Err(NoTurn::Silent),
        // What cannot be read, or did not exist when this was written, still waits for an answer.
        _ => Ok(()),
    }
}

/// Whether the bot owes a turn for it; `control` is the one after the customer wrote.
///
/// # Errors
/// The rule that says that the bot owes none.
pub fn owed(control: Control, said: Said<'_>) -> Result<(), NoTurn> {
    expects_answer(said)?;
    match control {
        Control::Bot => Ok(()),
        Control::Waiting { .. } | Control::Agent { .. } => Err(NoTurn::Person),
        Control::Phone { .. } => Err(NoTurn::Phone),
        Control::Elsewhere => Err(NoTurn::Elsewhere),
        // The customer's word reopens a resolved conversation first; what is left is no such word.
        Control::Resolved { .. } => Err(NoTurn::Silent),
    }
}

/// What has moved between the reading of the context and the commit of the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Control changed.
    pub epoch: bool,
    /// Somebody else leased the turn since.
    pub lease: bool,
    /// The customer wrote.
    pub newest: bool,
}

/// What becomes of a finished answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is queued; if the customer wrote meanwhile, the rest is the next turn.
    Commit,
    /// It is kept for a person.
    Propose,
    /// It is dropped: another worker makes this turn.
    Drop,
    /// It is dropped, and a turn that reads the newest message begins.
    BeginAgain,
}

/// Decides over an answer that was begun again `begun_again` times already.
pub const fn settle(moved: Moved, begun_again: u8) -> Verdict {
    if moved.lease {
        Verdict::Drop
    } else if moved.epoch {
        Verdict::Propose
    } else if moved.newest && begun_again < BEGIN_AGAIN_MAX {
        Verdict::BeginAgain
    } else {
        Verdict::Commit
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: Said<'_> = Said { kind: "text", in_group: false, is_copy: false };

    proptest! {
        #[test]
        fn a_burst_is_waited_for_but_not_for_ever(gaps in prop::collection::vec(0_i64..4_000, 1..40)) {
            let pause = Pause::default();
            let first = Micros::from_seconds(1_000);
            let (mut now, mut last_due) = (first, due(first, first, pause));
            prop_assert_eq!(last_due, first.plus(pause.quiet));
            for gap in gaps {
                now = now.plus(Duration::from_millis(gap.unsigned_abs()));
                let next = due(first, now, pause);
                prop_assert!(next >= now && next >= last_due);
                prop_assert!(next <= now.plus(pause.quiet));
                prop_assert!(next == now || next <= first.plus(pause.limit));
                last_due = next;
            }
        }
    }

    #[test]
    fn what_was_left_unanswered_long_ago_is_due_now() {
        let now = Micros::from_seconds(5_000);
        assert_eq!(due(Micros::from_seconds(10), now, Pause::default()), now);
    }

    #[test]
    fn the_bot_answers_only_what_is_said_to_it() {
        assert_eq!(owed(Control::Bot, TEXT), Ok(()));
        assert_eq!(owed(Control::Waiting { since: Micros(1) }, TEXT), Err(NoTurn::Person));
        assert_eq!(owed(Control::Phone { until: Micros(1) }, TEXT), Err(NoTurn::Phone));
        assert_eq!(owed(Control::Elsewhere, TEXT), Err(NoTurn::Elsewhere));
        assert_eq!(owed(Control::Bot, Said { in_group: true, ..TEXT }), Err(NoTurn::Group));
        assert_eq!(owed(Control::Bot, Said { is_copy: true, ..TEXT }), Err(NoTurn::Copy));
        assert_eq!(owed(Control::Bot, Said { kind: "reaction", ..TEXT }), Err(NoTurn::Silent));
    }

    #[test]
    fn promise_13_a_kind_that_nobody_knows_is_not_forgotten() {
        for kind in ["unsupported", "hologram", "", "image"] {
            assert_eq!(expects_answer(Said { kind, ..TEXT }), Ok(()));
        }
    }

    #[test]
    fn an_answer_meets_what_moved() {
        let still = Moved::default();
        assert_eq!(settle(still, 0), Verdict::Commit);
        assert_eq!(settle(Moved { epoch: true, newest: true, ..still }, 0), Verdict::Propose);
        assert_eq!(settle(Moved { epoch: true, lease: true, newest: true }, 0), Verdict::Drop);
        let wrote = Moved { newest: true, ..still };
        assert_eq!(
            [0, 1, 2, 3].map(|again| settle(wrote, again)),
            [Verdict::BeginAgain, Verdict::BeginAgain, Verdict::Commit, Verdict::Commit]
        );
    }
}

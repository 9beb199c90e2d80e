//! The control table: who may pass the baton from where to where. Everything else is refused.

use baton_shared::{AgentId, Control, Epoch, Micros, Role, protocol::Refusal};

/// What is passed from hand to hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Baton {
    pub control: Control,
    pub epoch: Epoch,
    /// Since when a person has been needed; kept through take, transfer and release, so that a
    /// conversation that comes back to the queue keeps its age. `None` while no person is needed.
    pub waiting_since: Option<Micros>,
}

/// One act of the control table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The bot should not go on.
    Escalate,
    /// Mine from now on. `granted_elsewhere`: Meta's `thread_control` gave us the thread.
    Take { granted_elsewhere: bool },
    /// Somebody else's from now on: assigned or stolen by a supervisor, transferred by its owner.
    Assign { to: AgentId },
    /// Back to the queue.
    Release,
    /// Back to the bot.
    HandBack,
    /// The business answered on its own phone; the bot pauses until then.
    PhoneReply { until: Micros },
    /// The pause after a phone reply is over.
    PauseEnds { unanswered: bool },
    /// Meta gave the thread to another app.
    GoElsewhere,
    /// Meta gave it back.
    Returned { unanswered: bool },
    /// Done, until the customer writes again.
    Resolve,
    /// The customer wrote. `to_waiting`: the playbook wants a person for a new episode.
    CustomerWrites { to_waiting: bool },
}

/// Who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Bot,
    /// A rule of the playbook or of the outbox.
    Rule,
    Agent {
        id: AgentId,
        role: Role,
    },
    Customer,
    /// The business's own phone.
    Phone,
    Meta,
    Time,
}

/// Why a step is not taken; its text is a sentence for an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("{}", if owner.is_some() { "A colleague has this conversation." } else { "Take this conversation first." })]
    NotYours { owner: Option<AgentId> },
    #[error("This conversation cannot be {done} now: {}.", situation(from))]
    NotFromHere { done: &'static str, from: Control },
    #[error("Your role does not allow that a conversation is {done}.")]
    NotAllowed { done: &'static str },
}

impl Refused {
    pub const fn code(&self) -> Refusal {
        match self {
            Self::NotYours { .. } => Refusal::NotYours,
            Self::NotFromHere { .. } => Refusal::NotFromHere,
            Self::NotAllowed { .. } => Refusal::NotAllowed,
        }
    }

    /// Who has it, if that is why.
    pub const fn owner(&self) -> Option<AgentId> {
        match self {
            Self::NotYours { owner } => *owner,
            Self::NotFromHere { .. } | Self::NotAllowed { .. } => None,
        }
    }
}

impl Baton {
    /// A conversation that was never passed.
    pub const fn new(control: Control) -> Self {
        Self { control, epoch: Epoch(0), waiting_since: age(control, None) }
    }

    /// The baton after `step`. The epoch grows by one if control changed, and only then.
    ///
    /// What the world did (the phone, Meta, the customer) is a fact and is not refused: where the
    /// table has no step for it, it changes nothing. The same goes for a take of one's own.
    ///
    /// # Errors
    /// If the table does not have the step from here, or not by `who`.
    pub fn step(self, step: Step, who: Who, now: Micros) -> Result<Self, Refused> {
        may(step, who)?;
        let control = self.after(step, who, now)?;
        if control == self.control {
            return Ok(self);
        }
        Ok(Self { control, epoch: self.epoch.next(), waiting_since: age(control, self.waiting_since) })
    }

    fn after(self, step: Step, who: Who, now: Micros) -> Result<Control, Refused> {
        let from = self.control;
        match step {
            Step::Escalate => escalate(from, now),
            Step::Take { granted_elsewhere } => take(from, who, granted_elsewhere, now),
            Step::Assign { to } => assign(from, to, who, now),
            Step::Release => release(from, who, self.waiting_since.unwrap_or(now)),
            Step::HandBack => hand_back(from, who),
            Step::PhoneReply { until } => Ok(phone_reply(from, until, now)),
            Step::PauseEnds { unanswered } => pause_ends(from, unanswered, now),
            Step::GoElsewhere => Ok(Control::Elsewhere),
            Step::Returned { unanswered } => Ok(returned(from, unanswered, now)),
            Step::Resolve => resolve(from, who, now),
            Step::CustomerWrites { to_waiting } => Ok(customer_writes(from, to_waiting, now)),
        }
    }
}

/// Whether `who` may say something to the customer now; nobody takes a conversation by sending.
///
/// # Errors
/// If `who` does not own the next word.
pub fn may_send(control: Control, who: Who) -> Result<(), Refused> {
    let refused = Err(Refused::NotFromHere { done: "answered", from: control });
    match (who, control) {
        (Who::Bot, Control::Bot) | (Who::Rule, Control::Bot | Control::Waiting { .. } | Control::Resolved { .. }) => {
            Ok(())
        }
        (Who::Agent { role: Role::Admin, .. }, _) | (Who::Customer | Who::Phone | Who::Meta | Who::Time, _) => {
            Err(Refused::NotAllowed { done: "answered" })
        }
        (Who::Agent { .. }, Control::Elsewhere) | (Who::Bot | Who::Rule, _) => refused,
        (Who::Agent { .. }, _) => owned_by(control, who),
    }
}

/// Whether `who` may try such a step at all, wherever the conversation stands.
fn may(step: Step, who: Who) -> Result<(), Refused> {
    let person = matches!(who, Who::Agent { role: Role::Agent | Role::Supervisor, .. });
    let allowed = match step {
        Step::Escalate => person || matches!(who, Who::Bot | Who::Rule),
        Step::Take { .. } | Step::Assign { .. } => person,
        // Nobody came, or the customer would rather have the bot.
        Step::HandBack => person || matches!(who, Who::Time | Who::Customer),
        // Time: the grace after a client was lost.
        Step::Release => person || who == Who::Time,
        Step::Resolve => person || who == Who::Bot,
        Step::PhoneReply { .. } => who == Who::Phone,
        Step::PauseEnds { .. } => who == Who::Time,
        Step::GoElsewhere | Step::Returned { .. } => who == Who::Meta,
        Step::CustomerWrites { .. } => who == Who::Customer,
    };
    if allowed { Ok(()) } else { Err(Refused::NotAllowed { done: done(step) }) }
}

fn escalate(from: Control, now: Micros) -> Result<Control, Refused> {
    match from {
        Control::Bot => Ok(Control::Waiting { since: now }),
        Control::Waiting { .. }
        | Control::Agent { .. }
        | Control::Phone { .. }
        | Control::Elsewhere
        | Control::Resolved { .. } => Err(not_from(from, Step::Escalate)),
    }
}

fn take(from: Control, who: Who, granted: bool, now: Micros) -> Result<Control, Refused> {
    let Who::Agent { id, .. } = who else {
        return Err(Refused::NotAllowed { done: "taken" });
    };
    let mine = Control::Agent { agent: id, since: now };
    match from {
        Control::Bot | Control::Waiting { .. } | Control::Phone { .. } | Control::Resolved { .. } => Ok(mine),
        Control::Elsewhere if granted => Ok(mine),
        Control::Elsewhere => Err(not_from(from, Step::Take { granted_elsewhere: granted })),
        Control::Agent { agent, .. } if agent == id => Ok(from),
        Control::Agent { agent, .. } => Err(Refused::NotYours { owner: Some(agent) }),
    }
}

fn assign(from: Control, to: AgentId, who: Who, now: Micros) -> Result<Control, Refused> {
    let theirs = Control::Agent { agent: to, since: now };
    match from {
        Control::Agent { agent, .. } if agent == to => owned_or_supervised(from, who).map(|()| from),
        Control::Waiting { .. } | Control::Agent { .. } => owned_or_supervised(from, who).map(|()| theirs),
        Control::Bot | Control::Phone { .. } | Control::Elsewhere | Control::Resolved { .. } => {
            Err(not_from(from, Step::Assign { to }))
        }
    }
}

fn release(from: Control, who: Who, since: Micros) -> Result<Control, Refused> {
    match from {
        Control::Agent { .. } => owned_or_supervised(from, who).map(|()| Control::Waiting { since }),
        Control::Bot
        | Control::Waiting { .. }
        | Control::Phone { .. }
        | Control::Elsewhere
        | Control::Resolved { .. } => Err(not_from(from, Step::Release)),
    }
}

fn hand_back(from: Control, who: Who) -> Result<Control, Refused> {
    match from {
        // What a person has, nobody but a person gives back.
        Control::Agent { .. } if matches!(who, Who::Time | Who::Customer) => Err(not_from(from, Step::HandBack)),
        Control::Waiting { .. } if who == Who::Customer => Ok(Control::Bot),
        Control::Agent { .. } | Control::Waiting { .. } => owned_or_supervised(from, who).map(|()| Control::Bot),
        Control::Bot | Control::Phone { .. } | Control::Elsewhere | Control::Resolved { .. } => {
            Err(not_from(from, Step::HandBack))
        }
    }
}

/// An agent stays the owner (the room warns); a later reply extends the pause, a stray older one does not.
fn phone_reply(from: Control, until: Micros, now: Micros) -> Control {
    match from {
        // The news of it came so late that its pause is over.
        _ if until <= now => from,
        Control::Bot | Control::Waiting { .. } => Control::Phone { until },
        Control::Phone { until: known } => Control::Phone { until: known.max(until) },
        Control::Agent { .. } | Control::Elsewhere | Control::Resolved { .. } => from,
    }
}

fn pause_ends(from: Control, unanswered: bool, now: Micros) -> Result<Control, Refused> {
    match from {
        // A later reply may have extended the pause after this end of it was planned.
        Control::Phone { until } if until <= now => Ok(bot_or_waiting(unanswered, now)),
        Control::Phone { .. }
        | Control::Bot
        | Control::Waiting { .. }
        | Control::Agent { .. }
        | Control::Elsewhere
        | Control::Resolved { .. } => Err(not_from(from, Step::PauseEnds { unanswered })),
    }
}

fn returned(from: Control, unanswered: bool, now: Micros) -> Control {
    match from {
        Control::Elsewhere => bot_or_waiting(unanswered, now),
        Control::Bot
        | Control::Waiting { .. }
        | Control::Agent { .. }
        | Control::Phone { .. }
        | Control::Resolved { .. } => from,
    }
}

fn resolve(from: Control, who: Who, now: Micros) -> Result<Control, Refused> {
    let resolved = Control::Resolved { at: now };
    match from {
        Control::Bot if who == Who::Bot => Ok(resolved),
        Control::Bot | Control::Waiting { .. } | Control::Agent { .. } | Control::Phone { .. } => {
            owned_or_supervised(from, who).map(|()| resolved)
        }
        Control::Elsewhere | Control::Resolved { .. } => Err(not_from(from, Step::Resolve)),
    }
}

fn customer_writes(from: Control, to_waiting: bool, now: Micros) -> Control {
    match from {
        Control::Resolved { .. } => bot_or_waiting(to_waiting, now),
        Control::Bot | Control::Waiting { .. } | Control::Agent { .. } | Control::Phone { .. } | Control::Elsewhere => {
            from
        }
    }
}

const fn bot_or_waiting(waiting: bool, since: Micros) -> Control {
    if waiting { Control::Waiting { since } } else { Control::Bot }
}

/// The owner and every supervisor; time stands in for an owner whose client was lost.
fn owned_or_supervised(control: Control, who: Who) -> Result<(), Refused> {
    match who {
        Who::Agent { role: Role::Supervisor, .. } | Who::Time => Ok(()),
        Who::Agent { .. } | Who::Bot | Who::Rule | Who::Customer | Who::Phone | Who::Meta => owned_by(control, who),
    }
}

fn owned_by(control: Control, who: Who) -> Result<(), Refused> {
    let owner = control.owner();
    match who {
        Who::Agent { id, .. } if owner == Some(id) => Ok(()),
        Who::Agent { .. } | Who::Bot | Who::Rule | Who::Customer | Who::Phone | Who::Meta | Who::Time => {
            Err(Refused::NotYours { owner })
        }
    }
}

/// The age that goes with a state: born in the queue, kept by an agent, lost where no person is needed.
const fn age(control: Control, known: Option<Micros>) -> Option<Micros> {
    match control {
        Control::Waiting { since } => Some(since),
        Control::Agent { .. } => known,
        Control::Bot | Control::Phone { .. } | Control::Elsewhere | Control::Resolved { .. } => None,
    }
}

const fn not_from(from: Control, step: Step) -> Refused {
    Refused::NotFromHere { done: done(step), from }
}

const fn done(step: Step) -> &'static str {
    match step {
        Step::Escalate => "escalated",
        Step::Take { .. } => "taken",
        Step::Assign { .. } => "assigned",
        Step::Release => "released",
        Step::HandBack => "handed back",
        Step::PhoneReply { .. } => "answered on the phone",
        Step::PauseEnds { .. } => "given back by the phone",
        Step::GoElsewhere => "given to another app",
        Step::Returned { .. } => "returned",
        Step::Resolve => "resolved",
        Step::CustomerWrites { .. } => "reopened by the customer",
    }
}

const fn situation(control: &Control) -> &'static str {
    match control {
        Control::Bot => "the bot has it",
        Control::Waiting { .. } => "nobody has taken it",
        Control::Agent { .. } => "an agent has it",
        Control::Phone { .. } => "somebody answers on the business's phone",
        Control::Elsewhere => "another app owns the thread",
        Control::Resolved { .. } => "it is resolved",
    }
}

#[cfg(test)]
#[path = "control_tests.rs"]
mod tests;

//! What becomes of a conversation that waits for a person while time passes, and no clock.

use std::time::Duration;

use baton_shared::Micros;

use super::{
    hours::{Hours, Opening},
    occasion::{Occasion, Told},
};

/// How long a customer is left alone with it, and what happens then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patience {
    /// When they hear that it takes longer; two at the most, in order.
    pub still_waiting: Vec<Duration>,
    /// When somebody should have come.
    pub deadline: Duration,
    pub at_deadline: Fallback,
    pub out_of_hours: Fallback,
}

/// What is done if nobody comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// The bot tries once more.
    Bot,
    /// They are told, and wait on.
    Message,
    /// They are called back when people are there again.
    Callback,
}

/// One that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// From when patience counts: when it came into the queue, or when people are there again.
    pub from: Micros,
    pub told: Told,
    /// The customer wrote into the queue; nobody said that a person comes.
    pub unannounced: bool,
    pub callback_at: Option<Micros>,
    /// The customer has asked for the bot.
    pub wants_bot: bool,
    /// It is switched on, and may speak here.
    pub bot_is_there: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    Tell(Occasion),
    GiveToBot,
    CallBack(Micros),
}

/// What is to be done now, in order, and when to look again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub acts: Vec<Act>,
    /// From when patience counts from now on.
    pub from: Micros,
    /// `None`: all has been done, and it waits with its age shown.
    pub next: Option<Micros>,
}

/// Nobody knows when people are there again: it is looked at this often.
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Without `hours` people are there at any time.
pub fn plan(now: Micros, wait: &Wait, hours: Option<&Hours>, patience: &Patience) -> Plan {
    if wait.wants_bot && wait.bot_is_there {
        return to_bot(wait, &[]);
    }
    match hours.map(|hours| (hours, hours.at(now))) {
        Some((hours, Opening::Closed { until })) => closed(now, wait, hours, until, patience),
        Some((_, Opening::Open { until })) => open(now, wait, hours, until, patience),
        None => open(now, wait, None, None, patience),
    }
}

fn closed(now: Micros, wait: &Wait, hours: &Hours, back: Option<Micros>, patience: &Patience) -> Plan {
    let tell = (!wait.told.has(Occasion::OutOfHours)).then_some(Act::Tell(Occasion::OutOfHours));
    if patience.out_of_hours == Fallback::Bot && bot_may_try(wait) {
        return to_bot(wait, tell.as_slice());
    }
    let promised = back.filter(|_| patience.out_of_hours == Fallback::Callback && wait.callback_at != back);
    let acts = promised.map(Act::CallBack).into_iter().chain(tell).collect();
    // Whoever came while nobody was there, or hears so for the first time, waits from the next morning on. Not
    // again each evening: a long deadline would never come.
    let anew = tell.is_some() || hours.at(wait.from) == Opening::Closed { until: back };
    Plan { acts, from: back.filter(|_| anew).unwrap_or(wait.from), next: Some(back.unwrap_or_else(|| now.plus(DAY))) }
}

fn open(now: Micros, wait: &Wait, hours: Option<&Hours>, closes: Option<Micros>, patience: &Patience) -> Plan {
    let told = &wait.told;
    let mut plan = Plan { acts: Vec::new(), from: wait.from, next: None };
    if wait.unannounced && !told.has(Occasion::Bridge) && !told.has(Occasion::OutOfHours) {
        plan.acts.push(Act::Tell(Occasion::Bridge));
    }
    let deadline = wait.from.plus(patience.deadline);
    let hints = patience.still_waiting.iter().map(|after| wait.from.plus(*after)).filter(|hint| *hint < deadline);
    if deadline > now {
        let due = hints.clone().filter(|hint| *hint <= now).count();
        if told.times(Occasion::StillWaiting) < due {
            plan.acts.push(Act::Tell(Occasion::StillWaiting));
        }
        plan.next = hints.chain([deadline]).chain(closes).filter(|moment| *moment > now).min();
        return plan;
    }
    if told.has(Occasion::NobodyCame) {
        return plan;
    }
    match patience.at_deadline {
        Fallback::Bot if bot_may_try(wait) => return to_bot(wait, &[]),
        Fallback::Callback => {
            let back = closes.and_then(|closes| match hours?.at(closes) {
                Opening::Closed { until } => until,
                Opening::Open { .. } => None,
            });
            let back = back.unwrap_or_else(|| now.plus(patience.deadline));
            plan.acts.push(Act::CallBack(back));
            (plan.from, plan.next) = (back, Some(back));
        }
        Fallback::Bot | Fallback::Message => {}
    }
    plan.acts.push(Act::Tell(Occasion::NobodyCame));
    plan
}

/// Once: what it could not do then, it cannot do now.
fn bot_may_try(wait: &Wait) -> bool {
    wait.bot_is_there && !wait.told.has(Occasion::BackToAssistant)
}

/// What is told comes after the change of control, which would cancel it otherwise.
fn to_bot(wait: &Wait, before: &[Act]) -> Plan {
    let mut acts = vec![Act::GiveToBot];
    acts.extend(before);
    acts.push(Act::Tell(Occasion::BackToAssistant));
    Plan { acts, from: wait.from, next: None }
}

#[cfg(test)]
#[path = "waiting_tests.rs"]
mod tests;

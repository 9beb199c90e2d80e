//! The control table, written out, and what must hold of any walk through it.

use std::fmt::Write as _;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

const NOW: Micros = Micros::from_seconds(1_000);
const BEFORE: Micros = Micros::from_seconds(900);
const AFTER: Micros = Micros::from_seconds(1_100);

fn agent(number: u128) -> AgentId {
    AgentId(Uuid::from_u128(number))
}

const fn baton(control: Control) -> Baton {
    Baton { control, epoch: Epoch(7), waiting_since: age(control, Some(BEFORE)) }
}

fn states() -> [(&'static str, Control); 7] {
    [
        ("bot", Control::Bot),
        ("waiting", Control::Waiting { since: BEFORE }),
        ("owned", Control::Agent { agent: agent(1), since: BEFORE }),
        ("phone over", Control::Phone { until: BEFORE }),
        ("phone", Control::Phone { until: AFTER }),
        ("elsewhere", Control::Elsewhere),
        ("resolved", Control::Resolved { at: BEFORE }),
    ]
}

fn steps() -> [(&'static str, Step); 15] {
    [
        ("escalate", Step::Escalate),
        ("take", Step::Take { granted_elsewhere: false }),
        ("take granted", Step::Take { granted_elsewhere: true }),
        ("assign", Step::Assign { to: agent(2) }),
        ("release", Step::Release),
        ("hand back", Step::HandBack),
        ("phone reply", Step::PhoneReply { until: Micros::from_seconds(1_050) }),
        ("pause ends", Step::PauseEnds { unanswered: false }),
        ("pause ends, unanswered", Step::PauseEnds { unanswered: true }),
        ("go elsewhere", Step::GoElsewhere),
        ("returned", Step::Returned { unanswered: false }),
        ("returned, unanswered", Step::Returned { unanswered: true }),
        ("resolve", Step::Resolve),
        ("customer writes", Step::CustomerWrites { to_waiting: false }),
        ("customer writes, to waiting", Step::CustomerWrites { to_waiting: true }),
    ]
}

fn everyone() -> [(&'static str, Who); 10] {
    let person = |number, role| Who::Agent { id: agent(number), role };
    [
        ("bot", Who::Bot),
        ("rule", Who::Rule),
        ("owner", person(1, Role::Agent)),
        ("colleague", person(2, Role::Agent)),
        ("supervisor", person(3, Role::Supervisor)),
        ("admin", person(4, Role::Admin)),
        ("customer", Who::Customer),
        ("phone", Who::Phone),
        ("meta", Who::Meta),
        ("time", Who::Time),
    ]
}

fn cell(before: Baton, after: Result<Baton, Refused>) -> String {
    match after {
        Ok(after) if after == before => "same".into(),
        Ok(Baton { control: Control::Agent { agent, .. }, .. }) => format!("agent {}", agent.0.as_u128()),
        Ok(after) => after.control.word().into(),
        Err(Refused::NotYours { owner: Some(_) }) => "not yours".into(),
        Err(Refused::NotYours { owner: None }) => "take first".into(),
        Err(Refused::NotFromHere { .. }) => "-".into(),
        Err(Refused::NotAllowed { .. }) => "never".into(),
    }
}

/// A line for each step and everyone who may try it; whoever is not named is never allowed to.
fn table() -> String {
    let mut text = String::new();
    for (name, step) in steps() {
        writeln!(text, "{name}").unwrap();
        for (who_name, who) in everyone() {
            let cells = states().map(|(_, control)| cell(baton(control), baton(control).step(step, who, NOW)));
            if cells.iter().all(|cell| cell == "never") {
                continue;
            }
            let cells = cells.map(|cell| format!("{cell:10}")).join(" ");
            writeln!(text, "  {who_name:10} {}", cells.trim_end()).unwrap();
        }
    }
    text
}

#[test]
fn the_control_table() {
    let head = states().map(|(name, _)| format!("{name:10}")).join(" ");
    let written = format!("{:13}{}\n{}", "", head.trim_end(), table());
    assert_eq!(written, include_str!("control_table.txt"), "\n{written}");
}

#[test]
fn a_refusal_says_why_and_who() {
    let owned = baton(Control::Agent { agent: agent(1), since: BEFORE });
    let refused = owned.step(Step::Take { granted_elsewhere: false }, everyone()[3].1, NOW).unwrap_err();
    assert_eq!((refused.code(), refused.owner()), (Refusal::NotYours, Some(agent(1))));
    assert_eq!(refused.to_string(), "A colleague has this conversation.");

    let refused = baton(Control::Bot).step(Step::HandBack, everyone()[2].1, NOW).unwrap_err();
    assert_eq!(refused.code(), Refusal::NotFromHere);
    assert_eq!(refused.to_string(), "This conversation cannot be handed back now: the bot has it.");

    let refused = baton(Control::Bot).step(Step::Escalate, Who::Customer, NOW).unwrap_err();
    assert_eq!(refused.code(), Refusal::NotAllowed);
}

#[test]
fn a_released_conversation_keeps_its_age() {
    let owner = everyone()[2].1;
    let waiting = baton(Control::Waiting { since: BEFORE });
    let taken = waiting.step(Step::Take { granted_elsewhere: false }, owner, NOW).unwrap();
    let given = taken.step(Step::Assign { to: agent(2) }, owner, NOW).unwrap();
    let released = given.step(Step::Release, Who::Time, AFTER).unwrap();
    assert_eq!(released.control, Control::Waiting { since: BEFORE });

    let taken = baton(Control::Bot).step(Step::Take { granted_elsewhere: false }, owner, NOW).unwrap();
    let released = taken.step(Step::Release, owner, AFTER).unwrap();
    assert_eq!(released.control, Control::Waiting { since: AFTER });
}

#[test]
fn a_later_reply_on_the_phone_extends_the_pause_and_an_older_one_does_not() {
    let paused = baton(Control::Phone { until: AFTER });
    let older = paused.step(Step::PhoneReply { until: NOW }, Who::Phone, NOW).unwrap();
    assert_eq!(older, paused);
    let later = Micros::from_seconds(2_000);
    let extended = paused.step(Step::PhoneReply { until: later }, Who::Phone, NOW).unwrap();
    assert_eq!(extended.control, Control::Phone { until: later });
    assert!(extended.step(Step::PauseEnds { unanswered: false }, Who::Time, AFTER).is_err());
}

#[test]
fn only_the_owner_speaks() {
    let words = |who| states().map(|(_, control)| may_send(control, who).is_ok());
    let [bot, rule, owner, colleague, supervisor, admin, ..] = everyone().map(|(_, who)| words(who));
    assert_eq!(bot, [true, false, false, false, false, false, false]);
    assert_eq!(rule, [true, true, false, false, false, false, true]);
    assert_eq!(owner, [false, false, true, false, false, false, false]);
    assert_eq!([colleague, supervisor, admin], [[false; 7]; 3]);
}

fn any_moment() -> impl Strategy<Value = Micros> {
    (0_i64..5_000).prop_map(Micros::from_seconds)
}

fn any_step() -> impl Strategy<Value = Step> {
    let any_agent = (1_u128..4).prop_map(agent);
    prop_oneof![
        Just(Step::Escalate),
        any::<bool>().prop_map(|granted_elsewhere| Step::Take { granted_elsewhere }),
        any_agent.prop_map(|to| Step::Assign { to }),
        Just(Step::Release),
        Just(Step::HandBack),
        any_moment().prop_map(|until| Step::PhoneReply { until }),
        any::<bool>().prop_map(|unanswered| Step::PauseEnds { unanswered }),
        Just(Step::GoElsewhere),
        any::<bool>().prop_map(|unanswered| Step::Returned { unanswered }),
        Just(Step::Resolve),
        any::<bool>().prop_map(|to_waiting| Step::CustomerWrites { to_waiting }),
    ]
}

fn any_who() -> impl Strategy<Value = Who> {
    prop::sample::select(everyone().map(|(_, who)| who).to_vec())
}

/// Who makes the step in earnest, so that walks get somewhere.
fn apt(step: Step, who: Who) -> Who {
    match step {
        Step::PhoneReply { .. } => Who::Phone,
        Step::PauseEnds { .. } => Who::Time,
        Step::GoElsewhere | Step::Returned { .. } => Who::Meta,
        Step::CustomerWrites { .. } => Who::Customer,
        Step::Escalate | Step::Take { .. } | Step::Assign { .. } | Step::Release | Step::HandBack | Step::Resolve => {
            who
        }
    }
}

proptest! {
    #[test]
    fn the_epoch_grows_by_one_with_each_change_and_never_otherwise(
        walk in prop::collection::vec((any_step(), any_who(), any::<bool>(), any_moment()), 1..60),
    ) {
        let mut baton = Baton::new(Control::Bot);
        for (step, who, in_earnest, now) in walk {
            let who = if in_earnest { apt(step, who) } else { who };
            let Ok(after) = baton.step(step, who, now) else { continue };
            let grown = after.epoch.0 - baton.epoch.0;
            prop_assert_eq!(grown, i64::from(after.control != baton.control));
            if grown == 0 {
                prop_assert_eq!(after, baton);
            }
            baton = after;
        }
    }

    #[test]
    fn a_waiting_conversation_shows_the_age_that_is_kept(
        walk in prop::collection::vec((any_step(), any_who(), any_moment()), 1..60),
    ) {
        let mut baton = Baton::new(Control::Bot);
        for (step, who, now) in walk {
            let Ok(after) = baton.step(step, apt(step, who), now) else { continue };
            match after.control {
                Control::Waiting { since } => prop_assert_eq!(after.waiting_since, Some(since)),
                Control::Agent { .. } => prop_assert_eq!(after.waiting_since, baton.waiting_since),
                Control::Bot | Control::Phone { .. } | Control::Elsewhere | Control::Resolved { .. } => {
                    prop_assert_eq!(after.waiting_since, None);
                }
            }
            baton = after;
        }
    }

    #[test]
    fn promise_4_of_two_takes_one_wins_and_the_other_hears_who(first in 1_u128..4, second in 1_u128..4) {
        let who = |number| Who::Agent { id: agent(number), role: Role::Agent };
        let take = Step::Take { granted_elsewhere: false };
        let taken = baton(Control::Waiting { since: BEFORE }).step(take, who(first), NOW).unwrap();
        let again = taken.step(take, who(second), AFTER);
        if first == second {
            prop_assert_eq!(again, Ok(taken));
        } else {
            prop_assert_eq!(again, Err(Refused::NotYours { owner: Some(agent(first)) }));
        }
    }
}

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::domain::hours::Span;

const MINUTE: Duration = Duration::from_secs(60);
/// Monday, 5 January 2026, 9:00 in UTC.
const NINE: Micros = Micros::from_seconds(1_767_603_600);

fn patience(at_deadline: Fallback, out_of_hours: Fallback) -> Patience {
    Patience { still_waiting: vec![MINUTE * 5, MINUTE * 10], deadline: MINUTE * 15, at_deadline, out_of_hours }
}

fn wait(from: Micros) -> Wait {
    Wait {
        from,
        told: Told::parse("bridge"),
        unannounced: false,
        callback_at: None,
        wants_bot: false,
        bot_is_there: true,
    }
}

/// Nine to five in UTC, Monday to Friday.
fn office() -> Hours {
    let mut week: [Vec<Span>; 7] = std::array::from_fn(|_| Vec::new());
    week[..5].fill(vec![Span { from: 540, to: 1_020 }]);
    Hours { zone: TimeZone::UTC, week, days: BTreeMap::new() }
}

/// Plays time: what was done when, in minutes after `NINE`, until nothing more is planned.
fn play(mut wait: Wait, hours: Option<&Hours>, patience: &Patience) -> Vec<(u64, Act)> {
    let (mut now, mut done) = (wait.from, Vec::new());
    for _ in 0..100 {
        let Plan { acts, from, next } = plan(now, &wait, hours, patience);
        wait.from = from;
        for act in acts {
            match act {
                Act::Tell(occasion) => assert!(wait.told.tell(occasion), "{occasion:?} again"),
                Act::CallBack(at) => wait.callback_at = Some(at),
                Act::GiveToBot => {}
            }
            done.push((now.since(NINE).as_secs() / 60, act));
        }
        let Some(next) = next else { return done };
        assert!(next > now, "{next} is not after {now}");
        now = next;
    }
    panic!("it does not end: {done:?}");
}

#[test]
fn two_words_and_then_the_deadline() {
    use Occasion::{NobodyCame, StillWaiting};
    let told = play(wait(NINE), None, &patience(Fallback::Message, Fallback::Message));
    let expected = [(5, StillWaiting), (10, StillWaiting), (15, NobodyCame)];
    assert_eq!(told, expected.map(|(minute, occasion)| (minute, Act::Tell(occasion))));
}

#[test]
fn the_bot_tries_once_and_not_again() {
    let patience = patience(Fallback::Bot, Fallback::Message);
    let done = plan(NINE.plus(MINUTE * 15), &wait(NINE), None, &patience);
    assert_eq!(done.acts, [Act::GiveToBot, Act::Tell(Occasion::BackToAssistant)]);
    let tried = Wait { told: Told::parse("bridge back_to_assistant"), ..wait(NINE) };
    let done = plan(NINE.plus(MINUTE * 15), &tried, None, &patience);
    assert_eq!(done.acts, [Act::Tell(Occasion::NobodyCame)]);
    let gone = Wait { bot_is_there: false, ..wait(NINE) };
    assert_eq!(plan(NINE.plus(MINUTE * 15), &gone, None, &patience).acts, [Act::Tell(Occasion::NobodyCame)]);
}

#[test]
fn out_of_hours_a_ticket_is_made_and_patience_begins_when_people_are_back() {
    let (office, patience) = (office(), patience(Fallback::Message, Fallback::Callback));
    let late = wait(NINE.plus(MINUTE * 60 * 10));
    let done = play(late, Some(&office), &patience);
    let next_day = NINE.plus(MINUTE * 60 * 24);
    let day = 24 * 60;
    assert_eq!(done[..2], [(600, Act::CallBack(next_day)), (600, Act::Tell(Occasion::OutOfHours))]);
    assert_eq!(done[2], (day + 5, Act::Tell(Occasion::StillWaiting)));
    assert_eq!(done.last(), Some(&(day + 15, Act::Tell(Occasion::NobodyCame))));
}

#[test]
fn who_waits_when_people_go_home_hears_it() {
    let (office, patience) = (office(), patience(Fallback::Message, Fallback::Message));
    let done = play(wait(NINE.plus(MINUTE * (8 * 60 - 3))), Some(&office), &patience);
    assert_eq!(done[0], (8 * 60, Act::Tell(Occasion::OutOfHours)));
}

#[test]
fn a_customer_who_asks_for_the_bot_gets_it_at_any_hour() {
    let wants = Wait { wants_bot: true, ..wait(NINE) };
    let patience = patience(Fallback::Message, Fallback::Message);
    for now in [NINE, NINE.plus(MINUTE * 60 * 12)] {
        let done = plan(now, &wants, Some(&office()), &patience);
        assert_eq!(done.acts, [Act::GiveToBot, Act::Tell(Occasion::BackToAssistant)]);
    }
    let nobody = Wait { bot_is_there: false, ..wants };
    assert!(plan(NINE, &nobody, None, &patience).acts.is_empty());
}

fn fallback() -> impl Strategy<Value = Fallback> {
    prop_oneof![Just(Fallback::Bot), Just(Fallback::Message), Just(Fallback::Callback)]
}

proptest! {
    /// Promise 13: whatever the playbook says, something happens by the deadline, and nothing twice.
    #[test]
    fn promise_13_nobody_waits_without_an_end(
        minutes in 0_u32..20_000,
        at_deadline in fallback(),
        out_of_hours in fallback(),
        has_hours: bool,
        bot_is_there: bool,
        told in proptest::sample::select(vec!["", "bridge", "bridge still_waiting", "bridge back_to_assistant"]),
        deadline in 1_u32..2_000,
        hints in proptest::collection::btree_set(1_u32..300, 0..=2),
    ) {
        let patience = Patience {
            still_waiting: hints.into_iter().map(|hint| MINUTE * hint).collect(),
            deadline: MINUTE * deadline,
            at_deadline,
            out_of_hours,
        };
        let office = office();
        let from = NINE.plus(MINUTE * minutes);
        let waits = Wait { told: Told::parse(told), bot_is_there, ..wait(from) };
        let done = play(waits, has_hours.then_some(&office), &patience);
        let ends = |act: &Act| matches!(act, Act::GiveToBot | Act::CallBack(_) | Act::Tell(Occasion::NobodyCame));
        let end = done.iter().find(|(_, act)| ends(act)).expect("an end");
        // A weekend before it, and one in it, are the longest.
        let longest = u64::from(minutes) + 2 * 3 * 24 * 60 + 2 * u64::from(deadline);
        prop_assert!(end.0 <= longest, "{:?}", done);
    }
}

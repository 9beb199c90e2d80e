//! Promises 3, 5, 6 and 10 as far as they are decisions.

use proptest::prelude::*;

use super::*;

const NOW: Micros = Micros::from_seconds(1_000_000);

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn open() -> Window {
    Window::default().opened_by(NOW, NOW)
}

fn scene() -> Scene {
    Scene { epoch: Epoch(4), window: open(), switch: Switch::On, stop: None, now: NOW }
}

fn tries(made: u32) -> Tries {
    Tries { made, first_at: NOW, now: NOW, window: open(), jitter: 500 }
}

fn refused(retry: Retry) -> Outcome {
    Outcome::Refused { retry, wait: None }
}

#[test]
fn promise_3_a_word_from_before_a_change_of_control_does_not_start() {
    for author in [Author::Bot, Author::System] {
        assert_eq!(start(author, Form::Free, Epoch(3), scene()), Start::Cancel);
        assert_eq!(start(author, Form::Free, Epoch(4), scene()), Start::Go);
    }
    assert_eq!(start(Author::Agent, Form::Free, Epoch(3), scene()), Start::Go);
}

#[test]
fn promise_6_nothing_starts_outside_the_window() {
    let closed = Scene { now: NOW.plus(Window::LENGTH).minus(Window::MARGIN), ..scene() };
    assert_eq!(start(Author::Agent, Form::Free, Epoch(4), closed), Start::Hold(Hold::WindowClosed));
    assert_eq!(start(Author::Agent, Form::Template, Epoch(4), closed), Start::Go, "Meta has approved it");
    let overruled = Scene { window: open().overrule(), ..scene() };
    assert_eq!(start(Author::Bot, Form::Free, Epoch(4), overruled), Start::Hold(Hold::WindowClosed));
}

#[test]
fn a_switch_stops_the_bot_or_everyone() {
    let stops = |author, switch| start(author, Form::Free, Epoch(4), Scene { switch, ..scene() }) != Start::Go;
    assert!(stops(Author::Bot, Switch::BotOff));
    assert!(!stops(Author::System, Switch::BotOff));
    assert!(!stops(Author::Agent, Switch::BotOff));
    assert!(stops(Author::Agent, Switch::SendingOff));
}

#[test]
fn promise_5_what_may_have_arrived_is_not_tried_again() {
    assert_eq!(next(Outcome::Unanswered, tries(1)), Next::Unknown);
    assert_eq!(next(Outcome::Accepted, tries(1)), Next::Accepted);
}

#[test]
fn a_refusal_is_tried_as_often_as_its_code_allows() {
    assert_eq!(next(refused(Retry::Never), tries(1)), Next::Failed(Failure::Refused));
    assert!(matches!(next(refused(Retry::Few), tries(2)), Next::Again { .. }));
    assert_eq!(next(refused(Retry::Few), tries(3)), Next::Failed(Failure::GaveUp));
    assert_eq!(next(refused(Retry::After(seconds(86_400))), tries(1)), Next::Failed(Failure::GaveUp));
    let waits = [1, 2, 3, 4, 5].map(|made| match next(refused(Retry::Pair), tries(made)) {
        Next::Again { at } => at.since(NOW).as_secs(),
        other => panic!("{other:?}"),
    });
    assert_eq!(waits, [4, 16, 64, 256, 256]);
}

#[test]
fn meta_s_own_wait_is_kept() {
    let outcome = Outcome::Refused { retry: Retry::Backoff, wait: Some(seconds(90)) };
    assert_eq!(next(outcome, tries(1)), Next::Again { at: NOW.plus(seconds(90)) });
}

#[test]
fn no_try_is_planned_beyond_the_window() {
    let closing = Tries { now: NOW.plus(Window::LENGTH).minus(seconds(62)), ..tries(4) };
    let closing = Tries { first_at: closing.now, ..closing };
    assert_eq!(next(Outcome::NotSent, closing), Next::Held(Hold::WindowClosed));
}

#[test]
fn the_next_message_waits_for_what_is_on_its_way() {
    let ahead = |author, delivery| Ahead { author, delivery, since: NOW, deadline: Some(NOW.plus(REQUEST_DEADLINE)) };
    let waits = |delivery| gate(ahead(Author::Bot, delivery), Author::Bot, NOW);
    assert_eq!(waits(Delivery::Queued), Gate::Shut);
    assert_eq!(waits(Delivery::Sending), Gate::Shut);
    assert_eq!(waits(Delivery::Unknown), Gate::At(NOW.plus(UNKNOWN_HOLDS)));
    for gone in [Delivery::Accepted, Delivery::Read, Delivery::Failed, Delivery::Cancelled, Delivery::Held] {
        assert_eq!(waits(gone), Gate::Open, "{gone}");
    }

    let after_take = |delivery| gate(ahead(Author::Bot, delivery), Author::Agent, NOW);
    assert_eq!(after_take(Delivery::Sending), Gate::At(NOW.plus(REQUEST_DEADLINE)));
    assert_eq!(after_take(Delivery::Unknown), Gate::At(NOW.plus(REQUEST_DEADLINE)));
    let later = NOW.plus(REQUEST_DEADLINE);
    assert_eq!(gate(ahead(Author::System, Delivery::Sending), Author::Agent, later), Gate::Open);
    assert_eq!(gate(ahead(Author::Agent, Delivery::Sending), Author::Agent, later), Gate::Shut);
}

#[test]
fn a_failed_part_holds_the_rest_of_the_answer() {
    let holding: Vec<_> = Delivery::ALL.into_iter().filter(|earlier| holds_later_parts(*earlier)).collect();
    assert_eq!(holding, [Delivery::Held, Delivery::Cancelled, Delivery::Failed]);
}

#[test]
fn promise_13_a_bot_s_lost_word_brings_a_person() {
    let needed = |author, delivery, wrote, now| person_needed(author, delivery, NOW, wrote, now);
    assert_eq!(needed(Author::Bot, Delivery::Failed, None, NOW), PersonNeeded::Now("message_failed"));
    let later = NOW.plus(UNKNOWN_HOLDS);
    assert_eq!(needed(Author::Bot, Delivery::Unknown, None, NOW), PersonNeeded::At(later));
    assert_eq!(needed(Author::Bot, Delivery::Unknown, None, later), PersonNeeded::Now("message_unsettled"));
    assert_eq!(needed(Author::Bot, Delivery::Unknown, Some(NOW.plus(seconds(1))), later), PersonNeeded::No);
    assert_eq!(needed(Author::Agent, Delivery::Failed, None, NOW), PersonNeeded::No);
}

fn any_retry() -> impl Strategy<Value = Retry> {
    prop_oneof![
        Just(Retry::Never),
        Just(Retry::Few),
        Just(Retry::Backoff),
        Just(Retry::Pair),
        (0_u64..1_000).prop_map(|least| Retry::After(seconds(least))),
    ]
}

proptest! {
    #[test]
    fn every_retry_is_later_in_time_and_within_the_limits(
        retry in any_retry(), made in 0_u32..100, elapsed in 0_u64..700, jitter in 0_u16..=u16::MAX,
        wait in prop::option::of(0_u64..2_000),
    ) {
        let now = NOW.plus(seconds(elapsed));
        let tries = Tries { now, jitter, ..tries(made) };
        let outcome = Outcome::Refused { retry, wait: wait.map(seconds) };
        if let Next::Again { at } = next(outcome, tries) {
            prop_assert!(at >= now && at <= NOW.plus(RETRY_LIMIT));
            prop_assert!(wait.is_none_or(|wait| at >= now.plus(seconds(wait))));
            prop_assert!(retry != Retry::Never);
        }
    }
}

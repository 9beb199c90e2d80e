//! Promises 3, 5, 6, 7 and 10 on the way out: what becomes of a queued message, whatever Meta and
//! the network do. Under a clock moved by hand, for most of it is about waiting.

use std::time::Duration;

use baton_shared::{
    Control, MessageId, Window,
    message::{Author, Delivery},
};
use baton_simulator::{Span, whatsapp::Faults};
use baton_tests::{
    on_both,
    post::{Post, Talk},
    store::{Database, left_out},
};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// One customer, and an agent who has taken the conversation.
async fn taken(post: &mut Post) -> Talk {
    let talk = post.customer().await;
    let ana = post.acts.add_agent("Ana").await;
    post.acts.take(talk.conversation, ana).await;
    talk
}

/// Two customers of one agent.
async fn two(post: &mut Post) -> (Talk, Talk) {
    let ana = post.acts.add_agent("Ana").await;
    let (one, other) = (post.customer().await, post.customer().await);
    for talk in [one, other] {
        post.acts.take(talk.conversation, ana).await;
    }
    (one, other)
}

fn faults(post: &Post, faults: Faults) {
    post.world().whatsapp.config_mut().faults = faults;
}

async fn state(post: &Post, message: MessageId) -> Delivery {
    post.acts.message(message).await.delivery.expect("one of ours")
}

on_both!(
    promise_7_a_reply_goes_all_the_way_and_never_back,
    post | post | {
        let mut post = post;
        let talk = taken(&mut post).await;
        let hers = post.queue(talk, Author::Agent, "Hello, this is Ana.").await;
        let mut states = vec![state(&post, hers).await];
        for _ in 0..100 {
            post.pass(Duration::from_millis(100)).await;
            let now = state(&post, hers).await;
            if states.last() != Some(&now) {
                states.push(now);
            }
        }
        let road = [
            Delivery::Queued,
            Delivery::Sending,
            Delivery::Accepted,
            Delivery::Sent,
            Delivery::Delivered,
            Delivery::Read,
        ];
        let steps: Vec<usize> =
            states.iter().map(|state| road.iter().position(|one| one == state).expect("on the road")).collect();
        assert!(steps.is_sorted() && steps.last() == Some(&5), "{states:?}");
        assert_eq!(post.reached(talk.person), ["Hello, this is Ana."]);
        let stored = post.acts.message(hers).await;
        assert_eq!((stored.attempts, stored.trouble, stored.problem), (1, false, None));
    }
);

on_both!(
    a_conversation_keeps_its_order,
    post | post | {
        let mut post = post;
        let talk = taken(&mut post).await;
        let words: Vec<String> = (0..12).map(|number| format!("Line {number}.")).collect();
        for words in &words {
            post.queue(talk, Author::Agent, words).await;
        }
        let parts: Vec<&str> = ["Part one.", "Part two.", "Part three."].into();
        post.queue_parts(talk, Author::Agent, &parts).await;
        post.pass(MINUTE).await;
        let world = post.world();
        let asked: Vec<&str> =
            world.whatsapp.ledger().accepted().filter_map(|(request, _)| request.text.as_deref()).collect();
        let expected: Vec<&str> = words.iter().map(String::as_str).chain(parts).collect();
        assert_eq!(asked, expected);
    }
);

on_both!(
    promise_5_an_error_that_passes_is_tried_again_and_arrives_once,
    post | post | {
        let mut post = post;
        let talk = taken(&mut post).await;
        faults(&post, Faults { busy: 1.0, ..Faults::none() });
        let hers = post.queue(talk, Author::Agent, "Hello.").await;
        post.pass_until(10 * SECOND, async |post| post.asked("Hello.") > 1).await;
        assert!(post.acts.message(hers).await.problem.is_some(), "it is told why it waits");
        faults(&post, Faults { no_connection: 1.0, ..Faults::none() });
        post.pass_until(2 * MINUTE, async |post| post.asked("Hello.") > 3).await;
        faults(&post, Faults::none());
        post.pass_until(3 * MINUTE, async |post| post.is(hers, Delivery::Read).await).await;
        assert_eq!(post.reached(talk.person), ["Hello."]);
        assert_eq!(post.acts.message(hers).await.problem, None);
    }
);

on_both!(
    a_failure_that_does_not_pass_holds_only_its_own_conversation_and_not_for_ever,
    post | post | {
        let mut post = post;
        let (blocked, other) = (taken(&mut post).await, post.customer().await);
        faults(&post, Faults { no_connection: 1.0, ..Faults::none() });
        let first = post.queue(blocked, Author::Agent, "First.").await;
        let second = post.queue(blocked, Author::Agent, "Second.").await;
        post.pass(2 * SECOND).await;
        faults(&post, Faults::none());
        let leo = post.acts.add_agent("Leo").await;
        post.acts.take(other.conversation, leo).await;
        let theirs = post.queue(other, Author::Agent, "For somebody else.").await;
        post.settle().await;
        assert!(matches!(state(&post, theirs).await, Delivery::Sending | Delivery::Accepted), "promise 10");
        assert!(state(&post, second).await == Delivery::Queued);
        faults(&post, Faults { no_connection: 1.0, ..Faults::none() });
        let took = post.pass_until(12 * MINUTE, async |post| post.is(first, Delivery::Failed).await).await;
        assert!(took > 8 * MINUTE && took < 11 * MINUTE, "{took:?}");
        faults(&post, Faults::none());
        post.pass_until(MINUTE, async |post| post.is_accepted(second).await).await;
        assert_eq!(post.acts.message(first).await.problem.as_deref(), Some("not_sent"));
        assert!(post.acts.message(first).await.trouble);
    }
);

on_both!(
    promise_5_what_got_no_answer_is_unknown_and_settled_by_a_status,
    post | post | {
        let after = [
            Faults { cut_after: 1.0, ..Faults::none() },
            Faults { silence_after: 1.0, ..Faults::none() },
            Faults { unavailable_after: 1.0, ..Faults::none() },
        ];
        let mut post = post;
        for (number, after) in after.into_iter().enumerate() {
            let talk = post.customer().await;
            let agent = post.acts.add_agent(&format!("agent {number}")).await;
            post.acts.take(talk.conversation, agent).await;
            let words = format!("Did it arrive, number {number}?");
            faults(&post, after);
            // Nothing is reported before we know that we know nothing.
            post.world().whatsapp.config_mut().pace.webhook = Span::exactly(20 * SECOND);
            let hers = post.queue(talk, Author::Agent, &words).await;
            post.pass_until(15 * SECOND, async |post| post.is(hers, Delivery::Unknown).await).await;
            assert!(post.acts.message(hers).await.trouble);
            faults(&post, Faults::none());
            post.pass_until(MINUTE, async |post| post.is(hers, Delivery::Read).await).await;
            assert_eq!((post.asked(&words), post.reached(talk.person)), (1, vec![words]));
            let stored = post.acts.message(hers).await;
            assert!(!stored.trouble && stored.wamid.is_some() && stored.problem.is_none(), "{stored:?}");
            post.world().whatsapp.config_mut().pace.webhook = Span::millis(20, 150);
        }
    }
);

on_both!(
    promise_5_what_stays_unknown_is_not_sent_again_and_holds_the_next_for_a_minute,
    post | post | {
        let mut post = post;
        let talk = taken(&mut post).await;
        faults(&post, Faults { cut_before: 1.0, ..Faults::none() });
        let first = post.queue(talk, Author::Agent, "First.").await;
        let second = post.queue(talk, Author::Agent, "Second.").await;
        post.pass(SECOND).await;
        faults(&post, Faults::none());
        assert_eq!((state(&post, first).await, state(&post, second).await), (Delivery::Unknown, Delivery::Queued));
        let took = post.pass_until(2 * MINUTE, async |post| post.is_accepted(second).await).await;
        assert!(took >= 59 * SECOND && took < 62 * SECOND, "{took:?}");
        post.pass(MINUTE).await;
        assert_eq!((state(&post, first).await, post.asked("First.")), (Delivery::Unknown, 1));
        assert_eq!(post.reached(talk.person), ["Second."]);
    }
);

on_both!(
    promise_13_a_bots_word_that_stays_unknown_calls_a_person,
    post | post | {
        let mut post = post;
        let talk = post.customer().await;
        faults(&post, Faults { unavailable: 1.0, ..Faults::none() });
        let answer = post.queue(talk, Author::Bot, "We open at nine.").await;
        post.pass(30 * SECOND).await;
        assert_eq!(state(&post, answer).await, Delivery::Unknown);
        assert_eq!(post.acts.thread(talk.conversation).await.control, Control::Bot, "a status may still come");
        post.pass(40 * SECOND).await;
        let thread = post.acts.thread(talk.conversation).await;
        assert!(matches!(thread.control, Control::Waiting { .. }) && thread.handoff.is_some(), "{thread:?}");
        assert!(thread.unanswered_since.is_some());
        assert_eq!(post.asked("We open at nine."), 1);
    }
);

on_both!(
    a_status_may_overtake_the_answer_to_its_request,
    post | post | {
        let mut post = post;
        let talk = taken(&mut post).await;
        faults(&post, Faults { overtake: 1.0, overtake_by: Span::exactly(5 * SECOND), ..Faults::none() });
        let hers = post.queue(talk, Author::Agent, "Hello.").await;
        post.pass(3 * SECOND).await;
        assert!(matches!(state(&post, hers).await, Delivery::Sent | Delivery::Delivered | Delivery::Read));
        post.pass(10 * SECOND).await;
        assert_eq!(state(&post, hers).await, Delivery::Read);
        assert_eq!(post.reached(talk.person), ["Hello."]);
    }
);

on_both!(
    promise_6_nothing_starts_in_the_last_minute_of_the_window,
    post | post | {
        let mut post = post;
        let talk = taken(&mut post).await;
        let closes_at = post.acts.thread(talk.conversation).await.window.closes_at.expect("the customer wrote");
        let last_moment = closes_at.minus(Window::MARGIN);
        post.sleep(last_moment.minus(SECOND).since(post.now()));
        let in_time = post.queue(talk, Author::Agent, "Just in time.").await;
        post.settle().await;
        assert_eq!(state(&post, in_time).await, Delivery::Sending);
        post.sleep(last_moment.since(post.now()));
        let late = post.queue(talk, Author::Agent, "Too late.").await;
        post.pass(10 * MINUTE).await;
        let late = post.acts.message(late).await;
        assert_eq!((late.delivery, late.problem.as_deref()), (Some(Delivery::Held), Some("window_closed")));
        assert_eq!((post.asked("Too late."), post.asked("Just in time.")), (0, 1));
        assert_eq!(post.refusals(), [0; 0]);
    }
);

on_both!(
    promise_6_a_message_that_waits_until_the_window_has_closed_is_held,
    post | post | {
        let mut post = post;
        let talk = taken(&mut post).await;
        let closes_at = post.acts.thread(talk.conversation).await.window.closes_at.expect("the customer wrote");
        post.sleep(closes_at.minus(3 * MINUTE).since(post.now()));
        faults(&post, Faults { no_connection: 1.0, ..Faults::none() });
        let hers = post.queue(talk, Author::Agent, "Are you there?").await;
        post.pass(90 * SECOND).await;
        assert!(matches!(state(&post, hers).await, Delivery::Queued | Delivery::Held));
        faults(&post, Faults::none());
        post.sleep(MINUTE);
        post.pass(10 * MINUTE).await;
        let hers = post.acts.message(hers).await;
        assert_eq!((hers.delivery, hers.problem.as_deref()), (Some(Delivery::Held), Some("window_closed")));
        assert_eq!(post.taken("Are you there?"), 0);
    }
);

on_both!(
    promise_6_the_clock_that_counts_is_metas,
    post | post | {
        let mut post = post;
        let talk = taken(&mut post).await;
        let closes_at = post.acts.thread(talk.conversation).await.window.closes_at.expect("the customer wrote");
        // Whatever was asked before is answered.
        post.pass(SECOND).await;
        post.world().whatsapp.config_mut().clock_ahead = 90_000_000;
        // Its answer tells what time it is at Meta's.
        post.queue(talk, Author::Agent, "What time is it?").await;
        post.pass(SECOND).await;
        post.sleep(closes_at.minus(2 * MINUTE).since(post.now()));
        let late = post.queue(talk, Author::Agent, "Too late for Meta.").await;
        post.pass(MINUTE).await;
        assert_eq!(state(&post, late).await, Delivery::Held);
        assert_eq!(post.asked("Too late for Meta."), 0);
    }
);

on_both!(
    promise_6_metas_word_overrules_until_the_customer_writes,
    post | post | {
        let mut post = post;
        let talk = post.customer_unknown_to_meta().await;
        let ana = post.acts.add_agent("Ana").await;
        post.acts.take(talk.conversation, ana).await;
        let refused = post.queue(talk, Author::Agent, "Still there?").await;
        post.pass(10 * SECOND).await;
        let refused = post.acts.message(refused).await;
        assert_eq!((refused.delivery, refused.problem.as_deref()), (Some(Delivery::Failed), Some("131047")));
        assert!(refused.trouble && post.acts.thread(talk.conversation).await.window.overruled);
        let held = post.queue(talk, Author::Agent, "And now?").await;
        post.pass(10 * SECOND).await;
        assert_eq!((state(&post, held).await, post.asked("And now?")), (Delivery::Held, 0));
        post.says(talk.person);
        post.pass(SECOND).await;
        let answered = post.queue(talk, Author::Agent, "Welcome back.").await;
        post.pass_until(MINUTE, async |post| post.is(answered, Delivery::Read).await).await;
    }
);

on_both!(
    a_clock_that_was_wrong_for_a_while_is_believed_again,
    post | post | {
        let mut post = post;
        let talk = taken(&mut post).await;
        post.pass(SECOND).await;
        post.world().whatsapp.config_mut().clock_ahead = 25 * 3_600 * 1_000_000;
        post.queue(talk, Author::Agent, "What time is it?").await;
        post.pass(10 * SECOND).await;
        post.world().whatsapp.config_mut().clock_ahead = 0;
        post.says(talk.person);
        post.pass(10 * MINUTE).await;
        let next = post.queue(talk, Author::Agent, "And now?").await;
        post.pass_until(MINUTE, async |post| post.is(next, Delivery::Read).await).await;
    }
);

on_both!(
    what_a_switch_holds_goes_when_it_is_on_again,
    post | post | {
        let mut post = post;
        let talk = taken(&mut post).await;
        post.acts.switch(true, false).await;
        let first = post.queue(talk, Author::Agent, "First.").await;
        let second = post.queue(talk, Author::Agent, "Second.").await;
        post.pass(10 * SECOND).await;
        assert_eq!((state(&post, first).await, state(&post, second).await), (Delivery::Held, Delivery::Held));
        // Sending is on again and the bot is not: what people wrote does not wait for the bot.
        post.acts.switch(false, true).await;
        post.pass_until(MINUTE, async |post| post.is(second, Delivery::Read).await).await;
        assert_eq!(post.reached(talk.person), ["First.", "Second."]);
    }
);

on_both!(
    a_bot_that_is_switched_off_says_nothing_and_calls_a_person,
    post | post | {
        let mut post = post;
        let talk = post.customer().await;
        let answer = post.queue(talk, Author::Bot, "We open at nine.").await;
        post.acts.switch(false, true).await;
        post.pass(10 * SECOND).await;
        let thread = post.acts.thread(talk.conversation).await;
        assert!(matches!(thread.control, Control::Waiting { .. }), "{:?}", thread.control);
        assert!(matches!(state(&post, answer).await, Delivery::Held | Delivery::Cancelled));
        assert_eq!(post.acts.proposals(talk.conversation).await.len(), 1);
        post.acts.switch(true, true).await;
        post.pass(10 * SECOND).await;
        assert_eq!(post.asked("We open at nine."), 0, "a person has it now");
    }
);

on_both!(
    we_keep_to_the_pair_rate_so_that_meta_need_not,
    post | post | {
        let mut post = post;
        let talk = taken(&mut post).await;
        let mut last = None;
        for number in 0..46 {
            last = Some(post.queue(talk, Author::Agent, &format!("Line {number}.")).await);
        }
        let last = last.expect("46 messages");
        let took = post.pass_until(10 * MINUTE, async |post| post.is_accepted(last).await).await;
        assert!(took > 30 * SECOND, "{took:?}");
        post.pass(10 * SECOND).await;
        assert_eq!(post.refusals(), [0; 0]);
        assert_eq!(post.reached(talk.person).len(), 46);
    }
);

on_both!(
    another_process_goes_on_with_the_pair_rate_of_the_one_before,
    post | post | {
        let mut post = post;
        let talk = taken(&mut post).await;
        // As fast as may be: all of them within the six seconds of a burst.
        post.world().whatsapp.config_mut().pace.answer = Span::exactly(Duration::from_millis(20));
        for number in 0..45 {
            post.queue(talk, Author::Agent, &format!("Line {number}.")).await;
        }
        post.pass(5 * SECOND).await;
        assert_eq!(post.world().whatsapp.ledger().accepted().count(), 45);
        let mut post = post.restart().await;
        let last = post.queue(talk, Author::Agent, "One more.").await;
        let took = post.pass_until(10 * MINUTE, async |post| post.is_accepted(last).await).await;
        assert!(took > 4 * MINUTE && took < 5 * MINUTE, "{took:?}");
        assert_eq!(post.refusals(), [0; 0]);
    }
);

on_both!(
    a_storm_of_read_marks_holds_up_no_message,
    post | post | {
        let mut post = post;
        let talk = taken(&mut post).await;
        for _ in 0..100 {
            let other = post.customer_unknown_to_meta().await;
            post.acts.mark_read(other.conversation, "wamid.unknown").await;
        }
        post.world().whatsapp.config_mut().pace.answer = Span::exactly(3 * SECOND);
        post.queue(talk, Author::Agent, "Hello.").await;
        post.settle().await;
        assert_eq!(post.asked("Hello."), 1);
    }
);

on_both!(
    we_keep_to_the_rate_of_the_number,
    post | post | {
        let mut post = post;
        let mut last = Vec::new();
        let ana = post.acts.add_agent("Ana").await;
        for number in 0..30 {
            let talk = post.customer().await;
            post.acts.take(talk.conversation, ana).await;
            for line in 0..10 {
                last.push(post.queue(talk, Author::Agent, &format!("Line {line} for {number}.")).await);
            }
        }
        post.world().whatsapp.config_mut().pace.answer = Span::exactly(Duration::from_millis(5));
        let all = async |post: &Post| post.world().whatsapp.ledger().accepted().count() == last.len();
        let took = post.pass_until(MINUTE, all).await;
        assert!(took < 8 * SECOND, "300 messages at 80 a second took {took:?}");
        assert_eq!(post.refusals(), [0; 0]);
    }
);

on_both!(
    promise_3_an_agents_first_word_waits_only_until_the_bots_last_can_no_longer_start,
    post | post | {
        let mut post = post;
        let talk = post.customer().await;
        faults(&post, Faults { cut_before: 1.0, ..Faults::none() });
        post.queue(talk, Author::Bot, "We open at nine.").await;
        post.pass(SECOND).await;
        faults(&post, Faults::none());
        let ana = post.acts.add_agent("Ana").await;
        post.acts.take(talk.conversation, ana).await;
        let hers = post.queue(talk, Author::Agent, "This is Ana.").await;
        let took = post.pass_until(2 * MINUTE, async |post| post.is_accepted(hers).await).await;
        assert!(took >= 8 * SECOND && took < 12 * SECOND, "the deadline of a request is ten seconds: {took:?}");
    }
);

on_both!(
    promise_5_what_was_on_its_way_when_the_process_died_is_unknown,
    post | post | {
        let mut post = post;
        let talk = taken(&mut post).await;
        // Long up, so that what it left behind lies far ahead of the next one's clock.
        post.sleep(30 * MINUTE);
        faults(&post, Faults { silence_after: 1.0, ..Faults::none() });
        post.world().whatsapp.config_mut().pace.webhook = Span::exactly(20 * SECOND);
        let first = post.queue(talk, Author::Agent, "First.").await;
        let second = post.queue(talk, Author::Agent, "Second.").await;
        post.pass(SECOND).await;
        assert_eq!(state(&post, first).await, Delivery::Sending);
        faults(&post, Faults::none());
        let mut post = post.restart().await;
        post.pass(15 * SECOND).await;
        assert_eq!((state(&post, first).await, state(&post, second).await), (Delivery::Unknown, Delivery::Queued));
        post.pass_until(MINUTE, async |post| post.is(first, Delivery::Read).await).await;
        // Settled: the next one need not wait any longer, nor was its allowance used up by waiting.
        post.pass_until(5 * SECOND, async |post| post.is_accepted(second).await).await;
        assert_eq!((post.asked("First."), post.asked("Second.")), (1, 1));
        post.pass(MINUTE).await;
        assert_eq!(post.reached(talk.person), ["First.", "Second."]);
    }
);

on_both!(
    an_unknown_word_that_everybody_gave_up_holds_nobody_after_a_restart,
    post | post | {
        let mut post = post;
        let talk = taken(&mut post).await;
        post.sleep(30 * MINUTE);
        faults(&post, Faults { cut_before: 1.0, ..Faults::none() });
        post.queue(talk, Author::Agent, "Lost.").await;
        post.pass(2 * MINUTE).await;
        faults(&post, Faults::none());
        let mut post = post.restart().await;
        let next = post.queue(talk, Author::Agent, "Next.").await;
        post.pass_until(20 * SECOND, async |post| post.is_accepted(next).await).await;
    }
);

on_both!(
    of_two_words_queued_in_the_same_moment_one_goes_first,
    post | post | {
        let mut post = post;
        let talk = taken(&mut post).await;
        post.acts.queue(talk.conversation, Author::Agent, "One.").await;
        post.acts.queue(talk.conversation, Author::Agent, "Other.").await;
        post.world().whatsapp.config_mut().pace.answer = Span::exactly(5 * SECOND);
        post.world().whatsapp.config_mut().pace.webhook = Span::exactly(5 * SECOND);
        post.pass(3 * SECOND).await;
        assert_eq!(post.world().whatsapp.ledger().accepted().count(), 1, "one at a time");
        post.pass(20 * SECOND).await;
        assert_eq!(post.reached(talk.person).len(), 2);
    }
);

on_both!(
    later_parts_of_an_answer_are_held_when_an_earlier_one_fails,
    post | post | {
        let mut post = post;
        let talk = taken(&mut post).await;
        // Nobody registered the number: Meta refuses, and will go on refusing.
        post.world().whatsapp.config_mut().numbers[0].registered = false;
        let parts = post.queue_parts(talk, Author::Agent, &["One.", "Two.", "Three."]).await;
        post.pass(SECOND).await;
        post.world().whatsapp.config_mut().numbers[0].registered = true;
        post.pass(MINUTE).await;
        assert_eq!(state(&post, parts[0]).await, Delivery::Failed);
        for part in &parts[1..] {
            assert_eq!(state(&post, *part).await, Delivery::Held);
        }
        assert_eq!((post.asked("One."), post.reached(talk.person).len()), (1, 0));
    }
);

/// Everything at once, for several customers, until nothing moves any more.
async fn bad_day(mut post: Post, seed: u64) {
    let ana = post.acts.add_agent("Ana").await;
    let mut talks = Vec::new();
    for _ in 0..6 {
        let talk = post.customer().await;
        post.acts.take(talk.conversation, ana).await;
        talks.push((talk, Vec::new()));
    }
    faults(&post, Faults::rough());
    let mut chance = fastrand::Rng::with_seed(seed);
    for line in 0..8 {
        for (number, (talk, lines)) in talks.iter_mut().enumerate() {
            let words = format!("Line {line} for {number}.");
            lines.push((post.queue(*talk, Author::Agent, &words).await, words));
            post.pass(Duration::from_millis(chance.u64(..400))).await;
        }
        if chance.u64(..4) == 0 {
            post = post.restart().await;
        }
    }
    post.pass_until(20 * MINUTE, Post::is_quiet).await;
    post.pass(MINUTE).await;
    let doubled: Vec<Vec<String>> = {
        let world = post.world();
        let doubled = world.whatsapp.ledger().doubled(|one| Some(one.text.clone()));
        doubled.into_iter().map(|group| group.into_iter().map(|one| one.text.clone()).collect()).collect()
    };
    assert_eq!(doubled, Vec::<Vec<String>>::new(), "promise 5");
    assert_eq!(post.refusals(), [0; 0], "too fast for Meta");
    for (talk, lines) in &talks {
        let reached = post.reached(talk.person);
        for (message, words) in lines {
            let stored = post.acts.message(*message).await;
            let (delivery, took) = (stored.delivery.expect("ours"), post.taken(words));
            assert!(took <= 1, "{words}: taken {took} times");
            match delivery {
                Delivery::Accepted | Delivery::Sent | Delivery::Delivered | Delivery::Read => {
                    assert!(reached.contains(words), "{words}: {delivery}, and nowhere");
                    assert!(!stored.trouble, "{words}");
                }
                // A status that never came leaves even one that arrived unknown, but nothing leaves it unseen.
                Delivery::Unknown | Delivery::Failed => assert!(stored.trouble, "{words}: {delivery}"),
                _ => panic!("{words}: {delivery} in the end"),
            }
        }
        let asked: Vec<String> = {
            let world = post.world();
            let accepted = world.whatsapp.ledger().accepted().filter_map(|(request, _)| request.text.clone());
            accepted.filter(|words| lines.iter().any(|(_, line)| line == words)).collect()
        };
        let in_order: Vec<String> =
            lines.iter().map(|(_, words)| words.clone()).filter(|words| asked.contains(words)).collect();
        assert_eq!(asked, in_order);
    }
}

const SEEDS: std::ops::RangeInclusive<u64> = 1..=3;

#[tokio::test]
async fn promise_5_bad_days_on_sqlite() {
    for seed in SEEDS {
        bad_day(Post::seeded(Database::sqlite(), seed).await, seed).await;
    }
}

#[tokio::test]
async fn promise_5_bad_days_on_postgres() {
    for seed in SEEDS {
        match Database::postgres().await {
            Some(database) => bad_day(Post::seeded(database, seed).await, seed).await,
            None => return left_out("promise_5_bad_days_on_postgres"),
        }
    }
}

on_both!(
    when_meta_has_enough_nothing_goes_to_anybody_until_it_may,
    post | post | {
        let mut post = post;
        let (one, other) = two(&mut post).await;
        {
            let mut world = post.world();
            let limits = &mut world.whatsapp.config_mut().limits;
            (limits.used, limits.regained_in) = (100, 7);
        }
        let first = post.queue(one, Author::Agent, "The last one.").await;
        post.pass_until(MINUTE, async |post| post.is_accepted(first).await).await;
        {
            let mut world = post.world();
            let limits = &mut world.whatsapp.config_mut().limits;
            (limits.used, limits.regained_in) = (1, 0);
        }
        let second = post.queue(other, Author::Agent, "To somebody else.").await;
        let waited = post.pass_until(10 * MINUTE, async |post| post.is_accepted(second).await).await;
        assert!(waited >= 6 * MINUTE && waited < 8 * MINUTE, "{waited:?}");
    }
);

on_both!(
    retry_after_holds_up_the_whole_number,
    post | post | {
        let mut post = post;
        let (one, other) = two(&mut post).await;
        {
            let mut world = post.world();
            let limits = &mut world.whatsapp.config_mut().limits;
            (limits.throughput, limits.retry_after) = (1, Some(90));
        }
        for talk in [one, other] {
            post.queue(talk, Author::Agent, "At once.").await;
        }
        post.pass_until(MINUTE, async |post| !post.refusals().is_empty()).await;
        assert_eq!(post.refusals(), [130_429]);
        post.world().whatsapp.config_mut().limits.throughput = 80;
        let late = post.queue(one, Author::Agent, "To whom it went well.").await;
        let waited = post.pass_until(3 * MINUTE, async |post| post.is_accepted(late).await).await;
        assert!(waited >= 80 * SECOND && waited < 100 * SECOND, "{waited:?}");
        post.pass_until(3 * MINUTE, async |post| post.taken("At once.") == 2).await;
    }
);

on_both!(
    whoever_has_much_to_say_lets_the_others_speak,
    post | post | {
        let mut post = post;
        let (loud, quiet) = two(&mut post).await;
        for number in 0..30 {
            post.queue(loud, Author::Agent, &format!("Line {number}.")).await;
        }
        let hers = post.queue(quiet, Author::Agent, "One question.").await;
        // Slow enough that they stand in each other's way.
        post.pass_until(MINUTE, async |post| post.is_accepted(hers).await).await;
        let before = (0..30).filter(|number| post.asked(&format!("Line {number}.")) > 0).count();
        assert!(before <= 3, "{before} went before the only one of somebody else");
    }
);

//! What agents say to customers, and what the bot was about to say.

use std::time::Duration;

use baton_server::store::outbox::Started;
use baton_shared::{
    Control, Epoch, Role,
    message::{Author, Delivery},
    protocol::{Act, Answer, Refusal},
};
use baton_tests::on_both;

use crate::{
    acts::{epoch, refusal, takes},
    house::{House, Screen},
};

on_both!(what_the_customer_wrote_meanwhile_comes_first, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let mut screen = Screen::open(&desk, &ana).await;
    let (thread, first) = house.writes("15550001", "I want two").await;
    let now = takes(&house, &mut screen, thread).await;
    let (_, second) = house.writes("15550001", "no, three").await;
    let send = |seen| Act::Send { epoch: now, text: "two it is".into(), seen, reply_to: None };
    for seen in [Some(first), None] {
        assert_eq!(screen.act(&house, thread, send(seen)).await, Answer::WroteMeanwhile { newest: second });
    }
    assert!(house.conversation(thread).await.unanswered_since.is_some());
    epoch(&screen.act(&house, thread, send(Some(second))).await);
});

on_both!(promise_6_nothing_is_queued_outside_the_window, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let mut screen = Screen::open(&desk, &ana).await;
    let (thread, asked) = house.writes("15550001", "hello").await;
    let now = takes(&house, &mut screen, thread).await;
    let send = || Act::Send { epoch: now, text: "hi".into(), seen: Some(asked), reply_to: None };
    // The last minute counts as closed.
    house.store.advance(Duration::from_secs(24 * 3600 - 59));
    assert_eq!(refusal(&screen.act(&house, thread, send()).await), Refusal::WindowClosed);
    let (_, asked) = house.writes("15550001", "still there?").await;
    let send = Act::Send { epoch: now, text: "hi".into(), seen: Some(asked), reply_to: None };
    epoch(&screen.act(&house, thread, send).await);
});

on_both!(nothing_is_queued_while_sending_is_off, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let mut screen = Screen::open(&desk, &ana).await;
    let (thread, asked) = house.writes("15550001", "hello").await;
    let now = takes(&house, &mut screen, thread).await;
    let send = || Act::Send { epoch: now, text: "hi".into(), seen: Some(asked), reply_to: None };
    house.switch(true, false).await;
    assert_eq!(refusal(&screen.act(&house, thread, send()).await), Refusal::SendingOff);
    // Without the bot, people go on.
    house.switch(false, true).await;
    epoch(&screen.act(&house, thread, send()).await);
});

on_both!(a_text_fits_into_one_message, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let mut screen = Screen::open(&desk, &ana).await;
    let (thread, asked) = house.writes("15550001", "hello").await;
    let epoch_ = takes(&house, &mut screen, thread).await;
    let send = |text: String| Act::Send { epoch: epoch_, text, seen: Some(asked), reply_to: None };
    for text in [String::new(), " \r\n\t".into(), "\0\u{1b}".into(), "é".repeat(4_097)] {
        assert_eq!(refusal(&screen.act(&house, thread, send(text)).await), Refusal::Invalid);
        assert_eq!(refusal(&screen.act(&house, thread, Act::Note { text: String::new() }).await), Refusal::Invalid);
    }
    epoch(&screen.act(&house, thread, send("é".repeat(4_096))).await);
});

on_both!(promise_3_a_take_stops_the_bots_word_and_keeps_its_text, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let mut screen = Screen::open(&desk, &ana).await;
    let (thread, asked) = house.writes("15550001", "hello").await;
    screen.follow(thread).await;
    let word = house.bot_says(thread, "our hours are").await;
    let now = takes(&house, &mut screen, thread).await;
    assert_eq!(house.message(word).await.delivery, Some(Delivery::Cancelled));
    assert!(matches!(house.starts(word).await, Started::Not));
    screen.until(|screen| screen.cards[&thread].proposals.len() == 1).await;
    let proposal = screen.cards[&thread].proposals[0].clone();
    assert_eq!((proposal.text.as_str(), proposal.origin.as_str()), ("our hours are", "taken"));

    let id = proposal.id;
    let used = Act::UseProposal { epoch: now, proposal: id, text: "our hours are 9 to 5".into(), seen: Some(asked) };
    let Answer::Done { message: Some(sent), .. } = screen.act(&house, thread, used.clone()).await else { panic!() };
    let sent = house.message(sent).await;
    assert_eq!((sent.author, sent.text.as_str()), (Author::Agent, "our hours are 9 to 5"));
    screen.until(|screen| screen.cards[&thread].proposals.is_empty()).await;
    // Neither used twice nor put away afterwards.
    assert_eq!(refusal(&screen.act(&house, thread, used).await), Refusal::NotFound);
    assert_eq!(refusal(&screen.act(&house, thread, Act::DropProposal { proposal: id }).await), Refusal::NotFound);
});

on_both!(a_proposal_is_put_away, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let mut screen = Screen::open(&desk, &ana).await;
    let (thread, _) = house.writes("15550001", "hello").await;
    house.bot_says(thread, "our hours are").await;
    takes(&house, &mut screen, thread).await;
    let proposal = screen.follow(thread).await.card.proposals[0].id;
    epoch(&screen.act(&house, thread, Act::DropProposal { proposal }).await);
    screen.until(|screen| screen.cards[&thread].proposals.is_empty()).await;
    screen.shows(thread, |row| row.proposals == 0).await;
});

on_both!(promise_3_the_bots_last_word_is_named, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let mut screen = Screen::open(&desk, &ana).await;
    let (thread, asked) = house.writes("15550001", "hello").await;
    let word = house.bot_says(thread, "one moment").await;
    assert!(matches!(house.starts(word).await, Started::Go(_)));
    let taken = screen.act(&house, thread, Act::Take { epoch: Epoch(1) }).await;
    let Answer::Done { epoch: now, last_bot_word, settles_by, .. } = taken else { panic!("{taken:?}") };
    assert_eq!(last_bot_word, Some(word));
    assert_eq!(settles_by, Some(house.moment().now.plus(Duration::from_secs(10))));

    let send = Act::Send { epoch: now, text: "here I am".into(), seen: Some(asked), reply_to: None };
    let Answer::Done { message: Some(mine), .. } = screen.act(&house, thread, send).await else { panic!() };
    assert!(matches!(house.starts(mine).await, Started::Not), "it waits for the bot's last word");
    house.store.advance(Duration::from_secs(11));
    assert!(matches!(house.starts(mine).await, Started::Go(_)), "but not longer than its deadline");
});

on_both!(what_may_not_have_arrived_goes_again_once, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let mut screen = Screen::open(&desk, &ana).await;
    let (thread, asked) = house.writes("15550001", "hello").await;
    let now = takes(&house, &mut screen, thread).await;
    screen.follow(thread).await;
    for (delivery, problem, after) in [
        (Delivery::Unknown, "no_answer", Delivery::Unknown),
        (Delivery::Failed, "131026", Delivery::Failed),
        // Nothing lets it go by itself any more.
        (Delivery::Held, "window_closed", Delivery::Cancelled),
    ] {
        let send = Act::Send { epoch: now, text: format!("a {delivery} word"), seen: Some(asked), reply_to: None };
        let Answer::Done { message: Some(old), .. } = screen.act(&house, thread, send).await else { panic!() };
        let resend = || Act::Resend { epoch: now, message: old };
        assert_eq!(refusal(&screen.act(&house, thread, resend()).await), Refusal::NotFromHere, "it is on its way");
        house.gets_stuck(old, delivery, problem).await;
        let Answer::Done { message: Some(new), .. } = screen.act(&house, thread, resend()).await else { panic!() };
        let (old, new) = (house.message(old).await, house.message(new).await);
        assert_eq!((old.delivery, old.trouble), (Some(after), false));
        assert_eq!((new.resends, &new.text, new.delivery), (Some(old.id), &old.text, Some(Delivery::Queued)));
        assert_eq!(refusal(&screen.act(&house, thread, resend()).await), Refusal::NotFromHere, "once is enough");
    }
});

on_both!(what_has_not_left_can_be_cancelled, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let mut screen = Screen::open(&desk, &ana).await;
    let (thread, asked) = house.writes("15550001", "hello").await;
    let now = takes(&house, &mut screen, thread).await;
    let send = |text: &str| Act::Send { epoch: now, text: text.into(), seen: Some(asked), reply_to: None };
    let Answer::Done { message: Some(first), .. } = screen.act(&house, thread, send("one")).await else { panic!() };
    let Answer::Done { message: Some(second), .. } = screen.act(&house, thread, send("two")).await else { panic!() };
    assert!(matches!(house.starts(second).await, Started::Not), "in the order in which they were said");
    assert!(matches!(house.starts(first).await, Started::Go(_)));
    assert_eq!(refusal(&screen.act(&house, thread, Act::Cancel { message: first }).await), Refusal::NotFromHere);
    epoch(&screen.act(&house, thread, Act::Cancel { message: second }).await);
    assert_eq!(house.message(second).await.delivery, Some(Delivery::Cancelled));
});

on_both!(promise_13_a_cancelled_answer_leaves_the_customer_unanswered, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let mut screen = Screen::open(&desk, &ana).await;
    let (thread, asked) = house.writes("15550001", "hello").await;
    let now = takes(&house, &mut screen, thread).await;
    let send = Act::Send { epoch: now, text: "hi".into(), seen: Some(asked), reply_to: None };
    let Answer::Done { message: Some(sent), .. } = screen.act(&house, thread, send).await else { panic!() };
    let back = Act::HandBack { epoch: now, outcome: String::new(), note: String::new(), promised: String::new() };
    epoch(&screen.act(&house, thread, back).await);
    assert_eq!(house.conversation(thread).await.due_at, None);
    // An agent's word is not fenced: it is still hers to cancel, and then the bot owes an answer.
    epoch(&screen.act(&house, thread, Act::Cancel { message: sent }).await);
    let after = house.conversation(thread).await;
    assert_eq!(after.control, Control::Bot);
    assert!(after.unanswered_since.is_some() && after.due_at.is_some());
});

//! Two customers who turn out to be one, and are two after all.

use std::time::Duration;

use baton_server::store::{customers::AliasKind, messages};
use baton_shared::{
    Control, ConversationId, MessageId, Role,
    message::{Author, Delivery},
    protocol::{Act, ClientFrame, Refusal, ServerFrame},
};
use baton_tests::on_both;
use futures::FutureExt;

use crate::{
    acts::{epoch, refusal, takes},
    drafts::types,
    house::{From, House, Screen, arrival},
};

const PHONE: &str = "15550001111";
const USER: &str = "US.1";
const BY_PHONE: From<'_> = From { phone: Some(PHONE), user_id: None, group: None };
const BY_USER: From<'_> = From { phone: None, user_id: Some(USER), group: None };
/// The proof.
const BY_BOTH: From<'_> = From { phone: Some(PHONE), user_id: Some(USER), group: None };

async fn texts(house: &House, thread: ConversationId) -> Vec<String> {
    let mut reader = house.context.db.reader().await.unwrap();
    let said = messages::said(reader.conn(), thread, 100).await.unwrap();
    said.into_iter().map(|message| message.text).collect()
}

async fn unsent(house: &House, thread: ConversationId) -> Vec<(MessageId, Author)> {
    let mut reader = house.context.db.reader().await.unwrap();
    let unsent = messages::unsent(reader.conn(), thread).await.unwrap();
    unsent.into_iter().map(|message| (message.id, message.author)).collect()
}

on_both!(two_become_one_when_a_payload_proves_it, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let mut screen = Screen::open(&desk, &ana).await;
    let (phones, _) = house.arrives(BY_PHONE, "one").await;
    house.store.advance(Duration::from_secs(1));
    let (users, _) = house.arrives(BY_USER, "two").await;
    screen.shows(users, |_| true).await;
    screen.follow(phones).await;
    house.store.advance(Duration::from_secs(1));
    let (now, newest) = house.arrives(BY_BOTH, "three").await;
    assert_eq!(now, users, "the one with the user id stays");
    assert_eq!(texts(&house, users).await, ["one", "two", "three"]);
    assert!(texts(&house, phones).await.is_empty());
    // One turn for all three, since the first.
    let one = house.conversation(users).await;
    assert_eq!((one.control, one.unread, one.newest), (Control::Bot, 3, Some(newest)));
    assert!(one.due_at.is_some() && house.conversation(phones).await.due_at.is_none());
    // The other one is gone from every screen; whoever asks for it is told where it is.
    screen.until(|screen| screen.gone.contains(&phones)).await;
    screen.shows(users, |row| row.unread == 3).await;
    assert_eq!(screen.events.iter().filter(|event| event.kind == "merged").count(), 1);
    screen.say(&ClientFrame::Open { conversation: phones }).await;
    let into =
        screen.expect(|frame| if let ServerFrame::Merged { gone, into } = frame { Some((gone, into)) } else { None });
    assert_eq!(into.await, (phones, users));
    let thread = screen.follow(users).await;
    assert_eq!((thread.messages.len(), thread.card.merged.unwrap().messages), (3, 1));
    assert!(thread.marks.iter().any(|mark| mark.kind == "merged" && mark.detail.is_none()));
    // Whatever name they write under now.
    for from in [BY_PHONE, BY_USER, BY_BOTH] {
        assert_eq!(house.arrives(from, "again").await.0, users);
    }
});

on_both!(of_two_agents_the_earlier_keeps_it_and_nothing_is_lost, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let ben = house.sign_in(&desk, "Ben", Role::Agent).await;
    let (mut anas, mut bens) = (Screen::open(&desk, &ana).await, Screen::open(&desk, &ben).await);
    let (phones, asked_b) = house.arrives(BY_PHONE, "by phone").await;
    let (users, asked_a) = house.arrives(BY_USER, "by user id").await;
    // Ben was first.
    let bens_epoch = takes(&house, &mut bens, phones).await;
    house.store.advance(Duration::from_secs(1));
    let anas_epoch = takes(&house, &mut anas, users).await;
    let mut queued = Vec::new();
    for round in 0..3 {
        house.store.advance(Duration::from_secs(1));
        let send = |epoch, seen| Act::Send { epoch, text: format!("word {round}"), seen: Some(seen), reply_to: None };
        for (screen, thread, epoch_, seen) in
            [(&mut anas, users, anas_epoch, asked_a), (&mut bens, phones, bens_epoch, asked_b)]
        {
            let answer = screen.act(&house, thread, send(epoch_, seen)).await;
            epoch(&answer);
            let baton_shared::protocol::Answer::Done { message: Some(message), .. } = answer else {
                panic!("{answer:?}")
            };
            queued.push((message, Author::Agent));
        }
    }
    types(&mut anas, users, "ana to the user", 0).await.unwrap();
    types(&mut anas, phones, "ana to the phone", 0).await.unwrap();
    types(&mut bens, phones, "ben to the phone", 0).await.unwrap();
    let before = [house.conversation(users).await, house.conversation(phones).await];

    house.store.advance(Duration::from_secs(1));
    assert_eq!(house.arrives(BY_BOTH, "both").await.0, users);
    let one = house.conversation(users).await;
    assert_eq!(one.control.owner(), Some(ben.id));
    assert!(before.iter().all(|before| one.epoch > before.epoch && one.window.closes_at >= before.window.closes_at));
    assert_eq!(unsent(&house, users).await, queued, "both queues, in the order in which they were made");
    assert!(unsent(&house, phones).await.is_empty());
    // Ana is told, and her text is where the conversation is.
    anas.until(|screen| screen.events.iter().any(|event| event.kind == "merged" && event.agent == Some(ana.id))).await;
    assert!(anas.follow(users).await.draft.unwrap().text.contains("ana to the user\n\nana to the phone"));
    assert_eq!(bens.follow(users).await.draft.unwrap().text, "ben to the phone");
    // What was decided on the old screens is not done; what Ben decides now is, though he still says `phones`.
    let send = |epoch| Act::Send { epoch, text: "late".into(), seen: one.newest, reply_to: None };
    assert_eq!(refusal(&anas.act(&house, users, send(anas_epoch)).await), Refusal::Outdated);
    assert_eq!(refusal(&bens.act(&house, phones, send(bens_epoch)).await), Refusal::Outdated);
    epoch(&bens.act(&house, phones, send(one.epoch)).await);
    assert_eq!(unsent(&house, users).await.len(), queued.len() + 1);
});

on_both!(the_bot_says_nothing_into_a_conversation_that_a_person_has, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let mut screen = Screen::open(&desk, &ana).await;
    let (phones, _) = house.arrives(BY_PHONE, "by phone").await;
    let word = house.bot_says(phones, "let me see").await;
    let (users, _) = house.arrives(BY_USER, "by user id").await;
    takes(&house, &mut screen, users).await;
    house.arrives(BY_BOTH, "both").await;
    assert_eq!(house.message(word).await.delivery, Some(Delivery::Cancelled));
    let thread = screen.follow(users).await;
    assert_eq!(thread.card.proposals.iter().map(|one| one.text.as_str()).collect::<Vec<_>>(), ["let me see"]);
    assert_eq!(thread.row.control.owner(), Some(ana.id));
});

on_both!(the_bots_words_go_on_where_only_the_bot_was, |store| {
    let house = House::open(store).await;
    let (phones, _) = house.arrives(BY_PHONE, "by phone").await;
    let word = house.bot_says(phones, "let me see").await;
    house.store.advance(Duration::from_secs(1));
    let (users, _) = house.arrives(BY_USER, "by user id").await;
    let other = house.bot_says(users, "one moment").await;
    house.arrives(BY_BOTH, "both").await;
    assert_eq!(unsent(&house, users).await, [(word, Author::Bot), (other, Author::Bot)]);
    let epoch = house.conversation(users).await.epoch;
    for word in [word, other] {
        assert_eq!(house.message(word).await.epoch, Some(epoch), "it is not fenced off");
    }
});

on_both!(a_word_on_its_way_is_settled_where_it_is_now, |store| {
    let house = House::open(store).await;
    let (phones, _) = house.arrives(BY_PHONE, "by phone").await;
    let word = house.bot_says(phones, "let me see").await;
    house.starts(word).await;
    let (users, _) = house.arrives(BY_USER, "by user id").await;
    house.arrives(BY_BOTH, "both").await;
    let stored = house.message(word).await;
    assert_eq!((stored.conversation, stored.delivery), (users, Some(Delivery::Sending)));
    // Its sender still has the conversation that it began in.
    house.is_accepted(word, phones, "wamid.out").await;
    assert_eq!(house.message(word).await.delivery, Some(Delivery::Accepted));
});

on_both!(a_person_splits_them_again_and_it_stays_so, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let mut screen = Screen::open(&desk, &ana).await;
    let (phones, _) = house.arrives(BY_PHONE, "by phone").await;
    let (users, _) = house.arrives(BY_USER, "by user id").await;
    assert_eq!(
        refusal(&screen.act(&house, users, Act::Split { epoch: house.conversation(users).await.epoch }).await),
        Refusal::NotFromHere
    );
    house.store.advance(Duration::from_secs(60));
    house.arrives(BY_BOTH, "both").await;
    let now = takes(&house, &mut screen, users).await;
    epoch(&screen.act(&house, users, Act::Split { epoch: now }).await);
    // What was under the phone goes back there and waits for a person; the rest stays with Ana.
    assert_eq!(texts(&house, phones).await, ["by phone"]);
    assert_eq!(texts(&house, users).await, ["by user id", "both"]);
    screen.shows(phones, |row| matches!(row.control, Control::Waiting { .. })).await;
    screen.shows(users, |row| row.control.owner() == Some(ana.id)).await;
    assert_eq!(screen.follow(users).await.card.merged, None);
    assert!(screen.follow(phones).await.marks.iter().any(|mark| mark.kind == "split"));
    // The same payload proves nothing any more.
    assert_eq!(house.arrives(BY_BOTH, "both again").await.0, users);
    assert_eq!(house.arrives(BY_PHONE, "by phone again").await.0, phones);
    assert_eq!(house.arrives(BY_USER, "by user id again").await.0, users);
});

on_both!(nobody_splits_what_a_colleague_has, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let ben = house.sign_in(&desk, "Ben", Role::Agent).await;
    let (mut anas, mut bens) = (Screen::open(&desk, &ana).await, Screen::open(&desk, &ben).await);
    house.arrives(BY_PHONE, "by phone").await;
    let (users, _) = house.arrives(BY_USER, "by user id").await;
    house.arrives(BY_BOTH, "both").await;
    let epoch = takes(&house, &mut anas, users).await;
    assert_eq!(refusal(&bens.act(&house, users, Act::Split { epoch }).await), Refusal::NotYours);
});

on_both!(a_new_user_id_of_somebody_known_makes_them_one, |store| {
    let house = House::open(store).await;
    let (old, _) = house.arrives(BY_PHONE, "under the old name").await;
    let (new, _) = house.arrives(BY_USER, "under the new one").await;
    let moves = baton_server::store::deliveries::Arrival {
        kind: "system".into(),
        moved_to: Some((AliasKind::User, USER.into())),
        ..arrival(house.channel, "wamid.moves".into(), BY_PHONE, "", house.moment().now)
    };
    assert_eq!(house.deliver(vec![moves]).await[0].0, old);
    assert_eq!(house.conversation(new).await.merged_into, Some(old));
    assert_eq!(house.arrives(BY_USER, "again").await.0, old);
    assert_eq!(texts(&house, old).await.len(), 4);
});

on_both!(all_in_one_delivery_is_one_customer_too, |store| {
    let house = House::open(store).await;
    let now = house.moment().now;
    let from = [("wamid.a", BY_PHONE), ("wamid.b", BY_USER), ("wamid.c", BY_BOTH)];
    let arrivals = from.iter().zip(0..).map(|((wamid, from), index)| baton_server::store::deliveries::Arrival {
        index,
        ..arrival(house.channel, (*wamid).into(), *from, wamid, now)
    });
    let found = house.deliver(arrivals.collect()).await;
    assert!(found.iter().all(|(thread, _)| *thread == found[0].0));
    assert_eq!(texts(&house, found[0].0).await, ["wamid.a", "wamid.b", "wamid.c"]);
});

on_both!(deliveries_at_once_lose_nothing, |store| {
    let house = House::open(store).await;
    for round in 0..8 {
        let (phone, user) = (format!("1555000{round:04}"), format!("US.{round}00"));
        let by_phone = From { phone: Some(&phone), ..From::default() };
        let by_user = From { user_id: Some(&user), ..From::default() };
        let both = From { phone: Some(&phone), user_id: Some(&user), group: None };
        house.arrives(by_phone, "a").await;
        let (users, _) = house.arrives(by_user, "b").await;
        let several = [by_phone, both, by_user, by_phone, both].map(|from| house.arrives(from, "c").boxed());
        futures::future::join_all(several).await;
        assert_eq!(texts(&house, users).await.len(), 7);
    }
});

on_both!(a_group_merges_nobody_and_wakes_nobody, |store| {
    let house = House::open(store).await;
    let (phones, _) = house.arrives(BY_PHONE, "by phone").await;
    let (users, _) = house.arrives(BY_USER, "by user id").await;
    let before = house.conversation(phones).await;
    house.store.advance(Duration::from_secs(60));
    let (group, _) = house.arrives(From { group: Some("group-1"), ..BY_BOTH }, "hello all").await;
    assert!(group != phones && group != users);
    assert_eq!(house.arrives(From { group: Some("group-1"), ..BY_PHONE }, "hello").await.0, group);
    let of_group = house.conversation(group).await;
    assert_eq!((of_group.due_at, of_group.unanswered_since, of_group.window.closes_at), (None, None, None));
    assert_eq!(house.conversation(phones).await, before, "nor is anything else about its members changed");
});

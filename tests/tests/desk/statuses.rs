//! What Meta says of our messages after it took them.

use std::sync::Arc;

use baton_server::store::{
    consents::{self, Source},
    deliveries::{self, Batch, Policies, StatusNews},
    receipts::{self, Price},
};
use baton_shared::{
    Micros, Role,
    message::{Author, Delivery},
};
use baton_tests::on_both;

use crate::house::{House, Screen};

fn status(house: &House, wamid: &str, state: Delivery) -> StatusNews {
    StatusNews {
        channel: house.channel,
        wamid: wamid.into(),
        recipient: None,
        attempt: None,
        state,
        second: None,
        code: None,
        price: Price::default(),
    }
}

async fn told(house: &House, statuses: Vec<StatusNews>) {
    let (at, ids) = (house.moment(), house.context.ids.clone());
    let batch = Arc::new(Batch { statuses, ..Batch::default() });
    house
        .write(move |tx| {
            let (batch, ids) = (batch.clone(), ids.clone());
            Box::pin(async move { deliveries::store(tx, &batch, &Policies::default(), at, &ids).await })
        })
        .await;
}

on_both!(a_failure_after_the_fact_says_what_to_do_next, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let mut screen = Screen::open(&desk, &ana).await;
    for (round, (code, next)) in [
        (131_047, "Only a template"),
        (131_026, "another way"),
        (131_049, "Wait a day"),
        (131_050, "Do not send"),
        (130_472, "Wait until the customer writes"),
        (131_053, "another format"),
    ]
    .into_iter()
    .enumerate()
    {
        let (thread, _) = house.writes(&format!("1555000{round:04}"), "hello").await;
        screen.follow(thread).await;
        let word = house.bot_says(thread, "here it is").await;
        house.starts(word).await;
        let wamid: &'static str = ["w.0", "w.1", "w.2", "w.3", "w.4", "w.5"][round];
        house.is_accepted(word, thread, wamid).await;
        told(&house, vec![StatusNews { code: Some(code), ..status(&house, wamid, Delivery::Failed) }]).await;
        screen
            .until(|screen| screen.messages.get(&word).is_some_and(|one| one.delivery == Some(Delivery::Failed)))
            .await;
        let problem = screen.messages[&word].problem.clone().unwrap();
        assert!(problem.contains(next) && problem.contains(&code.to_string()), "{problem}");
        screen.shows(thread, |row| row.troubles == 1 && row.reason.as_deref() == Some("message_failed")).await;
        let conversation = house.conversation(thread).await;
        assert_eq!(conversation.window.overruled, code == 131_047);
        let mut reader = house.context.db.reader().await.unwrap();
        let wish = consents::of_conversation(reader.conn(), thread).await.unwrap();
        let refused = wish.is_some_and(|wish| !wish.granted && wish.source == Source::Meta);
        assert_eq!(refused, code == 131_050, "only that one is a refusal");
    }
});

on_both!(what_a_message_costs_is_kept_in_whatever_order_it_is_told, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let mut screen = Screen::open(&desk, &ana).await;
    let (thread, _) = house.writes("15550001111", "hello").await;
    let word = house.bot_says(thread, "here it is").await;
    house.starts(word).await;
    let until = Micros::from_seconds(house.moment().now.seconds() + 5 * 86_400);
    let price = Price {
        billable: Some(false),
        model: Some("PMP".into()),
        kind: Some("free_entry_point".into()),
        category: Some("referral_conversion".into()),
        ..Price::default()
    };
    // Quicker than the answer to our own request; and only `sent` says until when.
    let delivered = StatusNews { price: price.clone(), ..status(&house, "w.free", Delivery::Delivered) };
    let sent = Price { free_until: Some(until), ..price };
    let sent = StatusNews { price: sent, ..status(&house, "w.free", Delivery::Sent) };
    told(&house, vec![delivered.clone(), sent, delivered]).await;
    house.is_accepted(word, thread, "w.free").await;
    let card = screen.follow(thread).await.card;
    assert_eq!(card.free_entry.unwrap().until, Some(until));
    // Said to be over by the next price, and by nothing else.
    house.store.advance(std::time::Duration::from_secs(1));
    let word = house.bot_says(thread, "and this").await;
    house.starts(word).await;
    house.is_accepted(word, thread, "w.paid").await;
    assert!(screen.follow(thread).await.card.free_entry.is_some());
    let price = Price { kind: Some("regular".into()), billable: Some(true), ..Price::default() };
    told(&house, vec![StatusNews { price, ..status(&house, "w.paid", Delivery::Sent) }]).await;
    assert_eq!(screen.follow(thread).await.card.free_entry, None);
});

on_both!(each_member_of_a_group_has_its_own_status, |store| {
    let house = House::open(store).await;
    let (thread, _) = house.writes("15550001111", "hello").await;
    let word = house.bot_says(thread, "hello all").await;
    house.starts(word).await;
    house.is_accepted(word, thread, "w.group").await;
    let member = |name: &str, state, code| {
        let one = status(&house, "w.group", state);
        StatusNews { recipient: Some(name.into()), code, ..one }
    };
    told(
        &house,
        vec![
            member("US.1", Delivery::Sent, None),
            member("US.2", Delivery::Failed, Some(131_026)),
            member("US.1", Delivery::Read, None),
            member("US.3", Delivery::Sent, None),
        ],
    )
    .await;
    told(&house, vec![member("US.1", Delivery::Delivered, None), member("US.1", Delivery::Failed, Some(131_000))])
        .await;
    let mut reader = house.context.db.reader().await.unwrap();
    let found = receipts::of(reader.conn(), "w.group").await.unwrap();
    let found: Vec<_> = found.into_iter().map(|one| (one.recipient, one.state, one.code)).collect();
    assert_eq!(
        found,
        [
            ("US.1".into(), Delivery::Read, None),
            ("US.2".into(), Delivery::Failed, Some(131_026)),
            ("US.3".into(), Delivery::Sent, None),
        ]
    );
    // One who cannot be reached is not all of them.
    let message = house.message(word).await;
    assert_eq!((message.delivery, message.trouble, message.author), (Some(Delivery::Read), false, Author::Bot));
});

//! What Meta kept during an outage, and who is served first after it.

use std::{sync::Arc, time::Duration};

use baton_server::store::{
    deliveries::{self, Arrival, Batch, Policies, Policy},
    turns,
};
use baton_shared::{
    ConversationId, Role,
    protocol::{ClientFrame, ServerFrame},
};
use baton_tests::on_both;

use crate::house::{From, House, Screen, arrival};

const OUTAGE: Duration = Duration::from_secs(2 * 3_600);

/// Somebody wrote `ago`, and it arrives now.
async fn writes(house: &House, phone: &str, ago: Duration) -> ConversationId {
    let at = house.moment();
    let from = From { phone: Some(phone), ..From::default() };
    let second = Some(at.now.minus(ago).seconds());
    let wamid = format!("wamid.{phone}.{}", ago.as_secs());
    let arrivals = vec![Arrival { second, ..arrival(house.channel, wamid.clone(), from, "hello", at.now) }];
    let (batch, ids) = (Arc::new(Batch { arrivals, ..Batch::default() }), house.context.ids.clone());
    let otherwise = Policy { late_after: Some(Duration::from_secs(1_800)), ..Policy::default() };
    let policies = Arc::new(Policies { otherwise, ..Policies::default() });
    house
        .write(move |tx| {
            let (batch, policies, ids) = (batch.clone(), policies.clone(), ids.clone());
            Box::pin(async move { deliveries::store(tx, &batch, &policies, at, &ids).await })
        })
        .await;
    let mut reader = house.context.db.reader().await.unwrap();
    let found = baton_server::store::messages::by_wamids(reader.conn(), [wamid.as_str()]).await.unwrap();
    found[0].2
}

async fn due(house: &House, limit: i64) -> Vec<ConversationId> {
    let mut reader = house.context.db.reader().await.unwrap();
    turns::due(reader.conn(), house.context.db.time(), limit).await.unwrap()
}

on_both!(whoever_writes_now_is_answered_before_the_backlog, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let rita = house.sign_in(&desk, "Rita", Role::Supervisor).await;
    let mut screen = Screen::open(&desk, &rita).await;
    let first = writes(&house, "15550000001", OUTAGE).await;
    let second = writes(&house, "15550000002", OUTAGE).await;
    house.store.advance(Duration::from_secs(20));
    let newcomer = writes(&house, "15550000003", Duration::ZERO).await;
    house.store.advance(Duration::from_secs(20));
    let all = due(&house, 10).await;
    assert_eq!(all[0], newcomer);
    assert_eq!(all.len(), 3);
    assert_eq!(due(&house, 1).await, [newcomer]);
    assert_eq!(late(&mut screen).await, 2);
    // Whoever of the backlog writes again is a newcomer.
    assert_eq!(writes(&house, "15550000002", Duration::ZERO).await, second);
    house.store.advance(Duration::from_secs(20));
    assert_eq!(due(&house, 10).await[2], first);
    assert_eq!(late(&mut screen).await, 1, "the backlog drains");
});

async fn late(screen: &mut Screen) -> i64 {
    screen.say(&ClientFrame::Board).await;
    screen.expect(|frame| if let ServerFrame::Board(board) = frame { Some(board.numbers[0].late) } else { None }).await
}

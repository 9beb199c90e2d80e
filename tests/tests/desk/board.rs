//! How the numbers stand, for whoever has to know.

use std::sync::Arc;

use baton_server::{
    domain::standing::{Effect, Standing, Stop, Weight},
    store::{
        deliveries::{self, Batch, Policies},
        standings::Said,
    },
};
use baton_shared::{
    Role,
    protocol::{Board, ClientFrame, ProblemCode, ServerFrame},
};
use baton_tests::on_both;

use crate::house::{House, Screen};

async fn said(house: &House, standing: Standing) {
    let (at, ids) = (house.moment(), house.context.ids.clone());
    let said = Said { account: "2055".into(), channel: Some(house.channel), standing, at: at.now };
    let batch = Arc::new(Batch { standings: vec![said], ..Batch::default() });
    house
        .write(move |tx| {
            let (batch, ids) = (batch.clone(), ids.clone());
            Box::pin(async move { deliveries::store(tx, &batch, &Policies::default(), at, &ids).await })
        })
        .await;
}

async fn board(screen: &mut Screen) -> Board {
    screen.say(&ClientFrame::Board).await;
    screen.expect(|frame| if let ServerFrame::Board(board) = frame { Some(*board) } else { None }).await
}

on_both!(the_board_says_how_the_numbers_stand, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let rita = house.sign_in(&desk, "Rita", Role::Supervisor).await;
    let mut screen = Screen::open(&desk, &rita).await;
    let calm = board(&mut screen).await;
    assert_eq!((calm.numbers.len(), calm.warnings.len()), (1, 0));
    assert_eq!((calm.numbers[0].per_second, calm.numbers[0].stopped.as_ref()), (80, None));

    let (subject, detail) = (String::new(), String::new());
    let effects = vec![Effect::Quality("RED".into()), Effect::Stop { why: Stop::Banned, until: None }];
    let one =
        Standing { topic: "account", subject, code: "DISABLED_UPDATE".into(), detail, weight: Weight::Alarm, effects };
    said(&house, one.clone()).await;
    let wrong = board(&mut screen).await;
    let number = &wrong.numbers[0];
    assert_eq!(number.quality.as_deref(), Some("RED"));
    assert!(number.stopped.as_ref().is_some_and(|why| why.contains("banned")), "{number:?}");
    assert!(wrong.warnings[0].grave && wrong.warnings[0].text.contains("disabled update"), "{:?}", wrong.warnings);

    house.store.advance(std::time::Duration::from_secs(1));
    said(&house, Standing { weight: Weight::Fine, effects: vec![Effect::Lift(&[Stop::Banned])], ..one }).await;
    let calm = board(&mut screen).await;
    assert_eq!((calm.numbers[0].stopped.as_ref(), calm.warnings.len()), (None, 0));
});

on_both!(the_board_is_not_for_everybody, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let mut screen = Screen::open(&desk, &ana).await;
    screen.say(&ClientFrame::Board).await;
    let code =
        screen.expect(|frame| if let ServerFrame::Problem { code, .. } = frame { Some(code) } else { None }).await;
    assert_eq!(code, ProblemCode::NotAllowed);
    let adam = house.sign_in(&desk, "Adam", Role::Admin).await;
    let mut screen = Screen::open(&desk, &adam).await;
    assert_eq!(board(&mut screen).await.numbers.len(), 1);
});

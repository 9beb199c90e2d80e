//! Unsent text.

use baton_shared::{
    ConversationId, Role,
    protocol::{Act, ClientFrame, ServerFrame},
};
use baton_tests::on_both;

use crate::{
    acts::{epoch, takes},
    house::{House, Screen},
};

/// The revision, or what is stored instead.
pub(crate) async fn types(
    screen: &mut Screen,
    conversation: ConversationId,
    text: &str,
    based_on: i64,
) -> Result<i64, (i64, String)> {
    screen.say(&ClientFrame::Draft { conversation, text: text.into(), based_on }).await;
    screen
        .expect(|frame| match frame {
            ServerFrame::DraftSaved { revision, .. } => Some(Ok(revision)),
            ServerFrame::DraftDiffers { revision, text, .. } => Some(Err((revision, text))),
            _ => None,
        })
        .await
}

on_both!(promise_9_a_draft_is_the_same_on_every_server, |store| {
    let house = House::open(store).await;
    let (desk, other) = (house.serve().await, house.another().await);
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let ben = house.sign_in(&desk, "Ben", Role::Agent).await;
    let (mut here, mut there) = (Screen::open(&desk, &ana).await, Screen::open(&other, &ana).await);
    let (thread, _) = house.writes("15550001", "hello").await;
    assert_eq!(types(&mut here, thread, "dear cust", 0).await, Ok(1));
    assert_eq!(types(&mut here, thread, "dear customer", 1).await, Ok(2));
    let draft = there.follow(thread).await.draft.unwrap();
    assert_eq!((draft.text.as_str(), draft.revision), ("dear customer", 2));
    // Typed without having seen it: neither is lost.
    assert_eq!(types(&mut there, thread, "hi there", 1).await, Err((2, "dear customer".into())));
    assert_eq!(types(&mut there, thread, "dear customer, hi there", 2).await, Ok(3));
    // Hers alone.
    let mut bens = Screen::open(&desk, &ben).await;
    assert_eq!(bens.follow(thread).await.draft, None);
    // And it survives that somebody else takes the conversation.
    takes(&house, &mut bens, thread).await;
    assert_eq!(here.follow(thread).await.draft.unwrap().text, "dear customer, hi there");
});

on_both!(what_was_sent_is_no_draft_any_more, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let mut screen = Screen::open(&desk, &ana).await;
    let (thread, asked) = house.writes("15550001", "hello").await;
    let now = takes(&house, &mut screen, thread).await;
    assert_eq!(types(&mut screen, thread, "good day \n", 0).await, Ok(1));
    let send = |text: &str| Act::Send { epoch: now, text: text.into(), seen: Some(asked), reply_to: None };
    epoch(&screen.act(&house, thread, send("something else")).await);
    assert_eq!(screen.follow(thread).await.draft.unwrap().text, "good day \n", "that was not it");
    epoch(&screen.act(&house, thread, send("good day")).await);
    assert_eq!(screen.follow(thread).await.draft, None);
    // The next text is typed on top of the last revision that its author saw.
    assert!(types(&mut screen, thread, "and", 1).await.is_ok());
});

on_both!(a_draft_that_is_too_long_or_for_nothing_is_not_kept, |store| {
    let house = House::open(store).await;
    let desk = house.serve().await;
    let ana = house.sign_in(&desk, "Ana", Role::Agent).await;
    let mut screen = Screen::open(&desk, &ana).await;
    let (thread, _) = house.writes("15550001", "hello").await;
    let nowhere = house.context.ids.next(baton_shared::Micros(0));
    for (conversation, text) in [(nowhere, "hi".into()), (thread, "x".repeat(100_000))] {
        screen.say(&ClientFrame::Draft { conversation, text, based_on: 0 }).await;
        let problem = screen.expect(|frame| matches!(frame, ServerFrame::Problem { fatal: false, .. }).then_some(()));
        problem.await;
    }
    assert_eq!(types(&mut screen, thread, "nul\0nul", 0).await, Ok(1));
    assert_eq!(screen.follow(thread).await.draft.unwrap().text, "nulnul");
});

//! The fence, with transactions paused between their statements. Each body panics if the promise is
//! broken, so that it can also be run with the promise taken out.

use std::time::Duration;

use baton_server::domain::control::{Step, Who};
use baton_server::store::{
    control::{self, Because},
    conversations, outbox,
    outbox::Started,
};
use baton_shared::{
    Role,
    message::{Author, Delivery},
};
use tokio::sync::oneshot;

use crate::{
    scene::{Scene, locked},
    store::TestStore,
};

/// A take that committed first: the word does not start, and is kept as a proposal.
pub async fn take_first(store: TestStore) {
    let scene = Scene::new(store).await;
    let ana = scene.add_agent("Ana", Role::Agent).await;
    let word = scene.queue(Author::Bot, "We open at nine.").await;
    let passed = scene.take(ana.id).await.expect("free to take");
    assert_eq!((passed.cancelled.as_slice(), passed.last_word), ([word].as_slice(), None));
    assert_eq!(scene.start(word).await, Started::Not);
    assert_eq!(scene.message(word).await.delivery, Some(Delivery::Cancelled));
    let proposals = scene.proposals().await;
    assert_eq!(proposals.iter().map(|one| one.text.as_str()).collect::<Vec<_>>(), ["We open at nine."]);
}

/// A word that was queued under an epoch that has passed does not start, whatever cancelled it.
pub async fn outdated_word(store: TestStore) {
    let scene = Scene::new(store).await;
    let ana = scene.add_agent("Ana", Role::Agent).await;
    scene.take(ana.id).await.expect("free to take");
    let word = scene.queue(Author::Bot, "We open at nine.").await;
    // As if it had slipped in under the epoch before: only the comparison at `sending` sees that.
    let (conversation, at) = (scene.conversation, scene.store.moment());
    let ids = scene.store.ids.clone();
    scene
        .write(move |tx| {
            let ids = ids.clone();
            Box::pin(async move {
                let mut thread = locked(tx, conversation).await?;
                thread.epoch = thread.epoch.next();
                let candidate = outbox::Candidate { message: word, conversation, author: Author::Bot };
                conversations::save(tx, &thread).await?;
                let started = outbox::start(tx, candidate, at, &ids).await?;
                assert_eq!(started, Started::Not, "a word of an older epoch starts");
                Ok(())
            })
        })
        .await;
}

/// `sending` first: the take succeeds at once and names the bot's last word.
pub async fn sending_first(store: TestStore) {
    let scene = Scene::new(store).await;
    let ana = scene.add_agent("Ana", Role::Agent).await;
    let word = scene.queue(Author::Bot, "We open at nine.").await;
    assert!(matches!(scene.start(word).await, Started::Go(_)));
    let passed = scene.take(ana.id).await.expect("free to take");
    assert_eq!(passed.last_word.map(|last| last.id), Some(word));
    assert!(passed.cancelled.is_empty());
    // Her own first word waits for it, until its deadline.
    let hers = scene.queue(Author::Agent, "Hello, this is Ana.").await;
    assert_eq!(scene.start(hers).await, Started::Not);
    scene.store.advance(Duration::from_secs(11));
    assert!(matches!(scene.start(hers).await, Started::Go(_)));
}

/// The sender comes while a take is between its statements: it waits, and finds that it lost.
pub async fn sender_meets_a_paused_take(store: TestStore) {
    let scene = Scene::new(store).await;
    let ana = scene.add_agent("Ana", Role::Agent).await.id;
    let word = scene.queue(Author::Bot, "We open at nine.").await;
    let (read, has_read) = oneshot::channel();
    let (go_on, may_go_on) = oneshot::channel::<()>();
    let (mut read, mut may_go_on) = (Some(read), Some(may_go_on));
    let (at, ids, conversation) = (scene.store.moment(), scene.store.ids.clone(), scene.conversation);
    let take = scene.write(move |tx| {
        let (ids, read, may_go_on) = (ids.clone(), read.take(), may_go_on.take());
        Box::pin(async move {
            let mut thread = locked(tx, conversation).await?;
            if let (Some(read), Some(may_go_on)) = (read, may_go_on) {
                read.send(()).expect("the test waits");
                may_go_on.await.expect("the test goes on");
            }
            let (step, who) = (Step::Take { granted_elsewhere: false }, Who::Agent { id: ana, role: Role::Agent });
            let passed = control::pass(tx, &mut thread, step, who, &Because::default(), at, &ids).await?;
            conversations::save(tx, &thread).await?;
            Ok(passed.expect("free to take"))
        })
    });
    let sender = async {
        has_read.await.expect("the take begins");
        let start = scene.start(word);
        tokio::pin!(start);
        // Either it is held up by the take's lock, or (without it) it is through before the take ends.
        let early = tokio::time::timeout(Duration::from_millis(400), &mut start).await;
        go_on.send(()).expect("the take waits");
        match early {
            Ok(started) => started,
            Err(_) => start.await,
        }
    };
    let (passed, started) = tokio::join!(take, sender);
    let named = passed.last_word.map(|last| last.id) == Some(word);
    assert!(started == Started::Not || named, "the bot's word started and the take did not say so: {started:?}");
    assert_eq!(started, Started::Not, "the take was first");
}

/// A take comes while the sender is between its statements: it waits, and names the last word.
pub async fn take_meets_a_paused_sender(store: TestStore) {
    let scene = Scene::new(store).await;
    let ana = scene.add_agent("Ana", Role::Agent).await.id;
    let word = scene.queue(Author::Bot, "We open at nine.").await;
    let (marked, has_marked) = oneshot::channel();
    let (go_on, may_go_on) = oneshot::channel::<()>();
    let (mut marked, mut may_go_on) = (Some(marked), Some(may_go_on));
    let (at, ids, candidate) = (scene.store.moment(), scene.store.ids.clone(), scene.candidate(word));
    let send = scene.write(move |tx| {
        let (ids, marked, may_go_on) = (ids.clone(), marked.take(), may_go_on.take());
        Box::pin(async move {
            let started = outbox::start(tx, candidate, at, &ids).await?;
            if let (Some(marked), Some(may_go_on)) = (marked, may_go_on) {
                marked.send(()).expect("the test waits");
                may_go_on.await.expect("the test goes on");
            }
            Ok(started)
        })
    });
    let taker = async {
        has_marked.await.expect("the sender begins");
        let take = scene.take(ana);
        tokio::pin!(take);
        let early = tokio::time::timeout(Duration::from_millis(400), &mut take).await;
        go_on.send(()).expect("the sender waits");
        match early {
            Ok(passed) => passed,
            Err(_) => take.await,
        }
    };
    let (started, passed) = tokio::join!(send, taker);
    assert!(matches!(started, Started::Go(_)), "the sender was first");
    let passed = passed.expect("free to take");
    assert_eq!(passed.last_word.map(|last| last.id), Some(word), "the take does not know of the bot's last word");
}

/// Two agents press take at once: one gets it, the other is told who has it.
pub async fn two_takes(store: TestStore) {
    let scene = Scene::new(store).await;
    let ana = scene.add_agent("Ana", Role::Agent).await.id;
    let leo = scene.add_agent("Leo", Role::Agent).await.id;
    let (first, second) = tokio::join!(scene.take(ana), scene.take(leo));
    let owner = scene.thread().await.control.owner().expect("an owner");
    let (winner, loser) = if owner == ana { (first, second) } else { (second, first) };
    assert!(winner.is_ok_and(|passed| passed.changed));
    assert_eq!(loser.expect_err("one of two").owner(), Some(owner));
}

/// Sender and take meet with no pause, many times: in whatever order, no word is out unnamed.
pub async fn many_meetings(store: TestStore) {
    let scene = Scene::new(store).await;
    let ana = scene.add_agent("Ana", Role::Agent).await.id;
    for round in 0..40 {
        let word = scene.queue(Author::Bot, "We open at nine.").await;
        let (started, passed) = tokio::join!(scene.start(word), scene.take(ana));
        let passed = passed.expect("free to take");
        let named = passed.last_word.map(|last| last.id) == Some(word);
        let cancelled = passed.cancelled.contains(&word);
        match started {
            Started::Go(_) => assert!(named && !cancelled, "round {round}: out and not named"),
            Started::Bring(_) | Started::Not => assert!(!named, "round {round}: named and not out"),
        }
        let owner = Who::Agent { id: ana, role: Role::Agent };
        scene.step(Step::HandBack, owner).await.expect("hers to hand back");
        scene.store.advance(Duration::from_secs(61));
    }
}

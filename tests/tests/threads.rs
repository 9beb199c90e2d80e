//! Threads that several apps of the business share, customers who are blocked, and messages of which nothing
//! was heard: what only Meta can do or knows, on both engines.

use std::{collections::HashMap, time::Duration};

use baton_server::{
    domain::control::{Step, Who},
    operations::{history, numbers::Number},
    store::{Urgency, conversations, customers, errands, errands::Kind, events},
};
use baton_shared::{
    AgentId, Control,
    message::{Author, Delivery},
};
use baton_tests::{
    app::eventually,
    on_both,
    post::{Post, Talk},
};
use serde_json::json;

async fn asks(post: &Post, talk: Talk, agent: AgentId, kind: Kind) {
    let (at, id) = (post.acts.0.moment(), post.acts.0.ids.next(post.now()));
    post.acts
        .write(move |tx| {
            Box::pin(async move {
                let thread = conversations::lock(tx, talk.conversation).await?.expect("a conversation");
                errands::insert(tx, id, &thread, agent, kind, at).await
            })
        })
        .await;
}

async fn control(post: &Post, talk: Talk) -> Control {
    post.acts.thread(talk.conversation).await.control
}

async fn details(post: &Post, talk: Talk, kind: &str) -> Vec<String> {
    let mut reader = post.acts.0.db.reader().await.unwrap();
    let all = events::after(reader.conn(), events::Position::START, 1_000).await.unwrap();
    let ours = all.into_iter().filter(|event| event.conversation == Some(talk.conversation) && event.kind == kind);
    ours.filter_map(|event| event.detail).collect()
}

fn handover(post: &Post, talk: Talk, kind: &str, new_owner: &str) -> serde_json::Value {
    let user_id = post.world().whatsapp.people()[talk.person.0].user_id.clone();
    let number = post.world().whatsapp.config().numbers[0].id.clone();
    json!({"messaging_product": "whatsapp", "recipient": {"phone_number_id": number}, "sender": {"user_id": user_id},
           "timestamp": "1", "type": kind, kind: {"new_owner_role": new_owner, "metadata": "wants a refund"}})
}

on_both!(
    a_hand_over_that_is_told_again_changes_nothing,
    post | post | {
        let mut post = post;
        let talk = post.customer().await;
        let at = post.now();
        let taken = handover(&post, talk, "control_taken", "ai_agent");
        post.told_at(at, "messaging_handovers", taken.clone()).await;
        assert_eq!(control(&post, talk).await, Control::Elsewhere);
        // The customer writes to us: it is ours again. What Meta repeats is of before.
        let wamid = post.says(talk.person);
        let stored = async |post: &Post| post.acts.conversation_of(&wamid).await.is_some();
        post.pass_until(Duration::from_secs(30), stored).await;
        assert_eq!(control(&post, talk).await, Control::Bot);
        post.told_at(at, "messaging_handovers", taken).await;
        assert_eq!(control(&post, talk).await, Control::Bot);
    }
);

on_both!(
    a_thread_that_another_app_takes_and_passes_back,
    post | post | {
        let mut post = post;
        let talk = post.customer().await;
        post.told("messaging_handovers", handover(&post, talk, "control_taken", "ai_agent")).await;
        assert_eq!(control(&post, talk).await, Control::Elsewhere);
        post.told("messaging_handovers", handover(&post, talk, "control_passed", "escalation")).await;
        assert!(matches!(control(&post, talk).await, Control::Waiting { .. }), "a person is wanted");
        // Whoever is told nothing of the end finds out by being written to.
        post.sleep(Duration::from_secs(1));
        post.told("messaging_handovers", handover(&post, talk, "control_taken", "ai_agent")).await;
        post.says(talk.person);
        let back = async |post: &Post| control(post, talk).await == Control::Bot;
        post.pass_until(Duration::from_secs(30), back).await;
    }
);

on_both!(
    what_is_said_to_another_app_is_shown_and_never_answered,
    post | post | {
        let mut post = post;
        let talk = post.customer().await;
        let now = post.now();
        post.world().whatsapp.take_elsewhere(now, 0, talk.person);
        let elsewhere = async |post: &Post| control(post, talk).await == Control::Elsewhere;
        post.pass_until(Duration::from_secs(30), elsewhere).await;
        let before = post.acts.thread(talk.conversation).await.unanswered_since;
        let copy = post.says(talk.person);
        let now = post.now();
        let echo = post.world().whatsapp.answer_elsewhere(now, 0, talk.person, "We are looking into it.");
        let stored = async |post: &Post| {
            post.acts.conversation_of(&copy).await.is_some() && post.acts.conversation_of(&echo).await.is_some()
        };
        post.pass_until(Duration::from_secs(30), stored).await;
        assert_eq!(control(&post, talk).await, Control::Elsewhere);
        let thread = post.acts.thread(talk.conversation).await;
        assert_eq!((thread.unanswered_since, thread.due_at), (before, None), "it is not ours to answer");
        let now = post.now();
        post.world().whatsapp.pass_here(now, 0, talk.person, "wants a refund");
        let here = async |post: &Post| matches!(control(post, talk).await, Control::Waiting { .. });
        post.pass_until(Duration::from_secs(30), here).await;
    }
);

on_both!(
    a_thread_is_taken_from_another_app_only_if_meta_grants_it,
    post | post | {
        let mut post = post;
        let ana = post.acts.add_agent("Ana").await;
        let talk = post.customer().await;
        post.acts.step(talk.conversation, Step::GoElsewhere, Who::Meta).await.unwrap();
        post.world().whatsapp.person_mut(talk.person).is_elsewhere = true;
        asks(&post, talk, ana, Kind::Take).await;
        post.pass(Duration::from_secs(5)).await;
        assert_eq!(control(&post, talk).await, Control::Elsewhere);
        // Elsewhere in the cluster a transaction may hold the horizon back for a moment.
        eventually("it is told", async || details(&post, talk, errands::REFUSED).await == ["take 2494191"]).await;
        post.world().whatsapp.person_mut(talk.person).may_be_taken = true;
        asks(&post, talk, ana, Kind::Take).await;
        post.pass(Duration::from_secs(5)).await;
        assert_eq!(control(&post, talk).await.owner(), Some(ana));
        let word = post.queue(talk, Author::Agent, "mine now").await;
        post.pass(Duration::from_secs(30)).await;
        assert!(post.is_accepted(word).await);
        asks(&post, talk, ana, Kind::Pass).await;
        post.pass(Duration::from_secs(5)).await;
        assert_eq!(control(&post, talk).await, Control::Elsewhere);
        assert!(post.world().whatsapp.people()[talk.person.0].is_elsewhere);
    }
);

on_both!(
    whoever_is_blocked_is_owed_no_answer_until_that_ends,
    post | post | {
        let mut post = post;
        let rita = post.acts.add_agent("Rita").await;
        let talk = post.customer().await;
        asks(&post, talk, rita, Kind::Block).await;
        post.pass(Duration::from_secs(5)).await;
        assert!(post.world().whatsapp.people()[talk.person.0].is_blocked);
        let thread = post.acts.thread(talk.conversation).await;
        assert!(matches!(thread.control, Control::Resolved { .. }));
        assert_eq!((thread.unanswered_since, thread.due_at), (None, None));
        // What was under way when Meta blocked them.
        let wamid = post.says(talk.person);
        let stored = async |post: &Post| post.acts.conversation_of(&wamid).await.is_some();
        post.pass_until(Duration::from_secs(30), stored).await;
        let thread = post.acts.thread(talk.conversation).await;
        assert_eq!((thread.unanswered_since, thread.due_at), (None, None), "kept, and not owed");
        asks(&post, talk, rita, Kind::Unblock).await;
        post.pass(Duration::from_secs(5)).await;
        let mut reader = post.acts.0.db.reader().await.unwrap();
        assert_eq!(customers::blocked(reader.conn(), talk.conversation).await.unwrap(), None);
        drop(reader);
        let wamid = post.says(talk.person);
        let stored = async |post: &Post| post.acts.conversation_of(&wamid).await.is_some();
        post.pass_until(Duration::from_secs(30), stored).await;
        assert!(post.acts.thread(talk.conversation).await.due_at.is_some());
    }
);

on_both!(
    a_message_of_which_nothing_was_heard_is_asked_for_and_settled,
    post | post | {
        let mut post = post;
        let ana = post.acts.add_agent("Ana").await;
        let talk = post.customer().await;
        post.acts.take(talk.conversation, ana).await;
        let callback = post.world().whatsapp.config_mut().apps[0].callback_url.take();
        let word = post.queue(talk, Author::Agent, "are you there?").await;
        post.pass(Duration::from_secs(120)).await;
        assert!(post.is(word, Delivery::Accepted).await, "no webhook came");
        post.world().whatsapp.config_mut().apps[0].callback_url = callback;
        let channel = post.acts.channel().await;
        let number = Number {
            channel: channel.id,
            account: channel.business_account_id,
            phone_number_id: channel.phone_number_id,
            graph: post.graph(),
        };
        let numbers: HashMap<_, _> = [(channel.id, number)].into();
        let step = async |post: &Post| history::step(&post.acts.0, &numbers).await.unwrap();
        assert_eq!(step(&post).await, 0, "it may still come by itself");
        post.sleep(Duration::from_secs(20 * 60));
        let asked = post.asking(step(&post)).await;
        assert_eq!(asked, 1);
        assert!(post.is(word, Delivery::Delivered).await);
        assert_eq!(step(&post).await, 0, "once is enough");
    }
);

on_both!(
    what_meta_does_not_know_either_is_not_asked_for_again_and_again,
    post | post | {
        let mut post = post;
        let ana = post.acts.add_agent("Ana").await;
        let talk = post.customer().await;
        post.acts.take(talk.conversation, ana).await;
        post.world().whatsapp.config_mut().apps[0].callback_url = None;
        post.world().whatsapp.person_mut(talk.person).reachable = false;
        let word = post.queue(talk, Author::Agent, "are you there?").await;
        post.pass(Duration::from_secs(120)).await;
        post.sleep(Duration::from_secs(20 * 60));
        let take = async |post: &Post| {
            let now = post.now();
            let (since, before, looked) = (
                now.minus(Duration::from_secs(86_400)),
                now.minus(Duration::from_secs(900)),
                now.minus(Duration::from_secs(3_600)),
            );
            let job = post.acts.0.db.write(Urgency::Last, move |tx| {
                Box::pin(baton_server::store::messages::take_silent(tx, since, before, looked, now, 10))
            });
            job.await.unwrap().into_iter().map(|one| one.id).collect::<Vec<_>>()
        };
        assert_eq!(take(&post).await, [word]);
        assert!(take(&post).await.is_empty());
        post.sleep(Duration::from_secs(2 * 3_600));
        assert_eq!(take(&post).await, [word]);
    }
);

//! What Meta says of accounts and numbers changes what Baton does, on both engines.

use std::time::Duration;

use baton_server::store::{
    Urgency,
    channels::Meta,
    standings,
    templates::{self, Stored},
};
use baton_shared::message::{Author, Delivery};
use baton_tests::{on_both, post::Post};
use serde_json::json;

async fn meta(post: &Post) -> Meta {
    post.acts.channel().await.meta
}

async fn problem(post: &Post, message: baton_shared::MessageId) -> String {
    post.acts.message(message).await.problem.unwrap_or_default()
}

on_both!(
    a_banned_number_holds_its_words_and_sends_them_when_it_is_back,
    post | post | {
        let mut post = post;
        let ana = post.acts.add_agent("Ana").await;
        let talk = post.customer().await;
        post.acts.take(talk.conversation, ana).await;
        post.told("account_update", json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}}))
            .await;
        let one = post.queue(talk, Author::Agent, "one").await;
        let two = post.queue(talk, Author::Agent, "two").await;
        post.pass(Duration::from_secs(30)).await;
        assert_eq!((post.asked("one"), post.asked("two")), (0, 0), "nothing fails one by one");
        assert!(post.is(one, Delivery::Held).await && post.is(two, Delivery::Held).await);
        assert_eq!(problem(&post, one).await, "number_banned");
        // Even after long: only Meta can lift it.
        post.pass(Duration::from_secs(3_600)).await;
        assert_eq!(post.asked("one"), 0);
        post.told("account_update", json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "REINSTATE"}}))
            .await;
        post.pass(Duration::from_secs(60)).await;
        let mut reached = post.reached(talk.person);
        reached.sort();
        assert_eq!(reached, ["one", "two"]);
    }
);

on_both!(
    a_token_that_is_revoked_holds_everything_until_it_works_again,
    post | post | {
        let mut post = post;
        let ana = post.acts.add_agent("Ana").await;
        let mut talks = Vec::new();
        for _ in 0..5 {
            let talk = post.customer().await;
            post.acts.take(talk.conversation, ana).await;
            talks.push(talk);
        }
        let tokens = std::mem::take(&mut post.world().whatsapp.config_mut().tokens);
        let first = post.queue(talks[0], Author::Agent, "word 0").await;
        post.pass(Duration::from_secs(5)).await;
        assert!(post.is(first, Delivery::Held).await, "it is not lost");
        assert_eq!(problem(&post, first).await, "number_token");
        let mut words = vec![first];
        for (number, talk) in talks.iter().enumerate().skip(1) {
            words.push(post.queue(*talk, Author::Agent, &format!("word {number}")).await);
        }
        post.pass(Duration::from_secs(60)).await;
        assert_eq!((1..5).map(|number| post.asked(&format!("word {number}"))).sum::<usize>(), 0);
        post.world().whatsapp.config_mut().tokens = tokens;
        post.pass(Duration::from_secs(11 * 60)).await;
        for (number, talk) in talks.iter().enumerate() {
            assert_eq!(post.reached(talk.person), [format!("word {number}")]);
        }
        assert_eq!(meta(&post).await.stop, None);
    }
);

on_both!(
    the_rate_is_the_one_that_meta_allows,
    post | post
        | {
            let post = post;
            assert_eq!(meta(&post).await.per_second, 80);
            let upgrade = || json!({"display_phone_number": "1", "event": "THROUGHPUT_UPGRADE", "current_limit": "TIER_UNLIMITED"});
            post.told("phone_number_quality_update", upgrade()).await;
            let now = meta(&post).await;
            assert_eq!((now.per_second, now.messaging_limit.as_deref()), (1_000, Some("TIER_UNLIMITED")));
            // Somebody wrote on the business's own phone: such a number is slow, whatever else is said.
            let number = post.acts.channel().await.phone_number_id;
            let echo = json!({"messaging_product": "whatsapp", "metadata": {"phone_number_id": number},
            "message_echoes": [{"from": "15550000", "to": "15550001", "id": "wamid.echo", "timestamp": "1", "type": "text",
                                "text": {"body": "hello"}}]});
            post.told("smb_message_echoes", echo).await;
            assert_eq!((meta(&post).await.per_second, meta(&post).await.coexistence), (20, true));
            post.told("phone_number_quality_update", upgrade()).await;
            assert_eq!(meta(&post).await.per_second, 20);
        }
);

on_both!(
    a_template_that_meta_pauses_is_known_at_once,
    post | post | {
        let post = post;
        let account = post.acts.channel().await.business_account_id;
        let now = post.now();
        let stored = Stored {
            account: account.clone(),
            name: "parcel".into(),
            language: "de".into(),
            category: "UTILITY".into(),
            status: "APPROVED".into(),
            quality: None,
            components: "[]".into(),
            synced_at: now,
        };
        let put = stored.clone();
        let job = post.acts.0.db.write(Urgency::First, move |tx| {
            let put = put.clone();
            Box::pin(async move { templates::replace(tx, &put.account, std::slice::from_ref(&put), now).await })
        });
        job.await.unwrap();
        let of = |rest: serde_json::Value| {
            let mut value =
                json!({"message_template_id": 5, "message_template_name": "parcel", "message_template_language": "de"});
            value.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
            value
        };
        let known = async |post: &Post| {
            let mut reader = post.acts.0.db.reader().await.unwrap();
            templates::by_name(reader.conn(), &account, "parcel", "de").await.unwrap().unwrap()
        };
        post.told("message_template_status_update", of(json!({"event": "PAUSED", "reason": null}))).await;
        assert_eq!(known(&post).await.status, "PAUSED");
        let mut reader = post.acts.0.db.reader().await.unwrap();
        let wrong = standings::wrong(reader.conn(), 10).await.unwrap();
        assert_eq!(wrong.iter().map(standings::Kept::sentence).collect::<Vec<_>>(), ["template parcel (de): paused"]);
        drop(reader);
        post.told("message_template_status_update", of(json!({"event": "UNPAUSED", "reason": "NONE"}))).await;
        post.told("message_template_quality_update", of(json!({"new_quality_score": "YELLOW"}))).await;
        post.told("template_category_update", of(json!({"previous_category": "UTILITY", "new_category": "MARKETING"})))
            .await;
        let now = known(&post).await;
        assert_eq!(
            (now.status.as_str(), now.quality.as_deref(), now.category.as_str()),
            ("APPROVED", Some("YELLOW"), "MARKETING")
        );
        let mut reader = post.acts.0.db.reader().await.unwrap();
        let wrong = standings::wrong(reader.conn(), 10).await.unwrap();
        assert_eq!(wrong.len(), 1, "that it is another price now: {wrong:?}");
    }
);

on_both!(
    an_older_word_that_comes_late_changes_nothing,
    post | post | {
        let post = post;
        let ban = |state| json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": state}});
        post.sleep(Duration::from_secs(60));
        post.told("account_update", ban("DISABLE")).await;
        post.sleep(Duration::from_secs(60));
        post.told("account_update", ban("REINSTATE")).await;
        assert_eq!(meta(&post).await.stop, None);
        post.told_at(post.now().minus(Duration::from_secs(60)), "account_update", ban("DISABLE")).await;
        assert_eq!(meta(&post).await.stop, None);
    }
);

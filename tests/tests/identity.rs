//! Who is who: numbers that change hands and people who change numbers, on both engines.

use baton_server::store::{customers, events};
use baton_shared::{ConversationId, CustomerId};
use baton_tests::{
    app::{App, eventually},
    on_both,
    said::{Sender, text},
};
use serde_json::{Value, json};

const OLD: &str = "15550001111";
const NEW: &str = "15550009999";

async fn arrives(app: &App, wamid: &str, phone: Option<&str>, user_id: Option<&str>, rest: Value) -> ConversationId {
    app.arrives(Sender { phone, user_id }, wamid, app.clock.now().seconds(), rest).await
}

async fn names(app: &App, conversation: ConversationId) -> Vec<String> {
    let customer: CustomerId = app.acts().thread(conversation).await.customer.expect("a customer");
    let aliases = customers::aliases_of(app.reader().await.conn(), &[customer]).await.unwrap();
    let mut names: Vec<String> = aliases.into_iter().map(|alias| alias.value).collect();
    names.sort();
    names
}

async fn kinds(app: &App, conversation: ConversationId) -> Vec<String> {
    let all = events::after(app.reader().await.conn(), events::Position::START, 1_000).await.unwrap();
    all.into_iter().filter(|event| event.conversation == Some(conversation)).map(|event| event.kind).collect()
}

on_both!(
    a_conversation_follows_whoever_changes_their_number,
    app | app | {
        let before = arrives(&app, "wamid.1", Some(OLD), None, text("hello")).await;
        let moves = json!({"type": "system", "system": {"type": "user_changed_number", "wa_id": NEW, "body": "moved"}});
        assert_eq!(arrives(&app, "wamid.2", Some(OLD), None, moves).await, before);
        assert_eq!(names(&app, before).await, [NEW]);
        assert_eq!(arrives(&app, "wamid.3", Some(NEW), None, text("hello")).await, before);
        // The old number is free for somebody else.
        assert_ne!(arrives(&app, "wamid.4", Some(OLD), None, text("hello")).await, before);
    }
);

on_both!(
    a_conversation_follows_whoever_gets_a_new_user_id,
    app | app | {
        let before = arrives(&app, "wamid.1", Some(OLD), Some("US.1"), text("hello")).await;
        let moves =
            json!({"type": "system", "system": {"type": "user_changed_user_id", "user_id": "US.2", "body": "moved"}});
        assert_eq!(arrives(&app, "wamid.2", Some(OLD), None, moves).await, before);
        assert_eq!(names(&app, before).await, [OLD, "US.2"]);
        assert_eq!(arrives(&app, "wamid.3", None, Some("US.2"), text("hello")).await, before);
    }
);

on_both!(
    a_number_that_was_given_out_again_leads_to_its_new_owner_and_says_so,
    app | app | {
        let first = arrives(&app, "wamid.1", Some(OLD), Some("US.1"), text("hello")).await;
        let second = arrives(&app, "wamid.2", Some(OLD), Some("US.2"), text("hello")).await;
        assert_ne!(first, second, "another person");
        assert_eq!(
            (names(&app, first).await, names(&app, second).await),
            (vec!["US.1".into()], vec![OLD.into(), "US.2".into()])
        );
        // Elsewhere in the cluster a transaction may hold the horizon back for a moment.
        eventually("it is told", async || kinds(&app, second).await.contains(&"number_recycled".to_owned())).await;
        assert!(!kinds(&app, first).await.contains(&"number_recycled".to_owned()));
        // The first one is still who they were.
        assert_eq!(arrives(&app, "wamid.3", None, Some("US.1"), text("hello")).await, first);
    }
);

on_both!(
    nobody_takes_a_name_that_is_somebody_elses,
    app | app | {
        let victim = arrives(&app, "wamid.1", Some(NEW), Some("US.1"), text("hello")).await;
        let thief = arrives(&app, "wamid.2", Some(OLD), Some("US.2"), text("hello")).await;
        let moves = json!({"type": "system", "system": {"type": "user_changed_number", "wa_id": NEW, "body": "moved"}});
        assert_eq!(arrives(&app, "wamid.3", Some(OLD), None, moves).await, thief);
        assert_eq!(names(&app, victim).await, [NEW, "US.1"]);
        assert_eq!(names(&app, thief).await, [OLD, "US.2"]);
    }
);

on_both!(
    a_number_that_is_written_in_two_ways_is_one_customer_and_answered_as_it_came,
    app | app | {
        for (round, (one, other)) in
            [("551187654321", "5511987654321"), ("5215512345678", "525512345678"), ("541123456789", "5491123456789")]
                .into_iter()
                .enumerate()
        {
            let first = arrives(&app, &format!("wamid.{round}.1"), Some(one), None, text("hello")).await;
            assert_eq!(arrives(&app, &format!("wamid.{round}.2"), Some(other), None, text("hello")).await, first);
            assert_eq!(names(&app, first).await, [other]);
            assert_eq!(arrives(&app, &format!("wamid.{round}.3"), Some(one), Some("BR.1"), text("hello")).await, first);
            assert_eq!(names(&app, first).await, [one, "BR.1"]);
            let moves =
                json!({"type": "system", "system": {"type": "user_changed_user_id", "user_id": format!("XX.{round}")}});
            arrives(&app, &format!("wamid.{round}.4"), Some(one), Some("BR.1"), moves).await;
        }
    }
);

//! Who is who: numbers that change hands and people who change numbers, on both engines.

use baton_server::store::{customers, events, messages};
use baton_shared::{ConversationId, CustomerId, message::Author};
use baton_tests::{
    app::{App, eventually},
    on_both,
    said::{Sender, change, text},
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

/// A `user_id_update` of somebody with the phone [`OLD`], as Meta's page of the field has it.
fn new_id(app: &App, before: &str, now: &str) -> String {
    let update = json!({"wa_id": OLD, "detail": "User id for Marina has been updated.",
                        "user_id": {"previous": before, "current": now},
                        "timestamp": app.clock.now().seconds().to_string()});
    let contacts = json!([{"profile": {"name": "Marina"}, "wa_id": OLD}]);
    let value = json!({"contacts": contacts, "user_id_update": [update]});
    change(&app.settings().whatsapp.channels[0], "user_id_update", value).to_string()
}

async fn said(app: &App, conversation: ConversationId) -> Vec<String> {
    let said = messages::said(app.reader().await.conn(), conversation, 100).await.unwrap();
    let theirs = said.into_iter().filter(|message| message.author == Author::Customer);
    theirs.map(|message| message.text).collect()
}

on_both!(
    a_new_user_id_is_followed_however_meta_says_it_and_how_often,
    app | app
        | {
            let before = arrives(&app, "wamid.1", Some(OLD), Some("US.1"), text("hello")).await;
            let system = |body: &str| json!({"type": "system", "system": {"type": "user_changed_user_id", "user_id": "US.2", "body": body}});
            for _ in 0..2 {
                assert!(app.post(new_id(&app, "US.1", "US.2")).await.is_success());
                // The same as a message, which names who it was in its sentence alone.
                let again = system("User Marina changed from US.1 to US.2.");
                assert_eq!(arrives(&app, "wamid.2", None, None, again).await, before);
                assert_eq!(arrives(&app, "wamid.3", Some(OLD), Some("US.1"), system("once more")).await, before);
            }
            assert_eq!(names(&app, before).await, [OLD, "US.2"]);
            let lines = [
                "hello",
                "User id for Marina has been updated.",
                "User Marina changed from US.1 to US.2.",
                "once more",
            ];
            assert_eq!(said(&app, before).await, lines, "each once");
            assert_eq!(arrives(&app, "wamid.4", None, Some("US.2"), text("it is me")).await, before);
            assert!(!kinds(&app, before).await.contains(&"merged".to_owned()), "nobody new came into being on the way");
        }
);

on_both!(
    who_is_known_only_by_a_user_id_is_followed_by_the_sentence,
    app | app | {
        let before = arrives(&app, "wamid.1", None, Some("US.1"), text("hello")).await;
        let moves = json!({"type": "system", "system":
            {"type": "user_changed_user_id", "user_id": "US.2", "body": "User Marina changed from US.1 to US.2"}});
        assert_eq!(arrives(&app, "wamid.2", None, None, moves).await, before);
        assert_eq!(names(&app, before).await, ["US.2"]);
    }
);

on_both!(
    what_is_said_again_brings_no_name_back_that_has_gone_to_somebody_else,
    app | app | {
        let before = arrives(&app, "wamid.1", Some(OLD), Some("US.1"), text("hello")).await;
        let moves =
            || json!({"type": "system", "system": {"type": "user_changed_number", "wa_id": NEW, "body": "moved"}});
        arrives(&app, "wamid.2", Some(OLD), Some("US.1"), moves()).await;
        assert!(app.post(new_id(&app, "US.1", "US.2")).await.is_success());
        let other = arrives(&app, "wamid.3", Some(OLD), Some("US.9"), text("a new owner")).await;
        assert_ne!(before, other);
        for round in 0..2 {
            // Meta tries for seven days, whatever has happened meanwhile.
            assert_eq!(arrives(&app, "wamid.1", Some(OLD), Some("US.1"), text("hello")).await, before, "{round}");
            assert_eq!(arrives(&app, "wamid.2", Some(OLD), Some("US.1"), moves()).await, before);
            assert!(app.post(new_id(&app, "US.1", "US.2")).await.is_success());
        }
        assert_eq!(names(&app, before).await, [NEW, "US.2"]);
        assert_eq!(names(&app, other).await, [OLD, "US.9"]);
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

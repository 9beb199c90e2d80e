//! Every kind of message, from the signed webhook to an agent's screen, on both engines.

use std::collections::HashMap;

use baton::net::{Client, NetEvent};
use baton_server::store::messages;
use baton_shared::{
    ConversationId, MessageId,
    content::{Content, Forwarded},
    message::{Author, Message},
    protocol::ServerFrame,
};
use baton_tests::{
    app::App,
    on_both,
    said::{phone, text},
};
use serde_json::{Value, json};

const PHONE: &str = "15550001111";

async fn arrives(app: &App, wamid: &str, second: i64, rest: Value) {
    app.receives(phone(PHONE), wamid, second, rest).await;
}

async fn thread_of(app: &App, wamid: &str) -> (MessageId, ConversationId) {
    let found = messages::by_wamids(app.reader().await.conn(), [wamid]).await.unwrap();
    found.into_iter().map(|(_, message, thread)| (message, thread)).next().expect("it is stored")
}

/// An agent's screen with one conversation open.
struct Screen {
    client: Client,
    messages: HashMap<MessageId, Message>,
}

impl Screen {
    async fn open(app: &App, thread: ConversationId) -> Self {
        let mut client = app.agent("Ana").await;
        client.open(thread);
        let mut screen = Self { client, messages: HashMap::new() };
        screen.until(|screen| !screen.messages.is_empty()).await;
        screen
    }

    async fn until(&mut self, is_so: impl Fn(&Self) -> bool) {
        while !is_so(self) {
            let Some(NetEvent::Frame(frame)) = self.client.next().await else { continue };
            let messages = match *frame {
                ServerFrame::Thread(thread) => thread.messages,
                ServerFrame::Events(events) => events.messages,
                _ => continue,
            };
            for message in messages {
                let known = self.messages.get(&message.id).map_or(0, |known| known.version);
                if known <= message.version {
                    self.messages.insert(message.id, message);
                }
            }
        }
    }

    async fn shows(&mut self, id: MessageId, is_so: impl Fn(&Message) -> bool) -> Message {
        self.until(|screen| screen.messages.get(&id).is_some_and(&is_so)).await;
        self.messages[&id].clone()
    }
}

on_both!(
    what_belongs_to_a_message_is_shown_on_it,
    app | app | {
        arrives(&app, "wamid.1", 1_790_000_000, text("two lamps")).await;
        let (first, thread) = thread_of(&app, "wamid.1").await;
        let mut screen = Screen::open(&app, thread).await;
        let reaction = json!({"type": "reaction", "reaction": {"message_id": "wamid.1", "emoji": "\u{1f44d}"}});
        arrives(&app, "wamid.2", 1_790_000_005, reaction).await;
        let shown = screen.shows(first, |one| !one.reactions.is_empty()).await;
        assert_eq!((shown.reactions[0].by, shown.reactions[0].emoji.as_str()), (Author::Customer, "\u{1f44d}"));
        // Taken back: the key is missing then.
        arrives(&app, "wamid.3", 1_790_000_006, json!({"type": "reaction", "reaction": {"message_id": "wamid.1"}}))
            .await;
        screen.shows(first, |one| one.reactions.is_empty() && one.version > shown.version).await;
        let inner = text("three lamps");
        let edit = json!({"type": "edit", "edit": {"original_message_id": "wamid.1", "message": inner}});
        arrives(&app, "wamid.4", 1_790_000_007, edit.clone()).await;
        let shown = screen.shows(first, |one| one.edited.is_some()).await;
        assert_eq!((shown.body.text.as_str(), shown.edited.unwrap().before.as_str()), ("three lamps", "two lamps"));
        let revoke = json!({"type": "revoke", "revoke": {"original_message_id": "wamid.1"}});
        arrives(&app, "wamid.5", 1_790_000_008, revoke).await;
        let shown = screen.shows(first, |one| one.revoked_at.is_some()).await;
        assert_eq!(shown.body.text, "three lamps", "agents see what it was");
        // A repeat of any of them is nothing new.
        arrives(&app, "wamid.4", 1_790_000_007, edit).await;
        let reply = json!({"context": {"from": PHONE, "id": "wamid.1"}, "type": "text", "text": {"body": "or four"}});
        arrives(&app, "wamid.6", 1_790_000_009, reply).await;
        let (second, _) = thread_of(&app, "wamid.6").await;
        let shown = screen.shows(second, |_| true).await;
        let quote = shown.quote.expect("it replies to something");
        assert_eq!(
            (quote.message, quote.author, quote.text.as_str()),
            (Some(first), Some(Author::Customer), "two lamps")
        );
        let customers = screen.messages.values().filter(|one| one.author == Author::Customer).count();
        assert_eq!(customers, 2, "reactions, edits and deletions are no messages of their own");
        assert_eq!(screen.messages[&first].version, shown_version(&app, first).await);
    }
);

async fn shown_version(app: &App, id: MessageId) -> i64 {
    messages::by_id(app.reader().await.conn(), id).await.unwrap().expect("it is stored").version
}

on_both!(
    a_change_that_overtakes_its_message_is_not_lost,
    app | app | {
        let reaction = json!({"type": "reaction", "reaction": {"message_id": "wamid.1", "emoji": "\u{2764}"}});
        arrives(&app, "wamid.2", 1_790_000_005, reaction).await;
        let (early, thread) = thread_of(&app, "wamid.2").await;
        let mut screen = Screen::open(&app, thread).await;
        let shown = screen.shows(early, |_| true).await;
        let content = shown.body.detail.and_then(|detail| detail.content);
        assert_eq!(
            content,
            Some(Content::Reaction { emoji: Some("\u{2764}".into()) }),
            "to a message that is not here"
        );
        arrives(&app, "wamid.1", 1_790_000_000, text("hi")).await;
        let (first, _) = thread_of(&app, "wamid.1").await;
        screen.shows(first, |one| one.reactions.len() == 1).await;
    }
);

on_both!(
    nobody_changes_what_somebody_else_said,
    app | app | {
        arrives(&app, "wamid.1", 1_790_000_000, text("mine")).await;
        let (first, thread) = thread_of(&app, "wamid.1").await;
        let revoke = json!({"type": "revoke", "revoke": {"original_message_id": "wamid.1"}});
        app.arrives(phone("15550002222"), "wamid.2", 1_790_000_001, revoke).await;
        let (_, other) = thread_of(&app, "wamid.2").await;
        assert_ne!(other, thread);
        let mut screen = Screen::open(&app, thread).await;
        assert_eq!(screen.shows(first, |_| true).await.revoked_at, None);
    }
);

on_both!(
    every_type_has_its_own_body,
    app | app
        | {
            let types = [
                json!({"type": "image", "image": {"id": "1", "mime_type": "image/jpeg", "sha256": "x", "caption": "the lamp"}}),
                json!({"type": "audio", "audio": {"id": "2", "mime_type": "audio/ogg; codecs=opus", "voice": true}}),
                json!({"type": "location", "location": {"latitude": 52.5, "longitude": 13.4}}),
                json!({"type": "contacts", "contacts": [{"name": {"formatted_name": "Bo"}, "phones": [{"phone": "+1 555"}]}]}),
                json!({"type": "button", "button": {"payload": "YES", "text": "Yes"}}),
                json!({"type": "interactive", "interactive": {"type": "nfm_reply", "nfm_reply": {"response_json": "{oops"}}}),
                json!({"type": "order", "order": {"catalog_id": "9", "product_items": [{"product_retailer_id": "L1", "quantity": 2}]}}),
                json!({"type": "unsupported", "errors": [{"code": 131_051, "title": "unknown"}]}),
                json!({"type": "text", "text": {"body": "see"}, "context": {"forwarded": true}}),
                json!({"type": "hologram", "hologram": {"body": "hi"}}),
            ];
            for (number, rest) in types.iter().enumerate() {
                let second = 1_790_000_000 + i64::try_from(number).unwrap();
                arrives(&app, &format!("wamid.{number}"), second, rest.clone()).await;
            }
            let (_, thread) = thread_of(&app, "wamid.0").await;
            let mut screen = Screen::open(&app, thread).await;
            screen
                .until(|screen| screen.messages.values().filter(|one| one.author == Author::Customer).count() == 10)
                .await;
            let mut said: Vec<&Message> =
                screen.messages.values().filter(|one| one.author == Author::Customer).collect();
            said.sort_by_key(|one| one.place);
            let kinds: Vec<&str> = said
                .iter()
                .map(|one| match one.body.detail.as_deref().map(|detail| (&detail.content, detail.forwarded)) {
                    Some((Some(Content::Media(media)), _)) if media.voice => "voice",
                    Some((Some(Content::Media(_)), _)) => "media",
                    Some((Some(Content::Location(_)), _)) => "location",
                    Some((Some(Content::Contacts { cards }), _)) if cards[0].phones == ["+1 555"] => "contacts",
                    Some((Some(Content::Choice(choice)), _)) if choice.id.as_deref() == Some("YES") => "choice",
                    Some((Some(Content::Form(form)), _)) if form.broken => "broken form",
                    Some((Some(Content::Order(order)), _)) if order.items[0].quantity.as_deref() == Some("2") => {
                        "order"
                    }
                    Some((Some(Content::Unsupported { code: Some(131_051), .. }), _)) => "unsupported",
                    Some((None, Some(Forwarded::Once))) => "forwarded",
                    None => one.body.kind.as_str(),
                    Some(_) => "?",
                })
                .collect();
            let expected = [
                "media",
                "voice",
                "location",
                "contacts",
                "choice",
                "broken form",
                "order",
                "unsupported",
                "forwarded",
                "hologram",
            ];
            assert_eq!(kinds, expected);
        }
);

//! Stored messages as clients show them, with a plain sentence for what is wrong.

use std::collections::HashMap;

use baton_shared::{
    ConversationId, MessageId, Micros,
    content::{Content, Detail, MediaState},
    message::{Body, Delivery, Message, Quote},
    template::Template,
};

use crate::{
    domain::{
        amended::{self, Change},
        outgoing::Hold,
    },
    store::{
        Conn, StoreError, amendments,
        media::{self, Media},
        messages::{self, Short, Stored},
        rows::preview,
        templates,
    },
    whatsapp::{errors, outgoing},
};

/// Messages as a client shows them: with what they reply to, and with what was changed later.
pub(super) async fn messages(mut conn: Conn<'_>, stored: Vec<Stored>) -> Result<Vec<Message>, StoreError> {
    let quoted = quoted(conn.again(), &stored).await?;
    let mut files = files(conn.again(), &stored).await?;
    let mut changes = amendments::changes(conn, &stored).await?;
    let shown = stored.into_iter().map(|one| {
        let quote = one.quoted.as_deref().map(|wamid| quote(quoted.get(wamid), one.conversation));
        let changes = one.wamid.as_deref().and_then(|wamid| changes.remove(wamid)).unwrap_or_default();
        let file = files.remove(&one.id);
        message(one, quote, &changes, file)
    });
    Ok(shown.collect())
}

async fn quoted(conn: Conn<'_>, stored: &[Stored]) -> Result<HashMap<String, Short>, StoreError> {
    let wamids: Vec<&str> = stored.iter().filter_map(|one| one.quoted.as_deref()).collect();
    if wamids.is_empty() {
        return Ok(HashMap::new());
    }
    let found = messages::in_short(conn, wamids).await?;
    Ok(found.into_iter().map(|short| (short.wamid.clone(), short)).collect())
}

/// A template as a client shows it.
pub(super) fn template(stored: templates::Stored) -> Template {
    let templates::Stored { name, language, category, status, components, .. } = stored;
    let template = outgoing::read_template(&name, &language, &category, &status, &components);
    Template { quality: stored.quality, ..template }
}

async fn files(conn: Conn<'_>, stored: &[Stored]) -> Result<HashMap<MessageId, Media>, StoreError> {
    // A detail of plain text is rare, so what is asked for in vain is little.
    let ids: Vec<MessageId> = stored.iter().filter(|one| one.detail.is_some()).map(|one| one.id).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    Ok(media::of(conn, &ids).await?.into_iter().map(|file| (file.message, file)).collect())
}

/// What is not in this conversation is as if it were not here.
fn quote(found: Option<&Short>, conversation: ConversationId) -> Quote {
    match found.filter(|short| short.conversation == conversation) {
        Some(short) => {
            Quote { message: Some(short.id), author: Some(short.author), text: preview(&short.kind, &short.text) }
        }
        None => Quote { message: None, author: None, text: String::new() },
    }
}

fn message(stored: Stored, quote: Option<Quote>, changes: &[Change], file: Option<Media>) -> Message {
    let (problem, at, place) = (problem(&stored), shown_at(&stored), stored.stands_at());
    let sent_again = is_sent_again(&stored);
    let looks = amended::fold(stored.author, stored.text, stored.detail, changes);
    // Unreadable only if a later build wrote it: then the text is all there is to see.
    let mut detail: Option<Box<Detail>> = looks.detail.as_deref().and_then(|json| serde_json::from_str(json).ok());
    if let (Some(Content::Media(shown)), Some(file)) =
        (detail.as_mut().and_then(|detail| detail.content.as_mut()), file)
    {
        shown.problem = why_missing(&file);
        shown.state = Some(file.state);
        shown.size = file.size;
        shown.words = file.words;
        shown.thumbnail = file.thumbnail;
    }
    Message {
        problem,
        sent_again,
        at,
        place,
        quote,
        reactions: looks.reactions,
        edited: looks.edited,
        revoked_at: looks.revoked_at,
        id: stored.id,
        conversation: stored.conversation,
        version: stored.version,
        author: stored.author,
        agent: stored.agent,
        body: Body { kind: stored.kind, text: looks.text, detail },
        late: stored.late,
        delivery: stored.delivery,
    }
}

/// Meta's second; ours are known better than to the second while it is still the same one.
fn shown_at(stored: &Stored) -> Micros {
    if stored.created_at.seconds() == stored.second { stored.created_at } else { Micros::from_seconds(stored.second) }
}

/// Nothing else takes the trouble from such a message and leaves it as it is.
const fn is_sent_again(stored: &Stored) -> bool {
    matches!(stored.delivery, Some(Delivery::Failed | Delivery::Unknown)) && !stored.trouble
}

/// What is wrong and what to do; nothing once it has arrived all the same.
fn problem(stored: &Stored) -> Option<String> {
    let delivery = stored.delivery.filter(|_| !is_sent_again(stored))?;
    let code = stored.problem.as_deref();
    match delivery {
        Delivery::Held => Some(held(code)),
        Delivery::Failed => Some(failed(code)),
        Delivery::Unknown => Some(
            "It may or may not have arrived: WhatsApp did not answer. Sending it again may show it to the customer twice."
                .into(),
        ),
        Delivery::Queued => code.map(waits),
        Delivery::Sending
        | Delivery::Accepted
        | Delivery::Sent
        | Delivery::Delivered
        | Delivery::Read
        | Delivery::Played
        | Delivery::Cancelled => None,
    }
}

/// Why an agent cannot open a file.
fn why_missing(file: &Media) -> Option<String> {
    let sentence = match (file.state, file.problem.as_deref()) {
        (MediaState::Stored | MediaState::Unknown, _) | (MediaState::Waiting, None) => return None,
        (MediaState::Waiting, Some("graph_190" | "no_token")) => {
            "WhatsApp does not accept the access token: tell whoever runs the server."
        }
        (MediaState::Waiting, Some("media_store")) => "The server cannot store files just now: tell whoever runs it.",
        (MediaState::Waiting, Some(_)) => "It could not be fetched yet; the server goes on trying.",
        (MediaState::Gone, _) => "WhatsApp does not have it any more. Ask the customer to send it again.",
        (MediaState::Refused, Some("too_large")) => "It is larger than this server takes.",
        (MediaState::Refused, Some("type")) => "Its content is not what it claims to be, so it was not kept.",
        (MediaState::Refused, Some("digest")) => "It arrived damaged. Ask the customer to send it again.",
        (MediaState::Refused, _) => "It was not fetched: it is said to lie at a foreign server.",
        (MediaState::Failed, _) => "It could not be fetched in time. Ask the customer to send it again.",
    };
    Some(sentence.into())
}

/// It was tried, and is tried again by itself.
fn waits(code: &str) -> String {
    match code.parse::<i64>() {
        Ok(number) => errors::sentence(number, ""),
        Err(_) => "WhatsApp cannot be reached. It is tried again by itself, for up to ten minutes.".into(),
    }
}

fn held(code: Option<&str>) -> String {
    let hold = code.and_then(Hold::from_word);
    hold.map_or_else(|| "Not sent: it is kept back. Send it again or cancel it.".into(), Hold::sentence)
}

fn failed(code: Option<&str>) -> String {
    match code.map(str::parse::<i64>) {
        Some(Ok(number)) => errors::sentence(number, ""),
        Some(Err(_)) | None => "Not sent: WhatsApp could not be reached. Send it again.".into(),
    }
}

#[cfg(test)]
mod tests {
    use baton_shared::{ChannelId, ConversationId, Epoch, Ids, MessageId, message::Author};

    use super::*;

    fn sent(delivery: Delivery, problem: Option<&str>) -> Message {
        let (ids, now) = (Ids::seeded(1), Micros::from_seconds(100));
        let (id, conversation, channel): (MessageId, ConversationId, ChannelId) =
            (ids.next(now), ids.next(now), ids.next(now));
        let mut stored =
            Stored::queued(id, conversation, channel, Author::Agent, "hi".into(), Epoch(1), now, Micros::ZERO);
        stored.delivery = Some(delivery);
        stored.trouble = true;
        stored.problem = problem.map(str::to_owned);
        message(stored, None, &[], None)
    }

    #[test]
    fn what_is_wrong_is_said_in_a_sentence() {
        let told = |delivery, code| sent(delivery, Some(code)).problem.unwrap();
        assert!(told(Delivery::Held, "window_closed").contains("24-hour window"));
        assert!(told(Delivery::Held, "switched_off").contains("switched off"));
        assert!(told(Delivery::Held, "earlier_part_failed").contains("earlier part"));
        assert!(told(Delivery::Unknown, "no_answer").contains("twice"));
        assert!(told(Delivery::Failed, "not_sent").contains("reached"));
        assert!(told(Delivery::Failed, "131047").contains("131047"));
    }

    #[test]
    fn what_was_sent_again_is_nobodys_problem() {
        assert!(!sent(Delivery::Unknown, Some("no_answer")).sent_again);
        let (ids, now) = (Ids::seeded(1), Micros::from_seconds(100));
        let conversation: ConversationId = ids.next(now);
        let (id, channel): (MessageId, ChannelId) = (ids.next(now), ids.next(now));
        let mut old = Stored::queued(id, conversation, channel, Author::Bot, "hi".into(), Epoch(1), now, Micros::ZERO);
        (old.delivery, old.problem) = (Some(Delivery::Unknown), Some("no_answer".into()));
        let shown = message(old, None, &[], None);
        assert!(shown.sent_again);
        assert_eq!(shown.problem, None);
    }

    #[test]
    fn what_waits_says_why_once_it_was_tried() {
        let told = |code| sent(Delivery::Queued, code).problem;
        assert_eq!(told(None), None);
        assert!(told(Some("not_reached")).unwrap().contains("cannot be reached"));
        assert!(told(Some("131056")).unwrap().contains("tried again by itself"));
    }

    #[test]
    fn what_has_arrived_has_no_problem() {
        assert_eq!(sent(Delivery::Delivered, Some("no_answer")).problem, None);
    }
}

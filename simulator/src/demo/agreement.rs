//! Whether what agents have on screen is what is stored, once everything has come to rest.

use std::collections::{BTreeMap, BTreeSet};

use baton_server::{
    Context,
    store::{StoreError, audit, messages, rows},
};
use baton_shared::{ConversationId, Epoch, MessageId, Micros, message::Place, protocol::Row};

use super::{
    colleague::{Desk, SharedDesk, lock},
    picture::Sheet,
};

/// So many messages of a conversation are compared; no run makes more.
const PAGE: i64 = 10_000;

const END: Place = Place { second: i64::MAX, arrived_at: Micros::MAX, index: i64::MAX };

/// What is wrong on each screen, in words.
pub(super) async fn differences(context: &Context, desks: &[SharedDesk]) -> Result<Vec<String>, StoreError> {
    let mut reader = context.db.snapshot().await?;
    let every = audit::messages(reader.conn()).await?;
    let ids: Vec<ConversationId> =
        every.iter().map(|one| one.conversation).collect::<BTreeSet<_>>().into_iter().collect();
    let stored = rows::by_ids(reader.conn(), &ids, context.moment()).await?;
    let stored: BTreeMap<ConversationId, Row> =
        stored.into_iter().map(|seen| (seen.row.conversation, seen.row)).collect();
    let mut different = Vec::new();
    for desk in desks {
        let (name, screen) = screen(&lock(desk));
        different.extend(rows_differ(&screen.rows, &stored).map(|what| format!("{name}: {what}")));
        for (conversation, sheet) in screen.sheets {
            let page = messages::page(reader.conn(), conversation, END, PAGE).await?;
            let page = page.iter().map(|one| (one.id, (one.version, one.stands_at()))).collect();
            different.extend(messages_differ(&sheet, &page).map(|what| format!("{name}: {what} of {conversation}")));
        }
    }
    Ok(different)
}

/// A copy, so that nobody waits for the store with a desk in hand.
struct Screen {
    rows: BTreeMap<ConversationId, Row>,
    sheets: Vec<(ConversationId, Sheet)>,
}

fn screen(desk: &Desk) -> (String, Screen) {
    let picture = &desk.picture;
    let name = picture.me.as_ref().map_or_else(|| "nobody".into(), |me| me.name.clone());
    let rows = picture.rows.iter().map(|(id, row)| (*id, row.clone())).collect();
    (name, Screen { rows, sheets: picture.threads.iter().map(|(id, sheet)| (*id, sheet.clone())).collect() })
}

fn rows_differ<'a>(
    shown: &'a BTreeMap<ConversationId, Row>,
    stored: &'a BTreeMap<ConversationId, Row>,
) -> impl Iterator<Item = String> + 'a {
    let essence = |row: &Row| -> (Epoch, &'static str, i64, Option<Micros>) {
        (row.epoch, row.control.word(), row.unread, row.unanswered_since)
    };
    stored.iter().filter_map(move |(id, row)| match shown.get(id) {
        None => Some(format!("no row {id}")),
        Some(shown) if essence(shown) != essence(row) => {
            Some(format!("row {id} is {:?} instead of {:?}", essence(shown), essence(row)))
        }
        Some(_) => None,
    })
}

fn messages_differ<'a>(
    sheet: &'a Sheet,
    stored: &'a BTreeMap<MessageId, (i64, Place)>,
) -> impl Iterator<Item = String> + 'a {
    let oldest = sheet.messages.values().map(|message| message.place).min();
    let older = move |place: Place| sheet.more && oldest.is_some_and(|oldest| place < oldest);
    let missing = stored.iter().filter(move |(id, (_, place))| !sheet.messages.contains_key(id) && !older(*place));
    let outdated = sheet
        .messages
        .values()
        .filter(|message| stored.get(&message.id).is_none_or(|(version, _)| *version != message.version));
    missing
        .map(|(id, _)| format!("message {id} is missing"))
        .chain(outdated.map(|message| format!("message {} is not as it is stored", message.id)))
}

//! What happened between two places of the stream and how it looks now: read once for all clients.

use std::{
    collections::{BTreeSet, HashMap},
    sync::OnceLock,
};

use axum::extract::ws::Utf8Bytes;
use baton_shared::{
    AgentId, ConversationId, MessageId, Micros,
    message::Message,
    protocol::{Card, Consent, Event, FreeEntry, Merged, Person},
};
use serde::Serialize;

use crate::{
    Context,
    store::{
        Conn, StoreError, agents, consents, control,
        customers::{self, AliasKind},
        events::{self, Appended, Position},
        handoffs, memory, mergers, messages, proposals, receipts,
        rows::{self, Seen},
    },
};

use super::view;

/// So many events are read at a time.
const PAGE: i64 = 500;

/// So many handoffs of a conversation are shown.
const HANDOFFS: i64 = 20;

/// Kinds that change a card besides the marks of control.
const OF_CARDS: [&str; 7] = [
    "proposal_made",
    "proposal_used",
    "proposal_dropped",
    "message_state",
    "consent_changed",
    memory::LEARNT,
    memory::FORGOTTEN,
];

/// A sign-in of theirs has ended; the event names them.
const OF_SIGN_INS: [&str; 2] = [agents::SIGNED_OUT, agents::DISABLED];

/// Others may sign in than before.
const OF_PEOPLE: [&str; 2] = [agents::ADDED, agents::DISABLED];

/// What happened between two places of the stream.
#[derive(Debug)]
pub struct Batch {
    pub(super) after: Position,
    pub(super) through: Position,
    pub(super) now: Micros,
    /// There is more to read behind it.
    pub(super) full: bool,
    /// Something may have happened that cannot be read yet, and the place has not moved.
    pub(super) held: bool,
    pub(super) events: Vec<(Position, Item<Event>)>,
    /// Sorted by conversation.
    pub(super) rows: Vec<RowItem>,
    /// Of conversations that are open on some screen.
    pub(super) messages: Vec<Item<Message>>,
    pub(super) cards: Vec<Item<Card>>,
    /// Conversations that have gone into others.
    pub(super) merged: Vec<ConversationId>,
    /// Everybody, if that has changed.
    pub(super) people: Vec<Item<Person>>,
    /// The frames for whoever sees everything and has none of these open; by whether they may audit.
    pub(super) shared: [OnceLock<Vec<Utf8Bytes>>; 2],
}

/// A value and, once somebody asked for it, its JSON.
#[derive(Debug)]
pub(super) struct Item<T> {
    pub(super) value: T,
    json: OnceLock<String>,
}

impl<T: Serialize> Item<T> {
    pub(super) const fn new(value: T) -> Self {
        Self { value, json: OnceLock::new() }
    }

    pub(super) fn json(&self) -> &str {
        self.json.get_or_init(|| to_json(&self.value))
    }
}

pub(super) fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| {
        tracing::error!(%error, "a frame could not be written as JSON");
        "null".into()
    })
}

/// A row and what decides who may see it.
#[derive(Debug)]
pub(super) struct RowItem {
    pub(super) row: Item<baton_shared::protocol::Row>,
    pub(super) team: String,
}

impl From<Seen> for RowItem {
    fn from(seen: Seen) -> Self {
        Self { row: Item::new(seen.row), team: seen.team }
    }
}

impl Batch {
    /// Reads what follows `after`: one moment's look at up to 500 events. Messages and cards only of
    /// conversations that are `open` on some screen.
    pub async fn read(
        context: &Context,
        after: Position,
        open: impl Fn(ConversationId) -> bool + Send + Sync,
    ) -> Result<Self, StoreError> {
        let at = context.moment();
        let mut reader = context.db.snapshot().await?;
        let events = events::after(reader.conn(), after, PAGE).await?;
        let full = i64::try_from(events.len()).is_ok_and(|read| read >= PAGE);
        let (through, held) = match events.last() {
            Some(last) if full => (last.position(), false),
            _ => {
                let horizon = events::horizon(reader.conn()).await?;
                (horizon.position.max(after), horizon.held && horizon.position <= after)
            }
        };
        let touched: BTreeSet<ConversationId> = events.iter().filter_map(|event| event.conversation).collect();
        let rows = match touched.is_empty() {
            true => Vec::new(),
            false => rows::by_ids(reader.conn(), &Vec::from_iter(touched), at).await?,
        };
        let cards = cards_of(reader.conn(), &events, &rows, &open).await?;
        let mut rows: Vec<RowItem> = rows.into_iter().map(RowItem::from).collect();
        rows.sort_by_key(|item| item.row.value.conversation);
        let messages = messages_of(reader.conn(), &events, &open).await?;
        let people = match events.iter().any(|event| OF_PEOPLE.contains(&event.kind.as_str())) {
            true => people(reader.conn()).await?,
            false => Vec::new(),
        };
        let merged = merged_in(&events, &rows);
        Ok(Self {
            after,
            through,
            now: at.now,
            full,
            held,
            events: events.into_iter().map(|event| (event.position(), Item::new(Event::from(event)))).collect(),
            rows,
            messages: messages.into_iter().map(Item::new).collect(),
            cards: cards.into_iter().map(Item::new).collect(),
            merged,
            people: people.into_iter().map(Item::new).collect(),
            shared: Default::default(),
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Whether it says something of an agent's sign-ins.
    pub(super) fn is_about(&self, agent: AgentId) -> bool {
        let mut events = self.events.iter().map(|(_, event)| &event.value);
        events.any(|event| event.agent == Some(agent) && OF_SIGN_INS.contains(&event.kind.as_str()))
    }

    pub(super) fn row(&self, id: ConversationId) -> Option<&RowItem> {
        let found = self.rows.binary_search_by_key(&id, |item| item.row.value.conversation);
        found.ok().map(|place| &self.rows[place])
    }
}

/// What has gone into another one, unless it has been split off again since.
fn merged_in(events: &[Appended], rows: &[RowItem]) -> Vec<ConversationId> {
    let merged = events.iter().filter(|event| event.kind == mergers::MERGED);
    let gone = merged.filter_map(|event| event.detail.as_deref()?.parse().ok());
    gone.filter(|id| rows.iter().all(|item| item.row.value.conversation != *id)).collect()
}

/// Everybody who may sign in.
pub(super) async fn people(conn: Conn<'_>) -> Result<Vec<Person>, StoreError> {
    let everybody = agents::every(conn).await?;
    Ok(everybody.into_iter().filter(|agent| agent.disabled_at.is_none()).map(Into::into).collect())
}

async fn messages_of(
    mut conn: Conn<'_>,
    events: &[Appended],
    open: &(impl Fn(ConversationId) -> bool + Sync),
) -> Result<Vec<Message>, StoreError> {
    let touched: BTreeSet<MessageId> =
        events.iter().filter(|event| event.conversation.is_some_and(open)).filter_map(|event| event.message).collect();
    if touched.is_empty() {
        return Ok(Vec::new());
    }
    let stored = messages::by_ids(conn.again(), &Vec::from_iter(touched)).await?;
    view::messages(conn, stored).await
}

async fn cards_of(
    mut conn: Conn<'_>,
    events: &[Appended],
    rows: &[Seen],
    open: &(impl Fn(ConversationId) -> bool + Sync),
) -> Result<Vec<Card>, StoreError> {
    let changes = |kind: &str| control::KINDS.contains(&kind) || OF_CARDS.contains(&kind);
    let touched: BTreeSet<ConversationId> =
        events.iter().filter(|event| changes(&event.kind)).filter_map(|event| event.conversation).collect();
    let versions: HashMap<ConversationId, i64> =
        rows.iter().map(|seen| (seen.row.conversation, seen.row.version)).collect();
    let mut cards = Vec::new();
    for conversation in touched.into_iter().filter(|id| open(*id)) {
        if let Some(version) = versions.get(&conversation) {
            cards.push(card(conn.again(), conversation, *version).await?);
        }
    }
    Ok(cards)
}

/// Handoffs and proposals; `version` is the conversation's, which grows with every change of either.
pub(super) async fn card(mut conn: Conn<'_>, conversation: ConversationId, version: i64) -> Result<Card, StoreError> {
    let handoffs = handoffs::latest(conn.again(), conversation, HANDOFFS).await?;
    let proposals = proposals::open(conn.again(), conversation).await?;
    let marketing = consents::of_conversation(conn.again(), conversation).await?;
    let blocked_at = customers::blocked(conn.again(), conversation).await?;
    let price = receipts::newest(conn.again(), conversation).await?;
    let facts = memory::of_conversation(conn.again(), conversation).await?;
    let merged = merged(conn, conversation).await?;
    Ok(Card {
        conversation,
        version,
        handoffs: handoffs.into_iter().map(Into::into).collect(),
        proposals: proposals.into_iter().map(Into::into).collect(),
        marketing: marketing.map(|one| Consent { granted: one.granted, at: one.at, agent: one.agent }),
        merged,
        blocked_at,
        facts: facts.into_iter().map(Into::into).collect(),
        free_entry: price
            .filter(receipts::Known::is_free_entry)
            .map(|price| FreeEntry { at: price.at, until: price.free_until }),
    })
}

/// What can be split off again.
async fn merged(mut conn: Conn<'_>, conversation: ConversationId) -> Result<Option<Merged>, StoreError> {
    let Some(last) = mergers::latest(conn.again(), conversation).await? else { return Ok(None) };
    let names = last.names();
    let name = |kind| names.iter().find(|name| name.kind == kind).map(|name| name.value.as_str());
    let handle = rows::masked(name(AliasKind::Phone), name(AliasKind::User));
    Ok(Some(Merged { at: last.at, handle, messages: last.messages(conn).await? }))
}

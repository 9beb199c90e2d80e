//! What one client sees of the stream: where it stands, what it has open, what it may see. A frame
//! always begins where the one before it ended.

use std::{collections::HashSet, sync::Arc};

use axum::extract::ws::Utf8Bytes;
use baton_shared::{
    ConversationId, Ids, Micros,
    protocol::{Cursor, Events, FRAME_LIMIT, ServerFrame},
};

use crate::{
    Context,
    store::{
        StoreError, Urgency,
        events::{self, Position},
        settings,
    },
};

use super::{
    Batch, Snapshot,
    batch::{Item, RowItem, to_json},
    cursor,
    roles::{Right, Scope, Viewer},
};

/// A client that missed more than so many pages of events gets a snapshot.
const PAGES_MISSED: usize = 4;

/// What is beyond this goes into frames of its own; well below what either end accepts.
const TEXT_LIMIT: usize = FRAME_LIMIT / 2;

/// One client's place in the stream.
#[derive(Clone, Debug)]
pub struct Follower {
    viewer: Viewer,
    stream: Arc<str>,
    position: Position,
    open: HashSet<ConversationId>,
    /// What is on screen of somebody who does not see everything.
    known: HashSet<ConversationId>,
}

/// What a batch is to a client.
#[derive(Clone, Debug, PartialEq)]
pub enum Next<T> {
    Frame(T),
    /// It has seen this.
    Seen,
    /// It has missed something before this: read that first.
    Gap,
}

/// The name of the stream of events, given once to each database and anew after a restore.
pub async fn name(context: &Context) -> Result<Arc<str>, StoreError> {
    let known = events::stream(context.db.reader().await?.conn()).await?;
    if let Some(known) = known {
        return Ok(known.into());
    }
    let new = random_name(&context.ids);
    let stored = context.db.write(Urgency::First, move |tx| {
        let new = new.clone();
        Box::pin(async move {
            settings::put_new(tx, "stream", &new).await?;
            events::stream(tx.conn()).await?.ok_or(StoreError::Corrupt("a stream without a name"))
        })
    });
    Ok(stored.await?.into())
}

fn random_name(ids: &Ids) -> String {
    let mut bytes = [0; 8];
    ids.fill(&mut bytes);
    hex::encode(bytes)
}

/// The next frame after where the client stands, read from the store for it alone.
///
/// # Errors
/// [`StoreError`] if the store cannot be read; the client stands where it stood.
pub async fn after(context: &Context, follower: &mut Follower) -> Result<Events, StoreError> {
    let batch = Batch::read(context, follower.position, |id| follower.open.contains(&id)).await?;
    match follower.frame(&batch) {
        Next::Frame(events) => Ok(events),
        Next::Seen | Next::Gap => Err(StoreError::Corrupt("a stream that goes backwards")),
    }
}

/// The events that a client missed since `resume`, or nothing if it has to begin anew.
pub(super) async fn missed(
    context: &Context,
    follower: &mut Follower,
    resume: &Cursor,
) -> Result<Option<Vec<Utf8Bytes>>, StoreError> {
    if !follower.resume(context, resume).await? {
        return Ok(None);
    }
    let mut frames = Vec::new();
    for _ in 0..PAGES_MISSED {
        let open = follower.open.clone();
        let batch = Batch::read(context, follower.position, |id| open.contains(&id)).await?;
        if let Next::Frame(texts) = follower.texts(&batch) {
            frames.extend(texts);
        }
        if !batch.full {
            return Ok(Some(frames));
        }
    }
    Ok(None)
}

impl Follower {
    /// Of somebody who has seen nothing yet.
    pub fn new(viewer: Viewer, stream: Arc<str>) -> Self {
        Self { viewer, stream, position: Position::START, open: HashSet::new(), known: HashSet::new() }
    }

    pub const fn viewer(&self) -> &Viewer {
        &self.viewer
    }

    pub const fn position(&self) -> Position {
        self.position
    }

    pub fn cursor(&self) -> Cursor {
        self.cursor_at(self.position)
    }

    /// Messages of this conversation follow from now on.
    pub fn open(&mut self, conversation: ConversationId) {
        self.open.insert(conversation);
    }

    /// Whether it was open.
    pub fn close(&mut self, conversation: ConversationId) -> bool {
        self.open.remove(&conversation)
    }

    pub const fn opened(&self) -> &HashSet<ConversationId> {
        &self.open
    }

    /// Whether the client may be told of `conversation`, as far as that is known without asking.
    pub(super) fn knows(&self, conversation: ConversationId) -> bool {
        match self.viewer.scope() {
            Scope::Everything => true,
            Scope::Some => self.known.contains(&conversation),
            Scope::Nothing => false,
        }
    }

    /// Goes to where `cursor` says, if it is of this stream and everything since is still kept.
    /// Whoever does not see everything begins anew: what they saw then is not known any more.
    pub async fn resume(&mut self, context: &Context, cursor: &Cursor) -> Result<bool, StoreError> {
        let scope = self.viewer.scope();
        let Some(position) = cursor::read(cursor, &self.stream, scope).filter(|_| scope != Scope::Some) else {
            return Ok(false);
        };
        let mut reader = context.db.snapshot().await?;
        let forgotten = events::forgotten(reader.conn()).await?;
        let horizon = events::horizon(reader.conn()).await?.position;
        let kept = forgotten <= position && position <= horizon;
        if kept {
            self.position = position;
        }
        Ok(kept)
    }

    /// Begins anew with everything there is to see; many rows come in several frames.
    pub fn snapshot(&mut self, snapshot: &Snapshot) -> Vec<ServerFrame> {
        let visible = self.begin(snapshot);
        let mut pages =
            pages(&visible).into_iter().map(|page| page.iter().map(|item| item.row.value.clone()).collect());
        let cursor = self.cursor();
        let mut frames = vec![ServerFrame::Snapshot {
            as_of: cursor.clone(),
            rows: pages.next().unwrap_or_default(),
            people: snapshot.people.clone(),
        }];
        frames.extend(pages.map(|rows| {
            ServerFrame::Events(Events {
                after: cursor.clone(),
                through: cursor.clone(),
                now: snapshot.now,
                events: vec![],
                rows,
                messages: vec![],
                cards: vec![],
                gone: vec![],
                people: vec![],
            })
        }));
        frames
    }

    /// All of it in one frame, of whatever size: for pipes.
    pub(super) fn whole(&mut self, snapshot: &Snapshot) -> ServerFrame {
        let rows = self.begin(snapshot).into_iter().map(|item| item.row.value.clone()).collect();
        ServerFrame::Snapshot { as_of: self.cursor(), rows, people: snapshot.people.clone() }
    }

    /// The same as text.
    pub(super) fn snapshot_texts(&mut self, snapshot: &Snapshot) -> Vec<Utf8Bytes> {
        let visible = self.begin(snapshot);
        let cursor = to_json(&self.cursor());
        let people = to_json(&snapshot.people);
        let mut pages = pages(&visible).into_iter();
        let first = joined(pages.next().unwrap_or_default().iter().map(|item| item.row.json()));
        let first = format!(r#"{{"type":"snapshot","as_of":{cursor},"rows":[{first}],"people":{people}}}"#);
        let mut texts = vec![Utf8Bytes::from(first)];
        texts.extend(pages.map(|page| {
            let rows = joined(page.iter().map(|item| item.row.json()));
            Utf8Bytes::from(frame_text(&cursor, &cursor, snapshot.now, &[("rows", rows)]))
        }));
        texts
    }

    fn begin<'s>(&mut self, snapshot: &'s Snapshot) -> Vec<&'s RowItem> {
        self.position = snapshot.as_of;
        let visible = |item: &&RowItem| self.viewer.sees(&item.row.value.control, &item.team);
        let visible: Vec<&RowItem> = snapshot.rows.iter().filter(visible).collect();
        if self.viewer.scope() == Scope::Some {
            self.known = visible.iter().map(|item| item.row.value.conversation).collect();
        }
        visible
    }

    /// What `batch` is to this client; it stands behind it then.
    pub fn frame(&mut self, batch: &Batch) -> Next<Events> {
        let after = self.cursor();
        self.step(batch, |follower, picked| picked.frame(after, follower.cursor(), batch.now))
    }

    /// The same as text, put together from what all clients share: one frame, or several if it
    /// would be larger than the other end accepts.
    pub(super) fn texts(&mut self, batch: &Batch) -> Next<Vec<Utf8Bytes>> {
        let whole = self.viewer.scope() == Scope::Everything
            && batch.after == self.position
            && !batch.messages.iter().any(|message| self.open.contains(&message.value.conversation))
            && !batch.cards.iter().any(|card| self.open.contains(&card.value.conversation));
        let after = to_json(&self.cursor());
        let audits = usize::from(self.viewer.may(Right::Audit));
        self.step(batch, |follower, picked| {
            let write = || picked.texts(&after, &to_json(&follower.cursor()), batch.now);
            if whole { batch.shared[audits].get_or_init(write).clone() } else { write() }
        })
    }

    fn step<T>(&mut self, batch: &Batch, write: impl FnOnce(&Self, Picked<'_>) -> T) -> Next<T> {
        if batch.after > self.position {
            return Next::Gap;
        }
        // An empty one that leads nowhere is a sign of life.
        if batch.through < self.position || (batch.through == self.position && !batch.is_empty()) {
            return Next::Seen;
        }
        let picked = self.pick(batch);
        self.position = batch.through;
        Next::Frame(write(self, picked))
    }

    fn pick<'b>(&mut self, batch: &'b Batch) -> Picked<'b> {
        let mut picked = Picked::default();
        for item in &batch.rows {
            let id = item.row.value.conversation;
            if self.viewer.sees(&item.row.value.control, &item.team) {
                picked.rows.push(&item.row);
                if self.viewer.scope() == Scope::Some {
                    self.known.insert(id);
                }
            } else if self.known.remove(&id) {
                self.open.remove(&id);
                picked.gone.push(id);
            }
        }
        for id in &batch.merged {
            if self.known.remove(id) || self.viewer.scope() == Scope::Everything {
                self.open.remove(id);
                picked.gone.push(*id);
            }
        }
        let new = batch.events.iter().filter(|(position, _)| *position > self.position).map(|(_, event)| event);
        picked.events = new.filter(|event| self.may_hear(batch, event.value.conversation)).collect();
        let on_screen = |id: ConversationId| self.open.contains(&id) && self.may_see(batch, id);
        picked.messages = batch.messages.iter().filter(|one| on_screen(one.value.conversation)).collect();
        picked.cards = batch.cards.iter().filter(|one| on_screen(one.value.conversation)).collect();
        picked.people = batch.people.iter().collect();
        picked
    }

    fn may_see(&self, batch: &Batch, conversation: ConversationId) -> bool {
        batch.row(conversation).is_some_and(|item| self.viewer.sees(&item.row.value.control, &item.team))
    }

    /// Events hold no content: whoever may audit hears them all.
    fn may_hear(&self, batch: &Batch, conversation: Option<ConversationId>) -> bool {
        self.viewer.may(Right::Audit) || conversation.is_some_and(|id| self.may_see(batch, id))
    }

    fn cursor_at(&self, position: Position) -> Cursor {
        cursor::write(&self.stream, self.viewer.scope(), position)
    }
}

/// What of a batch one client gets.
#[derive(Debug, Default)]
struct Picked<'b> {
    events: Vec<&'b Item<baton_shared::protocol::Event>>,
    rows: Vec<&'b Item<baton_shared::protocol::Row>>,
    messages: Vec<&'b Item<baton_shared::message::Message>>,
    cards: Vec<&'b Item<baton_shared::protocol::Card>>,
    gone: Vec<ConversationId>,
    people: Vec<&'b Item<baton_shared::protocol::Person>>,
}

impl Picked<'_> {
    fn frame(&self, after: Cursor, through: Cursor, now: Micros) -> Events {
        Events {
            after,
            through,
            now,
            events: self.events.iter().map(|item| item.value.clone()).collect(),
            rows: self.rows.iter().map(|item| item.value.clone()).collect(),
            messages: self.messages.iter().map(|item| item.value.clone()).collect(),
            cards: self.cards.iter().map(|item| item.value.clone()).collect(),
            gone: self.gone.clone(),
            people: self.people.iter().map(|item| item.value.clone()).collect(),
        }
    }

    /// The same as JSON; the cursors are JSON already. If it is too large, state comes first in
    /// frames that lead nowhere, and the events with what moves the place come last.
    fn texts(&self, after: &str, through: &str, now: Micros) -> Vec<Utf8Bytes> {
        let mut pages = vec![Page::default()];
        let rows = self.rows.iter().map(|item| ("rows", item.json()));
        let messages = self.messages.iter().map(|item| ("messages", item.json()));
        let cards = self.cards.iter().map(|item| ("cards", item.json()));
        let events = self.events.iter().map(|item| ("events", item.json()));
        for (list, json) in rows.chain(messages).chain(cards).chain(events) {
            if pages.last().is_some_and(|page| page.bytes + json.len() > TEXT_LIMIT) {
                pages.push(Page::default());
            }
            if let Some(page) = pages.last_mut() {
                page.bytes += json.len();
                page.items.push((list, json));
            }
        }
        let last = pages.len() - 1;
        let texts = pages.into_iter().enumerate().map(|(place, page)| {
            let mut lists = page.lists();
            if place < last {
                return frame_text(after, after, now, &lists);
            }
            if !self.gone.is_empty() {
                lists.push(("gone", joined(self.gone.iter().map(to_json))));
            }
            if !self.people.is_empty() {
                lists.push(("people", joined(self.people.iter().map(|item| item.json()))));
            }
            frame_text(after, through, now, &lists)
        });
        texts.map(Utf8Bytes::from).collect()
    }
}

/// What fits into a frame.
#[derive(Default)]
struct Page<'j> {
    items: Vec<(&'static str, &'j str)>,
    bytes: usize,
}

impl Page<'_> {
    fn lists(&self) -> Vec<(&'static str, String)> {
        let list = |name| (name, joined(self.items.iter().filter(|(list, _)| *list == name).map(|(_, json)| json)));
        ["events", "rows", "messages", "cards"].map(list).into_iter().filter(|(_, items)| !items.is_empty()).collect()
    }
}

fn frame_text(after: &str, through: &str, now: Micros, lists: &[(&str, String)]) -> String {
    let mut text = format!(r#"{{"type":"events","after":{after},"through":{through},"now":{}"#, now.0);
    for (name, list) in lists {
        text.push_str(&format!(r#","{name}":[{list}]"#));
    }
    text.push('}');
    text
}

fn joined(items: impl Iterator<Item = impl AsRef<str>>) -> String {
    let mut text = String::new();
    for item in items {
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(item.as_ref());
    }
    text
}

/// Cut so that no frame is larger than the other end accepts.
fn pages<'p>(rows: &'p [&'p RowItem]) -> Vec<&'p [&'p RowItem]> {
    let (mut pages, mut from, mut bytes) = (Vec::new(), 0, 0);
    for (place, item) in rows.iter().enumerate() {
        let size = item.row.json().len();
        if bytes + size > TEXT_LIMIT {
            pages.push(&rows[from..place]);
            (from, bytes) = (place, 0);
        }
        bytes += size;
    }
    pages.push(&rows[from..]);
    pages
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;

//! What one agent has on screen, kept apart from what the client says of itself: an own proof that
//! nothing is missing.

use std::collections::{BTreeMap, HashMap};

use baton_shared::{
    ConversationId, MessageId, Micros,
    message::{Author, Message},
    protocol::{Cursor, Events, Person, Row, ServerFrame, Thread},
};

/// Rows, open threads, and when a customer's message was first heard of.
#[derive(Clone, Debug, Default)]
pub(super) struct Picture {
    pub(super) me: Option<Person>,
    pub(super) people: Vec<Person>,
    pub(super) rows: HashMap<ConversationId, Row>,
    pub(super) threads: BTreeMap<ConversationId, Sheet>,
    pub(super) seen: HashMap<MessageId, Sighting>,
    /// Frames that did not begin where the one before ended.
    pub(super) gaps: u64,
    pub(super) frames: u64,
    /// Those of them that told something.
    pub(super) news: u64,
    through: Option<Cursor>,
    live_since: Option<Micros>,
}

/// An open conversation's messages.
#[derive(Clone, Debug, Default)]
pub(super) struct Sheet {
    pub(super) messages: BTreeMap<MessageId, Message>,
    /// There are older ones than these.
    pub(super) more: bool,
    /// From before a snapshot, which says nothing of messages: the next page takes its place.
    outdated: bool,
}

/// When a message was heard of, and since when the connection had been there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sighting {
    pub(super) at: Micros,
    pub(super) live_since: Micros,
}

impl Picture {
    pub(super) fn welcome(&mut self, me: Person, now: Micros) {
        self.me = Some(me);
        self.live_since = Some(now);
    }

    pub(super) fn lost(&mut self) {
        self.live_since = None;
    }

    pub(super) fn apply(&mut self, frame: ServerFrame, now: Micros) {
        match frame {
            ServerFrame::Snapshot { as_of, rows, people } => {
                self.through = Some(as_of);
                self.people = people;
                self.threads.values_mut().for_each(|sheet| sheet.outdated = true);
                let before = std::mem::take(&mut self.rows);
                for row in rows {
                    let newer = before.get(&row.conversation).filter(|known| known.version > row.version);
                    self.rows.insert(row.conversation, newer.cloned().unwrap_or(row));
                }
            }
            ServerFrame::Events(events) => self.follow(events, now),
            ServerFrame::Thread(thread) => self.open(*thread),
            ServerFrame::Welcome { .. }
            | ServerFrame::Board(_)
            | ServerFrame::Merged { .. }
            | ServerFrame::History { .. }
            | ServerFrame::Answer { .. }
            | ServerFrame::Templates { .. }
            | ServerFrame::DraftSaved { .. }
            | ServerFrame::DraftDiffers { .. }
            | ServerFrame::Presence { .. }
            | ServerFrame::Resync { .. }
            | ServerFrame::Moving { .. }
            | ServerFrame::Problem { .. }
            | ServerFrame::Unknown => (),
        }
    }

    pub(super) fn close(&mut self, conversation: ConversationId) {
        self.threads.remove(&conversation);
    }

    /// The newest message of the customer's on screen, by arrival.
    pub(super) fn newest_of_customer(&self, conversation: ConversationId) -> Option<MessageId> {
        let messages = self.threads.get(&conversation)?.messages.values();
        let theirs = messages.filter(|message| message.author == Author::Customer);
        theirs.max_by_key(|message| (message.place.arrived_at, message.place.index)).map(|message| message.id)
    }

    fn follow(&mut self, events: Events, now: Micros) {
        self.frames += 1;
        self.news += u64::from(!(events.events.is_empty() && events.rows.is_empty()));
        if self.through.as_ref() != Some(&events.after) {
            self.gaps += 1;
        }
        self.through = Some(events.through);
        for event in events.events.iter().filter(|event| event.kind == "message_in") {
            if let (Some(message), Some(live_since)) = (event.message, self.live_since) {
                self.seen.entry(message).or_insert(Sighting { at: now, live_since });
            }
        }
        for row in events.rows {
            self.put_row(row);
        }
        for message in events.messages {
            if let Some(sheet) = self.threads.get_mut(&message.conversation) {
                sheet.put(message);
            }
        }
        for gone in events.gone {
            self.rows.remove(&gone);
            self.threads.remove(&gone);
        }
    }

    fn open(&mut self, thread: Thread) {
        let sheet = self.threads.entry(thread.row.conversation).or_default();
        if sheet.outdated || sheet.messages.is_empty() {
            *sheet = Sheet { more: thread.more, ..Sheet::default() };
        }
        for message in thread.messages {
            sheet.put(message);
        }
        self.put_row(thread.row);
    }

    fn put_row(&mut self, row: Row) {
        let known = self.rows.get(&row.conversation).map_or(-1, |known| known.version);
        if known <= row.version {
            self.rows.insert(row.conversation, row);
        }
    }
}

impl Sheet {
    fn put(&mut self, message: Message) {
        let known = self.messages.get(&message.id).map_or(-1, |known| known.version);
        if known <= message.version {
            self.messages.insert(message.id, message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(after: &str, through: &str) -> ServerFrame {
        ServerFrame::Events(Events {
            after: Cursor(after.into()),
            through: Cursor(through.into()),
            now: Micros::ZERO,
            events: vec![],
            rows: vec![],
            messages: vec![],
            cards: vec![],
            gone: vec![],
            people: vec![],
        })
    }

    #[test]
    fn a_frame_that_does_not_follow_is_a_gap() {
        let mut picture = Picture::default();
        let snapshot = ServerFrame::Snapshot { as_of: Cursor("a".into()), rows: vec![], people: vec![] };
        for frame in [snapshot, events("a", "b"), events("b", "c"), events("d", "e")] {
            picture.apply(frame, Micros::ZERO);
        }
        assert_eq!((picture.frames, picture.gaps), (3, 1));
    }
}

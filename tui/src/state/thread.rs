//! One conversation's messages and milestones in their order, and where it is looked at. Only what
//! is seen is ever laid out.

use std::{cell::RefCell, collections::HashMap, ops::Range};

use baton_shared::{
    MessageId, Micros,
    message::{Author, Delivery, Place},
};
use jiff::{civil::Date, tz::TimeZone};

use super::known::{Card, Milestone, Said};
use crate::{
    text::{
        Anchor, Clean, Emoji, Laid, LaidCache, Part,
        thread::{parts, scrolled},
    },
    words,
};

/// Longer lines are hard to read, however wide the screen.
const READABLE: usize = 96;

/// Layouts kept; several screens of them.
const LAID_MAX: usize = 512;

/// How far back something recent is looked for: what is late or unsent is not older than this.
const LATELY: usize = 500;

/// Something in the thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    Said(Box<Said>),
    Milestone(Milestone),
}

impl Entry {
    pub fn at(&self) -> Micros {
        match self {
            Self::Said(said) => said.at,
            Self::Milestone(milestone) => milestone.at,
        }
    }

    pub fn said(&self) -> Option<&Said> {
        match self {
            Self::Said(said) => Some(said),
            Self::Milestone(_) => None,
        }
    }

    fn place(&self) -> Place {
        match self {
            Self::Said(said) => said.place,
            // After everything that stands at the same moment.
            Self::Milestone(milestone) => {
                Place { second: milestone.at.seconds(), arrived_at: milestone.at, index: i64::MAX }
            }
        }
    }
}

/// How an entry is drawn, from the top.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// A line with the date.
    pub day: bool,
    /// The line above what is unread.
    pub unread: bool,
    /// Who and when; missing where the same person goes on.
    pub head: bool,
    pub text: usize,
    pub problem: usize,
}

impl Shape {
    pub fn height(&self) -> usize {
        usize::from(self.day) + usize::from(self.unread) + usize::from(self.head) + self.text + self.problem
    }
}

/// How wide a thread is drawn, and how.
#[derive(Clone, Debug)]
pub struct Manner {
    pub width: usize,
    pub emoji: Emoji,
    pub zone: TimeZone,
}

impl Manner {
    /// Our own words stand further right than the customer's.
    pub const fn indent(&self) -> usize {
        self.width / 7
    }

    /// Cells for the text of a message, beside its bar.
    pub fn text_width(&self, author: Author) -> usize {
        let indent = if is_ours(author) { self.indent() } else { 0 };
        self.width.saturating_sub(indent + 2).clamp(1, READABLE)
    }

    pub fn day(&self, at: Micros) -> Date {
        words::date(at, &self.zone)
    }
}

/// One conversation's thread.
#[derive(Debug)]
pub struct Thread {
    entries: Vec<Entry>,
    /// What I said that the server's thread does not show yet; drawn below everything.
    pending: Vec<Entry>,
    places: HashMap<MessageId, Place>,
    /// Whether the server has older ones.
    pub more: bool,
    /// Older ones were asked for.
    pub loading: bool,
    /// From before a snapshot: the next page takes the place of everything here.
    pub outdated: bool,
    pub card: Card,
    pub anchor: Anchor,
    /// The message under the cursor; `None` while the end is followed.
    pub cursor: Option<MessageId>,
    /// The first message that was unread when the conversation was opened.
    pub unread_from: Option<MessageId>,
    /// The customer's newest message that was on screen.
    pub seen: Option<MessageId>,
    /// The bot's word that was already on its way when I took over, and until when it may still arrive.
    pub last_bot_word: Option<(MessageId, Option<Micros>)>,
    laid: RefCell<LaidCache<MessageId>>,
}

impl Default for Thread {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            pending: Vec::new(),
            places: HashMap::new(),
            more: false,
            loading: false,
            outdated: false,
            card: Card::default(),
            anchor: Anchor::Bottom,
            cursor: None,
            unread_from: None,
            seen: None,
            last_bot_word: None,
            laid: RefCell::new(LaidCache::new(LAID_MAX)),
        }
    }
}

impl Thread {
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// How many entries are drawn.
    pub fn count(&self) -> usize {
        self.entries.len() + self.pending.len()
    }

    /// What is drawn at place `at`.
    pub fn entry(&self, at: usize) -> Option<&Entry> {
        self.entries.get(at).or_else(|| self.pending.get(at.checked_sub(self.entries.len())?))
    }

    /// What I said that is not among the entries yet.
    pub fn set_pending(&mut self, pending: Vec<Said>) {
        self.pending = pending.into_iter().map(|said| Entry::Said(Box::new(said))).collect();
    }

    pub fn messages(&self) -> impl DoubleEndedIterator<Item = &Said> {
        self.entries.iter().filter_map(Entry::said)
    }

    pub fn get(&self, id: MessageId) -> Option<&Said> {
        self.entries.get(self.position(id)?)?.said()
    }

    /// The message under the cursor, else the last one.
    pub fn chosen(&self) -> Option<&Said> {
        self.cursor.and_then(|id| self.get(id)).or_else(|| self.messages().next_back())
    }

    /// The same of messages with a file: without a cursor the last one that has one.
    pub fn chosen_file(&self) -> Option<&Said> {
        let last = || self.messages().rev().find(|said| said.file.is_some());
        self.cursor.and_then(|id| self.get(id)).or_else(last).filter(|said| said.file.is_some())
    }

    /// Takes a message in unless a newer version is here.
    pub fn put(&mut self, said: Said) {
        if let Some(at) = self.position(said.id) {
            if self.entries[at].said().is_some_and(|known| known.version >= said.version) {
                return;
            }
            if self.entries[at].place() == said.place {
                self.entries[at] = Entry::Said(Box::new(said));
                return;
            }
            self.remove(at);
        }
        self.places.insert(said.id, said.place);
        self.insert(Entry::Said(Box::new(said)));
    }

    /// Forgets everything and takes this page in; what is looked at stays on top if it is still there.
    pub fn replace(&mut self, page: impl FnOnce(&mut Self), more: bool) {
        let top = match self.anchor {
            Anchor::Top { item, row } => {
                self.entries.iter().skip(item).find_map(Entry::said).map(|said| (said.id, row))
            }
            Anchor::Bottom => None,
        };
        self.entries.clear();
        self.places.clear();
        (self.anchor, self.more, self.outdated) = (Anchor::Bottom, more, false);
        page(self);
        if let Some((item, row)) = top.and_then(|(id, row)| Some((self.position(id)?, row))) {
            self.anchor = Anchor::Top { item, row };
        }
        self.cursor = self.cursor.filter(|id| self.anchor != Anchor::Bottom && self.get(*id).is_some());
    }

    pub fn mark(&mut self, milestone: Milestone) {
        let entry = Entry::Milestone(milestone);
        let first = self.entries.partition_point(|known| known.place() < entry.place());
        // A page and an event may both tell of it.
        if !self.entries[first..].iter().take_while(|known| known.place() == entry.place()).any(|known| *known == entry)
        {
            self.insert(entry);
        }
    }

    /// The place of the oldest message, to ask for those before it.
    pub fn oldest(&self) -> Option<Place> {
        self.messages().next().map(|said| said.place)
    }

    /// The customer's message that arrived last; a late one may stand further up.
    pub fn newest_of_customer(&self) -> Option<&Said> {
        let customers = self.messages().rev().take(LATELY).filter(|said| said.author == Author::Customer);
        customers.max_by_key(|said| (said.place.arrived_at, said.place.index))
    }

    /// The newest message of ours that a person has to look at, and has not.
    pub fn trouble(&self) -> Option<&Said> {
        self.messages().rev().take(LATELY).find(|said| !said.sent_again && said.delivery.is_some_and(is_trouble))
    }

    /// The newest message of ours that is kept back.
    pub fn held(&self) -> Option<&Said> {
        self.messages().rev().take(LATELY).find(|said| said.delivery == Some(Delivery::Held))
    }

    /// The worst that is the matter with messages of ours.
    pub fn worst(&self) -> Option<Delivery> {
        let troubles = self.messages().rev().take(LATELY).filter(|said| !said.sent_again);
        let troubles = troubles.filter_map(|said| said.delivery).filter(|delivery| is_trouble(*delivery));
        troubles.max_by_key(|delivery| match delivery {
            Delivery::Failed => 2,
            Delivery::Unknown => 1,
            _ => 0,
        })
    }

    /// The newest message that can still be kept from going out.
    pub fn unsent(&self) -> Option<&Said> {
        let unsent = |delivery| matches!(delivery, Delivery::Queued | Delivery::Held);
        self.messages().rev().take(LATELY).find(|said| said.delivery.is_some_and(unsent))
    }

    /// Whether my first message still waits for the bot's last word.
    pub fn waits_for_bot(&self, now: Micros) -> Option<Micros> {
        let (message, settles_by) = self.last_bot_word?;
        let settled = self.get(message).and_then(|said| said.delivery).is_some_and(|delivery| delivery.is_settled());
        settles_by.filter(|by| !settled && now < *by)
    }

    /// The first of `count` messages of the customer that are unread.
    pub fn note_unread(&mut self, count: i64) {
        let count = usize::try_from(count).unwrap_or(0);
        let mut customers = self.messages().rev().filter(|said| said.author == Author::Customer);
        let first = count.checked_sub(1).and_then(|before| customers.nth(before)).map(|said| said.id);
        drop(customers);
        self.unread_from = first;
    }

    /// How entry `at` is drawn.
    pub fn shape(&self, at: usize, manner: &Manner) -> Shape {
        let Some(entry) = self.entry(at) else { return Shape::default() };
        let before = at.checked_sub(1).and_then(|before| self.entry(before));
        let day = before.is_none_or(|before| manner.day(before.at()) != manner.day(entry.at()));
        match entry {
            Entry::Milestone(_) => Shape { day, text: 1, ..Shape::default() },
            Entry::Said(said) => {
                let unread = self.unread_from == Some(said.id);
                let goes_on = before.and_then(Entry::said).is_some_and(|before| goes_on(before, said));
                let problem = said.problem.as_ref().map_or(0, |problem| self.laid_problem(problem, manner).height());
                let text = self.with_laid(said, manner, Laid::height);
                Shape { day, unread, head: day || unread || !goes_on, text, problem }
            }
        }
    }

    /// The layout of a message's text.
    pub fn with_laid<T>(&self, said: &Said, manner: &Manner, read: impl FnOnce(&Laid) -> T) -> T {
        let width = manner.text_width(said.author);
        let mut laid = self.laid.borrow_mut();
        read(laid.get(said.id, said.version, width, manner.emoji, || Laid::message(said.shown(), width, manner.emoji)))
    }

    /// The layout of what is wrong with a message.
    pub fn laid_problem(&self, problem: &Clean, manner: &Manner) -> Laid {
        Laid::plain(problem, manner.text_width(Author::Agent).saturating_sub(2).max(1), manner.emoji)
    }

    /// What is seen in a viewport of `height` lines.
    pub fn parts(&self, height: usize, manner: &Manner) -> Vec<Part> {
        parts(self.anchor, self.count(), height, &mut |at| self.shape(at, manner).height())
    }

    /// Moves what is seen by lines; reading the end means following it.
    pub fn scroll(&mut self, by: isize, height: usize, manner: &Manner) {
        let count = self.count();
        self.anchor = scrolled(self.anchor, by, count, height, &mut |at| self.shape(at, manner).height());
        if self.anchor == Anchor::Bottom {
            self.cursor = None;
        }
    }

    pub fn to_end(&mut self) {
        self.anchor = Anchor::Bottom;
        self.cursor = None;
    }

    pub fn to_start(&mut self) {
        self.anchor = Anchor::Top { item: 0, row: 0 };
        let first = self.messages().next().map(|said| said.id);
        self.cursor = first;
    }

    /// Moves the cursor to the next message above (`-1`) or below (`1`), scrolling as far as needed;
    /// a message that is taller than the screen is scrolled through first.
    pub fn step(&mut self, by: isize, height: usize, manner: &Manner) {
        let seen = self.seen_entries(height, manner);
        if seen.is_empty() {
            return;
        }
        let here = self.cursor.and_then(|id| self.position(id)).unwrap_or(seen.end);
        let Some(there) = self.next_message(here, by) else {
            return if by > 0 { self.to_end() } else { self.scroll(-1, height, manner) };
        };
        if self.is_cut_off(here, by, height, manner) {
            return self.scroll(by, height, manner);
        }
        self.cursor = self.entries[there].said().map(|said| said.id);
        self.bring_into_view(there, height, manner);
    }

    /// Scrolls as little as shows message `id` in whole, and puts the cursor on it.
    pub fn show(&mut self, id: MessageId, height: usize, manner: &Manner) {
        if let Some(at) = self.position(id) {
            self.cursor = Some(id);
            self.bring_into_view(at, height, manner);
        }
    }

    /// Notes which of the customer's messages are on screen now.
    pub fn see(&mut self, height: usize, manner: &Manner) {
        let arrival = |said: &Said| (said.place.arrived_at, said.place.index);
        let seen = self.seen_entries(height, manner).filter_map(|at| self.entries.get(at)?.said());
        let newest = seen.filter(|said| said.author == Author::Customer).max_by_key(|said| arrival(said));
        let known = self.seen.and_then(|id| self.get(id)).map(arrival);
        if let Some(newest) = newest
            && Some(arrival(newest)) > known
        {
            self.seen = Some(newest.id);
        }
    }

    /// Whether older messages should be fetched: the start comes near.
    pub fn wants_older(&self, height: usize, manner: &Manner) -> bool {
        self.more && !self.loading && self.seen_entries(height, manner).start < 10
    }

    fn seen_entries(&self, height: usize, manner: &Manner) -> Range<usize> {
        let parts = self.parts(height, manner);
        parts.first().map_or(0, |part| part.item)..parts.last().map_or(0, |part| part.item + 1)
    }

    fn next_message(&self, here: usize, by: isize) -> Option<usize> {
        let is_said = |at: &usize| self.entries[*at].said().is_some();
        if by < 0 {
            (0..here.min(self.entries.len())).rev().find(is_said)
        } else {
            (here.saturating_add(1)..self.entries.len()).find(is_said)
        }
    }

    /// Whether rows of the message under the cursor lie beyond the edge that the cursor moves to.
    fn is_cut_off(&self, at: usize, by: isize, height: usize, manner: &Manner) -> bool {
        let all = self.shape(at, manner).height();
        let part = self.parts(height, manner).into_iter().find(|part| part.item == at);
        part.is_some_and(|part| all > height && if by < 0 { part.skip > 0 } else { part.skip + part.rows < all })
    }

    fn bring_into_view(&mut self, at: usize, height: usize, manner: &Manner) {
        let all = self.shape(at, manner).height();
        let parts = self.parts(height, manner);
        match parts.iter().find(|part| part.item == at) {
            Some(part) if part.skip == 0 && part.rows == all => {}
            Some(part) if part.skip == 0 && all <= height => {
                let hidden = isize::try_from(all - part.rows).unwrap_or(0);
                self.anchor = self.scrolled(hidden, height, manner);
            }
            _ if parts.last().is_some_and(|last| last.item < at) => {
                self.anchor = Anchor::Top { item: at, row: 0 };
                let above = isize::try_from(height.saturating_sub(all)).unwrap_or(0);
                self.anchor = self.scrolled(-above, height, manner);
            }
            _ => self.anchor = Anchor::Top { item: at, row: 0 },
        }
    }

    fn scrolled(&self, by: isize, height: usize, manner: &Manner) -> Anchor {
        scrolled(self.anchor, by, self.count(), height, &mut |at| self.shape(at, manner).height())
    }

    fn insert(&mut self, entry: Entry) {
        let place = entry.place();
        // From the end: what arrives is nearly always the newest.
        let at = match self.entries.last() {
            Some(last) if last.place() <= place => self.entries.len(),
            Some(_) | None => self.entries.partition_point(|known| known.place() <= place),
        };
        self.shift_anchor(at, 1);
        self.entries.insert(at, entry);
    }

    fn remove(&mut self, at: usize) {
        self.entries.remove(at);
        self.shift_anchor(at + 1, -1);
    }

    /// Something came or went above what is seen: the screen stands still.
    fn shift_anchor(&mut self, at: usize, by: isize) {
        if let Anchor::Top { item, .. } = &mut self.anchor
            && at <= *item
        {
            *item = item.saturating_add_signed(by);
        }
    }

    fn position(&self, id: MessageId) -> Option<usize> {
        let place = *self.places.get(&id)?;
        let first = self.entries.partition_point(|entry| entry.place() < place);
        let same = self.entries[first..].iter().take_while(|entry| entry.place() == place);
        same.enumerate().find(|(_, entry)| entry.said().is_some_and(|said| said.id == id)).map(|(at, _)| first + at)
    }
}

/// Bot, agents, the phone and Baton itself speak for the business.
pub const fn is_ours(author: Author) -> bool {
    match author {
        Author::Bot | Author::Agent | Author::Phone | Author::System | Author::Note => true,
        Author::Customer => false,
    }
}

/// Not on its way, and not by anybody's wish.
pub const fn is_trouble(delivery: Delivery) -> bool {
    matches!(delivery, Delivery::Failed | Delivery::Unknown | Delivery::Held)
}

/// The same person goes on within the minute, and there is nothing else to say about it.
fn goes_on(before: &Said, said: &Said) -> bool {
    before.author == Author::Customer
        && said.author == Author::Customer
        && !said.late
        && !before.late
        && said.at.since(before.at).as_secs() < 60
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fixture::said;

    proptest! {
        #[test]
        fn messages_find_their_places_and_what_is_looked_at_stands_still(
            messages in prop::collection::vec((1_u64..60, 0_u64..500, 1_i64..4, "[a-z ]{0,60}"), 1..60),
            height in 3_usize..30,
            width in 5_usize..60,
            scrolls in prop::collection::vec(-20_isize..10, 60),
        ) {
            let manner = Manner { width, emoji: Emoji::Safe, zone: TimeZone::UTC };
            let mut thread = Thread::default();
            for ((id, seconds, version, text), by) in messages.into_iter().zip(scrolls) {
                thread.scroll(by, height, &manner);
                let top = thread.parts(height, &manner).first().and_then(|part| {
                    Some((thread.entry(part.item)?.said()?.id, part.skip))
                });
                let message = baton_shared::message::Message { version, ..said(id, Author::Customer, seconds, &text) };
                thread.put(message.clone().into());
                prop_assert!(thread.get(message.id).is_some());
                let places: Vec<Place> = thread.entries.iter().map(Entry::place).collect();
                prop_assert!(places.is_sorted());
                let ids: std::collections::HashSet<MessageId> = thread.messages().map(|said| said.id).collect();
                prop_assert_eq!(ids.len(), thread.entries.len(), "each stands there once");
                if let (Anchor::Top { item, .. }, Some((id, _))) = (thread.anchor, top)
                    && id != message.id
                {
                    prop_assert_eq!(thread.entries[item].said().map(|said| said.id), Some(id));
                }
                let rows: usize = thread.parts(height, &manner).iter().map(|part| part.rows).sum();
                prop_assert!(rows <= height);
            }
        }
    }
}

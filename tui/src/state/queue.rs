//! The queue: all conversations this agent may see, in sections, the most urgent first. Rows stand
//! still while somebody moves among them.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use baton_shared::{AgentId, ConversationId, Micros};

use super::{
    known::Conversation,
    urgency::{Section, Standing, Viewer},
};

/// How long after the last move the rows stand still.
const STILL: Duration = Duration::from_secs(2);

/// Resolved conversations shown; the rest is history.
const RESOLVED_SHOWN: usize = 50;

/// A line of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Item {
    Section(Section),
    Row(ConversationId),
}

impl Item {
    /// Lines on screen.
    pub const fn height(self) -> usize {
        match self {
            Self::Section(_) => 1,
            Self::Row(_) => 2,
        }
    }
}

/// A row, and where it stood when the rows were ordered last.
#[derive(Debug)]
struct Held {
    row: Conversation,
    section: Option<Section>,
}

/// The queue.
#[derive(Debug)]
pub struct Queue {
    rows: HashMap<ConversationId, Held>,
    /// What is shown, from the top.
    items: Vec<Item>,
    /// Rows of each section, in their order: those that match the filter, and all.
    counts: [usize; Section::ALL.len()],
    totals: [usize; Section::ALL.len()],
    mine: usize,
    /// Rows that wait for whoever looks.
    needing: usize,
    /// Rows that changed since.
    touched: HashSet<ConversationId>,
    pub selected: Option<Item>,
    /// The first item on screen.
    pub top: usize,
    unfolded: HashMap<Section, bool>,
    /// Only rows that contain this, in lower case.
    pub filter: String,
    /// Rows that came to need somebody and were not on screen since.
    unseen: HashSet<ConversationId>,
    /// Somebody moved; until then nothing else does.
    still_until: Micros,
    /// How many came to need somebody since that was last asked.
    arrived: usize,
    /// Somebody has chosen a row; until then the cursor is on the first.
    is_chosen: bool,
    stale: bool,
    /// When time alone changes the order.
    shifts_at: Micros,
    viewer: Viewer,
    /// What is on screen beside it: listed also where its section is folded, so that the cursor can
    /// stay with it.
    open: Option<ConversationId>,
}

impl Queue {
    pub fn new(patience: Duration) -> Self {
        Self {
            rows: HashMap::new(),
            items: Vec::new(),
            counts: [0; Section::ALL.len()],
            totals: [0; Section::ALL.len()],
            mine: 0,
            needing: 0,
            touched: HashSet::new(),
            selected: None,
            top: 0,
            unfolded: HashMap::new(),
            filter: String::new(),
            unseen: HashSet::new(),
            still_until: Micros::ZERO,
            arrived: 0,
            is_chosen: false,
            stale: false,
            shifts_at: Micros::MAX,
            viewer: Viewer { patience, ..Viewer::default() },
            open: None,
        }
    }

    /// Who looks at it.
    pub fn seen_by(&mut self, me: AgentId, supervises: bool) {
        self.viewer = Viewer { me: Some(me), supervises, ..self.viewer };
        self.stale = true;
    }

    /// Which conversation is on screen beside it.
    pub fn beside(&mut self, open: Option<ConversationId>) {
        self.stale |= self.open != open;
        self.open = open;
    }

    /// Where a conversation stands for whoever looks.
    pub fn standing(&self, row: &Conversation, now: Micros) -> Standing {
        Standing::of(row, self.viewer, now)
    }

    pub fn get(&self, id: ConversationId) -> Option<&Conversation> {
        self.rows.get(&id).map(|held| &held.row)
    }

    pub fn items(&self) -> &[Item] {
        &self.items
    }

    pub fn rows(&self) -> impl Iterator<Item = &Conversation> {
        self.rows.values().map(|held| &held.row)
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Rows of a section that match the filter.
    pub const fn count(&self, section: Section) -> usize {
        self.counts[section as usize]
    }

    /// Rows of a section, whatever is filtered.
    pub const fn total(&self, section: Section) -> usize {
        self.totals[section as usize]
    }

    pub fn is_folded(&self, section: Section) -> bool {
        // Who looks for something wants to see it wherever it is.
        self.filter.is_empty()
            && !self.unfolded.get(&section).copied().unwrap_or(!section.starts_folded(self.viewer.supervises))
    }

    pub fn fold(&mut self, section: Section, folded: bool) {
        self.unfolded.insert(section, !folded);
        self.stale = true;
    }

    /// Conversations that are mine, in whatever section.
    pub const fn mine(&self) -> usize {
        self.mine
    }

    /// How many wait for whoever looks, listed or not.
    pub const fn needing(&self) -> usize {
        self.needing
    }

    pub fn needs_somebody(&self, id: ConversationId) -> bool {
        self.rows.get(&id).is_some_and(Held::needs_somebody)
    }

    /// The row under the cursor.
    pub fn selected_row(&self) -> Option<ConversationId> {
        match self.selected {
            Some(Item::Row(id)) => Some(id),
            Some(Item::Section(_)) | None => None,
        }
    }

    /// Takes a row in unless a newer one is here; returns whether it did. One that was read before this
    /// client's own act was done says everything but whose it is.
    pub fn put(&mut self, mut row: Conversation) -> bool {
        let known = self.rows.get(&row.id);
        if known.is_some_and(|known| known.row.version >= row.version) {
            return false;
        }
        if let Some(Held { row: known, .. }) = known.filter(|known| known.row.epoch > row.epoch) {
            (row.epoch, row.control) = (known.epoch, known.control);
        }
        self.stale = true;
        self.touched.insert(row.id);
        let section = known.and_then(|known| known.section);
        self.rows.insert(row.id, Held { row, section });
        true
    }

    /// What this client is sure of before the server's row says it: its own act was done.
    pub fn amend(&mut self, id: ConversationId, amend: impl FnOnce(&mut Conversation)) {
        if let Some(held) = self.rows.get_mut(&id) {
            amend(&mut held.row);
            self.stale = true;
        }
    }

    /// A snapshot: what it does not name is gone, what is newer here stays.
    pub fn replace(&mut self, rows: Vec<Conversation>) {
        let named: HashSet<ConversationId> = rows.iter().map(|row| row.id).collect();
        self.rows.retain(|id, _| named.contains(id));
        self.stale = true;
        for row in rows {
            self.put(row);
        }
    }

    pub fn remove(&mut self, id: ConversationId) {
        self.stale |= self.rows.remove(&id).is_some();
    }

    pub fn set_filter(&mut self, filter: String) {
        self.filter = filter;
        self.stale = true;
    }

    /// Somebody moves: the rows stand still for a while.
    pub fn hold(&mut self, now: Micros) {
        self.is_chosen = true;
        self.still_until = now.plus(STILL);
    }

    /// Lets them move again at once.
    pub const fn release(&mut self) {
        self.still_until = Micros::ZERO;
    }

    /// When [`settle`](Self::settle) has something to do though nothing happens but time.
    pub fn wake_at(&self) -> Micros {
        if self.stale { self.still_until } else { self.shifts_at.max(self.still_until) }
    }

    /// Orders the rows anew if they changed and nobody moves among them.
    pub fn settle(&mut self, now: Micros, height: usize) {
        if now < self.still_until {
            self.note_arrivals(now);
        } else if self.stale || now >= self.shifts_at {
            self.order(now, height);
        }
        self.keep_in_view(height);
    }

    /// Rows that newly need somebody and were not on screen yet.
    pub fn new_above(&self) -> usize {
        self.unseen.len()
    }

    /// How many came to need somebody since this was last asked.
    pub const fn take_arrived(&mut self) -> usize {
        std::mem::replace(&mut self.arrived, 0)
    }

    /// Moves the cursor by whole items.
    pub fn step(&mut self, by: isize) {
        let stops: Vec<usize> = (0..self.items.len()).filter(|at| self.is_stop(*at)).collect();
        let here = self.position().and_then(|at| stops.iter().position(|stop| *stop >= at)).unwrap_or(0);
        let there = here.saturating_add_signed(by).min(stops.len().saturating_sub(1));
        self.selected = stops.get(there).map(|at| self.items[*at]);
    }

    /// Moves the cursor by lines of the screen.
    pub fn step_lines(&mut self, lines: isize) {
        self.step(lines / 2);
    }

    pub fn first(&mut self) {
        self.step(isize::MIN / 2);
        self.top = 0;
        self.unseen.clear();
    }

    pub fn last(&mut self) {
        self.step(isize::MAX / 2);
    }

    /// The conversation that needs me most, besides `not`.
    pub fn most_urgent(&self, now: Micros, not: Option<ConversationId>) -> Option<(ConversationId, Standing)> {
        let standing = |row: &Conversation| (row.id, self.standing(row, now));
        let mut urgent: Vec<_> =
            self.rows().map(standing).filter(|(_, standing)| needs_somebody(standing.section)).collect();
        urgent.sort_by_key(|(_, standing)| *standing);
        let other = urgent.iter().find(|(id, _)| Some(*id) != not);
        other.or(urgent.first()).copied()
    }

    /// Puts the cursor on a conversation, unfolding its section.
    pub fn select(&mut self, id: ConversationId, now: Micros, height: usize) {
        if let Some(row) = self.get(id) {
            let section = self.standing(row, now).section;
            if self.is_folded(section) {
                self.fold(section, false);
            }
            (self.selected, self.is_chosen) = (Some(Item::Row(id)), true);
            self.order(now, height);
            self.keep_in_view(height);
        }
    }

    fn order(&mut self, now: Micros, height: usize) {
        let (offset, place) = (self.offset_of_selected(), self.position());
        self.note_arrivals(now);
        let is_first_time = self.items.is_empty() && self.filter.is_empty();
        let shown = self.place(now);
        self.list(shown);
        if is_first_time {
            self.unseen.clear();
            self.arrived = 0;
        }
        let rows = &self.rows;
        self.unseen.retain(|id| rows.get(id).is_some_and(Held::needs_somebody));
        self.find_cursor(place);
        self.keep_offset(offset, height);
    }

    /// Finds every row's section; returns those that are to be listed.
    fn place(&mut self, now: Micros) -> Vec<Standing> {
        let folded = Section::ALL.map(|section| self.is_folded(section));
        let viewer = self.viewer;
        let mut shown = Vec::new();
        let none = [0; Section::ALL.len()];
        (self.counts, self.totals, self.mine, self.needing) = (none, none, 0, 0);
        let mut shifts_at = Micros::MAX;
        for held in self.rows.values_mut() {
            let row = &held.row;
            let standing = Standing::of(row, viewer, now);
            shifts_at = shifts_at.min(Standing::shifts_at(row, now, viewer.patience));
            self.mine += usize::from(viewer.me.is_some() && row.control.owner() == viewer.me);
            if matches(row, &self.filter, now) {
                self.counts[standing.section as usize] += 1;
                if !folded[standing.section as usize] || self.open == Some(row.id) {
                    shown.push(standing);
                }
            }
            self.totals[standing.section as usize] += 1;
            held.section = Some(standing.section);
            self.needing += usize::from(held.needs_somebody());
        }
        // Nobody sees whether a row moves now or within the second.
        (self.stale, self.shifts_at) = (false, shifts_at.max(now.plus(Duration::from_secs(1))));
        shown
    }

    fn list(&mut self, mut shown: Vec<Standing>) {
        // The section is what standings are compared by first.
        shown.sort_unstable();
        self.items.clear();
        let mut rest = shown.as_slice();
        for section in Section::ALL {
            let (here, after) = rest.split_at(rest.partition_point(|standing| standing.section == section));
            rest = after;
            if self.counts[section as usize] > 0 {
                self.items.push(Item::Section(section));
            }
            let limit = if section == Section::Resolved { RESOLVED_SHOWN } else { usize::MAX };
            self.items.extend(here.iter().take(limit).map(|standing| Item::Row(standing.id)));
        }
    }

    /// Rows that newly need somebody count as unseen until they were on screen.
    fn note_arrivals(&mut self, now: Micros) {
        for id in std::mem::take(&mut self.touched) {
            let Some(held) = self.rows.get(&id) else { continue };
            let needs = needs_somebody(self.standing(&held.row, now).section);
            if needs && !held.needs_somebody() {
                self.arrived += usize::from(self.unseen.insert(id));
            }
        }
    }

    /// The cursor stays on its row; if that is gone, it goes to what stands in its place.
    fn find_cursor(&mut self, place: Option<usize>) {
        if self.is_chosen && self.position().is_some_and(|at| self.is_stop(at)) {
            return;
        }
        let near = place.filter(|_| self.is_chosen).unwrap_or(0).min(self.items.len().saturating_sub(1));
        let after = (near..self.items.len()).find(|at| self.is_stop(*at));
        let stop = after.or_else(|| (0..near).rev().find(|at| self.is_stop(*at)));
        self.selected = stop.map(|at| self.items[at]);
    }

    /// An open section's title is no stop for the cursor.
    fn is_stop(&self, at: usize) -> bool {
        match self.items.get(at) {
            Some(Item::Row(_)) => true,
            Some(Item::Section(section)) => self.is_folded(*section),
            None => false,
        }
    }

    fn position(&self) -> Option<usize> {
        self.selected.and_then(|selected| self.items.iter().position(|item| *item == selected))
    }

    /// Lines between the top of the screen and the cursor.
    fn offset_of_selected(&self) -> Option<usize> {
        let at = self.position()?;
        let above = self.items.get(self.top..at)?;
        Some(above.iter().map(|item| item.height()).sum())
    }

    /// Scrolls so that the cursor is as far from the top as it was; at the very top it stays there,
    /// or what arrives there would never be seen.
    fn keep_offset(&mut self, offset: Option<usize>, height: usize) {
        let (Some(at), Some(offset)) = (self.position(), offset) else { return };
        if self.top > 0 || self.highest_top(at, height) > 0 {
            self.top = self.highest_top(at, offset + self.items[at].height());
        }
    }

    fn keep_in_view(&mut self, height: usize) {
        let Some(at) = self.position() else { return };
        // A row right below its section's title is shown with it.
        let titled = at > 0 && matches!(self.items[at - 1], Item::Section(_));
        let no_gap_below = self.highest_top(self.items.len() - 1, height);
        let lowest = at - usize::from(titled);
        self.top = self.top.min(lowest).max(self.highest_top(at, height)).min(no_gap_below);
        self.see();
    }

    /// The first item of the screen on which item `at` is the last that stands there in whole.
    fn highest_top(&self, at: usize, height: usize) -> usize {
        let mut used = 0;
        let fitting = (0..=at).rev().take_while(|item| {
            used += self.items[*item].height();
            used <= height
        });
        fitting.last().unwrap_or(at)
    }

    /// What is on screen, or below it where one comes by, need not be announced.
    fn see(&mut self) {
        if self.unseen.is_empty() {
            return;
        }
        for item in &self.items[self.top..] {
            if let Item::Row(id) = item {
                self.unseen.remove(id);
            }
        }
    }
}

impl Held {
    fn needs_somebody(&self) -> bool {
        self.section.is_some_and(needs_somebody)
    }
}

/// The sections in which a row waits for whoever looks.
const fn needs_somebody(section: Section) -> bool {
    matches!(section, Section::Now | Section::Waiting)
}

/// Those whom only a template reaches any more.
const CLOSED: &str = "closed";

fn matches(row: &Conversation, filter: &str, now: Micros) -> bool {
    let has = |text: &str| text.to_lowercase().contains(filter);
    filter.is_empty()
        || (filter == CLOSED && !row.window.is_open(now))
        || has(row.customer.as_str())
        || has(row.handle.as_str())
        || has(row.channel.as_str())
        || row.reason.as_ref().is_some_and(|reason| has(reason.as_str()))
        || row.last.as_ref().is_some_and(|last| has(last.text.as_str()))
}

#[cfg(test)]
mod tests {
    use baton_shared::Control;
    use proptest::prelude::*;

    use super::*;
    use crate::fixture::{ANA, NOW, agent, ago, conversation, row};

    #[derive(Clone, Debug)]
    enum Step {
        Put(u64, u64, bool),
        Remove(u64),
        Move(isize),
        Wait(u64),
        Fold(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0_u64..20, 0_u64..600, any::<bool>()).prop_map(|(id, seconds, waits)| Step::Put(id, seconds, waits)),
            1 => (0_u64..20).prop_map(Step::Remove),
            3 => (-30_isize..30).prop_map(Step::Move),
            2 => (0_u64..5).prop_map(Step::Wait),
            1 => (0_usize..7).prop_map(Step::Fold),
        ]
    }

    proptest! {
        #[test]
        fn the_cursor_is_on_screen_and_nothing_moves_under_it(steps in prop::collection::vec(step(), 1..60), height in 3_usize..40) {
            let mut queue = Queue { is_chosen: true, ..Queue::new(Duration::from_secs(300)) };
            queue.seen_by(agent(ANA), false);
            let (mut now, mut version, mut held_until) = (NOW, 0, Micros::ZERO);
            for step in steps {
                let (before, cursor) = (queue.items.clone(), queue.selected);
                let moved = matches!(step, Step::Move(_) | Step::Fold(_));
                match step {
                    Step::Put(id, seconds, waits) => {
                        version += 1;
                        let control = if waits { Control::Waiting { since: ago(seconds) } } else { Control::Bot };
                        let row = baton_shared::protocol::Row { version, ..row(id, "Somebody", control) };
                        queue.put(row.into());
                    }
                    Step::Remove(id) => queue.remove(conversation(id)),
                    Step::Move(by) => {
                        queue.hold(now);
                        held_until = now.plus(STILL);
                        queue.step(by);
                    }
                    Step::Wait(seconds) => now = now.plus(Duration::from_secs(seconds)),
                    Step::Fold(at) => {
                        queue.fold(Section::ALL[at], at % 2 == 0);
                        queue.release();
                        held_until = Micros::ZERO;
                    }
                }
                queue.settle(now, height);
                if now < held_until {
                    prop_assert_eq!(&queue.items, &before, "rows stand still");
                }
                if let (false, Some(Item::Row(id))) = (moved, cursor)
                    && queue.items.contains(&Item::Row(id))
                {
                    prop_assert_eq!(queue.selected, cursor, "the cursor goes with its row");
                }
                if let Some(at) = queue.position() {
                    let shown: usize = queue.items[queue.top..=at].iter().map(|item| item.height()).sum();
                    prop_assert!(queue.top <= at && shown <= height, "{} {at} {shown} {height}", queue.top);
                } else {
                    prop_assert!(queue.items.iter().all(|item| matches!(item, Item::Section(_))));
                }
            }
        }
    }
}

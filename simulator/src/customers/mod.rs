//! The people who write to the shop: each hears, thinks and answers by a small script.

mod phrases;
mod script;
pub mod shop;

use std::collections::BTreeMap;

use baton_shared::Micros;

use self::script::Mind;
use crate::{
    Span,
    chance::Chance,
    whatsapp::{PersonId, Saying},
};

pub use self::script::{Customer, Hears};

/// Everyone who was invited, and what they are about to say.
#[derive(Debug)]
pub struct Customers {
    /// From the last thing heard to the answer; one who has the chat open reads on meanwhile.
    pub think: Span,
    rng: fastrand::Rng,
    minds: BTreeMap<PersonId, Mind>,
    queue: BTreeMap<(Micros, u64), (PersonId, Act)>,
    queued: u64,
}

#[derive(Debug)]
enum Act {
    Say(Saying),
    /// Decides what to say to everything heard meanwhile.
    Think,
    /// Asks again, unless something was heard or said since this many words.
    Nudge(usize),
}

/// Between two lines of the same person.
const TYPING: Span = Span::millis(250, 1_400);

impl Customers {
    pub(crate) fn new(rng: fastrand::Rng) -> Self {
        Self { think: Span::millis(2_000, 6_000), rng, minds: BTreeMap::new(), queue: BTreeMap::new(), queued: 0 }
    }

    /// Starts a person's script now.
    pub(crate) fn invite(&mut self, now: Micros, person: PersonId, customer: Customer) {
        for (ago, text) in &customer.past {
            self.at(now, person, Act::Say(Saying::text(text).at(now.minus(*ago))));
        }
        for (after, saying) in &customer.opening {
            self.at(now.plus(*after), person, Act::Say(saying.clone()));
        }
        self.minds.insert(person, Mind::new(customer));
    }

    /// A message is on someone's phone.
    pub(crate) fn hear(&mut self, now: Micros, person: PersonId, text: &str) {
        let Some(mind) = self.minds.get_mut(&person) else { return };
        if mind.hear(text) {
            let at = now.plus(self.rng.within(self.think));
            self.at(at, person, Act::Think);
        }
    }

    /// What is said now, in order.
    pub(crate) fn due(&mut self, now: Micros) -> Vec<(PersonId, Saying)> {
        let mut said = Vec::new();
        while let Some(entry) = self.queue.first_entry().filter(|entry| entry.key().0 <= now) {
            let (person, act) = entry.remove();
            match act {
                Act::Say(saying) => {
                    self.spoke(now, person);
                    said.push((person, saying));
                }
                Act::Think => self.answer(now, person),
                Act::Nudge(words) => self.nudge(now, person, words),
            }
        }
        said
    }

    /// Everyone puts the phone away: what they were about to say is never said, and nothing is answered.
    pub fn fall_silent(&mut self) {
        self.minds.clear();
        self.queue.clear();
    }

    pub(crate) fn next_due(&self) -> Option<Micros> {
        self.queue.keys().next().map(|(at, _)| *at)
    }

    fn answer(&mut self, now: Micros, person: PersonId) {
        let Some(mind) = self.minds.get_mut(&person) else { return };
        let mut at = now;
        for line in mind.answer(&mut self.rng) {
            self.at(at, person, Act::Say(Saying::text(line)));
            at = at.plus(self.rng.within(TYPING));
        }
    }

    /// Whoever has spoken waits for an answer, some not for ever.
    fn spoke(&mut self, now: Micros, person: PersonId) {
        let Some(mind) = self.minds.get_mut(&person) else { return };
        if let Some((patience, words)) = mind.spoke() {
            self.at(now.plus(patience), person, Act::Nudge(words));
        }
    }

    fn nudge(&mut self, now: Micros, person: PersonId, words: usize) {
        let line = self.minds.get_mut(&person).and_then(|mind| mind.nudge(words));
        if let Some(line) = line {
            self.at(now, person, Act::Say(Saying::text(line)));
        }
    }

    fn at(&mut self, moment: Micros, person: PersonId, act: Act) {
        self.queue.insert((moment, self.queued), (person, act));
        self.queued += 1;
    }
}

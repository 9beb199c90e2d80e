//! A script: what a customer opens with, what they answer to what they hear, and when they stop.

use std::time::Duration;

use super::phrases::Phrases;
use crate::{
    chance::Chance,
    whatsapp::{Attachment, Person, Saying},
};

/// A customer and their script.
#[derive(Clone, Debug)]
pub struct Customer {
    pub person: Person,
    /// Such as `en` or `pt-BR`; what they say unscripted is in it.
    pub language: &'static str,
    pub(super) past: Vec<(Duration, String)>,
    pub(super) opening: Vec<(Duration, Saying)>,
    beats: Vec<Beat>,
    patience: Option<Duration>,
}

/// What a customer must hear for an answer of their script.
#[derive(Clone, Debug)]
pub enum Hears {
    Anything,
    /// Something that asks.
    Question,
    /// One of these, in lower case, anywhere in the text.
    Words(&'static [&'static str]),
}

#[derive(Clone, Debug)]
struct Beat {
    hears: Hears,
    says: Vec<String>,
}

impl Customer {
    pub fn new(person: Person, language: &'static str) -> Self {
        Self { person, language, past: Vec::new(), opening: Vec::new(), beats: Vec::new(), patience: None }
    }

    /// Wrote this some time before the start; it is delivered at the start, with its own time.
    #[must_use]
    pub fn wrote(mut self, ago: Duration, text: impl Into<String>) -> Self {
        self.past.push((ago, text.into()));
        self
    }

    /// Writes this some milliseconds after the start.
    #[must_use]
    pub fn opens(mut self, after_millis: u64, text: impl Into<String>) -> Self {
        self.opening.push((Duration::from_millis(after_millis), Saying::text(text)));
        self
    }

    /// Sends a file some milliseconds after the start.
    #[must_use]
    pub fn sends(mut self, after_millis: u64, attachment: Attachment) -> Self {
        self.opening.push((Duration::from_millis(after_millis), Saying::attached(attachment)));
        self
    }

    /// Answers this, line by line, when they hear that; each of these once, the first that fits.
    #[must_use]
    pub fn answers(mut self, hears: Hears, lines: &[&str]) -> Self {
        self.beats.push(Beat { hears, says: lines.iter().map(|line| (*line).to_owned()).collect() });
        self
    }

    /// Asks again after so long without an answer, once.
    #[must_use]
    pub fn impatient_after(self, patience: Duration) -> Self {
        Self { patience: Some(patience), ..self }
    }
}

/// What a customer has in mind while the script runs.
#[derive(Debug)]
pub(super) struct Mind {
    phrases: Phrases,
    beats: Vec<Beat>,
    patience: Option<Duration>,
    /// Not yet answered.
    heard: Vec<String>,
    /// How many lines were heard and said.
    words: usize,
    courtesies: usize,
    /// Their last word was a thank you, which needs no other.
    thanked: bool,
}

/// After so many polite words beyond the script they leave it at that, or two polite machines would
/// thank each other for ever.
const COURTESIES: usize = 5;

impl Mind {
    pub(super) fn new(customer: Customer) -> Self {
        let Customer { language, beats, patience, .. } = customer;
        let phrases = Phrases::of(language);
        Self { phrases, beats, patience, heard: Vec::new(), words: 0, courtesies: 0, thanked: false }
    }

    /// Whether this is the first of what they will answer together.
    pub(super) fn hear(&mut self, text: &str) -> bool {
        self.words += 1;
        self.heard.push(text.to_owned());
        self.heard.len() == 1
    }

    /// What to say to everything heard since they spoke last; often nothing.
    pub(super) fn answer(&mut self, rng: &mut fastrand::Rng) -> Vec<String> {
        let heard = std::mem::take(&mut self.heard).join("\n").to_lowercase();
        match self.beats.iter().position(|beat| beat.hears.matches(&heard)) {
            Some(fitting) => {
                self.thanked = false;
                self.beats.remove(fitting).says
            }
            None => self.courtesy(&heard, rng),
        }
    }

    /// They said a line; whether and when they will lose patience, and at which count of words.
    pub(super) fn spoke(&mut self) -> Option<(Duration, usize)> {
        self.words += 1;
        self.patience.map(|patience| (patience, self.words))
    }

    /// Asks again if nothing was said since.
    pub(super) fn nudge(&mut self, words: usize) -> Option<String> {
        let unanswered = self.words == words;
        self.patience.take_if(|_| unanswered).map(|_| self.phrases.nudge.to_owned())
    }

    fn courtesy(&mut self, heard: &str, rng: &mut fastrand::Rng) -> Vec<String> {
        if self.courtesies >= COURTESIES || (self.thanked && !asks(heard)) {
            return Vec::new();
        }
        self.courtesies += 1;
        self.thanked = false;
        let pick = |rng: &mut fastrand::Rng, lines: &[&str]| lines[rng.usize(..lines.len())].to_owned();
        if asks(heard) {
            return vec![pick(rng, self.phrases.yes)];
        }
        let mut lines = vec![pick(rng, self.phrases.thanks)];
        if self.courtesies == 1 && rng.happens(0.5) {
            lines.push(pick(rng, self.phrases.more));
        }
        self.thanked = lines.len() == 1;
        lines
    }
}

impl Hears {
    fn matches(&self, heard: &str) -> bool {
        match self {
            Self::Anything => true,
            Self::Question => asks(heard),
            Self::Words(words) => words.iter().any(|word| heard.contains(word)),
        }
    }
}

fn asks(heard: &str) -> bool {
    heard.contains(['?', '？', '؟'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mind(customer: impl FnOnce(Customer) -> Customer) -> Mind {
        Mind::new(customer(Customer::new(Person::new("Ana", "1", "US.1"), "en")))
    }

    #[test]
    fn the_first_fitting_answer_is_given_once() {
        let mut rng = fastrand::Rng::with_seed(1);
        let mut ana = mind(|ana| {
            ana.answers(Hears::Words(&["colleague"]), &["I'll wait"]).answers(Hears::Anything, &["and?", "so?"])
        });
        assert!(ana.hear("Hello."));
        assert_eq!(ana.answer(&mut rng), ["and?", "so?"]);
        assert!(ana.hear("A COLLEAGUE will come."));
        assert!(!ana.hear("Soon."));
        assert_eq!(ana.answer(&mut rng), ["I'll wait"]);
        ana.hear("Hello again.");
        assert!(ana.phrases.thanks.contains(&ana.answer(&mut rng)[0].as_str()));
    }

    #[test]
    fn a_question_is_answered_and_politeness_ends() {
        let mut rng = fastrand::Rng::with_seed(1);
        let mut ana = mind(|ana| ana);
        for _ in 0..COURTESIES {
            ana.hear("Is that so?");
            assert!(ana.phrases.yes.contains(&ana.answer(&mut rng)[0].as_str()));
        }
        ana.hear("Is that so?");
        assert_eq!(ana.answer(&mut rng), Vec::<String>::new());
    }

    #[test]
    fn a_thank_you_needs_no_other() {
        let mut rng = fastrand::Rng::with_seed(1);
        let mut ana = mind(|ana| ana.answers(Hears::Anything, &["aha"]));
        let mut says = |text: &str| {
            ana.hear(text);
            ana.answer(&mut rng).len()
        };
        assert_eq!(says("Here it is."), 1);
        while says("It is there.") == 2 {}
        assert_eq!((says("You are welcome."), says("Goodbye.")), (0, 0));
        assert_eq!(says("Anything else?"), 1);
    }

    #[test]
    fn whoever_was_answered_does_not_ask_again() {
        let patience = Duration::from_secs(9);
        let mut ana = mind(|ana| ana.impatient_after(patience));
        let (_, first) = ana.spoke().expect("she is impatient");
        ana.hear("Here I am.");
        assert_eq!(ana.nudge(first), None);
        let (after, second) = ana.spoke().expect("she still is");
        assert_eq!((after, ana.nudge(second).is_some()), (patience, true));
        assert_eq!(ana.spoke(), None);
    }
}

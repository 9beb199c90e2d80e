//! BM25 over two fields, title and body, scored apart and added: in memory, built from nothing but the texts,
//! so that every server on every engine ranks alike.

use std::collections::HashMap;

use super::words::{each_word, stemmer};
use crate::config::Language;

/// The usual constants (Robertson and Zaragoza 2009).
const K1: f32 = 1.2;
const B: f32 = 0.75;
/// What a title's words count more than a body's. Of 1 to 5, measured on two sets of questions and answers, 2 was
/// best on one and within a point of the best on the other.
const WEIGHTS: [f32; FIELDS] = [2.0, 1.0];
const FIELDS: usize = 2;
/// Letters of a word that says all it can.
const TELLING: f32 = 7.0;
/// Dead chunks are swept out once they are more than the living and more than this.
const DEAD: usize = 1_000;

/// A chunk's number in this index.
pub type Slot = u32;

/// The index. Texts go in and out; scores come out.
#[derive(Default)]
pub struct Lexical {
    vocabularies: Vec<Vocabulary>,
    terms: Vec<Term>,
    chunks: Vec<Chunk>,
    live: usize,
    /// Words in each field of all living chunks.
    words: [u64; FIELDS],
}

/// The words of one language's documents.
struct Vocabulary {
    language: Language,
    stemmer: Option<rust_stemmers::Stemmer>,
    /// As they are written; stemming each again would be most of the work.
    forms: HashMap<Box<str>, u32>,
    stems: HashMap<Box<str>, u32>,
}

#[derive(Default)]
struct Term {
    /// By slot.
    postings: [Vec<Posting>; FIELDS],
    /// Living chunks that hold it in each field, and in any.
    holders: [u32; FIELDS],
    anywhere: u32,
}

#[derive(Clone, Copy)]
struct Posting {
    slot: Slot,
    count: u32,
}

struct Chunk {
    vocabulary: usize,
    lengths: [u32; FIELDS],
    alive: bool,
}

/// A question in the words of each language that documents are in.
pub struct Question {
    /// What each of its words says by its length alone.
    weights: Vec<f32>,
    /// By vocabulary: the terms of the same words, `None` for those that no document has.
    terms: Vec<Vec<Option<u32>>>,
}

impl Vocabulary {
    fn new(language: Language) -> Self {
        Self { language, stemmer: stemmer(language), forms: HashMap::new(), stems: HashMap::new() }
    }

    fn stem<'a>(&self, word: &'a str) -> std::borrow::Cow<'a, str> {
        self.stemmer.as_ref().map_or(word.into(), |stemmer| stemmer.stem(word))
    }

    fn find(&self, word: &str) -> Option<u32> {
        self.forms.get(word).copied().or_else(|| self.stems.get(&*self.stem(word)).copied())
    }

    fn find_or_make(&mut self, word: &str, terms: &mut Vec<Term>) -> u32 {
        if let Some(term) = self.find(word) {
            if !self.forms.contains_key(word) {
                self.forms.insert(word.into(), term);
            }
            return term;
        }
        let term = u32::try_from(terms.len()).unwrap_or(u32::MAX);
        terms.push(Term::default());
        let stem = self.stem(word).into();
        self.stems.insert(stem, term);
        self.forms.insert(word.into(), term);
        term
    }
}

impl Lexical {
    /// Living chunks.
    pub const fn len(&self) -> usize {
        self.live
    }

    pub const fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// Whether enough was removed that building anew is worth it.
    pub const fn is_worn(&self) -> bool {
        let dead = self.chunks.len() - self.live;
        dead > DEAD && dead > self.live
    }

    /// Takes in a chunk; its slot is one more than the last.
    pub fn add(&mut self, language: Language, title: &str, body: &str) -> Slot {
        let slot = Slot::try_from(self.chunks.len()).unwrap_or(Slot::MAX);
        let vocabulary = self.vocabulary(language);
        let counts = self.counts(vocabulary, [title, body]);
        for (term, count) in &counts.terms {
            let term = &mut self.terms[*term as usize];
            for (field, count) in count.iter().enumerate().filter(|(_, count)| **count > 0) {
                term.postings[field].push(Posting { slot, count: *count });
                term.holders[field] += 1;
            }
            term.anywhere += 1;
        }
        for (words, length) in self.words.iter_mut().zip(counts.lengths) {
            *words += u64::from(length);
        }
        self.chunks.push(Chunk { vocabulary, lengths: counts.lengths, alive: true });
        self.live += 1;
        slot
    }

    /// Takes out a chunk that was put in with these texts.
    pub fn remove(&mut self, slot: Slot, title: &str, body: &str) {
        let Some(chunk) = self.chunks.get_mut(slot as usize).filter(|chunk| chunk.alive) else { return };
        chunk.alive = false;
        let (vocabulary, lengths) = (chunk.vocabulary, chunk.lengths);
        self.live -= 1;
        for (term, count) in self.counts(vocabulary, [title, body]).terms {
            let term = &mut self.terms[term as usize];
            for (holders, count) in term.holders.iter_mut().zip(count) {
                *holders -= u32::from(count > 0);
            }
            term.anywhere -= 1;
        }
        for (words, length) in self.words.iter_mut().zip(lengths) {
            *words -= u64::from(length);
        }
    }

    pub fn question(&self, text: &str) -> Question {
        let mut weights = Vec::new();
        each_word(text, |word| weights.push((as_share(word.chars().count() as u64) / TELLING).min(1.0)));
        let terms = self.vocabularies.iter().map(|vocabulary| {
            let mut terms = Vec::with_capacity(weights.len());
            each_word(text, |word| terms.push(vocabulary.find(word)));
            terms
        });
        Question { terms: terms.collect(), weights }
    }

    /// The score of every chunk, by slot; 0 for what shares no word with the question.
    pub fn scores(&self, question: &Question) -> Vec<f32> {
        let mut scores = vec![0.0; self.chunks.len()];
        for term in question.terms.iter().flatten().flatten() {
            let term = &self.terms[*term as usize];
            for field in 0..FIELDS {
                self.add_scores(term, field, &mut scores);
            }
        }
        for (score, chunk) in scores.iter_mut().zip(&self.chunks) {
            if !chunk.alive {
                *score = 0.0;
            }
        }
        scores
    }

    fn add_scores(&self, term: &Term, field: usize, scores: &mut [f32]) {
        let weight = WEIGHTS[field] * self.rarity(term.holders[field]) * (K1 + 1.0);
        let average = (as_share(self.words[field]) / as_share(self.live as u64)).max(1.0);
        for posting in &term.postings[field] {
            let (slot, count) = (posting.slot as usize, as_share(u64::from(posting.count)));
            let length = as_share(u64::from(self.chunks[slot].lengths[field])) / average;
            scores[slot] += weight * count / (count + K1 * (1.0 - B + B * length));
        }
    }

    /// How much of the question a chunk covers, from 0 to 1: its words that stand there, each by its rarity and length.
    /// Few documents do not show which words are rare: short ones hardly ever are (Zipf's law of abbreviation).
    pub fn coverage(&self, question: &Question, slot: Slot) -> f32 {
        let Some(chunk) = self.chunks.get(slot as usize) else { return 0.0 };
        let terms = question.terms.get(chunk.vocabulary).map(Vec::as_slice).unwrap_or_default();
        let (mut whole, mut covered) = (0.0, 0.0);
        // In the question's order, so that the sum is the same on every server.
        for (at, (term, length)) in terms.iter().zip(&question.weights).enumerate() {
            // A word said twice is asked for once.
            if term.is_some() && terms[..at].contains(term) {
                continue;
            }
            let term = term.map(|term| &self.terms[term as usize]);
            let weight = length * self.rarity(term.map_or(0, |term| term.anywhere));
            whole += weight;
            if term.is_some_and(|term| term.stands_in(slot)) {
                covered += weight;
            }
        }
        if whole > 0.0 { covered / whole } else { 0.0 }
    }

    fn rarity(&self, holders: u32) -> f32 {
        let (all, holders) = (as_share(self.live as u64), as_share(u64::from(holders)));
        (1.0 + (all - holders + 0.5) / (holders + 0.5)).ln()
    }

    fn vocabulary(&mut self, language: Language) -> usize {
        if let Some(known) = self.vocabularies.iter().position(|one| one.language == language) {
            return known;
        }
        self.vocabularies.push(Vocabulary::new(language));
        self.vocabularies.len() - 1
    }

    fn counts(&mut self, vocabulary: usize, texts: [&str; FIELDS]) -> Counts {
        let mut counts = Counts::default();
        for (field, text) in texts.into_iter().enumerate() {
            let (vocabulary, terms) = (&mut self.vocabularies[vocabulary], &mut self.terms);
            each_word(text, |word| {
                counts.terms.entry(vocabulary.find_or_make(word, terms)).or_default()[field] += 1;
                counts.lengths[field] += 1;
            });
        }
        counts
    }
}

/// How often each term stands in each field of a chunk, and how many words the fields have.
#[derive(Default)]
struct Counts {
    terms: HashMap<u32, [u32; FIELDS]>,
    lengths: [u32; FIELDS],
}

impl Term {
    fn stands_in(&self, slot: Slot) -> bool {
        self.postings.iter().any(|field| field.binary_search_by_key(&slot, |posting| posting.slot).is_ok())
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share needs no more digits")]
const fn as_share(number: u64) -> f32 {
    number as f32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXTS: [(&str, &str); 4] = [
        ("Returns", "Send it back within 30 days."),
        ("Shipping", "We ship to all of Europe. Shipping is free from 60."),
        ("Opening hours", "Monday to Saturday from nine to seven."),
        ("Gift cards", "They come in 25, 50 and 100, and never end."),
    ];

    fn index(texts: &[(&str, &str)]) -> Lexical {
        let mut index = Lexical::default();
        for (title, body) in texts {
            index.add(Language::ENGLISH, title, body);
        }
        index
    }

    fn best(index: &Lexical, question: &str) -> usize {
        let scores = index.scores(&index.question(question));
        (0..scores.len()).max_by(|one, other| scores[*one].total_cmp(&scores[*other])).unwrap()
    }

    #[test]
    fn the_chunk_that_speaks_of_it_is_found() {
        let index = index(&TEXTS);
        assert_eq!(best(&index, "can I return this?"), 0);
        assert_eq!(best(&index, "do you ship to France"), 1);
        assert_eq!(best(&index, "when are you OPEN"), 2);
        let question = index.question("returning a gift?");
        assert!(index.coverage(&question, 0) > 0.2 && index.coverage(&question, 2) < 0.1);
        assert_eq!(index.scores(&index.question("")), [0.0; 4]);
    }

    #[test]
    fn each_language_has_its_stems() {
        let mut index = Lexical::default();
        index.add(Language::PORTUGUESE, "Trocas e devoluções", "Pode devolver em 30 dias.");
        index.add(Language::GERMAN, "Öffnungszeiten", "Wir öffnen um neun.");
        assert_eq!(best(&index, "posso fazer devolucoes?"), 0);
        assert_eq!(best(&index, "wann offnen sie"), 1);
    }

    proptest! {
        #[test]
        fn what_was_removed_leaves_no_trace(
            kept in prop::collection::vec(("[a-d ]{0,12}", "[a-f ]{0,40}"), 1..8),
            gone in prop::collection::vec(("[a-d ]{0,12}", "[a-f ]{0,40}"), 0..8),
            question in "[a-h ]{0,20}",
        ) {
            let mut clean = Lexical::default();
            let mut used = Lexical::default();
            let mut slots = Vec::new();
            for (title, body) in &gone {
                slots.push((used.add(Language::ENGLISH, title, body), title, body));
            }
            for (title, body) in &kept {
                clean.add(Language::ENGLISH, title, body);
                used.add(Language::ENGLISH, title, body);
            }
            for (slot, title, body) in slots {
                used.remove(slot, title, body);
            }
            let after = used.scores(&used.question(&question));
            prop_assert!(after[..gone.len()].iter().all(|score| *score == 0.0));
            prop_assert_eq!(&after[gone.len()..], &clean.scores(&clean.question(&question))[..]);
        }

        #[test]
        fn the_order_in_which_chunks_came_does_not_matter(
            texts in Just(TEXTS.to_vec()).prop_shuffle(),
            question in "(return|ship|gift|open|days|the|to| ){1,8}",
        ) {
            let (one, other) = (index(&TEXTS), index(&texts));
            let (first, second) = (one.scores(&one.question(&question)), other.scores(&other.question(&question)));
            for (at, text) in TEXTS.iter().enumerate() {
                let there = texts.iter().position(|one| one == text).unwrap();
                prop_assert_eq!(first[at].to_bits(), second[there].to_bits());
            }
        }
    }
}

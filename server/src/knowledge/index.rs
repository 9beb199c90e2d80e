//! All chunks in memory, found by their words and, if there is an embedder, by what they mean.

use std::{cmp::Reverse, collections::HashMap, sync::Arc};

use baton_shared::DocumentId;

use super::{
    bm25::{Lexical, Question, Slot},
    vectors::likeness,
};
use crate::config::Language;

/// The least share of a question that a chunk must cover to answer it, measured on StackFAQ (`docs/benchmarks.md`):
/// of the answers that are found, 95 % cover more; of sentences about other things, nearly half find nothing above
/// it. The rest is the model's to judge.
pub const FLOOR: f32 = 0.3;

/// What words count in a ranking, and the rest is for vectors. Fusions that lean on vectors lost in published
/// comparisons on help-desk texts.
const LEXICAL: f32 = 0.7;

/// Sentences of a question that are measured apart.
const SENTENCES: usize = 6;

/// A document as far as finding goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    pub id: DocumentId,
    /// As it is shown.
    pub name: String,
    /// The channel whose customers alone are told of it; empty for all.
    pub channel: String,
    pub language: Language,
}

/// A piece of a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Chunk {
    /// From 0, in the document's order.
    pub place: i64,
    /// The headings above it, outermost first: `Returns > Exchanges`.
    pub heading: String,
    pub body: String,
    pub vector: Option<Box<[f32]>>,
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub text: &'a str,
    pub channel: &'a str,
    pub vector: Option<&'a [f32]>,
    /// The least likeness of vectors that counts as an answer.
    pub likeness: f32,
}

/// A chunk that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    pub document: DocumentId,
    /// The document's name.
    pub name: String,
    pub place: i64,
    pub heading: String,
    pub body: String,
    /// By which it is ranked: comparable within one question only.
    pub score: f32,
    /// The share of the question that it covers, from 0 to 1.
    pub coverage: f32,
    /// Of the vectors, from -1 to 1, if both have one.
    pub likeness: Option<f32>,
    /// Whether it is above the floor.
    pub relevant: bool,
}

/// The index.
#[derive(Default)]
pub struct Index {
    lexical: Lexical,
    /// By slot; `None` for what is gone.
    entries: Vec<Option<Entry>>,
    slots: HashMap<DocumentId, Vec<Slot>>,
}

#[derive(Clone)]
struct Entry {
    document: Arc<Document>,
    chunk: Chunk,
}

impl Entry {
    /// The title field: what the document is called says what it is about, too.
    fn title(&self) -> String {
        title(&self.document.name, &self.chunk.heading)
    }
}

fn title(name: &str, heading: &str) -> String {
    // A file's ending says nothing, and neither does its name if there are headings.
    match (heading, name.rsplit_once('.')) {
        ("", Some((stem, _))) => stem.to_owned(),
        ("", None) => name.to_owned(),
        (heading, _) => heading.to_owned(),
    }
}

impl Index {
    /// Chunks that can be found.
    pub const fn len(&self) -> usize {
        self.lexical.len()
    }

    pub const fn is_empty(&self) -> bool {
        self.lexical.is_empty()
    }

    /// Puts a document in, in the place of what was there under its id.
    pub fn put(&mut self, document: Document, chunks: Vec<Chunk>) {
        self.remove(document.id);
        let document = Arc::new(document);
        let slots = chunks.into_iter().map(|chunk| self.add(Entry { document: document.clone(), chunk })).collect();
        self.slots.insert(document.id, slots);
    }

    pub fn remove(&mut self, id: DocumentId) {
        for slot in self.slots.remove(&id).unwrap_or_default() {
            if let Some(entry) = self.entries[slot as usize].take() {
                self.lexical.remove(slot, &entry.title(), &entry.chunk.body);
            }
        }
        if self.lexical.is_worn() {
            self.build_anew();
        }
    }

    fn add(&mut self, entry: Entry) -> Slot {
        let slot = self.lexical.add(entry.document.language, &entry.title(), &entry.chunk.body);
        self.entries.push(Some(entry));
        slot
    }

    fn build_anew(&mut self) {
        let old = std::mem::take(self);
        for entry in old.entries.into_iter().flatten() {
            let id = entry.document.id;
            let slot = self.add(entry);
            self.slots.entry(id).or_default().push(slot);
        }
    }

    /// Up to `most` chunks, the best first, also those below the floor. The same chunks give the same answer in
    /// whatever order they came.
    pub fn find(&self, asked: Asked<'_>, most: usize) -> Vec<Hit> {
        let question = self.lexical.question(asked.text);
        let words = self.lexical.scores(&question);
        let meanings = asked.vector.map(|vector| self.meanings(vector));
        let trust = self.trust(&question, &words);
        let mut found = self.ranked(&words, trust, meanings.as_deref(), asked.channel);
        let order = |one: &(Slot, f32)| {
            let entry = self.entries[one.0 as usize].as_ref();
            entry.map(|entry| (Reverse(Ordered(one.1)), entry.document.name.as_str(), entry.chunk.place))
        };
        if found.len() > most && most > 0 {
            found.select_nth_unstable_by(most - 1, |one, other| order(one).cmp(&order(other)));
        }
        found.truncate(most);
        found.sort_by(|one, other| order(one).cmp(&order(other)));
        let sentences: Vec<_> = sentences(asked.text).map(|one| self.lexical.question(one)).collect();
        let hit = |(slot, score): (Slot, f32)| {
            let entry = self.entries[slot as usize].as_ref()?;
            let parts = sentences.iter().chain([&question]);
            let coverage = parts.map(|part| self.lexical.coverage(part, slot)).fold(0.0, f32::max);
            let likeness = meanings.as_ref().and_then(|all| all[slot as usize]);
            let relevant = coverage >= FLOOR || likeness.is_some_and(|likeness| likeness >= asked.likeness);
            let Entry { document, chunk } = entry.clone();
            Some(Hit {
                document: document.id,
                name: document.name.clone(),
                place: chunk.place,
                heading: chunk.heading,
                body: chunk.body,
                score,
                coverage,
                likeness,
                relevant,
            })
        };
        found.into_iter().filter_map(hit).collect()
    }

    fn meanings(&self, vector: &[f32]) -> Vec<Option<f32>> {
        let of = |entry: &Option<Entry>| Some(likeness(vector, entry.as_ref()?.chunk.vector.as_deref()?));
        self.entries.iter().map(of).collect()
    }

    /// How much of the question words find at best: where they find next to nothing, vectors decide.
    fn trust(&self, question: &Question, words: &[f32]) -> f32 {
        let best = (0..words.len()).max_by(|one, other| words[*one].total_cmp(&words[*other]));
        let best = best.and_then(|best| Slot::try_from(best).ok());
        best.map_or(0.0, |best| self.lexical.coverage(question, best))
    }

    /// Both scores stretched from 0 to 1 over all that was found, and added.
    fn ranked(&self, words: &[f32], trust: f32, meanings: Option<&[Option<f32>]>, channel: &str) -> Vec<(Slot, f32)> {
        let is_for = |entry: &Entry| entry.document.channel.is_empty() || entry.document.channel == channel;
        let open = |slot: usize| self.entries[slot].as_ref().is_some_and(is_for);
        let best = words.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
        let known = || meanings.into_iter().flatten().flatten().copied();
        let (low, high) = (known().fold(1.0, f32::min), known().fold(-1.0, f32::max));
        let score = |slot: usize| match meanings.map(|all| all[slot]) {
            None => words[slot],
            Some(likeness) => {
                let likeness = likeness.map_or(0.0, |one| (one - low) / (high - low).max(f32::MIN_POSITIVE));
                LEXICAL * trust * words[slot] / best + (1.0 - LEXICAL) * likeness
            }
        };
        let scored =
            (0..words.len()).map(|slot| (slot, score(slot))).filter(|(slot, score)| *score > 0.0 && open(*slot));
        scored.filter_map(|(slot, score)| Some((Slot::try_from(slot).ok()?, score))).collect()
    }
}

/// Scores are never NaN.
#[derive(Clone, Copy, PartialEq)]
struct Ordered(f32);

impl Eq for Ordered {}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// People say hello, tell a story, and ask: one sentence may be all of the question.
fn sentences(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split(['.', '?', '!', '\n', ';', '…', '。']).map(str::trim);
    parts.filter(|part| part.split_whitespace().nth(2).is_some()).take(SENTENCES)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn document(number: u128, name: &str) -> Document {
        Document {
            id: DocumentId(Uuid::from_u128(number)),
            name: name.into(),
            channel: String::new(),
            language: Language::ENGLISH,
        }
    }

    fn chunk(place: i64, heading: &str, body: &str) -> Chunk {
        Chunk { place, heading: heading.into(), body: body.into(), vector: None }
    }

    fn asked(text: &str) -> Asked<'_> {
        Asked { text, channel: "shop", vector: None, likeness: 0.5 }
    }

    fn index() -> Index {
        let mut index = Index::default();
        index.put(
            document(1, "returns.md"),
            vec![
                chunk(0, "Returns", "Unworn shoes come back within 30 days."),
                chunk(1, "Returns > Exchanges", "Another size is sent for free."),
            ],
        );
        index.put(document(2, "care.txt"), vec![chunk(0, "", "Wash wool by hand, in cold water.")]);
        index
    }

    #[test]
    fn what_answers_is_above_the_floor_and_the_rest_below() {
        let index = index();
        let best =
            index.find(asked("Hello! I hope you are well. Can I exchange my shoes for another size?"), 3).remove(0);
        assert_eq!((best.heading.as_str(), best.relevant), ("Returns > Exchanges", true), "{best:?}");
        assert!(index.find(asked("who won the match yesterday evening?"), 3).iter().all(|hit| !hit.relevant));
        assert!(index.find(asked("how do I wash my wool?"), 1)[0].relevant);
    }

    #[test]
    fn a_document_of_a_channel_is_for_its_customers_only() {
        let mut index = index();
        index.put(Document { channel: "outlet".into(), ..document(3, "outlet.md") }, vec![chunk(0, "Outlet", "Wool")]);
        assert!(index.find(asked("wool outlet"), 9).iter().all(|hit| hit.name != "outlet.md"));
        let there = Asked { channel: "outlet", ..asked("wool outlet") };
        assert_eq!(index.find(there, 1)[0].name, "outlet.md");
    }

    #[test]
    fn what_means_the_same_is_found_without_a_common_word() {
        let mut index = Index::default();
        let with = |vector: [f32; 2], chunk: Chunk| Chunk { vector: Some(vector.into()), ..chunk };
        let chunks = vec![with([1.0, 0.0], chunk(0, "A", "alpha")), with([0.0, 1.0], chunk(1, "B", "beta"))];
        index.put(document(1, "x.md"), chunks);
        let hits = index.find(Asked { vector: Some(&[0.1, 0.99]), ..asked("gamma") }, 2);
        assert_eq!((hits[0].heading.as_str(), hits[0].relevant), ("B", true));
        assert!(hits.len() == 1 || !hits[1].relevant);
    }

    #[test]
    fn much_coming_and_going_changes_nothing() {
        let mut worn = index();
        for round in 0..2_200 {
            worn.put(document(9, "news.md"), vec![chunk(0, "News", &format!("number {round}"))]);
        }
        worn.remove(document(9, "").id);
        assert!(worn.entries.len() < 2_000, "{}", worn.entries.len());
        assert_eq!(worn.find(asked("exchange shoes"), 9), index().find(asked("exchange shoes"), 9));
    }

    proptest! {
        #[test]
        fn the_order_of_documents_does_not_matter(
            bodies in prop::collection::vec("[a-e ]{1,30}", 1..12), question in "[a-e ]{1,10}", most in 1..5_usize,
        ) {
            let documents: Vec<_> = bodies.iter().zip(1_u128..).map(|(body, number)| {
                (document(number, &format!("{number}.md")), vec![chunk(0, "", body)])
            }).collect();
            let (mut one, mut other) = (Index::default(), Index::default());
            documents.iter().cloned().for_each(|(document, chunks)| one.put(document, chunks));
            documents.into_iter().rev().for_each(|(document, chunks)| other.put(document, chunks));
            prop_assert_eq!(one.find(asked(&question), most), other.find(asked(&question), most));
        }
    }
}

//! Thinking: finds what the prompt says about the question, and how sure one can be of it.

use std::collections::BTreeSet;

use super::{
    facts::{self, Fact},
    prompt::Prompt,
    words::{self, Language},
};

/// What the model has to say.
#[derive(Debug)]
pub(super) struct Thought {
    pub(super) reply: String,
    /// From 0 to 1.
    pub(super) confidence: f64,
    /// Whether a person should go on.
    handoff: bool,
    why: Why,
    reason: String,
    /// What the customer wrote, in short.
    summary: String,
    /// Numbers of the passages that it tells.
    pub(super) sources: Vec<u64>,
    /// Words to choose among alternatives by.
    pub(super) topic: String,
    language: Language,
}

/// Why a person should go on, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    Asked,
    Law,
    Injury,
    NotKnown,
    Answered,
}

/// A fact and how much of the question it covers, from 0 to 1.
struct Found<'a> {
    fact: &'a Fact,
    coverage: f64,
}

/// Below this confidence it does not know.
const KNOWN: f64 = 0.3;

/// Below this a fact has nothing to do with the question.
const RELEVANT: f64 = 0.2;

/// A second fact is told too if it covers nearly as much.
const ALSO: f64 = 0.9;

/// What a word counts that the facts' language does not have.
const FOREIGN_WEIGHT: f64 = 0.2;

/// What is meant counts as much as this many words.
const CONCEPT_WEIGHT: f64 = 2.0;

impl Thought {
    pub(super) fn about(prompt: &Prompt) -> Self {
        let question = prompt.question();
        let language = words::language(&question);
        let facts = facts::facts(prompt);
        let found = find(&facts, &question);
        let note = facts::notes(prompt).pop().filter(|note| !prompt.said_before(note));
        let meant = words::concepts(&question);
        let needs_person = [("person", Why::Asked), ("law", Why::Law), ("injury", Why::Injury)]
            .into_iter()
            .find_map(|(concept, why)| meant.contains(concept).then_some(why));
        let coverage = found.first().map_or(0.0, |best| best.coverage);
        let confidence = match (&found[..], &note) {
            ([], None) => 0.15,
            // A colleague has just said what this is about.
            ([], Some(_)) => 0.75,
            _ => (0.45 + 0.6 * coverage).min(0.97),
        };
        let why = needs_person.unwrap_or(if confidence < KNOWN { Why::NotKnown } else { Why::Answered });
        Self {
            reply: compose(language, &found, note.as_deref(), needs_person.is_some()),
            confidence,
            handoff: needs_person.is_some() || (why == Why::NotKnown && hands_over_what_it_does_not_know(prompt)),
            why,
            reason: reason(why, &found),
            summary: shorten(&question, 200),
            sources: found.iter().filter_map(|found| found.fact.passage).collect(),
            topic: format!("{question}\n{}", found.first().map_or("", |best| best.fact.title.as_str())),
            language,
        }
    }

    /// The text for a property of this name.
    pub(super) fn text_for(&self, name: &str) -> &str {
        let name = name.to_lowercase();
        let is = |words: &[&str]| words.iter().any(|word| name.contains(word));
        if is(&["reply", "answer", "message", "text", "response"]) {
            &self.reply
        } else if is(&["reason", "why", "explanation"]) {
            &self.reason
        } else if is(&["summary", "question", "request"]) {
            &self.summary
        } else if is(&["language", "locale"]) {
            self.language.tag()
        } else {
            ""
        }
    }

    /// By which words to choose a reason from a list; nothing if there is nothing to explain.
    pub(super) const fn reason_words(&self) -> &'static str {
        match self.why {
            Why::Asked => "asked asks request requested wants human person agent",
            Why::Law => "topic sensitive restricted legal law human only",
            Why::Injury => "topic sensitive restricted injury safety human only",
            Why::NotKnown if self.handoff => "low confidence unknown unsure unanswered uncertain",
            Why::NotKnown | Why::Answered => "",
        }
    }

    /// The answer to a property of this name that is true or false.
    pub(super) fn says_yes_to(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        let about_people = ["handoff", "hand_off", "escalate", "human"].iter().any(|word| name.contains(word));
        about_people && self.handoff
    }
}

/// The facts that say most about the question, the best first.
fn find<'a>(facts: &'a [Fact], question: &str) -> Vec<Found<'a>> {
    let wanted = words::remaining(question);
    let meant = words::concepts(question);
    let indexed: Vec<(&Fact, BTreeSet<String>, BTreeSet<&str>)> = facts
        .iter()
        .map(|fact| {
            let both = format!("{}\n{}", fact.title, fact.text);
            (fact, words::content(&both), words::concepts(&both))
        })
        .collect();
    // What stands everywhere tells nothing apart.
    let rarity = |holds: usize| (1.0 + count(indexed.len()) / (1.0 + count(holds))).ln();
    let language = words::language(question);
    let is_foreign = facts.iter().all(|fact| words::language(&fact.text) != language);
    let word = |word: &String| match indexed.iter().filter(|(_, words, _)| words.contains(word)).count() {
        // A word of another language proves nothing by being absent.
        0 if is_foreign => FOREIGN_WEIGHT,
        holds => rarity(holds),
    };
    let concept =
        |name: &&str| CONCEPT_WEIGHT * rarity(indexed.iter().filter(|(_, _, all)| all.contains(name)).count());
    let whole: f64 = wanted.iter().map(word).sum::<f64>() + meant.iter().map(concept).sum::<f64>();
    let mut found: Vec<Found<'_>> = indexed
        .iter()
        .map(|(fact, words, concepts)| {
            let shared: f64 = wanted.intersection(words).map(word).sum();
            let common: f64 = meant.intersection(concepts).map(concept).sum();
            Found { fact, coverage: if whole > 0.0 { (shared + common) / whole } else { 0.0 } }
        })
        .filter(|found| found.coverage >= RELEVANT)
        .collect();
    found.sort_by(|one, other| other.coverage.total_cmp(&one.coverage));
    let best = found.first().map_or(0.0, |best| best.coverage);
    found.retain(|found| found.coverage >= best * ALSO);
    found.truncate(2);
    found
}

fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::MAX, f64::from)
}

fn compose(language: Language, found: &[Found<'_>], note: Option<&str>, needs_person: bool) -> String {
    let manners = language.manners();
    let mut sentences = Vec::new();
    if let Some(note) = note {
        sentences.push(format!("{} {}", manners.noted, shorten(note, 300)));
    }
    sentences.extend(found.iter().map(|found| shorten(&found.fact.text, 600)));
    if needs_person {
        sentences.push(manners.person.to_owned());
    } else if sentences.is_empty() {
        sentences.push(manners.unsure.to_owned());
    }
    sentences.join(" ")
}

/// Whether the instructions want a person for what the prompt does not answer.
fn hands_over_what_it_does_not_know(prompt: &Prompt) -> bool {
    let system = prompt.system.to_lowercase();
    let hands_over = ["hand over", "hand off", "handoff", "escalate"].iter().any(|words| system.contains(words));
    let unknown = ["do not answer", "don't know", "do not know", "cannot answer", "not sure", "low confidence"];
    hands_over && unknown.iter().any(|words| system.contains(words))
}

fn reason(why: Why, found: &[Found<'_>]) -> String {
    match (why, found.first()) {
        (Why::Asked, _) => "the customer asks for a person".into(),
        (Why::Law, _) => "the customer raises a legal matter".into(),
        (Why::Injury, _) => "the customer reports an injury".into(),
        (Why::Answered, Some(best)) if !best.fact.title.is_empty() => {
            format!("answered from: {}", shorten(&best.fact.title, 80))
        }
        (Why::Answered, _) => "answered from what the prompt says".into(),
        (Why::NotKnown, _) => "nothing in the prompt fits the question".into(),
    }
}

fn shorten(text: &str, most: usize) -> String {
    if text.chars().count() <= most { text.to_owned() } else { text.chars().take(most).chain(['…']).collect() }
}

/// How one says the usual things.
struct Manners {
    unsure: &'static str,
    person: &'static str,
    noted: &'static str,
}

impl Language {
    const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Spanish => "es",
            Self::Portuguese => "pt",
            Self::German => "de",
            Self::French => "fr",
            Self::Japanese => "ja",
            Self::Arabic => "ar",
        }
    }

    const fn manners(self) -> Manners {
        match self {
            Self::English => Manners {
                unsure: "I am not sure I understand. Could you tell me a little more?",
                person: "I will ask a colleague to take this over.",
                noted: "My colleague noted:",
            },
            Self::Spanish => Manners {
                unsure: "No estoy seguro de entenderlo. ¿Podría contarme un poco más?",
                person: "Se lo paso a un compañero.",
                noted: "Mi compañero anotó:",
            },
            Self::Portuguese => Manners {
                unsure: "Não sei se entendi bem. Pode contar um pouco mais?",
                person: "Vou pedir a um colega que continue.",
                noted: "Meu colega anotou:",
            },
            Self::German => Manners {
                unsure: "Ich bin nicht sicher, ob ich das richtig verstehe. Können Sie etwas mehr dazu sagen?",
                person: "Ich gebe das an einen Kollegen weiter.",
                noted: "Mein Kollege hat notiert:",
            },
            Self::French => Manners {
                unsure: "Je ne suis pas sûr de comprendre. Pourriez-vous m'en dire un peu plus ?",
                person: "Je transmets à un collègue.",
                noted: "Mon collègue a noté :",
            },
            Self::Japanese => Manners {
                unsure: "申し訳ありません、もう少し詳しく教えていただけますか？",
                person: "担当者におつなぎします。",
                noted: "担当者のメモ：",
            },
            Self::Arabic => Manners {
                unsure: "عذرا، هل يمكنك التوضيح أكثر؟",
                person: "سأحول المحادثة إلى أحد الزملاء.",
                noted: "ملاحظة من زميلي:",
            },
        }
    }
}

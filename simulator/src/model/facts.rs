//! What a prompt says about the business and the conversation: facts to answer from, and notes that
//! people left.

use serde_json::{Map, Value as Json};

use super::{prompt::Prompt, transcript};

/// Something the model may tell.
#[derive(Debug, PartialEq)]
pub(super) struct Fact {
    /// What it is found by, besides its own words: a heading, or the question of a question and answer.
    pub(super) title: String,
    pub(super) text: String,
    /// Its number, if it is a passage of a document.
    pub(super) passage: Option<u64>,
}

/// Headings under which knowledge stands.
const KNOWLEDGE: [&str; 12] = [
    "knowledge",
    "fact",
    "faq",
    "information",
    "about",
    "polic",
    "document",
    "article",
    "source",
    "hours",
    "shop",
    "answers",
];

/// How instructions begin, which are not for the customer's ears.
const INSTRUCTIONS: [&str; 18] = [
    "you ", "your ", "never", "always", "do not", "don't", "answer", "reply", "respond", "if ", "when ", "use ",
    "keep ", "be ", "return ", "output", "set ", "only ",
];

/// Words that mark what a colleague left for the bot.
const NOTES: [&str; 5] = ["note", "promised", "promise", "hand-back", "handed back"];

/// The lines to answer from: those under headings of knowledge if there are any, else all that do
/// not sound like instructions.
pub(super) fn facts(prompt: &Prompt) -> Vec<Fact> {
    let mut under_knowledge = Vec::new();
    let mut elsewhere = Vec::new();
    let mut section = String::new();
    let mut question = None;
    for line in prompt.system.lines() {
        let line = line.trim().trim_start_matches(['-', '*', '•']).trim();
        if line.is_empty() {
            continue;
        }
        if let Some(heading) = heading(line) {
            section = heading;
            continue;
        }
        if let Some(asked) = line.strip_prefix("Q:") {
            question = Some(asked.trim().to_owned());
            continue;
        }
        let text = line.strip_prefix("A:").map_or(line, str::trim).to_owned();
        let fact = Fact { title: question.take().unwrap_or_else(|| section.clone()), text, passage: None };
        let is_knowledge = KNOWLEDGE.iter().any(|word| section.to_lowercase().contains(word));
        if is_knowledge {
            under_knowledge.push(fact);
        } else if !is_instruction(line) {
            elsewhere.push(fact);
        }
    }
    let mut facts = if under_knowledge.is_empty() { elsewhere } else { under_knowledge };
    facts.extend(prompt.context().filter_map(passage));
    facts
}

/// A numbered passage of a document, as a line of JSON.
fn passage(line: &str) -> Option<Fact> {
    let object = transcript::object(line)?;
    let text = ["says", "passage", "excerpt"].iter().find_map(|key| object.get(*key).and_then(Json::as_str))?;
    let number = ["document", "source", "id"].iter().find_map(|key| object.get(*key).and_then(Json::as_u64));
    let title = ["from", "title"].iter().find_map(|key| object.get(*key).and_then(Json::as_str)).unwrap_or_default();
    Some(Fact { title: title.to_owned(), text: text.to_owned(), passage: number })
}

/// What colleagues noted, the newest last.
pub(super) fn notes(prompt: &Prompt) -> Vec<String> {
    let of_line = |line: &str| match transcript::object(line) {
        Some(object) => noted_in(&object),
        None => labelled_note(line),
    };
    prompt.context().filter_map(of_line).collect()
}

/// All notes of one object together.
fn noted_in(object: &Map<String, Json>) -> Option<String> {
    let notes = NOTES.iter().filter_map(|key| object.get(*key).and_then(Json::as_str));
    let notes: Vec<&str> = notes.map(str::trim).filter(|note| !note.is_empty()).collect();
    (!notes.is_empty()).then(|| notes.join("; "))
}

fn labelled_note(line: &str) -> Option<String> {
    let line = line.trim().trim_start_matches(['-', '*', '•']).trim().trim_matches(['[', ']']);
    let (label, text) = line.split_once(':')?;
    let label = label.to_lowercase();
    let is_note = label.split_whitespace().count() <= 6 && NOTES.iter().any(|word| label.contains(word));
    let text = text.trim().trim_matches('"');
    (is_note && text.chars().count() > 2).then(|| text.to_owned())
}

/// `# Heading`, `<tag>`, a line in capitals, or a short one that ends with a colon; what stands in
/// brackets does not count.
fn heading(line: &str) -> Option<String> {
    if let Some(heading) = line.strip_prefix('#') {
        return Some(heading.trim_start_matches('#').trim().to_owned());
    }
    if line.starts_with('<') && line.ends_with('>') {
        // A closing tag ends what its opening began.
        return Some(if line.starts_with("</") { String::new() } else { line.trim_matches(['<', '>']).to_owned() });
    }
    let title = line.split('(').next().unwrap_or(line).trim().trim_end_matches(':');
    let words = title.split_whitespace();
    let shouted = |word: &str| word.len() > 2 && word.chars().all(|c| c.is_ascii_uppercase());
    let is_title = if line.ends_with(':') {
        words.clone().count() <= 5 || words.clone().next().is_some_and(shouted)
    } else {
        words.clone().count() > 0 && words.clone().all(shouted)
    };
    is_title.then(|| title.to_owned())
}

fn is_instruction(line: &str) -> bool {
    let line = line.to_lowercase();
    INSTRUCTIONS.iter().any(|beginning| line.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::prompt::{Form, Turn};

    fn prompt(system: &str) -> Prompt {
        let turns = vec![Turn { from_model: false, text: "Handed back with a note: call him on Monday".into() }];
        Prompt { system: system.into(), turns, form: Form::Prose }
    }

    fn fact(title: &str, text: &str) -> Fact {
        Fact { title: title.into(), text: text.into(), passage: None }
    }

    #[test]
    fn passages_of_documents_are_facts_with_a_number() {
        let mut prompt = prompt("## Facts\n- We open at nine.");
        prompt.turns[0].text = "{\"document\":2,\"from\":\"a.md > Care\",\"says\":\"Wash by hand.\"}".into();
        let wanted = Fact { passage: Some(2), ..fact("a.md > Care", "Wash by hand.") };
        assert_eq!(facts(&prompt), [fact("Facts", "We open at nine."), wanted]);
    }

    #[test]
    fn knowledge_is_told_and_instructions_are_not() {
        let under_a_heading = prompt(
            "You help.\n## Knowledge\n- We open at nine.\nQ: Do you ship?\nA: Yes, worldwide.\n## Style\nShort.",
        );
        let found = facts(&under_a_heading);
        assert_eq!(found[0], fact("Knowledge", "We open at nine."));
        assert_eq!(found[1], fact("Do you ship?", "Yes, worldwide."));
        assert_eq!(found.len(), 2);
        let loose = prompt("You help.\nNever swear.\nWe open at nine.");
        assert_eq!(facts(&loose), [fact("", "We open at nine.")]);
        let shouted =
            prompt("You help.\nFACTS (all there are; no others):\n- We open at nine.\nRULES\n- Be kind: always.");
        assert_eq!(facts(&shouted), [fact("FACTS", "We open at nine.")]);
    }

    #[test]
    fn notes_are_found_wherever_they_stand() {
        let found = notes(&prompt(
            "Promised: a new mug by Friday\nNotes are important.\n{\"note\":\"angry\",\"promised\":\"tea\"}",
        ));
        assert_eq!(found, ["a new mug by Friday", "angry; tea", "call him on Monday"]);
    }
}

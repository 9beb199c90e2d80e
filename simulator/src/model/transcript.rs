//! A conversation written out inside a prompt, whoever wrote it how: a JSON object a line, or lines
//! that begin with who speaks.

use serde_json::{Map, Value as Json};

/// One thing said.
#[derive(Debug, PartialEq)]
pub(super) struct Line {
    pub(super) speaker: Speaker,
    pub(super) text: String,
    /// It is marked as still to be answered.
    open: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speaker {
    Customer,
    Model,
    Other,
}

const CUSTOMERS: [&str; 6] = ["customer", "user", "client", "cliente", "buyer", "guest"];
const MODELS: [&str; 5] = ["you", "assistant", "bot", "model", "ai"];
const OTHERS: [&str; 7] = ["agent", "human", "person", "colleague", "system", "staff", "phone"];

/// Under which keys a line of JSON says who speaks, what, and that it waits for an answer.
const SPEAKER_KEYS: [&str; 5] = ["by", "role", "author", "from", "speaker"];
const TEXT_KEYS: [&str; 4] = ["text", "content", "message", "body"];
const OPEN_KEYS: [&str; 4] = ["unanswered", "open", "pending", "new"];

/// Everything said in a text, in order; empty if it is no transcript.
pub(super) fn read(text: &str) -> Vec<Line> {
    text.lines().filter_map(|line| object(line).map_or_else(|| labelled(line), |object| spoken(&object))).collect()
}

/// What the customer waits to have answered: what is marked so, else their last uninterrupted lines.
pub(super) fn question(lines: &[Line]) -> Option<String> {
    let open: Vec<&str> = lines.iter().filter(|line| line.open).map(|line| line.text.as_str()).collect();
    if !open.is_empty() {
        return Some(open.join("\n"));
    }
    let is_theirs = |line: &Line| line.speaker == Speaker::Customer;
    let last = lines.iter().rposition(is_theirs)?;
    let first = lines[..last].iter().rposition(|line| !is_theirs(line)).map_or(0, |before| before + 1);
    Some(lines[first..=last].iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n"))
}

/// A line that is one JSON object.
pub(super) fn object(line: &str) -> Option<Map<String, Json>> {
    let line = line.trim();
    if line.starts_with('{') { serde_json::from_str(line).ok() } else { None }
}

fn spoken(object: &Map<String, Json>) -> Option<Line> {
    let text_of = |keys: &[&str]| keys.iter().find_map(|key| object.get(*key).and_then(Json::as_str));
    let speaker = speaker(text_of(&SPEAKER_KEYS)?).unwrap_or(Speaker::Other);
    let open = OPEN_KEYS.iter().any(|key| object.get(*key) == Some(&Json::Bool(true)));
    Some(Line { speaker, text: text_of(&TEXT_KEYS)?.to_owned(), open })
}

fn labelled(line: &str) -> Option<Line> {
    let (label, text) = line.trim().split_once(':')?;
    Some(Line { speaker: speaker(label)?, text: text.trim().to_owned(), open: false })
}

/// By the first word, in whatever marks.
fn speaker(label: &str) -> Option<Speaker> {
    let label = label.to_lowercase();
    let mut words = label.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let first = words.find(|word| !["a", "the"].contains(word))?;
    [(Speaker::Customer, &CUSTOMERS[..]), (Speaker::Model, &MODELS[..]), (Speaker::Other, &OTHERS[..])]
        .into_iter()
        .find_map(|(speaker, names)| names.contains(&first).then_some(speaker))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_is_the_customers_last_run_of_lines() {
        let lines = read(
            "Conversation so far\nCustomer: hi\nAgent: hello\n**Customer**: where is it\ncustomer: my order\nNote: VIP",
        );
        assert_eq!(question(&lines).as_deref(), Some("where is it\nmy order"));
        assert_eq!(question(&read("where is it?")), None);
    }

    #[test]
    fn lines_of_json_are_read_and_marks_count() {
        let lines = read(
            "{\"name\":\"Ana\"}\n{\"by\":\"customer\",\"text\":\"is it ready?\",\"unanswered\":true}\n\
             {\"by\":\"a person (Bo)\",\"text\":\"hello\"}\n{\"by\":\"customer\",\"text\":\"the red one\",\"unanswered\":true}",
        );
        assert_eq!(question(&lines).as_deref(), Some("is it ready?\nthe red one"));
        assert_eq!(lines[1].speaker, Speaker::Other);
    }
}

//! What the messages of one turn ask, by rules and the playbook's examples alone.

use super::{
    context::{Said, TurnContext},
    fold::{fold, is_word},
    intents::{Classifier, Guess},
    triggers::{asks_for_person, is_repeat},
};
use crate::config::{Action, Playbook};

/// What a turn is about. Numbers are places in the playbook's intents.
#[derive(Clone, Debug, PartialEq)]
pub enum Understanding {
    /// Nothing waits for an answer.
    Nothing,
    /// The customer asks for a person.
    AsksForPerson,
    /// A topic that always gets a person.
    HumanTopic { intent: usize },
    /// A file that nobody put in words: what Meta calls it.
    Unreadable { kind: String },
    /// No word in it: a thumb, a heart, a sticker.
    OnlySigns,
    /// A greeting or a thank you, and nothing else.
    SmallTalk { intent: usize, confidence: f32 },
    /// Questions that all have an approved answer.
    Answers { intents: Vec<usize>, confidence: f32 },
    /// Anything else, and what it is most likely about.
    Unclear { likely: Option<usize> },
}

/// More questions at once than this are not answered by pieces.
const QUESTIONS: usize = 3;

/// Sentences that are looked at one by one.
const SENTENCES: usize = 12;

/// Understands what the turn is about.
pub fn understand(playbook: &Playbook, classifier: &Classifier, context: &TurnContext) -> Understanding {
    let pending: Vec<&Said> = context.asked().collect();
    if pending.is_empty() {
        return Understanding::Nothing;
    }
    if pending.iter().any(|said| asks_for_person(&said.text)) {
        return Understanding::AsksForPerson;
    }
    let read = Guesses::of(classifier, context);
    if let Some(intent) = read.human_topic(playbook) {
        return Understanding::HumanTopic { intent };
    }
    if let Some(said) = pending.iter().find(|said| !is_readable(said)) {
        return Understanding::Unreadable { kind: said.kind.clone() };
    }
    if pending.iter().any(|said| said.seen.is_some()) {
        // What is asked about a picture is not asked without it.
        return Understanding::Unclear { likely: read.whole.map(|guess| guess.intent) };
    }
    if pending.iter().all(|said| is_sign(said)) {
        return Understanding::OnlySigns;
    }
    read.answers(playbook)
}

/// Whether the customer asked much the same before and got an answer that did not help: within a
/// day, for next month it is a new question.
pub fn is_asked_again(context: &TurnContext) -> bool {
    const DAY: std::time::Duration = std::time::Duration::from_secs(24 * 60 * 60);
    context
        .asked()
        .any(|now| context.answered().any(|before| now.at.since(before.at) < DAY && is_repeat(&before.text, &now.text)))
}

/// What the classifier makes of the sentences one by one and of all together.
struct Guesses {
    sentences: Vec<Option<Guess>>,
    whole: Option<Guess>,
}

impl Guesses {
    fn of(classifier: &Classifier, context: &TurnContext) -> Self {
        let question = context.asked().map(|said| said.text.as_str()).collect::<Vec<_>>().join("\n");
        let sentences = question
            .split(['.', '?', '!', '\n', ';', '…', '。'])
            .filter(|sentence| sentence.chars().any(char::is_alphanumeric))
            .take(SENTENCES)
            .map(|sentence| classifier.guess(sentence))
            .collect();
        Self { sentences, whole: classifier.guess(&question) }
    }

    fn human_topic(&self, playbook: &Playbook) -> Option<usize> {
        let all = self.sentences.iter().chain([&self.whole]).flatten();
        all.filter(|guess| guess.likely)
            .map(|guess| guess.intent)
            .find(|at| playbook.intents[*at].action == Action::Human)
    }

    fn answers(&self, playbook: &Playbook) -> Understanding {
        let accepted: Vec<Guess> = self.sentences.iter().flatten().filter(|guess| guess.accepted).copied().collect();
        let (chat, mut asked): (Vec<Guess>, Vec<Guess>) =
            accepted.iter().partition(|guess| playbook.intents[guess.intent].small_talk);
        let whole = self.whole.filter(|guess| guess.accepted && !playbook.intents[guess.intent].small_talk);
        let likely = asked.first().or(self.whole.as_ref()).map(|guess| guess.intent);
        if accepted.len() < self.sentences.len() {
            // A sentence says nothing that is known; perhaps it belongs to the question beside it.
            let fits = whole.filter(|whole| asked.iter().all(|guess| guess.intent == whole.intent));
            asked = fits.into_iter().collect();
        } else if let (true, Some(chat)) = (asked.is_empty(), chat.last()) {
            return Understanding::SmallTalk { intent: chat.intent, confidence: chat.confidence };
        }
        let confidence = asked.iter().map(|guess| guess.confidence).fold(1.0, f32::min);
        let mut intents: Vec<usize> = asked.iter().map(|guess| guess.intent).collect();
        let mut seen = Vec::new();
        intents.retain(|intent| {
            !seen.contains(intent) && {
                seen.push(*intent);
                true
            }
        });
        let answered = intents.iter().all(|intent| matches!(playbook.intents[*intent].action, Action::Answer(_)));
        if intents.is_empty() || intents.len() > QUESTIONS || !answered {
            return Understanding::Unclear { likely };
        }
        Understanding::Answers { intents, confidence }
    }
}

/// Whether its text, or what was seen in it, is all that it says.
fn is_readable(said: &Said) -> bool {
    match said.kind.as_str() {
        "text" | "button" | "interactive" | "sticker" | "reaction" => true,
        // It has no caption: a text is what was heard.
        "audio" => !said.text.is_empty(),
        _ => said.seen.is_some(),
    }
}

/// A question mark alone is impatience, not a sign of content.
fn is_sign(said: &Said) -> bool {
    !said.text.contains('?') && !fold(&said.text).split(' ').any(is_word)
}

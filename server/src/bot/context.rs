//! What the bot knows of a conversation when it makes a turn.

use baton_shared::{Micros, message::Author};

use crate::config::Language;

/// One conversation, as read from the store for one turn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TurnContext {
    /// The channel's name.
    pub channel: String,
    /// As the customer calls themselves: anything may stand there.
    pub customer_name: Option<String>,
    /// What the customer spoke so far.
    pub language: Option<Language>,
    /// What was said before `said`, in a few lines.
    pub earlier: Option<String>,
    /// What is known of the customer: names and values, the newest first.
    pub known: Vec<(String, String)>,
    /// More was said before than is in `said`.
    pub is_long: bool,
    /// In the thread's order; the newest part is enough.
    pub said: Vec<Said>,
    /// When people had the conversation; in order.
    pub stretches: Vec<HumanStretch>,
    /// Turns in a row that solved nothing.
    pub unresolved_turns: u32,
    /// What waits for an answer was written long before it arrived.
    pub late: bool,
    /// The last person said, when they gave it back, that no answer is owed to what they had read.
    pub settled: bool,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub author: Author,
    /// The agent's name, if an agent wrote it.
    pub agent: Option<String>,
    /// `text`, or the type that Meta names.
    pub kind: String,
    /// For other kinds what can be read of them; of a voice message what is said in it.
    pub text: String,
    /// What was seen in its picture.
    pub seen: Option<String>,
    pub at: Micros,
    /// The customer's, and nobody has answered it: by arrival, not by place.
    pub unanswered: bool,
    /// Unanswered, but a person had it in front of them and gave the conversation back to the bot.
    pub given_back: bool,
    /// Ours, failed or unsettled.
    pub may_not_have_arrived: bool,
}

/// One handoff that a person took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HumanStretch {
    /// The agent's name.
    pub by: String,
    pub from: Micros,
    pub to: Micros,
    pub outcome: Option<String>,
    pub note: Option<String>,
    pub promised: Option<String>,
}

impl TurnContext {
    /// What waits for an answer.
    pub fn pending(&self) -> impl Iterator<Item = &Said> {
        self.said.iter().filter(|said| said.unanswered)
    }

    /// What the turn is about: what came after a person gave the conversation back, or else what they
    /// gave back with it.
    pub fn asked(&self) -> impl Iterator<Item = &Said> {
        let only_given_back = self.is_given_back();
        self.pending().filter(move |said| only_given_back || !said.given_back)
    }

    /// Whether a person has had all in front of them that waits for an answer.
    pub fn is_given_back(&self) -> bool {
        let mut pending = self.pending().peekable();
        pending.peek().is_some() && pending.all(|said| said.given_back)
    }

    /// What the customer had said before, with an answer.
    pub fn answered(&self) -> impl Iterator<Item = &Said> {
        self.said.iter().filter(|said| said.author == Author::Customer && !said.unanswered)
    }

    /// Whether the bot or a person has said anything.
    pub fn has_answers(&self) -> bool {
        self.said.iter().any(|said| said.author.is_ours_to_send() || said.author == Author::Phone)
    }

    /// Whether the bot has said anything.
    pub fn has_met_the_bot(&self) -> bool {
        self.said.iter().any(|said| said.author == Author::Bot)
    }

    /// All that waits for an answer, one message a line.
    pub fn question(&self) -> String {
        self.pending().map(|said| said.text.as_str()).collect::<Vec<_>>().join("\n")
    }
}

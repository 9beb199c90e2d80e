//! The playbook: what the operator lets the bot say, and when a person is needed.

use std::time::Duration;

pub use intent::{Action, Example, Intent};
pub use speech::{Facts, Speech};
pub use texts::Texts;

use super::{
    error::{ConfigError, quoted},
    language::Language,
    source::{Section, Source, filled},
};
use crate::domain::{hours::Hours, money::Budget, turn::Pause, waiting::Patience};

mod budget;
mod hours;
mod intent;
mod speech;
mod texts;
mod waiting;
mod wording;

/// The operator's file, checked.
#[derive(Clone, Debug)]
pub struct Playbook {
    /// The business's name.
    pub business: String,
    /// The bot's name.
    pub bot: String,
    /// Who the bot is and how it speaks, for the model.
    pub persona: String,
    /// Never empty; the first is spoken when in doubt.
    pub languages: Vec<Language>,
    /// Words for how far a conversation has come; the model picks one.
    pub stages: Vec<String>,
    /// Short facts, for the model.
    pub facts: Vec<String>,
    pub intents: Vec<Intent>,
    pub thresholds: Thresholds,
    /// How long to wait for the rest of what a customer is typing.
    pub burst: Pause,
    /// What customers are told by rule.
    pub speech: Speech,
    /// What to tell a customer about the wait until enough handoffs have been measured.
    pub expected_wait: Option<Duration>,
    /// Who answers when a resolved conversation comes back.
    pub reopen: Reopen,
    pub budget: Budget,
    /// What happens to what reaches us long after it was written.
    pub late: Late,
    /// When people are there; `None`: at any time.
    pub hours: Option<Hours>,
    /// What becomes of those who wait for a person.
    pub patience: Patience,
}

/// Meta keeps what it cannot deliver for up to seven days; nobody is answered then as if it were now.
#[derive(Clone, Debug, PartialEq)]
pub struct Late {
    /// Older than this on arrival is late.
    pub after: Duration,
    /// Who answers it.
    pub to: Reopen,
    /// Said before the bot's answer, once.
    pub apology: Texts,
}

/// When the bot stops.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// A model that is less sure than this hands over; 0 to 1.
    pub confidence: f32,
    /// So many turns in a row that solved nothing, and a person is needed.
    pub unresolved_turns: u32,
    /// The share of rightly recognised questions that the classifier may turn down, so that it
    /// also turns down what is no question of its kind; 0 to 0.5.
    pub intent_rejects: f32,
}

/// Where a resolved conversation goes when the customer writes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reopen {
    Bot,
    Waiting,
}

/// The playbook of a small shop: an example to begin from.
const SHOP: &str = include_str!("../../../playbooks/shop.toml");

impl Playbook {
    /// What names the built-in one in the settings.
    pub const SAMPLE: &str = "shop";

    /// `file` is what errors call it.
    pub fn parse(file: &str, text: &str) -> Result<Self, ConfigError> {
        let source = Source::parse(file, text)?;
        let root = source.root(None);
        let playbook = Self::from_root(&root)?;
        root.finish()?;
        Ok(playbook)
    }

    /// # Panics
    /// Never: a test parses the file that was built in.
    pub fn shop() -> Self {
        Self::parse("playbooks/shop.toml", SHOP).expect("the built-in playbook parses")
    }

    /// Spoken when nothing better is known.
    pub fn language(&self) -> Language {
        self.languages[0]
    }

    /// What always gets a person.
    pub fn human_topics(&self) -> impl Iterator<Item = &Intent> {
        self.intents.iter().filter(|intent| intent.action == Action::Human)
    }

    fn from_root(root: &Section<'_>) -> Result<Self, ConfigError> {
        let languages = languages(root)?;
        let texts = root.table("texts")?;
        let playbook = Self {
            business: root.require("business", "the business's name", filled)?,
            bot: root.parse("bot", "the bot's name", filled)?.unwrap_or_else(|| "Assistant".into()),
            persona: root.parse("persona", "a text", filled)?.unwrap_or_default(),
            stages: strings(root, "stages")?,
            facts: strings(root, "facts")?,
            intents: intent::read(root, &languages)?,
            thresholds: thresholds(&root.table("thresholds")?)?,
            burst: burst(&root.table("burst")?)?,
            speech: speech::read(&texts, &root.table("aliases")?, &languages)?,
            expected_wait: root
                .parse("expected_wait_minutes", "a whole number from 1 to 1440", whole(1..=1_440))?
                .map(|minutes| Duration::from_secs(minutes * 60)),
            reopen: root.parse("reopen", "`bot` or `waiting`", reopen)?.unwrap_or(Reopen::Bot),
            budget: budget::read(&root.table("budget")?)?,
            late: late(&root.table("late")?, texts::read(&texts, "late", &languages)?)?,
            patience: waiting::read(&root.table("waiting")?)?,
            hours: hours::read(&root.table("hours")?)?,
            languages,
        };
        texts.finish()?;
        Ok(playbook)
    }
}

fn languages(root: &Section<'_>) -> Result<Vec<Language>, ConfigError> {
    let mut languages: Vec<Language> = Vec::new();
    for item in root.texts("languages")? {
        let language = item.parse("a language's two letters, such as \"en\"", |text| text.parse().ok())?;
        if !languages.contains(&language) {
            languages.push(language);
        }
    }
    if languages.is_empty() {
        return Err(root.missing("languages", "a list of languages, such as [\"en\"]; the first is the default"));
    }
    Ok(languages)
}

fn strings(root: &Section<'_>, key: &str) -> Result<Vec<String>, ConfigError> {
    root.texts(key)?.into_iter().map(|item| item.parse("a text that is not empty", filled)).collect()
}

fn thresholds(section: &Section<'_>) -> Result<Thresholds, ConfigError> {
    let thresholds = Thresholds {
        confidence: section.parse("confidence", "a number from 0 to 1", share(1.0))?.unwrap_or(0.6),
        unresolved_turns: section
            .parse("unresolved_turns", "a whole number from 1 to 20", whole(1..=20))?
            .map_or(3, |turns| u32::try_from(turns).unwrap_or(3)),
        intent_rejects: section.parse("intent_rejects", "a number from 0 to 0.5", share(0.5))?.unwrap_or(0.1),
    };
    section.finish()?;
    Ok(thresholds)
}

fn burst(section: &Section<'_>) -> Result<Pause, ConfigError> {
    let expected = "a whole number of milliseconds up to 60000";
    let millis = |key| -> Result<Option<Duration>, ConfigError> {
        Ok(section.parse(key, expected, whole(0..=60_000))?.map(Duration::from_millis))
    };
    let usual = Pause::default();
    let quiet = millis("pause_ms")?.unwrap_or(usual.quiet);
    let limit = millis("limit_ms")?.unwrap_or(usual.limit.max(quiet));
    if limit < quiet {
        return Err(section.wrong("limit_ms", "less than pause_ms", "at least as much"));
    }
    section.finish()?;
    Ok(Pause { quiet, limit })
}

fn late(section: &Section<'_>, apology: Texts) -> Result<Late, ConfigError> {
    let after = section.parse("after_minutes", "a whole number from 1 to 10080", whole(1..=10_080))?.unwrap_or(30);
    let to = section.parse("to", "`bot` or `waiting`", reopen)?.unwrap_or(Reopen::Bot);
    section.finish()?;
    Ok(Late { after: Duration::from_secs(after * 60), to, apology })
}

fn reopen(text: &str) -> Option<Reopen> {
    match text {
        "bot" => Some(Reopen::Bot),
        "waiting" => Some(Reopen::Waiting),
        _ => None,
    }
}

fn whole(range: std::ops::RangeInclusive<u64>) -> impl Fn(&str) -> Option<u64> {
    move |text| text.parse().ok().filter(|number| range.contains(number))
}

fn share(most: f32) -> impl Fn(&str) -> Option<f32> {
    move |text| text.parse().ok().filter(|number| (0.0..=most).contains(number))
}

#[cfg(test)]
mod tests;

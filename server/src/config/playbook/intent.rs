//! What customers want, known by examples of how they say it.

use std::collections::HashMap;

use super::{ConfigError, Language, Section, Texts, filled, quoted, texts};

/// One thing that customers want.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    pub name: String,
    /// What agents read in a handoff's summary, such as "asks about a refund".
    pub title: String,
    pub action: Action,
    /// A greeting or a thank you: no question of its own beside others.
    pub small_talk: bool,
    pub examples: Vec<Example>,
}

/// What is done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// An approved answer; never empty.
    Answer(Texts),
    /// Always a person.
    Human,
    /// Left to the model.
    Model,
}

/// How somebody might say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// `None` if the playbook does not say.
    pub language: Option<Language>,
    pub text: String,
}

const EXAMPLES: std::ops::RangeInclusive<usize> = 3..=2_000;
const INTENTS: usize = 200;

/// All `[[intent]]`s.
pub(super) fn read(root: &Section<'_>, languages: &[Language]) -> Result<Vec<Intent>, ConfigError> {
    let mut intents: Vec<Intent> = Vec::new();
    let mut owners = HashMap::new();
    for section in root.tables("intent")? {
        let intent = intent(&section, languages, &mut owners)?;
        if intents.iter().any(|known| known.name == intent.name) {
            return Err(section.wrong("name", &format!("{} twice", quoted(&intent.name)), "a name of its own"));
        }
        intents.push(intent);
    }
    if intents.len() > INTENTS {
        return Err(root.wrong("intent", &format!("{} intents", intents.len()), &format!("at most {INTENTS}")));
    }
    Ok(intents)
}

fn intent(
    section: &Section<'_>,
    languages: &[Language],
    owners: &mut HashMap<String, String>,
) -> Result<Intent, ConfigError> {
    let name = section.require("name", "a name of small letters, digits and underscores", name)?;
    let title = section.parse("title", "a short text", filled)?.unwrap_or_else(|| name.replace('_', " "));
    let action = action(section, languages)?;
    let small_talk = section.parse("small_talk", "true or false", |text| text.parse().ok())?.unwrap_or(false);
    let examples = examples(section, languages, &name, owners)?;
    section.finish()?;
    Ok(Intent { name, title, action, small_talk, examples })
}

fn action(section: &Section<'_>, languages: &[Language]) -> Result<Action, ConfigError> {
    let answers = texts::read(section, "answer", languages)?;
    let expected = "`answer`, `human` or `model`";
    match section.require("action", expected, |word| Some(word.to_owned()))?.as_str() {
        "answer" if answers.get(languages[0]).is_some() => Ok(Action::Answer(answers)),
        "answer" => {
            let code = languages[0];
            Err(section.wrong("answer", &format!("no text in {code}"), &format!("one, for {code} is the default")))
        }
        "human" | "model" if !answers.is_empty() => {
            Err(section.wrong("answer", "an answer nobody would give", "none, or action = \"answer\""))
        }
        "human" => Ok(Action::Human),
        "model" => Ok(Action::Model),
        other => Err(section.wrong("action", &quoted(other), expected)),
    }
}

/// A list, or a table of lists by language.
fn examples(
    section: &Section<'_>,
    languages: &[Language],
    name: &str,
    owners: &mut HashMap<String, String>,
) -> Result<Vec<Example>, ConfigError> {
    let mut examples = Vec::new();
    if section.is_list("examples") {
        collect(section, "examples", None, name, owners, &mut examples)?;
    } else {
        let table = section.table("examples")?;
        for code in table.keys() {
            let language = texts::language(&table, &code, languages)?;
            collect(&table, &code, Some(language), name, owners, &mut examples)?;
        }
    }
    if EXAMPLES.contains(&examples.len()) {
        return Ok(examples);
    }
    let expected = format!("{} to {}; twenty and more work well", EXAMPLES.start(), EXAMPLES.end());
    Err(section.wrong("examples", &format!("{} of them", examples.len()), &expected))
}

fn collect(
    section: &Section<'_>,
    key: &str,
    language: Option<Language>,
    name: &str,
    owners: &mut HashMap<String, String>,
    examples: &mut Vec<Example>,
) -> Result<(), ConfigError> {
    for item in section.texts(key)? {
        let owner = owners.entry(item.text.trim().to_lowercase()).or_insert_with(|| name.to_owned());
        if owner != name {
            return Err(item.error(&quoted(&item.text), &format!("it only once: `{owner}` has it too")));
        }
        let text = item
            .parse("a text of 1 to 500 characters", |text| filled(text).filter(|text| text.chars().count() <= 500))?;
        examples.push(Example { language, text });
    }
    Ok(())
}

fn name(text: &str) -> Option<String> {
    let fits = text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    (fits && !text.is_empty() && text.len() <= 60).then(|| text.to_owned())
}

//! `[texts]`: what customers are told by rule, in their language.

use std::{collections::BTreeMap, time::Duration};

use baton_shared::Micros;

use super::{ConfigError, Language, Playbook, Section, Texts, filled, texts, wording};
use crate::domain::occasion::Occasion;

/// Any of them may be empty: nothing is said then.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Speech {
    of: BTreeMap<Occasion, Texts>,
    /// The bridge when nobody knows how long it takes.
    bridge_without_wait: Texts,
    /// Before the bot's first answer to somebody: that it is one.
    pub disclosure: Texts,
    /// What an agent is called to customers, if it is not their name.
    aliases: BTreeMap<String, String>,
}

/// What a sentence may speak of.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts<'a> {
    pub now: Micros,
    /// How long it takes until a person comes, if that was measured or promised.
    pub wait: Option<Duration>,
    /// When people are there again.
    pub back: Option<Micros>,
    /// The agent's name.
    pub person: Option<&'a str>,
}

impl Speech {
    pub fn texts(&self, occasion: Occasion) -> Option<&Texts> {
        self.of.get(&occasion)
    }
}

impl Playbook {
    /// What is said to whoever speaks `language` (two letters); `None` if there is no text for it, or if it
    /// speaks of what nobody knows.
    pub fn say(&self, occasion: Occasion, language: Option<&str>, facts: Facts<'_>) -> Option<String> {
        let default = self.language();
        let theirs = language.and_then(|code| code.parse().ok()).unwrap_or(default);
        let speech = &self.speech;
        let said = speech.of.get(&occasion).and_then(|texts| texts.spoken(theirs, default));
        let filled = said.and_then(|(text, spoken)| self.fill(text, spoken, facts));
        if filled.is_some() || occasion != Occasion::Bridge {
            return filled;
        }
        speech.bridge_without_wait.spoken(theirs, default).map(|(text, _)| text.to_owned())
    }

    fn fill(&self, text: &str, language: Language, facts: Facts<'_>) -> Option<String> {
        let mut text = text.to_owned();
        if text.contains(WAIT) {
            text = text.replace(WAIT, &wording::wait(language, facts.wait?));
        }
        if text.contains(BACK) {
            let hours = self.hours.as_ref()?;
            let back = wording::moment(language, hours.local(facts.now), hours.local(facts.back?));
            text = text.replace(BACK, &back);
        }
        if text.contains(PERSON) {
            let name = facts.person?;
            text = text.replace(PERSON, self.speech.aliases.get(name).map_or(name, String::as_str));
        }
        Some(text)
    }
}

const WAIT: &str = "{wait}";
const BACK: &str = "{back}";
const PERSON: &str = "{person}";

/// What may stand in braces.
const fn places(occasion: Occasion) -> &'static [&'static str] {
    match occasion {
        Occasion::Bridge | Occasion::StillWaiting => &[WAIT],
        Occasion::OutOfHours | Occasion::NobodyCame => &[BACK],
        Occasion::PersonIsHere | Occasion::Transferred => &[PERSON],
        Occasion::BackToAssistant | Occasion::Resolved => &[],
    }
}

/// `section` is `[texts]`, `names` is `[aliases]`.
pub(super) fn read(section: &Section<'_>, names: &Section<'_>, languages: &[Language]) -> Result<Speech, ConfigError> {
    let read = |key: &str, places: &[&str]| -> Result<Texts, ConfigError> {
        let texts = texts::read(section, key, languages)?;
        let found = texts.all().find_map(|text| stranger(text, places)).map(str::to_owned);
        match found {
            None => Ok(texts),
            Some(found) => {
                let expected = match places {
                    [] => "a text without braces".to_owned(),
                    places => format!("only {} in braces", places.join(", ")),
                };
                Err(section.wrong(key, &format!("a text with {found}"), &expected))
            }
        }
    };
    let mut speech = Speech {
        bridge_without_wait: read("bridge_without_wait", &[])?,
        disclosure: read("disclosure", &[])?,
        ..Speech::default()
    };
    for occasion in Occasion::ALL {
        let texts = read(occasion.word(), places(occasion))?;
        if !texts.is_empty() {
            speech.of.insert(occasion, texts);
        }
    }
    for name in names.keys() {
        let alias = names.require(&name, "what customers read instead of this name", filled)?;
        speech.aliases.insert(name, alias);
    }
    names.finish()?;
    Ok(speech)
}

/// Something in braces that nobody fills in.
fn stranger<'a>(text: &'a str, places: &[&str]) -> Option<&'a str> {
    let mut rest = text;
    while let Some(begin) = rest.find('{') {
        let end = rest[begin..].find('}').map_or(rest.len(), |end| begin + end + 1);
        let found = &rest[begin..end];
        if !places.contains(&found) {
            return Some(found);
        }
        rest = &rest[end..];
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(minutes: u64) -> Option<Duration> {
        Some(Duration::from_secs(60 * minutes))
    }

    #[test]
    fn the_wait_is_said_in_the_customers_language() {
        let shop = Playbook::shop();
        let say = |language, wait| shop.say(Occasion::Bridge, Some(language), Facts { wait, ..Facts::default() });
        assert!(say("en", minutes(7)).unwrap().contains("in about 10 minutes."));
        assert!(say("fr", minutes(5)).unwrap().contains("dans environ 5 minutes."));
        assert!(say("en", None).unwrap().contains("as soon as possible"), "nobody promises what nobody knows");
        // A language without a text gets the default in one piece.
        assert!(say("nl", minutes(3)).unwrap().contains("answer here in about 3 minutes."));
        let silent = Playbook { speech: Speech::default(), ..shop };
        assert_eq!(silent.say(Occasion::Bridge, Some("en"), Facts::default()), None);
    }

    #[test]
    fn the_shop_has_every_text_in_every_language() {
        let shop = Playbook::shop();
        for occasion in Occasion::ALL {
            let texts = shop.speech.texts(occasion).unwrap_or_else(|| panic!("{occasion:?}"));
            assert!(shop.languages.iter().all(|language| texts.get(*language).is_some()), "{occasion:?}");
        }
        assert!(shop.languages.iter().all(|language| shop.speech.disclosure.get(*language).is_some()));
    }

    #[test]
    fn names_moments_and_strangers() {
        let text = "business = \"B\"\nlanguages = [\"en\"]\n[aliases]\n\"Ana Lima\" = \"Ana\"\n[texts]\n\
                    person_is_here = \"{person} is here.\"\nout_of_hours = \"We are back {back}.\"\n\
                    [hours]\nzone = \"UTC\"\nmonday = \"9:00-18:00\"\n";
        let book = Playbook::parse("p.toml", text).unwrap();
        let person = |person| book.say(Occasion::PersonIsHere, None, Facts { person, ..Facts::default() });
        assert_eq!(person(Some("Ana Lima")).as_deref(), Some("Ana is here."));
        assert_eq!(person(Some("Leo")).as_deref(), Some("Leo is here."));
        assert_eq!(person(None), None, "a sentence with a hole is not said");
        // 1 January 1970 was a Thursday.
        let back = Some(Micros::from_seconds((4 * 24 + 9) * 3_600));
        let said = book.say(Occasion::OutOfHours, None, Facts { back, ..Facts::default() });
        assert_eq!(said.as_deref(), Some("We are back on Monday at 9:00."));
        let wrong = Playbook::parse("p.toml", &text.replace("{back}", "{when}")).unwrap_err().to_string();
        assert_eq!(wrong, "p.toml:7: texts.out_of_hours: found a text with {when}, expected only {back} in braces");
    }
}

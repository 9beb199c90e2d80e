//! One text in several languages.

use super::{ConfigError, Language, Section, filled};

/// A text per language; possibly none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts(Vec<(Language, String)>);

/// What WhatsApp takes in one text message, in characters.
const LONGEST: usize = 4_096;

impl Texts {
    pub fn get(&self, language: Language) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == language).map(|(_, text)| text.as_str())
    }

    /// The text in `language`, else in `default`, and in which of the two it is.
    pub fn spoken(&self, language: Language, default: Language) -> Option<(&str, Language)> {
        let found = |language| self.get(language).map(|text| (text, language));
        found(language).or_else(|| found(default))
    }

    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(_, text)| text.as_str())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A table of texts by language, or one text in the default language.
pub(super) fn read(parent: &Section<'_>, key: &str, languages: &[Language]) -> Result<Texts, ConfigError> {
    if parent.is_text(key) {
        let text = parent.require(key, EXPECTED, fitting)?;
        return Ok(Texts(vec![(languages[0], text)]));
    }
    let section = parent.table(key)?;
    let mut texts = Vec::new();
    for code in section.keys() {
        let language = language(&section, &code, languages)?;
        texts.push((language, section.require(&code, EXPECTED, fitting)?));
    }
    Ok(Texts(texts))
}

/// The language that `code` means, if it is one of the playbook's.
pub(super) fn language(section: &Section<'_>, code: &str, languages: &[Language]) -> Result<Language, ConfigError> {
    let known = code.parse().ok().filter(|language| languages.contains(language));
    known.ok_or_else(|| {
        let codes: Vec<&str> = languages.iter().map(Language::code).collect();
        section.wrong(code, "a language that the playbook does not list", &format!("one of {}", codes.join(", ")))
    })
}

const EXPECTED: &str = "a text of 1 to 4096 characters";

fn fitting(text: &str) -> Option<String> {
    filled(text).filter(|text| text.chars().count() <= LONGEST)
}

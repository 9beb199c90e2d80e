//! What is wrong with a setting, in one line: the key, what was found, what is expected.

use std::{fmt, path::Path};

/// The first setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// Where it stands: a file with its line, or the environment.
    pub place: String,
    /// The key with its tables, such as `whatsapp.app_secret`, or the variable; empty if the file
    /// as a whole is meant.
    pub key: String,
    /// What stands there, shortened; never a secret.
    pub found: String,
    /// What should stand there, or what to do.
    pub expected: String,
}

impl ConfigError {
    /// The file itself could not be read.
    pub(crate) fn unreadable(path: &Path, why: &std::io::Error) -> Self {
        Self {
            place: path.display().to_string(),
            key: String::new(),
            found: one_line(&why.to_string()),
            expected: "a file that can be read".into(),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        write!(f, "found {}, expected {}", self.found, self.expected)
    }
}

impl std::error::Error for ConfigError {}

/// `value` in quotes, short enough for a line and without control characters.
pub(crate) fn quoted(value: &str) -> String {
    const SHOWN: usize = 40;
    let short: String = value.chars().take(SHOWN).collect();
    if short.len() < value.len() { format!("{short:?}...") } else { format!("{short:?}") }
}

/// `text` with every run of white space and control characters made one space.
pub fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

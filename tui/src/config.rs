//! `config.toml`: read once, into types; a bad line is named. Also where things lie on disk.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;

use crate::{
    keys::{Keymap, KeymapError},
    text::Emoji,
    theme::{Ground, Tier},
};

/// How this person wants it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// What the header calls this environment; the server's host if there is none.
    pub label: Option<String>,
    /// Marks the label, so that nobody mistakes a real shop for a test.
    pub production: bool,
    /// After so many minutes a customer has waited too long; 5 if not set.
    pub patience_minutes: Option<u16>,
    pub ground: GroundChoice,
    pub colors: ColorChoice,
    /// Only ASCII signs and frames, whatever the terminal can do.
    pub ascii: bool,
    pub emoji: EmojiChoice,
    /// The program for long texts; else `VISUAL` or `EDITOR`.
    pub editor: Option<String>,
    /// Keys by the name of the action, one or a list; none unbinds.
    pub keys: BTreeMap<String, Keys>,
}

/// What the terminal draws on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GroundChoice {
    /// The terminal is asked.
    #[default]
    Auto,
    Dark,
    Light,
}

/// How many colours there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum ColorChoice {
    #[default]
    #[serde(rename = "auto")]
    Auto,
    #[serde(rename = "true")]
    True,
    #[serde(rename = "256")]
    Indexed,
    #[serde(rename = "16")]
    Sixteen,
    #[serde(rename = "none")]
    None,
}

/// How emoji are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EmojiChoice {
    #[default]
    Auto,
    Full,
    Safe,
    Text,
}

/// One key, or several.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Keys {
    One(String),
    Many(Vec<String>),
}

/// What is wrong with `config.toml`.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{path} cannot be read: {source}")]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{path}, line {line}: {why}")]
    Line { path: PathBuf, line: usize, why: String },
}

impl Config {
    /// What stands in the file; the defaults if there is none.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(&text, path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(ConfigError::Unreadable { path: path.into(), source }),
        }
    }

    fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let at_line = |line, why: String| ConfigError::Line { path: path.into(), line, why };
        let config: Self = toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            at_line(before.matches('\n').count() + 1, error.message().to_owned())
        })?;
        if let Err(error) = config.keymap(false) {
            return Err(at_line(line_of(text, &error), error.to_string()));
        }
        Ok(config)
    }

    /// The keys of the table with the changes of this file.
    pub fn keymap(&self, ascii: bool) -> Result<Keymap, KeymapError> {
        let list = |keys: &Keys| match keys {
            Keys::One(key) => vec![key.clone()],
            Keys::Many(keys) => keys.clone(),
        };
        let changes = self.keys.iter().map(|(id, keys)| (id.clone(), list(keys))).collect();
        Keymap::new(&changes, ascii)
    }

    pub fn patience(&self) -> Duration {
        Duration::from_secs(60 * u64::from(self.patience_minutes.unwrap_or(5).max(1)))
    }

    /// The colours to use where the terminal seems to have `found`.
    pub const fn tier(&self, found: Tier) -> Tier {
        match self.colors {
            ColorChoice::Auto => found,
            ColorChoice::True => Tier::True,
            ColorChoice::Indexed => Tier::Indexed,
            ColorChoice::Sixteen => Tier::Sixteen,
            ColorChoice::None => Tier::Mono,
        }
    }

    pub fn ground(&self, found: Option<Ground>) -> Ground {
        match self.ground {
            GroundChoice::Auto => found.unwrap_or_default(),
            GroundChoice::Dark => Ground::Dark,
            GroundChoice::Light => Ground::Light,
        }
    }

    pub const fn emoji(&self, whole_clusters: bool) -> Emoji {
        match self.emoji {
            EmojiChoice::Auto if whole_clusters => Emoji::Full,
            EmojiChoice::Auto | EmojiChoice::Safe => Emoji::Safe,
            EmojiChoice::Full => Emoji::Full,
            EmojiChoice::Text => Emoji::Text,
        }
    }
}

/// The line that gives the action its keys.
fn line_of(text: &str, error: &KeymapError) -> usize {
    let (KeymapError::Unknown { id } | KeymapError::NoKey { id, .. } | KeymapError::Taken { id, .. }) = error;
    let names = |line: &str| {
        let name = line.split('=').next().unwrap_or_default().trim().trim_matches('"');
        name == id || name == format!("keys.{id}")
    };
    text.lines().position(names).map_or(1, |at| at + 1)
}

/// Where things lie: XDG's folders, `APPDATA` on Windows.
#[derive(Clone, Debug)]
pub struct Places {
    pub config: PathBuf,
    pub session: PathBuf,
    /// Drafts and unanswered commands.
    pub state: PathBuf,
}

impl Places {
    /// `get` tells the value of a variable; `None` if there is no home.
    pub fn find(get: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let absolute = |name: &str| get(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let home = absolute("HOME").or_else(|| absolute("USERPROFILE"));
        let under = |name: &str, otherwise: &str| {
            absolute(name).or_else(|| absolute("APPDATA")).or_else(|| Some(home.clone()?.join(otherwise)))
        };
        let config = under("XDG_CONFIG_HOME", ".config")?.join("baton");
        let state = under("XDG_STATE_HOME", ".local/state")?.join("baton");
        Some(Self { session: config.join("session.json"), config: config.join("config.toml"), state })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(text, Path::new("config.toml")).map_err(|error| error.to_string())
    }

    #[test]
    fn everything_can_be_left_out() {
        let config = parse("").unwrap();
        assert_eq!(config, Config::default());
        assert_eq!(config.patience(), Duration::from_secs(300));
    }

    #[test]
    fn the_example_shows_the_defaults() {
        let example = include_str!("../../docs/client.example.toml");
        let shown = parse(example).unwrap();
        assert_eq!(Config { patience_minutes: None, ..shown.clone() }, Config::default());
        assert_eq!(shown.patience(), Config::default().patience());
        // What is only suggested holds as well.
        let keys = example.replace("# take", "take").replace("# hand", "hand").replace("# res", "res");
        let all = keys.replace("# quit", "quit").replace("# label", "label").replace("# editor", "editor");
        assert_eq!(parse(&all).unwrap().keys.len(), 4);
    }

    #[test]
    fn what_is_set_holds() {
        let config = parse("ground = \"light\"\ncolors = \"16\"\nemoji = \"text\"\n[keys]\ntake = \"W\"\nquit = [\"Q\", \"ctrl+q\"]\nhelp = \"\"\n").unwrap();
        assert_eq!(config.ground(Some(Ground::Dark)), Ground::Light);
        assert_eq!(config.tier(Tier::True), Tier::Sixteen);
        assert_eq!(config.emoji(true), Emoji::Text);
        assert_eq!(config.keymap(false).unwrap().hint(crate::keys::Action::Take), Some("W".into()));
    }

    #[test]
    fn a_bad_line_is_named() {
        for (text, expected) in [
            ("ascii = true\ncolour = 1\n", "config.toml, line 2: unknown field `colour`"),
            ("label = \n", "config.toml, line 1: "),
            ("[keys]\nfly = \"f\"\n", "config.toml, line 2: keys.fly: there is no such action"),
            ("[keys]\n\ntake = \"b\"\n", "config.toml, line 3: keys.take: `b` belongs to"),
            ("ground = \"pink\"\n", "config.toml, line 1: unknown variant `pink`"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn places_follow_xdg() {
        let places = Places::find(|name| match name {
            "HOME" => Some("/home/ana".into()),
            "XDG_STATE_HOME" => Some("/var/ana".into()),
            // Relative paths are to be ignored, says the specification.
            "XDG_CONFIG_HOME" => Some("config".into()),
            _ => None,
        });
        let places = places.unwrap();
        assert_eq!(places.session, Path::new("/home/ana/.config/baton/session.json"));
        assert_eq!(places.state, Path::new("/var/ana/baton"));
        assert!(Places::find(|_| None).is_none());
    }
}

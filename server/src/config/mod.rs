//! What the operator decides: `baton.toml`, the environment above it, and the playbook, parsed once into types.

use std::{collections::BTreeSet, net::SocketAddr, path::Path, time::Duration};

pub use books::Book;
pub use error::{ConfigError, one_line};
pub use knowledge::{Embedder, EmbedderWire, Knowledge};
pub use language::Language;
pub use media::{Bucket, Key, Media, Shelf};
pub use model::{Link, Model, Structured, Tier, Wire};
pub use playbook::{Action, Example, Facts, Intent, Playbook, Reopen, Speech, Texts, Thresholds};
pub use secret::Secret;
pub use senses::{Senses, Transcriber};
pub use source::Environment;
pub use whatsapp::{App, Channel, WhatsApp};

use crate::domain::money::Budget;
use books::Books;
use source::{Section, Source, Variables, read};

mod books;
mod error;
mod knowledge;
mod language;
mod media;
mod model;
mod nearest;
mod playbook;
mod prices;
mod secret;
mod senses;
mod source;
mod whatsapp;

/// Everything the server is told at its start.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `BATON_LISTEN`: where webhooks, agents and probes come in.
    pub listen: SocketAddr,
    /// `BATON_DATABASE_URL`: `sqlite://` or `postgres://`; may hold a password.
    pub database_url: Secret,
    pub whatsapp: WhatsApp,
    /// In the order in which they are tried; none is fine.
    pub models: Vec<Model>,
    pub senses: Senses,
    pub knowledge: Knowledge,
    /// Without one, documents are found by their words alone.
    pub embedder: Option<Embedder>,
    pub inbox: Inbox,
    pub media: Media,
    /// The playbooks of all numbers, each once. The first is the server's, for the numbers that name none.
    pub books: Vec<Book>,
}

/// How the agents' inbox behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inbox {
    /// How long a lost agent keeps their conversations.
    pub grace: Duration,
    /// How long a customer may wait for the agent who owns the conversation, until it goes back to
    /// the queue.
    pub idle: Duration,
    /// How long the bot pauses after somebody typed on the business's own phone.
    pub phone_pause: Duration,
    /// How long a sign-in lasts without being used.
    pub session: Duration,
    pub agents_see: AgentsSee,
}

/// Which conversations an agent sees besides their own and the waiting ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentsSee {
    All,
    Team,
}

impl Settings {
    /// Reads the file, if there is one, and the environment, which overrides it. Without any
    /// WhatsApp number this succeeds (accounts can be made, a database checked):
    /// see [`ready_to_serve`](Self::ready_to_serve).
    pub fn load(path: Option<&Path>, environment: Environment<'_>) -> Result<Self, ConfigError> {
        let (file, text) = match path {
            Some(path) => (path.display().to_string(), read(path)?),
            None => ("settings".into(), String::new()),
        };
        let folder = path.and_then(Path::parent).unwrap_or(Path::new(""));
        let source = Source::parse(&file, &text)?;
        Self::from_source(&source, folder, environment)
    }

    /// Whether there is a number to serve; the error names the first missing key.
    pub fn ready_to_serve(&self) -> Result<(), ConfigError> {
        if !self.whatsapp.channels.is_empty() {
            return Ok(());
        }
        Err(ConfigError {
            place: "settings".into(),
            key: "whatsapp.phone_number_id".into(),
            found: "nothing".into(),
            expected: "the id of a WhatsApp number in baton.toml (here, or where --config says) or as \
                       WHATSAPP_PHONE_NUMBER_ID in the environment"
                .into(),
        })
    }

    /// The place among `books` of the one that speaks on the number with this `phone_number_id`.
    pub fn book_number(&self, number: &str) -> usize {
        self.whatsapp.channels.iter().find(|channel| channel.phone_number_id == number).map_or(0, |one| one.book)
    }

    /// The playbook that speaks on the number with this `phone_number_id`.
    pub fn book_of(&self, number: &str) -> &Book {
        &self.books[self.book_number(number)]
    }

    /// A cap is kept only where one knows what is spent.
    fn models_have_prices(&self, file: &str) -> Result<(), ConfigError> {
        let is_capped = self.books.iter().any(|book| book.playbook.budget != Budget::default());
        let unknown = self.models.iter().find(|model| is_capped && model.link.price.is_none());
        unknown.map_or(Ok(()), |model| {
            Err(ConfigError {
                place: file.to_owned(),
                key: "model.price_in".into(),
                found: format!("nothing for {}", model.name),
                expected: "price_in and price_out in its [model], since a playbook has a [budget]".into(),
            })
        })
    }

    fn from_source(source: &Source<'_>, folder: &Path, environment: Environment<'_>) -> Result<Self, ConfigError> {
        let variables = Variables { environment, prefix: Some("BATON_".into()), suffix: String::new() };
        let root = source.root(Some(variables));
        let database_url = root
            .parse("database_url", "sqlite://FILE or postgres://USER@HOST/NAME", database_url)?
            .unwrap_or_else(|| Secret::new("sqlite://baton.db"));
        let mut books = Books::new(&root, folder)?;
        let settings = Self {
            listen: root
                .parse("listen", "an address and port such as 127.0.0.1:8080", |text| text.parse().ok())?
                .unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8080))),
            whatsapp: whatsapp::read(&root, &mut books)?,
            models: model::read(&root, environment)?,
            senses: senses::read(&root, environment)?,
            knowledge: knowledge::read(&root)?,
            embedder: knowledge::embedder(&root, environment)?,
            inbox: inbox(&root.table("inbox")?)?,
            media: media::read(&root, folder, database_url.reveal())?,
            database_url,
            books: books.into_all(),
        };
        root.finish()?;
        settings.models_have_prices(source.file())?;
        Ok(settings)
    }
}

/// A variable with more wrong letters is another program's.
const SLIPS: usize = 3;

/// Of the variables that are `set`, those that look like settings but are none of the `known`, each with
/// the one that it was meant to be.
pub fn misspelt<'a>(set: impl IntoIterator<Item = &'a str>, known: &'a BTreeSet<String>) -> Vec<(&'a str, &'a str)> {
    let ours = |name: &&str| ["BATON_", "WHATSAPP_"].iter().any(|prefix| name.starts_with(prefix));
    let strangers = set.into_iter().filter(ours).filter(|name| !known.contains(*name));
    strangers.filter_map(|name| Some((name, nearest::within(SLIPS, name, known.iter().map(String::as_str))?))).collect()
}

/// A variable of this process's environment.
pub fn environment(name: &str) -> Option<String> {
    // Bytes that are no UTF-8 become a character that no setting accepts: an error, not a silence.
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

fn database_url(text: &str) -> Option<Secret> {
    let known = ["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme));
    known.then(|| Secret::new(text))
}

fn inbox(section: &Section<'_>) -> Result<Inbox, ConfigError> {
    let inbox = Inbox {
        grace: seconds(section, "grace_seconds", 5..=3_600)?.unwrap_or(Duration::from_secs(60)),
        idle: seconds(section, "idle_seconds", 60..=86_400)?.unwrap_or(Duration::from_secs(30 * 60)),
        phone_pause: seconds(section, "phone_pause_seconds", 60..=86_400)?.unwrap_or(Duration::from_secs(30 * 60)),
        session: seconds(section, "session_hours", 1..=24 * 366)?
            .map_or(Duration::from_secs(30 * 24 * 3_600), |hours| hours * 3_600),
        agents_see: section
            .parse("agents_see", "`all` or `team`", |text| match text {
                "all" => Some(AgentsSee::All),
                "team" => Some(AgentsSee::Team),
                _ => None,
            })?
            .unwrap_or(AgentsSee::All),
    };
    section.finish()?;
    Ok(inbox)
}

fn seconds(
    section: &Section<'_>,
    key: &str,
    range: std::ops::RangeInclusive<u64>,
) -> Result<Option<Duration>, ConfigError> {
    let expected = format!("a whole number from {} to {}", range.start(), range.end());
    let number = section.parse(key, &expected, |text| text.parse().ok().filter(|number| range.contains(number)))?;
    Ok(number.map(Duration::from_secs))
}

#[cfg(test)]
mod tests;

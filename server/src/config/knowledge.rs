//! How documents are kept fresh, and the model that makes vectors of them.

use std::time::Duration;

use super::{
    ConfigError, Secret,
    model::api_key,
    source::{Environment, Section, filled},
    whatsapp::url,
};

/// `[knowledge]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Knowledge {
    /// How often pages of the web are looked at again.
    pub refresh: Duration,
    /// Hosts whose pages may lie in private networks, or on this machine.
    pub private_hosts: Vec<String>,
}

/// `[embedder]`: one model at one provider.
#[derive(Clone, Debug)]
pub struct Embedder {
    /// The provider's word in the file.
    pub provider: String,
    pub wire: EmbedderWire,
    /// The model's id at the provider.
    pub name: String,
    /// Without a slash at its end; `/embeddings` or `/api/embed` is added.
    pub base_url: String,
    pub api_key: Option<Secret>,
    /// For one call.
    pub deadline: Duration,
    /// From 0 to 1: vectors of a question and of a passage that are as alike are about the same.
    pub likeness: f32,
}

/// Which of the two wire formats an embedder speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmbedderWire {
    /// `POST {base}/embeddings`.
    OpenAi,
    /// `POST {base}/api/embed`.
    Ollama,
}

/// Word, wire, address, and the variable by which everybody knows its key.
type Provider = (&'static str, EmbedderWire, Option<&'static str>, Option<&'static str>);

const PROVIDERS: [Provider; 4] = [
    ("openai", EmbedderWire::OpenAi, Some("https://api.openai.com/v1"), Some("OPENAI_API_KEY")),
    ("mistral", EmbedderWire::OpenAi, Some("https://api.mistral.ai/v1"), Some("MISTRAL_API_KEY")),
    ("ollama", EmbedderWire::Ollama, Some("http://127.0.0.1:11434"), None),
    ("other", EmbedderWire::OpenAi, None, None),
];

pub(super) fn read(root: &Section<'_>) -> Result<Knowledge, ConfigError> {
    let section = root.table("knowledge")?;
    let refresh = section.parse("refresh_minutes", "a whole number from 1 to 10080", |text| {
        text.parse::<u64>().ok().filter(|minutes| (1..=10_080).contains(minutes))
    })?;
    let hosts = section.texts("private_hosts")?.into_iter().map(|text| text.parse("a host such as wiki.lan", host));
    let private_hosts = hosts.collect::<Result<Vec<String>, ConfigError>>()?;
    section.finish()?;
    Ok(Knowledge { refresh: Duration::from_secs(60 * refresh.unwrap_or(60)), private_hosts })
}

/// A name, or an address in numbers; without a port.
fn host(text: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-[]:".contains(c);
    let fits = !text.is_empty() && text.chars().all(plain) && (!text.contains(':') || text.starts_with('['));
    fits.then(|| text.to_ascii_lowercase())
}

pub(super) fn embedder(root: &Section<'_>, environment: Environment<'_>) -> Result<Option<Embedder>, ConfigError> {
    let section = root.table("embedder")?;
    if !section.is_in_file() && section.scalar("provider")?.is_none() {
        return Ok(None);
    }
    let words: Vec<&str> = PROVIDERS.iter().map(|(word, ..)| *word).collect();
    let expected = format!("one of {}", words.join(", "));
    let known = |word: &str| PROVIDERS.iter().find(|(known, ..)| *known == word);
    let (provider, wire, base_url, variable) = *section.require("provider", &expected, known)?;
    let expected = "an http or https address";
    let base_url = match (section.parse("base_url", expected, url)?, base_url) {
        (Some(url), _) => url,
        (None, Some(known)) => known.into(),
        (None, None) => return Err(section.missing("base_url", expected)),
    };
    let likeness = section.parse("likeness", "a number from 0 to 1", |text| {
        text.parse::<f32>().ok().filter(|number| (0.0..=1.0).contains(number))
    })?;
    let embedder = Embedder {
        provider: provider.into(),
        wire,
        name: section.require("name", "the model's id at its provider", filled)?,
        base_url,
        api_key: api_key(&section, variable, environment)?,
        deadline: super::seconds(&section, "deadline_seconds", 1..=60)?.unwrap_or(Duration::from_secs(5)),
        likeness: likeness.unwrap_or(0.5),
    };
    section.finish()?;
    Ok(Some(embedder))
}

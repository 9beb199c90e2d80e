//! The models that may answer, in the order in which they are tried.

use std::time::Duration;

use super::{
    error::ConfigError,
    prices,
    secret::Secret,
    source::{Environment, Section, filled},
    whatsapp::{secret, url},
};
use crate::domain::money::{Nanos, Price};

/// One model at one provider.
#[derive(Clone, Debug)]
pub struct Model {
    /// The provider's word in the file: `anthropic`, `openai`, `groq`, `mistral`, `ollama`, `other`, ...
    pub provider: String,
    pub wire: Wire,
    /// The model's id at the provider.
    pub name: String,
    /// Without a slash at its end; `/v1/messages` or `/chat/completions` is added.
    pub base_url: String,
    pub api_key: Option<Secret>,
    /// For one call, answer read included.
    pub deadline: Duration,
    /// The longest answer, in the provider's tokens.
    pub max_tokens: u32,
    pub structured: Structured,
    pub link: Link,
}

/// How a model stands in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub tier: Tier,
    /// How long its answer is waited for before the next one is asked as well; `None`: until it fails.
    pub hedge_after: Option<Duration>,
    /// After so many failures in a row it is left alone ...
    pub opens_after: u32,
    /// ... for so long; then one question is a trial.
    pub opens_for: Duration,
    /// `None`: nobody has said.
    pub price: Option<Price>,
}

/// What a model is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    Cheap,
    Strong,
}

impl Default for Link {
    fn default() -> Self {
        Self { tier: Tier::Strong, hedge_after: None, opens_after: 5, opens_for: Duration::from_secs(30), price: None }
    }
}

/// Which of the two wire formats a provider speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// `POST {base}/v1/messages`.
    Anthropic,
    /// `POST {base}/chat/completions`.
    OpenAi,
}

/// How the provider is made to answer in our form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Structured {
    /// A schema that the provider enforces.
    Schema,
    /// One tool that the model must call.
    Tool,
    /// Any JSON object; the form stands in the prompt.
    Object,
    /// Nothing but the prompt.
    Prompt,
}

pub(super) struct Provider {
    pub(super) word: &'static str,
    pub(super) wire: Wire,
    base_url: Option<&'static str>,
    /// The variable by which everybody knows this provider's key.
    pub(super) key: Option<&'static str>,
    structured: Structured,
}

const PROVIDERS: [Provider; 6] = [
    Provider {
        word: "anthropic",
        wire: Wire::Anthropic,
        base_url: Some("https://api.anthropic.com"),
        key: Some("ANTHROPIC_API_KEY"),
        structured: Structured::Schema,
    },
    Provider {
        word: "openai",
        wire: Wire::OpenAi,
        base_url: Some("https://api.openai.com/v1"),
        key: Some("OPENAI_API_KEY"),
        structured: Structured::Schema,
    },
    Provider {
        word: "groq",
        wire: Wire::OpenAi,
        base_url: Some("https://api.groq.com/openai/v1"),
        key: Some("GROQ_API_KEY"),
        // Only some of its models enforce a schema.
        structured: Structured::Object,
    },
    Provider {
        word: "mistral",
        wire: Wire::OpenAi,
        base_url: Some("https://api.mistral.ai/v1"),
        key: Some("MISTRAL_API_KEY"),
        structured: Structured::Schema,
    },
    Provider {
        word: "ollama",
        wire: Wire::OpenAi,
        base_url: Some("http://127.0.0.1:11434/v1"),
        key: None,
        structured: Structured::Schema,
    },
    Provider { word: "other", wire: Wire::OpenAi, base_url: None, key: None, structured: Structured::Object },
];

/// `[model]`, or several as `[[model]]`. A single one may stand in the environment alone.
pub(super) fn read(root: &Section<'_>, environment: Environment<'_>) -> Result<Vec<Model>, ConfigError> {
    if root.is_list("model") {
        return root.tables("model")?.iter().map(|section| model(section, environment)).collect();
    }
    Ok(read_one(&root.table("model")?, environment)?.into_iter().collect())
}

/// A table that may be missing.
pub(super) fn read_one(section: &Section<'_>, environment: Environment<'_>) -> Result<Option<Model>, ConfigError> {
    if is_named(section)? { model(section, environment).map(Some) } else { Ok(None) }
}

/// Whether there is anything of a provider, in the file or the environment.
pub(super) fn is_named(section: &Section<'_>) -> Result<bool, ConfigError> {
    Ok(section.is_in_file() || section.scalar("provider")?.is_some())
}

fn model(section: &Section<'_>, environment: Environment<'_>) -> Result<Model, ConfigError> {
    let provider = provider(section)?;
    let model = Model {
        provider: provider.word.into(),
        wire: provider.wire,
        name: section.require("name", "the model's id at its provider", filled)?,
        base_url: base_url(section, provider)?,
        api_key: api_key(section, provider.key, environment)?,
        deadline: super::seconds(section, "deadline_seconds", 1..=120)?.unwrap_or(Duration::from_secs(20)),
        max_tokens: section
            .parse("max_tokens", "a whole number from 16 to 8192", |text| {
                text.parse().ok().filter(|tokens| (16..=8192).contains(tokens))
            })?
            .unwrap_or(600),
        structured: section
            .parse("structured", "`schema`, `tool`, `object` or `prompt`", structured)?
            .unwrap_or(provider.structured),
        link: link(section, provider)?,
    };
    section.finish()?;
    Ok(model)
}

fn link(section: &Section<'_>, provider: &Provider) -> Result<Link, ConfigError> {
    let usual = Link::default();
    let tier = |word: &str| match word {
        "cheap" => Some(Tier::Cheap),
        "strong" => Some(Tier::Strong),
        _ => None,
    };
    let millis = |text: &str| text.parse().ok().filter(|ms| (50..=60_000).contains(ms)).map(Duration::from_millis);
    let failures = |text: &str| text.parse().ok().filter(|count| (1..=100).contains(count));
    Ok(Link {
        tier: section.parse("tier", "`cheap` or `strong`", tier)?.unwrap_or(usual.tier),
        hedge_after: section.parse("hedge_after_ms", "a whole number from 50 to 60000", millis)?,
        opens_after: section
            .parse("rest_after_failures", "a whole number from 1 to 100", failures)?
            .unwrap_or(usual.opens_after),
        opens_for: super::seconds(section, "rest_seconds", 1..=3_600)?.unwrap_or(usual.opens_for),
        price: price(section, provider)?,
    })
}

/// As the file says, or as everybody knows it.
fn price(section: &Section<'_>, provider: &Provider) -> Result<Option<Price>, ConfigError> {
    let expected = "dollars for a million tokens, such as \"0.25\"";
    let dollars = |key| section.parse(key, expected, Nanos::dollars);
    let (input, cached, output) = (dollars("price_in")?, dollars("price_cached")?, dollars("price_out")?);
    match (input, output) {
        (Some(input), Some(output)) => {
            Ok(Some(Price { input: input.0, cached: cached.unwrap_or(input).0, output: output.0 }))
        }
        (None, None) if cached.is_none() => {
            let name = section.scalar("name")?.map(|name| name.text).unwrap_or_default();
            Ok(prices::known(provider.word, name.trim()))
        }
        (Some(_), None) => Err(section.missing("price_out", expected)),
        (None, _) => Err(section.missing("price_in", expected)),
    }
}

pub(super) fn provider(section: &Section<'_>) -> Result<&'static Provider, ConfigError> {
    let words: Vec<&str> = PROVIDERS.iter().map(|provider| provider.word).collect();
    let expected = format!("one of {}", words.join(", "));
    section.require("provider", &expected, |word| PROVIDERS.iter().find(|provider| provider.word == word))
}

pub(super) fn base_url(section: &Section<'_>, provider: &Provider) -> Result<String, ConfigError> {
    let expected = "an http or https address";
    match (section.parse("base_url", expected, url)?, provider.base_url) {
        (Some(url), _) => Ok(url),
        (None, Some(known)) => Ok(known.into()),
        (None, None) => Err(section.missing("base_url", expected)),
    }
}

/// From the environment by the provider's `usual` name or by `api_key_env`, else from the file.
pub(super) fn api_key(
    section: &Section<'_>,
    usual: Option<&str>,
    environment: Environment<'_>,
) -> Result<Option<Secret>, ConfigError> {
    let variable = section.parse("api_key_env", "the name of a variable", filled)?;
    let variable = variable.as_deref().or(usual);
    let in_file = section.parse("api_key", "an API key", secret)?;
    let found = variable.and_then(environment).and_then(|key| secret(&key)).or(in_file);
    match variable {
        Some(name) if found.is_none() => {
            Err(section.wrong("api_key", "nothing", &format!("{name} in the environment")))
        }
        _ => Ok(found),
    }
}

fn structured(text: &str) -> Option<Structured> {
    Some(match text {
        "schema" => Structured::Schema,
        "tool" => Structured::Tool,
        "object" => Structured::Object,
        "prompt" => Structured::Prompt,
        _ => return None,
    })
}

//! What puts customers' files in words: a transcriber for voice messages, a model that sees.

use std::time::Duration;

use super::{
    error::ConfigError,
    model::{self, Model, Wire},
    secret::Secret,
    source::{Environment, Section, filled},
};

/// Neither is needed: what nobody puts in words goes to a person.
#[derive(Clone, Debug, Default)]
pub struct Senses {
    pub transcriber: Option<Transcriber>,
    /// A model that takes pictures.
    pub sight: Option<Model>,
}

impl Senses {
    /// Whether files of this kind (Meta's word) are put in words.
    pub fn read(&self, kind: &str) -> bool {
        match kind {
            "audio" => self.transcriber.is_some(),
            "image" => self.sight.is_some(),
            _ => false,
        }
    }
}

/// A server that speaks OpenAI's `POST /audio/transcriptions`.
#[derive(Clone, Debug)]
pub struct Transcriber {
    /// The model's id at the provider, for example `whisper-1`.
    pub name: String,
    /// Without a slash at its end.
    pub base_url: String,
    pub api_key: Option<Secret>,
    /// For one call, upload included.
    pub deadline: Duration,
}

/// `[transcription]` and `[vision]`.
pub(super) fn read(root: &Section<'_>, environment: Environment<'_>) -> Result<Senses, ConfigError> {
    Ok(Senses {
        transcriber: transcriber(&root.table("transcription")?, environment)?,
        sight: model::read_one(&root.table("vision")?, environment)?,
    })
}

fn transcriber(section: &Section<'_>, environment: Environment<'_>) -> Result<Option<Transcriber>, ConfigError> {
    if !model::is_named(section)? {
        return Ok(None);
    }
    let provider = model::provider(section)?;
    if provider.wire != Wire::OpenAi || provider.word == "ollama" {
        return Err(section.wrong("provider", provider.word, "one that transcribes: openai, groq, mistral or other"));
    }
    let transcriber = Transcriber {
        name: section.require("name", "the model's id at its provider, such as whisper-1", filled)?,
        base_url: model::base_url(section, provider)?,
        api_key: model::api_key(section, provider.key, environment)?,
        deadline: super::seconds(section, "deadline_seconds", 1..=120)?.unwrap_or(Duration::from_secs(20)),
    };
    section.finish()?;
    Ok(Some(transcriber))
}

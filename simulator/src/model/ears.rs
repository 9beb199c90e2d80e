//! OpenAI's `POST /v1/audio/transcriptions`: a file in a form, its words in the answer.

use serde_json::{Value as Json, json};

use super::Refusal;
use crate::{form, recording};

/// The endings of names by which OpenAI tells formats; others are refused whatever the bytes are.
const FORMATS: [&str; 10] = ["flac", "m4a", "mp3", "mp4", "mpeg", "mpga", "oga", "ogg", "wav", "webm"];

/// Bytes of a file.
const LIMIT: usize = 25 << 20;

/// What was asked for.
pub(super) struct Asked {
    pub(super) model: String,
    pub(super) words: String,
}

/// Hears what a recording says of itself; silence has no words.
pub(super) fn hear(body: &[u8]) -> Result<Asked, Refusal> {
    let parts = form::parts(body).ok_or_else(|| Refusal::new(400, "Could not parse multipart form"))?;
    let text = |name: &str| {
        let part = parts.iter().find(|part| part.name == name)?;
        Some(String::from_utf8_lossy(part.bytes).into_owned())
    };
    let model = text("model").filter(|model| !model.is_empty());
    let model = model.ok_or_else(|| Refusal::new(400, "you must provide a model parameter"))?;
    let file = parts.iter().find(|part| part.name == "file" && part.file_name.is_some());
    let file = file.ok_or_else(|| Refusal::new(400, "[{'type': 'missing', 'loc': ('body', 'file')}]"))?;
    let ending = file.file_name.as_deref().and_then(|name| name.rsplit_once('.')).map_or("", |(_, ending)| ending);
    if !FORMATS.contains(&ending.to_ascii_lowercase().as_str()) {
        return Err(Refusal::new(400, &format!("Invalid file format. Supported formats: {FORMATS:?}")));
    }
    if file.bytes.len() > LIMIT {
        return Err(Refusal::new(413, "Maximum content size limit (26214400) exceeded"));
    }
    Ok(Asked { model, words: recording::told(file.bytes).unwrap_or_default() })
}

/// As `response_format=json` has it.
pub(super) fn answer(words: &str) -> Json {
    json!({"text": words, "usage": {"type": "duration", "seconds": words.len().div_ceil(15)}})
}

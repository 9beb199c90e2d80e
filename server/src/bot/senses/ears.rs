//! A voice message in words: OpenAI's `POST /audio/transcriptions`, which Groq, Mistral and others speak.

use std::sync::Arc;

use serde::Deserialize;

use super::Unread;
use crate::{
    bot::model::{Failure, Form, Response, Transport},
    config::{Secret, Transcriber},
};

/// In bytes; whisper-1 takes no more (OpenAI, "Speech to text").
pub(super) const LIMIT: usize = 25 << 20;

pub(super) struct Ears {
    transcriber: Transcriber,
    transport: Arc<dyn Transport>,
}

impl Ears {
    pub(super) fn new(transcriber: Transcriber, transport: Arc<dyn Transport>) -> Self {
        Self { transcriber, transport }
    }

    /// What is said in it. `boundary` must not occur in the file.
    pub(super) async fn hear(&self, mime_type: &str, bytes: Vec<u8>, boundary: &str) -> Result<String, Unread> {
        let form = self.form(mime_type, &bytes, boundary)?;
        let response = self.transport.send_form(form).await.map_err(Failure::from)?;
        let text = read(&response)?;
        let text = text.trim();
        if text.chars().any(char::is_alphanumeric) { Ok(text.to_owned()) } else { Err(Unread::Nothing) }
    }

    fn form(&self, mime_type: &str, bytes: &[u8], boundary: &str) -> Result<Form, Unread> {
        let (name, mime_type) = called(mime_type).ok_or(Unread::Type)?;
        let field = |key: &str, value: &str| {
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{key}\"\r\n\r\n{value}\r\n")
        };
        let mut body = Vec::with_capacity(bytes.len() + 512);
        body.extend_from_slice(field("model", &self.transcriber.name).as_bytes());
        body.extend_from_slice(field("response_format", "json").as_bytes());
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: {mime_type}\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        let bearer = |key: &Secret| Secret::new(format!("Bearer {}", key.reveal()));
        Ok(Form {
            url: format!("{}/audio/transcriptions", self.transcriber.base_url),
            headers: self.transcriber.api_key.iter().map(|key| ("authorization", bearer(key))).collect(),
            content_type: format!("multipart/form-data; boundary={boundary}"),
            body,
            deadline: self.transcriber.deadline,
        })
    }
}

/// The format is told by the name: a voice message's own `.opus` is refused where the same bytes as `.ogg` are
/// taken. `None`: no transcriber takes it.
fn called(mime_type: &str) -> Option<(&'static str, &'static str)> {
    let plain = mime_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    Some(match plain.as_str() {
        "audio/ogg" | "audio/opus" => ("voice.ogg", "audio/ogg"),
        "audio/mpeg" | "audio/mp3" => ("voice.mp3", "audio/mpeg"),
        "audio/mp4" | "audio/m4a" | "audio/x-m4a" => ("voice.m4a", "audio/mp4"),
        "audio/wav" | "audio/x-wav" => ("voice.wav", "audio/wav"),
        "audio/webm" => ("voice.webm", "audio/webm"),
        "audio/flac" => ("voice.flac", "audio/flac"),
        _ => return None,
    })
}

#[derive(Deserialize)]
struct Transcription {
    text: String,
}

fn read(response: &Response) -> Result<String, Failure> {
    if response.status != 200 {
        return Err(Failure::of_response(response));
    }
    let read: Transcription = serde_json::from_slice(&response.body).map_err(|_| Failure::Malformed)?;
    Ok(read.text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_voice_message_is_named_as_transcribers_take_it() {
        for (mime_type, name) in [
            ("audio/ogg; codecs=opus", Some("voice.ogg")),
            ("audio/opus", Some("voice.ogg")),
            ("AUDIO/MPEG", Some("voice.mp3")),
            ("audio/mp4", Some("voice.m4a")),
            ("audio/amr", None),
            ("", None),
        ] {
            assert_eq!(called(mime_type).map(|(name, _)| name), name, "{mime_type}");
        }
    }
}

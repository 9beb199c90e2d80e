//! The API's files: uploaded as a form, looked up, fetched from an address of five minutes, deleted.

use std::time::Duration;

use baton_shared::Micros;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use serde::Serialize;
use serde_json::{Value as Json, json};

use super::{Answer, Done, GraphError, GraphRequest, Reply, headers, json as form, route::Target};
use crate::{
    chance::Chance,
    form::parts,
    whatsapp::{Whatsapp, files::ATTACHMENTS},
};

#[derive(Serialize)]
struct Facts<'a> {
    url: &'a str,
    mime_type: &'a str,
    /// In hex here, in base64 in webhooks.
    sha256: String,
    file_size: u64,
    id: &'a str,
    messaging_product: &'static str,
}

/// What may be uploaded, how large it may be, and as what it may be sent besides a document.
const KINDS: [(&str, usize, &str); 14] = [
    ("image/jpeg", 5 << 20, "image"),
    ("image/png", 5 << 20, "image"),
    ("image/webp", 500 << 10, "sticker"),
    ("video/mp4", 16 << 20, "video"),
    ("video/3gpp", 16 << 20, "video"),
    ("audio/aac", 16 << 20, "audio"),
    ("audio/amr", 16 << 20, "audio"),
    ("audio/mpeg", 16 << 20, "audio"),
    ("audio/mp4", 16 << 20, "audio"),
    ("audio/ogg; codecs=opus", 16 << 20, "audio"),
    ("audio/ogg", 16 << 20, "none"),
    ("audio/opus", 16 << 20, "audio"),
    ("text/plain", 100 << 20, "document"),
    ("application/", 100 << 20, "document"),
];

/// A document's picture or film may be as large as a document.
const LARGEST: usize = 100 << 20;

const CAPTION_LIMIT: usize = 1024;

/// A file that a message names.
pub(super) struct Named {
    /// Uploaded before; `None`: Meta fetches it itself.
    pub(super) id: Option<String>,
    /// Found out only when it is on its way (131053).
    pub(super) is_taken: bool,
}

impl Whatsapp {
    pub(super) fn upload(&mut self, now: Micros, target: &Target<'_>, body: &[u8]) -> Result<Answer, GraphError> {
        let number = self.number(target.id).ok_or_else(|| GraphError::no_object(target.method, target.id))?;
        let account = number.account.clone();
        let parts = parts(body).ok_or_else(|| GraphError::required("messaging_product"))?;
        let part = |name: &str| parts.iter().find(|part| part.name == name);
        let in_query = target.parameter("messaging_product").is_some_and(|product| product == "whatsapp");
        if !in_query && part("messaging_product").is_none_or(|part| part.bytes != b"whatsapp") {
            return Err(GraphError::required("messaging_product"));
        }
        let file = part("file").ok_or_else(|| GraphError::required("file"))?;
        let stated = part("type").map(|part| String::from_utf8_lossy(part.bytes).into_owned());
        let mime_type = stated.or_else(|| file.mime_type.clone()).unwrap_or_default();
        if kind_of(&mime_type).is_none() {
            return Err(GraphError::invalid(format!("Param file must be a file of a supported type, not {mime_type}")));
        }
        let refused = self.rng.happens(self.config.faults.refused_uploads);
        if refused || file.bytes.is_empty() || file.bytes.len() > LARGEST {
            return Err(GraphError::upload_failed());
        }
        let id = self.uploaded(now, mime_type, Bytes::copy_from_slice(file.bytes), file.file_name.clone());
        Ok(answered(form::graph(&json!({ "id": id })), account))
    }

    /// What the object of a message of this kind says of its file; `object` may be a template's parameter.
    pub(super) fn named(&self, now: Micros, kind: &str, object: &Json) -> Result<Named, GraphError> {
        if let Some(caption) = object["caption"].as_str() {
            if matches!(kind, "audio" | "sticker") {
                return Err(GraphError::unexpected_key("caption", kind));
            }
            if caption.chars().count() > CAPTION_LIMIT {
                let why = format!("Param {kind}['caption'] must be at most {CAPTION_LIMIT} characters long.");
                return Err(GraphError::invalid(why));
            }
        }
        match (object["id"].as_str(), object["link"].as_str()) {
            (Some(id), None) => {
                let file = self.file(now, id).ok_or_else(|| GraphError::no_attachment(kind))?;
                let known = kind_of(&file.mime_type);
                let fits = known.is_some_and(|(_, limit, own)| *own == kind && file.bytes.len() <= *limit);
                Ok(Named { id: Some(id.into()), is_taken: fits || kind == "document" })
            }
            (None, Some(link)) => Ok(Named { id: None, is_taken: link.starts_with("https://") }),
            _ => Err(GraphError::missing(format!("Param {kind} must have either id or link."))),
        }
    }

    /// `None` if no file has this id.
    pub(super) fn file_facts(&self, now: Micros, target: &Target<'_>) -> Option<Answer> {
        let file = self.file(now, target.id)?;
        let facts = Facts {
            url: &self.address(now, target.id),
            mime_type: &file.mime_type,
            sha256: hex::encode(file.digest()),
            file_size: file.lies.size.unwrap_or(file.bytes.len() as u64),
            id: target.id,
            messaging_product: "whatsapp",
        };
        Some(answered(form::graph(&facts), self.config.accounts.first()?.id.clone()))
    }

    pub(super) fn delete_file(&mut self, now: Micros, target: &Target<'_>) -> Result<Answer, GraphError> {
        if self.file(now, target.id).is_none() || !self.forget_file(target.id) {
            return Err(GraphError::no_object(target.method, target.id));
        }
        let account = self.config.accounts.first().map(|account| account.id.clone()).unwrap_or_default();
        Ok(answered(form::graph(&json!({"success": true})), account))
    }

    /// The bytes of a file. Not Graph but a plain server: its refusals have no body of Graph's.
    pub(super) fn attachment(&mut self, now: Micros, request: &GraphRequest<'_>) -> Reply {
        let latency = self.rng.within(self.config.pace.answer);
        let mut headers = headers::of_a_proxy(self.meta_time(now));
        let (status, body) = match self.bytes_of(now, request, &mut headers) {
            Ok(found) => found,
            Err(status) => (status, Bytes::new()),
        };
        Reply { status, headers, body, fault: None, latency }
    }

    fn bytes_of(&self, now: Micros, request: &GraphRequest<'_>, headers: &mut HeaderMap) -> Result<(u16, Bytes), u16> {
        // Only the header counts here; a token in the query does not.
        let token = request.authorization.and_then(|value| value.strip_prefix("Bearer "));
        if token.is_none_or(|token| !self.config.tokens.iter().any(|known| known == token.trim())) {
            return Err(401);
        }
        let target = Target::parse(request).map_err(|_| 404_u16)?;
        let parameter = |name| target.parameter(name).ok_or(404_u16);
        let (id, expires, proof) = (parameter("mid")?, parameter("ext")?, parameter("hash")?);
        let expires: i64 = expires.parse().map_err(|_| 404_u16)?;
        let lives = self.meta_time(now) < Micros::from_seconds(expires);
        let file = self.file(now, &id).filter(|_| lives && proof == self.proof(&id, expires)).ok_or(404_u16)?;
        let mut set = |name, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        };
        if let Some(elsewhere) = &file.lies.redirect {
            set(header::LOCATION, elsewhere);
            return Ok((302, Bytes::new()));
        }
        set(header::CONTENT_TYPE, &file.mime_type);
        set(header::ACCEPT_RANGES, "bytes");
        let name: String = file.name.as_deref().unwrap_or("file").chars().filter(char::is_ascii_alphanumeric).collect();
        set(header::CONTENT_DISPOSITION, &format!("inline;filename={name}"));
        Ok((200, file.bytes.clone()))
    }
}

fn kind_of(mime_type: &str) -> Option<&'static (&'static str, usize, &'static str)> {
    KINDS.iter().find(|(kind, ..)| mime_type.starts_with(kind))
}

/// Whether a request is for bytes and not for Graph.
pub(super) fn is_for_bytes(request: &GraphRequest<'_>) -> bool {
    request.path_and_query.starts_with(ATTACHMENTS)
}

fn answered(body: Vec<u8>, account: String) -> Answer {
    Answer { body, done: Done::Answered, usage: Some((account, "whatsapp_business_management")) }
}

/// What an address is good for (recorded: 299 s).
pub(crate) const ADDRESS: Duration = Duration::from_secs(299);

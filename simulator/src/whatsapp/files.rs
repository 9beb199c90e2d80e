//! Files: what customers attach and businesses upload, under ids that die and addresses that die sooner.

use std::time::Duration;

use baton_shared::Micros;
use bytes::Bytes;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use super::{Whatsapp, ids};

/// What a customer attaches.
#[derive(Clone, Debug, Default)]
pub struct Attachment {
    /// `image`, `video`, `audio`, `document` or `sticker`.
    pub kind: String,
    pub mime_type: String,
    pub bytes: Bytes,
    /// Of a document, as its sender calls it.
    pub name: Option<String>,
    pub caption: Option<String>,
    /// What the API claims instead of the truth, to see who believes it.
    pub lies: Lies,
}

/// What is said of a file, if it is not the truth.
#[derive(Clone, Debug, Default)]
pub struct Lies {
    /// SHA-256 in base64, in the webhook.
    pub digest: Option<String>,
    /// In bytes, in the answer to `GET /<media id>`.
    pub size: Option<u64>,
    /// Whoever asks for the bytes is sent there.
    pub redirect: Option<String>,
}

/// A file that Meta has.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) mime_type: String,
    pub(crate) bytes: Bytes,
    pub(crate) name: Option<String>,
    pub(crate) lies: Lies,
    /// Its id is unknown from then on.
    dies_at: Micros,
}

/// Of what came with a customer's message.
const INBOUND: Duration = Duration::from_secs(7 * 24 * 3_600);
/// Of what a business uploaded.
pub(crate) const UPLOADED: Duration = Duration::from_secs(30 * 24 * 3_600);

/// Where bytes are had; below the API's own address, whatever host that is.
pub(crate) const ATTACHMENTS: &str = "/whatsapp_business/attachments/";

impl Attachment {
    pub fn new(kind: &str, mime_type: &str, bytes: impl Into<Bytes>) -> Self {
        Self { kind: kind.into(), mime_type: mime_type.into(), bytes: bytes.into(), ..Self::default() }
    }

    #[must_use]
    pub fn named(self, name: &str) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    #[must_use]
    pub fn saying(self, caption: &str) -> Self {
        Self { caption: Some(caption.into()), ..self }
    }

    #[must_use]
    pub fn lying(self, lies: Lies) -> Self {
        Self { lies, ..self }
    }
}

impl File {
    pub(crate) fn digest(&self) -> [u8; 32] {
        Sha256::digest(&self.bytes).into()
    }
}

impl Whatsapp {
    /// Keeps a file for so long; its id.
    pub(crate) fn keep_file(&mut self, now: Micros, mut file: File, lifetime: Duration) -> String {
        file.dies_at = now.plus(lifetime);
        let id = format!("{}{:014}", self.rng.u32(1_000_000..9_999_999), self.rng.u64(..100_000_000_000_000));
        self.files.insert(id.clone(), file);
        id
    }

    /// The object of a message that brings a file, as webhooks have it: its digest is base64 there.
    pub(crate) fn attach(&mut self, now: Micros, attachment: Attachment) -> Json {
        let Attachment { kind, mime_type, bytes, name, caption, lies } = attachment;
        let digest = lies.digest.clone();
        let file = File { mime_type: mime_type.clone(), bytes, name: name.clone(), lies, dies_at: now };
        let digest = digest.unwrap_or_else(|| ids::base64(&file.digest()));
        let id = self.keep_file(now, file, INBOUND);
        let mut object = json!({"mime_type": mime_type, "sha256": digest, "url": self.address(now, &id), "id": id});
        let more = [("caption", caption), ("filename", name)];
        for (key, value) in more.into_iter().filter_map(|(key, value)| Some((key, value?))) {
            object[key] = json!(value);
        }
        if kind == "audio" {
            object["voice"] = json!(true);
        }
        object
    }

    /// The bytes and the type of a file by its id.
    pub fn bytes(&self, id: &str) -> Option<(Bytes, String)> {
        self.files.get(id).map(|file| (file.bytes.clone(), file.mime_type.clone()))
    }

    /// A file by its id, while that lives.
    pub(crate) fn file(&self, now: Micros, id: &str) -> Option<&File> {
        self.files.get(id).filter(|file| file.dies_at > now)
    }

    pub(crate) fn uploaded(&mut self, now: Micros, mime_type: String, bytes: Bytes, name: Option<String>) -> String {
        let file = File { mime_type, bytes, name, lies: Lies::default(), dies_at: now };
        self.keep_file(now, file, UPLOADED)
    }

    /// Where the bytes are had for the next minutes.
    pub(crate) fn address(&self, now: Micros, id: &str) -> String {
        let expires = self.meta_time(now).plus(self.config.pace.file_address).seconds();
        format!("{}{ATTACHMENTS}?mid={id}&ext={expires}&hash={}", self.config.base_url, self.proof(id, expires))
    }

    /// What makes an address one of ours.
    pub(crate) fn proof(&self, id: &str, expires: i64) -> String {
        let secret = self.config.apps.first().map_or("", |app| app.secret.as_str());
        hex::encode(&Sha256::digest(format!("{secret}:{id}:{expires}"))[..20])
    }

    /// Takes a file away, as after its seven days.
    pub fn forget_file(&mut self, id: &str) -> bool {
        self.files.remove(id).is_some()
    }

    /// Whether some file is here under this id.
    pub fn has_file(&self, now: Micros, id: &str) -> bool {
        self.file(now, id).is_some()
    }
}

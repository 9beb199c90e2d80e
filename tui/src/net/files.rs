//! Files of messages: a link for another program, or the bytes onto this disk.

use std::{
    io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use baton_shared::{
    ConversationId, MessageId, UploadId,
    file::FileKind,
    protocol::{FileLink, Uploaded},
};
use futures::TryStreamExt;
use serde::Deserialize;
use tokio::{
    fs::{self, File, OpenOptions},
    io::AsyncWriteExt,
};
use tokio_util::io::ReaderStream;

use super::Address;

/// A file is read and sent in pieces of this.
const PIECE: usize = 64 * 1024;

/// More bytes than any thumbnail has.
const THUMBNAIL: usize = 1024 * 1024;

/// Why a file could not be had, as a sentence for the person at the keyboard.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("the server could not be reached")]
    Unreachable,
    #[error("{0}")]
    Refused(String),
    #[error("the server answered something that is no file")]
    Unexpected,
    /// Nothing was overwritten.
    #[error("there is a file of that name already")]
    Exists,
    #[error("it could not be written: {0}")]
    Disk(io::Error),
    #[error("it cannot be read: {0}")]
    NotRead(io::Error),
}

impl From<reqwest::Error> for FileError {
    fn from(_: reqwest::Error) -> Self {
        Self::Unreachable
    }
}

/// How the API says no.
#[derive(Deserialize)]
struct Refusal {
    why: String,
}

/// A whole address that is good for five minutes, for a program that is not signed in.
///
/// # Errors
/// See [`FileError`].
pub async fn link(address: &Address, token: &str, message: MessageId) -> Result<String, FileError> {
    let http = client()?;
    let asked = http.post(address.api(&format!("media/{message}/link"))).bearer_auth(token);
    let response = granted(asked.timeout(Duration::from_secs(15)).send().await?).await?;
    let link: FileLink = response.json().await.map_err(|_| FileError::Unexpected)?;
    Ok(format!("{address}{}", link.path))
}

/// A small picture of the file of a message, as PNG.
///
/// # Errors
/// See [`FileError`].
pub async fn thumbnail(address: &Address, token: &str, message: MessageId) -> Result<Vec<u8>, FileError> {
    let asked = client()?.get(address.api(&format!("media/{message}/thumbnail"))).bearer_auth(token);
    let mut response = granted(asked.timeout(Duration::from_secs(15)).send().await?).await?;
    let mut png = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        png.extend_from_slice(&chunk);
        if png.len() > THUMBNAIL {
            return Err(FileError::Unexpected);
        }
    }
    Ok(png)
}

/// Brings a file to the server, for a message of `conversation`; doing it twice stores it once.
/// `moved` is told how many bytes have gone out.
///
/// # Errors
/// See [`FileError`]; after [`FileError::Unreachable`] it is worth another try.
pub async fn bring(
    address: &Address,
    token: &str,
    conversation: ConversationId,
    id: UploadId,
    path: &Path,
    kind: FileKind,
    moved: impl Fn(u64) + Send + Sync + 'static,
) -> Result<Uploaded, FileError> {
    let file = File::open(path).await.map_err(FileError::NotRead)?;
    let length = file.metadata().await.map_err(FileError::NotRead)?.len();
    let sent = AtomicU64::new(0);
    let pieces = ReaderStream::with_capacity(file, PIECE).inspect_ok(move |piece| {
        let piece = piece.len() as u64;
        moved(sent.fetch_add(piece, Ordering::Relaxed) + piece);
    });
    let body = reqwest::Body::wrap_stream(pieces);
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut url = reqwest::Url::parse(&address.api(&format!("conversations/{conversation}/files/{id}")))
        .map_err(|_| FileError::Unexpected)?;
    url.query_pairs_mut().append_pair("kind", kind.word()).append_pair("name", &name);
    let asked = client()?.put(url).bearer_auth(token).header(http::header::CONTENT_LENGTH, length).body(body);
    let response = asked.send().await?;
    if response.status().as_u16() == 503 {
        return Err(FileError::Unreachable);
    }
    granted(response).await?.json().await.map_err(|_| FileError::Unexpected)
}

/// Writes the file of a message to `path`; how many bytes. What is there is overwritten only if `replace`.
///
/// # Errors
/// See [`FileError`]; half a file is taken away.
pub async fn save(
    address: &Address,
    token: &str,
    message: MessageId,
    path: &Path,
    replace: bool,
) -> Result<u64, FileError> {
    if !replace && fs::try_exists(path).await.map_err(FileError::Disk)? {
        return Err(FileError::Exists);
    }
    let asked = client()?.get(address.api(&format!("media/{message}"))).bearer_auth(token);
    let response = granted(asked.send().await?).await?;
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let written = match write(response, &part).await {
        Ok(size) => put(&part, path, replace).await.map(|()| size),
        Err(error) => Err(error),
    };
    if written.is_err() {
        // Whatever is wrong with it, it is told below.
        let _ = fs::remove_file(&part).await;
    }
    written
}

async fn write(mut response: reqwest::Response, part: &Path) -> Result<u64, FileError> {
    let mut file = File::create(part).await.map_err(FileError::Disk)?;
    let mut size = 0;
    while let Some(chunk) = response.chunk().await? {
        file.write_all(&chunk).await.map_err(FileError::Disk)?;
        size += chunk.len() as u64;
    }
    file.sync_all().await.map_err(FileError::Disk)?;
    Ok(size)
}

/// To its name. Somebody may have taken that meanwhile: making the file first settles who has it.
async fn put(part: &Path, path: &Path, replace: bool) -> Result<(), FileError> {
    if !replace {
        let claimed = OpenOptions::new().write(true).create_new(true).open(path).await;
        claimed.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => FileError::Exists,
            _ => FileError::Disk(error),
        })?;
    }
    fs::rename(part, path).await.map_err(FileError::Disk)
}

fn client() -> Result<reqwest::Client, FileError> {
    super::prepare_tls();
    // A large file may take its time; a server that says nothing may not.
    let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    Ok(builder.connect_timeout(Duration::from_secs(10)).read_timeout(Duration::from_secs(30)).build()?)
}

async fn granted(response: reqwest::Response) -> Result<reqwest::Response, FileError> {
    if response.status().as_u16() == 200 {
        return Ok(response);
    }
    let refusal: Refusal = response.json().await.map_err(|_| FileError::Unexpected)?;
    Err(FileError::Refused(refusal.why))
}

//! One try: where does it lie, its bytes, and whether they are what they were said to be.

use std::time::Duration;

use baton_shared::{content::MediaState, file::HEAD};
use bytes::Bytes;
use futures::StreamExt;
use sha2::{Digest, Sha256};
use tokio::time::timeout;

use super::kind;
use crate::{
    Context,
    depot::Incoming,
    store::media::{Media, NO_ID},
    whatsapp::graph::{CallError, Graph, MediaFacts, NoFile, NoResponse, Opened},
};

const ASK: Duration = Duration::from_secs(10);
const DOWNLOAD: Duration = Duration::from_secs(10 * 60);
/// A sender that is silent for so long is gone.
const SILENCE: Duration = Duration::from_secs(30);

/// An address that has died is asked for once more in the same try.
const ADDRESSES: usize = 2;
/// Bytes may break on their way; twice the same wrong ones are what Meta has.
const WRONG_DIGESTS: i64 = 2;

/// What came of a try. A problem is a code.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Here { place: String, size: u64, mime_type: Option<String>, thumbnail: bool },
    Never { state: MediaState, problem: String },
    NotNow { problem: String },
}

fn never(state: MediaState, problem: &str) -> Found {
    Found::Never { state, problem: problem.into() }
}

fn not_now(problem: &str) -> Found {
    Found::NotNow { problem: problem.into() }
}

pub(super) async fn fetch(context: &Context, graph: Option<&Graph>, file: &Media) -> Found {
    let Some(id) = &file.meta_id else { return never(MediaState::Gone, NO_ID) };
    let Some(graph) = graph else { return not_now("no_token") };
    match found(context, graph, file, id).await {
        Ok(found) | Err(found) => found,
    }
}

async fn found(context: &Context, graph: &Graph, file: &Media, id: &str) -> Result<Found, Found> {
    let settings = &context.settings.media;
    for _ in 0..ADDRESSES {
        let facts = graph.media(id, ASK).await.map_err(|error| refused(&error))?;
        if facts.size.is_some_and(|size| size > settings.limit) {
            return Err(never(MediaState::Refused, "too_large"));
        }
        match graph.open(&facts.url, &settings.hosts, DOWNLOAD).await {
            Ok(opened) => return take_in(context, file, &facts, opened).await,
            Err(NoFile::Host) => return Err(never(MediaState::Refused, "host")),
            Err(NoFile::Status(401 | 403 | 404 | 410)) => (),
            Err(NoFile::Status(_) | NoFile::NoResponse(_)) => return Err(not_now("unreachable")),
        }
    }
    Err(not_now("address_expired"))
}

/// What Graph says when it does not know the file, and everything else, which may pass.
fn refused(error: &CallError) -> Found {
    match error {
        CallError::Refused(error) if error.code == 100 => never(MediaState::Gone, "gone"),
        CallError::Refused(error) => not_now(&format!("graph_{}", error.code)),
        CallError::Unsent(_) | CallError::Unanswered(_) => not_now("unreachable"),
    }
}

async fn take_in(context: &Context, file: &Media, facts: &MediaFacts, opened: Opened) -> Result<Found, Found> {
    let limit = context.settings.media.limit;
    if opened.length.is_some_and(|length| length > limit) {
        return Err(never(MediaState::Refused, "too_large"));
    }
    let incoming = context.depot.receive(file.message.0, file.tries).await.map_err(|error| full(&error))?;
    let mut taking = Taking { incoming, digest: Sha256::new(), size: 0, head: Vec::new(), limit };
    let mut body = opened.body;
    loop {
        match timeout(SILENCE, body.next()).await {
            Ok(Some(Ok(chunk))) => taking.take(&chunk).await?,
            Ok(None) => break,
            Ok(Some(Err(NoResponse::Unsent(_) | NoResponse::Unanswered(_)))) | Err(_) => {
                return Err(not_now("broken_off"));
            }
        }
    }
    let (place, size) = taking.finish(file, facts).await?;
    let thumbnail = kind::is_picture(&file.kind) && context.depot.add_thumbnail(&place).await;
    let mime_type = file.mime_type.clone().or_else(|| facts.mime_type.clone());
    Ok(Found::Here { place, size, mime_type, thumbnail })
}

/// A file as it comes in.
struct Taking {
    incoming: Incoming,
    digest: Sha256,
    size: u64,
    head: Vec<u8>,
    limit: u64,
}

impl Taking {
    async fn take(&mut self, chunk: &Bytes) -> Result<(), Found> {
        self.size += chunk.len() as u64;
        if self.size > self.limit {
            return Err(never(MediaState::Refused, "too_large"));
        }
        let room = HEAD.saturating_sub(self.head.len());
        self.head.extend(chunk.iter().take(room));
        self.digest.update(chunk);
        self.incoming.write(chunk).await.map_err(|error| full(&error))
    }

    /// Its place and size, if it is what it was said to be.
    async fn finish(self, file: &Media, facts: &MediaFacts) -> Result<(String, u64), Found> {
        let digest = hex::encode(self.digest.finalize());
        let said = [file.digest.clone(), facts.sha256.map(hex::encode)];
        if said.iter().flatten().any(|said| *said != digest) {
            return Err(match file.tries {
                ..WRONG_DIGESTS => not_now("digest"),
                _ => never(MediaState::Refused, "digest"),
            });
        }
        if !kind::fits(&file.kind, &self.head) {
            return Err(never(MediaState::Refused, "type"));
        }
        let place = self.incoming.keep().await.map_err(|error| full(&error))?;
        Ok((place, self.size))
    }
}

fn full(error: &std::io::Error) -> Found {
    tracing::error!(%error, "the media store cannot be written");
    not_now("media_store")
}

//! Files for agents: to those who may see the conversation, or to whoever has a link that is good for
//! five minutes. Only ever to be saved: a browser that opens one shows nothing of it as a page of ours.

use std::{str::FromStr, sync::Arc, time::Duration};

use axum::{
    Json,
    body::Body,
    extract::{
        Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use baton_shared::{MessageId, Micros, content::MediaState, file::PNG, protocol::FileLink};
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::Sha256;

use super::{feed::Hub, guard::SignedIn, refusal::Refusal, roles::Right, thread};
use crate::store::{
    StoreError,
    media::{self, Media},
    settings,
};

/// How long a link is good.
const GOOD_FOR: Duration = Duration::from_secs(5 * 60);

/// The key under which all servers sign links, in the store.
pub const LINK_KEY: &str = "link_key";

/// Types that are said as they are; of all others nobody shall guess anything.
const TOLD: [&str; 3] = ["image/", "audio/", "video/"];

#[derive(Deserialize)]
pub(super) struct Proof {
    until: Option<i64>,
    proof: Option<String>,
}

/// `GET /api/v1/media/{message}`: the bytes, to somebody signed in or with a link.
pub(super) async fn file(
    State(hub): State<Arc<Hub>>,
    who: Result<SignedIn, Refusal>,
    message: Result<Path<String>, PathRejection>,
    query: Result<Query<Proof>, QueryRejection>,
) -> Result<Response, Refusal> {
    let message = message_id(message)?;
    let Query(Proof { until, proof }) = query.map_err(|_| Refusal::Link)?;
    let file = match (until, proof) {
        (Some(until), Some(proof)) => {
            verify(&hub, message, Micros(until), &proof).await?;
            find(&hub, message).await?
        }
        (Some(_), None) | (None, Some(_)) => return Err(Refusal::Link),
        (None, None) => seen_by(&hub, &who?, message).await?,
    };
    let place = file.place.as_deref().filter(|_| file.state == MediaState::Stored).ok_or(Refusal::NoFile)?;
    let opened = hub.context.depot.open(place).await.map_err(|error| {
        tracing::error!(%error, %message, "a file is not where it was put");
        Refusal::NoFile
    })?;
    Ok((headers(&file), Body::from_stream(opened)).into_response())
}

/// `GET /api/v1/media/{message}/thumbnail`: a small picture of it as PNG, to somebody signed in.
pub(super) async fn thumbnail(
    State(hub): State<Arc<Hub>>,
    who: SignedIn,
    message: Result<Path<String>, PathRejection>,
) -> Result<Response, Refusal> {
    let message = message_id(message)?;
    let file = seen_by(&hub, &who, message).await?;
    let place = file.place.as_deref().filter(|_| file.thumbnail).ok_or(Refusal::NoThumbnail)?;
    let opened = hub.context.depot.open_thumbnail(place).await.map_err(|error| {
        tracing::error!(%error, %message, "a thumbnail is not where it was put");
        Refusal::NoThumbnail
    })?;
    let small = Media { kind: "thumbnail".into(), mime_type: Some(PNG.into()), file_name: None, size: None, ..file };
    Ok((headers(&small), Body::from_stream(opened)).into_response())
}

/// `POST /api/v1/media/{message}/link`: a way to the file for a program that is not signed in.
pub(super) async fn link(
    State(hub): State<Arc<Hub>>,
    who: SignedIn,
    message: Result<Path<String>, PathRejection>,
) -> Result<Json<FileLink>, Refusal> {
    let message = message_id(message)?;
    let file = seen_by(&hub, &who, message).await?;
    if file.state != MediaState::Stored {
        return Err(Refusal::NoFile);
    }
    let until = hub.context.clock.now().plus(GOOD_FOR);
    let proof = hex::encode(signature(&hub, message, until).await?.finalize().into_bytes());
    Ok(Json(FileLink { path: format!("/api/v1/media/{message}?until={}&proof={proof}", until.0), until }))
}

fn message_id(path: Result<Path<String>, PathRejection>) -> Result<MessageId, Refusal> {
    path.ok().and_then(|Path(id)| MessageId::from_str(&id).ok()).ok_or(Refusal::NoFile)
}

/// The file of a message in a conversation that they may see.
async fn seen_by(hub: &Hub, who: &SignedIn, message: MessageId) -> Result<Media, Refusal> {
    let viewer = who.viewer(&hub.context);
    if !viewer.may(Right::SeeQueue) {
        return Err(Refusal::NotAllowed);
    }
    let file = find(hub, message).await?;
    if thread::may_see(&hub.context, &viewer, file.conversation).await? { Ok(file) } else { Err(Refusal::NoFile) }
}

async fn find(hub: &Hub, message: MessageId) -> Result<Media, Refusal> {
    let found = media::of(hub.context.db.reader().await?.conn(), &[message]).await?.pop();
    found.ok_or(Refusal::NoFile)
}

/// In constant time, and the time itself is part of what is signed.
async fn verify(hub: &Hub, message: MessageId, until: Micros, proof: &str) -> Result<(), Refusal> {
    let claimed = hex::decode(proof).map_err(|_| Refusal::Link)?;
    signature(hub, message, until).await?.verify_slice(&claimed).map_err(|_| Refusal::Link)?;
    if hub.context.clock.now() < until { Ok(()) } else { Err(Refusal::Link) }
}

async fn signature(hub: &Hub, message: MessageId, until: Micros) -> Result<Hmac<Sha256>, Refusal> {
    let key = settings::get(hub.context.db.reader().await?.conn(), LINK_KEY).await?;
    let key = key.and_then(|key| hex::decode(key).ok()).filter(|key| key.len() == 32);
    let mac = key.and_then(|key| Hmac::<Sha256>::new_from_slice(&key).ok());
    let mac = mac.ok_or(StoreError::Corrupt("the key of links is missing or none"))?;
    Ok(mac.chain_update(format!("file\n{message}\n{}", until.0)))
}

fn headers(file: &Media) -> HeaderMap {
    let told = file.mime_type.as_deref().filter(|kind| TOLD.iter().any(|told| kind.starts_with(told)));
    let told = told.filter(|kind| !kind.contains("svg"));
    let mut headers = HeaderMap::new();
    let mut set = |name: HeaderName, value: &str| {
        // What no header can hold is left out.
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set(header::CONTENT_TYPE, "application/octet-stream");
    set(header::CONTENT_TYPE, told.unwrap_or("application/octet-stream"));
    set(header::CONTENT_DISPOSITION, &disposition(file));
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox");
    set(header::CACHE_CONTROL, "private, no-store");
    set(header::REFERRER_POLICY, "no-referrer");
    if let Some(size) = file.size {
        set(header::CONTENT_LENGTH, &size.to_string());
    }
    headers
}

/// An ASCII name that is ours, and the sender's for those who can read it (RFC 6266), without folders.
fn disposition(file: &Media) -> String {
    let ours = format!("{}-{}", file.kind, file.message);
    let Some(name) = file.file_name.as_deref().and_then(baton_shared::content::plain_name) else {
        return format!("attachment; filename=\"{ours}\"");
    };
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let coded: String = name
        .bytes()
        .map(|byte| if safe(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    format!("attachment; filename=\"{ours}\"; filename*=UTF-8''{coded}")
}

//! Files from agents: taken in as a stream, told by their bytes, kept until a command names them.

use std::{str::FromStr, sync::Arc, time::Duration};

use axum::{
    Json,
    body::Body,
    extract::{
        Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
    http::{HeaderMap, header},
};
use baton_shared::{
    ConversationId, UploadId,
    content::plain_name,
    file::{Facts, FileKind, HEAD, LARGEST},
    protocol::Uploaded,
};
use bytes::Bytes;
use futures::StreamExt;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio::time::timeout;

use super::{feed::Hub, guard::SignedIn, refusal::Refusal, roles::Right, thread};
use crate::{
    Context,
    depot::Incoming,
    domain::control::{Who, may_send},
    store::{
        Urgency, channels, conversations,
        uploads::{self, Upload},
    },
};

/// A client that sends nothing for so long is gone.
const SILENCE: Duration = Duration::from_secs(30);

/// What is refused is read to its end all the same, or the client would never see why: but not for longer.
const DRAIN: Duration = Duration::from_secs(60);

#[derive(Deserialize)]
pub(super) struct Said {
    kind: String,
    #[serde(default)]
    name: String,
}

/// `PUT /api/v1/conversations/{conversation}/files/{file}?kind=image&name=lamp.png`: the body is the
/// file. The same id again, on any server, gets what was stored first.
pub(super) async fn upload(
    State(hub): State<Arc<Hub>>,
    who: SignedIn,
    path: Result<Path<(String, String)>, PathRejection>,
    query: Result<Query<Said>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Uploaded>, Refusal> {
    let mut bytes = body.into_data_stream();
    let taken = match admitted(&hub, &who, path, query, &headers).await {
        Ok(Admitted::New(place)) => take_in(&hub.context, place, &mut bytes).await,
        Ok(Admitted::Known(known)) => Ok(known),
        Err(refusal) => Err(refusal),
    };
    let rest = async { while let Some(Ok(_)) = bytes.next().await {} };
    // Whoever takes longer than that sees a broken connection.
    let _too_long = timeout(DRAIN, rest).await;
    let Upload { id, kind, mime_type, size, .. } = taken?;
    Ok(Json(Uploaded { file: id, kind, mime_type, size: size.unsigned_abs() }))
}

enum Admitted {
    New(Upload),
    Known(Upload),
}

/// Whether it may be sent at all, before a byte of it is kept. The window is checked when it is sent:
/// a template may bring a file into a closed one.
async fn admitted(
    hub: &Hub,
    who: &SignedIn,
    path: Result<Path<(String, String)>, PathRejection>,
    query: Result<Query<Said>, QueryRejection>,
    headers: &HeaderMap,
) -> Result<Admitted, Refusal> {
    let viewer = who.viewer(&hub.context);
    if !viewer.may(Right::Work) {
        return Err(Refusal::NotAllowed);
    }
    let Path((conversation, id)) = path.map_err(|_| Refusal::NotFound)?;
    let conversation = ConversationId::from_str(&conversation).map_err(|_| Refusal::NotFound)?;
    let id =
        UploadId::from_str(&id).map_err(|_| Refusal::Unreadable("The file's id is a UUID, made by the client."))?;
    if !thread::may_see(&hub.context, &viewer, conversation).await? {
        return Err(Refusal::NotFound);
    }
    let mut reader = hub.context.db.reader().await?;
    let thread = conversations::by_id(reader.conn(), conversation).await?.ok_or(Refusal::NotFound)?;
    let agent = Who::Agent { id: who.agent.id, role: who.agent.role };
    may_send(thread.control, agent).map_err(|refused| Refusal::NotYours(refused.to_string()))?;
    let channel = channels::by_id(reader.conn(), thread.channel).await?.ok_or(Refusal::NotFound)?;
    if !channel.sending_on {
        return Err(Refusal::SendingOff);
    }
    if let Some(known) = uploads::get(reader.conn(), who.agent.id, id).await? {
        return if known.conversation == conversation { Ok(Admitted::Known(known)) } else { Err(Refusal::NotFound) };
    }
    drop(reader);
    let Query(said) = query.map_err(|_| Refusal::Unreadable("The question has `kind` and `name`."))?;
    let kind = FileKind::from_word(&said.kind);
    let kind = kind.ok_or(Refusal::Unreadable("`kind` is image, video, audio, voice, document or sticker."))?;
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > limit(&hub.context)) {
        return Err(too_large(&hub.context));
    }
    let now = hub.context.clock.now();
    Ok(Admitted::New(Upload {
        agent: who.agent.id,
        id,
        conversation,
        kind,
        mime_type: String::new(),
        file_name: plain_name(&said.name),
        digest: String::new(),
        size: 0,
        place: String::new(),
        thumbnail: false,
        created_at: now,
    }))
}

fn limit(context: &Context) -> u64 {
    context.settings.media.limit.min(LARGEST)
}

fn too_large(context: &Context) -> Refusal {
    Refusal::File(format!("The file is larger than the {} MB that this server takes.", limit(context) >> 20))
}

/// Reads it to its end, counting and hashing; what does not fit is not kept.
async fn take_in<S>(context: &Context, new: Upload, bytes: &mut S) -> Result<Upload, Refusal>
where
    S: futures::Stream<Item = Result<Bytes, axum::Error>> + Unpin,
{
    // An id of ours: the client's would name a place of somebody else's.
    let place: UploadId = context.ids.next(new.created_at);
    let mut incoming = context.depot.receive(place.0, 0).await.map_err(no_room)?;
    let (mut head, mut digest, mut size) = (Vec::new(), Sha256::new(), 0_u64);
    loop {
        let piece = match timeout(SILENCE, bytes.next()).await {
            Ok(None) => break,
            Ok(Some(Ok(piece))) => piece,
            Ok(Some(Err(_))) | Err(_) => return Err(Refusal::Unreadable("The file broke off: send it again.")),
        };
        size += piece.len() as u64;
        if size > limit(context) {
            return Err(too_large(context));
        }
        head.extend(piece.iter().take(HEAD.saturating_sub(head.len())));
        digest.update(&piece);
        incoming.write(&piece).await.map_err(no_room)?;
    }
    let facts = Facts::of(&head, new.file_name.as_deref().unwrap_or_default(), size);
    facts.check(new.kind).map_err(|unfit| Refusal::File(sentence(&unfit.to_string())))?;
    let digest = hex::encode(digest.finalize());
    keep(context, incoming, Upload { mime_type: facts.mime_type.into(), digest, size: size.cast_signed(), ..new }).await
}

async fn keep(context: &Context, incoming: Incoming, new: Upload) -> Result<Upload, Refusal> {
    let place = incoming.keep().await.map_err(no_room)?;
    let is_picture = matches!(new.kind, FileKind::Image | FileKind::Sticker);
    let thumbnail = is_picture && context.depot.add_thumbnail(&place).await;
    let new = Upload { place: place.clone(), thumbnail, ..new };
    let (agent, id) = (new.agent, new.id);
    let stored = new.clone();
    let job = context.db.write(Urgency::First, move |tx| {
        let new = stored.clone();
        Box::pin(async move { uploads::insert(tx, &new).await })
    });
    if job.await? {
        return Ok(new);
    }
    // It came twice at once, and the other was quicker.
    if let Err(error) = context.depot.remove(&place).await {
        tracing::warn!(%error, "a file that nobody needs is left in the media store");
    }
    let known = uploads::get(context.db.reader().await?.conn(), agent, id).await?;
    known.ok_or(Refusal::NotFound)
}

fn no_room(error: std::io::Error) -> Refusal {
    tracing::error!(%error, "the media store cannot be written");
    Refusal::NoRoom
}

fn sentence(why: &str) -> String {
    let mut letters = why.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    format!("{}{}.", first.map(String::from).unwrap_or_default(), letters.as_str())
}

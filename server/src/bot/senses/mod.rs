//! Customers' files in words: what is said in a voice message, what is seen in a picture. The words stand under
//! the file for agents, and the bot answers by them. Each file is read once; whatever goes wrong with one leaves
//! it as it is, for a person.

mod ears;
mod eyes;

use std::{sync::Arc, time::Duration};

use baton_shared::Control;
use bytes::BytesMut;
use futures::StreamExt;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::model::{Failure, Transport};
use crate::{
    Context,
    store::{
        StoreError, Urgency, conversations,
        events::{self, Event},
        media::{self, Media},
        messages,
        wakes::Topic,
    },
};
use ears::Ears;
use eyes::Eyes;

/// A wake-up can be lost with the process that sent it: looked at least this often.
const POLL: Duration = Duration::from_millis(500);
/// After a store that failed.
const BREATH: Duration = Duration::from_millis(500);
/// So many are read at once.
const AT_ONCE: usize = 4;
/// Whoever reads one has it for so long, deadlines of models included; that of one who died ends then.
const LEASE: Duration = Duration::from_secs(150);
/// A file is worth so many tries.
const TRIES: i64 = 3;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Characters of what is read: more is no chat.
const LONGEST: usize = 4_000;

/// How long a turn waits until a file is here and in words; then it goes to a person as it is.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// Why a file was not put in words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Unread {
    #[error(transparent)]
    Model(#[from] Failure),
    #[error("larger than the model takes")]
    TooLarge,
    /// Of a type that the model does not take.
    #[error("of a type that the model does not take")]
    Type,
    #[error("nothing is said in it")]
    Nothing,
    #[error("its bytes are not to be had")]
    NoBytes,
}

/// Reads what is due until `stop`; what is begun then is begun anew by the next one.
pub async fn run(context: Context, transport: Arc<dyn Transport>, stop: CancellationToken) {
    let senses = &context.settings.senses;
    if senses.transcriber.is_none() && senses.sight.is_none() {
        return;
    }
    let readers = Arc::new(Readers {
        ears: senses.transcriber.clone().map(|one| Ears::new(one, transport.clone())),
        eyes: senses.sight.clone().map(|one| Eyes::new(one, transport)),
    });
    let mut bell = context.db.wakes().listen(Topic::Words);
    let mut under_way = JoinSet::new();
    while !stop.is_cancelled() {
        bell.mark_unchanged();
        let has_room = under_way.len() < AT_ONCE;
        let wait = match look(&context, AT_ONCE - under_way.len()).await {
            Ok((due, again_in)) => {
                for file in due {
                    under_way.spawn(read(context.clone(), readers.clone(), file));
                }
                again_in.min(POLL)
            }
            Err(error) => {
                log(&error);
                BREATH
            }
        };
        tokio::select! {
            () = stop.cancelled() => (),
            Some(done) = under_way.join_next() => ended(done),
            _ = bell.changed(), if has_room => (),
            () = tokio::time::sleep(wait) => (),
        }
    }
    under_way.shutdown().await;
}

struct Readers {
    ears: Option<Ears>,
    eyes: Option<Eyes>,
}

impl Readers {
    /// The most bytes of a file that its reader takes.
    const fn limit(&self, kind: &str) -> usize {
        if is_audio(kind) { ears::LIMIT } else { eyes::LIMIT }
    }

    async fn read(&self, file: &Media, bytes: Vec<u8>, boundary: &str) -> Result<String, Unread> {
        let mime_type = file.mime_type.as_deref().unwrap_or_default();
        match (&self.ears, &self.eyes) {
            (Some(ears), _) if is_audio(&file.kind) => ears.hear(mime_type, bytes, boundary).await,
            (_, Some(eyes)) if !is_audio(&file.kind) => eyes.see(mime_type, &bytes).await,
            // Asked for by settings that are no more.
            _ => Err(Unread::Type),
        }
    }
}

const fn is_audio(kind: &str) -> bool {
    matches!(kind.as_bytes(), b"audio")
}

/// What is due, now ours; and when the next one will be.
async fn look(context: &Context, room: usize) -> Result<(Vec<Media>, Duration), StoreError> {
    let time = context.db.time();
    let next = media::next_words(context.db.reader().await?.conn()).await?;
    if room == 0 || next.is_none_or(|next| next > time) {
        return Ok((Vec::new(), next.map_or(POLL, |next| next.since(time))));
    }
    let (until, limit) = (time.plus(LEASE), i64::try_from(room).unwrap_or(1));
    let job = context
        .db
        .write(Urgency::First, move |tx| Box::pin(async move { media::take_words(tx, time, until, limit).await }));
    Ok((job.await?, POLL))
}

/// Reads one file and stores what came of it.
async fn read(context: Context, readers: Arc<Readers>, file: Media) -> Result<(), StoreError> {
    let words = match bytes(&context, &file, readers.limit(&file.kind)).await {
        Ok(bytes) => {
            let mut boundary = [0; 16];
            context.ids.fill(&mut boundary);
            readers.read(&file, bytes, &hex::encode(boundary)).await
        }
        Err(unread) => Err(unread),
    };
    match words {
        Ok(words) => settle(&context, file, Ok(words.chars().take(LONGEST).collect())).await,
        Err(unread) if unread.may_pass() && file.words_tries < TRIES => again(&context, file, &unread).await,
        Err(unread) => {
            tracing::warn!(message = %file.message, kind = file.kind, problem = unread.code(), "a file is not put in words");
            settle(&context, file, Err(unread.code().into())).await
        }
    }
}

/// All of a file, for models take nothing less.
async fn bytes(context: &Context, file: &Media, limit: usize) -> Result<Vec<u8>, Unread> {
    if file.size.and_then(|size| usize::try_from(size).ok()).is_some_and(|size| size > limit) {
        return Err(Unread::TooLarge);
    }
    let place = file.place.as_deref().ok_or(Unread::NoBytes)?;
    let mut pieces = context.depot.open(place).await.map_err(|_| Unread::NoBytes)?;
    let mut bytes = BytesMut::new();
    while let Some(piece) = pieces.next().await {
        bytes.extend_from_slice(&piece.map_err(|_| Unread::NoBytes)?);
        if bytes.len() > limit {
            return Err(Unread::TooLarge);
        }
    }
    Ok(bytes.into())
}

async fn again(context: &Context, file: Media, unread: &Unread) -> Result<(), StoreError> {
    let doublings = u32::try_from((file.words_tries - 1).clamp(0, 10)).unwrap_or_default();
    let next = context.db.time().plus(FIRST_PAUSE.saturating_mul(1 << doublings));
    let code = unread.code();
    let job = context.db.write(Urgency::Last, move |tx| {
        let file = file.clone();
        Box::pin(async move { media::words_again(tx, &file, next, code).await })
    });
    job.await
}

/// Clients are told, and a turn that waits for it is due.
async fn settle(context: &Context, file: Media, read: Result<String, String>) -> Result<(), StoreError> {
    let at = context.moment();
    let job = context.db.write(Urgency::First, move |tx| {
        let (file, read) = (file.clone(), read.clone());
        Box::pin(async move {
            let Some(mut thread) = conversations::lock_present(tx, file.conversation).await? else { return Ok(()) };
            if !media::settle_words(tx, &file, &read).await? {
                return Ok(());
            }
            messages::touch(tx, &[file.message]).await?;
            if thread.control == Control::Bot && thread.due_at.is_some_and(|due| due > at.time) {
                thread.due_at = Some(at.time);
                conversations::save(tx, &thread).await?;
                tx.wake(Topic::Turns);
            }
            events::append(tx, Event::new("message_amended", at.now).of(thread.id).about(file.message)).await
        })
    });
    job.await
}

impl Unread {
    const fn code(&self) -> &'static str {
        match self {
            Self::Model(failure) => failure.code(),
            Self::TooLarge => "too_large",
            Self::Type => "type",
            Self::Nothing => "nothing_said",
            Self::NoBytes => "no_bytes",
        }
    }

    /// Whether the same may well succeed later.
    const fn may_pass(&self) -> bool {
        use Failure::{Broken, Malformed, Overloaded, RateLimited, Server, TimedOut, Unreachable};
        match self {
            Self::Model(failure) => matches!(
                failure,
                RateLimited { .. } | Overloaded | Server { .. } | TimedOut | Unreachable | Broken | Malformed
            ),
            Self::NoBytes => true,
            Self::TooLarge | Self::Type | Self::Nothing => false,
        }
    }
}

fn ended(done: Result<Result<(), StoreError>, JoinError>) {
    match done {
        Ok(Ok(())) => (),
        Ok(Err(error)) => log(&error),
        Err(error) => tracing::error!(%error, "a reading broke off; it is begun again when its lease is over"),
    }
}

fn log(error: &StoreError) {
    tracing::error!(error = error as &dyn std::error::Error, "files cannot be put in words; it goes on trying");
}

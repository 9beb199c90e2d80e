//! The porter: fetches the files of messages from Meta while they can be had, a few at a time, and
//! never keeps a message waiting.

mod fetch;
mod kind;

use std::{collections::HashMap, time::Duration};

use baton_shared::{ChannelId, Micros, content::MediaState};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    Context,
    store::{
        StoreError, Urgency, conversations,
        events::{self, Event},
        media::{self, Media, Settled},
        messages,
        wakes::Topic,
    },
    whatsapp::graph::Graph,
};

use fetch::Found;

/// A wake-up can be lost with the process that sent it: looked at least this often.
const POLL: Duration = Duration::from_millis(500);
/// After a store that failed.
const BREATH: Duration = Duration::from_millis(500);

/// Whoever fetches a file renews its right to it; that of one who died ends soon.
const LEASE: Duration = Duration::from_secs(30);
const RENEW: Duration = Duration::from_secs(10);

/// So many files come in at once.
const AT_ONCE: usize = 4;

/// Doubles with each try.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);

/// Meta forgets a customer's file after this.
const METAS_MEMORY: Duration = Duration::from_secs(7 * 24 * 3_600);

/// Fetches what is due until `stop`, by each channel's own token.
pub async fn run(context: Context, graphs: HashMap<ChannelId, Graph>, stop: CancellationToken) {
    let mut bell = context.db.wakes().listen(Topic::Media);
    let mut under_way = JoinSet::new();
    while !stop.is_cancelled() {
        bell.mark_unchanged();
        let wait = match look(&context, AT_ONCE - under_way.len()).await {
            Ok((due, again_in)) => {
                for file in due {
                    let graph = graphs.get(&file.channel).cloned();
                    under_way.spawn(carry(context.clone(), graph, file, stop.clone()));
                }
                again_in.min(POLL)
            }
            Err(error) => {
                log(&error);
                BREATH
            }
        };
        // With every hand full there is nothing to look for.
        let has_room = under_way.len() < AT_ONCE;
        tokio::select! {
            () = stop.cancelled() => (),
            Some(done) = under_way.join_next() => ended(done),
            _ = bell.changed(), if has_room => (),
            () = tokio::time::sleep(wait), if has_room => (),
        }
    }
    while let Some(done) = under_way.join_next().await {
        ended(done);
    }
}

/// What is due, now ours; and when the next one will be.
async fn look(context: &Context, room: usize) -> Result<(Vec<Media>, Duration), StoreError> {
    let time = context.db.time();
    let next = media::next(context.db.reader().await?.conn()).await?;
    if room == 0 || next.is_none_or(|next| next > time) {
        return Ok((Vec::new(), next.map_or(POLL, |next| next.since(time))));
    }
    let (until, limit) = (time.plus(LEASE), i64::try_from(room).unwrap_or(1));
    let job =
        context.db.write(Urgency::First, move |tx| Box::pin(async move { media::take(tx, time, until, limit).await }));
    Ok((job.await?, POLL))
}

/// Fetches one file and stores what came of it.
async fn carry(context: Context, graph: Option<Graph>, file: Media, stop: CancellationToken) -> Result<(), StoreError> {
    let found = tokio::select! {
        found = fetch::fetch(&context, graph.as_ref(), &file) => found,
        lost = keep(&context, &file) => return lost,
        // Somebody else's, at once.
        () = stop.cancelled() => return again(&context, file, Micros::ZERO, None).await.map(drop),
    };
    let now = context.clock.now();
    match found {
        Found::Here { place, size, mime_type, thumbnail } => {
            let settled = Settled {
                state: MediaState::Stored,
                problem: None,
                size: i64::try_from(size).ok(),
                place: Some(place),
                thumbnail,
                mime_type,
            };
            settle(&context, file, settled).await
        }
        Found::Never { state, problem } => settle(&context, file, over(state, problem)).await,
        Found::NotNow { problem } if now > file.created_at.plus(METAS_MEMORY) => {
            settle(&context, file, over(MediaState::Failed, problem)).await
        }
        Found::NotNow { problem } => {
            let next = context.db.time().plus(pause(file.tries));
            tracing::debug!(message = %file.message, tries = file.tries, problem, "a file is tried again later");
            again(&context, file, next, Some(problem)).await.map(drop)
        }
    }
}

/// Ends when the file is somebody else's.
async fn keep(context: &Context, file: &Media) -> Result<(), StoreError> {
    loop {
        tokio::time::sleep(RENEW).await;
        let until = context.db.time().plus(LEASE);
        if !again(context, file.clone(), until, file.problem.clone()).await? {
            return Ok(());
        }
    }
}

fn over(state: MediaState, problem: String) -> Settled {
    Settled { state, problem: Some(problem), size: None, place: None, thumbnail: false, mime_type: None }
}

fn pause(tries: i64) -> Duration {
    let doublings = u32::try_from((tries - 1).clamp(0, 20)).unwrap_or_default();
    FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE)
}

/// It is due then. Whether it was still ours.
async fn again(context: &Context, file: Media, next: Micros, problem: Option<String>) -> Result<bool, StoreError> {
    let job = context.db.write(Urgency::Last, move |tx| {
        let (file, problem) = (file.clone(), problem.clone());
        Box::pin(async move { media::again(tx, &file, next, problem.as_deref()).await })
    });
    job.await
}

/// Clients are told, and so is the message's version.
async fn settle(context: &Context, file: Media, settled: Settled) -> Result<(), StoreError> {
    tracing::info!(message = %file.message, state = settled.state.word(), problem = settled.problem, "a file");
    let (now, time) = (context.clock.now(), context.db.time());
    let reads_words = context.settings.senses.read(&file.kind);
    let job = context.db.write(Urgency::Last, move |tx| {
        let (file, settled) = (file.clone(), settled.clone());
        Box::pin(async move {
            let Some(thread) = conversations::lock_present(tx, file.conversation).await? else { return Ok(()) };
            if !media::settle(tx, &file, &settled).await? {
                return Ok(());
            }
            if reads_words && settled.state == MediaState::Stored {
                media::ask_words(tx, file.message, time).await?;
            }
            messages::touch(tx, &[file.message]).await?;
            let event = Event::new("message_amended", now).of(thread.id).about(file.message);
            events::append(tx, event).await
        })
    });
    job.await
}

fn ended(done: Result<Result<(), StoreError>, JoinError>) {
    match done {
        Ok(Ok(())) => (),
        Ok(Err(error)) => log(&error),
        Err(error) => tracing::error!(%error, "a fetch broke off; it is begun again when its lease is over"),
    }
}

fn log(error: &StoreError) {
    tracing::error!(error = error as &dyn std::error::Error, "files cannot be looked after; it goes on trying");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_an_hour() {
        assert_eq!([1, 2, 3].map(pause), [1, 2, 4].map(Duration::from_secs));
        assert_eq!(pause(13), LONGEST_PAUSE);
        assert_eq!(pause(i64::MAX), LONGEST_PAUSE);
    }
}

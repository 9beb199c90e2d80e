//! Brings the files of messages to Meta, before the messages themselves may start.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use baton_shared::{MessageId, UploadId};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::{
    Context,
    domain::outgoing::{Outcome, Retry},
    store::{
        StoreError, Urgency,
        channels::Channel,
        media::Media,
        outbox::{self, Candidate, Report},
    },
    whatsapp::graph::{CallError, Graph, NewFile},
};

/// So many files of a channel are on their way at once.
const AT_ONCE: usize = 4;

/// Said again so often that it is still on its way.
const RENEW: Duration = Duration::from_secs(10);

/// What Meta calls a file that it does not take; on the way there it says so as an invalid parameter.
const NOT_TAKEN: i64 = 131_053;
const INVALID: i64 = 100;

#[derive(Debug)]
pub(super) struct Porter {
    hands: Semaphore,
    /// How often each was tried in vain.
    tries: Mutex<HashMap<MessageId, u32>>,
    stopping: CancellationToken,
}

impl Default for Porter {
    fn default() -> Self {
        Self { hands: Semaphore::new(AT_ONCE), tries: Mutex::default(), stopping: CancellationToken::new() }
    }
}

impl Porter {
    /// What is under way is put down: another server, or the next start, begins it again.
    pub(super) fn stop(&self) {
        self.stopping.cancel();
    }

    /// Brings one file; its message is due again when that is done.
    pub(super) async fn bring(
        &self,
        context: &Context,
        channel: &Channel,
        graph: &Graph,
        candidate: Candidate,
        file: &Media,
    ) -> Result<(), StoreError> {
        let answer = tokio::select! {
            answer = self.carry(context, channel, graph, file) => answer,
            unwanted = keep(context, candidate.message) => {
                self.count(candidate.message, false);
                return unwanted;
            }
            () = self.stopping.cancelled() => return later(context, candidate.message).await,
        };
        let at = context.moment();
        let (meta_id, report) = match answer {
            Ok(meta_id) => (meta_id, None),
            Err(report) => (String::new(), Some(report)),
        };
        let (tries, ids) = (self.count(candidate.message, report.is_some()), context.ids.clone());
        let job = context.db.write(Urgency::First, move |tx| {
            let (meta_id, report, ids) = (meta_id.clone(), report.clone(), ids.clone());
            Box::pin(async move {
                match report {
                    None => outbox::brought(tx, candidate, &meta_id, at).await,
                    Some(report) => outbox::not_brought(tx, candidate, tries, &report, at, &ids).await,
                }
            })
        });
        job.await
    }

    async fn carry(&self, context: &Context, channel: &Channel, graph: &Graph, file: &Media) -> Result<String, Report> {
        let failed = |outcome, code| Report { outcome, wamid: None, code, jitter: 0 };
        let refused = |code| failed(Outcome::Refused { retry: Retry::Never, wait: None }, Some(code));
        // Closed only with the process.
        let _hand = self.hands.acquire().await.map_err(|_| failed(Outcome::NotSent, None))?;
        let opened = context.depot.open(file.place.as_deref().unwrap_or_default()).await.map_err(|error| {
            tracing::error!(%error, message = %file.message, "a file is not where it was put");
            refused(NOT_TAKEN)
        })?;
        let new = NewFile {
            mime_type: file.mime_type.as_deref().unwrap_or("application/octet-stream"),
            size: file.size.unwrap_or_default().unsigned_abs(),
        };
        let boundary: UploadId = context.ids.next(context.clock.now());
        let answer = graph.upload(&channel.phone_number_id, new, opened, &boundary.0.simple().to_string()).await;
        answer.map_err(|error| {
            let code = match &error {
                CallError::Refused(error) => Some(error.code),
                CallError::Unsent(_) | CallError::Unanswered(_) => None,
            };
            tracing::info!(message = %file.message, code, outcome = ?error.outcome(), "Meta did not get a file");
            match error.outcome() {
                Outcome::Refused { retry: Retry::Never, .. } if code == Some(INVALID) => refused(NOT_TAKEN),
                outcome => Report { jitter: jitter(context), ..failed(outcome, code) },
            }
        })
    }

    /// How often it was tried, with this time if it was in vain.
    fn count(&self, message: MessageId, in_vain: bool) -> u32 {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        if !in_vain {
            return tries.remove(&message).unwrap_or_default();
        }
        let tries = tries.entry(message).or_default();
        *tries += 1;
        *tries
    }
}

fn jitter(context: &Context) -> u16 {
    u16::try_from(context.ids.below(1_000)).unwrap_or_default()
}

/// Ends when nobody wants the message to be sent any more.
async fn keep(context: &Context, message: MessageId) -> Result<(), StoreError> {
    loop {
        tokio::time::sleep(RENEW).await;
        let at = context.moment();
        let job = context
            .db
            .write(Urgency::First, move |tx| Box::pin(async move { outbox::bringing(tx, message, at).await }));
        if !job.await? {
            return Ok(());
        }
    }
}

/// Anybody may begin it again now.
async fn later(context: &Context, message: MessageId) -> Result<(), StoreError> {
    let now = context.db.time();
    let job =
        context.db.write(Urgency::First, move |tx| Box::pin(async move { outbox::postpone(tx, message, now).await }));
    job.await
}

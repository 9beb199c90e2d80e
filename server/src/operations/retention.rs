//! What is thrown away when nobody needs it any more, little by little.

use std::time::Duration;

use baton_shared::Micros;
use tokio_util::sync::CancellationToken;

use crate::{
    Context,
    store::{StoreError, Urgency, agents, commands, events, spending, statuses, uploads},
};

const EVERY: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3_600);
/// A client that was away for longer begins anew, with new ids for what it sends.
const COMMANDS: Duration = DAY.saturating_mul(7);
/// Meta tries for up to a week to tell us about a message.
const STATUSES: Duration = DAY.saturating_mul(7);
/// The trail of who did what. A client whose place is older gets a snapshot.
const EVENTS: Duration = DAY.saturating_mul(90);
/// What models cost: a year to compare with, and its months whole.
const CALLS: Duration = DAY.saturating_mul(400);
/// A file that was brought and never sent; longer than a client may name it.
const UPLOADS: Duration = DAY;
/// Long after it stopped counting: only so that the rows do not add up.
const PRESENCE: Duration = Duration::from_secs(3_600);
/// So that nobody waits behind it for longer than some milliseconds.
const SLICE: i64 = 2_000;

/// Throws away what is old, every minute until `stop`.
pub async fn run(context: Context, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => (),
        }
        if let Err(error) = sweep(&context).await {
            tracing::warn!(%error, "old rows are left for the next time");
        }
    }
}

/// One round, in transactions that anything else may go before.
///
/// # Errors
/// If the store fails.
pub async fn sweep(context: &Context) -> Result<(), StoreError> {
    let at = context.moment();
    let old = move |age: Duration| at.now.minus(age);
    let gone = at.time.minus(PRESENCE);
    let db = &context.db;
    db.write(Urgency::Last, move |tx| Box::pin(commands::forget(tx, old(COMMANDS)))).await?;
    db.write(Urgency::Last, move |tx| Box::pin(statuses::forget_old(tx, old(STATUSES)))).await?;
    db.write(Urgency::Last, move |tx| Box::pin(agents::expire(tx, gone))).await?;
    db.write(Urgency::Last, move |tx| Box::pin(spending::forget(tx, old(CALLS)))).await?;
    forget_uploads(context, old(UPLOADS)).await?;
    while db.write(Urgency::Last, move |tx| Box::pin(events::forget(tx, old(EVENTS), SLICE))).await? > 0 {}
    Ok(())
}

/// The bytes first: a row without them is found again, bytes without a row never.
async fn forget_uploads(context: &Context, before: Micros) -> Result<(), StoreError> {
    let unused = uploads::unused(context.db.reader().await?.conn(), before, SLICE).await?;
    // An empty place is nobody's: with it go those whose bytes belong to messages.
    for place in unused.into_iter().chain([String::new()]) {
        if !place.is_empty()
            && let Err(error) = context.depot.remove(&place).await
        {
            tracing::warn!(%error, "a file that nobody needs is left for the next time");
            continue;
        }
        let job = context.db.write(Urgency::Last, move |tx| {
            let place = place.clone();
            Box::pin(async move { uploads::forget(tx, before, &place).await })
        });
        job.await?;
    }
    Ok(())
}

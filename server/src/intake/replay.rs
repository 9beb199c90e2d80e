//! Dead letters read again: after a fix, or once their channel is configured.

use super::{Numbers, line, sort};
use crate::{
    Context,
    store::{StoreError, Urgency, letters},
};

/// What came of a replay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Letters that could be read now.
    pub read: usize,
    /// New messages found in them.
    pub messages: usize,
    /// Letters that still nobody can read.
    pub dead: usize,
}

const AT_ONCE: i64 = 1_000;

/// Reads up to a thousand dead letters again, oldest first. What was stored of them before is known.
/// What still cannot be read waits on, or is `put_away`: kept, and not counted any more.
///
/// # Errors
/// If the store fails; letters before it are done.
pub async fn replay(context: &Context, put_away: bool) -> Result<Replayed, StoreError> {
    let numbers = Numbers::load(context).await?;
    let mut reader = context.db.reader().await?;
    let waiting = letters::waiting(reader.conn(), AT_ONCE).await?;
    drop(reader);
    let mut replayed = Replayed::default();
    for letter in waiting {
        let batch = sort::sort(&letter.body, &letter.app, &numbers, context);
        if !batch.letters.is_empty() {
            replayed.dead += 1;
            if !put_away {
                continue;
            }
        } else {
            replayed.messages += line::store(context, &numbers.policies, batch).await?.messages;
            replayed.read += 1;
        }
        let now = context.clock.now();
        let id = letter.id;
        context
            .db
            .write(Urgency::First, move |tx| Box::pin(async move { letters::replayed(tx, id, now).await }))
            .await?;
    }
    Ok(replayed)
}

//! Keeps what the business knows fresh: files that were written since they were read, pages of the web every so
//! often, and vectors of what has none.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{
    Context,
    knowledge::{Became, Embedder, Librarian},
    store::{StoreError, knowledge},
};

const EVERY: Duration = Duration::from_secs(5);
/// An embedder that does not answer is asked again after this.
const AFTER_ERROR: Duration = Duration::from_secs(60);

/// Who does the work.
#[derive(Clone, Debug)]
pub struct Keeper {
    pub librarian: Librarian,
    pub embedder: Option<Embedder>,
}

/// Looks after the documents until `stop`.
pub async fn run(context: Context, keeper: Keeper, stop: CancellationToken) {
    let mut embedded = 0;
    loop {
        let round = tokio::select! {
            () = stop.cancelled() => return,
            round = round(&context, &keeper, &mut embedded) => round,
        };
        let wait = match round {
            Ok(()) => EVERY,
            Err(why) => {
                tracing::warn!(why, "the knowledge is as old as it was");
                AFTER_ERROR
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => (),
        }
    }
}

/// One look at everything. `embedded` is the version of which all chunks had vectors at the last look.
async fn round(context: &Context, keeper: &Keeper, embedded: &mut i64) -> Result<(), String> {
    let told = |why: StoreError| why.to_string();
    read_again(context, keeper).await.map_err(told)?;
    let Some(embedder) = &keeper.embedder else { return Ok(()) };
    let version = version(context).await.map_err(told)?;
    if version != *embedded {
        while keeper.librarian.embed(embedder).await? > 0 {}
        // Making them is a change, too; another one in between is seen by the next look.
        *embedded = self::version(context).await.map_err(told)?;
    }
    Ok(())
}

async fn version(context: &Context) -> Result<i64, StoreError> {
    knowledge::version(context.db.reader().await?.conn()).await
}

async fn read_again(context: &Context, keeper: &Keeper) -> Result<(), StoreError> {
    let documents = knowledge::every(context.db.reader().await?.conn()).await?;
    for document in documents {
        if !keeper.librarian.is_due(&document, context.settings.knowledge.refresh).await {
            continue;
        }
        match keeper.librarian.refresh(&document).await? {
            Became::Same | Became::Overtaken => (),
            Became::Read { chunks } => tracing::info!(document = %document.id, chunks, "a document was read again"),
            Became::Failed(_) => tracing::warn!(
                document = %document.id,
                "a document cannot be read: `baton-server knowledge list` says why"
            ),
        }
    }
    Ok(())
}

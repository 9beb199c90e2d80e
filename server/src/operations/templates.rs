//! Keeps the templates as Meta has them: at the start, every hour, and when a webhook says that one
//! has changed.

use std::{collections::BTreeMap, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::{
    Context,
    store::{
        StoreError, Urgency,
        templates::{self, Stored},
        wakes::Topic,
    },
    whatsapp::graph::{CallError, Graph},
};

const EVERY: Duration = Duration::from_secs(3_600);
const AFTER_ERROR: Duration = Duration::from_secs(60);
const DEADLINE: Duration = Duration::from_secs(20);
/// 6,000 templates are the most that an account may have, 100 a page.
const PAGES: usize = 60;

/// Syncs the templates of every account until `stop`; each account with one token that may see it.
pub async fn run(context: Context, graphs: BTreeMap<String, Graph>, stop: CancellationToken) {
    let mut bell = context.db.wakes().listen(Topic::Templates);
    while !stop.is_cancelled() {
        bell.mark_unchanged();
        let mut again_in = EVERY;
        for (account, graph) in &graphs {
            let synced = tokio::select! {
                () = stop.cancelled() => return,
                synced = sync(&context, account, graph) => synced,
            };
            if let Err(error) = synced {
                tracing::warn!(account, %error, "templates are as old as they were");
                again_in = AFTER_ERROR;
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tokio::time::timeout(again_in, bell.changed()) => (),
        }
    }
}

/// Why templates could not be synced.
#[derive(Debug, thiserror::Error)]
enum SyncError {
    #[error("Graph: {0}")]
    Graph(#[from] CallError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

async fn sync(context: &Context, account: &str, graph: &Graph) -> Result<(), SyncError> {
    let now = context.clock.now();
    let mut all = Vec::new();
    let mut after = None;
    for _ in 0..PAGES {
        let page = graph.templates(account, after.as_deref(), DEADLINE).await?;
        all.extend(page.templates.into_iter().map(|template| Stored {
            account: account.to_owned(),
            name: template.name,
            language: template.language,
            category: template.category,
            status: template.status,
            quality: template.quality,
            components: template.components,
            synced_at: now,
        }));
        after = page.after;
        if after.is_none() {
            break;
        }
    }
    let account = account.to_owned();
    let job = context.db.write(Urgency::Last, move |tx| {
        let (account, all) = (account.clone(), all.clone());
        Box::pin(async move { templates::replace(tx, &account, &all, now).await })
    });
    Ok(job.await?)
}

//! The courier: queued messages on their way to Meta, in order within a conversation, no faster
//! than Meta allows, and never twice by itself.

mod courier;
mod metas_clock;
mod porter;
mod rates;

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    Context,
    store::{StoreError, channels::Channel, wakes::Topic},
    whatsapp::graph::{Graph, Transport},
};

pub use courier::{Courier, Job};

/// A wake-up can be lost with the process that sent it: looked at least this often.
const POLL: Duration = Duration::from_millis(500);
/// After a store that failed.
const BREATH: Duration = Duration::from_millis(500);

/// Who speaks to Graph for each channel of the settings.
pub fn graphs(context: &Context, transport: &Arc<dyn Transport>) -> HashMap<String, Graph> {
    let whatsapp = &context.settings.whatsapp;
    let graph = |channel| Graph::of(transport.clone(), channel);
    whatsapp.channels.iter().map(|one| (one.phone_number_id.clone(), graph(one))).collect()
}

/// Drives one channel's outbox until `stop`; requests that are on their way are waited for.
pub async fn run(context: Context, channel: Channel, graph: Graph, stop: CancellationToken) {
    let mut bell = context.db.wakes().listen(Topic::Outbox);
    let mut courier = Courier::new(context, channel, graph);
    // Tasks of their own: one that waits for a connection while nobody polls it would hold it
    // against the look that waits here.
    let mut under_way = JoinSet::new();
    while !stop.is_cancelled() {
        bell.mark_unchanged();
        let wait = match courier.look().await {
            Ok(look) => {
                for job in look.jobs {
                    under_way.spawn(courier.carry(job));
                }
                look.again_in.min(POLL)
            }
            Err(error) => {
                log(&error);
                BREATH
            }
        };
        tokio::select! {
            () = stop.cancelled() => (),
            Some(done) = under_way.join_next() => ended(done),
            _ = bell.changed() => (),
            () = tokio::time::sleep(wait) => (),
        }
    }
    courier.put_down();
    while let Some(done) = under_way.join_next().await {
        ended(done);
    }
    courier.let_go().await;
}

fn ended(done: Result<Result<(), StoreError>, JoinError>) {
    match done {
        Ok(Ok(())) => (),
        Ok(Err(error)) => log(&error),
        Err(error) => {
            tracing::error!(%error, "a send broke off; its message is looked after when its deadline is over")
        }
    }
}

fn log(error: &StoreError) {
    tracing::error!(error = error as &dyn std::error::Error, "the outbox cannot use the store; it goes on trying");
}

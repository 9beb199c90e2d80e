//! Messages that Meta took and never said more about: what became of them is asked, slowly, and settled.

use std::{collections::HashMap, time::Duration};

use baton_shared::ChannelId;
use tokio_util::sync::CancellationToken;

use super::numbers::Number;
use crate::{
    Context,
    store::{
        StoreError, Urgency,
        deliveries::{self, Batch, Policies, StatusNews},
        messages::{self, Stored},
        receipts::Price,
    },
    whatsapp::graph::CallError,
};

const EVERY: Duration = Duration::from_secs(60);
/// A status comes within seconds, or after an outage within minutes.
const MISSING_AFTER: Duration = Duration::from_secs(15 * 60);
const AGAIN_AFTER: Duration = Duration::from_secs(6 * 3_600);
/// Meta itself tries for a week.
const OLDEST: Duration = Duration::from_secs(7 * 24 * 3_600);
/// The management API allows 200 requests an hour.
const AT_ONCE: i64 = 2;
const DEADLINE: Duration = Duration::from_secs(20);

/// Asks for what is missing until `stop`.
pub async fn run(context: Context, numbers: Vec<Number>, stop: CancellationToken) {
    let numbers: HashMap<ChannelId, Number> = numbers.into_iter().map(|number| (number.channel, number)).collect();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => (),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            asked = step(&context, &numbers) => {
                if let Err(error) = asked {
                    tracing::warn!(%error, "statuses that are missing cannot be asked for");
                }
            }
        }
    }
}

/// Asks for some of what is missing; returns for how many.
///
/// # Errors
/// If the store fails.
pub async fn step(context: &Context, numbers: &HashMap<ChannelId, Number>) -> Result<usize, StoreError> {
    let now = context.clock.now();
    let (since, before, looked) = (now.minus(OLDEST), now.minus(MISSING_AFTER), now.minus(AGAIN_AFTER));
    let job = context.db.write(Urgency::Last, move |tx| {
        Box::pin(async move { messages::take_silent(tx, since, before, looked, now, AT_ONCE).await })
    });
    let silent = job.await?;
    for message in &silent {
        let Some(number) = numbers.get(&message.channel) else { continue };
        match ask(context, number, message).await {
            Ok(()) => {}
            Err(AskError::Graph(error)) => {
                tracing::info!(message = %message.id, %error, "Meta does not say what became of a message");
            }
            Err(AskError::Store(error)) => return Err(error),
        }
    }
    Ok(silent.len())
}

#[derive(Debug, thiserror::Error)]
enum AskError {
    #[error("Graph: {0}")]
    Graph(#[from] CallError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

async fn ask(context: &Context, number: &Number, message: &Stored) -> Result<(), AskError> {
    let Some(wamid) = message.wamid.clone() else { return Ok(()) };
    let noted = number.graph.message_history(&number.phone_number_id, &wamid, DEADLINE).await?;
    let statuses: Vec<StatusNews> = noted
        .into_iter()
        .map(|one| StatusNews {
            channel: number.channel,
            wamid: wamid.clone(),
            recipient: None,
            attempt: None,
            state: one.state,
            second: one.second,
            code: None,
            price: Price::default(),
        })
        .collect();
    if statuses.is_empty() {
        return Ok(());
    }
    tracing::info!(message = %message.id, "what became of a message was asked for");
    let (at, ids) = (context.moment(), context.ids.clone());
    let batch = Batch { statuses, ..Batch::default() };
    let job = context.db.write(Urgency::Deliveries, move |tx| {
        let (batch, ids) = (batch.clone(), ids.clone());
        Box::pin(async move { deliveries::store(tx, &batch, &Policies::default(), at, &ids).await })
    });
    job.await?;
    Ok(())
}

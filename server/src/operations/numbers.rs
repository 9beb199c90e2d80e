//! Asks Graph how our numbers stand: at the start, every hour, and when a webhook says that something has
//! changed without saying of which number.

use std::time::Duration;

use baton_shared::ChannelId;
use tokio_util::sync::CancellationToken;

use crate::{
    Context,
    domain::standing::{Effect, Standing, Stop, Weight},
    store::{
        StoreError, Urgency,
        standings::{self, Said},
        wakes::Topic,
    },
    whatsapp::{
        graph::{CallError, Graph, PhoneNumber},
        payload::account,
    },
};

const EVERY: Duration = Duration::from_secs(3_600);
const AFTER_ERROR: Duration = Duration::from_secs(60);
const DEADLINE: Duration = Duration::from_secs(20);

const STATUS: &str = "status";

/// What Graph's word for the number's state can say.
const BY_STATUS: &[Stop] = &[Stop::Banned, Stop::Restricted, Stop::Deleted, Stop::Disconnected];

/// One number and the token that may see it.
#[derive(Clone, Debug)]
pub struct Number {
    pub channel: ChannelId,
    pub account: String,
    pub phone_number_id: String,
    pub graph: Graph,
}

/// Looks after the numbers until `stop`.
pub async fn run(context: Context, numbers: Vec<Number>, stop: CancellationToken) {
    let mut bell = context.db.wakes().listen(Topic::Templates);
    while !stop.is_cancelled() {
        bell.mark_unchanged();
        let mut again_in = EVERY;
        for number in &numbers {
            let looked = tokio::select! {
                () = stop.cancelled() => return,
                looked = look(&context, number) => looked,
            };
            if let Err(error) = looked {
                tracing::warn!(channel = %number.channel, %error, "nobody knows how a number stands at Meta");
                again_in = AFTER_ERROR;
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tokio::time::timeout(again_in, bell.changed()) => (),
        }
    }
}

/// Why it could not be asked or kept.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    #[error("Graph: {0}")]
    Graph(#[from] CallError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Asks of one number and keeps what is said.
///
/// # Errors
/// If Graph or the store does not answer; what was known stays.
pub async fn look(context: &Context, number: &Number) -> Result<(), LookError> {
    let found = number.graph.phone_number(&number.phone_number_id, DEADLINE).await?;
    let mut reader = context.db.reader().await?;
    let was_stopped = standings::was_alarming(reader.conn(), &number.account, &number.phone_number_id, STATUS).await?;
    drop(reader);
    let now = context.clock.now();
    let said: Vec<Said> = standings_of(&found, was_stopped)
        .into_iter()
        .map(|standing| Said { account: number.account.clone(), channel: Some(number.channel), standing, at: now })
        .collect();
    let job = context.db.write(Urgency::Last, move |tx| {
        let said = said.clone();
        Box::pin(async move { standings::store(tx, &said, now).await })
    });
    Ok(job.await?)
}

/// `was_stopped`: the last look found that nothing can be sent; what a webhook said Graph's word does not lift.
fn standings_of(found: &PhoneNumber, was_stopped: bool) -> Vec<Standing> {
    let one = |topic, code: &str, weight, effects| Standing {
        topic,
        subject: String::new(),
        code: code.to_owned(),
        detail: String::new(),
        weight,
        effects,
    };
    let mut all = Vec::new();
    if let Some(word) = &found.quality_rating {
        all.push(one("quality", word, account::quality(word), vec![Effect::Quality(word.clone())]));
    }
    if let Some(rate) = found.throughput.as_deref().and_then(account::per_second) {
        all.push(one("throughput", &rate.to_string(), Weight::Fine, vec![Effect::PerSecond(rate)]));
    }
    if let Some(limit) = &found.messaging_limit {
        all.push(one("limit", limit, Weight::Fine, vec![Effect::Limit(limit.clone())]));
    }
    if let Some(status) = &found.status {
        match account::stopped(status) {
            Some(why) => {
                all.push(one(STATUS, status, Weight::Alarm, vec![Effect::Stop { why, until: None }]));
            }
            None if status == "CONNECTED" && was_stopped => {
                all.push(one(STATUS, status, Weight::Fine, vec![Effect::Lift(BY_STATUS)]));
            }
            None => all.push(one(STATUS, status, Weight::Fine, vec![])),
        }
    }
    all
}

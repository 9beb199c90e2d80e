//! What time does to conversations: those of an agent who is gone go back to the queue, as do those
//! whose customer waits too long, a pause after a reply on the phone ends, and whoever waits is not forgotten.

use std::{collections::HashSet, time::Duration};

use baton_shared::{AgentId, Control, ConversationId, protocol::PRESENCE_ENDS};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::waiting;
use crate::{
    Context,
    domain::control::{Step, Who},
    store::{
        Moment, StoreError, Tx, Urgency, agents,
        control::{self, Because},
        conversations::{self, Conversation, Owned},
        events::{self, Event},
    },
};

/// How often it is looked for; everything here is a matter of many seconds.
const EVERY: Duration = Duration::from_secs(1);

/// So many pauses end, and so many who wait are looked at, at a time.
const AT_ONCE: i64 = 200;

/// Looks every second until `stop`. Begins when everybody who was here before this server has had
/// the time to come back.
pub async fn run(context: Context, stop: CancellationToken) {
    let mut pause = PRESENCE_ENDS;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = sleep(pause) => (),
        }
        pause = EVERY;
        if let Err(error) = step(&context).await {
            tracing::warn!(%error, "lost agents cannot be looked for; trying again");
        }
    }
}

/// Does what is due now; returns how many conversations changed.
pub async fn step(context: &Context) -> Result<usize, StoreError> {
    let here = here(context).await?;
    let (owned, overtaken) = {
        let mut reader = context.db.reader().await?;
        let owned = conversations::owned(reader.conn()).await?;
        (owned, conversations::overtaken(reader.conn(), context.db.time(), AT_ONCE).await?)
    };
    let at = context.moment();
    let due = owned.iter().filter(|owned| verdict(context, owned, here.contains(&owned.owner), at) != Verdict::Leave);
    let mut changed = 0;
    for id in due.map(|owned| owned.id).chain(overtaken) {
        changed += usize::from(settle(context, id).await?);
    }
    Ok(changed)
}

async fn here(context: &Context) -> Result<HashSet<AgentId>, StoreError> {
    let since = context.db.time().minus(PRESENCE_ENDS);
    let who = agents::who(context.db.reader().await?.conn(), since).await?;
    Ok(who.into_iter().map(|here| here.agent).collect())
}

/// What is to be done with a conversation in an agent's hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Leave,
    /// They have gone: the time begins to run.
    Miss,
    /// They came back in time.
    Forgive,
    /// Back to the queue, for this reason.
    Release(&'static str),
}

fn verdict(context: &Context, owned: &Owned, here: bool, at: Moment) -> Verdict {
    let waits_since = owned.unanswered_since.map(|since| since.max(owned.since));
    if waits_since.is_some_and(|since| since.plus(context.settings.inbox.idle) <= at.now) {
        return Verdict::Release("owner_idle");
    }
    match (owned.returns_at, here) {
        (None, true) => Verdict::Leave,
        (None, false) => Verdict::Miss,
        (Some(_), true) => Verdict::Forgive,
        (Some(due), false) if due <= at.time => Verdict::Release("owner_lost"),
        (Some(_), false) => Verdict::Leave,
    }
}

/// Decides once more under the conversation's lock. Whether it changed.
async fn settle(context: &Context, id: ConversationId) -> Result<bool, StoreError> {
    let outer = context.clone();
    let job = context.db.write(Urgency::First, move |tx| {
        let context = outer.clone();
        Box::pin(async move {
            let Some(mut thread) = conversations::lock(tx, id).await? else { return Ok(false) };
            let at = context.moment();
            let changed = match thread.control {
                Control::Agent { .. } => settle_owned(tx, &context, &mut thread, at).await?,
                Control::Phone { .. } => end_pause(tx, &context, &mut thread, at).await?,
                Control::Waiting { .. } => waiting::settle(tx, &context, &mut thread, at).await?,
                Control::Bot | Control::Elsewhere | Control::Resolved { .. } => false,
            };
            if changed {
                thread.updated_at = at.now;
                conversations::save(tx, &thread).await?;
            }
            Ok(changed)
        })
    });
    job.await
}

async fn settle_owned(
    tx: &mut Tx,
    context: &Context,
    thread: &mut Conversation,
    at: Moment,
) -> Result<bool, StoreError> {
    let Control::Agent { agent, since } = thread.control else { return Ok(false) };
    let who = agents::who(tx.conn(), at.time.minus(PRESENCE_ENDS)).await?;
    let here = who.iter().any(|here| here.agent == agent);
    let (unanswered_since, returns_at) = (thread.unanswered_since, thread.returns_at);
    let owned = Owned { id: thread.id, owner: agent, since, unanswered_since, returns_at };
    let event = |kind| Event::new(kind, at.now).of(thread.id).by(Some(agent)).under(thread.epoch);
    match verdict(context, &owned, here, at) {
        Verdict::Leave => return Ok(false),
        Verdict::Miss => {
            let event = event("owner_lost");
            thread.returns_at = Some(at.time_in(context.settings.inbox.grace));
            events::append(tx, event).await?;
        }
        Verdict::Forgive => {
            let event = event("owner_back");
            thread.returns_at = None;
            events::append(tx, event).await?;
        }
        Verdict::Release(reason) => {
            let because = Because::reason(reason);
            let passed = control::pass(tx, thread, Step::Release, Who::Time, &because, at, &context.ids).await?;
            return Ok(passed.is_ok_and(|passed| passed.changed));
        }
    }
    Ok(true)
}

async fn end_pause(tx: &mut Tx, context: &Context, thread: &mut Conversation, at: Moment) -> Result<bool, StoreError> {
    if thread.returns_at.is_none_or(|due| due > at.time) {
        return Ok(false);
    }
    let step = Step::PauseEnds { unanswered: thread.unanswered_since.is_some() };
    let because = Because::reason("pause_ended");
    match control::pass(tx, thread, step, Who::Time, &because, at, &context.ids).await? {
        Ok(passed) => Ok(passed.changed),
        Err(refused) => {
            // The wall's clock and that of leases disagree by a little: a moment later they will not.
            tracing::debug!(conversation = %thread.id, %refused, "a pause that cannot end yet");
            Ok(false)
        }
    }
}

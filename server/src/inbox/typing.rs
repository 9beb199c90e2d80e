//! The customer sees that somebody types: only while the agent who owns their conversation writes to
//! them, never because of a note or a watcher.

use std::time::Duration;

use baton_shared::{AgentId, ConversationId, protocol::Doing};
use tokio::time::Instant;

use crate::{
    Context,
    store::{StoreError, Urgency, channels, conversations, outbox},
};

/// WhatsApp takes the sign away after 25 s, or when a message arrives.
const SHOWS: Duration = Duration::from_secs(20);

/// What one connection's customers see of it.
#[derive(Debug, Default)]
pub(super) struct Typing {
    shown: Option<(ConversationId, Instant)>,
}

impl Typing {
    /// Nothing depends on it: what cannot be shown is not worth a second try.
    pub(super) async fn show(&mut self, context: &Context, agent: AgentId, doing: Doing) {
        let Some(conversation) = doing.viewing.filter(|_| doing.typing && doing.to_customer) else { return };
        let now = Instant::now();
        if self.shown.is_some_and(|(shown, at)| shown == conversation && now < at + SHOWS) {
            return;
        }
        self.shown = Some((conversation, now));
        if let Err(error) = show(context, agent, conversation).await {
            tracing::debug!(%error, %conversation, "a customer is not shown that somebody types");
        }
    }
}

async fn show(context: &Context, agent: AgentId, conversation: ConversationId) -> Result<(), StoreError> {
    let job = context.db.write(Urgency::First, move |tx| {
        Box::pin(async move {
            let thread = conversations::lock(tx, conversation).await?;
            let Some(mut thread) = thread.filter(|thread| thread.control.owner() == Some(agent)) else {
                return Ok(());
            };
            let channel = channels::by_id(tx.conn(), thread.channel).await?;
            if channel.is_some_and(|channel| channel.sending_on) {
                outbox::show_typing(tx, &mut thread).await?;
            }
            Ok(())
        })
    });
    job.await
}

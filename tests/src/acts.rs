//! What agents, the bot and the operator do, straight in the store of a server.

use std::sync::Arc;

use baton_server::{
    Context,
    domain::control::{Refused, Step, Who},
    store::{
        Tx, Urgency, Work,
        agents::{self, Agent},
        channels::{self, Channel},
        control::{self, Because, Passed},
        conversations::{self, Conversation},
        messages::{self, Stored},
        outbox,
        proposals::{self, Proposal},
        wakes::Topic,
    },
};
use baton_shared::{AgentId, ConversationId, MessageId, Role, message::Author};

use crate::scene::locked;

/// The hands of a test in one store.
#[derive(Clone, Debug)]
pub struct Acts(pub Context);

impl Acts {
    pub async fn add_agent(&self, name: &str) -> AgentId {
        let now = self.0.clock.now();
        let id = self.0.ids.next(now);
        let agent =
            Agent { id, name: name.into(), role: Role::Agent, team: String::new(), created_at: now, disabled_at: None };
        self.write(move |tx| {
            let agent = agent.clone();
            Box::pin(async move { agents::insert(tx, &agent, &agent.name).await })
        })
        .await;
        id
    }

    /// Queues a word under the present epoch.
    pub async fn queue(&self, conversation: ConversationId, author: Author, words: &str) -> MessageId {
        self.queue_parts(conversation, author, &[words]).await[0]
    }

    /// Queues the parts of one answer in one transaction.
    pub async fn queue_parts(&self, conversation: ConversationId, author: Author, parts: &[&str]) -> Vec<MessageId> {
        let at = self.0.moment();
        let turn = Some(self.0.ids.next(at.now));
        let parts: Vec<(MessageId, String)> =
            parts.iter().map(|words| (self.0.ids.next(at.now), (*words).to_owned())).collect();
        let ids = parts.iter().map(|(id, _)| *id).collect();
        self.write(move |tx| {
            let parts = parts.clone();
            Box::pin(async move {
                let mut thread = locked(tx, conversation).await?;
                let (id, channel, epoch) = (thread.id, thread.channel, thread.epoch);
                let part = |(message, words)| Stored {
                    turn,
                    ..Stored::queued(message, id, channel, author, words, epoch, at.now, at.time)
                };
                outbox::queue(tx, &mut thread, parts.into_iter().map(part).collect(), at).await?;
                conversations::save(tx, &thread).await
            })
        })
        .await;
        ids
    }

    pub async fn take(&self, conversation: ConversationId, agent: AgentId) -> Passed {
        let who = Who::Agent { id: agent, role: Role::Agent };
        self.step(conversation, Step::Take { granted_elsewhere: false }, who).await.expect("free to take")
    }

    pub async fn step(&self, conversation: ConversationId, step: Step, who: Who) -> Result<Passed, Refused> {
        let (at, ids) = (self.0.moment(), self.0.ids.clone());
        self.write(move |tx| {
            let ids = ids.clone();
            Box::pin(async move {
                let mut thread = locked(tx, conversation).await?;
                let passed = control::pass(tx, &mut thread, step, who, &Because::reason("test"), at, &ids).await?;
                conversations::save(tx, &thread).await?;
                Ok(passed)
            })
        })
        .await
    }

    /// Marks the customer's last word as read, with typing dots.
    pub async fn mark_read(&self, conversation: ConversationId, wamid: &str) {
        let wamid: Arc<str> = wamid.into();
        self.write(move |tx| {
            let wamid = wamid.clone();
            Box::pin(async move {
                let mut thread = locked(tx, conversation).await?;
                thread.mark_wamid = Some(wamid.as_ref().into());
                thread.mark_typing = true;
                tx.wake(Topic::Outbox);
                conversations::save(tx, &thread).await
            })
        })
        .await;
    }

    /// Turns the bot, or all sending, of the one channel on or off.
    pub async fn switch(&self, bot_on: bool, sending_on: bool) {
        let channel = self.channel().await.id;
        self.write(move |tx| Box::pin(async move { channels::switch(tx, channel, bot_on, sending_on).await })).await;
    }

    /// The one channel there is.
    pub async fn channel(&self) -> Channel {
        let mut reader = self.0.db.reader().await.expect("a reader");
        channels::every(reader.conn()).await.expect("a read").remove(0)
    }

    pub async fn thread(&self, id: ConversationId) -> Conversation {
        let mut reader = self.0.db.reader().await.expect("a reader");
        conversations::by_id(reader.conn(), id).await.expect("a read").expect("the conversation")
    }

    /// The conversation in which this message of a customer's stands, once it is stored.
    pub async fn conversation_of(&self, wamid: &str) -> Option<ConversationId> {
        let mut reader = self.0.db.reader().await.expect("a reader");
        messages::by_wamids(reader.conn(), [wamid]).await.expect("a read").pop().map(|(_, _, thread)| thread)
    }

    /// The message that Meta calls so.
    pub async fn message_of(&self, wamid: &str) -> MessageId {
        let mut reader = self.0.db.reader().await.expect("a reader");
        let found = messages::by_wamids(reader.conn(), [wamid]).await.expect("a read");
        found.first().expect("it is stored").1
    }

    pub async fn message(&self, id: MessageId) -> Stored {
        let mut reader = self.0.db.reader().await.expect("a reader");
        messages::by_id(reader.conn(), id).await.expect("a read").expect("the message")
    }

    pub async fn proposals(&self, conversation: ConversationId) -> Vec<Proposal> {
        let mut reader = self.0.db.reader().await.expect("a reader");
        proposals::open(reader.conn(), conversation).await.expect("a read")
    }

    pub async fn write<T, F>(&self, job: F) -> T
    where
        T: Send + 'static,
        F: for<'t> FnMut(&'t mut Tx) -> Work<'t, T> + Send + 'static,
    {
        self.0.db.write(Urgency::First, job).await.expect("a write")
    }
}

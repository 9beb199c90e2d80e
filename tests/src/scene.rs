//! A shop, a customer who wrote, and agents: the smallest scene in which a baton can be passed.

use std::sync::Arc;

use baton_server::{
    domain::control::{Refused, Step, Who},
    store::{
        StoreError, Tx, Urgency, Work,
        agents::{self, Agent},
        channels::{self, Channel},
        control::{self, Because, Passed},
        conversations::{self, Conversation},
        deliveries::{self, Arrival, Batch, Origin, Policies},
        messages::{self, Stored},
        outbox::{self, Candidate, Started},
        proposals::{self, Proposal},
    },
};
use baton_shared::{AgentId, ChannelId, ConversationId, MessageId, Role, message::Author};

use crate::store::TestStore;

pub struct Scene {
    pub store: TestStore,
    pub channel: ChannelId,
    pub conversation: ConversationId,
}

impl Scene {
    /// One customer wrote one line; the bot has the baton.
    pub async fn new(store: TestStore) -> Self {
        let channel = add_channel(&store, "1055").await;
        let second = store.moment().now.seconds();
        deliver(&store, vec![text(channel, "wamid.hello", "15550001", second)]).await;
        let mut scene = Self { store, channel, conversation: ConversationId(uuid::Uuid::nil()) };
        let mut reader = scene.store.db.reader().await.expect("a reader");
        let known = messages::by_wamids(reader.conn(), ["wamid.hello"]).await.expect("the message");
        scene.conversation = known[0].2;
        scene
    }

    pub async fn add_agent(&self, name: &str, role: Role) -> Agent {
        let now = self.store.moment().now;
        let agent = Agent {
            id: self.store.ids.next(now),
            name: name.into(),
            role,
            team: String::new(),
            created_at: now,
            disabled_at: None,
        };
        let new = agent.clone();
        self.write(move |tx| {
            let new = new.clone();
            Box::pin(async move { agents::insert(tx, &new, &new.name).await })
        })
        .await;
        agent
    }

    /// Queues a word of the bot's under the present epoch.
    pub async fn queue(&self, author: Author, words: &str) -> MessageId {
        let (at, words) = (self.store.moment(), words.to_owned());
        let (id, conversation): (MessageId, _) = (self.store.ids.next(at.now), self.conversation);
        self.write(move |tx| {
            let words = words.clone();
            Box::pin(async move {
                let mut thread = locked(tx, conversation).await?;
                let message =
                    Stored::queued(id, thread.id, thread.channel, author, words, thread.epoch, at.now, at.time);
                messages::insert(tx, &message).await?;
                thread.last_message = Some(id);
                conversations::save(tx, &thread).await
            })
        })
        .await;
        id
    }

    pub async fn take(&self, agent: AgentId) -> Result<Passed, Refused> {
        self.step(Step::Take { granted_elsewhere: false }, Who::Agent { id: agent, role: Role::Agent }).await
    }

    pub async fn step(&self, step: Step, who: Who) -> Result<Passed, Refused> {
        let (at, ids, conversation) = (self.store.moment(), self.store.ids.clone(), self.conversation);
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

    /// The transaction that marks a message `sending`.
    pub async fn start(&self, message: MessageId) -> Started {
        let (at, ids, candidate) = (self.store.moment(), self.store.ids.clone(), self.candidate(message));
        self.write(move |tx| {
            let ids = ids.clone();
            Box::pin(async move { outbox::start(tx, candidate, at, &ids).await })
        })
        .await
    }

    pub fn candidate(&self, message: MessageId) -> Candidate {
        Candidate { message, conversation: self.conversation, author: Author::Bot }
    }

    pub async fn thread(&self) -> Conversation {
        let mut reader = self.store.db.reader().await.expect("a reader");
        conversations::by_id(reader.conn(), self.conversation).await.expect("a read").expect("the conversation")
    }

    pub async fn message(&self, id: MessageId) -> Stored {
        let mut reader = self.store.db.reader().await.expect("a reader");
        messages::by_id(reader.conn(), id).await.expect("a read").expect("the message")
    }

    pub async fn proposals(&self) -> Vec<Proposal> {
        let mut reader = self.store.db.reader().await.expect("a reader");
        proposals::open(reader.conn(), self.conversation).await.expect("a read")
    }

    pub async fn write<T, F>(&self, job: F) -> T
    where
        T: Send + 'static,
        F: for<'t> FnMut(&'t mut Tx) -> Work<'t, T> + Send + 'static,
    {
        self.store.db.write(Urgency::First, job).await.expect("a write")
    }
}

/// # Errors
/// If it cannot be read.
pub async fn locked(tx: &mut Tx, id: ConversationId) -> Result<Conversation, StoreError> {
    conversations::lock(tx, id).await?.ok_or(StoreError::Corrupt("the conversation is gone"))
}

pub async fn add_channel(store: &TestStore, phone_number_id: &str) -> ChannelId {
    let id = store.ids.next(store.moment().now);
    let channel = Channel {
        id,
        app: "default".into(),
        phone_number_id: phone_number_id.into(),
        business_account_id: "2055".into(),
        name: "shop".into(),
        team: String::new(),
        bot_on: true,
        sending_on: true,
        clock_offset: 0,
        meta: channels::Meta::default(),
    };
    let job = store.db.write(Urgency::First, move |tx| {
        let channel = channel.clone();
        Box::pin(async move { channels::put(tx, &channel).await })
    });
    job.await.expect("a write");
    id
}

pub fn text(channel: ChannelId, wamid: &str, phone: &str, second: i64) -> Arrival {
    Arrival {
        channel,
        scope: "default".into(),
        user_id: None,
        phone: Some(phone.into()),
        name: Some("Ana".into()),
        username: None,
        group: None,
        wamid: wamid.into(),
        kind: "text".into(),
        text: "hello".into(),
        detail: None,
        quoted: None,
        file: None,
        moved_to: None,
        raw: None,
        second: Some(second),
        index: 0,
        opens_window: true,
        origin: Origin::Direct,
        by_business: false,
    }
}

pub async fn deliver(store: &TestStore, arrivals: Vec<Arrival>) -> deliveries::Kept {
    let (batch, at, ids) = (Arc::new(Batch { arrivals, ..Batch::default() }), store.moment(), store.ids.clone());
    let job = store.db.write(Urgency::Deliveries, move |tx| {
        let (batch, ids) = (batch.clone(), ids.clone());
        Box::pin(async move { deliveries::store(tx, &batch, &Policies::default(), at, &ids).await })
    });
    job.await.expect("a write")
}

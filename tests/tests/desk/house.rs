//! A desk on a real socket, its people, its customers, and a screen that proves what it was shown.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use baton_server::{
    Context,
    config::{AgentsSee, Settings},
    domain::outgoing::Outcome,
    inbox::{self, Options},
    lifecycle::Lifecycle,
    store::{
        Db, Moment, StoreError, Tx, Urgency, Work,
        agents::{self, Agent},
        channels::{self, Channel},
        conversations::{self, Conversation},
        deliveries::{self, Arrival, Batch, Origin, Policies},
        messages::{self, Stored},
        outbox::{self, Candidate, Report, Started},
    },
};
use baton_shared::{
    AgentId, ChannelId, Clock, CommandId, ConversationId, MessageId, Micros, Role,
    message::{Author, Delivery, Message},
    protocol::{
        Act, Answer, Card, ClientFrame, Command, Cursor, Event, FRAME_LIMIT, PROTOCOL, Person, Presence, Row,
        ServerFrame, SignedIn, Thread,
    },
};
use baton_tests::store::TestStore;
use futures::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{self, client::IntoClientRequest, protocol::CloseFrame},
};

/// However slow the machine, nothing here takes so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// A store with one number, and what a server needs.
pub(crate) struct House {
    pub(crate) store: TestStore,
    pub(crate) context: Context,
    pub(crate) channel: ChannelId,
    wamids: AtomicU32,
}

/// A desk that listens. Cut off when dropped.
pub(crate) struct Desk {
    pub(crate) address: SocketAddr,
    pub(crate) life: Lifecycle,
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.life.cut();
    }
}

/// Somebody who has signed in.
#[derive(Clone, Debug)]
pub(crate) struct Signed {
    pub(crate) id: AgentId,
    pub(crate) token: String,
}

impl House {
    pub(crate) async fn open(store: TestStore) -> Self {
        Self::with(store, |_| ()).await
    }

    /// With settings of its own.
    pub(crate) async fn with(store: TestStore, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::load(None, &|_| None).unwrap();
        change(&mut settings);
        let (db, clock, ids) = (store.db.clone(), store.clock.clone(), store.ids.clone());
        let context = Context::new(db, clock, ids, settings).unwrap();
        let channel = store.ids.next(store.clock.now());
        let house = Self { store, context, channel, wamids: AtomicU32::new(0) };
        house.put_channel(channel, "1055", "").await;
        house
    }

    pub(crate) async fn put_channel(&self, id: ChannelId, phone_number_id: &str, team: &str) {
        let channel = Channel {
            id,
            app: "default".into(),
            phone_number_id: phone_number_id.into(),
            business_account_id: "2055".into(),
            name: format!("Shop {phone_number_id}"),
            team: team.into(),
            bot_on: true,
            sending_on: true,
            clock_offset: 0,
            meta: channels::Meta::default(),
        };
        self.write(move |tx| {
            let channel = channel.clone();
            Box::pin(async move { channels::put(tx, &channel).await })
        })
        .await;
    }

    pub(crate) async fn write<T, F>(&self, job: F) -> T
    where
        T: Send + 'static,
        F: for<'t> FnMut(&'t mut Tx) -> Work<'t, T> + Send + 'static,
    {
        self.try_write(job).await.unwrap()
    }

    pub(crate) async fn try_write<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'t> FnMut(&'t mut Tx) -> Work<'t, T> + Send + 'static,
    {
        self.context.db.write(Urgency::First, job).await
    }

    pub(crate) fn moment(&self) -> Moment {
        self.context.moment()
    }

    pub(crate) async fn serve(&self) -> Desk {
        self.serve_with(Options::default()).await
    }

    pub(crate) async fn serve_with(&self, options: Options) -> Desk {
        serve(self.context.clone(), options).await
    }

    /// Another server over the same store: on PostgreSQL with connections of its own.
    pub(crate) async fn another(&self) -> Desk {
        self.another_with(Options::default()).await
    }

    pub(crate) async fn another_with(&self, options: Options) -> Desk {
        let mut context = self.context.clone();
        if context.db.is_postgres() {
            context.db = Db::open(&self.store.url, self.store.clock.clone(), None).await.unwrap();
        }
        serve(context, options).await
    }

    /// Makes a person and a one-time secret.
    pub(crate) async fn person(&self, name: &str, role: Role, team: &str) -> (AgentId, String) {
        let secret = inbox::new_secret(&self.context.ids);
        let (id, hash) = (self.context.ids.next(self.store.clock.now()), inbox::secret_hash(&secret));
        let created_at = self.store.clock.now();
        let agent = Agent { id, name: name.into(), role, team: team.into(), created_at, disabled_at: None };
        self.write(move |tx| {
            let (agent, hash) = (agent.clone(), hash.clone());
            Box::pin(async move { agents::insert(tx, &agent, &hash).await })
        })
        .await;
        (id, secret)
    }

    /// Signs in over the wire.
    pub(crate) async fn sign_in(&self, desk: &Desk, name: &str, role: Role) -> Signed {
        self.sign_in_to_team(desk, name, role, "").await
    }

    pub(crate) async fn sign_in_to_team(&self, desk: &Desk, name: &str, role: Role, team: &str) -> Signed {
        let (id, secret) = self.person(name, role, team).await;
        let signed: SignedIn = baton::net::sign_in(&desk.url().parse().unwrap(), &secret).await.unwrap();
        assert_eq!((signed.me.id, signed.me.role), (id, role));
        Signed { id, token: signed.token }
    }

    /// A customer writes; what of it was stored.
    pub(crate) async fn writes(&self, phone: &str, text: &str) -> (ConversationId, MessageId) {
        self.writes_to(self.channel, phone, text).await
    }

    pub(crate) async fn writes_to(&self, channel: ChannelId, phone: &str, text: &str) -> (ConversationId, MessageId) {
        self.many_write(channel, &[(phone, text)]).await.pop().unwrap()
    }

    pub(crate) async fn many_write(
        &self,
        channel: ChannelId,
        said: &[(&str, &str)],
    ) -> Vec<(ConversationId, MessageId)> {
        let at = self.moment();
        let number = || self.wamids.fetch_add(1, Ordering::SeqCst);
        let arrivals = said.iter().zip(0..).map(|((phone, text), index)| {
            let wamid = format!("wamid.{}", number());
            let from = From { phone: Some(phone), ..From::default() };
            Arrival { index, ..arrival(channel, wamid, from, text, at.now) }
        });
        self.deliver(arrivals.collect()).await
    }

    /// Somebody writes under a number, a user id, or both.
    pub(crate) async fn arrives(&self, from: From<'_>, text: &str) -> (ConversationId, MessageId) {
        let wamid = format!("wamid.{}", self.wamids.fetch_add(1, Ordering::SeqCst));
        self.deliver(vec![arrival(self.channel, wamid, from, text, self.moment().now)]).await.pop().unwrap()
    }

    /// Stores what arrives; where each of them is.
    pub(crate) async fn deliver(&self, arrivals: Vec<Arrival>) -> Vec<(ConversationId, MessageId)> {
        let at = self.moment();
        let wamids: Vec<String> = arrivals.iter().map(|one| one.wamid.clone()).collect();
        let (batch, ids) = (Arc::new(Batch { arrivals, ..Batch::default() }), self.context.ids.clone());
        self.write(move |tx| {
            let (batch, ids) = (batch.clone(), ids.clone());
            Box::pin(async move { deliveries::store(tx, &batch, &Policies::default(), at, &ids).await })
        })
        .await;
        let mut reader = self.context.db.reader().await.unwrap();
        let found = messages::by_wamids(reader.conn(), wamids.iter().map(String::as_str)).await.unwrap();
        let found: HashMap<String, _> =
            found.into_iter().map(|(wamid, message, thread)| (wamid, (thread, message))).collect();
        wamids.iter().map(|wamid| found[wamid]).collect()
    }
}

/// Who writes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct From<'a> {
    pub(crate) phone: Option<&'a str>,
    pub(crate) user_id: Option<&'a str>,
    pub(crate) group: Option<&'a str>,
}

pub(crate) fn arrival(channel: ChannelId, wamid: String, from: From<'_>, text: &str, now: Micros) -> Arrival {
    Arrival {
        channel,
        scope: "default".into(),
        user_id: from.user_id.map(Into::into),
        phone: from.phone.map(Into::into),
        name: Some(format!("Customer {}", from.phone.or(from.user_id).unwrap_or_default())),
        username: None,
        group: from.group.map(Into::into),
        wamid,
        kind: "text".into(),
        text: text.into(),
        detail: None,
        quoted: None,
        file: None,
        moved_to: None,
        raw: None,
        second: Some(now.seconds()),
        index: 0,
        by_business: false,
        opens_window: from.group.is_none(),
        origin: Origin::Direct,
    }
}

/// What a test asks the store, and what it lets other rooms have done.
impl House {
    pub(crate) async fn conversation(&self, id: ConversationId) -> Conversation {
        let mut reader = self.context.db.reader().await.unwrap();
        conversations::by_id(reader.conn(), id).await.unwrap().unwrap()
    }

    pub(crate) async fn message(&self, id: MessageId) -> Stored {
        let mut reader = self.context.db.reader().await.unwrap();
        messages::by_id(reader.conn(), id).await.unwrap().unwrap()
    }

    /// The bot has answered; its word waits to be sent.
    pub(crate) async fn bot_says(&self, thread: ConversationId, text: &str) -> MessageId {
        let (at, id, text) = (self.moment(), self.context.ids.next(self.moment().now), text.to_owned());
        self.write(move |tx| {
            let text = text.clone();
            Box::pin(async move {
                let thread = conversations::lock(tx, thread).await?.unwrap();
                let (conversation, channel, epoch) = (thread.id, thread.channel, thread.epoch);
                let word = Stored::queued(id, conversation, channel, Author::Bot, text, epoch, at.now, at.time);
                messages::insert(tx, &word).await?;
                conversations::save(tx, &thread).await?;
                Ok(id)
            })
        })
        .await
    }

    /// The courier takes a queued message on its way.
    pub(crate) async fn starts(&self, message: MessageId) -> Started {
        let stored = self.message(message).await;
        let candidate = Candidate { message, conversation: stored.conversation, author: stored.author };
        let (at, ids) = (self.moment(), self.context.ids.clone());
        self.write(move |tx| {
            let ids = ids.clone();
            Box::pin(async move { outbox::start(tx, candidate, at, &ids).await })
        })
        .await
    }

    /// Meta answered with an id; whoever asked it believes the message to be in `conversation`.
    pub(crate) async fn is_accepted(&self, message: MessageId, conversation: ConversationId, wamid: &'static str) {
        let stored = self.message(message).await;
        let candidate = Candidate { message, conversation, author: stored.author };
        let (at, ids, attempt) = (self.moment(), self.context.ids.clone(), stored.attempt.unwrap());
        let report = Report { outcome: Outcome::Accepted, wamid: Some(wamid.into()), code: None, jitter: 0 };
        self.write(move |tx| {
            let (ids, report) = (ids.clone(), report.clone());
            Box::pin(async move { outbox::settle(tx, candidate, attempt, &report, at, &ids).await })
        })
        .await;
    }

    /// A message has come to `delivery`, and a person must look at it.
    pub(crate) async fn gets_stuck(&self, message: MessageId, delivery: Delivery, problem: &'static str) {
        self.write(move |tx| {
            Box::pin(async move {
                let mut stored = messages::by_id(tx.conn(), message).await?.unwrap();
                stored.delivery = Some(delivery);
                stored.problem = Some(problem.into());
                stored.trouble = true;
                stored.next_try_at = None;
                messages::save(tx, &stored).await
            })
        })
        .await;
    }

    pub(crate) async fn switch(&self, bot_on: bool, sending_on: bool) {
        let channel = self.channel;
        self.write(move |tx| Box::pin(async move { channels::switch(tx, channel, bot_on, sending_on).await })).await;
    }

    pub(crate) async fn time_passes(&self, by: Duration) -> usize {
        self.store.advance(by);
        inbox::lost::step(&self.context).await.unwrap()
    }
}

async fn serve(context: Context, options: Options) -> Desk {
    let life = Lifecycle::default();
    let router = inbox::router(context, &life, options);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stopping = life.stopping();
    life.spawn(async move {
        let served = axum::serve(listener, router).with_graceful_shutdown(stopping.cancelled_owned());
        served.await.unwrap();
    });
    Desk { address, life }
}

impl Desk {
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// An agent's client: keeps what it is told, and fails if anything was missed.
pub(crate) struct Screen {
    pub(crate) wire: WebSocketStream<TcpStream>,
    pub(crate) signed: Signed,
    pub(crate) through: Option<Cursor>,
    pub(crate) rows: HashMap<ConversationId, Row>,
    pub(crate) messages: HashMap<MessageId, Message>,
    pub(crate) cards: HashMap<ConversationId, Card>,
    pub(crate) threads: HashMap<ConversationId, Thread>,
    pub(crate) events: Vec<Event>,
    pub(crate) here: Vec<Presence>,
    pub(crate) gone: Vec<ConversationId>,
    pub(crate) people: Vec<Person>,
    /// `Events`, empty ones among them.
    pub(crate) frames: usize,
    pub(crate) snapshots: usize,
    pub(crate) resyncs: usize,
}

/// What ends a connection.
#[derive(Debug)]
pub(crate) enum Over {
    Closed(Option<CloseFrame>),
    Broken,
}

pub(crate) fn hello() -> ClientFrame {
    ClientFrame::Hello { protocol: PROTOCOL, build: "test".into(), resume: None, open: vec![] }
}

/// A websocket, before anything was said.
pub(crate) async fn dial(desk: &Desk, token: &str) -> Result<WebSocketStream<TcpStream>, tungstenite::Error> {
    let mut request = format!("ws://{}/inbox", desk.address).into_client_request().unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    let stream = TcpStream::connect(desk.address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    client_async(request, stream).await.map(|(wire, _)| wire)
}

impl Screen {
    /// Connected, and at the present.
    pub(crate) async fn open(desk: &Desk, signed: &Signed) -> Self {
        let mut screen = Self::new(dial(desk, &signed.token).await.unwrap(), signed.clone());
        screen.say(&hello()).await;
        screen.until(|screen| screen.snapshots == 1).await;
        screen
    }

    pub(crate) fn new(wire: WebSocketStream<TcpStream>, signed: Signed) -> Self {
        Self {
            wire,
            signed,
            through: None,
            rows: HashMap::new(),
            messages: HashMap::new(),
            cards: HashMap::new(),
            threads: HashMap::new(),
            events: vec![],
            here: vec![],
            gone: vec![],
            people: vec![],
            frames: 0,
            snapshots: 0,
            resyncs: 0,
        }
    }

    /// The same screen, connected anew; it goes on where it was.
    pub(crate) async fn reconnect(&mut self, desk: &Desk) {
        self.wire = dial(desk, &self.signed.token).await.unwrap();
        let (resume, open) = (self.through.clone(), self.threads.keys().copied().collect());
        self.say(&ClientFrame::Hello { protocol: PROTOCOL, build: "test".into(), resume, open }).await;
    }

    pub(crate) async fn say(&mut self, frame: &ClientFrame) {
        self.say_text(serde_json::to_string(frame).unwrap()).await;
    }

    pub(crate) async fn say_text(&mut self, text: String) {
        self.wire.send(tungstenite::Message::text(text)).await.unwrap();
    }

    /// The next frame, as it came; nothing is made of it.
    pub(crate) async fn hear(&mut self) -> Result<ServerFrame, Over> {
        loop {
            let heard = tokio::time::timeout(PATIENCE, self.wire.next()).await.expect("the server says nothing");
            match heard {
                None | Some(Err(_)) => return Err(Over::Broken),
                Some(Ok(tungstenite::Message::Close(close))) => return Err(Over::Closed(close)),
                Some(Ok(tungstenite::Message::Text(text))) => {
                    assert!(text.len() <= FRAME_LIMIT, "a frame of {} bytes", text.len());
                    return Ok(serde_json::from_str(&text).unwrap());
                }
                Some(Ok(_)) => (),
            }
        }
    }

    /// The next frame; the screen shows it.
    pub(crate) async fn next(&mut self) -> ServerFrame {
        let frame = self.hear().await.unwrap_or_else(|over| panic!("the connection ended: {over:?}"));
        self.show(&frame);
        frame
    }

    pub(crate) async fn until(&mut self, is_so: impl Fn(&Self) -> bool) {
        while !is_so(self) {
            self.next().await;
        }
    }

    /// Frames until this conversation's row `is_so`.
    pub(crate) async fn shows(&mut self, conversation: ConversationId, is_so: impl Fn(&Row) -> bool) {
        self.until(|screen| screen.rows.get(&conversation).is_some_and(&is_so)).await;
    }

    /// Frames up to the one that `is_it`.
    pub(crate) async fn expect<T>(&mut self, is_it: impl Fn(ServerFrame) -> Option<T>) -> T {
        loop {
            if let Some(found) = is_it(self.next().await) {
                return found;
            }
        }
    }

    pub(crate) async fn follow(&mut self, conversation: ConversationId) -> Thread {
        self.say(&ClientFrame::Open { conversation }).await;
        self.expect(|frame| match frame {
            ServerFrame::Thread(thread) if thread.row.conversation == conversation => Some(*thread),
            _ => None,
        })
        .await
    }

    pub(crate) async fn act(&mut self, house: &House, conversation: ConversationId, act: Act) -> Answer {
        let id: CommandId = house.context.ids.next(Micros(0));
        self.command(Command { id, conversation, act }).await
    }

    pub(crate) async fn command(&mut self, command: Command) -> Answer {
        let its = command.id;
        self.say(&ClientFrame::Command(command)).await;
        self.expect(|frame| match frame {
            ServerFrame::Answer { id, answer } if id == its => Some(answer),
            _ => None,
        })
        .await
    }

    fn show(&mut self, frame: &ServerFrame) {
        match frame {
            ServerFrame::Snapshot { as_of, rows, people } => {
                self.people.clone_from(people);
                self.snapshots += 1;
                self.through = Some(as_of.clone());
                self.rows.clear();
                self.show_rows(rows);
            }
            ServerFrame::Events(events) => {
                self.frames += 1;
                assert_eq!(Some(&events.after), self.through.as_ref(), "a gap");
                self.through = Some(events.through.clone());
                self.events.extend(events.events.iter().cloned());
                if !events.people.is_empty() {
                    self.people.clone_from(&events.people);
                }
                self.show_rows(&events.rows);
                events.messages.iter().for_each(|message| self.show_message(message));
                events.cards.iter().for_each(|card| self.show_card(card));
                for id in &events.gone {
                    self.rows.remove(id);
                    self.gone.push(*id);
                }
            }
            ServerFrame::Thread(thread) => {
                self.show_rows(std::slice::from_ref(&thread.row));
                thread.messages.iter().for_each(|message| self.show_message(message));
                self.show_card(&thread.card);
                self.threads.insert(thread.row.conversation, (**thread).clone());
            }
            ServerFrame::Presence { here } => self.here.clone_from(here),
            ServerFrame::Resync { .. } => self.resyncs += 1,
            ServerFrame::Unknown => panic!("a frame that nobody knows"),
            _ => (),
        }
    }

    fn show_rows(&mut self, rows: &[Row]) {
        for row in rows {
            let newer = self.rows.get(&row.conversation).is_none_or(|known| known.version <= row.version);
            if newer {
                self.rows.insert(row.conversation, row.clone());
            }
        }
    }

    fn show_message(&mut self, message: &Message) {
        let newer = self.messages.get(&message.id).is_none_or(|known| known.version <= message.version);
        if newer {
            self.messages.insert(message.id, message.clone());
        }
    }

    fn show_card(&mut self, card: &Card) {
        let newer = self.cards.get(&card.conversation).is_none_or(|known| known.version <= card.version);
        if newer {
            self.cards.insert(card.conversation, card.clone());
        }
    }
}

/// Agents see their team's conversations only.
pub(crate) fn team_only(settings: &mut Settings) {
    settings.inbox.agents_see = AgentsSee::Team;
}

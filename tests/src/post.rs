//! The outbox of one number, moved by hand: store, courier, door and a simulated WhatsApp under one
//! clock. Nothing happens but in [`Post::settle`], and no time passes but in [`Post::pass`].

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use baton_server::{
    Context, Parts,
    bot::model,
    config::{Playbook, Secret, Settings},
    intake,
    lifecycle::Lifecycle,
    outbox::{self, Courier},
    store::{Conn, StoreError},
    whatsapp::graph::{Graph, NoResponse, Pending, Request, Response, Transport},
};
use baton_shared::{
    ConversationId, Ids, ManualClock, MessageId, Micros,
    message::{Author, Delivery},
};
use baton_simulator::{
    World,
    whatsapp::{Config, Done, Fault, GraphRequest, OutgoingWebhook, Person, PersonId, Reply, Saying, sign},
};
use futures::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio::sync::watch;

use crate::{
    acts::Acts,
    door::Door,
    said::{self, Sender},
    store::{Database, NOON},
};

/// More looks without a moment passing, and the courier goes round in circles.
const ROUNDS: usize = 200;

const GRAPH: &str = "http://simulated";

pub struct Post {
    pub acts: Acts,
    pub clock: Arc<ManualClock>,
    wire: Arc<Wire>,
    asleep: watch::Receiver<()>,
    courier: Courier,
    in_flight: FuturesUnordered<BoxFuture<'static, Result<(), StoreError>>>,
    again_in: Duration,
    door: Door,
    life: Lifecycle,
    config: Config,
    ids: Arc<Ids>,
    people: u32,
    database: Database,
}

/// One customer and their conversation.
#[derive(Clone, Copy, Debug)]
pub struct Talk {
    pub person: PersonId,
    pub conversation: ConversationId,
}

impl Post {
    pub async fn sqlite() -> Self {
        Self::seeded(Database::sqlite(), 1).await
    }

    /// `None` where there is no PostgreSQL.
    pub async fn postgres() -> Option<Self> {
        Some(Self::seeded(Database::postgres().await?, 1).await)
    }

    /// What happens by chance follows from the seed.
    pub async fn seeded(database: Database, seed: u64) -> Self {
        let mut config = Config::shop();
        config.apps[0].callback_url = Some("/webhook".into());
        let clock = Arc::new(ManualClock::at(NOON));
        let world = World::new(config.clone(), fastrand::Rng::with_seed(seed));
        let (wire, asleep) = Wire::new(world, NOON);
        let ids = Arc::new(Ids::seeded(seed));
        let opened = open(&database, &config, &clock, &wire, &ids).await;
        Self {
            acts: opened.acts,
            clock,
            wire,
            asleep,
            courier: opened.courier,
            in_flight: FuturesUnordered::new(),
            again_in: Duration::ZERO,
            door: opened.door,
            life: opened.life,
            config,
            ids,
            people: 0,
            database,
        }
    }

    /// The process dies where it stands, and another begins. On SQLite its monotonic clock starts
    /// from zero; PostgreSQL's own goes on, so there the store stays open.
    pub async fn restart(self) -> Self {
        let now = self.now();
        let Self { acts, clock, wire, asleep, courier, in_flight, door, life, config, ids, people, database, .. } =
            self;
        drop((courier, in_flight, door));
        wire.forget_sleepers();
        life.cut();
        life.stop(Duration::ZERO).await;
        let (clock, opened) = if acts.0.db.is_postgres() {
            (clock, begin(acts.0, &wire).await)
        } else {
            acts.0.db.close().await;
            drop(acts);
            let clock = Arc::new(ManualClock::at(now));
            let opened = open(&database, &config, &clock, &wire, &ids).await;
            (clock, opened)
        };
        let Opened { acts, courier, door, life } = opened;
        let (in_flight, again_in) = (FuturesUnordered::new(), Duration::ZERO);
        Self { acts, clock, wire, asleep, courier, in_flight, again_in, door, life, config, ids, people, database }
    }

    /// What the simulated Meta knows, does and remembers.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.wire.world()
    }

    /// A new customer writes, and it is stored.
    pub async fn customer(&mut self) -> Talk {
        self.people += 1;
        let (phone, user) = (format!("1555{:07}", self.people), format!("US.{:010}", self.people));
        let person = self.world().whatsapp.add_person(Person::new("Marina", &phone, &user));
        let wamid = self.says(person);
        let stored = async |post: &Self| post.acts.conversation_of(&wamid).await.is_some();
        self.pass_until(Duration::from_secs(10), stored).await;
        let conversation = self.acts.conversation_of(&wamid).await.expect("stored a moment ago");
        Talk { person, conversation }
    }

    /// Queues a word under the present epoch, a moment after the one before.
    pub async fn queue(&self, talk: Talk, author: Author, words: &str) -> MessageId {
        self.sleep(Duration::from_millis(1));
        self.acts.queue(talk.conversation, author, words).await
    }

    /// Queues the parts of one answer, a moment after what was queued before.
    pub async fn queue_parts(&self, talk: Talk, author: Author, parts: &[&str]) -> Vec<MessageId> {
        self.sleep(Duration::from_millis(1));
        self.acts.queue_parts(talk.conversation, author, parts).await
    }

    /// Somebody of whom a webhook says that they wrote, though Meta's own books do not have it.
    pub async fn customer_unknown_to_meta(&mut self) -> Talk {
        self.people += 1;
        let (phone, user) = (format!("1555{:07}", self.people), format!("US.{:010}", self.people));
        let person = self.world().whatsapp.add_person(Person::new("Marina", &phone, &user));
        let wamid = format!("wamid.{phone}");
        let number = &self.acts.0.settings.whatsapp.channels[0];
        let from = Sender { phone: Some(&phone), user_id: Some(&user) };
        let body = said::message(number, from, &wamid, self.now().seconds(), said::text("Hello?"));
        let body = body.to_string();
        let signature = sign(&self.config.apps[0].secret, body.as_bytes());
        assert_eq!(self.door.post("/webhook", &signature, body.as_bytes()).await, 200);
        let conversation = self.acts.conversation_of(&wamid).await.expect("answered 200");
        Talk { person, conversation }
    }

    /// A way to ask the simulated Meta something.
    pub fn graph(&self) -> Graph {
        let token = self.config.tokens[0].clone();
        Graph::new(self.wire.clone(), format!("{GRAPH}/{}", self.config.version), Secret::new(token))
    }

    /// Passes the time that it takes until `asked` has its answers.
    pub async fn asking<T>(&self, asked: impl Future<Output = T>) -> T {
        let mut asked = std::pin::pin!(asked);
        loop {
            tokio::select! {
                answer = &mut asked => return answer,
                () = tokio::time::sleep(Duration::from_millis(5)) => {
                    if self.wire.next_due().is_some() {
                        self.sleep(Duration::from_millis(50));
                    }
                }
            }
        }
    }

    /// Meta says something of the account.
    pub async fn told(&self, field: &str, value: serde_json::Value) {
        self.told_at(self.now(), field, value).await;
    }

    /// The same, of what happened then.
    pub async fn told_at(&self, at: Micros, field: &str, value: serde_json::Value) {
        let body = serde_json::json!({"object": "whatsapp_business_account", "entry": [{
            "id": self.config.accounts[0].id,
            "time": at.seconds(),
            "changes": [{"field": field, "value": value}],
        }]});
        let body = body.to_string();
        let signature = sign(&self.config.apps[0].secret, body.as_bytes());
        assert_eq!(self.door.post("/webhook", &signature, body.as_bytes()).await, 200);
    }

    /// A customer writes; it arrives a little later.
    pub fn says(&self, person: PersonId) -> String {
        let now = self.now();
        self.world().whatsapp.say(now, person, Saying::text("Hello?"))
    }

    pub fn now(&self) -> Micros {
        *self.wire.now.borrow()
    }

    /// Lets time pass, doing whatever becomes due when it does.
    pub async fn pass(&mut self, length: Duration) {
        let until = self.now().plus(length);
        self.settle().await;
        while self.now() < until {
            self.step(until).await;
        }
    }

    /// Lets time pass in which nobody looks.
    pub fn sleep(&self, length: Duration) {
        self.move_to(self.now().plus(length));
    }

    /// Passes time until `what` holds, at most `limit`; how long it took.
    pub async fn pass_until(&mut self, limit: Duration, what: impl AsyncFn(&Self) -> bool) -> Duration {
        let began = self.now();
        let until = began.plus(limit);
        self.settle().await;
        while !what(self).await {
            assert!(self.now() < until, "it has not come about in {limit:?}");
            self.step(until).await;
        }
        self.now().since(began)
    }

    /// To the next moment at which something is due.
    async fn step(&mut self, until: Micros) {
        let now = self.now();
        let due = [self.wire.next_due(), self.world().next_due(), Some(now.plus(self.again_in))];
        let next = due.into_iter().flatten().min().unwrap_or(until);
        self.move_to(next.max(now.plus(Duration::from_millis(1))).min(until));
        self.settle().await;
    }

    /// Does everything that is due, and only that: no time passes.
    pub async fn settle(&mut self) {
        for _ in 0..ROUNDS {
            let look = self.courier.look().await.expect("a store that answers");
            let found = look.jobs.len();
            for job in look.jobs {
                self.in_flight.push(Box::pin(self.courier.carry(job)));
            }
            let done = self.carry().await;
            let posted = self.deliver().await;
            self.again_in = look.again_in;
            if found + done + posted == 0 {
                return;
            }
        }
        panic!("the courier goes round in circles");
    }

    /// Carries what is in flight until all that is left waits for an answer; how many ended.
    async fn carry(&mut self) -> usize {
        let mut done = 0;
        while self.wire.still_asleep() < self.in_flight.len() {
            tokio::select! {
                ended = self.in_flight.next() => {
                    ended.expect("something in flight").expect("a store that answers");
                    done += 1;
                }
                changed = self.asleep.changed() => changed.expect("the wire is ours"),
            }
        }
        done
    }

    /// Posts the webhooks that are due; how many.
    async fn deliver(&self) -> usize {
        let now = self.now();
        let webhooks = self.world().due(now);
        for OutgoingWebhook { id, url, body, signature, .. } in &webhooks {
            let status = self.door.post(url, signature, body).await;
            self.world().answered(*id, Some(status), now);
        }
        webhooks.len()
    }

    fn move_to(&self, moment: Micros) {
        self.clock.advance_to(moment);
        self.wire.now.send_replace(moment);
    }

    /// How often Meta took a message with this text, whether or not we heard of it.
    pub fn taken(&self, words: &str) -> usize {
        let world = self.world();
        world.whatsapp.ledger().accepted().filter(|(request, _)| request.text.as_deref() == Some(words)).count()
    }

    /// How often a request for a message with this text was made.
    pub fn asked(&self, words: &str) -> usize {
        let world = self.world();
        world.whatsapp.ledger().requests().iter().filter(|one| one.text.as_deref() == Some(words)).count()
    }

    /// What reached a customer's phone, in order.
    pub fn reached(&self, person: PersonId) -> Vec<String> {
        let world = self.world();
        let reached = world.whatsapp.ledger().reached().iter().filter(|one| one.person == person);
        reached.map(|one| one.text.clone()).collect()
    }

    /// The codes of Meta's refusals that no fault was the cause of.
    pub fn refusals(&self) -> Vec<i64> {
        let world = self.world();
        let requests = world.whatsapp.ledger().requests().iter().filter(|request| request.fault.is_none());
        requests
            .filter_map(|request| if let Done::Refused { code } = request.done { Some(code) } else { None })
            .collect()
    }

    /// Whether no message waits to be sent, or for the answer to its request.
    pub async fn is_quiet(&self) -> bool {
        let mut reader = self.acts.0.db.reader().await.expect("a reader");
        let sql = "select count(*) from message where delivery in ('queued', 'sending')";
        let moving: i64 = match reader.conn() {
            Conn::Sqlite(c) => sqlx::query_scalar(sql).fetch_one(c).await.expect("a read"),
            Conn::Postgres(c) => sqlx::query_scalar(sql).fetch_one(c).await.expect("a read"),
        };
        moving == 0
    }

    /// Whether Meta has accepted the message, and we know it.
    pub async fn is_accepted(&self, message: MessageId) -> bool {
        let road = [Delivery::Accepted, Delivery::Sent, Delivery::Delivered, Delivery::Read];
        self.acts.message(message).await.delivery.is_some_and(|state| road.contains(&state))
    }

    /// Whether the message's state is this.
    pub async fn is(&self, message: MessageId, state: Delivery) -> bool {
        self.acts.message(message).await.delivery == Some(state)
    }
}

struct Opened {
    acts: Acts,
    courier: Courier,
    door: Door,
    life: Lifecycle,
}

async fn open(
    database: &Database,
    config: &Config,
    clock: &Arc<ManualClock>,
    wire: &Arc<Wire>,
    ids: &Arc<Ids>,
) -> Opened {
    let graph: Arc<dyn Transport> = wire.clone();
    // Another test in this process may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let models = Arc::new(model::HttpTransport::new().expect("an HTTP client"));
    let parts = Parts { clock: clock.clone(), ids: ids.clone(), graph, models, program: None, gate: None };
    let context = baton_server::open(settings(database, config), &parts).await.expect("a store opens");
    begin(context, wire).await
}

async fn begin(context: Context, wire: &Arc<Wire>) -> Opened {
    let life = Lifecycle::default();
    let numbers = intake::Numbers::load(&context).await.expect("the channels");
    let door = Door::open(intake::router(context.clone(), numbers, &life), &life);
    let acts = Acts(context.clone());
    let channel = acts.channel().await;
    let graph: Arc<dyn Transport> = wire.clone();
    let graph = outbox::graphs(&context, &graph).remove(&channel.phone_number_id).expect("a token");
    Opened { acts, courier: Courier::new(context, channel, graph), door, life }
}

fn settings(database: &Database, config: &Config) -> Settings {
    let value = |name: &str| {
        Some(match name {
            "BATON_DATABASE_URL" => database.url.clone(),
            "BATON_PLAYBOOK" => Playbook::SAMPLE.into(),
            "WHATSAPP_GRAPH_URL" => format!("{GRAPH}/{}", config.version),
            "WHATSAPP_APP_ID" => config.apps[0].id.clone(),
            "WHATSAPP_APP_SECRET" => config.apps[0].secret.clone(),
            "WHATSAPP_VERIFY_TOKEN" => config.apps[0].verify_token.clone(),
            "WHATSAPP_ACCESS_TOKEN" => config.tokens[0].clone(),
            "WHATSAPP_PHONE_NUMBER_ID" => config.numbers[0].id.clone(),
            "WHATSAPP_BUSINESS_ACCOUNT_ID" => config.numbers[0].account.clone(),
            _ => return None,
        })
    };
    Settings::load(None, &value).expect("settings")
}

/// The way to the simulated Meta, which knows of every request how long it will take.
struct Wire {
    world: Mutex<World>,
    now: watch::Sender<Micros>,
    /// When each request that is on its way will end.
    sleepers: Mutex<Vec<Micros>>,
    fell_asleep: watch::Sender<()>,
}

impl Wire {
    fn new(world: World, now: Micros) -> (Arc<Self>, watch::Receiver<()>) {
        let (fell_asleep, asleep) = watch::channel(());
        let wire =
            Self { world: Mutex::new(world), now: watch::Sender::new(now), sleepers: Mutex::default(), fell_asleep };
        (Arc::new(wire), asleep)
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sleepers(&self) -> MutexGuard<'_, Vec<Micros>> {
        self.sleepers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many requests will not end now.
    fn still_asleep(&self) -> usize {
        let now = *self.now.borrow();
        self.sleepers().iter().filter(|until| **until > now).count()
    }

    fn next_due(&self) -> Option<Micros> {
        self.sleepers().iter().min().copied()
    }

    fn forget_sleepers(&self) {
        self.sleepers().clear();
    }

    async fn until(&self, moment: Micros) {
        self.sleepers().push(moment);
        self.fell_asleep.send_replace(());
        let mut now = self.now.subscribe();
        now.wait_for(|now| *now >= moment).await.expect("the wire is there as long as we are");
        let mut sleepers = self.sleepers();
        let ours = sleepers.iter().position(|until| *until == moment).expect("we fell asleep above");
        sleepers.swap_remove(ours);
    }

    async fn exchange(&self, request: Request) -> Result<Response, NoResponse> {
        let now = *self.now.borrow();
        let path = request.url.strip_prefix(GRAPH).expect("an address of the simulated Meta");
        let bearer = request.bearer.as_ref().map(|token| format!("Bearer {}", token.reveal()));
        let body = request.body.unwrap_or_default();
        let asked = GraphRequest {
            method: &request.method,
            path_and_query: path,
            authorization: bearer.as_deref(),
            body: body.as_bytes(),
        };
        let reply = self.world().request(now, asked);
        let (deadline, answered) = (now.plus(request.deadline), now.plus(reply.latency));
        let (at, outcome) = match reply.fault {
            Some(Fault::NoConnection) => (answered, Err(NoResponse::Unsent("refused".into()))),
            Some(Fault::CutBefore | Fault::CutAfter) => (answered, Err(NoResponse::Unanswered("reset".into()))),
            Some(Fault::SilenceBefore | Fault::SilenceAfter) => (deadline, Err(too_late())),
            Some(Fault::Unavailable | Fault::UnavailableAfter | Fault::Busy) | None => (answered, Ok(response(reply))),
        };
        if at > deadline {
            self.until(deadline).await;
            return Err(too_late());
        }
        self.until(at).await;
        outcome
    }
}

impl Transport for Wire {
    fn send(&self, request: Request) -> Pending<'_> {
        Box::pin(self.exchange(request))
    }
}

fn too_late() -> NoResponse {
    NoResponse::Unanswered("no answer in time".into())
}

fn response(reply: Reply) -> Response {
    let header = |name: &str| reply.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    Response {
        status: reply.status,
        date: header("date"),
        retry_after: header("retry-after"),
        usage: header("x-business-use-case-usage"),
        app_usage: header("x-app-usage"),
        body: reply.body.to_vec(),
    }
}

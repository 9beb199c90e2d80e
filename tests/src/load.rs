//! What benchmarks load a server with: the real one on a runtime of its own, bodies as Meta signs
//! them, and bare connections that post them, as fast as they are answered or on schedule.

use std::{
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use baton_server::{
    Context, Parts, Server,
    bot::model,
    config::{Playbook, Settings},
    inbox,
    store::{
        Urgency,
        agents::{self, Agent},
        channels, figures,
    },
    whatsapp::graph::{self, Pending, Request, Response},
};
use baton_shared::{Clock, Ids, Role, SystemClock};
use baton_simulator::whatsapp::{Config, sign};
use hdrhistogram::Histogram;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime::Runtime,
    sync::{Mutex, mpsc},
    task::JoinSet,
};

use crate::store::Database;

/// Customers who write under load, each with a conversation of their own.
pub const CUSTOMERS: u64 = 2_000;

/// More customers, who wrote once and say nothing under load: for agents to take and answer.
pub const QUIET: u64 = 500;

/// Where the numbers of their messages begin.
const QUIET_FROM: u64 = 1_000_000_000;

/// A server at work on threads of its own, as it would be in its own process.
pub struct Rig {
    pub context: Context,
    pub address: SocketAddr,
    pub bodies: Arc<Bodies>,
    pub clock: Arc<dyn Clock>,
    server: Option<Server>,
    runtime: Option<Runtime>,
    _database: Database,
}

impl Rig {
    /// Everyone has a conversation that waits for a person.
    pub fn start(database: Database) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = Config::shop();
        let settings = settings(&config, &database.url);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let parts = Parts {
            clock: clock.clone(),
            ids: Arc::new(Ids::system()),
            graph: Arc::new(Agreeable::default()),
            models: Arc::new(model::HttpTransport::new().expect("an HTTP client")),
            program: None,
            gate: None,
        };
        let runtime = runtime(2);
        let server = runtime.block_on(Server::start(settings, parts)).expect("a server starts");
        let (context, address) = (server.context().clone(), server.address());
        let bodies = Arc::new(Bodies::new(&config, clock.clone()));
        let rig =
            Self { context, address, bodies, clock, server: Some(server), runtime: Some(runtime), _database: database };
        runtime_of(&rig).block_on(rig.greet());
        rig
    }

    /// Every customer writes once, and the bot, switched off, calls a person.
    async fn greet(&self) {
        self.switch_bot(false).await;
        let mut poster = Poster::connect(self.address).await;
        let quiet = QUIET_FROM..QUIET_FROM + QUIET;
        let numbers: Vec<u64> = (0..CUSTOMERS).chain(quiet).collect();
        for some in numbers.chunks(100) {
            let (body, signature) = self.bodies.of(some.iter().copied());
            assert_eq!(poster.post(&body, &signature).await, 200, "a first word is stored");
        }
        let waits = async || {
            let time = self.context.db.time();
            let mut reader = self.context.db.reader().await.expect("a reader");
            figures::read(reader.conn(), time, time).await.expect("figures").waiting
        };
        let all = i64::try_from(CUSTOMERS + QUIET).expect("a few thousand");
        while waits().await < all {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// A new agent's token.
    pub async fn sign_in(&self, name: &str) -> String {
        let context = &self.context;
        let secret = inbox::new_secret(&context.ids);
        let created_at = context.clock.now();
        let (id, hash) = (context.ids.next(created_at), inbox::secret_hash(&secret));
        let agent =
            Agent { id, name: name.into(), role: Role::Agent, team: String::new(), created_at, disabled_at: None };
        let insert = context.db.write(Urgency::First, move |tx| {
            let (agent, hash) = (agent.clone(), hash.clone());
            Box::pin(async move { agents::insert(tx, &agent, &hash).await })
        });
        insert.await.expect("an agent is stored");
        let address = format!("http://{}", self.address).parse().expect("an address");
        baton::net::sign_in(&address, &secret).await.expect("the secret is right").token
    }

    async fn switch_bot(&self, on: bool) {
        let mut reader = self.context.db.reader().await.expect("a reader");
        let channels = channels::every(reader.conn()).await.expect("channels");
        for channel in channels {
            let switch = self.context.db.write(Urgency::First, move |tx| {
                Box::pin(async move { channels::switch(tx, channel.id, on, true).await })
            });
            switch.await.expect("a switch is stored");
        }
    }
}

fn runtime_of(rig: &Rig) -> &Runtime {
    rig.runtime.as_ref().expect("runs until it is dropped")
}

impl Drop for Rig {
    fn drop(&mut self) {
        let Some(runtime) = self.runtime.take() else { return };
        if let Some(server) = self.server.take() {
            runtime.block_on(server.stop());
        }
        runtime.shutdown_background();
    }
}

pub fn runtime(threads: usize) -> Runtime {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build();
    runtime.expect("threads")
}

fn settings(config: &Config, database: &str) -> Settings {
    let (number, app) = (&config.numbers[0], &config.apps[0]);
    let value = |name: &str| {
        let value = match name {
            "BATON_LISTEN" => "127.0.0.1:0",
            "BATON_DATABASE_URL" => database,
            "BATON_PLAYBOOK" => Playbook::SAMPLE,
            "WHATSAPP_APP_ID" => &app.id,
            "WHATSAPP_APP_SECRET" => &app.secret,
            "WHATSAPP_VERIFY_TOKEN" => &app.verify_token,
            "WHATSAPP_ACCESS_TOKEN" => &config.tokens[0],
            "WHATSAPP_PHONE_NUMBER_ID" => &number.id,
            "WHATSAPP_BUSINESS_ACCOUNT_ID" => &number.account,
            _ => return None,
        };
        Some(value.to_owned())
    };
    Settings::load(None, &value).expect("settings")
}

/// A Graph that accepts whatever it is asked, at once.
#[derive(Default)]
struct Agreeable(AtomicU64);

impl graph::Transport for Agreeable {
    fn send(&self, _: Request) -> Pending<'_> {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        let body = format!(r#"{{"success":true,"messages":[{{"id":"wamid.ours.{number}"}}]}}"#).into_bytes();
        Box::pin(async move { Ok(Response { status: 200, body, ..Response::default() }) })
    }
}

/// Who says the message of this number.
pub const fn customer(number: u64) -> u64 {
    if number < QUIET_FROM { number % CUSTOMERS } else { CUSTOMERS + number - QUIET_FROM }
}

/// Signed webhook bodies; a message is told by its number, and so is its customer.
pub struct Bodies {
    secret: String,
    account: String,
    number: String,
    phone: String,
    clock: Arc<dyn Clock>,
    next: AtomicU64,
}

impl Bodies {
    pub fn new(config: &Config, clock: Arc<dyn Clock>) -> Self {
        let (number, app) = (&config.numbers[0], &config.apps[0]);
        Self {
            secret: app.secret.clone(),
            account: config.accounts[0].id.clone(),
            number: number.id.clone(),
            phone: number.phone.clone(),
            clock,
            next: AtomicU64::new(CUSTOMERS),
        }
    }

    pub fn secret(&self) -> &[u8] {
        self.secret.as_bytes()
    }

    /// The next body, with so many messages of as many customers.
    pub fn next(&self, messages: u64) -> (Vec<u8>, String) {
        let first = self.next.fetch_add(messages, Ordering::Relaxed);
        self.of(first..first + messages)
    }

    pub fn of(&self, numbers: impl Iterator<Item = u64>) -> (Vec<u8>, String) {
        let second = self.clock.now().seconds();
        let (mut contacts, mut messages) = (Vec::new(), Vec::new());
        for number in numbers {
            let customer = customer(number);
            let phone = format!("1555{customer:07}");
            contacts.push(format!(
                r#"{{"profile":{{"name":"Marina Alves {customer}"}},"wa_id":"{phone}","user_id":"US.{customer:016}"}}"#
            ));
            messages.push(format!(
                r#"{{"from":"{phone}","from_user_id":"US.{customer:016}","id":"wamid.HBgLMTU1NTAxMjM0NTYVAgASGBQzQTZGQUE{number:012}","timestamp":"{second}","type":"text","text":{{"body":"Where is my parcel? I ordered it two weeks ago and nobody answers. {number}"}}}}"#
            ));
        }
        let body = format!(
            r#"{{"object":"whatsapp_business_account","entry":[{{"id":"{}","changes":[{{"value":{{"messaging_product":"whatsapp","metadata":{{"display_phone_number":"{}","phone_number_id":"{}"}},"contacts":[{}],"messages":[{}]}},"field":"messages"}}]}}]}}"#,
            self.account,
            self.phone,
            self.number,
            contacts.join(","),
            messages.join(",")
        )
        .into_bytes();
        let signature = sign(&self.secret, &body);
        (body, signature)
    }
}

/// One connection that is kept alive.
pub struct Poster {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Poster {
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("a server that listens");
        stream.set_nodelay(true).expect("a TCP socket");
        Self { stream, answer: Vec::with_capacity(1_024) }
    }

    /// The answer's status, once all of it is there.
    pub async fn post(&mut self, body: &[u8], signature: &str) -> u16 {
        let head = format!(
            "POST /webhook HTTP/1.1\r\nhost: baton\r\ncontent-type: application/json\r\nx-hub-signature-256: {signature}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let mut request = head.into_bytes();
        request.extend_from_slice(body);
        self.stream.write_all(&request).await.expect("a server that reads");
        self.answer.clear();
        loop {
            let read = self.stream.read_buf(&mut self.answer).await.expect("an answer");
            assert!(read > 0, "the server hung up");
            if let Some(status) = whole(&self.answer) {
                return status;
            }
        }
    }
}

/// The status of an answer that has arrived to its end.
fn whole(answer: &[u8]) -> Option<u16> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&answer[..end]).expect("a head is ASCII");
    let length = head.lines().filter_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.map(|digits| digits.parse::<usize>().expect("a length")).sum();
    (answer.len() >= end + length).then(|| head[9..12].parse().expect("a status"))
}

/// What came of a load.
pub struct Loaded {
    /// From when it was due, in microseconds.
    pub took: Histogram<u64>,
    pub answered: u64,
    /// Not 200.
    pub refused: u64,
    pub length: Duration,
}

impl Loaded {
    pub fn new() -> Self {
        let took = Histogram::new(3).expect("three digits");
        Self { took, answered: 0, refused: 0, length: Duration::ZERO }
    }

    pub fn rate(&self) -> f64 {
        (self.answered - self.refused) as f64 / self.length.as_secs_f64()
    }

    fn one(&mut self, took: Duration, status: u16) {
        self.answered += 1;
        self.refused += u64::from(status != 200);
        record(&mut self.took, took);
    }

    fn join(&mut self, other: &Self) {
        self.took.add(&other.took).expect("the same digits");
        self.answered += other.answered;
        self.refused += other.refused;
    }
}

impl Default for Loaded {
    fn default() -> Self {
        Self::new()
    }
}

pub fn record(histogram: &mut Histogram<u64>, took: Duration) {
    histogram.record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX)).expect("it grows by itself");
}

/// p50, p99 and the longest, in milliseconds.
pub fn percentiles(histogram: &Histogram<u64>) -> String {
    let millis = |micros: u64| micros as f64 / 1_000.0;
    let at = |quantile| millis(histogram.value_at_quantile(quantile));
    format!("{:8.2} {:8.2} {:8.2}", at(0.5), at(0.99), millis(histogram.max()))
}

/// Each of so many connections posts its next body as soon as the one before is answered.
pub async fn closed_loop(
    address: SocketAddr,
    bodies: Arc<Bodies>,
    connections: usize,
    messages: u64,
    length: Duration,
) -> Loaded {
    let mut posters = JoinSet::new();
    let clock = bodies.clock.clone();
    let began = clock.monotonic();
    for _ in 0..connections {
        let (bodies, clock) = (bodies.clone(), clock.clone());
        posters.spawn(async move {
            let mut poster = Poster::connect(address).await;
            let mut loaded = Loaded::new();
            while clock.monotonic() - began < length {
                let (body, signature) = bodies.next(messages);
                let sent = clock.monotonic();
                let status = poster.post(&body, &signature).await;
                loaded.one(clock.monotonic() - sent, status);
            }
            loaded
        });
    }
    gather(posters, &*clock, began).await
}

/// A message of this number was to be posted then, and was answered.
#[derive(Clone, Copy, Debug)]
pub struct Answered {
    pub number: u64,
    pub due_at: Duration,
    pub at: Duration,
}

/// So many a second, evenly, whether or not those before are answered. Each is measured from the
/// moment it was due: what waits for a free connection, or for a generator that is late, counts.
pub async fn on_schedule(
    address: SocketAddr,
    bodies: Arc<Bodies>,
    rate: u32,
    length: Duration,
    answered: impl Fn(Answered) + Clone + Send + 'static,
) -> Loaded {
    /// More than ever wait at the budget's rates.
    const CONNECTIONS: usize = 128;
    let clock = bodies.clock.clone();
    let due = schedule(clock.clone(), rate, length);
    let due = Arc::new(Mutex::new(due));
    let began = clock.monotonic();
    let mut posters = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (bodies, clock, due, answered) = (bodies.clone(), clock.clone(), due.clone(), answered.clone());
        posters.spawn(async move {
            let mut poster = Poster::connect(address).await;
            let mut loaded = Loaded::new();
            loop {
                let Some(due_at) = due.lock().await.recv().await else { return loaded };
                let number = bodies.next.fetch_add(1, Ordering::Relaxed);
                let (body, signature) = bodies.of(std::iter::once(number));
                let status = poster.post(&body, &signature).await;
                let now = clock.monotonic();
                answered(Answered { number, due_at, at: now });
                loaded.one(now.saturating_sub(due_at), status);
            }
        });
    }
    gather(posters, &*clock, began).await
}

/// Moments, evenly spaced, each told when it comes: by a thread, for timers of the runtime are
/// a millisecond coarse.
pub fn schedule(clock: Arc<dyn Clock>, rate: u32, length: Duration) -> mpsc::UnboundedReceiver<Duration> {
    let (tell, due) = mpsc::unbounded_channel();
    // Time for the connections to be opened.
    let began = clock.monotonic() + Duration::from_millis(100);
    let many = u32::try_from(length.as_millis() * u128::from(rate) / 1_000).expect("a bounded load");
    thread::spawn(move || {
        for number in 0..many {
            let due_at = began + Duration::from_secs(1) * number / rate;
            thread::sleep(due_at.saturating_sub(clock.monotonic()));
            if tell.send(due_at).is_err() {
                return;
            }
        }
    });
    due
}

async fn gather(mut posters: JoinSet<Loaded>, clock: &dyn Clock, began: Duration) -> Loaded {
    let mut all = Loaded::new();
    while let Some(loaded) = posters.join_next().await {
        all.join(&loaded.expect("a poster does not panic"));
    }
    all.length = clock.monotonic() - began;
    all
}

/// A database for a load, on the disk that the build lies on: a temporary folder may be memory.
pub async fn database(postgres: bool, folder: &Path) -> Option<Database> {
    if postgres { Database::postgres().await } else { Some(Database::sqlite_in(folder)) }
}

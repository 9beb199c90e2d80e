//! How long it takes from a customer's words to every agent's screen, and an agent's take or send while
//! customers write.
//!
//! `cargo bench --workspace --bench inbox -- [sqlite] [postgres] [seconds]`: webhooks over HTTP into a
//! server on this machine, on schedule, with generator and clients beside it. Nothing is left out when
//! something is late: messages count from when they were due, acts too. Prints figures, asserts none.

use std::{
    collections::{HashMap, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use baton_server::store::conversations;
use baton_shared::{
    CommandId, ConversationId, Epoch, MessageId,
    protocol::{Act, Answer, ClientFrame, Command, Events, PROTOCOL, Row, ServerFrame},
};
use baton_tests::load::{self, Answered, CUSTOMERS, QUIET, Rig};
use futures::{SinkExt, StreamExt};
use hdrhistogram::Histogram;
use tokio::{net::TcpStream, task::JoinSet};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest},
};

/// Takes and sends a second, together.
const ACTS: u32 = 50;

/// A send follows its take after so many acts.
const BEHIND: usize = 50;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let seconds = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(8);
    let named = |engine: &str| arguments.iter().any(|argument| argument == engine);
    println!("p50, p99 and max in ms; screens: from the 200, and from when the webhook was due");
    println!("                                webhook to 200               200 to every screen");
    println!("              clients  writes/s due to every screen          take                         send");
    for (engine, postgres) in [("sqlite", false), ("postgres", true)] {
        if named(engine) || !(named("sqlite") || named("postgres")) {
            for (clients, rate) in [(1, 100), (50, 100), (200, 100), (200, 1_000), (20, 5_000)] {
                measure(engine, postgres, clients, rate, Duration::from_secs(seconds));
            }
        }
    }
}

fn measure(engine: &str, postgres: bool, clients: usize, rate: u32, length: Duration) {
    let generator = load::runtime(2);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let Some(database) = generator.block_on(load::database(postgres, folder)) else {
        return println!("{engine}: left out, none answers");
    };
    let bench = Arc::new(Bench { rig: Rig::start(database), over: AtomicBool::new(false), contents: Mutex::default() });
    let seen = generator.block_on(bench.clone().run(clients, rate, length));
    let Seen { posted, shown, shown_from_due, acts, missed, resyncs } = seen;
    let [take, send] = acts.took.each_ref().map(load::percentiles);
    let to_200 = load::percentiles(&posted.took);
    let (shown, due) = (load::percentiles(&shown), load::percentiles(&shown_from_due));
    println!("  {engine:<10} {clients:8} {rate:9} {to_200}    {shown}");
    println!("  {:<10} {:8} {:9} {due}    {take}   {send}", "", "", "");
    let refused = posted.refused;
    if refused + missed + resyncs + acts.refused + acts.unanswered > 0 {
        println!(
            "             {refused} webhooks not answered 200, {missed} messages not seen on a screen, {resyncs} resyncs, {} acts refused, {} not answered",
            acts.refused, acts.unanswered
        );
    }
}

struct Bench {
    rig: Rig,
    over: AtomicBool,
    /// The numbers of the messages that a frame shows, by where it leads: all clients get the same.
    contents: Mutex<HashMap<u64, Vec<u64>>>,
}

/// What was seen of it.
struct Seen {
    posted: load::Loaded,
    shown: Histogram<u64>,
    shown_from_due: Histogram<u64>,
    acts: Acts,
    missed: u64,
    resyncs: u64,
}

type Wire = WebSocketStream<TcpStream>;

/// A frame of events that a client got: when, and where it leads.
type Got = (Duration, u64);

#[derive(Default)]
struct Client {
    frames: Vec<Got>,
    resyncs: u64,
}

impl Bench {
    async fn run(self: Arc<Self>, clients: usize, rate: u32, length: Duration) -> Seen {
        let token = self.rig.sign_in("Ana").await;
        let quiet = Arc::new(self.quiet(&token).await);
        let mut watching = JoinSet::new();
        for _ in 0..clients {
            watching.spawn(self.clone().watch(self.present(&token).await));
        }
        let acting = JoinSet::from_iter([self.clone().act(self.present(&token).await, quiet, length)]);
        let answered: Arc<Mutex<HashMap<u64, Answered>>> = Arc::default();
        let book = answered.clone();
        let note = move |one: Answered| {
            book.lock().unwrap().insert(one.number, one);
        };
        let posted = load::on_schedule(self.rig.address, self.rig.bodies.clone(), rate, length, note).await;
        // What is on its way to a screen arrives within this, or counts as missed.
        tokio::time::sleep(Duration::from_secs(2)).await;
        self.over.store(true, Ordering::SeqCst);
        let acts = acting.join_all().await.remove(0);
        let clients = watching.join_all().await;
        let answered = std::mem::take(&mut *answered.lock().unwrap());
        compare(posted, acts, &clients, &self.contents.lock().unwrap(), &answered)
    }

    async fn connect(&self, token: &str) -> Wire {
        let mut request = format!("ws://{}/inbox", self.rig.address).into_client_request().unwrap();
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        let stream = TcpStream::connect(self.rig.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (mut wire, _) = client_async(request, stream).await.unwrap();
        let hello = ClientFrame::Hello { protocol: PROTOCOL, build: "bench".into(), resume: None, open: vec![] };
        say(&mut wire, &hello).await;
        wire
    }

    /// One that has its first snapshot: two hundred of them on their way would be the load otherwise.
    async fn present(&self, token: &str) -> Wire {
        let mut wire = self.connect(token).await;
        while !matches!(next(&mut wire).await, ServerFrame::Snapshot { .. }) {}
        wire
    }

    /// Conversations of customers who say nothing more, with what an agent needs to answer.
    async fn quiet(&self, token: &str) -> Vec<(ConversationId, Epoch, Option<MessageId>)> {
        let mut wire = self.connect(token).await;
        let mut quiet = Vec::new();
        let mut reader = self.rig.context.db.reader().await.unwrap();
        while u64::try_from(quiet.len()).unwrap() < QUIET {
            for row in rows(&next(&mut wire).await) {
                let (_, number) = row.customer.rsplit_once(' ').unwrap();
                if number.parse::<u64>().unwrap() >= CUSTOMERS {
                    let known = conversations::by_id(reader.conn(), row.conversation).await.unwrap().unwrap();
                    quiet.push((known.id, known.epoch, known.newest));
                }
            }
        }
        quiet
    }

    /// A screen. What a frame shows is read by whoever gets it first, for everybody: 200 clients on the
    /// server's own cores would be the load otherwise.
    async fn watch(self: Arc<Self>, mut wire: Wire) -> Client {
        let mut client = Client::default();
        while let Some(text) = self.heard(&mut wire).await {
            let now = self.rig.clock.monotonic();
            client.resyncs += u64::from(text.starts_with(r#"{"type":"resync""#));
            let Some(place) = through(&text) else { continue };
            client.frames.push((now, place));
            self.contents.lock().unwrap().entry(place).or_insert_with(|| shown(&text));
        }
        client
    }

    /// `None` once it is over.
    async fn heard(&self, wire: &mut Wire) -> Option<String> {
        loop {
            let wait = tokio::time::timeout(Duration::from_millis(200), wire.next());
            match wait.await {
                Ok(Some(Ok(Message::Text(text)))) => return Some(text.to_string()),
                Ok(Some(Ok(_))) => (),
                Ok(Some(Err(_)) | None) => return None,
                Err(_) if self.over.load(Ordering::SeqCst) => return None,
                Err(_) => (),
            }
        }
    }

    /// Takes and answers on schedule, whether or not the act before was answered.
    async fn act(
        self: Arc<Self>,
        wire: Wire,
        quiet: Arc<Vec<(ConversationId, Epoch, Option<MessageId>)>>,
        length: Duration,
    ) -> Acts {
        let (mut sink, mut stream) = wire.split();
        let mut acts = Acts::default();
        let mut due = load::schedule(self.rig.clock.clone(), ACTS, length);
        let mut under_way: HashMap<CommandId, (usize, Duration)> = HashMap::new();
        let mut number = 0_usize;
        while !(self.over.load(Ordering::SeqCst) && due.is_closed() && due.is_empty()) {
            tokio::select! {
                Some(due_at) = due.recv() => {
                    let kind = number % 2;
                    let Some(place) = (number / 2).checked_sub(kind * BEHIND / 2) else { number += 1; continue };
                    let Some((conversation, epoch, seen)) = quiet.get(place).copied() else { continue };
                    number += 1;
                    let act = match kind {
                        0 => Act::Take { epoch },
                        _ => Act::Send { epoch: Epoch(epoch.0 + 1), text: "I take care of it.".into(), seen, reply_to: None },
                    };
                    let id = self.rig.context.ids.next(self.rig.context.clock.now());
                    under_way.insert(id, (kind, due_at));
                    let frame = ClientFrame::Command(Command { id, conversation, act });
                    sink.send(Message::text(serde_json::to_string(&frame).unwrap())).await.unwrap();
                }
                heard = stream.next() => {
                    let Some(Ok(Message::Text(text))) = heard else { continue };
                    let now = self.rig.clock.monotonic();
                    if !text.starts_with(r#"{"type":"answer""#) {
                        continue;
                    }
                    let ServerFrame::Answer { id, answer } = serde_json::from_str(&text).unwrap() else { continue };
                    let (kind, due_at) = under_way.remove(&id).unwrap();
                    load::record(&mut acts.took[kind], now - due_at);
                    acts.refused += u64::from(!matches!(answer, Answer::Done { .. }));
                }
                () = tokio::time::sleep(Duration::from_millis(200)) => (),
            }
        }
        acts.unanswered = u64::try_from(under_way.len()).unwrap();
        acts
    }
}

/// Takes, then sends.
struct Acts {
    took: [Histogram<u64>; 2],
    refused: u64,
    unanswered: u64,
}

impl Default for Acts {
    fn default() -> Self {
        Self { took: [(); 2].map(|()| Histogram::new(3).unwrap()), refused: 0, unanswered: 0 }
    }
}

fn compare(
    posted: load::Loaded,
    acts: Acts,
    clients: &[Client],
    contents: &HashMap<u64, Vec<u64>>,
    answered: &HashMap<u64, Answered>,
) -> Seen {
    let histogram = || Histogram::new(3).unwrap();
    let (mut shown, mut shown_from_due) = (histogram(), histogram());
    let (mut missed, mut resyncs) = (0, 0);
    let mut waiting: HashMap<u64, VecDeque<&Answered>> = HashMap::new();
    let mut numbers: Vec<&u64> = answered.keys().collect();
    numbers.sort();
    for number in numbers {
        waiting.entry(load::customer(*number)).or_default().push_back(&answered[number]);
    }
    for client in clients {
        let mut waiting = waiting.clone();
        resyncs += client.resyncs;
        for (at, place) in &client.frames {
            for number in contents.get(place).into_iter().flatten() {
                let Some(line) = waiting.get_mut(&load::customer(*number)) else { continue };
                // A row shows its last message; those before it were shown with it, or never.
                while let Some(one) = line.front().filter(|one| one.number <= *number) {
                    // What was on screen before its 200 was read took no time worth counting.
                    load::record(&mut shown, at.saturating_sub(one.at));
                    load::record(&mut shown_from_due, at.saturating_sub(one.due_at));
                    line.pop_front();
                }
            }
        }
        missed += waiting.values().map(|line| u64::try_from(line.len()).unwrap()).sum::<u64>();
    }
    Seen { posted, shown, shown_from_due, acts, missed, resyncs }
}

async fn say(wire: &mut Wire, frame: &ClientFrame) {
    wire.send(Message::text(serde_json::to_string(frame).unwrap())).await.unwrap();
}

async fn next(wire: &mut Wire) -> ServerFrame {
    loop {
        if let Message::Text(text) = wire.next().await.unwrap().unwrap() {
            return serde_json::from_str(&text).unwrap();
        }
    }
}

fn rows(frame: &ServerFrame) -> impl Iterator<Item = &Row> {
    match frame {
        ServerFrame::Snapshot { rows, .. } | ServerFrame::Events(Events { rows, .. }) => rows.iter(),
        _ => [].iter(),
    }
}

/// The numbers of the messages in a frame of events.
fn shown(text: &str) -> Vec<u64> {
    let frame = serde_json::from_str(text).unwrap();
    rows(&frame).filter_map(|row| row.last.as_ref()?.text.rsplit(' ').next()?.parse().ok()).collect()
}

/// The place that a frame of events leads to, as a number.
fn through(text: &str) -> Option<u64> {
    let rest = text.strip_prefix(r#"{"type":"events","#)?;
    let (_, rest) = rest.split_once(r#""through":"#)?;
    let (place, _) = rest.split_once(',')?;
    let mut hasher = DefaultHasher::new();
    place.hash(&mut hasher);
    Some(hasher.finish())
}

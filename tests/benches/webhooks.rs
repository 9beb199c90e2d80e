//! How many signed webhooks the server keeps a second, and how long each waits for its 200.
//!
//! `cargo bench --workspace --bench webhooks -- [sqlite] [postgres] [seconds]`: over HTTP, with a server
//! on this machine and the generator beside it. The baseline, measured in turns with it, is as much HTTP
//! and the same signature in front of one bare insert a delivery, committed in groups. All of it is on
//! disk before the 200: `synchronous=FULL` on SQLite, `synchronous_commit` as PostgreSQL has it (printed).
//! Prints figures, asserts none.

use std::{net::SocketAddr, path::Path, str::FromStr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use baton_server::whatsapp::signature;
use baton_tests::{
    load::{self, Bodies, Loaded, Rig},
    store::Database,
};
use sqlx::{
    ConnectOptions, Connection, Executor, PgPool, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use tokio::{
    net::TcpListener,
    runtime::Runtime,
    sync::{Mutex, mpsc, oneshot},
};

/// Each figure is the median of so many, taken in turns.
const TURNS: usize = 3;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let seconds = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(4);
    let named = |engine: &str| arguments.iter().any(|argument| argument == engine);
    let length = Duration::from_secs(seconds);
    for (engine, postgres) in [("sqlite", false), ("postgres", true)] {
        if named(engine) || !(named("sqlite") || named("postgres")) {
            measure(engine, postgres, length);
        }
    }
}

fn measure(engine: &str, postgres: bool, length: Duration) {
    let generator = load::runtime(2);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let databases = generator
        .block_on(async { Some((load::database(postgres, folder).await?, load::database(postgres, folder).await?)) });
    let Some((ours, bare)) = databases else { return println!("{engine}: left out, none answers") };
    let rig = Rig::start(ours);
    let baseline = Baseline::start(bare, rig.bodies.clone());
    println!("{engine}: {}", generator.block_on(baseline.durability()));
    println!("  closed loop                                 deliveries/s   messages/s   p50, p99, max ms");
    for (connections, messages) in [(32, 1), (128, 1), (32, 20)] {
        let run =
            |address| generator.block_on(load::closed_loop(address, rig.bodies.clone(), connections, messages, length));
        let mut pairs: Vec<(Loaded, Loaded)> = (0..TURNS).map(|_| (run(baseline.address), run(rig.address))).collect();
        let mut ratios: Vec<f64> = pairs.iter().map(|(bare, ours)| ours.rate() / bare.rate()).collect();
        ratios.sort_by(f64::total_cmp);
        pairs.sort_by(|(_, one), (_, other)| one.rate().total_cmp(&other.rate()));
        let (_, ours) = &pairs[TURNS / 2];
        say(&format!("{connections} connections, {messages} a body"), ours, messages);
        pairs.sort_by(|(one, _), (other, _)| one.rate().total_cmp(&other.rate()));
        let (bare, _) = &pairs[TURNS / 2];
        say("    baseline: a bare insert a delivery", bare, messages);
        println!("      ratio, medians of {TURNS} turns: {:.2}", ratios[TURNS / 2]);
    }
    println!("  open loop, from the moment it was due       deliveries/s   messages/s   p50, p99, max ms");
    for rate in [200, 1_000, 3_000] {
        let run = |address| {
            let bodies = rig.bodies.clone();
            generator.block_on(load::on_schedule(address, bodies, rate, 2 * length, |_| ()))
        };
        say(&format!("{rate} a second"), &run(rig.address), 1);
        say("    baseline", &run(baseline.address), 1);
    }
}

fn say(what: &str, loaded: &Loaded, messages: u64) {
    let (rate, refused) = (loaded.rate(), loaded.refused);
    let refused = if refused == 0 { String::new() } else { format!("   {refused} not answered 200") };
    let took = load::percentiles(&loaded.took);
    println!("    {what:<42} {rate:10.0} {:12.0}   {took}{refused}", rate * messages as f64);
}

/// The same way in, and behind it one insert into one table.
struct Baseline {
    address: SocketAddr,
    database: Database,
    _runtime: Runtime,
}

type Waiting = (Bytes, oneshot::Sender<()>);

#[derive(Clone)]
struct Door {
    bodies: Arc<Bodies>,
    line: mpsc::Sender<Waiting>,
}

impl Baseline {
    fn start(database: Database, bodies: Arc<Bodies>) -> Self {
        let runtime = load::runtime(2);
        let (line, waiting) = mpsc::channel(2_048);
        let waiting = Arc::new(Mutex::new(waiting));
        let url = database.url.clone();
        let address = runtime.block_on(async {
            if url.starts_with("sqlite:") {
                let mut connection = sqlite(&url).await;
                connection.execute("create table kept (number integer primary key, body text not null)").await.unwrap();
                tokio::runtime::Handle::current().spawn(keep_in_sqlite(connection, waiting));
                tokio::runtime::Handle::current().spawn(checkpoint(sqlite(&url).await));
            } else {
                let pool = PgPool::connect(&url).await.unwrap();
                let table =
                    "create table kept (number bigint generated always as identity primary key, body text not null)";
                pool.execute(table).await.unwrap();
                for _ in 0..3 {
                    tokio::runtime::Handle::current().spawn(keep_in_postgres(pool.clone(), waiting.clone()));
                }
            }
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let router = Router::new().route("/webhook", post(take)).with_state(Door { bodies, line });
            tokio::runtime::Handle::current().spawn(async move { axum::serve(listener, router).await });
            address
        });
        Self { address, database, _runtime: runtime }
    }

    async fn durability(&self) -> String {
        if self.database.url.starts_with("sqlite:") {
            return "durable before 200 (WAL, synchronous=FULL), beside the build's target folder".into();
        }
        let pool = PgPool::connect(&self.database.url).await.unwrap();
        let setting = async |name: &str| {
            let value: String =
                sqlx::query_scalar("select current_setting($1)").bind(name).fetch_one(&pool).await.unwrap();
            format!("{name}={value}")
        };
        format!("durable before 200 ({}, {})", setting("synchronous_commit").await, setting("fsync").await)
    }
}

async fn take(State(door): State<Door>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let signature = headers.get(signature::HEADER).map(axum::http::HeaderValue::as_bytes);
    if signature::verify(std::iter::once(door.bodies.secret()), signature, &body).is_err() {
        return StatusCode::UNAUTHORIZED;
    }
    let (answer, kept) = oneshot::channel();
    door.line.send((body, answer)).await.unwrap();
    kept.await.unwrap();
    StatusCode::OK
}

async fn sqlite(url: &str) -> SqliteConnection {
    let options = SqliteConnectOptions::from_str(url).unwrap().create_if_missing(true);
    let options = options
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("wal_autocheckpoint", "0")
        .disable_statement_logging();
    SqliteConnection::connect_with(&options).await.unwrap()
}

/// Up to 128 that wait, as one JSON array.
async fn together(waiting: &Mutex<mpsc::Receiver<Waiting>>) -> (String, Vec<oneshot::Sender<()>>) {
    let mut taken = Vec::new();
    waiting.lock().await.recv_many(&mut taken, 128).await;
    let texts: Vec<&str> = taken.iter().map(|(body, _)| std::str::from_utf8(body).unwrap()).collect();
    let rows = serde_json::to_string(&texts).unwrap();
    (rows, taken.into_iter().map(|(_, answer)| answer).collect())
}

async fn keep_in_sqlite(mut connection: SqliteConnection, waiting: Arc<Mutex<mpsc::Receiver<Waiting>>>) {
    loop {
        let (rows, answers) = together(&waiting).await;
        if answers.is_empty() {
            return;
        }
        let insert = sqlx::query("insert into kept (body) select value from json_each($1)").bind(rows);
        insert.execute(&mut connection).await.unwrap();
        answers.into_iter().for_each(|answer| answer.send(()).unwrap());
    }
}

async fn checkpoint(mut connection: SqliteConnection) {
    loop {
        tokio::time::sleep(Duration::from_millis(250)).await;
        connection.execute("pragma wal_checkpoint(passive)").await.unwrap();
    }
}

async fn keep_in_postgres(pool: PgPool, waiting: Arc<Mutex<mpsc::Receiver<Waiting>>>) {
    loop {
        let (rows, answers) = together(&waiting).await;
        if answers.is_empty() {
            return;
        }
        let insert = sqlx::query("insert into kept (body) select json_array_elements_text($1::json)").bind(rows);
        insert.execute(&pool).await.unwrap();
        answers.into_iter().for_each(|answer| answer.send(()).unwrap());
    }
}

//! How well answers are found, how fast among how many passages, and what a turn takes besides its model.
//!
//! `cargo bench --workspace --bench retrieval -- --data DIR`: DIR holds `stackfaq/stackExchange-FAQ.json` (StackFAQ:
//! Karan and Snajder 2018) and, for sentences about other things, `clinc150/` with the set's JSON file. Prints figures,
//! asserts none.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use baton_server::{
    Context, Parts,
    bot::{
        brains::Brains,
        chain::Chain,
        model::{Form, NoResponse, Pending, Request, Response, Transport},
        room::make_turn,
    },
    config::{Language, Link, Model, Secret, Settings, Structured, Wire},
    domain::turn::Pause,
    intake,
    knowledge::{
        Library,
        chunk::tokens,
        index::{Asked, Chunk, Document, FLOOR, Hit, Index},
    },
    lifecycle::Lifecycle,
    store::{
        Urgency,
        knowledge::{self, State},
    },
    whatsapp::graph,
};
use baton_shared::{Clock, DocumentId, Ids, SystemClock};
use baton_simulator::whatsapp::{Config, sign};
use baton_tests::{
    acts::Acts,
    app::environment,
    door::Door,
    said::{message, phone, text},
    store::Database,
};
use hdrhistogram::Histogram;
use serde_json::Value;
use uuid::Uuid;

const SIZES: [usize; 3] = [100, 10_000, 100_000];
/// Chunks of a knowledge base that a turn is measured with.
const TURNS_CHUNKS: usize = 10_000;
const TURNS: usize = 400;

/// A thread: its question, its answers, and other ways to ask it.
struct Thread {
    question: String,
    answer: String,
    asked: Vec<String>,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let data = arguments.iter().position(|argument| argument == "--data").and_then(|at| arguments.get(at + 1));
    let Some(data) = data.map(PathBuf::from) else {
        return println!("left out: --data DIR names the folder of the public sets");
    };
    let threads = stackfaq(&data.join("stackfaq/stackExchange-FAQ.json"));
    quality(&threads);
    floor(&threads, &clinc(&data.join("clinc150")));
    let clock = SystemClock::default();
    for size in SIZES {
        speed(&threads, size, &clock);
    }
    tokio::runtime::Runtime::new().expect("threads").block_on(turns(&threads));
}

/// `{"root": {"qapair": [{"question", "answer": [..], "rephr": [..]}]}}`; `*` stands for no rephrasing.
fn stackfaq(file: &Path) -> Vec<Thread> {
    let bytes = std::fs::read(file).unwrap_or_else(|why| panic!("{}: {why}", file.display()));
    let json: Value = serde_json::from_slice(&bytes).expect("JSON");
    let texts = |value: &Value| -> Vec<String> {
        match value {
            Value::Array(all) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            other => other.as_str().map(str::to_owned).into_iter().collect(),
        }
    };
    let pairs = json["root"]["qapair"].as_array().expect("root.qapair");
    let thread = |pair: &Value| Thread {
        question: pair["question"].as_str().unwrap_or_default().to_owned(),
        answer: texts(&pair["answer"]).join(" "),
        asked: texts(&pair["rephr"]).into_iter().filter(|text| text.len() > 2).collect(),
    };
    pairs.iter().map(thread).collect()
}

/// `{"val": [["words", "intent"], ..]}`; none if it is not there.
fn clinc(folder: &Path) -> Vec<String> {
    let file = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let Some(file) = file.filter(|path| path.extension().is_some_and(|ending| ending == "json")).min() else {
        return Vec::new();
    };
    let bytes = std::fs::read(&file).unwrap_or_else(|why| panic!("{}: {why}", file.display()));
    let json: Value = serde_json::from_slice(&bytes).expect("JSON");
    let pairs = json["val"].as_array().expect("val");
    pairs.iter().filter_map(|pair| pair[0].as_str()).map(str::to_owned).collect()
}

fn document(number: usize) -> Document {
    Document {
        id: DocumentId(Uuid::from_u128(number as u128 + 1)),
        name: format!("{number:06}.md"),
        channel: String::new(),
        language: Language::ENGLISH,
    }
}

fn chunk(heading: &str, body: &str) -> Chunk {
    Chunk { place: 0, heading: heading.into(), body: body.into(), vector: None }
}

fn index(threads: &[Thread]) -> Index {
    let mut index = Index::default();
    for (number, thread) in threads.iter().enumerate() {
        index.put(document(number), vec![chunk(&thread.question, &thread.answer)]);
    }
    index
}

fn find(index: &Index, question: &str, most: usize) -> Vec<Hit> {
    index.find(Asked { text: question, channel: "", vector: None, likeness: 1.0 }, most)
}

fn questions(threads: &[Thread]) -> impl Iterator<Item = (usize, &str)> {
    let each = threads.iter().enumerate();
    each.flat_map(|(number, thread)| thread.asked.iter().map(move |asked| (number, asked.as_str())))
}

fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

fn quality(threads: &[Thread]) {
    let index = index(threads);
    let (mut first, mut fifth, mut reciprocal, mut all) = (0, 0, 0.0, 0);
    for (thread, asked) in questions(threads) {
        let hits = find(&index, asked, 10);
        let place = hits.iter().position(|hit| hit.document == document(thread).id);
        all += 1;
        first += usize::from(place == Some(0));
        fifth += usize::from(place.is_some_and(|place| place < 5));
        reciprocal += place.map_or(0.0, |place| 1.0 / (place + 1) as f64);
    }
    println!("StackFAQ: {} threads, {all} questions", threads.len());
    println!(
        "  recall@1 {:.3}  recall@5 {:.3}  MRR@10 {:.3}",
        share(first, all),
        share(fifth, all),
        reciprocal / all as f64
    );
}

/// What floors keep of answers that are there, and turn down of questions that have none.
fn floor(threads: &[Thread], others: &[String]) {
    let mut index = index(threads);
    let best = |index: &Index, asked: &str| find(index, asked, 5).iter().map(|hit| hit.coverage).fold(0.0, f32::max);
    let (mut found, mut gone) = (Vec::new(), Vec::new());
    for (thread, asked) in questions(threads) {
        let hits = find(&index, asked, 5);
        found.extend(hits.iter().find(|hit| hit.document == document(thread).id).map(|hit| hit.coverage));
    }
    for (number, thread) in threads.iter().enumerate() {
        index.remove(document(number).id);
        gone.extend(thread.asked.iter().map(|asked| best(&index, asked)));
        index.put(document(number), vec![chunk(&thread.question, &thread.answer)]);
    }
    let other: Vec<f32> = others.iter().map(|asked| best(&index, asked)).collect();
    println!(
        "the floor (now {FLOOR}): kept of answers found; turned down with the answer taken away, about other things"
    );
    for floor in [0.2, 0.25, 0.3, 0.35, 0.4] {
        let below = |all: &[f32]| share(all.iter().filter(|coverage| **coverage < floor).count(), all.len());
        println!("  {floor:.2}  {:.3}  {:.3}  {:.3}", 1.0 - below(&found), below(&gone), below(&other));
    }
}

/// So many chunks of some 400 tokens, of sentences of the set, under questions of the set.
fn made(threads: &[Thread], size: usize) -> Vec<(String, String)> {
    let mut rng = fastrand::Rng::with_seed(1);
    let sentences: Vec<&str> =
        threads.iter().flat_map(|thread| thread.answer.split_inclusive(". ")).filter(|one| one.len() < 400).collect();
    let one = |_| {
        let mut body = String::new();
        while tokens(&body) < 400 {
            body.push_str(sentences[rng.usize(..sentences.len())]);
        }
        (threads[rng.usize(..threads.len())].question.clone(), body)
    };
    (0..size).map(one).collect()
}

fn speed(threads: &[Thread], size: usize, clock: &dyn Clock) {
    let chunks = made(threads, size);
    let mut index = Index::default();
    let began = clock.monotonic();
    for (number, (heading, body)) in chunks.iter().enumerate() {
        index.put(document(number), vec![chunk(heading, body)]);
    }
    let built = clock.monotonic() - began;
    let mut times = Histogram::<u64>::new(3).expect("a histogram");
    for (_, asked) in questions(threads) {
        let began = clock.monotonic();
        let hits = find(&index, asked, 5);
        times.saturating_record(u64::try_from((clock.monotonic() - began).as_micros()).unwrap_or(u64::MAX));
        assert!(!hits.is_empty());
    }
    let at = |share| times.value_at_quantile(share);
    println!(
        "{size} chunks: built in {:.2} s; a question p50 {} µs, p95 {} µs, p99 {} µs",
        built.as_secs_f64(),
        at(0.5),
        at(0.95),
        at(0.99)
    );
}

/// A model that answers at once.
struct AtOnce;

impl Transport for AtOnce {
    fn send(&self, _: Request) -> Pending<'_> {
        let reply = r#"{"reply":"Here it is.","confidence":0.9,"handoff":false,"reason":"","stage":"","sources":[1]}"#;
        let body = serde_json::json!({"choices": [{"message": {"content": reply}}]}).to_string();
        Box::pin(async move { Ok(Response { status: 200, body: body.into_bytes(), ..Response::default() }) })
    }

    fn send_form(&self, _: Form) -> Pending<'_> {
        Box::pin(async { Err(NoResponse::TimedOut) })
    }
}

/// A turn from its lease to its commit on SQLite, with a model that takes no time.
async fn turns(threads: &[Thread]) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (config, database) = (Config::shop(), Database::sqlite());
    let clock = Arc::new(SystemClock::default());
    let parts = Parts {
        clock: clock.clone(),
        ids: Arc::new(Ids::system()),
        graph: Arc::new(graph::HttpTransport::new().expect("TLS")),
        models: Arc::new(AtOnce),
        program: None,
        gate: None,
    };
    let context = baton_server::open(settings(&config, &database), &parts).await.expect("a store");
    store(&context, made(threads, TURNS_CHUNKS)).await;
    let library = Library::new(None);
    let began = clock.monotonic();
    library.refresh(&context.db).await.expect("a read");
    println!("{TURNS_CHUNKS} chunks read from the store in {:.2} s", (clock.monotonic() - began).as_secs_f64());
    let chain = Arc::new(Chain::new(&context.settings.models, &parts.models, clock.clone()));
    let brains = Brains::learn(&context.settings, &chain);
    let brains = Arc::new(brains.with_knowledge(&library));
    let life = Lifecycle::default();
    let numbers = intake::Numbers::load(&context).await.expect("the numbers");
    let door = Door::open(intake::router(context.clone(), numbers, &life), &life);
    let (acts, mut times) = (Acts(context.clone()), Histogram::<u64>::new(3).expect("a histogram"));
    for (number, (_, asked)) in questions(threads).take(TURNS).enumerate() {
        let (who, wamid) = (format!("1555{number:07}"), format!("wamid.{number}"));
        let channel = &context.settings.whatsapp.channels[0];
        let body = message(channel, phone(&who), &wamid, clock.now().seconds(), text(asked)).to_string();
        let signature = sign(&config.apps[0].secret, body.as_bytes());
        assert_eq!(door.post("/webhook", &signature, body.as_bytes()).await, 200);
        let conversation = acts.conversation_of(&wamid).await.expect("stored");
        let began = clock.monotonic();
        let outcome = make_turn(context.clone(), brains.clone(), conversation).await.expect("a turn");
        times.saturating_record(u64::try_from((clock.monotonic() - began).as_micros()).unwrap_or(u64::MAX));
        assert!(outcome.is_some(), "it was due");
    }
    let at = |share| times.value_at_quantile(share) as f64 / 1_000.0;
    println!(
        "a turn without its model, {TURNS_CHUNKS} chunks, SQLite: p50 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms",
        at(0.5),
        at(0.95),
        at(0.99)
    );
    life.stop(Duration::from_secs(1)).await;
    context.db.close().await;
}

/// Every question goes to the model, at once.
fn settings(config: &Config, database: &Database) -> Settings {
    let variables = environment(config, "http://127.0.0.1:1/v26.0", database, "127.0.0.1:0");
    let value = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
    let mut settings = Settings::load(None, &value).expect("settings");
    settings.books[0].playbook.burst = Pause { quiet: Duration::ZERO, limit: Duration::ZERO };
    settings.books[0].playbook.intents.clear();
    settings.models = vec![Model {
        provider: "other".into(),
        wire: Wire::OpenAi,
        name: "at-once".into(),
        base_url: "http://model/v1".into(),
        api_key: Some(Secret::new("key")),
        deadline: Duration::from_secs(5),
        max_tokens: 300,
        structured: Structured::Schema,
        link: Link::default(),
    }];
    settings
}

async fn store(context: &Context, chunks: Vec<(String, String)>) {
    let now = context.clock.now();
    let rows =
        (0..).zip(chunks).map(|(place, (heading, body))| knowledge::Chunk { place, heading, body, vector: None });
    let rows: Vec<knowledge::Chunk> = rows.collect();
    let document = knowledge::Document {
        id: context.ids.next(now),
        source: "/made".into(),
        name: "made.md".into(),
        kind: Some("markdown".into()),
        language: "en".into(),
        channel: String::new(),
        digest: None,
        etag: None,
        state: State::Ready,
        problem: None,
        reading: 0,
        chunks: i64::try_from(rows.len()).expect("a number"),
        version: 0,
        read_at: Some(now),
        looked_at: now,
        created_at: now,
    };
    let id = document.id;
    let job = context.db.write(Urgency::Last, move |tx| {
        let document = document.clone();
        Box::pin(async move {
            knowledge::insert(tx, &document).await?;
            knowledge::save(tx, &document, 0, true).await
        })
    });
    job.await.expect("a write");
    for slice in rows.chunks(500) {
        let slice = slice.to_vec();
        let job = context.db.write(Urgency::Last, move |tx| {
            let slice = slice.clone();
            Box::pin(async move { knowledge::insert_chunks(tx, id, 0, &slice).await })
        });
        job.await.expect("a write");
    }
}

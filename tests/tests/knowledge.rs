//! What the business has written down: taken in beside a running server, found, told, and kept fresh; and pages
//! that lead where nobody may look.

use std::{path::Path, process::Command, sync::Arc, time::Duration};

use axum::{Router, http::StatusCode, response::Redirect, routing::get};
use baton_server::{
    Server,
    config::{Language, Link, Model, Secret, Structured, Wire},
    knowledge::{
        Became, Librarian, Library, Source, Tongue, Wanted,
        documents::Reader,
        web::{NoPage, Web},
    },
    store::{knowledge, messages},
};
use baton_shared::{
    Clock, SystemClock,
    content::{self, Detail},
    message::Author,
};
use baton_simulator::{
    Span,
    model::{Model as Simulated, ModelConfig, ModelServer},
    whatsapp::{Person, Saying},
};
use baton_tests::{
    app::{App, eventually},
    on_both,
    store::TestStore,
};
use tokio::net::TcpListener;

/// What it printed and said; its exit code.
async fn run(mut command: Command, arguments: &[&str]) -> (String, i32) {
    command.args(arguments);
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("a result").expect("it starts");
    let said = [output.stdout, output.stderr].concat();
    (String::from_utf8_lossy(&said).into_owned(), output.status.code().unwrap_or(-1))
}

const QUESTION: &str = "do the laces of your blue shoes survive a dishwasher?";

/// A new customer asks, and is answered; the answer with its sources.
async fn asks(app: &App, number: usize) -> (String, Vec<content::Source>) {
    let wamid = app.simulator.with(|world, now| {
        let person = Person::new("Marina", &format!("1555{number:07}"), &format!("US.{number:010}"));
        let person = world.whatsapp.add_person(person);
        world.whatsapp.say(now, person, Saying::text(QUESTION))
    });
    let acts = app.acts();
    let mut answer = None;
    eventually("somebody answers", async || {
        let Some(conversation) = acts.conversation_of(&wamid).await else { return false };
        let said = messages::said(app.reader().await.conn(), conversation, 9).await.expect("a read");
        answer = said.into_iter().find(|one| matches!(one.author, Author::Bot | Author::System));
        answer.is_some()
    })
    .await;
    let answer = answer.expect("found a moment ago");
    let detail: Detail = answer.detail.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default();
    (answer.text, detail.sources)
}

/// The next customer that is told these words gets them from there.
async fn is_told(app: &App, customers: &mut usize, words: &str) -> Vec<content::Source> {
    let mut sources = Vec::new();
    eventually(words, async || {
        *customers += 1;
        let (text, from) = asks(app, *customers).await;
        sources = from;
        text.contains(words)
    })
    .await;
    sources
}

on_both!(
    a_document_added_beside_the_server_is_answered_from_with_its_source,
    app | app | {
        let mut app = app;
        let config = ModelConfig { latency: Span::millis(1, 10), ..ModelConfig::default() };
        let simulated = Simulated::new(config, fastrand::Rng::with_seed(1));
        let server = ModelServer::start(simulated, app.clock.clone()).await.expect("a socket");
        app.stop().await;
        let mut settings = app.settings();
        settings.models = vec![Model {
            provider: "other".into(),
            wire: Wire::Anthropic,
            name: "small".into(),
            base_url: server.base_url().into(),
            api_key: Some(Secret::new("key")),
            deadline: Duration::from_secs(20),
            max_tokens: 300,
            structured: Structured::Schema,
            link: Link::default(),
        }];
        app.server = Some(Server::start(settings, app.parts()).await.expect("a server starts"));

        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("care.md");
        let write = |degrees: u8| {
            let text =
                format!("# Care\n\n## Laces\nThe laces of our blue shoes survive a dishwasher at {degrees} degrees.\n");
            std::fs::write(&file, text).expect("a file");
        };
        write(40);
        let (said, code) = run(app.program(), &["knowledge", "add", &file.to_string_lossy()]).await;
        assert!(code == 0 && said.contains("1 read with 1 passages"), "{code}: {said}");

        let mut customers = 0;
        let sources = is_told(&app, &mut customers, "40 degrees").await;
        let laces = content::Source { document: "care.md".into(), heading: "Care > Laces".into() };
        assert_eq!(sources, [laces]);

        // A file that is written anew is read again by the server itself.
        write(60);
        is_told(&app, &mut customers, "60 degrees").await;

        let (said, code) = run(app.program(), &["knowledge", "remove", "care.md", "--yes"]).await;
        assert!(code == 0 && said.contains("is forgotten"), "{code}: {said}");
        eventually("it is not told any more", async || {
            customers += 1;
            !asks(&app, customers).await.0.contains("60 degrees")
        })
        .await;
        app.stop().await;
        server.stop().await;
    }
);

fn librarian(store: &TestStore, hosts: &[&str]) -> Librarian {
    let tongue = Tongue { guess: |_| None, otherwise: Language::ENGLISH };
    let web = Web::new(hosts.iter().map(|host| (*host).to_owned()).collect());
    Librarian::new(store.db.clone(), store.clock.clone(), store.ids.clone(), Reader::new(None), web, tongue)
}

fn wanted(source: Source, name: &str) -> Wanted {
    Wanted { source, name: name.into(), language: None, channel: None }
}

const FILES: [(&str, &str); 4] = [
    ("returns.md", "# Returns\nUnworn shoes come back within 30 days.\n\n## Exchanges\nAnother size is sent for free."),
    ("hours.txt", "The shop is open from nine to seven.\n\nOn Sunday it is closed."),
    (
        "faq.csv",
        "question,answer\nDo you ship to Spain?,Shipping to Spain takes five days.\nGift cards?,They come in 25 and 50.\n",
    ),
    (
        "care.html",
        "<title>Care</title><h1>Wool</h1><p>Wash it by hand.</p><h1>Shoes</h1><p>Brush them, and let shoes dry.</p>",
    ),
];

async fn takes_in(store: &TestStore, folder: &Path) {
    for (name, text) in FILES {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("a file");
        let became = librarian(store, &[]).add(&wanted(Source::File(path), name)).await.expect("a store");
        assert!(matches!(became, Became::Read { .. }), "{name}: {became:?}");
    }
}

on_both!(both_engines_find_the_same_in_the_same_order, |store| {
    let folder = tempfile::tempdir().expect("a folder");
    takes_in(&store, folder.path()).await;
    let library = Library::new(None);
    assert!(library.refresh(&store.db).await.expect("a read"));
    assert!(!library.refresh(&store.db).await.expect("a read"), "nothing has changed");
    let found = async |question: &str| {
        let hits = library.find(question, "", 3).await;
        hits.into_iter().map(|hit| (format!("{} > {}", hit.name, hit.heading), hit.relevant)).collect::<Vec<_>>()
    };
    let one = |place: &str, relevant| (place.to_owned(), relevant);
    assert_eq!(
        found("can I exchange my shoes for another size").await,
        [
            one("returns.md > Returns > Exchanges", true),
            one("care.html > Care > Shoes", false),
            one("returns.md > Returns", false),
        ]
    );
    assert_eq!(found("are you open on Sunday").await[0], one("hours.txt > ", true));
    assert_eq!(found("do you ship to Spain").await[0], one("faq.csv > Do you ship to Spain?", true));
    assert!(found("who won the football match").await.iter().all(|(_, relevant)| !relevant));

    // Another server, that has seen nothing yet, ranks alike; and the first follows what changes.
    let again = Library::new(None);
    again.refresh(&store.db).await.expect("a read");
    assert_eq!(again.find("shoes", "", 9).await, library.find("shoes", "", 9).await);
    let documents = knowledge::every(store.db.reader().await.expect("a reader").conn()).await.expect("a read");
    let care = documents.into_iter().find(|one| one.name == "care.html").expect("it was added");
    let (id, now) = (care.id, store.clock.now());
    let job = store.db.write(baton_server::store::Urgency::Last, move |tx| Box::pin(knowledge::remove(tx, id, now)));
    job.await.expect("a write");
    assert!(library.refresh(&store.db).await.expect("a read"));
    assert!(library.find("shoes", "", 9).await.iter().all(|hit| hit.name != "care.html"));
});

on_both!(what_cannot_be_read_any_more_stays_as_it_was, |store| {
    let folder = tempfile::tempdir().expect("a folder");
    takes_in(&store, folder.path()).await;
    let path = folder.path().join("returns.md");
    let librarian = librarian(&store, &[]);
    let document = async |store: &TestStore| {
        let all = knowledge::every(store.db.reader().await.expect("a reader").conn()).await.expect("a read");
        all.into_iter().find(|one| one.name == "returns.md").expect("it was added")
    };
    let first = document(&store).await;
    assert_eq!(librarian.refresh(&first).await.expect("a store"), Became::Same);
    std::fs::write(&path, [0, 1, 2]).expect("a file");
    assert!(matches!(librarian.refresh(&first).await.expect("a store"), Became::Failed(_)));
    let stale = document(&store).await;
    assert_eq!((stale.state, stale.chunks), (knowledge::State::Stale, 2));
    assert!(stale.problem.as_deref().is_some_and(|why| why.contains("bytes of zero")), "{:?}", stale.problem);
    // Who read it from the same state and comes later changes nothing.
    std::fs::write(&path, "# Returns\nWithin 14 days.").expect("a file");
    assert_eq!(librarian.refresh(&stale).await.expect("a store"), Became::Read { chunks: 1 });
    std::fs::write(&path, "# Returns\nWithin 15 days.").expect("a file");
    assert_eq!(librarian.refresh(&stale).await.expect("a store"), Became::Overtaken);
    let last = document(&store).await;
    let chunks = knowledge::chunks(store.db.reader().await.expect("a reader").conn(), &last).await.expect("a read");
    assert_eq!(chunks.iter().map(|chunk| chunk.body.as_str()).collect::<Vec<_>>(), ["Within 14 days."]);
});

/// A web server on this machine; its port.
async fn web_server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let page = async |headers: axum::http::HeaderMap| match headers.get("if-none-match") {
        Some(_) => (StatusCode::NOT_MODIFIED, [("etag", "\"1\""), ("content-type", "text/html")], ""),
        None => (StatusCode::OK, [("etag", "\"1\""), ("content-type", "text/html")], "<h1>Returns</h1><p>30 days."),
    };
    let routes = Router::new()
        .route("/page", get(page))
        .route("/moved", get(async || Redirect::permanent("/page")))
        .route("/inside", get(async move || Redirect::temporary(&format!("http://127.0.0.1:{port}/page"))))
        .route("/metadata", get(async || Redirect::temporary("http://169.254.169.254/latest")))
        .route("/file", get(async || Redirect::temporary("file:///etc/passwd")))
        .route("/loop", get(async || Redirect::temporary("/loop")))
        .route("/huge", get(async || vec![b'a'; 33 * 1024 * 1024]));
    #[expect(clippy::disallowed_methods, reason = "a server of a test ends with it")]
    tokio::spawn(async move { axum::serve(listener, routes).await });
    port
}

#[tokio::test]
async fn a_page_that_leads_into_the_private_network_is_refused() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let port = web_server().await;
    let at = |path: &str| format!("http://localhost:{port}/{path}");
    // The intranet's own host may be asked, and nobody else it points to.
    let web = Web::new(vec!["localhost".into()]);
    let page = web.get(&at("moved"), None).await.expect("a page").expect("a new one");
    assert_eq!((&page.bytes[..], page.etag.as_deref()), (&b"<h1>Returns</h1><p>30 days."[..], Some("\"1\"")));
    assert!(web.get(&at("page"), Some("\"1\"")).await.expect("an answer").is_none());
    for path in ["inside", "metadata"] {
        let refused = web.get(&at(path), None).await.unwrap_err();
        assert!(matches!(refused, NoPage::Private(_)), "{path}: {refused}");
    }
    assert!(matches!(web.get(&at("file"), None).await, Err(NoPage::Address(_))));
    assert!(matches!(web.get(&at("loop"), None).await, Err(NoPage::Hops)));
    assert!(matches!(web.get(&at("huge"), None).await, Err(NoPage::TooLarge)));
    assert!(matches!(web.get(&at("nothing"), None).await, Err(NoPage::Status(404))));
    assert!(matches!(Web::new(Vec::new()).get(&at("page"), None).await, Err(NoPage::Private(_))));
}

on_both!(a_page_is_read_once_for_each_of_its_versions, |store| {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let port = web_server().await;
    let librarian = librarian(&store, &["localhost"]);
    let source = Source::parse(&format!("http://localhost:{port}/moved#top")).expect("an address");
    let wanted = wanted(source, "moved");
    assert_eq!(librarian.add(&wanted).await.expect("a store"), Became::Read { chunks: 1 });
    assert_eq!(librarian.add(&wanted).await.expect("a store"), Became::Same);
    let all = knowledge::every(store.db.reader().await.expect("a reader").conn()).await.expect("a read");
    assert_eq!((all.len(), all[0].kind.as_deref(), all[0].etag.as_deref()), (1, Some("html"), Some("\"1\"")));
    let hour = Duration::from_secs(3_600);
    assert!(!librarian.is_due(&all[0], hour).await);
    store.advance(hour);
    assert!(librarian.is_due(&all[0], hour).await);
});

/// The vectors of an embedder that knows one thing: whether a text is about dogs.
async fn embedder() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let answer = async |body: String| {
        let body: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        let vector = |text: &serde_json::Value| {
            let about = ["dog", "puppy", "hound"].iter().any(|word| text.as_str().unwrap_or_default().contains(word));
            if about { [1.0, 0.1] } else { [0.1, 1.0] }
        };
        let vectors: Vec<_> = body["input"].as_array().into_iter().flatten().map(vector).collect();
        serde_json::json!({ "embeddings": vectors }).to_string()
    };
    let routes = Router::new().route("/api/embed", axum::routing::post(answer));
    #[expect(clippy::disallowed_methods, reason = "a server of a test ends with it")]
    tokio::spawn(async move { axum::serve(listener, routes).await });
    format!("http://{address}")
}

on_both!(what_means_the_same_is_found_once_there_is_an_embedder, |store| {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    takes_in(&store, folder.path()).await;
    let path = folder.path().join("pets.md");
    std::fs::write(&path, "# Animals\nA dog is welcome.").expect("a file");
    let librarian = librarian(&store, &[]);
    librarian.add(&wanted(Source::File(path), "pets.md")).await.expect("a store");
    let settings = baton_server::config::Embedder {
        provider: "ollama".into(),
        wire: baton_server::config::EmbedderWire::Ollama,
        name: "small".into(),
        base_url: embedder().await,
        api_key: None,
        deadline: Duration::from_secs(20),
        likeness: 0.8,
    };
    let transport = Arc::new(baton_server::bot::model::HttpTransport::new().expect("TLS"));
    let embedder = baton_server::knowledge::Embedder::new(settings, transport);
    let library = Library::new(Some(embedder.clone()));
    library.refresh(&store.db).await.expect("a read");
    let best = async || library.find("may my puppy come along", "", 1).await.pop();
    assert!(best().await.is_none_or(|hit| !hit.relevant));
    let mut made = 0;
    while let more @ 1.. = librarian.embed(&embedder).await.expect("vectors") {
        made += more;
    }
    assert_eq!(made, 8);
    assert!(library.refresh(&store.db).await.expect("a read"));
    let hit = best().await.expect("a hit");
    assert!(hit.relevant && hit.heading == "Animals", "{hit:?}");
});

/// Asked of the machine, not of a test's clock.
#[test]
fn a_file_of_yesterday_is_not_due() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let store = TestStore::sqlite().await;
        let folder = tempfile::tempdir().expect("a folder");
        takes_in(&store, folder.path()).await;
        let librarian = librarian(&store, &[]);
        let all = knowledge::every(store.db.reader().await.expect("a reader").conn()).await.expect("a read");
        let later = |looked_at| knowledge::Document { looked_at, ..all[0].clone() };
        let now = SystemClock::default().now();
        assert!(!librarian.is_due(&later(now.plus(Duration::from_secs(60))), Duration::ZERO).await);
        assert!(librarian.is_due(&later(now.minus(Duration::from_secs(60))), Duration::ZERO).await);
    });
}

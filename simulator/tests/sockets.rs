//! The simulated WhatsApp over real sockets.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

use std::{io, sync::Arc, time::Duration};

use axum::{Router, extract::State, routing::post};
use baton_shared::{Clock, SystemClock};
use baton_simulator::{
    Server, Span, World,
    whatsapp::{Config, Faults, Person, SIGNATURE_HEADER, Saying, sign},
};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::timeout,
};

const SOON: Duration = Duration::from_secs(20);
const NUMBER: &str = "106853218861066";

type Posted = (HeaderMap, Bytes);

/// A receiver that answers 503 once and 200 from then on; its URL and what it gets.
async fn receiver() -> (String, mpsc::UnboundedReceiver<Posted>) {
    let (sender, receiver) = mpsc::unbounded_channel::<Posted>();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/webhook", listener.local_addr().unwrap());
    let first = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let app = Router::new().route(
        "/webhook",
        post(move |State(sender): State<mpsc::UnboundedSender<Posted>>, headers: HeaderMap, body: Bytes| async move {
            let _ = sender.send((headers, body));
            let fails = first.swap(false, std::sync::atomic::Ordering::SeqCst);
            if fails { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }
        })
        .get(|uri: http::Uri| async move {
            let query = uri.query().unwrap_or_default().to_owned();
            let knows = query.contains("hub.verify_token=knock-knock") && query.contains("hub.mode=subscribe");
            let challenge = query.split('&').find_map(|pair| pair.strip_prefix("hub.challenge=")).unwrap_or_default();
            (if knows { StatusCode::OK } else { StatusCode::FORBIDDEN }, challenge.to_owned())
        }),
    );
    let serve = axum::serve(listener, app.with_state(sender)).into_future();
    tokio_util::task::TaskTracker::new().spawn(serve);
    (url, receiver)
}

/// A whole exchange over a connection of its own: what came back until it ended.
async fn exchange(server: &Server, text: &str) -> io::Result<String> {
    let body = format!(r#"{{"messaging_product":"whatsapp","to":"15550100199","text":{{"body":"{text}"}}}}"#);
    let address = server.base_url().trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await?;
    let request = format!(
        "POST /v26.0/{NUMBER}/messages HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\nauthorization: Bearer \
         EAAGsimulated0token\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

fn quick(faults: Faults) -> Config {
    let mut config = Config::shop().with_faults(faults);
    let pace = &mut config.pace;
    pace.retry_first = Duration::from_millis(5);
    (pace.answer, pace.webhook) = (Span::ZERO, Span::ZERO);
    (pace.sent, pace.delivered, pace.read) = (Span::millis(1, 5), Span::millis(1, 5), Span::millis(1, 5));
    config
}

async fn start(config: Config) -> Server {
    let mut world = World::new(config, fastrand::Rng::with_seed(5));
    let ana = world.whatsapp.add_person(Person::new("Ana", "15550100199", "US.1"));
    let clock = SystemClock::default();
    world.whatsapp.say(clock.now(), ana, Saying::text("an earlier word"));
    Server::start(world, Arc::new(clock)).await.unwrap()
}

#[tokio::test]
async fn a_word_is_posted_signed_until_it_is_acknowledged_and_an_answer_arrives() {
    let (url, mut posted) = receiver().await;
    let server = start(quick(Faults::none()).calling(&url)).await;
    server.handshake("670843887433847").await.unwrap();
    let (_, refused) = timeout(SOON, posted.recv()).await.unwrap().unwrap();
    let (headers, body) = timeout(SOON, posted.recv()).await.unwrap().unwrap();
    assert_eq!(refused, body);
    let secret = server.with(|world, _| world.whatsapp.config().apps[0].secret.clone());
    assert_eq!(headers[SIGNATURE_HEADER], sign(&secret, &body));

    let answer = timeout(SOON, exchange(&server, "hola")).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.contains("facebook-api-version: v26.0") && answer.contains("wamid."), "{answer}");
    for word in ["sent", "delivered", "read"] {
        let said = |body: &Bytes| String::from_utf8_lossy(body).contains(&format!(r#""status":"{word}""#));
        while !timeout(SOON, posted.recv()).await.unwrap().is_some_and(|(_, body)| said(&body)) {}
    }
    let world = timeout(SOON, server.stop()).await.unwrap().expect("nobody else holds the world");
    let ledger = world.whatsapp.ledger();
    assert_eq!(ledger.inbound_acked().into_iter().collect::<Vec<_>>(), [ledger.said()[0].wamid.as_str()]);
    assert_eq!(ledger.reached().len(), 1);
}

#[tokio::test]
async fn a_callback_that_does_not_know_the_token_is_refused() {
    let (url, _posted) = receiver().await;
    let mut config = Config::shop().calling(&url);
    config.apps[0].verify_token = "other".into();
    let server = start(config).await;
    let refused = server.handshake("670843887433847").await.unwrap_err();
    assert_eq!(refused.to_string(), "the callback answered 403 instead of the challenge");
}

#[tokio::test]
async fn a_cut_connection_ends_without_a_byte() {
    let server = start(quick(Faults { cut_after: 1.0, ..Faults::none() })).await;
    let result = timeout(SOON, exchange(&server, "hola")).await.unwrap();
    assert!(result.as_ref().map_or(true, String::is_empty), "{result:?}");
    assert_eq!(server.with(|world, _| world.whatsapp.ledger().accepted().count()), 1);
}

#[tokio::test]
async fn silence_lasts_until_the_client_gives_up_and_does_not_hold_up_the_end() {
    let server = start(quick(Faults { silence_after: 1.0, ..Faults::none() })).await;
    let taken = async {
        while server.with(|world, _| world.whatsapp.ledger().reached().is_empty()) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        answer = exchange(&server, "hola") => panic!("answered: {answer:?}"),
        reached = timeout(SOON, taken) => reached.unwrap(),
    }
    assert!(timeout(SOON, server.stop()).await.unwrap().is_some());
}

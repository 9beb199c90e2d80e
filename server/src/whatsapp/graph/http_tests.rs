//! Real sockets: what can have been processed, and what cannot.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::*;
use crate::config::Secret;

fn transport() -> HttpTransport {
    // A second test of the same process finds it installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    HttpTransport::new().unwrap()
}

fn post(port: u16) -> Request {
    Request {
        method: http::Method::POST,
        url: format!("http://127.0.0.1:{port}/v26.0/42/messages"),
        bearer: Some(Secret::new("TOKEN")),
        key_header: None,
        body: Some(r#"{"a":1}"#.into()),
        deadline: Duration::from_secs(10),
    }
}

async fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Reads a request to the end of its body and returns it.
async fn hear(stream: &mut TcpStream) -> String {
    let mut heard = String::new();
    while !heard.ends_with(r#"{"a":1}"#) {
        let mut bytes = [0; 1024];
        let length = stream.read(&mut bytes).await.unwrap();
        assert!(length > 0, "{heard}");
        heard.push_str(std::str::from_utf8(&bytes[..length]).unwrap());
    }
    heard
}

#[tokio::test]
async fn an_answer_comes_back_with_its_headers() {
    let (listener, port) = listen().await;
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let heard = hear(&mut stream).await.to_lowercase();
        assert!(heard.starts_with("post /v26.0/42/messages http/1.1\r\n"), "{heard}");
        assert!(heard.contains("\r\nauthorization: bearer token\r\n"), "{heard}");
        assert!(heard.contains("\r\ncontent-type: application/json\r\n"), "{heard}");
        let answer = "HTTP/1.1 429 Slow\r\nDate: D\r\nRetry-After: 3\r\nX-Business-Use-Case-Usage: {}\r\nContent-Length: 2\r\n\r\nno";
        stream.write_all(answer.as_bytes()).await.unwrap();
        stream
    };
    let transport = transport();
    let (answer, _stream) = tokio::join!(transport.send(post(port)), server);
    let expected = Response {
        status: 429,
        date: Some("D".into()),
        retry_after: Some("3".into()),
        usage: Some("{}".into()),
        app_usage: None,
        body: b"no".to_vec(),
    };
    assert_eq!(answer, Ok(expected));
}

#[tokio::test]
async fn a_key_may_have_a_header_of_its_own() {
    let (listener, port) = listen().await;
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let heard = hear(&mut stream).await.to_lowercase();
        assert!(heard.contains("\r\nd360-api-key: token\r\n"), "{heard}");
        assert!(!heard.contains("authorization"), "{heard}");
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await.unwrap();
        stream
    };
    let transport = transport();
    let key_header = Some(http::HeaderName::from_static("d360-api-key"));
    let (answer, _stream) = tokio::join!(transport.send(Request { key_header, ..post(port) }), server);
    assert_eq!(answer.unwrap().status, 200);
}

#[tokio::test]
async fn a_closed_port_is_unsent() {
    let (listener, port) = listen().await;
    drop(listener);
    let answer = transport().send(post(port)).await;
    assert!(matches!(answer, Err(NoResponse::Unsent(_))), "{answer:?}");
}

#[tokio::test]
async fn promise_3_a_request_whose_time_is_up_is_not_written() {
    let (listener, port) = listen().await;
    let answer = transport().send(Request { deadline: Duration::ZERO, ..post(port) }).await;
    assert!(matches!(answer, Err(NoResponse::Unsent(_))), "{answer:?}");
    let nobody = tokio::time::timeout(Duration::from_millis(20), listener.accept()).await;
    assert!(nobody.is_err());
}

#[tokio::test]
async fn promise_5_a_connection_that_is_cut_is_unanswered() {
    let (listener, port) = listen().await;
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        hear(&mut stream).await;
    };
    let transport = transport();
    let (answer, ()) = tokio::join!(transport.send(post(port)), server);
    assert!(matches!(answer, Err(NoResponse::Unanswered(_))), "{answer:?}");
}

#[tokio::test]
async fn promise_5_half_an_answer_is_unanswered() {
    let (listener, port) = listen().await;
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        hear(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"messages\"").await.unwrap();
    };
    let transport = transport();
    let (answer, ()) = tokio::join!(transport.send(post(port)), server);
    assert!(matches!(answer, Err(NoResponse::Unanswered(_))), "{answer:?}");
}

#[tokio::test]
async fn promise_5_silence_is_unanswered() {
    let (listener, port) = listen().await;
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        hear(&mut stream).await;
        stream
    };
    let transport = transport();
    let request = Request { deadline: Duration::from_millis(100), ..post(port) };
    let (answer, _stream) = tokio::join!(transport.send(request), server);
    assert!(matches!(answer, Err(NoResponse::Unanswered(_))), "{answer:?}");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_followed() {
    let (listener, port) = listen().await;
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        hear(&mut stream).await;
        let away = format!("HTTP/1.1 307 Away\r\nLocation: http://127.0.0.1:{port}/\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(away.as_bytes()).await.unwrap();
        stream
    };
    let transport = transport();
    let (answer, _stream) = tokio::join!(transport.send(post(port)), server);
    assert_eq!(answer.unwrap().status, 307);
}

#[tokio::test]
async fn promise_5_a_request_is_written_once_on_a_connection_that_closes_under_it() {
    let (listener, port) = listen().await;
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        hear(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await.unwrap();
        // The second comes on the same connection and is cut; a third would be a repeat.
        hear(&mut stream).await;
        drop(stream);
        let again = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
        assert!(again.is_err(), "the request was repeated");
    };
    let transport = transport();
    let client = async {
        transport.send(post(port)).await.unwrap();
        transport.send(post(port)).await
    };
    let (second, ()) = tokio::join!(client, server);
    assert!(matches!(second, Err(NoResponse::Unanswered(_))), "{second:?}");
}

#[test]
fn an_error_does_not_tell_the_address() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let request = Request { url: "http://127.0.0.1:1/debug_token?input_token=TOKEN".into(), ..post(1) };
    let error = runtime.block_on(transport().send(request)).unwrap_err();
    assert!(!error.to_string().contains("TOKEN"), "{error}");
    let request = Request { url: "no address TOKEN".into(), ..post(1) };
    let error = runtime.block_on(transport().send(request)).unwrap_err();
    assert!(matches!(error, NoResponse::Unsent(_)));
    assert!(!error.to_string().contains("TOKEN"), "{error}");
}

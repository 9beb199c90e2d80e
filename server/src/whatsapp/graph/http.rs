//! The real transport: HTTP over TLS, without redirects and without retries of its own.

use std::{error::Error, time::Duration};

use bytes::Bytes;
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use http::{
    HeaderMap,
    header::{CONTENT_LENGTH, CONTENT_TYPE, DATE, LOCATION, RETRY_AFTER},
};

use crate::config::Secret;

use super::transport::{Form, NoResponse, Opened, Opening, Pending, Request, Response, Transport};

/// Longer answers are cut off; they are no answers to what is asked here.
const BODY_LIMIT: usize = 4 * 1024 * 1024;

/// Well under the deadline of a request, so that a dead network is told from a silent server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);

/// A connection that was idle for longer may be gone without our knowing it.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// HTTP by reqwest. The process has installed rustls' crypto provider before.
#[derive(Clone, Debug)]
pub struct HttpTransport {
    client: reqwest::Client,
}

impl HttpTransport {
    /// # Errors
    /// If the machine has no usable TLS.
    pub fn new() -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .user_agent(concat!("baton/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .tcp_keepalive(IDLE_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .build()?;
        Ok(Self { client })
    }

    /// Sends it; the answer's body is still to be read.
    async fn ask(&self, request: Request) -> Result<reqwest::Response, NoResponse> {
        if request.deadline.is_zero() {
            return Err(NoResponse::Unsent("its time was up".into()));
        }
        let mut builder = self.client.request(request.method, request.url).timeout(request.deadline);
        builder = with_key(builder, request.bearer.as_ref(), request.key_header.as_ref());
        if let Some(body) = request.body {
            builder = builder.header(CONTENT_TYPE, "application/json").body(body);
        }
        builder.send().await.map_err(no_response)
    }

    /// With its length said, for Meta does not take forms in chunks.
    async fn bring(&self, form: Form) -> Result<Response, NoResponse> {
        let Form { url, bearer, key_header, content_type, head, tail, file, length, deadline } = form;
        let piece = |text: String| stream::iter([Ok(Bytes::from(text))]);
        let pieces = piece(head).chain(file).chain(piece(tail));
        let body = reqwest::Body::wrap_stream(pieces);
        let mut builder = self.client.post(url).timeout(deadline).header(CONTENT_TYPE, content_type);
        builder = with_key(builder, bearer.as_ref(), key_header.as_ref());
        let sent = builder.header(CONTENT_LENGTH, length).body(body).send();
        answered(sent.await.map_err(no_response)?).await
    }

    async fn exchange(&self, request: Request) -> Result<Response, NoResponse> {
        answered(self.ask(request).await?).await
    }
}

fn with_key(
    builder: reqwest::RequestBuilder,
    key: Option<&Secret>,
    header: Option<&reqwest::header::HeaderName>,
) -> reqwest::RequestBuilder {
    match (key, header) {
        (None, _) => builder,
        (Some(key), None) => builder.bearer_auth(key.reveal()),
        (Some(key), Some(header)) => {
            let value = reqwest::header::HeaderValue::from_str(key.reveal()).map(|mut value| {
                value.set_sensitive(true);
                value
            });
            // The settings take no key that cannot stand in a header.
            match value {
                Ok(value) => builder.header(header, value),
                Err(_) => builder,
            }
        }
    }
}

async fn answered(response: reqwest::Response) -> Result<Response, NoResponse> {
    let mut answer = Response {
        status: response.status().as_u16(),
        date: header(response.headers(), DATE.as_str()),
        retry_after: header(response.headers(), RETRY_AFTER.as_str()),
        usage: header(response.headers(), "x-business-use-case-usage"),
        app_usage: header(response.headers(), "x-app-usage"),
        body: Vec::new(),
    };
    read(response, &mut answer.body).await.map_err(no_response)?;
    Ok(answer)
}

impl Transport for HttpTransport {
    fn send(&self, request: Request) -> Pending<'_> {
        Box::pin(self.exchange(request))
    }

    fn upload(&self, form: Form) -> Pending<'_> {
        Box::pin(self.bring(form))
    }

    fn open(&self, request: Request) -> Opening<'_> {
        Box::pin(async {
            let response = self.ask(request).await?;
            Ok(Opened {
                status: response.status().as_u16(),
                length: response.content_length(),
                location: header(response.headers(), LOCATION.as_str()),
                body: chunks(response),
            })
        })
    }
}

fn chunks(response: reqwest::Response) -> BoxStream<'static, Result<Bytes, NoResponse>> {
    let next = |mut response: reqwest::Response| async {
        let chunk = response.chunk().await.map_err(no_response)?;
        Ok(chunk.map(|chunk| (chunk, response)))
    };
    stream::try_unfold(response, next).boxed()
}

async fn read(mut response: reqwest::Response, body: &mut Vec<u8>) -> Result<(), reqwest::Error> {
    while let Some(chunk) = response.chunk().await? {
        let room = BODY_LIMIT - body.len();
        body.extend(chunk.iter().take(room));
        if chunk.len() > room {
            break;
        }
    }
    Ok(())
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

fn no_response(error: reqwest::Error) -> NoResponse {
    // The address holds ids, and a token where one is inspected.
    let error = error.without_url();
    let mut why = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        why = format!("{why}: {cause}");
        source = cause.source();
    }
    // A request that could not even be built went nowhere either.
    if error.is_connect() || error.is_builder() { NoResponse::Unsent(why) } else { NoResponse::Unanswered(why) }
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;

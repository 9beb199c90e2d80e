//! The real transport: HTTP over TLS, without redirects and without retries of its own.

use std::time::Duration;

use http::header::{CONTENT_TYPE, RETRY_AFTER};

use super::{ANSWER_LIMIT, Form, NoResponse, Pending, Request, Response, Transport};

/// Well under the deadline of a call, so that a dead network is told from a slow model.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);

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
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .build()?;
        Ok(Self { client })
    }

    async fn exchange(&self, form: Form) -> Result<Response, NoResponse> {
        let mut builder = self.client.post(&form.url).timeout(form.deadline);
        for (name, value) in &form.headers {
            builder = builder.header(*name, value.reveal());
        }
        let builder = builder.header(CONTENT_TYPE, form.content_type).body(form.body);
        let response = builder.send().await.map_err(no_response)?;
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let status = response.status().as_u16();
        Ok(Response { status, retry_after, body: read(response).await? })
    }
}

impl Transport for HttpTransport {
    fn send(&self, request: Request) -> Pending<'_> {
        let Request { url, headers, body, deadline } = request;
        let content_type = "application/json".to_owned();
        self.send_form(Form { url, headers, content_type, body: body.into_bytes(), deadline })
    }

    fn send_form(&self, form: Form) -> Pending<'_> {
        Box::pin(self.exchange(form))
    }
}

async fn read(mut response: reqwest::Response) -> Result<Vec<u8>, NoResponse> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(no_response)? {
        if body.len() + chunk.len() > ANSWER_LIMIT {
            return Err(NoResponse::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn no_response(error: reqwest::Error) -> NoResponse {
    let error = error.without_url();
    match error {
        _ if error.is_connect() || error.is_builder() => NoResponse::Unsent(error.to_string()),
        _ if error.is_timeout() => NoResponse::TimedOut,
        _ => NoResponse::Unanswered(error.to_string()),
    }
}

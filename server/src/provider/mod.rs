//! The way to the providers of models: one request out, one answer back; small enough to be replaced in a test.

mod http;

use std::{fmt, future::Future, pin::Pin, time::Duration};

pub use http::HttpTransport;

use crate::config::Secret;

/// One `POST` of JSON.
#[derive(Clone)]
pub struct Request {
    pub url: String,
    pub headers: Vec<(&'static str, Secret)>,
    pub body: String,
    /// From now until the whole answer is there.
    pub deadline: Duration,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The body is what customers wrote.
        f.debug_struct("Request").field("url", &self.url).field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

/// One `POST` of a form with a file in it (`multipart/form-data`, RFC 7578).
#[derive(Clone)]
pub struct Form {
    pub url: String,
    pub headers: Vec<(&'static str, Secret)>,
    pub content_type: String,
    pub body: Vec<u8>,
    /// From now until the whole answer is there.
    pub deadline: Duration,
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The file is a customer's.
        f.debug_struct("Form").field("url", &self.url).field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

/// What came back, whatever it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    /// The header `Retry-After`.
    pub retry_after: Option<String>,
    pub body: Vec<u8>,
}

/// Why nothing came back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoResponse {
    #[error("not sent: {0}")]
    Unsent(String),
    #[error("no answer in time")]
    TimedOut,
    #[error("no answer: {0}")]
    Unanswered(String),
    #[error("the answer is longer than {ANSWER_LIMIT} bytes")]
    TooLong,
}

/// No answer is read further, in bytes: as many vectors as are asked for at once are not longer.
pub const ANSWER_LIMIT: usize = 4 * 1024 * 1024;

/// A request on its way.
pub type Pending<'a> = Pin<Box<dyn Future<Output = Result<Response, NoResponse>> + Send + 'a>>;

/// Sends a request or a form exactly once.
pub trait Transport: Send + Sync {
    fn send(&self, request: Request) -> Pending<'_>;

    fn send_form(&self, form: Form) -> Pending<'_>;
}

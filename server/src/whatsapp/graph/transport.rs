//! The way to Meta's servers, small enough to be replaced in a test. Its errors tell apart what
//! cannot have been processed from what may have been.

use std::{fmt, future::Future, io, pin::Pin, time::Duration};

use bytes::Bytes;
use futures::stream::BoxStream;
use http::HeaderName;

use crate::config::Secret;

/// One HTTP request.
#[derive(Clone)]
pub struct Request {
    pub method: http::Method,
    pub url: String,
    pub bearer: Option<Secret>,
    /// The header that carries it alone, where that is not `Authorization: Bearer`.
    pub key_header: Option<HeaderName>,
    /// JSON.
    pub body: Option<String>,
    /// From now until the whole answer is there; a request whose time is up is not written.
    pub deadline: Duration,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Address and body hold tokens, numbers and text.
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

/// What came back, whatever it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    /// The header `Date`.
    pub date: Option<String>,
    /// The header `Retry-After`.
    pub retry_after: Option<String>,
    /// The header `X-Business-Use-Case-Usage`.
    pub usage: Option<String>,
    /// The header `X-App-Usage`.
    pub app_usage: Option<String>,
    pub body: Vec<u8>,
}

/// An answer that is read piece by piece, for it may be large.
pub struct Opened {
    pub status: u16,
    /// The header `Content-Length`.
    pub length: Option<u64>,
    /// The header `Location`.
    pub location: Option<String>,
    pub body: BoxStream<'static, Result<Bytes, NoResponse>>,
}

/// A form with one file in it, which is sent piece by piece.
pub struct Form {
    pub url: String,
    pub bearer: Option<Secret>,
    /// As in [`Request`].
    pub key_header: Option<HeaderName>,
    /// The header `Content-Type`, with the form's boundary.
    pub content_type: String,
    /// What stands before the file and after it.
    pub head: String,
    pub tail: String,
    pub file: BoxStream<'static, io::Result<Bytes>>,
    /// Of all three, in bytes.
    pub length: u64,
    pub deadline: Duration,
}

/// Why nothing came back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoResponse {
    /// No connection was opened: nothing can have been processed.
    #[error("not sent: {0}")]
    Unsent(String),
    /// Anything after that: it may have been processed.
    #[error("no answer: {0}")]
    Unanswered(String),
}

/// A request on its way.
pub type Pending<'a> = Pin<Box<dyn Future<Output = Result<Response, NoResponse>> + Send + 'a>>;

/// A request for a file on its way.
pub type Opening<'a> = Pin<Box<dyn Future<Output = Result<Opened, NoResponse>> + Send + 'a>>;

/// Sends a request exactly once.
pub trait Transport: Send + Sync {
    fn send(&self, request: Request) -> Pending<'_>;

    /// Like [`send`](Self::send), for an answer that is a file. One that carries none says so.
    fn open(&self, _: Request) -> Opening<'_> {
        Box::pin(async { Err(NoResponse::Unsent("this way carries no files".into())) })
    }

    /// Like [`send`](Self::send), for a request that brings a file. One that carries none says so.
    fn upload(&self, _: Form) -> Pending<'_> {
        Box::pin(async { Err(NoResponse::Unsent("this way carries no files".into())) })
    }
}

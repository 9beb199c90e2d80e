//! Why a request of the API was not served: one JSON form for all of them.

use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::store::StoreError;

#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("Sign in first: `Authorization: Bearer` with a token of POST /api/v1/sign-in.")]
    SignedOut,
    #[error("This secret is not known: it may be mistyped, used already, or withdrawn.")]
    Secret,
    #[error("Too many wrong secrets came from there. Try again in a minute.")]
    Guessing,
    #[error("Your role does not allow that.")]
    NotAllowed,
    #[error("There is no such conversation that you may see.")]
    NotFound,
    #[error("There is no such file that you may see, or it is not here.")]
    NoFile,
    #[error("There is no small picture of this file.")]
    NoThumbnail,
    #[error("This link is over, or none of ours: ask for another one.")]
    Link,
    #[error("{0}")]
    Unreadable(&'static str),
    #[error("{0}")]
    NotYours(String),
    #[error("All sending from this number is switched off.")]
    SendingOff,
    /// What WhatsApp would not take.
    #[error("{0}")]
    File(String),
    #[error("The server cannot store files just now. Tell whoever runs it, and try again.")]
    NoRoom,
    #[error("This route is asked in another way: see docs/protocol.md.")]
    Method,
    #[error("The server cannot reach its store. Try again.")]
    Unavailable(#[from] StoreError),
    #[error("The server is stopping. Try again.")]
    Stopping,
}

#[derive(Serialize)]
struct Body {
    code: &'static str,
    why: String,
}

impl Refusal {
    const fn status(&self) -> (StatusCode, &'static str) {
        match self {
            Self::SignedOut => (StatusCode::UNAUTHORIZED, "signed_out"),
            Self::Secret => (StatusCode::UNAUTHORIZED, "unknown_secret"),
            Self::Guessing => (StatusCode::TOO_MANY_REQUESTS, "too_many"),
            Self::NotAllowed => (StatusCode::FORBIDDEN, "not_allowed"),
            Self::NotFound | Self::NoFile | Self::NoThumbnail => (StatusCode::NOT_FOUND, "not_found"),
            Self::Link => (StatusCode::FORBIDDEN, "link"),
            Self::Unreadable(_) => (StatusCode::BAD_REQUEST, "unreadable"),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "method"),
            Self::NotYours(_) => (StatusCode::CONFLICT, "not_yours"),
            Self::SendingOff => (StatusCode::CONFLICT, "sending_off"),
            Self::File(_) => (StatusCode::UNPROCESSABLE_ENTITY, "file"),
            Self::Unavailable(_) | Self::Stopping | Self::NoRoom => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        if let Self::Unavailable(error) = &self {
            tracing::warn!(%error, "a request of the API");
        }
        let (status, code) = self.status();
        let mut response = (status, Json(Body { code, why: self.to_string() })).into_response();
        let headers = response.headers_mut();
        match self {
            Self::SignedOut => {
                drop(headers.insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer")))
            }
            Self::Guessing => drop(headers.insert(header::RETRY_AFTER, header::HeaderValue::from_static("60"))),
            _ => (),
        }
        response
    }
}

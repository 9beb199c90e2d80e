//! The desk: sign-in, the websocket of the agents' inbox, their commands, and who is here.
//!
//! Reads of clients come from [`stream`], acts go through [`commands::execute`]; both need no socket.

mod api;
mod batch;
mod board;
pub mod commands;
mod cursor;
mod feed;
mod file;
mod guard;
pub mod lost;
pub mod presence;
mod refusal;
pub mod roles;
mod session;
mod sign_in;
mod snapshot;
pub mod stream;
pub mod thread;
mod typing;
mod upload;
mod view;
mod waiting;

pub use batch::Batch;
pub use file::LINK_KEY;
pub use guard::hash as secret_hash;
pub use sign_in::token as new_secret;
pub use snapshot::Snapshot;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    routing::{get, post, put},
};

use crate::{Context, lifecycle::Lifecycle};

use feed::Hub;

/// How patient the desk is with its clients.
#[derive(Clone, Debug)]
pub struct Options {
    /// A connection that has not said hello by then is closed.
    pub hello: Duration,
    /// A client that gives no sign of life for so long is gone.
    pub silence: Duration,
    /// A client that does not take a frame within this is cut off.
    pub write: Duration,
    /// So many batches may wait for a slow client before it begins anew.
    pub backlog: usize,
    /// How often the store is asked who is here, and whether a sign-in still holds.
    pub presence: Duration,
    pub sign_in_check: Duration,
    /// The places in the stream move at least so often.
    pub heartbeat: Duration,
    /// The store is asked for events so often even if nobody rang.
    pub poll: Duration,
    /// Clients come back within this after the server has stopped.
    pub moving: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            hello: Duration::from_secs(5),
            silence: Duration::from_secs(20),
            write: Duration::from_secs(10),
            backlog: 256,
            presence: Duration::from_secs(1),
            sign_in_check: Duration::from_secs(15),
            heartbeat: Duration::from_secs(4),
            poll: Duration::from_millis(500),
            moving: Duration::from_secs(2),
        }
    }
}

/// The routes of the desk; what they need in the background runs until `life` stops.
pub fn router(context: Context, life: &Lifecycle, options: Options) -> Router {
    let hub = Arc::new(Hub::new(context, life.clone(), options));
    life.spawn(feed::run(hub.clone(), life.stopping()));
    life.spawn(presence::run(hub.clone(), life.stopping()));
    Router::new()
        .route("/inbox", get(session::connect))
        .route("/api/v1/sign-in", post(sign_in::sign_in))
        .route("/api/v1/sign-out", post(sign_in::sign_out))
        .route("/api/v1/me", get(api::me))
        .route("/api/v1/queue", get(api::queue))
        .route("/api/v1/conversations/{id}", get(api::conversation))
        .route("/api/v1/conversations/{id}/files/{file}", put(upload::upload))
        .route("/api/v1/commands", post(api::command))
        .route("/api/v1/media/{message}", get(file::file))
        .route("/api/v1/media/{message}/link", post(file::link))
        .route("/api/v1/media/{message}/thumbnail", get(file::thumbnail))
        .method_not_allowed_fallback(async || refusal::Refusal::Method)
        .with_state(hub)
}

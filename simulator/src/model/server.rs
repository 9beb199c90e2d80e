//! The provider behind a real socket.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, DefaultBodyLimit, State},
    response::Response,
};
use baton_shared::Clock;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Uri};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{Model, ModelFault, ModelRequest};
use crate::shell::{Connection, Shell};

/// A running provider.
#[derive(Debug)]
pub struct ModelServer {
    base_url: String,
    inner: Arc<Inner>,
    shell: Shell,
}

#[derive(Debug)]
struct Inner {
    model: Mutex<Model>,
    clock: Arc<dyn Clock>,
    stopping: CancellationToken,
}

/// As much as providers take.
const BODY_LIMIT: usize = 32 * 1024 * 1024;

impl ModelServer {
    /// Serves `model` on a free port until [`stop`](Self::stop), or until it is dropped.
    ///
    /// # Errors
    /// If no port can be bound.
    pub async fn start(model: Model, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let mut shell = Shell::bind().await?;
        let inner = Arc::new(Inner { model: Mutex::new(model), clock, stopping: shell.stopping() });
        let router = Router::new().fallback(answer).layer(DefaultBodyLimit::max(BODY_LIMIT));
        shell.serve(router.with_state(Arc::clone(&inner)));
        Ok(Self { base_url: shell.url(), inner, shell })
    }

    /// Such as `http://127.0.0.1:40124`, to which clients add `/v1/messages` or `/v1/chat/completions`.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Looks at the model or changes it.
    pub fn with<T>(&self, act: impl FnOnce(&mut Model) -> T) -> T {
        act(&mut self.inner.model.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Ends every task.
    pub async fn stop(self) {
        self.shell.stop().await;
    }
}

async fn answer(
    State(inner): State<Arc<Inner>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = ModelRequest { method: &method, path: uri.path(), headers: &headers, body: &body };
    let now = inner.clock.now();
    let reply = inner.model.lock().unwrap_or_else(PoisonError::into_inner).answer(now, request);
    tokio::select! {
        () = sleep(reply.latency) => {}
        () = inner.stopping.cancelled() => {}
    }
    if reply.fault == Some(ModelFault::Stall) {
        // Until the client gives up, which drops this.
        inner.stopping.cancelled().await;
        connection.cut();
    }
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = reply.headers;
    response
}

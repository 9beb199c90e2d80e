//! The world behind real sockets: the Graph API on a local port, webhooks posted to the apps' callbacks.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, DefaultBodyLimit, State},
    response::Response,
};
use baton_shared::{Clock, Micros};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Uri, header};
use tokio::{
    sync::{Notify, Semaphore},
    time::sleep,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    World,
    shell::{Connection, Shell},
    whatsapp::{Fault, GraphRequest, OutgoingWebhook, SIGNATURE_HEADER},
};

/// After this long a webhook that was not answered counts as failed.
const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(10);

/// A document may have 100 MB, and stands in a form.
const BODY_LIMIT: usize = 101 << 20;

/// So many webhooks are under way at once.
const WEBHOOKS_AT_ONCE: usize = 256;

/// The clock may be one that a test moves, so it is looked at this often.
const LOOK: Duration = Duration::from_millis(25);

/// A running world.
#[derive(Debug)]
pub struct Server {
    base_url: String,
    handle: Handle,
    shell: Shell,
}

/// A grip on a running world, for routes and tasks beside it.
#[derive(Clone, Debug)]
pub struct Handle(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    world: Mutex<World>,
    clock: Arc<dyn Clock>,
    wake: Notify,
    at_once: Semaphore,
    client: reqwest::Client,
    stopping: CancellationToken,
}

/// Why a callback was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    #[error("no app has this id, or it has no callback")]
    NoCallback,
    #[error("the callback could not be reached")]
    Unreachable(#[from] reqwest::Error),
    #[error("the callback answered {status} instead of the challenge")]
    Refused { status: u16 },
}

impl Server {
    /// Serves `world` on a free port until [`stop`](Self::stop), or until it is dropped.
    ///
    /// # Errors
    /// If no port can be bound, or the HTTP client cannot be made.
    pub async fn start(world: World, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let client = plain_client().map_err(io::Error::other)?;
        Self::begin(world, clock, Shell::bind().await?, client, |_| Router::new())
    }

    /// Serves `world` on `address`, with routes of one's own beside the Graph API, and with callbacks that may
    /// be `https`.
    ///
    /// # Errors
    /// If the address cannot be bound, or the machine has no usable TLS.
    pub async fn start_on(
        address: SocketAddr,
        world: World,
        clock: Arc<dyn Clock>,
        routes: impl FnOnce(Handle) -> Router,
    ) -> io::Result<Self> {
        let none = reqwest::redirect::Policy::none();
        let client = reqwest::Client::builder().redirect(none).build().map_err(io::Error::other)?;
        Self::begin(world, clock, Shell::bind_to(address).await?, client, routes)
    }

    fn begin(
        mut world: World,
        clock: Arc<dyn Clock>,
        mut shell: Shell,
        client: reqwest::Client,
        routes: impl FnOnce(Handle) -> Router,
    ) -> io::Result<Self> {
        let base_url = shell.url();
        world.whatsapp.config_mut().base_url.clone_from(&base_url);
        let inner = Arc::new(Inner {
            world: Mutex::new(world),
            clock,
            wake: Notify::new(),
            at_once: Semaphore::new(WEBHOOKS_AT_ONCE),
            client,
            stopping: shell.stopping(),
        });
        let handle = Handle(Arc::clone(&inner));
        let graph = Router::new().fallback(graph).with_state(Arc::clone(&inner));
        shell.serve(graph.merge(routes(handle.clone())).layer(DefaultBodyLimit::max(BODY_LIMIT)));
        shell.spawn(deliver(inner, shell.tasks()));
        Ok(Self { base_url, handle, shell })
    }

    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Such as `http://127.0.0.1:40123`.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// What a client is configured with, version included.
    pub fn graph_url(&self) -> String {
        format!("{}/{}", self.base_url, self.with(|world, _| world.whatsapp.config().version.clone()))
    }

    /// Looks at the world or changes it, at the clock's time; what becomes due is done at once.
    pub fn with<T>(&self, act: impl FnOnce(&mut World, Micros) -> T) -> T {
        self.handle.with(act)
    }

    /// Asks an app's callback for its challenge, as Meta does when the callback is saved.
    ///
    /// # Errors
    /// If the callback is not set, not there, or does not give the challenge back.
    pub async fn handshake(&self, app: &str) -> Result<(), HandshakeError> {
        self.handle.handshake(app).await
    }

    /// Ends every task and gives the world back, with its ledger. Webhooks under way count as unanswered.
    pub async fn stop(self) -> Option<World> {
        let Self { handle, shell, .. } = self;
        shell.stop().await;
        Arc::into_inner(handle.0).map(|inner| inner.world.into_inner().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Handle {
    /// See [`Server::with`].
    pub fn with<T>(&self, act: impl FnOnce(&mut World, Micros) -> T) -> T {
        let result = act(&mut self.0.world(), self.0.clock.now());
        self.0.wake.notify_one();
        result
    }

    /// See [`Server::handshake`].
    ///
    /// # Errors
    /// As there.
    pub async fn handshake(&self, app: &str) -> Result<(), HandshakeError> {
        const CHALLENGE: &str = "1158201444";
        let callback = self.with(|world, _| {
            let app = world.whatsapp.config().apps.iter().find(|a| a.id == app)?;
            Some((app.callback_url.clone()?, app.verify_token.clone()))
        });
        let (url, token) = callback.ok_or(HandshakeError::NoCallback)?;
        let query = [("hub.mode", "subscribe"), ("hub.challenge", CHALLENGE), ("hub.verify_token", &token)];
        let response = self.0.client.get(with_query(&url, &query)).timeout(WEBHOOK_TIMEOUT).send().await?;
        let status = response.status();
        if status == StatusCode::OK && response.text().await? == CHALLENGE {
            return Ok(());
        }
        Err(HandshakeError::Refused { status: status.as_u16() })
    }
}

impl Inner {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request of a client: answered by the world, in the way in which it wants to be.
async fn graph(
    State(inner): State<Arc<Inner>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path_and_query = uri.path_and_query().map_or("/", |path| path.as_str());
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let request = GraphRequest { method: &method, path_and_query, authorization, body: &body };
    let mut reply = inner.world().request(inner.clock.now(), request);
    inner.wake.notify_one();
    let path = uri.path().trim_end_matches('/');
    if let Some(app) = path.strip_suffix("/subscriptions").and_then(|path| path.rsplit('/').next())
        && (&method, reply.status) == (&Method::POST, 200)
        && let Err(why) = Handle(Arc::clone(&inner)).handshake(app).await
    {
        reply = inner.world().whatsapp.refuse_callback(app, &why.to_string(), reply);
    }
    tokio::select! {
        () = sleep(reply.latency) => {}
        () = inner.stopping.cancelled() => {}
    }
    match reply.fault {
        Some(Fault::SilenceBefore | Fault::SilenceAfter) => {
            // Until the client gives up, which drops this.
            inner.stopping.cancelled().await;
            connection.cut();
        }
        Some(Fault::NoConnection | Fault::CutBefore | Fault::CutAfter) => connection.cut(),
        Some(Fault::Unavailable | Fault::UnavailableAfter | Fault::Busy) | None => {}
    }
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = reply.headers;
    response
}

/// Posts what is due, then waits for the next.
async fn deliver(inner: Arc<Inner>, tasks: TaskTracker) {
    while !inner.stopping.is_cancelled() {
        let woken = inner.wake.notified();
        let (posts, wait) = {
            let mut world = inner.world();
            let now = inner.clock.now();
            let posts = world.due(now);
            (posts, world.next_due().map(|next| next.since(now).min(LOOK)))
        };
        for webhook in posts {
            tasks.spawn(post(Arc::clone(&inner), webhook));
        }
        tokio::select! {
            () = woken => {}
            () = sleep(wait.unwrap_or_default()), if wait.is_some() => {}
            () = inner.stopping.cancelled() => {}
        }
    }
}

async fn post(inner: Arc<Inner>, webhook: OutgoingWebhook) {
    let status = tokio::select! {
        status = send(&inner, &webhook) => status,
        () = inner.stopping.cancelled() => None,
    };
    inner.world().answered(webhook.id, status, inner.clock.now());
    inner.wake.notify_one();
}

async fn send(inner: &Inner, webhook: &OutgoingWebhook) -> Option<u16> {
    let _permit = inner.at_once.acquire().await.ok()?;
    let request = inner
        .client
        .post(&webhook.url)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, "facebookexternalua")
        .header(SIGNATURE_HEADER, &webhook.signature)
        .timeout(WEBHOOK_TIMEOUT)
        .body(webhook.body.clone());
    let response = request.send().await.ok()?;
    Some(response.status().as_u16())
}

/// Speaks plain HTTP to this machine: it needs a TLS provider only to be built.
fn plain_client() -> reqwest::Result<reqwest::Client> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring supports the versions that rustls calls safe")
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let none = reqwest::redirect::Policy::none();
    reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().redirect(none).build()
}

fn with_query(url: &str, query: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = query.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    let joint = if url.contains('?') { '&' } else { '?' };
    format!("{url}{joint}{}", pairs.join("&"))
}

fn encode(value: &str) -> String {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    value.bytes().map(|byte| if safe(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

//! A running server: its store opened, its rooms at work, its socket bound.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use axum::{Router, serve::ListenerExt};
use baton_shared::{Clock, Ids};
use tokio::net::TcpListener;

use crate::{
    Context,
    bot::{self, brains::Brains, chain::Chain, model},
    config::Settings,
    inbox, intake,
    knowledge::{self, Embedder, Librarian, Library, Tongue, documents::Reader, web::Web},
    lifecycle::Lifecycle,
    media, operations, outbox,
    store::{
        Db, OpenError, StoreError, Urgency,
        channels::{self, Channel},
        gate::Gate,
        leases, notify, settings,
    },
    whatsapp::graph::{Graph, Transport},
};

/// How long requests in flight and leased turns get to finish.
const GRACE: Duration = Duration::from_secs(12);
/// A clock that drifts costs only time.
const MEASURE_TIME_EVERY: Duration = Duration::from_secs(60);

/// What a server is made of besides its settings; a test passes its own.
#[derive(Clone)]
pub struct Parts {
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<Ids>,
    /// The way to Graph.
    pub graph: Arc<dyn Transport>,
    /// The way to the models' providers.
    pub models: Arc<dyn model::Transport>,
    /// Where the program `baton-server` is, which reads PDFs; without it none is read.
    pub program: Option<PathBuf>,
    pub gate: Option<Arc<dyn Gate>>,
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("the store does not answer: {0}")]
    Store(#[from] StoreError),
    #[error("the playbook's examples could not be learnt")]
    Learning(#[from] tokio::task::JoinError),
    #[error("listen: found {address}, which cannot be bound: {why}; expected a free address such as 127.0.0.1:8080")]
    Bind { address: SocketAddr, why: io::Error },
    #[error("media.bucket: found what makes no media store: {0}; expected s3://NAME with its endpoint and key")]
    Media(#[source] io::Error),
}

/// A server at work. Dropped, it stops where it stands, as in a crash; see [`stop`](Self::stop).
pub struct Server {
    context: Context,
    address: SocketAddr,
    life: Lifecycle,
}

impl Server {
    /// Opens the store, takes up what was left, binds the socket and sets the rooms to work.
    ///
    /// # Errors
    /// See [`StartError`]; nothing runs then.
    pub async fn start(settings: Settings, parts: Parts) -> Result<Self, StartError> {
        let listener = TcpListener::bind(settings.listen)
            .await
            .map_err(|why| StartError::Bind { address: settings.listen, why })?;
        let address = listener.local_addr().map_err(|why| StartError::Bind { address: settings.listen, why })?;
        let context = open(settings, &parts).await?;
        let life = Lifecycle::default();
        let numbers = intake::Numbers::load(&context).await?;
        let doors = intake::router(context.clone(), numbers, &life);
        let routes = doors.merge(inbox::router(context.clone(), &life, inbox::Options::default()));
        let routes = routes.merge(operations::router(context.clone(), &life));
        start_rooms(&context, &parts, &life).await?;
        serve(listener, routes, &life);
        tracing::info!(%address, "serving");
        Ok(Self { context, address, life })
    }

    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    pub const fn context(&self) -> &Context {
        &self.context
    }

    /// Takes on nothing new, lets what is begun finish, tells clients to move, closes the store.
    /// Whether all of it ended by itself.
    pub async fn stop(self) -> bool {
        let clean = self.life.stop(GRACE).await;
        self.context.db.close().await;
        clean
    }

    /// Ends every task where it stands. What was committed is kept; nothing else is.
    pub async fn crash(self) {
        self.life.cut();
        self.life.stop(Duration::ZERO).await;
        self.context.db.close().await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.life.cut();
    }
}

/// The store with what the settings say in it, and the context around it.
///
/// # Errors
/// If the store cannot be opened or written.
pub async fn open(settings: Settings, parts: &Parts) -> Result<Context, StartError> {
    let db = Db::open(settings.database_url.reveal(), parts.clock.clone(), parts.gate.clone()).await?;
    let context = Context::new(db, parts.clock.clone(), parts.ids.clone(), settings).map_err(StartError::Media)?;
    let restarts = !context.db.is_postgres();
    prepare(&context, restarts).await?;
    Ok(context)
}

/// The store as it is, for one act from the command line: beside a server, or without one.
///
/// # Errors
/// If the store or the media store cannot be opened.
pub async fn open_beside(settings: Settings, clock: Arc<dyn Clock>, ids: Arc<Ids>) -> Result<Context, StartError> {
    let db = Db::open_beside(settings.database_url.reveal(), clock.clone()).await?;
    Context::new(db, clock, ids, settings).map_err(StartError::Media)
}

/// Stores the numbers of the settings, as a start does; their switches stay as they are.
///
/// # Errors
/// If the store cannot be written.
pub async fn store_numbers(context: &Context) -> Result<(), StoreError> {
    prepare(context, false).await
}

async fn prepare(context: &Context, restarts: bool) -> Result<(), StoreError> {
    let now = context.clock.now();
    let mut stream = [0; 8];
    context.ids.fill(&mut stream);
    let stream = hex::encode(stream);
    let link_key = inbox::new_secret(&context.ids);
    let channels: Vec<Channel> = context
        .settings
        .whatsapp
        .channels
        .iter()
        .map(|one| Channel {
            id: context.ids.next(now),
            app: one.app.clone(),
            phone_number_id: one.phone_number_id.clone(),
            business_account_id: one.business_account_id.clone(),
            name: one.name.clone(),
            team: one.team.clone(),
            bot_on: true,
            sending_on: true,
            clock_offset: 0,
            meta: channels::Meta::default(),
        })
        .collect();
    let (time, grace) = (context.db.time(), context.settings.inbox.grace);
    let job = context.db.write(Urgency::First, move |tx| {
        let (channels, stream, link_key) = (channels.clone(), stream.clone(), link_key.clone());
        Box::pin(async move {
            settings::put_new(tx, "stream", &stream).await?;
            settings::put_new(tx, inbox::LINK_KEY, &link_key).await?;
            for channel in &channels {
                channels::put(tx, channel).await?;
            }
            if restarts {
                leases::restart(tx, time, grace).await?;
            }
            Ok(())
        })
    });
    job.await
}

async fn start_rooms(context: &Context, parts: &Parts, life: &Lifecycle) -> Result<(), StartError> {
    let graphs = outbox::graphs(context, &parts.graph);
    let mut reader = context.db.reader().await?;
    let channels = channels::every(reader.conn()).await?;
    drop(reader);
    let mut porters = HashMap::new();
    let mut numbers = Vec::new();
    for channel in channels {
        // A number that is not in the settings any more has no token to send with.
        if let Some(graph) = graphs.get(&channel.phone_number_id) {
            porters.insert(channel.id, graph.clone());
            numbers.push(operations::numbers::Number {
                channel: channel.id,
                account: channel.business_account_id.clone(),
                phone_number_id: channel.phone_number_id.clone(),
                graph: graph.clone(),
            });
            life.spawn(outbox::run(context.clone(), channel, graph.clone(), life.stopping()));
        }
    }
    life.spawn(media::run(context.clone(), porters, life.stopping()));
    life.spawn(bot::senses::run(context.clone(), parts.models.clone(), life.stopping()));
    let chain = Arc::new(Chain::new(&context.settings.models, &parts.models, context.clock.clone()));
    life.spawn(bot::memory::run(context.clone(), chain.clone(), life.stopping()));
    let embedder = embedder(context, &parts.models);
    let library = Library::new(embedder.clone());
    library.refresh(&context.db).await?;
    life.spawn(knowledge::run(context.db.clone(), library.clone(), life.stopping()));
    let keeper = operations::knowledge::Keeper { librarian: librarian(context, parts.program.clone()), embedder };
    life.spawn(operations::knowledge::run(context.clone(), keeper, life.stopping()));
    let settings = context.settings.clone();
    let brains = tokio::task::spawn_blocking(move || Brains::learn(&settings, &chain)).await?;
    let brains = brains.with_knowledge(&library);
    life.spawn(bot::room::run(context.clone(), Arc::new(brains), life.stopping()));
    life.spawn(inbox::lost::run(context.clone(), life.stopping()));
    let mut name = [0; 8];
    context.ids.fill(&mut name);
    life.spawn(operations::run(context.clone(), life.stopping()));
    life.spawn(operations::history::run(context.clone(), numbers.clone(), life.stopping()));
    life.spawn(operations::numbers::run(context.clone(), numbers, life.stopping()));
    life.spawn(operations::templates::run(context.clone(), accounts(context, &graphs), life.stopping()));
    life.spawn(notify::run(context.db.clone(), hex::encode(name), life.stopping()));
    if context.db.is_postgres() {
        life.spawn(measure_time(context.db.clone(), life.clone()));
    }
    Ok(())
}

/// What makes vectors, if the settings name anything.
pub fn embedder(context: &Context, transport: &Arc<dyn model::Transport>) -> Option<Embedder> {
    context.settings.embedder.clone().map(|settings| Embedder::new(settings, transport.clone()))
}

/// Who takes documents in, as the settings say; `program` is that of [`Parts`].
pub fn librarian(context: &Context, program: Option<PathBuf>) -> Librarian {
    let tongue = Tongue {
        guess: |text| bot::language::guess(text, None),
        otherwise: context.settings.books[0].playbook.language(),
    };
    let web = Web::new(context.settings.knowledge.private_hosts.clone());
    let (clock, ids) = (context.clock.clone(), context.ids.clone());
    Librarian::new(context.db.clone(), clock, ids, Reader::new(program), web, tongue)
}

/// Each business account with a token that may see it.
fn accounts(context: &Context, graphs: &HashMap<String, Graph>) -> BTreeMap<String, Graph> {
    let channels = context.settings.whatsapp.channels.iter();
    channels
        .filter_map(|one| Some((one.business_account_id.clone(), graphs.get(&one.phone_number_id)?.clone())))
        .collect()
}

async fn measure_time(db: Db, life: Lifecycle) {
    let stopping = life.stopping();
    loop {
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(MEASURE_TIME_EVERY) => (),
        }
        if let Err(error) = db.measure_time().await {
            tracing::warn!(%error, "the database's clock cannot be read");
        }
    }
}

fn serve(listener: TcpListener, routes: Router, life: &Lifecycle) {
    let stopping = life.stopping();
    // A frame for an agent's screen must not wait until the one before is acknowledged.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection stays slower than it could be");
        }
    });
    let routes = routes.into_make_service_with_connect_info::<SocketAddr>();
    life.spawn(async move {
        let served = axum::serve(listener, routes).with_graceful_shutdown(stopping.cancelled_owned()).await;
        if let Err(error) = served {
            tracing::error!(%error, "the socket failed");
        }
    });
}

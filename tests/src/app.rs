//! The real server on a free port, around a simulated WhatsApp on another, over real sockets.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use baton::net::{self, Client, Timing};
use baton_server::{
    Parts, Server,
    bot::model,
    config::{self, Book, Channel, Playbook, Settings},
    inbox::{new_secret, secret_hash},
    store::{
        Db, Reader, Urgency,
        agents::{self, Agent},
    },
    whatsapp::graph::HttpTransport,
};
use baton_shared::{AgentId, Clock, Ids, Role, SystemClock};
use baton_simulator::{
    World,
    whatsapp::{Config, Number, Person, PersonId, Saying, sign},
};

use crate::{acts::Acts, post::Talk, programs::binary, store::Database};

/// How long a test waits for what must happen.
pub const SOON: Duration = Duration::from_secs(60);

pub struct App {
    /// `None` while it is stopped.
    pub server: Option<Server>,
    pub simulator: baton_simulator::Server,
    pub clock: Arc<dyn Clock>,
    pub client: reqwest::Client,
    config: Config,
    /// `listen` stays the same over restarts.
    listen: String,
    database: Arc<Database>,
    /// Empty for none.
    pub playbook: String,
    /// Where files are kept instead of in a folder, from the next start on.
    pub bucket: Option<config::Bucket>,
    /// Further numbers of the same app: `phone_number_id`s with their accounts.
    numbers: BTreeMap<String, String>,
    /// More of the environment, from the next start on.
    pub more: Vec<(&'static str, String)>,
    /// What speaks on some of them instead of `playbook`.
    books: BTreeMap<String, Book>,
}

impl App {
    pub async fn sqlite() -> Self {
        Self::start(Database::sqlite(), Config::shop()).await
    }

    /// `None` where there is no PostgreSQL.
    pub async fn postgres() -> Option<Self> {
        Some(Self::start(Database::postgres().await?, Config::shop()).await)
    }

    pub async fn start(database: Database, config: Config) -> Self {
        Self::start_with(database, config, BTreeMap::new()).await
    }

    /// The same, serving further numbers of the same app: `phone_number_id`s with their accounts.
    pub async fn start_with(database: Database, config: Config, numbers: BTreeMap<String, String>) -> Self {
        // Another test in this process may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let world = World::new(config.clone(), fastrand::Rng::with_seed(1));
        let simulator = baton_simulator::Server::start(world, clock.clone()).await.expect("a free port");
        let client = reqwest::Client::builder().timeout(SOON).build().expect("an HTTP client");
        let mut app = Self {
            server: None,
            simulator,
            clock,
            client,
            config,
            listen: "127.0.0.1:0".into(),
            database: Arc::new(database),
            playbook: Playbook::SAMPLE.into(),
            bucket: None,
            numbers,
            more: Vec::new(),
            books: BTreeMap::new(),
        };
        app.restart().await;
        app
    }

    /// Starts a server that was stopped, on the same port.
    pub async fn restart(&mut self) {
        let server = Server::start(self.settings(), self.parts()).await.expect("a server starts");
        self.listen = server.address().to_string();
        let url = self.webhook_url();
        self.simulator.with(|world, _| {
            if let Some(app) = world.whatsapp.config_mut().apps.first_mut() {
                app.callback_url = Some(url);
            }
        });
        self.server = Some(server);
    }

    /// Another number of the same account, with a playbook of its own; served from the next start on.
    pub fn add_number(&mut self, id: &str, name: &str, playbook: &str) {
        let account = self.config.numbers[0].account.clone();
        self.simulator.with(|world, _| {
            let numbers = &mut world.whatsapp.config_mut().numbers;
            let phone = format!("1555{:07}", numbers.len());
            numbers.push(Number { id: id.into(), phone, ..numbers[0].clone() });
        });
        let playbook = Playbook::parse(name, playbook).expect("a playbook");
        let book = Book { name: name.into(), playbook, may_speak: true, place: name.into() };
        self.numbers.insert(id.into(), account);
        self.books.insert(id.into(), book);
    }

    /// Another server over the same store.
    pub async fn second_server(&self) -> Server {
        let mut settings = self.settings();
        settings.listen = ([127, 0, 0, 1], 0).into();
        Server::start(settings, self.parts()).await.expect("a second server starts")
    }

    /// Whether all of it ended by itself.
    pub async fn stop(&mut self) -> bool {
        self.server.take().expect("a running server").stop().await
    }

    pub async fn crash(&mut self) {
        self.server.take().expect("a running server").crash().await;
    }

    pub fn settings(&self) -> Settings {
        let mut variables = environment(&self.config, &self.simulator.graph_url(), &self.database, &self.listen);
        variables
            .iter_mut()
            .filter(|(name, _)| *name == "BATON_PLAYBOOK")
            .for_each(|(_, path)| path.clone_from(&self.playbook));
        variables.extend(self.more.iter().cloned());
        let value = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
        let mut settings = Settings::load(None, &value).expect("settings");
        if let Some(bucket) = &self.bucket {
            settings.media.shelf = config::Shelf::Bucket(bucket.clone());
        }
        let first = settings.whatsapp.channels[0].clone();
        let others = self.numbers.iter().filter(|(number, _)| **number != first.phone_number_id);
        settings.whatsapp.channels.extend(others.map(|(number, account)| Channel {
            name: format!("n{number}"),
            phone_number_id: number.clone(),
            business_account_id: account.clone(),
            ..first.clone()
        }));
        for (number, book) in &self.books {
            let place = settings.books.len();
            settings.books.push(book.clone());
            let channels = settings.whatsapp.channels.iter_mut();
            channels.filter(|one| one.phone_number_id == *number).for_each(|one| one.book = place);
        }
        settings
    }

    /// Where files are kept if not in a bucket.
    pub fn media_folder(&self) -> &Path {
        self.database.media.path()
    }

    pub fn parts(&self) -> Parts {
        Parts {
            clock: self.clock.clone(),
            ids: Arc::new(Ids::system()),
            graph: Arc::new(HttpTransport::new().expect("an HTTP client")),
            models: Arc::new(model::HttpTransport::new().expect("an HTTP client")),
            program: None,
            gate: None,
        }
    }

    /// The program, to be run beside the server on the same store.
    pub fn program(&self) -> std::process::Command {
        let mut command = std::process::Command::new(binary("baton-server"));
        let variables = environment(&self.config, &self.simulator.graph_url(), &self.database, &self.listen);
        command.env_clear().envs(variables).current_dir(self.database.media.path());
        command.stdin(std::process::Stdio::null());
        command
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.listen)
    }

    pub fn webhook_url(&self) -> String {
        self.url("/webhook")
    }

    /// What agents, the bot and the operator do.
    pub fn acts(&self) -> Acts {
        Acts(self.server.as_ref().expect("a running server").context().clone())
    }

    /// A new customer writes, and an agent takes the conversation before the bot has answered.
    pub async fn taken(&self, name: &str, agent: AgentId) -> Talk {
        let (person, wamid) = self.simulator.with(|world, now| {
            let number = world.whatsapp.people().len();
            let (phone, user) = (format!("1555{number:07}"), format!("US.{number:010}"));
            let person = world.whatsapp.add_person(Person::new(name, &phone, &user));
            (person, world.whatsapp.say(now, person, Saying::text("Hello?")))
        });
        let acts = self.acts();
        eventually("the customer's word is stored", async || acts.conversation_of(&wamid).await.is_some()).await;
        let conversation = acts.conversation_of(&wamid).await.expect("stored a moment ago");
        acts.take(conversation, agent).await;
        Talk { person, conversation }
    }

    /// What reached a customer's phone, in the order in which it arrived there.
    pub fn reached(&self, person: PersonId) -> Vec<String> {
        self.simulator.with(|world, _| {
            let reached = world.whatsapp.ledger().reached().iter().filter(|one| one.person == person);
            reached.map(|one| one.text.clone()).collect()
        })
    }

    /// Adds a person; the secret that they sign in with.
    pub async fn add_agent(&self, name: &str) -> String {
        let context = self.server.as_ref().expect("a running server").context();
        let (now, secret) = (context.clock.now(), new_secret(&context.ids));
        let new = Agent {
            id: context.ids.next(now),
            name: name.into(),
            role: Role::Agent,
            team: String::new(),
            created_at: now,
            disabled_at: None,
        };
        let hash = secret_hash(&secret);
        let job = context.db.write(Urgency::First, move |tx| {
            let (new, hash) = (new.clone(), hash.clone());
            Box::pin(async move { agents::insert(tx, &new, &hash).await })
        });
        job.await.expect("a write");
        secret
    }

    /// The real client's line to this server, over as many restarts as there are.
    pub fn line(&self, token: String) -> Client {
        let address = self.url("").parse().expect("an address");
        let settings = net::Settings { address, token, build: "test".into(), timing: Timing::default() };
        let context = self.server.as_ref().expect("a running server").context();
        Client::new(settings, context.clock.clone(), context.ids.clone())
    }

    /// The line of a new agent's.
    pub async fn agent(&self, name: &str) -> Client {
        let address = self.url("").parse().expect("an address");
        let secret = self.add_agent(name).await;
        self.line(net::sign_in(&address, &secret).await.expect("a sign-in").token)
    }

    pub fn db(&self) -> &Db {
        &self.server.as_ref().expect("a running server").context().db
    }

    pub async fn reader(&self) -> Reader {
        self.db().reader().await.expect("a reader")
    }

    /// Posts a body as Meta would, signed.
    pub async fn post(&self, body: impl Into<Vec<u8>>) -> reqwest::StatusCode {
        let body = body.into();
        let signature = sign(&self.config.apps[0].secret, &body);
        self.post_signed(body, Some(&signature)).await
    }

    pub async fn post_signed(&self, body: Vec<u8>, signature: Option<&str>) -> reqwest::StatusCode {
        let mut request = self.client.post(self.webhook_url()).body(body);
        if let Some(signature) = signature {
            request = request.header("X-Hub-Signature-256", signature);
        }
        request.send().await.expect("an answer").status()
    }
}

/// What an operator sets for the first number of a simulated WhatsApp.
pub fn environment(config: &Config, graph: &str, database: &Database, listen: &str) -> Vec<(&'static str, String)> {
    let media = database.media.path().to_string_lossy();
    let (app, number) = (&config.apps[0], &config.numbers[0]);
    let variables = [
        ("BATON_LISTEN", listen),
        ("BATON_DATABASE_URL", &database.url),
        ("BATON_MEDIA_FOLDER", &media),
        ("BATON_PLAYBOOK", Playbook::SAMPLE),
        ("WHATSAPP_GRAPH_URL", graph),
        ("WHATSAPP_APP_ID", &app.id),
        ("WHATSAPP_APP_SECRET", &app.secret),
        ("WHATSAPP_VERIFY_TOKEN", &app.verify_token),
        ("WHATSAPP_ACCESS_TOKEN", &config.tokens[0]),
        ("WHATSAPP_PHONE_NUMBER_ID", &number.id),
        ("WHATSAPP_BUSINESS_ACCOUNT_ID", &number.account),
    ];
    variables.map(|(name, value)| (name, value.to_owned())).into()
}

/// Waits until `what` holds; a test that waits in vain fails with its name.
pub async fn eventually(name: &str, mut what: impl AsyncFnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + SOON;
    while !what().await {
        assert!(tokio::time::Instant::now() < deadline, "in vain: {name}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

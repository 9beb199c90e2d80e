//! The real program as a process of its own, around a simulated WhatsApp: it can be killed, and the
//! machine can be taken away from under it.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::Arc,
};

use baton_server::store::Db;
use baton_shared::{Clock, SystemClock};
use baton_simulator::{
    World,
    whatsapp::{Config, sign},
};

use crate::{
    app::{SOON, environment},
    programs::binary,
    store::Database,
};

/// A folder, a database and a WhatsApp; and the server that is started in them.
pub struct Site {
    pub simulator: baton_simulator::Server,
    pub clock: Arc<dyn Clock>,
    pub client: reqwest::Client,
    pub database: Database,
    config: Config,
    folder: tempfile::TempDir,
    program: PathBuf,
    /// What the program is started by, if by anything.
    wrapper: Vec<String>,
    /// The same over restarts.
    listen: String,
    child: Option<Child>,
}

impl Site {
    pub async fn sqlite() -> Self {
        Self::new(Database::sqlite(), Config::shop()).await
    }

    /// `None` where there is no PostgreSQL.
    pub async fn postgres() -> Option<Self> {
        Some(Self::new(Database::postgres().await?, Config::shop()).await)
    }

    /// Nothing runs yet.
    pub async fn new(database: Database, config: Config) -> Self {
        // Another test in this process may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let world = World::new(config.clone(), fastrand::Rng::with_seed(1));
        let simulator = baton_simulator::Server::start(world, clock.clone()).await.expect("a free port");
        let program = tokio::task::spawn_blocking(|| binary("baton-server")).await.expect("a program");
        Self {
            simulator,
            clock,
            client: reqwest::Client::builder().timeout(SOON).build().expect("an HTTP client"),
            database,
            config,
            folder: tempfile::tempdir().expect("a temporary folder"),
            program,
            wrapper: Vec::new(),
            listen: "127.0.0.1:0".into(),
            child: None,
        }
    }

    /// From now on the program is started by another one, which must become it.
    pub fn start_by(&mut self, wrapper: &[&str]) {
        self.wrapper = wrapper.iter().map(|&word| word.to_owned()).collect();
    }

    /// Starts the server, again on the port that it had, and waits until it listens.
    pub async fn serve(&mut self) {
        assert!(self.child.is_none(), "one at a time");
        let mut child = self.command().stdout(Stdio::piped()).spawn().expect("the program starts");
        let output = child.stdout.take().expect("piped above");
        self.child = Some(child);
        let line = tokio::task::spawn_blocking(|| {
            let mut line = String::new();
            BufReader::new(output).read_line(&mut line).map(|_| line)
        });
        let line = line.await.expect("a line").expect("a line");
        let address = line.trim().strip_prefix("baton-server listens on http://");
        self.listen = address.unwrap_or_else(|| panic!("{line:?}: {}", self.log())).to_owned();
        let url = self.url("/webhook");
        self.simulator.with(|world, _| {
            if let Some(app) = world.whatsapp.config_mut().apps.first_mut() {
                app.callback_url = Some(url);
            }
        });
    }

    /// `kill -9`, wherever it stands; true if it still ran.
    pub fn kill(&mut self) -> bool {
        let mut child = self.child.take().expect("a running server");
        let ran = child.try_wait().expect("a child of ours").is_none();
        child.kill().expect("a child of ours");
        child.wait().expect("a child of ours");
        ran
    }

    /// Whether the process that was started has not ended.
    pub fn runs(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| child.try_wait().expect("a child of ours").is_none())
    }

    pub fn process(&self) -> u32 {
        self.child.as_ref().expect("a running server").id()
    }

    /// Starts it where it cannot start: what it exits with, and what it says.
    pub async fn fails_to_serve(&self) -> (ExitStatus, String) {
        let mut command = self.command();
        let output = tokio::task::spawn_blocking(move || command.stderr(Stdio::piped()).output());
        let output = output.await.expect("a result").expect("the program starts");
        (output.status, String::from_utf8_lossy(&output.stderr).into_owned())
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.listen)
    }

    /// Where the SQLite file is.
    pub fn file(&self) -> &Path {
        Path::new(self.database.url.strip_prefix("sqlite://").expect("a SQLite file"))
    }

    /// Posts a body as Meta would, signed.
    pub async fn post(&self, body: impl Into<Vec<u8>>) -> reqwest::StatusCode {
        let body = body.into();
        let signature = sign(&self.config.apps[0].secret, &body);
        let request = self.client.post(self.url("/webhook")).header("X-Hub-Signature-256", signature);
        request.body(body).send().await.expect("an answer").status()
    }

    /// The store as it stands on the disk, whether the server runs or not.
    pub async fn store(&self) -> Db {
        Db::open_beside(&self.database.url, self.clock.clone()).await.expect("a store")
    }

    /// What the last server logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn command(&self) -> Command {
        let mut words = self.wrapper.iter().map(AsRef::as_ref).chain([self.program.as_os_str()]);
        let mut command = Command::new(words.next().expect("the program at least"));
        let log = File::create(self.folder.path().join("log")).expect("a log");
        let variables = environment(&self.config, &self.simulator.graph_url(), &self.database, &self.listen);
        command.args(words).arg("serve").current_dir(self.folder.path());
        command.env_clear().envs(variables).stdin(Stdio::null()).stderr(log);
        command
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

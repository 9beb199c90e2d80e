//! A folder with settings, and the program run in it with an environment of its own.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Output, Stdio},
    time::{Duration, Instant},
};

/// One number, on any free port, without a network.
pub(crate) const SETTINGS: &str = r#"listen = "127.0.0.1:0"
playbook = "shop"
[whatsapp]
app_id = "1"
app_secret = "0123456789abcdef"
verify_token = "verify"
access_token = "token"
phone_number_id = "2"
business_account_id = "3"
name = "shop"
graph_url = "http://127.0.0.1:1/v26.0"
"#;

const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Place(tempfile::TempDir);

/// What a command did.
#[derive(Debug)]
pub(crate) struct Done {
    arguments: String,
    output: Output,
}

impl Place {
    pub(crate) fn new(settings: &str) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::write(place.file("baton.toml"), settings).unwrap();
        place
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Done {
        self.run_with(arguments, &[])
    }

    pub(crate) fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Done {
        let mut command = self.command(arguments);
        let output = command.envs(variables.iter().copied()).stdin(Stdio::null()).output().unwrap();
        Done { arguments: arguments.join(" "), output }
    }

    /// A server that listens.
    pub(crate) fn serve(&self) -> Serving {
        self.serve_with(&[])
    }

    pub(crate) fn serve_with(&self, variables: &[(&str, &str)]) -> Serving {
        let log = fs::File::create(self.file("log")).unwrap();
        self.serve_to(log, variables)
    }

    /// A server that logs to a file that is there.
    pub(crate) fn serve_into(&self, log: &str) -> Serving {
        fs::write(self.file("log"), "").unwrap();
        self.serve_to(fs::OpenOptions::new().write(true).open(log).unwrap(), &[("BATON_LOG", "debug")])
    }

    fn serve_to(&self, log: fs::File, variables: &[(&str, &str)]) -> Serving {
        let mut command = self.command(&["serve"]);
        let mut child = command.envs(variables.iter().copied()).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("baton-server listens on http://");
        let Some(address) = address else {
            let _ = child.kill();
            panic!("{line:?}: {}", self.log());
        };
        Serving { address: address.to_owned(), child }
    }

    /// What the last server logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.file("log")).unwrap()
    }

    pub(crate) fn waits_for_log(&self, words: &str) {
        soon(|| self.log().contains(words).then_some(()));
    }

    /// Writes to the database as nobody should.
    pub(crate) fn sql(&self, statement: &'static str) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            use sqlx::{Connection, Executor};
            let url = format!("sqlite://{}", self.file("baton.db").display());
            let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
            connection.execute(statement).await.unwrap();
        });
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_baton-server"));
        command.args(arguments).env_clear().current_dir(self.0.path());
        command
    }
}

impl Done {
    /// What it printed.
    #[track_caller]
    pub(crate) fn succeeds(&self) -> String {
        assert!(self.output.status.success(), "{}: {:?}", self.arguments, self.output);
        String::from_utf8(self.output.stdout.clone()).unwrap()
    }

    /// What it printed, although it ended with `code`.
    #[track_caller]
    pub(crate) fn prints(&self, code: i32) -> String {
        assert_eq!(self.output.status.code(), Some(code), "{}: {:?}", self.arguments, self.output);
        String::from_utf8(self.output.stdout.clone()).unwrap()
    }

    /// What it said about that, when nothing was printed as a result.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32) -> String {
        assert_eq!(self.output.status.code(), Some(code), "{}: {:?}", self.arguments, self.output);
        assert!(self.output.stdout.is_empty(), "{:?}", self.output);
        String::from_utf8(self.output.stderr.clone()).unwrap()
    }

    pub(crate) fn explains(&self, words: &str) -> bool {
        String::from_utf8_lossy(&self.output.stderr).contains(words)
    }
}

/// Waits for what another process does.
fn soon<T>(mut happens: impl FnMut() -> Option<T>) -> T {
    #[expect(clippy::disallowed_methods, reason = "another process takes real time")]
    let began = Instant::now();
    loop {
        if let Some(happened) = happens() {
            return happened;
        }
        assert!(began.elapsed() < PATIENCE, "it does not happen");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A server process; killed if it is dropped.
pub(crate) struct Serving {
    address: String,
    child: Child,
}

impl Serving {
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// What it answers, with its head.
    pub(crate) fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Sends SIGTERM.
    pub(crate) fn ask_to_stop(&self) {
        let done = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(done.success());
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) fn end(mut self) -> ExitStatus {
        self.ask_to_stop();
        soon(|| self.child.try_wait().unwrap())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

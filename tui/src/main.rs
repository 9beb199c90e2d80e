//! `baton`: arguments in, an inbox or some lines out.

mod args;
mod login;

use std::{
    io::{self, Read, Write},
    path::Path,
    process::ExitCode,
    sync::Arc,
};

use args::{Args, Command};
use baton::{
    Options,
    config::{Config, ConfigError, Places},
    net::{AddressError, Client, Settings, SignInError, Timing},
    pipe::{Format, Output, PipeError, Present, follow, queue, send},
    session::{Session, SessionError},
    term::probe::Environment,
};
use baton_shared::{Ids, SystemClock};
use clap::Parser;

/// Why it did not work: one sentence, and an exit code.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("there is no home folder to keep settings in: set HOME or XDG_CONFIG_HOME and XDG_STATE_HOME")]
    NoHome,
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Address(#[from] AddressError),
    #[error(transparent)]
    SignIn(#[from] SignInError),
    #[error(transparent)]
    Pipe(#[from] PipeError),
    #[error(transparent)]
    Run(#[from] baton::RunError),
    #[error(transparent)]
    Stopped(#[from] baton::net::Stop),
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl Failure {
    fn exit_code(&self) -> u8 {
        match self {
            Self::NoHome | Self::Config(_) | Self::Session(_) | Self::Address(_) => 2,
            Self::SignIn(_) | Self::Pipe(_) | Self::Run(_) | Self::Stopped(_) | Self::Io(_) => 1,
        }
    }

    /// `baton queue | head` ends the way it should.
    fn is_broken_pipe(&self) -> bool {
        match self {
            Self::Pipe(PipeError::Output(error)) | Self::Io(error) => error.kind() == io::ErrorKind::BrokenPipe,
            _ => false,
        }
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return told(&Failure::Io(error)),
    };
    let ended = runtime.block_on(run(args));
    // The thread that reads keys turns in circles once its terminal is gone: nobody waits for it.
    runtime.shutdown_background();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) if failure.is_broken_pipe() => ExitCode::SUCCESS,
        Err(failure) => told(&failure),
    }
}

fn told(failure: &Failure) -> ExitCode {
    // The terminal that would show it may be gone.
    let _ = writeln!(io::stderr(), "baton: {failure}");
    ExitCode::from(failure.exit_code())
}

async fn run(args: Args) -> Result<(), Failure> {
    let places = Places::find(variable).ok_or(Failure::NoHome)?;
    log_to_file(&places)?;
    let config = Config::load(args.config.as_deref().unwrap_or(&places.config))?;
    match args.command {
        Some(Command::Login { url, insecure }) => Ok(login::login(&url, insecure, &places.session).await?),
        Some(Command::Logout) => Ok(login::logout(&places.session)?),
        Some(Command::Queue { json }) => {
            let (_client, present) = connected(&places.session).await?;
            Ok(queue(&present, config.patience(), &mut output(json))?)
        }
        Some(Command::Tail { conversation, json }) => tail(&places.session, conversation.as_deref(), json).await,
        Some(Command::Send { conversation, json }) => send_stdin(&places.session, &conversation, json).await,
        None if args.plain || variable("NO_TUI").is_some() => plain(&places.session, &config).await,
        None => inbox(&places, config).await,
    }
}

async fn inbox(places: &Places, config: Config) -> Result<(), Failure> {
    let session = Session::load(&places.session)?;
    let editor = config.editor.clone().or_else(|| variable("VISUAL")).or_else(|| variable("EDITOR"));
    let outcome = baton::run(Options {
        keep: Some((places.state.clone(), session.me.id)),
        config,
        editor: editor.unwrap_or_else(|| "vi".into()),
        home: variable("HOME").or_else(|| variable("USERPROFILE")).unwrap_or_default().into(),
        ..Options::new(session.address()?, session.token().to_owned(), Environment::read(variable))
    })
    .await?;
    if outcome.unsent > 0 {
        eprintln!("baton: {} not answered by the server yet; kept for the next start", outcome.unsent);
    }
    outcome.stopped.map_or(Ok(()), |stop| Err(stop.into()))
}

/// Lines instead of a screen: the queue once, then what happens.
async fn plain(session: &Path, config: &Config) -> Result<(), Failure> {
    let (mut client, present) = connected(session).await?;
    let mut output = output(false);
    queue(&present, config.patience(), &mut output)?;
    Ok(follow(&mut client, present, None, &jiff::tz::TimeZone::system(), &mut output).await?)
}

async fn tail(session: &Path, conversation: Option<&str>, json: bool) -> Result<(), Failure> {
    let (mut client, present) = connected(session).await?;
    let only = conversation.map(|name| present.find(name)).transpose()?;
    Ok(follow(&mut client, present, only, &jiff::tz::TimeZone::system(), &mut output(json)).await?)
}

async fn send_stdin(session: &Path, conversation: &str, json: bool) -> Result<(), Failure> {
    let mut text = String::new();
    io::stdin().lock().take(64 * 1024).read_to_string(&mut text)?;
    let (mut client, present) = connected(session).await?;
    let conversation = present.find(conversation)?;
    send(&mut client, &present, conversation, text.trim_end().to_owned(), &mut output(json)).await?;
    client.close().await;
    Ok(())
}

async fn connected(session: &Path) -> Result<(Client, Present), Failure> {
    let session = Session::load(session)?;
    let settings = Settings {
        address: session.address()?,
        token: session.token().to_owned(),
        build: concat!("baton ", env!("CARGO_PKG_VERSION")).into(),
        timing: Timing::default(),
    };
    let mut client = Client::new(settings, Arc::new(SystemClock::default()), Arc::new(Ids::system()));
    let present = Present::of(&mut client).await?;
    Ok((client, present))
}

fn output(json: bool) -> Output<io::Stdout> {
    Output::new(io::stdout(), if json { Format::Json } else { Format::Text })
}

/// `BATON_LOG=debug` writes a log beside the drafts: ids and kinds, never words.
fn log_to_file(places: &Places) -> io::Result<()> {
    let Some(level) = variable("BATON_LOG") else { return Ok(()) };
    std::fs::create_dir_all(&places.state)?;
    let file = std::fs::OpenOptions::new().create(true).append(true).open(places.state.join("baton.log"))?;
    tracing_subscriber::fmt().with_env_filter(level).with_ansi(false).with_writer(std::sync::Mutex::new(file)).init();
    Ok(())
}

/// The one place that reads the environment.
#[expect(clippy::disallowed_methods, reason = "read once, here, and passed on")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

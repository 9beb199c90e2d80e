//! What stands on the command line, and what becomes of it.

mod agent;
mod channel;
mod costs;
mod doctor;
mod failure;
mod intents;
mod knowledge;
mod log;
mod output;
mod replay;
mod serve;
mod settings;
mod switch;

use std::{path::PathBuf, process::ExitCode};

use baton_server::knowledge::documents;
use clap::{Parser, Subcommand};

use failure::Failure;

const EXAMPLES: &str = "\
Examples:
  baton-server serve --config baton.toml       start; Ctrl-C or SIGTERM ends it cleanly
  baton-server agent add Ana --role agent      prints the secret that Ana signs in with once
  baton-server switch bot off                  from now on only people answer
  baton-server knowledge add policies/         documents that the bot answers from
  baton-server channel list                    the numbers, and how each is
  baton-server doctor                          what is right, what is wrong, what to do
  baton-server intents test sentences.jsonl    how well customers' sentences are understood
  baton-server costs                           what models cost this month
  baton-server replay                          read again what could not be read before

Without --config, `baton.toml` in the current folder is read if there is one. Every setting can also
come from the environment, which wins: BATON_LISTEN, BATON_DATABASE_URL, WHATSAPP_ACCESS_TOKEN, ...
docs/baton.example.toml has all of them. BATON_LOG says what is logged (info, or baton_server=debug),
BATON_LOG_FORMAT=json makes each line an object.

Everything but `serve` also works while a server runs on the same database.
Exit codes: 0 done, 1 it failed, 2 a setting or an argument is wrong and nothing was started.";

/// Baton's server: webhooks in, a bot's answers out, and a person's hand on the baton.
#[derive(Debug, Parser)]
#[command(name = "baton-server", version, after_help = EXAMPLES, arg_required_else_help = true)]
struct CommandLine {
    /// The file with the settings.
    #[arg(long, short, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve webhooks and agents until SIGTERM or Ctrl-C.
    Serve,
    /// The people who sign in: add, list, disable, a new secret.
    #[command(subcommand)]
    Agent(agent::Act),
    /// The business numbers: list, test, pause, resume, add.
    #[command(subcommand)]
    Channel(channel::Act),
    /// The documents that the bot answers from: add, list, remove, search, refresh.
    #[command(subcommand)]
    Knowledge(knowledge::Act),
    /// Turn the bot, or all sending, on or off; without arguments, show both.
    Switch(switch::Switch),
    /// Look at settings, database, clock, tokens, webhooks and what waits; say what to do.
    Doctor,
    /// How well the playbook's examples teach what customers want.
    #[command(subcommand)]
    Intents(intents::Act),
    /// What models cost in a month, by day, number, model and intent; and WhatsApp's own prices.
    Costs(costs::Wanted),
    /// Read dead letters again: after an update, or once their number is in the settings.
    Replay(replay::Replay),
    /// Read one PDF from the standard input: what the others start to read PDFs in.
    #[command(hide = true)]
    ReadPdf,
}

/// Does what the command line says.
pub(crate) fn main() -> ExitCode {
    let line = CommandLine::parse();
    if matches!(line.command, Command::ReadPdf) {
        return read_pdf();
    }
    let done = tokio::runtime::Runtime::new()
        .map_err(|why| Failure::failed(format!("the system gives no threads: {why}")))
        .and_then(|runtime| {
            let done = runtime.block_on(run(line));
            // Whoever was cut off is not waited for.
            runtime.shutdown_background();
            done
        });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::explain(&format!("baton-server: {failure}"));
            failure.code()
        }
    }
}

/// Neither settings nor threads: this process is limited, and may end at any time.
fn read_pdf() -> ExitCode {
    match documents::read_pdf(std::io::stdin().lock(), std::io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            output::explain(&why);
            ExitCode::FAILURE
        }
    }
}

async fn run(line: CommandLine) -> Result<(), Failure> {
    log::start(if matches!(line.command, Command::Serve) { "info" } else { "warn" })?;
    // Another provider could only have been installed by us.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let settings = settings::load(line.config.as_deref())?;
    let file = settings::file(line.config.as_deref());
    match line.command {
        Command::Serve => serve::serve(settings).await,
        Command::Agent(act) => agent::run(settings, act).await,
        Command::Channel(act) => channel::run(settings, act, file).await,
        Command::Switch(switch) => switch::run(settings, switch).await,
        Command::Doctor => doctor::run(settings).await,
        Command::Intents(act) => intents::run(&settings, &act),
        Command::Costs(wanted) => costs::run(settings, &wanted).await,
        Command::Replay(replay) => replay::run(settings, &replay).await,
        Command::Knowledge(act) => knowledge::run(settings, act).await,
        // Done by `main`.
        Command::ReadPdf => Ok(()),
    }
}

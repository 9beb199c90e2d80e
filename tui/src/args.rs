//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// The inbox in the terminal: see who needs a person, take over, answer, hand back to the bot.
///
/// Without a command it opens the inbox. Everything there can be found with `?`.
#[derive(Debug, Parser)]
#[command(name = "baton", version, after_help = AFTER)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// Print the queue and what happens to it, a line each, instead of painting a screen; for screen
    /// readers and dumb terminals (also NO_TUI=1)
    #[arg(long)]
    pub(crate) plain: bool,

    /// Another configuration file [default: ~/.config/baton/config.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

const AFTER: &str = "\
First steps:
  baton-server agent add Ana --role agent     on the server: prints a secret, once
  baton login https://inbox.example.com       here: asks for that secret
  baton                                       opens the inbox; u, t, i, b and ? are a good start

In pipes:
  baton queue --json | jq -r .customer        who is in the queue, most urgent first
  baton tail                                  what happens, a line each
  baton tail \"Marina Souza\"                   one conversation, as it goes on
  echo 'On its way.' | baton send \"Marina Souza\"

Exit codes: 0 done, 1 refused or unreachable, 2 wrong settings or arguments.";

/// What to do without a screen.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Sign in to a server with a one-time secret
    Login {
        /// The server, such as https://inbox.example.com
        url: String,
        /// Allow plain http to another machine: the sign-in travels readable for everybody between
        #[arg(long)]
        insecure: bool,
    },
    /// Forget the sign-in on this machine
    Logout,
    /// Print who is in the queue, most urgent first
    Queue {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Print what happens as it happens, or one conversation's messages
    Tail {
        /// An id, the end of one, or a customer's name
        conversation: Option<String>,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Send standard input as a reply; the conversation must be yours
    Send {
        /// An id, the end of one, or a customer's name
        conversation: String,
        /// Print the server's answer as JSON
        #[arg(long)]
        json: bool,
    },
}

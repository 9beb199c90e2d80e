//! What the demo is told on its command line.

use std::path::PathBuf;

use baton_shared::Role;
use clap::{Parser, ValueEnum};

/// Baton's demo: a small shop on a simulated WhatsApp, a bot that answers, and you
#[derive(Clone, Debug, Parser)]
#[command(version, bin_name = "cargo run --", long_about = ABOUT, after_help = EXAMPLES)]
pub struct Options {
    /// Without a screen, as a proof: scripted agents, a crash, and a comparison at the end
    #[arg(long)]
    pub headless: bool,

    /// How long the traffic of a headless run lasts
    #[arg(long, value_name = "N", requires = "headless", default_value_t = 30, value_parser = clap::value_parser!(u64).range(4..=3600))]
    pub seconds: u64,

    /// The result as one line of JSON on standard output
    #[arg(long, requires = "headless")]
    pub json: bool,

    /// Who writes what when, and what goes wrong
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,

    /// Customers besides the cast of fourteen
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(..=5000))]
    pub customers: Option<u16>,

    /// Who you are in the inbox
    #[arg(long, value_enum, conflicts_with = "headless", default_value = "agent")]
    pub role: You,

    /// What goes wrong at Meta [default: none on screen, rough headless]
    #[arg(long, value_enum)]
    pub faults: Option<Weather>,

    /// A PostgreSQL server, on which the run makes a database of its own and drops it
    #[arg(long, value_name = "URL")]
    pub postgres: Option<String>,

    /// Keep the log and the store in this folder
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,

    /// Take out a promise, to see the run fail: fence, dedupe or ack
    #[cfg(feature = "mutations")]
    #[arg(long, value_name = "PROMISE", requires = "headless")]
    pub without: Option<baton_server::mutation::Mutation>,
}

/// Who sits at the inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum You {
    /// Answers customers
    Agent,
    /// Sees everything, assigns, and flips switches
    Supervisor,
}

impl From<You> for Role {
    fn from(you: You) -> Self {
        match you {
            You::Agent => Self::Agent,
            You::Supervisor => Self::Supervisor,
        }
    }
}

/// How good a day it is for networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Weather {
    /// Nothing goes wrong
    None,
    /// Duplicates, delays, lost answers, errors: everything happens, and most comes through
    Rough,
}

const ABOUT: &str = "\
Baton's demo: a small shop on a simulated WhatsApp, a bot that answers, and you.

Without options the agents' inbox opens in this terminal, over the real server with
simulated customers. Nothing has to be set up, nothing leaves this machine and nothing is
left behind. In the inbox, ? shows all keys.";

const EXAMPLES: &str = "\
Examples:
  cargo run                                            open the inbox
  cargo run -- --role supervisor                       with the board, over everybody's shoulder
  cargo run -- --faults rough --seed 7                 on a bad day
  cargo run -- --headless --seconds 30 --seed 1 --json the proof without a screen
  cargo run -- --headless --postgres postgres://postgres@127.0.0.1/postgres

A headless run exits with 0 only if every promise was kept and there was something to keep it for.";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_options_fit_together() {
        Options::command().debug_assert();
        let options = Options::parse_from(["demo", "--headless", "--seconds", "8", "--seed", "3", "--json"]);
        assert_eq!((options.headless, options.seconds, options.seed, options.json), (true, 8, 3, true));
        assert!(Options::try_parse_from(["demo", "--faults", "some"]).is_err());
        assert!(Options::try_parse_from(["demo"]).is_ok());
        assert!(Options::try_parse_from(["demo", "--headless", "--role", "supervisor"]).is_err());
        for only_headless in [vec!["demo", "--json"], vec!["demo", "--seconds", "8"]] {
            assert!(Options::try_parse_from(only_headless).is_err());
        }
    }
}

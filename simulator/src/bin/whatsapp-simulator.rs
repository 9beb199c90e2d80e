//! A simulated WhatsApp Cloud API for whoever wants one. See `--help` and `simulator/README.md`.

use std::process::ExitCode;

use baton_simulator::standalone::{self, Options};
use clap::Parser;

fn main() -> ExitCode {
    standalone::main(&Options::parse())
}

//! `cargo run`: the demo. See `--help`.

use std::process::ExitCode;

use baton_simulator::demo::{self, Options};
use clap::Parser;

fn main() -> ExitCode {
    demo::main(&Options::parse())
}

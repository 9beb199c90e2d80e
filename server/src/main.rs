//! `baton-server`: the server and what an operator does beside it.

mod command_line;

use std::process::ExitCode;

fn main() -> ExitCode {
    command_line::main()
}

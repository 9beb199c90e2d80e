//! What is logged, to standard error: `BATON_LOG` and `BATON_LOG_FORMAT`.

use std::io::IsTerminal;

use baton_server::config::{environment, one_line};
use tracing_subscriber::{EnvFilter, fmt};

use super::failure::Failure;

/// What is asked of the environment beside the settings.
pub(super) const VARIABLES: [&str; 2] = ["BATON_LOG", "BATON_LOG_FORMAT"];

/// Logs from now on, `usual` unless the environment says otherwise.
pub(super) fn start(usual: &str) -> Result<(), Failure> {
    let wanted = variable("BATON_LOG").unwrap_or_else(|| usual.to_owned());
    let filter = EnvFilter::builder().parse(&wanted).map_err(|_| {
        wrong("BATON_LOG", &wanted, "a level or levels of modules, such as info or info,baton_server::outbox=debug")
    })?;
    let log = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    // A line that cannot be written is lost: to complain about it where it could not be written, too, is
    // a panic, and a full disk would end the server.
    let log = log.log_internal_errors(false);
    match variable("BATON_LOG_FORMAT").as_deref() {
        None | Some("text") => log.with_target(false).init(),
        Some("json") => log.json().flatten_event(true).init(),
        Some(other) => return Err(wrong("BATON_LOG_FORMAT", other, "text or json")),
    }
    Ok(())
}

/// An empty variable counts as not set.
fn variable(name: &str) -> Option<String> {
    environment(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn wrong(name: &str, found: &str, expected: &str) -> Failure {
    Failure::wrong(format!("environment: {name}: found {:?}, expected {expected}", one_line(found)))
}

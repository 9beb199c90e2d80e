//! Why the demo does not go on.

use std::{io, path::PathBuf};

use baton_server::{
    StartError,
    config::ConfigError,
    store::{OpenError, StoreError},
};

/// A sentence for whoever started the demo.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error("there is no terminal here that an inbox could be drawn on; `cargo run -- --headless` does without one")]
    NoTerminal,
    #[error("--keep {}: a run is kept there already; name another folder", .0.display())]
    Taken(PathBuf),
    #[error("{}: {why}", path.display())]
    Folder { path: PathBuf, why: io::Error },
    #[error("--postgres: {0}")]
    Postgres(OpenError),
    #[error("the simulated world did not start: {0}")]
    World(#[source] io::Error),
    #[error("the server was not given what it needs: {0}")]
    Settings(#[from] ConfigError),
    #[error("the server did not start: {0}")]
    Server(#[from] StartError),
    #[error("the server cannot speak TLS: {0}")]
    Tls(Box<dyn std::error::Error + Send + Sync>),
    #[error("the store: {0}")]
    Store(#[from] StoreError),
    #[error("the store could not be opened again: {0}")]
    Open(#[from] OpenError),
    #[error("nobody could sign in: {0}")]
    SignIn(String),
    #[error("{0}")]
    Inbox(String),
}

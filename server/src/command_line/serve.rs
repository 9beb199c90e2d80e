//! `serve`: runs until it is told to stop.

use std::{io, sync::Arc};

use baton_server::{Parts, Server, bot::model, config::Settings, whatsapp::graph};
use baton_shared::{Ids, SystemClock};

use super::{failure::Failure, output::say};

const WITHOUT_PLAYBOOK: &str = "no playbook is named, so the bot stays silent there and people answer everything: copy \
                                playbooks/shop.toml, make it yours, and name it as `playbook` in baton.toml";

pub(super) async fn serve(settings: Settings) -> Result<(), Failure> {
    settings.ready_to_serve()?;
    let no_tls = |why| Failure::failed(format!("no TLS on this machine: {why}"));
    let parts = Parts {
        clock: Arc::new(SystemClock::default()),
        ids: Arc::new(Ids::system()),
        graph: Arc::new(graph::HttpTransport::new().map_err(no_tls)?),
        models: Arc::new(model::HttpTransport::new().map_err(no_tls)?),
        program: std::env::current_exe().ok(),
        gate: None,
    };
    let mut signals = Signals::listen().map_err(|why| Failure::failed(format!("cannot hear signals: {why}")))?;
    let channels = settings.whatsapp.channels.iter().filter(|channel| !settings.books[channel.book].may_speak);
    let silent: Vec<String> = channels.map(|channel| channel.name.clone()).collect();
    let server = Server::start(settings, parts).await?;
    if !silent.is_empty() {
        tracing::warn!(channels = silent.join(", "), "{WITHOUT_PLAYBOOK}");
    }
    say(&format!("baton-server listens on http://{}", server.address()));
    signals.next().await;
    tracing::info!("stopping; once more cuts what has not ended");
    tokio::select! {
        clean = server.stop() => {
            tracing::info!(clean, "stopped");
            Ok(())
        }
        () = signals.next() => Err(Failure::failed("cut off; nothing that was answered is lost")),
    }
}

/// What asks a process to end.
#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// From now on none of them ends the process by itself.
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => (),
            _ = self.interrupt.recv() => (),
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        // Without it there is nothing but the end of the process.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}

//! The door's own HTTP without a socket: bytes in, a status out. As many at once as memory holds,
//! and under a clock that stands still.

use std::io;

use axum::{Router, serve::Listener};
use baton_server::lifecycle::Lifecycle;
use baton_simulator::whatsapp::SIGNATURE_HEADER;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    sync::mpsc,
};

/// Large enough that nobody waits for a half-read answer.
const BUFFER: usize = 64 * 1024;

/// Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub struct Door(mpsc::UnboundedSender<DuplexStream>);

struct Connections(mpsc::UnboundedReceiver<DuplexStream>);

impl Door {
    /// Serves `routes` until `life` ends.
    pub fn open(routes: Router, life: &Lifecycle) -> Self {
        let (new, connections) = mpsc::unbounded_channel();
        life.spawn(async move {
            let served = axum::serve(Connections(connections), routes).await;
            served.expect("connections in memory do not fail");
        });
        Self(new)
    }

    /// Posts a body as Meta would; the answer's status.
    pub async fn post(&self, path: &str, signature: &str, body: &[u8]) -> u16 {
        let (mut ours, theirs) = tokio::io::duplex(BUFFER);
        self.0.send(theirs).expect("a door that is open");
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: door\r\nconnection: close\r\ncontent-length: {}\r\n{SIGNATURE_HEADER}: {signature}\r\n\r\n",
            body.len()
        );
        ours.write_all(head.as_bytes()).await.expect("a server that reads");
        ours.write_all(body).await.expect("a server that reads");
        let mut answer = Vec::new();
        ours.read_to_end(&mut answer).await.expect("an answer");
        let status = answer.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        status.expect("an answer begins with its status")
    }
}

impl Listener for Connections {
    type Io = DuplexStream;
    type Addr = ();

    async fn accept(&mut self) -> (DuplexStream, ()) {
        match self.0.recv().await {
            Some(connection) => (connection, ()),
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<()> {
        Ok(())
    }
}

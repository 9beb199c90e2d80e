//! A cable that can be pulled: whatever listens behind it is there, refuses, or never answers.

use std::net::SocketAddr;

use baton_server::lifecycle::Lifecycle;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};

/// Passes bytes between a port of its own and what is behind it.
pub struct Proxy {
    address: SocketAddr,
    behind: SocketAddr,
    /// Of the connections there are now.
    life: Lifecycle,
}

impl Proxy {
    pub async fn to(behind: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound port");
        let life = Lifecycle::default();
        pass(listener, behind, &life);
        Self { address, behind, life }
    }

    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Breaks every connection; from now on new ones are refused.
    pub async fn cut(&mut self) {
        self.life.cut();
        self.life.stop(std::time::Duration::ZERO).await;
        self.life = Lifecycle::default();
    }

    /// Breaks every connection; new ones are taken, and nothing ever comes back.
    pub async fn mute(&mut self) {
        self.cut().await;
        let listener = TcpListener::bind(self.address).await.expect("our own port");
        self.life.spawn(async move {
            let mut held = Vec::new();
            while let Ok((connection, _)) = listener.accept().await {
                held.push(connection);
            }
        });
    }

    /// As at the start.
    pub async fn mend(&mut self) {
        self.cut().await;
        let listener = TcpListener::bind(self.address).await.expect("our own port");
        pass(listener, self.behind, &self.life);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.life.cut();
    }
}

fn pass(listener: TcpListener, behind: SocketAddr, life: &Lifecycle) {
    let connections = life.clone();
    life.spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            connections.spawn(async move {
                if let Ok(mut far) = TcpStream::connect(behind).await {
                    // Either end may hang up.
                    let _ = copy_bidirectional(&mut near, &mut far).await;
                }
            });
        }
    });
}

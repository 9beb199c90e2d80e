//! A local HTTP server on a port of its own, whose tasks end with it and whose connections can break.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

/// How long connections get to end by themselves.
const GRACE: Duration = Duration::from_secs(2);

/// A bound port, and the tasks around it. Dropped, it tells them to stop; [`stop`](Self::stop) waits.
#[derive(Debug)]
pub(crate) struct Shell {
    address: SocketAddr,
    listener: Option<TcpListener>,
    tasks: TaskTracker,
    stopping: CancellationToken,
    _dropped: DropGuard,
}

impl Shell {
    /// A free port of this machine.
    pub(crate) async fn bind() -> io::Result<Self> {
        Self::bind_to(([127, 0, 0, 1], 0).into()).await
    }

    pub(crate) async fn bind_to(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let stopping = CancellationToken::new();
        Ok(Self {
            address: listener.local_addr()?,
            listener: Some(listener),
            tasks: TaskTracker::new(),
            _dropped: stopping.clone().drop_guard(),
            stopping,
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Cancelled when it stops.
    pub(crate) fn stopping(&self) -> CancellationToken {
        self.stopping.clone()
    }

    /// For tasks that make tasks.
    pub(crate) fn tasks(&self) -> TaskTracker {
        self.tasks.clone()
    }

    /// Begins to answer; handlers find their [`Connection`] as connect info.
    pub(crate) fn serve(&mut self, router: Router) {
        let Some(listener) = self.listener.take() else { return };
        let stopping = self.stopping();
        let service = router.into_make_service_with_connect_info::<Connection>();
        self.spawn(async move {
            let until = stopping.cancelled_owned();
            // It ends only by being told to: accepting retries by itself.
            let _ = axum::serve(Breakable(listener), service).with_graceful_shutdown(until).await;
        });
    }

    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Tells every task to stop and waits for them; false if some connection would not end in time.
    pub(crate) async fn stop(self) -> bool {
        self.stopping.cancel();
        self.tasks.close();
        timeout(GRACE, self.tasks.wait()).await.is_ok()
    }
}

/// A handler's grip on the connection that its request came by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connection {
    cut: Arc<AtomicBool>,
}

impl Connection {
    /// Breaks it: nothing more is written, not even the answer of this handler.
    pub(crate) fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
    }

    fn check(&self, stream: &TcpStream) -> io::Result<()> {
        if self.cut.load(Ordering::SeqCst) {
            // The other side gets a reset, as from a machine that died, not a polite end.
            let _ = stream.set_zero_linger();
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

impl Connected<IncomingStream<'_, Breakable>> for Connection {
    fn connect_info(stream: IncomingStream<'_, Breakable>) -> Self {
        stream.io().connection.clone()
    }
}

struct Breakable(TcpListener);

impl Listener for Breakable {
    type Io = Stream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Stream, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        let _ = stream.set_nodelay(true);
        (Stream { stream, connection: Connection::default() }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

struct Stream {
    stream: TcpStream,
    connection: Connection,
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.connection.check(&self.stream)?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.connection.check(&self.stream)?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

//! One websocket connection: frames out, frames in. Waiting for it may be cancelled at any moment
//! without losing a frame.

use std::{
    collections::VecDeque,
    future::poll_fn,
    task::{Context, Poll},
};

use baton_shared::protocol::{ClientFrame, FRAME_LIMIT, ServerFrame};
use futures::{Sink, Stream};
use http::header::{AUTHORIZATION, HeaderValue};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{self, Bytes, Message, client::IntoClientRequest, protocol::WebSocketConfig},
};

use super::Address;

/// What came in.
#[derive(Debug)]
pub(super) enum Incoming {
    Frame(Box<ServerFrame>),
    /// The answer to a ping; carries what the ping carried.
    Pong(Bytes),
    /// A sign of life, or a frame that could not be read.
    Noise {
        unreadable: bool,
    },
}

/// Why there is no connection, or none any more.
#[derive(Debug, thiserror::Error)]
pub(super) enum Lost {
    #[error("{0}")]
    Broken(String),
    #[error("the server closed the connection")]
    Closed,
    #[error("the server does not know this sign-in")]
    SignedOut,
    #[error("the server has been silent for {0} s")]
    Silent(u64),
    #[error("no connection within {0} s")]
    Slow(u64),
    #[error("something was missed; asking again for everything")]
    Gap,
    #[error("the server is stopping; coming back shortly")]
    Moving,
    #[error("{0}")]
    Problem(String),
}

impl From<tungstenite::Error> for Lost {
    fn from(error: tungstenite::Error) -> Self {
        match error {
            tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed => Self::Closed,
            tungstenite::Error::Http(response) if matches!(response.status().as_u16(), 401 | 403) => Self::SignedOut,
            tungstenite::Error::Http(response) => Self::Broken(format!("the server answered {}", response.status())),
            tungstenite::Error::Io(error) => Self::Broken(error.to_string()),
            other => Self::Broken(other.to_string()),
        }
    }
}

pub(super) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    outgoing: VecDeque<Message>,
    unflushed: bool,
}

impl Socket {
    pub(super) async fn open(address: &Address, token: &str) -> Result<Self, Lost> {
        let mut request = address.inbox().into_client_request()?;
        let bearer = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| Lost::SignedOut)?;
        request.headers_mut().insert(AUTHORIZATION, bearer);
        let (stream, _response) = connect_async_with_config(request, Some(limits()), true).await?;
        Ok(Self { stream, outgoing: VecDeque::new(), unflushed: false })
    }

    /// Queues a frame; [`next`](Self::next) writes it.
    pub(super) fn push(&mut self, frame: &ClientFrame) {
        match serde_json::to_string(frame) {
            Ok(text) => self.outgoing.push_back(Message::text(text)),
            Err(error) => tracing::error!(%error, "a frame could not be written as JSON"),
        }
    }

    pub(super) fn ping(&mut self, payload: Bytes) {
        self.outgoing.push_back(Message::Ping(payload));
    }

    /// Writes what is queued and waits for what comes in.
    pub(super) async fn next(&mut self) -> Result<Incoming, Lost> {
        poll_fn(|context| self.poll(context)).await
    }

    /// Writes what is queued and says goodbye.
    pub(super) async fn close(mut self) -> Result<(), Lost> {
        self.outgoing.push_back(Message::Close(None));
        poll_fn(|context| self.poll_write(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Incoming, Lost>> {
        if let Poll::Ready(Err(lost)) = self.poll_write(context) {
            return Poll::Ready(Err(lost));
        }
        match std::pin::Pin::new(&mut self.stream).poll_next(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(None) => Poll::Ready(Err(Lost::Closed)),
            Poll::Ready(Some(message)) => Poll::Ready(read(message?)),
        }
    }

    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Lost>> {
        let mut stream = std::pin::Pin::new(&mut self.stream);
        while !self.outgoing.is_empty() {
            std::task::ready!(stream.as_mut().poll_ready(context))?;
            if let Some(message) = self.outgoing.pop_front() {
                stream.as_mut().start_send(message)?;
                self.unflushed = true;
            }
        }
        if self.unflushed {
            std::task::ready!(stream.as_mut().poll_flush(context))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }
}

/// Small buffers: a benchmark holds two hundred of these.
fn limits() -> WebSocketConfig {
    WebSocketConfig::default()
        .max_message_size(Some(FRAME_LIMIT))
        .max_frame_size(Some(FRAME_LIMIT))
        .read_buffer_size(16 * 1024)
        .write_buffer_size(0)
}

fn read(message: Message) -> Result<Incoming, Lost> {
    match message {
        Message::Text(text) => Ok(parse(text.as_str())),
        Message::Pong(payload) => Ok(Incoming::Pong(payload)),
        Message::Binary(_) => Ok(Incoming::Noise { unreadable: true }),
        Message::Ping(_) | Message::Frame(_) => Ok(Incoming::Noise { unreadable: false }),
        Message::Close(_) => Err(Lost::Closed),
    }
}

fn parse(text: &str) -> Incoming {
    match serde_json::from_str(text) {
        Ok(frame) => Incoming::Frame(Box::new(frame)),
        Err(error) => {
            // serde's sentence may quote the text; its place does not.
            tracing::warn!(line = error.line(), column = error.column(), "a frame could not be read");
            Incoming::Noise { unreadable: true }
        }
    }
}

//! The socket of one client: frames out within a time, frames in within a size.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use baton_shared::protocol::{ClientFrame, ProblemCode, ServerFrame};
use bytes::Bytes;
use tokio::time::{sleep, timeout};

use super::super::batch::to_json;

/// The largest frame of a client's: a draft is the longest thing it says.
pub(super) const CLIENT_FRAME_LIMIT: usize = 256 * 1024;

/// Frames are written when they are whole; more than this waiting for the network is an error.
pub(super) const WRITE_BUFFER_LIMIT: usize = 16 * 1024 * 1024;

#[derive(Debug)]
pub(super) struct Wire {
    socket: WebSocket,
    patience: Duration,
    /// Nothing can be read any more.
    deaf: bool,
}

/// How long a client may take for its goodbye, and how long one that cannot be heard gets to read ours.
const GOODBYE: Duration = Duration::from_secs(1);
const LINGER: Duration = Duration::from_millis(250);

/// What came in.
#[derive(Debug)]
pub(super) enum Heard {
    Frame(Box<ClientFrame>),
    /// A sign of life.
    Alive,
    Unreadable,
}

/// Why a connection ends.
#[derive(Debug, thiserror::Error)]
pub(super) enum End {
    #[error("the client left")]
    Left,
    #[error("the connection broke")]
    Broken(#[source] axum::Error),
    #[error("the client did not take a frame in time")]
    Slow,
    #[error("the client gave no sign of life")]
    Silent,
    #[error("{1}")]
    Problem(ProblemCode, String),
    #[error("the store")]
    Store(#[from] crate::store::StoreError),
    #[error("the server is stopping")]
    Stopping,
}

impl End {
    /// Nobody chose to leave: the client is back in a moment, and counts as here until its presence
    /// ends by itself. Else a restart would count everybody as lost.
    pub(super) const fn may_come_back(&self) -> bool {
        match self {
            Self::Broken(_) | Self::Slow | Self::Store(_) | Self::Stopping => true,
            Self::Left | Self::Silent | Self::Problem(..) => false,
        }
    }
}

/// WebSocket close codes (RFC 6455, 7.4.1).
const GOING_AWAY: u16 = 1001;
const POLICY: u16 = 1008;
const TRY_AGAIN: u16 = 1013;

impl Wire {
    pub(super) const fn new(socket: WebSocket, patience: Duration) -> Self {
        Self { socket, patience, deaf: false }
    }

    pub(super) async fn say(&mut self, frame: &ServerFrame) -> Result<(), End> {
        self.write(to_json(frame).into()).await
    }

    pub(super) async fn write(&mut self, text: Utf8Bytes) -> Result<(), End> {
        self.send(Message::Text(text)).await
    }

    pub(super) async fn ping(&mut self) -> Result<(), End> {
        self.send(Message::Ping(Bytes::new())).await
    }

    async fn send(&mut self, message: Message) -> Result<(), End> {
        match timeout(self.patience, self.socket.send(message)).await {
            Ok(sent) => sent.map_err(End::Broken),
            Err(_) => Err(End::Slow),
        }
    }

    /// What comes next; may be dropped at any moment without losing anything.
    pub(super) async fn heard(&mut self) -> Result<Heard, End> {
        match self.socket.recv().await {
            None | Some(Ok(Message::Close(_))) => Err(End::Left),
            Some(Err(error)) => {
                self.deaf = true;
                Err(unreadable(error))
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(Heard::Alive),
            Some(Ok(Message::Binary(_))) => Ok(Heard::Unreadable),
            Some(Ok(Message::Text(text))) => {
                Ok(serde_json::from_str(&text).map_or(Heard::Unreadable, |frame| Heard::Frame(Box::new(frame))))
            }
        }
    }

    /// Says why, as far as the client still listens, and closes.
    pub(super) async fn end(mut self, end: &End, wait_ms: i64) {
        let (frame, code) = match end {
            End::Left | End::Broken(_) | End::Slow => return,
            End::Silent => (None, POLICY),
            End::Problem(code, why) => (Some(fatal(*code, why.clone())), POLICY),
            End::Store(_) => {
                let why = "The server cannot reach its store; come back in a moment.";
                (Some(fatal(ProblemCode::Unavailable, why.into())), TRY_AGAIN)
            }
            End::Stopping => (Some(ServerFrame::Moving { wait_ms }), GOING_AWAY),
        };
        if let Some(frame) = frame
            && self.say(&frame).await.is_err()
        {
            return;
        }
        let close = CloseFrame { code, reason: Utf8Bytes::from_static("") };
        if self.send(Message::Close(Some(close))).await.is_err() {
            return;
        }
        // What was said last would be lost if the connection broke off here.
        if self.deaf {
            sleep(LINGER).await;
        } else {
            // Err: it takes its time.
            let _ = timeout(GOODBYE, async { while self.heard().await.is_ok() {} }).await;
        }
    }
}

const fn fatal(code: ProblemCode, why: String) -> ServerFrame {
    ServerFrame::Problem { code, why, fatal: true }
}

/// Whether it was too large or no websocket at all, nothing that follows can be read.
fn unreadable(error: axum::Error) -> End {
    let too_large = error.to_string().contains("too l");
    if too_large {
        let why = format!("A frame must not be larger than {} KiB.", CLIENT_FRAME_LIMIT / 1024);
        return End::Problem(ProblemCode::Unreadable, why);
    }
    End::Broken(error)
}

//! Reads the keyboard, unless another program does.

use std::io;

use crossterm::event::{Event, EventStream};
use futures::StreamExt;
use tokio::{sync::mpsc, task::JoinSet};

/// More keys than anybody types between two frames.
const WAITING_MAX: usize = 1024;

/// What comes from the terminal, read by a task of its own: polling crossterm's stream now and then
/// would lose its wake-ups.
#[derive(Debug)]
pub(super) struct Keyboard {
    events: mpsc::Receiver<io::Result<Event>>,
    // Dropped, it ends the task, and with it the reading.
    _task: JoinSet<()>,
}

impl Keyboard {
    pub(super) fn new() -> Self {
        let (sender, events) = mpsc::channel(WAITING_MAX);
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut stream = EventStream::new();
            while let Some(event) = stream.next().await {
                if sender.send(event).await.is_err() {
                    return;
                }
            }
        });
        Self { events, _task: task }
    }

    /// All that is there, at least one event. May be cancelled without losing any.
    pub(super) async fn next(&mut self) -> io::Result<Vec<Event>> {
        let mut events = Vec::new();
        match self.events.recv_many(&mut events, WAITING_MAX).await {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => events.into_iter().collect(),
        }
    }
}

//! A thread that writes, so that a slow disk never stops the screen.

use std::{
    sync::mpsc::{Receiver, Sender, channel},
    thread::JoinHandle,
};

use super::{Files, Write};
use crate::event::Kept;

/// Writes in the order in which it was asked.
#[derive(Debug)]
pub struct Writer {
    queue: Option<Sender<Write>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// `report` is told of every write; it is called from the writer's own thread.
    pub fn start(files: Files, report: impl FnMut(Kept) + Send + 'static) -> std::io::Result<Self> {
        let (queue, writes) = channel();
        let thread =
            std::thread::Builder::new().name("baton-writer".into()).spawn(move || work(&files, &writes, report))?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    pub fn write(&self, write: Write) {
        if let Some(queue) = &self.queue
            && queue.send(write).is_err()
        {
            tracing::error!("the thread that writes has ended");
        }
    }
}

impl Drop for Writer {
    /// Waits until everything is on disk.
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that writes has failed");
        }
    }
}

fn work(files: &Files, writes: &Receiver<Write>, mut report: impl FnMut(Kept)) {
    while let Ok(write) = writes.recv() {
        match files.apply(&write) {
            Ok(()) => match &write {
                Write::Command(unanswered) => report(Kept::Command(unanswered.command.id)),
                Write::Desk { conversation, slot, .. } => {
                    report(Kept::Draft { conversation: *conversation, slot: *slot });
                }
                Write::ForgetCommand(_) | Write::Settings(_) => {}
            },
            Err(error) => report(Kept::Failed { what: Box::new(write), why: error.to_string() }),
        }
    }
}

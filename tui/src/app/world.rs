//! Terminal, disk and line, as effects see them.

use std::{
    io::{self, Stdout},
    time::Duration,
};

use crossterm::event::Event as Input;
use tokio::sync::mpsc;

use super::{Options, own_editor::OwnEditor, porter::Porter};
use crate::{
    event::{Cause, Effect, Kept},
    local::{Write, Writer},
    net::Request,
    term::{
        Guard, Screen, Signal, Stray, clipboard,
        notify::{Coalesce, Notice},
        probe::{Answers, Environment},
    },
    text::Clean,
};

/// What an effect means for the loop.
pub(super) enum Next {
    GoOn,
    /// Another program has the terminal.
    Editing,
    Done,
}

pub(super) struct World {
    pub(super) screen: Screen<Stdout>,
    /// `None` while another program has the terminal.
    guard: Option<Guard>,
    environment: Environment,
    requests: mpsc::UnboundedSender<Request>,
    kept: mpsc::UnboundedSender<Kept>,
    notices: Coalesce,
    /// Answers of the terminal that come late look like keys.
    stray: Option<Stray>,
    editor: String,
    editing: Option<OwnEditor>,
    porter: Porter,
}

impl World {
    pub(super) fn new(
        guard: Guard,
        environment: Environment,
        options: &Options,
        answers: &Answers,
        requests: mpsc::UnboundedSender<Request>,
        kept: mpsc::UnboundedSender<Kept>,
        porter: Porter,
    ) -> io::Result<Self> {
        let asked_in_vain = environment.may_ask && !answers.complete;
        Ok(Self {
            screen: Screen::new(io::stdout())?,
            guard: Some(guard),
            environment,
            requests,
            kept,
            notices: Coalesce::default(),
            stray: asked_in_vain.then(|| Stray::new(options.clock.monotonic())),
            editor: options.editor.clone(),
            editing: None,
            porter,
        })
    }

    pub(super) fn size(&self) -> (u16, u16) {
        self.screen.size().map_or((80, 24), |size| (size.width, size.height))
    }

    /// What came from the keyboard, unless it was no key.
    pub(super) fn understood(&mut self, input: Input, at: Duration) -> Option<Cause> {
        match input {
            Input::Key(key) if self.stray.as_mut().is_some_and(|stray| stray.swallows(&key, at)) => None,
            Input::Key(key) => Some(Cause::Key(key)),
            Input::Paste(text) => Some(Cause::Paste(text)),
            Input::Resize(columns, rows) => Some(Cause::Resize { columns, rows }),
            Input::FocusGained => Some(Cause::Focus(true)),
            Input::FocusLost => Some(Cause::Focus(false)),
            Input::Mouse(_) => None,
        }
    }

    pub(super) fn signalled(&mut self, signal: Signal) -> io::Result<Option<Cause>> {
        match (signal, &self.guard) {
            (Signal::Suspend, Some(guard)) => guard.suspend()?,
            (Signal::Continue, Some(guard)) => guard.resume()?,
            // Whoever has the terminal deals with it.
            (Signal::Suspend | Signal::Continue, None) => return Ok(None),
            (Signal::Terminate | Signal::Hangup, _) => return Ok(super::meaning(signal)),
        }
        self.screen.redraw()?;
        Ok(Some(Cause::Tick))
    }

    pub(super) fn perform(&mut self, effect: Effect, writer: Option<&Writer>, at: Duration) -> io::Result<Next> {
        match effect {
            Effect::Net(request) => {
                // The line has stopped for good; the screen says so.
                let _stopped = self.requests.send(request);
            }
            Effect::Keep(write) => match writer {
                Some(writer) => writer.write(write),
                None => self.pretend_to_keep(&write),
            },
            Effect::Copy(text) => self.copy(&text)?,
            Effect::File(ask) => self.porter.carry(ask),
            Effect::Notify(text) => {
                let notice = Notice { title: Clean::from_static("baton"), body: text };
                if let Some(notice) = self.notices.push(notice, at) {
                    self.screen.emit(&notice.escape(self.environment.channel, self.environment.in_tmux))?;
                }
            }
            Effect::Edit { conversation, slot, text } => {
                // The terminal is given back first: the other program wants it.
                self.guard = None;
                match OwnEditor::start(&self.editor, conversation, slot, &text) {
                    Ok(editing) => {
                        self.editing = Some(editing);
                        return Ok(Next::Editing);
                    }
                    Err(error) => {
                        tracing::warn!(%error, "the editor could not be started");
                        self.take_terminal()?;
                        // As if it had been closed with nothing in it.
                        self.editing = Some(OwnEditor::failed(conversation, slot));
                        return Ok(Next::Editing);
                    }
                }
            }
            Effect::Redraw => self.screen.redraw()?,
            Effect::Suspend => {
                if let Some(guard) = &self.guard {
                    guard.suspend()?;
                    self.screen.redraw()?;
                }
            }
            Effect::Quit => return Ok(Next::Done),
        }
        Ok(Next::GoOn)
    }

    /// Notices that were held back to be told together.
    pub(super) fn notify_due(&mut self, at: Duration) -> io::Result<()> {
        match self.notices.due(at) {
            Some(notice) => self.screen.emit(&notice.escape(self.environment.channel, self.environment.in_tmux)),
            None => Ok(()),
        }
    }

    /// Waits until the person's own editor is closed.
    pub(super) async fn edited(&mut self) -> Cause {
        let Some(editing) = &mut self.editing else { return std::future::pending().await };
        let cause = editing.wait().await;
        self.editing = None;
        if let Err(error) = self.take_terminal() {
            tracing::error!(%error, "the terminal could not be taken again");
            return Cause::Stop;
        }
        cause
    }

    fn take_terminal(&mut self) -> io::Result<()> {
        if self.guard.is_none() {
            self.guard = Some(Guard::enter(&self.environment).map_err(io::Error::other)?);
        }
        self.screen.redraw()
    }

    /// Nothing is kept on this disk, so nothing has to be waited for.
    fn pretend_to_keep(&self, write: &Write) {
        let kept = match write {
            Write::Command(unanswered) => Kept::Command(unanswered.command.id),
            Write::Desk { conversation, slot, .. } => Kept::Draft { conversation: *conversation, slot: *slot },
            Write::ForgetCommand(_) | Write::Settings(_) => return,
        };
        // The receiver lives as long as the loop that calls this.
        let _closed = self.kept.send(kept);
    }

    fn copy(&mut self, text: &Clean) -> io::Result<()> {
        match clipboard::copy(text, self.environment.in_tmux) {
            Ok(escape) => self.screen.emit(&escape),
            Err(error) => {
                tracing::warn!(%error, "not copied");
                Ok(())
            }
        }
    }
}

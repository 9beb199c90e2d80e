//! Sentences that come and go at the foot of the screen.

use std::time::Duration;

use baton_shared::{ConversationId, Micros};

use crate::text::Clean;

/// What kind of sentence it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Something was done.
    Done,
    /// Something to know.
    Info,
    /// Something cannot be done, or needs care.
    Warn,
    /// Something went wrong.
    Bad,
}

/// A sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toast {
    pub tone: Tone,
    pub text: Clean,
    pub until: Micros,
    /// It is true of this conversation only while nobody changes it.
    about: Option<ConversationId>,
}

/// The sentence that shows; a newer one takes its place, a good one never that of a bad one that
/// has not been read.
#[derive(Clone, Debug, Default)]
pub struct Toasts {
    current: Option<Toast>,
}

impl Toasts {
    pub fn say(&mut self, tone: Tone, text: Clean, now: Micros) {
        let unread_bad = self.current.as_ref().is_some_and(|toast| toast.tone == Tone::Bad && now < toast.until);
        if unread_bad && matches!(tone, Tone::Done | Tone::Info) {
            return;
        }
        let shown_for = if tone == Tone::Bad { Duration::from_secs(12) } else { Duration::from_secs(6) };
        self.current = Some(Toast { tone, text, until: now.plus(shown_for), about: None });
    }

    /// One goes on to something else: what was said of the last thing is old, unless it is bad.
    pub fn pass(&mut self) {
        self.current.take_if(|toast| matches!(toast.tone, Tone::Done | Tone::Info));
    }

    /// What was said last is about this conversation.
    pub fn about(&mut self, conversation: ConversationId) {
        if let Some(toast) = &mut self.current {
            toast.about = Some(conversation);
        }
    }

    /// Somebody else has this conversation now: what was said of it is old.
    pub fn outdated(&mut self, conversation: ConversationId) {
        self.current.take_if(|toast| toast.about == Some(conversation));
    }

    pub fn current(&self) -> Option<&Toast> {
        self.current.as_ref()
    }

    pub fn expire(&mut self, now: Micros) {
        self.current.take_if(|toast| toast.until <= now);
    }

    pub fn wake_at(&self) -> Option<Micros> {
        self.current.as_ref().map(|toast| toast.until)
    }
}

//! My acts that the server has not answered yet, or whose effect is not on screen yet.

use baton_shared::{
    AgentId, CommandId, ConversationId, MessageId, Micros,
    message::{Author, Place},
    protocol::{Act, Command},
};

use super::known::Said;
use crate::{net::Unanswered, text::Clean};

/// How far an act has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// On its way to disk.
    Keeping,
    /// With the line, which sends it until it is answered.
    Given,
    /// Done; its message is not in the thread yet.
    Done(MessageId),
}

/// One act.
#[derive(Clone, Debug)]
pub struct Pending {
    pub command: Command,
    pub made_at: Micros,
    pub stage: Stage,
    /// What it says, for the thread.
    pub words: Option<Clean>,
    /// The conversation that its own has gone into since.
    pub shown_in: Option<ConversationId>,
}

/// All of them, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Commands {
    pending: Vec<Pending>,
}

impl Commands {
    pub fn put(&mut self, command: Command, made_at: Micros, stage: Stage) {
        let words = words(&command.act).map(|text| Clean::from_untrusted(&text));
        self.pending.push(Pending { command, made_at, stage, words, shown_in: None });
    }

    /// The command is on disk and may go out; `None` if it went out before.
    pub fn kept(&mut self, id: CommandId) -> Option<Command> {
        let pending = self.pending.iter_mut().find(|pending| pending.command.id == id)?;
        if pending.stage != Stage::Keeping {
            return None;
        }
        pending.stage = Stage::Given;
        Some(pending.command.clone())
    }

    /// It was answered with `message`, or it has no message to wait for.
    pub fn answered(&mut self, id: CommandId, message: Option<MessageId>) {
        for pending in self.pending.iter_mut().filter(|pending| pending.command.id == id) {
            if let Some(message) = message {
                pending.stage = Stage::Done(message);
            }
        }
        self.pending.retain(|pending| pending.command.id != id || matches!(pending.stage, Stage::Done(_)));
    }

    /// The message is in the thread.
    pub fn shown(&mut self, message: MessageId) {
        self.pending.retain(|pending| pending.stage != Stage::Done(message));
    }

    /// What I said in `conversation` that its thread does not show yet.
    pub fn of(&self, conversation: ConversationId) -> impl Iterator<Item = &Pending> {
        self.pending.iter().filter(move |pending| pending.conversation() == conversation)
    }

    /// The same as messages for the thread, under ids of their own.
    pub fn said(&self, conversation: ConversationId, me: Option<AgentId>) -> Vec<Said> {
        self.of(conversation).filter_map(|pending| pending.said(me)).collect()
    }

    /// What was said in the one stands in the other.
    pub fn follow(&mut self, gone: ConversationId, into: ConversationId) {
        let moved = self.pending.iter_mut().filter(|pending| pending.command.conversation == gone);
        moved.for_each(|pending| pending.shown_in = Some(into));
    }

    pub fn messages(&self) -> impl Iterator<Item = (ConversationId, MessageId)> {
        self.pending.iter().filter_map(|pending| match pending.stage {
            Stage::Done(message) => Some((pending.conversation(), message)),
            Stage::Keeping | Stage::Given => None,
        })
    }

    /// Whether an act of this kind still waits for its answer.
    pub fn is_pending(&self, conversation: ConversationId, is_it: impl Fn(&Act) -> bool) -> bool {
        self.of(conversation).any(|pending| !matches!(pending.stage, Stage::Done(_)) && is_it(&pending.command.act))
    }

    /// Acts without an answer, but for what happens by itself.
    pub fn unsent(&self) -> usize {
        let counts = |pending: &&Pending| {
            !matches!(pending.stage, Stage::Done(_)) && !matches!(pending.command.act, Act::Read { .. })
        };
        self.pending.iter().filter(counts).count()
    }
}

impl Pending {
    fn conversation(&self) -> ConversationId {
        self.shown_in.unwrap_or(self.command.conversation)
    }

    fn said(&self, me: Option<AgentId>) -> Option<Said> {
        let is_note = matches!(self.command.act, Act::Note { .. });
        Some(Said {
            id: MessageId(self.command.id.0),
            version: 0,
            author: if is_note { Author::Note } else { Author::Agent },
            agent: me,
            text: self.words.clone()?,
            other: None,
            marks: vec![],
            quoted: None,
            file: None,
            raw: None,
            place: Place { second: self.made_at.seconds(), arrived_at: self.made_at, index: 0 },
            at: self.made_at,
            late: false,
            delivery: None,
            problem: None,
            sent_again: false,
            pending: true,
        })
    }
}

/// The words of an act that will be a message.
fn words(act: &Act) -> Option<String> {
    match act {
        Act::SendFile { caption, .. } if caption.is_empty() => Some("[file]".into()),
        Act::SendFile { caption, .. } => Some(caption.clone()),
        Act::SendOffer { offer, .. } => Some(offer.text()),
        Act::Send { text, .. }
        | Act::SendParts { text, .. }
        | Act::SendWhenTheyWrite { text, .. }
        | Act::Note { text }
        | Act::UseProposal { text, .. } => Some(text.clone()),
        Act::Take { .. }
        | Act::Assign { .. }
        | Act::Release { .. }
        | Act::HandBack { .. }
        | Act::Resolve { .. }
        | Act::Escalate { .. }
        | Act::Split { .. }
        | Act::Forget {}
        | Act::Thread { .. }
        | Act::Block { .. }
        | Act::Resend { .. }
        | Act::Cancel { .. }
        | Act::React { .. }
        | Act::SendTemplate { .. }
        | Act::Consent { .. }
        | Act::DropProposal { .. }
        | Act::Read { .. } => None,
    }
}

impl From<&Pending> for Unanswered {
    fn from(pending: &Pending) -> Self {
        Self { made_at: pending.made_at, command: pending.command.clone() }
    }
}

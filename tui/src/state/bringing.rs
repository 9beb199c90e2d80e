//! Files on their way to the server: each becomes a message when it is there.

use std::path::PathBuf;

use baton_shared::{
    AgentId, ConversationId, MessageId, Micros, UploadId,
    file::FileKind,
    message::{Author, Place},
    template::Filled,
};

use super::known::Said;
use crate::{text::Clean, words};

/// One file; a conversation has one at a time.
#[derive(Clone, Debug)]
pub struct Bringing {
    pub id: UploadId,
    pub conversation: ConversationId,
    /// As it was typed.
    pub typed: String,
    pub path: PathBuf,
    pub name: Clean,
    pub kind: FileKind,
    pub caption: String,
    /// The template whose header it is, with everything else filled in.
    pub template: Option<Filled>,
    pub reply_to: Option<MessageId>,
    /// In bytes.
    pub sent: u64,
    pub size: u64,
    pub stage: Stage,
    pub began_at: Micros,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Going,
    /// The server is not there; it is tried again by itself.
    Waiting,
    /// The server has it, and the command that sends it is given.
    Given,
    /// The server has it, but its message was not sent: once more needs no second journey.
    Kept,
}

/// Cells of the bar that shows how far it has come.
const BAR: u64 = 20;

impl Bringing {
    /// Whether its bytes are under way.
    pub fn is_going(&self) -> bool {
        matches!(self.stage, Stage::Going | Stage::Waiting)
    }

    pub fn percent(&self) -> u64 {
        (self.sent * 100).checked_div(self.size).unwrap_or(0).min(100)
    }

    /// How far it has come: readable on every terminal.
    pub fn progress(&self) -> String {
        let full = usize::try_from(self.percent() * BAR / 100).unwrap_or(0);
        let rest = usize::try_from(BAR).unwrap_or(0).saturating_sub(full);
        let waits = if self.stage == Stage::Waiting { ", waits for the server" } else { "" };
        if self.size == 0 {
            return format!("{} on the way{waits}", words::bytes(self.sent));
        }
        let size = words::bytes(self.size);
        format!("[{}{}] {} % of {size}{waits}", "#".repeat(full), "-".repeat(rest), self.percent())
    }

    /// As it stands in the thread meanwhile.
    pub fn said(&self, me: Option<AgentId>) -> Said {
        let caption = if self.caption.is_empty() { String::new() } else { format!("\n{}", self.caption) };
        let text = format!("[{} {}]\n{}{caption}", self.kind.word(), self.name, self.progress());
        Said {
            id: MessageId(self.id.0),
            // Another one for whatever looks different.
            version: i64::try_from(self.percent()).unwrap_or(0) * 2 + i64::from(self.stage == Stage::Waiting),
            author: Author::Agent,
            agent: me,
            text: Clean::from_untrusted(&text),
            other: None,
            marks: vec![],
            quoted: None,
            file: None,
            raw: None,
            place: Place { second: self.began_at.seconds(), arrived_at: self.began_at, index: 0 },
            at: self.began_at,
            late: false,
            delivery: None,
            problem: None,
            sent_again: false,
            pending: true,
        }
    }
}

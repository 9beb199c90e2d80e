//! What this client keeps on disk, readable by nobody else: drafts, the stash, commands that nobody
//! answered yet, settings. Every file is replaced as a whole, so a crash leaves the old or the new one.

mod files;
mod writer;

use std::collections::HashMap;

use baton_shared::{CommandId, ConversationId, Micros};
use serde::{Deserialize, Serialize};

pub use files::Files;
pub(crate) use files::{new_private_folder, private_folder, write_private};
pub use writer::Writer;

use crate::net::Unanswered;

/// Which of an agent's texts for a conversation this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Slot {
    Reply,
    Note,
    /// For the bot, on the hand-back sheet.
    HandBack,
    /// What was promised, on the hand-back sheet.
    Promised,
    /// The path of a file that is to be sent.
    File,
    /// The words that go with it.
    Caption,
    /// The lines of something else that is to be sent, as JSON.
    Offer,
}

/// An unsent text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub text: String,
    /// In bytes.
    pub cursor: usize,
    pub typed_at: Micros,
    /// The server's revision that it was typed on top of; 0 for none.
    #[serde(default)]
    pub based_on: i64,
}

/// An agent's unsent texts for one conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Desk {
    #[serde(default)]
    pub texts: HashMap<Slot, Kept>,
    /// Texts put aside, the newest last.
    #[serde(default)]
    pub stash: Vec<String>,
}

impl Desk {
    pub fn is_empty(&self) -> bool {
        self.stash.is_empty() && self.texts.values().all(|kept| kept.text.is_empty())
    }
}

/// How this person likes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The three lines of the first start were put away.
    pub hints_seen: bool,
    pub queue_width: Option<u16>,
    pub hide_context: bool,
}

/// One change on disk.
#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    Desk {
        conversation: ConversationId,
        desk: Desk,
        slot: Slot,
    },
    Command(Unanswered),
    /// It was answered.
    ForgetCommand(CommandId),
    Settings(Settings),
}

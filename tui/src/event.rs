//! Everything that can wake the client, and everything it can want from the outside: two closed
//! enums, so that `update` needs neither clock nor network nor disk.

use std::{path::PathBuf, sync::Arc};

use baton_shared::{
    CommandId, ConversationId, MessageId, Micros, UploadId,
    file::{Facts, FileKind},
    protocol::Uploaded,
};
use crossterm::event::KeyEvent;

use crate::{
    local::{Slot, Write},
    net::{NetEvent, Request},
    picture::Picture,
    text::Clean,
};

/// Something happened, at a moment of this machine's clock.
#[derive(Clone, Debug)]
pub struct Event {
    pub now: Micros,
    pub cause: Cause,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Cause {
    Key(KeyEvent),
    /// The terminal says that this was pasted.
    Paste(String),
    Resize {
        columns: u16,
        rows: u16,
    },
    /// The terminal's window came to the front, or left it.
    Focus(bool),
    Net(NetEvent),
    /// Time passed; see [`State::wake_at`](crate::state::State::wake_at).
    Tick,
    Kept(Kept),
    File(FileNews),
    /// The person's own editor was closed; `None` if nothing could be read back.
    Edited {
        conversation: ConversationId,
        slot: Slot,
        text: Option<String>,
    },
    /// The process was asked to end.
    Stop,
}

/// What became of a write to disk.
#[derive(Clone, Debug, PartialEq)]
pub enum Kept {
    /// The command is on disk, so it may go out.
    Command(CommandId),
    Draft {
        conversation: ConversationId,
        slot: Slot,
    },
    Failed {
        what: Box<Write>,
        why: String,
    },
}

/// What a person wants with the file of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileAsk {
    /// A small picture of the one that it is.
    Preview {
        message: MessageId,
    },
    Open {
        message: MessageId,
    },
    Save {
        message: MessageId,
        path: PathBuf,
        /// A file that is there may be overwritten.
        replace: bool,
    },
    /// How a path goes on.
    Complete {
        conversation: ConversationId,
        typed: String,
    },
    /// What lies at the end of a path.
    Look {
        conversation: ConversationId,
        typed: String,
    },
    /// Bring a file to the server, as often as it takes.
    Bring {
        id: UploadId,
        conversation: ConversationId,
        path: PathBuf,
        kind: FileKind,
    },
    /// Do not bring it any further.
    Stop {
        id: UploadId,
    },
}

/// A file of this disk that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// The path as it was typed.
    pub typed: String,
    pub path: PathBuf,
    pub name: String,
    pub facts: Facts,
}

/// What became of that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileNews {
    Previewed {
        message: MessageId,
        picture: Result<Arc<Picture>, String>,
    },
    /// Another program has it.
    Opened,
    /// There is no program to open it here: this address does, for five minutes.
    Link(String),
    Saved {
        path: PathBuf,
        size: u64,
    },
    /// Nothing was written: a file of that name is there.
    Exists {
        message: MessageId,
        path: PathBuf,
    },
    Completed {
        conversation: ConversationId,
        typed: String,
        text: String,
        choices: Vec<String>,
    },
    Looked {
        conversation: ConversationId,
        found: Result<Looked, String>,
    },
    /// So many bytes are with the server; it `waits` while that is not there.
    Moved {
        id: UploadId,
        sent: u64,
        waits: bool,
    },
    Brought(Uploaded),
    NotBrought {
        id: UploadId,
        why: String,
    },
    Failed(String),
}

/// What the world should do.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    Net(Request),
    Keep(Write),
    Copy(Clean),
    File(FileAsk),
    /// Open the person's own editor on this text.
    Edit {
        conversation: ConversationId,
        slot: Slot,
        text: String,
    },
    /// Tell a person who looks elsewhere.
    Notify(Clean),
    /// Paint everything anew.
    Redraw,
    Suspend,
    Quit,
}

pub type Effects = Vec<Effect>;

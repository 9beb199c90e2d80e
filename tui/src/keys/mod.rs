//! The one table of what a person can do: names, keys, where they work, and why they do not just
//! now. Hint bar, help, menu and palette are made from it.

mod checks;
mod chord;
mod keymap;
mod table;

pub use chord::{Chord, NoKey, Sequence};
pub use keymap::{Found, Keymap, KeymapError};
pub use table::TABLE;

use crate::state::{Mode, Pane, State};

/// Something a person can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    Down,
    Up,
    HalfDown,
    HalfUp,
    Top,
    Bottom,
    Open,
    NextPane,
    PreviousPane,
    QueuePane,
    ChatPane,
    ContextPane,
    Zoom,
    Urgent,
    Back,
    Fold,
    Unfold,
    Filter,
    Reply,
    Note,
    Leave,
    Send,
    Newline,
    Stash,
    Undo,
    Redo,
    OwnEditor,
    Take,
    HandBack,
    Resolve,
    Release,
    Escalate,
    Split,
    Forget,
    Board,
    PassThread,
    ReleaseThread,
    Block,
    Assign,
    Approve,
    EditProposal,
    Discard,
    NextProposal,
    Copy,
    CopyThread,
    Raw,
    ReplyTo,
    Later,
    Attach,
    Offer,
    Template,
    Consent,
    React,
    Quoted,
    Preview,
    OpenFile,
    SaveFile,
    Resend,
    Cancel,
    Palette,
    Help,
    ToggleContext,
    Wider,
    Narrower,
    Redraw,
    Quit,
}

/// Where a key means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    Queue,
    Chat,
    Card,
    Compose,
}

/// What actions have in common, for help and menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    Control,
    Reply,
    Proposal,
    Message,
    Move,
    View,
}

/// Why an action cannot be done just now: a sentence for the person who tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why(pub String);

/// A line of the table.
pub struct Spec {
    pub action: Action,
    /// The name in `config.toml` and in the palette.
    pub id: &'static str,
    pub keys: &'static [&'static str],
    pub contexts: &'static [Context],
    pub label: &'static str,
    pub group: Group,
    /// The place in the hint bar, from 1; 0 for none.
    pub hint: u8,
    pub enabled: fn(&State) -> Result<(), Why>,
}

impl Action {
    pub fn spec(self) -> &'static Spec {
        // The table is complete: a test says so.
        TABLE.iter().find(|spec| spec.action == self).unwrap_or(&TABLE[0])
    }

    pub fn enabled(self, state: &State) -> Result<(), Why> {
        (self.spec().enabled)(state)
    }
}

impl Context {
    pub const ALL: [Self; 4] = [Self::Queue, Self::Chat, Self::Card, Self::Compose];

    /// Where the keys go now.
    pub const fn of(state: &State) -> Self {
        match (state.mode, state.focus) {
            (Mode::Compose, _) => Self::Compose,
            (Mode::Normal | Mode::Filter, Pane::Queue) => Self::Queue,
            (Mode::Normal | Mode::Filter, Pane::Chat) => Self::Chat,
            (Mode::Normal | Mode::Filter, Pane::Context) => Self::Card,
        }
    }
}

impl Group {
    pub const ALL: [Self; 6] = [Self::Control, Self::Reply, Self::Proposal, Self::Message, Self::Move, Self::View];

    pub const fn title(self) -> &'static str {
        match self {
            Self::Control => "Who has it",
            Self::Reply => "Writing",
            Self::Proposal => "The bot's proposals",
            Self::Message => "Messages",
            Self::Move => "Moving",
            Self::View => "Screen",
        }
    }
}

/// Keys of the editor; fixed, as everywhere else.
pub const EDITING: [(&str, &str); 9] = [
    ("Alt+Left Alt+Right", "word by word"),
    ("Home End ^a ^e", "start and end of the line"),
    ("^Home ^End", "start and end of the text"),
    ("Shift+arrows", "select"),
    ("^w Alt+Bksp", "cut the word before"),
    ("^u", "cut to the start of the line"),
    ("^k", "cut to the end of the line"),
    ("^v", "put back what was cut"),
    ("PgUp PgDn", "scroll the thread while writing"),
];

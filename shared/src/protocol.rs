//! The frames of the websocket: JSON text, one frame a message. `docs/protocol.md` describes them
//! for whoever writes another client.
//!
//! A client says [`ClientFrame::Hello`] first and gets [`ServerFrame::Welcome`], then either
//! [`ServerFrame::Snapshot`] or, if its cursor is still good, the events that it missed.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    clock::{Micros, Millis},
    control::{Control, Epoch},
    costs::Costs,
    file::FileKind,
    ids::{AgentId, CommandId, ConversationId, HandoffId, MessageId, ProposalId, UploadId},
    message::{Author, Delivery, Message, Place},
    offer::Offer,
    role::Role,
    template::{Filled, Template},
    window::Window,
};

/// The version of these frames that this build speaks.
pub const PROTOCOL: u32 = 1;

/// The oldest version that a server of this build still speaks.
pub const OLDEST_PROTOCOL: u32 = 1;

/// The largest frame that either end accepts, in bytes.
pub const FRAME_LIMIT: usize = 4 * 1024 * 1024;

/// The longest text of one WhatsApp message, in characters (Meta: text messages, `body`).
pub const TEXT_LIMIT: usize = 4096;

/// So many messages may one text become.
pub const PARTS_LIMIT: u32 = 10;

/// How often a client says that it is here, and how often `through` moves at least.
pub const HEARTBEAT: std::time::Duration = std::time::Duration::from_secs(5);

/// A presence that was not renewed for this long is gone.
pub const PRESENCE_ENDS: std::time::Duration = std::time::Duration::from_secs(15);

/// A place in the stream of events; opaque to clients.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub String);

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a client says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientFrame {
    /// The first frame. `resume` is the `through` of the last frame that was applied.
    Hello {
        protocol: u32,
        build: String,
        #[serde(default)]
        resume: Option<Cursor>,
        /// Conversations that are open on screen; they follow as [`ServerFrame::Thread`].
        #[serde(default)]
        open: Vec<ConversationId>,
    },
    /// Follow a conversation's messages; answered by [`ServerFrame::Thread`].
    Open { conversation: ConversationId },
    /// Follow them no longer.
    Close { conversation: ConversationId },
    /// A page of older messages; answered by [`ServerFrame::History`].
    History { conversation: ConversationId, before: Place },
    /// The templates that this conversation's number may send; answered by [`ServerFrame::Templates`].
    Templates { conversation: ConversationId },
    /// How the numbers stand; answered by [`ServerFrame::Board`], for supervisors and admins.
    Board,
    /// An act; answered by [`ServerFrame::Answer`] with the same id, however often it is sent.
    Command(Command),
    /// Unsent text. `based_on` is the revision that it was typed on top of, 0 for none.
    Draft { conversation: ConversationId, text: String, based_on: i64 },
    /// I am here, and what I do: every 5 s and at every change.
    Here(Doing),
}

/// What somebody does now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Doing {
    pub viewing: Option<ConversationId>,
    pub typing: bool,
    /// What is typed is for the customer, who may see that somebody types. A note is not.
    pub to_customer: bool,
}

/// An act with an id made by the client, so that sending it twice does it once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Command {
    pub id: CommandId,
    pub conversation: ConversationId,
    #[serde(flatten)]
    pub act: Act,
}

/// What an agent may do to a conversation. `epoch` is the one on screen when the key was pressed;
/// an older one than the conversation's is refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum Act {
    /// Mine from now on.
    Take { epoch: Epoch },
    /// Give it to `to`: a transfer by its owner, an assignment or a steal by a supervisor, who says why.
    Assign { epoch: Epoch, to: AgentId, reason: String },
    /// Back to the queue, with its age.
    Release { epoch: Epoch },
    /// Back to the bot, which reads `note` and `promised`.
    HandBack { epoch: Epoch, outcome: String, note: String, promised: String },
    /// Done, until the customer writes again.
    Resolve { epoch: Epoch, outcome: String },
    /// Ask Meta for the thread, or give it to the business's other app. Whoever `take`s it owns it once Meta agrees.
    Thread { epoch: Epoch, action: ThreadAction },
    /// Ask Meta to block the customer, or to end that.
    Block { epoch: Epoch, blocked: bool },
    /// These are two customers after all: what was merged last goes back to where it came from.
    Split { epoch: Epoch },
    /// Let the bot forget what it remembers of the customer: the card's `facts`, and what it has summed up.
    Forget {},
    /// Ask for a person while the bot owns it.
    Escalate { epoch: Epoch, reason: String },
    /// Say something to the customer. `seen` is the newest customer message on the author's screen;
    /// `reply_to` a message that it shows above itself.
    Send {
        epoch: Epoch,
        text: String,
        seen: Option<MessageId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply_to: Option<MessageId>,
    },
    /// Say something once the customer has written: the window is closed now. If its author does not
    /// have the conversation then, it becomes their draft.
    SendWhenTheyWrite { epoch: Epoch, text: String },
    /// Send a text that is too long for one message as `parts` messages, which its author has agreed to.
    SendParts {
        epoch: Epoch,
        text: String,
        parts: u32,
        seen: Option<MessageId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply_to: Option<MessageId>,
    },
    /// Send a file that was uploaded before, with a caption where its kind has one.
    SendFile {
        epoch: Epoch,
        file: UploadId,
        #[serde(default)]
        caption: String,
        seen: Option<MessageId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply_to: Option<MessageId>,
    },
    /// Send choices, a link, a question, a form, a place or cards.
    SendOffer {
        epoch: Epoch,
        offer: Offer,
        seen: Option<MessageId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply_to: Option<MessageId>,
    },
    /// Put an emoji on a message; an empty one takes it away.
    React { epoch: Epoch, message: MessageId, emoji: String },
    /// Send an approved template, which may go into a closed window.
    SendTemplate { epoch: Epoch, template: Filled, seen: Option<MessageId> },
    /// Record whether the customer wants marketing, with how they said it.
    Consent { granted: bool, proof: String },
    /// Say something to colleagues only.
    Note { text: String },
    /// Send again what failed or may not have arrived; the second only after a warning.
    Resend { epoch: Epoch, message: MessageId },
    /// Do not send what is queued or held.
    Cancel { message: MessageId },
    /// Send a bot's proposal as `text` (unchanged or edited).
    UseProposal { epoch: Epoch, proposal: ProposalId, text: String, seen: Option<MessageId> },
    /// Put a proposal away.
    DropProposal { proposal: ProposalId },
    /// I have read what there is.
    Read { through: MessageId },
}

/// What to ask Meta about a thread that several apps of the business share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThreadAction {
    /// The other app shall have it.
    Pass,
    /// I want it.
    Take,
    /// Nobody shall have it until the customer writes.
    Release,
}

impl Act {
    /// The word used in the audit trail.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Take { .. } => "take",
            Self::Assign { .. } => "assign",
            Self::Release { .. } => "release",
            Self::HandBack { .. } => "hand_back",
            Self::Resolve { .. } => "resolve",
            Self::Split { .. } => "split",
            Self::Forget {} => "forget",
            Self::Thread { .. } => "thread",
            Self::Block { .. } => "block",
            Self::Escalate { .. } => "escalate",
            Self::Send { .. } => "send",
            Self::SendWhenTheyWrite { .. } => "send_when_they_write",
            Self::SendParts { .. } => "send_parts",
            Self::SendFile { .. } => "send_file",
            Self::SendOffer { .. } => "send_offer",
            Self::React { .. } => "react",
            Self::SendTemplate { .. } => "send_template",
            Self::Consent { .. } => "consent",
            Self::Note { .. } => "note",
            Self::Resend { .. } => "resend",
            Self::Cancel { .. } => "cancel",
            Self::UseProposal { .. } => "use_proposal",
            Self::DropProposal { .. } => "drop_proposal",
            Self::Read { .. } => "read",
        }
    }
}

/// What a server says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame {
    /// The answer to `Hello`. `now` sets the client's idea of the server's clock.
    Welcome { protocol: u32, build: String, me: Person, now: Micros },
    /// Everything that this client may see, as of one moment: it replaces what the client had,
    /// except rows and messages of a newer version.
    Snapshot { as_of: Cursor, rows: Vec<Row>, people: Vec<Person> },
    /// What happened. `after` equals the `through` (or `as_of`) before it; if not, the client has
    /// missed something and says `Hello` again without a cursor.
    Events(Events),
    /// One conversation in full, as of now.
    Thread(Box<Thread>),
    /// A conversation that was asked for has gone into another one of the same customer's: open that one.
    Merged { gone: ConversationId, into: ConversationId },
    /// Older messages, oldest first.
    History { conversation: ConversationId, messages: Vec<Message>, marks: Vec<Mark>, more: bool },
    /// The templates of a conversation's number, by name.
    Templates { conversation: ConversationId, templates: Vec<Template> },
    /// How every number stands, as of now.
    Board(Box<Board>),
    /// What became of a command.
    Answer { id: CommandId, answer: Answer },
    /// The draft is stored under this revision.
    DraftSaved { conversation: ConversationId, revision: i64 },
    /// Another draft of the same author is newer: show it, and keep the other in the stash.
    DraftDiffers { conversation: ConversationId, revision: i64, text: String, written_at: Micros },
    /// Who is here: replaces what was said before.
    Presence { here: Vec<Presence> },
    /// This client fell too far behind; a snapshot follows.
    Resync { why: String },
    /// This server stops: come back after `wait_ms`, wherever the load balancer leads.
    Moving { wait_ms: Millis },
    /// The frame could not be used; the connection goes on unless `fatal`.
    Problem { code: ProblemCode, why: String, fatal: bool },
    /// A kind of frame that is younger than this client: ignored, and counted.
    #[serde(other)]
    Unknown,
}

/// Why a frame could not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemCode {
    /// Not JSON, or not one of these frames.
    Unreadable,
    /// The first frame was not `Hello`, or a second `Hello` came.
    Order,
    /// The client's protocol is not spoken here.
    Version,
    /// The role does not allow it, or there is nothing by that id to see.
    NotAllowed,
    /// The sign-in has ended.
    SignedOut,
    /// The server cannot reach its store; try again.
    Unavailable,
    #[serde(other)]
    Other,
}

/// What happened between two places of the stream, and how it looks now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Events {
    pub after: Cursor,
    pub through: Cursor,
    /// The server's clock.
    pub now: Micros,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Event>,
    /// The conversations that these events touched.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<Row>,
    /// The messages that these events touched, of open conversations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<Message>,
    /// Cards and proposals of open conversations where these changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cards: Vec<Card>,
    /// Conversations that this client may no longer see.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<ConversationId>,
    /// Everybody who may sign in, if that has changed: it replaces what was said before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<Person>,
}

/// One fact: ids and kinds, never text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub kind: String,
    pub at: Micros,
    pub conversation: Option<ConversationId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentId>,
    /// A code, such as the reason of an escalation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// A conversation as it stands in the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    pub conversation: ConversationId,
    pub version: i64,
    /// The channel's name.
    pub channel: String,
    /// The customer's name, or what stands for it.
    pub customer: String,
    /// A masked phone number or user id, to tell namesakes apart.
    pub handle: String,
    pub control: Control,
    pub epoch: Epoch,
    pub window: Window,
    /// Why a person is needed: the reason of the open handoff.
    pub reason: Option<String>,
    /// Since when a person has been needed; kept through release and transfer.
    pub waiting_since: Option<Micros>,
    /// Since when the customer has had the last word; `None` if answered.
    pub unanswered_since: Option<Micros>,
    pub unread: i64,
    pub last: Option<Preview>,
    /// The bot owes an answer: a turn is due or being made.
    pub bot_busy: bool,
    /// Open proposals.
    pub proposals: i64,
    /// Outgoing messages that a person must look at: held, failed, unknown.
    pub troubles: i64,
    /// Those of them that are kept back, and go by themselves or when somebody says so. The others need a person.
    #[serde(default)]
    pub held: i64,
    /// When a lost agent's conversation goes back to the queue.
    pub returns_at: Option<Micros>,
    /// Nobody could come: when the customer, who waits on, was promised to be called back.
    #[serde(default)]
    pub callback_at: Option<Micros>,
    pub updated_at: Micros,
}

/// The last message, short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    pub author: Author,
    /// At most 120 characters of it.
    pub text: String,
    pub at: Micros,
    pub delivery: Option<Delivery>,
}

/// A person who signs in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub id: AgentId,
    pub name: String,
    pub role: Role,
}

/// A person who is here now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    pub agent: AgentId,
    pub viewing: Option<ConversationId>,
    pub typing: bool,
}

/// One conversation in full.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Thread {
    pub row: Row,
    /// The newest page, oldest first.
    pub messages: Vec<Message>,
    pub marks: Vec<Mark>,
    /// Whether there are older ones.
    pub more: bool,
    pub card: Card,
    /// My own unsent text.
    pub draft: Option<Draft>,
}

/// My own unsent text, as the server has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    pub text: String,
    pub revision: i64,
    pub written_at: Micros,
}

/// A line in the thread that nobody said: who took it, who gave it back, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub at: Micros,
    /// The event's kind: `escalated`, `taken`, `handed_back`, ...
    pub kind: String,
    pub agent: Option<AgentId>,
    /// The event's code, such as a reason.
    pub detail: Option<String>,
}

/// What to know about a conversation besides its messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    pub conversation: ConversationId,
    /// Grows with every change; an older one never replaces a newer.
    pub version: i64,
    /// The newest first; the open one, if any, is the first.
    pub handoffs: Vec<Handoff>,
    pub proposals: Vec<Proposal>,
    /// Whether the customer wants marketing; `None` if nobody ever said anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marketing: Option<Consent>,
    /// The last conversation that went into this one, and can be split off again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged: Option<Merged>,
    /// WhatsApp takes nothing for what is said now: an advertisement brought the customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free_entry: Option<FreeEntry>,
    /// Since when the customer is blocked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked_at: Option<Micros>,
    /// What the bot remembers of the customer, the newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<Fact>,
}

/// Something to know about a customer for years.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// Such as `shoe_size`.
    pub key: String,
    /// In the customer's own words.
    pub value: String,
    pub learnt_at: Micros,
    /// The message that it was taken from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageId>,
}

/// What WhatsApp's prices say of a conversation that an advertisement began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreeEntry {
    /// When it said so last.
    pub at: Micros,
    /// Until when, if it said that.
    pub until: Option<Micros>,
}

/// Another conversation of the same customer's that went into this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merged {
    pub at: Micros,
    /// The masked name by which it would be known again.
    pub handle: String,
    /// So many messages would go back.
    pub messages: i64,
}

/// How the numbers stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Board {
    /// When it was looked.
    pub at: Micros,
    pub numbers: Vec<BoardNumber>,
    /// What Meta says is wrong, the gravest first.
    pub warnings: Vec<Warning>,
    /// What this month has cost so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub costs: Option<Costs>,
}

/// One of our numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoardNumber {
    pub name: String,
    pub bot_on: bool,
    pub sending_on: bool,
    /// Why WhatsApp takes nothing from it: a sentence.
    pub stopped: Option<String>,
    /// When that will be tried again by itself.
    pub stopped_until: Option<Micros>,
    /// `GREEN`, `YELLOW`, `RED`; `None` if nobody has said.
    pub quality: Option<String>,
    /// How many customers the business may write to first in a day, in Meta's words.
    pub limit: Option<String>,
    /// Messages that may leave in a second.
    pub per_second: i64,
    /// The business's own phone is on the same number.
    pub coexistence: bool,
    /// When the last delivery for it came.
    pub heard_at: Option<Micros>,
    /// Conversations that wait for a person.
    pub waiting: i64,
    /// Conversations whose customers wrote before an outage and have no answer yet.
    pub late: i64,
    /// Messages that wait to be sent.
    pub queued: i64,
    /// Messages that are kept back.
    pub held: i64,
    /// Templates that cannot be sent, each with its state.
    pub templates: Vec<String>,
}

/// Something that Meta says is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    pub at: Micros,
    pub text: String,
    /// Somebody has to do something.
    pub grave: bool,
}

/// What a customer agreed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    pub granted: bool,
    pub at: Micros,
    /// The agent who recorded it, unless the customer said it themselves.
    pub agent: Option<AgentId>,
}

/// One stretch from escalation to hand back or resolve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handoff {
    pub id: HandoffId,
    /// A code: `asked_for_human`, `human_only_topic`, `low_confidence`, ...
    pub reason: String,
    /// What the customer wants and what was tried, in a few lines.
    pub summary: String,
    pub opened_at: Micros,
    pub taken_at: Option<Micros>,
    pub agent: Option<AgentId>,
    pub closed_at: Option<Micros>,
    pub outcome: Option<String>,
    pub note: Option<String>,
    pub promised: Option<String>,
}

/// A bot's text that waits for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    pub id: ProposalId,
    pub text: String,
    /// A code: `taken` (a take cancelled it), `moved` (control moved while it was made).
    pub origin: String,
    pub made_at: Micros,
    /// In hundredths, 0 to 100.
    pub confidence: Option<u8>,
}

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum Answer {
    Done {
        /// The conversation's epoch after it.
        epoch: Epoch,
        /// The message that was queued, cancelled or sent again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<MessageId>,
        /// After a take: the bot's last word, if it was already on its way; the agent's first
        /// message waits for it, at the longest until `settles_by`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last_bot_word: Option<MessageId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        settles_by: Option<Micros>,
    },
    /// The customer wrote something that the author had not seen; nothing was sent. Send again
    /// with `seen` set to `newest` to send it all the same.
    WroteMeanwhile { newest: MessageId },
    Refused {
        code: Refusal,
        /// A sentence for the agent.
        why: String,
        /// Who owns it, if that is why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        owner: Option<AgentId>,
    },
}

/// Why an act was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// Somebody else owns it.
    NotYours,
    /// The control table has no such step from here.
    NotFromHere,
    /// The epoch on screen is not the conversation's any more.
    Outdated,
    /// The customer service window is closed.
    WindowClosed,
    /// The role does not allow it.
    NotAllowed,
    /// No such conversation, message or proposal.
    NotFound,
    /// Too long, empty, or a reason is missing.
    Invalid,
    /// The same id came with another body.
    IdReused,
    /// The switch for all sending is off.
    SendingOff,
    #[serde(other)]
    Other,
}

/// `POST /api/v1/sign-in`: the one-time secret of `baton-server agent add`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SignIn {
    pub secret: String,
}

/// The answer: a token for `Authorization: Bearer`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SignedIn {
    pub token: String,
    pub me: Person,
}

/// A way to a file without signing in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileLink {
    /// From the server's address on.
    pub path: String,
    /// It is good until then.
    pub until: Micros,
}

/// `PUT /api/v1/conversations/{conversation}/files/{file}`: what was stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uploaded {
    /// What [`Act::SendFile`] names.
    pub file: UploadId,
    pub kind: FileKind,
    pub mime_type: String,
    /// In bytes.
    pub size: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_younger_frame_is_no_error() {
        let frame: ServerFrame = serde_json::from_str(r#"{"type":"hologram","depth":3}"#).unwrap();
        assert_eq!(frame, ServerFrame::Unknown);
    }

    #[test]
    fn a_command_reads_as_one_flat_object() {
        let id = uuid::Uuid::from_u128(1);
        let text = format!(r#"{{"type":"command","id":"{id}","conversation":"{id}","act":"take","epoch":3}}"#);
        let frame: ClientFrame = serde_json::from_str(&text).unwrap();
        let ClientFrame::Command(command) = frame else { panic!("{frame:?}") };
        assert_eq!(command.act, Act::Take { epoch: Epoch(3) });
    }
}

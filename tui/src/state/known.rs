//! What the server told us, made harmless on the way in: no text of others gets past this file as a
//! plain string.

use baton_shared::{
    AgentId, Control, ConversationId, Epoch, HandoffId, MessageId, Micros, ProposalId, Role, Window,
    content::MediaState,
    costs,
    message::{Author, Delivery, Message, Place},
    protocol,
};

use crate::{body, text::Clean};

/// A conversation as it stands in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    pub id: ConversationId,
    pub version: i64,
    pub channel: Clean,
    pub customer: Clean,
    pub handle: Clean,
    pub control: Control,
    pub epoch: Epoch,
    pub window: Window,
    pub reason: Option<Clean>,
    pub waiting_since: Option<Micros>,
    pub unanswered_since: Option<Micros>,
    pub unread: i64,
    pub last: Option<Preview>,
    pub bot_busy: bool,
    pub proposals: i64,
    pub troubles: i64,
    pub held: i64,
    pub returns_at: Option<Micros>,
    pub callback_at: Option<Micros>,
    pub updated_at: Micros,
}

/// The last message, short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    pub author: Author,
    pub text: Clean,
    pub at: Micros,
    pub delivery: Option<Delivery>,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub id: MessageId,
    pub version: i64,
    pub author: Author,
    pub agent: Option<AgentId>,
    /// What was written, to be copied.
    pub text: Clean,
    /// What stands in the thread if that is not just the text.
    pub other: Option<Clean>,
    /// `edited`, `forwarded` and the like.
    pub marks: Vec<&'static str>,
    /// The message that it replies to.
    pub quoted: Option<MessageId>,
    /// The file that it brings.
    pub file: Option<File>,
    /// As it came, for the raw view only.
    pub raw: Option<Box<str>>,
    pub place: Place,
    pub at: Micros,
    pub late: bool,
    pub delivery: Option<Delivery>,
    pub problem: Option<Clean>,
    /// It did not go well, and was sent again.
    pub sent_again: bool,
    /// Mine, and not in the server's thread yet.
    pub pending: bool,
}

/// The file of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// `None` if it has no bytes to be had.
    pub state: Option<MediaState>,
    /// What to call it on this disk: never a path.
    pub name: String,
    /// The server has a small picture of it.
    pub thumbnail: bool,
    /// The line of the message that names it, from 0.
    pub line: usize,
    pub problem: Option<Clean>,
}

/// A line in the thread that nobody said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Milestone {
    pub at: Micros,
    pub kind: Clean,
    pub agent: Option<AgentId>,
    pub detail: Option<Clean>,
}

/// What to know about a conversation besides its messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Card {
    pub version: i64,
    pub handoffs: Vec<Handoff>,
    pub proposals: Vec<Proposal>,
    pub marketing: Option<protocol::Consent>,
    pub merged: Option<Merged>,
    pub free_entry: Option<protocol::FreeEntry>,
    pub blocked_at: Option<Micros>,
    /// What the bot remembers of the customer: a name, and what it is.
    pub facts: Vec<(Clean, Clean)>,
}

/// Another conversation of the same customer's that went into this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    pub at: Micros,
    pub handle: Clean,
    pub messages: i64,
}

/// How the numbers stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Board {
    pub at: Micros,
    pub numbers: Vec<BoardNumber>,
    pub warnings: Vec<Warning>,
    pub costs: Option<Costs>,
}

/// What this month has cost so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Costs {
    pub month: Clean,
    pub total: CostLine,
    /// What it is by (`day`, `number`, ...), and the dearest of each.
    pub parts: Vec<(&'static str, Vec<CostLine>)>,
    /// WhatsApp's own: a number and a category, charged for or not, and how many messages.
    pub whatsapp: Vec<(Clean, Option<bool>, i64)>,
}

/// Calls of models, added up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CostLine {
    pub name: Clean,
    pub dollars: Clean,
    pub calls: i64,
    pub useful: i64,
}

impl From<costs::CostLine> for CostLine {
    fn from(line: costs::CostLine) -> Self {
        let dollars = Clean::line(&line.dollars());
        let name = if line.name.is_empty() { Clean::from_static("none known") } else { Clean::line(&line.name) };
        Self { name, dollars, calls: line.calls, useful: line.useful }
    }
}

impl From<costs::Costs> for Costs {
    fn from(costs: costs::Costs) -> Self {
        /// Of each part; the whole page is the server's `costs`.
        const SHOWN: usize = 4;
        let dearest = |mut lines: Vec<costs::CostLine>| {
            lines.sort_by_key(|line| (std::cmp::Reverse(line.nanos), std::cmp::Reverse(line.calls)));
            lines.into_iter().take(SHOWN).map(CostLine::from).collect()
        };
        let days = costs.days.into_iter().rev().take(SHOWN).map(CostLine::from).collect();
        let parts = vec![
            ("day", days),
            ("number", dearest(costs.numbers)),
            ("model", dearest(costs.models)),
            ("intent", dearest(costs.intents)),
        ];
        let whatsapp = costs.whatsapp.into_iter().map(|one| {
            let category = if one.category.is_empty() { "no category" } else { &one.category };
            (Clean::line(&format!("{} {category}", one.number)), one.billable, one.messages)
        });
        Self { month: Clean::line(&costs.month), total: costs.total.into(), parts, whatsapp: whatsapp.collect() }
    }
}

/// One of our numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoardNumber {
    pub name: Clean,
    pub stopped: Option<Clean>,
    /// `green`, `yellow`, `red`.
    pub quality: Option<Clean>,
    pub limit: Option<Clean>,
    pub templates: Vec<Clean>,
    /// Switches, counts and times.
    pub figures: protocol::BoardNumber,
}

/// Something that Meta says is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    pub at: Micros,
    pub text: Clean,
    pub grave: bool,
}

impl From<protocol::Board> for Board {
    fn from(board: protocol::Board) -> Self {
        let warning = |one: protocol::Warning| Warning { at: one.at, text: Clean::line(&one.text), grave: one.grave };
        Self {
            at: board.at,
            numbers: board.numbers.into_iter().map(BoardNumber::from).collect(),
            warnings: board.warnings.into_iter().map(warning).collect(),
            costs: board.costs.map(Costs::from),
        }
    }
}

impl From<protocol::BoardNumber> for BoardNumber {
    fn from(number: protocol::BoardNumber) -> Self {
        let small = |word: &String| Clean::line(&word.to_lowercase().replace('_', " "));
        Self {
            name: Clean::line(&number.name),
            stopped: number.stopped.as_deref().map(Clean::line),
            quality: number.quality.as_ref().map(small),
            limit: number.limit.as_ref().map(small),
            templates: number.templates.iter().map(|one| Clean::line(one)).collect(),
            figures: number,
        }
    }
}

/// One stretch from escalation to hand back or resolve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handoff {
    pub id: HandoffId,
    pub reason: Clean,
    pub summary: Clean,
    pub opened_at: Micros,
    pub taken_at: Option<Micros>,
    pub agent: Option<AgentId>,
    pub closed_at: Option<Micros>,
    pub outcome: Option<Clean>,
    pub note: Option<Clean>,
    pub promised: Option<Clean>,
}

/// A bot's text that waits for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    pub id: ProposalId,
    pub text: Clean,
    pub origin: Clean,
    pub made_at: Micros,
    pub confidence: Option<u8>,
}

/// A person who signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub id: AgentId,
    pub name: Clean,
    pub role: Role,
}

impl From<protocol::Row> for Conversation {
    fn from(row: protocol::Row) -> Self {
        Self {
            id: row.conversation,
            version: row.version,
            channel: Clean::line(&row.channel),
            customer: Clean::line(&row.customer),
            handle: Clean::line(&row.handle),
            control: row.control,
            epoch: row.epoch,
            window: row.window,
            reason: row.reason.as_deref().map(words),
            waiting_since: row.waiting_since,
            unanswered_since: row.unanswered_since,
            unread: row.unread,
            last: row.last.map(Preview::from),
            bot_busy: row.bot_busy,
            proposals: row.proposals,
            troubles: row.troubles,
            held: row.held,
            returns_at: row.returns_at,
            callback_at: row.callback_at,
            updated_at: row.updated_at,
        }
    }
}

impl From<protocol::Preview> for Preview {
    fn from(preview: protocol::Preview) -> Self {
        // In one line: a preview has no more.
        let text = Clean::line(&preview.text);
        Self { author: preview.author, text, at: preview.at, delivery: preview.delivery }
    }
}

impl From<Message> for Said {
    fn from(message: Message) -> Self {
        let text = Clean::from_untrusted(&message.body.text);
        let is_plain = message.body.is_text() && message.body.detail.is_none();
        let other = !(is_plain && message.quote.is_none() && message.reactions.is_empty());
        let other = other.then(|| body::shown(&message));
        let marks = body::marks(&message);
        let file = body::file(&message);
        let quoted = message.quote.and_then(|quote| quote.message);
        let before = message.edited.map(|edited| format!("{}\n\nat first:\n{}", message.body.text, edited.before));
        // Most text is clean as it is; then the raw view shows the same and needs no copy.
        let raw = before.or_else(|| (text.as_str() != message.body.text).then_some(message.body.text));
        let raw = raw.map(String::into_boxed_str);
        Self {
            id: message.id,
            version: message.version,
            author: message.author,
            agent: message.agent,
            text,
            other,
            marks,
            quoted,
            file,
            raw,
            place: message.place,
            at: message.at,
            late: message.late,
            delivery: message.delivery,
            problem: message.problem.as_deref().map(Clean::from_untrusted),
            sent_again: message.sent_again,
            pending: false,
        }
    }
}

impl Said {
    /// What stands in the thread.
    pub fn shown(&self) -> &Clean {
        self.other.as_ref().unwrap_or(&self.text)
    }
}

impl From<protocol::Mark> for Milestone {
    fn from(mark: protocol::Mark) -> Self {
        // An event may carry an empty code where the same mark has none.
        // Of a merger it is an id.
        let detail = mark.detail.as_deref().filter(|detail| !detail.is_empty() && mark.kind != "merged").map(words);
        Self { at: mark.at, kind: Clean::line(&mark.kind), agent: mark.agent, detail }
    }
}

impl From<protocol::Card> for Card {
    fn from(card: protocol::Card) -> Self {
        Self {
            version: card.version,
            handoffs: card.handoffs.into_iter().map(Handoff::from).collect(),
            proposals: card.proposals.into_iter().map(Proposal::from).collect(),
            marketing: card.marketing,
            merged: card.merged.map(|merged| Merged {
                at: merged.at,
                handle: Clean::line(&merged.handle),
                messages: merged.messages,
            }),
            free_entry: card.free_entry,
            blocked_at: card.blocked_at,
            facts: card
                .facts
                .iter()
                .map(|fact| (Clean::line(&fact.key.replace('_', " ")), Clean::line(&fact.value)))
                .collect(),
        }
    }
}

impl From<protocol::Handoff> for Handoff {
    fn from(handoff: protocol::Handoff) -> Self {
        let text = |text: Option<String>| text.filter(|text| !text.is_empty()).as_deref().map(Clean::from_untrusted);
        Self {
            id: handoff.id,
            reason: words(&handoff.reason),
            summary: Clean::from_untrusted(&handoff.summary),
            opened_at: handoff.opened_at,
            taken_at: handoff.taken_at,
            agent: handoff.agent,
            closed_at: handoff.closed_at,
            outcome: handoff.outcome.filter(|outcome| !outcome.is_empty()).as_deref().map(words),
            note: text(handoff.note),
            promised: text(handoff.promised),
        }
    }
}

impl From<protocol::Proposal> for Proposal {
    fn from(proposal: protocol::Proposal) -> Self {
        Self {
            id: proposal.id,
            text: Clean::from_untrusted(&proposal.text),
            origin: words(&proposal.origin),
            made_at: proposal.made_at,
            confidence: proposal.confidence,
        }
    }
}

impl From<protocol::Person> for Person {
    fn from(person: protocol::Person) -> Self {
        Self { id: person.id, name: Clean::line(&person.name), role: person.role }
    }
}

/// Why a person is needed, where it is a message of ours.
pub const FAILED: &str = "the bot's answer did not go out";
pub const UNSETTLED: &str = "nobody knows if the bot's answer arrived";

/// A code of the protocol as people say it: `asked_for_human` is `asked for a human`.
fn words(code: &str) -> Clean {
    match code {
        "asked_for_human" => Clean::from_static("asked for a human"),
        "human_only_topic" => Clean::from_static("a human-only topic"),
        "low_confidence" => Clean::from_static("the bot was not sure"),
        "unresolved" => Clean::from_static("not solved after several tries"),
        "model_failed" => Clean::from_static("the bot's model fails"),
        "declined" => Clean::from_static("the bot's model declined to answer"),
        "budget_spent" => Clean::from_static("the budget for models is spent"),
        "split" => Clean::from_static("split off from another customer"),
        "merged" => Clean::from_static("went into another conversation"),
        "take 2494191" => Clean::from_static("another app keeps the thread"),
        "passed_by_app" => Clean::from_static("the other app passed it on"),
        "taken_by_app" => Clean::from_static("taken by the other app"),
        "late" => Clean::from_static("it reached us late"),
        "cannot_read" => Clean::from_static("the bot cannot read what came"),
        "bot_off" => Clean::from_static("the bot is switched off"),
        "message_failed" => Clean::from_static(FAILED),
        "message_unsettled" => Clean::from_static(UNSETTLED),
        "asked_by_agent" => Clean::from_static("a colleague asked for a person"),
        other => Clean::line(&other.replace('_', " ")),
    }
}

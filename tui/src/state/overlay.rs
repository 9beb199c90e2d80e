//! What may lie over the inbox: a stack, the topmost gets the keys, Esc takes one away and never
//! discards what was typed.

use std::sync::Arc;

use baton_shared::{AgentId, ConversationId, MessageId, Micros, Role, file::FileKind, template::Template};

use super::{
    State,
    form::Form,
    known::{self, Person},
};
use crate::{
    composer::Editor,
    event::Looked,
    keys::{Action, Spec, TABLE},
    local::Slot,
    picture::Picture,
    text::Clean,
};

/// Something that lies over the inbox.
#[derive(Clone, Debug)]
pub enum Overlay {
    /// All keys, searchable.
    Help(Picker),
    /// All actions by name.
    Palette(Picker),
    /// What is known about the customer, where there is no room beside the chat.
    Context {
        scroll: usize,
    },
    /// The bot is writing, or somebody else owns it.
    Take(Take),
    HandBack(Sheet),
    Resolve(Sheet),
    Assign(Assign),
    /// A message may have arrived already.
    Resend {
        conversation: ConversationId,
        message: MessageId,
    },
    /// WhatsApp is asked to block the customer, or to end that.
    Block {
        conversation: ConversationId,
        blocked: bool,
    },
    /// How the numbers stand.
    Board(Board),
    /// What was merged last is split off again.
    Split {
        conversation: ConversationId,
    },
    /// The bot forgets what it remembers of the customer.
    Forget {
        conversation: ConversationId,
    },
    /// A message as it came, with everything invisible written out.
    Raw {
        text: Clean,
        scroll: usize,
    },
    /// Which template, and with what.
    Template(TemplateSheet),
    /// Which emoji to put on a message.
    React(React),
    /// Whether the customer wants marketing.
    Consent(Consent),
    /// Which file to send, and with what words.
    File(FileSheet),
    /// Choices, links, questions, places, cards.
    Offer(OfferSheet),
    /// Where to save a file.
    Save(Save),
    /// An address for a program elsewhere.
    Link(Clean),
    /// A small picture of the one that a message brings.
    Preview(Preview),
    /// Something was not sent yet.
    Quit,
}

/// Sending something that is neither words nor a file. Its lines are the conversation's, so they
/// outlive the sheet.
#[derive(Clone, Debug)]
pub struct OfferSheet {
    pub conversation: ConversationId,
    pub reply_to: Option<MessageId>,
    /// Which of the kinds is under the cursor.
    pub at: usize,
    /// Once the kind is chosen.
    pub form: Option<Form>,
    /// What WhatsApp would not take.
    pub trouble: Option<Clean>,
}

/// Sending a file. Its path and caption are the conversation's, so they outlive the sheet.
#[derive(Clone, Debug)]
pub struct FileSheet {
    pub conversation: ConversationId,
    pub reply_to: Option<MessageId>,
    pub field: FileField,
    /// What lies at the end of the path that was typed then.
    pub looked: Option<Looked>,
    /// Which of the kinds that it can be sent as.
    pub chosen: usize,
    /// How the path may go on.
    pub choices: Vec<Clean>,
    /// What is wrong with it.
    pub trouble: Option<Clean>,
}

impl FileSheet {
    pub fn of(conversation: ConversationId) -> Self {
        Self {
            conversation,
            reply_to: None,
            field: FileField::Path,
            looked: None,
            chosen: 0,
            choices: Vec::new(),
            trouble: None,
        }
    }

    pub fn kind(&self) -> FileKind {
        let kinds = self.looked.as_ref().map(|looked| looked.facts.kinds()).unwrap_or_default();
        kinds.get(self.chosen).copied().unwrap_or(FileKind::Document)
    }

    /// The next kind that it can be sent as, or the one before.
    pub fn choose(&mut self, by: isize) {
        let count = self.looked.as_ref().map_or(1, |looked| looked.facts.kinds().len());
        self.chosen = self.chosen.saturating_add_signed(by).min(count.saturating_sub(1));
        self.trouble = None;
    }

    /// Something was typed: another path is another file.
    pub fn typed(&mut self, slot: Slot) {
        if slot == Slot::File {
            (self.looked, self.chosen) = (None, 0);
        }
        (self.trouble, self.choices) = (None, Vec::new());
    }
}

/// A field of the sheet, from above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileField {
    Path,
    Caption,
    Kind,
}

impl FileField {
    pub const fn slot(self) -> Option<Slot> {
        match self {
            Self::Path => Some(Slot::File),
            Self::Caption => Some(Slot::Caption),
            Self::Kind => None,
        }
    }

    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Path => Self::Caption,
            Self::Caption | Self::Kind => Self::Kind,
        }
    }

    #[must_use]
    pub const fn previous(self) -> Self {
        match self {
            Self::Path | Self::Caption => Self::Path,
            Self::Kind => Self::Caption,
        }
    }
}

/// How the numbers stand, as the server said last.
#[derive(Clone, Debug, Default)]
pub struct Board {
    pub known: Option<known::Board>,
    pub scroll: usize,
    /// When the server was asked last.
    pub asked_at: Micros,
}

/// Saving the file of a message.
#[derive(Clone, Debug)]
pub struct Save {
    pub message: MessageId,
    pub path: Editor,
    /// There is one of that name: once more overwrites it.
    pub replace: bool,
}

/// Looking at the picture of a message.
#[derive(Clone, Debug)]
pub struct Preview {
    pub message: MessageId,
    pub name: Clean,
    pub shown: Shown,
}

#[derive(Clone, Debug)]
pub enum Shown {
    Loading,
    Here(Arc<Picture>),
    /// Why not.
    Not(Clean),
}

/// What a customer said about marketing, and how.
#[derive(Clone, Debug)]
pub struct Consent {
    pub conversation: ConversationId,
    pub granted: bool,
    pub proof: Editor,
}

/// A sign on a message.
#[derive(Clone, Debug)]
pub struct React {
    pub conversation: ConversationId,
    pub message: MessageId,
    /// Which of [`REACTIONS`].
    pub at: usize,
}

/// What can be put on a message with one key more; the last takes it away.
pub const REACTIONS: [(&str, &str); 7] = [
    ("👍", "thumbs up"),
    ("❤️", "heart"),
    ("😂", "laughing"),
    ("😮", "surprised"),
    ("🙏", "thanks"),
    ("✅", "done"),
    ("", "none: take mine away"),
];

/// Choosing a template and filling it in.
#[derive(Clone, Debug)]
pub struct TemplateSheet {
    pub conversation: ConversationId,
    /// `None` until the server has said.
    pub all: Option<Vec<Template>>,
    pub picker: Picker,
    /// What was chosen, with an editor for each of its slots.
    pub filling: Option<Box<Filling>>,
}

#[derive(Clone, Debug)]
pub struct Filling {
    pub template: Template,
    pub values: Vec<Editor>,
    pub at: usize,
}

impl Filling {
    pub fn new(template: Template) -> Self {
        let values = template.slots().iter().map(|_| Editor::default()).collect();
        Self { template, values, at: 0 }
    }

    pub fn texts(&self) -> Vec<String> {
        self.values.iter().map(|value| value.text().trim().to_owned()).collect()
    }
}

impl TemplateSheet {
    /// Those that contain what was typed; those that can be sent come first.
    pub fn found(&self) -> Vec<&Template> {
        let wanted = self.picker.typed.text().trim().to_lowercase();
        let has = |template: &&Template| {
            [&template.name, &template.body, &template.language]
                .iter()
                .any(|text| text.to_lowercase().contains(&wanted))
        };
        let mut found: Vec<&Template> = self.all.iter().flatten().filter(has).collect();
        found.sort_by_key(|template| !template.is_approved());
        found
    }
}

/// A line to type into, and a list that it narrows.
#[derive(Clone, Debug, Default)]
pub struct Picker {
    pub typed: Editor,
    pub at: usize,
}

impl Picker {
    /// Actions that contain what was typed, those that begin with it first.
    pub fn actions(&self) -> Vec<Action> {
        let typed = self.typed.text().trim();
        let typed = typed.strip_prefix(':').unwrap_or(typed);
        let wanted = typed.to_lowercase();
        let has =
            |spec: &&Spec| spec.id.contains(&wanted) || spec.label.contains(&wanted) || spec.keys.contains(&typed);
        let mut found: Vec<&Spec> = TABLE.iter().filter(has).collect();
        if !wanted.is_empty() {
            let rank =
                |spec: &&Spec| (spec.id != wanted, !spec.id.starts_with(&wanted), !spec.label.starts_with(&wanted));
            found.sort_by_key(rank);
        }
        found.into_iter().map(|spec| spec.action).collect()
    }
}

/// Taking over from somebody.
#[derive(Clone, Debug)]
pub struct Take {
    pub conversation: ConversationId,
    /// Who owns it, if a person does: then a reason is asked for.
    pub owner: Option<AgentId>,
    pub reason: Editor,
}

/// Ending my part: hand back or resolve. The texts are the conversation's, so they outlive the sheet.
#[derive(Clone, Debug)]
pub struct Sheet {
    pub conversation: ConversationId,
    pub outcome: usize,
    pub field: Field,
}

/// Cells of a sheet's texts.
pub const SHEET_WIDTH: usize = 54;

/// A field of a sheet, in the order of Tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Note,
    Promised,
    Outcome,
}

impl Field {
    pub const fn slot(self) -> Option<Slot> {
        match self {
            Self::Note => Some(Slot::HandBack),
            Self::Promised => Some(Slot::Promised),
            Self::Outcome => None,
        }
    }

    pub const fn next(self) -> Self {
        match self {
            Self::Note => Self::Promised,
            Self::Promised => Self::Outcome,
            Self::Outcome => Self::Note,
        }
    }

    pub const fn previous(self) -> Self {
        match self {
            Self::Note => Self::Outcome,
            Self::Promised => Self::Note,
            Self::Outcome => Self::Promised,
        }
    }
}

/// How it ended: the code that is kept, and what is shown.
pub const OUTCOMES: [(&str, &str); 5] = [
    ("solved", "solved"),
    ("answered", "question answered"),
    ("follow_up", "needs a follow-up"),
    ("not_solved", "could not be solved"),
    ("no_answer_needed", "no answer needed"),
];

/// Giving a conversation to somebody.
#[derive(Clone, Debug)]
pub struct Assign {
    pub conversation: ConversationId,
    pub to: usize,
    pub reason: Editor,
    /// Whether the cursor is in the reason.
    pub in_reason: bool,
}

impl Assign {
    /// Whom it can be given to, and whether they are here; those who are come first.
    pub fn candidates(&self, state: &State) -> Vec<(AgentId, bool)> {
        let owner = state.queue.get(self.conversation).and_then(|row| row.control.owner());
        let can_own = |person: &&Person| person.role != Role::Admin && Some(person.id) != owner;
        let is_here = |id| state.here.iter().any(|here| here.agent == id) || state.my_id() == Some(id);
        let mut people: Vec<&Person> = state.people.values().filter(can_own).collect();
        people.sort_by(|a, b| (!is_here(a.id), &a.name, a.id).cmp(&(!is_here(b.id), &b.name, b.id)));
        people.into_iter().map(|person| (person.id, is_here(person.id))).collect()
    }
}

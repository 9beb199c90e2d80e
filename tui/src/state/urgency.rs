//! Who needs me most: in which section of the queue a conversation stands, and where in it.

use std::time::Duration;

use baton_shared::{AgentId, Control, ConversationId, Micros, Window};

use super::known::Conversation;

/// A section of the queue, from the top.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Section {
    Now,
    Mine,
    Waiting,
    Team,
    Bot,
    Elsewhere,
    Resolved,
}

impl Section {
    pub const ALL: [Self; 7] =
        [Self::Now, Self::Mine, Self::Waiting, Self::Team, Self::Bot, Self::Elsewhere, Self::Resolved];

    /// Those that one looks at only now and then; a supervisor looks after the team's.
    pub const fn starts_folded(self, supervises: bool) -> bool {
        match self {
            Self::Now | Self::Mine | Self::Waiting => false,
            Self::Team => !supervises,
            Self::Bot | Self::Elsewhere | Self::Resolved => true,
        }
    }
}

/// Through whose eyes the queue is seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Viewer {
    pub me: Option<AgentId>,
    /// Whoever supervises can help where an owner does not.
    pub supervises: bool,
    /// How long a customer may wait before it is too long.
    pub patience: Duration,
}

/// Why a conversation cannot wait; the first is the most urgent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// The customer has waited longer than promised.
    Overdue,
    /// Its owner is not here any more.
    Lost,
    /// The window closes within the hour.
    Closing,
    /// Something of ours did not go out.
    Trouble,
    Calm,
}

/// Where a conversation stands; compared field by field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Standing {
    pub section: Section,
    pub urgency: Urgency,
    /// Smaller is higher.
    order: i64,
    pub id: ConversationId,
}

/// A window that closes within this is urgent.
const CLOSING: Duration = Duration::from_secs(60 * 60);

impl Standing {
    pub fn of(conversation: &Conversation, viewer: Viewer, now: Micros) -> Self {
        let mine = viewer.me.is_some() && conversation.control.owner() == viewer.me;
        let urgency = urgency(conversation, mine, now, viewer.patience);
        let calm = calm_section(conversation, mine);
        // A colleague's stays theirs, at the top of them, for whoever cannot take it away.
        let stays = urgency == Urgency::Calm || (calm == Section::Team && !viewer.supervises);
        let section = if stays { calm } else { Section::Now };
        let needed = needed_since(conversation);
        let order = match section {
            Section::Now | Section::Waiting => needed.unwrap_or(conversation.updated_at).0,
            // What I owe an answer first, oldest first; then the most recently touched.
            Section::Mine => needed.map_or(i64::MAX / 2 - conversation.updated_at.0, |since| since.0),
            // What waits first among colleagues' as well.
            Section::Team if urgency != Urgency::Calm => needed.unwrap_or(conversation.updated_at).0,
            Section::Team | Section::Bot | Section::Elsewhere | Section::Resolved => -conversation.updated_at.0,
        };
        Self { section, urgency, order, id: conversation.id }
    }

    /// When this stands differently though nothing happens but time; `MAX` for never.
    pub fn shifts_at(conversation: &Conversation, now: Micros, patience: Duration) -> Micros {
        let overdue = needed_since(conversation).map(|since| since.plus(patience));
        let closes = conversation.window.closes_at;
        let moments = [overdue, closes.map(|at| at.minus(CLOSING)), closes.map(|at| at.minus(Window::MARGIN))];
        moments.into_iter().flatten().filter(|at| *at > now).min().unwrap_or(Micros::MAX)
    }
}

/// Since when somebody owes this customer a word.
pub fn needed_since(conversation: &Conversation) -> Option<Micros> {
    match conversation.control {
        // Whichever is older: the customer does not wait less because it has changed hands.
        Control::Waiting { since } => {
            let since = conversation.waiting_since.unwrap_or(since);
            let since = conversation.unanswered_since.map_or(since, |unanswered| unanswered.min(since));
            // Whoever is called back waits from then on: behind those who wait now.
            Some(conversation.callback_at.map_or(since, |back| back.max(since)))
        }
        Control::Agent { .. } => conversation.unanswered_since,
        Control::Bot | Control::Phone { .. } | Control::Elsewhere | Control::Resolved { .. } => None,
    }
}

fn urgency(conversation: &Conversation, mine: bool, now: Micros, patience: Duration) -> Urgency {
    if !matches!(conversation.control, Control::Waiting { .. } | Control::Agent { .. }) {
        return Urgency::Calm;
    }
    let is_near = conversation.window.is_open(now) && conversation.window.left(now) < CLOSING;
    match needed_since(conversation) {
        // Also where the window is closed: a template reaches them.
        Some(since) if now.since(since) >= patience => Urgency::Overdue,
        _ if !mine && conversation.returns_at.is_some() => Urgency::Lost,
        Some(_) if is_near => Urgency::Closing,
        Some(_) | None if mine && conversation.troubles > 0 => Urgency::Trouble,
        Some(_) | None => Urgency::Calm,
    }
}

const fn calm_section(conversation: &Conversation, mine: bool) -> Section {
    match conversation.control {
        Control::Agent { .. } if mine => Section::Mine,
        Control::Agent { .. } => Section::Team,
        Control::Waiting { .. } => Section::Waiting,
        Control::Bot => Section::Bot,
        Control::Phone { .. } | Control::Elsewhere => Section::Elsewhere,
        Control::Resolved { .. } => Section::Resolved,
    }
}

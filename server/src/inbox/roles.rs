//! What each role may do and see: the table of the roles as data, asked by every route, frame and act.

use baton_shared::{AgentId, Control, Role, protocol::Act};

use crate::{
    config::AgentsSee,
    store::{agents::Agent, rows::Seen},
};

/// Something that may be granted to a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Right {
    /// The queue and what people have in hand.
    SeeQueue,
    /// What the bot has, and what is done.
    WatchBot,
    /// Take what waits, send as its owner, note, hand back.
    Work,
    /// Give somebody else's conversation to somebody.
    Assign,
    ReadAnothersDraft,
    Switches,
    Reports,
    Audit,
    People,
    Channels,
    Playbook,
    Secrets,
    Erase,
}

/// How far a right reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    No,
    /// Their team's, their own, and what waits for anyone; or all, if the operator says so.
    Team,
    /// If they say why.
    WithReason,
    All,
}

impl Right {
    pub const ALL: [Self; 13] = [
        Self::SeeQueue,
        Self::WatchBot,
        Self::Work,
        Self::Assign,
        Self::ReadAnothersDraft,
        Self::Switches,
        Self::Reports,
        Self::Audit,
        Self::People,
        Self::Channels,
        Self::Playbook,
        Self::Secrets,
        Self::Erase,
    ];

    /// Of an agent, a supervisor and an admin.
    const fn extents(self) -> [Extent; 3] {
        use Extent::{All, No, Team, WithReason};
        match self {
            Self::SeeQueue | Self::WatchBot => [Team, All, No],
            Self::Work => [All, All, No],
            Self::Assign | Self::ReadAnothersDraft => [No, WithReason, No],
            Self::Switches | Self::Reports | Self::Audit => [No, All, All],
            Self::People | Self::Channels | Self::Playbook | Self::Secrets | Self::Erase => [No, No, All],
        }
    }
}

/// How far `right` reaches for `role`.
pub const fn extent(role: Role, right: Right) -> Extent {
    let [agent, supervisor, admin] = right.extents();
    match role {
        Role::Agent => agent,
        Role::Supervisor => supervisor,
        Role::Admin => admin,
    }
}

/// Whether `role` has `right` at all.
pub const fn may(role: Role, right: Right) -> bool {
    !matches!(extent(role, right), Extent::No)
}

/// What an act needs at least. Whose conversation it is comes on top: see the control table.
pub const fn right_of(act: &Act) -> Right {
    match act {
        Act::Take { .. }
        // By its owner; for anybody else's it needs `Assign`.
        | Act::Assign { .. }
        | Act::Release { .. }
        | Act::HandBack { .. }
        | Act::Resolve { .. }
        | Act::Escalate { .. }
        | Act::Split { .. }
        | Act::Forget {}
        | Act::Thread { .. }
        | Act::Send { .. }
        | Act::SendWhenTheyWrite { .. }
        | Act::SendParts { .. }
        | Act::SendFile { .. }
        | Act::SendOffer { .. }
        | Act::React { .. }
        | Act::SendTemplate { .. }
        | Act::Consent { .. }
        | Act::Note { .. }
        | Act::Resend { .. }
        | Act::Cancel { .. }
        | Act::UseProposal { .. }
        | Act::DropProposal { .. }
        | Act::Read { .. } => Right::Work,
        Act::Block { .. } => Right::Assign,
    }
}

/// Somebody who looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    pub agent: Agent,
    pub agents_see: AgentsSee,
}

/// How much of all conversations a viewer sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Everything,
    /// It depends on the conversation, and changes with it.
    Some,
    Nothing,
}

impl Viewer {
    pub const fn id(&self) -> AgentId {
        self.agent.id
    }

    pub const fn may(&self, right: Right) -> bool {
        may(self.agent.role, right)
    }

    pub const fn scope(&self) -> Scope {
        match (extent(self.agent.role, Right::SeeQueue), self.agents_see) {
            (Extent::No, _) => Scope::Nothing,
            (Extent::Team, AgentsSee::Team) => Scope::Some,
            (Extent::Team, AgentsSee::All) | (Extent::All | Extent::WithReason, _) => Scope::Everything,
        }
    }

    /// Whether they may see a conversation that stands so, on a channel of `team`.
    pub fn sees(&self, control: &Control, team: &str) -> bool {
        match self.scope() {
            Scope::Everything => true,
            Scope::Nothing => false,
            Scope::Some => {
                let waits = matches!(control, Control::Waiting { .. });
                waits || control.owner() == Some(self.agent.id) || self.is_of(team)
            }
        }
    }

    pub fn sees_row(&self, seen: &Seen) -> bool {
        self.sees(&seen.row.control, &seen.team)
    }

    /// An empty team is everybody's, of a channel as of a person.
    fn is_of(&self, team: &str) -> bool {
        team.is_empty() || self.agent.team.is_empty() || self.agent.team == team
    }
}

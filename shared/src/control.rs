//! Who owns the next outgoing word.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{clock::Micros, ids::AgentId};

/// A number that grows at every change of control; what a bot's word is fenced with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(transparent))]
#[serde(transparent)]
pub struct Epoch(pub i64);

impl Epoch {
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// Who owns the next outgoing word of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "owner", rename_all = "snake_case")]
pub enum Control {
    /// The pipeline answers.
    Bot,
    /// A person is needed and none has taken it; `since` keeps its age through release and transfer.
    Waiting { since: Micros },
    /// This agent, and nobody else, may send.
    Agent { agent: AgentId, since: Micros },
    /// Somebody typed on the business's own phone; the bot pauses until then.
    Phone { until: Micros },
    /// Another app owns the thread at Meta.
    Elsewhere,
    /// Done, until the customer writes again.
    Resolved { at: Micros },
}

impl Control {
    /// The word used in SQL, in events and on screen.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Bot => "bot",
            Self::Waiting { .. } => "waiting",
            Self::Agent { .. } => "agent",
            Self::Phone { .. } => "phone",
            Self::Elsewhere => "elsewhere",
            Self::Resolved { .. } => "resolved",
        }
    }

    pub const fn owner(&self) -> Option<AgentId> {
        match self {
            Self::Agent { agent, .. } => Some(*agent),
            Self::Bot | Self::Waiting { .. } | Self::Phone { .. } | Self::Elsewhere | Self::Resolved { .. } => None,
        }
    }

    /// The moment that the state carries: since, until or at.
    pub const fn moment(&self) -> Option<Micros> {
        match self {
            Self::Waiting { since } | Self::Agent { since, .. } => Some(*since),
            Self::Phone { until } => Some(*until),
            Self::Resolved { at } => Some(*at),
            Self::Bot | Self::Elsewhere => None,
        }
    }

    /// Puts together what [`word`](Self::word), [`owner`](Self::owner) and [`moment`](Self::moment)
    /// took apart; `None` if they do not fit.
    pub fn from_parts(word: &str, owner: Option<AgentId>, moment: Option<Micros>) -> Option<Self> {
        Some(match (word, owner, moment) {
            ("bot", None, None) => Self::Bot,
            ("waiting", None, Some(since)) => Self::Waiting { since },
            ("agent", Some(agent), Some(since)) => Self::Agent { agent, since },
            ("phone", None, Some(until)) => Self::Phone { until },
            ("elsewhere", None, None) => Self::Elsewhere,
            ("resolved", None, Some(at)) => Self::Resolved { at },
            _ => return None,
        })
    }
}

impl fmt::Display for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_survives_being_taken_apart() {
        let agent = AgentId(uuid::Uuid::from_u128(7));
        let moment = Micros(5);
        for control in [
            Control::Bot,
            Control::Waiting { since: moment },
            Control::Agent { agent, since: moment },
            Control::Phone { until: moment },
            Control::Elsewhere,
            Control::Resolved { at: moment },
        ] {
            assert_eq!(Control::from_parts(control.word(), control.owner(), control.moment()), Some(control));
        }
        assert_eq!(Control::from_parts("agent", None, Some(moment)), None);
    }
}

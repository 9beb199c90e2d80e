//! One thing said: by whom, what, where it stands in the thread and how far it has come.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    clock::Micros,
    content::Detail,
    ids::{AgentId, ConversationId, MessageId},
};

/// Who said it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(type_name = "text", rename_all = "snake_case"))]
#[serde(rename_all = "snake_case")]
pub enum Author {
    Customer,
    Bot,
    Agent,
    /// Typed in the WhatsApp Business app on the business's own phone.
    Phone,
    /// Baton's own sentence: bridge, wait, hours, survey.
    System,
    /// Seen by agents only; never sent.
    Note,
}

impl Author {
    pub const ALL: [Self; 6] = [Self::Customer, Self::Bot, Self::Agent, Self::Phone, Self::System, Self::Note];

    /// The word used in SQL and on the wire.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Bot => "bot",
            Self::Agent => "agent",
            Self::Phone => "phone",
            Self::System => "system",
            Self::Note => "note",
        }
    }

    /// Whether such a message leaves through the outbox.
    pub const fn is_ours_to_send(self) -> bool {
        matches!(self, Self::Bot | Self::Agent | Self::System)
    }

    /// Whether a change of control cancels it while it is unsent.
    pub const fn is_fenced(self) -> bool {
        matches!(self, Self::Bot | Self::System)
    }
}

/// What was said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// `text`, or the type that Meta names: `image`, `audio`, `order`, or one that did not exist
    /// when this was written.
    pub kind: String,
    /// The text; for other kinds what can be read of them (a caption, a title), or nothing.
    pub text: String,
    /// The typed content of what is not plain text; absent if there is nothing to say of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Box<Detail>>,
}

impl Body {
    pub fn text(text: impl Into<String>) -> Self {
        Self { kind: "text".into(), text: text.into(), detail: None }
    }

    pub fn is_text(&self) -> bool {
        self.kind == "text"
    }
}

/// Where a message stands in its thread; ordered field by field, never by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// Meta's second; for ours the second of `sending`, or of queueing until then.
    pub second: i64,
    /// When it arrived here or was queued.
    pub arrived_at: Micros,
    /// Entry, change and place in the array of its delivery, counted through.
    pub index: i64,
}

/// How far an outgoing message has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(type_name = "text", rename_all = "snake_case"))]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    Queued,
    /// The request may be on its way.
    Sending,
    /// Meta answered 200 with an id, nothing more.
    Accepted,
    Sent,
    Delivered,
    Read,
    /// A voice message was listened to.
    Played,
    /// Kept back: the window closed, an earlier part failed, a switch is off.
    Held,
    Cancelled,
    Failed,
    /// Nobody knows whether it arrived; never re-sent by itself.
    Unknown,
}

impl Delivery {
    pub const ALL: [Self; 11] = [
        Self::Queued,
        Self::Sending,
        Self::Accepted,
        Self::Sent,
        Self::Delivered,
        Self::Read,
        Self::Played,
        Self::Held,
        Self::Cancelled,
        Self::Failed,
        Self::Unknown,
    ];

    /// The word used in SQL and on the wire.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Accepted => "accepted",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Played => "played",
            Self::Held => "held",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }

    /// How far along Meta's own statuses this is; `None` off that road.
    const fn step(self) -> Option<u8> {
        match self {
            Self::Accepted => Some(1),
            Self::Sent => Some(2),
            Self::Delivered => Some(3),
            Self::Read => Some(4),
            Self::Played => Some(5),
            Self::Queued | Self::Sending | Self::Held | Self::Cancelled | Self::Failed | Self::Unknown => None,
        }
    }

    /// The state after evidence from Meta (its answer, or a status webhook) says `news`; `None` if
    /// that is no news. Statuses come late, twice and out of order, so this only moves forward:
    /// `read` implies `delivered`, `failed` may follow `sent` but never `delivered`.
    #[must_use]
    pub fn after_evidence(self, news: Self) -> Option<Self> {
        let forward = match (self, news) {
            // Evidence of an earlier try outruns whatever we planned: it has been sent.
            (Self::Queued | Self::Sending | Self::Unknown | Self::Held, _) => {
                news.step().is_some() || news == Self::Failed
            }
            (Self::Accepted | Self::Sent, Self::Failed) => true,
            // Cancelled before it started on its way, yet Meta has it: then it was not cancelled.
            (Self::Cancelled, _) => news.step().is_some(),
            (Self::Failed, _) => false,
            (here, there) => match (here.step(), there.step()) {
                (Some(here), Some(there)) => there > here,
                _ => false,
            },
        };
        forward.then_some(news)
    }

    /// Whether nothing of it may reach the customer any more without another act.
    pub const fn is_settled(self) -> bool {
        !matches!(self, Self::Queued | Self::Sending | Self::Unknown)
    }
}

impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A message as a client shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub id: MessageId,
    pub conversation: ConversationId,
    /// Grows with every change; an older one never replaces a newer.
    pub version: i64,
    pub author: Author,
    /// Who wrote it, if an agent did (also a note).
    pub agent: Option<AgentId>,
    pub body: Body,
    pub place: Place,
    /// What to show as its time: Meta's second, or when it was queued or sent.
    pub at: Micros,
    /// It arrived after a younger one had been shown.
    pub late: bool,
    /// `None` for what is not ours to send.
    pub delivery: Option<Delivery>,
    /// What is wrong and what to do, for `held`, `failed` and `unknown`.
    pub problem: Option<String>,
    /// It failed or may not have arrived, and somebody has sent it again, which can be done once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sent_again: bool,
    /// The message that this one replies to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<Quote>,
    /// The newest of each side, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<Reaction>,
    /// When its author last changed it; `body` is the new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited: Option<Edited>,
    /// When its author deleted it for everybody. Agents still see what it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Micros>,
}

/// A message that another one replies to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// `None` if it is not here: older than the inbox, or sent elsewhere.
    pub message: Option<MessageId>,
    pub author: Option<Author>,
    /// At most 120 characters of it.
    pub text: String,
}

/// Somebody's sign on a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reaction {
    /// The customer, or the business itself.
    pub by: Author,
    pub emoji: String,
    pub at: Micros,
}

/// That a message was changed, and what it was at first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edited {
    pub at: Micros,
    /// Its first text.
    pub before: String,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_delivery() -> impl Strategy<Value = Delivery> {
        prop::sample::select(Delivery::ALL.to_vec())
    }

    proptest! {
        #[test]
        fn promise_7_states_only_move_forward(mut state in any_delivery(), news in prop::collection::vec(any_delivery(), 0..12)) {
            for news in news {
                let before = state;
                if let Some(after) = state.after_evidence(news) {
                    prop_assert!(after != before);
                    if let (Some(before), Some(after)) = (before.step(), after.step()) {
                        prop_assert!(after > before);
                    }
                    prop_assert!(before != Delivery::Failed);
                    state = after;
                }
            }
        }

        #[test]
        fn the_order_of_statuses_does_not_matter(mut news in Just(vec![Delivery::Sent, Delivery::Delivered, Delivery::Read]).prop_shuffle()) {
            news.extend(news.clone());
            let end = news.into_iter().fold(Delivery::Accepted, |state, news| state.after_evidence(news).unwrap_or(state));
            prop_assert_eq!(end, Delivery::Read);
        }
    }

    #[test]
    fn a_failure_after_delivery_is_not_believed() {
        assert_eq!(Delivery::Delivered.after_evidence(Delivery::Failed), None);
        assert_eq!(Delivery::Sent.after_evidence(Delivery::Failed), Some(Delivery::Failed));
    }
}

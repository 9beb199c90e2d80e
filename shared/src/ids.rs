//! Ids are UUIDs of version 7 made by us; where they come from is passed in.

use std::{fmt, str::FromStr, sync::Mutex};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::Micros;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(transparent))]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self { Self(id) }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self { id.0 }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(f) }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> { Uuid::parse_str(text).map(Self) }
        }
    )*};
}

ids! {
    /// One WhatsApp business number.
    ChannelId
    /// A person who writes.
    CustomerId
    /// One channel and one other side.
    ConversationId
    /// One thing said, or a note.
    MessageId
    /// One try to send a message; travels to Meta as `biz_opaque_callback_data`.
    AttemptId
    /// One stretch from escalation to hand back or resolve.
    HandoffId
    /// A bot's text that waits for a person.
    ProposalId
    /// A person who signs in.
    AgentId
    /// One sign-in of one agent.
    SessionId
    /// One act of a client; made by the client, so that a repeat is recognised.
    CommandId
    /// The bot's one answer to everything the customer wrote since the last answer.
    TurnId
    /// A file that an agent brings, before a message names it; made by the client, so that a repeat is recognised.
    UploadId
    /// A delivery that nobody could read, kept.
    DeadLetterId
    /// Something that the business has written down, and the bot answers from.
    DocumentId
}

/// Makes ids, and is the source of every other chance: seeded in tests, the system's otherwise.
pub struct Ids {
    rng: Option<Mutex<fastrand::Rng>>,
}

impl Ids {
    /// From the operating system's random numbers.
    pub fn system() -> Self {
        Self { rng: None }
    }

    /// The same seed gives the same numbers.
    pub fn seeded(seed: u64) -> Self {
        Self { rng: Some(Mutex::new(fastrand::Rng::with_seed(seed))) }
    }

    /// A new id of version 7, ordered by `now` to the millisecond.
    pub fn next<T: From<Uuid>>(&self, now: Micros) -> T {
        let mut random = [0; 10];
        self.fill(&mut random);
        let millis = u64::try_from(now.millis()).unwrap_or(0);
        T::from(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }

    /// Bytes for secrets; as unpredictable as the source.
    ///
    /// # Panics
    /// If the operating system has no random numbers: nothing may go on without them.
    pub fn fill(&self, bytes: &mut [u8]) {
        match &self.rng {
            None => getrandom::fill(bytes).expect("the operating system has random numbers"),
            Some(rng) => rng.lock().unwrap_or_else(std::sync::PoisonError::into_inner).fill(bytes),
        }
    }

    /// A number in `0..bound`, for jitter; 0 if `bound` is 0.
    pub fn below(&self, bound: u64) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes).checked_rem(bound).unwrap_or(0)
    }
}

impl fmt::Debug for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.rng.is_some() { "Ids(seeded)" } else { "Ids(system)" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_follow_time_and_seed() {
        let (a, b) = (Ids::seeded(7), Ids::seeded(7));
        let first: MessageId = a.next(Micros::from_seconds(1));
        assert_eq!(first, b.next(Micros::from_seconds(1)));
        assert!(first < a.next(Micros::from_seconds(2)));
        assert_eq!(first.0.get_version_num(), 7);
    }

    #[test]
    fn a_bound_of_nothing_is_nothing() {
        assert_eq!(Ids::system().below(0), 0);
    }
}

//! Promises taken out on purpose, to see that the tests notice. Only builds with the feature
//! `mutations` can do that; in every other build these are constants.

/// A promise that is taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Mutation {
    /// A bot's word starts whatever has become of control.
    NoFence = 1,
    /// A message that arrives twice is a new one.
    NoDedupe = 2,
    /// A delivery is answered before it is durable.
    AckFirst = 3,
    /// Nobody locks a conversation's row: epochs alone are compared.
    NoLock = 4,
    /// Two conversations become one, which goes on under the epoch of the one that stays.
    MergeKeepsEpoch = 5,
    /// Two conversations become one, which forgets who had the one that goes.
    MergeForgetsControl = 6,
}

impl std::str::FromStr for Mutation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "fence" => Ok(Self::NoFence),
            "dedupe" => Ok(Self::NoDedupe),
            "ack" => Ok(Self::AckFirst),
            "lock" => Ok(Self::NoLock),
            "merge-epoch" => Ok(Self::MergeKeepsEpoch),
            "merge-control" => Ok(Self::MergeForgetsControl),
            _ => Err(format!(
                "`{text}` is not a mutation: expected fence, dedupe, ack, lock, merge-epoch or merge-control"
            )),
        }
    }
}

#[cfg(feature = "mutations")]
mod chosen {
    use std::{
        collections::HashSet,
        sync::{
            Mutex, PoisonError,
            atomic::{AtomicU8, Ordering},
        },
    };

    use super::Mutation;

    static CHOSEN: AtomicU8 = AtomicU8::new(0);

    /// What has arrived while the dedupe is taken out.
    static ARRIVED: Mutex<Option<HashSet<String>>> = Mutex::new(None);

    /// Takes it out for the whole process.
    pub fn choose(mutation: Mutation) {
        CHOSEN.store(mutation as u8, Ordering::SeqCst);
    }

    /// Whether it was taken out.
    pub fn is(mutation: Mutation) -> bool {
        CHOSEN.load(Ordering::SeqCst) == mutation as u8
    }

    /// Whether a message that arrives now is to count as new although it arrived before: its first
    /// arrival keeps its name, so that nothing but the dedupe is missing.
    pub fn arrives_as_new(wamid: &str) -> bool {
        let mut arrived = ARRIVED.lock().unwrap_or_else(PoisonError::into_inner);
        is(Mutation::NoDedupe) && !arrived.get_or_insert_default().insert(wamid.to_owned())
    }
}

#[cfg(feature = "mutations")]
pub use chosen::{arrives_as_new, choose, is};

/// Whether a repeated message is to count as new: never, in this build.
#[cfg(not(feature = "mutations"))]
pub const fn arrives_as_new(_: &str) -> bool {
    false
}

/// Whether it was taken out: never, in this build.
#[cfg(not(feature = "mutations"))]
pub const fn is(_: Mutation) -> bool {
    false
}

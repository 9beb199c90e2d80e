//! Who must look into the store again: rooms wait on these, and look by themselves every so often,
//! for a wake-up can be lost with the process that sent it.

use tokio::sync::watch;

/// What there is to look for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// A turn may be due.
    Turns,
    /// A message may be sent.
    Outbox,
    /// An event was appended.
    Events,
    /// Meta said that a template, a number or an account has changed.
    Templates,
    /// A file may be fetched.
    Media,
    /// A file may be put in words.
    Words,
    /// A conversation's past may be written.
    Memory,
}

impl Topic {
    const ALL: [Self; 7] =
        [Self::Turns, Self::Outbox, Self::Events, Self::Templates, Self::Media, Self::Words, Self::Memory];
}

/// A set of topics, gathered by a transaction and told after its commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Topics(u8);

impl Topics {
    /// Whatever another server's commit may be about.
    pub const OF_OTHERS: Self = Self(0b111_0111);

    pub const fn add(&mut self, topic: Topic) {
        self.0 |= 1 << topic as u8;
    }

    pub const fn join(&mut self, other: Self) {
        self.0 |= other.0;
    }

    const fn has(self, topic: Topic) -> bool {
        self.0 & (1 << topic as u8) != 0
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// The bells of one process.
#[derive(Debug)]
pub struct Wakes {
    bells: [watch::Sender<u64>; 7],
}

impl Default for Wakes {
    fn default() -> Self {
        Self { bells: Topic::ALL.map(|_| watch::Sender::new(0)) }
    }
}

impl Wakes {
    /// Rings after this call are seen by the receiver, however late it waits.
    pub fn listen(&self, topic: Topic) -> watch::Receiver<u64> {
        self.bells[topic as usize].subscribe()
    }

    pub fn ring(&self, topics: Topics) {
        for topic in Topic::ALL {
            if topics.has(topic) {
                self.bells[topic as usize].send_modify(|count| *count += 1);
            }
        }
    }
}

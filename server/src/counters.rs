//! What happened since this process began, counted by the rooms where it happens and read by `operations`.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

/// One for each thing that is counted.
#[derive(Debug, Default)]
pub struct Counters {
    pub deliveries: Deliveries,
    /// New messages of customers and of the business's phone.
    pub messages_in: Count,
    pub sends: Sends,
}

/// Webhook deliveries, by what became of them.
#[derive(Debug, Default)]
pub struct Deliveries {
    /// Answered 200.
    pub stored: Count,
    /// Forged, too large, broken, or for an app that is not ours.
    pub refused: Count,
    /// More came than could be stored: Meta tries again.
    pub shed: Count,
    /// The store could not keep it: Meta tries again.
    pub failed: Count,
}

/// Tries to send a message, by what came of them.
#[derive(Debug, Default)]
pub struct Sends {
    pub accepted: Count,
    /// Meta said no, for now or for good.
    pub refused: Count,
    /// It never left.
    pub unsent: Count,
    /// Nobody knows.
    pub unanswered: Count,
}

impl Count {
    pub fn one(&self) {
        self.add(1);
    }

    pub fn add(&self, count: usize) {
        self.0.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

//! How long to wait before the next try to connect.

use std::time::Duration;

use baton_shared::Ids;

/// Doubles from `first` to `last`; half of each wait is chance, so that clients of a server that
/// died together do not come back together.
#[derive(Clone, Debug)]
pub(super) struct Backoff {
    first: Duration,
    last: Duration,
    tries: u32,
}

impl Backoff {
    pub(super) const fn new(first: Duration, last: Duration) -> Self {
        Self { first, last, tries: 0 }
    }

    /// Tries since the last success.
    pub(super) const fn tries(&self) -> u32 {
        self.tries
    }

    pub(super) const fn succeeded(&mut self) {
        self.tries = 0;
    }

    pub(super) fn next(&mut self, ids: &Ids) -> Duration {
        let whole = self.first.saturating_mul(1 << self.tries.min(20)).min(self.last);
        self.tries = self.tries.saturating_add(1);
        whole / 2 + jitter(ids, whole / 2)
    }
}

/// Somewhere between nothing and `up_to`.
pub(super) fn jitter(ids: &Ids, up_to: Duration) -> Duration {
    Duration::from_micros(ids.below(u64::try_from(up_to.as_micros()).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_limit_and_begin_again() {
        let ids = Ids::seeded(1);
        let mut backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(15));
        for expected in [250_u64, 500, 1000, 2000, 4000, 8000, 15_000, 15_000] {
            let wait = u64::try_from(backoff.next(&ids).as_millis()).unwrap();
            assert!((expected / 2..=expected).contains(&wait), "{wait} of {expected}");
        }
        assert_eq!(backoff.tries(), 8);
        backoff.succeeded();
        assert!(backoff.next(&ids) <= Duration::from_millis(250));
    }
}

//! WhatsApp's customer service window: free text only within a day of the customer's last word.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Micros;

/// The customer service window of one conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// `None`: the customer has never written.
    pub closes_at: Option<Micros>,
    /// Meta said 131047: closed whatever the clock says, until the customer writes again.
    pub overruled: bool,
}

impl Window {
    /// A day from Meta's timestamp of the customer's last word.
    pub const LENGTH: Duration = Duration::from_secs(24 * 60 * 60);

    /// Nothing starts this close to the end: our clock and Meta's may differ a little.
    pub const MARGIN: Duration = Duration::from_secs(60);

    /// For what needs no window.
    pub const ALWAYS: Self = Self { closes_at: Some(Micros::MAX), overruled: false };

    /// The customer wrote at `at`. Never shortens; a future timestamp counts as `now`.
    #[must_use]
    pub fn opened_by(self, at: Micros, now: Micros) -> Self {
        let closes_at = at.min(now).plus(Self::LENGTH);
        match self.closes_at {
            // An older message that arrives late proves nothing new about what Meta refused.
            Some(known) if known >= closes_at => self,
            _ => Self { closes_at: Some(closes_at), overruled: false },
        }
    }

    /// Meta answered 131047.
    #[must_use]
    pub const fn overrule(self) -> Self {
        Self { overruled: true, ..self }
    }

    /// Whether free text may start now.
    pub fn is_open(&self, now: Micros) -> bool {
        !self.overruled && self.closes_at.is_some_and(|closes_at| now.plus(Self::MARGIN) < closes_at)
    }

    /// How much is left, margin included; zero when closed.
    pub fn left(&self, now: Micros) -> Duration {
        match self.closes_at {
            Some(closes_at) if self.is_open(now) => closes_at.since(now),
            _ => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_late_message_shortens_the_window(times in prop::collection::vec(0_i64..10_000_000, 1..20), now in 0_i64..10_000_000) {
            let now = Micros::from_seconds(now);
            let mut window = Window::default();
            for at in times {
                let next = window.opened_by(Micros::from_seconds(at), now);
                prop_assert!(next.closes_at >= window.closes_at);
                prop_assert!(next.closes_at <= Some(now.plus(Window::LENGTH)));
                window = next;
            }
        }

        #[test]
        fn nothing_starts_in_the_last_minute(at in 0_i64..10_000_000, after in 0_i64..200_000) {
            let at = Micros::from_seconds(at);
            let window = Window::default().opened_by(at, at);
            let now = at.plus(Duration::from_secs(after.unsigned_abs()));
            prop_assert_eq!(window.is_open(now), after < 24 * 3600 - 60);
        }
    }

    #[test]
    fn meta_overrules_until_the_customer_writes_again() {
        let at = Micros::from_seconds(1_000_000);
        let closed = Window::default().opened_by(at, at).overrule();
        assert!(!closed.is_open(at));
        assert!(!closed.opened_by(at, at).is_open(at));
        let later = at.plus(Duration::from_secs(1));
        assert!(closed.opened_by(later, later).is_open(later));
    }
}

//! A circuit breaker: what failed again and again is left alone for a while, then tried once.
//!
//! Time is passed in, as the clock's monotonic one.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Counts one model's failures in a row.
#[derive(Debug)]
pub struct Breaker {
    opens_after: u32,
    opens_for: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    /// Nobody passes before; afterwards one does, as a trial.
    open_until: Option<Duration>,
    on_trial: bool,
}

/// The right to ask, for one question. Dropped without a word it says nothing of the model.
#[derive(Debug)]
#[must_use]
pub struct Pass<'a>(&'a Breaker);

impl Breaker {
    pub fn new(opens_after: u32, opens_for: Duration) -> Self {
        Self { opens_after, opens_for, state: Mutex::default() }
    }

    /// `None` while it is open, or while another question is its trial.
    pub fn pass(&self, now: Duration) -> Option<Pass<'_>> {
        let mut state = self.state();
        if let Some(until) = state.open_until {
            if now < until || state.on_trial {
                return None;
            }
            state.on_trial = true;
        }
        Some(Pass(self))
    }

    /// Whether a question would pass.
    pub fn would_pass(&self, now: Duration) -> bool {
        let state = self.state();
        state.open_until.is_none_or(|until| now >= until && !state.on_trial)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass<'_> {
    pub fn succeed(self) {
        *self.0.state() = State::default();
    }

    /// One failure more; opens if that is enough, or if this was the trial.
    pub fn fail(self, now: Duration) {
        let mut state = self.0.state();
        state.failures = state.failures.saturating_add(1);
        if state.failures >= self.0.opens_after || state.open_until.is_some() {
            state.open_until = Some(now + self.0.opens_for);
        }
    }

    /// Nothing will change before `rest` is over; at least as long as it is open otherwise.
    pub fn rest(self, now: Duration, rest: Option<Duration>) {
        self.0.state().open_until = Some(now + rest.unwrap_or(self.0.opens_for));
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.0.state().on_trial = false;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn it_opens_after_failures_in_a_row_and_lets_one_trial_through() {
        let breaker = Breaker::new(3, at(30));
        breaker.pass(at(0)).unwrap().fail(at(0));
        breaker.pass(at(0)).unwrap().fail(at(0));
        breaker.pass(at(0)).unwrap().succeed();
        for _ in 0..3 {
            breaker.pass(at(1)).unwrap().fail(at(1));
        }
        assert!(breaker.pass(at(30)).is_none());
        let trial = breaker.pass(at(31)).unwrap();
        assert!(breaker.pass(at(31)).is_none(), "one at a time");
        trial.fail(at(32));
        assert!(breaker.pass(at(61)).is_none() && breaker.would_pass(at(62)));
        drop(breaker.pass(at(62)).unwrap());
        breaker.pass(at(62)).unwrap().succeed();
        assert!(breaker.pass(at(62)).is_some() && breaker.pass(at(62)).is_some());
    }

    #[test]
    fn whoever_says_how_long_is_left_alone_for_so_long() {
        let breaker = Breaker::new(3, at(30));
        breaker.pass(at(0)).unwrap().rest(at(0), Some(at(7)));
        assert!(!breaker.would_pass(at(6)) && breaker.would_pass(at(7)));
        breaker.pass(at(7)).unwrap().rest(at(7), None);
        assert!(!breaker.would_pass(at(36)) && breaker.would_pass(at(37)));
    }

    proptest! {
        #[test]
        fn it_never_stays_closed_for_good(acts in proptest::collection::vec((0..4_u8, 0..20_u64), 0..60)) {
            let breaker = Breaker::new(2, at(10));
            let mut now = at(0);
            for (act, later) in acts {
                now += at(later);
                if let Some(pass) = breaker.pass(now) {
                    match act {
                        0 => pass.succeed(),
                        1 => pass.fail(now),
                        2 => pass.rest(now, Some(at(5))),
                        _ => drop(pass),
                    }
                }
            }
            prop_assert!(breaker.would_pass(now + at(10)));
        }
    }
}

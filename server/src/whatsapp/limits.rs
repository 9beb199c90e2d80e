//! Meta's limits on sending, as values that are asked before a message goes, so that it is not refused.

use std::time::Duration;

use baton_shared::Micros;

/// Messages a second of one number (Meta: throughput).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throughput {
    interval: Duration,
    burst: u32,
    /// When a number that sent at an even pace would be where this one is.
    virtual_time: Micros,
}

impl Throughput {
    /// What every number may send and receive a second.
    pub const USUAL: u32 = 80;

    /// What Meta raises a busy number with many customers to.
    pub const UPGRADED: u32 = 1_000;

    /// What a number may that is also used in the WhatsApp Business app.
    pub const COEXISTENCE: u32 = 20;

    /// In no second more than `per_second`: nine tenths at an even pace, one tenth at once.
    pub fn new(per_second: u32) -> Self {
        let burst = (per_second / 10).max(1);
        let pace = (per_second - burst.min(per_second)).max(1);
        Self { interval: Duration::from_secs(1) / pace, burst, virtual_time: Micros::ZERO }
    }

    /// Another allowance from now on; what was taken is not forgotten.
    pub fn allow(&mut self, per_second: u32) {
        *self = Self { virtual_time: self.virtual_time, ..Self::new(per_second) };
    }

    /// Takes one message out of the allowance.
    ///
    /// # Errors
    /// When the next one may go.
    pub fn take(&mut self, now: Micros) -> Result<(), Micros> {
        let at = self.virtual_time.max(now);
        let room = self.interval * (self.burst - 1);
        if at.minus(room) > now {
            return Err(at.minus(room));
        }
        self.virtual_time = at.plus(self.interval);
        Ok(())
    }

    /// One that was taken did not go.
    pub fn give_back(&mut self) {
        self.virtual_time = self.virtual_time.minus(self.interval);
    }

    /// Counts a message that went at `at`, allowed or not: to go on from what another server sent.
    pub fn record(&mut self, at: Micros) {
        self.virtual_time = self.virtual_time.max(at).plus(self.interval);
    }
}

/// Messages to one customer (Meta: pair rate): one in 6 s, or up to 45 within 6 s that are borrowed
/// from the time after.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pair {
    burst_from: Micros,
    sent: u32,
}

impl Pair {
    pub const INTERVAL: Duration = Duration::from_secs(6);
    pub const BURST: u32 = 45;

    /// How far back attempts matter to [`after`](Self::after).
    pub const MEMORY: Duration = Duration::from_secs(6 * 45);

    /// From the attempts of the last [`MEMORY`](Self::MEMORY), oldest first.
    pub fn after(attempts: impl IntoIterator<Item = Micros>) -> Self {
        let mut pair = Self::default();
        for at in attempts {
            pair.record(at);
        }
        pair
    }

    /// Takes one message out of the allowance.
    ///
    /// # Errors
    /// When the next one may go.
    pub fn take(&mut self, now: Micros) -> Result<(), Micros> {
        if self.borrows(now) && self.sent >= Self::BURST || !self.borrows(now) && now < self.paid_back_at() {
            return Err(self.paid_back_at());
        }
        self.record(now);
        Ok(())
    }

    /// One that was taken did not go.
    pub fn give_back(&mut self) {
        self.sent = self.sent.saturating_sub(1);
    }

    /// Counts a message that went at `at`, allowed or not.
    pub fn record(&mut self, at: Micros) {
        if at >= self.paid_back_at() {
            *self = Self { burst_from: at, sent: 1 };
        } else {
            self.sent += 1;
        }
    }

    /// How many have gone that are not paid back.
    pub const fn sent(&self) -> u32 {
        self.sent
    }

    /// Whether nothing is owed any more, so that there is nothing to remember.
    pub fn is_idle(&self, now: Micros) -> bool {
        now >= self.paid_back_at()
    }

    fn borrows(&self, now: Micros) -> bool {
        self.sent > 0 && now < self.burst_from.plus(Self::INTERVAL)
    }

    fn paid_back_at(&self) -> Micros {
        self.burst_from.plus(Self::INTERVAL * self.sent)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: Micros = Micros::from_seconds(1_000);

    fn after(seconds: u64) -> Micros {
        START.plus(Duration::from_secs(seconds))
    }

    #[test]
    fn one_customer_gets_a_burst_and_then_silence_for_as_long_as_it_was() {
        let mut pair = Pair::default();
        for _ in 0..20 {
            assert_eq!(pair.take(START), Ok(()));
        }
        assert_eq!(pair.take(after(6)), Err(after(120)));
        assert_eq!(pair.take(after(119)), Err(after(120)));
        assert_eq!(pair.take(after(120)), Ok(()));
    }

    #[test]
    fn a_burst_ends_at_forty_five() {
        let mut pair = Pair::default();
        let taken = (0..60).filter(|_| pair.take(START).is_ok()).count();
        assert_eq!(taken, 45);
        assert_eq!(pair.take(after(1)), Err(after(270)));
    }

    #[test]
    fn what_did_not_go_uses_nothing_up() {
        let (mut pair, mut number) = (Pair::default(), Throughput::new(Throughput::USUAL));
        for _ in 0..1_000 {
            assert_eq!((pair.take(START), number.take(START)), (Ok(()), Ok(())));
            pair.give_back();
            number.give_back();
        }
        assert!(pair.is_idle(START));
    }

    #[test]
    fn an_even_pace_is_never_held_up() {
        let mut pair = Pair::default();
        for message in 0..100 {
            assert_eq!(pair.take(after(6 * message)), Ok(()));
        }
        assert!(!pair.is_idle(after(6 * 99)) && pair.is_idle(after(6 * 100)));
    }

    proptest! {
        #[test]
        fn a_pair_is_rebuilt_from_its_attempts(gaps in prop::collection::vec(0_u64..40, 0..120)) {
            let (mut pair, mut now, mut sent) = (Pair::default(), START, Vec::new());
            for gap in gaps {
                now = now.plus(Duration::from_secs(gap));
                if pair.take(now).is_ok() {
                    sent.push(now);
                }
            }
            prop_assert_eq!(Pair::after(sent), pair);
        }

        #[test]
        fn a_held_up_message_may_go_at_the_time_it_was_told(gaps in prop::collection::vec(0_u64..3_000, 1..200)) {
            let mut pair = Pair::default();
            let mut number = Throughput::new(Throughput::COEXISTENCE);
            let mut now = START;
            for gap in gaps {
                now = now.plus(Duration::from_millis(gap));
                if let Err(at) = pair.take(now) {
                    prop_assert!(at > now);
                    prop_assert_eq!(pair.clone().take(at), Ok(()));
                }
                if let Err(at) = number.take(now) {
                    prop_assert!(at > now);
                    prop_assert_eq!(number.clone().take(at), Ok(()));
                }
            }
        }

        #[test]
        fn a_number_never_sends_more_in_a_second(
            per_second in 1_u32..100, gaps in prop::collection::vec(0_u64..60, 100..400),
        ) {
            let mut number = Throughput::new(per_second);
            let (mut now, mut sent) = (START, Vec::new());
            for gap in gaps {
                now = now.plus(Duration::from_millis(gap));
                if number.take(now).is_ok() {
                    sent.push(now);
                }
            }
            for (at, moment) in sent.iter().enumerate() {
                let until = moment.plus(Duration::from_millis(999));
                let within = sent[at..].iter().take_while(|sent| **sent <= until).count();
                prop_assert!(within <= per_second.max(2) as usize, "{within}");
            }
        }
    }

    #[test]
    fn a_number_sends_nine_tenths_of_its_limit() {
        let mut number = Throughput::new(Throughput::USUAL);
        let sent = (0..10_000).filter(|millis| number.take(START.plus(Duration::from_millis(*millis))).is_ok()).count();
        assert!((720..=730).contains(&sent), "{sent}");
        let mut other = Throughput::new(Throughput::USUAL);
        for _ in 0..80 {
            other.record(START);
        }
        assert!(other.take(START).is_err());
    }
}

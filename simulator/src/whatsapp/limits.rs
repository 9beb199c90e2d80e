//! Meta's two rates: of one number (130429) and of one number towards one customer (131056).

use std::{collections::BTreeMap, time::Duration};

use baton_shared::Micros;

use super::{Limits, PersonId};

/// How far each number and each pair has used up its rate.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    numbers: BTreeMap<usize, Bucket>,
    pairs: BTreeMap<(usize, PersonId), Bucket>,
}

/// Which rate was exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exceeded {
    Number,
    Pair,
}

impl Rates {
    /// Counts one outgoing message, or says which rate refuses it; a refused one counts for nothing.
    pub(crate) fn send(
        &mut self,
        limits: &Limits,
        now: Micros,
        number: usize,
        person: Option<PersonId>,
    ) -> Result<(), Exceeded> {
        let of_number = self.numbers.entry(number).or_default();
        if !of_number.has_room(now, limits.number_every(), limits.throughput) {
            return Err(Exceeded::Number);
        }
        if let Some(person) = person {
            let of_pair = self.pairs.entry((number, person)).or_default();
            if !of_pair.has_room(now, limits.pair_every, limits.pair_burst) {
                return Err(Exceeded::Pair);
            }
            of_pair.fill(now, limits.pair_every);
        }
        of_number.fill(now, limits.number_every());
        Ok(())
    }

    /// Counts one incoming message: it shares the number's rate but is never refused.
    pub(crate) fn receive(&mut self, limits: &Limits, now: Micros, number: usize) {
        self.numbers.entry(number).or_default().fill(now, limits.number_every());
    }
}

impl Limits {
    fn number_every(&self) -> Duration {
        Duration::from_secs(1) / self.throughput.max(1)
    }
}

/// Remembers only when it would be empty again.
#[derive(Debug, Default)]
struct Bucket {
    empty_at: Micros,
}

impl Bucket {
    fn has_room(&self, now: Micros, every: Duration, burst: u32) -> bool {
        self.empty_at.since(now) <= every * burst.saturating_sub(1)
    }

    fn fill(&mut self, now: Micros, every: Duration) {
        self.empty_at = self.empty_at.max(now).plus(every);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_borrowed_from_the_time_to_come() {
        let (limits, mut rates) = (Limits::default(), Rates::default());
        let start = Micros::from_seconds(1_000);
        let mut send =
            |seconds: u64| rates.send(&limits, start.plus(Duration::from_secs(seconds)), 0, Some(PersonId(0)));
        assert!((0..45).all(|_| send(0).is_ok()));
        assert_eq!(send(0), Err(Exceeded::Pair));
        assert_eq!(send(5), Err(Exceeded::Pair));
        assert_eq!(send(6), Ok(()));
        assert_eq!(send(7), Err(Exceeded::Pair));
    }

    #[test]
    fn both_ways_share_the_numbers_rate() {
        let (limits, mut rates) = (Limits::default(), Rates::default());
        let now = Micros::from_seconds(1_000);
        (0..79).for_each(|_| rates.receive(&limits, now, 0));
        assert_eq!(rates.send(&limits, now, 0, Some(PersonId(0))), Ok(()));
        assert_eq!(rates.send(&limits, now, 0, Some(PersonId(1))), Err(Exceeded::Number));
        assert_eq!(rates.send(&limits, now.plus(Duration::from_millis(13)), 0, Some(PersonId(1))), Ok(()));
    }
}

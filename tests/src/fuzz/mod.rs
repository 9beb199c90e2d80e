//! Bodies that Meta would sign and nobody expects: the corpus with every field broken in every way,
//! then many ways at once, against a real server. Whatever arrives well signed is answered 200, stored
//! once, and understood or a dead letter with a reason; nothing panics, nothing private is logged, and
//! the client can show it.
//!
//! `tests/long` does this for as long as one likes, `tests/tests/fuzz.rs` a little of it with every run
//! of the tests. A seed and the number of a round are all it takes to see the same again.

pub mod corpus;
pub mod documents;
pub mod kept;
mod minimise;
mod mutate;
mod screen;
mod tree;
mod trial;
mod watch;

use std::path::PathBuf;

use fastrand::Rng;
use serde_json::Value;

use self::{
    minimise::Smaller,
    mutate::{CHANGES, by_chance},
    tree::Node,
    trial::{Case, How, Place},
};

pub use self::trial::{Finding, Outcome};

/// So many bodies are a round; each round begins with an empty store.
pub const ROUND: usize = 400;

/// The bodies of a run: which ones follows from the seed.
#[derive(Clone, Debug)]
pub struct Fuzzer {
    seed: u64,
    corpus: Vec<Value>,
    place: Place,
    /// Where the changes of each body of the corpus begin, when they are counted through; and their number.
    sweep: Vec<usize>,
}

impl Fuzzer {
    /// # Panics
    /// If the corpus cannot be read.
    pub fn new(seed: u64, postgres: bool) -> Self {
        let files: Vec<PathBuf> = corpus::own().into_iter().chain(corpus::named()).collect();
        let read = |file: &PathBuf| serde_json::from_slice(&std::fs::read(file).ok()?).ok();
        let corpus: Vec<Value> =
            files.iter().map(|file| read(file).unwrap_or_else(|| panic!("{} is no JSON", file.display()))).collect();
        let mut sweep = vec![0];
        for body in &corpus {
            sweep.push(sweep[sweep.len() - 1] + Node::from(body).count() * CHANGES.len());
        }
        let place = Place { postgres, numbers: corpus::numbers(&corpus) };
        Self { seed, corpus, place, sweep }
    }

    pub fn bodies(&self) -> usize {
        self.corpus.len()
    }

    /// How many bodies have one change, each value of the corpus in each way.
    pub fn singles(&self) -> usize {
        self.sweep[self.sweep.len() - 1]
    }

    /// After so many rounds, every single change was made: every second one is of single changes until
    /// then, the others are by chance.
    pub fn sweep_rounds(&self) -> u64 {
        2 * self.singles().div_ceil(ROUND) as u64
    }

    fn rng(&self, round: u64) -> Rng {
        Rng::with_seed(self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(round))
    }

    /// The bodies of a round.
    fn cases(&self, round: u64) -> Vec<Case> {
        let mut rng = self.rng(round);
        let first = usize::try_from(round / 2).unwrap_or(usize::MAX).saturating_mul(ROUND);
        let is_swept = |number: usize| round.is_multiple_of(2) && number < self.singles();
        let bodies = (first..first.saturating_add(ROUND)).filter_map(|number| {
            let tag = format!("~{round}.{number}");
            if is_swept(number) { self.single(number, &tag) } else { Some(self.chance(&mut rng, &tag)) }
        });
        let bodies: Vec<Vec<u8>> = bodies.collect();
        let cases = bodies.into_iter().filter(|body| body.len() <= 3_900_000);
        cases
            .map(|body| {
                let how = match rng.u8(..6) {
                    0 => How::TwiceAtOnce,
                    1 => How::AgainLater,
                    _ => How::Once,
                };
                Case { body, how }
            })
            .collect()
    }

    /// One of [`singles`](Self::singles), in an order that mixes bodies and changes; `None` if this
    /// change makes no sense there.
    fn single(&self, number: usize, tag: &str) -> Option<Vec<u8>> {
        // Far steps that meet every number once: the step has no divisor in common with their count. In the
        // golden ratio, neighbours are far from each other for long.
        let step = (self.singles() * 618 / 1_000..).find(|step| coprime(*step, self.singles()))?;
        let number = (number * step) % self.singles();
        let body = self.sweep.partition_point(|begin| *begin <= number) - 1;
        let place = number - self.sweep[body];
        let mut node = Node::from(&corpus::fresh(&self.corpus[body], tag));
        CHANGES[place % CHANGES.len()].apply(&mut node, place / CHANGES.len()).then(|| node.write())
    }

    fn chance(&self, rng: &mut Rng, tag: &str) -> Vec<u8> {
        let mut one = |tag: &str| Node::from(&corpus::fresh(&self.corpus[rng.usize(..self.corpus.len())], tag));
        let root = one(tag);
        let others = [one(&format!("{tag}a")), one(&format!("{tag}b"))];
        by_chance(rng, &root, &others)
    }

    /// Sends the bodies of a round to a server of their own.
    pub async fn round(&self, round: u64) -> Outcome {
        self.place.trial(&self.cases(round), &mut self.rng(round)).await
    }

    /// Sends `count` bodies of the sweep and as many by chance: what fits into a run of the tests.
    pub async fn sample(&self, count: usize) -> Outcome {
        let of = |round: u64| self.cases(round).into_iter().take(count);
        let cases: Vec<Case> = of(2 * self.seed).chain(of(2 * self.seed + 1)).collect();
        self.place.trial(&cases, &mut self.rng(0)).await
    }

    /// The smallest bodies that lead to a round's finding; none if it does not happen again.
    pub async fn smallest(&self, round: u64, finding: &Finding) -> Vec<Vec<u8>> {
        let cases = self.cases(round);
        let suspects = finding.case.and_then(|number| cases.get(number)).cloned().map_or(cases, |case| vec![case]);
        let mut smaller = Smaller::new(&self.place, &finding.what);
        let blamed = match smaller.blamed(suspects).await {
            Some(mut one) if one.len() == 1 => vec![smaller.smaller(one.remove(0)).await],
            Some(several) => several,
            None => Vec::new(),
        };
        blamed.into_iter().map(|case| case.body).collect()
    }
}

fn coprime(mut one: usize, mut two: usize) -> bool {
    while two > 0 {
        (one, two) = (two, one % two);
    }
    one == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_round_has_the_same_bodies() {
        let fuzzer = Fuzzer::new(7, false);
        let bodies = |round| fuzzer.cases(round).into_iter().map(|case| case.body).collect::<Vec<_>>();
        for round in [0, 1, fuzzer.sweep_rounds()] {
            assert_eq!(bodies(round), bodies(round));
        }
        assert_ne!(bodies(1), bodies(3));
    }

    #[test]
    fn every_single_change_is_made_once() {
        let fuzzer = Fuzzer::new(7, false);
        let made = |number| fuzzer.single(number, "").is_some();
        assert!((0..5_000).filter(|number| made(*number)).count() > 4_000);
        let step = (fuzzer.singles() * 618 / 1_000..).find(|step| coprime(*step, fuzzer.singles())).unwrap();
        let met: std::collections::HashSet<usize> =
            (0..fuzzer.singles()).map(|number| number * step % fuzzer.singles()).collect();
        assert_eq!(met.len(), fuzzer.singles());
    }
}

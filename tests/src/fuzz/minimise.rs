//! The smallest body that still does it.

use fastrand::Rng;
use serde_json::Value;

use super::{
    mutate::Change,
    tree::Node,
    trial::{Case, Place},
};

/// More trials than that are not made for one finding.
const TRIALS: usize = 120;

/// What is left of a trial in which something was found.
pub struct Smaller<'a> {
    place: &'a Place,
    what: &'a str,
    left: usize,
}

impl<'a> Smaller<'a> {
    pub const fn new(place: &'a Place, what: &'a str) -> Self {
        Self { place, what, left: TRIALS }
    }

    async fn does_it(&mut self, cases: &[Case]) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        let outcome = self.place.trial(cases, &mut Rng::with_seed(1)).await;
        outcome.findings.iter().any(|finding| finding.what == self.what)
    }

    /// One case of them, if one alone does it; otherwise as few as are found by halving.
    pub async fn blamed(&mut self, mut cases: Vec<Case>) -> Option<Vec<Case>> {
        if !self.does_it(&cases).await {
            return None;
        }
        let mut piece = cases.len() / 2;
        while piece > 0 && cases.len() > 1 {
            let mut at = 0;
            while at < cases.len() && cases.len() > 1 {
                let mut fewer = cases.clone();
                fewer.drain(at..(at + piece).min(cases.len()));
                if !fewer.is_empty() && self.does_it(&fewer).await {
                    cases = fewer;
                } else {
                    at += piece;
                }
            }
            piece /= 2;
        }
        Some(cases)
    }

    /// The same case with less in it.
    pub async fn smaller(&mut self, mut case: Case) -> Case {
        if let Ok(value) = serde_json::from_slice::<Value>(&case.body) {
            let mut node = Node::from(&value);
            let as_written = Case { body: node.write(), ..case.clone() };
            if self.does_it(std::slice::from_ref(&as_written)).await {
                self.prune(&mut node, &case).await;
                return Case { body: node.write(), ..case };
            }
        }
        let mut piece = case.body.len() / 2;
        while piece > 0 && self.left > 0 {
            let mut at = 0;
            while at < case.body.len() && self.left > 0 {
                let mut body = case.body.clone();
                body.drain(at..(at + piece).min(case.body.len()));
                let fewer = Case { body, ..case.clone() };
                if self.does_it(std::slice::from_ref(&fewer)).await {
                    case = fewer;
                } else {
                    at += piece;
                }
            }
            piece /= 2;
        }
        case
    }

    /// Takes values out, the largest first.
    async fn prune(&mut self, node: &mut Node, case: &Case) {
        let mut number = 1;
        while number < node.count() && self.left > 0 {
            let mut fewer = node.clone();
            let removed = Change::Missing.apply(&mut fewer, number);
            let smaller = Case { body: fewer.write(), ..case.clone() };
            if removed && self.does_it(std::slice::from_ref(&smaller)).await {
                *node = fewer;
            } else {
                number += 1;
            }
        }
    }
}

//! A brain for each playbook, learnt once however many numbers it speaks on.

use std::{sync::Arc, time::Duration};

use super::{chain::Chain, decide::Brain};
use crate::{config::Settings, knowledge::Library};

/// The brains of all numbers, in the order of the settings' playbooks.
pub struct Brains(Vec<Brain>);

impl Brains {
    /// Learns the examples of every playbook: some tenths of a second of work for each.
    pub fn learn(settings: &Settings, chain: &Arc<Chain>) -> Self {
        let brain = |playbook| Brain::new(playbook, chain.clone());
        Self(settings.books.iter().map(|book| brain(book.playbook.clone())).collect())
    }

    /// The same, answering from documents too.
    #[must_use]
    pub fn with_knowledge(self, library: &Library) -> Self {
        Self(self.0.into_iter().map(|brain| brain.with_knowledge(library.clone())).collect())
    }

    /// The one of this place among the settings' playbooks.
    pub fn get(&self, book: usize) -> &Brain {
        &self.0[book]
    }

    /// The longest that any of them takes to decide.
    pub fn longest(&self) -> Duration {
        self.0.iter().map(Brain::longest).max().unwrap_or_default()
    }
}

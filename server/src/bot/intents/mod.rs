//! Which of the playbook's intents a sentence means, or none: learnt at start from its examples.

use features::{Counts, Weights, counts};
use regression::{Regression, Sample};

use crate::config::Playbook;

mod features;
mod regression;

/// Knows the intents of one playbook.
#[derive(Clone, Debug)]
pub struct Classifier {
    weights: Weights,
    /// One class an intent, in the playbook's order, and after them the one for none of these.
    regression: Regression,
    intents: usize,
    accepts: f32,
}

/// The most likely intent of a sentence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Guess {
    /// Its place in the playbook.
    pub intent: usize,
    /// 0 to 1.
    pub confidence: f32,
    /// Sure enough to act upon without asking anybody.
    pub accepted: bool,
    /// Nearly so: enough to call a person for a topic that is theirs.
    pub likely: bool,
}

/// What people also write and no shop answers, a sentence a line.
const BACKGROUND: &str = include_str!("background.txt");

/// Parts of the examples that are kept back in turn to see how sure the classifier is of what it
/// has not learnt. Two let it accept more than four do, at the same precision.
const FOLDS: usize = 2;

/// A needless handoff costs a person a minute, a missed one may cost the customer.
const LIKELY: f32 = 0.75;

/// Below this another intent may be as likely, whatever the examples say.
const LEAST_ACCEPTED: f32 = 0.4;

impl Classifier {
    /// Learns from the examples of `playbook`; the same examples give the same classifier.
    pub fn train(playbook: &Playbook) -> Self {
        let examples = playbook
            .intents
            .iter()
            .enumerate()
            .flat_map(|(class, intent)| intent.examples.iter().map(move |example| (example.text.as_str(), class)));
        Self::learn(examples, playbook.intents.len(), BACKGROUND.lines(), playbook.thresholds.intent_rejects)
    }

    /// Learns sentences and the place of the intent that each means; what is in `background` means none.
    pub fn learn<'a>(
        examples: impl Iterator<Item = (&'a str, usize)>,
        intents: usize,
        background: impl Iterator<Item = &'a str>,
        rejects: f32,
    ) -> Self {
        let background = background.map(|line| (line, intents));
        let sentences: Vec<(Counts, usize)> =
            examples.chain(background).map(|(text, class)| (counts(text), class)).collect();
        let weights = Weights::of(sentences.iter().map(|(counts, _)| counts));
        let sentences: Vec<(Counts, usize)> =
            sentences.into_iter().map(|(counts, class)| (weights.weigh(counts), class)).collect();
        let samples: Vec<Sample<'_>> = sentences.iter().map(|(counts, class)| (counts, *class)).collect();
        let accepts = threshold(&samples, intents, rejects);
        Self { weights, regression: Regression::train(&samples, intents + 1), intents, accepts }
    }

    /// The most likely intent; `None` if the playbook has none or the sentence is rather none of these.
    pub fn guess(&self, text: &str) -> Option<Guess> {
        let (intent, confidence) = most(&self.probabilities(text)?);
        (intent < self.intents).then(|| self.judged(intent, confidence))
    }

    /// All intents, the most likely first, whether or not the sentence is rather none of these.
    pub fn ranked(&self, text: &str) -> Vec<Guess> {
        let Some(probabilities) = self.probabilities(text) else { return Vec::new() };
        let mut ranked: Vec<Guess> =
            probabilities[..self.intents].iter().enumerate().map(|(intent, sure)| self.judged(intent, *sure)).collect();
        ranked.sort_by(|one, other| other.confidence.total_cmp(&one.confidence));
        ranked
    }

    /// One an intent, and the last that it is none; `None` if there is nothing to read.
    fn probabilities(&self, text: &str) -> Option<Vec<f32>> {
        let sentence = self.weights.weigh(counts(text));
        let mut probabilities = vec![0.0; self.intents + 1];
        self.regression.probabilities(&sentence, &mut probabilities);
        (!sentence.is_empty()).then_some(probabilities)
    }

    fn judged(&self, intent: usize, confidence: f32) -> Guess {
        Guess { intent, confidence, accepted: confidence >= self.accepts, likely: confidence >= self.accepts * LIKELY }
    }
}

/// The confidence that all but `rejects` of the rightly recognised examples reach when they were
/// not learnt from.
fn threshold(samples: &[Sample<'_>], intents: usize, rejects: f32) -> f32 {
    let mut right: Vec<f32> = (0..FOLDS).flat_map(|fold| confidences(samples, intents, fold)).collect();
    right.sort_unstable_by(f32::total_cmp);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place in a short list"
    )]
    let place = (right.len() as f32 * rejects) as usize;
    right.get(place).copied().unwrap_or(1.0).max(LEAST_ACCEPTED)
}

/// How sure a classifier that has not seen one part is of what it recognises in it.
fn confidences(samples: &[Sample<'_>], intents: usize, fold: usize) -> Vec<f32> {
    let part = |keep: bool| -> Vec<Sample<'_>> {
        samples.iter().enumerate().filter(|(at, _)| (at % FOLDS == fold) == keep).map(|(_, sample)| *sample).collect()
    };
    let model = Regression::train(&part(false), intents + 1);
    let mut probabilities = vec![0.0; intents + 1];
    let mut right = Vec::new();
    for (sentence, class) in part(true) {
        model.probabilities(sentence, &mut probabilities);
        let (guess, confidence) = most(&probabilities);
        if guess == class && class < intents {
            right.push(confidence);
        }
    }
    right
}

fn most(probabilities: &[f32]) -> (usize, f32) {
    let mut best = (0, 0.0);
    for (class, probability) in probabilities.iter().enumerate() {
        if *probability > best.1 {
            best = (class, *probability);
        }
    }
    best
}

#[cfg(test)]
mod tests;

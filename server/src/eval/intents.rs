//! How well the classifier knows what sentences mean that it has not learnt from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    bot::intents::{Classifier, Guess},
    config::Playbook,
};

/// A sentence, and the name of the intent that it means; empty if it means none of the playbook's.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub text: String,
    #[serde(default)]
    pub intent: String,
}

/// What came of all cases. Shares are from 0 to 1, and `None` where there was nothing to count.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    pub cases: usize,
    pub out_of_scope: usize,
    /// Of what was accepted, rightly so: what is out of scope and accepted counts against it.
    pub precision: Option<f64>,
    /// Of what is in scope, accepted, rightly or not.
    pub coverage: Option<f64>,
    /// Of what is out of scope, not accepted.
    pub oos_recall: Option<f64>,
    /// Of what is in scope, best guessed, accepted or not.
    pub accuracy: Option<f64>,
    /// The most frequent first.
    pub confusions: Vec<Confusion>,
    pub intents: Vec<PerIntent>,
}

/// Cases of one intent that were accepted as another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Confusion {
    /// `None`: out of scope.
    pub expected: Option<String>,
    pub found: String,
    pub cases: usize,
    /// One of them.
    pub text: String,
}

/// How one intent fares.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PerIntent {
    pub name: String,
    /// In the playbook, all languages together.
    pub examples: usize,
    pub cases: usize,
    /// Of its cases, accepted as what they are.
    pub recognised: Option<f64>,
    pub needs_examples: bool,
}

/// Fewer examples in each of its languages than this, and few-shot accuracy falls off (docs/benchmarks.md).
const ENOUGH: usize = 10;

/// An intent of which less than this is recognised wants examples like those that were missed.
const RECOGNISED: f64 = 0.8;

impl Report {
    /// Figures by the names that gates know them by.
    pub fn figures(&self) -> [(&'static str, Option<f64>); 4] {
        [
            ("precision", self.precision),
            ("coverage", self.coverage),
            ("oos_recall", self.oos_recall),
            ("accuracy", self.accuracy),
        ]
    }
}

/// The names in `cases` that are no intent of the playbook's, each once.
pub fn strangers<'a>(playbook: &Playbook, cases: &'a [Case]) -> Vec<&'a str> {
    let known = |name: &str| name.is_empty() || playbook.intents.iter().any(|intent| intent.name == name);
    let mut names: Vec<&str> = cases.iter().map(|case| case.intent.as_str()).filter(|name| !known(name)).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Asks the classifier about every case.
pub fn measure(playbook: &Playbook, classifier: &Classifier, cases: &[Case]) -> Report {
    let answered: Vec<Answered<'_>> = cases.iter().map(|case| Answered::of(playbook, classifier, case)).collect();
    let in_scope = || answered.iter().filter(|one| one.expected.is_some());
    let out = || answered.iter().filter(|one| one.expected.is_none());
    let accepted = || answered.iter().filter(|one| one.accepted().is_some());
    Report {
        cases: cases.len(),
        out_of_scope: out().count(),
        precision: share(accepted().filter(|one| one.is_right()).count(), accepted().count()),
        coverage: share(in_scope().filter(|one| one.accepted().is_some()).count(), in_scope().count()),
        oos_recall: share(out().filter(|one| one.accepted().is_none()).count(), out().count()),
        accuracy: share(in_scope().filter(|one| one.best == one.expected).count(), in_scope().count()),
        confusions: confusions(playbook, &answered),
        intents: (0..playbook.intents.len()).map(|intent| per_intent(playbook, intent, &answered)).collect(),
    }
}

/// `None` of nothing.
#[expect(clippy::cast_precision_loss, reason = "numbers of cases")]
pub fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// A case and what the classifier says.
struct Answered<'a> {
    text: &'a str,
    expected: Option<usize>,
    guess: Option<Guess>,
    /// Accepted or not.
    best: Option<usize>,
}

impl<'a> Answered<'a> {
    fn of(playbook: &Playbook, classifier: &Classifier, case: &'a Case) -> Self {
        Self {
            text: &case.text,
            expected: playbook.intents.iter().position(|intent| intent.name == case.intent),
            guess: classifier.guess(&case.text),
            best: classifier.ranked(&case.text).first().map(|guess| guess.intent),
        }
    }

    fn accepted(&self) -> Option<usize> {
        self.guess.filter(|guess| guess.accepted).map(|guess| guess.intent)
    }

    fn is_right(&self) -> bool {
        self.expected.is_some() && self.accepted() == self.expected
    }
}

fn confusions(playbook: &Playbook, answered: &[Answered<'_>]) -> Vec<Confusion> {
    let mut pairs: BTreeMap<(Option<usize>, usize), Vec<&str>> = BTreeMap::new();
    for one in answered.iter().filter(|one| !one.is_right()) {
        if let Some(found) = one.accepted() {
            pairs.entry((one.expected, found)).or_default().push(one.text);
        }
    }
    let name = |intent: usize| playbook.intents[intent].name.clone();
    let mut confusions: Vec<Confusion> = pairs
        .into_iter()
        .map(|((expected, found), texts)| Confusion {
            expected: expected.map(name),
            found: name(found),
            cases: texts.len(),
            text: texts[0].to_owned(),
        })
        .collect();
    confusions.sort_by_key(|confusion| std::cmp::Reverse(confusion.cases));
    confusions
}

fn per_intent(playbook: &Playbook, intent: usize, answered: &[Answered<'_>]) -> PerIntent {
    let known = &playbook.intents[intent];
    let cases = || answered.iter().filter(|one| one.expected == Some(intent));
    let recognised = share(cases().filter(|one| one.is_right()).count(), cases().count());
    let mut languages: Vec<_> = known.examples.iter().map(|example| example.language).collect();
    languages.sort_by_key(|language| language.map(|language| language.code().to_owned()));
    languages.dedup();
    let examples = known.examples.len();
    PerIntent {
        name: known.name.clone(),
        examples,
        cases: cases().count(),
        recognised,
        needs_examples: recognised.is_some_and(|recognised| recognised < RECOGNISED)
            || recognised.is_none() && examples < ENOUGH * languages.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(text: &str, intent: &str) -> Case {
        Case { text: text.into(), intent: intent.into() }
    }

    #[test]
    fn right_wrong_and_out_of_scope_are_counted_apart() {
        let playbook = Playbook::shop();
        let classifier = Classifier::train(&playbook);
        let cases = [
            case("what time does the shop open tomorrow?", "opening_hours"),
            case("wo bleibt meine bestellung??", "order_status"),
            // Somebody made a mistake in the file: it shows as a confusion.
            case("do you take credit cards?", "gift"),
            case("how tall is the Eiffel tower", ""),
        ];
        let report = measure(&playbook, &classifier, &cases);
        assert_eq!((report.cases, report.out_of_scope), (4, 1));
        assert_eq!(report.precision, share(2, 3));
        assert_eq!((report.coverage, report.oos_recall), (Some(1.0), Some(1.0)));
        assert_eq!(report.accuracy, share(2, 3));
        let confusion = &report.confusions[0];
        assert_eq!((confusion.expected.as_deref(), confusion.found.as_str()), (Some("gift"), "payment_methods"));
        let gift = report.intents.iter().find(|intent| intent.name == "gift").unwrap();
        assert!(gift.needs_examples && gift.recognised == Some(0.0));
        assert_eq!(strangers(&playbook, &[case("x", "gift"), case("x", "moon"), case("y", "moon")]), ["moon"]);
    }

    #[test]
    fn nothing_measured_is_no_figure() {
        let playbook = Playbook::shop();
        let report = measure(&playbook, &Classifier::train(&playbook), &[]);
        assert!(report.figures().iter().all(|(_, figure)| figure.is_none()));
    }
}

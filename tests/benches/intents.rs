//! How well and how quickly the classifier of intents learns public sets of real questions.
//!
//! `cargo bench --workspace --bench intents -- --data DIR`: DIR holds `clinc150/` with the set's JSON file (Larson et
//! al. 2019: github.com/clinc/oos-eval, `data/data_full.json`) and `banking77/` with `train.csv` (Casanueva et al.
//! 2020: github.com/PolyAI-LDN/task-specific-datasets, `banking_data/`). What is not there is left out. Test splits
//! are not read: CLINC150 is measured on its validation split, BANKING77 by five-fold cross-validation.
//! Prints figures, asserts none.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    time::Duration,
};

use baton_server::bot::intents::{Classifier, Guess};
use baton_shared::{Clock, SystemClock};
use serde::Deserialize;

/// A sentence and its class's place.
type Sample<'a> = (&'a str, usize);

/// The share of in-scope questions that may be turned down.
const REJECTS: f64 = 0.1;

/// Choices of twenty intents that the mean is of.
const SEEDS: u64 = 5;

const FOLDS: usize = 5;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let data = arguments.iter().position(|argument| argument == "--data").and_then(|at| arguments.get(at + 1));
    let Some(data) = data.map(PathBuf::from) else {
        return println!("left out: --data DIR names the folder of the public sets");
    };
    match Clinc::read(&data.join("clinc150")) {
        Some(clinc) => {
            whole(&clinc);
            few(&clinc);
        }
        None => println!("CLINC150: left out, not found"),
    }
    match banking(&data.join("banking77/train.csv")) {
        Some(samples) => cross_validated(&samples),
        None => println!("BANKING77: left out, not found"),
    }
}

/// The published file: pairs of a sentence and its intent.
#[derive(Deserialize)]
struct Clinc {
    train: Vec<(String, String)>,
    val: Vec<(String, String)>,
    oos_val: Vec<(String, String)>,
}

impl Clinc {
    fn read(folder: &Path) -> Option<Self> {
        let mut files = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
        let file = files.find(|path| path.extension().is_some_and(|ending| ending == "json"))?;
        Some(serde_json::from_slice(&std::fs::read(file).ok()?).expect("CLINC150 in its published format"))
    }

    fn classes(&self) -> BTreeMap<&str, usize> {
        let names: BTreeSet<&str> = self.train.iter().map(|(_, name)| name.as_str()).collect();
        names.into_iter().enumerate().map(|(place, name)| (name, place)).collect()
    }
}

fn banking(file: &Path) -> Option<Vec<(String, String)>> {
    let mut reader = csv::Reader::from_path(file).ok()?;
    Some(reader.deserialize().collect::<Result<_, _>>().expect("BANKING77 in its published format"))
}

/// All 150 intents with 100 examples each.
fn whole<'a>(clinc: &'a Clinc) {
    let classes = clinc.classes();
    let placed =
        |samples: &'a [(String, String)]| samples.iter().map(|(text, name)| (text.as_str(), classes[name.as_str()]));
    let (classifier, time) = learn(placed(&clinc.train), classes.len());
    let mut asked = Asked::default();
    let inside = asked.all(&classifier, placed(&clinc.val).map(|(text, class)| (text, Some(class))));
    let outside = asked.all(&classifier, clinc.oos_val.iter().map(|(text, _)| (text.as_str(), None)));
    println!(
        "CLINC150, {} intents, {} examples, validation split of {}",
        classes.len(),
        clinc.train.len(),
        clinc.val.len()
    );
    println!("  accuracy                            {:.1} %", percent(right(&inside), inside.len()));
    println!("  out of scope turned down at 10 %    {:.0} % of {}", turned_down(&inside, &outside), outside.len());
    println!("  training                            {:.2} s", time.as_secs_f64());
    asked.print();
}

/// The product's case: twenty intents, and customers who ask for something else.
fn few(clinc: &Clinc) {
    println!(
        "20 of CLINC150's intents, mean of {SEEDS} choices; out of scope is that set's own, near the other intents"
    );
    println!("  examples  accuracy  at 10 %: right of accepted  out of scope  near   training   utterance p50, p99");
    let classes = clinc.classes();
    for examples in [10, 20, 50, 100] {
        let mut sums = [0.0; 5];
        let mut asked = Asked::default();
        for seed in 1..=SEEDS {
            let chosen = choose(classes.len(), 20, seed);
            let place = |name: &str| chosen.iter().position(|class| *class == classes[name]);
            let mut taken = vec![0; chosen.len()];
            let train: Vec<Sample<'_>> = clinc
                .train
                .iter()
                .filter_map(|(text, name)| Some((text.as_str(), place(name)?)))
                .filter(|(_, class)| {
                    taken[*class] += 1;
                    taken[*class] <= examples
                })
                .collect();
            let (classifier, time) = learn(train.iter().copied(), chosen.len());
            let placed = clinc.val.iter().map(|(text, name)| (text.as_str(), place(name)));
            let (tested, near): (Vec<_>, Vec<_>) = placed.partition(|(_, class)| class.is_some());
            let inside = asked.all(&classifier, tested.into_iter());
            let near = asked.all(&classifier, near.into_iter());
            let outside = asked.all(&classifier, clinc.oos_val.iter().map(|(text, _)| (text.as_str(), None)));
            let of = [
                percent(right(&inside), inside.len()),
                right_of_accepted(&inside, &outside),
                turned_down(&inside, &outside),
                turned_down(&inside, &near),
                time.as_secs_f64(),
            ];
            for (sum, figure) in sums.iter_mut().zip(of) {
                *sum += figure / SEEDS as f64;
            }
        }
        let [accuracy, precision, out, near, seconds] = sums;
        let (half, most) = asked.percentiles();
        println!(
            "  {examples:8}  {accuracy:6.1} %  {precision:24.1} %  {out:10.1} %  {near:4.1} %  {seconds:6.2} s   {half:.0}, {most:.0} us"
        );
    }
}

fn cross_validated(samples: &[(String, String)]) {
    let names: BTreeSet<&str> = samples.iter().map(|(_, name)| name.as_str()).collect();
    let classes: BTreeMap<&str, usize> = names.into_iter().enumerate().map(|(place, name)| (name, place)).collect();
    let (mut hits, mut time, mut asked) = (0, Duration::ZERO, Asked::default());
    for fold in 0..FOLDS {
        let part = |keep: bool| {
            samples
                .iter()
                .enumerate()
                .filter(move |(at, _)| (at % FOLDS == fold) == keep)
                .map(|(_, (text, name))| (text.as_str(), classes[name.as_str()]))
        };
        let (classifier, took) = learn(part(false), classes.len());
        time += took;
        hits += right(&asked.all(&classifier, part(true).map(|(text, class)| (text, Some(class)))));
    }
    println!("BANKING77, {} intents, {} sentences, {FOLDS}-fold cross-validation", classes.len(), samples.len());
    println!("  accuracy                            {:.1} %", percent(hits, samples.len()));
    println!("  training                            {:.2} s a fold", time.as_secs_f64() / FOLDS as f64);
    asked.print();
}

/// Without Baton's own sentences that mean nothing to a shop: some of them mean something here.
fn learn<'a>(samples: impl Iterator<Item = Sample<'a>>, classes: usize) -> (Classifier, Duration) {
    let clock = SystemClock::default();
    let classifier = Classifier::learn(samples, classes, std::iter::empty(), REJECTS as f32);
    (classifier, clock.monotonic())
}

/// What a sentence means, if anything, and what is most likely.
type Answer = (Option<usize>, Option<Guess>);

/// Asks, and keeps how long each answer took.
#[derive(Default)]
struct Asked(Vec<Duration>);

impl Asked {
    fn all<'a>(
        &mut self,
        classifier: &Classifier,
        cases: impl Iterator<Item = (&'a str, Option<usize>)>,
    ) -> Vec<Answer> {
        let clock = SystemClock::default();
        let mut answers = Vec::new();
        for (text, meant) in cases {
            let began = clock.monotonic();
            let best = classifier.ranked(text).into_iter().next();
            self.0.push(clock.monotonic().saturating_sub(began));
            answers.push((meant, best));
        }
        answers
    }

    /// p50 and p99 in microseconds.
    fn percentiles(&mut self) -> (f64, f64) {
        self.0.sort_unstable();
        let at = |share: usize| self.0.get((self.0.len() * share / 100).min(self.0.len() - 1)).map_or(0.0, micros);
        (at(50), at(99))
    }

    fn print(&mut self) {
        let (half, most) = self.percentiles();
        println!("  an utterance, p50 / p99             {half:.0} / {most:.0} us");
    }
}

fn micros(time: &Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn right(answers: &[Answer]) -> usize {
    answers.iter().filter(|answer| is_right(answer)).count()
}

fn is_right((meant, best): &Answer) -> bool {
    meant.is_some() && *meant == best.map(|best| best.intent)
}

/// The confidence that all but a tenth of the in-scope questions reach.
fn bound(inside: &[Answer]) -> f32 {
    let mut confidences: Vec<f32> = inside.iter().map(confidence).collect();
    confidences.sort_unstable_by(f32::total_cmp);
    confidences[(confidences.len() as f64 * REJECTS) as usize]
}

fn confidence((_, best): &Answer) -> f32 {
    best.map_or(0.0, |best| best.confidence)
}

fn turned_down(inside: &[Answer], outside: &[Answer]) -> f64 {
    let bound = bound(inside);
    percent(outside.iter().filter(|answer| confidence(answer) < bound).count(), outside.len())
}

/// With the out-of-scope questions among those that are asked.
fn right_of_accepted(inside: &[Answer], outside: &[Answer]) -> f64 {
    let bound = bound(inside);
    let accepted: Vec<&Answer> = inside.iter().chain(outside).filter(|answer| confidence(answer) >= bound).collect();
    percent(accepted.iter().filter(|answer| is_right(answer)).count(), accepted.len())
}

fn percent(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}

/// `so_many` of `all` places, the same for the same seed.
fn choose(all: usize, so_many: usize, seed: u64) -> Vec<usize> {
    let mut places: Vec<usize> = (0..all).collect();
    fastrand::Rng::with_seed(seed).shuffle(&mut places);
    places.truncate(so_many);
    places
}

//! Many seeds of the deterministic simulation: promises 1 to 8, 10 and 13 after every step.

use baton_tests::simulation::{self, Failure, Report};

/// Further seeds: `BATON_SEEDS=1000..1200 cargo test -p baton-tests --test simulation many_seeds`.
const SEEDS: std::ops::Range<u64> = 0..200;

fn play(seed: u64) -> Result<Report, Box<Failure>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(simulation::run(seed))
}

fn tell(failure: &Failure) -> String {
    format!(
        "promise {} is broken at step {}: {}\n  {}\nreplay it: BATON_SEEDS={}..{} cargo test -p baton-tests --test simulation many_seeds",
        failure.broken.promise,
        failure.step,
        failure.broken.how,
        failure.log.join("\n  "),
        failure.seed,
        failure.seed + 1,
    )
}

#[expect(clippy::disallowed_methods, reason = "the environment may name other seeds")]
fn seeds() -> std::ops::Range<u64> {
    let named = std::env::var("BATON_SEEDS").ok().and_then(|text| {
        let (from, to) = text.split_once("..")?;
        Some(from.parse().ok()?..to.parse().ok()?)
    });
    named.unwrap_or(SEEDS)
}

#[test]
fn many_seeds() {
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get) as u64;
    let failures: Vec<String> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers)
            .map(|worker| {
                scope.spawn(move || {
                    let mine = seeds().filter(|seed| seed % workers == worker);
                    mine.filter_map(|seed| play(seed).err().map(|failure| tell(&failure))).collect::<Vec<_>>()
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker")).collect()
    });
    assert!(failures.is_empty(), "{} seeds failed; the first:\n{}", failures.len(), failures[0]);
}

#[test]
fn one_seed_plays_the_same_twice() {
    let (first, second) = (play(7).expect("seed 7"), play(7).expect("seed 7"));
    assert_eq!((first.steps, first.fingerprint), (second.steps, second.fingerprint));
    assert_eq!(first.counts, second.counts);
}

#[test]
fn everything_happens_somewhere() {
    let mut counts = std::collections::BTreeMap::new();
    for seed in 0..12 {
        for (what, times) in play(seed).map_err(|failure| tell(&failure)).expect("a seed").counts {
            *counts.entry(what).or_insert(0) += times;
        }
    }
    println!("{counts:?}");
    for what in [
        "waiting",
        "agent",
        "bot",
        "resolved",
        "sending",
        "accepted",
        "crash",
        "take",
        "send",
        "hand_back",
        "assign",
        "merged",
    ] {
        assert!(counts.get(what).copied().unwrap_or(0) > 0, "{what} never happened: {counts:?}");
    }
}

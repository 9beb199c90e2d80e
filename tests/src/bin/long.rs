//! `tests/long`: mutated webhook bodies against a real server for as long as one likes. It ends by
//! itself, remembers where it was, and leaves what it found in files.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use baton_shared::{Clock, SystemClock};
use baton_tests::fuzz::{Finding, Fuzzer};
use clap::Parser;
use serde::{Deserialize, Serialize};

/// Sends mutated webhook bodies to a real server and looks at what becomes of them.
///
/// First every value of the corpus is broken in every way, one at a time; then several at once, by
/// chance. Run again, it goes on after the last round. BATON_WEBHOOK_CORPUS=folder adds bodies.
#[derive(Parser)]
#[command(name = "tests/long")]
struct Arguments {
    /// How long; the round at hand is finished.
    #[arg(long, default_value_t = 20.0)]
    minutes: f64,
    /// Which bodies; another seed has other ones by chance.
    #[arg(long)]
    seed: Option<u64>,
    /// Begin with this round, not where the last run ended.
    #[arg(long)]
    round: Option<u64>,
    /// On PostgreSQL (BATON_TEST_POSTGRES_URL, or one on 127.0.0.1) instead of SQLite.
    #[arg(long)]
    postgres: bool,
    /// Where findings and the place to go on from are kept.
    #[arg(long, default_value = "target/long")]
    folder: PathBuf,
}

/// What is known of the runs so far.
#[derive(Default, Serialize, Deserialize)]
struct Progress {
    seed: u64,
    /// The next one.
    round: u64,
    posts: usize,
    messages: usize,
    dead_letters: usize,
    seconds: f64,
    findings: usize,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    match runtime.block_on(run(&arguments)) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("tests/long: {}: {why}", arguments.folder.display());
            ExitCode::from(2)
        }
    }
}

/// How many kinds of findings there were.
async fn run(arguments: &Arguments) -> io::Result<usize> {
    fs::create_dir_all(&arguments.folder)?;
    let file = arguments.folder.join(if arguments.postgres { "progress-postgres.json" } else { "progress.json" });
    let mut progress = resumed(&file, arguments);
    let fuzzer = Fuzzer::new(progress.seed, arguments.postgres);
    let (clock, length) = (SystemClock::default(), Duration::from_secs_f64(arguments.minutes * 60.0));
    println!(
        "seed {}, from round {} of {}, after which all single changes are made ({} of {} bodies), for {} minutes",
        progress.seed,
        progress.round,
        fuzzer.sweep_rounds(),
        fuzzer.singles(),
        fuzzer.bodies(),
        arguments.minutes
    );
    let mut known = BTreeSet::new();
    let mut before = Duration::ZERO;
    while clock.monotonic() < length {
        let round = progress.round;
        let outcome = fuzzer.round(round).await;
        for finding in outcome.findings.iter().filter(|finding| known.insert(finding.what.clone())) {
            println!("FOUND in round {round}: {}", finding.what);
            let bodies = fuzzer.smallest(round, finding).await;
            save(&arguments.folder, &progress, finding, &bodies)?;
        }
        let now = clock.monotonic();
        progress.round += 1;
        progress.posts += outcome.posts;
        progress.messages += outcome.messages;
        progress.dead_letters += outcome.dead;
        progress.seconds += (now - before).as_secs_f64();
        progress.findings += outcome.findings.len();
        before = now;
        fs::write(&file, serde_json::to_vec_pretty(&progress)?)?;
        println!("{:5.1} min  round {round}: {}", now.as_secs_f64() / 60.0, told(&progress));
    }
    println!("done. All runs together: {}", told(&progress));
    println!("go on with: tests/long --minutes {} --seed {}", arguments.minutes, progress.seed);
    Ok(known.len())
}

fn resumed(file: &Path, arguments: &Arguments) -> Progress {
    let last: Option<Progress> = fs::read(file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let last = last.filter(|last| arguments.seed.is_none_or(|seed| seed == last.seed));
    let mut progress = last.unwrap_or_else(|| Progress { seed: arguments.seed.unwrap_or(1), ..Progress::default() });
    progress.round = arguments.round.unwrap_or(progress.round);
    progress
}

fn told(progress: &Progress) -> String {
    format!(
        "{} deliveries ({:.0}/s), {} messages kept, {} dead letters, {} findings",
        progress.posts,
        progress.posts as f64 / progress.seconds.max(0.001),
        progress.messages,
        progress.dead_letters,
        progress.findings
    )
}

fn save(folder: &Path, progress: &Progress, finding: &Finding, bodies: &[Vec<u8>]) -> io::Result<()> {
    let word: String = finding.what.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(60).collect();
    let name = format!("{}-{}-{word}", progress.seed, progress.round);
    let again = format!(
        "{}\nagain: tests/long --minutes 0.01 --seed {} --round {}\n",
        finding.what, progress.seed, progress.round
    );
    let note = if bodies.is_empty() { "It did not happen a second time.\n" } else { "" };
    fs::write(folder.join(format!("{name}.txt")), again + note)?;
    for (number, body) in bodies.iter().enumerate() {
        let path = folder.join(format!("{name}-{number}.json"));
        fs::write(&path, body)?;
        println!("  {} ({} bytes)", path.display(), body.len());
    }
    Ok(())
}

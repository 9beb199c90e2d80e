//! How soon the inbox is usable, and what it costs while it waits: the real client in a terminal of its
//! own, a server with some thousand conversations behind it.
//!
//! `cargo bench --workspace --bench client -- [seconds]`. Prints figures, asserts none.

use std::{fs, path::Path, time::Duration};

use baton::{Options, net::Address, term::probe::Environment};
use baton_tests::{
    load::{self, CUSTOMERS, QUIET, Rig},
    pty::Terminal,
    store::Database,
};
use hdrhistogram::Histogram;

/// This program with it is the client.
const AS_CLIENT: &str = "as-client";
const STARTS: usize = 20;
/// Until what comes with a start is over.
const CALM: Duration = Duration::from_secs(3);
/// The last question that the client asks its terminal, and what a terminal says to all of them.
const ASKED: &[u8] = b"\x1b[c";
const ANSWERS: &str = "\x1b[1;2R\x1b]11;rgb:1010/1010/1010\x07\x1b[?2027;0$y\x1b[?62;22c";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [first, address, token, ..] = arguments.as_slice()
        && first == AS_CLIENT
    {
        return open(address, token);
    }
    let seconds = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(30);
    let rig = Rig::start(Database::sqlite_in(Path::new(env!("CARGO_TARGET_TMPDIR"))));
    let token = load::runtime(1).block_on(rig.sign_in("Ana"));
    println!("the client at 240x70, {} conversations in the list", CUSTOMERS + QUIET);

    let mut took = Histogram::new(3).expect("three digits");
    for _ in 0..STARTS {
        let began = rig.clock.monotonic();
        let _terminal = start(&rig, &token);
        load::record(&mut took, rig.clock.monotonic() - began);
    }
    println!("  from its start to the list on screen, p50, p99, max ms: {}", load::percentiles(&took));

    let mut terminal = start(&rig, &token);
    let spent = |terminal: &mut Terminal, length: Duration| {
        let (began, before) = (rig.clock.monotonic(), cpu_nanos(terminal.id()));
        while rig.clock.monotonic() - began < length {
            terminal.read_for(Duration::from_millis(50));
        }
        let nanos = Duration::from_nanos(cpu_nanos(terminal.id()) - before);
        100.0 * nanos.as_secs_f64() / (rig.clock.monotonic() - began).as_secs_f64()
    };
    spent(&mut terminal, CALM);
    println!("  idle for {seconds} s: {:.3} % of a core", spent(&mut terminal, Duration::from_secs(seconds)));
    println!(
        "  memory: {:.1} MB resident, {:.1} MB at the most",
        memory(terminal.id(), "VmRSS"),
        memory(terminal.id(), "VmHWM")
    );
}

fn open(address: &str, token: &str) {
    baton::net::prepare_tls();
    let address: Address = address.parse().expect("an address");
    #[expect(clippy::disallowed_methods, reason = "read once, here, and passed on")]
    let environment = Environment::read(|name| std::env::var(name).ok());
    let outcome = load::runtime(2).block_on(baton::run(Options::new(address, token.into(), environment)));
    outcome.expect("an inbox");
}

/// Until a customer's row is on screen.
fn start(rig: &Rig, token: &str) -> Terminal {
    let program = std::env::current_exe().expect("this program");
    let address = format!("http://{}", rig.address);
    let mut terminal = Terminal::run(&program, &[AS_CLIENT, &address, token], &[], 240, 70);
    while !terminal.raw.windows(ASKED.len()).any(|bytes| bytes == ASKED) {
        assert!(terminal.read_for(Duration::from_secs(1)), "it ended:\n{}", terminal.text());
    }
    terminal.press(ANSWERS);
    terminal.sees("Marina Alves");
    terminal
}

/// Of all its threads.
fn cpu_nanos(process: u32) -> u64 {
    let threads = fs::read_dir(format!("/proc/{process}/task")).expect("a process that runs");
    let of = |thread: fs::DirEntry| {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    };
    threads.filter_map(|thread| of(thread.ok()?)).sum()
}

/// In megabytes.
fn memory(process: u32, what: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("a process that runs");
    let line = status.lines().find_map(|line| line.strip_prefix(what)).expect("as Linux tells it");
    let kib: f64 = line.trim_matches(|c: char| !c.is_ascii_digit()).parse().expect("a number");
    kib * 1_024.0 / 1e6
}

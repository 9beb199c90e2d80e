//! The demo's proof would notice: with a promise taken out the run fails, each for its own reason.
//! A promise is taken out of a whole process, so each run is a child of this one.

use std::{process::Command, sync::Mutex};

use baton_server::mutation;
use baton_simulator::demo::{Options, Place, headless};
use clap::Parser;

/// One run at a time, each with the machine to itself.
static STAGE: Mutex<()> = Mutex::new(());

/// What a run without this promise says is broken.
fn broken(without: &str) -> String {
    let _alone = STAGE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut child = Command::new(std::env::current_exe().expect("this test"));
    child.args(["--exact", "child", "--ignored", "--nocapture"]);
    let output = child.env("BATON_WITHOUT", without).output().expect("a child");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("running 1 test"), "{said}");
    said.lines().filter(|line| line.starts_with("broken: ")).collect::<Vec<_>>().join("\n")
}

#[test]
#[ignore = "run by the tests below, in a process of its own"]
#[expect(clippy::disallowed_methods, reason = "a child is told by its environment what to do")]
fn child() {
    let without = std::env::var("BATON_WITHOUT").expect("BATON_WITHOUT");
    mutation::choose(without.parse().expect("a mutation"));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let report = runtime.block_on(Box::pin(async {
        let options = Options::parse_from(["demo", "--headless", "--seconds", "8", "--seed", "1"]);
        let place = Place::make(&options).await.expect("a place");
        let report = headless::run(&options, &place).await.expect("a run");
        place.leave(false).await;
        report
    }));
    println!("{}", report.to_json());
    for line in &report.broken {
        println!("broken: {line}");
    }
}

#[test]
fn without_the_fence_the_bot_talks_over_people() {
    let broken = broken("fence");
    assert!(broken.contains("control had left"), "{broken}");
}

#[test]
fn without_the_dedupe_messages_are_doubled() {
    let broken = broken("dedupe");
    // Not that nothing is lost: a delivery that broke off in the crash counts as the first one here.
    assert!(broken.contains("twice"), "{broken}");
}

#[test]
fn answered_before_it_is_durable_something_is_lost() {
    let broken = broken("ack");
    assert!(broken.contains("not stored"), "{broken}");
}

//! The tests of the tests: with a promise taken out, the bodies that guard it must fail. A promise
//! is taken out of a whole process, so each body runs in a child of this one.

use std::process::Command;

use baton_server::mutation;
use baton_tests::{races, simulation, store::TestStore};

/// Runs a body with a promise taken out, and says whether it noticed.
fn notices(without: &str, body: &str) -> bool {
    let mut child = Command::new(std::env::current_exe().expect("this test"));
    child.args(["--exact", "child", "--ignored", "--nocapture"]);
    let output = child.env("BATON_WITHOUT", without).env("BATON_BODY", body).output().expect("a child");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("running 1 test"), "the child did not run: {said}");
    !output.status.success()
}

#[test]
#[ignore = "run by the tests below, in a process of its own"]
#[expect(clippy::disallowed_methods, reason = "a child is told by its environment what to do")]
fn child() {
    let body = std::env::var("BATON_BODY").expect("BATON_BODY");
    if let Ok(without) = std::env::var("BATON_WITHOUT")
        && without != "nothing"
    {
        mutation::choose(without.parse().expect("a mutation"));
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        match body.as_str() {
            "outdated_word" => races::outdated_word(TestStore::sqlite().await).await,
            "sender" => races::sender_meets_a_paused_take(TestStore::postgres().await.expect("PostgreSQL")).await,
            "taker" => races::take_meets_a_paused_sender(TestStore::postgres().await.expect("PostgreSQL")).await,
            "simulation" => {
                for seed in 0..30 {
                    simulation::run(seed).await.expect("all promises are kept");
                }
            }
            _ => panic!("no body `{body}`"),
        }
    });
}

#[test]
fn every_body_passes_with_all_promises_kept() {
    let mut bodies = vec!["outdated_word", "simulation"];
    if has_postgres() {
        bodies.extend(["sender", "taker"]);
    }
    for body in bodies {
        assert!(!notices("nothing", body), "{body}");
    }
}

#[test]
fn without_the_comparison_promise_3_is_broken() {
    assert!(notices("fence", "outdated_word"));
}

#[test]
fn the_simulation_notices_what_was_taken_out() {
    assert!(notices("fence", "simulation"), "the fence");
    assert!(notices("dedupe", "simulation"), "the dedupe");
    assert!(notices("merge-epoch", "simulation"), "the new epoch of two that become one");
    assert!(notices("merge-control", "simulation"), "who had one of two that become one");
}

#[test]
fn without_the_lock_promise_3_is_broken() {
    if has_postgres() {
        assert!(notices("lock", "sender"));
        assert!(notices("lock", "taker"));
    } else {
        baton_tests::store::left_out("without_the_lock_promise_3_is_broken");
    }
}

fn has_postgres() -> bool {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async { TestStore::postgres().await.is_some() })
}

//! A little of `tests/long` with every run of the tests: by number, never by time.

use baton_tests::{
    fuzz::{Fuzzer, documents},
    store::{in_time, left_out, postgres_server},
};

/// Of each kind.
const BODIES: usize = 150;

async fn nothing_is_found(seed: u64, postgres: bool) {
    let outcome = Fuzzer::new(seed, postgres).sample(BODIES).await;
    assert!(outcome.posts > BODIES && outcome.messages > 0 && outcome.dead > 0, "{outcome:?}");
    assert!(outcome.findings.is_empty(), "{:#?}", outcome.findings);
}

/// Both engines in one test: panics and logs are watched for the whole process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_10_whatever_is_well_signed_is_stored_once_and_understood_or_a_dead_letter() {
    in_time(nothing_is_found(11, false)).await;
    match postgres_server().await {
        Some(_) => in_time(nothing_is_found(12, true)).await,
        None => left_out("promise_10_whatever_is_well_signed_is_stored_once_and_understood_or_a_dead_letter"),
    }
}

#[test]
fn promise_10_a_broken_document_harms_only_itself() {
    let read = documents::sample(13, 400);
    assert!((200..1_900).contains(&read), "{read} of 2,000");
}

//! The demo without a screen: what a stranger would run as a proof, short.

use baton_simulator::demo::{Options, Place, Report, headless};
use baton_tests::store::{left_out, postgres_server};
use clap::Parser;
use sqlx::ConnectOptions;
use tokio::sync::Mutex;

/// One run at a time: two would only measure how they disturb each other.
static STAGE: Mutex<()> = Mutex::const_new(());

async fn run(words: &[&str]) -> Report {
    let _alone = STAGE.lock().await;
    let options = Options::parse_from([&["demo", "--headless"], words].concat());
    let place = Place::make(&options).await.expect("a place");
    let report = Box::pin(headless::run(&options, &place)).await.expect("a run");
    place.leave(false).await;
    eprintln!("{}", report.to_json());
    report
}

#[track_caller]
fn is_kept(report: &Report) {
    assert!(report.ok, "{:?}", report.broken);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_promise_is_kept_on_a_rough_day() {
    for seed in ["1", "2"] {
        is_kept(&run(&["--seed", seed, "--seconds", "8"]).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_promise_is_kept_on_postgres() {
    let Some(server) = postgres_server().await else { return left_out("every_promise_is_kept_on_postgres") };
    let url = server.to_url_lossy();
    is_kept(&run(&["--seed", "1", "--seconds", "12", "--customers", "30", "--postgres", url.as_str()]).await);
}

//! `doctor`: one line for each thing that must be right.

use std::sync::Arc;

use baton_server::{
    config::{Settings, one_line},
    operations::doctor::{Finding, Mark, examine},
    whatsapp::graph::HttpTransport,
};
use baton_shared::SystemClock;

use super::{failure::Failure, output::say};

pub(super) async fn run(settings: Settings) -> Result<(), Failure> {
    settings.ready_to_serve()?;
    let transport = HttpTransport::new().map_err(|why| Failure::failed(format!("no TLS on this machine: {why}")))?;
    let findings = examine(&settings, Arc::new(SystemClock::default()), Arc::new(transport)).await;
    for finding in &findings {
        say(&line(finding));
    }
    match findings.iter().filter(|finding| finding.mark == Mark::Wrong).count() {
        0 => Ok(()),
        1 => Err(Failure::failed("one thing is wrong")),
        wrong => Err(Failure::failed(format!("{wrong} things are wrong"))),
    }
}

/// Marks that every terminal, pipe and screen reader can show.
pub(super) fn line(Finding { mark, about, words }: &Finding) -> String {
    let mark = match mark {
        Mark::Right => "ok   ",
        Mark::Note => "note ",
        Mark::Wrong => "WRONG",
    };
    // Names and addresses in it are what others typed.
    format!("{mark} {about}: {}", one_line(words))
}

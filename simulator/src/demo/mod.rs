//! The demo: a shop on a simulated WhatsApp, the real server, and the agents' inbox over it, in one
//! process; or the same without a screen, as a proof.

mod agreement;
mod colleague;
mod crew;
mod error;
mod evidence;
pub mod headless;
mod log;
mod options;
mod people;
mod picture;
mod place;
pub mod report;
mod screen;
mod speech;
mod stage;

use std::io::{self, Write};
use std::process::ExitCode;

pub use self::{
    error::DemoError,
    options::{Options, Weather},
    place::Place,
    report::Report,
    stage::Stage,
};

/// The whole program, after its command line has been read.
pub fn main(options: &Options) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&format!("no threads to be had: {error}")),
    };
    let done = runtime.block_on(Box::pin(run(options)));
    // Whatever is still under way would only be waited for.
    runtime.shutdown_background();
    done.unwrap_or_else(|error| failed(&error.to_string()))
}

fn failed(why: &str) -> ExitCode {
    // The terminal that would show it may be gone.
    let _ = writeln!(io::stderr(), "demo: {why}");
    ExitCode::from(2)
}

async fn run(options: &Options) -> Result<ExitCode, DemoError> {
    if !options.headless {
        screen::check()?;
    }
    let place = Place::make(options).await?;
    log::begin(&place)?;
    let done = tokio::select! {
        done = play(options, &place) => done,
        // While the inbox is open this is a key like any other.
        _ = tokio::signal::ctrl_c() => Ok(ExitCode::from(130)),
    };
    let failed = !matches!(&done, Ok(code) if *code != ExitCode::FAILURE);
    if let Some((folder, store)) = place.leave(failed).await {
        eprintln!("the log is in {}, the store is {store}", folder.display());
    }
    done
}

async fn play(options: &Options, place: &Place) -> Result<ExitCode, DemoError> {
    if options.headless {
        return prove(options, place).await;
    }
    eprintln!("A small shop opens: a simulated WhatsApp, its customers, a bot, and you. One moment.");
    Box::pin(screen::run(options, place)).await?;
    let farewell = "That was a simulated shop. To go on: \"Connect a real number\" in README.md.\n\
                    The same without a screen, as a proof: cargo run -- --headless --seconds 30 --seed 1 --json";
    // The terminal that would show it may be gone.
    let _ = writeln!(io::stdout(), "{farewell}");
    Ok(ExitCode::SUCCESS)
}

async fn prove(options: &Options, place: &Place) -> Result<ExitCode, DemoError> {
    #[cfg(feature = "mutations")]
    if let Some(promise) = options.without {
        baton_server::mutation::choose(promise);
    }
    let report = Box::pin(headless::run(options, place)).await?;
    if options.json {
        println!("{}", report.to_json());
    } else {
        print!("{}", report.to_text());
    }
    for line in &report.broken {
        eprintln!("broken: {line}");
    }
    Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

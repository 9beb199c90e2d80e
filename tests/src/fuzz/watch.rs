//! What happens beside the answers: panics, which the runtime swallows, and log lines that say what
//! customers said.

use std::{
    io,
    sync::{Mutex, MutexGuard, Once, PoisonError},
};

use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use super::corpus::PRIVATE;

static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn seen() -> MutexGuard<'static, Vec<String>> {
    SEEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Begins to watch this process; once is enough.
pub fn begin() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let place = panic.location().map_or_else(|| "somewhere".into(), ToString::to_string);
            let payload = panic.payload();
            let words = payload.downcast_ref::<String>().map(String::as_str);
            let words = words.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no words");
            seen().push(format!("panic at {place}: {}", words.lines().next().unwrap_or_default()));
            usual(panic);
        }));
        // All that an operator may ever ask for.
        let filter = EnvFilter::new("baton_server=trace,baton_shared=trace,info");
        let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(Listener).with_ansi(false);
        // Another test of this process may log elsewhere.
        let _ = log.try_init();
    });
}

/// What was seen since the last time.
pub fn take() -> Vec<String> {
    std::mem::take(&mut seen())
}

/// Reads every line of the log and keeps those that must not be there.
struct Listener;

impl MakeWriter<'_> for Listener {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self
    }
}

impl io::Write for Listener {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = String::from_utf8_lossy(bytes);
        if line.contains(PRIVATE) {
            // Without time and ids, so that the same line is the same finding.
            let words = line.split_whitespace().skip(1).filter(|word| !word.contains('=')).take(8);
            let words = words.collect::<Vec<_>>().join(" ").replace(PRIVATE, "...");
            seen().push(format!("a log line says what a customer said: {words}"));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

//! The line to the server: connects, resumes, proves that nothing was missed, and re-sends what was
//! not answered. Knows nothing of screens, so scripts and benchmarks drive it as well.

mod address;
mod backoff;
mod client;
mod files;
mod outbox;
mod serve;
mod sign_in;
mod socket;

pub use address::{Address, AddressError};
pub use client::{Client, NetEvent, Settings, Stats, Stop, Timing};
pub use files::{FileError, bring, link, save, thumbnail};
pub use outbox::Unanswered;
pub use serve::{Request, serve};
pub use sign_in::{SignInError, sign_in};

/// Makes TLS usable in this process; calling it again does nothing.
pub fn prepare_tls() {
    // Err: somebody (a test, the demo's server) has chosen a provider before, which serves as well.
    let _already_chosen = rustls::crypto::ring::default_provider().install_default();
}

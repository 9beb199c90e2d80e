//! The terminal: the only place that writes escape sequences.

pub mod clipboard;
mod escape;
pub mod guard;
pub mod notify;
pub mod probe;
mod safe_backend;
mod screen;
pub mod signals;
mod stray;

pub use escape::Escape;
pub use guard::{Guard, NoTerminal};
pub use safe_backend::SafeBackend;
pub use screen::Screen;
pub use signals::{Signal, Signals};
pub use stray::Stray;

use crate::text::Clean;

/// The window's title; the guard puts the old one back at the end.
pub fn title(text: &Clean) -> Escape {
    Escape::osc(&format!("2;{}", text.as_str().replace('\n', " ")))
}

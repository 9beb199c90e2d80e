//! Customers' text, made harmless and measurable: nothing else may be drawn.

pub mod clean;
pub mod contain;
pub mod emoji;
pub(crate) mod filter;
pub mod layout;
pub mod marks;
pub mod paint;
mod scalar;
#[cfg(test)]
pub(crate) mod strange;
pub mod thread;
pub mod width;
pub mod wrap;

pub use clean::Clean;
pub use emoji::Emoji;
pub use layout::{Laid, LaidCache};
pub use thread::{Anchor, Heights, Part};
pub use wrap::Row;

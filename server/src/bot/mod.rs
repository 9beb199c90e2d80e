//! The bot: what a customer wrote becomes an answer, a call for a person, or silence.

pub mod brains;
pub mod breaker;
pub mod chain;
pub mod context;
pub mod decide;
pub mod fold;
pub mod intents;
pub mod language;
pub mod memory;
pub mod model;
pub mod prompt;
mod reading;
pub mod room;
pub mod senses;
pub mod summary;
pub mod triggers;
pub mod understanding;
mod wallet;

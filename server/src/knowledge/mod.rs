//! What the business knows: documents read into chunks, and the few of them that answer a question.
//!
//! No room: the command line and the keeper put documents in, the bot asks. The store has the chunks; each
//! process has an index of them in memory, which follows the store's version of the knowledge.

pub mod bm25;
pub mod chunk;
pub mod documents;
mod embedder;
pub mod index;
mod librarian;
mod library;
mod vectors;
pub mod web;
mod words;

pub use embedder::Embedder;
pub use librarian::{Became, Librarian, Source, Tongue, Wanted, WrongSource};
pub use library::{Library, run};

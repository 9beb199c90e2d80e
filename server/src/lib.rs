//! Baton's server, as a library: the rules, Meta's wire, the store and the rooms between them.

pub mod bot;
pub mod config;
pub mod context;
pub mod counters;
pub mod depot;
pub mod domain;
pub mod eval;
pub mod inbox;
pub mod intake;
pub mod knowledge;
pub mod lifecycle;
pub mod media;
pub mod mutation;
pub mod operations;
pub mod outbox;
pub mod provider;
mod server;
mod speech;
pub mod store;
pub mod whatsapp;

pub use context::Context;
pub use server::{Parts, Server, StartError, embedder, librarian, open, open_beside, store_numbers};

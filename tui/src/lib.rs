//! Baton's inbox in the terminal, as a library: the demo opens it in its own process, scripted
//! agents use its line to the server.

pub mod action;
mod app;
pub mod body;
pub mod composer;
pub mod config;
pub mod event;
#[cfg(test)]
pub(crate) mod fixture;
pub mod keys;
pub mod local;
pub mod net;
pub mod picture;
pub mod pipe;
pub mod session;
pub mod state;
pub mod term;
pub mod text;
pub mod theme;
pub mod view;
pub mod words;

pub use app::{Options, Outcome, RunError, run};

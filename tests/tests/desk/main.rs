//! The agents' desk over real sockets, on both engines.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod house;

mod acts;
mod board;
mod drafts;
mod late;
mod merge;
mod outage;
mod page;
mod roles;
mod sending;
mod sign_in;
mod statuses;
mod stream;
mod time;
mod waiting;
mod wire;

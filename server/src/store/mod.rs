//! The only module that speaks SQL. Reads take a [`Conn`]; writes need a [`Tx`].

mod engine;
pub mod gate;
mod json;
mod moment;
pub mod schema;
pub mod wakes;
mod writer;

pub mod agents;
pub mod amendments;
pub mod audit;
pub mod channels;
pub mod commands;
pub mod consents;
pub mod control;
pub mod conversations;
pub mod customers;
pub mod deliveries;
pub mod drafts;
pub mod errands;
pub mod events;
pub mod figures;
pub mod handoffs;
pub mod knowledge;
pub mod leases;
pub mod letters;
pub mod media;
pub mod memory;
pub mod mergers;
pub mod messages;
pub mod notify;
pub mod outbox;
pub mod proposals;
pub mod receipts;
pub mod rows;
pub mod scratch;
pub mod settings;
pub mod spending;
pub mod standings;
pub mod statuses;
pub mod templates;
pub mod turns;
pub mod uploads;

pub use engine::{Conn, Db, OpenError, Reader, Sql, Tx, Urgency};
pub use moment::Moment;
pub use writer::{Work, Written};

use std::sync::Arc;

/// Every statement there is: a test prepares each on both engines.
pub const STATEMENTS: &[&[&Sql]] = &[
    agents::ALL,
    amendments::ALL,
    audit::ALL,
    channels::ALL,
    commands::ALL,
    consents::ALL,
    conversations::ALL,
    customers::ALL,
    drafts::ALL,
    errands::ALL,
    events::ALL,
    figures::ALL,
    handoffs::ALL,
    knowledge::ALL,
    leases::ALL,
    letters::ALL,
    media::ALL,
    memory::ALL,
    mergers::ALL,
    messages::ALL,
    outbox::ALL,
    proposals::ALL,
    receipts::ALL,
    rows::ALL,
    settings::ALL,
    spending::ALL,
    standings::ALL,
    statuses::ALL,
    templates::ALL,
    turns::ALL,
    uploads::ALL,
];

/// Why the store did not do it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    #[error("already exists")]
    Duplicate,
    /// Another transaction was first; begun again by itself a few times.
    #[error("another transaction was first")]
    Conflict,
    #[error("too many writes wait")]
    Busy,
    #[error("the store is closed")]
    Closed,
    #[error("a row does not make sense: {0}")]
    Corrupt(&'static str),
    #[error("database unavailable")]
    Database(#[source] Arc<sqlx::Error>),
}

impl StoreError {
    /// Whether the same job may succeed when begun again at once.
    pub fn is_conflict(&self) -> bool {
        match self {
            Self::Conflict => true,
            // 40001 serialization_failure, 40P01 deadlock_detected (PostgreSQL, appendix A).
            Self::Database(error) => error
                .as_database_error()
                .and_then(|error| error.code())
                .is_some_and(|code| code == "40001" || code == "40P01"),
            Self::Duplicate | Self::Busy | Self::Closed | Self::Corrupt(_) => false,
        }
    }

    /// Whether another process is writing to the SQLite file just now.
    fn is_taken(&self) -> bool {
        matches!(self, Self::Database(error) if sqlite_code(error) == Some(SQLITE_BUSY))
    }
}

const SQLITE_BUSY: u32 = 5;
const SQLITE_READONLY: u32 = 8;

/// SQLite's primary result code: without the reason in its higher bits.
fn sqlite_code(error: &sqlx::Error) -> Option<u32> {
    let code: u32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xff)
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error.as_database_error() {
            Some(database) if database.is_unique_violation() => Self::Duplicate,
            _ => Self::Database(Arc::new(error)),
        }
    }
}

//! Meta's wire: what comes in as signed webhooks, what goes out through the Graph API.

pub mod digest;
pub mod errors;
pub mod graph;
pub mod limits;
pub mod offer;
pub mod outgoing;
pub mod payload;
pub mod signature;

//! A place before and after every store call where a simulation decides who goes next and where a
//! crash falls. Nothing stands there in a real server.

use std::{future::Future, pin::Pin};

/// Where a caller stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// About to read or write.
    Before,
    /// The write is durable; its caller does not know yet.
    Committed,
}

/// Lets callers of the store through, one at a time.
pub trait Gate: Send + Sync + std::fmt::Debug {
    fn pass(&self, point: Point) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

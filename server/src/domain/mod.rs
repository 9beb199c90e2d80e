//! The rules of Baton as pure code: no I/O, no clock, no chance, nothing of the server's.

pub mod amended;
pub mod consent;
pub mod control;
pub mod hours;
pub mod identity;
pub mod merge;
pub mod money;
pub mod numbers;
pub mod occasion;
pub mod order;
pub mod outgoing;
pub mod standing;
pub mod turn;
pub mod waiting;
pub mod wish;

//! What whole-system tests share: stores on both engines, a shop with one customer, and bodies that
//! run both as they are and with a promise taken out; and the house rules.

pub mod acts;
pub mod app;
pub mod bucket;
pub mod door;
pub mod fuzz;
pub mod house;
pub mod load;
pub mod post;
pub mod programs;
pub mod proxy;
pub mod pty;
pub mod races;
pub mod said;
pub mod scene;
pub mod simulation;
pub mod site;
pub mod store;

//! How well the bot does on cases whose right outcome somebody wrote down.

pub mod gate;
pub mod intents;

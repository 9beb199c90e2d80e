//! The log goes to a file: the screen belongs to the inbox, standard output to the result.

use std::sync::Mutex;

use tracing_subscriber::EnvFilter;

use super::{DemoError, Place};

/// From now on, for the whole process; a second run in one process keeps the first one's log.
pub(super) fn begin(place: &Place) -> Result<(), DemoError> {
    let file = place.log()?;
    let filter = EnvFilter::new("info,hyper=warn,sqlx=warn,tungstenite=warn");
    let log = tracing_subscriber::fmt().with_writer(Mutex::new(file)).with_ansi(false).with_env_filter(filter);
    if log.try_init().is_err() {
        tracing::debug!("the log goes where it went before");
    }
    Ok(())
}

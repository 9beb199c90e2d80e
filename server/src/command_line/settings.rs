//! Which settings a command runs under, and the store they name.

use std::{path::Path, sync::Arc};

use baton_server::{
    Context,
    config::{ConfigError, Settings, environment},
    open_beside,
};
use baton_shared::{Ids, SystemClock};

use super::{failure::Failure, output::explain};

/// Read if it is there and no other was named.
const USUAL: &str = "baton.toml";

pub(super) fn load(named: Option<&Path>) -> Result<Settings, ConfigError> {
    let usual = Some(Path::new(USUAL)).filter(|usual| usual.exists());
    Settings::load(named.or(usual), &environment)
}

/// The store for one act, also while a server uses it.
pub(super) async fn open(settings: Settings) -> Result<Context, Failure> {
    // In the wrong folder, a secret or a switch would be somebody else's.
    if let Some(path) =
        settings.database_url.reveal().strip_prefix("sqlite://").filter(|path| !Path::new(path).exists())
    {
        explain(&format!("there is no database at {path} yet: a new one is made (is this the server's folder?)"));
    }
    Ok(open_beside(settings, Arc::new(SystemClock::default()), Arc::new(Ids::system())).await?)
}

//! Which settings a command runs under, and the store they name.

use std::{cell::RefCell, collections::BTreeSet, path::Path, sync::Arc};

use baton_server::{
    Context,
    config::{ConfigError, Settings, environment, misspelt},
    open_beside,
    store::{Db, OpenError},
};
use baton_shared::{Ids, SystemClock};

use super::{failure::Failure, log, output::explain};

/// Read if it is there and no other was named.
const USUAL: &str = "baton.toml";

pub(super) fn load(named: Option<&Path>) -> Result<Settings, ConfigError> {
    let usual = Some(Path::new(USUAL)).filter(|usual| usual.exists());
    let asked = RefCell::new(BTreeSet::from(log::VARIABLES.map(str::to_owned)));
    let loaded = Settings::load(named.or(usual), &|name| {
        asked.borrow_mut().insert(name.to_owned());
        environment(name)
    });
    let set: Vec<String> = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).collect();
    for (stranger, meant) in misspelt(set.iter().map(String::as_str), &asked.into_inner()) {
        explain(&format!("{stranger} is set in the environment, and nothing reads it: is it meant to be {meant}?"));
    }
    loaded
}

/// The file that is read, or would be.
pub(super) fn file(named: Option<&Path>) -> &Path {
    named.unwrap_or(Path::new(USUAL))
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

/// People and documents may be added before the first start.
pub(super) async fn make_if_missing(settings: &Settings) -> Result<(), Failure> {
    let clock = Arc::new(SystemClock::default());
    match Db::open_beside(settings.database_url.reveal(), clock.clone()).await {
        Err(OpenError::Missing { .. }) => Db::open(settings.database_url.reveal(), clock, None).await?.close().await,
        other => other?.close().await,
    }
    Ok(())
}

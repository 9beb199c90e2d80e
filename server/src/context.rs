//! What every room is given: the store, the time, chance, what the operator decided, what is
//! counted, and where files lie.

use std::{io, sync::Arc};

use baton_shared::{Clock, Ids};

use crate::{
    config::Settings,
    counters::Counters,
    depot::Depot,
    store::{Db, Moment},
};

/// Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub struct Context {
    pub db: Db,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<Ids>,
    pub settings: Arc<Settings>,
    pub counters: Arc<Counters>,
    pub depot: Depot,
}

impl Context {
    /// # Errors
    /// If what is said of the media store makes none.
    pub fn new(db: Db, clock: Arc<dyn Clock>, ids: Arc<Ids>, settings: Settings) -> io::Result<Self> {
        let depot = Depot::new(&settings.media.shelf)?;
        Ok(Self { db, clock, ids, settings: Arc::new(settings), counters: Arc::default(), depot })
    }

    pub fn moment(&self) -> Moment {
        Moment { now: self.clock.now(), time: self.db.time() }
    }
}

//! Everything there is to see, as of one moment: what a client begins with.

use baton_shared::{Micros, protocol::Person};

use crate::{
    Context,
    store::{
        StoreError,
        events::{self, Position},
        rows,
    },
};

use super::batch::{self, RowItem};

/// Of the conversations that need nobody, so many; the others come when something happens to them.
const RECENT: i64 = 1_000;

/// Everything there is to see, as of one moment.
#[derive(Debug)]
pub struct Snapshot {
    pub(super) as_of: Position,
    pub(super) now: Micros,
    pub(super) rows: Vec<RowItem>,
    pub(super) people: Vec<Person>,
}

impl Snapshot {
    /// Reads it in one transaction.
    pub async fn read(context: &Context) -> Result<Self, StoreError> {
        let at = context.moment();
        let mut reader = context.db.snapshot().await?;
        let as_of = events::horizon(reader.conn()).await?.position;
        let rows = rows::queue(reader.conn(), RECENT, at).await?;
        let people = batch::people(reader.conn()).await?;
        Ok(Self { as_of, now: at.now, rows: rows.into_iter().map(RowItem::from).collect(), people })
    }
}

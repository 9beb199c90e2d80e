//! Whether requests should come here: the store answers, and the server is not about to end.

use std::time::Duration;

use axum::{extract::State, http::StatusCode};

use super::Keeper;
use crate::{
    Context,
    store::{StoreError, settings},
};

/// A store that takes longer is of no use to anybody who waits for a webhook's answer.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) async fn ready(keeper: State<Keeper>) -> (StatusCode, String) {
    let why = if keeper.stopping.is_cancelled() {
        "stopping".to_owned()
    } else {
        match tokio::time::timeout(PATIENCE, ask(&keeper.context)).await {
            Ok(Ok(())) => return (StatusCode::OK, "ready\n".into()),
            Ok(Err(error)) => format!("the store does not answer: {error}"),
            Err(_) => format!("the store has not answered for {} s", PATIENCE.as_secs()),
        }
    };
    (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n"))
}

async fn ask(context: &Context) -> Result<(), StoreError> {
    settings::get(context.db.reader().await?.conn(), "stream").await.map(drop)
}

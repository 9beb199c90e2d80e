//! The door: signed webhooks in, durable messages behind the 200. Answering comes later.

mod handshake;
mod line;
mod receive;
pub mod replay;
mod sort;

use std::{collections::HashMap, sync::Arc};

use axum::{Router, routing::get};
use baton_shared::ChannelId;

use crate::{
    Context,
    lifecycle::Lifecycle,
    store::{
        StoreError, channels,
        deliveries::{Kept, Policies, Policy},
    },
};

pub use line::Line;

/// The largest body that is read (`design`: over it 413); Meta's own limit is 3 MB.
pub const BODY_LIMIT: usize = 4 * 1024 * 1024;

/// What the door knows of the channels: whose number an id is, and what its playbook says about arrivals.
#[derive(Clone, Debug, Default)]
pub struct Numbers {
    by_phone_number_id: HashMap<String, (ChannelId, String)>,
    by_account: HashMap<String, String>,
    policies: Arc<Policies>,
}

impl Numbers {
    /// Reads them from the store.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn load(context: &Context) -> Result<Self, StoreError> {
        let mut numbers = Self::default();
        let mut policies = HashMap::new();
        let mut reader = context.db.reader().await?;
        for channel in channels::every(reader.conn()).await? {
            policies.insert(channel.id, line::policy(&context.settings, &channel.phone_number_id));
            numbers.by_account.insert(channel.business_account_id, channel.app.clone());
            numbers.by_phone_number_id.insert(channel.phone_number_id, (channel.id, channel.app));
        }
        numbers.policies = Arc::new(Policies { of: policies, otherwise: Policy::default() });
        Ok(numbers)
    }
}

/// The state of the door's routes.
#[derive(Clone, Debug)]
pub struct Door {
    context: Context,
    numbers: Arc<Numbers>,
    line: Line,
    life: Lifecycle,
}

/// Stores a body whose signature is known to be right: what `POST` does before it answers 200.
///
/// # Errors
/// If it is not stored; nothing of it is then.
pub async fn take_in(context: &Context, numbers: &Numbers, app: &str, body: &[u8]) -> Result<Kept, StoreError> {
    line::store(context, &numbers.policies, sort::sort(body, app, numbers, context)).await
}

/// `GET` and `POST` of `/webhook/{app}`; `/webhook` is the app `default`.
pub fn router(context: Context, numbers: Numbers, life: &Lifecycle) -> Router {
    let line = Line::start(context.clone(), &numbers.policies, life);
    let door = Door { context, numbers: Arc::new(numbers), line, life: life.clone() };
    Router::new()
        .route("/webhook", get(handshake::default_app).post(receive::default_app))
        .route("/webhook/{app}", get(handshake::app).post(receive::app))
        .layer(axum::extract::DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(door)
}

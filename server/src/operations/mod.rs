//! The keeper: says how the server is, and throws away what nobody needs any more.

pub mod doctor;
mod health;
pub mod history;
pub mod knowledge;
mod metrics;
pub mod numbers;
mod retention;
pub mod templates;

use axum::{Router, routing::get};

use crate::{Context, lifecycle::Lifecycle};

pub use retention::{run, sweep};

/// `/health/live`, `/health/ready` and `/metrics`.
pub fn router(context: Context, life: &Lifecycle) -> Router {
    let stopping = life.stopping();
    Router::new()
        .route("/health/live", get(async || "alive\n"))
        .route("/health/ready", get(health::ready))
        .route("/metrics", get(metrics::metrics))
        .with_state(Keeper { context, stopping })
}

/// The state of the keeper's routes.
#[derive(Clone, Debug)]
struct Keeper {
    context: Context,
    stopping: tokio_util::sync::CancellationToken,
}

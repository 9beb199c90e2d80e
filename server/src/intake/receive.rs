//! `POST /webhook/{app}`: size, signature, parse, store, and only then 200.

use axum::{
    body::Bytes,
    extract::{Path, State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};

use super::{Door, line::Full, sort};
use crate::{
    mutation::{self, Mutation},
    store::StoreError,
    whatsapp::signature::{self, Forged},
};

/// Why a delivery is not acknowledged; Meta tries again for up to a week.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("no app `{0}` is configured")]
    NoSuchApp(String),
    #[error("the body is larger than 4 MiB")]
    TooLarge,
    #[error("the body could not be read")]
    Broken,
    #[error(transparent)]
    Forged(#[from] Forged),
    #[error("too many deliveries wait; try again")]
    Full,
    #[error("the store cannot keep it now; try again")]
    NotKept(#[source] StoreError),
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::NoSuchApp(_) => StatusCode::NOT_FOUND,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Broken => StatusCode::BAD_REQUEST,
            Self::Forged(_) => StatusCode::UNAUTHORIZED,
            Self::Full | Self::NotKept(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        match &self {
            Self::NotKept(error) => tracing::error!(%error, "a delivery could not be stored"),
            Self::Full => tracing::warn!("deliveries are shed: more arrive than can be stored"),
            Self::Forged(why) => tracing::warn!(%why, "a delivery was refused"),
            Self::NoSuchApp(_) | Self::TooLarge | Self::Broken => tracing::info!(why = %self, "a delivery was refused"),
        }
        (status, self.to_string()).into_response()
    }
}

type Body = Result<Bytes, BytesRejection>;

pub(super) async fn default_app(door: State<Door>, headers: HeaderMap, body: Body) -> Result<StatusCode, Refusal> {
    receive(&door, "default", &headers, body).await
}

pub(super) async fn app(
    door: State<Door>,
    Path(app): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Refusal> {
    receive(&door, &app, &headers, body).await
}

async fn receive(door: &Door, app: &str, headers: &HeaderMap, body: Body) -> Result<StatusCode, Refusal> {
    let done = take(door, app, headers, body).await;
    let deliveries = &door.context.counters.deliveries;
    match &done {
        Ok(_) => deliveries.stored.one(),
        Err(Refusal::Full) => deliveries.shed.one(),
        Err(Refusal::NotKept(_)) => deliveries.failed.one(),
        Err(Refusal::NoSuchApp(_) | Refusal::TooLarge | Refusal::Broken | Refusal::Forged(_)) => {
            deliveries.refused.one();
        }
    }
    done
}

async fn take(door: &Door, app: &str, headers: &HeaderMap, body: Body) -> Result<StatusCode, Refusal> {
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Refusal::TooLarge,
        _ => Refusal::Broken,
    })?;
    let apps = &door.context.settings.whatsapp.apps;
    let known = apps.iter().find(|known| known.name == app).ok_or_else(|| Refusal::NoSuchApp(app.to_owned()))?;
    let secrets = std::iter::once(&known.secret).chain(&known.secret_previous);
    let header = headers.get(signature::HEADER).map(axum::http::HeaderValue::as_bytes);
    signature::verify(secrets.map(|secret| secret.reveal().as_bytes()), header, &body)?;
    let batch = sort::sort(&body, app, &door.numbers, &door.context);
    if mutation::is(Mutation::AckFirst) {
        let line = door.line.clone();
        door.life.spawn(async move {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            let _ = line.store(batch).await;
        });
        return Ok(StatusCode::OK);
    }
    match door.line.store(batch).await {
        Ok(_) => Ok(StatusCode::OK),
        Err(Full::Full) => Err(Refusal::Full),
        Err(Full::NotKept(StoreError::Busy)) => Err(Refusal::Full),
        Err(Full::NotKept(error)) => Err(Refusal::NotKept(error)),
    }
}

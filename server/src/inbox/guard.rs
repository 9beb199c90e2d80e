//! Nobody reads or sends without signing in: who a token belongs to.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::FromRequestParts,
    http::{header::AUTHORIZATION, request::Parts},
};
use baton_shared::SessionId;
use sha2::{Digest, Sha256};

use crate::{
    Context,
    store::{
        StoreError, Urgency,
        agents::{self, Agent},
    },
};

use super::{feed::Hub, refusal::Refusal, roles::Viewer};

/// How exactly it is known when a sign-in was used last.
const USE_NOTED_EVERY: Duration = Duration::from_secs(60 * 60);

/// Longer ones are none of ours.
const TOKEN_LIMIT: usize = 256;

/// Somebody, by one of their sign-ins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SignedIn {
    pub(super) session: SessionId,
    pub(super) token_hash: String,
    pub(super) agent: Agent,
}

impl SignedIn {
    pub(super) fn viewer(&self, context: &Context) -> Viewer {
        Viewer { agent: self.agent.clone(), agents_see: context.settings.inbox.agents_see }
    }
}

impl FromRequestParts<Arc<Hub>> for SignedIn {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, hub: &Arc<Hub>) -> Result<Self, Refusal> {
        let token = bearer(parts).ok_or(Refusal::SignedOut)?;
        check(&hub.context, hash(token)).await?.ok_or(Refusal::SignedOut)
    }
}

fn bearer(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && token.len() <= TOKEN_LIMIT).then_some(token)
}

/// What the store keeps of secrets and tokens: they are random and long, so a plain hash will do,
/// and looking one up tells nothing about its neighbours.
pub fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

/// Whose token it is, unless it was signed out, has not been used for too long, or they were disabled.
pub(super) async fn check(context: &Context, token_hash: String) -> Result<Option<SignedIn>, StoreError> {
    let found = agents::signed_in(context.db.reader().await?.conn(), &token_hash).await?;
    let Some((session, used_at, agent)) = found else { return Ok(None) };
    let now = context.clock.now();
    let idle = now.since(used_at);
    if idle > context.settings.inbox.session {
        return Ok(None);
    }
    if idle > USE_NOTED_EVERY {
        let job =
            context.db.write(Urgency::First, move |tx| Box::pin(async move { agents::used(tx, session, now).await }));
        job.await?;
    }
    Ok(Some(SignedIn { session, token_hash, agent }))
}

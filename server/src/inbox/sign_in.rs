//! A one-time secret becomes a token, and a token ends.

use std::{
    collections::HashMap,
    convert::Infallible,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Json,
    body::Bytes,
    extract::{ConnectInfo, FromRequestParts, State, rejection::BytesRejection},
    http::{StatusCode, request::Parts},
};
use baton_shared::{
    Ids, SessionId,
    protocol::{self, SignedIn as Granted},
};

use crate::store::{
    Urgency,
    agents::{self, Agent},
    events::{self, Event},
};

use super::{
    feed::Hub,
    guard::{SignedIn, hash},
    refusal::Refusal,
};

/// A secret is some dozens of characters.
const BODY_LIMIT: usize = 4 * 1024;

/// So many wrong secrets may come from one place at once, and one more every so often.
const GUESSES: u32 = 10;
const ONE_MORE_EVERY: Duration = Duration::from_secs(6);

/// More places than this are not told apart.
const PLACES: usize = 10_000;

/// `POST /api/v1/sign-in`: the one-time secret, used up by this, for a token.
pub(super) async fn sign_in(
    State(hub): State<Arc<Hub>>,
    caller: Caller,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Granted>, Refusal> {
    let now = hub.context.clock.monotonic();
    if !hub.guesses.may_try(caller, now) {
        return Err(Refusal::Guessing);
    }
    let sign_in: protocol::SignIn = body
        .ok()
        .filter(|body| body.len() <= BODY_LIMIT)
        .and_then(|body| serde_json::from_slice(&body).ok())
        .ok_or(Refusal::Unreadable(r#"Expected {"secret": "..."}."#))?;
    let token = token(&hub.context.ids);
    let Some(agent) = grant(&hub, &sign_in.secret, &token).await? else {
        hub.guesses.wrong(caller, now);
        return Err(Refusal::Secret);
    };
    tracing::info!(agent = %agent.id, "signed in");
    Ok(Json(Granted { token, me: agent.into() }))
}

async fn grant(hub: &Hub, secret: &str, token: &str) -> Result<Option<Agent>, Refusal> {
    let (secret, token) = (hash(secret.trim()), hash(token));
    let now = hub.context.clock.now();
    let session: SessionId = hub.context.ids.next(now);
    let job = hub.context.db.write(Urgency::First, move |tx| {
        let (secret, token) = (secret.clone(), token.clone());
        Box::pin(async move {
            let agent = agents::use_secret(tx, &secret).await?;
            if let Some(agent) = &agent {
                agents::sign_in(tx, session, agent.id, &token, now).await?;
                events::append(tx, Event::new("signed_in", now).by(Some(agent.id))).await?;
            }
            Ok(agent)
        })
    });
    Ok(job.await?)
}

/// `POST /api/v1/sign-out`: this token is worth nothing any more, on any server.
pub(super) async fn sign_out(State(hub): State<Arc<Hub>>, who: SignedIn) -> Result<StatusCode, Refusal> {
    let (session, agent, now) = (who.session, who.agent.id, hub.context.clock.now());
    let job = hub
        .context
        .db
        .write(Urgency::First, move |tx| Box::pin(async move { agents::sign_out(tx, session, agent, now).await }));
    job.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A secret or a token that nobody guesses.
pub fn token(ids: &Ids) -> String {
    let mut bytes = [0; 32];
    ids.fill(&mut bytes);
    hex::encode(bytes)
}

/// Where a request comes from, if the server was told to say so; a whole network for IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Caller(Option<IpAddr>);

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let address = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip());
        Ok(Self(address.map(|address| match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(six) => {
                let [a, b, c, d, ..] = six.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
        })))
    }
}

/// Wrong secrets, by where they came from; one in need of a rest is not even looked up.
#[derive(Debug, Default)]
pub(super) struct Guesses(Mutex<HashMap<Caller, Duration>>);

impl Guesses {
    /// Whether another secret may be tried from there.
    fn may_try(&self, caller: Caller, now: Duration) -> bool {
        let busy_until = self.lock().get(&caller).copied().unwrap_or_default();
        busy_until <= now + ONE_MORE_EVERY * (GUESSES - 1)
    }

    /// Each wrong one is worked off in its time.
    fn wrong(&self, caller: Caller, now: Duration) {
        let mut places = self.lock();
        if places.len() >= PLACES {
            places.retain(|_, busy_until| *busy_until > now);
        }
        let caller = if places.len() >= PLACES { Caller(None) } else { caller };
        let busy_until = places.entry(caller).or_default();
        *busy_until = (*busy_until).max(now) + ONE_MORE_EVERY;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Caller, Duration>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessing_tires() {
        let (guesses, here) = (Guesses::default(), Caller(Some(IpAddr::from([10, 0, 0, 1]))));
        let now = Duration::from_secs(1_000);
        let tried = (0..100).take_while(|_| {
            let may = guesses.may_try(here, now);
            guesses.wrong(here, now);
            may
        });
        assert_eq!(tried.count(), 10);
        assert!(guesses.may_try(Caller(None), now), "others are not held back");
    }

    #[test]
    fn rest_helps() {
        let (guesses, here, mut now) = (Guesses::default(), Caller(None), Duration::ZERO);
        for _ in 0..GUESSES {
            guesses.wrong(here, now);
        }
        assert!(!guesses.may_try(here, now));
        now += ONE_MORE_EVERY;
        assert!(guesses.may_try(here, now));
    }
}

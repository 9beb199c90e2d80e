//! The people at the desk: added like any other, signed in over HTTP like any other.

use baton::net::{Settings, SignInError, Timing, sign_in};
use baton_server::{
    inbox::{new_secret, secret_hash},
    store::{
        Urgency,
        agents::{self, Agent},
    },
};
use baton_shared::{Role, protocol::SignedIn};

use super::{DemoError, Stage};

/// Adds a person and signs them in.
pub(super) async fn sign_up(stage: &Stage, name: &str, role: Role) -> Result<SignedIn, DemoError> {
    let secret = add(stage, name, role).await?;
    let signed_in = sign_in(&stage.address(), &secret).await;
    signed_in.map_err(|error: SignInError| DemoError::SignIn(error.to_string()))
}

/// How a scripted agent of this token connects; a lost server is looked for without long pauses.
pub(super) fn connection(stage: &Stage, token: &str) -> Settings {
    let timing = Timing { last_retry: std::time::Duration::from_secs(1), ..Timing::default() };
    Settings { address: stage.address(), token: token.to_owned(), build: "baton-demo".into(), timing }
}

/// The one-time secret of a new person.
async fn add(stage: &Stage, name: &str, role: Role) -> Result<String, DemoError> {
    let context = stage.context();
    let now = context.clock.now();
    let secret = new_secret(&context.ids);
    let new = Agent {
        id: context.ids.next(now),
        name: name.to_owned(),
        role,
        team: String::new(),
        created_at: now,
        disabled_at: None,
    };
    let hash = secret_hash(&secret);
    let job = context.db.write(Urgency::First, move |tx| {
        let (new, hash) = (new.clone(), hash.clone());
        Box::pin(async move { agents::insert(tx, &new, &hash).await })
    });
    job.await?;
    Ok(secret)
}

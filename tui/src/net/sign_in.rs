//! Changing a one-time secret into a token.

use std::time::Duration;

use baton_shared::protocol::{SignIn, SignedIn};

use super::Address;

/// Why a sign-in did not work, as a sentence for the person at the keyboard.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    #[error("{server} could not be reached: {why}")]
    Unreachable { server: String, why: String },
    #[error(
        "{0} does not accept this secret: it may be mistyped, used already, or withdrawn. \
         A new one comes from `baton-server agent secret NAME`"
    )]
    Refused(String),
    #[error("{server} answered {status}: is this a Baton server?")]
    Unexpected { server: String, status: u16 },
}

/// `POST /api/v1/sign-in`.
pub async fn sign_in(address: &Address, secret: &str) -> Result<SignedIn, SignInError> {
    super::prepare_tls();
    let unreachable = |error: reqwest::Error| SignInError::Unreachable {
        server: address.to_string(),
        // The whole chain: the outermost error says only that something failed.
        why: chain(&error),
    };
    let http = reqwest::Client::builder()
        .timeout(Duration::from_secs(15))
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(unreachable)?;
    let body = SignIn { secret: secret.trim().to_owned() };
    let response = http.post(address.api("sign-in")).json(&body).send().await.map_err(unreachable)?;
    match response.status().as_u16() {
        200 => response.json().await.map_err(|_| SignInError::Unexpected { server: address.to_string(), status: 200 }),
        400 | 401 | 403 => Err(SignInError::Refused(address.to_string())),
        status => Err(SignInError::Unexpected { server: address.to_string(), status }),
    }
}

fn chain(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

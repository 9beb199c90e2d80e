//! `GET /webhook/{app}`: Meta asks whether we are who we say (hub.mode, hub.verify_token,
//! hub.challenge); the answer is the challenge, bare.

use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::Door;

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(rename = "hub.mode", default)]
    mode: String,
    #[serde(rename = "hub.challenge", default)]
    challenge: String,
    #[serde(rename = "hub.verify_token", default)]
    verify_token: String,
}

pub(super) async fn default_app(door: State<Door>, asked: Query<Asked>) -> (StatusCode, String) {
    answer(&door, "default", &asked)
}

pub(super) async fn app(door: State<Door>, Path(app): Path<String>, asked: Query<Asked>) -> (StatusCode, String) {
    answer(&door, &app, &asked)
}

fn answer(door: &Door, app: &str, asked: &Asked) -> (StatusCode, String) {
    let known = door.context.settings.whatsapp.apps.iter().find(|known| known.name == app);
    let Some(known) = known else {
        return (StatusCode::NOT_FOUND, format!("no app `{app}` is configured"));
    };
    if asked.mode == "subscribe" && same(known.verify_token.reveal(), &asked.verify_token) {
        (StatusCode::OK, asked.challenge.clone())
    } else {
        (StatusCode::FORBIDDEN, "the verify token is not the one in the settings".into())
    }
}

/// Compares digests, so that the time taken says nothing about how much of the token was right.
fn same(expected: &str, given: &str) -> bool {
    Sha256::digest(expected.as_bytes()) == Sha256::digest(given.as_bytes())
}

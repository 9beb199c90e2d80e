//! The API's other routes, for pipes: what the websocket says, one question at a time.

use std::{str::FromStr, sync::Arc};

use axum::{
    Json,
    body::Bytes,
    extract::{
        Path, Query, State,
        rejection::{BytesRejection, PathRejection, QueryRejection},
    },
};
use baton_shared::{
    ConversationId, Micros,
    message::Place,
    protocol::{Answer, Command, Person, ServerFrame},
};
use serde::Deserialize;

use super::{Snapshot, commands, feed::Hub, guard::SignedIn, refusal::Refusal, roles::Right, stream::Follower, thread};

/// `GET /api/v1/me`: who the token belongs to.
pub(super) async fn me(who: SignedIn) -> Json<Person> {
    Json(who.agent.into())
}

/// `GET /api/v1/queue`: every row that the caller may see, as a `snapshot` frame.
pub(super) async fn queue(State(hub): State<Arc<Hub>>, who: SignedIn) -> Result<Json<ServerFrame>, Refusal> {
    let viewer = who.viewer(&hub.context);
    if !viewer.may(Right::SeeQueue) {
        return Err(Refusal::NotAllowed);
    }
    let snapshot = Snapshot::read(&hub.context).await?;
    let mut follower = Follower::new(viewer, hub.stream().await?);
    Ok(Json(follower.whole(&snapshot)))
}

#[derive(Deserialize)]
pub(super) struct Before {
    /// The place of a message: its second, arrival and index, with dots between.
    before: Option<String>,
}

/// `GET /api/v1/conversations/{id}`: the newest page as a `thread` frame, or with `?before=` an
/// older one as a `history` frame.
pub(super) async fn conversation(
    State(hub): State<Arc<Hub>>,
    who: SignedIn,
    id: Result<Path<String>, PathRejection>,
    query: Result<Query<Before>, QueryRejection>,
) -> Result<Json<ServerFrame>, Refusal> {
    let viewer = who.viewer(&hub.context);
    if !viewer.may(Right::SeeQueue) {
        return Err(Refusal::NotAllowed);
    }
    let id = id.ok().and_then(|Path(id)| ConversationId::from_str(&id).ok()).ok_or(Refusal::NotFound)?;
    let Query(Before { before }) = query.map_err(|_| Refusal::Unreadable("The question has `before` once, or not."))?;
    let frame = match before {
        None => thread::open(&hub.context, &viewer, id).await?.map(|thread| ServerFrame::Thread(Box::new(thread))),
        Some(before) => {
            let before =
                place(&before).ok_or(Refusal::Unreadable("`before` is a message's second.arrived_at.index."))?;
            thread::history(&hub.context, &viewer, id, before).await?
        }
    };
    frame.map(Json).ok_or(Refusal::NotFound)
}

fn place(text: &str) -> Option<Place> {
    let mut parts = text.split('.').map(|part| part.parse::<i64>().ok());
    let place = Place { second: parts.next()??, arrived_at: Micros(parts.next()??), index: parts.next()?? };
    parts.next().is_none().then_some(place)
}

/// `POST /api/v1/commands`: the body is a command, the answer its answer.
pub(super) async fn command(
    State(hub): State<Arc<Hub>>,
    who: SignedIn,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Answer>, Refusal> {
    let command = body.ok().and_then(|body| serde_json::from_slice::<Command>(&body).ok());
    let command = command.ok_or(Refusal::Unreadable("Expected a command."))?;
    Ok(Json(commands::execute(&hub.context, who.agent.id, &command).await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_three_numbers() {
        assert_eq!(place("5.6.7"), Some(Place { second: 5, arrived_at: Micros(6), index: 7 }));
        for wrong in ["", "5", "5.6", "5.6.7.8", "a.b.c", "5..7"] {
            assert_eq!(place(wrong), None, "{wrong}");
        }
    }
}

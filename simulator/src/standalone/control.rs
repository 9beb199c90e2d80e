//! `/simulator`: what customers do and Meta decides, by HTTP.

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::Engine;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{account, report};
use crate::{
    server::Handle,
    whatsapp::{Attachment, Faults, Saying},
};

/// What `GET /simulator` says.
const HELP: &str = "\
POST /simulator/messages            a customer says something; answers {\"id\": \"wamid...\"}
  {\"from\": \"15550100199\", \"text\": \"Are you open?\"}        whoever is not known yet comes into being
  {\"from\": ..., \"text\": ..., \"reply_to\": \"wamid...\", \"name\": \"Marina\", \"to\": \"<phone_number_id>\"}
  {\"from\": ..., \"press\": \"Yes\"}                           a button or a row of what they were sent
  {\"from\": ..., \"reaction\": {\"message_id\": \"wamid...\", \"emoji\": \"...\"}}
  {\"from\": ..., \"file\": {\"type\": \"image\", \"mime_type\": \"image/png\", \"base64\": \"...\", \"caption\": \"...\"}}
  {\"from\": ..., \"type\": \"location\", \"location\": {...}}     any other type with its object
GET  /simulator/messages            what reached customers, with its statuses; ?to=15550100199
GET  /simulator/ledger              everything said, asked, and posted
GET  /simulator/people              who there is
POST /simulator/people              {\"phone\": ..., \"name\": ..., \"user_id\": ..., \"username\": ...,
                                     \"shares_phone\": true, \"read_receipts\": true, \"reachable\": true}
POST /simulator/threads             {\"phone\": ..., \"act\": \"take\", \"pass\" or \"answer\", \"text\": ...}:
                                     another app of the business's takes a thread, passes it here, answers
POST /simulator/templates/{id}      {\"status\": \"PAUSED\"}: Meta decides about a template
POST /simulator/webhooks            {\"field\": \"account_update\", \"value\": {...}}: any other news
POST /simulator/faults              {\"duplicate\": 0.2, \"busy\": 0.1}: from 0 to 1; {} for none
POST /simulator/callback            {\"url\": \"http://...\"}: as saved in the dashboard, with the handshake
";

pub(super) fn routes(handle: Handle) -> Router {
    Router::new()
        .route("/simulator", get(async || HELP))
        .route("/simulator/messages", post(say).get(messages))
        .route("/simulator/ledger", get(ledger))
        .route("/simulator/people", post(change_person).get(people))
        .route("/simulator/threads", post(other_app))
        .route("/simulator/templates/{id}", post(judge))
        .route("/simulator/webhooks", post(announce))
        .route("/simulator/faults", post(faults))
        .route("/simulator/callback", post(callback))
        .with_state(handle)
}

/// Why something could not be done: a sentence.
struct Refused(StatusCode, String);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, Json(json!({"error": self.1}))).into_response()
    }
}

fn refused(why: impl Into<String>) -> Refused {
    Refused(StatusCode::BAD_REQUEST, why.into())
}

type Answer = Result<Json<Value>, Refused>;

/// Whatever the client calls it: curl says it is a form.
fn object(body: &str) -> Result<Map<String, Value>, Refused> {
    match serde_json::from_str(body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(refused("the body must be a JSON object")),
        Err(why) => Err(refused(format!("the body is not JSON: {why}"))),
    }
}

#[derive(Deserialize)]
struct File {
    #[serde(rename = "type")]
    kind: String,
    mime_type: String,
    base64: String,
    name: Option<String>,
    caption: Option<String>,
}

async fn say(State(handle): State<Handle>, body: String) -> Answer {
    let asked = object(&body)?;
    let text = |key: &str| asked.get(key).and_then(Value::as_str);
    let from = text("from")
        .filter(|from| !from.is_empty())
        .ok_or_else(|| refused("`from` is missing: the customer's phone as digits, or their user id (US.1234)"))?;
    let press = text("press");
    let saying = if press.is_some() { None } else { Some(saying(&asked)?) };
    let id = handle.with(|world, now| {
        let person = world.whatsapp.person(from);
        if let Some(name) = text("name") {
            world.whatsapp.person_mut(person).name = Some(name.into());
        }
        if let Some(press) = press {
            return world.whatsapp.press(now, person, press).ok_or_else(|| {
                refused(format!("{from} was sent nothing with a button or row that is called {press}"))
            });
        }
        let mut saying = saying.unwrap_or_else(|| Saying::text(""));
        if let Some(to) = text("to") {
            let place = world.whatsapp.config().numbers.iter().position(|number| number.id == to);
            saying = saying.to_number(place.ok_or_else(|| refused(format!("there is no number {to}")))?);
        }
        if let Some(wamid) = text("reply_to") {
            saying = saying.reply_to(wamid);
        }
        Ok(world.whatsapp.say(now, person, saying))
    })?;
    Ok(Json(json!({ "id": id })))
}

fn saying(asked: &Map<String, Value>) -> Result<Saying, Refused> {
    if let Some(Value::String(text)) = asked.get("text") {
        return Ok(Saying::text(text));
    }
    if let Some(file) = asked.get("file") {
        let file: File = serde_json::from_value(file.clone()).map_err(|why| refused(format!("`file`: {why}")))?;
        let bytes = base64::engine::general_purpose::STANDARD.decode(&file.base64);
        let bytes = bytes.map_err(|why| refused(format!("`file.base64`: {why}")))?;
        let mut attachment = Attachment::new(&file.kind, &file.mime_type, bytes);
        (attachment.name, attachment.caption) = (file.name, file.caption);
        return Ok(Saying::attached(attachment));
    }
    let kind = match asked.get("type").and_then(Value::as_str) {
        Some(kind) => kind,
        None if asked.contains_key("reaction") => "reaction",
        None => return Err(refused("say something: `text`, `press`, `reaction`, `file`, or `type` with its object")),
    };
    let object = asked.get(kind).ok_or_else(|| refused(format!("`{kind}` is missing: the object of that type")))?;
    Ok(Saying::other(kind, object.clone()))
}

#[derive(Deserialize)]
struct To {
    to: Option<String>,
}

async fn messages(State(handle): State<Handle>, Query(To { to }): Query<To>) -> Json<Value> {
    handle.with(|world, _| Json(report::messages(&world.whatsapp, to.as_deref())))
}

async fn ledger(State(handle): State<Handle>) -> Json<Value> {
    handle.with(|world, _| Json(report::ledger(&world.whatsapp)))
}

async fn people(State(handle): State<Handle>) -> Json<Value> {
    handle.with(|world, _| Json(world.whatsapp.people().iter().map(report::person).collect()))
}

/// What another app of the business's does with a thread.
async fn other_app(State(handle): State<Handle>, body: String) -> Answer {
    let asked = object(&body)?;
    let text = |key: &str| asked.get(key).and_then(Value::as_str);
    let who = text("phone").or_else(|| text("user_id")).ok_or_else(|| refused("`phone` or `user_id` is missing"))?;
    let (act, words) = (text("act").unwrap_or_default(), text("text").unwrap_or_default());
    let done = handle.with(|world, now| {
        let person = world.whatsapp.person(who);
        match act {
            "take" => world.whatsapp.take_elsewhere(now, 0, person),
            "pass" => world.whatsapp.pass_here(now, 0, person, words),
            "answer" => drop(world.whatsapp.answer_elsewhere(now, 0, person, words)),
            _ => return None,
        }
        Some(report::person(&world.whatsapp.people()[person.0]))
    });
    done.map(Json).ok_or_else(|| refused("`act` must be `take`, `pass` or `answer`"))
}

async fn change_person(State(handle): State<Handle>, body: String) -> Answer {
    let asked = object(&body)?;
    let text = |key: &str| asked.get(key).and_then(Value::as_str);
    let who = text("phone").or_else(|| text("user_id")).ok_or_else(|| refused("`phone` or `user_id` is missing"))?;
    let changed = handle.with(|world, _| {
        let id = world.whatsapp.person(who);
        let person = world.whatsapp.person_mut(id);
        if let Some(user_id) = text("user_id") {
            person.user_id = user_id.into();
        }
        for (key, place) in [("name", &mut person.name), ("username", &mut person.username)] {
            if let Some(value) = asked.get(key) {
                *place = value.as_str().map(str::to_owned);
            }
        }
        let flags = [
            ("shares_phone", &mut person.shares_phone),
            ("read_receipts", &mut person.read_receipts),
            ("reachable", &mut person.reachable),
        ];
        for (key, place) in flags {
            *place = asked.get(key).and_then(Value::as_bool).unwrap_or(*place);
        }
        report::person(person)
    });
    Ok(Json(changed))
}

async fn judge(State(handle): State<Handle>, Path(id): Path<String>, body: String) -> Answer {
    let asked = object(&body)?;
    let status = asked
        .get("status")
        .and_then(Value::as_str)
        .ok_or_else(|| refused("`status` is missing: APPROVED, REJECTED, PAUSED, DISABLED..."))?;
    match handle.with(|world, now| world.whatsapp.judge_template(now, &id, status)) {
        true => Ok(Json(json!({"success": true}))),
        false => Err(Refused(StatusCode::NOT_FOUND, format!("there is no template {id}"))),
    }
}

async fn announce(State(handle): State<Handle>, body: String) -> Answer {
    let asked = object(&body)?;
    let field = asked.get("field").and_then(Value::as_str).ok_or_else(|| refused("`field` is missing"))?;
    let value = asked.get("value").cloned().ok_or_else(|| refused("`value` is missing"))?;
    let told = handle.with(|world, now| {
        let account = account(&world.whatsapp);
        world.whatsapp.announce(now, &account, field, value)
    });
    Ok(Json(json!({"apps": told})))
}

async fn faults(State(handle): State<Handle>, body: String) -> Answer {
    let asked = object(&body)?;
    let mut faults = Faults::none();
    for (name, value) in &asked {
        let probability = value.as_f64().filter(|one| (0.0..=1.0).contains(one));
        let probability = probability.ok_or_else(|| refused(format!("`{name}` must be a number from 0 to 1")))?;
        *faults.by_name(name).ok_or_else(|| refused(format!("there is no fault `{name}`")))? = probability;
    }
    handle.with(|world, _| world.whatsapp.config_mut().faults = faults);
    Ok(Json(json!({"success": true})))
}

async fn callback(State(handle): State<Handle>, body: String) -> Answer {
    let asked = object(&body)?;
    let url = asked.get("url").and_then(Value::as_str).ok_or_else(|| refused("`url` is missing"))?.to_owned();
    let app = handle.with(|world, _| {
        let app = world.whatsapp.config_mut().apps.first_mut()?;
        app.callback_url = Some(url);
        Some(app.id.clone())
    });
    handle.handshake(&app.unwrap_or_default()).await.map_err(|why| refused(why.to_string()))?;
    Ok(Json(json!({"success": true})))
}

//! What an app asks about itself, with a token of its own: where its webhooks go.

use serde_json::{Value as Json, json};

use super::{Answer, Done, GraphError, Reply, account::List, fields::Fields, json as bytes, route::Target};
use crate::whatsapp::{Whatsapp, ids};

impl Whatsapp {
    /// `GET /oauth/access_token`: an app's own token, for its id and secret.
    pub(super) fn app_token(&self, target: &Target<'_>) -> Result<Answer, GraphError> {
        let (id, secret) = (target.parameter("client_id"), target.parameter("client_secret"));
        let known = |app: &&super::App| Some(&app.id) == id.as_ref() && Some(&app.secret) == secret.as_ref();
        let app = self.config.apps.iter().find(known).ok_or_else(GraphError::bad_token)?;
        let token = json!({"access_token": format!("{}|{}", app.id, app.secret), "token_type": "bearer"});
        Ok(Answer { body: bytes::graph(&token), done: Done::Answered, usage: None })
    }

    pub(super) fn subscriptions(&self, target: &Target<'_>) -> Result<Answer, GraphError> {
        let app = self.config.apps.iter().find(|app| app.id == target.id);
        let app = app.ok_or_else(|| GraphError::no_object(target.method, target.id))?;
        let fields = |name: &String| json!({"name": name, "version": self.config.version});
        let data = app
            .callback_url
            .iter()
            .map(|url| {
                Fields(vec![
                    ("object", json!("whatsapp_business_account")),
                    ("callback_url", json!(url)),
                    ("active", json!(true)),
                    ("fields", app.fields.iter().map(fields).collect()),
                ])
            })
            .collect();
        Ok(Answer {
            body: bytes::graph(&List { data, paging: None, summary: None }),
            done: Done::Answered,
            usage: None,
        })
    }

    /// `POST /<app>/subscriptions`. Whoever drives this does the handshake before they pass the answer on;
    /// see [`refuse_callback`](Self::refuse_callback).
    pub(super) fn subscribe(&mut self, target: &Target<'_>, body: &[u8]) -> Result<Answer, GraphError> {
        let asked = target.parameters(body)?;
        let text = |name: &'static str| asked[name].as_str().ok_or_else(|| GraphError::required(name));
        let (url, token) = (text("callback_url")?.to_owned(), text("verify_token")?.to_owned());
        let fields: Vec<String> = match &asked["fields"] {
            Json::Array(fields) => fields.iter().filter_map(|field| field.as_str().map(str::to_owned)).collect(),
            other => other.as_str().unwrap_or_default().split(',').map(|field| field.trim().to_owned()).collect(),
        };
        let app = self.config.apps.iter_mut().find(|app| app.id == target.id);
        let app = app.ok_or_else(|| GraphError::no_object(target.method, target.id))?;
        (app.callback_url, app.verify_token) = (Some(url), token);
        if fields.iter().any(|field| !field.is_empty()) {
            app.fields = fields;
        }
        Ok(Answer { body: bytes::graph(&json!({"success": true})), done: Done::Answered, usage: None })
    }

    /// The handshake with a new callback failed: it is forgotten, and this is the answer.
    pub fn refuse_callback(&mut self, app: &str, why: &str, mut reply: Reply) -> Reply {
        if let Some(app) = self.config.apps.iter_mut().find(|known| known.id == app) {
            app.callback_url = None;
        }
        let error = GraphError::callback_failed(why);
        let trace = ids::trace(&mut self.rng);
        super::headers::add_error(&mut reply.headers, &error, &self.config.limits);
        Reply { status: error.status, body: bytes::graph(&error.body(&trace)).into(), ..reply }
    }
}

//! The Graph API: one request in, one answer out, as recorded traffic shows them.

mod account;
mod app;
mod error;
mod fields;
pub(super) mod files;
mod form;
mod headers;
mod interactive;
mod number;
mod route;
mod send;
mod templates;
mod thread;

use std::time::Duration;

use baton_shared::Micros;
use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::Value as Json;

use self::{error::GraphError, route::Target};
use super::{App, Done, Fault, Request, Whatsapp, ids, json};
use crate::chance::Chance;

/// A request to the Graph API.
#[derive(Clone, Copy, Debug)]
pub struct GraphRequest<'a> {
    pub method: &'a Method,
    /// Such as `/v26.0/106853218861066/messages?fields=id`.
    pub path_and_query: &'a str,
    /// The `Authorization` header.
    pub authorization: Option<&'a str>,
    pub body: &'a [u8],
}

/// The answer, and how it comes.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// What went wrong; with some faults the client gets no answer at all ([`Fault::is_answered`]).
    pub fault: Option<Fault>,
    /// How long the answer takes.
    pub latency: Duration,
}

/// What a handler found out, before it becomes bytes.
struct Answer {
    body: Vec<u8>,
    done: Done,
    /// Whose usage the headers tell: the account, and which of its quotas.
    usage: Option<(String, &'static str)>,
}

impl Whatsapp {
    /// Answers one request, now. What it sets going comes out of [`due`](Self::due) later.
    pub fn request(&mut self, now: Micros, request: GraphRequest<'_>) -> Reply {
        if files::is_for_bytes(&request) {
            return self.attachment(now, &request);
        }
        let mut noted = noted(now, &request);
        let sends = *request.method == Method::POST && noted.path.ends_with("/messages");
        let uploads = *request.method == Method::POST && noted.path.ends_with("/media");
        let fault = match (sends, uploads) {
            (true, _) => self.config.faults.strike(&mut self.rng),
            (_, true) => self.rng.happens(self.config.faults.no_uploads).then_some(Fault::Unavailable),
            _ => None,
        };
        if sends && self.config.alone {
            self.meet(noted.recipient.as_deref());
        }
        let hurried = sends && self.rng.happens(self.config.faults.overtake);
        let result = match fault {
            Some(Fault::Busy) => Err(GraphError::busy(self.rng.usize(..3))),
            Some(fault) if !fault.is_after() => Ok(Answer { body: Vec::new(), done: Done::Nothing, usage: None }),
            _ => self.handle(now, &request, hurried),
        };
        let latency = self.rng.within(if hurried { self.config.faults.overtake_by } else { self.config.pace.answer });
        noted.done = match &result {
            Ok(answer) => answer.done.clone(),
            Err(error) => Done::Refused { code: error.code },
        };
        let reply = self.reply(now, &request, result, fault, latency);
        if let Done::Accepted { wamid } = &noted.done {
            self.keep_sent(wamid, request.body);
        }
        noted.fault = fault;
        noted.status = fault.is_none_or(Fault::is_answered).then_some(reply.status);
        self.ledger.requests.push(noted);
        reply
    }

    fn handle(&mut self, now: Micros, request: &GraphRequest<'_>, hurried: bool) -> Result<Answer, GraphError> {
        let target = Target::parse(request)?;
        if (request.method, target.id, target.edge) == (&Method::GET, "oauth", Some("access_token")) {
            return self.app_token(&target);
        }
        self.authorize(request, &target)?;
        match (request.method.as_str(), target.edge) {
            ("POST", Some("messages")) => self.messages(now, &target, request.body, hurried),
            ("POST", Some("media")) => self.upload(now, &target, request.body),
            ("GET", None) => self.file_facts(now, &target).map_or_else(|| self.node(&target), Ok),
            ("POST", None) => self.change_node(&target, request.body),
            ("DELETE", None) if !target.id.bytes().all(|byte| byte.is_ascii_digit()) => Err(GraphError::malformed_id()),
            ("DELETE", None) => self.delete_file(now, &target),
            ("POST", Some("thread_control")) => self.thread_control(&target, request.body),
            ("POST", Some("block_users")) => self.block_users(&target, request.body, true),
            ("DELETE", Some("block_users")) => self.block_users(&target, request.body, false),
            ("GET", Some("message_history")) => self.message_history(&target),
            ("GET", Some("events")) => self.history_events(now, &target),
            ("GET", Some("phone_numbers")) => self.phone_numbers(&target),
            ("GET", Some("message_templates")) => self.message_templates(&target),
            ("POST", Some("message_templates")) => self.create_template(now, &target, request.body),
            ("DELETE", Some("message_templates")) => self.delete_templates(&target),
            ("POST", Some("register")) => self.register(&target, request.body),
            ("POST", Some("deregister")) => self.deregister(&target),
            ("POST", Some("request_code" | "verify_code")) => self.verification_code(&target),
            ("GET", Some("whatsapp_business_profile")) => self.profile(&target),
            ("POST", Some("whatsapp_business_profile")) => self.change_profile(&target, request.body),
            ("GET", Some("subscribed_apps")) => self.subscribed_apps(&target),
            ("POST", Some("subscribed_apps")) => self.subscribe_app(&target),
            ("GET", Some("subscriptions")) => self.subscriptions(&target),
            ("POST", Some("subscriptions")) => self.subscribe(&target, request.body),
            _ => Err(self.no_such_edge(&target)),
        }
    }

    fn reply(
        &mut self,
        now: Micros,
        request: &GraphRequest<'_>,
        result: Result<Answer, GraphError>,
        fault: Option<Fault>,
        latency: Duration,
    ) -> Reply {
        let trace = ids::trace(&mut self.rng);
        let mut headers = self.headers(now, &trace, route::version(request.path_and_query));
        let (status, body) = match (fault, result) {
            (Some(Fault::Unavailable | Fault::UnavailableAfter), _) => {
                headers = headers::of_a_proxy(self.meta_time(now));
                (
                    [500, 502, 503][self.rng.usize(..3)],
                    b"<html><body>Sorry, something went wrong.</body></html>".to_vec(),
                )
            }
            (_, Ok(answer)) => {
                headers::add_usage(&mut headers, answer.usage.as_ref(), &self.config.limits);
                if *request.method == Method::GET {
                    headers::add_tag(&mut headers, &answer.body);
                }
                (200, answer.body)
            }
            (_, Err(error)) => {
                headers::add_error(&mut headers, &error, &self.config.limits);
                (error.status, json::graph(&error.body(&trace)))
            }
        };
        Reply { status, headers, body: body.into(), fault, latency }
    }
}

/// What the ledger keeps of a request, whatever becomes of it.
fn noted(at: Micros, request: &GraphRequest<'_>) -> Request {
    let body: Json = serde_json::from_slice(request.body).unwrap_or_default();
    let text = |value: &Json| match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let path = request.path_and_query.split('?').next().unwrap_or_default().to_owned();
    Request {
        at,
        method: request.method.to_string(),
        number: path.strip_suffix("/messages").and_then(|path| path.rsplit('/').next()).map(str::to_owned),
        path,
        recipient: text(&body["to"]).or_else(|| text(&body["recipient"])),
        text: text(&body["text"]["body"]),
        refers_to: text(&body["context"]["message_id"]).or_else(|| text(&body["reaction"]["message_id"])),
        opaque: text(&body["biz_opaque_callback_data"]),
        done: Done::Nothing,
        fault: None,
        status: None,
    }
}

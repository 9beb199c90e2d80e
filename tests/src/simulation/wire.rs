//! The ways to Meta and to a model's provider without sockets: the simulator's cores, behind doors.

use std::sync::{Arc, Mutex, PoisonError};

use baton_server::{bot::model, whatsapp::graph};
use baton_shared::{Clock, ManualClock};
use baton_simulator::{
    World,
    model::{Model, ModelRequest},
    whatsapp::{Fault, GraphRequest},
};

use super::stage::{Door, Doors};

/// What the server sends to Graph reaches the world.
pub struct GraphWire {
    pub doors: Arc<Doors>,
    pub world: Arc<Mutex<World>>,
    pub clock: Arc<ManualClock>,
}

impl graph::Transport for GraphWire {
    fn send(&self, request: graph::Request) -> graph::Pending<'_> {
        Box::pin(async move {
            let until = self.clock.now().plus(request.deadline);
            self.doors.stand(Door::Request).await;
            if self.clock.now() >= until {
                return Err(graph::NoResponse::Unsent("its time was up".into()));
            }
            let reply = {
                let authorization = request.bearer.as_ref().map(|token| format!("Bearer {}", token.reveal()));
                let path = request.url.splitn(4, '/').nth(3).unwrap_or_default();
                let asked = GraphRequest {
                    method: &request.method,
                    path_and_query: &format!("/{path}"),
                    authorization: authorization.as_deref(),
                    body: request.body.as_deref().unwrap_or_default().as_bytes(),
                };
                self.world.lock().unwrap_or_else(PoisonError::into_inner).request(self.clock.now(), asked)
            };
            self.doors.stand(Door::Answer).await;
            match reply.fault {
                Some(Fault::NoConnection) => return Err(graph::NoResponse::Unsent("refused".into())),
                Some(fault) if !fault.is_answered() => {
                    return Err(graph::NoResponse::Unanswered("silence".into()));
                }
                _ if self.clock.now() >= until => return Err(graph::NoResponse::Unanswered("too late".into())),
                _ => {}
            }
            let header = |name| reply.headers.get(name)?.to_str().ok().map(str::to_owned);
            Ok(graph::Response {
                status: reply.status,
                date: header("date"),
                retry_after: header("retry-after"),
                usage: header("x-business-use-case-usage"),
                app_usage: header("x-app-usage"),
                body: reply.body.to_vec(),
            })
        })
    }
}

/// What the bot asks a model reaches the simulated provider.
pub struct ModelWire {
    pub doors: Arc<Doors>,
    pub model: Arc<Mutex<Model>>,
    pub clock: Arc<ManualClock>,
}

impl model::Transport for ModelWire {
    fn send(&self, request: model::Request) -> model::Pending<'_> {
        let model::Request { url, headers, body, deadline } = request;
        let content_type = "application/json".into();
        self.send_form(model::Form { url, headers, content_type, body: body.into_bytes(), deadline })
    }

    fn send_form(&self, request: model::Form) -> model::Pending<'_> {
        Box::pin(async move {
            let until = self.clock.now().plus(request.deadline);
            self.doors.stand(Door::Request).await;
            let reply = {
                let bad = |_| model::NoResponse::Unsent("a bad header".into());
                let mut headers = http::HeaderMap::new();
                headers.insert("content-type", request.content_type.parse().map_err(bad)?);
                for (name, value) in &request.headers {
                    headers.insert(*name, value.reveal().parse().map_err(bad)?);
                }
                let path = request.url.splitn(4, '/').nth(3).unwrap_or_default();
                let asked = ModelRequest {
                    method: &http::Method::POST,
                    path: &format!("/{path}"),
                    headers: &headers,
                    body: &request.body,
                };
                self.model.lock().unwrap_or_else(PoisonError::into_inner).answer(self.clock.now(), asked)
            };
            self.doors.stand(Door::Answer).await;
            if self.clock.now() >= until {
                return Err(model::NoResponse::Unanswered("too late".into()));
            }
            let retry_after = reply.headers.get("retry-after").and_then(|value| value.to_str().ok());
            Ok(model::Response {
                status: reply.status,
                retry_after: retry_after.map(str::to_owned),
                body: reply.body.to_vec(),
            })
        })
    }
}

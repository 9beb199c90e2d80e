//! A model provider as a state machine: prompts go in, answers in the provider's format come out.
//!
//! It has no knowledge of its own: it looks for what the prompt says about the question, in words
//! or, across languages, in what a small shop talks about, and says how sure it is.

mod anthropic;
mod ears;
mod eyes;
mod facts;
mod faults;
mod mind;
mod openai;
mod prompt;
mod schema;
mod server;
mod transcript;
mod words;

use std::time::Duration;

use baton_shared::Micros;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::Value as Json;

use self::{mind::Thought, prompt::Prompt};
use crate::{Span, chance::Chance};

pub use self::{
    faults::{ModelFault, ModelFaults},
    server::ModelServer,
};

/// What a simulated provider is started with.
#[derive(Clone, Debug)]
pub struct ModelConfig {
    /// Keys that are accepted; none: any.
    pub keys: Vec<String>,
    pub latency: Span,
    pub faults: ModelFaults,
}

impl Default for ModelConfig {
    fn default() -> Self {
        Self { keys: Vec::new(), latency: Span::millis(300, 1_500), faults: ModelFaults::none() }
    }
}

/// One simulated provider; speaks Anthropic's Messages API and OpenAI's chat completions and
/// transcriptions.
#[derive(Debug)]
pub struct Model {
    config: ModelConfig,
    rng: fastrand::Rng,
    asked: Vec<Asked>,
}

/// A request to a provider.
#[derive(Clone, Copy, Debug)]
pub struct ModelRequest<'a> {
    pub method: &'a Method,
    /// Such as `/v1/messages`.
    pub path: &'a str,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
}

/// The answer, and how it comes.
#[derive(Clone, Debug)]
pub struct ModelReply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// What went wrong on purpose; with [`ModelFault::Stall`] no answer ever comes.
    pub fault: Option<ModelFault>,
    pub latency: Duration,
}

/// What the provider remembers of a request.
#[derive(Clone, Debug)]
pub struct Asked {
    pub at: Micros,
    pub path: String,
    pub model: String,
    /// What it took for the customer's question.
    pub question: String,
    pub fault: Option<ModelFault>,
    pub status: u16,
}

/// One provider's format.
trait Wire {
    fn parse(body: &Json) -> Result<Prompt, String>;

    fn answer(reply: &Spoken<'_>) -> Json;

    fn error(refusal: &Refusal, id: &str) -> Json;
}

/// What is said, and what the format wants to know besides.
struct Spoken<'a> {
    id: &'a str,
    model: &'a str,
    at: Micros,
    said: Said,
    /// It broke off at the token limit.
    cut_short: bool,
    input_tokens: usize,
}

enum Said {
    Text(String),
    /// A call of the tool that was asked for; the text is its arguments, perhaps broken.
    Tool {
        name: String,
        arguments: String,
    },
}

/// An error answer.
struct Refusal {
    status: u16,
    message: String,
    retry_after_seconds: Option<u64>,
}

impl Model {
    pub fn new(config: ModelConfig, rng: fastrand::Rng) -> Self {
        Self { config, rng, asked: Vec::new() }
    }

    /// To change faults or latency while it runs.
    pub fn config_mut(&mut self) -> &mut ModelConfig {
        &mut self.config
    }

    pub fn asked(&self) -> &[Asked] {
        &self.asked
    }

    /// Answers one request.
    pub fn answer(&mut self, now: Micros, request: ModelRequest<'_>) -> ModelReply {
        if request.path.ends_with("/audio/transcriptions") {
            self.transcribe(now, request)
        } else if request.path.ends_with("/messages") {
            self.answer_as::<anthropic::Messages>(now, request)
        } else {
            self.answer_as::<openai::ChatCompletions>(now, request)
        }
    }

    fn answer_as<W: Wire>(&mut self, now: Micros, request: ModelRequest<'_>) -> ModelReply {
        let fault = self.config.faults.strike(&mut self.rng);
        let latency = self.rng.within(self.config.latency);
        let id: String = (0..24).map(|_| self.rng.alphanumeric()).collect();
        let body: Json = serde_json::from_slice(request.body).unwrap_or_default();
        let model = body["model"].as_str().unwrap_or_default().to_owned();
        let mut question = String::new();
        let outcome = self.refuse(&request, &body, fault).map_or_else(
            || {
                let prompt = W::parse(&body).map_err(|message| Refusal::new(400, &message))?;
                question = prompt.question();
                let (said, cut_short) = match eyes::seen(&body) {
                    Some(seen) => (Said::Text(seen), false),
                    None => self.say(&prompt, fault),
                };
                Ok(W::answer(&Spoken {
                    id: &id,
                    model: &model,
                    at: now,
                    said,
                    cut_short,
                    input_tokens: prompt.tokens(),
                }))
            },
            Err,
        );
        let (status, json, retry_after) = match outcome {
            Ok(answer) => (200, answer, None),
            Err(refusal) => (refusal.status, W::error(&refusal, &id), refusal.retry_after_seconds),
        };
        self.asked.push(Asked { at: now, path: request.path.into(), model, question, fault, status });
        ModelReply { status, headers: headers(&id, retry_after), body: json.to_string().into(), fault, latency }
    }

    fn transcribe(&mut self, now: Micros, request: ModelRequest<'_>) -> ModelReply {
        let fault = self.config.faults.strike(&mut self.rng);
        let latency = self.rng.within(self.config.latency);
        let id: String = (0..24).map(|_| self.rng.alphanumeric()).collect();
        let refused = self.turn_away(&request).or_else(|| self.fail(fault?));
        let (status, json, retry_after, asked) = match refused.map_or_else(|| ears::hear(request.body), Err) {
            Ok(asked) => (200, ears::answer(&asked.words), None, Some(asked)),
            Err(refusal) => {
                let body = openai::ChatCompletions::error(&refusal, &id);
                (refusal.status, body, refusal.retry_after_seconds, None)
            }
        };
        let (model, question) = asked.map(|asked| (asked.model, asked.words)).unwrap_or_default();
        self.asked.push(Asked { at: now, path: request.path.into(), model, question, fault, status });
        ModelReply { status, headers: headers(&id, retry_after), body: json.to_string().into(), fault, latency }
    }

    /// What keeps it from even reading the prompt.
    fn refuse(&mut self, request: &ModelRequest<'_>, body: &Json, fault: Option<ModelFault>) -> Option<Refusal> {
        if let Some(refusal) = self.turn_away(request) {
            return Some(refusal);
        }
        if !body.is_object() {
            return Some(Refusal::new(400, "The request body is not valid JSON"));
        }
        self.fail(fault?)
    }

    /// Whoever has no key or came to the wrong door.
    fn turn_away(&self, request: &ModelRequest<'_>) -> Option<Refusal> {
        let key = request.headers.get("x-api-key").or_else(|| request.headers.get(header::AUTHORIZATION));
        let key = key.and_then(|key| key.to_str().ok()).map(|key| key.trim_start_matches("Bearer ").to_owned());
        let is_known = |key: &String| self.config.keys.is_empty() || self.config.keys.contains(key);
        if !["/messages", "/chat/completions", "/audio/transcriptions"].iter().any(|path| request.path.ends_with(path))
        {
            return Some(Refusal::new(404, "Not found"));
        }
        if *request.method != Method::POST {
            return Some(Refusal::new(405, "Method not allowed"));
        }
        if !key.as_ref().is_some_and(is_known) {
            return Some(Refusal::new(401, "invalid x-api-key"));
        }
        None
    }

    /// What goes wrong before it thinks.
    fn fail(&mut self, fault: ModelFault) -> Option<Refusal> {
        match fault {
            ModelFault::RateLimited => {
                let wait = self.rng.u64(1..=5);
                let refusal = Refusal::new(429, "This request would exceed your rate limit");
                Some(Refusal { retry_after_seconds: Some(wait), ..refusal })
            }
            ModelFault::Overloaded => Some(Refusal::new(529, "Overloaded")),
            ModelFault::ServerError => Some(Refusal::new(500, "Internal server error")),
            ModelFault::Stall | ModelFault::Prose | ModelFault::Huge | ModelFault::BrokenJson => None,
        }
    }

    /// Thinks, and puts the thought into the form that was asked for, unless something goes wrong.
    fn say(&mut self, prompt: &Prompt, fault: Option<ModelFault>) -> (Said, bool) {
        let thought = Thought::about(prompt);
        let text = match &prompt.form {
            prompt::Form::Prose => thought.reply.clone(),
            prompt::Form::Json { schema } | prompt::Form::Tool { schema, .. } => {
                schema::fill(schema, &thought).to_string()
            }
        };
        match (fault, &prompt.form) {
            (Some(ModelFault::Prose), _) => (Said::Text(format!("Of course! {}", thought.reply)), false),
            (Some(ModelFault::Huge), _) => (Said::Text(faults::huge(&thought.reply)), true),
            (Some(ModelFault::BrokenJson), form) => (form.wrap(faults::cut(&text)), true),
            (_, form) => (form.wrap(text), false),
        }
    }
}

impl Refusal {
    fn new(status: u16, message: &str) -> Self {
        Self { status, message: message.into(), retry_after_seconds: None }
    }
}

fn headers(id: &str, retry_after: Option<u64>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for name in ["request-id", "x-request-id"] {
        if let Ok(id) = HeaderValue::from_str(&format!("req_{id}")) {
            headers.insert(name, id);
        }
    }
    if let Some(seconds) = retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    headers
}

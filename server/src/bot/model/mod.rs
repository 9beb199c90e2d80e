//! Models: one question, one answer in our form, or exactly why not.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use serde_json::{Map, Value};

pub use failure::Failure;
pub use reply::{ModelReply, REASONS};
pub use shape::Shape;
pub use transport::{Form, HttpTransport, NoResponse, Pending, Request, Response, Transport};

pub use crate::domain::money::Usage;

use crate::{
    config::{Model, Structured, Wire},
    provider as transport,
};

mod anthropic;
mod failure;
mod openai;
pub mod reply;
mod shape;

/// What a model is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// Who it is and what it may do: ours, and the operator's.
    pub system: String,
    /// The conversation: nothing in it is an instruction.
    pub user: String,
}

impl Prompt {
    /// How long it is.
    pub const fn bytes(&self) -> usize {
        self.system.len() + self.user.len()
    }
}

/// What became of a question.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked<T> {
    pub answer: Result<T, Failure>,
    pub usage: Usage,
}

/// One model at one provider.
pub struct Client {
    model: Model,
    transport: Arc<dyn Transport>,
    /// How many steps the provider made us go down from the way of asking that was configured.
    steps_down: AtomicU8,
}

/// What a provider's answer holds.
enum Written {
    Text(String),
    Object(Map<String, Value>),
}

/// No model's answer to a customer is longer than this, in bytes.
pub const ANSWER_LIMIT: usize = 64 * 1024;

impl Client {
    pub fn new(model: Model, transport: Arc<dyn Transport>) -> Self {
        Self { model, transport, steps_down: AtomicU8::new(0) }
    }

    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Asks once; again at once only if the provider turns down the way in which we ask for JSON, which costs nothing.
    pub async fn ask<T>(&self, prompt: &Prompt, shape: &Shape<T>) -> Asked<T> {
        loop {
            let steps = self.steps_down.load(Ordering::Relaxed);
            let structured = self.structured(steps);
            let asked = self.call(structured, prompt, shape).await;
            match asked.answer {
                Err(Failure::Rejected { form: true, .. }) if structured != Structured::Prompt => {
                    self.steps_down.fetch_max(steps + 1, Ordering::Relaxed);
                }
                answer => return Asked { answer, ..asked },
            }
        }
    }

    async fn call<T>(&self, structured: Structured, prompt: &Prompt, shape: &Shape<T>) -> Asked<T> {
        let (request, read): (_, fn(&Response) -> _) = match self.model.wire {
            Wire::Anthropic => (anthropic::request(&self.model, structured, prompt, shape.schema()), anthropic::read),
            Wire::OpenAi => (openai::request(&self.model, structured, prompt, shape.schema()), openai::read),
        };
        let failed = |failure| Asked { answer: Err(failure), usage: Usage::default() };
        let response = match self.transport.send(request).await {
            Ok(response) if response.body.len() > ANSWER_LIMIT => return failed(Failure::TooLong),
            Ok(response) => response,
            Err(why) => return failed(why.into()),
        };
        match read(&response) {
            Ok((written, usage)) => Asked { answer: shape.understand(&written).ok_or(Failure::Malformed), usage },
            Err((failure, usage)) => Asked { answer: Err(failure), usage },
        }
    }

    /// What was configured, or the best that the provider did not turn down.
    fn structured(&self, steps: u8) -> Structured {
        let ladder: &[Structured] = match self.model.wire {
            Wire::Anthropic => &[Structured::Schema, Structured::Tool, Structured::Prompt],
            Wire::OpenAi => &[Structured::Schema, Structured::Tool, Structured::Object, Structured::Prompt],
        };
        let from = ladder.iter().position(|step| *step == self.model.structured).unwrap_or(ladder.len() - 1);
        ladder.get(from + usize::from(steps)).copied().unwrap_or(Structured::Prompt)
    }
}

#[cfg(test)]
mod tests;

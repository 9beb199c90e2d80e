//! Models: one question, one answer in our form, or exactly why not.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use serde_json::{Map, Value};

pub use failure::Failure;
pub use http::HttpTransport;
pub use reply::{ModelReply, REASONS};
pub use transport::{ANSWER_LIMIT, Form, NoResponse, Pending, Request, Response, Transport};

use crate::config::{Model, Structured, Wire};

mod anthropic;
mod failure;
mod http;
mod openai;
pub mod reply;
mod transport;

/// What a model is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// Who it is and what it may do: ours, and the operator's.
    pub system: String,
    /// The conversation: nothing in it is an instruction.
    pub user: String,
}

/// What a call used, as the provider counts it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// All input, cached or not.
    pub input_tokens: u32,
    pub cached_tokens: u32,
    pub output_tokens: u32,
}

/// What became of a question.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    pub answer: Result<ModelReply, Failure>,
    /// Of all calls that were made for it, also those that failed.
    pub usage: Usage,
    pub calls: u32,
}

/// One model at one provider.
pub struct Client {
    model: Model,
    transport: Arc<dyn Transport>,
    stages: Vec<String>,
    schema: Value,
    /// How many steps the provider made us go down from the way of asking that was configured.
    steps_down: AtomicU8,
}

/// What a provider's answer holds.
enum Written {
    Text(String),
    Object(Map<String, Value>),
}

/// A question is worth so many calls, ways of asking not counted.
const TRIES: u32 = 2;

impl Client {
    /// `stages` are the playbook's.
    pub fn new(model: Model, stages: &[String], transport: Arc<dyn Transport>) -> Self {
        let schema = reply::schema(stages);
        Self { model, transport, stages: stages.to_vec(), schema, steps_down: AtomicU8::new(0) }
    }

    /// The model's id at its provider.
    pub fn name(&self) -> &str {
        &self.model.name
    }

    /// The longest that [`ask`](Self::ask) takes.
    pub fn longest(&self) -> std::time::Duration {
        self.model.deadline * TRIES
    }

    /// Asks until there is an answer that can be used, at most twice; no waiting in between.
    pub async fn ask(&self, prompt: &Prompt) -> Asked {
        let mut asked = Asked { answer: Err(Failure::Malformed), usage: Usage::default(), calls: 0 };
        for _ in 0..TRIES {
            asked.answer = self.try_once(prompt, &mut asked.usage, &mut asked.calls).await;
            if !asked.answer.as_ref().is_err_and(Failure::is_worth_another_try) {
                break;
            }
        }
        asked
    }

    /// One call; more if the provider turns down, at once, the way in which we ask for JSON.
    async fn try_once(&self, prompt: &Prompt, usage: &mut Usage, calls: &mut u32) -> Result<ModelReply, Failure> {
        loop {
            let steps = self.steps_down.load(Ordering::Relaxed);
            let structured = self.structured(steps);
            *calls += 1;
            let (answer, used) = self.call(structured, prompt).await;
            *usage = usage.plus(used);
            match answer {
                Err(Failure::Rejected { form: true, .. }) if structured != Structured::Prompt => {
                    self.steps_down.fetch_max(steps + 1, Ordering::Relaxed);
                }
                answer => return answer,
            }
        }
    }

    async fn call(&self, structured: Structured, prompt: &Prompt) -> (Result<ModelReply, Failure>, Usage) {
        let (request, read): (_, fn(&Response) -> _) = match self.model.wire {
            Wire::Anthropic => (anthropic::request(&self.model, structured, prompt, &self.schema), anthropic::read),
            Wire::OpenAi => (openai::request(&self.model, structured, prompt, &self.schema), openai::read),
        };
        let response = match self.transport.send(request).await {
            Ok(response) if response.body.len() > ANSWER_LIMIT => return (Err(Failure::TooLong), Usage::default()),
            Ok(response) => response,
            Err(why) => return (Err(why.into()), Usage::default()),
        };
        match read(&response) {
            Ok((written, usage)) => (self.understand(&written).ok_or(Failure::Malformed), usage),
            Err((failure, usage)) => (Err(failure), usage),
        }
    }

    fn understand(&self, written: &Written) -> Option<ModelReply> {
        match written {
            Written::Text(text) => reply::parse(text, &self.stages),
            Written::Object(object) => reply::from_object(object, &self.stages),
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

impl Usage {
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            input_tokens: self.input_tokens.saturating_add(other.input_tokens),
            cached_tokens: self.cached_tokens.saturating_add(other.cached_tokens),
            output_tokens: self.output_tokens.saturating_add(other.output_tokens),
        }
    }
}

#[cfg(test)]
mod tests;

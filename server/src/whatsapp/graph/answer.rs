//! Reading Graph's answers and error envelopes, leniently.

use std::time::Duration;

use baton_shared::Micros;
use serde_json::Value;

use super::{
    transport::{NoResponse, Response},
    usage,
};
use crate::{
    domain::outgoing::{Outcome, Retry},
    whatsapp::errors,
};

/// Where Meta says that it is too much, and not for how long.
const BREATH: Duration = Duration::from_secs(2);

/// An answer that says yes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answer {
    pub json: Value,
    pub date: Option<Micros>,
    /// How long nothing more should be sent from anywhere of ours, if Meta says that it is too much.
    pub pause: Option<Duration>,
}

/// An error envelope of Graph's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Graph error {code}")]
pub struct GraphError {
    pub code: i64,
    pub subcode: Option<i64>,
    /// Meta's words; they may hold numbers and ids.
    pub message: String,
    pub details: String,
    /// Meta says that it will pass.
    pub transient: bool,
    /// For Meta's support: `fbtrace_id`.
    pub trace: Option<String>,
    /// What the headers say about when to come back.
    pub wait: Option<Duration>,
    /// How long nothing more should be sent from anywhere of ours.
    pub pause: Option<Duration>,
}

/// Why a call did not work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    #[error(transparent)]
    Refused(Box<GraphError>),
    /// Nothing can have been processed.
    #[error("not sent: {0}")]
    Unsent(String),
    /// Nobody knows.
    #[error("no answer: {0}")]
    Unanswered(String),
}

impl GraphError {
    /// A line for an agent.
    pub fn sentence(&self) -> String {
        let details = if self.details.is_empty() { &self.message } else { &self.details };
        errors::sentence(self.effective_code(), details)
    }

    pub fn advice(&self) -> errors::Advice {
        let advice = *errors::advice(self.effective_code());
        // A code that no row knows, of which Meta says that it will pass.
        if self.transient && advice.retry == Retry::Never && !advice.alarm_operator && !advice.closes_window {
            return errors::Advice { retry: Retry::Few, ..advice };
        }
        advice
    }

    /// 100 says "invalid parameter"; with 33 the invalid thing is our own number's id or its permission.
    const fn effective_code(&self) -> i64 {
        match (self.code, self.subcode) {
            (100, Some(33)) => 33,
            (code, _) => code,
        }
    }
}

impl CallError {
    /// How long nothing more should be sent, to anybody, if Meta said that it is too much.
    pub const fn pause(&self) -> Option<Duration> {
        match self {
            Self::Refused(error) => error.pause,
            Self::Unsent(_) | Self::Unanswered(_) => None,
        }
    }

    /// What it means for the message that was being sent.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Refused(error) => Outcome::Refused { retry: error.advice().retry, wait: error.wait },
            Self::Unsent(_) => Outcome::NotSent,
            Self::Unanswered(_) => Outcome::Unanswered,
        }
    }
}

impl From<NoResponse> for CallError {
    fn from(error: NoResponse) -> Self {
        match error {
            NoResponse::Unsent(why) => Self::Unsent(why),
            NoResponse::Unanswered(why) => Self::Unanswered(why),
        }
    }
}

/// Graph's yes or no; anything that is not Graph's (a proxy's page, half an answer) is no answer.
pub(super) fn read(response: &Response) -> Result<Answer, CallError> {
    let json: Value = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
    if let Some(error) = graph_error(&json, response) {
        return Err(CallError::Refused(Box::new(error)));
    }
    if (200..300).contains(&response.status) && json.is_object() {
        let date = response.date.as_deref().and_then(http_date);
        return Ok(Answer { json, date, pause: usage::pause(response) });
    }
    Err(CallError::Unanswered(format!("status {} without a body of Graph's", response.status)))
}

fn graph_error(json: &Value, response: &Response) -> Option<GraphError> {
    let error = json.get("error")?;
    let text = |key: &str| error.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let details = error.pointer("/error_data/details").or_else(|| error.get("error_user_msg"));
    Some(GraphError {
        code: number(error, "code")?,
        subcode: number(error, "error_subcode"),
        message: text("message"),
        details: details.and_then(Value::as_str).unwrap_or_default().to_owned(),
        transient: error.get("is_transient").and_then(Value::as_bool).unwrap_or(false),
        trace: error.get("fbtrace_id").and_then(Value::as_str).map(str::to_owned),
        wait: wait(response),
        pause: pause(number(error, "code")?, response),
    })
}

/// An error that is about all of ours at once, or one that comes as the limit is reached.
fn pause(code: i64, response: &Response) -> Option<Duration> {
    let asked = errors::is_about_the_number(code).then(|| wait(response).unwrap_or(BREATH));
    asked.max(usage::pause(response))
}

/// The larger of `Retry-After` and what is left until access comes back (in minutes, only when it is gone).
fn wait(response: &Response) -> Option<Duration> {
    let seconds = response.retry_after.as_deref().and_then(|header| header.trim().parse().ok());
    let asked = seconds.map(Duration::from_secs).or_else(|| {
        let (until, now) = (response.retry_after.as_deref().and_then(http_date)?, response.date.as_deref()?);
        Some(until.since(http_date(now)?))
    });
    asked.max(usage::regained_in(response))
}

fn http_date(text: &str) -> Option<Micros> {
    let moment = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(Micros::from_seconds(moment.as_second()))
}

/// How far Meta's clock is ahead of ours, in microseconds, from the `Date` of an answer that was
/// asked for and received at these moments of ours. Good to about a second.
pub fn clock_offset(date: Micros, asked_at: Micros, received_at: Micros) -> i64 {
    let half_a_second = 500_000; // `Date` is cut off to the second.
    let middle = asked_at.0.midpoint(received_at.0);
    date.0.saturating_add(half_a_second).saturating_sub(middle)
}

pub(super) fn number(value: &Value, key: &str) -> Option<i64> {
    let found = value.get(key)?;
    found.as_i64().or_else(|| found.as_str()?.trim().parse().ok())
}

/// A string or a number as text.
pub(super) fn text(value: &Value, key: &str) -> Option<String> {
    match value.get(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;

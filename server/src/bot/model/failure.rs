//! Why a model gave no answer that can be used.

use std::time::Duration;

use serde_json::Value;

use super::transport::{NoResponse, Response};

/// What went wrong with one call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// 429. The time is what the server asks us to wait.
    #[error("too many requests")]
    RateLimited { retry_after: Option<Duration> },
    /// Anthropic's 529, or a 503 with the same meaning.
    #[error("the model is overloaded")]
    Overloaded,
    /// Any other 5xx.
    #[error("the server failed with {status}")]
    Server { status: u16 },
    #[error("no answer in time")]
    TimedOut,
    /// No connection: wrong address, no network, nothing listening.
    #[error("cannot be reached")]
    Unreachable,
    /// The connection broke before the answer was complete.
    #[error("the connection broke")]
    Broken,
    /// The prompt is longer than the model reads.
    #[error("the conversation is too long for the model")]
    ContextTooLong,
    /// The provider's filter or the model itself declined.
    #[error("the provider declined to answer")]
    Filtered,
    /// 401, 403, or a quota that is used up: an operator has to act.
    #[error("the key was refused")]
    KeyRefused,
    /// There is no model of this name.
    #[error("the provider has no such model")]
    UnknownModel,
    /// The request itself was refused; `form` if the way in which we ask for JSON was.
    #[error("the request was refused with {status}")]
    Rejected { status: u16, form: bool },
    /// An answer, but not in the form we asked for.
    #[error("the answer has not the form that was asked for")]
    Malformed,
    /// The answer was longer than any answer to a customer.
    #[error("the answer is too long")]
    TooLong,
    /// Not asked: it failed too often a moment ago, and so did every other one.
    #[error("every model is left alone after its failures")]
    Resting,
    /// Not asked: what may be spent is spent.
    #[error("the budget is spent")]
    Spent,
}

impl Failure {
    /// The word used in logs, events and metrics.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::RateLimited { .. } => "rate_limited",
            Self::Overloaded => "overloaded",
            Self::Server { .. } => "server_error",
            Self::TimedOut => "timed_out",
            Self::Unreachable => "unreachable",
            Self::Broken => "broken",
            Self::ContextTooLong => "context_too_long",
            Self::Filtered => "filtered",
            Self::KeyRefused => "key_refused",
            Self::UnknownModel => "unknown_model",
            Self::Rejected { .. } => "rejected",
            Self::Malformed => "malformed",
            Self::TooLong => "too_long",
            Self::Resting => "resting",
            Self::Spent => "budget_spent",
        }
    }

    /// What a response other than a success says. Providers agree on an object `error` with a type, a code and a
    /// message, more or less; all are only compared, never kept.
    pub fn of_response(response: &Response) -> Self {
        let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let (error, text) = (&body["error"], |value: &Value| value.as_str().unwrap_or_default().to_owned());
        let kind = format!("{} {}", text(&error["type"]), text(&error["code"]));
        let message = format!("{} {} {}", text(&error["message"]), text(error), text(&body["message"]));
        Self::of_status(response, &kind, &message)
    }

    fn of_status(response: &Response, kind: &str, message: &str) -> Self {
        let said = format!("{kind} {message}").to_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
        match response.status {
            _ if says(&[
                "context_length",
                "context length",
                "prompt is too long",
                "maximum context",
                "too many tokens",
            ]) =>
            {
                Self::ContextTooLong
            }
            _ if says(&["content_filter", "content_policy", "content management policy"]) => Self::Filtered,
            _ if says(&["insufficient_quota", "credit balance", "billing"]) => Self::KeyRefused,
            // Groq: its model did not write the JSON that was asked for.
            _ if says(&["json_validate_failed"]) => Self::Malformed,
            413 => Self::ContextTooLong,
            401..=403 => Self::KeyRefused,
            404 => Self::UnknownModel,
            429 => Self::RateLimited { retry_after: seconds(response.retry_after.as_deref()) },
            503 | 529 => Self::Overloaded,
            status if status >= 500 => Self::Server { status },
            _ if says(&["model_not_found", "does not exist"]) => Self::UnknownModel,
            status => Self::Rejected { status, form: says(&FORM) },
        }
    }
}

/// What a provider names when it does not know our way of asking for JSON.
const FORM: [&str; 7] =
    ["response_format", "json_schema", "output_config", "output_format", "tool_choice", "tools", "schema"];

impl From<NoResponse> for Failure {
    fn from(why: NoResponse) -> Self {
        match why {
            NoResponse::Unsent(_) => Self::Unreachable,
            NoResponse::TimedOut => Self::TimedOut,
            NoResponse::Unanswered(_) => Self::Broken,
            NoResponse::TooLong => Self::TooLong,
        }
    }
}

/// `Retry-After` in seconds; its other form, a date, is not worth a clock here.
fn seconds(header: Option<&str>) -> Option<Duration> {
    header?.trim().parse().ok().filter(|seconds| *seconds <= 86_400.0).and_then(|s| Duration::try_from_secs_f64(s).ok())
}

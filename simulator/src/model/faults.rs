//! What goes wrong with a model, and how often: each a probability from 0 to 1, drawn from the seed.

/// The faults of one run.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelFaults {
    pub stall: f64,
    pub rate_limited: f64,
    pub overloaded: f64,
    pub server_error: f64,
    pub prose: f64,
    pub huge: f64,
    pub broken_json: f64,
}

/// What went wrong with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ModelFault {
    /// No answer ever comes.
    Stall,
    /// 429 with `retry-after`.
    RateLimited,
    /// 529.
    Overloaded,
    /// 500.
    ServerError,
    /// Friendly text where JSON was asked for.
    Prose,
    /// 50 kB of text.
    Huge,
    /// JSON that breaks off in the middle.
    BrokenJson,
}

impl ModelFaults {
    pub const fn none() -> Self {
        Self {
            stall: 0.0,
            rate_limited: 0.0,
            overloaded: 0.0,
            server_error: 0.0,
            prose: 0.0,
            huge: 0.0,
            broken_json: 0.0,
        }
    }

    /// A bad day: everything happens, and most answers still come through.
    pub const fn rough() -> Self {
        Self {
            stall: 0.01,
            rate_limited: 0.04,
            overloaded: 0.03,
            server_error: 0.02,
            prose: 0.03,
            huge: 0.01,
            broken_json: 0.03,
        }
    }

    pub(super) fn strike(&self, rng: &mut fastrand::Rng) -> Option<ModelFault> {
        let mut left = rng.f64();
        [
            (self.stall, ModelFault::Stall),
            (self.rate_limited, ModelFault::RateLimited),
            (self.overloaded, ModelFault::Overloaded),
            (self.server_error, ModelFault::ServerError),
            (self.prose, ModelFault::Prose),
            (self.huge, ModelFault::Huge),
            (self.broken_json, ModelFault::BrokenJson),
        ]
        .into_iter()
        .find_map(|(probability, fault)| {
            left -= probability;
            (left < 0.0).then_some(fault)
        })
    }
}

/// How much a model that lost its way says.
const HUGE: usize = 50_000;

/// The same sentence over and over, as models that lost their way do.
pub(super) fn huge(sentence: &str) -> String {
    let sentence = if sentence.is_empty() { "Certainly." } else { sentence };
    let mut text = String::with_capacity(HUGE + sentence.len());
    while text.len() < HUGE {
        text.push_str(sentence);
        text.push(' ');
    }
    text
}

/// The first two thirds.
pub(super) fn cut(text: &str) -> String {
    let keep = text.chars().count() * 2 / 3;
    text.chars().take(keep).collect()
}

//! Chance and spans of time, drawn from the seeded numbers that were passed in.

use std::time::Duration;

/// From the shortest to the longest of something, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub from: Duration,
    pub to: Duration,
}

impl Span {
    pub const ZERO: Self = Self { from: Duration::ZERO, to: Duration::ZERO };

    pub const fn millis(from: u64, to: u64) -> Self {
        Self { from: Duration::from_millis(from), to: Duration::from_millis(to) }
    }

    /// Always the same.
    pub const fn exactly(length: Duration) -> Self {
        Self { from: length, to: length }
    }
}

/// What the simulator asks of chance.
pub(crate) trait Chance {
    /// Whether something of this probability (0 to 1) happens now.
    fn happens(&mut self, probability: f64) -> bool;

    /// A length within the span, each microsecond as likely as any other.
    fn within(&mut self, span: Span) -> Duration;
}

impl Chance for fastrand::Rng {
    fn happens(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.f64() < probability
    }

    fn within(&mut self, span: Span) -> Duration {
        let micros = |length: Duration| u64::try_from(length.as_micros()).unwrap_or(u64::MAX);
        let (from, to) = (micros(span.from), micros(span.to));
        Duration::from_micros(if to > from { self.u64(from..=to) } else { from })
    }
}

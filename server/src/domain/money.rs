//! What calls of models cost: whole nano-dollars, and never a guess.

use std::time::Duration;

use baton_shared::Micros;

/// Billionths of a US dollar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Nanos(pub i64);

/// What a call used, as the provider counts it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// All input, cached or not.
    pub input_tokens: u32,
    pub cached_tokens: u32,
    pub output_tokens: u32,
}

/// What a model costs: nano-dollars for a million tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    pub input: i64,
    /// Of input that the provider had kept.
    pub cached: i64,
    pub output: i64,
}

/// What may be spent on models; `None`: as much as it takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// On one customer in a day.
    pub customer_day: Option<Nanos>,
    /// On one channel in a month.
    pub channel_month: Option<Nanos>,
}

/// What a model was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// An answer to a customer.
    Answer,
    /// What the customer wants, where our own classifier is not sure.
    Understand,
    /// A conversation in a few lines.
    Remember,
}

/// One call of a model, whatever came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub purpose: Purpose,
    /// The provider's word in the settings.
    pub provider: String,
    /// The model's id at its provider.
    pub model: String,
    pub began_at: Micros,
    pub took: Duration,
    pub usage: Usage,
    /// What was set aside for it before.
    pub reserved: Nanos,
    /// `None`: nobody has said what the model costs.
    pub cost: Option<Nanos>,
    /// A code; `None` if the answer could be used.
    pub failure: Option<&'static str>,
}

/// The code of a call whose answer nobody waited for: another model was faster.
pub const OUTRUN: &str = "outrun";

const MILLION: i64 = 1_000_000;

impl Nanos {
    pub const ZERO: Self = Self(0);

    /// Of dollars and up to nine digits behind the point, such as `0.25`.
    pub fn dollars(text: &str) -> Option<Self> {
        let (whole, part) = text.trim().split_once('.').unwrap_or((text.trim(), "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(part) || part.len() > 9 {
            return None;
        }
        let part: i64 = format!("{part:0<9}").parse().ok()?;
        whole.parse::<i64>().ok()?.checked_mul(1_000_000_000)?.checked_add(part).map(Self)
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

    /// The most that a prompt of so many bytes and its answer can use: no tokenizer known makes more than a token
    /// of three bytes of running text, and what stands around a prompt is little.
    pub fn at_most(prompt_bytes: usize, max_tokens: u32) -> Self {
        const AROUND: u32 = 64;
        let input = u32::try_from(prompt_bytes.div_ceil(3)).unwrap_or(u32::MAX).saturating_add(AROUND);
        Self { input_tokens: input, cached_tokens: 0, output_tokens: max_tokens }
    }
}

impl Price {
    /// Rounded up.
    pub fn cost(self, usage: Usage) -> Nanos {
        let fresh = i64::from(usage.input_tokens.saturating_sub(usage.cached_tokens));
        let kept = i64::from(usage.cached_tokens.min(usage.input_tokens));
        let parts = [(fresh, self.input), (kept, self.cached), (i64::from(usage.output_tokens), self.output)];
        let sum =
            parts.into_iter().fold(0_i64, |sum, (tokens, price)| sum.saturating_add(tokens.saturating_mul(price)));
        Nanos(sum.saturating_add(MILLION - 1) / MILLION)
    }
}

impl Purpose {
    /// The word in SQL and on the page of costs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::Understand => "understand",
            Self::Remember => "remember",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_turn_costs_is_exact() {
        // 600 tokens in and 200 out at 0.10 and 0.50 dollars a million.
        let price = Price { input: 100_000_000, cached: 10_000_000, output: 500_000_000 };
        let usage = Usage { input_tokens: 600, cached_tokens: 0, output_tokens: 200 };
        assert_eq!(price.cost(usage), Nanos(160_000));
        assert_eq!(price.cost(Usage { cached_tokens: 600, ..usage }), Nanos(106_000));
        assert_eq!(price.cost(Usage { input_tokens: 1, ..Usage::default() }), Nanos(100));
        assert_eq!(Price { input: 1, cached: 0, output: 0 }.cost(usage), Nanos(1), "never less than it is");
    }

    #[test]
    fn dollars_are_read_to_the_last_digit() {
        for (text, nanos) in [("0.25", 250_000_000), ("3", 3_000_000_000), ("0.000000001", 1), ("12.5", 12_500_000_000)]
        {
            assert_eq!(Nanos::dollars(text), Some(Nanos(nanos)));
        }
        for text in ["", ".5", "1.", "-1", "1e3", "0.0000000001", "1,5", "99999999999999999999"] {
            assert_eq!(Nanos::dollars(text), None, "{text}");
        }
    }
}

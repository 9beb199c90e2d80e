//! Figures that must not get worse: `precision=0.95` in a build's settings stops what falls below.

use std::{fmt, str::FromStr};

/// A figure's name and what it must reach.
#[derive(Clone, Debug, PartialEq)]
pub struct Gate {
    pub name: String,
    pub bound: f64,
}

/// A gate, and what was found at it; `None` if there was nothing to measure.
#[derive(Clone, Debug, PartialEq)]
pub struct Passage {
    pub gate: Gate,
    pub found: Option<f64>,
}

/// What is better when it is smaller: shares of mistakes and times.
const FALLING: [&str; 2] = ["unsupported_claims", "latency_ms"];

impl Gate {
    /// Whether the figure must stay below the bound instead of reaching it.
    pub fn is_ceiling(&self) -> bool {
        FALLING.iter().any(|word| self.name.contains(word))
    }

    /// What `figures` say of it.
    pub fn pass(&self, figures: &[(&str, Option<f64>)]) -> Passage {
        let found = figures.iter().find(|(name, _)| *name == self.name).and_then(|(_, value)| *value);
        Passage { gate: self.clone(), found }
    }
}

impl Passage {
    /// What could not be measured does not pass: a gate that nobody walks through proves nothing.
    pub fn is_open(&self) -> bool {
        self.found.is_some_and(
            |found| {
                if self.gate.is_ceiling() { found <= self.gate.bound } else { found >= self.gate.bound }
            },
        )
    }
}

impl FromStr for Gate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("found {text:?}, expected a figure and its bound, such as precision=0.95");
        let (name, bound) = text.split_once('=').ok_or_else(wrong)?;
        let bound = bound.trim().parse().ok().filter(|bound: &f64| bound.is_finite() && *bound >= 0.0);
        Ok(Self { name: name.trim().to_owned(), bound: bound.ok_or_else(wrong)? })
    }
}

impl fmt::Display for Passage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.gate.is_ceiling() { "<=" } else { ">=" };
        let verdict = if self.is_open() { "met" } else { "missed" };
        let found = self.found.map_or_else(|| "nothing to measure".into(), |found| format!("{found:.3}"));
        write!(f, "{} {sign} {}: {found}, {verdict}", self.gate.name, self.gate.bound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_is_a_floor_or_a_ceiling() {
        let figures = [("precision", Some(0.96)), ("unsupported_claims", Some(0.02)), ("recall_at_5", None)];
        let open = |text: &str| text.parse::<Gate>().unwrap().pass(&figures).is_open();
        assert!(open("precision=0.95") && open("precision=0.96") && !open("precision=0.97"));
        assert!(open("unsupported_claims=0.02") && !open("unsupported_claims=0.01"));
        assert!(!open("recall_at_5=0.1"), "nothing was measured");
        assert!(!open("no_such_figure=0.1"));
    }

    #[test]
    fn what_is_no_gate_says_what_one_is() {
        for text in ["precision", "precision=", "precision=high", "p=-1", "=nan", "p=NaN"] {
            assert!(text.parse::<Gate>().unwrap_err().contains("precision=0.95"), "{text}");
        }
    }
}

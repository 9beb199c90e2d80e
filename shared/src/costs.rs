//! What a month cost: the page that supervisors and operators look at.

use serde::{Deserialize, Serialize};

/// One month, in UTC. Lists are in the order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Costs {
    /// Such as `2026-11`.
    pub month: String,
    pub total: CostLine,
    pub days: Vec<CostLine>,
    pub numbers: Vec<CostLine>,
    /// By provider and name.
    pub models: Vec<CostLine>,
    /// What models were asked for: `answer`, `understand`, `remember`.
    pub purposes: Vec<CostLine>,
    /// An empty name: calls that had no known intent.
    pub intents: Vec<CostLine>,
    /// What WhatsApp says of its own prices.
    pub whatsapp: Vec<MessagePrices>,
}

/// Calls of models, added up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CostLine {
    pub name: String,
    pub calls: i64,
    /// Calls whose answer was used.
    pub useful: i64,
    /// Calls of models of which nobody has said what they cost: not in `nanos`.
    pub unpriced: i64,
    pub tokens_in: i64,
    /// Of them those that the provider had kept.
    pub tokens_cached: i64,
    pub tokens_out: i64,
    /// Billionths of a US dollar.
    pub nanos: i64,
    /// How long all of them took together, in microseconds.
    pub micros: i64,
}

/// Messages of which WhatsApp says the same; it names no amounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessagePrices {
    pub number: String,
    /// `service`, `utility`, `marketing`, ...; empty if it was not said.
    pub category: String,
    /// `regular`, `free_customer_service`, `free_entry_point`, ...; empty if it was not said.
    pub kind: String,
    /// Whether it is charged for; `None` if it was not said.
    pub billable: Option<bool>,
    pub messages: i64,
}

impl CostLine {
    /// `0.0016`; `0.0016 + ?` if some of it has no price, `?` if all of it has none.
    pub fn dollars(&self) -> String {
        // To a hundredth of a cent, rounded up: what costs something is never shown as nothing.
        let units = self.nanos.saturating_add(99_999) / 100_000;
        let known = format!("{}.{:04}", units / 10_000, units % 10_000);
        match self.unpriced {
            0 => known,
            unpriced if unpriced == self.calls => "?".into(),
            _ => format!("{known} + ?"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_price_is_said() {
        let line = |nanos, calls, unpriced| CostLine { nanos, calls, unpriced, ..CostLine::default() }.dollars();
        assert_eq!(line(1_600_000, 1, 0), "0.0016");
        assert_eq!(line(1, 1, 0), "0.0001");
        assert_eq!(line(12_345_678_900, 9, 0), "12.3457");
        assert_eq!(line(0, 0, 0), "0.0000");
        assert_eq!(line(1_600_000, 2, 1), "0.0016 + ?");
        assert_eq!(line(0, 2, 2), "?");
    }
}

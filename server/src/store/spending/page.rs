//! The page of costs: what a month's calls cost by day, number, model, purpose and intent, and what WhatsApp says of
//! its own prices.

use std::collections::{BTreeMap, HashMap};

use baton_shared::{
    ChannelId, Micros,
    costs::{CostLine, Costs, MessagePrices},
};
use jiff::{ToSpan, civil::Date, tz::TimeZone};

use super::{Calls, calls, messages};
use crate::store::{Conn, StoreError, channels};

/// A month, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Month(Date);

impl Month {
    /// The one in which `at` lies.
    pub fn of(at: Micros) -> Self {
        Self(super::date(at).to_zoned(TimeZone::UTC).date().first_of_month())
    }

    /// `2026-11`.
    pub fn parse(text: &str) -> Option<Self> {
        let first = format!("{text}-01").parse().ok()?;
        (text.len() == 7).then_some(Self(first))
    }

    fn bounds(self) -> (Micros, Micros) {
        let start = |date: Date| {
            let zoned = date.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp().as_microsecond());
            Micros(zoned.unwrap_or(i64::MAX))
        };
        (start(self.0), self.0.checked_add(1.month()).map_or(Micros::MAX, start))
    }
}

impl std::fmt::Display for Month {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.strftime("%Y-%m"))
    }
}

/// Reads a month's page.
pub async fn page(mut conn: Conn<'_>, month: Month) -> Result<Costs, StoreError> {
    let (from, to) = month.bounds();
    let names: HashMap<ChannelId, String> =
        channels::every(conn.again()).await?.into_iter().map(|channel| (channel.id, channel.name)).collect();
    let name = |id: ChannelId| names.get(&id).cloned().unwrap_or_else(|| id.to_string());
    let calls = calls(conn.again(), from, to).await?;
    let by = |key: &dyn Fn(&Calls) -> String| lines(&calls, key);
    let mut whatsapp: Vec<MessagePrices> = messages(conn, from, to)
        .await?
        .into_iter()
        .map(|one| MessagePrices {
            number: name(one.channel),
            category: one.category.unwrap_or_default(),
            kind: one.kind.unwrap_or_default(),
            billable: one.billable,
            messages: one.messages,
        })
        .collect();
    whatsapp.sort_by(|a, b| (&a.number, &a.category, &a.kind).cmp(&(&b.number, &b.category, &b.kind)));
    Ok(Costs {
        month: month.to_string(),
        total: lines(&calls, |_| String::new()).pop().unwrap_or_default(),
        days: by(&|call| day(call.day)),
        numbers: by(&|call| name(call.channel)),
        models: by(&|call| format!("{} {}", call.provider, call.model)),
        purposes: by(&|call| call.purpose.clone()),
        intents: by(&|call| call.intent.clone().unwrap_or_default()),
        whatsapp,
    })
}

/// Added up by a name, in its order.
fn lines(calls: &[Calls], key: impl Fn(&Calls) -> String) -> Vec<CostLine> {
    let mut lines: BTreeMap<String, CostLine> = BTreeMap::new();
    for call in calls {
        let line = lines.entry(key(call)).or_default();
        line.calls += call.calls;
        line.useful += call.useful;
        line.unpriced += call.unpriced;
        line.tokens_in += call.tokens_in;
        line.tokens_cached += call.tokens_cached;
        line.tokens_out += call.tokens_out;
        line.nanos += call.nanos;
        line.micros += call.took;
    }
    lines.into_iter().map(|(name, line)| CostLine { name, ..line }).collect()
}

/// Of a day counted from 1970.
fn day(number: i64) -> String {
    super::day(Micros(number.saturating_mul(86_400_000_000)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_read_as_it_is_shown() {
        let month = Month::parse("2026-12").unwrap();
        assert_eq!(month.to_string(), "2026-12");
        let (from, to) = month.bounds();
        assert_eq!((super::super::day(from), super::super::day(to)), ("2026-12-01".into(), "2027-01-01".into()));
        assert_eq!((Month::of(from), Month::of(Micros(to.0 - 1))), (month, month));
        for text in ["2026", "2026-13", "2026-1", "2026-11-01", ""] {
            assert_eq!(Month::parse(text), None, "{text}");
        }
    }
}

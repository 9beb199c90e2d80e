//! What a headless run says at its end: counts, zeros that must be zeros, and how long things took.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// One line of JSON.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    pub engine: &'static str,
    pub seed: u64,
    pub seconds: u64,
    pub faults: &'static str,
    /// Which promise was taken out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub without: Option<String>,
    pub customers: usize,
    pub agents: usize,
    pub webhooks: Webhooks,
    pub messages: Messages,
    pub handoffs: usize,
    pub takes: usize,
    pub replies: usize,
    pub hand_backs: usize,
    pub resolves: usize,
    /// Takes that met a word of the bot's: cancelled before it started, or already on its way.
    pub takes_over_a_word: usize,
    pub reconnects: u64,
    pub resumed: u64,
    pub server_crashes: usize,
    pub frames: u64,
    pub bot_started_after_take: usize,
    pub bot_requests_after_deadline: usize,
    pub lost: usize,
    pub doubled: usize,
    /// What on screens was not as it is stored, at the end.
    pub gaps: usize,
    /// Frames that did not begin where the one before ended.
    pub torn: usize,
    /// Requests to Meta of which the store knows nothing.
    pub unjournaled: usize,
    /// Acts of agents that nobody answered.
    pub unanswered: usize,
    /// Acts that were refused: somebody else was first, or it had changed hands.
    pub refused: usize,
    /// Messages of which nobody knows whether they arrived.
    pub unknown: usize,
    /// What the server still had to do when the time was up.
    pub unsettled: i64,
    pub latency_ms: Latencies,
    pub ok: bool,
    /// What was broken, and which classes had no traffic.
    pub broken: Vec<String>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Webhooks {
    pub posted: usize,
    pub acked: usize,
    /// News that was posted again after it had been posted once.
    pub duplicates: usize,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Messages {
    /// Of customers, as they are stored.
    pub customer: usize,
    /// Of the bot, Baton itself and agents, as Meta took them.
    pub bot: usize,
    pub system: usize,
    pub agent: usize,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Latencies {
    /// From the POST of a webhook to its 200.
    pub webhook_to_200: Percentiles,
    /// From the POST of a customer's message to the first screen that was connected then.
    pub webhook_to_client: Percentiles,
    /// From an agent's take to the answer.
    pub take_to_answer: Percentiles,
}

/// In milliseconds.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Percentiles {
    pub count: u64,
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
}

/// In microseconds: an hour; nothing is measured beyond.
const LONGEST: u64 = 3_600_000_000;

impl Percentiles {
    pub fn of(lengths: impl IntoIterator<Item = Duration>) -> Self {
        let mut histogram = Histogram::<u64>::new_with_max(LONGEST, 3).expect("three digits are allowed");
        for length in lengths {
            histogram.saturating_record(u64::try_from(length.as_micros()).unwrap_or(u64::MAX));
        }
        let at = |quantile| rounded(histogram.value_at_quantile(quantile));
        Self { count: histogram.len(), p50: at(0.5), p95: at(0.95), p99: at(0.99) }
    }
}

/// Microseconds as milliseconds, to a hundredth.
fn rounded(micros: u64) -> f64 {
    f64::from(u32::try_from(micros / 10).unwrap_or(u32::MAX)) / 100.0
}

impl Report {
    /// Decides whether the run is good, and notes what is not.
    pub fn judge(&mut self) {
        let unsettled = usize::try_from(self.unsettled).unwrap_or(usize::MAX);
        let zeros = [
            (self.bot_started_after_take, "words of the bot's started after control had left it (promise 3)"),
            (self.bot_requests_after_deadline, "requests of the bot's were made after their deadline (promise 3)"),
            (self.lost, "things were acknowledged and are not stored (promise 1)"),
            (self.doubled, "messages were stored or delivered twice (promises 2 and 5)"),
            (self.torn, "frames did not begin where the one before ended (promise 8)"),
            (self.gaps, "things on agents' screens are not as they are stored (promise 8)"),
            (unsettled, "messages were still on their way: the run did not come to rest, and proves nothing"),
            (self.unjournaled, "requests to Meta are unknown to the store (promise 5)"),
            (self.unanswered, "acts of agents were never answered"),
        ];
        self.broken.extend(zeros.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")));
        let rough = self.faults == "rough";
        let classes = [
            (self.webhooks.acked, "webhooks"),
            (if rough { self.webhooks.duplicates } else { 1 }, "duplicates"),
            (self.messages.customer, "messages of customers"),
            (self.messages.bot, "messages of the bot"),
            (self.messages.system, "bridges"),
            (self.messages.agent, "messages of agents"),
            (self.handoffs, "handoffs"),
            (self.takes, "takes"),
            (self.takes_over_a_word, "takes that met a word of the bot's"),
            (self.replies, "replies"),
            (self.hand_backs, "hand backs"),
            (usize::try_from(self.reconnects).unwrap_or(1), "reconnects"),
            (usize::try_from(self.resumed).unwrap_or(1), "resumed streams"),
            (self.server_crashes, "crashes of the server"),
            (usize::try_from(self.frames).unwrap_or(1), "frames"),
            (usize::try_from(self.latency_ms.webhook_to_client.count).unwrap_or(1), "messages seen on screens"),
        ];
        let empty = classes.iter().filter(|(count, _)| *count == 0);
        self.broken.extend(empty.map(|(_, what)| format!("there were no {what}: nothing is proved about them")));
        self.ok = self.broken.is_empty();
    }

    /// For people.
    pub fn to_text(&self) -> String {
        let Self { webhooks, messages, latency_ms: took, .. } = self;
        let times = |name: &str, p: &Percentiles| {
            format!(
                "  {name:<20} p50 {:>7.1} ms   p95 {:>7.1} ms   p99 {:>7.1} ms   of {}\n",
                p.p50, p.p95, p.p99, p.count
            )
        };
        let mut text = format!(
            "{} s on {}, seed {}, faults {}: {} customers, {} agents\n",
            self.seconds, self.engine, self.seed, self.faults, self.customers, self.agents
        );
        text += &format!(
            "  webhooks {} acknowledged, {} duplicates; messages {} of customers, {} of the bot, {} bridges, {} of agents\n",
            webhooks.acked, webhooks.duplicates, messages.customer, messages.bot, messages.system, messages.agent
        );
        text += &format!(
            "  {} handoffs, {} takes ({} over a word of the bot's), {} replies, {} hand backs, {} reconnects, {} refused\n",
            self.handoffs,
            self.takes,
            self.takes_over_a_word,
            self.replies,
            self.hand_backs,
            self.reconnects,
            self.refused
        );
        text += &format!(
            "  after a take {}, after a deadline {}, lost {}, doubled {}, gaps {}\n",
            self.bot_started_after_take, self.bot_requests_after_deadline, self.lost, self.doubled, self.gaps
        );
        text += &times("webhook to 200", &took.webhook_to_200);
        text += &times("webhook to screen", &took.webhook_to_client);
        text += &times("take to answer", &took.take_to_answer);
        text += if self.ok { "every promise was kept\n" } else { "promises were broken\n" };
        text
    }

    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|error| format!("{{\"ok\":false,\"error\":\"{error}\"}}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_in_milliseconds() {
        let lengths = (1..=100).map(Duration::from_millis);
        let found = Percentiles::of(lengths);
        assert_eq!(found.count, 100);
        assert!((found.p50 - 50.0).abs() < 0.1 && (found.p99 - 99.0).abs() < 0.1, "{found:?}");
    }

    #[test]
    fn nothing_that_happened_proves_nothing() {
        let mut report = Report::default();
        report.judge();
        assert!(!report.ok);
        assert!(report.broken.iter().any(|line| line.contains("no takes")), "{:?}", report.broken);
    }
}

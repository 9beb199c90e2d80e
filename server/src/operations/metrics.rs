//! `/metrics`: what was counted and how much there is, in Prometheus' text format.

use std::fmt::Write;

use axum::{extract::State, http::header::CONTENT_TYPE, response::IntoResponse};
use baton_shared::protocol::PRESENCE_ENDS;

use super::Keeper;
use crate::{
    Context,
    domain::standing::Weight,
    store::{
        StoreError,
        channels::{self, Channel},
        events,
        figures::{self, Figures},
        standings,
    },
};

pub(super) async fn metrics(keeper: State<Keeper>) -> impl IntoResponse {
    let mut page = Page::default();
    counted(&mut page, &keeper.context);
    let read = read(&keeper.context).await;
    page.gauge("baton_store_up", "Whether the store answers.", u8::from(read.is_ok()));
    match read {
        Ok(read) => found(&mut page, &read),
        Err(error) => tracing::warn!(%error, "the store does not answer a probe"),
    }
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], page.0)
}

/// Since this process began.
fn counted(page: &mut Page, context: &Context) {
    let (counters, written) = (&context.counters, context.db.written());
    let deliveries = &counters.deliveries;
    page.head("baton_info", "gauge", "Which version this is.");
    page.line("baton_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    page.counters(
        "baton_deliveries_total",
        "Webhook deliveries, by what became of them.",
        "outcome",
        &[
            ("stored", deliveries.stored.get()),
            ("refused", deliveries.refused.get()),
            ("shed", deliveries.shed.get()),
            ("failed", deliveries.failed.get()),
        ],
    );
    page.counter("baton_messages_in_total", "New messages that were stored.", counters.messages_in.get());
    let sends = &counters.sends;
    page.counters(
        "baton_sends_total",
        "Tries to send a message, by what came of them.",
        "outcome",
        &[
            ("accepted", sends.accepted.get()),
            ("refused", sends.refused.get()),
            ("unsent", sends.unsent.get()),
            ("unanswered", sends.unanswered.get()),
        ],
    );
    page.counter("baton_store_commits_total", "Transactions that were committed.", written.commits);
    page.counter("baton_store_jobs_total", "Jobs in them: several share one on SQLite.", written.jobs);
}

/// What the store says, the same on every server.
struct Read {
    figures: Figures,
    /// In microseconds.
    lag: i64,
    /// In seconds; `None`: the customer who waits longest, or nobody.
    waits: Option<f64>,
    numbers: Vec<Channel>,
    warnings: i64,
    alarms: i64,
    /// A channel's name, and how many seconds ago its last delivery came.
    heard: Vec<(String, Option<f64>)>,
}

async fn read(context: &Context) -> Result<Read, StoreError> {
    let at = context.moment();
    let mut reader = context.db.reader().await?;
    let figures = figures::read(reader.conn(), at.time, at.time.minus(PRESENCE_ENDS)).await?;
    let lag = events::lag(reader.conn()).await?;
    let mut heard = Vec::new();
    let numbers = channels::every(reader.conn()).await?;
    let warnings = standings::count(reader.conn(), Weight::Warning).await?;
    let alarms = standings::count(reader.conn(), Weight::Alarm).await?;
    for channel in &numbers {
        let last = channels::last_heard(reader.conn(), channel.id).await?;
        heard.push((channel.name.clone(), last.map(|last| at.now.since(last).as_secs_f64())));
    }
    let waits = figures.waiting_since.map(|since| at.now.since(since).as_secs_f64());
    Ok(Read { figures, lag, waits, numbers, warnings, alarms, heard })
}

fn found(page: &mut Page, read: &Read) {
    let Figures { waiting, turns_due, queued, sending, unknown, trouble, dead_letters, clients, agents, .. } =
        read.figures;
    page.gauge("baton_conversations_waiting", "Conversations that wait for a person.", waiting);
    page.gauge("baton_waiting_seconds", "How long the first of them has waited.", read.waits.unwrap_or(0.0));
    page.gauge("baton_turns_due", "Turns of the bot that are due.", turns_due);
    page.head("baton_messages", "gauge", "Messages under way, by state.");
    for (state, count) in [("queued", queued), ("sending", sending), ("unknown", unknown)] {
        page.line("baton_messages", &[("state", state)], count);
    }
    page.gauge("baton_messages_in_trouble", "Messages that a person must look at.", trouble);
    page.gauge("baton_dead_letters", "Deliveries that nobody could read: see `baton-server replay`.", dead_letters);
    page.gauge("baton_clients", "Connections of agents, to all servers.", clients);
    page.gauge("baton_agents", "Agents who are here.", agents);
    #[expect(clippy::cast_precision_loss, reason = "a lag of centuries may be off by a microsecond")]
    let lag = read.lag as f64 / 1e6;
    page.gauge("baton_event_lag_seconds", "How far what clients see may be behind, at the most.", lag);
    account(page, read);
    page.head("baton_channel_heard_seconds", "gauge", "How long ago the last delivery for a number came.");
    for (channel, ago) in &read.heard {
        // One that was never heard of has no age.
        if let Some(ago) = ago {
            page.line("baton_channel_heard_seconds", &[("channel", channel)], ago);
        }
    }
}

/// What Meta says of the numbers.
fn account(page: &mut Page, read: &Read) {
    page.head("baton_account_warnings", "gauge", "Things that Meta says are wrong: see the board, or `doctor`.");
    page.line("baton_account_warnings", &[("weight", "warning")], read.warnings);
    page.line("baton_account_warnings", &[("weight", "alarm")], read.alarms);
    page.head("baton_number_stopped", "gauge", "Whether WhatsApp takes nothing from a number.");
    for number in &read.numbers {
        page.line("baton_number_stopped", &[("channel", &number.name)], u8::from(number.meta.stop().is_some()));
    }
    page.head("baton_number_quality", "gauge", "Meta's rating of a number: 3 green, 2 yellow, 1 red, 0 unknown.");
    for number in &read.numbers {
        let quality = match number.meta.quality.as_deref() {
            Some("GREEN") => 3,
            Some("YELLOW") => 2,
            Some("RED") => 1,
            _ => 0,
        };
        page.line("baton_number_quality", &[("channel", &number.name)], quality);
    }
    page.head("baton_number_per_second", "gauge", "Messages that a number may send in a second.");
    for number in &read.numbers {
        page.line("baton_number_per_second", &[("channel", &number.name)], number.meta.per_second);
    }
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.head(name, "counter", help);
        self.line(name, &[], value);
    }

    fn counters(&mut self, name: &str, help: &str, label: &str, values: &[(&str, u64)]) {
        self.head(name, "counter", help);
        for (word, value) in values {
            self.line(name, &[(label, word)], value);
        }
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl std::fmt::Display) {
        self.head(name, "gauge", help);
        self.line(name, &[], value);
    }

    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn line(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        let labels: Vec<String> = labels.iter().map(|(label, word)| format!("{label}=\"{}\"", escaped(word))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }
}

fn escaped(word: &str) -> String {
    word.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_cannot_break_the_page() {
        let mut page = Page::default();
        page.line("x", &[("a", "b\"\n\\c"), ("d", "e")], 1.5);
        assert_eq!(page.0, "x{a=\"b\\\"\\n\\\\c\",d=\"e\"} 1.5\n");
    }
}

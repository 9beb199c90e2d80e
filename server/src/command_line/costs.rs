//! `costs`: what models cost in a month, and what WhatsApp says of its own prices.

use baton_server::{
    config::Settings,
    store::spending::page::{Month, page},
};
use baton_shared::costs::{CostLine, Costs};
use clap::Args;

use super::{
    failure::Failure,
    output::{explain, say, table},
    settings,
};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  baton-server costs                    this month, by day, number, model, purpose and intent
  baton-server costs --month 2026-10    another one
  baton-server costs --json             the same for a program; amounts in billionths of a dollar

Models are counted by what their providers say that they used and by the prices in the settings. WhatsApp's own
prices are in no webhook: of its messages the page says how many it charges for, and in which category.")]
pub(super) struct Wanted {
    /// A month, in UTC; without it, this one.
    #[arg(long, value_name = "YYYY-MM")]
    month: Option<String>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(settings: Settings, wanted: &Wanted) -> Result<(), Failure> {
    let asked = wanted.month.as_deref().map(|text| {
        let wrong = || Failure::wrong(format!("--month: found {text:?}, expected a month such as 2026-11"));
        Month::parse(text).ok_or_else(wrong)
    });
    let asked = asked.transpose()?;
    let context = settings::open(settings).await?;
    let month = asked.unwrap_or_else(|| Month::of(context.clock.now()));
    let read = match context.db.reader().await {
        Ok(mut reader) => page(reader.conn(), month).await,
        Err(error) => Err(error),
    };
    context.db.close().await;
    let costs = read?;
    if wanted.json {
        let json = serde_json::to_string_pretty(&costs).map_err(|why| Failure::failed(why.to_string()))?;
        say(&json);
    } else {
        show(&costs);
    }
    Ok(())
}

fn show(costs: &Costs) {
    if costs.total.calls == 0 {
        explain(&format!("No model was asked in {}.", costs.month));
    }
    let parts = [
        ("DAY", &costs.days),
        ("NUMBER", &costs.numbers),
        ("MODEL", &costs.models),
        ("FOR", &costs.purposes),
        ("INTENT", &costs.intents),
    ];
    for (heading, lines) in parts.into_iter().filter(|(_, lines)| !lines.is_empty()) {
        let mut rows = vec![
            [heading, "CALLS", "USED", "TOKENS IN", "CACHED", "OUT", "MS A CALL", "DOLLARS"]
                .map(str::to_owned)
                .to_vec(),
        ];
        rows.extend(lines.iter().map(row));
        if heading == "DAY" {
            rows.push(row(&CostLine { name: costs.month.clone(), ..costs.total.clone() }));
        }
        table(&rows);
        say("");
    }
    if !costs.whatsapp.is_empty() {
        let mut rows = vec![["NUMBER", "CATEGORY", "TYPE", "CHARGED", "MESSAGES"].map(str::to_owned).to_vec()];
        rows.extend(costs.whatsapp.iter().map(|one| {
            let charged = one.billable.map_or("not said", |charged| if charged { "yes" } else { "no" });
            let cells = [&one.number, &one.category, &one.kind, charged].map(str::to_owned);
            cells.into_iter().chain([one.messages.to_string()]).collect()
        }));
        table(&rows);
    }
}

fn row(line: &CostLine) -> Vec<String> {
    let name = if line.name.is_empty() { "-" } else { &line.name };
    let mean = line.micros / line.calls.max(1) / 1_000;
    let figures = [line.calls, line.useful, line.tokens_in, line.tokens_cached, line.tokens_out, mean];
    let figures = figures.iter().map(i64::to_string);
    std::iter::once(name.to_owned()).chain(figures).chain([line.dollars()]).collect()
}

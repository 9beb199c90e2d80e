//! How the numbers stand: what a supervisor and an operator look at.

use baton_shared::protocol::{Board, BoardNumber, Warning};

use crate::{
    Context,
    domain::standing::Stop,
    store::{
        StoreError,
        channels::{self, Channel},
        figures::{self, OfChannel},
        spending::page::{Month, page},
        standings, templates,
    },
};

/// More than fit on a screen.
const WARNINGS: i64 = 50;
const TEMPLATES: i64 = 20;

/// One moment's look.
pub(super) async fn read(context: &Context) -> Result<Board, StoreError> {
    let at = context.moment().now;
    let mut reader = context.db.snapshot().await?;
    let figures = figures::of_channels(reader.conn()).await?;
    let mut numbers = Vec::new();
    for channel in channels::every(reader.conn()).await? {
        let Some(figures) = figures.iter().find(|one| one.id == channel.id) else { continue };
        let unusable = templates::unusable(reader.conn(), &channel.business_account_id, TEMPLATES).await?;
        let shown = |(name, language, status): (String, String, String)| {
            format!("{name} ({language}): {}", status.to_lowercase().replace('_', " "))
        };
        numbers.push(number(channel, figures, unusable.into_iter().map(shown).collect()));
    }
    let wrong = standings::wrong(reader.conn(), WARNINGS).await?;
    let warnings = wrong.into_iter().map(|one| Warning { at: one.at, text: one.sentence(), grave: one.is_grave() });
    let costs = page(reader.conn(), Month::of(at)).await?;
    Ok(Board { at, numbers, warnings: warnings.collect(), costs: Some(costs) })
}

fn number(channel: Channel, figures: &OfChannel, templates: Vec<String>) -> BoardNumber {
    let stop = channel.meta.stop();
    BoardNumber {
        name: channel.name,
        bot_on: channel.bot_on,
        sending_on: channel.sending_on,
        stopped: stop.map(Stop::sentence).map(str::to_owned),
        stopped_until: channel.meta.stop_until.filter(|_| stop.is_some()),
        quality: channel.meta.quality,
        limit: channel.meta.messaging_limit,
        per_second: channel.meta.per_second,
        coexistence: channel.meta.coexistence,
        heard_at: figures.heard_at,
        waiting: figures.waiting,
        late: figures.late,
        queued: figures.queued,
        held: figures.held,
        templates,
    }
}

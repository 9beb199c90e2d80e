//! `switch`: the bot, or all sending, on or off; read inside the transaction that starts a message.

use baton_server::{
    Context,
    config::Settings,
    store::{
        StoreError, Urgency,
        channels::{self, Channel},
        events::{self, Event},
    },
    store_numbers,
};
use clap::{Args, ValueEnum};

use super::{
    failure::Failure,
    output::{explain, table},
    settings,
};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  baton-server switch                            show them
  baton-server switch bot off                    the bot is quiet on all numbers; people go on
  baton-server switch --channel shop sending off nothing at all goes out from the number `shop`
  baton-server switch sending on                 what was held goes out, if its time has not passed")]
pub(super) struct Switch {
    /// One number, by its name in the settings; without it, all.
    #[arg(long, value_name = "NAME")]
    channel: Option<String>,
    #[arg(requires = "state")]
    what: Option<What>,
    state: Option<State>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum What {
    /// Whether the bot may answer.
    Bot,
    /// Whether anything may be sent at all.
    Sending,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum State {
    On,
    Off,
}

pub(super) async fn run(settings: Settings, wanted: Switch) -> Result<(), Failure> {
    let context = settings::open(settings).await?;
    let done = switch(&context, wanted).await;
    context.db.close().await;
    done
}

async fn switch(context: &Context, wanted: Switch) -> Result<(), Failure> {
    let act = wanted.what.zip(wanted.state);
    if act.is_some() {
        // A number can be switched off before the first start.
        store_numbers(context).await?;
    }
    let chosen = chosen(every(context).await?, wanted.channel.as_deref())?;
    if let Some((what, state)) = act {
        for channel in &chosen {
            turn(context, channel, what, state == State::On).await?;
        }
    }
    let now = every(context).await?;
    show(now.iter().filter(|now| chosen.iter().any(|one| one.id == now.id)));
    Ok(())
}

pub(super) async fn every(context: &Context) -> Result<Vec<Channel>, StoreError> {
    channels::every(context.db.reader().await?.conn()).await
}

pub(super) fn chosen(channels: Vec<Channel>, name: Option<&str>) -> Result<Vec<Channel>, Failure> {
    let names: Vec<String> = channels.iter().map(|channel| channel.name.clone()).collect();
    let Some(name) = name else { return Ok(channels) };
    let chosen: Vec<Channel> = channels.into_iter().filter(|channel| channel.name == name).collect();
    if chosen.is_empty() {
        return Err(Failure::wrong(format!("--channel: found {name:?}, expected one of: {}", names.join(", "))));
    }
    Ok(chosen)
}

/// One switch of one number.
pub(super) async fn turn(context: &Context, channel: &Channel, what: What, on: bool) -> Result<(), StoreError> {
    let (id, now) = (channel.id, context.clock.now());
    let job = context.db.write(Urgency::First, move |tx| {
        Box::pin(async move {
            let Some(channel) = channels::by_id(tx.conn(), id).await? else { return Ok(()) };
            let (bot_on, sending_on, word) = match what {
                What::Bot => (on, channel.sending_on, "bot"),
                What::Sending => (channel.bot_on, on, "sending"),
            };
            channels::switch(tx, id, bot_on, sending_on).await?;
            let detail = format!("{word}_{} {id}", if on { "on" } else { "off" });
            events::append(tx, Event::new("switched", now).because(detail)).await
        })
    });
    job.await
}

fn show<'a>(channels: impl Iterator<Item = &'a Channel>) {
    let on = |on: bool| if on { "on" } else { "off" }.to_owned();
    let rows: Vec<Vec<String>> =
        channels.map(|one| vec![one.name.clone(), on(one.bot_on), on(one.sending_on)]).collect();
    if rows.is_empty() {
        return explain("No number is in the settings yet.");
    }
    let heading = ["CHANNEL", "BOT", "SENDING"].map(str::to_owned).to_vec();
    table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>());
}

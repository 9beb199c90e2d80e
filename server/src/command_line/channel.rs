//! `channel`: the business numbers, looked at, tested, paused and added.

mod add;

use std::{path::Path, sync::Arc};

use baton_server::{
    Context,
    config::Settings,
    operations::doctor::{Mark, examine_numbers},
    store::{Urgency, channels, settings as kept},
    store_numbers,
    whatsapp::graph::{HttpTransport, Transport},
};
use baton_shared::SystemClock;
use clap::Subcommand;

use super::{
    doctor,
    failure::Failure,
    output::{explain, say, table},
    settings,
    switch::{What, chosen, every, turn},
};

#[derive(Debug, Subcommand)]
pub(super) enum Act {
    /// Every number with its app, its playbook, its switches, and what waits to be sent.
    List,
    /// Ask Meta about the token, the number and the webhooks of one number, or of all.
    Test {
        /// The number's name in the settings.
        name: Option<String>,
    },
    /// Stop the bot and all sending of one number; what customers write is stored all the same.
    Pause {
        name: String,
        /// Shown by `channel list`, for those who wonder later.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Let a paused number answer and send again.
    Resume { name: String },
    /// Ask Meta about a number, and write it into the settings.
    Add(add::Add),
}

pub(super) async fn run(settings: Settings, act: Act, file: &Path) -> Result<(), Failure> {
    match act {
        Act::Test { name } => test(&settings, name.as_deref()).await,
        Act::Add(add) => add::run(&settings, &add, file, transport()?).await,
        Act::List => with_store(settings, async |context| list(context).await).await,
        Act::Pause { name, reason } => {
            with_store(settings, async |context| {
                pause(context, &name, Some(reason.as_deref().unwrap_or_default())).await
            })
            .await
        }
        Act::Resume { name } => with_store(settings, async |context| pause(context, &name, None).await).await,
    }
}

async fn with_store(settings: Settings, act: impl AsyncFnOnce(&Context) -> Result<(), Failure>) -> Result<(), Failure> {
    let context = settings::open(settings).await?;
    let done = match store_numbers(&context).await {
        Ok(()) => act(&context).await,
        Err(error) => Err(error.into()),
    };
    context.db.close().await;
    done
}

fn transport() -> Result<Arc<dyn Transport>, Failure> {
    let transport = HttpTransport::new();
    Ok(Arc::new(transport.map_err(|why| Failure::failed(format!("no TLS on this machine: {why}")))?))
}

async fn list(context: &Context) -> Result<(), Failure> {
    let heading = ["CHANNEL", "NUMBER ID", "APP", "TEAM", "PLAYBOOK", "BOT", "SENDING", "QUEUED", "PAUSED BECAUSE"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    let on = |on: bool| if on { "on" } else { "off" }.to_owned();
    for one in every(context).await? {
        let mut reader = context.db.reader().await?;
        let queued = channels::queued(reader.conn(), one.id).await?;
        let why = kept::get(reader.conn(), &why_key(&one)).await?.unwrap_or_default();
        let served =
            context.settings.whatsapp.channels.iter().any(|known| known.phone_number_id == one.phone_number_id);
        let app = if served { one.app.clone() } else { format!("{} (not in the settings)", one.app) };
        let playbook = context.settings.book_of(&one.phone_number_id).name.clone();
        let (bot, sending) = (on(one.bot_on), on(one.sending_on));
        rows.push(vec![one.name, one.phone_number_id, app, one.team, playbook, bot, sending, queued.to_string(), why]);
    }
    if rows.len() == 1 {
        explain(
            "No number is in the settings yet: `baton-server channel add` asks Meta about one and writes it there.",
        );
        return Ok(());
    }
    table(&rows);
    Ok(())
}

/// Where the reason of a pause is kept.
fn why_key(channel: &channels::Channel) -> String {
    format!("paused:{}", channel.id)
}

/// Both switches at once; `why` is the reason of a pause, and `None` ends one.
async fn pause(context: &Context, name: &str, why: Option<&str>) -> Result<(), Failure> {
    for channel in chosen(every(context).await?, Some(name))? {
        for what in [What::Bot, What::Sending] {
            turn(context, &channel, what, why.is_none()).await?;
        }
        let (key, why) = (why_key(&channel), why.unwrap_or_default().to_owned());
        let job = context.db.write(Urgency::First, move |tx| {
            let (key, why) = (key.clone(), why.clone());
            Box::pin(async move { kept::put(tx, &key, &why).await })
        });
        job.await?;
    }
    say(&match why {
        Some(_) => format!("{name} is paused: nothing is sent, the bot is silent, and customers wait for people."),
        None => format!("{name} answers and sends again; what was held by the pause goes out."),
    });
    Ok(())
}

async fn test(settings: &Settings, name: Option<&str>) -> Result<(), Failure> {
    let names: Vec<&str> = settings.whatsapp.channels.iter().map(|channel| channel.name.as_str()).collect();
    if let Some(name) = name.filter(|name| !names.contains(name)) {
        return Err(Failure::wrong(format!("found {name:?}, expected one of: {}", names.join(", "))));
    }
    let findings = examine_numbers(settings, name, &SystemClock::default(), transport()?).await;
    findings.iter().for_each(|finding| say(&doctor::line(finding)));
    match findings.iter().filter(|finding| finding.mark == Mark::Wrong).count() {
        0 => Ok(()),
        1 => Err(Failure::failed("one thing is wrong")),
        wrong => Err(Failure::failed(format!("{wrong} things are wrong"))),
    }
}

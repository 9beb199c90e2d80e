//! `replay`: dead letters, read again.

use baton_server::{config::Settings, intake, store_numbers};

use super::{failure::Failure, output::say, settings};

#[derive(Debug, clap::Args)]
pub(super) struct Replay {
    /// Put away what still cannot be read: it stays in the database, and nobody is told of it any more.
    #[arg(long)]
    put_away: bool,
}

pub(super) async fn run(settings: Settings, how: &Replay) -> Result<(), Failure> {
    let context = settings::open(settings).await?;
    // A number that was added to the settings just now.
    store_numbers(&context).await?;
    let replayed = intake::replay::replay(&context, how.put_away).await;
    context.db.close().await;
    let replayed = replayed?;
    let put_away = if how.put_away { " and was put away" } else { "" };
    say(&format!(
        "{} dead letters could be read now, with {} new messages in them; {} still cannot be read{put_away}",
        replayed.read, replayed.messages, replayed.dead
    ));
    if replayed.dead > 0 && !how.put_away {
        say("What is junk for good: `baton-server replay --put-away`.");
    }
    Ok(())
}

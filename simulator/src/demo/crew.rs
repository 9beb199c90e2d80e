//! The scripted agents of a run, together.

use std::{sync::Arc, time::Duration};

use baton::net::{Client, Stats};
use baton_server::lifecycle::Lifecycle;
use baton_shared::{
    Clock, Ids, Role,
    protocol::{Act, Answer},
};
use tokio::sync::watch;

use super::{
    DemoError, Stage,
    colleague::{Colleague, Deed, Desk, Mood, SharedDesk, Temper, lock},
    evidence::{is_reply, last_bot_word},
    people,
};

/// Scripted agents at work.
pub(super) struct Crew {
    desks: Vec<SharedDesk>,
    mood: watch::Sender<Mood>,
    life: Lifecycle,
}

/// Who works here; the first is the supervisor.
const NAMES: [&str; 6] = ["Mara", "Leo", "Ana", "Noor", "Tom", "Ines"];

impl Crew {
    /// Up to six people, signed in and at work.
    pub(super) async fn hire(stage: &Stage, tempers: &[Temper], chance: &mut fastrand::Rng) -> Result<Self, DemoError> {
        let (mood, moods) = watch::channel(Mood::Working);
        let life = Lifecycle::default();
        let mut desks = Vec::new();
        for (place, (name, temper)) in NAMES.iter().zip(tempers).enumerate() {
            let role = if place == 0 { Role::Supervisor } else { Role::Agent };
            let colleague = hire(stage, name, role, temper.clone(), chance.fork()).await?;
            desks.push(colleague.desk());
            life.spawn(colleague.run(moods.clone(), life.stopping()));
        }
        Ok(Self { desks, mood, life })
    }

    /// Nobody acts any more; everybody looks on.
    pub(super) fn rest(&self) {
        // Err: nobody is left.
        let _ = self.mood.send(Mood::Resting);
    }

    pub(super) fn desks(&self) -> &[SharedDesk] {
        &self.desks
    }

    /// Acts without an answer so far.
    pub(super) fn unanswered(&self) -> usize {
        self.desks.iter().map(|desk| lock(desk).unanswered).sum()
    }

    /// Whether everything has happened that agents do and suffer.
    pub(super) fn has_seen_everything(&self) -> bool {
        let handed_back =
            |deed: &Deed| matches!((&deed.command.act, &deed.answer), (Act::HandBack { .. }, Answer::Done { .. }));
        let stats = |is_so: fn(&Stats) -> bool| self.desks.iter().any(|desk| is_so(&lock(desk).stats));
        self.did(handed_back)
            && self.did(is_reply)
            && stats(|stats| stats.welcomes > 1)
            && stats(|stats| stats.welcomes > stats.snapshots)
    }

    /// Whether the answer to a take named a word of the bot's that was on its way.
    pub(super) fn met_a_word(&self) -> bool {
        self.did(|deed| last_bot_word(deed).is_some())
    }

    fn did(&self, what: impl Fn(&Deed) -> bool) -> bool {
        self.desks.iter().any(|desk| lock(desk).deeds.iter().any(&what))
    }

    /// Everybody says goodbye and leaves their desk.
    pub(super) async fn leave(self) -> Vec<Desk> {
        self.life.stop(Duration::from_secs(3)).await;
        self.desks.iter().map(|desk| std::mem::take(&mut *lock(desk))).collect()
    }
}

/// One scripted agent, signed in.
pub(super) async fn hire(
    stage: &Stage,
    name: &str,
    role: Role,
    temper: Temper,
    rng: fastrand::Rng,
) -> Result<Colleague, DemoError> {
    let signed_in = people::sign_up(stage, name, role).await?;
    let (clock, ids): (Arc<dyn Clock>, Arc<Ids>) = (stage.clock.clone(), stage.ids());
    let client = Client::new(people::connection(stage, &signed_in.token), clock.clone(), ids);
    Ok(Colleague::new(client, name.to_owned(), temper, clock, rng))
}

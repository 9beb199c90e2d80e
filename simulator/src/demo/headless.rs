//! The demo without a screen: agents and customers at work, a crash in the middle, and a comparison
//! of what happened outside with what is stored.

use std::{sync::Arc, time::Duration};

use baton_server::{
    domain::turn::Pause,
    store::{Db, audit},
};
use baton_shared::{Clock, SystemClock};
use tokio::time::{Instant, sleep, sleep_until};

use super::{
    DemoError, Options, Place, Stage, Weather, agreement,
    colleague::{Temper, lock},
    crew::Crew,
    evidence::{Evidence, Stored, cancelled},
    report::Report,
    stage::Pace,
};
use crate::{
    Span,
    customers::{Customer, shop},
    whatsapp::Faults,
};

/// Once nobody says anything new and nothing has moved for so long, it will not come to rest. A turn that
/// the crashed server had begun is another's only when its lease has ended, after some 20 s.
const REST: Duration = Duration::from_secs(60);

/// So long after the last thing moved, screens may differ from the store.
const AGREE: Duration = Duration::from_secs(5);

/// However slow the machine is.
const AT_LAST: Duration = Duration::from_secs(240);

const LOOK: Duration = Duration::from_millis(50);

/// Customers who all write just before the crash.
const RUSH: usize = 16;

/// So many times its length a run may take to have something to prove.
const OVERTIME: u32 = 6;

/// How long the rush may take to get going, on a machine that has much else to do.
const RUSH_LIMIT: Duration = Duration::from_secs(10);

/// Runs, and judges the run.
pub async fn run(options: &Options, place: &Place) -> Result<Report, DemoError> {
    let mut chance = fastrand::Rng::with_seed(options.seed);
    let weather = options.faults.unwrap_or(Weather::Rough);
    let length = Duration::from_secs(options.seconds);
    let mut stage = Stage::set(place, &pace(length, weather), &mut chance).await?;
    let crew = Crew::hire(&stage, &tempers(length), &mut chance).await?;
    let began = Instant::now();
    let customers = invite(&stage, options, length, &mut chance);
    let mut report = Report {
        engine: place.engine(),
        seed: options.seed,
        seconds: options.seconds,
        faults: match weather {
            Weather::None => "none",
            Weather::Rough => "rough",
        },
        without: without(options),
        customers,
        agents: crew.desks().len(),
        ..Report::default()
    };
    watch(&stage, &crew, began, began + length / 2).await;
    rush(&stage, &mut chance).await;
    eprintln!("{:>4} s  the server crashes and starts again", began.elapsed().as_secs());
    stage.crash().await;
    stage.restart().await?;
    report.server_crashes = 1;
    watch(&stage, &crew, began, began + length).await;
    report.customers += overtime(&stage, &crew, began, began + length * OVERTIME, &mut chance).await?;
    report.unsettled = come_to_rest(&stage, &crew).await?;
    report.unanswered = crew.unanswered();
    let differences = agree(&stage, &crew).await?;
    let desks = crew.leave().await;
    stage.stop_server().await;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let db = Db::open(place.database_url(), clock, None).await?;
    let stored = Stored::read(&db).await?;
    stage.simulator.with(|world, _| {
        Evidence { ledger: world.whatsapp.ledger(), desks: &desks, stored: &stored }.weigh(&mut report);
    });
    stage.close().await;
    db.close().await;
    for line in differences.iter().take(10) {
        eprintln!("a screen differs: {line}");
    }
    let torn: u64 = desks.iter().map(|desk| desk.picture.gaps + desk.stats.gaps).sum();
    report.gaps = differences.len();
    report.torn = usize::try_from(torn).unwrap_or(usize::MAX);
    report.frames = desks.iter().map(|desk| desk.picture.frames).sum();
    report.unanswered += desks.iter().map(|desk| desk.expired).sum::<usize>();
    report.reconnects = desks.iter().map(|desk| desk.stats.welcomes.saturating_sub(1)).sum();
    report.resumed = desks.iter().map(|desk| desk.stats.welcomes.saturating_sub(desk.stats.snapshots)).sum();
    report.judge();
    Ok(report)
}

#[cfg(feature = "mutations")]
fn without(options: &Options) -> Option<String> {
    options.without.map(|promise| format!("{promise:?}"))
}

#[cfg(not(feature = "mutations"))]
const fn without(_: &Options) -> Option<String> {
    None
}

/// People are quicker in a short run, so that as much happens in it.
fn pace(length: Duration, weather: Weather) -> Pace {
    let short = length < Duration::from_secs(20);
    Pace {
        faults: match weather {
            Weather::None => Faults::none(),
            Weather::Rough => Faults::rough(),
        },
        think: if short { Span::millis(150, 700) } else { Span::millis(400, 2_000) },
        burst: Some(Pause { quiet: Duration::from_millis(200), limit: Duration::from_millis(900) }),
        model: Span::millis(50, 400),
    }
}

/// A supervisor, two who are after what the bot is about to say, and two who take what waits longest.
fn tempers(length: Duration) -> Vec<Temper> {
    let look = if length < Duration::from_secs(20) { Span::millis(60, 200) } else { Span::millis(120, 400) };
    let steady =
        Temper { look, hands: 4, leaves: 0, snatch: 0.05, drop: 0.01, drop_in_act: 0.04, answers: 1, signs: true };
    let quick = Temper { look: Span::millis(10, 40), hands: 5, snatch: 0.6, drop: 0.002, ..steady.clone() };
    vec![Temper { hands: 1, ..steady.clone() }, quick.clone(), quick, steady.clone(), steady]
}

/// The cast at once, a crowd as time goes by.
fn invite(stage: &Stage, options: &Options, length: Duration, chance: &mut fastrand::Rng) -> usize {
    let usual = 40 + usize::try_from(options.seconds).unwrap_or(usize::MAX).min(400) * 2;
    let count = options.customers.map_or(usual, usize::from);
    let mut everyone = shop::cast();
    everyone.extend(shop::crowd(count + RUSH, length.mul_f64(0.8), chance).into_iter().skip(RUSH));
    let invited = everyone.len() + RUSH;
    welcome(stage, everyone);
    invited
}

fn welcome(stage: &Stage, customers: Vec<Customer>) {
    stage.simulator.with(|world, now| {
        for customer in customers {
            world.invite(now, customer);
        }
    });
}

/// Many write at once, until some of what was just acknowledged can only be a moment old.
async fn rush(stage: &Stage, chance: &mut fastrand::Rng) {
    welcome(stage, shop::crowd(RUSH, Duration::from_millis(500), chance));
    let limit = Instant::now() + RUSH_LIMIT;
    while fresh(stage) < 4 && Instant::now() < limit {
        sleep(Duration::from_millis(5)).await;
    }
}

/// On a slow machine some of what is to be proved has not happened yet: more customers come until it has.
/// How many came.
async fn overtime(
    stage: &Stage,
    crew: &Crew,
    began: Instant,
    limit: Instant,
    chance: &mut fastrand::Rng,
) -> Result<usize, DemoError> {
    let mut came = 0;
    while Instant::now() < limit && !(crew.has_seen_everything() && took_a_word_away(stage, crew).await?) {
        welcome(stage, shop::crowd(RUSH, Duration::from_secs(1), chance));
        came += RUSH;
        watch(stage, crew, began, Instant::now() + Duration::from_secs(2)).await;
    }
    Ok(came)
}

/// Whether a take met a word of the bot's, on its way or before.
async fn took_a_word_away(stage: &Stage, crew: &Crew) -> Result<bool, DemoError> {
    if crew.met_a_word() {
        return Ok(true);
    }
    let messages = audit::messages(stage.context().db.reader().await?.conn()).await?;
    Ok(messages.iter().any(cancelled))
}

/// Customers' messages that were acknowledged within the last tenth of a second.
fn fresh(stage: &Stage) -> usize {
    stage.simulator.with(|world, now| {
        let since = now.minus(Duration::from_millis(100));
        let signed = world.whatsapp.ledger().signed().iter().rev().take(200);
        let acked = signed.filter(|signed| {
            signed.attempts.iter().any(|post| post.status == Some(200) && post.answered_at > Some(since))
        });
        acked.map(|signed| signed.messages.len()).sum()
    })
}

/// Says how it goes, every five seconds, until `until`.
async fn watch(stage: &Stage, crew: &Crew, began: Instant, until: Instant) {
    const EVERY: Duration = Duration::from_secs(5);
    loop {
        let next = until.min(Instant::now() + EVERY);
        sleep_until(next).await;
        let (acked, reached) = stage.simulator.with(|world, _| {
            let ledger = world.whatsapp.ledger();
            (ledger.webhooks_acked(), ledger.reached().len())
        });
        let deeds: usize = crew.desks().iter().map(|desk| lock(desk).deeds.len()).sum();
        let seconds = began.elapsed().as_secs();
        eprintln!(
            "{seconds:>4} s  {acked} webhooks acknowledged, {reached} messages on phones, {deeds} acts of agents"
        );
        if next == until {
            return;
        }
    }
}

/// Nobody says anything new, Meta has a good moment; returns what is still to be done at the end.
async fn come_to_rest(stage: &Stage, crew: &Crew) -> Result<i64, DemoError> {
    stage.simulator.with(|world, _| {
        world.customers.fall_silent();
        world.whatsapp.config_mut().faults = Faults::none();
    });
    crew.rest();
    let mut patience = Patience::new(REST);
    loop {
        let quiet = stage.simulator.with(|world, _| world.next_due().is_none()) && under_way(stage) == 0;
        let left = audit::on_their_way(stage.context().db.reader().await?.conn(), stage.context().db.time()).await?;
        if (quiet && left == 0 && crew.unanswered() == 0) || patience.is_over(&moved(stage, crew)) {
            return Ok(left);
        }
        sleep(LOOK).await;
    }
}

/// Ends when nothing has moved for a while, or at last: a slow machine is no broken promise.
struct Patience {
    most: Duration,
    seen: Option<(usize, usize, u64)>,
    moved_at: Instant,
    began_at: Instant,
}

impl Patience {
    fn new(most: Duration) -> Self {
        let now = Instant::now();
        Self { most, seen: None, moved_at: now, began_at: now }
    }

    fn is_over(&mut self, seen: &(usize, usize, u64)) -> bool {
        if self.seen.as_ref() != Some(seen) {
            (self.seen, self.moved_at) = (Some(*seen), Instant::now());
        }
        self.moved_at.elapsed() > self.most || self.began_at.elapsed() > AT_LAST
    }
}

/// What has happened so far: webhooks answered, messages on phones, frames on screens with news.
fn moved(stage: &Stage, crew: &Crew) -> (usize, usize, u64) {
    let (acked, reached) = stage.simulator.with(|world, _| {
        let ledger = world.whatsapp.ledger();
        (ledger.webhooks_acked(), ledger.reached().len())
    });
    (acked, reached, crew.desks().iter().map(|desk| lock(desk).picture.news).sum())
}

/// Webhooks that were posted and have no outcome yet.
fn under_way(stage: &Stage) -> usize {
    stage.simulator.with(|world, _| {
        let posts = world.whatsapp.ledger().signed().iter().flat_map(|signed| &signed.attempts);
        posts.filter(|post| post.answered_at.is_none()).count()
    })
}

/// What still differs on screens after a while.
async fn agree(stage: &Stage, crew: &Crew) -> Result<Vec<String>, DemoError> {
    let mut patience = Patience::new(AGREE);
    loop {
        let differences = agreement::differences(stage.context(), crew.desks()).await?;
        if differences.is_empty() || patience.is_over(&moved(stage, crew)) {
            return Ok(differences);
        }
        sleep(LOOK * 4).await;
    }
}

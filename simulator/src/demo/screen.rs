//! The demo on a screen: the inbox in this terminal, a colleague at the next desk, and customers
//! who come in at a human pace.

use std::{io::IsTerminal, sync::Arc, time::Duration};

use baton::{Options as Inbox, config::Config, term::probe::Environment};
use baton_server::lifecycle::Lifecycle;
use baton_shared::{Ids, Role, protocol::SignedIn};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use super::{
    DemoError, Options, Place, Stage, Weather,
    colleague::{Colleague, Mood, Temper},
    crew, people,
    stage::Pace,
};
use crate::{Span, customers::shop, whatsapp::Faults};

/// Your name in there.
const YOU: &str = "Alex";
const COLLEAGUE: &str = "Leo";

/// You have the queue to yourself for so long.
const COLLEAGUE_COMES: Duration = Duration::from_secs(75);

/// One more customer about so often.
const ONE_MORE_EVERY: Duration = Duration::from_secs(40);

/// How long everything gets to end; what is left then is dropped with its folder.
const GOODBYE: Duration = Duration::from_secs(2);

/// Whether there is a screen to open the inbox on.
pub(super) fn check() -> Result<(), DemoError> {
    let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    if terminal && !Environment::read(variable).dumb { Ok(()) } else { Err(DemoError::NoTerminal) }
}

/// Until you leave.
pub(super) async fn run(options: &Options, place: &Place) -> Result<(), DemoError> {
    let mut chance = fastrand::Rng::with_seed(options.seed);
    let stage = Stage::set(place, &pace(options), &mut chance).await?;
    let you = people::sign_up(&stage, YOU, options.role.into()).await?;
    let life = Lifecycle::default();
    let calm = colleague(&stage, &mut chance).await?;
    let stopping = life.stopping();
    life.spawn(async move {
        sleep(COLLEAGUE_COMES).await;
        // The sender lives as long as he works.
        let (_mood, mood) = watch::channel(Mood::Working);
        calm.run(mood, stopping).await;
    });
    let count = options.customers.map_or(60, usize::from);
    let within = ONE_MORE_EVERY * u32::try_from(count).unwrap_or(u32::MAX);
    stage.simulator.with(|world, now| {
        for customer in [shop::cast(), shop::crowd(count, within, &mut chance)].concat() {
            world.invite(now, customer);
        }
    });
    let outcome = Box::pin(baton::run(inbox(&stage, place, you))).await;
    let ending = async {
        life.stop(GOODBYE / 2).await;
        stage.close().await;
    };
    if timeout(GOODBYE, ending).await.is_err() {
        tracing::info!("something was still under way when you left");
    }
    let outcome = outcome.map_err(|error| DemoError::Inbox(error.to_string()))?;
    outcome.stopped.map_or(Ok(()), |stop| Err(DemoError::Inbox(stop.to_string())))
}

fn pace(options: &Options) -> Pace {
    Pace {
        faults: match options.faults.unwrap_or(Weather::None) {
            Weather::None => Faults::none(),
            Weather::Rough => Faults::rough(),
        },
        think: Span::millis(2_500, 8_000),
        burst: None,
        model: Span::millis(400, 1_800),
    }
}

/// Takes something now and then, and leaves you the rest.
async fn colleague(stage: &Stage, chance: &mut fastrand::Rng) -> Result<Colleague, DemoError> {
    let temper = Temper {
        look: Span::millis(6_000, 20_000),
        hands: 1,
        leaves: 3,
        snatch: 0.0,
        drop: 0.0,
        drop_in_act: 0.0,
        answers: 2,
        signs: false,
    };
    crew::hire(stage, COLLEAGUE, Role::Agent, temper, chance.fork()).await
}

fn inbox(stage: &Stage, place: &Place, you: SignedIn) -> Inbox {
    Inbox {
        address: stage.address(),
        token: you.token,
        keep: Some((place.folder().join("inbox"), you.me.id)),
        config: Config { label: Some("demo shop".into()), ..Config::default() },
        environment: Environment::read(variable),
        editor: variable("VISUAL").or_else(|| variable("EDITOR")).unwrap_or_else(|| "vi".into()),
        home: variable("HOME").unwrap_or_default().into(),
        clock: stage.clock.clone(),
        ids: Ids::system(),
        line_ids: Arc::new(Ids::system()),
    }
}

/// The terminal's own variables, and the person's editor.
#[expect(clippy::disallowed_methods, reason = "the demo has no configuration; it is the one who asks here")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

//! Server, simulator and agents under one seed. Time is moved by hand, rooms are stepped one at a
//! time, every store call and request stands before a door until it is let through, and now and
//! then everybody drops dead. After every step an independent book of the truth is consulted.

mod robots;
mod stage;
mod truth;
mod wire;

use std::{
    cell::RefCell,
    collections::BTreeSet,
    rc::Rc,
    sync::{Arc, Mutex},
    time::Duration,
};

use baton_server::{
    Context, Parts,
    bot::{brains::Brains, chain::Chain, room},
    config::{Link, Model as ModelSettings, Playbook, Secret, Settings, Structured, Wire},
    inbox::lost,
    intake::{self, Numbers},
    outbox::{self, Courier},
    store::{
        Urgency,
        agents::{self, Agent},
        channels,
    },
    whatsapp::graph,
};
use baton_shared::{Clock, Ids, ManualClock, Role};
use baton_simulator::{
    World,
    model::{Model, ModelConfig, ModelFaults},
    whatsapp::{Config, Faults, Person, PersonId, Saying, WebhookId},
};

use tokio::sync::Mutex as AsyncMutex;

use self::{
    robots::Robot,
    stage::Stage,
    truth::{Broken, Truth},
    wire::{GraphWire, ModelWire},
};
use crate::store::{Database, NOON};

/// What came of a run.
#[derive(Debug)]
pub struct Report {
    pub steps: usize,
    /// The same for every run of the same seed.
    pub fingerprint: u64,
    pub counts: std::collections::BTreeMap<&'static str, usize>,
}

/// A promise that a run broke.
#[derive(Debug)]
pub struct Failure {
    pub seed: u64,
    pub step: usize,
    pub broken: Broken,
    /// The last steps before it.
    pub log: Vec<String>,
}

const PLAYBOOK: &str = r#"
business = "Simulated"
bot = "Sim"
persona = "Brief."
languages = ["en"]
facts = ["Parcels arrive within three days."]
[thresholds]
confidence = 0.3
unresolved_turns = 4
[texts.bridge]
en = "A colleague comes in {wait}."
[texts.bridge_without_wait]
en = "A colleague comes."
[[intent]]
name = "hours"
title = "asks for the hours"
action = "answer"
answer.en = "We open at nine."
examples.en = ["when are you open", "opening hours please", "what time do you open", "are you open today", "until when are you open"]
[[intent]]
name = "complaint"
title = "complains"
action = "human"
examples.en = ["I will call my lawyer", "this is a legal matter", "I was injured by it", "I want to complain formally", "you will hear from my lawyer"]
[[intent]]
name = "parcel"
title = "asks for a parcel"
action = "model"
examples.en = ["where is my parcel", "has my parcel been sent", "when does my parcel arrive", "track my parcel please", "my parcel is late"]
"#;

const LINES: [&str; 12] = [
    "when are you open",
    "what time do you open on monday",
    "opening hours please",
    "are you open on friday",
    "where is my parcel",
    "when does my parcel arrive",
    "my parcel is late and nobody answers",
    "has my parcel been sent",
    "until when are you open today",
    "I want to talk to a human",
    "I will call my lawyer",
    "blue elephants sing in the garden",
];

const STEPS: usize = 700;
const CUSTOMERS: usize = 6;

/// Those of whom a webhook names the phone, the user id or both, as it comes: they turn out to be one.
const PARTED: std::ops::Range<usize> = 1..4;

/// Runs one seed.
///
/// # Errors
/// The promise that it broke.
pub async fn run(seed: u64) -> Result<Report, Box<Failure>> {
    let local = tokio::task::LocalSet::new();
    local.run_until(async move { Simulation::new(seed).await.play().await }).await
}

struct Simulation {
    seed: u64,
    rng: fastrand::Rng,
    clock: Arc<ManualClock>,
    world: Arc<Mutex<World>>,
    people: Vec<PersonId>,
    stage: Stage,
    parts: Parts,
    settings: Settings,
    server: Running,
    robots: Vec<Rc<AsyncMutex<Robot>>>,
    agents: Vec<Agent>,
    truth: Truth,
    /// What an actor found broken.
    found: Rc<RefCell<Option<Broken>>>,
    under_way: Rc<RefCell<BTreeSet<WebhookId>>>,
    log: Vec<String>,
    fingerprint: u64,
    steps: usize,
    _database: Database,
}

/// What is lost in a crash.
struct Running {
    context: Context,
    brains: Arc<Brains>,
    numbers: Arc<Numbers>,
    courier: Rc<AsyncMutex<Courier>>,
}

impl Simulation {
    async fn new(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let clock = Arc::new(ManualClock::at(NOON));
        let ids = Arc::new(Ids::seeded(seed));
        let stage = Stage::default();
        let mut config = Config::shop().with_faults(Faults::rough());
        config.clock_ahead = rng.i64(-20..20) * 1_000_000;
        // Webhooks go to us without a socket; the address only has to be there.
        let config = config.calling("http://127.0.0.1:1/webhook");
        let world = Arc::new(Mutex::new(World::new(config.clone(), rng.fork())));
        let model_faults = ModelFaults::rough();
        let model = Model::new(ModelConfig { faults: model_faults, ..ModelConfig::default() }, rng.fork());
        let parts = Parts {
            clock: clock.clone(),
            ids: ids.clone(),
            graph: Arc::new(GraphWire { doors: stage.doors(), world: world.clone(), clock: clock.clone() }),
            models: Arc::new(ModelWire {
                doors: stage.doors(),
                model: Arc::new(Mutex::new(model)),
                clock: clock.clone(),
            }),
            program: None,
            gate: Some(stage.doors()),
        };
        let database = Database::sqlite();
        let settings = settings(&config, &database);
        let server = Running::start(&settings, &parts).await;
        let agents = add_agents(&server.context).await;
        let mut robots = Vec::new();
        for agent in &agents {
            robots.push(Rc::new(AsyncMutex::new(Robot::new(&server.context, agent.clone()).await)));
        }
        let people = {
            let mut world = world.lock().expect("the world");
            (0..CUSTOMERS)
                .map(|number| {
                    let person = Person::new(
                        &format!("Customer {number}"),
                        &format!("1555000{number}"),
                        &format!("US.9000{number}"),
                    );
                    world.whatsapp.add_person(if number == 0 { person.known_only_as("shy") } else { person })
                })
                .collect()
        };
        Self {
            seed,
            rng,
            clock,
            world,
            people,
            stage,
            parts,
            settings,
            server,
            robots,
            agents,
            truth: Truth::default(),
            found: Rc::default(),
            under_way: Rc::default(),
            log: Vec::new(),
            fingerprint: 0,
            steps: 0,
            _database: database,
        }
    }

    async fn play(mut self) -> Result<Report, Box<Failure>> {
        let played = self.play_all().await;
        self.stage.crash().await;
        self.server.context.db.close().await;
        match played {
            Ok(()) => Ok(Report { steps: self.steps, fingerprint: self.fingerprint, counts: self.truth.counts }),
            Err(broken) => {
                let log = self.log.split_off(self.log.len().saturating_sub(60));
                Err(Box::new(Failure { seed: self.seed, step: self.steps, broken, log }))
            }
        }
    }

    async fn play_all(&mut self) -> Result<(), Broken> {
        for _ in 0..STEPS {
            self.step(true).await?;
        }
        self.calm_down();
        for _ in 0..60 {
            while !self.stage.is_empty() {
                self.step(false).await?;
            }
            self.all_rooms().await?;
            self.clock.advance(Duration::from_secs(7));
        }
        while !self.stage.is_empty() {
            self.step(false).await?;
        }
        self.truth.check_nobody_is_forgotten(&self.server.context).await?;
        self.clients_have_seen_everything().await
    }

    /// No more faults and no more news from customers: what is begun comes to its end.
    fn calm_down(&mut self) {
        let mut world = self.world.lock().expect("the world");
        world.whatsapp.config_mut().faults = Faults::none();
        self.log.push("calm".into());
    }

    async fn step(&mut self, rough: bool) -> Result<(), Broken> {
        self.steps += 1;
        // Two things never happen in the same microsecond.
        self.clock.advance(Duration::from_micros(1));
        let line = if !self.stage.is_empty() && (!rough || self.rng.u8(..10) < 7) {
            let waiting = self.stage.waiting();
            let actor = waiting[self.rng.usize(..waiting.len())];
            self.stage.go_on(actor).await
        } else {
            self.act().await
        };
        self.note(line);
        if let Some(broken) = self.found.borrow_mut().take() {
            return Err(broken);
        }
        self.truth.check(&self.server.context, &self.world).await?;
        if self.steps.is_multiple_of(20) {
            self.truth.check_nobody_is_forgotten(&self.server.context).await?;
        }
        Ok(())
    }

    fn note(&mut self, line: String) {
        for byte in line.bytes() {
            self.fingerprint = (self.fingerprint ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        self.log.push(line);
    }

    async fn act(&mut self) -> String {
        match self.rng.u32(..1000) {
            0..90 => self.customer_writes(),
            90..270 => self.webhooks().await,
            270..440 => self.bot().await,
            440..600 => self.courier().await,
            600..615 => self.time_does().await,
            615..705 => self.robot_acts().await,
            705..800 => self.robot_listens().await,
            800..995 => self.time_passes(),
            _ => self.crash().await,
        }
    }

    async fn all_rooms(&mut self) -> Result<(), Broken> {
        for turn in 0..4 {
            let line = match turn {
                0 => self.webhooks().await,
                1 => self.bot().await,
                2 => self.courier().await,
                _ => self.time_does().await,
            };
            self.note(line);
            while !self.stage.is_empty() {
                self.step(false).await?;
            }
        }
        Ok(())
    }

    fn customer_writes(&mut self) -> String {
        let person = self.people[self.rng.usize(..self.people.len())];
        let line = LINES[self.rng.usize(..LINES.len())];
        let mut world = self.world.lock().expect("the world");
        if PARTED.contains(&person.0) {
            let (shares_phone, shares_user_id) = [(true, false), (false, true), (true, true)][self.rng.usize(..3)];
            let one = world.whatsapp.person_mut(person);
            (one.shares_phone, one.shares_user_id) = (shares_phone, shares_user_id);
        }
        world.whatsapp.say(self.clock.now(), person, Saying::text(line));
        format!("customer {} writes", person.0)
    }

    async fn webhooks(&mut self) -> String {
        let due = self.world.lock().expect("the world").due(self.clock.now());
        let count = due.len();
        for webhook in due {
            let (context, numbers) = (self.server.context.clone(), self.server.numbers.clone());
            let (world, clock, under_way) = (self.world.clone(), self.clock.clone(), self.under_way.clone());
            under_way.borrow_mut().insert(webhook.id);
            self.stage
                .enter(format!("webhook {}", webhook.id.0), async move {
                    let kept = intake::take_in(&context, &numbers, "default", &webhook.body).await;
                    let status = if kept.is_ok() { 200 } else { 503 };
                    under_way.borrow_mut().remove(&webhook.id);
                    world.lock().expect("the world").answered(webhook.id, Some(status), clock.now());
                })
                .await;
        }
        format!("{count} webhooks")
    }

    async fn bot(&mut self) -> String {
        let (due, _) = room::look(&self.server.context, 3).await.expect("a look");
        let count = due.len();
        for id in due {
            let (context, brains) = (self.server.context.clone(), self.server.brains.clone());
            let turn = async move { drop(room::make_turn(context, brains, id).await) };
            self.stage.enter(format!("turn {id}"), turn).await;
        }
        format!("{count} turns")
    }

    async fn courier(&mut self) -> String {
        let look = self.server.courier.lock().await.look().await.expect("a look");
        let count = look.jobs.len();
        for job in look.jobs {
            let name = match &job {
                outbox::Job::Send(one) => format!("send {}", one.message),
                outbox::Job::Mark(one) => format!("mark {}", one.conversation),
                outbox::Job::Abandoned(one) => format!("abandoned {}", one.message),
                outbox::Job::Unsettled(one) => format!("unsettled {}", one.message),
                outbox::Job::Answered(one) => format!("answered {}", one.message),
                outbox::Job::Clock => "clock".into(),
                outbox::Job::Errand(one) => format!("errand {}", one.id),
            };
            let carried = self.server.courier.lock().await.carry(job);
            self.stage.enter(name, async move { drop(carried.await) }).await;
        }
        format!("{count} jobs")
    }

    async fn time_does(&mut self) -> String {
        let context = self.server.context.clone();
        self.stage.enter("lost agents".into(), async move { drop(lost::step(&context).await) }).await;
        "time does".into()
    }

    async fn robot_acts(&mut self) -> String {
        let robot = self.robots[self.rng.usize(..self.robots.len())].clone();
        let context = self.server.context.clone();
        let Some(command) = robot.lock().await.decide(&context, &self.agents, &mut self.rng) else {
            return "nothing to do".into();
        };
        robot.lock().await.unanswered = Some(command.clone());
        let agent = robot.lock().await.agent.clone();
        let name = format!("{} {}", agent.name, command.act.word());
        self.truth.count(command.act.word());
        let found = self.found.clone();
        let line = name.clone();
        self.stage
            .enter(name, async move {
                let Some(answer) = robots::give(&context, &agent, &command).await else { return };
                if let Err(broken) = robot.lock().await.answer(&command, answer) {
                    *found.borrow_mut() = Some(broken);
                }
            })
            .await;
        line
    }

    async fn robot_listens(&mut self) -> String {
        let robot = self.robots[self.rng.usize(..self.robots.len())].clone();
        let heard = robot.lock().await.listen(&self.server.context).await;
        if let Err(broken) = heard {
            *self.found.borrow_mut() = Some(broken);
        }
        let name = robot.lock().await.agent.name.clone();
        format!("{name} listens")
    }

    fn time_passes(&mut self) -> String {
        let millis = match self.rng.u8(..100) {
            0..55 => self.rng.u64(1..400),
            55..92 => self.rng.u64(400..5_000),
            92..98 => self.rng.u64(5_000..70_000),
            98 => self.rng.u64(600_000..3_600_000),
            _ => 23 * 3_600_000 + self.rng.u64(..7_200_000),
        };
        self.clock.advance(Duration::from_millis(millis));
        format!("{millis} ms pass")
    }

    async fn crash(&mut self) -> String {
        self.truth.count("crash");
        self.stage.crash().await;
        {
            let mut world = self.world.lock().expect("the world");
            for webhook in std::mem::take(&mut *self.under_way.borrow_mut()) {
                world.answered(webhook, None, self.clock.now());
            }
        }
        self.server.context.db.close().await;
        self.server = Running::start(&self.settings, &self.parts).await;
        "crash".into()
    }

    async fn clients_have_seen_everything(&mut self) -> Result<(), Broken> {
        let context = self.server.context.clone();
        self.truth.check(&context, &self.world).await?;
        for robot in &self.robots {
            let mut robot = robot.lock().await;
            for _ in 0..1_000 {
                if !robot.listen(&context).await? {
                    break;
                }
            }
            robot.compare(&context).await?;
            if robot.is_supervisor() && robot.heard != self.truth.events {
                let how = format!("{} of {} events were heard", robot.heard.len(), self.truth.events.len());
                return Err(Broken { promise: 8, how });
            }
        }
        Ok(())
    }
}

impl Running {
    async fn start(settings: &Settings, parts: &Parts) -> Self {
        let context = baton_server::open(settings.clone(), parts).await.expect("a store opens");
        let transport: Arc<dyn graph::Transport> = parts.graph.clone();
        let mut graphs = outbox::graphs(&context, &transport);
        let channel = {
            let mut reader = context.db.reader().await.expect("a reader");
            channels::every(reader.conn()).await.expect("a read").remove(0)
        };
        let graph = graphs.remove(&channel.phone_number_id).expect("a token");
        let chain = Arc::new(Chain::new(&settings.models, &parts.models, parts.clock.clone()));
        let brains = Arc::new(Brains::learn(settings, &chain));
        let numbers = Arc::new(Numbers::load(&context).await.expect("the numbers"));
        let courier = Rc::new(AsyncMutex::new(Courier::new(context.clone(), channel, graph)));
        Self { context, brains, numbers, courier }
    }
}

fn settings(config: &Config, database: &Database) -> Settings {
    let (app, number) = (&config.apps[0], &config.numbers[0]);
    let value = |name: &str| {
        Some(match name {
            "BATON_DATABASE_URL" => database.url.clone(),
            "BATON_PLAYBOOK" => Playbook::SAMPLE.into(),
            "WHATSAPP_APP_ID" => app.id.clone(),
            "WHATSAPP_APP_SECRET" => app.secret.clone(),
            "WHATSAPP_VERIFY_TOKEN" => app.verify_token.clone(),
            "WHATSAPP_ACCESS_TOKEN" => config.tokens[0].clone(),
            "WHATSAPP_PHONE_NUMBER_ID" => number.id.clone(),
            "WHATSAPP_BUSINESS_ACCOUNT_ID" => number.account.clone(),
            _ => return None,
        })
    };
    let mut settings = Settings::load(None, &value).expect("settings");
    settings.books[0].playbook = Playbook::parse("simulated", PLAYBOOK).expect("a playbook");
    settings.models = vec![ModelSettings {
        provider: "openai".into(),
        wire: Wire::OpenAi,
        name: "simulated".into(),
        base_url: "http://model/v1".into(),
        api_key: Some(Secret::new("key")),
        deadline: Duration::from_secs(8),
        max_tokens: 300,
        structured: Structured::Schema,
        link: Link::default(),
    }];
    settings
}

async fn add_agents(context: &Context) -> Vec<Agent> {
    let now = context.clock.now();
    let people = [("Ana", Role::Agent), ("Leo", Role::Agent), ("Rita", Role::Supervisor)];
    let agents = people.map(|(name, role)| Agent {
        id: context.ids.next(now),
        name: name.into(),
        role,
        team: String::new(),
        created_at: now,
        disabled_at: None,
    });
    let new = agents.to_vec();
    let job = context.db.write(Urgency::First, move |tx| {
        let new = new.clone();
        Box::pin(async move {
            for agent in &new {
                agents::insert(tx, agent, &agent.name).await?;
            }
            Ok(())
        })
    });
    job.await.expect("agents");
    agents.to_vec()
}

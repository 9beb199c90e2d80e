//! What a run happens on: simulated WhatsApp and model provider, and the real server between them.

use std::sync::Arc;

use baton::net::Address;
use baton_server::{
    Parts, Server,
    bot::model,
    config::{Playbook, Settings},
    domain::turn::Pause,
    whatsapp::graph::HttpTransport,
};
use baton_shared::{Clock, Ids, SystemClock};

use super::{DemoError, Place};
use crate::{
    Model, ModelConfig, ModelServer, Server as Simulator, Span, World,
    whatsapp::{Config, Faults},
};

/// How fast the world of a run goes, and how well.
#[derive(Clone, Debug)]
pub struct Pace {
    pub faults: Faults,
    /// How long a customer thinks before an answer.
    pub think: Span,
    /// How long the bot waits for the rest of a burst; `None`: as the playbook says.
    pub burst: Option<Pause>,
    /// How long the model takes.
    pub model: Span,
}

/// What the simulated customers ask about, besides what the built-in playbook's shop sells.
const THINGS_FOR_THE_HOME: [&str; 3] = [
    "Besides clothes and shoes there are lamps, vases and mugs for the home, all made by hand.",
    "The big blue vase is sold out; it is back in stock on Thursday. The small one is there.",
    "Lamps have a warranty of two years; a lamp that flickers is exchanged for free.",
];

pub struct Stage {
    pub clock: Arc<dyn Clock>,
    pub simulator: Simulator,
    model: ModelServer,
    settings: Settings,
    parts: Parts,
    /// `None` between a crash and the restart.
    server: Option<Server>,
}

impl Stage {
    /// Starts all of it, on free ports of this machine.
    pub async fn set(place: &Place, pace: &Pace, chance: &mut fastrand::Rng) -> Result<Self, DemoError> {
        baton::net::prepare_tls();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let model = ModelConfig { latency: pace.model, ..ModelConfig::default() };
        let model = ModelServer::start(Model::new(model, chance.fork()), clock.clone()).await;
        let model = model.map_err(DemoError::World)?;
        let mut world = World::new(Config::shop().with_faults(pace.faults.clone()), chance.fork());
        world.customers.think = pace.think;
        let simulator = Simulator::start(world, clock.clone()).await.map_err(DemoError::World)?;
        let mut settings = settings(place, &simulator, &model)?;
        let playbook = &mut settings.books[0].playbook;
        playbook.burst = pace.burst.unwrap_or(playbook.burst);
        playbook.facts.extend(THINGS_FOR_THE_HOME.map(str::to_owned));
        let parts = Parts {
            clock: clock.clone(),
            ids: Arc::new(Ids::system()),
            graph: Arc::new(HttpTransport::new().map_err(|error| DemoError::Tls(Box::new(error)))?),
            models: Arc::new(model::HttpTransport::new().map_err(|error| DemoError::Tls(Box::new(error)))?),
            program: None,
            gate: None,
        };
        let mut stage = Self { clock, simulator, model, settings, parts, server: None };
        stage.restart().await?;
        Ok(stage)
    }

    /// Starts the server, again on the port that it had.
    pub async fn restart(&mut self) -> Result<(), DemoError> {
        let server = Server::start(self.settings.clone(), self.parts.clone()).await?;
        self.settings.listen = server.address();
        let callback = format!("http://{}/webhook", server.address());
        self.simulator.with(|world, _| {
            if let Some(app) = world.whatsapp.config_mut().apps.first_mut() {
                app.callback_url = Some(callback);
            }
        });
        self.server = Some(server);
        Ok(())
    }

    /// Ends the server where it stands.
    pub async fn crash(&mut self) {
        if let Some(server) = self.server.take() {
            server.crash().await;
        }
    }

    /// The running server's context.
    ///
    /// # Panics
    /// Between a crash and the restart.
    pub fn context(&self) -> &baton_server::Context {
        self.server.as_ref().expect("the server runs").context()
    }

    pub fn address(&self) -> Address {
        let text = format!("http://{}", self.settings.listen);
        text.parse().expect("a socket's address is an address")
    }

    pub fn ids(&self) -> Arc<Ids> {
        self.parts.ids.clone()
    }

    /// Stops the server; the world goes on.
    pub async fn stop_server(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop().await;
        }
    }

    /// Stops all of it.
    pub async fn close(mut self) {
        self.stop_server().await;
        let Self { parts, model, simulator, .. } = self;
        // With them go connections that were opened ahead of need, for whose first request a
        // stopping server would wait.
        drop(parts);
        model.stop().await;
        simulator.stop().await;
    }
}

/// As an operator would give them, in the environment.
fn settings(place: &Place, simulator: &Simulator, model: &ModelServer) -> Result<Settings, DemoError> {
    let config = simulator.with(|world, _| world.whatsapp.config().clone());
    let (app, number, graph) = (&config.apps[0], &config.numbers[0], simulator.graph_url());
    let media = place.folder().join("media").to_string_lossy().into_owned();
    let transcription = format!("{}/v1", model.base_url());
    let value = |name: &str| {
        let value = match name {
            "BATON_LISTEN" => "127.0.0.1:0",
            "BATON_DATABASE_URL" => place.database_url(),
            "BATON_MEDIA_FOLDER" => &media,
            "BATON_PLAYBOOK" => Playbook::SAMPLE,
            "WHATSAPP_GRAPH_URL" => &graph,
            "WHATSAPP_APP_ID" => &app.id,
            "WHATSAPP_APP_SECRET" => &app.secret,
            "WHATSAPP_VERIFY_TOKEN" => &app.verify_token,
            "WHATSAPP_ACCESS_TOKEN" => &config.tokens[0],
            "WHATSAPP_NAME" => "shop",
            "WHATSAPP_PHONE_NUMBER_ID" => &number.id,
            "WHATSAPP_BUSINESS_ACCOUNT_ID" => &number.account,
            "BATON_MODEL_PROVIDER" => "anthropic",
            "BATON_MODEL_NAME" => "simulated",
            "BATON_MODEL_BASE_URL" => model.base_url(),
            "ANTHROPIC_API_KEY" | "OPENAI_API_KEY" => "simulated",
            "BATON_VISION_PROVIDER" => "anthropic",
            "BATON_VISION_NAME" => "simulated",
            "BATON_VISION_BASE_URL" => model.base_url(),
            "BATON_TRANSCRIPTION_PROVIDER" => "openai",
            "BATON_TRANSCRIPTION_NAME" => "simulated",
            "BATON_TRANSCRIPTION_BASE_URL" => &transcription,
            _ => return None,
        };
        Some(value.to_owned())
    };
    Ok(Settings::load(None, &value)?)
}

//! WhatsApp's Cloud API, a model provider and customers, as local servers that behave like the real ones.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use baton_shared::{Clock, SystemClock};
//! use baton_simulator::{
//!     Model, ModelConfig, ModelServer, Server, World,
//!     customers::shop,
//!     whatsapp::{Config, Faults},
//! };
//!
//! # async fn start() -> std::io::Result<()> {
//! let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
//! let mut chance = fastrand::Rng::with_seed(1);
//!
//! let provider = ModelServer::start(Model::new(ModelConfig::default(), chance.fork()), clock.clone()).await?;
//! // A server under test is told: provider.base_url().
//!
//! let config = Config::shop().with_faults(Faults::rough());
//! let whatsapp = Server::start(World::new(config, chance.fork()), clock).await?;
//! // It is told: whatsapp.graph_url(), and the ids, token and secret of Config::shop().
//!
//! whatsapp.with(|world, now| {
//!     world.whatsapp.config_mut().apps[0].callback_url = Some("http://127.0.0.1:8080/webhook".into());
//!     for customer in shop::cast() {
//!         world.invite(now, customer);
//!     }
//! });
//! // Later: what was acknowledged, and what reached whom.
//! let world = whatsapp.stop().await.expect("nobody else holds the world");
//! println!("{} acknowledged", world.whatsapp.ledger().inbound_acked().len());
//! # provider.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! Without sockets, for a simulation that moves time itself, [`World`] and [`Model`] are driven step
//! by step: they do no I/O, and time and chance are passed in.

mod chance;
pub mod customers;
pub mod demo;
mod form;
pub mod model;
pub mod recording;
mod server;
mod shell;
pub mod standalone;
pub mod whatsapp;
mod world;

pub use chance::Span;
pub use model::{Model, ModelConfig, ModelServer};
pub use server::{Handle, HandshakeError, Server};
pub use world::World;

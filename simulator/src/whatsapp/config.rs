//! What the simulated Meta knows of a business: apps, accounts, numbers, limits and pace.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value as Json;

use super::Faults;
use crate::chance::Span;

/// Everything that one simulated WhatsApp is started with.
#[derive(Clone, Debug)]
pub struct Config {
    /// What `facebook-api-version` says, whatever version a client asks for.
    pub version: String,
    /// Where this API is found; stands in the links from one page to the next.
    pub base_url: String,
    /// Access tokens that may do everything.
    pub tokens: Vec<String>,
    pub apps: Vec<App>,
    pub accounts: Vec<Account>,
    pub numbers: Vec<Number>,
    pub limits: Limits,
    pub pace: Pace,
    pub faults: Faults,
    /// Whoever is written to exists, and what they were sent is kept whole: for a simulator that stands alone.
    pub alone: bool,
    /// `contacts` stand beside every status, as some clients expect; Meta leaves them out of `failed`, and out
    /// of `sent` to a phone.
    pub contacts_always: bool,
    /// Meta's clock minus ours, in microseconds: in `Date`, in every timestamp and in the 24-hour rule.
    pub clock_ahead: i64,
}

/// A Meta app: who is called and how its calls are signed.
#[derive(Clone, Debug)]
pub struct App {
    pub id: String,
    pub secret: String,
    /// Where webhooks go; `None`: nowhere.
    pub callback_url: Option<String>,
    pub verify_token: String,
    /// The webhook fields that the app has subscribed to.
    pub fields: Vec<String>,
}

/// A WhatsApp Business account (WABA).
#[derive(Clone, Debug)]
pub struct Account {
    pub id: String,
    pub name: String,
    /// Ids of the apps that get its webhooks (`subscribed_apps`).
    pub subscribed: Vec<String>,
    pub templates: Vec<Template>,
}

/// A business number.
#[derive(Clone, Debug)]
pub struct Number {
    /// `phone_number_id`.
    pub id: String,
    /// Digits with the country code, without `+`.
    pub phone: String,
    pub verified_name: String,
    /// The account that it belongs to.
    pub account: String,
    /// An unregistered number refuses to send (133010).
    pub registered: bool,
    /// A number that Meta has banned refuses to send (131031).
    pub banned: bool,
    /// Of two-step verification: six digits.
    pub pin: Option<String>,
    /// The business profile: what is set of `about`, `address`, `description`, `email`, `websites`...
    pub profile: BTreeMap<String, Json>,
}

/// A message template.
#[derive(Clone, Debug)]
pub struct Template {
    pub id: String,
    pub name: String,
    pub language: String,
    /// `MARKETING`, `UTILITY` or `AUTHENTICATION`.
    pub category: String,
    /// `APPROVED`, `PAUSED`...
    pub status: String,
    pub body: String,
    /// All of it, as it was created; `None`: only the body.
    pub components: Option<Json>,
    /// `POSITIONAL` or `NAMED`.
    pub parameter_format: String,
}

/// Meta's limits.
#[derive(Clone, Debug)]
pub struct Limits {
    /// One message to the same customer in this time (131056)...
    pub pair_every: Duration,
    /// ...but so many at once, borrowed from the time to come.
    pub pair_burst: u32,
    /// Messages a second of one number, both ways together (130429).
    pub throughput: u32,
    /// Delivered service messages a month of one number that cost nothing (since October 2026).
    pub free_service_messages: u64,
    /// How much of the allowance for sending is used, as the headers say, in percent.
    pub used: u64,
    /// In how many minutes it comes back.
    pub regained_in: u64,
    /// What `Retry-After` says where there is too much throughput, in seconds.
    pub retry_after: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            pair_every: Duration::from_secs(6),
            pair_burst: 45,
            throughput: 80,
            free_service_messages: 1_000,
            used: 1,
            regained_in: 0,
            retry_after: None,
        }
    }
}

/// How long things take.
#[derive(Clone, Debug)]
pub struct Pace {
    /// From a request to its answer.
    pub answer: Span,
    /// From something that happened to the webhook about it.
    pub webhook: Span,
    /// From acceptance to `sent`.
    pub sent: Span,
    /// From `sent` to the customer's phone.
    pub delivered: Span,
    /// From there to the customer's eyes.
    pub read: Span,
    /// From acceptance to `failed`.
    pub failed: Span,
    /// From a new template to Meta's approval.
    pub review: Span,
    /// How long the address of a file is good.
    pub file_address: Duration,
    /// The first retry of a webhook that was not answered 200; each further one waits twice as long...
    pub retry_first: Duration,
    /// ...but no longer than this...
    pub retry_longest: Duration,
    /// ...and after this it is given up (Meta: seven days).
    pub retry_horizon: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            answer: Span::millis(30, 120),
            webhook: Span::millis(20, 150),
            sent: Span::millis(80, 400),
            delivered: Span::millis(150, 900),
            read: Span::millis(400, 4_000),
            failed: Span::millis(300, 1_500),
            review: Span::millis(1_000, 3_000),
            file_address: super::graph::files::ADDRESS,
            retry_first: Duration::from_secs(1),
            retry_longest: Duration::from_secs(3_600),
            retry_horizon: Duration::from_secs(7 * 24 * 3_600),
        }
    }
}

impl Config {
    /// One app, one account and one number of a small shop, no faults. Webhooks go to
    /// `callback_url` once it is set.
    pub fn shop() -> Self {
        Self {
            version: "v26.0".into(),
            base_url: "https://graph.facebook.com".into(),
            tokens: vec!["EAAGsimulated0token".into()],
            apps: vec![App {
                id: "670843887433847".into(),
                secret: "9f2c4e1b7a6d8053c1f0e9d8b7a69584".into(),
                callback_url: None,
                verify_token: "knock-knock".into(),
                fields: [
                    "messages",
                    "message_template_status_update",
                    "account_update",
                    "standby",
                    "messaging_handovers",
                ]
                .map(Into::into)
                .to_vec(),
            }],
            accounts: vec![Account {
                id: "215589313241560883".into(),
                name: "Juniper & Daughters".into(),
                subscribed: vec!["670843887433847".into()],
                templates: vec![
                    Template::utility(
                        "1101",
                        "order_update",
                        "en",
                        "Hello {{1}}, there is news about your order {{2}}.",
                    ),
                    Template::utility("1102", "order_update", "es", "Hola {{1}}, hay novedades sobre tu pedido {{2}}."),
                    Template {
                        category: "MARKETING".into(),
                        ..Template::utility(
                            "1104",
                            "autumn_sale",
                            "en",
                            "Hello {{1}}, all lamps are 20 % off this week.",
                        )
                    },
                    Template::utility(
                        "1103",
                        "conversation_follow_up",
                        "en",
                        "Hello {{1}}, may we go on with your question?",
                    ),
                ],
            }],
            numbers: vec![Number {
                id: "106853218861066".into(),
                phone: "15550783881".into(),
                verified_name: "Juniper & Daughters".into(),
                account: "215589313241560883".into(),
                registered: true,
                banned: false,
                pin: Some("123456".into()),
                profile: BTreeMap::from([("vertical".into(), "UNDEFINED".into())]),
            }],
            limits: Limits::default(),
            pace: Pace::default(),
            faults: Faults::none(),
            alone: false,
            contacts_always: false,
            clock_ahead: 0,
        }
    }

    /// The same, with the first app's webhooks going to `url`.
    #[must_use]
    pub fn calling(mut self, url: impl Into<String>) -> Self {
        if let Some(app) = self.apps.first_mut() {
            app.callback_url = Some(url.into());
        }
        self
    }

    /// The same, with these faults.
    #[must_use]
    pub fn with_faults(self, faults: Faults) -> Self {
        Self { faults, ..self }
    }
}

impl Template {
    fn utility(id: &str, name: &str, language: &str, body: &str) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            language: language.into(),
            category: "UTILITY".into(),
            status: "APPROVED".into(),
            body: body.into(),
            components: None,
            parameter_format: "POSITIONAL".into(),
        }
    }
}

//! WhatsApp's Cloud API as a state machine: requests and time go in, answers and webhooks come out.
//! It does no I/O, and neither time nor chance are its own.

mod announce;
mod config;
mod elsewhere;
mod fate;
mod faults;
mod files;
mod graph;
mod ids;
mod json;
mod ledger;
mod limits;
mod news;
mod person;
mod saying;
mod sent;
mod signature;
mod webhooks;
mod wire;

use std::collections::BTreeMap;

use baton_shared::Micros;
use serde_json::Value as Json;

use self::{fate::Outgoing, files::File, limits::Rates, news::News, saying::Incoming, webhooks::Webhook};

pub use self::{
    config::{Account, App, Config, Limits, Number, Pace, Template},
    faults::{Fault, Faults},
    files::{Attachment, Lies},
    graph::{GraphRequest, Reply},
    ledger::{Attempt, Done, Ledger, Reached, Request, Said, Signed},
    person::{Person, PersonId},
    saying::Saying,
    signature::{HEADER as SIGNATURE_HEADER, sign},
    webhooks::{OutgoingWebhook, WebhookId},
};

/// One simulated WhatsApp.
///
/// Drive it by hand: [`request`](Self::request) answers one Graph API request,
/// [`say`](Self::say) lets a customer write, [`due`](Self::due) hands out the webhooks that are due,
/// [`answered`](Self::answered) takes their outcome, [`next_due`](Self::next_due) says when to come
/// back. The same calls in the same order with the same seed give the same bytes.
#[derive(Debug)]
pub struct Whatsapp {
    config: Config,
    rng: fastrand::Rng,
    people: Vec<Person>,
    incoming: Vec<Incoming>,
    outgoing: Vec<Outgoing>,
    known: BTreeMap<String, Known>,
    files: BTreeMap<String, File>,
    /// Meta's time of a person's last word to a number.
    last_words: BTreeMap<(usize, PersonId), Micros>,
    /// Service messages of a number in a month (counted from 1970).
    service_messages: BTreeMap<(usize, i64), u64>,
    rates: Rates,
    webhooks: Vec<Webhook>,
    batches: BTreeMap<usize, Vec<News>>,
    queue: BTreeMap<(Micros, u64), Happening>,
    queued: u64,
    ledger: Ledger,
    /// Requests for messages that were taken, whole, newest last; see [`Config::alone`].
    sent: Vec<(String, Json)>,
}

/// What a message id belongs to.
#[derive(Clone, Copy, Debug)]
enum Known {
    Incoming,
    Outgoing,
}

/// What happens by itself when its time has come.
#[derive(Debug)]
enum Happening {
    /// A message is on the customer's phone.
    Arrive(usize),
    /// The apps that care are told.
    Tell(News),
    /// What one app was to get together is put into one body.
    Flush(usize),
    /// A body is posted.
    Post(WebhookId),
    /// Meta has looked at a new template.
    Review(String),
}

impl Whatsapp {
    pub fn new(config: Config, rng: fastrand::Rng) -> Self {
        Self {
            config,
            rng,
            people: Vec::new(),
            incoming: Vec::new(),
            outgoing: Vec::new(),
            known: BTreeMap::new(),
            files: BTreeMap::new(),
            last_words: BTreeMap::new(),
            service_messages: BTreeMap::new(),
            rates: Rates::default(),
            webhooks: Vec::new(),
            batches: BTreeMap::new(),
            queue: BTreeMap::new(),
            queued: 0,
            ledger: Ledger::default(),
            sent: Vec::new(),
        }
    }

    pub fn config(&self) -> &Config {
        &self.config
    }

    /// To change faults, pace or a callback while it runs.
    pub fn config_mut(&mut self) -> &mut Config {
        &mut self.config
    }

    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub fn people(&self) -> &[Person] {
        &self.people
    }

    pub fn add_person(&mut self, person: Person) -> PersonId {
        self.people.push(person);
        PersonId(self.people.len() - 1)
    }

    /// Lets everything happen that is due, and hands out the webhooks to post now. Each must be
    /// followed by [`answered`](Self::answered).
    pub fn due(&mut self, now: Micros) -> Vec<OutgoingWebhook> {
        let mut posts = Vec::new();
        while let Some(entry) = self.queue.first_entry().filter(|entry| entry.key().0 <= now) {
            match entry.remove() {
                Happening::Arrive(outgoing) => self.arrive(outgoing, now),
                Happening::Tell(news) => self.tell(news, now),
                Happening::Flush(app) => self.flush(app, now),
                Happening::Post(webhook) => posts.extend(self.post(webhook, now)),
                Happening::Review(template) => drop(self.judge_template(now, &template, "APPROVED")),
            }
        }
        posts
    }

    /// When something is due next; `None`: only a request, a word or an answer can change anything.
    pub fn next_due(&self) -> Option<Micros> {
        self.queue.keys().next().map(|(at, _)| *at)
    }

    fn at(&mut self, moment: Micros, happening: Happening) {
        self.queue.insert((moment, self.queued), happening);
        self.queued += 1;
    }

    /// The time on Meta's clock.
    fn meta_time(&self, now: Micros) -> Micros {
        Micros(now.0.saturating_add(self.config.clock_ahead))
    }
}

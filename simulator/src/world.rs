//! WhatsApp and the people who use it, moved together step by step.

use baton_shared::Micros;

use crate::{
    customers::{Customer, Customers},
    whatsapp::{Config, GraphRequest, OutgoingWebhook, PersonId, Reply, WebhookId, Whatsapp},
};

/// One simulated world. Everything in it follows from its configuration, its seed and the calls
/// made, in their order.
#[derive(Debug)]
pub struct World {
    pub whatsapp: Whatsapp,
    pub customers: Customers,
    /// How much of what reached a phone its owner has taken notice of.
    noticed: usize,
}

impl World {
    /// A world without people.
    pub fn new(config: Config, mut rng: fastrand::Rng) -> Self {
        let customers = Customers::new(rng.fork());
        Self { whatsapp: Whatsapp::new(config, rng), customers, noticed: 0 }
    }

    /// A customer comes in and starts their script now.
    pub fn invite(&mut self, now: Micros, customer: Customer) -> PersonId {
        let person = self.whatsapp.add_person(customer.person.clone());
        self.customers.invite(now, person, customer);
        person
    }

    /// Answers a request to the Graph API.
    pub fn request(&mut self, now: Micros, request: GraphRequest<'_>) -> Reply {
        self.whatsapp.request(now, request)
    }

    /// Lets everything happen that is due, and hands out the webhooks to post now. Each must be
    /// followed by [`answered`](Self::answered).
    pub fn due(&mut self, now: Micros) -> Vec<OutgoingWebhook> {
        let mut posts = Vec::new();
        while self.next_due().is_some_and(|next| next <= now) {
            for (person, saying) in self.customers.due(now) {
                self.whatsapp.say(now, person, saying);
            }
            posts.extend(self.whatsapp.due(now));
            self.notice(now);
        }
        posts
    }

    /// When something is due next.
    pub fn next_due(&self) -> Option<Micros> {
        self.whatsapp.next_due().into_iter().chain(self.customers.next_due()).min()
    }

    /// The outcome of a POST: the status of its answer, or `None` if there was none in time.
    pub fn answered(&mut self, webhook: WebhookId, status: Option<u16>, now: Micros) {
        self.whatsapp.answered(webhook, status, now);
    }

    fn notice(&mut self, now: Micros) {
        let reached = self.whatsapp.ledger().reached();
        for message in &reached[self.noticed..] {
            self.customers.hear(now, message.person, &message.text);
        }
        self.noticed = reached.len();
    }
}

//! News about accounts, numbers and templates: every webhook field but `messages`.

use baton_shared::Micros;
use serde::Serialize;
use serde_json::Value as Json;

use super::{Whatsapp, json};

/// Their keys stand in another order than those of messages, and they have a time.
#[derive(Serialize)]
struct Envelope<'a> {
    entry: [Entry<'a>; 1],
    object: &'static str,
}

#[derive(Serialize)]
struct Entry<'a> {
    id: &'a str,
    /// Seconds since 1970, as a number.
    time: i64,
    changes: [Change<'a>; 1],
}

#[derive(Serialize)]
struct Change<'a> {
    value: &'a Json,
    field: &'a str,
}

impl Whatsapp {
    /// Tells the apps that are subscribed to the account and the field; how many.
    pub fn announce(&mut self, now: Micros, account: &str, field: &str, value: Json) -> usize {
        let listeners = self.listeners(account, field);
        let entry =
            Entry { id: account, time: self.meta_time(now).seconds(), changes: [Change { value: &value, field }] };
        let body = json::webhook(&Envelope { entry: [entry], object: "whatsapp_business_account" });
        for app in &listeners {
            self.sign_and_post(now, *app, &[], body.clone().into());
        }
        listeners.len()
    }
}

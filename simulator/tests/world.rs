//! WhatsApp and its customers together, step by step, with a shop assistant who answers every text.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

use std::{collections::BTreeMap, time::Duration};

use baton_shared::Micros;
use baton_simulator::{
    World,
    customers::{Customer, Hears, shop},
    whatsapp::{Config, Faults, GraphRequest, OutgoingWebhook, Person},
};
use http::Method;
use serde_json::{Value as Json, json};

const START: Micros = Micros::from_seconds(1_795_000_000);

struct Day {
    world: World,
    now: Micros,
    /// Texts of each customer as the shop got them, by user id.
    heard: BTreeMap<String, Vec<String>>,
    bytes: Vec<u8>,
}

impl Day {
    fn new(seed: u64, faults: Faults) -> Self {
        let config = Config::shop().calling("http://127.0.0.1:1/webhook").with_faults(faults);
        let world = World::new(config, fastrand::Rng::with_seed(seed));
        Self { world, now: START, heard: BTreeMap::new(), bytes: Vec::new() }
    }

    /// Time passes; each text is answered with `answer` unless that says nothing.
    fn pass(&mut self, length: Duration, answer: impl Fn(&str) -> Option<&'static str>) {
        let until = self.now.plus(length);
        while let Some(next) = self.world.next_due().filter(|next| *next <= until) {
            self.now = self.now.max(next);
            for webhook in self.world.due(self.now) {
                self.world.answered(webhook.id, Some(200), self.now);
                self.read(&webhook, &answer);
            }
        }
        self.now = until;
    }

    fn read(&mut self, webhook: &OutgoingWebhook, answer: &impl Fn(&str) -> Option<&'static str>) {
        self.bytes.extend_from_slice(&webhook.body);
        let body: Json = serde_json::from_slice(&webhook.body).unwrap();
        let list = |json: &Json, key: &str| json[key].as_array().cloned().unwrap_or_default();
        let changes = list(&body, "entry").into_iter().flat_map(|entry| list(&entry, "changes"));
        for message in changes.flat_map(|change| list(&change["value"], "messages")).collect::<Vec<_>>() {
            let user = message["from_user_id"].as_str().unwrap().to_owned();
            let kind = message["type"].as_str().unwrap();
            // A file says its caption, or nothing.
            let text = &message[kind][if kind == "text" { "body" } else { "caption" }];
            let text = text.as_str().unwrap_or_default().to_owned();
            if let Some(answer) = answer(&text) {
                self.send(&user, answer);
            }
            self.heard.entry(user).or_default().push(text);
        }
    }

    fn send(&mut self, user: &str, text: &str) {
        let body = json!({"messaging_product": "whatsapp", "recipient": user, "text": {"body": text}}).to_string();
        let request = GraphRequest {
            method: &Method::POST,
            path_and_query: "/v26.0/106853218861066/messages",
            authorization: Some("Bearer EAAGsimulated0token"),
            body: body.as_bytes(),
        };
        self.bytes.extend_from_slice(&self.world.request(self.now, request).body);
    }

    fn invite(&mut self, customer: Customer) -> String {
        let user = customer.person.user_id.clone();
        self.world.invite(self.now, customer);
        user
    }
}

fn ana() -> Customer {
    Customer::new(Person::new("Ana", "15550100199", "US.1"), "en")
}

#[test]
fn a_script_runs_from_answer_to_answer() {
    let mut day = Day::new(1, Faults::none());
    let user = day.invite(ana().opens(0, "Are you open?").answers(Hears::Anything, &["And on Sunday?"]));
    day.pass(Duration::from_secs(60), |_| Some("We are open from 9 to 5."));
    assert_eq!(day.heard[&user][..2], ["Are you open?", "And on Sunday?"]);
    assert!(day.heard[&user].len() > 2, "and then they are polite");
}

#[test]
fn nobody_talks_to_the_silent_and_the_polite_come_to_an_end() {
    let mut day = Day::new(1, Faults::none());
    let silent = day.invite(ana().opens(0, "Are you open?"));
    day.pass(Duration::from_secs(3_600), |_| None);
    assert_eq!(day.heard[&silent], ["Are you open?"]);
    day.send("US.1", "Yes, we are.");
    day.pass(Duration::from_secs(3_600), |_| Some("You are welcome."));
    assert!((2..=8).contains(&day.heard[&silent].len()), "{:?}", day.heard);
}

#[test]
fn the_impatient_ask_again_once() {
    let mut day = Day::new(1, Faults::none());
    let user = day.invite(ana().opens(0, "A person, please.").impatient_after(Duration::from_secs(60)));
    day.pass(Duration::from_secs(3_600), |_| None);
    assert_eq!(day.heard[&user], ["A person, please.", "Hello? Is anyone there?"]);
}

#[test]
fn the_whole_cast_speaks_and_an_old_window_is_old() {
    let mut day = Day::new(1, Faults::none());
    let cast = shop::cast();
    let users: Vec<String> = cast.into_iter().map(|customer| day.invite(customer)).collect();
    day.pass(Duration::from_secs(12), |_| None);
    assert!(users.len() >= 12);
    assert!(users.iter().all(|user| day.heard.contains_key(user)), "{:?}", day.heard.keys());
    let diego = "MX.1920774486630152";
    day.send(diego, "Hello Diego.");
    day.send("DE.3047719925506618", "Hallo Frau Schmidt.");
    day.pass(Duration::from_secs(60), |_| None);
    assert_eq!(day.heard[diego].len(), 1, "nothing reaches him outside his window");
    assert_eq!(day.heard["DE.3047719925506618"].len(), 3, "hers is open for a while");
}

#[test]
fn a_seed_replays_a_day_and_another_does_not() {
    let day = |seed| {
        let mut day = Day::new(seed, Faults::rough());
        let mut rng = fastrand::Rng::with_seed(seed);
        let people = [shop::cast(), shop::crowd(30, Duration::from_secs(5), &mut rng)].concat();
        people.into_iter().for_each(|customer| drop(day.invite(customer)));
        day.pass(Duration::from_secs(120), |text| text.contains('?').then_some("Yes, until six. Anything else?"));
        day.bytes
    };
    let first = day(7);
    assert!(first == day(7));
    assert!(first != day(8));
}

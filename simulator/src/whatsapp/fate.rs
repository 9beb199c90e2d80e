//! What becomes of a message that was accepted: on which phone it arrives, and which statuses say so.

use std::time::Duration;

use baton_shared::Micros;
use serde_json::Value as Json;

use super::{
    Happening, PersonId, Reached, Whatsapp,
    news::{About, News},
};
use crate::chance::{Chance, Span};

/// A message that Meta has taken.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) wamid: String,
    pub(crate) number: usize,
    pub(crate) person: Option<PersonId>,
    /// `to` as digits, if it was sent to a phone; otherwise it went to a user id.
    pub(crate) phone: Option<String>,
    pub(crate) kind: String,
    pub(crate) text: String,
    pub(crate) opaque: Option<String>,
    /// What it costs; `None` for what is free without saying so (reactions).
    pub(crate) price: Option<Price>,
    /// The id of the file that it brings.
    pub(crate) file: Option<String>,
    /// Whether that can be sent as what it was sent as.
    pub(crate) file_taken: bool,
    /// The object of an interactive message.
    pub(crate) offer: Option<Json>,
}

/// The pricing block of a message's statuses.
#[derive(Clone, Debug)]
pub(crate) struct Price {
    pub(crate) billable: bool,
    /// `free_customer_service` or `regular`.
    pub(crate) kind: &'static str,
    /// `service`, or a template's.
    pub(crate) category: String,
}

/// A status that will be reported.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StatusNews {
    pub(crate) outgoing: usize,
    pub(crate) state: State,
    /// On Meta's clock.
    pub(crate) timestamp: i64,
    /// Whether this one says the price.
    pub(crate) priced: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Sent,
    Delivered,
    Read,
    Failed(Failure),
}

/// Why a message fails after it was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// 131026: nobody has that number, or it cannot receive.
    Undeliverable,
    /// 131047: free text outside the customer service window.
    WindowClosed,
    /// 131053: the file is not what it was sent as, or too large for that.
    FileNotTaken,
}

/// How often a customer has the chat open, so that `read` comes without `delivered`.
const READ_AT_ONCE: f64 = 0.1;

/// How long Meta lets a business answer with free text.
const WINDOW: Duration = Duration::from_secs(24 * 3_600);

impl Whatsapp {
    /// Decides once what will happen to an accepted message, and when. `hurried`: its statuses are
    /// to overtake the answer to the request.
    pub(super) fn decide_fate(&mut self, now: Micros, outgoing: usize, hurried: bool) {
        if let Some(failure) = self.failure(now, outgoing) {
            let at = now.plus(self.rng.within(self.config.pace.failed));
            return self.report_status(at, outgoing, State::Failed(failure), false, hurried);
        }
        let pace = &self.config.pace;
        let (sent, delivered) =
            if hurried { (Span::millis(1, 20), Span::millis(1, 60)) } else { (pace.sent, pace.delivered) };
        let read = pace.read;
        let sent_at = now.plus(self.rng.within(sent));
        let arrives_at = sent_at.plus(self.rng.within(delivered));
        self.at(arrives_at, Happening::Arrive(outgoing));

        let reads = self.outgoing[outgoing].person.is_some_and(|person| self.people[person.0].read_receipts);
        let at_once = reads && self.rng.happens(READ_AT_ONCE);
        let read_at = if at_once { arrives_at } else { arrives_at.plus(self.rng.within(read)) };
        let mut states = vec![(sent_at, State::Sent, true)];
        if self.outgoing[outgoing].kind != "reaction" {
            if !at_once {
                states.push((arrives_at, State::Delivered, true));
            }
            if reads {
                states.push((read_at, State::Read, at_once));
            }
        }
        if self.rng.happens(self.config.faults.missing_status) {
            states.remove(self.rng.usize(..states.len()));
        }
        for (at, state, priced) in states {
            self.report_status(at, outgoing, state, priced, hurried);
        }
    }

    /// The message is on the customer's phone now.
    pub(super) fn arrive(&mut self, outgoing: usize, now: Micros) {
        let message = &self.outgoing[outgoing];
        let Some(person) = message.person else { return };
        self.ledger.reached.push(Reached {
            at: now,
            person,
            number: self.config.numbers[message.number].id.clone(),
            wamid: message.wamid.clone(),
            kind: message.kind.clone(),
            text: message.text.clone(),
            opaque: message.opaque.clone(),
            file: message.file.clone(),
        });
    }

    fn failure(&self, now: Micros, outgoing: usize) -> Option<Failure> {
        let message = &self.outgoing[outgoing];
        let Some(person) = message.person.filter(|person| self.people[person.0].reachable) else {
            return Some(Failure::Undeliverable);
        };
        let is_free_form = message.kind != "template";
        let last_word = self.last_words.get(&(message.number, person));
        let is_open = last_word.is_some_and(|said| self.meta_time(now) < said.plus(WINDOW));
        if is_free_form && !is_open {
            return Some(Failure::WindowClosed);
        }
        (!message.file_taken).then_some(Failure::FileNotTaken)
    }

    fn report_status(&mut self, at: Micros, outgoing: usize, state: State, priced: bool, hurried: bool) {
        let timestamp = self.meta_time(at).seconds();
        let about = About::Status(StatusNews { outgoing, state, timestamp, priced });
        let number = self.outgoing[outgoing].number;
        self.report(at, News { number, about }, hurried);
    }

    /// What the next message of this kind costs; service messages are free up to a number a month.
    pub(super) fn price(&mut self, now: Micros, number: usize, kind: &str, category: Option<&str>) -> Option<Price> {
        match (kind, category) {
            ("reaction", _) => None,
            (_, Some(category)) => {
                Some(Price { billable: true, kind: "regular", category: category.to_ascii_lowercase() })
            }
            (_, None) => {
                let used = self.service_messages.entry((number, month(now))).or_default();
                *used += 1;
                let free = *used <= self.config.limits.free_service_messages;
                let kind = if free { "free_customer_service" } else { "regular" };
                Some(Price { billable: !free, kind, category: "service".into() })
            }
        }
    }
}

impl State {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed(_) => "failed",
        }
    }
}

impl Failure {
    /// Meta's code, title and details.
    pub(crate) const fn words(self) -> (i64, &'static str, &'static str) {
        match self {
            Self::Undeliverable => (131_026, "Message undeliverable", "Message Undeliverable."),
            Self::WindowClosed => (
                131_047,
                "Re-engagement message",
                "Message failed to send because more than 24 hours have passed since the customer last replied to \
                 this number.",
            ),
            Self::FileNotTaken => (
                131_053,
                "Media upload error",
                "Media file could not be sent: its type or size is not supported for this kind of message.",
            ),
        }
    }
}

/// Months since 1970 in UTC.
fn month(now: Micros) -> i64 {
    let date = jiff::Timestamp::from_second(now.seconds()).unwrap_or_default().to_zoned(jiff::tz::TimeZone::UTC);
    (i64::from(date.year()) - 1970) * 12 + i64::from(date.month()) - 1
}

//! An independent record of everything that happened, to compare with what a server believes.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use baton_shared::Micros;

use super::{Fault, PersonId, WebhookId};

/// Everything signed, asked and delivered, in order.
#[derive(Debug, Default)]
pub struct Ledger {
    pub(super) signed: Vec<Signed>,
    pub(super) requests: Vec<Request>,
    pub(super) reached: Vec<Reached>,
    pub(super) said: Vec<Said>,
}

/// One webhook body.
#[derive(Clone, Debug)]
pub struct Signed {
    pub id: WebhookId,
    /// The app's id.
    pub app: String,
    pub signed_at: Micros,
    /// SHA-256 of the bytes, in hex.
    pub hash: String,
    pub bytes: usize,
    /// The customers' messages inside.
    pub messages: Vec<String>,
    /// The statuses inside: message id and state.
    pub statuses: Vec<(String, &'static str)>,
    /// The same bytes were signed before, for this delivery.
    pub duplicate_of: Option<WebhookId>,
    pub attempts: Vec<Attempt>,
    /// No further attempt will come, though none was answered 200.
    pub given_up: bool,
}

/// One POST of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub posted_at: Micros,
    /// When its outcome was known; `None` while it is under way.
    pub answered_at: Option<Micros>,
    /// `None`: no answer (yet).
    pub status: Option<u16>,
}

/// One request to the Graph API.
#[derive(Clone, Debug)]
pub struct Request {
    pub at: Micros,
    pub method: String,
    /// Without the query, which may hold a token.
    pub path: String,
    /// The sending number's `phone_number_id`, for what is sent.
    pub number: Option<String>,
    /// `to` or `recipient`, as given.
    pub recipient: Option<String>,
    pub text: Option<String>,
    /// The message that it replies to (`context`), or reacts to.
    pub refers_to: Option<String>,
    /// `biz_opaque_callback_data`.
    pub opaque: Option<String>,
    pub done: Done,
    pub fault: Option<Fault>,
    /// The answer's status; `None` if the client got none.
    pub status: Option<u16>,
}

/// What a request led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// A message was taken, whether or not the client heard of it.
    Accepted {
        wamid: String,
    },
    /// A customer's message was marked as read.
    ReadMark {
        wamid: String,
        typing: bool,
    },
    /// Something was looked up or set.
    Answered,
    Refused {
        code: i64,
    },
    /// A fault came first.
    Nothing,
}

/// One message on a customer's phone.
#[derive(Clone, Debug)]
pub struct Reached {
    pub at: Micros,
    pub person: PersonId,
    pub number: String,
    pub wamid: String,
    /// `text`, `template`, `image`...
    pub kind: String,
    pub text: String,
    pub opaque: Option<String>,
    /// The id of the file that it brought; see [`Whatsapp::bytes`](super::Whatsapp::bytes).
    pub file: Option<String>,
}

/// One message of a customer.
#[derive(Clone, Debug)]
pub struct Said {
    pub at: Micros,
    pub person: PersonId,
    pub number: String,
    pub wamid: String,
    pub kind: String,
}

impl Signed {
    /// Whether some attempt was answered 200.
    pub fn is_acked(&self) -> bool {
        self.attempts.iter().any(|attempt| attempt.status == Some(200))
    }
}

impl Ledger {
    pub fn signed(&self) -> &[Signed] {
        &self.signed
    }

    pub fn requests(&self) -> &[Request] {
        &self.requests
    }

    pub fn reached(&self) -> &[Reached] {
        &self.reached
    }

    pub fn said(&self) -> &[Said] {
        &self.said
    }

    /// How many POSTs of webhooks were made.
    pub fn webhooks_posted(&self) -> usize {
        self.signed.iter().map(|signed| signed.attempts.len()).sum()
    }

    /// How many POSTs of webhooks were answered 200.
    pub fn webhooks_acked(&self) -> usize {
        self.answers().filter(|attempt| attempt.status == Some(200)).count()
    }

    /// Ids of customers' messages that were posted at least once.
    pub fn inbound_posted(&self) -> BTreeSet<&str> {
        self.signed.iter().filter(|signed| !signed.attempts.is_empty()).flat_map(Signed::message_ids).collect()
    }

    /// Ids of customers' messages in any body that was answered 200: these must never be lost.
    pub fn inbound_acked(&self) -> BTreeSet<&str> {
        self.signed.iter().filter(|signed| signed.is_acked()).flat_map(Signed::message_ids).collect()
    }

    /// How often a message or a status was posted again after it had been posted once.
    pub fn duplicates_posted(&self) -> usize {
        let mut posted = BTreeMap::<(&str, &str), usize>::new();
        for signed in &self.signed {
            let messages = signed.messages.iter().map(|id| (id.as_str(), ""));
            let statuses = signed.statuses.iter().map(|(id, state)| (id.as_str(), *state));
            for news in messages.chain(statuses) {
                *posted.entry(news).or_default() += signed.attempts.len();
            }
        }
        posted.values().map(|times| times.saturating_sub(1)).sum()
    }

    /// Ids of messages that Meta has taken.
    pub fn accepted(&self) -> impl Iterator<Item = (&Request, &str)> {
        self.requests.iter().filter_map(|request| match &request.done {
            Done::Accepted { wamid } => Some((request, wamid.as_str())),
            _ => None,
        })
    }

    /// Messages that reached the same customer more than once, where `same` names what must arrive
    /// only once: the sender's own message id looked up by `opaque`, or simply the text. `None`
    /// leaves one out. Each group is in order of arrival.
    pub fn doubled<K: Ord>(&self, same: impl Fn(&Reached) -> Option<K>) -> Vec<Vec<&Reached>> {
        let mut groups = BTreeMap::<(PersonId, K), Vec<&Reached>>::new();
        for reached in &self.reached {
            if let Some(key) = same(reached) {
                groups.entry((reached.person, key)).or_default().push(reached);
            }
        }
        groups.into_values().filter(|group| group.len() > 1).collect()
    }

    /// From POST to 200, for every attempt that got there.
    pub fn latencies(&self) -> Vec<Duration> {
        self.answers()
            .filter(|attempt| attempt.status == Some(200))
            .filter_map(|attempt| attempt.answered_at.map(|at| at.since(attempt.posted_at)))
            .collect()
    }

    fn answers(&self) -> impl Iterator<Item = &Attempt> {
        self.signed.iter().flat_map(|signed| &signed.attempts)
    }
}

impl Signed {
    fn message_ids(&self) -> impl Iterator<Item = &str> {
        self.messages.iter().map(String::as_str)
    }
}

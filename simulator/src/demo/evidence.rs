//! Compares what happened outside, by the simulator's ledger and the agents' own records, with what
//! is stored. The server's opinion of itself is not asked.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    time::Duration,
};

use baton_server::{
    domain::outgoing::REQUEST_DEADLINE,
    store::{
        Db, StoreError,
        audit::{self, Attempt, Fact, Message},
        control,
    },
};
use baton_shared::{
    AttemptId, ConversationId, MessageId, Micros,
    message::{Author, Delivery},
    protocol::{Act, Answer},
};

use super::{
    colleague::{Deed, Desk},
    report::{Latencies, Messages, Percentiles, Report, Webhooks},
};
use crate::whatsapp::{Ledger, Request, Signed};

/// The whole store, as it was left.
pub(super) struct Stored {
    messages: HashMap<MessageId, Message>,
    attempts: HashMap<AttemptId, Attempt>,
    facts: Vec<Fact>,
    /// Of the customer's messages, by Meta's id.
    inbound: HashMap<String, MessageId>,
}

/// All that was written down, by whomever.
pub(super) struct Evidence<'a> {
    pub(super) ledger: &'a Ledger,
    pub(super) desks: &'a [Desk],
    pub(super) stored: &'a Stored,
}

impl Stored {
    pub(super) async fn read(db: &Db) -> Result<Self, StoreError> {
        let mut reader = db.snapshot().await?;
        let messages = audit::messages(reader.conn()).await?;
        let attempts = audit::attempts(reader.conn()).await?;
        let facts = audit::facts(reader.conn()).await?;
        let theirs = messages.iter().filter(|message| message.author == Author::Customer);
        let inbound = theirs.filter_map(|message| Some((message.wamid.clone()?, message.id))).collect();
        Ok(Self {
            messages: messages.into_iter().map(|message| (message.id, message)).collect(),
            attempts: attempts.into_iter().map(|attempt| (attempt.id, attempt)).collect(),
            facts,
            inbound,
        })
    }
}

impl Evidence<'_> {
    /// Fills in what follows from the evidence.
    pub(super) fn weigh(&self, report: &mut Report) {
        report.webhooks = Webhooks {
            posted: self.ledger.webhooks_posted(),
            acked: self.ledger.webhooks_acked(),
            duplicates: self.ledger.duplicates_posted(),
        };
        report.messages = self.said();
        report.handoffs = self.count("escalated");
        report.takes = self.count("taken");
        report.hand_backs = self.count("handed_back");
        report.resolves = self.count("resolved");
        report.replies = self.deeds().filter(|deed| is_reply(deed)).count();
        report.takes_over_a_word = self.takes_over_a_word();
        report.refused = self.deeds().filter(|deed| matches!(deed.answer, Answer::Refused { .. })).count();
        report.unknown = self.stored.messages.values().filter(|one| one.delivery == Some(Delivery::Unknown)).count();
        report.bot_started_after_take = self.started_after_control_left().len();
        report.bot_requests_after_deadline = self.requests_after_deadline();
        report.unjournaled = self.unjournaled();
        report.lost = self.lost_messages() + self.lost_acts();
        report.doubled = self.stored_twice() + self.delivered_twice() + self.said_twice();
        report.latency_ms = self.latencies();
    }

    fn count(&self, kind: &str) -> usize {
        self.stored.facts.iter().filter(|fact| fact.kind == kind).count()
    }

    fn deeds(&self) -> impl Iterator<Item = &Deed> {
        self.desks.iter().flat_map(|desk| &desk.deeds)
    }

    /// Requests that carry one of our words, with the attempt that they are.
    fn sends(&self) -> impl Iterator<Item = (&Request, Option<&Attempt>)> {
        let sends = self.ledger.requests().iter().filter(|request| request.opaque.is_some());
        sends.map(|request| {
            let attempt = request.opaque.as_deref().and_then(|opaque| opaque.parse::<AttemptId>().ok());
            (request, attempt.and_then(|id| self.stored.attempts.get(&id)))
        })
    }

    fn message_of(&self, opaque: Option<&str>) -> Option<&Message> {
        let attempt = self.stored.attempts.get(&opaque?.parse().ok()?)?;
        self.stored.messages.get(&attempt.message)
    }

    fn said(&self) -> Messages {
        let customer = self.stored.messages.values().filter(|message| message.author == Author::Customer).count();
        let mut said = Messages { customer, ..Messages::default() };
        for (request, _) in self.ledger.accepted() {
            match self.message_of(request.opaque.as_deref()).map(|message| message.author) {
                Some(Author::Bot) => said.bot += 1,
                Some(Author::System) => said.system += 1,
                Some(Author::Agent) => said.agent += 1,
                Some(Author::Customer | Author::Phone | Author::Note) | None => (),
            }
        }
        said
    }

    /// Takes that cancelled a queued word, or found one on its way.
    fn takes_over_a_word(&self) -> usize {
        let on_its_way = self.deeds().filter(|deed| last_bot_word(deed).is_some()).count();
        let cancelled = self.stored.messages.values().filter(|message| cancelled(message));
        on_its_way + cancelled.count()
    }

    /// Promise 3, twice: by the order of facts, and by what agents were told and Meta was asked.
    fn started_after_control_left(&self) -> BTreeSet<MessageId> {
        let mut late = self.started_by_the_order_of_facts();
        late.extend(self.requested_after_a_take_was_answered());
        late
    }

    /// Words of the bot's or the system's between whose queueing and start control changed.
    fn started_by_the_order_of_facts(&self) -> BTreeSet<MessageId> {
        let mut changed = HashMap::<ConversationId, i64>::new();
        let mut queued = HashMap::<MessageId, i64>::new();
        let mut late = BTreeSet::new();
        for fact in &self.stored.facts {
            match (fact.kind.as_str(), fact.message) {
                ("message_queued", Some(message)) => {
                    queued.insert(message, fact.seq);
                }
                ("message_state", Some(message)) if fact.detail.as_deref() == Some("sending") => {
                    let fenced = self.stored.messages.get(&message).is_some_and(|one| one.author.is_fenced());
                    let since = queued.get(&message).copied().unwrap_or_default();
                    if fenced && changed.get(&fact.conversation).is_some_and(|at| *at > since) {
                        late.insert(message);
                    }
                }
                (kind, None) if control::KINDS.contains(&kind) => {
                    changed.insert(fact.conversation, fact.seq);
                }
                _ => (),
            }
        }
        late
    }

    /// A take's answer names the one word that may still be on its way: any other that was queued
    /// before it and reaches Meta after the answer has started too late.
    fn requested_after_a_take_was_answered(&self) -> BTreeSet<MessageId> {
        let mut takes = HashMap::<ConversationId, Vec<(&Deed, i64)>>::new();
        for deed in self.deeds() {
            if let (Act::Take { .. }, Answer::Done { epoch, .. }) = (&deed.command.act, &deed.answer) {
                takes.entry(deed.command.conversation).or_default().push((deed, epoch.0));
            }
        }
        let words =
            self.sends().filter_map(|(request, attempt)| Some((request, self.stored.messages.get(&attempt?.message)?)));
        let late = words.filter(|(request, word)| {
            word.author.is_fenced()
                && takes.get(&word.conversation).into_iter().flatten().any(|(deed, epoch)| {
                    word.epoch.is_some_and(|queued_under| queued_under.0 < *epoch)
                        && request.at > deed.answered_at
                        && last_bot_word(deed) != Some(word.id)
                })
        });
        late.map(|(_, word)| word.id).collect()
    }

    fn requests_after_deadline(&self) -> usize {
        let fenced =
            |attempt: &Attempt| self.stored.messages.get(&attempt.message).is_some_and(|one| one.author.is_fenced());
        self.sends()
            .filter_map(|(request, attempt)| Some((request, attempt?)))
            .filter(|(request, attempt)| fenced(attempt) && request.at > attempt.started_at.plus(REQUEST_DEADLINE))
            .count()
    }

    fn unjournaled(&self) -> usize {
        self.sends().filter(|(_, attempt)| attempt.is_none()).count()
    }

    /// Messages in any body that was answered 200.
    fn lost_messages(&self) -> usize {
        self.ledger.inbound_acked().iter().filter(|wamid| !self.stored.inbound.contains_key(**wamid)).count()
    }

    /// Acts that were answered as done, and left no trace.
    fn lost_acts(&self) -> usize {
        let changes: HashSet<(ConversationId, &str, i64)> = self
            .stored
            .facts
            .iter()
            .filter_map(|fact| Some((fact.conversation, fact.kind.as_str(), fact.epoch?.0)))
            .collect();
        let kept = |deed: &&Deed| {
            let Answer::Done { epoch, message, .. } = &deed.answer else { return true };
            let changed =
                |kinds: &[&str]| kinds.iter().any(|kind| changes.contains(&(deed.command.conversation, kind, epoch.0)));
            match &deed.command.act {
                // One's own is taken already, also when it was assigned.
                Act::Take { .. } => changed(&["taken", "assigned"]),
                Act::HandBack { .. } => changed(&["handed_back"]),
                Act::Resolve { .. } => changed(&["resolved"]),
                Act::Release { .. } => changed(&["released"]),
                Act::Assign { .. } => changed(&["assigned"]),
                Act::Send { .. }
                | Act::SendWhenTheyWrite { .. }
                | Act::SendParts { .. }
                | Act::SendFile { .. }
                | Act::SendOffer { .. }
                | Act::React { .. }
                | Act::SendTemplate { .. }
                | Act::Note { .. } => message.is_some_and(|id| self.stored.messages.contains_key(&id)),
                Act::Consent { .. }
                | Act::Escalate { .. }
                | Act::Split { .. }
                | Act::Forget {}
                | Act::Thread { .. }
                | Act::Block { .. }
                | Act::Resend { .. }
                | Act::Cancel { .. }
                | Act::UseProposal { .. }
                | Act::DropProposal { .. }
                | Act::Read { .. } => true,
            }
        };
        self.deeds().filter(|deed| !kept(deed)).count()
    }

    /// Messages of customers beyond one for each that was said.
    fn stored_twice(&self) -> usize {
        let said: HashSet<&str> = self.ledger.said().iter().map(|said| said.wamid.as_str()).collect();
        let stored = self.stored.messages.values().filter(|message| message.author == Author::Customer).count();
        stored - self.stored.inbound.keys().filter(|wamid| said.contains(wamid.as_str())).count()
    }

    /// Our words that reached the same phone more than once.
    fn delivered_twice(&self) -> usize {
        self.ledger.doubled(|reached| self.message_of(reached.opaque.as_deref()).map(|message| message.id)).len()
    }

    /// Agents' words that became two messages: no two that they give are alike.
    fn said_twice(&self) -> usize {
        let mut texts = BTreeMap::<&str, usize>::new();
        for message in self.stored.messages.values().filter(|message| message.author == Author::Agent) {
            *texts.entry(&message.text).or_default() += 1;
        }
        texts.values().filter(|times| **times > 1).count()
    }

    fn latencies(&self) -> Latencies {
        let takes = self.deeds().filter(|deed| matches!(deed.command.act, Act::Take { .. }));
        Latencies {
            webhook_to_200: Percentiles::of(self.ledger.latencies()),
            webhook_to_client: Percentiles::of(self.to_screens()),
            take_to_answer: Percentiles::of(takes.filter_map(|deed| deed.took)),
        }
    }

    /// Only screens that were connected when the webhook was posted tell how fast the server is.
    fn to_screens(&self) -> Vec<Duration> {
        let mut posted = HashMap::<&str, Micros>::new();
        for signed in self.ledger.signed() {
            let Some(at) = acked_post(signed) else { continue };
            for wamid in &signed.messages {
                let first = posted.entry(wamid).or_insert(at);
                *first = at.min(*first);
            }
        }
        let first_screen = |(wamid, posted_at): (&str, Micros)| {
            let message = self.stored.inbound.get(wamid)?;
            let sightings = self.desks.iter().filter_map(|desk| desk.picture.seen.get(message));
            let live = sightings.filter(|sighting| sighting.live_since <= posted_at);
            live.map(|sighting| sighting.at.since(posted_at)).min()
        };
        posted.into_iter().filter_map(first_screen).collect()
    }
}

fn acked_post(signed: &Signed) -> Option<Micros> {
    signed.attempts.iter().find(|attempt| attempt.status == Some(200)).map(|attempt| attempt.posted_at)
}

/// A word of the bot's that a change of control took away before it started.
pub(super) fn cancelled(message: &Message) -> bool {
    message.author.is_fenced() && message.delivery == Some(Delivery::Cancelled)
}

pub(super) fn is_reply(deed: &Deed) -> bool {
    matches!((&deed.command.act, &deed.answer), (Act::Send { .. }, Answer::Done { .. }))
}

pub(super) fn last_bot_word(deed: &Deed) -> Option<MessageId> {
    match &deed.answer {
        Answer::Done { last_bot_word, .. } => *last_bot_word,
        Answer::WroteMeanwhile { .. } | Answer::Refused { .. } => None,
    }
}

//! What must be true, judged from what the simulated Meta saw and from what the store committed, in
//! the order of its commits; with rules written here, not those of the server.

use std::collections::{BTreeMap, BTreeSet};

use baton_server::{
    Context,
    store::{
        conversations,
        events::{self, Appended, Position},
        messages::{self, Stored},
        rows,
    },
};
use baton_shared::{
    AttemptId, Control, ConversationId, MessageId, Micros,
    message::{Author, Delivery},
};
use baton_simulator::{
    World,
    whatsapp::{Done, Request},
};

/// A broken promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    pub promise: u8,
    pub how: String,
}

type Held = Result<(), Broken>;

fn broken<T>(promise: u8, how: impl Into<String>) -> Result<T, Broken> {
    Err(Broken { promise, how: how.into() })
}

/// What is known so far.
#[derive(Debug, Default)]
pub struct Truth {
    position: Option<Position>,
    /// All events so far: what every client must have seen.
    pub events: Vec<(String, Option<ConversationId>, Option<MessageId>)>,
    batons: BTreeMap<ConversationId, (i64, String)>,
    /// A person gave it back after the customer's last word; `true`: and the bot had nothing to add.
    given_back: BTreeMap<ConversationId, bool>,
    /// Conversations that went into another one.
    merged: BTreeMap<ConversationId, ConversationId>,
    states: BTreeMap<MessageId, Delivery>,
    started: BTreeMap<MessageId, Micros>,
    requests: usize,
    accepted: BTreeMap<MessageId, usize>,
    acked: usize,
    /// How often each thing happened: a run in which nothing happened proves nothing.
    pub counts: BTreeMap<&'static str, usize>,
}

impl Truth {
    /// Looks at everything that is new.
    ///
    /// # Errors
    /// The promise that is broken.
    pub async fn check(&mut self, context: &Context, world: &std::sync::Mutex<World>) -> Held {
        self.check_events(context).await?;
        self.check_acked(context, world).await?;
        self.check_requests(context, world).await
    }

    pub fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    async fn check_events(&mut self, context: &Context) -> Held {
        loop {
            let mut reader = context.db.reader().await.expect("a reader");
            let position = self.position.unwrap_or(Position::START);
            let page = events::after(reader.conn(), position, 200).await.expect("events");
            let Some(last) = page.last() else { return Ok(()) };
            self.position = Some(last.position());
            for event in page {
                self.check_event(context, &event).await?;
                self.events.push((event.kind, event.conversation, event.message));
            }
        }
    }

    async fn check_event(&mut self, context: &Context, event: &Appended) -> Held {
        let Some(conversation) = event.conversation else { return Ok(()) };
        if let Some(word) = control_after(&event.kind) {
            let epoch = event.epoch.map_or(0, |epoch| epoch.0);
            let before = self.batons.insert(conversation, (epoch, word.to_owned())).map_or(1, |(epoch, _)| epoch);
            if epoch != before + 1 {
                return broken(4, format!("{}: epoch {epoch} after {before}", event.kind));
            }
            self.count(word);
        }
        if event.kind == "merged" {
            self.check_merger(context, conversation, event).await?;
        }
        self.note_giving_back(conversation, event);
        let Some(id) = event.message else { return Ok(()) };
        let mut reader = context.db.reader().await.expect("a reader");
        let Some(message) = messages::by_id(reader.conn(), id).await.expect("a read") else {
            return broken(1, format!("an event about a message that is not there: {id}"));
        };
        if event.kind == "message_state" && event.detail.as_deref() == Some("sending") {
            self.check_start(&message, event)?;
        }
        self.check_state(&message)
    }

    /// Promise 4, when two conversations become one: under an epoch that neither had, it is whose an agent had, else
    /// it waits if one waited, and only then it is the bot's.
    async fn check_merger(&mut self, context: &Context, kept: ConversationId, event: &Appended) -> Held {
        // One that only changes its customer stays whose it is.
        let Some(gone) = event.detail.as_deref().and_then(|gone| gone.parse().ok()) else { return Ok(()) };
        let epoch = event.epoch.map_or(0, |epoch| epoch.0);
        let new = || (1, "bot".to_owned());
        let halves = [kept, gone].map(|half| self.batons.remove(&half).unwrap_or_else(new));
        if halves.iter().any(|(before, _)| epoch <= *before) {
            return broken(4, format!("merged: epoch {epoch} after {halves:?}"));
        }
        let rank = |word: &str| ["resolved", "bot", "phone", "waiting", "agent"].iter().position(|one| *one == word);
        let word = halves.iter().map(|(_, word)| word.clone()).max_by_key(|word| rank(word)).unwrap_or_default();
        let mut reader = context.db.reader().await.expect("a reader");
        let one = conversations::by_id(reader.conn(), kept).await.expect("a read").expect("the conversation");
        if one.epoch.0 == epoch && one.control.word() != word {
            return broken(4, format!("merged: {} of {halves:?}", one.control.word()));
        }
        self.batons.insert(kept, (epoch, word));
        if let Some(settled) = self.given_back.remove(&gone) {
            self.given_back.entry(kept).or_insert(settled);
        }
        self.merged.insert(gone, kept);
        self.count("merged");
        Ok(())
    }

    fn note_giving_back(&mut self, conversation: ConversationId, event: &Appended) {
        match (event.kind.as_str(), event.detail.as_deref()) {
            ("handed_back", _) => drop(self.given_back.insert(conversation, false)),
            ("turn_made", Some("quiet")) => {
                if let Some(settled) = self.given_back.get_mut(&conversation) {
                    *settled = true;
                }
            }
            ("message_in" | "escalated", _) => drop(self.given_back.remove(&conversation)),
            _ => (),
        }
    }

    /// Promise 3: in the order of commits, no word of the bot's starts under another epoch than its own.
    fn check_start(&mut self, message: &Stored, event: &Appended) -> Held {
        self.started.insert(message.id, event.at);
        self.count("sending");
        let (epoch, control) = self.batons.get(&message.conversation).cloned().unwrap_or((1, "bot".into()));
        let fenced = matches!(message.author, Author::Bot | Author::System);
        if fenced && message.epoch.is_none_or(|said_under| said_under.0 != epoch) {
            return broken(
                3,
                format!("{:?} started under epoch {epoch}: queued under {:?}", message.author, message.epoch),
            );
        }
        if message.author == Author::Bot && control != "bot" {
            return broken(3, format!("a bot's word started while control was {control}"));
        }
        Ok(())
    }

    /// Promise 7: what is seen of a message only moves forward.
    fn check_state(&mut self, message: &Stored) -> Held {
        let Some(now) = message.delivery else { return Ok(()) };
        let before = self.states.insert(message.id, now);
        if let Some(before) = before
            && before != now
            && !may_follow(before, now)
        {
            return broken(7, format!("{:?} became {now:?} after {before:?}", message.author));
        }
        Ok(())
    }

    /// Promises 1 and 2: what Meta was answered 200 is there, once.
    async fn check_acked(&mut self, context: &Context, world: &std::sync::Mutex<World>) -> Held {
        let acked: BTreeSet<String> = {
            let world = world.lock().expect("the world");
            world.whatsapp.ledger().inbound_acked().into_iter().map(str::to_owned).collect()
        };
        if acked.len() == self.acked {
            return Ok(());
        }
        self.acked = acked.len();
        let mut reader = context.db.reader().await.expect("a reader");
        let stored = messages::by_wamids(reader.conn(), acked.iter().map(String::as_str)).await.expect("a read");
        let distinct: BTreeSet<&str> = stored.iter().map(|(wamid, _, _)| wamid.as_str()).collect();
        if distinct.len() < acked.len() {
            return broken(1, format!("{} of {} acked messages are stored", distinct.len(), acked.len()));
        }
        let said = world.lock().expect("the world").whatsapp.ledger().said().len();
        let arrived = self.events.iter().filter(|(kind, ..)| kind == "message_in").count();
        if stored.len() > distinct.len() || arrived > said {
            return broken(2, format!("{arrived} messages arrived of {said} that were said"));
        }
        Ok(())
    }

    async fn check_requests(&mut self, context: &Context, world: &std::sync::Mutex<World>) -> Held {
        let new: Vec<Request> = {
            let world = world.lock().expect("the world");
            world.whatsapp.ledger().requests()[self.requests..].to_vec()
        };
        self.requests += new.len();
        for request in new.iter().filter(|request| request.text.is_some()) {
            self.check_request(context, world, request).await?;
        }
        Ok(())
    }

    async fn check_request(&mut self, context: &Context, world: &std::sync::Mutex<World>, request: &Request) -> Held {
        self.count("requests");
        let attempt: Option<AttemptId> = request.opaque.as_deref().and_then(|opaque| opaque.parse().ok());
        let Some(attempt) = attempt else { return broken(5, "a send without an attempt") };
        let mut reader = context.db.reader().await.expect("a reader");
        let found = messages::by_attempts(reader.conn(), &[attempt]).await.expect("a read");
        let Some((_, message, _)) = found.first() else { return broken(5, "an attempt of no message") };
        if let Done::Accepted { .. } = &request.done {
            self.count("accepted");
            let times = self.accepted.entry(*message).or_default();
            *times += 1;
            if *times > 1 {
                return broken(5, format!("message {message} was accepted {times} times"));
            }
        }
        let started = self.started.get(message).copied().unwrap_or(request.at);
        if request.at.since(started).as_secs() > 10 {
            return broken(3, format!("a request {:?} after its `sending`", request.at.since(started)));
        }
        if !window_was_open(world, request) {
            return broken(6, "free text outside the window");
        }
        Ok(())
    }

    /// Promise 13, between steps: while the customer has the last word, somebody owes an answer.
    pub async fn check_nobody_is_forgotten(&mut self, context: &Context) -> Held {
        let at = context.moment();
        let mut reader = context.db.snapshot().await.expect("a reader");
        for seen in rows::queue(reader.conn(), 1_000, at).await.expect("a read") {
            let id = seen.row.conversation;
            if seen.row.control != Control::Bot {
                continue;
            }
            let thread = conversations::by_id(reader.conn(), id).await.expect("a read").expect("the conversation");
            let said = messages::said(reader.conn(), id, 100).await.expect("a read");
            let last = said.iter().filter(|one| counts(one)).max_by_key(|one| one.arrived_at);
            let theirs = last.is_some_and(|one| one.author == Author::Customer);
            if theirs && thread.due_at.is_none() && !self.is_resolved_since(id) {
                return broken(13, format!("the customer of {id} has the last word, and nothing is due"));
            }
        }
        Ok(())
    }
}

impl Truth {
    /// Whether a person has said, after the customer's last word, that no answer is owed.
    fn is_resolved_since(&self, id: ConversationId) -> bool {
        if self.given_back.get(&id) == Some(&true) {
            return true;
        }
        let in_it = |one: ConversationId| std::iter::successors(Some(one), |one| self.merged.get(one).copied());
        let of = self.events.iter().rev().filter(|(_, of, _)| of.is_some_and(|of| in_it(of).any(|one| one == id)));
        let decisive = of.map(|(kind, ..)| kind.as_str()).find(|kind| ["resolved", "message_in"].contains(kind));
        decisive == Some("resolved")
    }
}

/// Whether it is a word that stands: what was cancelled or failed never reached anybody.
fn counts(message: &Stored) -> bool {
    match message.delivery {
        None => message.author == Author::Customer,
        Some(Delivery::Cancelled | Delivery::Failed | Delivery::Held) => false,
        Some(_) => message.author != Author::System,
    }
}

/// Whether the customer had said something within the day, by Meta's own book.
fn window_was_open(world: &std::sync::Mutex<World>, request: &Request) -> bool {
    let world = world.lock().expect("the world");
    let recipient = request.recipient.as_deref().unwrap_or_default().trim_start_matches('+');
    let people = world.whatsapp.people();
    let said = world.whatsapp.ledger().said().iter().filter(|said| {
        people.get(said.person.0).is_some_and(|person| person.phone == recipient || person.user_id == recipient)
    });
    said.map(|said| said.at).max().is_some_and(|last| request.at.since(last).as_secs() < 24 * 3600)
}

const fn may_follow(before: Delivery, now: Delivery) -> bool {
    use Delivery::{Accepted, Cancelled, Delivered, Failed, Held, Played, Queued, Read, Sending, Sent, Unknown};
    match before {
        Queued => !matches!(now, Unknown),
        Sending => !matches!(now, Cancelled),
        Unknown => !matches!(now, Queued | Sending | Held | Cancelled),
        Held => matches!(now, Queued | Sending | Cancelled | Accepted | Sent | Delivered | Read | Failed),
        Cancelled => matches!(now, Sent | Delivered | Read | Played),
        Accepted => matches!(now, Sent | Delivered | Read | Played | Failed),
        Sent => matches!(now, Delivered | Read | Played | Failed),
        Delivered => matches!(now, Read | Played),
        Read => matches!(now, Played),
        Played | Failed => false,
    }
}

fn control_after(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "escalated" | "released" => "waiting",
        "taken" | "assigned" => "agent",
        "handed_back" => "bot",
        "resolved" => "resolved",
        "reopened" => "bot",
        "phone_replied" => "phone",
        _ => return None,
    })
}

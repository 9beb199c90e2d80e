//! The brain at work: a due turn is leased, its context read, an answer decided outside any
//! transaction, and committed only if nothing has moved meanwhile.

use std::{sync::Arc, time::Duration};

use baton_shared::{
    Control, ConversationId, Ids, Micros, TurnId,
    content::{Detail, Source},
    message::Author,
};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::{
    brains::Brains,
    decide::{Decision, Handoff, Reply, Suggestion, decide, switched_off},
    memory::facts::Proposed,
    reading::{Read, read_context},
    wallet::Wallet,
};
use crate::{
    Context,
    config::Playbook,
    domain::{
        control::{Step, Who},
        turn::{self, Moved, Verdict},
    },
    speech::Speaker,
    store::{
        Moment, StoreError, Tx, Urgency,
        channels::{self, Channel},
        control::{self, Because},
        conversations::{self, Conversation},
        events::{self, Event},
        memory::{self, Fact},
        messages::Stored,
        outbox,
        proposals::{self, Proposal},
        spending::{self, Payer},
        turns::{self, Outcome, Turn},
        wakes::Topic,
    },
};

/// Turns that are made at once.
const AT_ONCE: usize = 24;
/// A wake-up can be lost with the process that sent it: looked at least this often.
const POLL: Duration = Duration::from_millis(500);
/// How often a turn looks whether a file can be had by now.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// What a lease lasts longer than the slowest decision.
const SLACK: Duration = Duration::from_secs(20);

/// Makes turns until `stop`; those that are begun are finished.
pub async fn run(context: Context, brains: Arc<Brains>, stop: CancellationToken) {
    let mut bell = context.db.wakes().listen(Topic::Turns);
    // Tasks of their own: one that waits for a connection while nobody polls it would hold it
    // against the look that waits here.
    let mut under_way = JoinSet::new();
    while !stop.is_cancelled() {
        bell.mark_unchanged();
        let wait = match look(&context, AT_ONCE.saturating_sub(under_way.len())).await {
            Ok((due, wait)) => {
                for id in due {
                    under_way.spawn(make_turn(context.clone(), brains.clone(), id));
                }
                wait
            }
            Err(error) => {
                log(&error);
                POLL
            }
        };
        tokio::select! {
            () = stop.cancelled() => (),
            Some(done) = under_way.join_next() => ended(done),
            _ = bell.changed() => (),
            () = tokio::time::sleep(wait) => (),
        }
    }
    while let Some(done) = under_way.join_next().await {
        ended(done);
    }
}

fn ended(done: Result<Result<Option<Outcome>, StoreError>, JoinError>) {
    match done {
        Ok(Ok(_)) => (),
        Ok(Err(error)) => log(&error),
        Err(error) => tracing::error!(%error, "a turn broke off; it is due again when its lease is over"),
    }
}

fn log(error: &StoreError) {
    tracing::error!(error = error as &dyn std::error::Error, "the bot cannot use the store; it goes on trying");
}

/// Conversations whose turn is due, at most `free`, and how long until the next one is.
///
/// # Errors
/// If the store fails.
pub async fn look(context: &Context, free: usize) -> Result<(Vec<ConversationId>, Duration), StoreError> {
    let time = context.db.time();
    let mut reader = context.db.reader().await?;
    let due = match i64::try_from(free) {
        Ok(free) if free > 0 => turns::due(reader.conn(), time, free).await?,
        _ => Vec::new(),
    };
    let next = turns::next_due(reader.conn(), time).await?;
    Ok((due, next.map_or(POLL, |next| next.since(time).min(POLL))))
}

/// One turn from lease to commit; `None` if somebody else has it or it is not due any more.
///
/// # Errors
/// If the store fails; the turn is due again when its lease is over.
pub async fn make_turn(
    context: Context,
    brains: Arc<Brains>,
    id: ConversationId,
) -> Result<Option<Outcome>, StoreError> {
    let Some((leased, channel)) = lease(&context, &brains, id).await? else { return Ok(None) };
    let began = context.clock.now();
    let brain = brains.get(context.settings.book_number(&channel.phone_number_id));
    let Read { turn, bot_on, too_early } = read_context(&context, &leased, &channel).await?;
    if too_early && bot_on {
        return postpone(&context, leased).await.map(|()| None);
    }
    let wallet = Wallet::new(&context, payer(&leased), brain.playbook().budget);
    let decision = if bot_on { decide(brain, &turn, &wallet).await } else { switched_off(&turn) };
    let made = Made { leased, channel, decision, bot_on, began, is_long: turn.is_long };
    commit(&context, brain.playbook(), made).await.map(Some)
}

/// A turn that was made, and what it was made from.
#[derive(Clone, Debug)]
struct Made {
    leased: Conversation,
    channel: Channel,
    decision: Decision,
    bot_on: bool,
    began: Micros,
    is_long: bool,
}

const fn payer(thread: &Conversation) -> Payer {
    Payer { channel: thread.channel, conversation: thread.id, customer: thread.customer }
}

/// Takes the turn, and lets the customer see that somebody is at it.
async fn lease(
    context: &Context,
    brains: &Brains,
    id: ConversationId,
) -> Result<Option<(Conversation, Channel)>, StoreError> {
    let at = context.moment();
    let until = at.time_in(brains.longest() + SLACK);
    let settings = context.settings.clone();
    let job = context.db.write(Urgency::First, move |tx| {
        let settings = settings.clone();
        Box::pin(async move {
            let Some(mut thread) = turns::lease(tx, id, at.time, until).await? else { return Ok(None) };
            let Some(channel) = channels::by_id(tx.conn(), thread.channel).await? else {
                return Err(StoreError::Corrupt("a conversation's channel is gone"));
            };
            if settings.book_of(&channel.phone_number_id).may_speak && channel.bot_on && channel.sending_on {
                outbox::show_typing(tx, &mut thread).await?;
            }
            Ok(Some((thread, channel)))
        })
    });
    job.await
}

/// A file that was just sent is being put in words: whoever does it lets the turn be due at once.
async fn postpone(context: &Context, leased: Conversation) -> Result<(), StoreError> {
    let time = context.db.time();
    let job = context.db.write(Urgency::First, move |tx| {
        Box::pin(async move {
            let thread = conversations::lock(tx, leased.id).await?.filter(|thread| thread.lease == leased.lease);
            let Some(mut thread) = thread else { return Ok(()) };
            thread.due_at = thread.due_at.map(|due| due.max(time.plus(LOOK_AGAIN)));
            thread.lease_until = Micros::ZERO;
            conversations::save(tx, &thread).await
        })
    });
    job.await
}

async fn commit(context: &Context, playbook: &Playbook, made: Made) -> Result<Outcome, StoreError> {
    let (at, pause, outer) = (context.moment(), playbook.burst, context.clone());
    let job = context.db.write(Urgency::First, move |tx| {
        let (context, made) = (outer.clone(), made.clone());
        Box::pin(async move {
            let Some(mut thread) = conversations::lock(tx, made.leased.id).await? else {
                return Err(StoreError::Corrupt("a conversation is gone"));
            };
            let moved = Moved {
                epoch: thread.epoch != made.leased.epoch,
                lease: thread.lease != made.leased.lease,
                newest: thread.newest != made.leased.newest,
            };
            let again = u8::try_from(thread.begun_again).unwrap_or(u8::MAX);
            let verdict = turn::settle(moved, again);
            let id: TurnId = context.ids.next(at.now);
            let speaker = Speaker { context: &context, channel: &made.channel, at };
            let (thread_, ids) = (&mut thread, &*context.ids);
            let mut committing = Committing { tx, thread: thread_, made: &made, speaker, at, ids, id, pause };
            let (outcome, why) = committing.settle(verdict, moved).await?;
            committing.note(outcome, why).await?;
            if outcome != Outcome::Dropped || verdict == Verdict::BeginAgain {
                thread.updated_at = at.now;
                conversations::save(tx, &thread).await?;
            }
            Ok(outcome)
        })
    });
    job.await
}

/// The transaction that commits a turn.
struct Committing<'a> {
    tx: &'a mut Tx,
    thread: &'a mut Conversation,
    made: &'a Made,
    speaker: Speaker<'a>,
    at: Moment,
    ids: &'a Ids,
    id: TurnId,
    pause: turn::Pause,
}

impl Committing<'_> {
    async fn settle(&mut self, verdict: Verdict, moved: Moved) -> Result<(Outcome, Option<String>), StoreError> {
        match verdict {
            Verdict::Drop => Ok((Outcome::Dropped, Some("leased_by_another".into()))),
            Verdict::BeginAgain => {
                self.thread.begun_again += 1;
                self.thread.lease_until = Micros::ZERO;
                let first = self.thread.due_since.unwrap_or(self.at.time);
                self.thread.due_at = Some(turn::due(first, self.at.time, self.pause));
                self.tx.wake(Topic::Turns);
                Ok((Outcome::Dropped, Some("customer_wrote".into())))
            }
            Verdict::Propose => self.propose().await,
            Verdict::Commit => self.go(moved).await,
        }
    }

    /// Control has moved: what the bot would have said is there for whoever has the baton now.
    async fn propose(&mut self) -> Result<(Outcome, Option<String>), StoreError> {
        let suggestion = match &self.made.decision {
            Decision::Reply(reply) => Some(Suggestion { text: reply.text.clone(), confidence: reply.confidence }),
            Decision::Handoff(handoff) => handoff.suggestion.clone(),
            Decision::Quiet { .. } => None,
        };
        match suggestion.filter(|_| needs_person(self.thread)) {
            Some(suggestion) => {
                self.suggest(&suggestion, "moved").await?;
                Ok((Outcome::Proposed, Some("control_moved".into())))
            }
            None => Ok((Outcome::Dropped, Some("control_moved".into()))),
        }
    }

    async fn go(&mut self, moved: Moved) -> Result<(Outcome, Option<String>), StoreError> {
        self.thread.forget_turn();
        let outcome = match &self.made.decision {
            Decision::Reply(reply) => self.reply(reply).await?,
            Decision::Handoff(handoff) => self.hand_off(handoff).await?,
            Decision::Quiet { rule, .. } => {
                self.thread.unanswered_since = None;
                (Outcome::Quiet, Some((*rule).to_owned()))
            }
        };
        if moved.newest && self.thread.control == Control::Bot {
            // What the customer wrote meanwhile is the next turn.
            self.thread.unanswered_since = Some(self.made.began);
            self.thread.due_since = Some(self.at.time);
            self.thread.due_at = Some(self.at.time);
            self.tx.wake(Topic::Turns);
        }
        Ok(outcome)
    }

    async fn reply(&mut self, reply: &Reply) -> Result<(Outcome, Option<String>), StoreError> {
        self.thread.unresolved = if reply.resolved { 0 } else { self.thread.unresolved + 1 };
        if let Some(language) = reply.language {
            self.thread.language = Some(language.code().to_owned());
        }
        self.thread.unread = 0;
        self.remember(&reply.remember).await?;
        self.say(&reply.text, &reply.sources).await?;
        Ok((Outcome::Sent, None))
    }

    async fn hand_off(&mut self, handoff: &Handoff) -> Result<(Outcome, Option<String>), StoreError> {
        let reason = handoff.reason.word();
        let because = Because { summary: handoff.summary.clone(), ..Because::reason(reason) };
        if let Some(language) = handoff.language {
            self.thread.language = Some(language.code().to_owned());
        }
        let (step, before) = (Step::Escalate, self.thread.control);
        let passed = match control::pass(self.tx, self.thread, step, Who::Bot, &because, self.at, self.ids).await? {
            Ok(passed) => passed,
            Err(refused) => {
                tracing::error!(conversation = %self.thread.id, %refused, "the bot could not call a person");
                return Ok((Outcome::Dropped, Some("refused".into())));
            }
        };
        // Carries the epoch after the change: a take cancels it while it is unsent.
        if handoff.announced && self.made.bot_on {
            self.speaker.after_step(self.tx, self.thread, step, before, &passed).await?;
        } else {
            self.speaker.leave_untold(self.tx, &passed).await?;
        }
        if let Some(suggestion) = &handoff.suggestion {
            self.suggest(suggestion, "not_sure").await?;
        }
        Ok((Outcome::HandedOff, Some(reason.to_owned())))
    }

    /// What it rests on stands with its last part.
    async fn say(&mut self, text: &str, sources: &[Source]) -> Result<(), StoreError> {
        let (thread, at) = (&*self.thread, self.at);
        let mut parts: Vec<Stored> = baton_shared::split::split(text, baton_shared::protocol::TEXT_LIMIT)
            .into_iter()
            .map(|part| {
                let id = self.ids.next(at.now);
                let part = part.to_owned();
                let (author, epoch) = (Author::Bot, thread.epoch);
                let stored = Stored::queued(id, thread.id, thread.channel, author, part, epoch, at.now, at.time);
                Stored { turn: Some(self.id), ..stored }
            })
            .collect();
        if let Some(last) = parts.last_mut().filter(|_| !sources.is_empty()) {
            let detail = Detail { sources: sources.to_vec(), ..Detail::default() };
            last.detail = serde_json::to_string(&detail).ok();
        }
        outbox::queue(self.tx, self.thread, parts, at).await
    }

    /// What the customer said of themselves in the newest message of this turn.
    async fn remember(&mut self, facts: &[Proposed]) -> Result<(), StoreError> {
        let Some(customer) = self.thread.customer.filter(|_| !facts.is_empty()) else { return Ok(()) };
        let message = self.made.leased.newest;
        let fact = |one: &Proposed| Fact {
            key: one.key.clone(),
            value: one.value.clone(),
            message,
            learnt_at: self.made.began,
        };
        memory::learn(self.tx, customer, &facts.iter().map(fact).collect::<Vec<_>>()).await?;
        let event = Event::new(memory::LEARNT, self.at.now).of(self.thread.id).under(self.thread.epoch);
        events::append(self.tx, event).await
    }

    async fn suggest(&mut self, suggestion: &Suggestion, origin: &str) -> Result<(), StoreError> {
        let proposal = Proposal {
            id: self.ids.next(self.at.now),
            conversation: self.thread.id,
            text: suggestion.text.clone(),
            origin: origin.into(),
            confidence: Some(hundredths(suggestion.confidence)),
            made_at: self.at.now,
            decided_at: None,
        };
        proposals::insert(self.tx, &proposal).await
    }

    /// Also what was dropped has cost something.
    async fn note(&mut self, outcome: Outcome, why: Option<String>) -> Result<(), StoreError> {
        let cost = self.made.decision.cost();
        let (intent, confidence) = match &self.made.decision {
            Decision::Reply(reply) => (reply.intent.clone(), Some(hundredths(reply.confidence))),
            Decision::Handoff(handoff) => (handoff.intent.clone(), None),
            Decision::Quiet { .. } => (None, None),
        };
        let turn = Turn {
            id: self.id,
            conversation: self.thread.id,
            began_at: self.made.began,
            ended_at: self.at.now,
            outcome,
            why,
            intent,
            confidence,
            model: cost.model,
            tokens_in: i64::from(cost.usage.input_tokens),
            tokens_out: i64::from(cost.usage.output_tokens),
        };
        turns::insert(self.tx, &turn).await?;
        spending::settle(self.tx, &payer(self.thread), Some(turn.id), turn.intent.as_deref(), &cost.calls, self.ids)
            .await?;
        if self.made.is_long {
            memory::ask(self.tx, self.thread.id, self.at.time).await?;
        }
        let event = Event::new("turn_made", self.at.now).of(self.thread.id).under(self.thread.epoch);
        events::append(self.tx, event.because(outcome.word())).await
    }
}

const fn needs_person(thread: &Conversation) -> bool {
    matches!(thread.control, Control::Waiting { .. } | Control::Agent { .. })
}

fn hundredths(share: f32) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "clamped to 0..=100")]
    let hundredths = (share.clamp(0.0, 1.0) * 100.0).round() as i64;
    hundredths
}

//! One channel's outbox: look into the store for what may go, then carry each.

use std::{
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use baton_shared::{AttemptId, Micros, message::Delivery};

use tokio::sync::Semaphore;

use super::{
    metas_clock::{Heard, MetasClock},
    porter::Porter,
    rates::{Rates, TooFast},
};
use crate::{
    Context,
    domain::outgoing::Outcome,
    store::{
        StoreError, Urgency,
        channels::{self, Channel},
        errands::{self, Errand, Kind},
        media::Media,
        messages,
        outbox::{self, Candidate, Due, ReadMark, Report, Sending, Started},
        standings,
    },
    whatsapp::{
        graph::{Accepted, CallError, Graph, Outgoing, Recipient},
        limits::{Pair, Throughput},
        outgoing,
    },
};

/// How long the right to drive a channel lasts unrenewed.
const LEASE: Duration = Duration::from_secs(15);
const RENEW_AFTER: Duration = Duration::from_secs(4);
/// How long to wait for an answer about a read mark, or about the time.
const SHORT_DEADLINE: Duration = Duration::from_secs(5);
/// Messages of one channel that are on their way at once.
const SENDS_IN_FLIGHT: usize = 64;
/// Read marks beside them, so that many of them hold up no message.
const MARKS_IN_FLIGHT: usize = 16;
/// Messages looked at together; more than may be in flight, for some will be too fast.
const PAGE: i64 = 128;
/// How much longer than its deadline a request is given before it counts as abandoned: its own
/// sender may be about to store the outcome.
const BENEFIT_OF_DOUBT: Duration = Duration::from_secs(1);

/// Drives one channel while it holds the lease.
#[derive(Debug)]
pub struct Courier {
    with: With,
    lease: Option<Lease>,
    sends: Arc<Semaphore>,
    marks: Arc<Semaphore>,
}

/// What every job needs.
#[derive(Clone, Debug)]
struct With {
    context: Context,
    channel: Arc<Channel>,
    graph: Graph,
    clock: Arc<MetasClock>,
    porter: Arc<Porter>,
}

#[derive(Debug)]
struct Lease {
    number: i64,
    renew_at: Micros,
    rates: Arc<Mutex<Rates>>,
}

impl Lease {
    fn rates(&self) -> MutexGuard<'_, Rates> {
        lock(&self.rates)
    }
}

fn lock(rates: &Mutex<Rates>) -> MutexGuard<'_, Rates> {
    rates.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What there is to do now.
#[derive(Debug)]
pub struct Look {
    pub jobs: Vec<Job>,
    /// Nothing else is due before that.
    pub again_in: Duration,
}

/// One thing to carry.
#[derive(Clone, Debug)]
pub enum Job {
    Send(Candidate),
    Mark(ReadMark),
    /// Found `sending` after its deadline.
    Abandoned(Candidate),
    /// `unknown` for as long as anybody waits.
    Unsettled(Candidate),
    /// Waited for the customer, who has written.
    Answered(Candidate),
    /// What time it is at Meta's.
    Clock,
    /// Meta is asked for something on behalf of a person.
    Errand(Errand),
}

const IDLE: Duration = Duration::from_secs(1);
/// Two minutes: until then a store that is away is waited for.
const SETTLE_TRIES: u32 = 240;

impl Courier {
    pub fn new(context: Context, channel: Channel, graph: Graph) -> Self {
        let clock = Arc::new(MetasClock::of(&channel));
        Self {
            with: With { context, channel: Arc::new(channel), graph, clock, porter: Arc::default() },
            lease: None,
            sends: Arc::new(Semaphore::new(SENDS_IN_FLIGHT)),
            marks: Arc::new(Semaphore::new(MARKS_IN_FLIGHT)),
        }
    }

    /// What may go now, as much as may be in flight. Nothing while another server drives this channel.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn look(&mut self) -> Result<Look, StoreError> {
        let With { context, channel, .. } = &self.with;
        let (channel, at) = (channel.id, context.moment());
        let time = at.time;
        let Some(rates) = self.hold_lease(time).await? else {
            return Ok(Look { jobs: Vec::new(), again_in: IDLE });
        };
        let (sends, marks) = (self.sends.available_permits(), self.marks.available_permits());
        let mut reader = self.with.context.db.reader().await?;
        let abandoned = outbox::overdue(reader.conn(), time.minus(BENEFIT_OF_DOUBT), PAGE).await?;
        let unsettled = outbox::unsettled(reader.conn(), time, PAGE).await?;
        let answered = outbox::answered(reader.conn(), channel, at.now, PAGE).await?;
        let marks = match i64::try_from(marks) {
            Ok(room @ 1..) => outbox::read_marks(reader.conn(), channel, room).await?,
            _ => Vec::new(),
        };
        let due = if sends == 0 { Vec::new() } else { outbox::due(reader.conn(), channel, time, PAGE).await? };
        let next = outbox::next_due(reader.conn(), channel, time).await?;
        let errands = errands::waits(reader.conn(), channel, time).await?;
        drop(reader);
        let mut look = Look { jobs: Vec::new(), again_in: next.map_or(IDLE, |next| next.since(time)) };
        look.jobs.extend(abandoned.into_iter().map(Job::Abandoned));
        look.jobs.extend(unsettled.into_iter().map(Job::Unsettled));
        look.jobs.extend(answered.into_iter().map(Job::Answered));
        look.jobs.extend(self.with.clock.ask(time).then_some(Job::Clock));
        if errands {
            let at = self.with.context.moment();
            let job = self.with.context.db.write(Urgency::First, move |tx| Box::pin(errands::take(tx, channel, at)));
            look.jobs.extend(job.await?.into_iter().map(Job::Errand));
        }
        for mark in marks {
            self.take_mark(mark.clone()).await?;
            look.jobs.push(Job::Mark(mark));
        }
        self.choose(due, sends, &rates, time, &mut look).await?;
        Ok(look)
    }

    /// At most `room` of those that are due, as the rates allow.
    async fn choose(
        &self,
        mut due: Vec<Due>,
        room: usize,
        rates: &Mutex<Rates>,
        time: Micros,
        look: &mut Look,
    ) -> Result<(), StoreError> {
        let mut chosen = 0;
        {
            // Whoever has much to say lets the others speak.
            let rates = lock(rates);
            due.sort_by_key(|one| (one.turn, rates.had(one.candidate.conversation, time)));
        }
        for Due { candidate, .. } in due {
            if chosen == room {
                break;
            }
            let taken = lock(rates).take(candidate.conversation, time);
            match taken {
                Ok(()) => {
                    look.jobs.push(Job::Send(candidate));
                    chosen += 1;
                }
                Err(TooFast::Number(until)) => {
                    look.again_in = look.again_in.min(until.since(time));
                    break;
                }
                Err(TooFast::Pair(until)) => {
                    look.again_in = look.again_in.min(until.since(time));
                    self.postpone(candidate, until).await?;
                }
            }
        }
        Ok(())
    }

    /// Does one job to its end. Independent of the courier, so that many go side by side.
    pub fn carry(&self, job: Job) -> impl Future<Output = Result<(), StoreError>> + Send + use<> {
        let with = self.with.clone();
        let rates = self.lease.as_ref().map(|lease| lease.rates.clone());
        let in_flight = match &job {
            Job::Send(_) => self.sends.clone().try_acquire_owned().ok(),
            Job::Mark(_) => self.marks.clone().try_acquire_owned().ok(),
            Job::Abandoned(_) | Job::Unsettled(_) | Job::Answered(_) | Job::Clock | Job::Errand(_) => None,
        };
        async move {
            let in_flight = in_flight;
            match job {
                Job::Send(candidate) => {
                    let sent = send(&with, candidate, rates.as_deref()).await;
                    if let (Ok(Sent::Not | Sent::Bring(_)) | Err(_), Some(rates)) = (&sent, rates) {
                        lock(&rates).give_back(candidate.conversation);
                    }
                    match sent? {
                        // A file may take minutes: meanwhile others may be sent.
                        Sent::Bring(file) => {
                            drop(in_flight);
                            with.porter.bring(&with.context, &with.channel, &with.graph, candidate, &file).await
                        }
                        Sent::Started | Sent::Not => Ok(()),
                    }
                }
                Job::Mark(mark) => {
                    mark_read(&with, &mark).await;
                    Ok(())
                }
                Job::Abandoned(candidate) => abandon(&with.context, candidate).await,
                Job::Unsettled(candidate) => give_up_waiting(&with.context, candidate).await,
                Job::Answered(candidate) => let_go(&with.context, candidate).await,
                Job::Clock => ask_time(&with).await,
                Job::Errand(errand) => run_errand(&with, &errand).await,
            }
        }
    }

    /// Puts down what may be begun again by whoever comes next.
    pub fn put_down(&self) {
        self.with.porter.stop();
    }

    /// Lets another server have the channel at once.
    pub async fn let_go(&mut self) {
        if let Some(lease) = self.lease.take() {
            let now = self.with.context.db.time();
            if let Err(error) = renew(&self.with, lease.number, now).await {
                tracing::debug!(%error, "a lease was not given back; it ends by itself");
            }
        }
    }

    /// The rates that go with the lease; `None` while another server has it.
    async fn hold_lease(&mut self, time: Micros) -> Result<Option<Arc<Mutex<Rates>>>, StoreError> {
        let until = time.plus(LEASE);
        if let Some(lease) = &mut self.lease {
            if time < lease.renew_at {
                return Ok(Some(lease.rates.clone()));
            }
            if renew(&self.with, lease.number, until).await? {
                lease.renew_at = time.plus(RENEW_AFTER);
                lease.rates().forget_idle(time);
                let rates = lease.rates.clone();
                look_at_number(&self.with, &rates).await?;
                return Ok(Some(rates));
            }
            self.lease = None;
        }
        let With { context, channel, .. } = &self.with;
        let channel = channel.id;
        let leased = context
            .db
            .write(Urgency::First, move |tx| Box::pin(async move { channels::lease(tx, channel, time, until).await }));
        let Some(number) = leased.await? else { return Ok(None) };
        let at = context.moment();
        let mut reader = context.db.reader().await?;
        let recent = outbox::recent(reader.conn(), channel, at.now.minus(Pair::MEMORY)).await?;
        let recent = recent.into_iter().map(|(conversation, wall)| (conversation, at.lease_time_of(wall)));
        drop(reader);
        let rates = Arc::new(Mutex::new(Rates::after(recent)));
        look_at_number(&self.with, &rates).await?;
        self.lease = Some(Lease { number, renew_at: time.plus(RENEW_AFTER), rates: rates.clone() });
        Ok(Some(rates))
    }

    async fn postpone(&self, candidate: Candidate, until: Micros) -> Result<(), StoreError> {
        let job = self.with.context.db.write(Urgency::First, move |tx| {
            Box::pin(async move { outbox::postpone(tx, candidate.message, until).await })
        });
        job.await
    }

    async fn take_mark(&self, mark: ReadMark) -> Result<(), StoreError> {
        let job = self.with.context.db.write(Urgency::First, move |tx| {
            let mark = mark.clone();
            Box::pin(async move { outbox::marked(tx, &mark).await })
        });
        job.await
    }
}

/// Meta may have raised what the number may send, and what had stopped it may be over.
async fn look_at_number(with: &With, rates: &Mutex<Rates>) -> Result<(), StoreError> {
    let (id, now) = (with.channel.id, with.context.clock.now());
    let Some(channel) = channels::by_id(with.context.db.reader().await?.conn(), id).await? else { return Ok(()) };
    lock(rates).allow(u32::try_from(channel.meta.per_second).unwrap_or(Throughput::USUAL));
    if channel.meta.stop().is_some() && channel.meta.stop_at(now).is_none() {
        let job = with.context.db.write(Urgency::First, move |tx| Box::pin(standings::lift_over(tx, id, now)));
        job.await?;
    }
    Ok(())
}

async fn renew(with: &With, number: i64, until: Micros) -> Result<bool, StoreError> {
    let channel = with.channel.id;
    let job = with
        .context
        .db
        .write(Urgency::First, move |tx| Box::pin(async move { channels::renew(tx, channel, number, until).await }));
    job.await
}

/// What came of a message that was due.
enum Sent {
    Started,
    Not,
    /// Meta has to be brought its file first.
    Bring(Box<Media>),
}

/// Marks it `sending`, makes the request once, stores what came of it.
async fn send(with: &With, candidate: Candidate, rates: Option<&Mutex<Rates>>) -> Result<Sent, StoreError> {
    let context = &with.context;
    let (at, ids) = (context.moment(), context.ids.clone());
    let started = context.db.write(Urgency::First, move |tx| {
        let ids = ids.clone();
        Box::pin(async move { outbox::start(tx, candidate, at, &ids).await })
    });
    let sending = match started.await? {
        Started::Go(sending) => sending,
        Started::Bring(file) => return Ok(Sent::Bring(file)),
        Started::Not => return Ok(Sent::Not),
    };
    let asked_at = context.clock.now();
    let answer = request(context, &with.channel, &with.graph, &sending).await;
    let received_at = context.clock.now();
    let date = answer.as_ref().ok().and_then(|accepted| accepted.date);
    let pause = answer.as_ref().map_or_else(CallError::pause, |accepted| accepted.pause);
    if let (Some(pause), Some(rates)) = (pause, rates) {
        tracing::warn!(channel = %with.channel.id, ?pause, "Meta has enough for now: nothing is sent for a while");
        lock(rates).be_silent(context.db.time().plus(pause));
    }
    let settled = settle(context, candidate, sending.attempt, report(context, sending.attempt, answer)).await;
    if let Some(date) = date {
        hear(with, Heard { date, asked_at, received_at }).await;
    }
    // It did start: what it took of the rates is used up, whatever could be stored.
    if let Err(error) = settled {
        tracing::error!(%error, "the outcome of a send is lost; it will count as unknown");
    }
    Ok(Sent::Started)
}

async fn request(
    context: &Context,
    channel: &Channel,
    graph: &Graph,
    sending: &Sending,
) -> Result<Accepted, CallError> {
    let Some(to) = address(&sending.recipient) else {
        return Err(CallError::Unsent("the customer has no phone and no user id".into()));
    };
    let left = sending.deadline.since(context.db.time());
    if left.is_zero() {
        return Err(CallError::Unsent("its deadline had passed".into()));
    }
    let callback = sending.attempt.to_string();
    let mut payload = match &sending.payload {
        None => outgoing::text(&sending.message.text),
        Some(json) => serde_json::from_str(json).map_err(|_| CallError::Unsent("what to send is no JSON".into()))?,
    };
    if let Some(meta_id) = &sending.file {
        outgoing::name_file(&mut payload, meta_id);
    }
    // A reaction names its message itself.
    let reply_to = sending.message.quoted.as_deref().filter(|_| sending.message.kind != outbox::REACTION);
    let message = Outgoing { to: &to, payload: &payload, reply_to, callback: &callback };
    graph.send(&channel.phone_number_id, message, left).await
}

pub(super) fn report(context: &Context, attempt: AttemptId, answer: Result<Accepted, CallError>) -> Report {
    let jitter = u16::try_from(context.ids.below(1_000)).unwrap_or_default();
    match answer {
        Ok(accepted) => Report { outcome: Outcome::Accepted, wamid: Some(accepted.wamid), code: None, jitter },
        Err(error) => {
            // Meta's words may name the customer; the code does not, nor do our own words.
            let (code, why) = match &error {
                CallError::Refused(refused) => (Some(refused.code), None),
                CallError::Unsent(why) | CallError::Unanswered(why) => (None, Some(why)),
            };
            tracing::info!(%attempt, code, why, outcome = ?error.outcome(), "a message was not accepted");
            Report { outcome: error.outcome(), wamid: None, code, jitter }
        }
    }
}

async fn settle(context: &Context, candidate: Candidate, attempt: AttemptId, report: Report) -> Result<(), StoreError> {
    let sends = &context.counters.sends;
    match report.outcome {
        Outcome::Accepted => sends.accepted.one(),
        Outcome::Refused { .. } => sends.refused.one(),
        Outcome::NotSent => sends.unsent.one(),
        Outcome::Unanswered => sends.unanswered.one(),
    }
    let mut tries = 0;
    loop {
        let (at, ids, report) = (context.moment(), context.ids.clone(), report.clone());
        let done = context.db.write(Urgency::First, move |tx| {
            let (ids, report) = (ids.clone(), report.clone());
            Box::pin(async move { outbox::settle(tx, candidate, attempt, &report, at, &ids).await })
        });
        match done.await {
            // What Meta said is known here only: a store that is away for a while must not lose it.
            Err(error) if tries < SETTLE_TRIES && !matches!(error, StoreError::Closed) => {
                tries += 1;
                tracing::warn!(%error, tries, "the outcome of a send is not stored yet");
                tokio::time::sleep(super::BREATH).await;
            }
            done => return done,
        }
    }
}

/// Asks Meta once, and stores what came of it.
async fn run_errand(with: &With, errand: &Errand) -> Result<(), StoreError> {
    let context = &with.context;
    let (asked, again) = (errand.clone(), errand.clone());
    let job = context.db.write(Urgency::First, move |tx| {
        let asked = asked.clone();
        Box::pin(async move { errands::recipient(tx, &asked).await })
    });
    let to = job.await?;
    let number = &with.channel.phone_number_id;
    let answer = match address(&to) {
        None => Err(CallError::Unsent("the customer has no phone and no user id".into())),
        Some(to) => match errand.kind {
            Kind::Pass | Kind::Take | Kind::Release => {
                with.graph.thread_control(number, &to, errand.kind.word(), SHORT_DEADLINE).await
            }
            Kind::Block | Kind::Unblock => {
                let (Recipient::Phone(user) | Recipient::UserId(user)) = &to;
                with.graph.block(number, user, errand.kind == Kind::Block, SHORT_DEADLINE).await
            }
        },
    };
    let outcome = match answer {
        Ok(()) => errands::Outcome::Done,
        Err(CallError::Refused(error)) => errands::Outcome::Refused(error.code),
        Err(CallError::Unsent(_) | CallError::Unanswered(_)) => errands::Outcome::Unanswered,
    };
    tracing::info!(errand = %errand.id, kind = errand.kind.word(), ?outcome, "Meta was asked");
    let (at, ids) = (context.moment(), context.ids.clone());
    let job = context.db.write(Urgency::First, move |tx| {
        let (again, ids) = (again.clone(), ids.clone());
        Box::pin(async move { errands::settle(tx, &again, outcome, at, &ids).await })
    });
    job.await
}

/// A number may be given to somebody else; a user id is not.
fn address(to: &outbox::Recipient) -> Option<Recipient> {
    let user_id = to.user_id.clone().map(Recipient::UserId);
    user_id.or_else(|| to.phone.clone().map(Recipient::Phone))
}

async fn abandon(context: &Context, candidate: Candidate) -> Result<(), StoreError> {
    let mut reader = context.db.reader().await?;
    let message = messages::by_id(reader.conn(), candidate.message).await?;
    drop(reader);
    let Some(message) = message.filter(|message| message.delivery == Some(Delivery::Sending)) else { return Ok(()) };
    let Some(attempt) = message.attempt else { return Ok(()) };
    settle(context, candidate, attempt, Report { outcome: Outcome::Unanswered, wamid: None, code: None, jitter: 0 })
        .await
}

async fn give_up_waiting(context: &Context, candidate: Candidate) -> Result<(), StoreError> {
    let (at, ids) = (context.moment(), context.ids.clone());
    let job = context.db.write(Urgency::First, move |tx| {
        let ids = ids.clone();
        Box::pin(async move { outbox::give_up_waiting(tx, candidate, at, &ids).await })
    });
    job.await
}

async fn let_go(context: &Context, candidate: Candidate) -> Result<(), StoreError> {
    let at = context.moment();
    let job =
        context.db.write(Urgency::First, move |tx| Box::pin(async move { outbox::let_go(tx, candidate, at).await }));
    job.await
}

/// Nothing depends on it, so it is tried once.
async fn mark_read(with: &With, mark: &ReadMark) {
    let With { channel, graph, .. } = with;
    let marked = graph.mark_read(&channel.phone_number_id, &mark.wamid, mark.typing, SHORT_DEADLINE).await;
    if let Err(error) = marked {
        tracing::debug!(conversation = %mark.conversation, outcome = ?error.outcome(), "a read mark was not accepted");
    }
}

async fn ask_time(with: &With) -> Result<(), StoreError> {
    let asked_at = with.context.clock.now();
    let answer = with.graph.phone_number(&with.channel.phone_number_id, SHORT_DEADLINE).await;
    let received_at = with.context.clock.now();
    match answer.map(|number| number.date) {
        Ok(Some(date)) => hear(with, Heard { date, asked_at, received_at }).await,
        Ok(None) => {}
        Err(error) => tracing::debug!(outcome = ?error.outcome(), "Meta did not say what time it is"),
    }
    Ok(())
}

async fn hear(with: &With, heard: Heard) {
    if let Err(error) = with.clock.hear(&with.context, &with.channel, heard).await {
        tracing::warn!(%error, "the time at Meta's is not stored; the next answer tells it again");
    }
}

//! The chain of models: one question, and whoever answers first what can be used.
//!
//! What each failure is worth stands in `worth` and `Linked::tell`: another try at the same model, the next
//! model, or nothing more. Every call that is made is counted, also those that nobody waited for.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use baton_shared::{Clock, Micros};
use futures::{StreamExt, stream::FuturesUnordered};

use super::{
    breaker::{Breaker, Pass},
    model::{Client, Failure, Prompt, Shape, Transport},
};
use crate::{
    config::{Model, Tier},
    domain::money::{Call, Nanos, OUTRUN, Purpose, Usage},
};

/// All models of the settings, in the order in which they are tried.
pub struct Chain {
    links: Vec<Linked>,
    clock: Arc<dyn Clock>,
}

struct Linked {
    client: Client,
    breaker: Breaker,
}

/// What is asked.
pub struct Question<'a, T> {
    pub prompt: &'a Prompt,
    /// Asked instead, once, where the first is longer than a model reads.
    pub shorter: Option<&'a Prompt>,
    pub shape: &'a Shape<T>,
    /// Whom to ask first; the others come after. `None`: in the order of the settings.
    pub tier: Option<Tier>,
    pub purpose: Purpose,
}

/// What became of a question.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered<T> {
    /// The failure is the last model's.
    pub answer: Result<T, Failure>,
    /// In the order in which they began; the last that has no failure gave the answer.
    pub calls: Vec<Call>,
}

/// Who pays: asked before each call.
pub trait Purse: Send + Sync {
    /// Sets aside what a call that begins `at` can cost at the most, and says what was set aside; `None` if there is
    /// not as much left.
    fn reserve(&self, most: Nanos, at: Micros) -> Pin<Box<dyn Future<Output = Option<Nanos>> + Send + '_>>;
}

/// Where nobody set a cap.
#[derive(Clone, Copy, Debug)]
pub struct Bottomless;

impl Purse for Bottomless {
    fn reserve(&self, _: Nanos, _: Micros) -> Pin<Box<dyn Future<Output = Option<Nanos>> + Send + '_>> {
        Box::pin(std::future::ready(Some(Nanos::ZERO)))
    }
}

/// A question is worth so many calls to one model, ways of asking not counted.
const TRIES: u32 = 2;

/// The longest pause before the second try; who wants a longer one is left alone for that time.
const PATIENCE: Duration = Duration::from_secs(3);

/// Before the second try at a model that has too much to do and does not say for how long.
const BREATH: Duration = Duration::from_millis(700);

/// No provider is believed that it will be busy for longer.
const LONGEST_REST: Duration = Duration::from_secs(3_600);

impl Chain {
    pub fn new(models: &[Model], transport: &Arc<dyn Transport>, clock: Arc<dyn Clock>) -> Self {
        let linked = |model: &Model| Linked {
            breaker: Breaker::new(model.link.opens_after, model.link.opens_for),
            client: Client::new(model.clone(), transport.clone()),
        };
        Self { links: models.iter().map(linked).collect(), clock }
    }

    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    /// The longest that [`ask`](Self::ask) takes.
    pub fn longest(&self) -> Duration {
        self.links.iter().map(|link| link.client.model().deadline * TRIES + PATIENCE).sum()
    }

    /// Asks one model after the other until one gives an answer that can be used.
    pub async fn ask<T: Send>(&self, question: &Question<'_, T>, purse: &dyn Purse) -> Answered<T> {
        let ledger = Ledger::default();
        let answer = self.first_answer(question, purse, &ledger).await;
        Answered { answer, calls: ledger.close(self.clock.now()) }
    }

    async fn first_answer<T: Send>(
        &self,
        question: &Question<'_, T>,
        purse: &dyn Purse,
        ledger: &Ledger,
    ) -> Result<T, Failure> {
        let mut waiting = self.in_order(question.tier).into_iter();
        let mut running = FuturesUnordered::new();
        let mut failure = Failure::Resting;
        let mut hedge = None;
        let mut begin_next = true;
        loop {
            if std::mem::take(&mut begin_next) {
                let now = self.clock.monotonic();
                let next = waiting.find_map(|link| Some((link, link.breaker.pass(now)?)));
                hedge = next.as_ref().and_then(|(link, _)| link.client.model().link.hedge_after);
                if let Some((link, pass)) = next {
                    let is_last = !waiting.as_slice().iter().any(|link| link.breaker.would_pass(now));
                    running.push(self.attempt(link, pass, is_last, question, purse, ledger));
                }
            }
            tokio::select! {
                done = running.next() => match done {
                    Some(Ok(answer)) => return Ok(answer),
                    // Another model would be asked to say what the first must not, or to spend what is not there.
                    Some(Err(why @ (Failure::Filtered | Failure::Spent))) => return Err(why),
                    Some(Err(why)) => {
                        failure = why;
                        begin_next = running.is_empty();
                    }
                    None => return Err(failure),
                },
                () = passed(hedge) => begin_next = true,
            }
        }
    }

    /// Those of the tier first.
    fn in_order(&self, tier: Option<Tier>) -> Vec<&Linked> {
        let mut links: Vec<&Linked> = self.links.iter().collect();
        links.sort_by_key(|link| tier.is_some_and(|tier| link.client.model().link.tier != tier));
        links
    }

    /// Everything that one model is asked about one question.
    async fn attempt<T: Send>(
        &self,
        link: &Linked,
        pass: Pass<'_>,
        is_last: bool,
        question: &Question<'_, T>,
        purse: &dyn Purse,
        ledger: &Ledger,
    ) -> Result<T, Failure> {
        let mut prompt = question.prompt;
        for _ in 1..TRIES {
            let answer = self.call(link, prompt, question, purse, ledger).await;
            let Err(failure) = &answer else { return link.tell(pass, answer, self.clock.monotonic()) };
            match (worth(failure, is_last), question.shorter) {
                (Worth::Again(pause), _) => tokio::time::sleep(pause).await,
                (Worth::Shorter, Some(shorter)) if prompt != shorter => prompt = shorter,
                _ => return link.tell(pass, answer, self.clock.monotonic()),
            }
        }
        let answer = self.call(link, prompt, question, purse, ledger).await;
        link.tell(pass, answer, self.clock.monotonic())
    }

    async fn call<T: Send>(
        &self,
        link: &Linked,
        prompt: &Prompt,
        question: &Question<'_, T>,
        purse: &dyn Purse,
        ledger: &Ledger,
    ) -> Result<T, Failure> {
        let model = link.client.model();
        let most = model.link.price.map(|price| price.cost(Usage::at_most(prompt.bytes(), model.max_tokens)));
        let (began_at, began) = (self.clock.now(), self.clock.monotonic());
        let Some(reserved) = purse.reserve(most.unwrap_or_default(), began_at).await else {
            return Err(Failure::Spent);
        };
        let place = ledger.begin(Call {
            purpose: question.purpose,
            provider: model.provider.clone(),
            model: model.name.clone(),
            began_at,
            took: Duration::ZERO,
            usage: Usage::default(),
            reserved,
            cost: most,
            failure: Some(OUTRUN),
        });
        let asked = link.client.ask(prompt, question.shape).await;
        let took = self.clock.monotonic().saturating_sub(began);
        ledger.end(place, |call| {
            call.took = took;
            call.usage = asked.usage;
            call.failure = asked.answer.as_ref().err().map(Failure::code);
            // What broke off may have been charged for; nobody has said how much.
            let is_told = asked.usage != Usage::default() || !may_be_charged(asked.answer.as_ref().err());
            if is_told {
                call.cost = model.link.price.map(|price| price.cost(asked.usage));
            }
        });
        asked.answer
    }
}

impl Linked {
    /// What the outcome says of the model.
    fn tell<T>(&self, pass: Pass<'_>, answer: Result<T, Failure>, now: Duration) -> Result<T, Failure> {
        match &answer {
            Ok(_) => pass.succeed(),
            Err(Failure::RateLimited { retry_after: Some(rest) }) => pass.rest(now, Some((*rest).min(LONGEST_REST))),
            // An operator has to act; asking again in a second changes nothing.
            Err(Failure::KeyRefused | Failure::UnknownModel | Failure::Rejected { .. }) => pass.rest(now, None),
            // They say something of the question or of us, not of the model.
            Err(Failure::ContextTooLong | Failure::Filtered | Failure::Spent | Failure::Resting) => drop(pass),
            Err(_) => pass.fail(now),
        }
        answer
    }
}

/// Never, if there is no such time.
async fn passed(time: Option<Duration>) {
    match time {
        Some(time) => tokio::time::sleep(time).await,
        None => std::future::pending().await,
    }
}

/// What a failure is worth at the same model.
enum Worth {
    Again(Duration),
    Shorter,
    Nothing,
}

/// `is_last`: there is no other model to go on to.
fn worth(failure: &Failure, is_last: bool) -> Worth {
    match failure {
        Failure::Broken | Failure::Malformed | Failure::Server { .. } => Worth::Again(Duration::ZERO),
        Failure::RateLimited { retry_after: Some(pause) } if is_last && *pause <= PATIENCE => Worth::Again(*pause),
        Failure::RateLimited { retry_after: None } | Failure::Overloaded if is_last => Worth::Again(BREATH),
        Failure::ContextTooLong => Worth::Shorter,
        _ => Worth::Nothing,
    }
}

/// Whether a model may have worked although it did not say what it used.
const fn may_be_charged(failure: Option<&Failure>) -> bool {
    matches!(failure, Some(Failure::TimedOut | Failure::Broken | Failure::TooLong))
}

/// The calls of one question.
#[derive(Default)]
struct Ledger(Mutex<Vec<Call>>);

impl Ledger {
    /// A call that is under way counts as one that nobody waited for.
    fn begin(&self, call: Call) -> usize {
        let mut calls = self.calls();
        calls.push(call);
        calls.len() - 1
    }

    fn end(&self, place: usize, change: impl FnOnce(&mut Call)) {
        if let Some(call) = self.calls().get_mut(place) {
            change(call);
        }
    }

    fn close(self, now: Micros) -> Vec<Call> {
        let mut calls = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        let outrun = calls.iter_mut().filter(|call| call.failure == Some(OUTRUN));
        outrun.for_each(|call| call.took = now.since(call.began_at));
        calls
    }

    fn calls(&self) -> MutexGuard<'_, Vec<Call>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;

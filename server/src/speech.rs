//! What customers are told by rule, in the transaction that causes it: `domain::occasion` says what is due, the
//! number's playbook has the words.

use std::time::Duration;

use baton_shared::{
    AgentId, Control, Micros,
    message::Author,
    protocol::{PRESENCE_ENDS, TEXT_LIMIT},
};

use crate::{
    Context,
    config::{Book, Facts},
    domain::{
        control::Step,
        hours::Opening,
        occasion::{Occasion, Told, after},
    },
    store::{
        Moment, StoreError, Tx, agents,
        channels::Channel,
        control::Passed,
        conversations::Conversation,
        handoffs::{self, Handoff},
        messages::Stored,
        outbox,
    },
};

/// Waits of longer ago say nothing about today.
const WAITS_OF: Duration = Duration::from_secs(2 * 3_600);
/// Fewer measured waits than this are no measure.
const WAITS_NEEDED: usize = 3;

/// Who speaks, on which number, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Speaker<'a> {
    pub(crate) context: &'a Context,
    pub(crate) channel: &'a Channel,
    pub(crate) at: Moment,
}

impl<'a> Speaker<'a> {
    pub(crate) fn book(&self) -> &'a Book {
        self.context.settings.book_of(&self.channel.phone_number_id)
    }

    /// Tells what goes with a step that has changed control; the caller saves the conversation. `before` is who
    /// had it until then.
    pub(crate) async fn after_step(
        &self,
        tx: &mut Tx,
        thread: &mut Conversation,
        step: Step,
        before: Control,
        passed: &Passed,
    ) -> Result<(), StoreError> {
        let Some(mut handoff) = self.handoff(tx, passed).await? else { return Ok(()) };
        let occasions = after(step, before, self.back().is_none(), handoff.taken_at.is_some());
        self.tell(tx, thread, &mut handoff, occasions).await.map(drop)
    }

    /// The customer knows already that a person comes, or is not told by us.
    pub(crate) async fn leave_untold(&self, tx: &mut Tx, passed: &Passed) -> Result<(), StoreError> {
        let Some(mut handoff) = self.handoff(tx, passed).await? else { return Ok(()) };
        let mut told = Told::parse(&handoff.told);
        told.tell(Occasion::Bridge);
        handoff.told = told.words();
        handoffs::save(tx, &handoff).await
    }

    /// Tells these in order, those that have not been told in this stretch; the caller saves the conversation.
    /// What the window keeps from being sent is not told later; while sending is switched off it is held. Whether
    /// anything was said.
    pub(crate) async fn tell(
        &self,
        tx: &mut Tx,
        thread: &mut Conversation,
        handoff: &mut Handoff,
        occasions: &[Occasion],
    ) -> Result<bool, StoreError> {
        let (mut told, mut has_spoken) = (Told::parse(&handoff.told), false);
        for occasion in occasions {
            if !told.tell(*occasion) || !self.may_speak(thread) {
                continue;
            }
            if let Some(text) = self.words(tx, thread, handoff, *occasion).await? {
                self.say(tx, thread, &text).await?;
                has_spoken = true;
            }
        }
        handoff.told = told.words();
        handoffs::save(tx, handoff).await?;
        Ok(has_spoken)
    }

    async fn handoff(&self, tx: &mut Tx, passed: &Passed) -> Result<Option<Handoff>, StoreError> {
        match passed.handoff {
            Some(id) => handoffs::by_id(tx.conn(), id).await,
            None => Ok(None),
        }
    }

    /// Nothing goes into a closed window, and nothing to a group: nobody in it waits.
    fn may_speak(&self, thread: &Conversation) -> bool {
        let metas_now = Micros(self.at.now.0.saturating_add(self.channel.clock_offset));
        self.book().may_speak && thread.customer.is_some() && thread.window.is_open(metas_now)
    }

    /// When people are there again, if nobody is now by the playbook's hours; at the end of time if never.
    fn back(&self) -> Option<Micros> {
        match self.book().playbook.hours.as_ref()?.at(self.at.now) {
            Opening::Open { .. } => None,
            Opening::Closed { until } => Some(until.unwrap_or(Micros::MAX)),
        }
    }

    async fn words(
        &self,
        tx: &mut Tx,
        thread: &Conversation,
        handoff: &Handoff,
        occasion: Occasion,
    ) -> Result<Option<String>, StoreError> {
        let mut facts = Facts { now: self.at.now, ..Facts::default() };
        let mut name = None;
        match occasion {
            Occasion::Bridge | Occasion::StillWaiting => facts.wait = self.expected_wait(tx).await?,
            Occasion::OutOfHours | Occasion::NobodyCame => {
                facts.back = self.back().filter(|back| *back < Micros::MAX).or(handoff.callback_at);
            }
            Occasion::PersonIsHere | Occasion::Transferred => {
                if let Some(agent) = thread.control.owner() {
                    name = agents::by_id(tx.conn(), agent).await?.map(|agent| agent.name);
                }
            }
            Occasion::BackToAssistant | Occasion::Resolved => {}
        }
        facts.person = name.as_deref();
        Ok(self.book().playbook.say(occasion, thread.language.as_deref(), facts))
    }

    /// As long as the last ones waited, else what the playbook promises; nothing is promised while nobody is
    /// there who could come.
    async fn expected_wait(&self, tx: &mut Tx) -> Result<Option<Duration>, StoreError> {
        if available(tx, self.at).await?.is_empty() {
            return Ok(None);
        }
        let waits = handoffs::waits(tx.conn(), self.at.now.minus(WAITS_OF)).await?;
        Ok(median(waits).or(self.book().playbook.expected_wait))
    }

    async fn say(&self, tx: &mut Tx, thread: &mut Conversation, text: &str) -> Result<(), StoreError> {
        let at = self.at;
        // Of what is said in one go, all parts are one answer.
        let turn = Some(self.context.ids.next(at.now));
        let (id, channel, epoch) = (thread.id, thread.channel, thread.epoch);
        let parts = baton_shared::split::split(text, TEXT_LIMIT).into_iter().map(|part| Stored {
            turn,
            ..Stored::queued(
                self.context.ids.next(at.now),
                id,
                channel,
                Author::System,
                part.to_owned(),
                epoch,
                at.now,
                at.time,
            )
        });
        outbox::queue(tx, thread, parts.collect(), at).await
    }
}

/// Whose client is here.
async fn available(tx: &mut Tx, at: Moment) -> Result<Vec<AgentId>, StoreError> {
    let here = agents::who(tx.conn(), at.time.minus(PRESENCE_ENDS)).await?;
    Ok(here.into_iter().map(|here| here.agent).collect())
}

fn median(mut waits: Vec<i64>) -> Option<Duration> {
    if waits.len() < WAITS_NEEDED {
        return None;
    }
    waits.sort_unstable();
    u64::try_from(waits[waits.len() / 2]).ok().map(Duration::from_micros)
}

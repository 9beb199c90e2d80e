//! What becomes of a conversation that waits for a person: what the playbook plans is done, and when the next
//! thing is due is written down.

use crate::{
    Context,
    domain::{
        control::{Step, Who},
        occasion::Told,
        waiting::{Act, Plan, Wait, plan},
    },
    speech::Speaker,
    store::{
        Moment, StoreError, Tx,
        channels::{self, Channel},
        control::{self, Because},
        conversations::{self, Conversation},
        events::{self, Event},
        handoffs::{self, Ending, Handoff},
    },
};

/// Whether anybody can see that it changed; the caller saves it then. It is locked, and waits.
pub(super) async fn settle(
    tx: &mut Tx,
    context: &Context,
    thread: &mut Conversation,
    at: Moment,
) -> Result<bool, StoreError> {
    if thread.returns_at.is_none_or(|due| due > at.time) {
        return Ok(false);
    }
    let handoff = match thread.handoff {
        Some(id) => handoffs::by_id(tx.conn(), id).await?,
        None => None,
    };
    let channel = channels::by_id(tx.conn(), thread.channel).await?;
    let (Some(handoff), Some(channel)) = (handoff, channel) else {
        // It must not keep time from the others.
        tracing::error!(conversation = %thread.id, "it waits without a handoff or a channel");
        conversations::look_again(tx, thread.id, None).await?;
        return Ok(false);
    };
    let speaker = Speaker { context, channel: &channel, at };
    let playbook = &speaker.book().playbook;
    let wait = wait(thread, &handoff, &channel, speaker.book().may_speak, at);
    let plan = plan(at.now, &wait, playbook.hours.as_ref(), &playbook.patience);
    let mut settling = Settling { tx, thread, handoff, speaker, at };
    let seen = settling.carry_out(plan).await?;
    if !seen {
        conversations::look_again(tx, thread.id, thread.returns_at).await?;
    }
    Ok(seen)
}

fn wait(thread: &Conversation, handoff: &Handoff, channel: &Channel, may_speak: bool, at: Moment) -> Wait {
    Wait {
        from: handoff.patient_from.unwrap_or(at.now),
        told: Told::parse(&handoff.told),
        unannounced: handoff.reason == REOPENED,
        callback_at: handoff.callback_at,
        wants_bot: handoff.wants_bot,
        bot_is_there: may_speak && channel.bot_on && thread.customer.is_some(),
    }
}

/// The reason of a handoff that the customer opened by writing again.
const REOPENED: &str = "reopened";

/// One that waits, and what is done about it.
struct Settling<'a> {
    tx: &'a mut Tx,
    thread: &'a mut Conversation,
    handoff: Handoff,
    speaker: Speaker<'a>,
    at: Moment,
}

impl Settling<'_> {
    async fn carry_out(&mut self, plan: Plan) -> Result<bool, StoreError> {
        let mut seen = false;
        self.thread.returns_at = plan.next.map(|next| self.at.lease_time_of(next));
        self.handoff.patient_from = Some(plan.from);
        for act in plan.acts {
            match act {
                Act::Tell(occasion) => {
                    seen |= self.speaker.tell(self.tx, self.thread, &mut self.handoff, &[occasion]).await?;
                }
                Act::CallBack(back) => {
                    (self.handoff.callback_at, seen) = (Some(back), true);
                    let event = Event::new("callback_promised", self.at.now).of(self.thread.id);
                    events::append(self.tx, event.under(self.thread.epoch)).await?;
                }
                Act::GiveToBot => seen |= self.give_to_bot().await?,
            }
        }
        handoffs::save(self.tx, &self.handoff).await?;
        Ok(seen)
    }

    async fn give_to_bot(&mut self) -> Result<bool, StoreError> {
        let (who, outcome) = if self.handoff.wants_bot {
            // Their wish is granted: it asks for no other answer.
            self.thread.unanswered_since = None;
            (Who::Customer, handoffs::WANTED_THE_BOT)
        } else {
            (Who::Time, handoffs::NOBODY_CAME)
        };
        let ending = Ending { outcome: outcome.into(), ..Ending::default() };
        let because = Because { ending, ..Because::reason(outcome) };
        let (at, ids) = (self.at, &self.speaker.context.ids);
        match control::pass(self.tx, self.thread, Step::HandBack, who, &because, at, ids).await? {
            Ok(passed) => Ok(passed.changed),
            Err(refused) => {
                tracing::error!(conversation = %self.thread.id, %refused, "the bot cannot go on");
                Ok(false)
            }
        }
    }
}

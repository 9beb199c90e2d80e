//! The baton changes hands by a person's act.

use baton_shared::{
    AgentId, Role, Window,
    protocol::{Answer, Refusal},
};

use crate::{
    domain::control::Step,
    speech::Speaker,
    store::{
        agents,
        control::{self, Because, Passed},
        handoffs::Ending,
    },
};

use super::{
    super::roles::{Right, may},
    Desk, No, words,
};

/// In characters: a code or a few words, and what a person writes for the next one.
const OUTCOME_LIMIT: usize = 200;
const NOTE_LIMIT: usize = 4_000;

impl Desk<'_> {
    /// The bot's last word, if it was on its way already, is named in the answer.
    pub(super) async fn take(&mut self) -> Result<Answer, No> {
        let passed = self.pass(Step::Take { granted_elsewhere: false }, &Because::default()).await?;
        let settles_by = passed.last_word.as_ref().and_then(|word| word.deadline);
        Ok(Answer::Done {
            epoch: self.conversation.epoch,
            message: None,
            last_bot_word: passed.last_word.map(|word| word.id),
            settles_by: settles_by.map(|deadline| self.at.wall_time_of(deadline)),
        })
    }

    /// Of one's own it is a transfer; a supervisor gives anybody's to anybody, and says why.
    pub(super) async fn assign(&mut self, to: AgentId, reason: &str) -> Result<Answer, No> {
        let reason = words::optional(reason, NOTE_LIMIT, "The reason")?;
        if !self.is_mine() && may(self.agent.role, Right::Assign) && reason.is_empty() {
            return Err(No::because(Refusal::Invalid, "Say why: the reason is missing."));
        }
        self.check_target(to).await?;
        let code = if self.is_mine() { "transfer" } else { "assignment" };
        let passed = self.pass(Step::Assign { to }, &Because::reason(code)).await?;
        if passed.changed {
            // The step's own event names whom it was given to.
            self.tell(self.event("assigned_by").because(code)).await?;
            if !reason.is_empty() {
                self.keep_note(reason).await?;
            }
        }
        Ok(self.done(None))
    }

    async fn check_target(&mut self, to: AgentId) -> Result<(), No> {
        let target = agents::by_id(self.tx.conn(), to).await?;
        let target = target.filter(|target| target.disabled_at.is_none() && target.role != Role::Admin);
        let nobody = || No::because(Refusal::NotFound, "There is nobody by that name who could take it.");
        target.map(|_| ()).ok_or_else(nobody)
    }

    pub(super) async fn release(&mut self) -> Result<Answer, No> {
        self.pass(Step::Release, &Because::default()).await?;
        Ok(self.done(None))
    }

    pub(super) async fn hand_back(&mut self, outcome: &str, note: &str, promised: &str) -> Result<Answer, No> {
        let ending = Ending {
            outcome: words::optional(outcome, OUTCOME_LIMIT, "The outcome")?,
            note: words::optional(note, NOTE_LIMIT, "The note")?,
            promised: words::optional(promised, NOTE_LIMIT, "What was promised")?,
        };
        self.pass(Step::HandBack, &Because { ending, ..Because::default() }).await?;
        Ok(self.done(None))
    }

    pub(super) async fn resolve(&mut self, outcome: &str) -> Result<Answer, No> {
        let outcome = words::optional(outcome, OUTCOME_LIMIT, "The outcome")?;
        let ending = Ending { outcome, ..Ending::default() };
        self.pass(Step::Resolve, &Because { ending, ..Because::default() }).await?;
        Ok(self.done(None))
    }

    /// The customer is told that a person comes.
    pub(super) async fn escalate(&mut self, reason: &str) -> Result<Answer, No> {
        let summary = words::optional(reason, NOTE_LIMIT, "The reason")?;
        let because = Because { reason: "asked_by_agent".into(), summary, ..Because::default() };
        self.pass(Step::Escalate, &because).await?;
        Ok(self.done(None))
    }

    pub(super) const fn window(&self) -> Window {
        self.conversation.window
    }

    async fn pass(&mut self, step: Step, because: &Because) -> Result<Passed, No> {
        let (who, at, before) = (self.who(), self.at, self.conversation.control);
        let thread = &mut self.conversation;
        let passed = control::pass(self.tx, thread, step, who, because, at, &self.context.ids).await??;
        if passed.changed {
            let speaker = Speaker { context: self.context, channel: &self.channel, at };
            speaker.after_step(self.tx, thread, step, before, &passed).await?;
            self.save().await?;
        }
        Ok(passed)
    }
}

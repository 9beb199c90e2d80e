//! A bot's text that waits for a person: sent as it is, edited, or put away.

use baton_shared::{
    MessageId, ProposalId,
    message::Author,
    protocol::{Answer, Refusal, TEXT_LIMIT},
};

use crate::{
    domain::control::{Refused, may_send},
    store::proposals::{self, Decision},
};

use super::{
    super::roles::{Right, may},
    Desk, No, words,
};

impl Desk<'_> {
    pub(super) async fn use_proposal(
        &mut self,
        proposal: ProposalId,
        text: &str,
        seen: Option<MessageId>,
    ) -> Result<Answer, No> {
        may_send(self.conversation.control, self.who())?;
        let text = words::required(text, TEXT_LIMIT, "The text")?;
        self.check_open()?;
        self.find(proposal).await?;
        if let Some(newest) = self.missed(seen) {
            return Ok(Answer::WroteMeanwhile { newest });
        }
        self.decide(proposal, Decision::Used, "proposal_used").await?;
        self.empty_draft(&text).await?;
        let message = self.answer(self.new_message(Author::Agent, text)).await?;
        Ok(self.done(Some(message)))
    }

    pub(super) async fn drop_proposal(&mut self, proposal: ProposalId) -> Result<Answer, No> {
        if !self.is_mine() && !may(self.agent.role, Right::Assign) {
            return Err(Refused::NotYours { owner: self.conversation.control.owner() }.into());
        }
        self.find(proposal).await?;
        self.decide(proposal, Decision::Dropped, "proposal_dropped").await?;
        self.save().await?;
        Ok(self.done(None))
    }

    async fn find(&mut self, id: ProposalId) -> Result<(), No> {
        let found = proposals::by_id(self.tx.conn(), id).await?;
        let open = found.filter(|found| found.conversation == self.conversation.id && found.decided_at.is_none());
        let gone = || No::because(Refusal::NotFound, "This proposal has been used or put away.");
        open.map(|_| ()).ok_or_else(gone)
    }

    async fn decide(&mut self, id: ProposalId, decision: Decision, kind: &'static str) -> Result<(), No> {
        proposals::decide(self.tx, id, decision, self.agent.id, self.at.now).await?;
        self.tell(self.event(kind)).await
    }
}

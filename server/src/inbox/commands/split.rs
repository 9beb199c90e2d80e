//! A person says that what was merged are two customers.

use baton_shared::protocol::{Answer, Refusal};

use crate::{domain::control::Refused, store::mergers};

use super::{
    super::roles::{Right, may},
    Desk, No,
};

impl Desk<'_> {
    pub(super) async fn split(&mut self) -> Result<Answer, No> {
        let owner = self.conversation.control.owner();
        if owner.is_some_and(|owner| owner != self.agent.id) && !may(self.agent.role, Right::Assign) {
            return Err(Refused::NotYours { owner }.into());
        }
        let (by, at, ids) = (self.agent.id, self.at, self.context.ids.clone());
        if !mergers::split(self.tx, &mut self.conversation, by, at, &ids).await? {
            let why = "Nothing was merged into this conversation that could be split off.";
            return Err(No::because(Refusal::NotFromHere, why));
        }
        self.save().await?;
        Ok(self.done(None))
    }
}

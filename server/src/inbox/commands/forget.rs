//! A person lets the bot forget what it remembers of a customer.

use baton_shared::protocol::Answer;

use crate::{
    domain::control::Refused,
    store::memory::{self, FORGOTTEN},
};

use super::{
    super::roles::{Right, may},
    Desk, No,
};

impl Desk<'_> {
    /// Of a group nothing is remembered.
    pub(super) async fn forget(&mut self) -> Result<Answer, No> {
        let owner = self.conversation.control.owner();
        if owner.is_some_and(|owner| owner != self.agent.id) && !may(self.agent.role, Right::Assign) {
            return Err(Refused::NotYours { owner }.into());
        }
        if let Some(customer) = self.conversation.customer {
            memory::forget(self.tx, customer).await?;
        }
        self.tell(self.event(FORGOTTEN)).await?;
        self.save().await?;
        Ok(self.done(None))
    }
}

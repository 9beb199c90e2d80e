//! What only Meta can do: it is asked, and the thread says what came of it.

use baton_shared::{
    Control,
    protocol::{Act, Answer, Refusal},
};

use crate::{
    domain::control::Refused,
    store::{
        customers,
        errands::{self, Kind},
    },
};

use super::{
    super::roles::{Right, may},
    Desk, No,
};

impl Desk<'_> {
    pub(super) async fn ask_meta(&mut self, act: &Act) -> Result<Answer, No> {
        let Some(kind) = Kind::of(act) else {
            return Err(No::because(Refusal::Invalid, "There is nothing to ask for."));
        };
        self.check_errand(kind).await?;
        if errands::is_under_way(self.tx.conn(), self.conversation.id).await? {
            return Err(No::because(Refusal::NotFromHere, "WhatsApp is being asked for something already."));
        }
        let id = self.context.ids.next(self.at.now);
        errands::insert(self.tx, id, &self.conversation, self.agent.id, kind, self.at).await?;
        self.tell(self.event("errand").because(kind.word())).await?;
        Ok(self.done(None))
    }

    async fn check_errand(&mut self, kind: Kind) -> Result<(), No> {
        let not_from_here = |why: &str| Err(No::because(Refusal::NotFromHere, why));
        if self.conversation.customer.is_none() {
            return not_from_here("A group cannot be passed on or blocked.");
        }
        let owner = self.conversation.control.owner();
        let elsewhere = self.conversation.control == Control::Elsewhere;
        match kind {
            Kind::Take if !elsewhere => not_from_here("No other app has this thread."),
            Kind::Pass | Kind::Release if elsewhere => not_from_here("Another app has this thread already."),
            Kind::Pass | Kind::Release
                if owner.is_some_and(|owner| owner != self.agent.id) && !may(self.agent.role, Right::Assign) =>
            {
                Err(Refused::NotYours { owner }.into())
            }
            Kind::Block | Kind::Unblock => {
                let is_blocked = customers::blocked(self.tx.conn(), self.conversation.id).await?.is_some();
                match (kind, is_blocked) {
                    (Kind::Block, true) => not_from_here("The customer is blocked already."),
                    (Kind::Unblock, false) => not_from_here("The customer is not blocked."),
                    _ => Ok(()),
                }
            }
            Kind::Take | Kind::Pass | Kind::Release => Ok(()),
        }
    }
}

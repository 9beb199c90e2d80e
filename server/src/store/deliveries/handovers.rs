//! Meta gives a thread to another app of the business's, or to us.

use baton_shared::{ChannelId, Ids};

use super::{Moment, StoreError, Tx};
use crate::{
    domain::control::{Step, Who},
    store::{
        control::{self, Because},
        conversations,
        customers::{self, AliasKind, Key},
    },
};

/// One hand-over as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handover {
    pub channel: ChannelId,
    pub scope: String,
    pub user_id: Option<String>,
    pub phone: Option<String>,
    /// The thread is ours from now on.
    pub to_us: bool,
    /// The other app says that a person is needed.
    pub wants_person: bool,
    /// What the other app says about it.
    pub why: String,
    /// Of its notice: a repeat changes nothing, for the thread may have gone on since.
    pub digest: String,
}

/// Of a thread that is not known yet nothing is owed: it begins with the customer's next word.
pub(super) async fn store(
    tx: &mut Tx,
    handovers: impl Iterator<Item = &Handover>,
    at: Moment,
    ids: &Ids,
) -> Result<(), StoreError> {
    for one in handovers {
        let names = [(AliasKind::User, &one.user_id), (AliasKind::Phone, &one.phone)];
        let names = names.into_iter().filter_map(|(kind, value)| Some((one.scope.as_str(), kind, value.as_deref()?)));
        let known = customers::find(tx.conn(), names.clone()).await?;
        let mut keys = names.map(|(scope, kind, value)| Key::new(scope, kind, value));
        let customer = keys.find_map(|key| known.iter().find(|known| known.alias.key() == key));
        let Some(customer) = customer.map(|known| known.alias.customer) else { continue };
        for mut thread in conversations::lock_of_customers(tx, &[customer]).await? {
            if thread.channel != one.channel || thread.merged_into.is_some() {
                continue;
            }
            let (step, reason) = if one.to_us {
                let unanswered = one.wants_person || thread.unanswered_since.is_some();
                (Step::Returned { unanswered }, "passed_by_app")
            } else {
                (Step::GoElsewhere, "taken_by_app")
            };
            let because = Because { summary: one.why.clone(), ..Because::reason(reason) };
            let passed = control::pass(tx, &mut thread, step, Who::Meta, &because, at, ids).await?;
            if passed.is_ok_and(|passed| passed.changed) {
                conversations::save(tx, &thread).await?;
            }
        }
    }
    Ok(())
}

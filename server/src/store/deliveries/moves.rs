//! Customers who go by another number or user id from now on: their conversations follow them.

use baton_shared::{CustomerId, Ids};

use super::{Arrival, Moment, Side, StoreError, Tx};
use crate::{
    domain::identity::{self, Known, Move, NewName},
    store::{
        customers::{self, Alias, AliasKind},
        mergers,
    },
};

/// Those who turn out to be one with whoever goes by the new name are one from then on, also in `sides`.
pub(super) async fn follow(
    tx: &mut Tx,
    arrivals: &[&Arrival],
    sides: &mut [Side],
    at: Moment,
    ids: &Ids,
) -> Result<(), StoreError> {
    for (place, arrival) in arrivals.iter().enumerate() {
        let (Some((kind, value)), Side::Customer(customer)) = (&arrival.moved_to, sides[place].clone()) else {
            continue;
        };
        let new = Alias { scope: arrival.scope.clone(), kind: *kind, value: value.clone(), customer };
        if let Some(other) = somebody_else(tx, &new).await? {
            let name = if *kind == AliasKind::User { NewName::UserId } else { NewName::Phone };
            let refused = identity::moves(name, &other) == Move::Refused;
            if refused || mergers::were_split(tx.conn(), customer, other.customer).await? {
                tracing::warn!(%customer, "a customer moved to what another customer goes by; nothing was changed");
                continue;
            }
            mergers::merge(tx, customer, other.customer, at, ids).await?;
            for side in sides.iter_mut().filter(|side| **side == Side::Customer(other.customer)) {
                *side = Side::Customer(customer);
            }
        }
        customers::replace(tx, &new).await?;
    }
    Ok(())
}

async fn somebody_else(tx: &mut Tx, new: &Alias) -> Result<Option<Known<CustomerId>>, StoreError> {
    let known = customers::find(tx.conn(), [(new.scope.as_str(), new.kind, new.value.as_str())]).await?;
    let mut others = known.iter().map(|known| &known.alias).filter(|alias| alias.customer != new.customer);
    let Some(other) = others.next().map(|alias| alias.customer) else { return Ok(None) };
    let has_user_id = known.iter().any(|one| one.alias.customer == other && one.alias.kind == AliasKind::User);
    Ok(Some(Known { customer: other, has_user_id }))
}

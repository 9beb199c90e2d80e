//! Customers who go by another number or user id from now on: their conversations follow them.

use super::{Arrival, Side, StoreError, Tx};
use crate::store::customers::{self, Alias, AliasKind};

pub(super) async fn follow(tx: &mut Tx, arrivals: &[&Arrival], sides: &[Side]) -> Result<(), StoreError> {
    for (arrival, side) in arrivals.iter().zip(sides) {
        let (Some((kind, value)), Side::Customer(customer)) = (&arrival.moved_to, side) else { continue };
        let new = Alias { scope: arrival.scope.clone(), kind: *kind, value: value.clone(), customer: *customer };
        if belongs_to_somebody_else(tx, &new).await? {
            tracing::warn!(%customer, "a customer moved to what another customer goes by; nothing was changed");
            continue;
        }
        customers::replace(tx, &new).await?;
    }
    Ok(())
}

/// A number without a user id may be anybody's, and so also this customer's.
async fn belongs_to_somebody_else(tx: &mut Tx, new: &Alias) -> Result<bool, StoreError> {
    let known = customers::find(tx.conn(), [(new.scope.as_str(), new.kind, new.value.as_str())]).await?;
    let others = known.iter().filter(|known| known.alias.customer != new.customer);
    Ok(others.into_iter().any(|known| new.kind == AliasKind::User || known.alias.kind == AliasKind::User))
}

//! What a turn may spend: the playbook's caps, kept in the store.

use std::{future::Future, pin::Pin};

use baton_shared::Micros;

use super::chain::Purse;
use crate::{
    Context,
    domain::money::{Budget, Nanos},
    store::{
        Urgency,
        spending::{self, Payer},
    },
};

/// Sets aside, in one transaction, what a call can cost, before it is made. Where nothing is capped it asks nobody.
pub(super) struct Wallet<'a> {
    context: &'a Context,
    payer: Payer,
    budget: Budget,
}

impl<'a> Wallet<'a> {
    pub(super) fn new(context: &'a Context, payer: Payer, budget: Budget) -> Self {
        Self { context, payer, budget }
    }

    async fn set_aside(&self, most: Nanos, at: Micros) -> Option<Nanos> {
        if self.budget == Budget::default() {
            return Some(Nanos::ZERO);
        }
        let (payer, budget) = (self.payer, self.budget);
        let job = self.context.db.write(Urgency::First, move |tx| {
            Box::pin(async move { spending::reserve(tx, &payer, &budget, most, at).await })
        });
        match job.await {
            Ok(true) => Some(most),
            Ok(false) => None,
            Err(error) => {
                // What cannot be counted is not spent; without a store no answer goes out either.
                tracing::error!(conversation = %self.payer.conversation, %error, "the budget cannot be asked");
                None
            }
        }
    }
}

impl Purse for Wallet<'_> {
    fn reserve(&self, most: Nanos, at: Micros) -> Pin<Box<dyn Future<Output = Option<Nanos>> + Send + '_>> {
        Box::pin(self.set_aside(most, at))
    }
}

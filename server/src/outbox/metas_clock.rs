//! Meta's clock, from the `Date` of its answers: windows close by it.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use baton_shared::Micros;

use crate::{
    Context,
    store::{
        StoreError, Urgency,
        channels::{self, Channel},
    },
    whatsapp::graph::clock_offset,
};

/// Asked for at least this often, whether or not anything is sent: a clock that was once wrong must
/// not keep every window shut.
const EVERY: Duration = Duration::from_secs(5 * 60);
/// A clock that is off by less is not worth a write.
const STEP: u64 = 1_000_000;
/// An answer that took longer says too little about when it was given.
const PROMPT: i64 = 2_000_000;

/// An answer, and our wall's time around it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heard {
    pub(super) date: Micros,
    pub(super) asked_at: Micros,
    pub(super) received_at: Micros,
}

/// How far it is ahead of ours, as one courier knows it.
#[derive(Debug)]
pub(super) struct MetasClock {
    offset: AtomicI64,
    /// In the time of leases.
    heard_at: AtomicI64,
}

impl MetasClock {
    /// As the store has it, whenever that was.
    pub(super) const fn of(channel: &Channel) -> Self {
        Self { offset: AtomicI64::new(channel.clock_offset), heard_at: AtomicI64::new(i64::MIN) }
    }

    /// Whether it is time to ask; asked then, it is not due again before long.
    pub(super) fn ask(&self, time: Micros) -> bool {
        let due = self.heard_at.load(Ordering::Relaxed).saturating_add(micros(EVERY)) <= time.0;
        if due {
            self.heard_at.store(time.0, Ordering::Relaxed);
        }
        due
    }

    /// Notes what an answer says of the time.
    pub(super) async fn hear(&self, context: &Context, channel: &Channel, heard: Heard) -> Result<(), StoreError> {
        if !(0..=PROMPT).contains(&(heard.received_at.0 - heard.asked_at.0)) {
            return Ok(());
        }
        let offset = clock_offset(heard.date, heard.asked_at, heard.received_at);
        self.heard_at.store(context.db.time().0, Ordering::Relaxed);
        if self.offset.load(Ordering::Relaxed).abs_diff(offset) < STEP {
            return Ok(());
        }
        let id = channel.id;
        let job = context
            .db
            .write(Urgency::Last, move |tx| Box::pin(async move { channels::set_clock_offset(tx, id, offset).await }));
        job.await?;
        self.offset.store(offset, Ordering::Relaxed);
        Ok(())
    }
}

fn micros(length: Duration) -> i64 {
    i64::try_from(length.as_micros()).unwrap_or(i64::MAX)
}

//! The two times of a transaction.

use std::time::Duration;

use baton_shared::Micros;

/// Now, on the wall and in the time of leases; passed in, so that a test owns both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// For messages and windows.
    pub now: Micros,
    /// For leases, deadlines and whatever must not jump: see [`super::Db::time`].
    pub time: Micros,
}

impl Moment {
    /// A moment on the wall, in the time of leases.
    pub fn lease_time_of(&self, wall: Micros) -> Micros {
        Micros(self.time.0.saturating_add(wall.0.saturating_sub(self.now.0)))
    }

    /// A moment in the time of leases, on the wall.
    pub fn wall_time_of(&self, time: Micros) -> Micros {
        Micros(self.now.0.saturating_add(time.0.saturating_sub(self.time.0)))
    }

    /// So much later, in the time of leases.
    pub fn time_in(&self, length: Duration) -> Micros {
        self.time.plus(length)
    }
}

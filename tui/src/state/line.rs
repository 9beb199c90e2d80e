//! How the line to the server stands.

use std::time::Duration;

use baton_shared::{Micros, protocol::HEARTBEAT};

use crate::text::Clean;

/// Where the line is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// A connection is being opened.
    Connecting,
    /// Connected; what was missed is on its way.
    CatchingUp,
    /// Everything that happened is here.
    Live,
    /// The next try is at this moment.
    Waiting { until: Micros },
    /// There will be none.
    Stopped { why: Clean },
}

/// The line to the server.
#[derive(Clone, Debug)]
pub struct Line {
    pub phase: Phase,
    /// Tries since it was last up.
    pub tries: u32,
    pub round_trip: Option<Duration>,
    /// When the stream last moved, by our clock.
    moved_at: Micros,
    /// Why it was lost, until it is back.
    pub why: Option<Clean>,
}

impl Default for Line {
    fn default() -> Self {
        Self { phase: Phase::Connecting, tries: 0, round_trip: None, moved_at: Micros::ZERO, why: None }
    }
}

impl Line {
    pub fn connecting(&mut self, attempt: u32) {
        self.phase = Phase::Connecting;
        self.tries = attempt;
    }

    pub fn welcomed(&mut self) {
        self.phase = Phase::CatchingUp;
        self.tries = 0;
        self.why = None;
    }

    /// A snapshot or events came.
    pub const fn moved(&mut self, now: Micros) {
        self.moved_at = now;
    }

    pub fn caught_up(&mut self, now: Micros) {
        self.moved(now);
        self.phase = Phase::Live;
    }

    pub fn lost(&mut self, why: &str, until: Micros) {
        self.phase = Phase::Waiting { until };
        self.why = Some(Clean::line(why));
        self.round_trip = None;
    }

    pub fn stopped(&mut self, why: &str) {
        self.phase = Phase::Stopped { why: Clean::line(why) };
    }

    /// Connected, and the stream moves: only then what is on screen is the present.
    pub fn is_live(&self, now: Micros) -> bool {
        self.phase == Phase::Live && now.since(self.moved_at) < HEARTBEAT * 2
    }

    pub const fn is_connected(&self) -> bool {
        matches!(self.phase, Phase::CatchingUp | Phase::Live)
    }
}

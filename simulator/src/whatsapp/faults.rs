//! What goes wrong, and how often: each a probability from 0 to 1, drawn from the seed.

use crate::chance::Span;

/// The faults of one run.
#[derive(Clone, Debug, PartialEq)]
pub struct Faults {
    /// A delivery is posted again, or its news once more inside another one, though it was answered
    /// 200 (Meta: a retry for one subscribed app goes to all).
    pub duplicate: f64,
    pub duplicate_after: Span,
    /// A piece of news stays behind for a moment, so that younger ones overtake it.
    pub reorder: f64,
    pub reorder_by: Span,
    /// A piece of news comes much later.
    pub delay: f64,
    pub delay_by: Span,
    /// A piece of news waits for others and shares a POST with them.
    pub batch: f64,
    pub batch_wait: Span,
    /// One of a message's statuses never comes.
    pub missing_status: f64,
    /// The statuses are there before the answer to the request that they are about.
    pub overtake: f64,
    pub overtake_by: Span,
    /// 5xx without a Graph body, nothing done.
    pub unavailable: f64,
    /// 5xx without a Graph body, but the message was taken.
    pub unavailable_after: f64,
    /// A Graph error that asks to try again: 131000, 130429 or 131056.
    pub busy: f64,
    /// No connection comes about. Over sockets this becomes a cut before anything is done.
    pub no_connection: f64,
    /// The connection breaks before anything is done.
    pub cut_before: f64,
    /// The connection breaks after the message was taken.
    pub cut_after: f64,
    /// Nothing is done and no answer ever comes.
    pub silence_before: f64,
    /// The message was taken, and no answer ever comes.
    pub silence_after: f64,
    /// A file is not taken in: 5xx without a Graph body.
    pub no_uploads: f64,
    /// A file is refused (131053).
    pub refused_uploads: f64,
}

impl Faults {
    pub const fn none() -> Self {
        Self {
            duplicate: 0.0,
            duplicate_after: Span::millis(20, 2_000),
            reorder: 0.0,
            reorder_by: Span::millis(100, 1_500),
            delay: 0.0,
            delay_by: Span::millis(2_000, 8_000),
            batch: 0.0,
            batch_wait: Span::millis(50, 400),
            missing_status: 0.0,
            overtake: 0.0,
            overtake_by: Span::millis(200, 1_500),
            unavailable: 0.0,
            unavailable_after: 0.0,
            busy: 0.0,
            no_connection: 0.0,
            cut_before: 0.0,
            cut_after: 0.0,
            silence_before: 0.0,
            silence_after: 0.0,
            no_uploads: 0.0,
            refused_uploads: 0.0,
        }
    }

    /// A bad day: everything happens, and most messages still come through.
    pub const fn rough() -> Self {
        Self {
            duplicate: 0.15,
            reorder: 0.15,
            delay: 0.03,
            batch: 0.25,
            missing_status: 0.05,
            overtake: 0.10,
            unavailable: 0.02,
            unavailable_after: 0.01,
            busy: 0.05,
            no_connection: 0.02,
            cut_before: 0.02,
            cut_after: 0.02,
            silence_before: 0.01,
            silence_after: 0.02,
            ..Self::none()
        }
    }
}

impl Faults {
    /// The probability of a fault, to set it.
    pub fn by_name(&mut self, name: &str) -> Option<&mut f64> {
        Some(match name {
            "duplicate" => &mut self.duplicate,
            "reorder" => &mut self.reorder,
            "delay" => &mut self.delay,
            "batch" => &mut self.batch,
            "missing_status" => &mut self.missing_status,
            "overtake" => &mut self.overtake,
            "unavailable" => &mut self.unavailable,
            "unavailable_after" => &mut self.unavailable_after,
            "busy" => &mut self.busy,
            "no_connection" => &mut self.no_connection,
            "cut_before" => &mut self.cut_before,
            "cut_after" => &mut self.cut_after,
            "silence_before" => &mut self.silence_before,
            "silence_after" => &mut self.silence_after,
            _ => return None,
        })
    }
}

/// What went wrong with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    Unavailable,
    UnavailableAfter,
    Busy,
    NoConnection,
    CutBefore,
    CutAfter,
    SilenceBefore,
    SilenceAfter,
}

impl Fault {
    /// Whether the request is acted on all the same.
    pub const fn is_after(self) -> bool {
        matches!(self, Self::UnavailableAfter | Self::CutAfter | Self::SilenceAfter)
    }

    /// Whether the client gets any answer at all.
    pub const fn is_answered(self) -> bool {
        matches!(self, Self::Unavailable | Self::UnavailableAfter | Self::Busy)
    }
}

impl Faults {
    /// At most one fault for a request; `None` most of the time.
    pub(crate) fn strike(&self, rng: &mut fastrand::Rng) -> Option<Fault> {
        let mut left = rng.f64();
        [
            (self.unavailable, Fault::Unavailable),
            (self.unavailable_after, Fault::UnavailableAfter),
            (self.busy, Fault::Busy),
            (self.no_connection, Fault::NoConnection),
            (self.cut_before, Fault::CutBefore),
            (self.cut_after, Fault::CutAfter),
            (self.silence_before, Fault::SilenceBefore),
            (self.silence_after, Fault::SilenceAfter),
        ]
        .into_iter()
        .find_map(|(probability, fault)| {
            left -= probability;
            (left < 0.0).then_some(fault)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_day_has_no_faults_and_a_rough_one_has_all() {
        let mut rng = fastrand::Rng::with_seed(3);
        assert!((0..10_000).all(|_| Faults::none().strike(&mut rng).is_none()));
        let seen: std::collections::BTreeSet<_> =
            (0..10_000).filter_map(|_| Faults::rough().strike(&mut rng)).collect();
        assert_eq!(seen.len(), 8);
    }
}

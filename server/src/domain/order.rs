//! Where a message stands in its thread: Meta's second first, then arrival, never the id.

use baton_shared::{Micros, message::Place};

/// The place of an inbound message that arrived `now` as number `index` of its delivery.
/// A second that is missing, not positive or in the future counts as now.
pub fn inbound(second: Option<i64>, now: Micros, index: i64) -> Place {
    let second = second.filter(|second| (1..=now.seconds()).contains(second)).unwrap_or(now.seconds());
    Place { second, arrived_at: now, index }
}

/// The place of one of ours, queued (or, later, put on its way) at `now`.
pub const fn outgoing(now: Micros, queued_at: Micros, part: i64) -> Place {
    Place { second: now.seconds(), arrived_at: queued_at, index: part }
}

/// Whether a message goes above something that was in the thread before it: it is marked, so that
/// nobody overlooks it there.
pub fn is_late(place: Place, newest: Option<Place>) -> bool {
    newest.is_some_and(|newest| place < newest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Micros = Micros::from_seconds(1_000);

    #[test]
    fn a_second_from_the_future_or_nowhere_counts_as_now() {
        for second in [None, Some(1_001), Some(i64::MAX), Some(0), Some(-5), Some(i64::MIN)] {
            assert_eq!(inbound(second, NOW, 0).second, 1_000, "{second:?}");
        }
        assert_eq!(inbound(Some(999), NOW, 0).second, 999);
    }

    #[test]
    fn an_older_message_that_arrives_now_is_late() {
        let newest = inbound(Some(990), NOW, 0);
        assert!(is_late(inbound(Some(980), NOW, 1), Some(newest)));
        assert!(!is_late(inbound(Some(990), NOW, 1), Some(newest)));
        assert!(!is_late(inbound(Some(980), NOW, 0), None));
    }

    proptest! {
        #[test]
        fn a_delivery_of_one_second_keeps_its_order(second in 1_i64..1_000, a in 0_i64..50, b in 0_i64..50) {
            prop_assert_eq!(inbound(Some(second), NOW, a) < inbound(Some(second), NOW, b), a < b);
        }
    }
}

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

const NOW: Micros = Micros::from_seconds(1_000);

fn a_moment() -> impl Strategy<Value = Micros> {
    (1_i64..2_000).prop_map(Micros::from_seconds)
}

fn a_control() -> impl Strategy<Value = Control> {
    prop_oneof![
        Just(Control::Bot),
        Just(Control::Elsewhere),
        a_moment().prop_map(|since| Control::Waiting { since }),
        (a_moment(), 0_u128..3)
            .prop_map(|(since, agent)| Control::Agent { agent: AgentId(Uuid::from_u128(agent)), since }),
        a_moment().prop_map(|until| Control::Phone { until }),
        a_moment().prop_map(|at| Control::Resolved { at }),
    ]
}

prop_compose! {
    fn a_half()(
        control in a_control(), epoch in 1_i64..50, needed in prop::option::of(a_moment()),
        closes_at in prop::option::of(a_moment()), overruled: bool, due_at in prop::option::of(a_moment()),
        unanswered_since in prop::option::of(a_moment()),
    ) -> Half {
        let waiting_since = match control {
            Control::Waiting { since } => Some(since),
            Control::Agent { .. } => needed,
            _ => None,
        };
        let open = !matches!(control, Control::Resolved { .. });
        Half {
            baton: Baton { control, epoch: Epoch(epoch), waiting_since },
            window: Window { closes_at, overruled },
            due_at: due_at.filter(|_| control == Control::Bot),
            due_since: due_at.filter(|_| control == Control::Bot),
            unanswered_since: unanswered_since.filter(|_| open),
        }
    }
}

fn an_author() -> impl Strategy<Value = Author> {
    prop::sample::select(Author::ALL.to_vec())
}

proptest! {
    #[test]
    fn the_bot_gets_nothing_that_a_person_has_or_waits_for(first in a_half(), second in a_half()) {
        let merged = merge(first, second, NOW).baton.control;
        let had = |wanted: fn(&Control) -> bool| [first, second].iter().any(|half| wanted(&half.baton.control));
        let agents = had(|control| control.owner().is_some());
        prop_assert_eq!(merged.owner().is_some(), agents);
        if !agents {
            prop_assert_eq!(
                matches!(merged, Control::Waiting { .. }), had(|control| matches!(control, Control::Waiting { .. }))
            );
        }
        if merged == Control::Bot {
            prop_assert!(had(|control| *control == Control::Bot));
            let silent = had(|control| matches!(control, Control::Elsewhere | Control::Phone { .. }));
            prop_assert!(!silent);
        }
    }

    #[test]
    fn the_earlier_owner_keeps_it_and_the_other_is_told(first in a_half(), second in a_half()) {
        let merged = merge(first, second, NOW);
        let owners = [first, second].map(|half| half.baton.control).into_iter();
        let mut owners: Vec<_> = owners.filter(|control| control.owner().is_some()).collect();
        owners.sort_by_key(Control::moment);
        let told = owners.get(1).and_then(Control::owner).filter(|agent| Some(*agent) != merged.baton.control.owner());
        prop_assert_eq!(merged.baton.control.moment().filter(|_| !owners.is_empty()), owners.first().and_then(Control::moment));
        // Two who began in the same moment: one of them has it, the other is told.
        if owners.len() == 2 && owners[0].moment() == owners[1].moment() {
            prop_assert_eq!(merged.lost_by.is_some(), owners[0].owner() != owners[1].owner());
        } else {
            prop_assert_eq!(merged.lost_by, told);
        }
    }

    #[test]
    fn which_is_named_first_decides_nothing_but_a_tie(first in a_half(), second in a_half()) {
        let (one, other) = (merge(first, second, NOW), merge(second, first, NOW));
        prop_assert_eq!(one.window, other.window);
        prop_assert_eq!((one.due_at, one.unanswered_since), (other.due_at, other.unanswered_since));
        prop_assert_eq!((one.baton.epoch, one.baton.waiting_since), (other.baton.epoch, other.baton.waiting_since));
        prop_assert_eq!(one.baton.control.word(), other.baton.control.word());
    }

    #[test]
    fn no_one_is_forgotten_and_no_fence_falls(first in a_half(), second in a_half()) {
        let merged = merge(first, second, NOW);
        prop_assert!(merged.baton.epoch > first.baton.epoch && merged.baton.epoch > second.baton.epoch);
        prop_assert_eq!(
            merged.unanswered_since.is_some(), first.unanswered_since.is_some() || second.unanswered_since.is_some()
        );
        // Promise 13: the customer has the last word, so somebody owes it.
        if merged.unanswered_since.is_some() && merged.baton.control == Control::Bot {
            prop_assert!(merged.due_at.is_some());
        }
        prop_assert!(merged.due_at.is_none() || merged.baton.control == Control::Bot);
        prop_assert!(merged.window.closes_at >= first.window.closes_at && merged.window.closes_at >= second.window.closes_at);
        // Whoever waits has an age, which is not younger than before.
        if let Control::Waiting { since } = merged.baton.control {
            prop_assert_eq!(merged.baton.waiting_since, Some(since));
        }
        for half in [first, second] {
            if let (Some(before), Some(after)) = (half.baton.waiting_since, merged.baton.waiting_since) {
                prop_assert!(after <= before);
            }
        }
    }

    #[test]
    fn a_person_s_word_always_stays(author in an_author(), was in a_control(), is in a_control()) {
        let fate = fate(author, was, is);
        prop_assert!(author.is_fenced() || fate == Fate::Stays);
        // The bot says nothing that is a person's to say.
        if author == Author::Bot && is != Control::Bot && !matches!((was, is), (Control::Waiting { .. }, Control::Waiting { .. }) | (Control::Resolved { .. }, Control::Resolved { .. })) {
            prop_assert_eq!(fate, Fate::Cancelled);
        }
    }
}

#[test]
fn what_whatsapp_said_of_the_younger_window_holds() {
    let half = |closes_at, overruled| Half {
        baton: Baton::new(Control::Bot),
        window: Window { closes_at: Some(Micros::from_seconds(closes_at)), overruled },
        due_at: None,
        due_since: None,
        unanswered_since: None,
    };
    let window = |first, second| merge(first, second, NOW).window;
    assert!(!window(half(1, true), half(2, false)).overruled);
    assert!(window(half(1, false), half(2, true)).overruled);
    assert!(window(half(2, false), half(2, true)).overruled);
}

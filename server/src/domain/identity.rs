//! Who somebody is, by the names that one payload gives: a user id routes; a phone routes only while nobody
//! knows its customer's user id.

/// What is known of a customer that a name leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known<C> {
    pub customer: C,
    /// A user id of theirs is known.
    pub has_user_id: bool,
}

/// Who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict<C> {
    /// Nobody goes by these names yet.
    New,
    /// This one; a name that is new or another's from now on is theirs as [`PhoneOf`] says.
    Is { customer: C, phone: PhoneOf },
    /// The user id and the phone lead to two customers of whom nothing says that they are two: they are one.
    AreOne { kept: C, gone: C },
}

/// Whose the phone is from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhoneOf {
    /// It stays or becomes this customer's.
    Theirs,
    /// It was somebody else's, who is known by another user id: networks give numbers out again.
    Recycled,
}

/// `gives_user_id`: the payload names one. `by_user` and `by_phone` are whom its names lead to.
pub fn who<C: Copy + PartialEq>(
    gives_user_id: bool,
    by_user: Option<Known<C>>,
    by_phone: Option<Known<C>>,
) -> Verdict<C> {
    match (by_user, by_phone) {
        (None, None) => Verdict::New,
        (Some(user), Some(phone)) if user.customer == phone.customer => is(user.customer, PhoneOf::Theirs),
        (Some(user), Some(phone)) if phone.has_user_id => is(user.customer, PhoneOf::Recycled),
        (Some(user), Some(phone)) => Verdict::AreOne { kept: user.customer, gone: phone.customer },
        (Some(user), None) => is(user.customer, PhoneOf::Theirs),
        // A user id that nobody has, on a phone of somebody who has another: another person.
        (None, Some(phone)) if gives_user_id && phone.has_user_id => Verdict::New,
        (None, Some(phone)) => is(phone.customer, PhoneOf::Theirs),
    }
}

const fn is<C>(customer: C, phone: PhoneOf) -> Verdict<C> {
    Verdict::Is { customer, phone }
}

/// What a customer goes by from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewName {
    UserId,
    Phone,
}

/// What becomes of a move to a name that leads to `other`, not to the one who moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// They are one customer.
    AreOne,
    /// The name is somebody else's: nothing changes.
    Refused,
}

/// A user id is never given out again, so whoever has it is who moved. A phone is, so only one of whom
/// nothing else is known is the same person.
pub const fn moves<C>(name: NewName, other: &Known<C>) -> Move {
    match name {
        NewName::UserId => Move::AreOne,
        NewName::Phone if other.has_user_id => Move::Refused,
        NewName::Phone => Move::AreOne,
    }
}

/// Who says that they move from a name to a new one, if they have done so already: nobody goes by the old name any
/// more (`by_old`), somebody by the new one, and nothing else that is said of them leads to anybody else. Meta says it
/// more than once, and in more than one way.
pub fn moved_already<C: Copy + PartialEq>(by_old: Option<C>, by_new: Option<C>, by_other: Option<C>) -> Option<C> {
    by_new.filter(|new| by_old.is_none() && by_other.is_none_or(|other| other == *new))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn known(customer: u8, has_user_id: bool) -> Known<u8> {
        Known { customer, has_user_id }
    }

    #[test]
    fn a_user_id_routes_and_a_phone_only_while_nobody_knows_better() {
        let (me, phone_only, another) = (known(1, true), known(2, false), known(3, true));
        assert_eq!(who(true, Some(me), None), is(1, PhoneOf::Theirs));
        assert_eq!(who(false, None, Some(another)), is(3, PhoneOf::Theirs));
        assert_eq!(who(true, None, Some(phone_only)), is(2, PhoneOf::Theirs));
        assert_eq!(who(true, None, Some(another)), Verdict::New);
        assert_eq!(who(true, Some(me), Some(another)), is(1, PhoneOf::Recycled));
        assert_eq!(who(true, Some(me), Some(phone_only)), Verdict::AreOne { kept: 1, gone: 2 });
    }

    #[test]
    fn whoever_moves_takes_no_number_that_is_somebody_else_s() {
        assert_eq!(moves(NewName::Phone, &known(2, true)), Move::Refused);
        assert_eq!(moves(NewName::Phone, &known(2, false)), Move::AreOne);
        assert_eq!(moves(NewName::UserId, &known(2, true)), Move::AreOne);
    }

    #[test]
    fn whoever_has_moved_is_not_somebody_new_when_it_is_said_again() {
        assert_eq!(moved_already(None, Some(1), None), Some(1));
        assert_eq!(moved_already(None, Some(1), Some(1)), Some(1));
        assert_eq!(moved_already(None, Some(1), Some(2)), None);
        assert_eq!(moved_already(Some(1), Some(1), None), None);
        assert_eq!(moved_already(None::<u8>, None, Some(2)), None);
    }

    proptest! {
        #[test]
        fn two_who_are_known_by_two_user_ids_never_become_one(user in 0_u8..4, phone in 0_u8..4) {
            let verdict = who(true, Some(known(user, true)), Some(known(phone, true)));
            let is_one = matches!(verdict, Verdict::AreOne { .. });
            prop_assert!(!is_one);
        }
    }
}

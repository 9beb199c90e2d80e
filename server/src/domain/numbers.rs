//! Phone numbers that are written in two ways: in Brazil, Mexico and Argentina WhatsApp knows a phone with
//! or without a digit that was added later, and webhooks name either.

use std::borrow::Cow;

/// The one way of writing that all ways of a number have in common. Only for comparing: an answer goes to
/// the number as it was received. What is no such number stays as it is.
pub fn canonical(phone: &str) -> Cow<'_, str> {
    match parts(phone) {
        // Mobiles got a ninth digit; those that had eight began with 6 to 9.
        Some(Written::Brazil { area, local }) if local.len() == 8 && is_mobile(local) => {
            Cow::Owned(format!("55{area}9{local}"))
        }
        Some(Written::Mexico { rest, with: true }) => Cow::Owned(format!("52{rest}")),
        Some(Written::Argentina { rest, with: true }) => Cow::Owned(format!("54{rest}")),
        _ => Cow::Borrowed(phone),
    }
}

/// Every way in which this number may be written, the given one first.
pub fn variants(phone: &str) -> Vec<String> {
    let other = match parts(phone) {
        Some(Written::Brazil { area, local }) => match local.strip_prefix('9') {
            Some(rest) if rest.len() == 8 && is_mobile(rest) => Some(format!("55{area}{rest}")),
            _ if local.len() == 8 && is_mobile(local) => Some(format!("55{area}9{local}")),
            _ => None,
        },
        Some(Written::Mexico { rest, with }) => Some(format!("52{}{rest}", if with { "" } else { "1" })),
        Some(Written::Argentina { rest, with }) => Some(format!("54{}{rest}", if with { "" } else { "9" })),
        None => None,
    };
    std::iter::once(phone.to_owned()).chain(other).collect()
}

enum Written<'p> {
    Brazil { area: &'p str, local: &'p str },
    Mexico { rest: &'p str, with: bool },
    Argentina { rest: &'p str, with: bool },
}

fn parts(phone: &str) -> Option<Written<'_>> {
    if !phone.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (country, rest) = phone.split_at_checked(2)?;
    match (country, rest.len()) {
        ("55", 10 | 11) => rest.split_at_checked(2).map(|(area, local)| Written::Brazil { area, local }),
        ("52", 10) => Some(Written::Mexico { rest, with: false }),
        ("52", 11) => rest.strip_prefix('1').map(|rest| Written::Mexico { rest, with: true }),
        ("54", 10) => Some(Written::Argentina { rest, with: false }),
        ("54", 11) => rest.strip_prefix('9').map(|rest| Written::Argentina { rest, with: true }),
        _ => None,
    }
}

fn is_mobile(local: &str) -> bool {
    local.starts_with(['6', '7', '8', '9'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_phone_is_found_with_and_without_the_digit() {
        for (one, other) in
            [("5511987654321", "551187654321"), ("5215512345678", "525512345678"), ("5491123456789", "541123456789")]
        {
            assert_eq!(canonical(one), canonical(other));
            assert_eq!(variants(one), [one, other]);
            assert_eq!(variants(other), [other, one]);
        }
    }

    #[test]
    fn a_landline_in_brazil_and_other_countries_have_one_way() {
        for phone in ["551133334444", "5511933334444", "4915550100101", "15550001111", "52155", "", "US.12", "55é1"] {
            assert_eq!(variants(phone), [phone]);
            assert_eq!(canonical(phone), phone);
        }
    }

    proptest! {
        #[test]
        fn all_ways_of_a_number_are_one(country in prop::sample::select(vec!["55", "52", "54", "49", ""]), rest in "[0-9]{0,12}") {
            let phone = format!("{country}{rest}");
            for variant in variants(&phone) {
                prop_assert_eq!(canonical(&variant), canonical(&phone));
                prop_assert!(variants(&variant).contains(&phone));
            }
            let one = canonical(&phone).into_owned();
            prop_assert_eq!(canonical(&one), one.as_str());
        }
    }
}

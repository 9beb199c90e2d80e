//! Meta's error codes as data: what they mean to an agent, what to do, and whether a retry helps.
//!
//! Built on `code` (and Meta's `details` for what no row explains), never on the HTTP status or the
//! title: both vary for the same error.

use std::{ops::RangeInclusive, time::Duration};

use crate::domain::outgoing::Retry;

/// What to make of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advice {
    /// A sentence for an agent.
    pub meaning: &'static str,
    /// What to do about it.
    pub next: &'static str,
    pub retry: Retry,
    /// Meta counts the customer service window as closed, whatever our clock says.
    pub closes_window: bool,
    /// Nothing that an agent does will help.
    pub alarm_operator: bool,
    /// Only Meta's `details` say what is wrong.
    pub is_vague: bool,
}

/// What to make of the error `code`, from an answer or a status.
pub fn advice(code: i64) -> &'static Advice {
    row(code).unwrap_or(&UNKNOWN)
}

/// What is wrong and what to do, in a line for an agent. `details` is Meta's own word on this message.
pub fn sentence(code: i64, details: &str) -> String {
    let Advice { meaning, next, is_vague, .. } = advice(code);
    match details.trim() {
        details if *is_vague && !details.is_empty() => format!("{meaning} {next} ({code}: {details})"),
        _ => format!("{meaning} {next} ({code})"),
    }
}

/// Whether an error says that there is too much of ours in all, not to one customer.
pub const fn is_about_the_number(code: i64) -> bool {
    matches!(code, 4 | 613 | 80_007 | 130_429 | 131_057 | 2_494_100)
}

fn row(code: i64) -> Option<&'static Advice> {
    TABLE.iter().find(|(codes, _)| codes.contains(&code)).map(|(_, advice)| advice)
}

const UNKNOWN: Advice = vague("WhatsApp refused the message.", "Change it or reach the customer another way.");

/// The message is lost; sending it again as it is changes nothing.
const fn lost(meaning: &'static str, next: &'static str) -> Advice {
    Advice { meaning, next, retry: Retry::Never, closes_window: false, alarm_operator: false, is_vague: false }
}

const fn vague(meaning: &'static str, next: &'static str) -> Advice {
    Advice { is_vague: true, ..lost(meaning, next) }
}

/// Something is wrong with the account, the number or the set-up.
const fn broken(meaning: &'static str) -> Advice {
    Advice { alarm_operator: true, ..lost(meaning, "The operator has been told; send it again when that is settled.") }
}

/// It goes again by itself.
const fn again(meaning: &'static str, retry: Retry) -> Advice {
    Advice { retry, ..lost(meaning, "It is tried again by itself for ten minutes.") }
}

const fn after(seconds: u64) -> Retry {
    Retry::After(Duration::from_secs(seconds))
}

const fn one(code: i64) -> RangeInclusive<i64> {
    code..=code
}

const WINDOW: Advice = Advice {
    closes_window: true,
    ..lost(
        "More than 24 hours have passed since the customer last wrote.",
        "Only a template can be sent until the customer writes again.",
    )
};

/// The first row that holds the code counts.
const TABLE: &[(RangeInclusive<i64>, Advice)] = &[
    (one(0), broken("WhatsApp does not accept our access token.")),
    (one(1), again("WhatsApp had an unknown error.", Retry::Few)),
    (one(2), again("WhatsApp is overloaded or down.", Retry::Backoff)),
    (one(3), broken("Our app may not send messages.")),
    (one(4), again("Our app has made too many requests.", Retry::Backoff)),
    (one(10), broken("Our app has no permission to send messages.")),
    (one(33), broken("WhatsApp does not know our phone number any more.")),
    (one(100), vague("WhatsApp says that something in the message is not valid.", "Write it differently and send it.")),
    (one(104), broken("Our access token is missing.")),
    (one(190), broken("Our access token has expired or is not valid.")),
    (200..=299, broken("Our app lacks a permission.")),
    (one(368), broken("Our account is blocked for a while because of WhatsApp's policy.")),
    (one(470), WINDOW),
    (one(613), again("Our app has made too many requests.", after(60))),
    (one(80_007), again("Our account has made too many requests.", Retry::Backoff)),
    (one(130_403), lost("We have blocked this customer.", "Unblock the customer first.")),
    (one(130_429), again("Too many messages leave our number at once.", Retry::Backoff)),
    (
        one(130_472),
        lost(
            "WhatsApp keeps marketing messages from this customer as an experiment.",
            "Wait until the customer writes.",
        ),
    ),
    (one(130_497), lost("WhatsApp does not allow messages to this country.", "Reach the customer another way.")),
    (one(131_000), again("Something went wrong at WhatsApp.", Retry::Few)),
    (one(131_005), broken("Our app has no access to this number.")),
    (131_008..=131_009, UNKNOWN),
    (one(131_016), again("WhatsApp is not available at the moment.", Retry::Backoff)),
    (131_020..=131_020, lost("The group cannot be written to.", "Look at the group on the phone.")),
    (one(131_021), lost("The message was addressed to our own number.", "Check the customer's number.")),
    (
        one(131_026),
        lost(
            "The message cannot be delivered: no WhatsApp at this number, an old version, or terms not accepted.",
            "Reach the customer another way.",
        ),
    ),
    (
        one(131_030),
        lost("Our test number may write to a few listed numbers only.", "The operator adds this number to the list."),
    ),
    (one(131_031), broken("Our account is locked.")),
    (one(131_037), broken("Our number's display name is not approved yet.")),
    (one(131_041), lost("The group cannot be written to.", "Look at the group on the phone.")),
    (one(131_042), broken("Our account's payment does not work.")),
    (one(131_044), broken("Our account's payment for calls does not work.")),
    (one(131_045), broken("Our number is not registered correctly.")),
    (one(131_047), WINDOW),
    (one(131_048), broken("Too many of our messages were blocked or reported as spam.")),
    (
        one(131_049),
        lost("WhatsApp limits how much marketing this customer gets.", "Wait a day, or until the customer writes."),
    ),
    (one(131_050), lost("The customer does not want marketing messages from us.", "Do not send them.")),
    (one(131_051), lost("WhatsApp does not support this kind of message.", "Send it as text.")),
    (one(131_052), lost("The customer's file cannot be downloaded.", "Ask the customer to send it again.")),
    (one(131_053), lost("WhatsApp does not take the file.", "Send another format or a smaller one.")),
    (one(131_055), broken("This way of sending is not allowed for our number.")),
    (one(131_056), again("Too many messages to this customer in a short time.", Retry::Pair)),
    (one(131_057), again("Our number is being moved to a higher capacity.", after(60))),
    (one(131_059), lost("The group cannot be written to.", "Look at the group on the phone.")),
    (one(131_060), lost("The message can be seen only on the business's phone.", "Look at it there.")),
    (131_061..=131_063, broken("This template must be sent in another way.")),
    (one(131_064), broken("Our templates were put into wrong categories; sending is limited.")),
    (131_200..=131_299, lost("The group cannot be written to.", "Look at the group on the phone.")),
    (132_000..=132_018, lost("The template or its blanks are not as WhatsApp knows them.", "Choose another template.")),
    (one(132_068), lost("The form of this message is blocked.", "Send it without the form.")),
    (one(132_069), lost("The form of this message is sent too often.", "Send it without the form, or later.")),
    (one(133_004), again("WhatsApp's registration is not available at the moment.", Retry::Backoff)),
    (one(133_015), again("Our number was removed a moment ago.", after(300))),
    (133_000..=133_016, broken("Our number is not registered with WhatsApp.")),
    (134_000..=134_199, broken("WhatsApp's payment terms are not accepted.")),
    (one(135_000), UNKNOWN),
    (one(137_000), lost("The customer's identity has changed.", "Make sure who it is before you send private things.")),
    (138_000..=138_999, lost("The call did not work.", "Write instead.")),
    (139_000..=139_099, lost("The form of this message does not work.", "Send it without the form.")),
    (139_100..=139_103, lost("The customer could not be blocked or unblocked.", "Try it again later.")),
    (one(2_494_100), again("Our number is in maintenance.", after(60))),
    (one(2_494_191), lost("Another app owns this thread.", "Wait until it gives the thread back.")),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_errors_that_the_outbox_lives_by() {
        assert_eq!(advice(131_056).retry, Retry::Pair);
        assert_eq!(advice(130_429).retry, Retry::Backoff);
        assert_eq!(advice(131_000).retry, Retry::Few);
        assert_eq!(advice(131_057).retry, after(60));
        assert!(advice(131_047).closes_window && advice(131_047).retry == Retry::Never);
        assert!(advice(190).alarm_operator && advice(131_042).alarm_operator);
        assert!(!advice(131_026).alarm_operator);
    }

    /// These come after WhatsApp had taken the message; an agent is told what to do next.
    #[test]
    fn failures_after_the_fact_say_what_to_do() {
        for (code, next) in [
            (131_047, "template"),
            (131_026, "another way"),
            (131_049, "Wait a day"),
            (131_050, "Do not send"),
            (130_472, "until the customer writes"),
            (131_053, "another format"),
            (131_042, "operator"),
        ] {
            let sentence = sentence(code, "");
            assert!(sentence.contains(next) && sentence.ends_with(&format!("({code})")), "{sentence}");
            assert_eq!(advice(code).retry, Retry::Never);
        }
    }

    #[test]
    fn only_the_window_closes_the_window() {
        let closing: Vec<_> = TABLE.iter().filter(|(_, advice)| advice.closes_window).map(|(codes, _)| codes).collect();
        assert_eq!(closing, [&one(470), &one(131_047)]);
    }

    #[test]
    fn what_no_row_explains_is_told_in_meta_s_words() {
        assert!(
            sentence(100, "Parameter value is not valid: lamp").ends_with("(100: Parameter value is not valid: lamp)")
        );
        assert_eq!(
            sentence(999_999, " No lamps today "),
            "WhatsApp refused the message. Change it or reach the customer another way. (999999: No lamps today)"
        );
        assert_eq!(
            sentence(131_050, "x"),
            "The customer does not want marketing messages from us. Do not send them. (131050)"
        );
    }

    #[test]
    fn every_row_speaks_to_a_person_and_is_reached() {
        for (codes, advice) in TABLE {
            for text in [advice.meaning, advice.next] {
                assert!(text.ends_with('.') && text.len() > 10, "{codes:?}");
            }
            let reached = codes.clone().any(|code| row(code) == Some(advice));
            assert!(reached, "{codes:?}");
        }
    }

    proptest! {
        #[test]
        fn an_unknown_code_is_never_tried_again(code in any::<i64>()) {
            prop_assert!(row(code).is_some() || advice(code).retry == Retry::Never);
        }
    }
}

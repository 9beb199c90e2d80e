//! How accounts, numbers and templates stand with Meta, and what that changes: the number may be stopped.

use super::outgoing::Form;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    Fine,
    /// Somebody should know.
    Warning,
    /// Somebody has to do something.
    Alarm,
}

impl Weight {
    /// The word used in SQL.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Warning => "warning",
            Self::Alarm => "alarm",
        }
    }
}

/// Why WhatsApp takes nothing from a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    Banned,
    Restricted,
    /// What the business begins: templates.
    TemplatesRestricted,
    Deleted,
    Disconnected,
    Locked,
    Policy,
    Payment,
    Token,
}

impl Stop {
    pub const ALL: [Self; 9] = [
        Self::Banned,
        Self::Restricted,
        Self::TemplatesRestricted,
        Self::Deleted,
        Self::Disconnected,
        Self::Locked,
        Self::Policy,
        Self::Payment,
        Self::Token,
    ];

    /// The code used in SQL and in events; all begin alike, so that what they hold is found.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Banned => "number_banned",
            Self::Restricted => "number_restricted",
            Self::TemplatesRestricted => "number_templates_restricted",
            Self::Deleted => "number_deleted",
            Self::Disconnected => "number_disconnected",
            Self::Locked => "number_locked",
            Self::Policy => "number_policy",
            Self::Payment => "number_payment",
            Self::Token => "number_token",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stop| stop.word() == word)
    }

    /// The one that a Graph error means: not this message is wrong, but everything from this number.
    pub const fn of_error(code: i64) -> Option<Self> {
        match code {
            0 | 190 => Some(Self::Token),
            368 => Some(Self::Policy),
            131_031 => Some(Self::Locked),
            131_042 => Some(Self::Payment),
            _ => None,
        }
    }

    /// Whether such a message would not be taken.
    pub fn stops(self, form: Form) -> bool {
        self != Self::TemplatesRestricted || form == Form::Template
    }

    /// Nobody tells when it is over: it is tried again after a while.
    pub const fn is_tried_again(self) -> bool {
        matches!(self, Self::Locked | Self::Policy | Self::Payment | Self::Token)
    }

    /// What is wrong with the number, for whoever looks at the board or at a message that waits.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Banned => "WhatsApp has banned our account",
            Self::Restricted => "WhatsApp has restricted our account: customers cannot be answered",
            Self::TemplatesRestricted => "WhatsApp has restricted our account: no templates can be sent",
            Self::Deleted => "our account was deleted at WhatsApp",
            Self::Disconnected => "our number was disconnected from WhatsApp's API",
            Self::Locked => "WhatsApp has locked our account",
            Self::Policy => "WhatsApp blocks our account for a while because of its policy",
            Self::Payment => "the payment for our account does not work",
            Self::Token => "WhatsApp does not accept our access token",
        }
    }
}

/// What a word of Meta's changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// `GREEN`, `YELLOW`, `RED`.
    Quality(String),
    /// How many customers the business may write to first in a day, in Meta's words.
    Limit(String),
    /// Messages that the number may send in a second.
    PerSecond(u32),
    /// Nothing is sent until it is lifted, or until this second.
    Stop { why: Stop, until: Option<i64> },
    /// None of these is so any more.
    Lift(&'static [Stop]),
    /// A template is from now on in this state.
    Template {
        name: String,
        language: String,
        status: Option<String>,
        quality: Option<String>,
        category: Option<String>,
    },
}

/// What Meta says of one thing; the newest word on a topic and its subject counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// A code: `quality`, `limit`, `template`, `account`, ...
    pub topic: &'static str,
    /// A template's name and language, or nothing.
    pub subject: String,
    /// Meta's own word for it.
    pub code: String,
    /// What Meta says besides.
    pub detail: String,
    pub weight: Weight,
    pub effects: Vec<Effect>,
}

/// A sentence for the board and for `doctor`.
pub fn sentence(topic: &str, subject: &str, code: &str, detail: &str) -> String {
    let said = code.to_lowercase().replace('_', " ");
    let what = match topic {
        "quality" => format!("quality of the number: {said}"),
        "limit" => format!("how many customers may be written to first in a day: {said}"),
        "throughput" => format!("messages in a second: {said}"),
        "template" => format!("template {subject}: {said}"),
        "template_quality" => format!("quality of template {subject}: {said}"),
        "template_category" => format!("category of template {subject}: {said}"),
        "status" => format!("the number: {said}"),
        "review" => format!("review of the account: {said}"),
        "name" => format!("display name: {said}"),
        "security" => format!("two-step PIN of the number: {said}"),
        "alert" => format!("alert {}: {said}", subject.to_lowercase().replace('_', " ")),
        "sending" => Stop::from_word(code).map_or(said, |stop| stop.sentence().to_owned()),
        _ => format!("account: {said}"),
    };
    if detail.is_empty() { what } else { format!("{what} ({detail})") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_is_known_by_its_word() {
        for stop in Stop::ALL {
            assert_eq!(Stop::from_word(stop.word()), Some(stop));
            assert!(stop.word().starts_with("number_"), "it is released with the others");
            assert!(stop.stops(Form::Template));
            assert_eq!(stop.stops(Form::Free), stop != Stop::TemplatesRestricted);
        }
        assert_eq!(Stop::from_word("switched_off"), None);
    }

    #[test]
    fn one_message_that_is_wrong_stops_no_number() {
        for code in [100, 131_026, 131_047, 131_049, 132_000] {
            assert_eq!(Stop::of_error(code), None);
        }
    }
}

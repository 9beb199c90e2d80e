//! Times, lengths and counts as people read them.

use std::time::Duration;

use baton_shared::Micros;
use jiff::{Timestamp, Zoned, civil::Date, tz::TimeZone};

/// What somebody gets to see who keeps people and settings only.
pub const NOT_FOR_ADMINS: &str = "admins do not see customers: sign in as agent or supervisor";

/// `14:05`.
pub fn clock(at: Micros, zone: &TimeZone) -> String {
    zoned(at, zone).strftime("%H:%M").to_string()
}

/// `14:05:11`.
pub fn clock_seconds(at: Micros, zone: &TimeZone) -> String {
    zoned(at, zone).strftime("%H:%M:%S").to_string()
}

/// `14:05`, or with the day if that is another than `now`'s.
pub fn moment(at: Micros, now: Micros, zone: &TimeZone) -> String {
    if date(at, zone) == date(now, zone) {
        clock(at, zone)
    } else {
        zoned(at, zone).strftime("%-d %b %H:%M").to_string()
    }
}

/// `Tue 14 Nov 2023`.
pub fn day(date: Date) -> String {
    date.strftime("%a %-d %b %Y").to_string()
}

pub fn date(at: Micros, zone: &TimeZone) -> Date {
    zoned(at, zone).date()
}

/// How long something has lasted: `0:48`, `12:03`, `1h04m`, `3d`.
pub fn age(length: Duration) -> String {
    let seconds = length.as_secs();
    match seconds {
        0..3600 => format!("{}:{:02}", seconds / 60, seconds % 60),
        3600..86_400 => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// What is left of something, to the minute: `21h14m`, `52m`, `0m`.
pub fn left(length: Duration) -> String {
    let minutes = length.as_secs() / 60;
    if minutes >= 60 { format!("{}h{:02}m", minutes / 60, minutes % 60) } else { format!("{minutes}m") }
}

/// Whether a kind of event is a line in the thread: control has changed.
pub fn is_milestone(kind: &str) -> bool {
    sentence(kind, None).is_some()
}

/// A milestone as a sentence; `who` did it, or got it.
pub fn milestone(kind: &str, who: Option<&str>, detail: Option<&str>) -> String {
    let sentence = sentence(kind, who).unwrap_or_else(|| kind.replace('_', " "));
    match detail {
        Some(detail) if !detail.is_empty() => format!("{sentence}: {detail}"),
        Some(_) | None => sentence,
    }
}

fn sentence(kind: &str, who: Option<&str>) -> Option<String> {
    let did = |verb: &str| who.map(|who| format!("{who} {verb}"));
    let always = |sentence: &str| Some(sentence.to_owned());
    match kind {
        "escalated" => always("needs a person"),
        "taken" => did("took over").or_else(|| always("taken over")),
        "assigned" => who.map(|who| format!("given to {who}")).or_else(|| always("given to somebody")),
        "released" => did("released it").or_else(|| always("back in the queue")),
        "handed_back" => did("handed back to the bot").or_else(|| always("handed back to the bot")),
        "resolved" => did("resolved it").or_else(|| always("resolved")),
        "reopened" => always("the customer came back"),
        "phone_replied" => always("somebody wrote on the phone; the bot pauses"),
        "pause_ended" => always("the phone's pause ended"),
        "elsewhere" => always("another app took the thread"),
        "returned" => always("the other app gave the thread back"),
        "merged" => always("two conversations with this customer became one"),
        "split" => did("split it: these are two customers").or_else(|| always("split: these are two customers")),
        "blocked" => did("blocked the customer").or_else(|| always("blocked")),
        "unblocked" => did("unblocked the customer").or_else(|| always("unblocked")),
        "errand_refused" => always("WhatsApp did not do what was asked"),
        "number_recycled" => always("this number was another customer's before"),
        _ => None,
    }
}

/// What Meta did not do for whoever asked: the event's detail, which is the errand and Meta's code.
pub fn errand_refused(detail: &str) -> String {
    let (errand, code) = detail.split_once(' ').unwrap_or((detail, ""));
    let what = match errand {
        "take" => "WhatsApp did not give us the thread: the other app keeps it",
        "pass" => "WhatsApp did not pass the thread on: it is still here",
        "release" => "WhatsApp did not release the thread: it is still here",
        "block" => "WhatsApp did not block the customer",
        "unblock" => "WhatsApp did not unblock the customer",
        _ => "WhatsApp did not do what was asked",
    };
    match code {
        "" => what.into(),
        "no_answer" => format!("{what} (it did not answer)"),
        code => format!("{what} (code {code})"),
    }
}

/// `1 message`, `3 messages`.
pub fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

fn zoned(at: Micros, zone: &TimeZone) -> Zoned {
    // A moment that no calendar has is shown as the first that has one.
    Timestamp::from_microsecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(zone.clone())
}

/// A size for people.
pub fn bytes(size: u64) -> String {
    const KILO: u64 = 1024;
    const MEGA: u64 = KILO * KILO;
    if size < KILO {
        format!("{size} B")
    } else if size < MEGA {
        format!("{} KB", size.div_ceil(KILO))
    } else {
        format!("{}.{} MB", size / MEGA, size % MEGA * 10 / MEGA)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_read_well() {
        let age = |seconds| age(Duration::from_secs(seconds));
        assert_eq!([age(48), age(723), age(3840), age(300_000)], ["0:48", "12:03", "1h04m", "3d"]);
        let left = |seconds| left(Duration::from_secs(seconds));
        assert_eq!([left(76_440), left(3120), left(59)], ["21h14m", "52m", "0m"]);
        assert_eq!([count(1, "message"), count(0, "message")], ["1 message", "0 messages"]);
    }

    #[test]
    fn moments_are_of_a_place() {
        let at = Micros::from_seconds(1_700_000_000);
        assert_eq!(clock(at, &TimeZone::UTC), "22:13");
        assert_eq!(moment(at, at.plus(Duration::from_secs(7200)), &TimeZone::UTC), "14 Nov 22:13");
        assert_eq!(day(date(at, &TimeZone::UTC)), "Tue 14 Nov 2023");
        assert_eq!(clock(Micros(i64::MAX), &TimeZone::UTC), "00:00");
    }
}

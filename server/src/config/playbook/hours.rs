//! `[hours]`: when people are there.

use std::collections::BTreeMap;

use jiff::{civil::Date, tz::TimeZone};

use super::{ConfigError, Section, quoted};
use crate::{
    config::source::Scalar,
    domain::hours::{Hours, Span},
};

const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const SPANS: &str = "spans such as [\"9:00-13:00\", \"14:00-18:00\"], or [] for none";
const DATE: &str = "a day such as \"2026-12-25\"";
const MIDNIGHT: u16 = 24 * 60;

/// `None` if the file has no such table: people are there at any time.
pub(super) fn read(section: &Section<'_>) -> Result<Option<Hours>, ConfigError> {
    if !section.is_in_file() {
        return Ok(None);
    }
    let zone = section.require("zone", "a time zone such as \"Europe/Lisbon\"", |name| TimeZone::get(name).ok())?;
    let mut week: [Vec<Span>; 7] = std::array::from_fn(|_| Vec::new());
    for (day, spans) in DAYS.into_iter().zip(&mut week) {
        *spans = read_spans(section, day)?;
    }
    let mut days = BTreeMap::new();
    for holiday in section.texts("holidays")? {
        let date = date(&holiday)?;
        if days.insert(date, Vec::new()).is_some() {
            return Err(holiday.error(&format!("{} twice", quoted(&holiday.text)), "each day once"));
        }
    }
    let extra = section.table("days")?;
    for key in extra.keys() {
        let Ok(date) = key.parse::<Date>() else { return Err(extra.wrong(&key, "no day of a calendar", DATE)) };
        let spans = read_spans(&extra, &key)?;
        if days.insert(date, spans).is_some() {
            return Err(extra.wrong(&key, "a day that is among the holidays", "it in one place"));
        }
    }
    extra.finish()?;
    if week.iter().chain(days.values()).all(Vec::is_empty) {
        return Err(section.wrong("monday", "no hour at all", "one span on one day at least, or no [hours]"));
    }
    section.finish()?;
    Ok(Some(Hours { zone, week, days }))
}

fn date(item: &Scalar) -> Result<Date, ConfigError> {
    item.text.parse().map_err(|_| item.wrong(DATE))
}

/// One span, or several in the order of the day.
fn read_spans(section: &Section<'_>, key: &str) -> Result<Vec<Span>, ConfigError> {
    let items = if section.is_text(key) { section.scalar(key)?.into_iter().collect() } else { section.texts(key)? };
    let mut spans: Vec<Span> = Vec::new();
    for item in items {
        let Some(span) = span(&item.text) else { return Err(item.wrong(SPANS)) };
        if spans.last().is_some_and(|last| last.to > span.from) {
            let found = format!("{} after a span that ends later", quoted(&item.text));
            return Err(item.error(&found, "spans in order that do not overlap"));
        }
        spans.push(span);
    }
    Ok(spans)
}

fn span(text: &str) -> Option<Span> {
    let (from, to) = text.split_once(['-', '–'])?;
    let span = Span { from: minute(from)?, to: minute(to)? };
    (span.from < span.to).then_some(span)
}

/// `9:00`, `09:30`, `24:00`.
fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let number = |text: &str, digits| {
        let fits = digits >= text.len() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u16>().ok().filter(|_| fits)
    };
    let (hour, minute) = (number(hour, 2)?, number(minute, 2).filter(|_| minute.len() == 2)?);
    let minutes = hour * 60 + minute;
    (minute < 60 && minutes <= MIDNIGHT).then_some(minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_is_what_a_clock_shows() {
        for (text, minutes) in [("9:00", 540), ("09:30", 570), (" 0:00", 0), ("24:00", 1_440)] {
            assert_eq!(minute(text), Some(minutes), "{text}");
        }
        for text in ["", "9", "9:0", "9:60", "24:01", "+9:00", "9:+1", "123:00", "9.00", "99999:00"] {
            assert_eq!(minute(text), None, "{text}");
        }
        assert_eq!(span("18:00-9:00"), None, "the next day has a key of its own");
    }
}

//! When people are there: weekdays, holidays and extra days in one time zone, and no clock.

use std::{collections::BTreeMap, time::Duration};

use baton_shared::Micros;
use jiff::{
    Timestamp, ToSpan,
    civil::{Date, DateTime, Weekday},
    tz::TimeZone,
};

/// From and to on a wall's clock, in minutes of the day: 540 to 1080 is nine to six. `to` is not open any
/// more, and may be 1440, the day's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    pub from: u16,
    pub to: u16,
}

/// A business's hours.
#[derive(Clone, Debug)]
pub struct Hours {
    pub zone: TimeZone,
    /// Monday first; a day without spans is closed.
    pub week: [Vec<Span>; 7],
    /// What holds on these days instead of their weekday's spans; none on a holiday.
    pub days: BTreeMap<Date, Vec<Span>>,
}

/// Whether people are there now, and until when that stays so; `None` is longer than [`AHEAD`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    Open { until: Option<Micros> },
    Closed { until: Option<Micros> },
}

/// Nobody looks further ahead than this.
pub const AHEAD: Duration = Duration::from_secs(400 * 24 * 3_600);

/// What is looked at in one go: most answers are in the first.
const STRIDE: Duration = Duration::from_secs(8 * 24 * 3_600);

impl Hours {
    pub fn at(&self, now: Micros) -> Opening {
        let until = self.next_change(now);
        if self.is_open(now) { Opening::Open { until } } else { Opening::Closed { until } }
    }

    /// What the wall's clock shows decides: an hour that a clock skips is never open, one that it shows twice
    /// is open twice.
    pub fn is_open(&self, at: Micros) -> bool {
        let local = self.local(at);
        let minute = u16::from(local.hour().unsigned_abs()) * 60 + u16::from(local.minute().unsigned_abs());
        self.spans(local.date()).iter().any(|span| span.from <= minute && minute < span.to)
    }

    /// What a clock on the wall shows.
    pub fn local(&self, at: Micros) -> DateTime {
        self.zone.to_datetime(timestamp(at))
    }

    fn spans(&self, date: Date) -> &[Span] {
        self.days.get(&date).unwrap_or(&self.week[usize::from(monday_first(date.weekday()))])
    }

    fn next_change(&self, now: Micros) -> Option<Micros> {
        let is_open = self.is_open(now);
        let end = now.plus(AHEAD);
        let mut from = now;
        while from < end {
            let to = from.plus(STRIDE);
            let change = self.moments(from, to).into_iter().find(|moment| self.is_open(*moment) != is_open);
            if change.is_some() {
                return change;
            }
            from = to;
        }
        None
    }

    /// All moments after `from` and up to `to` at which anything can change, in order.
    fn moments(&self, from: Micros, to: Micros) -> Vec<Micros> {
        let mut moments: Vec<Micros> = Vec::new();
        // A clock that is put back at midnight shows the day before again.
        let mut date = self.local(from).date().yesterday().unwrap_or(Date::MIN);
        let last = self.local(to).date().tomorrow().unwrap_or(Date::MAX);
        while date <= last {
            for span in self.spans(date) {
                for minute in [span.from, span.to] {
                    moments.extend(self.when(date, minute));
                }
            }
            match date.tomorrow() {
                Ok(next) => date = next,
                Err(_) => break,
            }
        }
        // The clock jumps, and what it shows with it.
        let jumps = self.zone.following(timestamp(from)).map(|jump| micros(jump.timestamp()));
        moments.extend(jumps.take_while(|jump| *jump <= to));
        moments.retain(|moment| from < *moment && *moment <= to);
        moments.sort_unstable();
        moments.dedup();
        moments
    }

    /// When the clock shows this minute of a day: twice when it is put back, never when it is put forward
    /// over it.
    fn when(&self, date: Date, minute: u16) -> Vec<Micros> {
        let Ok(local) = date.to_datetime(jiff::civil::Time::midnight()).checked_add(i64::from(minute).minutes()) else {
            return Vec::new();
        };
        let ambiguous = self.zone.to_ambiguous_timestamp(local);
        let [earlier, later] = [ambiguous.earlier(), ambiguous.later()];
        let shown = [earlier, later].into_iter().flatten().filter(|moment| self.zone.to_datetime(*moment) == local);
        shown.map(micros).collect()
    }
}

fn monday_first(day: Weekday) -> u8 {
    day.to_monday_zero_offset().unsigned_abs()
}

/// A moment that no calendar has becomes its nearest end.
fn timestamp(at: Micros) -> Timestamp {
    let end = if at.0 < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_microsecond(at.0).unwrap_or(end)
}

fn micros(at: Timestamp) -> Micros {
    Micros(at.as_microsecond())
}

#[cfg(test)]
#[path = "hours_tests.rs"]
mod tests;

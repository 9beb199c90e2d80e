//! `[waiting]`: what becomes of those who wait for a person.

use std::time::Duration;

use super::{ConfigError, Section, whole};
use crate::domain::waiting::{Fallback, Patience};

const MINUTES: &str = "a whole number of minutes from 1 to 10080";
const FALLBACK: &str = "`message`, `bot` or `callback`";

pub(super) fn read(section: &Section<'_>) -> Result<Patience, ConfigError> {
    let minutes = |key| -> Result<Option<Duration>, ConfigError> {
        let minutes = section.parse(key, MINUTES, whole(1..=10_080))?;
        Ok(minutes.map(|minutes| Duration::from_secs(minutes * 60)))
    };
    let fallback = |key| -> Result<Fallback, ConfigError> {
        Ok(section.parse(key, FALLBACK, fallback)?.unwrap_or(Fallback::Message))
    };
    let [first, again] = [minutes("still_waiting_minutes")?, minutes("still_waiting_again_minutes")?];
    let deadline = minutes("deadline_minutes")?.unwrap_or(Duration::from_secs(30 * 60));
    if again.is_some() && again <= first.or(again) {
        return Err(section.wrong("still_waiting_again_minutes", "no more than still_waiting_minutes", "a later time"));
    }
    let still_waiting: Vec<Duration> = first.into_iter().chain(again).collect();
    if still_waiting.last().is_some_and(|last| *last >= deadline) {
        return Err(section.wrong("deadline_minutes", "no more than still_waiting", "a later time"));
    }
    let patience = Patience {
        still_waiting,
        deadline,
        at_deadline: fallback("at_deadline")?,
        out_of_hours: fallback("out_of_hours")?,
    };
    section.finish()?;
    Ok(patience)
}

fn fallback(text: &str) -> Option<Fallback> {
    match text {
        "message" => Some(Fallback::Message),
        "bot" => Some(Fallback::Bot),
        "callback" => Some(Fallback::Callback),
        _ => None,
    }
}

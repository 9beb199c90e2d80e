//! The sentence that tells a customer that a person comes, and how long that takes.

use std::time::Duration;

use crate::config::{Language, Playbook};

/// The bridge in the customer's language; `None` if the playbook has none.
pub fn bridge(playbook: &Playbook, language: Language, measured: Option<Duration>) -> Option<String> {
    let wait = measured.or(playbook.expected_wait);
    let timed = wait.and_then(|wait| Some((playbook.bridge.spoken(language, playbook.language())?, wait)));
    if let Some(((text, spoken), wait)) = timed {
        return Some(text.replace("{wait}", &words(spoken, wait)));
    }
    let (text, _) = playbook.bridge_without_wait.spoken(language, playbook.language())?;
    Some(text.to_owned())
}

/// "about 5 minutes": rounded up, for who comes early is forgiven.
fn words(language: Language, wait: Duration) -> String {
    let minutes = rounded(wait.as_secs().div_ceil(60));
    let (about, minute, many, hour, hours) = match language {
        Language::SPANISH => ("unos", "minuto", "minutos", "hora", "horas"),
        Language::PORTUGUESE => ("cerca de", "minuto", "minutos", "hora", "horas"),
        Language::GERMAN => ("etwa", "Minute", "Minuten", "Stunde", "Stunden"),
        Language::FRENCH => ("environ", "minute", "minutes", "heure", "heures"),
        Language::ITALIAN => ("circa", "minuto", "minuti", "ora", "ore"),
        Language::DUTCH => ("ongeveer", "minuut", "minuten", "uur", "uur"),
        _ => ("about", "minute", "minutes", "hour", "hours"),
    };
    match minutes {
        0 | 1 => format!("1 {minute}"),
        2..60 => format!("{about} {minutes} {many}"),
        60 => format!("1 {hour}"),
        _ => format!("{about} {} {hours}", minutes.div_ceil(60)),
    }
}

/// To numbers that people say: 1 to 5, then by five, then by fifteen.
fn rounded(minutes: u64) -> u64 {
    match minutes {
        0..=5 => minutes,
        6..=30 => minutes.div_ceil(5) * 5,
        _ => minutes.div_ceil(15) * 15,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(minutes: u64) -> Option<Duration> {
        Some(Duration::from_secs(60 * minutes))
    }

    #[test]
    fn the_wait_is_said_in_the_customers_language() {
        let shop = Playbook::shop();
        let say = |language, wait| bridge(&shop, language, wait).unwrap();
        assert!(say(Language::ENGLISH, minutes(7)).contains("in about 10 minutes."));
        assert!(say(Language::GERMAN, minutes(1)).contains("in 1 Minute."));
        assert!(say(Language::PORTUGUESE, minutes(50)).contains("em 1 hora."));
        assert!(say(Language::SPANISH, minutes(200)).contains("en unos 4 horas."));
        // What was not measured is what the playbook promises.
        assert!(say(Language::FRENCH, None).contains("dans environ 5 minutes."));
    }

    #[test]
    fn a_language_without_a_text_gets_the_default_in_one_piece() {
        let shop = Playbook::shop();
        let text = bridge(&shop, Language::DUTCH, minutes(3)).unwrap();
        assert!(text.contains("answer here in about 3 minutes."), "{text}");
    }

    #[test]
    fn nobody_promises_a_time_that_nobody_knows() {
        let shop = Playbook { expected_wait: None, ..Playbook::shop() };
        assert!(bridge(&shop, Language::ENGLISH, None).unwrap().contains("as soon as possible"));
        let silent = Playbook { bridge: Default::default(), bridge_without_wait: Default::default(), ..shop };
        assert_eq!(bridge(&silent, Language::ENGLISH, minutes(3)), None);
    }
}

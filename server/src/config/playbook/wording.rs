//! Lengths of time and moments as people say them, in the languages that are known here; English elsewhere.

use std::time::Duration;

use jiff::civil::{Date, DateTime};

use super::Language;

/// "about 5 minutes": rounded up, for who comes early is forgiven.
pub(super) fn wait(language: Language, wait: Duration) -> String {
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

/// What a language needs to name a day and an hour.
struct Calendar {
    today: &'static str,
    tomorrow: &'static str,
    /// Monday first, with what stands before it.
    weekdays: [&'static str; 7],
    /// `{day}` and the month's name.
    date: &'static str,
    months: [&'static str; 12],
    /// `{time}`.
    hour: &'static str,
    /// The same at one o'clock.
    one: &'static str,
}

/// "tomorrow at 9:00", "on Monday at 9:00", "on 4 January at 9:00"; `now` and `then` on the same wall.
pub(super) fn moment(language: Language, now: DateTime, then: DateTime) -> String {
    let calendar = calendar(language);
    let hour = if then.hour() == 1 { calendar.one } else { calendar.hour };
    let time = match (language, then.minute()) {
        (Language::FRENCH, 0) => format!("{} h", then.hour()),
        (Language::FRENCH, minute) => format!("{} h {minute:02}", then.hour()),
        (_, minute) => format!("{}:{minute:02}", then.hour()),
    };
    format!("{} {}", day(calendar, now.date(), then.date()), hour.replace("{time}", &time))
}

fn day(calendar: &Calendar, today: Date, date: Date) -> String {
    match (date - today).get_days() {
        0 => calendar.today.into(),
        1 => calendar.tomorrow.into(),
        2..7 => {
            let weekday = usize::from(date.weekday().to_monday_zero_offset().unsigned_abs());
            calendar.weekdays[weekday].into()
        }
        _ => {
            let month = usize::from(date.month().unsigned_abs()).clamp(1, 12) - 1;
            calendar.date.replace("{day}", &date.day().to_string()).replace("{month}", calendar.months[month])
        }
    }
}

const fn calendar(language: Language) -> &'static Calendar {
    match language {
        Language::SPANISH => &SPANISH,
        Language::PORTUGUESE => &PORTUGUESE,
        Language::GERMAN => &GERMAN,
        Language::FRENCH => &FRENCH,
        Language::ITALIAN => &ITALIAN,
        Language::DUTCH => &DUTCH,
        _ => &ENGLISH,
    }
}

static ENGLISH: Calendar = Calendar {
    today: "today",
    tomorrow: "tomorrow",
    weekdays: ["on Monday", "on Tuesday", "on Wednesday", "on Thursday", "on Friday", "on Saturday", "on Sunday"],
    date: "on {day} {month}",
    months: [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    hour: "at {time}",
    one: "at {time}",
};

static SPANISH: Calendar = Calendar {
    today: "hoy",
    tomorrow: "mañana",
    weekdays: ["el lunes", "el martes", "el miércoles", "el jueves", "el viernes", "el sábado", "el domingo"],
    date: "el {day} de {month}",
    months: [
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ],
    hour: "a las {time}",
    one: "a la {time}",
};

static PORTUGUESE: Calendar = Calendar {
    today: "hoje",
    tomorrow: "amanhã",
    weekdays: [
        "na segunda-feira",
        "na terça-feira",
        "na quarta-feira",
        "na quinta-feira",
        "na sexta-feira",
        "no sábado",
        "no domingo",
    ],
    date: "no dia {day} de {month}",
    months: [
        "janeiro",
        "fevereiro",
        "março",
        "abril",
        "maio",
        "junho",
        "julho",
        "agosto",
        "setembro",
        "outubro",
        "novembro",
        "dezembro",
    ],
    hour: "às {time}",
    one: "à {time}",
};

static GERMAN: Calendar = Calendar {
    today: "heute",
    tomorrow: "morgen",
    weekdays: ["am Montag", "am Dienstag", "am Mittwoch", "am Donnerstag", "am Freitag", "am Samstag", "am Sonntag"],
    date: "am {day}. {month}",
    months: [
        "Januar",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ],
    hour: "um {time} Uhr",
    one: "um {time} Uhr",
};

static FRENCH: Calendar = Calendar {
    today: "aujourd'hui",
    tomorrow: "demain",
    weekdays: ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"],
    date: "le {day} {month}",
    months: [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ],
    hour: "à {time}",
    one: "à {time}",
};

static ITALIAN: Calendar = Calendar {
    today: "oggi",
    tomorrow: "domani",
    weekdays: ["lunedì", "martedì", "mercoledì", "giovedì", "venerdì", "sabato", "domenica"],
    date: "il {day} {month}",
    months: [
        "gennaio",
        "febbraio",
        "marzo",
        "aprile",
        "maggio",
        "giugno",
        "luglio",
        "agosto",
        "settembre",
        "ottobre",
        "novembre",
        "dicembre",
    ],
    hour: "alle {time}",
    one: "all'{time}",
};

static DUTCH: Calendar = Calendar {
    today: "vandaag",
    tomorrow: "morgen",
    weekdays: ["op maandag", "op dinsdag", "op woensdag", "op donderdag", "op vrijdag", "op zaterdag", "op zondag"],
    date: "op {day} {month}",
    months: [
        "januari",
        "februari",
        "maart",
        "april",
        "mei",
        "juni",
        "juli",
        "augustus",
        "september",
        "oktober",
        "november",
        "december",
    ],
    hour: "om {time} uur",
    one: "om {time} uur",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_a_number_that_people_say() {
        let say = |language, minutes: u64| wait(language, Duration::from_secs(60 * minutes));
        assert_eq!(say(Language::ENGLISH, 7), "about 10 minutes");
        assert_eq!(say(Language::GERMAN, 1), "1 Minute");
        assert_eq!(say(Language::PORTUGUESE, 50), "1 hora");
        assert_eq!(say(Language::SPANISH, 200), "unos 4 horas");
    }

    #[test]
    fn a_moment_is_named_by_its_distance() {
        let now: DateTime = "2026-12-24T18:30".parse().unwrap();
        for (then, language, words) in [
            ("2026-12-24T19:00", Language::ENGLISH, "today at 19:00"),
            ("2026-12-25T09:00", Language::SPANISH, "mañana a las 9:00"),
            ("2026-12-25T01:15", Language::PORTUGUESE, "amanhã à 1:15"),
            ("2026-12-28T09:00", Language::GERMAN, "am Montag um 9:00 Uhr"),
            ("2026-12-27T09:30", Language::FRENCH, "dimanche à 9 h 30"),
            ("2027-01-04T09:00", Language::FRENCH, "le 4 janvier à 9 h"),
            ("2026-12-31T09:00", Language::DUTCH, "op 31 december om 9:00 uur"),
            ("2026-12-28T09:00", Language::ITALIAN, "lunedì alle 9:00"),
        ] {
            assert_eq!(moment(language, now, then.parse().unwrap()), words);
        }
    }
}

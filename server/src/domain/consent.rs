//! What a customer's single word says about being written to.

/// Words that end marketing in the languages of the playbooks, as whole messages. Meta's policy asks
/// that opt-outs on WhatsApp are honoured; these are the words that carriers and Meta's own templates use.
const STOP: [&str; 22] = [
    "stop",
    "stopall",
    "unsubscribe",
    "opt out",
    "optout",
    "stopp",
    "abmelden",
    "abbestellen",
    "baja",
    "darse de baja",
    "alto",
    "parar",
    "pare",
    "sair",
    "cancelar inscrição",
    "arrêt",
    "arret",
    "désabonner",
    "desinscrire",
    "停止",
    "配信停止",
    "إيقاف",
];

const START: [&str; 9] =
    ["start", "unstop", "subscribe", "anmelden", "alta", "voltar", "inscrever", "reprendre", "再開"];

/// `Some(false)`: no marketing any more; `Some(true)`: again. Only a message that is nothing else counts.
pub fn word(text: &str) -> Option<bool> {
    let word = text.trim().trim_matches(|char: char| char.is_ascii_punctuation() || char == '。').trim().to_lowercase();
    if STOP.contains(&word.as_str()) { Some(false) } else { START.contains(&word.as_str()).then_some(true) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_message_that_is_the_word_counts() {
        for stop in ["STOP", " Stop. ", "Abmelden!", "baja", "SAIR", "停止"] {
            assert_eq!(word(stop), Some(false), "{stop}");
        }
        assert_eq!(word("Start"), Some(true));
        for neither in ["please stop calling me", "", "where does the bus stop?", "?"] {
            assert_eq!(word(neither), None, "{neither}");
        }
    }
}

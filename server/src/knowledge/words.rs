//! A text as the words that it is found by: small letters, no accents, stems.

use rust_stemmers::{Algorithm, Stemmer};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::config::Language;

/// No word is longer; what is, was never meant to be searched for.
const LONGEST: usize = 64;

/// Calls `with` for each word of `text`, folded: small letters and digits without accents. Scripts that put
/// no space between words give pairs of neighbours.
pub(super) fn each_word(text: &str, mut with: impl FnMut(&str)) {
    let mut word = String::new();
    let mut before: Option<char> = None;
    for c in text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase) {
        if is_unspaced(c) {
            end(&mut word, &mut with);
            if let Some(before) = before.replace(c) {
                with(&format!("{before}{c}"));
            }
            continue;
        }
        if before.take().is_some() || !c.is_alphanumeric() {
            end(&mut word, &mut with);
        }
        match c {
            'ß' => word.push_str("ss"),
            _ if c.is_alphanumeric() => word.push(c),
            _ => (),
        }
    }
    end(&mut word, &mut with);
}

fn end(word: &mut String, with: &mut impl FnMut(&str)) {
    if !word.is_empty() && word.len() <= LONGEST {
        with(word);
    }
    word.clear();
}

/// Han, kana, and the scripts of Thailand, Laos, Myanmar and Cambodia.
fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{20000}'..='\u{2ffff}')
}

/// Snowball's stemmer of a language; `None`: words stand as they are.
pub(super) fn stemmer(language: Language) -> Option<Stemmer> {
    let algorithm = match language.code() {
        "ar" => Algorithm::Arabic,
        "da" => Algorithm::Danish,
        "de" => Algorithm::German,
        "el" => Algorithm::Greek,
        "en" => Algorithm::English,
        "es" => Algorithm::Spanish,
        "fi" => Algorithm::Finnish,
        "fr" => Algorithm::French,
        "hu" => Algorithm::Hungarian,
        "it" => Algorithm::Italian,
        "nl" => Algorithm::Dutch,
        "no" | "nb" | "nn" => Algorithm::Norwegian,
        "pt" => Algorithm::Portuguese,
        "ro" => Algorithm::Romanian,
        "ru" => Algorithm::Russian,
        "sv" => Algorithm::Swedish,
        "ta" => Algorithm::Tamil,
        "tr" => Algorithm::Turkish,
        _ => return None,
    };
    Some(Stemmer::create(algorithm))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let mut words = Vec::new();
        each_word(text, |word| words.push(word.to_owned()));
        words
    }

    #[test]
    fn accents_case_and_marks_do_not_matter() {
        assert_eq!(words("¿Cuál es el HORÁRIO, p. ej. 9:30?"), ["cual", "es", "el", "horario", "p", "ej", "9", "30"]);
        assert_eq!(words("Straße ﬁne"), ["strasse", "fine"]);
        assert_eq!(words("営業時間 open"), ["営業", "業時", "時間", "open"]);
        assert!(words(&"x".repeat(100)).is_empty());
    }
}

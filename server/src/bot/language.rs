//! Which language a customer writes, guessed from little words; the last guess holds when in doubt.

use super::fold::{fold, words};
use crate::config::Language;

/// Words that are common in one of these languages and rare in the others; a word that two share
/// stands in both.
const WORDS: [(Language, &str); 7] = [
    (
        Language::ENGLISH,
        "the is are you your my i it do does what when where how can have has of and this that not for hello hey hi \
         please thanks thank want need would with was were will which much am an there good morning afternoon order \
         open get got",
    ),
    (
        Language::SPANISH,
        "el los las una es esta estan que como cuando donde cuanto cuanta cual puedo quiero tengo tienen mi mis su con \
         para por favor hola buenas buenos dias tardes gracias muchas y del al me te se lo hay pero muy ya hacen \
         pedido hoy abren tienda necesito hablar envio llega",
    ),
    (
        Language::PORTUGUESE,
        "o os as um uma e esta estao que como quando onde quanto qual posso quero tenho tem voce voces meu minha meus \
         com para por favor ola oi bom boa dia tarde obrigado obrigada muito nao do da no na dos das pelo tudo bem \
         mas ja fica pedido encomenda hoje abrem loja preciso falar chegou fazem",
    ),
    (
        Language::GERMAN,
        "der die das ein eine einen ich du sie wir ihr ist sind war und oder nicht kein wie wann wo was kann kannst \
         koennen habe haben hat mein meine mit fur von zu zum im bitte danke hallo guten tag morgen moin gibt es noch \
         auf bestellung paket offen euch mir mich",
    ),
    (
        Language::FRENCH,
        "le la les un une des est sont vous je tu il nous que qui quand ou comment combien quel quelle quels puis peux \
         pouvez voudrais veux ai avez mon ma mes votre vos avec pour merci bonjour bonsoir salut et du au ne pas c l d \
         j s svp sur dans commande colis a",
    ),
    (
        Language::ITALIAN,
        "il lo gli un una e sono che come quando dove quanto quale posso vorrei voglio ho avete mio mia con per favore \
         ciao buongiorno buonasera grazie di della del nel non mi si ordine pacco aperti siete oggi piu",
    ),
    (
        Language::DUTCH,
        "de het een ik je jij u wij is zijn was en of niet geen hoe wanneer waar wat kan heb hebben heeft mijn met voor \
         van naar alsjeblieft bedankt dank hallo goedemorgen goedemiddag er nog open bestelling pakket jullie graag wil",
    ),
];

/// Letters and marks that give a language away.
const MARKS: [(&str, &[Language]); 5] = [
    ("ñ¿¡", &[Language::SPANISH]),
    ("ãõ", &[Language::PORTUGUESE]),
    ("ßäöü", &[Language::GERMAN]),
    ("œêûîèù", &[Language::FRENCH]),
    ("ç", &[Language::PORTUGUESE, Language::FRENCH]),
];

/// The language of `text`, or `before` if the text does not say clearly that it has changed.
pub fn guess(text: &str, before: Option<Language>) -> Option<Language> {
    let mut scores = scores(text);
    scores.sort_by_key(|(language, score)| (std::cmp::Reverse(*score), Some(*language) != before));
    let [(best, first), (_, second), ..] = scores;
    let lead = first - second;
    match before {
        // One foreign word is a name or a habit, not a change of language.
        Some(before) if best != before && (lead < 2 || first < 3) => Some(before),
        Some(_) => Some(best),
        None => (lead > 0).then_some(best),
    }
}

fn scores(text: &str) -> [(Language, usize); WORDS.len()] {
    let folded = fold(text);
    WORDS.map(|(language, list)| {
        let common = words(&folded).filter(|word| list.split_ascii_whitespace().any(|known| known == *word)).count();
        (language, common + marks(text, language))
    })
}

fn marks(text: &str, language: Language) -> usize {
    let hits = |marks: &str| text.to_lowercase().chars().any(|c| marks.contains(c));
    MARKS.iter().filter(|(marks, languages)| languages.contains(&language) && hits(marks)).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Playbook;

    #[test]
    fn first_words_tell_most_languages() {
        for (text, language) in [
            ("Hello, where is my order?", Language::ENGLISH),
            ("hola", Language::SPANISH),
            ("oi", Language::PORTUGUESE),
            ("Wo bleibt mein Paket?", Language::GERMAN),
            ("Bonjour, où est mon colis ?", Language::FRENCH),
            ("Ciao, quando siete aperti?", Language::ITALIAN),
            ("Wanneer komt mijn bestelling?", Language::DUTCH),
        ] {
            assert_eq!(guess(text, None), Some(language), "{text}");
        }
        assert_eq!(guess("10432", None), None);
        assert_eq!(guess("", None), None);
    }

    #[test]
    fn a_word_does_not_change_the_language_but_a_sentence_does() {
        let before = Some(Language::GERMAN);
        assert_eq!(guess("ok thanks", before), before);
        assert_eq!(guess("10432", before), before);
        assert_eq!(guess("can you tell me where my order is please", before), Some(Language::ENGLISH));
    }

    #[test]
    fn most_examples_of_the_shop_are_recognised() {
        let shop = Playbook::shop();
        let examples: Vec<_> = shop.intents.iter().flat_map(|intent| &intent.examples).collect();
        let right = examples.iter().filter(|example| guess(&example.text, None) == example.language).count();
        let wrong = examples
            .iter()
            .filter(|example| guess(&example.text, None).is_some_and(|guess| Some(guess) != example.language))
            .count();
        assert!(right * 100 >= examples.len() * 80, "{right} of {}", examples.len());
        assert!(wrong * 100 <= examples.len() * 10, "{wrong} of {}", examples.len());
    }
}

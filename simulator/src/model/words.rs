//! Words of several languages made comparable: folded, without the small ones, and what a shop's
//! customers mean by them.

use std::collections::BTreeSet;

/// A language that the model answers in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    English,
    Spanish,
    Portuguese,
    German,
    French,
    Japanese,
    Arabic,
}

/// What it is about, whatever the language: prefixes of folded words, or pieces of unspaced script.
const CONCEPTS: [(&str, &[&str]); 15] = [
    (
        "hours",
        &[
            "open",
            "clos",
            "hours",
            "abr",
            "abiert",
            "horari",
            "aberto",
            "cierr",
            "fech",
            "offn",
            "geoffnet",
            "schlie",
            "ouvert",
            "ouvr",
            "ferm",
            "営業",
            "開い",
            "مفتوح",
            "تفتح",
        ],
    ),
    ("order", &["order", "pedid", "encomenda", "bestell", "command", "注文", "طلب"]),
    (
        "delivery",
        &["ship", "deliver", "envi", "entreg", "frete", "liefer", "versand", "livr", "expedi", "配送", "توصيل", "توصل"],
    ),
    (
        "return",
        &[
            "return",
            "exchang",
            "devol",
            "troc",
            "umtausch",
            "zuruck",
            "ruckgab",
            "rucksend",
            "retour",
            "echang",
            "返品",
            "ارجاع",
        ],
    ),
    ("refund", &["refund", "reembols", "erstatt", "rembours", "返金", "استرداد"]),
    ("price", &["price", "cost", "preci", "cuest", "prec", "preis", "kost", "prix", "cout", "値段", "料金", "سعر"]),
    (
        "payment",
        &["pay", "card", "pago", "pagar", "tarjeta", "cartao", "pix", "zahl", "kart", "payer", "carte", "支払", "دفع"],
    ),
    ("gift", &["gift", "wrap", "regal", "presente", "geschenk", "cadeau", "emball", "ギフト", "包装", "هديه"]),
    ("address", &["address", "direccion", "enderec", "adress", "住所", "عنوان"]),
    (
        "damage",
        &["broke", "damag", "defect", "rot", "danad", "quebr", "kaputt", "defekt", "cass", "abim", "壊れ", "مكسور"],
    ),
    ("stock", &["stock", "availab", "disponib", "lager", "verfugbar", "在庫", "متوفر"]),
    (
        "person",
        &[
            "human",
            "person",
            "colleague",
            "humano",
            "atendente",
            "mensch",
            "mitarbeiter",
            "personne",
            "humain",
            "conseiller",
            "担当",
            "موظف",
        ],
    ),
    (
        "law",
        &[
            "law",
            "legal",
            "privac",
            "datenschutz",
            "dsgvo",
            "rgpd",
            "lgpd",
            "gdpr",
            "court",
            "abogad",
            "advogad",
            "anwalt",
            "avocat",
            "juridi",
        ],
    ),
    ("injury", &["burn", "injur", "hospital", "quem", "herid", "urgencias", "verbrann", "verletz", "brul", "bless"]),
    (
        "weekend",
        &[
            "saturday",
            "sunday",
            "weekend",
            "sabado",
            "domingo",
            "samstag",
            "sonntag",
            "wochenende",
            "samedi",
            "dimanche",
        ],
    ),
];

/// Words that say little, and by that which language it is.
const SMALL: [(Language, &[&str]); 5] = [
    (
        Language::English,
        &[
            "the", "a", "an", "is", "are", "do", "does", "you", "your", "i", "my", "me", "it", "to", "of", "and", "or",
            "in", "on", "at", "for", "with", "can", "could", "would", "what", "when", "where", "how", "please", "hi",
            "hello", "hey", "that", "this", "there", "not", "so", "if", "was", "did", "have", "be", "we", "about",
            "from", "out", "no", "yes", "ok",
        ],
    ),
    (
        Language::Spanish,
        &[
            "el", "la", "los", "las", "un", "una", "es", "son", "que", "de", "del", "y", "o", "en", "por", "para",
            "con", "mi", "su", "me", "se", "lo", "no", "si", "hola", "donde", "cuando", "como", "cuanto", "favor",
            "puedo", "esta", "al", "ya", "a", "le", "hay",
        ],
    ),
    (
        Language::Portuguese,
        &[
            "o", "a", "os", "as", "um", "uma", "e", "que", "de", "do", "da", "em", "no", "na", "por", "para", "com",
            "meu", "minha", "voces", "voce", "oi", "ola", "onde", "quando", "qual", "posso", "nao", "sim", "pode",
            "ao",
        ],
    ),
    (
        Language::German,
        &[
            "der", "die", "das", "ein", "eine", "ist", "sind", "ich", "sie", "mein", "meine", "und", "oder", "in",
            "am", "im", "zu", "mit", "fur", "auf", "bitte", "hallo", "guten", "tag", "wo", "wann", "wie", "kann",
            "nicht", "auch", "noch", "es", "wer", "von", "bleibt",
        ],
    ),
    (
        Language::French,
        &[
            "le", "la", "les", "un", "une", "des", "est", "sont", "je", "vous", "mon", "ma", "et", "ou", "en", "de",
            "du", "a", "pour", "avec", "bonjour", "quand", "comment", "puis", "peux", "qui", "que", "ne", "pas", "s",
            "l", "d", "il", "vous", "plait", "ce", "se",
        ],
    ),
];

/// The words that matter, once each: folded, numbers and small words left out, unspaced scripts in pairs.
pub(super) fn content(text: &str) -> BTreeSet<String> {
    let is_small = |word: &String| SMALL.iter().any(|(_, small)| small.contains(&word.as_str()));
    let mut words: BTreeSet<String> = tokens(text).into_iter().filter(|word| !is_small(word)).collect();
    words.retain(|word| !word.chars().all(char::is_numeric) && (word.chars().count() > 1));
    words
}

/// The same without those that say what it is about: these are counted by their meaning.
pub(super) fn remaining(text: &str) -> BTreeSet<String> {
    let mut words = content(text);
    words.retain(|word| concepts(word).is_empty());
    words
}

/// What the text is about.
pub(super) fn concepts(text: &str) -> BTreeSet<&'static str> {
    let tokens = tokens(text);
    let folded = fold(text);
    let is_meant = |stem: &str| {
        if stem.is_ascii() { tokens.iter().any(|token| token.starts_with(stem)) } else { folded.contains(stem) }
    };
    CONCEPTS.iter().filter(|(_, stems)| stems.iter().any(|stem| is_meant(stem))).map(|(name, _)| *name).collect()
}

/// How much two texts have in common: words, and what they are about.
pub(super) fn shared(one: &str, other: &str) -> usize {
    content(one).intersection(&content(other)).count() + concepts(one).intersection(&concepts(other)).count()
}

/// The language of a text, by its script or its small words; English if nothing shows.
pub(super) fn language(text: &str) -> Language {
    let has = |from: char, to: char| text.chars().any(|c| (from..=to).contains(&c));
    if has('\u{3040}', '\u{30ff}') || has('\u{4e00}', '\u{9fff}') {
        return Language::Japanese;
    }
    if has('\u{0600}', '\u{06ff}') {
        return Language::Arabic;
    }
    let tokens = tokens(text);
    let votes = |small: &[&str]| tokens.iter().filter(|token| small.contains(&token.as_str())).count();
    let most = SMALL.iter().map(|(_, small)| votes(small)).max().unwrap_or(0);
    SMALL
        .iter()
        .find(|(_, small)| most > 0 && votes(small) == most)
        .map_or(Language::English, |(language, _)| *language)
}

fn tokens(text: &str) -> Vec<String> {
    let folded = fold(text);
    let mut tokens = Vec::new();
    for word in folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        if word.chars().all(|c| c >= '\u{3040}') {
            let characters: Vec<char> = word.chars().collect();
            tokens.extend(characters.windows(2).map(|pair| pair.iter().collect::<String>()));
        } else {
            tokens.push(word.to_owned());
        }
    }
    tokens
}

/// Lower case, without the accents that people leave out when they type.
fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            'á' | 'à' | 'â' | 'ã' | 'ä' | 'å' => folded.push('a'),
            'é' | 'è' | 'ê' | 'ë' => folded.push('e'),
            'í' | 'ì' | 'î' | 'ï' => folded.push('i'),
            'ó' | 'ò' | 'ô' | 'õ' | 'ö' => folded.push('o'),
            'ú' | 'ù' | 'û' | 'ü' => folded.push('u'),
            'ç' => folded.push('c'),
            'ñ' => folded.push('n'),
            'ß' => folded.push_str("ss"),
            'أ' | 'إ' | 'آ' => folded.push('ا'),
            'ة' => folded.push('ه'),
            '\u{0300}'..='\u{036f}' => {}
            c => folded.push(c),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_show_by_script_and_small_words() {
        for (text, language) in [
            ("where is the parcel", Language::English),
            ("¿dónde está mi paquete?", Language::Spanish),
            ("vocês têm uma loja em Lisboa?", Language::Portuguese),
            ("wann kommt mein Paket an?", Language::German),
            ("quand est-ce que vous répondez ?", Language::French),
            ("荷物はどこですか", Language::Japanese),
            ("أين الطرد", Language::Arabic),
            ("42", Language::English),
        ] {
            assert_eq!(super::language(text), language, "{text}");
        }
    }

    #[test]
    fn the_same_is_meant_in_every_language() {
        for text in ["Where is my order?", "¿y mi pedido?", "Meine Bestellung", "ma commande", "注文について"] {
            assert!(concepts(text).contains("order"), "{text}");
        }
        assert!(concepts("the thing from before").is_empty());
    }

    #[test]
    fn accents_and_small_words_do_not_matter() {
        assert_eq!(content("¿Dónde está el JARRÓN?"), content("jarron"));
    }
}

//! What people say unscripted, in their languages.

/// One language's small talk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Phrases {
    /// To something that tells.
    pub(super) thanks: &'static [&'static str],
    /// To something that asks.
    pub(super) yes: &'static [&'static str],
    /// One more question, while they are at it.
    pub(super) more: &'static [&'static str],
    pub(super) nudge: &'static str,
}

impl Phrases {
    /// Of a language tag such as `pt-BR`; English for what nobody here speaks.
    pub(super) fn of(language: &str) -> Self {
        match language.split('-').next().unwrap_or_default() {
            "es" => SPANISH,
            "pt" => PORTUGUESE,
            "de" => GERMAN,
            "fr" => FRENCH,
            "ja" => JAPANESE,
            "ar" => ARABIC,
            _ => ENGLISH,
        }
    }
}

const ENGLISH: Phrases = Phrases {
    thanks: &["Thanks!", "Great, thank you.", "Perfect, thanks a lot 🙏", "ok thx"],
    yes: &["Yes, please.", "Yes, that works for me.", "Sure, go ahead.", "Yes. Anything else you need from me?"],
    more: &["And do you ship to Ireland?", "One more thing: can I pay by card?", "Do you also gift-wrap?"],
    nudge: "Hello? Is anyone there?",
};

const SPANISH: Phrases = Phrases {
    thanks: &["¡Gracias!", "Perfecto, muchas gracias.", "Vale, gracias 😊"],
    yes: &["Sí, por favor.", "Sí, me va bien.", "Claro que sí."],
    more: &["¿Y hacen envíos a Canarias?", "Otra cosa: ¿puedo pagar con tarjeta?"],
    nudge: "¿Hola? ¿Hay alguien ahí?",
};

const PORTUGUESE: Phrases = Phrases {
    thanks: &["Obrigada!", "Perfeito, muito obrigado.", "Tá bom, valeu 🙏"],
    yes: &["Sim, por favor.", "Sim, pode ser.", "Claro!"],
    more: &["E vocês entregam em Porto Alegre?", "Mais uma coisa: posso pagar com Pix?"],
    nudge: "Oi? Tem alguém aí?",
};

const GERMAN: Phrases = Phrases {
    thanks: &["Danke!", "Super, vielen Dank.", "Alles klar, danke schön 👍"],
    yes: &["Ja, bitte.", "Ja, das passt mir gut.", "Ja, gerne."],
    more: &["Liefern Sie auch nach Österreich?", "Noch etwas: Kann ich mit Karte zahlen?"],
    nudge: "Hallo? Ist da jemand?",
};

const FRENCH: Phrases = Phrases {
    thanks: &["Merci !", "Parfait, merci beaucoup.", "D'accord, merci 🙂"],
    yes: &["Oui, s'il vous plaît.", "Oui, ça me convient.", "Oui, bien sûr."],
    more: &["Et livrez-vous en Belgique ?", "Autre chose : puis-je payer par carte ?"],
    nudge: "Bonjour ? Il y a quelqu'un ?",
};

const JAPANESE: Phrases = Phrases {
    thanks: &["ありがとうございます！", "助かりました🙏"],
    yes: &["はい、お願いします。", "はい、大丈夫です。"],
    more: &["ちなみに、配送は何日かかりますか？"],
    nudge: "もしもし、どなたかいらっしゃいますか？",
};

const ARABIC: Phrases = Phrases {
    thanks: &["شكرا جزيلا!", "ممتاز، شكرا 🙏"],
    yes: &["نعم، من فضلك.", "نعم، هذا مناسب."],
    more: &["وهل توصلون إلى عمان؟"],
    nudge: "مرحبا؟ هل من أحد هنا؟",
};

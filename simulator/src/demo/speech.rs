//! What scripted agents say, in the language in which the customer was told that a person comes.

/// One language's sentences, in the order in which one might say them.
struct Speech {
    /// A word of the bridge in the built-in playbook.
    bridge: &'static str,
    sentences: [&'static str; 4],
}

const ENGLISH: [&str; 4] = [
    "Hello, I have read everything and am looking into it, one moment.",
    "Thank you for waiting. That is arranged; you will have it by Friday.",
    "I have noted that for my colleagues.",
    "Is there anything else I can do for you?",
];

const OTHERS: [Speech; 4] = [
    Speech {
        bridge: "del equipo",
        sentences: [
            "Hola, lo he leído todo y lo estoy mirando, un momento.",
            "Gracias por esperar. Está arreglado; lo tendrá el viernes.",
            "Lo he anotado para mi equipo.",
            "¿Hay algo más en lo que pueda ayudar?",
        ],
    },
    Speech {
        bridge: "da equipa",
        sentences: [
            "Olá, já li tudo e estou a ver, um momento.",
            "Obrigado por esperar. Está tratado; chega até sexta-feira.",
            "Anotei para a minha equipa.",
            "Posso ajudar em mais alguma coisa?",
        ],
    },
    Speech {
        bridge: "Kolleg",
        sentences: [
            "Guten Tag, ich habe alles gelesen und sehe nach, einen Moment.",
            "Danke fürs Warten. Das ist veranlasst; Sie haben es bis Freitag.",
            "Ich habe es für das Team notiert.",
            "Kann ich sonst noch etwas für Sie tun?",
        ],
    },
    Speech {
        bridge: "de l'équipe",
        sentences: [
            "Bonjour, j'ai tout lu et je regarde, un instant.",
            "Merci d'avoir attendu. C'est arrangé ; vous l'aurez vendredi.",
            "Je l'ai noté pour mes collègues.",
            "Puis-je faire autre chose pour vous ?",
        ],
    },
];

/// What to say for the `turn`th time, from 0, to somebody who was told `bridge`.
pub(super) fn say(bridge: Option<&str>, turn: u32) -> &'static str {
    let other = OTHERS.iter().find(|speech| bridge.is_some_and(|bridge| bridge.contains(speech.bridge)));
    let sentences = other.map_or(ENGLISH, |speech| speech.sentences);
    let place = usize::try_from(turn).unwrap_or(usize::MAX).min(sentences.len() - 1);
    sentences[place]
}

#[cfg(test)]
mod tests {
    use baton_server::{
        config::{Language, Playbook},
        domain::occasion::Occasion,
    };

    use super::*;

    #[test]
    fn the_bridge_tells_the_language() {
        let shop = Playbook::shop();
        let bridges = shop.speech.texts(Occasion::Bridge).expect("the shop has one");
        let hello = |language| say(bridges.get(language), 0).split([',', ' ']).next();
        let languages =
            [Language::ENGLISH, Language::SPANISH, Language::PORTUGUESE, Language::GERMAN, Language::FRENCH];
        assert_eq!(languages.map(hello), ["Hello", "Hola", "Olá", "Guten", "Bonjour"].map(Some));
        assert_eq!(say(None, 9), ENGLISH[3]);
    }
}

//! A customer who waits for a person would rather have the bot again.

/// Whole messages that ask for it in the languages of the playbooks; only a message that is nothing else counts,
/// for "the bot told me nonsense" is said to people.
const BOT: [&str; 43] = [
    "bot",
    "the bot",
    "assistant",
    "chatbot",
    "back to bot",
    "back to the bot",
    "back to the assistant",
    "bot please",
    "talk to the bot",
    "never mind the person",
    "el bot",
    "asistente",
    "volver al bot",
    "vuelve el bot",
    "con el bot",
    "bot por favor",
    "quiero el bot",
    "volver al asistente",
    "o bot",
    "voltar ao bot",
    "voltar para o bot",
    "voltar à assistente",
    "quero o bot",
    "der bot",
    "assistent",
    "assistentin",
    "zurück zum bot",
    "zum bot",
    "bot bitte",
    "zurück zur assistentin",
    "zurück zum assistenten",
    "le bot",
    "assistante",
    "l'assistant",
    "l'assistante",
    "retour au bot",
    "revenir au bot",
    "bot svp",
    "il bot",
    "torna al bot",
    "assistente virtuale",
    "de bot",
    "terug naar de bot",
];

pub fn asks_for_bot(text: &str) -> bool {
    let said = text.to_lowercase().replace('’', "'");
    let said = said.trim_matches(|char: char| char.is_whitespace() || char.is_ascii_punctuation());
    let said = said.replace(',', "");
    BOT.contains(&said.split_whitespace().collect::<Vec<_>>().join(" ").as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_message_that_asks_for_the_bot_counts() {
        for text in
            ["Bot", " back to the bot! ", "Bot, please", "¡el bot!", "Zurück zum Bot.", "L’assistante", "voltar ao bot"]
        {
            assert!(asks_for_bot(text.trim_start_matches('¡')), "{text}");
        }
        for text in ["", "I don't want a bot", "the bot told me nonsense", "are you a bot?", "robot", "person"] {
            assert!(!asks_for_bot(text), "{text}");
        }
    }
}

//! What well-known models cost, so that an operator need not say it: list prices of November 2026 as LiteLLM 1.106.2
//! (MIT) collects them from the providers' pages. Prices in the settings overrule them.

use crate::domain::money::Price;

/// Provider, model, and millionths of a dollar for a million tokens: input, cached input, output.
const KNOWN: [(&str, &str, [i64; 3]); 26] = [
    ("anthropic", "claude-haiku-4-5", [1_000_000, 100_000, 5_000_000]),
    ("anthropic", "claude-haiku-5-5", [100_000, 10_000, 500_000]),
    ("anthropic", "claude-sonnet-4-5", [3_000_000, 300_000, 15_000_000]),
    ("anthropic", "claude-sonnet-4-6", [3_000_000, 300_000, 15_000_000]),
    ("anthropic", "claude-sonnet-5", [2_000_000, 200_000, 10_000_000]),
    ("anthropic", "claude-sonnet-5-5", [2_000_000, 100_000, 10_000_000]),
    ("anthropic", "claude-opus-5", [5_000_000, 500_000, 25_000_000]),
    ("anthropic", "claude-opus-5-5", [4_000_000, 200_000, 20_000_000]),
    ("openai", "gpt-4o", [2_500_000, 1_250_000, 10_000_000]),
    ("openai", "gpt-4o-mini", [150_000, 75_000, 600_000]),
    ("openai", "gpt-4.1", [2_000_000, 500_000, 8_000_000]),
    ("openai", "gpt-4.1-mini", [400_000, 100_000, 1_600_000]),
    ("openai", "gpt-4.1-nano", [100_000, 25_000, 400_000]),
    ("openai", "gpt-5", [1_250_000, 125_000, 10_000_000]),
    ("openai", "gpt-5-mini", [250_000, 25_000, 2_000_000]),
    ("openai", "gpt-5-nano", [50_000, 5_000, 400_000]),
    ("openai", "gpt-5.4", [2_500_000, 250_000, 15_000_000]),
    ("openai", "gpt-5.4-mini", [750_000, 75_000, 4_500_000]),
    ("openai", "gpt-5.4-nano", [200_000, 20_000, 1_250_000]),
    ("openai", "gpt-5.6-luna", [200_000, 20_000, 1_200_000]),
    ("openai", "gpt-5.6-terra", [2_000_000, 200_000, 12_000_000]),
    ("groq", "openai/gpt-oss-120b", [150_000, 75_000, 600_000]),
    ("groq", "openai/gpt-oss-20b", [75_000, 37_500, 300_000]),
    ("mistral", "mistral-small-latest", [150_000, 15_000, 600_000]),
    ("mistral", "mistral-medium-latest", [1_500_000, 150_000, 7_500_000]),
    ("mistral", "mistral-large-latest", [500_000, 50_000, 1_500_000]),
];

/// The price of a model by its provider's word and its name, with or without a date at its end. What runs on one's
/// own machine costs nothing a token.
pub(super) fn known(provider: &str, name: &str) -> Option<Price> {
    if provider == "ollama" {
        return Some(Price { input: 0, cached: 0, output: 0 });
    }
    let prices = KNOWN.iter().find(|(theirs, model, _)| *theirs == provider && *model == without_date(name))?.2;
    let [input, cached, output] = prices.map(|millionths| millionths * 1_000);
    Some(Price { input, cached, output })
}

/// `gpt-5-mini-2025-08-07` and `claude-haiku-4-5-20251001` are what they are called without it.
fn without_date(name: &str) -> &str {
    let long = name.len().checked_sub(11).filter(|at| name.is_char_boundary(*at));
    let short = name.len().checked_sub(9).filter(|at| name.is_char_boundary(*at));
    let is_date = |end: &str, dashes: usize| {
        end.starts_with("-20")
            && end.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit())
            && end.matches('-').count() == dashes
    };
    match (long, short) {
        (Some(at), _) if is_date(&name[at..], 3) => &name[..at],
        (_, Some(at)) if is_date(&name[at..], 1) => &name[..at],
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_known_with_and_without_its_date() {
        let haiku = known("anthropic", "claude-haiku-4-5").unwrap();
        assert_eq!(haiku, Price { input: 1_000_000_000, cached: 100_000_000, output: 5_000_000_000 });
        assert_eq!(known("anthropic", "claude-haiku-4-5-20251001"), Some(haiku));
        assert_eq!(known("openai", "gpt-5-mini-2025-08-07"), known("openai", "gpt-5-mini"));
        assert_eq!(known("ollama", "llama3.2").unwrap().output, 0);
        for (provider, name) in
            [("openai", "claude-haiku-4-5"), ("openai", "gpt-5-mini-12345678"), ("other", ""), ("groq", "é-2025")]
        {
            assert_eq!(known(provider, name), None, "{provider} {name}");
        }
    }
}

//! A handoff in a few lines that an agent understands in five seconds.

use baton_shared::message::Author;

use super::{
    context::{Said, TurnContext},
    decide::Reason,
};

/// Why, what the customer said now and before, what was tried, and what a person has promised.
/// `about` is an intent's title, if one is known or likely.
pub fn summary(context: &TurnContext, reason: &Reason, about: Option<&str>) -> String {
    let mut lines = vec![why(context, reason, about)];
    lines.extend(quote("Said", &context.question(), 200));
    let before: Vec<&Said> = context.answered().collect();
    lines.extend(before.iter().rev().take(2).filter_map(|said| quote("Before", &said.text, 100)));
    let tried = context.said.iter().rev().find(|said| said.author == Author::Bot);
    lines.extend(tried.and_then(|said| quote("Bot", &said.text, 120)));
    let promise = context.stretches.iter().rev().find_map(|stretch| Some((&stretch.by, stretch.promised.as_ref()?)));
    lines.extend(promise.and_then(|(by, promise)| quote(&format!("Promised by {by}"), promise, 120)));
    lines.join("\n")
}

fn why(context: &TurnContext, reason: &Reason, about: Option<&str>) -> String {
    let why = match reason {
        Reason::AskedForHuman => "Asks for a person".into(),
        Reason::HumanOnlyTopic => return about.map_or_else(|| "Needs a person".into(), capital),
        Reason::LowConfidence => "The bot is not sure".into(),
        Reason::Unresolved => match context.unresolved_turns {
            0 | 1 => "The bot's answer did not help".into(),
            turns => format!("{turns} answers did not help"),
        },
        Reason::ModelFailed => "The bot's model does not answer".into(),
        Reason::Declined => "The provider of the bot's model declined to answer".into(),
        Reason::BudgetSpent => "What may be spent on the bot's models is spent".into(),
        Reason::BotOff => "The bot is switched off".into(),
        Reason::Late => "Was written long before it arrived".into(),
        Reason::CannotRead => {
            let kind = context.pending().find(|said| said.kind != "text").map_or("something", |said| &said.kind);
            format!("Sent what the bot cannot read ({kind})")
        }
    };
    about.map_or_else(|| why.clone(), |about| format!("{why}; probably {about}"))
}

fn quote(who: &str, text: &str, most: usize) -> Option<String> {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = line.chars().take(most).collect();
    let more = if short.len() < line.len() { "..." } else { "" };
    (!line.is_empty()).then(|| format!("{who}: {short}{more}"))
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

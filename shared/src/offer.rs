//! What is sent besides words and files: choices, links, questions for a place or a number, forms,
//! places and cards, each with Meta's limits. Checked here by both ends, so that nothing is sent to fail.

use serde::{Deserialize, Serialize};

use crate::content::{ContactCard, Content, Location};

/// Something that a customer can do more with than read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "offer", rename_all = "snake_case")]
pub enum Offer {
    /// Up to three answers, one key each.
    Buttons {
        words: Words,
        buttons: Vec<String>,
    },
    /// A list that opens, with up to ten rows.
    List {
        words: Words,
        label: String,
        sections: Vec<Section>,
    },
    /// A button that opens an address.
    Link {
        words: Words,
        label: String,
        url: String,
    },
    /// A button that sends where they are.
    AskPlace {
        body: String,
    },
    /// A button that shares their number.
    AskContact {
        body: String,
    },
    /// A form that Meta keeps (a flow), by its id; `screen` is the first one.
    Form {
        words: Words,
        label: String,
        flow: String,
        #[serde(default)]
        screen: String,
    },
    /// A place, in degrees.
    Place {
        latitude: String,
        longitude: String,
        #[serde(default)]
        name: String,
        #[serde(default)]
        address: String,
    },
    Cards {
        cards: Vec<ContactCard>,
    },
    /// Of a kind that this build does not know.
    #[serde(other)]
    Unknown,
}

/// What stands with it: above in bold, the words themselves, and small below.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Words {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub above: String,
    pub body: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub below: String,
}

/// A part of a list; it needs a title if there is another one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Section {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub title: String,
    pub rows: Vec<Row>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Row {
    pub title: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// What of an offer WhatsApp would refuse.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {why}")]
pub struct Unfit {
    /// As a person calls it: `button 2`, `row 4`.
    pub field: String,
    pub why: String,
}

/// Meta's limits, in characters where it is not said otherwise.
const BODY: usize = 1024;
const LIST_BODY: usize = 4096;
const AROUND: usize = 60;
const LABEL: usize = 20;
pub const BUTTONS: usize = 3;
/// Of all sections together.
pub const ROWS: usize = 10;
const TITLE: usize = 24;
const DESCRIPTION: usize = 72;
/// Not Meta's: nobody reads more, and a frame holds them.
const CARDS: usize = 10;
const CARD_TEXT: usize = 200;

impl Offer {
    /// The `type` of the message that brings it.
    pub const fn message_kind(&self) -> &'static str {
        match self {
            Self::Place { .. } => "location",
            Self::Cards { .. } => "contacts",
            _ => "interactive",
        }
    }

    /// What can be read of it in a line: for the queue, for search, for the bot.
    pub fn text(&self) -> String {
        match self {
            Self::Buttons { words, .. }
            | Self::List { words, .. }
            | Self::Link { words, .. }
            | Self::Form { words, .. } => words.body.clone(),
            Self::AskPlace { body } | Self::AskContact { body } => body.clone(),
            Self::Place { latitude, longitude, name, .. } if name.is_empty() => format!("{latitude}, {longitude}"),
            Self::Place { name, .. } => name.clone(),
            Self::Cards { cards } => {
                let names: Vec<&str> = cards.iter().filter_map(|card| card.name.as_deref()).collect();
                names.join(", ")
            }
            Self::Unknown => String::new(),
        }
    }

    /// How it is kept with its message: places and cards like those of customers.
    pub fn content(self) -> Content {
        let filled = |text: String| (!text.is_empty()).then_some(text);
        match self {
            Self::Place { latitude, longitude, name, address } => {
                let (name, address) = (filled(name), filled(address));
                Content::Location(Location { latitude, longitude, name, address, url: None })
            }
            Self::Cards { cards } => Content::Contacts { cards },
            offer => Content::Offer(offer),
        }
    }

    /// Every text in it, to be cleaned.
    pub fn texts_mut(&mut self) -> Vec<&mut String> {
        fn of(words: &mut Words) -> [&mut String; 3] {
            [&mut words.above, &mut words.body, &mut words.below]
        }
        match self {
            Self::Buttons { words, buttons } => of(words).into_iter().chain(buttons).collect(),
            Self::List { words, label, sections } => {
                let rows = sections.iter_mut().flat_map(|section| {
                    let rows = section.rows.iter_mut().flat_map(|row| [&mut row.title, &mut row.description]);
                    std::iter::once(&mut section.title).chain(rows)
                });
                of(words).into_iter().chain([label]).chain(rows).collect()
            }
            Self::Link { words, label, url } => of(words).into_iter().chain([label, url]).collect(),
            Self::AskPlace { body } | Self::AskContact { body } => vec![body],
            Self::Form { words, label, flow, screen } => of(words).into_iter().chain([label, flow, screen]).collect(),
            Self::Place { latitude, longitude, name, address } => vec![latitude, longitude, name, address],
            Self::Cards { cards } => {
                let texts = cards.iter_mut().flat_map(|card| {
                    let named = [&mut card.name, &mut card.organisation].into_iter().flatten();
                    named.chain(&mut card.phones).chain(&mut card.emails)
                });
                texts.collect()
            }
            Self::Unknown => vec![],
        }
    }

    /// # Errors
    /// The first thing that WhatsApp would refuse, by the name of its field.
    pub fn check(&self) -> Result<(), Unfit> {
        match self {
            Self::Buttons { words, buttons } => {
                words.check(BODY)?;
                some("buttons", buttons.len(), BUTTONS)?;
                numbered("button", buttons.iter().map(|title| (title, LABEL)))?;
                all_different("button", buttons)
            }
            Self::List { words, label, sections } => {
                words.check(LIST_BODY)?;
                text("opens with", label, LABEL)?;
                check_sections(sections)
            }
            Self::Link { words, label, url } => {
                words.check(BODY)?;
                text("on the button", label, LABEL)?;
                let is_address = ["https://", "http://"].iter().any(|start| url.starts_with(start));
                match is_address && !url.contains(char::is_whitespace) && url.len() > "https://".len() {
                    true => Ok(()),
                    false => no("address", "it must be one that begins with https://"),
                }
            }
            Self::AskPlace { body } | Self::AskContact { body } => text("text", body, BODY),
            Self::Form { words, label, flow, screen } => {
                words.check(BODY)?;
                text("on the button", label, LABEL)?;
                if flow.is_empty() || !flow.bytes().all(|byte| byte.is_ascii_digit()) {
                    return no("form's id", "it is a number, from Meta's WhatsApp Manager");
                }
                optional("first screen", screen, AROUND)
            }
            Self::Place { latitude, longitude, name, address } => {
                degrees("latitude", latitude, 90.0)?;
                degrees("longitude", longitude, 180.0)?;
                optional("name", name, CARD_TEXT)?;
                optional("address", address, CARD_TEXT)
            }
            Self::Cards { cards } => {
                some("cards", cards.len(), CARDS)?;
                for (at, card) in cards.iter().enumerate() {
                    check_card(card).map_err(|unfit| match cards.len() {
                        1 => unfit,
                        _ => Unfit { field: format!("{} of card {}", unfit.field, at + 1), ..unfit },
                    })?;
                }
                Ok(())
            }
            Self::Unknown => no("kind", "this build does not know it: update it"),
        }
    }
}

impl Words {
    fn check(&self, most: usize) -> Result<(), Unfit> {
        text("text", &self.body, most)?;
        optional("line above", &self.above, AROUND)?;
        optional("line below", &self.below, AROUND)
    }
}

fn check_sections(sections: &[Section]) -> Result<(), Unfit> {
    let rows: Vec<&Row> = sections.iter().flat_map(|section| &section.rows).collect();
    some("rows", rows.len(), ROWS)?;
    for (at, section) in sections.iter().enumerate() {
        let name = format!("section {}", at + 1);
        if sections.len() > 1 {
            text(&name, &section.title, TITLE)?;
        }
        optional(&name, &section.title, TITLE)?;
        if section.rows.is_empty() {
            return no(&name, "it has no rows");
        }
    }
    numbered("row", rows.iter().map(|row| (&row.title, TITLE)))?;
    for (at, row) in rows.iter().enumerate() {
        optional(&format!("description of row {}", at + 1), &row.description, DESCRIPTION)?;
    }
    Ok(())
}

fn check_card(card: &ContactCard) -> Result<(), Unfit> {
    text("name", card.name.as_deref().unwrap_or_default(), CARD_TEXT)?;
    if card.phones.is_empty() && card.emails.is_empty() {
        return no("phone", "a card has a phone or an e-mail address");
    }
    for phone in &card.phones {
        let is_phone = phone.chars().all(|c| c.is_ascii_digit() || "+-() ./".contains(c));
        if !is_phone || phone.chars().filter(char::is_ascii_digit).count() < 5 {
            return no("phone", "it is digits, with the country's code");
        }
    }
    match card.emails.iter().find(|email| !email.contains('@')) {
        Some(_) => no("e-mail", "it has no @ in it"),
        None => optional("organisation", card.organisation.as_deref().unwrap_or_default(), CARD_TEXT),
    }
}

fn no<T>(field: &str, why: impl Into<String>) -> Result<T, Unfit> {
    Err(Unfit { field: field.into(), why: why.into() })
}

fn text(field: &str, text: &str, most: usize) -> Result<(), Unfit> {
    if text.trim().is_empty() { no(field, "it is missing") } else { optional(field, text, most) }
}

fn optional(field: &str, text: &str, most: usize) -> Result<(), Unfit> {
    let length = text.chars().count();
    if length > most { no(field, format!("it has {length} characters, at most {most} are possible")) } else { Ok(()) }
}

fn some(field: &str, count: usize, most: usize) -> Result<(), Unfit> {
    match count {
        0 => no(field, "there are none"),
        count if count > most => no(field, format!("there are {count}, at most {most} are possible")),
        _ => Ok(()),
    }
}

fn numbered<'t>(what: &str, mut texts: impl Iterator<Item = (&'t String, usize)>) -> Result<(), Unfit> {
    let mut number = 0;
    texts.try_for_each(|(each, most)| {
        number += 1;
        text(&format!("{what} {number}"), each, most)
    })
}

fn all_different(what: &str, texts: &[String]) -> Result<(), Unfit> {
    let twin = (1..texts.len()).find(|at| texts[..*at].contains(&texts[*at]));
    twin.map_or(Ok(()), |at| no(&format!("{what} {}", at + 1), "another one says the same"))
}

fn degrees(field: &str, text: &str, most: f64) -> Result<(), Unfit> {
    match text.parse::<f64>() {
        Ok(number) if number.abs() <= most => Ok(()),
        Ok(_) | Err(_) => no(field, format!("it is a number from -{most} to {most}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> Words {
        Words { body: "Which one?".into(), ..Words::default() }
    }

    fn buttons(titles: &[&str]) -> Offer {
        Offer::Buttons { words: words(), buttons: titles.iter().map(|title| (*title).into()).collect() }
    }

    fn list(sections: &[(&str, usize)]) -> Offer {
        let section = |(title, rows): &(&str, usize)| Section {
            title: (*title).into(),
            rows: (0..*rows).map(|row| Row { title: format!("row {row}"), ..Row::default() }).collect(),
        };
        Offer::List { words: words(), label: "Choose".into(), sections: sections.iter().map(section).collect() }
    }

    fn why(offer: &Offer) -> String {
        offer.check().unwrap_err().to_string()
    }

    #[test]
    fn what_meta_would_refuse_is_named() {
        assert_eq!(buttons(&["Yes", "No", "Later"]).check(), Ok(()));
        assert_eq!(why(&buttons(&[])), "buttons: there are none");
        assert_eq!(why(&buttons(&["1", "2", "3", "4"])), "buttons: there are 4, at most 3 are possible");
        assert_eq!(why(&buttons(&["Yes", &"é".repeat(21)])), "button 2: it has 21 characters, at most 20 are possible");
        assert_eq!(why(&buttons(&["Yes", "No", "Yes"])), "button 3: another one says the same");
        assert_eq!(why(&buttons(&["Yes", " "])), "button 2: it is missing");
        let long = Words { body: "x".repeat(1_025), ..words() };
        let offer = Offer::Buttons { words: long.clone(), buttons: vec!["Yes".into()] };
        assert_eq!(why(&offer), "text: it has 1025 characters, at most 1024 are possible");
        assert_eq!(list(&[("", 10)]).check(), Ok(()));
        assert_eq!(why(&list(&[("A", 6), ("B", 5)])), "rows: there are 11, at most 10 are possible");
        assert_eq!(why(&list(&[("A", 2), ("", 1)])), "section 2: it is missing");
        assert_eq!(why(&list(&[("A", 2), ("B", 0)])), "section 2: it has no rows");
        let Offer::List { label, sections, .. } = list(&[("", 1)]) else { unreachable!() };
        assert_eq!(Offer::List { words: long, label, sections }.check(), Ok(()), "a list's text may be longer");
        let link = |url: &str| Offer::Link { words: words(), label: "Open".into(), url: url.into() };
        assert_eq!(link("https://lumen.example/77").check(), Ok(()));
        for wrong in ["lumen.example", "https://", "https://a b", "javascript:alert(1)", ""] {
            assert_eq!(why(&link(wrong)), "address: it must be one that begins with https://");
        }
        assert_eq!(why(&Offer::AskPlace { body: String::new() }), "text: it is missing");
    }

    #[test]
    fn a_place_is_on_earth_and_a_card_can_be_called() {
        let place = |latitude: &str, longitude: &str| Offer::Place {
            latitude: latitude.into(),
            longitude: longitude.into(),
            name: String::new(),
            address: String::new(),
        };
        assert_eq!(place("52.5", "-13.4").check(), Ok(()));
        for (latitude, longitude, field) in [("91", "0", "latitude"), ("NaN", "0", "latitude"), ("1", "x", "longitude")]
        {
            assert_eq!(place(latitude, longitude).check().unwrap_err().field, field);
        }
        let card = |phones: &[&str]| Offer::Cards {
            cards: vec![ContactCard {
                name: Some("Ana".into()),
                phones: phones.iter().map(|phone| (*phone).into()).collect(),
                ..ContactCard::default()
            }],
        };
        assert_eq!(card(&["+49 (30) 1234-5"]).check(), Ok(()));
        assert_eq!(card(&[]).check().unwrap_err().field, "phone");
        assert_eq!(card(&["call me"]).check().unwrap_err().field, "phone");
    }

    #[test]
    fn it_is_kept_as_it_was_and_one_of_a_later_build_is_no_error() {
        for offer in [buttons(&["Yes"]), list(&[("A", 2)]), Offer::AskContact { body: "Your number?".into() }] {
            let json = serde_json::to_string(&offer.clone().content()).unwrap();
            assert_eq!(serde_json::from_str::<Content>(&json).unwrap(), Content::Offer(offer), "{json}");
        }
        let later = r#"{"type":"offer","offer":"hologram","depth":3}"#;
        assert_eq!(serde_json::from_str::<Content>(later).unwrap(), Content::Offer(Offer::Unknown));
    }
}

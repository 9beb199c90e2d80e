//! The lines that make an offer: which there are for each kind, and what comes of them.

use baton_shared::{
    content::ContactCard,
    offer::{Offer, Row, Section, Words},
};
use serde::{Deserialize, Serialize};

use crate::composer::Editor;

/// What can be offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Buttons,
    List,
    Link,
    AskPlace,
    AskContact,
    Place,
    Card,
    Form,
}

/// A line to fill in, or several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    pub label: &'static str,
    pub hint: &'static str,
    pub rows: u16,
}

const fn line(label: &'static str, hint: &'static str) -> Field {
    Field { label, hint, rows: 1 }
}

const TEXT: Field = Field { label: "Text", hint: "what the customer reads", rows: 3 };
const ABOVE: Field = line("Line above", "bold, or none");
const BELOW: Field = line("Line below", "small, or none");
const LABEL: Field = line("On the button", "at most 20 characters");

const BUTTONS: &[Field] = &[
    TEXT,
    line("Answer 1", "at most 20 characters"),
    line("Answer 2", "or none"),
    line("Answer 3", "or none"),
    ABOVE,
    BELOW,
];
const ROWS: Field = Field { label: "Rows, one a line", hint: "title | more about it;  # begins a heading", rows: 6 };
const CARDS: Field = Field { label: "More cards, one a line", hint: "name | phone | e-mail | organisation", rows: 4 };
const LIST: &[Field] = &[TEXT, line("Opens with", "at most 20 characters"), ROWS, ABOVE, BELOW];
const LINK: &[Field] = &[TEXT, LABEL, line("Address", "https://"), ABOVE, BELOW];
const ASK: &[Field] = &[TEXT];
const PLACE: &[Field] =
    &[line("Where", "latitude, longitude: 52.5163, 13.3777"), line("Name", "or none"), line("Address", "or none")];
const CARD: &[Field] = &[
    line("Name", "of a person or a business"),
    line("Phone", "+49 30 1234567"),
    line("E-mail", "or none"),
    line("Organisation", "or none"),
    CARDS,
];
const FORM: &[Field] =
    &[TEXT, LABEL, line("Form's id", "from Meta's WhatsApp Manager"), line("First screen", "or none"), ABOVE, BELOW];

impl Kind {
    pub const ALL: [Self; 8] =
        [Self::Buttons, Self::List, Self::Link, Self::AskPlace, Self::AskContact, Self::Place, Self::Card, Self::Form];

    /// What it is called, and what it is for.
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Buttons => ("answers", "up to 3, to be pressed"),
            Self::List => ("list", "up to 10 rows, one to be chosen"),
            Self::Link => ("link", "a button that opens an address"),
            Self::AskPlace => ("ask for a place", "the customer sends where they are"),
            Self::AskContact => ("ask for the number", "the customer shares their phone number"),
            Self::Place => ("place", "on a map"),
            Self::Card => ("cards", "names with their phones"),
            Self::Form => ("form", "a flow that Meta keeps, by its id"),
        }
    }

    pub const fn fields(self) -> &'static [Field] {
        match self {
            Self::Buttons => BUTTONS,
            Self::List => LIST,
            Self::Link => LINK,
            Self::AskPlace | Self::AskContact => ASK,
            Self::Place => PLACE,
            Self::Card => CARD,
            Self::Form => FORM,
        }
    }
}

/// An offer that is being written.
#[derive(Clone, Debug)]
pub struct Form {
    pub kind: Kind,
    /// One for each of its fields.
    pub values: Vec<Editor>,
    pub at: usize,
}

/// As it lies on disk.
#[derive(Serialize, Deserialize)]
struct Kept {
    kind: Kind,
    values: Vec<String>,
}

impl Form {
    pub fn new(kind: Kind) -> Self {
        Self { kind, values: kind.fields().iter().map(|_| Editor::default()).collect(), at: 0 }
    }

    fn filled(kind: Kind, texts: &[String]) -> Self {
        let mut form = Self::new(kind);
        for (editor, text) in form.values.iter_mut().zip(texts) {
            editor.replace(text);
        }
        form
    }

    pub fn is_empty(&self) -> bool {
        self.values.iter().all(Editor::is_empty)
    }

    /// To be kept; nothing if nothing is written.
    pub fn kept(&self) -> String {
        if self.is_empty() {
            return String::new();
        }
        let values = self.values.iter().map(|value| value.text().to_owned()).collect();
        serde_json::to_string(&Kept { kind: self.kind, values }).unwrap_or_default()
    }

    pub fn restored(kept: &str) -> Option<Self> {
        let Kept { kind, values } = serde_json::from_str(kept).ok()?;
        Some(Self::filled(kind, &values))
    }

    /// What it says so far; whether it may be sent, says [`Offer::check`].
    pub fn offer(&self) -> Offer {
        let texts: Vec<String> = self.values.iter().map(|value| value.text().trim().to_owned()).collect();
        let text = |at: usize| texts.get(at).cloned().unwrap_or_default();
        let words = |above: usize| Words { above: text(above), body: text(0), below: text(above + 1) };
        match self.kind {
            Kind::Buttons => {
                let buttons = (1..=3).map(text).filter(|title| !title.is_empty()).collect();
                Offer::Buttons { words: words(4), buttons }
            }
            Kind::List => Offer::List { words: words(3), label: text(1), sections: sections(&text(2)) },
            Kind::Link => Offer::Link { words: words(3), label: text(1), url: text(2) },
            Kind::AskPlace => Offer::AskPlace { body: text(0) },
            Kind::AskContact => Offer::AskContact { body: text(0) },
            Kind::Place => {
                let whole = text(0);
                let (latitude, longitude) = whole.split_once([',', ' ']).unwrap_or((&whole, ""));
                Offer::Place {
                    latitude: latitude.trim().into(),
                    longitude: longitude.trim().into(),
                    name: text(1),
                    address: text(2),
                }
            }
            Kind::Card => {
                let first = card([0, 1, 2, 3].map(text));
                Offer::Cards { cards: std::iter::once(first).chain(cards(&text(4))).collect() }
            }
            Kind::Form => Offer::Form { words: words(4), label: text(1), flow: text(2), screen: text(3) },
        }
    }

    /// The lines that an offer was made of; `None` for one that is made of none.
    pub fn of(offer: &Offer) -> Option<Self> {
        let around = |words: &Words, inside: Vec<String>| {
            let below = [words.above.clone(), words.below.clone()];
            std::iter::once(words.body.clone()).chain(inside).chain(below).collect::<Vec<_>>()
        };
        let (kind, texts) = match offer {
            Offer::Buttons { words, buttons } => {
                let mut three = buttons.clone();
                three.resize(3, String::new());
                (Kind::Buttons, around(words, three))
            }
            Offer::List { words, label, sections } => (Kind::List, around(words, vec![label.clone(), rows(sections)])),
            Offer::Link { words, label, url } => (Kind::Link, around(words, vec![label.clone(), url.clone()])),
            Offer::AskPlace { body } => (Kind::AskPlace, vec![body.clone()]),
            Offer::AskContact { body } => (Kind::AskContact, vec![body.clone()]),
            Offer::Form { words, label, flow, screen } => {
                (Kind::Form, around(words, vec![label.clone(), flow.clone(), screen.clone()]))
            }
            Offer::Place { latitude, longitude, name, address } => {
                (Kind::Place, vec![format!("{latitude}, {longitude}"), name.clone(), address.clone()])
            }
            Offer::Cards { cards } => {
                let (first, others) = cards.split_first()?;
                let others: Vec<String> = others.iter().map(|card| parts_of(card).join(" | ")).collect();
                (Kind::Card, parts_of(first).into_iter().chain([others.join("\n")]).collect())
            }
            Offer::Unknown => return None,
        };
        Some(Self::filled(kind, &texts))
    }
}

/// Of a name, a phone, an e-mail address and an organisation, any of which may be empty.
fn card(parts: [String; 4]) -> ContactCard {
    let [name, phone, email, organisation] = parts.map(|part| Some(part).filter(|part| !part.is_empty()));
    ContactCard { name, organisation, phones: phone.into_iter().collect(), emails: email.into_iter().collect() }
}

fn parts_of(card: &ContactCard) -> [String; 4] {
    let first = |texts: &[String]| texts.first().cloned().unwrap_or_default();
    let (name, organisation) = (card.name.clone(), card.organisation.clone());
    [name.unwrap_or_default(), first(&card.phones), first(&card.emails), organisation.unwrap_or_default()]
}

/// A line is a card.
fn cards(text: &str) -> impl Iterator<Item = ContactCard> + '_ {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| {
        let mut parts = line.splitn(4, '|').map(|part| part.trim().to_owned());
        card(std::array::from_fn(|_| parts.next().unwrap_or_default()))
    })
}

/// A line is a row; one that begins with `#` is a section's title.
fn sections(text: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(title) = line.strip_prefix('#') {
            sections.push(Section { title: title.trim().into(), rows: vec![] });
            continue;
        }
        let (title, description) = line.split_once('|').unwrap_or((line, ""));
        let row = Row { title: title.trim().into(), description: description.trim().into() };
        match sections.last_mut() {
            Some(section) => section.rows.push(row),
            None => sections.push(Section { title: String::new(), rows: vec![row] }),
        }
    }
    sections
}

fn rows(sections: &[Section]) -> String {
    let lines = sections.iter().flat_map(|section| {
        let title = (!section.title.is_empty()).then(|| format!("# {}", section.title));
        let rows = section.rows.iter().map(|row| match row.description.as_str() {
            "" => row.title.clone(),
            more => format!("{} | {more}", row.title),
        });
        title.into_iter().chain(rows)
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_make_an_offer_and_come_back_from_it() {
        let words = || Words { above: "Lamps".into(), body: "Which one?\nTell us.".into(), below: String::new() };
        let row = |title: &str, description: &str| Row { title: title.into(), description: description.into() };
        let sections = vec![
            Section { title: "Floor".into(), rows: vec![row("Tall", "150 cm"), row("Small", "")] },
            Section { title: "Desk".into(), rows: vec![row("Desk", "")] },
        ];
        let card = ContactCard {
            name: Some("Ana".into()),
            organisation: None,
            phones: vec!["+49 30 12345".into()],
            emails: vec![],
        };
        let text = String::from;
        for offer in [
            Offer::Buttons { words: words(), buttons: vec!["Yes".into(), "No".into()] },
            Offer::List { words: words(), label: "See".into(), sections },
            Offer::Link { words: words(), label: "Open".into(), url: "https://l.example".into() },
            Offer::AskPlace { body: "Where?".into() },
            Offer::AskContact { body: "Your number?".into() },
            Offer::Form { words: words(), label: "Open".into(), flow: "77".into(), screen: "START".into() },
            Offer::Place { latitude: text("52.5"), longitude: text("13.4"), name: text("Shop"), address: text("") },
            Offer::Cards { cards: vec![card.clone()] },
            Offer::Cards {
                cards: vec![card.clone(), ContactCard { emails: vec!["a@b.example".into()], ..card.clone() }, card],
            },
        ] {
            assert_eq!(offer.check(), Ok(()));
            let form = Form::of(&offer).expect("it has lines");
            assert_eq!(form.values.len(), form.kind.fields().len());
            assert_eq!(form.offer(), offer);
            let kept = Form::restored(&form.kept()).expect("it was kept");
            assert_eq!(kept.offer(), offer);
        }
        assert_eq!(Form::new(Kind::List).kept(), "");
        assert!(Form::restored("{broken").is_none());
    }
}

//! What a message holds besides its text. Everything here comes from Meta and may be missing there;
//! what nobody knows yet has no content, only its kind and what can be read of it.

use serde::{Deserialize, Serialize};

use crate::{clock::Micros, offer::Offer};

/// What a message holds, and what came along with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Detail {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<Content>,
    /// The advertisement or post that brought the customer here (Meta's `referral`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referral: Option<Referral>,
    /// The product that the customer wrote from (`context.referred_product`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<Product>,
    /// It was written by somebody else first (`context.forwarded`, `frequently_forwarded`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forwarded: Option<Forwarded>,
    /// What the bot's words rest on, as it says itself: passages of the business's own documents.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
}

/// A passage of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Source {
    /// The document's name, for example `returns.md`.
    pub document: String,
    /// The headings above the passage, outermost first: `Returns > Exchanges`; empty if there is none.
    pub heading: String,
}

impl Detail {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The typed body of a message; its text (a caption, a title) stands beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Content {
    /// An image, video, audio, document or sticker; which, says the kind.
    Media(Media),
    Location(Location),
    /// Cards from somebody's address book.
    Contacts {
        cards: Vec<ContactCard>,
    },
    /// What the customer chose: a button, a row of a list, a quick reply of a template.
    Choice(Choice),
    /// A filled-in form (a flow, an address).
    Form(Form),
    /// Whether the business may call.
    CallPermission {
        granted: bool,
        until: Option<Micros>,
    },
    Order(Order),
    /// What was offered to the customer: choices, a link, a question, a form.
    Offer(Offer),
    /// A reaction to a message that is not here.
    Reaction {
        emoji: Option<String>,
    },
    /// What WhatsApp says of the customer: `user_changed_number` and the like.
    System {
        event: String,
    },
    Call(Call),
    /// WhatsApp could not pass it on.
    Unsupported {
        what: Option<String>,
        code: Option<i64>,
        why: Option<String>,
    },
    /// Of a kind that this build does not know.
    #[serde(other)]
    Unknown,
}

/// A file in a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Media {
    /// As Meta says, for example `audio/ogg; codecs=opus`.
    pub mime_type: Option<String>,
    /// As its sender named it: foreign text, never a path.
    pub file_name: Option<String>,
    /// Recorded with the microphone button.
    pub voice: bool,
    /// A sticker that moves.
    pub animated: bool,
    /// How far its bytes have come; `None` for what has none to fetch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<MediaState>,
    /// In bytes, once they are here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<i64>,
    /// Whether the server has a small picture of it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub thumbnail: bool,
    /// Why they are not here, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// What a model heard or saw in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
}

/// Where the bytes of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(type_name = "text", rename_all = "snake_case"))]
#[serde(rename_all = "snake_case")]
pub enum MediaState {
    /// Not here yet; being fetched, or tried again.
    Waiting,
    Stored,
    /// Given up.
    Failed,
    /// WhatsApp does not have them any more, or never had.
    Gone,
    /// Not what they claim to be, or more than is taken.
    Refused,
    /// Of a kind that this build does not know.
    #[serde(other)]
    Unknown,
}

impl MediaState {
    /// The word used in SQL and on the wire.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Stored => "stored",
            Self::Failed => "failed",
            Self::Gone => "gone",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }
}

/// A sender's file name as one that a folder may hold: its last part, without anything that cannot be
/// seen or means something to a file system, and not too long. `None` if nothing is left.
pub fn plain_name(name: &str) -> Option<String> {
    const LONGEST: usize = 120;
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    // Marks that turn the direction hide what a name ends with.
    let turns =
        |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    let seen = last.chars().filter(|c| !c.is_control() && !turns(*c) && !r#"<>:"|?*"#.contains(*c));
    let seen: String = seen.collect();
    let seen = seen.trim_matches(|c: char| c == '.' || c == '-' || c.is_whitespace());
    // The end tells what it is.
    let too_long = seen.chars().count().saturating_sub(LONGEST);
    let kept: String = seen.chars().skip(too_long).collect();
    (!kept.is_empty()).then_some(kept)
}

/// A place on earth, in degrees as Meta wrote them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    pub latitude: String,
    pub longitude: String,
    pub name: Option<String>,
    pub address: Option<String>,
    pub url: Option<String>,
}

/// One card from an address book.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ContactCard {
    pub name: Option<String>,
    pub organisation: Option<String>,
    pub phones: Vec<String>,
    pub emails: Vec<String>,
}

/// One of several that were offered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// What the business named it, not shown to the customer.
    pub id: Option<String>,
    pub title: Option<String>,
    pub description: Option<String>,
}

/// A form with what was written into it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    /// `flow`, `address_message`.
    pub name: Option<String>,
    pub fields: Vec<Field>,
    /// The answers came as something that is no JSON.
    pub broken: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    pub name: String,
    pub value: String,
}

/// What the customer wants to buy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub catalog: Option<String>,
    pub items: Vec<OrderItem>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderItem {
    pub product: String,
    pub quantity: Option<String>,
    /// Of one, as Meta wrote it.
    pub price: Option<String>,
    pub currency: Option<String>,
}

/// A call by the customer, or one of ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    pub by_customer: bool,
    /// `connect`, `terminate` and the like.
    pub event: Option<String>,
    pub seconds: Option<i64>,
}

/// An advertisement or post.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Referral {
    /// `ad` or `post`.
    pub source: Option<String>,
    pub url: Option<String>,
    pub headline: Option<String>,
    pub body: Option<String>,
}

/// A product of a catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    pub catalog: Option<String>,
    pub product: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Forwarded {
    Once,
    /// Many times.
    Often,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_of_a_later_build_is_unknown_not_an_error() {
        let later = r#"{"content":{"type":"hologram","depth":3},"forwarded":"often","weather":"fine"}"#;
        let read: Detail = serde_json::from_str(later).unwrap();
        assert_eq!((read.content, read.forwarded), (Some(Content::Unknown), Some(Forwarded::Often)));
    }

    #[test]
    fn a_foreign_name_leads_nowhere() {
        let plain = |name| plain_name(name).unwrap_or_default();
        assert_eq!(plain("../../etc/passwd"), "passwd");
        assert_eq!(plain("C:\\Users\\me\\bill.pdf"), "bill.pdf");
        assert_eq!(plain("\u{1b}[2Jbill\r\n.pdf"), "[2Jbill.pdf");
        assert_eq!(plain("bill\u{202e}fdp.exe"), "billfdp.exe");
        assert_eq!(plain("-rf .bashrc"), "rf .bashrc");
        assert_eq!(plain("Überweisung 3.pdf"), "Überweisung 3.pdf");
        for nothing in ["", "..", "/", "a/..", "   ", "\0"] {
            assert_eq!(plain_name(nothing), None, "{nothing:?}");
        }
        assert!(plain(&format!("{}.pdf", "x".repeat(500))).ends_with("x.pdf"));
    }

    #[test]
    fn nothing_is_written_as_nothing() {
        assert_eq!(serde_json::to_string(&Detail::default()).unwrap(), "{}");
        assert!(serde_json::from_str::<Detail>("{}").unwrap().is_empty());
    }
}

//! Message templates: what Meta has approved, what has to be filled in, and how it will look.

use serde::{Deserialize, Serialize};

use crate::ids::UploadId;

/// A template of the business account, as synced from Meta.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    pub name: String,
    /// Meta's code, for example `pt_BR`.
    pub language: String,
    /// `MARKETING`, `UTILITY`, `AUTHENTICATION`.
    pub category: String,
    /// `APPROVED`, `PENDING`, `PAUSED`, ...; only the first can be sent.
    pub status: String,
    /// `GREEN`, `YELLOW`, `RED`, if Meta has judged it.
    #[serde(default)]
    pub quality: Option<String>,
    pub header: Option<Header>,
    pub body: String,
    pub footer: Option<String>,
    pub buttons: Vec<Button>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Header {
    Text {
        text: String,
    },
    /// `image`, `video` or `document`, given as a link or a [`file()`] when it is sent.
    Media {
        kind: String,
    },
    /// Of a kind that Baton cannot fill in.
    Other {
        format: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    /// `quick_reply`, `url`, `phone_number`, `copy_code`, ...
    pub kind: String,
    pub text: String,
    /// With `{{1}}` at its end if a part of it is filled in.
    pub url: Option<String>,
}

/// A template with what was filled in, in the order of [`Template::slots`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filled {
    pub name: String,
    pub language: String,
    pub values: Vec<String>,
}

/// Something to fill in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    pub part: Part,
    /// `1`, or the name that the template gives it.
    pub name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    HeaderText,
    /// A link to the file.
    HeaderMedia,
    Body,
    /// The end of a button's address, or a code to copy.
    Button(usize),
}

/// Why a template cannot be sent as it was filled in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    #[error("it has {wanted} fields, {given} were filled in")]
    Count { wanted: usize, given: usize },
    #[error("`{name}` is empty")]
    Empty { name: String },
    /// Meta refuses such values (132018, "parameter format").
    #[error("`{name}` must be one line without tabs and without more than four spaces in a row")]
    Shape { name: String },
    #[error("`{name}` must be a link that begins with https://")]
    NoLink { name: String },
    #[error("it would be {length} characters long, {most} are allowed")]
    TooLong { length: usize, most: usize },
    #[error("Baton cannot fill in a header of the format {format}")]
    Header { format: String },
}

/// The value of a header that is a file which was brought before: `file:` and its id.
const FILE: &str = "file:";

/// How a file that was brought before is given as a header's value.
pub fn file(id: UploadId) -> String {
    format!("{FILE}{id}")
}

/// Which file a header's value means, if it is no link.
pub fn named_file(value: &str) -> Option<UploadId> {
    value.strip_prefix(FILE)?.parse().ok()
}

/// Meta's limit of a body once its fields are filled in.
pub const BODY_LIMIT: usize = 1024;

impl Template {
    pub fn is_approved(&self) -> bool {
        self.status.eq_ignore_ascii_case("approved")
    }

    pub fn is_marketing(&self) -> bool {
        self.category.eq_ignore_ascii_case("marketing")
    }

    /// What sending it means for the bill; Meta tells nobody a price.
    pub fn cost(&self) -> &'static str {
        match self.category.to_ascii_lowercase().as_str() {
            "marketing" => "marketing: the dearest category, charged for each one delivered, only to whoever agreed",
            "utility" => "utility: charged for each one delivered, also while the window is open",
            "authentication" => "authentication: charged for each one delivered",
            _ => "charged for each one delivered",
        }
    }

    /// The file that its header brings, if it is one that was brought before: which, and its kind.
    pub fn header_file(&self, values: &[String]) -> Option<(UploadId, &str)> {
        let Some(Header::Media { kind }) = &self.header else { return None };
        Some((named_file(values.first()?)?, kind))
    }

    /// Everything to fill in, in the order in which it stands.
    pub fn slots(&self) -> Vec<Slot> {
        let header = match &self.header {
            Some(Header::Text { text }) => slots_in(Part::HeaderText, text),
            Some(Header::Media { kind }) => vec![Slot { part: Part::HeaderMedia, name: kind.clone() }],
            Some(Header::Other { .. }) | None => Vec::new(),
        };
        let buttons = self.buttons.iter().enumerate().flat_map(|(place, button)| match &button.url {
            Some(url) => slots_in(Part::Button(place), url),
            None if button.kind == "copy_code" => slots_in(Part::Button(place), "{{code}}"),
            None => Vec::new(),
        });
        header.into_iter().chain(slots_in(Part::Body, &self.body)).chain(buttons).collect()
    }

    /// Whether it can be sent with these values.
    ///
    /// # Errors
    /// The first thing that does not fit, for whoever filled it in.
    pub fn check(&self, values: &[String]) -> Result<(), Misfit> {
        if let Some(Header::Other { format }) = &self.header {
            return Err(Misfit::Header { format: format.clone() });
        }
        let slots = self.slots();
        if slots.len() != values.len() {
            return Err(Misfit::Count { wanted: slots.len(), given: values.len() });
        }
        for (slot, value) in slots.iter().zip(values) {
            let name = || slot.name.clone();
            if value.trim().is_empty() {
                return Err(Misfit::Empty { name: name() });
            }
            if value.contains(['\n', '\r', '\t']) || value.contains("     ") {
                return Err(Misfit::Shape { name: name() });
            }
            if slot.part == Part::HeaderMedia && !value.starts_with("https://") && named_file(value).is_none() {
                return Err(Misfit::NoLink { name: name() });
            }
        }
        let length = self.filled(Part::Body, &self.body, values).chars().count();
        if length > BODY_LIMIT { Err(Misfit::TooLong { length, most: BODY_LIMIT }) } else { Ok(()) }
    }

    /// How the customer will read it; what is not filled in yet keeps its braces.
    pub fn preview(&self, values: &[String]) -> String {
        let mut lines = Vec::new();
        match &self.header {
            Some(Header::Text { text }) => lines.push(format!("*{}*", self.filled(Part::HeaderText, text, values))),
            Some(Header::Media { kind }) => lines.push(format!("[{kind}]")),
            Some(Header::Other { format }) => lines.push(format!("[{}]", format.to_lowercase())),
            None => {}
        }
        lines.push(self.filled(Part::Body, &self.body, values));
        lines.extend(self.footer.as_ref().map(|footer| format!("_{footer}_")));
        lines.extend(self.buttons.iter().map(|button| format!("[ {} ]", button.text)));
        lines.join("\n")
    }

    /// The values of one part, in order.
    pub fn values_of<'v>(&self, part: Part, values: &'v [String]) -> Vec<(String, &'v str)> {
        let slots = self.slots().into_iter().zip(values);
        slots.filter(|(slot, _)| slot.part == part).map(|(slot, value)| (slot.name, value.as_str())).collect()
    }

    fn filled(&self, part: Part, text: &str, values: &[String]) -> String {
        let mut values = self.values_of(part, values).into_iter();
        let mut pieces = text.split("{{");
        let mut filled = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            let value = piece.split_once("}}").and_then(|(_, rest)| Some((values.next()?.1, rest)));
            match value.filter(|(value, _)| !value.is_empty()) {
                Some((value, rest)) => filled.extend([value, rest]),
                None => filled.extend(["{{", piece]),
            }
        }
        filled
    }
}

fn slots_in(part: Part, text: &str) -> Vec<Slot> {
    names(text).map(|name| Slot { part, name }).collect()
}

/// What stands in double braces, in order.
fn names(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split("{{").skip(1).filter_map(|rest| rest.split_once("}}")).map(|(name, _)| name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parcel() -> Template {
        Template {
            name: "parcel".into(),
            language: "en".into(),
            category: "UTILITY".into(),
            status: "APPROVED".into(),
            quality: None,
            header: Some(Header::Text { text: "Order {{1}}".into() }),
            body: "Hello {{1}}, your parcel comes on {{2}}.".into(),
            footer: Some("Lumen".into()),
            buttons: vec![Button {
                kind: "url".into(),
                text: "Track".into(),
                url: Some("https://l.example/{{1}}".into()),
            }],
        }
    }

    fn values(values: &[&str]) -> Vec<String> {
        values.iter().map(|value| (*value).into()).collect()
    }

    #[test]
    fn what_is_filled_in_stands_where_it_belongs() {
        let template = parcel();
        let parts: Vec<Part> = template.slots().into_iter().map(|slot| slot.part).collect();
        assert_eq!(parts, [Part::HeaderText, Part::Body, Part::Body, Part::Button(0)]);
        let filled = values(&["77", "Marina", "Friday", "abc"]);
        assert_eq!(template.check(&filled), Ok(()));
        let preview = template.preview(&filled);
        assert_eq!(preview, "*Order 77*\nHello Marina, your parcel comes on Friday.\n_Lumen_\n[ Track ]");
        assert!(template.preview(&values(&["77"])).contains("{{2}}"), "what is missing is seen");
    }

    #[test]
    fn what_meta_would_refuse_is_refused_here() {
        let template = parcel();
        let check = |filled: &[&str]| template.check(&values(filled)).unwrap_err();
        assert_eq!(check(&["1"]), Misfit::Count { wanted: 4, given: 1 });
        assert_eq!(check(&["1", " ", "x", "y"]), Misfit::Empty { name: "1".into() });
        assert_eq!(check(&["1", "a\nb", "x", "y"]), Misfit::Shape { name: "1".into() });
        assert!(matches!(check(&["1", &"x".repeat(1100), "x", "y"]), Misfit::TooLong { most: 1024, .. }));
        let other = Template { header: Some(Header::Other { format: "LOCATION".into() }), ..parcel() };
        assert!(matches!(other.check(&[]), Err(Misfit::Header { .. })));
    }

    #[test]
    fn a_value_is_not_filled_in_again() {
        let template = Template { header: None, buttons: vec![], ..parcel() };
        let preview = template.preview(&values(&["{{2}}", "Friday"]));
        assert!(preview.starts_with("Hello {{2}}, your parcel comes on Friday."), "{preview}");
    }
}

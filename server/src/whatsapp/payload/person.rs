//! Who somebody is: the ids and names that Meta gives, any of which may be missing.

use serde_json::Value;

use super::json;

/// The other side: keyed by `user_id`; the phone number is absent for whoever uses a username.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sender {
    /// Business-scoped user id (`from_user_id`, `user_id`): `US.1234…`.
    pub user_id: Option<String>,
    /// The same across linked portfolios: `US.ENT.1234…`.
    pub parent_user_id: Option<String>,
    /// Digits, as the message names it: this is where to reply.
    pub phone: Option<String>,
    /// Digits, as the contact names it; differs from `phone` in Brazil, Mexico and Argentina.
    pub wa_id: Option<String>,
    pub name: Option<String>,
    /// Without `@`; can change, so no key.
    pub username: Option<String>,
    /// Two letters, from the user id.
    pub country: Option<String>,
}

/// Which keys of an element name the person.
pub(super) struct Keys {
    pub phone: &'static str,
    pub user_id: &'static str,
    pub parent_user_id: &'static str,
}

impl Keys {
    pub(super) const FROM: Self =
        Self { phone: "from", user_id: "from_user_id", parent_user_id: "from_parent_user_id" };
    pub(super) const TO: Self = Self { phone: "to", user_id: "to_user_id", parent_user_id: "to_parent_user_id" };
    pub(super) const RECIPIENT: Self =
        Self { phone: "recipient_id", user_id: "recipient_user_id", parent_user_id: "recipient_parent_user_id" };
    pub(super) const PARTICIPANT: Self = Self {
        phone: "recipient_participant_id",
        user_id: "recipient_participant_user_id",
        parent_user_id: "recipient_participant_parent_user_id",
    };
    const HANDED_OVER: Self = Self { phone: "phone_number", user_id: "user_id", parent_user_id: "parent_user_id" };
    pub(super) const CONTACT: Self = Self { phone: "wa_id", user_id: "user_id", parent_user_id: "parent_user_id" };
}

/// The person that `element` names by `keys`, completed by the contact that belongs to it.
pub(super) fn person(element: &Value, keys: &Keys, contacts: &[Value]) -> Sender {
    let mut sender = ids(element, keys);
    if let Some(contact) = contact_of(&sender, contacts) {
        let known = ids(contact, &Keys::CONTACT);
        sender.user_id = sender.user_id.or(known.user_id);
        sender.parent_user_id = sender.parent_user_id.or(known.parent_user_id);
        sender.phone = sender.phone.or_else(|| known.phone.clone());
        sender.wa_id = known.phone;
        sender.name = json::at(contact, &["profile", "name"]).and_then(json::as_text);
        sender.username = json::at(contact, &["profile", "username"]).and_then(json::as_text);
    }
    sender.country = sender.user_id.as_deref().or(sender.parent_user_id.as_deref()).and_then(country);
    sender
}

/// The person that a notice is about, if it names one.
pub(super) fn named_in(element: &Value, contacts: &[Value]) -> Option<Sender> {
    // A hand-over of the thread names the customer in an object of its own.
    let handed_over = json::get(element, "sender").filter(|sender| sender.is_object());
    let keys = if handed_over.is_some() {
        [Keys::HANDED_OVER, Keys::CONTACT, Keys::FROM]
    } else {
        [Keys::CONTACT, Keys::FROM, Keys::RECIPIENT]
    };
    let element = handed_over.unwrap_or(element);
    keys.iter().find(|keys| !ids(element, keys).is_nobody()).map(|keys| person(element, keys, contacts))
}

impl Sender {
    /// Whether nothing says who this is.
    pub fn is_nobody(&self) -> bool {
        self.user_id.is_none() && self.parent_user_id.is_none() && self.phone.is_none() && self.wa_id.is_none()
    }
}

/// A phone number in digits; what is no phone number stays as it is.
pub(super) fn digits(text: String) -> String {
    let written = |char: char| char.is_ascii_digit() || matches!(char, '+' | '-' | '(' | ')' | '.' | ' ');
    if text.chars().all(written) { text.chars().filter(char::is_ascii_digit).collect() } else { text }
}

fn ids(element: &Value, keys: &Keys) -> Sender {
    Sender {
        user_id: json::text(element, keys.user_id),
        parent_user_id: json::text(element, keys.parent_user_id),
        phone: json::text(element, keys.phone).map(digits).filter(|phone| !phone.is_empty()),
        ..Sender::default()
    }
}

/// The contact with one of the same ids; if none has, a single one, for `from` and `wa_id` may differ.
fn contact_of<'a>(sender: &Sender, contacts: &'a [Value]) -> Option<&'a Value> {
    let same = |contact: &&Value| {
        let known = ids(contact, &Keys::CONTACT);
        [(&sender.user_id, known.user_id), (&sender.phone, known.phone)]
            .iter()
            .any(|(mine, theirs)| mine.is_some() && *mine == theirs)
    };
    contacts.iter().find(same).or(match contacts {
        [only] => Some(only),
        _ => None,
    })
}

/// Two letters of a country, a dot, letters and digits (of linked portfolios with `ENT.` between).
pub(super) fn is_user_id(word: &str) -> bool {
    let rest = country(word).and_then(|country| word.strip_prefix(&country)?.strip_prefix('.'));
    let rest = rest.map(|rest| rest.strip_prefix("ENT.").unwrap_or(rest));
    rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

fn country(user_id: &str) -> Option<String> {
    let (country, _) = user_id.split_once('.')?;
    (country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase())).then(|| country.to_owned())
}

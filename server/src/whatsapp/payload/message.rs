//! Something that was said: by the customer, or by the business where we only see it.

use baton_shared::content::{Content, Detail};
use serde_json::Value;

use super::{
    detail::detail,
    file::{File, file},
    json,
    person::{Keys, Sender, digits, is_user_id, person},
    readable::readable,
    status::{MetaError, errors},
};

/// How a message came to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Said to us.
    Direct,
    /// In a group that we are part of.
    Group,
    /// A copy from a thread that another app owns: never answered.
    Standby,
    /// Typed in the WhatsApp Business app on the business's own phone.
    Echo,
    /// From before the number was connected.
    History,
}

/// What a customer goes by from now on (`system`: `user_changed_number`, `user_changed_user_id`; the field
/// `user_id_update`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MovedTo {
    /// Digits.
    Phone(String),
    UserId(String),
}

/// One message.
#[derive(Clone, Debug, PartialEq)]
pub struct Inbound {
    /// Meta's id; the same for every repeat.
    pub wamid: String,
    /// Meta's second.
    pub timestamp: Option<i64>,
    /// The other side of the conversation, also where the business spoke.
    pub sender: Sender,
    pub group: Option<String>,
    pub origin: Origin,
    /// The business said it: an echo, or its part of the history.
    pub by_business: bool,
    /// Meta's `type`, or `unknown`.
    pub kind: String,
    /// What can be read of it: a text, caption, title, name; or nothing.
    pub text: String,
    /// Whether the customer's 24 hours begin anew.
    pub opens_window: bool,
    /// The wamid of the message that this one replies to, reacts to, edits or revokes.
    pub quoted: Option<String>,
    /// Its typed body, and what came along with it.
    pub detail: Detail,
    /// The file that it brings.
    pub file: Option<File>,
    /// Where the customer is found from now on.
    pub moved_to: Option<MovedTo>,
    /// What Meta could not pass on.
    pub errors: Vec<MetaError>,
}

/// An element of `messages`; `None` without an id.
pub(super) fn inbound(element: &Value, contacts: &[Value], origin: Origin) -> Option<Inbound> {
    let group = json::text(element, "group_id");
    let origin = if group.is_some() && origin == Origin::Direct { Origin::Group } else { origin };
    let sender = Some(person(element, &Keys::FROM, contacts)).filter(|sender| !sender.is_nobody());
    let sender = sender.or_else(|| Some(who_changed(json::get(element, "system")?, contacts)));
    let sender = sender.unwrap_or_default();
    read(element, element, Frame { sender, origin, group, by_business: false })
}

/// An element of `message_echoes`; `us` is the channel's own number.
pub(super) fn echo(element: &Value, contacts: &[Value], us: Option<&str>, origin: Origin) -> Option<Inbound> {
    // A standby copy has all but id and time one level deeper.
    let inner = json::get(element, "message").filter(|inner| inner.is_object()).unwrap_or(element);
    let to = person(inner, &Keys::TO, contacts);
    // Some echoes name the customer as `from`.
    let turned = us.is_some() && to.phone.as_deref() == us;
    let sender = if turned { person(inner, &Keys::FROM, contacts) } else { to };
    let group = json::text(inner, "group_id");
    read(element, inner, Frame { sender, origin, group, by_business: true })
}

/// A message of a `history` thread, whose `id` is the customer.
pub(super) fn history(element: &Value, thread: &Value, us: Option<&str>) -> Option<Inbound> {
    let customer = person(thread, &Keys { phone: "id", user_id: "user_id", parent_user_id: "parent_user_id" }, &[]);
    let context = json::get(thread, "context").unwrap_or(&Value::Null);
    let sender = Sender {
        user_id: customer.user_id.or_else(|| json::text(context, "user_id")),
        username: json::text(context, "username"),
        ..customer
    };
    let from = person(element, &Keys::FROM, &[]);
    let by_business = from.phone.is_some() && from.phone.as_deref() == us;
    let group = json::text(element, "group_id");
    read(element, element, Frame { sender, origin: Origin::History, group, by_business })
}

/// Whom a `system` message is about that has no `from`. A change of the user id names the new one in a field, and the
/// one before in its sentence alone: "User Marina changed from DE.7 to DE.8".
fn who_changed(system: &Value, contacts: &[Value]) -> Sender {
    let named = person(system, &Keys::CONTACT, contacts);
    if json::text(system, "type").as_deref() != Some(CHANGED_USER_ID) {
        return named;
    }
    let body = json::text(system, "body").unwrap_or_default();
    let words = body.split(char::is_whitespace).map(|word| word.trim_end_matches(['.', ',', ';']));
    let mut before = words.filter(|word| is_user_id(word) && named.user_id.as_deref() != Some(*word));
    match before.next() {
        Some(before) => Sender { user_id: Some(before.to_owned()), parent_user_id: None, ..named },
        None => named,
    }
}

/// An element of `user_id_update`, which says as a field of its own what `user_changed_user_id` says as a message;
/// Meta's texts name either (section 4.4 of the protocol's facts), so both are read. It has no id: the two user ids,
/// on the number that is told, are the same in every repeat. `None` without the new one.
pub(super) fn user_id_update(element: &Value, contacts: &[Value], number: &str) -> Option<Inbound> {
    let part = |name: &str, key: &str| json::at(element, &[name, key]).and_then(json::as_text);
    let current = part("user_id", "current").or_else(|| part("parent_user_id", "current"))?;
    let named = person(element, &Keys::CONTACT, contacts);
    let sender =
        Sender { user_id: part("user_id", "previous"), parent_user_id: part("parent_user_id", "previous"), ..named };
    let before = sender.user_id.as_deref().or(sender.phone.as_deref()).unwrap_or_default();
    let text = json::text(element, "detail").unwrap_or_default();
    Some(Inbound {
        wamid: format!("user_id_update:{number}:{before}>{current}"),
        timestamp: json::number(element, "timestamp"),
        sender,
        group: None,
        origin: Origin::Direct,
        by_business: false,
        kind: "system".to_owned(),
        text,
        opens_window: false,
        quoted: None,
        detail: Detail { content: Some(Content::System { event: CHANGED_USER_ID.to_owned() }), ..Detail::default() },
        file: None,
        moved_to: Some(MovedTo::UserId(current)),
        errors: Vec::new(),
    })
}

const CHANGED_USER_ID: &str = "user_changed_user_id";

/// What is known of a message from where it stands.
struct Frame {
    sender: Sender,
    origin: Origin,
    group: Option<String>,
    by_business: bool,
}

/// `outer` has id and time, `inner` type and content; mostly they are one.
fn read(outer: &Value, inner: &Value, frame: Frame) -> Option<Inbound> {
    let wamid = json::text(outer, "id")?;
    let kind = json::text(inner, "type").unwrap_or_else(|| "unknown".to_owned());
    let by_customer = match frame.origin {
        Origin::Direct | Origin::Standby => !frame.by_business && frame.group.is_none(),
        Origin::Group | Origin::Echo | Origin::History => false,
    };
    Some(Inbound {
        wamid,
        timestamp: json::number(outer, "timestamp").or_else(|| json::number(inner, "timestamp")),
        sender: frame.sender,
        group: frame.group,
        origin: frame.origin,
        by_business: frame.by_business,
        text: readable(&kind, inner),
        opens_window: by_customer && counts_as_written(&kind, inner),
        quoted: quoted(inner),
        detail: detail(&kind, inner),
        file: file(&kind, inner),
        moved_to: json::get(inner, "system").and_then(moved_to),
        kind,
        errors: errors(inner),
    })
}

fn moved_to(system: &Value) -> Option<MovedTo> {
    match json::text(system, "type")?.as_str() {
        "user_changed_number" => {
            let phone = json::text(system, "new_wa_id").or_else(|| json::text(system, "wa_id"))?;
            Some(MovedTo::Phone(digits(phone)))
        }
        CHANGED_USER_ID => json::text(system, "user_id").map(MovedTo::UserId),
        _ => None,
    }
}

fn quoted(element: &Value) -> Option<String> {
    const PLACES: [&[&str]; 4] = [
        &["context", "id"],
        &["reaction", "message_id"],
        &["edit", "original_message_id"],
        &["revoke", "original_message_id"],
    ];
    PLACES.iter().find_map(|path| json::at(element, path).and_then(json::as_text))
}

/// Whether Meta counts it as a message by the customer. What is wrongly believed to be one is
/// corrected by 131047.
fn counts_as_written(kind: &str, element: &Value) -> bool {
    match kind {
        "reaction" | "edit" | "revoke" | "system" | "request_welcome" => false,
        // Granted by a setting of the customer's, not by the customer.
        "interactive" => {
            let source = json::at(element, &["interactive", "call_permission_reply", "response_source"]);
            source.and_then(Value::as_str) != Some("automatic")
        }
        _ => true,
    }
}

//! The people on the other side, as Meta knows them.

/// Where a person stands in the list of those who were added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonId(pub usize);

/// A WhatsApp user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Digits with the country code, without `+`; also the `wa_id`.
    pub phone: String,
    /// The business-scoped user id, such as `US.13491208655302741918`.
    pub user_id: String,
    /// The profile's name; may be absent, or anything a stranger can type.
    pub name: Option<String>,
    pub username: Option<String>,
    /// Whether webhooks carry the phone; since 2026 they may not, for users with a username.
    pub shares_phone: bool,
    /// Whether webhooks carry the user id; before April 2026 they did not.
    pub shares_user_id: bool,
    /// Whether `read` is ever reported.
    pub read_receipts: bool,
    /// Whether messages reach a phone at all; otherwise they fail with 131026.
    pub reachable: bool,
    /// Another app of the business's has the thread: nobody else may answer.
    pub is_elsewhere: bool,
    /// We are the one that may take it from that app.
    pub may_be_taken: bool,
    /// The business does not want to hear from them.
    pub is_blocked: bool,
}

impl Person {
    pub fn new(name: &str, phone: &str, user_id: &str) -> Self {
        Self {
            phone: phone.into(),
            user_id: user_id.into(),
            name: Some(name.into()),
            username: None,
            shares_phone: true,
            shares_user_id: true,
            read_receipts: true,
            reachable: true,
            is_elsewhere: false,
            may_be_taken: false,
            is_blocked: false,
        }
    }

    /// The same with a username, and without a phone in any webhook.
    #[must_use]
    pub fn known_only_as(self, username: &str) -> Self {
        Self { username: Some(username.into()), shares_phone: false, ..self }
    }

    /// What stands in message ids: the phone, or the digits of the user id for those who hide it.
    pub(crate) fn digits(&self) -> &str {
        if self.shares_phone { &self.phone } else { self.user_id.trim_start_matches(|c: char| !c.is_ascii_digit()) }
    }
}

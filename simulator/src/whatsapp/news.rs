//! News for the apps: how it travels, waits for others, and becomes the bytes of one body.

use std::collections::BTreeMap;

use baton_shared::Micros;

use super::{
    Happening, Incoming, Outgoing, Whatsapp,
    fate::{State, StatusNews},
    json,
    wire::{
        Change, Contact, Context, Entry, Envelope, ErrorData, Message, Metadata, Pricing, Profile, Status, StatusError,
        Value,
    },
};
use crate::chance::{Chance, Span};

/// Something that apps subscribed to `messages` are told.
#[derive(Clone, Debug)]
pub(crate) struct News {
    pub(crate) number: usize,
    pub(crate) about: About,
}

#[derive(Clone, Debug)]
pub(crate) enum About {
    /// A customer's message.
    Said(usize),
    /// A copy of one, for it was said to another app of the business's.
    Copy(usize),
    /// A message of the business.
    Status(StatusNews),
}

impl About {
    const fn field(&self) -> &'static str {
        match self {
            Self::Said(_) | Self::Status(_) => "messages",
            Self::Copy(_) => "standby",
        }
    }
}

/// How several pieces of news lie in one body; receivers must read all three.
#[derive(Clone, Copy)]
enum Layout {
    /// One change a number, with arrays.
    Arrays,
    /// A change each.
    Changes,
    /// An entry each.
    Entries,
}

const REFERENCE: &str = "/documentation/business-messaging/whatsapp/support/error-codes";

/// As many updates as one body ever holds (Meta: up to 1,000).
const BATCH_LIMIT: usize = 1_000;

impl Whatsapp {
    /// Sends news on its way: it takes the usual time, sometimes longer.
    pub(super) fn report(&mut self, happened_at: Micros, news: News, hurried: bool) {
        let faults = &self.config.faults;
        let (reorder, reorder_by) = (faults.reorder, faults.reorder_by);
        let (delay, delay_by) = (faults.delay, faults.delay_by);
        let mut at =
            happened_at.plus(self.rng.within(if hurried { Span::millis(1, 10) } else { self.config.pace.webhook }));
        if !hurried && self.rng.happens(reorder) {
            at = at.plus(self.rng.within(reorder_by));
        }
        if !hurried && self.rng.happens(delay) {
            at = at.plus(self.rng.within(delay_by));
        }
        self.at(at, Happening::Tell(news));
    }

    /// Each subscribed app gets the news, alone or with what else is waiting for it.
    pub(super) fn tell(&mut self, news: News, now: Micros) {
        for app in self.listeners(&self.config.numbers[news.number].account, news.about.field()) {
            let waiting = self.batches.entry(app).or_default();
            waiting.push(news.clone());
            let (first, full) = (waiting.len() == 1, waiting.len() >= BATCH_LIMIT);
            if full || (first && !self.rng.happens(self.config.faults.batch)) {
                self.flush(app, now);
            } else if first {
                let wait = self.rng.within(self.config.faults.batch_wait);
                self.at(now.plus(wait), Happening::Flush(app));
            }
        }
    }

    /// Everything that waits for one app becomes one body.
    pub(super) fn flush(&mut self, app: usize, now: Micros) {
        let news = self.batches.remove(&app).unwrap_or_default();
        if news.is_empty() {
            return;
        }
        let layout = [Layout::Arrays, Layout::Changes, Layout::Entries][self.rng.usize(..3)];
        let body = json::webhook(&self.envelope(&news, layout));
        self.sign_and_post(now, app, &news, body.into());
        self.perhaps_tell_again(now, &news);
    }

    fn perhaps_tell_again(&mut self, now: Micros, news: &[News]) {
        // Half of all duplicates are the same bytes (see `webhooks`); these come in other company.
        if self.rng.happens(self.config.faults.duplicate / 2.0) {
            let again = news[self.rng.usize(..news.len())].clone();
            let at = now.plus(self.rng.within(self.config.faults.duplicate_after));
            self.at(at, Happening::Tell(again));
        }
    }

    /// Apps that are subscribed to the account and to the webhook field, and can be called.
    pub(super) fn listeners(&self, account: &str, field: &str) -> Vec<usize> {
        let subscribed = self.config.accounts.iter().filter(|a| a.id == account).flat_map(|a| &a.subscribed);
        subscribed
            .filter_map(|id| self.config.apps.iter().position(|app| app.id == *id))
            .filter(|app| {
                let app = &self.config.apps[*app];
                app.callback_url.is_some() && app.fields.iter().any(|known| known == field)
            })
            .collect()
    }

    fn envelope<'a>(&'a self, news: &'a [News], layout: Layout) -> Envelope<'a> {
        let entry = match layout {
            Layout::Entries => news.iter().flat_map(|news| self.entries(vec![vec![news]])).collect(),
            Layout::Changes => self.entries(news.iter().map(|news| vec![news]).collect()),
            Layout::Arrays => self.entries(by_number_and_kind(news)),
        };
        Envelope { object: "whatsapp_business_account", entry }
    }

    /// One entry an account, one change a group; a group is of one number and one kind.
    fn entries<'a>(&'a self, groups: Vec<Vec<&'a News>>) -> Vec<Entry<'a>> {
        let mut entries = Vec::<Entry<'a>>::new();
        for group in groups {
            let number = &self.config.numbers[group[0].number];
            let change = Change { value: self.value(&group), field: group[0].about.field() };
            match entries.iter_mut().find(|entry| entry.id == number.account) {
                Some(entry) => entry.changes.push(change),
                None => entries.push(Entry { id: &number.account, changes: vec![change] }),
            }
        }
        entries
    }

    fn value<'a>(&'a self, group: &[&'a News]) -> Value<'a> {
        let number = &self.config.numbers[group[0].number];
        let mut value = Value {
            messaging_product: "whatsapp",
            metadata: Metadata { display_phone_number: &number.phone, phone_number_id: &number.id },
            contacts: Vec::new(),
            messages: Vec::new(),
            statuses: Vec::new(),
            standby: None,
        };
        for news in group {
            let contact = match &news.about {
                About::Said(index) => {
                    let incoming = &self.incoming[*index];
                    value.messages.push(self.message(incoming));
                    Some(self.contact(incoming.person.0, true))
                }
                About::Copy(index) => {
                    let incoming = &self.incoming[*index];
                    let copies = value.standby.get_or_insert_default();
                    copies.messages.push(self.message(incoming));
                    let contact = self.contact(incoming.person.0, true);
                    if !copies.contacts.contains(&contact) {
                        copies.contacts.push(contact);
                    }
                    None
                }
                About::Status(status) => {
                    let outgoing = &self.outgoing[status.outgoing];
                    value.statuses.push(self.status(outgoing, status));
                    self.status_contact(outgoing, status.state)
                }
            };
            value.contacts.extend(contact.filter(|contact| !value.contacts.contains(contact)));
        }
        value
    }

    fn contact(&self, person: usize, named: bool) -> Contact<'_> {
        let person = &self.people[person];
        Contact {
            profile: Profile {
                name: if named { person.name.as_deref() } else { Some("") },
                username: person.username.as_deref().filter(|_| named),
            },
            wa_id: person.shares_phone.then_some(&person.phone),
            user_id: person.shares_user_id.then_some(&person.user_id),
        }
    }

    /// `delivered` and `read` have a contact, `sent` only when it went to a user id, `failed` never.
    fn status_contact(&self, outgoing: &Outgoing, state: State) -> Option<Contact<'_>> {
        let person = outgoing.person?.0;
        match state {
            _ if self.config.contacts_always => Some(self.contact(person, true)),
            State::Failed(_) => None,
            State::Sent => outgoing.phone.is_none().then(|| self.contact(person, false)),
            State::Delivered | State::Read => Some(self.contact(person, true)),
        }
    }

    fn message<'a>(&'a self, incoming: &'a Incoming) -> Message<'a> {
        let person = &self.people[incoming.person.0];
        let number = &self.config.numbers[incoming.number];
        Message {
            context: incoming.reply_to.as_deref().map(|id| Context { from: &number.phone, id }),
            from: person.shares_phone.then_some(&person.phone),
            from_user_id: person.shares_user_id.then_some(&person.user_id),
            id: &incoming.wamid,
            timestamp: incoming.timestamp.to_string(),
            object: BTreeMap::from([(incoming.kind.as_str(), incoming.object.clone())]),
            r#type: &incoming.kind,
        }
    }

    fn status<'a>(&'a self, outgoing: &'a Outgoing, news: &StatusNews) -> Status<'a> {
        let person = outgoing.person.map(|person| &self.people[person.0]);
        let failed_at_a_phone = matches!(news.state, State::Failed(_)) && outgoing.phone.is_some();
        Status {
            id: &outgoing.wamid,
            status: news.state.word(),
            timestamp: news.timestamp.to_string(),
            recipient_id: match person {
                Some(person) => person.shares_phone.then_some(person.phone.as_str()),
                None => outgoing.phone.as_deref(),
            },
            recipient_user_id: person
                .filter(|person| person.shares_user_id && !failed_at_a_phone)
                .map(|person| person.user_id.as_str()),
            biz_opaque_callback_data: outgoing.opaque.as_deref(),
            pricing: outgoing.price.as_ref().filter(|_| news.priced).map(|price| Pricing {
                billable: price.billable,
                pricing_model: "PMP",
                r#type: price.kind,
                category: &price.category,
            }),
            errors: errors(news.state),
        }
    }
}

fn errors(state: State) -> Vec<StatusError> {
    let State::Failed(failure) = state else { return Vec::new() };
    let (code, title, details) = failure.words();
    vec![StatusError { code, title, message: title, error_data: ErrorData { details }, href: REFERENCE }]
}

/// Keeps the order in which the groups first appear.
fn by_number_and_kind(news: &[News]) -> Vec<Vec<&News>> {
    let key = |news: &News| (news.number, std::mem::discriminant(&news.about));
    let mut groups = Vec::<Vec<&News>>::new();
    for news in news {
        match groups.iter_mut().find(|group| key(group[0]) == key(news)) {
            Some(group) => group.push(news),
            None => groups.push(vec![news]),
        }
    }
    groups
}

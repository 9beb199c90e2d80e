//! A signed body becomes what the store keeps: messages, statuses, notices, or a dead letter.

use std::collections::BTreeSet;

use baton_shared::{
    AttemptId, DeadLetterId,
    content::{Call, Content, Detail},
    message::Delivery,
};
use sha2::{Digest, Sha256};

use super::Numbers;
use crate::{
    Context, mutation,
    store::{
        customers::AliasKind,
        deliveries::{Arrival, Batch, Handover, Origin, Preference, StatusNews},
        letters::{DeadLetter, Notice},
        media,
        receipts::{FREE_ENTRY_POINT, Price, REFERRAL_CONVERSION},
        standings::Said,
    },
    whatsapp::payload::{self, Fact, Inbound, Item, MovedTo, Sender, Status},
};

/// Sorts everything that a body holds. What belongs to no channel of `app`, or cannot be read, or can be
/// read in two ways, makes one dead letter of the whole body: replayed, the rest of it is recognised as
/// known.
pub(super) fn sort(body: &[u8], app: &str, numbers: &Numbers, context: &Context) -> Batch {
    let mut sorting = Sorting { app, numbers, context, batch: Batch::default(), foreign: BTreeSet::new() };
    let reason = match payload::parse(body) {
        Ok(payload) => {
            payload.items.into_iter().for_each(|item| sorting.item(item));
            match sorting.foreign.is_empty() {
                true => payload.ambiguous.then(|| "a key stands twice in one object: the last was read".into()),
                false => Some(not_ours(&sorting.foreign, app)),
            }
        }
        Err(why) => Some(why.to_string()),
    };
    if let Some(reason) = reason {
        sorting.letter(body, reason);
    }
    sorting.batch
}

/// For the operator, who compares it with the settings: ids may be shown.
fn not_ours(foreign: &BTreeSet<String>, app: &str) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<&str> = foreign.iter().take(SHOWN).map(String::as_str).collect();
    let more = if foreign.len() > SHOWN { " and others" } else { "" };
    format!("it is for {}{more}, which the settings of the app `{app}` do not name", shown.join(", "))
}

/// Where an id should stand, anything can, also what a customer said: that is for no log.
fn id_alone(text: &str) -> &str {
    const LENGTH: usize = 40;
    let is_one = !text.is_empty() && text.len() <= LENGTH && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_one { text } else { "(something that is no id)" }
}

struct Sorting<'a> {
    app: &'a str,
    numbers: &'a Numbers,
    context: &'a Context,
    batch: Batch,
    /// Numbers and accounts that the settings of the app do not name.
    foreign: BTreeSet<String>,
}

impl Sorting<'_> {
    fn item(&mut self, item: Item) {
        let channel = match &item.phone_number_id {
            Some(number) => self.numbers.by_phone_number_id.get(number).filter(|(_, app)| app == self.app),
            None => None,
        };
        let ours = match &item.phone_number_id {
            Some(_) => channel.is_some(),
            None => self.numbers.by_account.get(&item.waba).is_some_and(|app| app == self.app),
        };
        if !ours {
            self.foreign.insert(match &item.phone_number_id {
                Some(number) => format!("phone_number_id {}", id_alone(number)),
                None => format!("business_account_id {}", id_alone(&item.waba)),
            });
            return;
        }
        let channel = channel.map(|(channel, _)| *channel);
        match (&item.fact, channel) {
            (Fact::Message(inbound), Some(channel)) if inbound.group.is_some() || !inbound.sender.is_nobody() => {
                let arrival = self.arrival(&item, inbound, channel);
                self.batch.arrivals.push(arrival);
            }
            (Fact::Status(status), Some(channel)) => match news(status, channel) {
                Some(news) => self.batch.statuses.push(news),
                None => self.notice(&item, Some(channel), "status"),
            },
            (Fact::Notice { timestamp, sender: Some(sender), call: Some(call), .. }, Some(channel)) => {
                let arrival = self.call(&item, call, *timestamp, sender, channel);
                self.batch.arrivals.push(arrival);
            }
            (Fact::Notice { kind, timestamp, sender: Some(sender), marketing: Some(granted), .. }, channel) => {
                self.batch.preferences.push(self.preference(&item, *timestamp, sender, *granted));
                self.notice(&item, channel, kind);
            }
            (Fact::Notice { kind, sender: Some(sender), handover: Some(handover), .. }, Some(channel)) => {
                self.batch.handovers.push(Handover {
                    channel,
                    scope: self.app.to_owned(),
                    user_id: sender.user_id.clone().or_else(|| sender.parent_user_id.clone()),
                    phone: sender.phone.clone().or_else(|| sender.wa_id.clone()),
                    to_us: handover.to_us,
                    wants_person: handover.wants_person,
                    why: handover.why.clone(),
                    digest: digest(&item, kind),
                });
                self.notice(&item, Some(channel), kind);
            }
            (Fact::Notice { kind, .. }, channel) => {
                self.standing(&item, channel);
                self.notice(&item, channel, kind);
            }
            (Fact::Message(_), channel) => self.notice(&item, channel, "message_from_nobody"),
            (Fact::Status(_), None) => self.notice(&item, None, "status"),
        }
    }

    fn arrival(&self, item: &Item, inbound: &Inbound, channel: baton_shared::ChannelId) -> Arrival {
        let plain = inbound.kind == "text" && inbound.detail.is_empty() && inbound.errors.is_empty();
        Arrival {
            wamid: self.once(&inbound.wamid),
            kind: inbound.kind.clone(),
            text: inbound.text.clone(),
            detail: detail(&inbound.detail),
            quoted: inbound.quoted.clone(),
            file: inbound.file.as_ref().map(announced),
            moved_to: inbound.moved_to.as_ref().map(|moved_to| match moved_to {
                MovedTo::Phone(phone) => (AliasKind::Phone, phone.clone()),
                MovedTo::UserId(user_id) => (AliasKind::User, user_id.clone()),
            }),
            raw: (!plain).then(|| item.raw.clone()),
            second: inbound.timestamp,
            opens_window: inbound.opens_window,
            origin: match inbound.origin {
                payload::Origin::Direct | payload::Origin::Group => Origin::Direct,
                payload::Origin::Standby => Origin::Standby,
                payload::Origin::Echo => Origin::Echo,
                payload::Origin::History => Origin::History,
            },
            by_business: inbound.by_business,
            group: inbound.group.clone(),
            ..self.from(&inbound.sender, channel, item.index)
        }
    }

    /// The customer called: it stands in the thread, opens the window and wants an answer.
    fn call(
        &self,
        item: &Item,
        call: &Call,
        second: Option<i64>,
        sender: &Sender,
        channel: baton_shared::ChannelId,
    ) -> Arrival {
        // Calls have ids of another kind; the same bytes are the same call.
        let digest = hex::encode(&Sha256::digest(item.raw.as_bytes())[..16]);
        Arrival {
            wamid: self.once(&format!("calls:{digest}")),
            kind: "call".into(),
            detail: detail(&Detail { content: Some(Content::Call(call.clone())), ..Detail::default() }),
            raw: Some(item.raw.clone()),
            second,
            opens_window: true,
            ..self.from(sender, channel, item.index)
        }
    }

    fn preference(&self, item: &Item, second: Option<i64>, sender: &Sender, granted: bool) -> Preference {
        Preference {
            scope: self.app.to_owned(),
            user_id: sender.user_id.clone().or_else(|| sender.parent_user_id.clone()),
            phone: sender.phone.clone().or_else(|| sender.wa_id.clone()),
            granted,
            second,
            proof: hex::encode(&Sha256::digest(item.raw.as_bytes())[..16]),
        }
    }

    fn from(&self, sender: &Sender, channel: baton_shared::ChannelId, index: i64) -> Arrival {
        Arrival {
            channel,
            scope: self.app.to_owned(),
            user_id: sender.user_id.clone().or_else(|| sender.parent_user_id.clone()),
            phone: sender.phone.clone().or_else(|| sender.wa_id.clone()),
            name: sender.name.clone().filter(|name| !name.trim().is_empty()),
            username: sender.username.clone(),
            group: None,
            wamid: String::new(),
            kind: String::new(),
            text: String::new(),
            detail: None,
            quoted: None,
            file: None,
            moved_to: None,
            raw: None,
            second: None,
            index,
            opens_window: false,
            origin: Origin::Direct,
            by_business: false,
        }
    }

    /// What makes a message handled once. Without the dedupe, every further delivery of it is another.
    fn once(&self, wamid: &str) -> String {
        if !mutation::arrives_as_new(wamid) {
            return wamid.to_owned();
        }
        let other: uuid::Uuid = self.context.ids.next(self.context.clock.now());
        format!("{wamid}#{other}")
    }

    /// What it says of how the account stands.
    fn standing(&mut self, item: &Item, channel: Option<baton_shared::ChannelId>) {
        let Ok(value) = serde_json::from_str(&item.raw) else { return };
        let now = self.context.clock.now();
        let at = item.time.map_or(now, baton_shared::Micros::from_seconds).min(now);
        let said = payload::account::standings(&item.field, &value).into_iter();
        self.batch.standings.extend(said.map(|standing| Said { account: item.waba.clone(), channel, standing, at }));
    }

    fn notice(&mut self, item: &Item, channel: Option<baton_shared::ChannelId>, kind: &str) {
        let now = self.context.clock.now();
        self.batch.notices.push(Notice {
            id: self.context.ids.next(now),
            app: self.app.to_owned(),
            channel,
            field: item.field.clone(),
            kind: kind.to_owned(),
            raw: item.raw.clone(),
            digest: digest(item, kind),
            arrived_at: now,
        });
    }

    fn letter(&mut self, body: &[u8], reason: String) {
        let now = self.context.clock.now();
        let id: DeadLetterId = self.context.ids.next(now);
        tracing::warn!(letter = %id, app = self.app, reason, "a dead letter");
        self.batch.letters.push(DeadLetter {
            id,
            app: self.app.to_owned(),
            reason,
            body: body.to_vec(),
            digest: Some(hex::encode(Sha256::digest(body))),
            arrived_at: now,
            replayed_at: None,
        });
    }
}

/// What makes a notice the fact that it is, and no other: whom it is about, what it says, and Meta's time where it
/// gives one; a template that is approved again after a pause says the same words of another time.
fn digest(item: &Item, kind: &str) -> String {
    let number = item.phone_number_id.as_deref().or(item.display_phone_number.as_deref()).unwrap_or_default();
    let time = item.time.map(|time| time.to_string()).unwrap_or_default();
    let parts = [&item.waba, number, &item.field, kind, &time, &item.raw];
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.len().to_be_bytes());
        digest.update(part);
    }
    hex::encode(digest.finalize())
}

fn announced(file: &payload::File) -> media::Announced {
    media::Announced {
        meta_id: file.id.clone(),
        mime_type: file.mime_type.clone(),
        digest: file.sha256.map(hex::encode),
        file_name: file.name.clone(),
    }
}

fn detail(detail: &Detail) -> Option<String> {
    if detail.is_empty() {
        return None;
    }
    serde_json::to_string(detail).inspect_err(|error| tracing::error!(%error, "a detail cannot be written")).ok()
}

/// `None` for a word that nobody knows yet.
fn news(status: &Status, channel: baton_shared::ChannelId) -> Option<StatusNews> {
    let state = status.state.delivery()?;
    let attempt: Option<AttemptId> = status.callback.as_deref().and_then(|callback| callback.parse().ok());
    let code = status.errors.first().map(|error| error.code).filter(|_| state == Delivery::Failed);
    let member = || status.recipient.user_id.clone().or_else(|| status.recipient.phone.clone());
    let recipient = status.group.is_some().then(member).flatten();
    Some(StatusNews {
        channel,
        wamid: status.wamid.clone(),
        recipient,
        attempt,
        state,
        second: status.timestamp,
        code,
        price: price(status),
    })
}

/// Meta says when a free entry point ends; an older payload says the same of every conversation.
fn price(status: &Status) -> Price {
    let is_free = status.pricing_type.as_deref() == Some(FREE_ENTRY_POINT)
        || status.origin.as_deref() == Some(REFERRAL_CONVERSION);
    Price {
        billable: status.billable,
        model: status.pricing_model.clone(),
        kind: status.pricing_type.clone(),
        category: status.pricing_category.clone(),
        origin: status.origin.clone(),
        free_until: status.expires.filter(|_| is_free).map(baton_shared::Micros::from_seconds),
    }
}

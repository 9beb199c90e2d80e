//! How accounts, numbers and templates stand with Meta: the newest word on each topic, and what it changes.

use baton_shared::{ChannelId, Micros};

use crate::domain::standing::{self, Effect, Standing, Stop, Weight};

use super::{
    Conn, Sql, StoreError, Tx,
    channels::{self, Channel},
    engine::on,
    events::{self, Event},
    templates,
};

/// A word of Meta's, and when it was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub account: String,
    /// `None` for what is about the account, or names a number that is the only one of it.
    pub channel: Option<ChannelId>,
    pub standing: Standing,
    pub at: Micros,
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Kept {
    #[sqlx(rename = "business_account_id")]
    pub account: String,
    pub phone_number_id: String,
    pub topic: String,
    pub subject: String,
    pub code: String,
    pub detail: String,
    pub weight: String,
    pub at: Micros,
}

impl Kept {
    pub fn sentence(&self) -> String {
        standing::sentence(&self.topic, &self.subject, &self.code, &self.detail)
    }

    pub fn is_grave(&self) -> bool {
        self.weight == Weight::Alarm.word()
    }
}

/// An older word that is told late changes nothing.
const PUT: Sql = Sql::Both(
    "insert into standing (business_account_id, phone_number_id, topic, subject, code, detail, weight, at) \
     values ($1, $2, $3, $4, $5, $6, $7, $8) \
     on conflict (business_account_id, phone_number_id, topic, subject) do update set code = excluded.code, \
     detail = excluded.detail, weight = excluded.weight, at = excluded.at where excluded.at >= standing.at",
);
const WRONG: Sql = Sql::Both(
    "select business_account_id, phone_number_id, topic, subject, code, detail, weight, at from standing \
     where weight <> 'fine' order by weight, at desc limit $1",
);
const WEIGHT: Sql = Sql::Both(
    "select weight from standing where business_account_id = $1 and phone_number_id = $2 and topic = $3 and subject = ''",
);
const COUNT: Sql = Sql::Both("select count(*) from standing where weight = $1");

pub const ALL: &[&Sql] = &[&PUT, &WRONG, &WEIGHT, &COUNT];

/// The event of any of it.
pub const CHANGED: &str = "account_changed";

/// The topic of what Baton found out by sending.
const SENDING: &str = "sending";

/// Keeps the words and does what they say.
pub async fn store(tx: &mut Tx, said: &[Said], now: Micros) -> Result<(), StoreError> {
    for one in said {
        let numbers = numbers(tx, one).await?;
        let number = one.channel.and_then(|id| numbers.iter().find(|channel| channel.id == id));
        let number = number.map_or("", |channel| &channel.phone_number_id);
        if !put(tx, &one.account, number, &one.standing, one.at).await? {
            continue;
        }
        tell(&one.account, &one.standing);
        for effect in &one.standing.effects {
            apply(tx, one, &numbers, effect).await?;
        }
        events::append(tx, Event::new(CHANGED, now).because(one.standing.topic)).await?;
    }
    Ok(())
}

async fn put(tx: &mut Tx, account: &str, number: &str, one: &Standing, at: Micros) -> Result<bool, StoreError> {
    let rows = on!(tx.conn(), PUT, |c, sql| {
        sqlx::query(sql)
            .bind(account)
            .bind(number)
            .bind(one.topic)
            .bind(&one.subject)
            .bind(&one.code)
            .bind(&one.detail)
            .bind(one.weight.word())
            .bind(at)
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(rows == 1)
}

/// A log has names and codes, at most a template's and its language; whatever else stands where one should is
/// nobody's business there.
fn word(text: &str) -> &str {
    let is_plain = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ' '));
    if is_plain && text.len() <= 80 && text.split(' ').count() <= 2 { text } else { "(not a word)" }
}

fn tell(account: &str, one: &Standing) {
    let Standing { topic, subject, .. } = one;
    let (subject, code) = (word(subject), word(&one.code));
    match one.weight {
        Weight::Fine => tracing::info!(account, topic, subject, code, "Meta says how the account stands"),
        Weight::Warning | Weight::Alarm => {
            tracing::warn!(account, topic, subject, code, "Meta says that something is wrong with the account");
        }
    }
}

/// The numbers that it is about: all of the account if it names none.
async fn numbers(tx: &mut Tx, one: &Said) -> Result<Vec<Channel>, StoreError> {
    let all = channels::every(tx.conn()).await?.into_iter();
    Ok(all.filter(|channel| channel.business_account_id == one.account).collect())
}

async fn apply(tx: &mut Tx, one: &Said, numbers: &[Channel], effect: &Effect) -> Result<(), StoreError> {
    let about = numbers.iter().filter(|channel| one.channel.is_none_or(|id| id == channel.id));
    // Of which of several numbers it is, Meta says by a number that we do not know: Graph is asked instead.
    let only = if one.channel.is_some() || numbers.len() == 1 { about.clone().next() } else { None };
    match effect {
        Effect::Quality(word) => {
            if let Some(channel) = only {
                channels::set_quality(tx, channel.id, word).await?;
            }
        }
        Effect::PerSecond(rate) => {
            if let Some(channel) = only {
                channels::set_per_second(tx, channel.id, i64::from(*rate)).await?;
            }
        }
        Effect::Limit(limit) => {
            for channel in about {
                channels::set_limit(tx, channel.id, limit).await?;
            }
        }
        Effect::Stop { why, until } => {
            for channel in about {
                channels::stop(tx, channel.id, *why, until.map(Micros::from_seconds)).await?;
            }
        }
        Effect::Lift(stops) => {
            for channel in about.filter(|channel| channel.meta.stop().is_some_and(|stop| stops.contains(&stop))) {
                channels::lift(tx, channel.id).await?;
            }
        }
        Effect::Template { name, language, status, quality, category } => {
            let change = [status.as_deref(), quality.as_deref(), category.as_deref()];
            templates::amend(tx, &one.account, name, language, change).await?;
        }
    }
    Ok(())
}

/// A send was refused for a reason that is not the message's: nothing goes until `until`.
pub async fn stopped_by_error(
    tx: &mut Tx,
    channel: &Channel,
    stop: Stop,
    until: Micros,
    now: Micros,
) -> Result<(), StoreError> {
    // Meta's own word for it lasts longer.
    if channel.meta.stop().is_some_and(|known| !known.is_tried_again()) {
        return Ok(());
    }
    channels::stop(tx, channel.id, stop, Some(until)).await?;
    sending(tx, channel, stop.word(), Weight::Alarm, now).await
}

/// What had stopped the number is over, or is to be tried again.
pub async fn lift_over(tx: &mut Tx, id: ChannelId, now: Micros) -> Result<bool, StoreError> {
    let Some(channel) = channels::by_id(tx.conn(), id).await? else { return Ok(false) };
    let over = channel.meta.stop.is_some() && channel.meta.stop_until.is_some_and(|until| until <= now);
    if over {
        channels::lift(tx, id).await?;
        sending(tx, &channel, "tried_again", Weight::Fine, now).await?;
    }
    Ok(over)
}

async fn sending(tx: &mut Tx, channel: &Channel, code: &str, weight: Weight, now: Micros) -> Result<(), StoreError> {
    let (subject, detail, effects) = (String::new(), String::new(), Vec::new());
    let standing = Standing { topic: SENDING, subject, code: code.into(), detail, weight, effects };
    if put(tx, &channel.business_account_id, &channel.phone_number_id, &standing, now).await? {
        tell(&channel.business_account_id, &standing);
        events::append(tx, Event::new(CHANGED, now).because(SENDING)).await?;
    }
    Ok(())
}

/// Up to `limit` things that are not as they should be, the gravest first, then the newest.
pub async fn wrong(conn: Conn<'_>, limit: i64) -> Result<Vec<Kept>, StoreError> {
    Ok(on!(conn, WRONG, |c, sql| sqlx::query_as(sql).bind(limit).fetch_all(c).await)?)
}

/// Whether the last word on this topic of a number was that nothing can be sent.
pub async fn was_alarming(conn: Conn<'_>, account: &str, number: &str, topic: &str) -> Result<bool, StoreError> {
    let (account, number, topic) = (account.to_owned(), number.to_owned(), topic.to_owned());
    let weight: Option<String> = on!(conn, WEIGHT, |c, sql| {
        sqlx::query_scalar(sql).bind(&account).bind(&number).bind(&topic).fetch_optional(c).await
    })?;
    Ok(weight.as_deref() == Some(Weight::Alarm.word()))
}

/// How many weigh so.
pub async fn count(conn: Conn<'_>, weight: Weight) -> Result<i64, StoreError> {
    Ok(on!(conn, COUNT, |c, sql| sqlx::query_scalar(sql).bind(weight.word()).fetch_one(c).await)?)
}

#[cfg(test)]
mod tests {
    use super::word;

    #[test]
    fn what_is_no_name_and_no_code_is_not_logged() {
        for plain in ["GREEN", "TIER_2K", "parcel_sent en_US", ""] {
            assert_eq!(word(plain), plain);
        }
        for foreign in ["my card is 4111 1111", "call +15550100199", "für Anna", &"a".repeat(81)] {
            assert_eq!(word(foreign), "(not a word)");
        }
    }
}

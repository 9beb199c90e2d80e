//! Reactions, edits and deletions: appended as they come, folded when they are read.

use std::collections::HashMap;

use baton_shared::{ConversationId, Micros, message::Author};
use serde_json::json;
use uuid::Uuid;

use crate::domain::amended::{Change, Kind};

use super::{Conn, Sql, StoreError, Tx, engine::on, json, messages::Stored};

/// One change to a message after it was said.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Amendment {
    pub id: Uuid,
    #[sqlx(rename = "conversation_id")]
    pub conversation: ConversationId,
    /// Meta's id of the amendment itself.
    pub wamid: String,
    /// Meta's id of the message that it amends.
    pub target: String,
    /// Meta's `type`, one of those that [`Kind::of`] knows.
    pub kind: String,
    /// The customer, or the business on its own phone.
    pub author: Author,
    /// Who exactly, where several people are the other side.
    pub actor: String,
    /// An emoji, empty if it was taken away; or the new text.
    pub text: String,
    /// The new [`Detail`](baton_shared::content::Detail), as JSON.
    pub detail: Option<String>,
    /// Meta's second.
    pub second: i64,
    pub arrived_at: Micros,
}

impl Amendment {
    /// For the rules; `None` if nobody knows what it does.
    pub fn change(self) -> Option<Change> {
        Some(Change {
            kind: Kind::of(&self.kind)?,
            by: self.author,
            actor: self.actor,
            text: self.text,
            detail: self.detail,
            at: Micros::from_seconds(self.second),
        })
    }
}

macro_rules! columns {
    () => {
        "id, conversation_id, wamid, target, kind, author, actor, text, detail, second, arrived_at"
    };
}

const KNOWN: Sql = Sql::Each {
    sqlite: "select wamid from amendment where wamid in (select value from json_each($1))",
    postgres: "select wamid from amendment where wamid in (select json_array_elements_text($1::json))",
};

const OF: Sql = Sql::Each {
    sqlite: concat!(
        "select ",
        columns!(),
        " from amendment where target in (select value from json_each($1)) order by second, arrived_at, id"
    ),
    postgres: concat!(
        "select ",
        columns!(),
        " from amendment where target in (select json_array_elements_text($1::json)) order by second, arrived_at, id"
    ),
};

const INSERT: Sql = Sql::Each {
    sqlite: "insert into amendment (id, conversation_id, wamid, target, kind, author, actor, text, detail, raw, second, \
             arrived_at) select unhex(value->>'id'), unhex(value->>'conversation'), value->>'wamid', value->>'target', \
             value->>'kind', value->>'author', value->>'actor', value->>'text', value->>'detail', value->>'raw', \
             value->>'second', value->>'arrived_at' from json_each($1)",
    postgres: "insert into amendment (id, conversation_id, wamid, target, kind, author, actor, text, detail, raw, \
               second, arrived_at) select r.id, r.conversation, r.wamid, r.target, r.kind, r.author, r.actor, r.text, \
               r.detail, r.raw, r.second, r.arrived_at from json_to_recordset($1::json) as r(id uuid, conversation uuid, \
               wamid text, target text, kind text, author text, actor text, text text, detail text, raw text, \
               second bigint, arrived_at bigint)",
};

pub const ALL: &[&Sql] = &[&KNOWN, &OF, &INSERT];

/// Those of Meta's ids that are stored already.
pub async fn known<'a>(conn: Conn<'_>, wamids: impl IntoIterator<Item = &'a str>) -> Result<Vec<String>, StoreError> {
    let wamids = json::texts(wamids);
    Ok(on!(conn, KNOWN, |c, sql| sqlx::query_scalar(sql).bind(wamids).fetch_all(c).await)?)
}

/// What was changed about these messages, in the order of Meta's seconds.
pub async fn of<'a>(conn: Conn<'_>, targets: impl IntoIterator<Item = &'a str>) -> Result<Vec<Amendment>, StoreError> {
    let targets = json::texts(targets);
    Ok(on!(conn, OF, |c, sql| sqlx::query_as(sql).bind(targets).fetch_all(c).await)?)
}

/// The changes to each of these messages by its Meta id, the oldest first.
pub async fn changes(conn: Conn<'_>, stored: &[Stored]) -> Result<HashMap<String, Vec<Change>>, StoreError> {
    let wamids: Vec<&str> = stored.iter().filter_map(|one| one.wamid.as_deref()).collect();
    let mut changes: HashMap<String, Vec<Change>> = HashMap::new();
    if wamids.is_empty() {
        return Ok(changes);
    }
    let threads: HashMap<&str, ConversationId> =
        stored.iter().filter_map(|one| Some((one.wamid.as_deref()?, one.conversation))).collect();
    for amendment in of(conn, wamids).await? {
        // What one customer sends changes nothing in another's conversation.
        if threads.get(amendment.target.as_str()) == Some(&amendment.conversation) {
            let target = amendment.target.clone();
            changes.entry(target).or_default().extend(amendment.change());
        }
    }
    Ok(changes)
}

/// Stores new ones; `raw` beside each is the element as it came.
pub async fn insert_all(tx: &mut Tx, new: &[(Amendment, Option<&str>)]) -> Result<(), StoreError> {
    if new.is_empty() {
        return Ok(());
    }
    let rows = new.iter().map(|(one, raw)| {
        json!({
            "id": json::id(one.id), "conversation": json::id(one.conversation), "wamid": one.wamid,
            "target": one.target, "kind": one.kind, "author": one.author.word(), "actor": one.actor,
            "text": one.text, "detail": one.detail, "raw": raw, "second": one.second, "arrived_at": one.arrived_at,
        })
    });
    let rows = json::rows(rows.collect());
    on!(tx.conn(), INSERT, |c, sql| sqlx::query(sql).bind(rows).execute(c).await.map(drop))?;
    Ok(())
}

//! The files of messages: what Meta says of each, and how far its bytes have come.

use baton_shared::{ChannelId, ConversationId, MessageId, Micros, content::MediaState};
use serde_json::json;

use super::{Conn, Sql, StoreError, Tx, engine::on, json, messages::Stored, wakes::Topic};

/// What a webhook says of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Announced {
    /// Meta's id; `None` if it named none.
    pub meta_id: Option<String>,
    pub mime_type: Option<String>,
    /// SHA-256 in hex.
    pub digest: Option<String>,
    /// As its sender named it: never a path.
    pub file_name: Option<String>,
}

/// A file as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Media {
    #[sqlx(rename = "message_id")]
    pub message: MessageId,
    #[sqlx(rename = "conversation_id")]
    pub conversation: ConversationId,
    #[sqlx(rename = "channel_id")]
    pub channel: ChannelId,
    pub meta_id: Option<String>,
    /// The message's kind: `image`, `document`.
    pub kind: String,
    pub mime_type: Option<String>,
    pub digest: Option<String>,
    pub file_name: Option<String>,
    pub state: MediaState,
    /// A code: why it is not here.
    pub problem: Option<String>,
    pub size: Option<i64>,
    /// Where the bytes lie in the media store.
    pub place: Option<String>,
    /// Whether a small picture lies beside them.
    pub thumbnail: bool,
    /// Until when `meta_id` is good for sending; `None` for what came from Meta.
    pub meta_until: Option<Micros>,
    /// Grows with each; the lease of whoever fetches it.
    pub tries: i64,
    pub next_try_at: Micros,
    pub created_at: Micros,
    /// What is said or seen in it.
    pub words: Option<String>,
    /// `None`: nobody puts it in words.
    pub words_state: Option<WordsState>,
    /// A code: why there are none.
    pub words_problem: Option<String>,
    /// Grows with each; the lease of whoever reads it.
    pub words_tries: i64,
}

/// How far a file is put in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum WordsState {
    Waiting,
    Read,
    Failed,
}

macro_rules! columns {
    () => {
        "message_id, conversation_id, channel_id, meta_id, kind, mime_type, digest, file_name, state, problem, size, \
         place, thumbnail, meta_until, tries, next_try_at, created_at, words, words_state, words_problem, words_tries"
    };
}

const OF: Sql = Sql::Each {
    sqlite: concat!("select ", columns!(), " from media where message_id in (select unhex(value) from json_each($1))"),
    postgres: concat!(
        "select ",
        columns!(),
        " from media where message_id in (select value::uuid from json_array_elements_text($1::json))"
    ),
};

const INSERT: Sql = Sql::Each {
    sqlite: "insert into media (message_id, conversation_id, channel_id, meta_id, kind, mime_type, digest, file_name, \
             state, problem, size, place, thumbnail, meta_until, tries, next_try_at, created_at) select unhex(value->>'message'), \
             unhex(value->>'conversation'), unhex(value->>'channel'), value->>'meta_id', value->>'kind', \
             value->>'mime_type', value->>'digest', value->>'file_name', value->>'state', value->>'problem', \
             value->>'size', value->>'place', value->>'thumbnail', value->>'meta_until', 0, value->>'next_try_at', value->>'created_at' from json_each($1)",
    postgres: "insert into media (message_id, conversation_id, channel_id, meta_id, kind, mime_type, digest, file_name, \
               state, problem, size, place, thumbnail, meta_until, tries, next_try_at, created_at) select r.message, r.conversation, r.channel, r.meta_id, \
               r.kind, r.mime_type, r.digest, r.file_name, r.state, r.problem, r.size, r.place, r.thumbnail, r.meta_until, 0, \
               r.next_try_at, r.created_at \
               from json_to_recordset($1::json) as r(message uuid, conversation uuid, channel uuid, meta_id text, \
               kind text, mime_type text, digest text, file_name text, state text, problem text, size bigint, place text, thumbnail boolean, \
               meta_until bigint, next_try_at bigint, created_at bigint)",
};

/// The outer conditions are asked again of a row that another server was first to take.
const TAKE: Sql = Sql::Both(concat!(
    "update media set tries = tries + 1, next_try_at = $2 where state = 'waiting' and next_try_at <= $1 and message_id in \
     (select message_id from media where state = 'waiting' and next_try_at <= $1 order by next_try_at limit $3) returning ",
    columns!()
));

const AGAIN: Sql = Sql::Both(
    "update media set next_try_at = $3, problem = $4 where message_id = $1 and tries = $2 and state = 'waiting'",
);

const SETTLE: Sql = Sql::Both(
    "update media set state = $3, problem = $4, size = $5, place = $6, mime_type = coalesce($7, mime_type), thumbnail = $8 \
     where message_id = $1 and tries = $2 and state = 'waiting'",
);

const NEXT: Sql = Sql::Both("select min(next_try_at) from media where state = 'waiting'");

const SENDABLE: Sql =
    Sql::Both("update media set meta_id = $2, meta_until = $3 where message_id = $1 and state = 'stored'");

const ASK_WORDS: Sql = Sql::Both(
    "update media set words_state = 'waiting', words_at = $2 where message_id = $1 and state = 'stored' \
     and words_state is null",
);

/// As [`TAKE`].
const TAKE_WORDS: Sql = Sql::Both(concat!(
    "update media set words_tries = words_tries + 1, words_at = $2 where words_state = 'waiting' and words_at <= $1 and \
     message_id in (select message_id from media where words_state = 'waiting' and words_at <= $1 order by words_at limit $3) \
     returning ",
    columns!()
));

const WORDS_AGAIN: Sql = Sql::Both(
    "update media set words_at = $3, words_problem = $4 where message_id = $1 and words_tries = $2 \
     and words_state = 'waiting'",
);

const SETTLE_WORDS: Sql = Sql::Both(
    "update media set words_state = $3, words = $4, words_problem = $5 where message_id = $1 and words_tries = $2 \
     and words_state = 'waiting'",
);

const NEXT_WORDS: Sql = Sql::Both("select min(words_at) from media where words_state = 'waiting'");

pub const ALL: &[&Sql] = &[
    &OF,
    &INSERT,
    &TAKE,
    &AGAIN,
    &SETTLE,
    &NEXT,
    &SENDABLE,
    &ASK_WORDS,
    &TAKE_WORDS,
    &WORDS_AGAIN,
    &SETTLE_WORDS,
    &NEXT_WORDS,
];

/// The problem of a file that Meta gave no id: there is nothing to ask for.
pub const NO_ID: &str = "no_id";

/// What is known of the files of these messages, of those that have one.
pub async fn of(conn: Conn<'_>, messages: &[MessageId]) -> Result<Vec<Media>, StoreError> {
    let ids = json::ids(messages);
    Ok(on!(conn, OF, |c, sql| sqlx::query_as(sql).bind(ids).fetch_all(c).await)?)
}

/// The files of messages that are new, to be fetched at once.
pub async fn insert_all(tx: &mut Tx, new: &[(&Stored, &Announced)], time: Micros) -> Result<(), StoreError> {
    if new.is_empty() {
        return Ok(());
    }
    let rows = new.iter().map(|(message, file)| {
        let (state, problem) = match file.meta_id {
            Some(_) => (MediaState::Waiting, None),
            None => (MediaState::Gone, Some(NO_ID)),
        };
        json!({
            "message": json::id(message.id), "conversation": json::id(message.conversation),
            "channel": json::id(message.channel), "meta_id": file.meta_id, "kind": message.kind,
            "mime_type": file.mime_type, "digest": file.digest, "file_name": file.file_name, "state": state.word(),
            "problem": problem, "thumbnail": false, "next_try_at": time, "created_at": message.created_at,
        })
    });
    let rows = json::rows(rows.collect());
    on!(tx.conn(), INSERT, |c, sql| sqlx::query(sql).bind(rows).execute(c).await.map(drop))?;
    tx.wake(Topic::Media);
    Ok(())
}

/// The file of a message of ours, whose bytes are in the media store already.
pub async fn attach(tx: &mut Tx, file: &Media) -> Result<(), StoreError> {
    let rows = json::rows(vec![json!({
        "message": json::id(file.message), "conversation": json::id(file.conversation),
        "channel": json::id(file.channel), "meta_id": file.meta_id, "kind": file.kind, "mime_type": file.mime_type,
        "digest": file.digest, "file_name": file.file_name, "state": file.state.word(), "size": file.size,
        "place": file.place, "thumbnail": file.thumbnail, "meta_until": file.meta_until, "next_try_at": file.next_try_at,
        "created_at": file.created_at,
    })]);
    on!(tx.conn(), INSERT, |c, sql| sqlx::query(sql).bind(rows).execute(c).await.map(drop))?;
    Ok(())
}

/// Meta has it under `meta_id`, until then.
pub async fn sendable(tx: &mut Tx, message: MessageId, meta_id: &str, until: Micros) -> Result<(), StoreError> {
    let meta_id = meta_id.to_owned();
    on!(tx.conn(), SENDABLE, |c, sql| {
        sqlx::query(sql).bind(message).bind(meta_id).bind(until).execute(c).await.map(drop)
    })?;
    Ok(())
}

/// Up to `limit` that are due at `time`, from now on the caller's until `until`.
pub async fn take(tx: &mut Tx, time: Micros, until: Micros, limit: i64) -> Result<Vec<Media>, StoreError> {
    let taken =
        on!(tx.conn(), TAKE, |c, sql| sqlx::query_as(sql).bind(time).bind(until).bind(limit).fetch_all(c).await);
    Ok(taken?)
}

/// Not before `next` (of leases) is it anybody else's, or tried again. Whether it was still the caller's.
pub async fn again(tx: &mut Tx, taken: &Media, next: Micros, problem: Option<&str>) -> Result<bool, StoreError> {
    let rows = on!(tx.conn(), AGAIN, |c, sql| {
        let query = sqlx::query(sql).bind(taken.message).bind(taken.tries).bind(next).bind(problem.map(str::to_owned));
        query.execute(c).await.map(|done| done.rows_affected())
    })?;
    Ok(rows == 1)
}

/// What came of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    pub state: MediaState,
    pub problem: Option<String>,
    pub size: Option<i64>,
    pub place: Option<String>,
    pub thumbnail: bool,
    pub mime_type: Option<String>,
}

/// Its conversation is locked. Whether it was still the caller's.
pub async fn settle(tx: &mut Tx, taken: &Media, settled: &Settled) -> Result<bool, StoreError> {
    let rows = on!(tx.conn(), SETTLE, |c, sql| {
        sqlx::query(sql)
            .bind(taken.message)
            .bind(taken.tries)
            .bind(settled.state)
            .bind(settled.problem.clone())
            .bind(settled.size)
            .bind(settled.place.clone())
            .bind(settled.mime_type.clone())
            .bind(settled.thumbnail)
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(rows == 1)
}

/// When the next one is due, in the time of leases.
pub async fn next(conn: Conn<'_>) -> Result<Option<Micros>, StoreError> {
    Ok(on!(conn, NEXT, |c, sql| sqlx::query_scalar(sql).fetch_one(c).await)?)
}

/// It is to be put in words, from `time` on.
pub async fn ask_words(tx: &mut Tx, message: MessageId, time: Micros) -> Result<(), StoreError> {
    on!(tx.conn(), ASK_WORDS, |c, sql| sqlx::query(sql).bind(message).bind(time).execute(c).await.map(drop))?;
    tx.wake(Topic::Words);
    Ok(())
}

/// Up to `limit` to be put in words at `time`, from now on the caller's until `until`.
pub async fn take_words(tx: &mut Tx, time: Micros, until: Micros, limit: i64) -> Result<Vec<Media>, StoreError> {
    let taken =
        on!(tx.conn(), TAKE_WORDS, |c, sql| sqlx::query_as(sql).bind(time).bind(until).bind(limit).fetch_all(c).await);
    Ok(taken?)
}

/// It is read again at `next` (of leases), because of this.
pub async fn words_again(tx: &mut Tx, taken: &Media, next: Micros, problem: &str) -> Result<(), StoreError> {
    on!(tx.conn(), WORDS_AGAIN, |c, sql| {
        let query = sqlx::query(sql).bind(taken.message).bind(taken.words_tries).bind(next).bind(problem.to_owned());
        query.execute(c).await.map(drop)
    })?;
    Ok(())
}

/// What was read, or the code of why nothing. Its conversation is locked. Whether it was still the caller's.
pub async fn settle_words(tx: &mut Tx, taken: &Media, read: &Result<String, String>) -> Result<bool, StoreError> {
    let (state, words, problem) = match read {
        Ok(words) => (WordsState::Read, Some(words.clone()), None),
        Err(problem) => (WordsState::Failed, None, Some(problem.clone())),
    };
    let rows = on!(tx.conn(), SETTLE_WORDS, |c, sql| {
        let query = sqlx::query(sql).bind(taken.message).bind(taken.words_tries).bind(state);
        query.bind(words).bind(problem).execute(c).await.map(|done| done.rows_affected())
    })?;
    Ok(rows == 1)
}

/// When the next one is to be read, in the time of leases.
pub async fn next_words(conn: Conn<'_>) -> Result<Option<Micros>, StoreError> {
    Ok(on!(conn, NEXT_WORDS, |c, sql| sqlx::query_scalar(sql).fetch_one(c).await)?)
}

//! What the business knows: documents and the chunks that they were read into.

use baton_shared::{DocumentId, Micros};

use super::{
    Conn, Sql, StoreError, Tx,
    engine::on,
    events::{self, Event},
};

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Document {
    pub id: DocumentId,
    /// An absolute path, or an http or https address.
    pub source: String,
    /// As agents and models are shown it.
    pub name: String,
    /// A word such as `markdown`; `None` until it was read once.
    pub kind: Option<String>,
    /// Two letters; empty until it was read once.
    pub language: String,
    /// The name of the only channel whose customers are told of it; empty for all.
    pub channel: String,
    /// SHA-256 in hex of the bytes that were read last.
    pub digest: Option<String>,
    /// What the web server called them.
    pub etag: Option<String>,
    pub state: State,
    /// Why the newest cannot be read, in a sentence.
    pub problem: Option<String>,
    /// Which of its chunks count.
    pub reading: i64,
    /// How many chunks count.
    pub chunks: i64,
    /// That of all knowledge at its last change.
    pub version: i64,
    pub read_at: Option<Micros>,
    /// When somebody last looked whether it has changed.
    pub looked_at: Micros,
    pub created_at: Micros,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum State {
    /// Being read for the first time.
    New,
    Ready,
    /// What was read before is still used, for the newest cannot be read.
    Stale,
    /// It never could be read.
    Broken,
}

impl State {
    /// The word used in SQL.
    pub const fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Ready => "ready",
            Self::Stale => "stale",
            Self::Broken => "broken",
        }
    }
}

/// A piece of a document.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Chunk {
    pub place: i64,
    /// The headings above it.
    pub heading: String,
    pub body: String,
    /// Little-endian floats, if somebody has made a vector of it.
    pub vector: Option<Vec<u8>>,
}

/// A chunk that has no vector of an embedder yet.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Unembedded {
    #[sqlx(rename = "document_id")]
    pub document: DocumentId,
    pub reading: i64,
    pub place: i64,
    pub heading: String,
    pub body: String,
}

macro_rules! columns {
    () => {
        "id, source, name, kind, language, channel, digest, etag, state, problem, reading, chunks, version, read_at, \
         looked_at, created_at"
    };
}

const VERSION: Sql = Sql::Both("select coalesce(max(cast(value as bigint)), 0) from setting where key = 'knowledge'");
/// Whoever has taken the next one commits before the one after is taken.
const NEXT_VERSION: Sql = Sql::Both(
    "insert into setting (key, value) values ('knowledge', '1') on conflict (key) do update set \
     value = cast(cast(setting.value as bigint) + 1 as text) returning cast(value as bigint)",
);
const EVERY: Sql = Sql::Both(concat!("select ", columns!(), " from document order by name, source"));
const BY_SOURCE: Sql = Sql::Both(concat!("select ", columns!(), " from document where source = $1"));
const INSERT: Sql = Sql::Both(concat!(
    "insert into document (",
    columns!(),
    ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) on conflict (source) do nothing"
));
/// Unless somebody else has read it meanwhile.
const SAVE: Sql = Sql::Both(
    "update document set name = $3, kind = $4, language = $5, channel = $6, digest = $7, etag = $8, state = $9, \
     problem = $10, reading = $11, chunks = $12, version = $13, read_at = $14, looked_at = $15 \
     where id = $1 and reading = $2",
);
const CHUNKS: Sql =
    Sql::Both("select place, heading, body, vector from chunk where document_id = $1 and reading = $2 order by place");
const INSERT_CHUNK: Sql =
    Sql::Both("insert into chunk (document_id, reading, place, heading, body) values ($1, $2, $3, $4, $5)");
const FORGET_CHUNKS: Sql = Sql::Both("delete from chunk where document_id = $1 and reading <> $2");
const REMOVE_CHUNKS: Sql = Sql::Both("delete from chunk where document_id = $1");
const REMOVE: Sql = Sql::Both("delete from document where id = $1");
const UNEMBEDDED: Sql = Sql::Both(
    "select c.document_id, c.reading, c.place, c.heading, c.body from chunk c join document d on d.id = c.document_id \
     and d.reading = c.reading where coalesce(c.embedder, '') <> $1 order by c.document_id, c.place limit $2",
);
const EMBED: Sql =
    Sql::Both("update chunk set embedder = $4, vector = $5 where document_id = $1 and reading = $2 and place = $3");
const TOUCH: Sql = Sql::Both("update document set version = $2 where id = $1");

pub const ALL: &[&Sql] = &[
    &VERSION,
    &NEXT_VERSION,
    &EVERY,
    &BY_SOURCE,
    &INSERT,
    &SAVE,
    &CHUNKS,
    &INSERT_CHUNK,
    &FORGET_CHUNKS,
    &REMOVE_CHUNKS,
    &REMOVE,
    &UNEMBEDDED,
    &EMBED,
    &TOUCH,
];

/// Grows with every change of what is known.
pub async fn version(conn: Conn<'_>) -> Result<i64, StoreError> {
    Ok(on!(conn, VERSION, |c, sql| sqlx::query_scalar(sql).fetch_one(c).await)?)
}

async fn next_version(tx: &mut Tx) -> Result<i64, StoreError> {
    Ok(on!(tx.conn(), NEXT_VERSION, |c, sql| sqlx::query_scalar(sql).fetch_one(c).await)?)
}

/// All documents, by name.
pub async fn every(conn: Conn<'_>) -> Result<Vec<Document>, StoreError> {
    Ok(on!(conn, EVERY, |c, sql| sqlx::query_as(sql).fetch_all(c).await)?)
}

pub async fn by_source(conn: Conn<'_>, source: &str) -> Result<Option<Document>, StoreError> {
    Ok(on!(conn, BY_SOURCE, |c, sql| sqlx::query_as(sql).bind(source.to_owned()).fetch_optional(c).await)?)
}

/// Stores a document of which nothing is read yet, unless its source is known.
pub async fn insert(tx: &mut Tx, new: &Document) -> Result<(), StoreError> {
    on!(tx.conn(), INSERT, |c, sql| {
        sqlx::query(sql)
            .bind(new.id)
            .bind(&new.source)
            .bind(&new.name)
            .bind(&new.kind)
            .bind(&new.language)
            .bind(&new.channel)
            .bind(&new.digest)
            .bind(&new.etag)
            .bind(new.state)
            .bind(&new.problem)
            .bind(new.reading)
            .bind(new.chunks)
            .bind(new.version)
            .bind(new.read_at)
            .bind(new.looked_at)
            .bind(new.created_at)
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(())
}

/// Writes back one that was at `reading`; `false` if somebody else has read it meanwhile, or removed it. With
/// `changed` all knowledge gets a new version.
pub async fn save(tx: &mut Tx, one: &Document, reading: i64, changed: bool) -> Result<bool, StoreError> {
    let version = if changed { next_version(tx).await? } else { one.version };
    let done = on!(tx.conn(), SAVE, |c, sql| {
        sqlx::query(sql)
            .bind(one.id)
            .bind(reading)
            .bind(&one.name)
            .bind(&one.kind)
            .bind(&one.language)
            .bind(&one.channel)
            .bind(&one.digest)
            .bind(&one.etag)
            .bind(one.state)
            .bind(&one.problem)
            .bind(one.reading)
            .bind(one.chunks)
            .bind(version)
            .bind(one.read_at)
            .bind(one.looked_at)
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    if changed && done > 0 {
        let event = Event::new("knowledge_changed", one.looked_at).because(one.id.to_string());
        events::append(tx, event).await?;
    }
    Ok(done > 0)
}

/// The chunks of a document that count, in its order.
pub async fn chunks(conn: Conn<'_>, document: &Document) -> Result<Vec<Chunk>, StoreError> {
    let (id, reading) = (document.id, document.reading);
    Ok(on!(conn, CHUNKS, |c, sql| sqlx::query_as(sql).bind(id).bind(reading).fetch_all(c).await)?)
}

/// Stores chunks of a reading that does not count yet.
pub async fn insert_chunks(
    tx: &mut Tx,
    document: DocumentId,
    reading: i64,
    chunks: &[Chunk],
) -> Result<(), StoreError> {
    for one in chunks {
        on!(tx.conn(), INSERT_CHUNK, |c, sql| {
            sqlx::query(sql)
                .bind(document)
                .bind(reading)
                .bind(one.place)
                .bind(&one.heading)
                .bind(&one.body)
                .execute(c)
                .await
                .map(drop)
        })?;
    }
    Ok(())
}

/// Forgets the chunks of every other reading.
pub async fn forget_chunks(tx: &mut Tx, document: DocumentId, reading: i64) -> Result<(), StoreError> {
    on!(tx.conn(), FORGET_CHUNKS, |c, sql| sqlx::query(sql).bind(document).bind(reading).execute(c).await.map(drop))?;
    Ok(())
}

/// Forgets a document with all its chunks.
pub async fn remove(tx: &mut Tx, document: DocumentId, now: Micros) -> Result<(), StoreError> {
    next_version(tx).await?;
    events::append(tx, Event::new("knowledge_removed", now).because(document.to_string())).await?;
    on!(tx.conn(), REMOVE_CHUNKS, |c, sql| sqlx::query(sql).bind(document).execute(c).await.map(drop))?;
    on!(tx.conn(), REMOVE, |c, sql| sqlx::query(sql).bind(document).execute(c).await.map(drop))?;
    Ok(())
}

/// Up to `limit` chunks without a vector of `embedder`, a document's together.
pub async fn unembedded(conn: Conn<'_>, embedder: &str, limit: i64) -> Result<Vec<Unembedded>, StoreError> {
    Ok(on!(conn, UNEMBEDDED, |c, sql| {
        sqlx::query_as(sql).bind(embedder.to_owned()).bind(limit).fetch_all(c).await
    })?)
}

/// Stores vectors that `embedder` made of chunks. A chunk that is gone meanwhile is none.
pub async fn embed(tx: &mut Tx, embedder: &str, made: &[(Unembedded, Vec<u8>)]) -> Result<(), StoreError> {
    let version = next_version(tx).await?;
    for (one, vector) in made {
        on!(tx.conn(), EMBED, |c, sql| {
            sqlx::query(sql)
                .bind(one.document)
                .bind(one.reading)
                .bind(one.place)
                .bind(embedder.to_owned())
                .bind(vector)
                .execute(c)
                .await
                .map(drop)
        })?;
    }
    let mut touched: Vec<DocumentId> = made.iter().map(|(one, _)| one.document).collect();
    touched.dedup();
    for id in touched {
        on!(tx.conn(), TOUCH, |c, sql| sqlx::query(sql).bind(id).bind(version).execute(c).await.map(drop))?;
    }
    Ok(())
}

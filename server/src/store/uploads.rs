//! Files that agents brought, before a message names them.

use baton_shared::{AgentId, ConversationId, Micros, UploadId, file::FileKind};

use super::{Conn, Sql, StoreError, Tx, engine::on};

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Upload {
    #[sqlx(rename = "agent_id")]
    pub agent: AgentId,
    pub id: UploadId,
    #[sqlx(rename = "conversation_id")]
    pub conversation: ConversationId,
    pub kind: FileKind,
    pub mime_type: String,
    /// As its owner calls it: never a path.
    pub file_name: Option<String>,
    /// SHA-256 in hex.
    pub digest: String,
    pub size: i64,
    /// Where the bytes lie in the media store.
    pub place: String,
    /// Whether a small picture lies beside them.
    pub thumbnail: bool,
    pub created_at: Micros,
}

const GET: Sql = Sql::Both(
    "select agent_id, id, conversation_id, kind, mime_type, file_name, digest, size, place, thumbnail, created_at from upload \
     where agent_id = $1 and id = $2",
);
const INSERT: Sql = Sql::Both(
    "insert into upload (agent_id, id, conversation_id, kind, mime_type, file_name, digest, size, place, thumbnail, created_at) \
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict (agent_id, id) do nothing",
);
/// The bytes of the others belong to messages.
const UNUSED: Sql = Sql::Both(
    "select u.place from upload u where u.created_at < $1 \
     and not exists (select 1 from media m where m.place = u.place) order by u.created_at limit $2",
);
const FORGET: Sql = Sql::Both(
    "delete from upload where created_at < $1 \
     and (place = $2 or exists (select 1 from media m where m.place = upload.place))",
);

pub const ALL: &[&Sql] = &[&GET, &INSERT, &UNUSED, &FORGET];

pub async fn get(conn: Conn<'_>, agent: AgentId, id: UploadId) -> Result<Option<Upload>, StoreError> {
    Ok(on!(conn, GET, |c, sql| sqlx::query_as(sql).bind(agent).bind(id).fetch_optional(c).await)?)
}

/// Whether it was the first of that id.
pub async fn insert(tx: &mut Tx, new: &Upload) -> Result<bool, StoreError> {
    let rows = on!(tx.conn(), INSERT, |c, sql| {
        sqlx::query(sql)
            .bind(new.agent)
            .bind(new.id)
            .bind(new.conversation)
            .bind(new.kind)
            .bind(new.mime_type.clone())
            .bind(new.file_name.clone())
            .bind(new.digest.clone())
            .bind(new.size)
            .bind(new.place.clone())
            .bind(new.thumbnail)
            .bind(new.created_at)
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(rows == 1)
}

/// Where the bytes of up to `limit` lie that are older than `before` and that no message has.
pub async fn unused(conn: Conn<'_>, before: Micros, limit: i64) -> Result<Vec<String>, StoreError> {
    Ok(on!(conn, UNUSED, |c, sql| sqlx::query_scalar(sql).bind(before).bind(limit).fetch_all(c).await)?)
}

/// Forgets those older than `before` that messages have, and the one at `place`, whose bytes are gone.
pub async fn forget(tx: &mut Tx, before: Micros, place: &str) -> Result<(), StoreError> {
    let place = place.to_owned();
    on!(tx.conn(), FORGET, |c, sql| sqlx::query(sql).bind(before).bind(place).execute(c).await.map(drop))?;
    Ok(())
}

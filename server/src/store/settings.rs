//! What the store knows about itself, and little else.

use super::{Conn, Sql, StoreError, Tx, engine::on};

const GET: Sql = Sql::Both("select value from setting where key = $1");
const PUT: Sql = Sql::Both(
    "insert into setting (key, value) values ($1, $2) on conflict (key) do update set value = excluded.value",
);
const PUT_NEW: Sql = Sql::Both("insert into setting (key, value) values ($1, $2) on conflict (key) do nothing");

pub const ALL: &[&Sql] = &[&GET, &PUT, &PUT_NEW];

pub async fn get(conn: Conn<'_>, key: &str) -> Result<Option<String>, StoreError> {
    Ok(on!(conn, GET, |c, sql| sqlx::query_scalar(sql).bind(key.to_owned()).fetch_optional(c).await)?)
}

pub async fn put(tx: &mut Tx, key: &str, value: &str) -> Result<(), StoreError> {
    on!(tx.conn(), PUT, |c, sql| {
        sqlx::query(sql).bind(key.to_owned()).bind(value.to_owned()).execute(c).await.map(drop)
    })?;
    Ok(())
}

/// Stores it unless there is one already.
pub async fn put_new(tx: &mut Tx, key: &str, value: &str) -> Result<(), StoreError> {
    on!(tx.conn(), PUT_NEW, |c, sql| {
        sqlx::query(sql).bind(key.to_owned()).bind(value.to_owned()).execute(c).await.map(drop)
    })?;
    Ok(())
}

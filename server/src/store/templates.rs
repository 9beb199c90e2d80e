//! Message templates, as Meta had them at the last look.

use baton_shared::Micros;

use super::{Conn, Sql, StoreError, Tx, engine::on};

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Stored {
    #[sqlx(rename = "business_account_id")]
    pub account: String,
    pub name: String,
    /// Meta's code, for example `pt_BR`.
    pub language: String,
    pub category: String,
    pub status: String,
    pub quality: Option<String>,
    /// JSON from Meta.
    pub components: String,
    pub synced_at: Micros,
}

macro_rules! columns {
    () => {
        "business_account_id, name, language, category, status, quality, components, synced_at"
    };
}

const OF: Sql = Sql::Both(concat!(
    "select ",
    columns!(),
    " from template where business_account_id = $1 order by name, language limit $2"
));
const BY_NAME: Sql = Sql::Both(concat!(
    "select ",
    columns!(),
    " from template where business_account_id = $1 and name = $2 and language = $3"
));
const PUT: Sql = Sql::Both(concat!(
    "insert into template (",
    columns!(),
    ") values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (business_account_id, name, language) do update set \
     category = excluded.category, status = excluded.status, quality = excluded.quality, \
     components = excluded.components, synced_at = excluded.synced_at"
));
const FORGET: Sql = Sql::Both("delete from template where business_account_id = $1 and synced_at < $2");

const AMEND: Sql = Sql::Both(
    "update template set status = coalesce($4, status), quality = coalesce($5, quality), \
     category = coalesce($6, category) where business_account_id = $1 and name = $2 and language = $3",
);
const UNUSABLE: Sql = Sql::Both(
    "select name, language, status from template where business_account_id = $1 \
     and status in ('PAUSED', 'REJECTED', 'DISABLED', 'LIMIT_EXCEEDED', 'LOCKED') order by name, language limit $2",
);

pub const ALL: &[&Sql] = &[&OF, &BY_NAME, &PUT, &FORGET, &AMEND, &UNUSABLE];

/// What Meta says of one before the next look: its status, quality and category, as far as it says.
pub async fn amend(
    tx: &mut Tx,
    account: &str,
    name: &str,
    language: &str,
    [status, quality, category]: [Option<&str>; 3],
) -> Result<(), StoreError> {
    on!(tx.conn(), AMEND, |c, sql| {
        sqlx::query(sql)
            .bind(account)
            .bind(name)
            .bind(language)
            .bind(status)
            .bind(quality)
            .bind(category)
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(())
}

/// Up to `limit` that Meta does not let be sent: name, language, status.
pub async fn unusable(conn: Conn<'_>, account: &str, limit: i64) -> Result<Vec<(String, String, String)>, StoreError> {
    Ok(on!(conn, UNUSABLE, |c, sql| sqlx::query_as(sql).bind(account).bind(limit).fetch_all(c).await)?)
}

/// Up to `limit` of an account, by name.
pub async fn of_account(conn: Conn<'_>, account: &str, limit: i64) -> Result<Vec<Stored>, StoreError> {
    Ok(on!(conn, OF, |c, sql| sqlx::query_as(sql).bind(account).bind(limit).fetch_all(c).await)?)
}

pub async fn by_name(conn: Conn<'_>, account: &str, name: &str, language: &str) -> Result<Option<Stored>, StoreError> {
    Ok(on!(conn, BY_NAME, |c, sql| {
        sqlx::query_as(sql).bind(account).bind(name).bind(language).fetch_optional(c).await
    })?)
}

/// Everything that an account has now; what is not among it is gone at Meta.
pub async fn replace(tx: &mut Tx, account: &str, all: &[Stored], now: Micros) -> Result<(), StoreError> {
    for one in all {
        on!(tx.conn(), PUT, |c, sql| {
            sqlx::query(sql)
                .bind(&one.account)
                .bind(&one.name)
                .bind(&one.language)
                .bind(&one.category)
                .bind(&one.status)
                .bind(&one.quality)
                .bind(&one.components)
                .bind(now)
                .execute(c)
                .await
                .map(drop)
        })?;
    }
    on!(tx.conn(), FORGET, |c, sql| sqlx::query(sql).bind(account).bind(now).execute(c).await.map(drop))?;
    Ok(())
}

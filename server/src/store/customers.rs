//! Customers and the names they go by: a user id within a portfolio, and a phone.

use std::collections::BTreeMap;

use baton_shared::{ConversationId, CustomerId, Micros};
use serde_json::json;

use super::{Conn, Sql, StoreError, Tx, engine::on, json};
use crate::domain::numbers;

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Customer {
    pub id: CustomerId,
    pub name: String,
    pub username: Option<String>,
    pub created_at: Micros,
    #[sqlx(default)]
    pub blocked_at: Option<Micros>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum AliasKind {
    /// A business-scoped user id, such as `US.1349…`.
    User,
    /// A phone number in digits.
    Phone,
}

/// A name by which customers are found: of a phone the one way of writing it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    scope: String,
    kind: AliasKind,
    value: String,
}

impl Key {
    pub fn new(scope: &str, kind: AliasKind, value: &str) -> Self {
        let value = match kind {
            AliasKind::User => value.to_owned(),
            AliasKind::Phone => numbers::canonical(value).into_owned(),
        };
        Self { scope: scope.to_owned(), kind, value }
    }
}

impl AliasKind {
    pub const fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Phone => "phone",
        }
    }
}

/// One name that a customer goes by, as it was received.
#[derive(Clone, Debug, PartialEq, Eq, Hash, sqlx::FromRow)]
pub struct Alias {
    /// The portfolio that the value means something in.
    pub scope: String,
    pub kind: AliasKind,
    pub value: String,
    #[sqlx(rename = "customer_id")]
    pub customer: CustomerId,
}

impl Alias {
    pub fn key(&self) -> Key {
        Key::new(&self.scope, self.kind, &self.value)
    }
}

/// One name that a customer goes by, and what they are called.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Known {
    #[sqlx(flatten)]
    pub alias: Alias,
    pub name: String,
    pub username: Option<String>,
    pub blocked_at: Option<Micros>,
}

const BY_ID: Sql = Sql::Both("select id, name, username, created_at, blocked_at from customer where id = $1");

/// All names of whoever goes by one of these.
const FIND: Sql = Sql::Each {
    sqlite: "select a.scope, a.kind, a.value, a.customer_id, c.name, c.username, c.blocked_at from alias a \
             join customer c on c.id = a.customer_id where a.customer_id in (select k.customer_id from alias k \
             where (k.scope, k.kind, k.value) in \
             (select r.value->>'scope', r.value->>'kind', r.value->>'value' from json_each($1) as r))",
    postgres: "select a.scope, a.kind, a.value, a.customer_id, c.name, c.username, c.blocked_at from alias a \
               join customer c on c.id = a.customer_id where a.customer_id in (select k.customer_id from alias k \
               where (k.scope, k.kind, k.value) in (select r.scope, r.kind, r.value \
               from json_to_recordset($1::json) as r(scope text, kind text, value text)))",
};

const OF: Sql = Sql::Each {
    sqlite: "select scope, kind, value, customer_id from alias \
             where customer_id in (select unhex(value) from json_each($1))",
    postgres: "select scope, kind, value, customer_id from alias \
               where customer_id in (select value::uuid from json_array_elements_text($1::json))",
};

const INSERT: Sql = Sql::Each {
    sqlite: "insert into customer (id, name, username, created_at) \
             select unhex(value->>'id'), value->>'name', value->>'username', value->>'created_at' from json_each($1)",
    postgres: "insert into customer (id, name, username, created_at) select r.id, r.name, r.username, r.created_at \
               from json_to_recordset($1::json) as r(id uuid, name text, username text, created_at bigint)",
};

const INSERT_ALIASES: Sql = Sql::Each {
    sqlite: "insert into alias (scope, kind, value, customer_id) select r.value->>'scope', r.value->>'kind', \
             r.value->>'value', unhex(r.value->>'customer') from json_each($1) as r",
    postgres: "insert into alias (scope, kind, value, customer_id) select r.scope, r.kind, r.value, r.customer \
               from json_to_recordset($1::json) as r(scope text, kind text, value text, customer uuid)",
};

const RENAME: Sql = Sql::Each {
    sqlite: "update customer set name = r.value->>'name', username = r.value->>'username' from json_each($1) as r \
             where customer.id = unhex(r.value->>'id') and (customer.name <> r.value->>'name' \
             or customer.username is not r.value->>'username')",
    postgres: "update customer set name = r.name, username = r.username \
               from json_to_recordset($1::json) as r(id uuid, name text, username text) where customer.id = r.id \
               and (customer.name <> r.name or customer.username is distinct from r.username)",
};

const PUT_ALIAS: Sql = Sql::Both(
    "insert into alias (scope, kind, value, customer_id) values ($1, $2, $3, $4) \
     on conflict (scope, kind, value) do update set customer_id = excluded.customer_id",
);
const DROP_OTHERS: Sql =
    Sql::Both("delete from alias where scope = $1 and kind = $2 and value <> $3 and customer_id = $4");

const DROP: Sql = Sql::Both("delete from alias where scope = $1 and kind = $2 and value = $3 and customer_id = $4");
const GIVE: Sql = Sql::Both("update alias set customer_id = $2 where customer_id = $1");

const BLOCKED: Sql =
    Sql::Both("select u.blocked_at from conversation c join customer u on u.id = c.customer_id where c.id = $1");
const BLOCK: Sql = Sql::Both("update customer set blocked_at = $2 where id = $1");

pub const ALL: &[&Sql] =
    &[&BY_ID, &FIND, &OF, &INSERT, &INSERT_ALIASES, &RENAME, &PUT_ALIAS, &DROP_OTHERS, &DROP, &GIVE, &BLOCK, &BLOCKED];

/// From now on the name is this customer's, whoever had it before.
pub async fn put_alias(tx: &mut Tx, alias: &Alias) -> Result<(), StoreError> {
    with_alias(tx, PUT_ALIAS, alias).await
}

/// From now on the customer goes by this one, and by no other of its kind.
pub async fn replace(tx: &mut Tx, alias: &Alias) -> Result<(), StoreError> {
    with_alias(tx, DROP_OTHERS, alias).await?;
    put_alias(tx, alias).await
}

/// Since when the customer of this conversation is blocked.
pub async fn blocked(conn: Conn<'_>, conversation: ConversationId) -> Result<Option<Micros>, StoreError> {
    let found: Option<Option<Micros>> =
        on!(conn, BLOCKED, |c, sql| sqlx::query_scalar(sql).bind(conversation).fetch_optional(c).await)?;
    Ok(found.flatten())
}

/// Nobody owes them an answer from then on; `None`: as before.
pub async fn set_blocked(tx: &mut Tx, id: CustomerId, at: Option<Micros>) -> Result<(), StoreError> {
    on!(tx.conn(), BLOCK, |c, sql| sqlx::query(sql).bind(id).bind(at).execute(c).await.map(drop))?;
    Ok(())
}

/// Nobody goes by it any more, if this customer did.
pub async fn drop_alias(tx: &mut Tx, alias: &Alias) -> Result<(), StoreError> {
    with_alias(tx, DROP, alias).await
}

async fn with_alias(tx: &mut Tx, statement: Sql, alias: &Alias) -> Result<(), StoreError> {
    on!(tx.conn(), statement, |c, sql| sqlx::query(sql)
        .bind(&alias.scope)
        .bind(alias.kind.word())
        .bind(&alias.value)
        .bind(alias.customer)
        .execute(c)
        .await
        .map(drop))?;
    Ok(())
}

/// Every name of the one is the other's from now on.
pub async fn give_names(tx: &mut Tx, from: CustomerId, to: CustomerId) -> Result<(), StoreError> {
    on!(tx.conn(), GIVE, |c, sql| sqlx::query(sql).bind(from).bind(to).execute(c).await.map(drop))?;
    Ok(())
}

pub async fn by_id(conn: Conn<'_>, id: CustomerId) -> Result<Option<Customer>, StoreError> {
    Ok(on!(conn, BY_ID, |c, sql| sqlx::query_as(sql).bind(id).fetch_optional(c).await)?)
}

/// Whoever goes by one of these names, or by another way of writing one, once for each name of theirs.
pub async fn find<'a>(
    conn: Conn<'_>,
    names: impl IntoIterator<Item = (&'a str, AliasKind, &'a str)>,
) -> Result<Vec<Known>, StoreError> {
    let mut rows = Vec::new();
    for (scope, kind, value) in names {
        let row = |value: &str| json!({"scope": scope, "kind": kind.word(), "value": value});
        match kind {
            AliasKind::User => rows.push(row(value)),
            AliasKind::Phone => rows.extend(numbers::variants(value).iter().map(|value| row(value))),
        }
    }
    let rows = json::rows(rows);
    Ok(on!(conn, FIND, |c, sql| sqlx::query_as(sql).bind(rows).fetch_all(c).await)?)
}

/// All names of these customers.
pub async fn aliases_of(conn: Conn<'_>, customers: &[CustomerId]) -> Result<Vec<Alias>, StoreError> {
    let ids = json::ids(customers);
    Ok(on!(conn, OF, |c, sql| sqlx::query_as(sql).bind(ids).fetch_all(c).await)?)
}

pub async fn insert_all(tx: &mut Tx, new: &[Customer]) -> Result<(), StoreError> {
    if new.is_empty() {
        return Ok(());
    }
    let rows = new.iter().map(
        |one| json!({"id": json::id(one.id), "name": one.name, "username": one.username, "created_at": one.created_at}),
    );
    let rows = json::rows(rows.collect());
    on!(tx.conn(), INSERT, |c, sql| sqlx::query(sql).bind(rows).execute(c).await.map(drop))?;
    Ok(())
}

/// # Errors
/// [`StoreError::Conflict`] if one of them was stored meanwhile: begin again and find it.
pub async fn insert_aliases(tx: &mut Tx, new: &[Alias]) -> Result<(), StoreError> {
    if new.is_empty() {
        return Ok(());
    }
    let rows = new.iter().map(|one| {
        json!({"scope": one.scope, "kind": one.kind.word(), "value": one.value, "customer": json::id(one.customer)})
    });
    let rows = json::rows(rows.collect());
    let done = on!(tx.conn(), INSERT_ALIASES, |c, sql| sqlx::query(sql).bind(rows).execute(c).await.map(drop));
    done.map_err(|error| match StoreError::from(error) {
        StoreError::Duplicate => StoreError::Conflict,
        other => other,
    })
}

/// Gives these customers these names and usernames, where they differ.
pub async fn rename_all(tx: &mut Tx, names: &BTreeMap<CustomerId, (&str, Option<&str>)>) -> Result<(), StoreError> {
    if names.is_empty() {
        return Ok(());
    }
    let rows =
        names.iter().map(|(id, (name, username))| json!({"id": json::id(*id), "name": name, "username": username}));
    let rows = json::rows(rows.collect());
    on!(tx.conn(), RENAME, |c, sql| sqlx::query(sql).bind(rows).execute(c).await.map(drop))?;
    Ok(())
}

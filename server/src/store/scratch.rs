//! A PostgreSQL database for one run, made beside the one that an address names and dropped after it.

use std::str::FromStr;

use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, postgres::PgConnectOptions};

use super::OpenError;

/// A database that is dropped by [`drop_it`](Self::drop_it), and by nothing else.
#[derive(Debug)]
pub struct Scratch {
    admin: PgConnectOptions,
    name: String,
}

impl Scratch {
    /// Makes the empty database `name` on the server of `url`, whose own database is left alone.
    ///
    /// # Errors
    /// [`OpenError`] if the address is none, nobody answers there, or nothing may be made; also for
    /// a name that is not of small letters, digits and underscores.
    pub async fn create(url: &str, name: &str) -> Result<Self, OpenError> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let admin = PgConnectOptions::from_str(url).ok().filter(|_| !name.is_empty() && name.chars().all(plain));
        let admin = admin.ok_or_else(|| OpenError::Address(url.to_owned()))?.disable_statement_logging();
        let scratch = Self { admin, name: name.to_owned() };
        scratch.run(format!("create database {name}")).await?;
        Ok(scratch)
    }

    /// What a server opens.
    pub fn url(&self) -> String {
        self.admin.clone().database(&self.name).to_url_lossy().to_string()
    }

    /// Drops it, whoever is still connected.
    ///
    /// # Errors
    /// [`OpenError::Database`] if it cannot be dropped; it is left behind then.
    pub async fn drop_it(self) -> Result<(), OpenError> {
        self.run(format!("drop database if exists {} with (force)", self.name)).await
    }

    async fn run(&self, statement: String) -> Result<(), OpenError> {
        let mut connection = PgConnection::connect_with(&self.admin).await?;
        connection.execute(sqlx::query(AssertSqlSafe(statement))).await?;
        Ok(connection.close().await?)
    }
}

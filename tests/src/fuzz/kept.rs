//! What a server's store holds of what it was sent.

use std::collections::{HashMap, HashSet};

use baton_server::store::{Conn, Db};

/// Everything that deliveries left behind.
pub struct Kept {
    /// Of messages, amendments and statuses that wait for their message.
    ids: HashSet<String>,
    /// Notices, as they came, in one text.
    notices: String,
    /// Dead letters: how often each body is there, and what is wrong with its reason.
    letters: HashMap<Vec<u8>, usize>,
    /// Of reasons that say nothing.
    pub without_reason: usize,
    pub messages: usize,
    /// Events that hold what a customer said.
    pub talking_events: usize,
}

/// What is kept of webhooks that are about no message, as it came.
pub async fn notices(db: &Db) -> Vec<String> {
    let raw: Vec<(String,)> = all(db, "select raw from notice order by id").await;
    raw.into_iter().map(|(raw,)| raw).collect()
}

impl Kept {
    pub async fn read(db: &Db) -> Self {
        const IDS: &str = "select wamid from message where wamid is not null union select wamid from amendment \
                           union select wamid from early_status";
        let letters: Vec<(String, Vec<u8>)> = all(db, "select reason, body from dead_letter").await;
        let details: Vec<(String,)> = all(db, "select detail from event where detail is not null").await;
        let ids: Vec<(String,)> = all(db, IDS).await;
        let notices = notices(db).await.join("\n");
        let messages: Vec<(i64,)> = all(db, "select count(*) from message").await;
        let without_reason = letters.iter().filter(|(reason, _)| reason.trim().is_empty()).count();
        let mut bodies = HashMap::new();
        for (_, body) in letters {
            *bodies.entry(body).or_default() += 1;
        }
        Self {
            ids: ids.into_iter().map(|(id,)| id).collect(),
            notices,
            letters: bodies,
            without_reason,
            messages: usize::try_from(messages[0].0).unwrap_or(0),
            talking_events: details.iter().filter(|(detail,)| detail.contains(super::corpus::PRIVATE)).count(),
        }
    }

    /// Whether a message, echo or status with this id is stored, as itself or as what came.
    pub fn knows(&self, id: &str) -> bool {
        let written = serde_json::Value::from(id).to_string();
        // PostgreSQL stores no NUL.
        self.ids.contains(&id.replace('\0', "\u{fffd}")) || self.notices.contains(&written)
    }

    /// How often a body lies among the dead letters.
    pub fn letters(&self, body: &[u8]) -> usize {
        self.letters.get(body).copied().unwrap_or_default()
    }

    pub fn dead(&self) -> usize {
        self.letters.len()
    }
}

async fn all<T>(db: &Db, sql: &'static str) -> Vec<T>
where
    T: Send + Unpin,
    for<'r> T: sqlx::FromRow<'r, sqlx::sqlite::SqliteRow> + sqlx::FromRow<'r, sqlx::postgres::PgRow>,
{
    let mut reader = db.reader().await.expect("a reader");
    let rows = match reader.conn() {
        Conn::Sqlite(c) => sqlx::query_as(sql).fetch_all(c).await,
        Conn::Postgres(c) => sqlx::query_as(sql).fetch_all(c).await,
    };
    rows.expect("a read")
}

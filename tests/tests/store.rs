//! The store keeps its word on both engines.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
};

use baton_server::store::{
    self, Conn, Db, OpenError, StoreError, Tx, Urgency,
    events::{self, Event, Position},
    settings,
};
use baton_shared::ConversationId;
use baton_tests::{
    app::eventually,
    on_both,
    scene::{add_channel, deliver, text},
    store::{TestStore, left_out},
};
use sqlx::{Executor, SqlSafeStr};

on_both!(every_statement_is_valid, |store| {
    let mut reader = store.db.reader().await.unwrap();
    for sql in store::STATEMENTS.iter().flat_map(|statements| statements.iter()) {
        let prepared = match reader.conn() {
            Conn::Sqlite(c) => c.prepare(sql.sqlite().into_sql_str()).await.map(drop),
            Conn::Postgres(c) => c.prepare(sql.postgres().into_sql_str()).await.map(drop),
        };
        assert!(prepared.is_ok(), "{prepared:?}: {sql:?}");
    }
});

/// Each statement that needs two texts is one more place where the engines can differ.
#[test]
fn few_statements_need_two_texts() {
    let all = store::STATEMENTS.iter().flat_map(|statements| statements.iter());
    let two = all.filter(|sql| sql.sqlite() != sql.postgres()).count();
    assert!(two <= 32, "{two} statements have two texts");
}

/// Table -> columns -> whether it may be null.
type Shape = BTreeMap<String, BTreeMap<String, bool>>;

async fn shape(store: &TestStore) -> Shape {
    let mut reader = store.db.reader().await.unwrap();
    let columns: Vec<(String, String, bool)> = match reader.conn() {
        Conn::Sqlite(c) => sqlx::query_as(
            "select t.name, c.name, c.\"notnull\" = 0 and c.pk = 0 from sqlite_schema t, pragma_table_info(t.name) c \
             where t.type = 'table' and t.name not like 'sqlite_%' and t.name not like '\\_sqlx%' escape '\\'",
        )
        .fetch_all(c)
        .await
        .unwrap(),
        Conn::Postgres(c) => sqlx::query_as(
            "select table_name::text, column_name::text, is_nullable = 'YES' from information_schema.columns \
             where table_schema = 'public' and table_name not like '\\_sqlx%'",
        )
        .fetch_all(c)
        .await
        .unwrap(),
    };
    let mut shape = Shape::new();
    for (table, column, nullable) in columns {
        shape.entry(table).or_default().insert(column, nullable);
    }
    shape
}

#[tokio::test]
async fn both_engines_have_the_same_tables() {
    let Some(postgres) = TestStore::postgres().await else {
        return left_out("both_engines_have_the_same_tables");
    };
    let sqlite = shape(&TestStore::sqlite().await).await;
    assert!(sqlite.len() > 15, "{:?}", sqlite.keys());
    assert_eq!(sqlite, shape(&postgres).await);
}

#[tokio::test]
async fn a_second_server_on_one_sqlite_file_is_told_so() {
    let store = TestStore::sqlite().await;
    let second = Db::open(&store.url, store.clock.clone(), None).await;
    assert!(matches!(second, Err(OpenError::InUse { .. })), "{second:?}");
}

async fn put(store: &TestStore, key: &'static str, value: &'static str) -> Result<(), StoreError> {
    store.db.write(Urgency::First, move |tx| Box::pin(async move { settings::put(tx, key, value).await })).await
}

on_both!(a_failed_job_leaves_its_neighbours_alone, |store| {
    let bad = store.db.write(Urgency::First, |tx| {
        Box::pin(async move {
            settings::put(tx, "c", "lost").await?;
            Err::<(), _>(StoreError::Corrupt("on purpose"))
        })
    });
    let (a, bad, b) = futures::join!(put(&store, "a", "kept"), bad, put(&store, "b", "kept"));
    a.unwrap();
    b.unwrap();
    assert!(bad.is_err());
    let mut reader = store.db.reader().await.unwrap();
    for (key, value) in [("a", Some("kept")), ("b", Some("kept")), ("c", None)] {
        assert_eq!(settings::get(reader.conn(), key).await.unwrap().as_deref(), value, "{key}");
    }
});

/// SQLite throws the whole transaction away then, the others' jobs with it. What is answered is what is so.
#[tokio::test]
async fn a_disk_that_fills_up_in_the_middle_of_a_commit_is_told_to_all_in_it() {
    let store = TestStore::sqlite().await;
    let full = store.db.write(Urgency::First, |tx| {
        Box::pin(async move {
            pragma(tx, "pragma max_page_count = 1").await;
            settings::put(tx, "large", &"x".repeat(100_000)).await
        })
    });
    let (before, full, after) = futures::join!(put(&store, "before", "kept"), full, put(&store, "after", "kept"));
    assert!(full.is_err());
    for (key, answer) in [("before", before), ("large", full), ("after", after)] {
        let mut reader = store.db.reader().await.unwrap();
        let kept = settings::get(reader.conn(), key).await.unwrap().is_some();
        assert_eq!(kept, answer.is_ok(), "{key}");
    }
    let space = store.db.write(Urgency::First, |tx| {
        Box::pin(async move {
            pragma(tx, "pragma max_page_count = 1000000").await;
            Ok(())
        })
    });
    space.await.unwrap();
    put(&store, "later", "kept").await.unwrap();
}

async fn pragma(tx: &mut Tx, sql: &'static str) {
    let Conn::Sqlite(connection) = tx.conn() else { panic!("this is for SQLite") };
    sqlx::query(sql).execute(connection).await.unwrap();
}

on_both!(what_customers_write_is_stored_however_much_is_more_urgent, |store| {
    /// More than fit into one transaction always wait.
    const URGENT: usize = 300;
    let channel = add_channel(&store, "1055").await;
    let second = store.moment().now.seconds();
    let delivered = AtomicBool::new(false);
    let urgent = async || {
        while !delivered.load(Ordering::SeqCst) {
            store.db.write(Urgency::First, |_| Box::pin(async { Ok(()) })).await.unwrap();
        }
    };
    let delivery = async {
        let kept = deliver(&store, vec![text(channel, "wamid.1", "15550001", second)]).await;
        delivered.store(true, Ordering::SeqCst);
        kept
    };
    let (_, kept) = futures::join!(futures::future::join_all((0..URGENT).map(|_| urgent())), delivery);
    assert_eq!(kept.messages, 1);
});

on_both!(promise_2_a_message_is_kept_once, |store| {
    let channel = add_channel(&store, "1055").await;
    let second = store.moment().now.seconds();
    let batch = || vec![text(channel, "wamid.1", "15550001", second), text(channel, "wamid.2", "15550001", second)];
    let first = deliver(&store, batch()).await;
    assert_eq!((first.messages, first.duplicates), (2, 0));
    let mut again = batch();
    again.extend(batch());
    again.push(text(channel, "wamid.3", "15550002", second));
    let second = deliver(&store, again).await;
    assert_eq!((second.messages, second.duplicates), (1, 4));
});

on_both!(promise_2_deliveries_of_one_message_at_once_are_one, |store| {
    let channel = add_channel(&store, "1055").await;
    let second = store.moment().now.seconds();
    let deliveries = (0..16).map(|number| {
        let other = format!("wamid.{number}");
        let phone = format!("1555{}", number % 3);
        deliver(&store, vec![text(channel, "wamid.same", "15550001", second), text(channel, &other, &phone, second)])
    });
    let kept = futures::future::join_all(deliveries).await;
    assert_eq!(kept.iter().map(|kept| kept.messages).sum::<usize>(), 17);
});

async fn append(store: &TestStore, detail: String) {
    let conversation: ConversationId = store.ids.next(store.moment().now);
    let event = Event::new("taken", store.moment().now).of(conversation).because(detail);
    let job = store.db.write(Urgency::First, move |tx| {
        let event = event.clone();
        Box::pin(async move { events::append(tx, event).await })
    });
    job.await.unwrap();
}

on_both!(events_are_read_in_order_without_gap, |store| {
    futures::future::join_all((0..40).map(|number| append(&store, number.to_string()))).await;
    let (mut seen, mut position) = (Vec::new(), Position::START);
    // A transaction of somebody else in the same cluster keeps the horizon back for as long as it runs.
    eventually("all events behind the horizon", async || {
        let mut reader = store.db.reader().await.unwrap();
        let page = events::after(reader.conn(), position, 7).await.unwrap();
        assert!(page.iter().all(|event| event.position() > position));
        position = page.last().map_or(position, events::Appended::position);
        seen.extend(page.into_iter().filter_map(|event| event.detail));
        seen.len() >= 40
    })
    .await;
    seen.sort_by_key(|number| number.parse::<u32>().unwrap());
    assert_eq!(seen, (0..40).map(|number| number.to_string()).collect::<Vec<_>>());
    let mut reader = store.db.snapshot().await.unwrap();
    assert!(events::horizon(reader.conn()).await.unwrap().position >= position);
});

/// On PostgreSQL a lower number can commit after a higher one: such an event must not be skipped.
#[tokio::test]
async fn promise_8_an_event_that_commits_late_is_not_lost() {
    let Some(store) = TestStore::postgres().await else {
        return left_out("promise_8_an_event_that_commits_late_is_not_lost");
    };
    let slow = sqlx::PgPool::connect(&store.url).await.unwrap();
    let mut late = slow.begin().await.unwrap();
    late.execute("insert into event (at, kind) values (1, 'late')").await.unwrap();
    append(&store, "prompt".into()).await;
    let mut reader = store.db.reader().await.unwrap();
    assert_eq!(events::after(reader.conn(), Position::START, 10).await.unwrap(), []);
    late.commit().await.unwrap();
    let mut seen = Vec::new();
    eventually("both events behind the horizon", async || {
        seen = events::after(reader.conn(), Position::START, 10).await.unwrap();
        !seen.is_empty()
    })
    .await;
    assert_eq!(seen.iter().map(|event| event.kind.as_str()).collect::<Vec<_>>(), ["late", "taken"]);
}

#[tokio::test]
async fn what_was_written_is_there_after_the_store_was_closed() {
    let store = TestStore::sqlite().await;
    put(&store, "k", "v").await.unwrap();
    store.db.close().await;
    let refused = put(&store, "k", "w").await;
    assert!(matches!(refused, Err(StoreError::Closed)), "{refused:?}");
    let raw = sqlx::SqlitePool::connect(&store.url).await.unwrap();
    let value: String = sqlx::query_scalar("select value from setting where key = 'k'").fetch_one(&raw).await.unwrap();
    assert_eq!(value, "v");
}

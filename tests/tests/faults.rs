//! The machine under the server on a bad day: the database gone, locked, read-only or full. Whoever
//! can act is told, Meta is told to come again, and nothing is lost.

use std::time::Duration;

use baton::net::{Address, Client, NetEvent, Settings, Timing, sign_in};
use baton_server::{
    inbox::{new_secret, secret_hash},
    intake,
    lifecycle::Lifecycle,
    store::{
        Db, Urgency,
        agents::{self, Agent},
        messages,
    },
};
use baton_shared::{Role, protocol::ServerFrame};
use baton_simulator::whatsapp::{Config, Person, Saying, sign};
use baton_tests::{
    app::{App, eventually},
    door::Door,
    on_both,
    site::Site,
    store::{Database, Hold, in_time, left_out, let_in},
};
use futures::{StreamExt, stream::FuturesUnordered};
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::{Connection, Executor, PgConnection, SqliteConnection};

/// A text by a customer.
fn text(wamid: &str, words: &str) -> Value {
    json!({"object": "whatsapp_business_account", "entry": [{"id": "215589313241560883", "changes": [{
    "field": "messages", "value": {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": "106853218861066"},
        "contacts": [{"profile": {"name": "Marina"}, "wa_id": "15550001111"}],
        "messages": [{"from": "15550001111", "id": wamid, "timestamp": "1790000000", "type": "text",
                      "text": {"body": words}}],
    }}]}]})
}

async fn is_stored(db: &Db, wamid: &str) -> bool {
    let mut reader = db.reader().await.unwrap();
    messages::by_wamids(reader.conn(), [wamid]).await.unwrap().len() == 1
}

mod postgres {
    use super::*;

    async fn secret(app: &App) -> String {
        let context = app.server.as_ref().unwrap().context();
        let (now, secret) = (context.clock.now(), new_secret(&context.ids));
        let new = Agent {
            id: context.ids.next(now),
            name: "Ana".into(),
            role: Role::Supervisor,
            team: String::new(),
            created_at: now,
            disabled_at: None,
        };
        let hash = secret_hash(&secret);
        let job = context.db.write(Urgency::First, move |tx| {
            let (new, hash) = (new.clone(), hash.clone());
            Box::pin(async move { agents::insert(tx, &new, &hash).await })
        });
        job.await.unwrap();
        secret
    }

    async fn client(app: &App) -> Client {
        let address: Address = app.url("").parse().unwrap();
        let token = sign_in(&address, &secret(app).await).await.unwrap().token;
        let timing = Timing { last_retry: Duration::from_millis(200), ..Timing::default() };
        let settings = Settings { address, token, build: "test".into(), timing };
        let context = app.server.as_ref().unwrap().context();
        Client::new(settings, context.clock.clone(), context.ids.clone())
    }

    /// The customer of each wamid that the client was shown.
    async fn shows(client: &mut Client, customers: &[String]) {
        let mut missing: Vec<&String> = customers.iter().collect();
        while !missing.is_empty() {
            let rows = match client.next().await.unwrap() {
                NetEvent::Frame(frame) => match *frame {
                    ServerFrame::Snapshot { rows, .. } => rows,
                    ServerFrame::Events(events) => events.rows,
                    _ => continue,
                },
                NetEvent::Stopped(stop) => panic!("{stop}"),
                _ => continue,
            };
            missing.retain(|name| rows.iter().all(|row| row.customer != **name));
        }
    }

    fn write(app: &App, name: &str, phone: &str) -> String {
        app.simulator.with(|world, now| {
            let person = world.whatsapp.add_person(Person::new(name, phone, &format!("US.{phone}")));
            world.whatsapp.say(now, person, Saying::text("When are you open?"))
        })
    }

    /// How often Meta was told 503.
    fn turned_away(app: &App) -> usize {
        app.simulator.with(|world, _| {
            let posts = world.whatsapp.ledger().signed().iter().flat_map(|signed| &signed.attempts);
            posts.filter(|post| post.status == Some(503)).count()
        })
    }

    async fn ready(app: &App) -> StatusCode {
        app.client.get(app.url("/health/ready")).send().await.unwrap().status()
    }

    #[tokio::test]
    async fn while_it_is_gone_meta_is_told_to_come_again_and_everybody_finds_back() {
        let Some(database) = Database::postgres().await else {
            return left_out("while_it_is_gone_meta_is_told_to_come_again_and_everybody_finds_back");
        };
        in_time(away(database)).await;
    }

    async fn away(database: Database) {
        let url = database.url.clone();
        let mut config = Config::shop();
        config.pace.retry_longest = Duration::from_secs(1);
        let app = App::start(database, config).await;
        let mut client = client(&app).await;
        write(&app, "Before", "15550000");
        shows(&mut client, &["Before".into()]).await;

        let_in(&url, false).await;
        let names: Vec<String> = (0..10).map(|number| format!("Customer {number}")).collect();
        let said = names.iter().zip(0..).map(|(name, number)| write(&app, name, &format!("1555100{number}")));
        let said: Vec<String> = said.collect();
        eventually("Meta is told to come again", async || turned_away(&app) >= names.len()).await;
        eventually("whoever balances load is told", async || ready(&app).await == StatusCode::SERVICE_UNAVAILABLE)
            .await;

        let_in(&url, true).await;
        shows(&mut client, &names).await;
        assert_eq!(client.stats().gaps, 0);
        for wamid in &said {
            eventually("what Meta brings again is stored", async || is_stored(app.db(), wamid).await).await;
        }
        eventually("everybody is answered", async || {
            app.simulator.with(|world, _| {
                let reached = world.whatsapp.ledger().reached();
                world.whatsapp.ledger().said().iter().all(|said| reached.iter().any(|one| one.person == said.person))
            })
        })
        .await;
        assert_eq!(ready(&app).await, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_transaction_left_open_in_the_cluster_shows_in_the_lag_and_holds_up_no_customer() {
    let Some(app) = App::postgres().await else {
        return left_out("a_transaction_left_open_in_the_cluster_shows_in_the_lag_and_holds_up_no_customer");
    };
    in_time(async {
        let hold = Hold::begin().await;
        assert_eq!(app.post(text("wamid.1", "hello").to_string()).await, StatusCode::OK);
        let person = app.simulator.with(|world, now| {
            let person = world.whatsapp.add_person(Person::new("Tom", "15550002222", "US.2"));
            world.whatsapp.say(now, person, Saying::text("When are you open?"));
            person
        });
        eventually("a customer is answered", async || !app.reached(person).is_empty()).await;
        let began = lag(&app).await;
        assert!(began > 0.0, "an operator can see it");
        eventually("it grows while it lasts", async || lag(&app).await > began).await;
        hold.end().await;
    })
    .await;
}

/// How far what agents see may be behind, as an operator sees it.
async fn lag(app: &App) -> f64 {
    let page = app.client.get(app.url("/metrics")).send().await.unwrap().text().await.unwrap();
    let lag = page.lines().find_map(|line| line.strip_prefix("baton_event_lag_seconds "));
    lag.expect("the lag").parse().unwrap()
}

/// Somebody else has the right to write, and keeps it.
enum Stopper {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Stopper {
    async fn begin(url: &str) -> Self {
        if url.starts_with("sqlite") {
            let mut connection = SqliteConnection::connect(url).await.unwrap();
            connection.execute("begin immediate").await.unwrap();
            return Self::Sqlite(connection);
        }
        let mut connection = PgConnection::connect(url).await.unwrap();
        connection.execute("begin; lock table message in access exclusive mode").await.unwrap();
        Self::Postgres(connection)
    }

    async fn end(self) {
        match self {
            Self::Sqlite(mut connection) => connection.execute("rollback").await.map(drop).unwrap(),
            Self::Postgres(mut connection) => connection.execute("rollback").await.map(drop).unwrap(),
        }
    }
}

/// More deliveries than are under way and kept waiting on either engine (3 x 128 and 2,048)...
const FLOOD: usize = 3_000;

/// ...by so many.
const TOO_MANY: usize = 500;

on_both!(
    a_flood_while_nothing_can_be_stored_is_turned_away_and_nothing_of_that_is_kept,
    app | app | {
        let context = app.server.as_ref().unwrap().context();
        let numbers = intake::Numbers::load(context).await.unwrap();
        let life = Lifecycle::default();
        let door = Door::open(intake::router(context.clone(), numbers, &life), &life);
        let secret = &Config::shop().apps[0].secret;
        let post = async |number: usize| {
            let body = text(&format!("wamid.{number}"), "hello").to_string();
            (number, door.post("/webhook", &sign(secret, body.as_bytes()), body.as_bytes()).await)
        };
        let stopper = Stopper::begin(app.settings().database_url.reveal()).await;
        let mut posts: FuturesUnordered<_> = (0..FLOOD).map(post).collect();
        let mut answers = Vec::new();
        while answers.len() < TOO_MANY {
            answers.push(posts.next().await.unwrap());
        }
        assert!(answers.iter().all(|(_, status)| *status == 503), "{answers:?}");
        stopper.end().await;
        answers.extend(posts.collect::<Vec<_>>().await);

        let (kept, shed): (Vec<_>, Vec<_>) = answers.into_iter().partition(|(_, status)| *status == 200);
        assert!(kept.len() >= 128 && shed.iter().all(|(_, status)| *status == 503), "{} {shed:?}", kept.len());
        let wamids = |answers: &[(usize, u16)]| -> Vec<String> {
            answers.iter().map(|(number, _)| format!("wamid.{number}")).collect()
        };
        assert_eq!(stored(&app, &wamids(&kept)).await, kept.len());
        assert_eq!(stored(&app, &wamids(&shed)).await, 0);
        assert!(context.counters.deliveries.shed.get() >= TOO_MANY as u64, "an operator can see it");
        for (number, _) in &shed[..10] {
            assert_eq!(post(*number).await.1, 200, "Meta comes again");
        }
        assert_eq!(stored(&app, &wamids(&shed)).await, 10);
    }
);

async fn stored(app: &App, wamids: &[String]) -> usize {
    messages::by_wamids(app.reader().await.conn(), wamids.iter().map(String::as_str)).await.unwrap().len()
}

/// With SQLite there is a file that others can get hold of.
#[cfg(unix)]
mod file {
    use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

    use super::*;

    #[tokio::test]
    async fn while_another_process_writes_meta_is_told_to_come_again() {
        let app = App::sqlite().await;
        let stopper = Stopper::begin(app.settings().database_url.reveal()).await;
        assert_eq!(app.post(text("wamid.1", "hello").to_string()).await, StatusCode::SERVICE_UNAVAILABLE);
        assert!(!is_stored(app.db(), "wamid.1").await);
        stopper.end().await;
        assert_eq!(app.post(text("wamid.1", "hello").to_string()).await, StatusCode::OK);
        assert!(is_stored(app.db(), "wamid.1").await);
    }

    /// One line, with what to do about it in it, and exit code 2.
    async fn says(site: &Site, words: &str) {
        let (status, said) = site.fails_to_serve().await;
        assert_eq!(status.code(), Some(2), "{said}");
        assert!(said.contains("database_url: ") && said.contains(words), "{said:?} should have {words:?}");
        assert_eq!(said.trim_end().lines().count(), 1, "{said}");
        assert!(!said.contains("panicked"), "{said}");
    }

    /// A site whose database was made by a server that ran before.
    async fn used() -> Site {
        let mut site = Site::sqlite().await;
        site.serve().await;
        assert_eq!(site.post(text("wamid.1", "hello").to_string()).await, StatusCode::OK);
        site.kill();
        site
    }

    #[tokio::test]
    async fn a_file_that_another_process_holds_is_told_at_the_start() {
        let mut site = used().await;
        let stopper = Stopper::begin(&site.database.url).await;
        says(&site, "is being written by another process").await;
        stopper.end().await;
        site.serve().await;
        assert!(is_stored(&site.store().await, "wamid.1").await);
    }

    #[tokio::test]
    async fn a_file_or_a_folder_that_cannot_be_written_is_told_at_the_start() {
        let Some(wrapper) = without_privileges() else {
            return eprintln!("left out: a read-only file (root writes everywhere, and there is no `setpriv`)");
        };
        let (mut site, mut empty) = (used().await, Site::sqlite().await);
        site.start_by(wrapper);
        allow(site.file(), 0o444);
        says(&site, "is only to be read").await;
        allow(site.file(), 0o644);
        site.serve().await;
        assert!(is_stored(&site.store().await, "wamid.1").await);

        empty.start_by(wrapper);
        let folder = empty.file().parent().unwrap().to_owned();
        allow(&folder, 0o555);
        says(&empty, "Permission denied").await;
        allow(&folder, 0o755);
        empty.serve().await;
    }

    #[tokio::test]
    async fn an_address_that_says_read_only_is_told_at_the_start() {
        let mut site = used().await;
        let url = site.database.url.clone();
        site.database.url = format!("{url}?mode=ro");
        says(&site, "is only to be read").await;
        site.database.url = url;
        site.serve().await;
    }

    fn allow(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// What starts a program that must ask for permission: root, too, by giving up what makes it root.
    fn without_privileges() -> Option<&'static [&'static str]> {
        let id = Command::new("id").arg("-u").output().ok()?.stdout;
        if id.trim_ascii() != b"0" {
            return Some(&[]);
        }
        let wrapper = &["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"];
        let tried = Command::new(wrapper[0]).args(&wrapper[1..]).arg("true").status();
        tried.is_ok_and(|status| status.success()).then_some(wrapper)
    }

    /// No file grows beyond a mebibyte: to the program that is a disk without space.
    const FULL: &[&str] = &["sh", "-c", "trap '' XFSZ; ulimit -S -f 2048; exec \"$0\" \"$@\""];

    #[tokio::test]
    async fn a_full_disk_turns_meta_away_until_there_is_space_again() {
        if Command::new("prlimit").arg("--version").output().is_err() {
            return eprintln!("left out: a full disk (there is no `prlimit` to give space back with)");
        }
        let mut site = Site::sqlite().await;
        site.start_by(FULL);
        site.serve().await;
        let words = "What a long story. ".repeat(3_000);
        let (mut kept, mut refused) = (Vec::new(), Vec::new());
        while refused.len() < 5 {
            assert!(kept.len() < 500, "the disk does not fill up");
            let wamid = format!("wamid.{}.{}", kept.len(), refused.len());
            match site.post(text(&wamid, &words).to_string()).await {
                StatusCode::OK => kept.push(wamid),
                StatusCode::SERVICE_UNAVAILABLE => refused.push(wamid),
                other => panic!("{other}: {}", site.log()),
            }
        }
        assert!(kept.len() > 5 && site.runs(), "{}", site.log());
        let said = site.log();
        assert!(said.contains("a delivery could not be stored"), "{said}");
        let metrics = site.client.get(site.url("/metrics")).send().await.unwrap().text().await.unwrap();
        assert!(metrics.contains("baton_deliveries_total{outcome=\"failed\"}"), "{metrics}");

        let process = site.process().to_string();
        let freed = Command::new("prlimit").args(["--pid", &process, "--fsize=unlimited:unlimited"]).status().unwrap();
        assert!(freed.success());
        for wamid in &refused {
            assert_eq!(site.post(text(wamid, &words).to_string()).await, StatusCode::OK, "{}", site.log());
        }
        site.kill();
        let store = site.store().await;
        for wamid in kept.iter().chain(&refused) {
            assert!(is_stored(&store, wamid).await, "{wamid}");
        }
    }
}

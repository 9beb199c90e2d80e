//! Our own side: settings, the server that runs, the database and what waits in it.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use baton_shared::{Clock, Micros, Role};
use futures::TryStreamExt;

use super::{Report, age};
use crate::{
    config::{Book, Settings, Shelf, one_line},
    depot::Depot,
    store::{
        Db, OpenError, StoreError, agents, channels, events,
        figures::{self, Figures},
        letters, standings,
    },
    whatsapp::graph::{Request, Transport},
};

/// A transaction that has been open for longer keeps clients behind.
const LAG: Duration = Duration::from_secs(5);
/// A number that is in use is heard of more often.
const QUIET: Duration = Duration::from_secs(24 * 3_600);
const PATIENCE: Duration = Duration::from_secs(3);

pub(super) fn settings(report: &mut Report, settings: &Settings) {
    let whatsapp = &settings.whatsapp;
    let names: Vec<&str> = whatsapp.channels.iter().map(|channel| channel.name.as_str()).collect();
    report.right("settings", format!("numbers: {}; Graph at {}", names.join(", "), whatsapp.graph_url));
    playbooks(report, settings);
    match settings.models.as_slice() {
        [] => report.note(
            "model",
            "none: the bot gives the playbook's answers and passes everything else to a person; see [model]",
        ),
        models => {
            let names: Vec<String> = models.iter().map(|model| format!("{} {}", model.provider, model.name)).collect();
            report.right("model", format!("{} (not asked now)", names.join(", then ")));
        }
    }
}

/// One line if all numbers have the same one.
fn playbooks(report: &mut Report, settings: &Settings) {
    let channels = &settings.whatsapp.channels;
    let first = channels.first().map_or(0, |channel| channel.book);
    if channels.iter().all(|channel| channel.book == first) {
        return playbook(report, "playbook".into(), &settings.books[first]);
    }
    for channel in channels {
        playbook(report, format!("playbook of {}", channel.name), &settings.books[channel.book]);
    }
}

fn playbook(report: &mut Report, about: String, book: &Book) {
    match book.may_speak {
        true => report.right(about, format!("{}: the bot speaks for {}", book.name, book.playbook.business)),
        false => report.note(
            about,
            "none is named, so the bot stays silent and people answer everything: copy playbooks/shop.toml, make it \
             yours, and name it as `playbook` in baton.toml",
        ),
    }
}

/// Whether a server runs under these settings, and says that it is well.
pub(super) async fn server(report: &mut Report, settings: &Settings, transport: &dyn Transport) {
    let address = reachable(settings.listen);
    let url = format!("http://{address}/health/ready");
    let request =
        Request { method: http::Method::GET, url, bearer: None, key_header: None, body: None, deadline: PATIENCE };
    match transport.send(request).await {
        Ok(response) if response.status == 200 => report.right("server", format!("it runs and is ready at {address}")),
        Ok(response) if response.status == 503 => {
            let why = String::from_utf8_lossy(&response.body);
            report.wrong("server", format!("it runs at {address}, but is not ready: {}", why.trim()));
        }
        Ok(_) => report.wrong("server", format!("something else answers at {address}: change `listen`, or stop it")),
        Err(_) => report.note("server", format!("none answers at {address}: `baton-server serve` starts it")),
    }
}

/// The address as seen from this machine.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

pub(super) async fn database(report: &mut Report, settings: &Settings, clock: Arc<dyn Clock>) {
    let db = match Db::open_beside(settings.database_url.reveal(), clock.clone()).await {
        Ok(db) => db,
        Err(OpenError::Missing { file }) => {
            let words = format!("{} is made when the server starts for the first time", file.display());
            return report.note("database", words);
        }
        Err(error) => return report.wrong("database", error.to_string()),
    };
    let engine = if db.is_postgres() { "PostgreSQL" } else { "SQLite" };
    let engine = format!("{engine} at {}", without_secrets(settings.database_url.reveal()));
    match read(&db, clock.now()).await {
        Ok(found) => {
            report.right("database", format!("{engine}, its tables are up to date"));
            waiting(report, &found);
        }
        Err(error) => report.wrong("database", format!("{engine} cannot be read: {error}")),
    }
    db.close().await;
}

/// Whether files can be kept, read and taken away; a folder is made when the server starts.
pub(super) async fn media(report: &mut Report, settings: &Settings) {
    let place = match &settings.media.shelf {
        Shelf::Folder(folder) => return report.right("media", format!("files are kept in {}", folder.display())),
        Shelf::Bucket(bucket) => format!("s3://{}/{}", bucket.name, bucket.prefix),
    };
    match probe(&settings.media.shelf).await {
        Ok(()) => report.right("media", format!("a file was kept in {place}, read and taken away again")),
        Err(error) => report.wrong(
            "media",
            format!("{place} keeps no files: {}: check bucket, region, endpoint and key in [media]", one_line(&error)),
        ),
    }
}

async fn probe(shelf: &Shelf) -> Result<(), String> {
    const WORDS: &[u8] = b"baton-server doctor";
    let shown = |error: std::io::Error| error.to_string();
    let depot = Depot::new(shelf).map_err(shown)?;
    let mut incoming = depot.receive(uuid::Uuid::nil(), 0).await.map_err(shown)?;
    incoming.write(WORDS).await.map_err(shown)?;
    let place = incoming.keep().await.map_err(shown)?;
    let read: Vec<bytes::Bytes> = depot.open(&place).await.map_err(shown)?.try_collect().await.map_err(shown)?;
    depot.remove(&place).await.map_err(shown)?;
    if read.concat() == WORDS { Ok(()) } else { Err("what came out is not what went in".into()) }
}

/// What of a database's address may be shown: host and name, or the file.
fn without_secrets(url: &str) -> &str {
    let place = url.split_once("://").map_or(url, |(_, place)| place);
    let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
    place.split_once('?').map_or(place, |(place, _)| place)
}

struct Found {
    figures: Figures,
    lag: Duration,
    /// Who can answer customers.
    people: usize,
    admins: usize,
    reason: Option<String>,
    channels: Vec<Heard>,
    /// What Meta says.
    wrong: Vec<standings::Kept>,
}

struct Heard {
    channel: channels::Channel,
    ago: Option<Duration>,
}

async fn read(db: &Db, now: Micros) -> Result<Found, StoreError> {
    let mut reader = db.reader().await?;
    let figures = figures::read(reader.conn(), Micros::ZERO, Micros::ZERO).await?;
    let lag = u64::try_from(events::lag(reader.conn()).await?).unwrap_or(0);
    let people = agents::every(reader.conn()).await?;
    let count = |admin| {
        let able = people.iter().filter(|agent| agent.disabled_at.is_none());
        able.filter(|agent| (agent.role == Role::Admin) == admin).count()
    };
    let letter = letters::waiting(reader.conn(), 1).await?.pop();
    let mut heard = Vec::new();
    for channel in channels::every(reader.conn()).await? {
        let ago = channels::last_heard(reader.conn(), channel.id).await?.map(|last| now.since(last));
        heard.push(Heard { channel, ago });
    }
    Ok(Found {
        figures,
        lag: Duration::from_micros(lag),
        people: count(false),
        admins: count(true),
        reason: letter.map(|letter| letter.reason),
        channels: heard,
        wrong: standings::wrong(reader.conn(), 20).await?,
    })
}

fn waiting(report: &mut Report, found: &Found) {
    const ADD: &str = "`baton-server agent add NAME --role agent`";
    match (found.people, found.admins) {
        (0, 0) => report.note("people", format!("nobody can sign in yet: {ADD}")),
        (0, _) => report.note("people", format!("only admins, who do not see customers: nobody can answer; {ADD}")),
        (people, _) => report.right("people", format!("{people} can answer customers")),
    }
    if found.lag > LAG {
        let lag = age(found.lag);
        report.wrong("events", format!(
            "a transaction has been open for {lag} somewhere in the PostgreSQL cluster, and agents see nothing newer: \
             find it in pg_stat_activity by its xact_start"
        ));
    } else {
        report.right("events", "agents see what happens at once");
    }
    match (found.figures.dead_letters, &found.reason) {
        (0, _) => report.right("dead letters", "none"),
        (count, reason) => report.wrong(
            "dead letters",
            format!(
                "{count} wait; the first: {}. When that is settled: `baton-server replay`",
                reason.as_deref().unwrap_or("without a reason")
            ),
        ),
    }
    for one in &found.wrong {
        let about = format!("Meta on {}", one.account);
        if one.is_grave() { report.wrong(about, one.sentence()) } else { report.note(about, one.sentence()) }
    }
    for Heard { channel, ago } in &found.channels {
        let about = format!("webhooks of {}", channel.name);
        match ago {
            None => report.note(about, "none has come yet: write to the number from a phone"),
            Some(ago) if *ago > QUIET => report.note(about, format!("the last came {} ago", age(*ago))),
            Some(ago) => report.right(about, format!("the last came {} ago", age(*ago))),
        }
        if let Some(stop) = channel.meta.stop() {
            report.wrong(format!("sending of {}", channel.name), format!("held back: {}", stop.sentence()));
        }
        let off = match (channel.bot_on, channel.sending_on) {
            (_, false) => Some("nothing is sent: `baton-server switch sending on` ends that"),
            (false, true) => Some("the bot is off: `baton-server switch bot on` ends that"),
            (true, true) => None,
        };
        if let Some(off) = off {
            report.note(format!("switches of {}", channel.name), off);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_secrets() {
        for (url, shown) in [
            ("postgres://me:p@ss@db.example/baton?password=x", "db.example/baton"),
            ("sqlite://data/baton.db?mode=rwc", "data/baton.db"),
            ("sqlite:baton.db", "sqlite:baton.db"),
        ] {
            assert_eq!(without_secrets(url), shown);
        }
    }

    #[test]
    fn a_server_on_every_address_is_asked_on_this_machine() {
        assert_eq!(reachable(([0, 0, 0, 0], 80).into()).to_string(), "127.0.0.1:80");
        assert_eq!(reachable(([10, 0, 0, 1], 80).into()).to_string(), "10.0.0.1:80");
    }
}

//! The rules themselves, each a function from sources to what breaks it.

use super::{Broken, Source};

/// A module of the server, and which of its other modules it may name.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    pub name: &'static str,
    pub may: &'static [&'static str],
}

/// What every room is given and may use; never another room.
const GIVEN: &[&str] = &[
    "Context",
    "config",
    "context",
    "counters",
    "depot",
    "domain",
    "knowledge",
    "lifecycle",
    "mutation",
    "provider",
    "speech",
    "store",
    "whatsapp",
];

/// The server's modules. Those above the line are the rooms: they meet in the store.
pub const SERVER: &[Room] = &[
    Room { name: "bot", may: GIVEN },
    Room { name: "inbox", may: GIVEN },
    Room { name: "intake", may: GIVEN },
    Room { name: "media", may: GIVEN },
    Room { name: "operations", may: GIVEN },
    Room { name: "outbox", may: GIVEN },
    // Below them.
    Room { name: "domain", may: &[] },
    Room { name: "store", may: &["domain", "mutation"] },
    Room { name: "whatsapp", may: &["config", "domain"] },
    Room { name: "config", may: &["domain"] },
    Room { name: "counters", may: &[] },
    Room { name: "depot", may: &["config"] },
    Room { name: "knowledge", may: &["config", "provider", "store"] },
    Room { name: "lifecycle", may: &[] },
    Room { name: "mutation", may: &[] },
    Room { name: "provider", may: &["config"] },
    Room { name: "context", may: &["config", "counters", "depot", "store"] },
    Room { name: "speech", may: &["Context", "config", "domain", "store"] },
    // Above them: these put the rooms together.
    Room { name: "eval", may: &["*"] },
    Room { name: "server", may: &["*"] },
    Room { name: "command_line", may: &["*"] },
    Room { name: "", may: &["*"] },
];

/// Ways out of the process, and time and chance that were not passed in.
const OUTSIDE: &[&str] = &[
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::os",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
];

/// Each module of `server/src` names only what [`SERVER`] lets it.
pub fn rooms_are_apart(sources: &[Source]) -> Vec<Broken> {
    let mut broken = Vec::new();
    for source in sources.iter().filter(|source| source.is_in("server/src")) {
        let module = source.module();
        let own = module.first().copied().unwrap_or_default();
        let Some(room) = SERVER.iter().find(|room| room.name == own) else {
            broken.push(source.broken(1, format!("`{own}` has no place in the house: see tests/src/house/rules.rs")));
            continue;
        };
        if room.may == ["*"] {
            continue;
        }
        for named in source.names() {
            let Some(other) = named.own() else { continue };
            if other != own && !room.may.contains(&other) {
                broken.push(source.broken(named.line, format!("`{own}` may not name `{other}`")));
            }
        }
    }
    broken
}

/// The files of `folder` do no I/O, ask nobody for the time, and name of `crates` only those of `may`.
pub fn is_pure(sources: &[Source], folder: &str, crates: &[String], may: &[&str]) -> Vec<Broken> {
    let mut broken = Vec::new();
    for source in sources.iter().filter(|source| source.is_in(folder)) {
        for named in source.names() {
            let root = &named.parts[0];
            let foreign = crates.contains(root) && !may.contains(&root.as_str());
            if foreign || OUTSIDE.iter().any(|outside| named.is_in(outside)) {
                broken.push(source.broken(named.line, format!("`{}` in {folder}", named.parts.join("::"))));
            }
        }
    }
    broken
}

/// Nobody but the store speaks SQL or to its driver. `baton-shared` derives how its types are kept.
pub fn sql_stands_in_the_store(sources: &[Source]) -> Vec<Broken> {
    let mut broken = Vec::new();
    for source in sources.iter().filter(|source| !source.is_in("server/src/store")) {
        let driver = source.code.words().filter(|word| word.text == "sqlx" && !source.is_in("shared/src"));
        broken.extend(driver.map(|word| source.broken(word.line, "sqlx outside of the store")));
        let texts = source.code.texts().filter(|text| is_sql(&text.text));
        broken.extend(texts.map(|text| source.broken(text.line, "SQL outside of the store")));
    }
    broken
}

/// Whether it begins as a statement does.
fn is_sql(text: &str) -> bool {
    const VERBS: [(&str, &str); 12] = [
        ("select ", " from "),
        ("with ", " select "),
        ("insert into ", ""),
        ("update ", " set "),
        ("delete from ", ""),
        ("create table ", ""),
        ("create index ", ""),
        ("alter table ", ""),
        ("drop table ", ""),
        ("pragma ", ""),
        ("begin immediate", ""),
        ("savepoint ", ""),
    ];
    let text = text.trim_start().to_lowercase();
    VERBS.iter().any(|(verb, then)| text.strip_prefix(verb).is_some_and(|rest| rest.contains(then)))
}

/// One file of the store knows both engines.
pub fn one_file_knows_both_engines(sources: &[Source]) -> Vec<Broken> {
    let names = |source: &Source, prefixes: &[&str]| {
        source.code.words().find(|word| prefixes.iter().any(|prefix| word.text.starts_with(prefix))).cloned()
    };
    let inside = sources.iter().filter(|source| source.is_in("server/src/store"));
    let both = inside.filter_map(|source| {
        let (sqlite, postgres) = (names(source, &["Sqlite"])?, names(source, &["Pg", "Postgres"])?);
        Some(source.broken(sqlite.line.max(postgres.line), "names both engines: `store/engine.rs` does that"))
    });
    both.collect()
}

/// What reaches a terminal's control goes through `tui/src/term`. Tests may say what must not get through.
pub fn escapes_stand_in_term(sources: &[Source]) -> Vec<Broken> {
    let mut broken = Vec::new();
    for source in sources.iter().filter(|source| !source.is_in("tui/src/term") && !source.is_test()) {
        let texts = source.code.texts().filter(|text| !text.in_test && has_escape(&text.text));
        broken.extend(texts.map(|text| source.broken(text.line, "an escape outside of tui/src/term")));
    }
    broken
}

/// ESC, or the one-character CSI, however it is written.
fn has_escape(text: &str) -> bool {
    let text = text.to_lowercase();
    let unicode = text.split("\\u{").skip(1).filter_map(|rest| rest.split_once('}'));
    let mut codes = unicode.map(|(code, _)| code.trim_start_matches('0'));
    text.contains(['\u{1b}', '\u{9b}']) || text.contains("\\x1b") || codes.any(|code| code == "1b" || code == "9b")
}

/// The files of `folder` do not name `other`, a crate.
pub fn does_not_name(sources: &[Source], folder: &str, other: &str) -> Vec<Broken> {
    let inside = sources.iter().filter(|source| source.is_in(folder));
    let named = inside.flat_map(|source| {
        let words = source.code.words().filter(|word| word.text == other);
        words.map(|word| source.broken(word.line, format!("`{other}` in {folder}"))).collect::<Vec<_>>()
    });
    named.collect()
}

/// A file that may break a rule, and why.
#[derive(Clone, Copy, Debug)]
pub struct Exception {
    pub path: &'static str,
    pub reason: &'static str,
}

/// What is left of `broken` without `exceptions`; an exception that nothing needs is broken too.
pub fn except(broken: Vec<Broken>, exceptions: &[Exception]) -> Vec<Broken> {
    let unused = exceptions.iter().filter(|exception| broken.iter().all(|broken| broken.path != exception.path));
    let unused = unused.map(|exception| Broken {
        path: exception.path.to_owned(),
        line: 1,
        what: format!("the exception is not needed any more: {}", exception.reason),
    });
    let unused: Vec<Broken> = unused.collect();
    let left = broken.into_iter().filter(|broken| exceptions.iter().all(|exception| exception.path != broken.path));
    left.chain(unused).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaks(rule: impl Fn(&[Source]) -> Vec<Broken>, path: &str, text: &str) -> bool {
        !rule(&[Source::new(path, text)]).is_empty()
    }

    #[test]
    fn a_room_that_names_another_is_found() {
        let rule = rooms_are_apart;
        assert!(breaks(rule, "server/src/bot/turn.rs", "use crate::outbox::Courier;"));
        assert!(breaks(rule, "server/src/bot/turn.rs", "use crate::{config::Secret, intake::Numbers};"));
        assert!(breaks(rule, "server/src/bot/turn.rs", "use super::super::inbox;"));
        assert!(breaks(rule, "server/src/inbox/mod.rs", "use super::outbox;"));
        assert!(breaks(rule, "server/src/bot/turn.rs", "fn f() { crate::inbox::push(); }"));
        assert!(breaks(rule, "server/src/bot/turn.rs", "use crate::*;"));
        assert!(breaks(
            rule,
            "server/src/bot/turn.rs",
            "#[cfg(test)] mod tests { use super::super::super::inbox::x; }"
        ));
        assert!(breaks(rule, "server/src/store/rows.rs", "use crate::config::Settings;"));
        assert!(breaks(rule, "server/src/domain/turn.rs", "use crate::store::Db;"));
        assert!(breaks(rule, "server/src/attic.rs", ""), "a module without a place");
        assert!(!breaks(rule, "server/src/bot/turn.rs", "use crate::{Context, store::turns}; use super::fold::fold;"));
        assert!(!breaks(rule, "server/src/bot/turn.rs", "// use crate::outbox\nlet a = \"crate::outbox::x\";"));
        assert!(!breaks(rule, "server/src/server.rs", "use crate::{intake, outbox};"));
    }

    #[test]
    fn input_and_output_in_pure_code_is_found() {
        let crates = ["tokio".to_owned(), "serde".to_owned()];
        let rule = |sources: &[Source]| is_pure(sources, "shared/src", &crates, &["serde"]);
        assert!(breaks(rule, "shared/src/ids.rs", "use tokio::net::TcpStream;"));
        assert!(breaks(rule, "shared/src/ids.rs", "use std::{fmt, fs::File};"));
        assert!(breaks(rule, "shared/src/ids.rs", "let now = std::time::SystemTime::now();"));
        assert!(!breaks(
            rule,
            "shared/src/ids.rs",
            "use serde::Serialize; use std::time::Duration; use std::fmt::Write;"
        ));
        assert!(!breaks(rule, "server/src/main.rs", "use tokio::net::TcpStream;"));
    }

    #[test]
    fn sql_outside_of_the_store_is_found() {
        let rule = sql_stands_in_the_store;
        assert!(breaks(rule, "server/src/inbox/queue.rs", "sqlx::query(Q)"));
        assert!(breaks(rule, "server/src/inbox/queue.rs", "const Q: &str = \"  SELECT id FROM message\";"));
        assert!(breaks(rule, "simulator/src/main.rs", "r#\"update message set text = ''\"#"));
        assert!(!breaks(rule, "server/src/store/rows.rs", "sqlx::query(\"select id from message\")"));
        assert!(!breaks(rule, "tui/src/view/help.rs", "\"select a row\"; \"update the queue\"; \"with a note\""));
    }

    #[test]
    fn a_second_file_that_knows_both_engines_is_found() {
        let rule = one_file_knows_both_engines;
        assert!(breaks(rule, "server/src/store/x.rs", "fn a(c: &mut SqliteConnection, d: &mut PgConnection) {}"));
        assert!(breaks(rule, "server/src/store/x.rs", "match c { Conn::Sqlite(c) => 1, Conn::Postgres(c) => 2 }"));
        assert!(!breaks(rule, "server/src/store/x.rs", "fn a(d: &PgPool) {} // SqlitePool"));
    }

    #[test]
    fn an_escape_elsewhere_is_found() {
        let rule = escapes_stand_in_term;
        assert!(breaks(rule, "tui/src/view/queue.rs", r#"print!("\x1b[2J")"#));
        assert!(breaks(rule, "tui/src/view/queue.rs", r#"'\u{1B}'"#));
        assert!(breaks(rule, "server/src/main.rs", r#"b"\x1B[0m""#));
        assert!(breaks(rule, "server/src/main.rs", r#""\u{009b}0m""#));
        assert!(!breaks(rule, "tui/src/term/guard.rs", r#""\x1b[?1049l""#));
        assert!(!breaks(rule, "tui/src/text/clean.rs", r#"#[cfg(test)] mod tests { const A: &str = "\x1b"; }"#));
        assert!(!breaks(rule, "tui/src/text/clean.rs", r#""\u{202e}\u{1f600}""#));
    }

    #[test]
    fn a_crate_that_must_not_be_named_is_found() {
        let rule = |sources: &[Source]| does_not_name(sources, "simulator/src/whatsapp", "baton_server");
        assert!(breaks(rule, "simulator/src/whatsapp/mod.rs", "use baton_server::store;"));
        assert!(!breaks(rule, "simulator/src/main.rs", "use baton_server::Server;"));
    }

    #[test]
    fn an_exception_is_for_one_file_and_must_be_needed() {
        let broken = || vec![Broken { path: "a.rs".into(), line: 3, what: "x".into() }];
        assert_eq!(except(broken(), &[Exception { path: "a.rs", reason: "" }]), []);
        assert_eq!(except(broken(), &[Exception { path: "b.rs", reason: "" }]).len(), 2);
    }
}

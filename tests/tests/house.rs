//! The house keeps its rules: read from our own sources, so that none of them rests on a promise.

use std::{path::Path, sync::OnceLock};

use baton_tests::house::{
    Broken, Source, read,
    rules::{self, Exception, except},
};

/// What is built into the programs. `tests` is free.
const FOLDERS: [&str; 4] = ["server/src", "shared/src", "simulator/src", "tui/src"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn sources() -> &'static [Source] {
    static SOURCES: OnceLock<Vec<Source>> = OnceLock::new();
    SOURCES.get_or_init(|| read(root(), &FOLDERS).unwrap())
}

/// The crates that the workspace depends on, as they are named in code.
fn crates() -> Vec<String> {
    let text = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let lines = text.lines().skip_while(|line| *line != "[workspace.dependencies]").skip(1);
    let lines = lines.take_while(|line| !line.starts_with('['));
    let names = lines.filter_map(|line| line.split_once(" = ")).map(|(name, _)| name.replace('-', "_"));
    names.collect()
}

#[track_caller]
fn kept(broken: &[Broken]) {
    let lines: Vec<String> = broken.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "\n{}\n", lines.join("\n"));
}

#[test]
fn the_sources_are_there() {
    for folder in ["server/src/intake", "server/src/bot", "server/src/outbox", "server/src/store", "server/src/domain"]
    {
        assert!(sources().iter().any(|source| source.is_in(folder)), "{folder}");
    }
    for folder in FOLDERS {
        let names: usize = sources().iter().filter(|source| source.is_in(folder)).map(|file| file.names().len()).sum();
        assert!(names > 50, "{folder}: {names} names");
    }
    assert!(crates().len() > 30 && crates().contains(&"baton_shared".to_owned()), "{:?}", crates());
}

#[test]
fn rooms_never_import_one_another() {
    kept(&rules::rooms_are_apart(sources()));
}

#[test]
fn the_rules_of_the_domain_are_pure() {
    let may = ["baton_shared", "jiff", "proptest", "thiserror", "unicode_normalization", "uuid"];
    kept(&rules::is_pure(sources(), "server/src/domain", &crates(), &may));
}

#[test]
fn what_both_ends_share_does_no_input_or_output() {
    let exceptions =
        [Exception { path: "shared/src/clock.rs", reason: "the one place that asks the machine for the time" }];
    // `getrandom` asks the system for chance, `sqlx` derives how a type is kept, `infer` looks at bytes in memory.
    let may = [
        "fastrand",
        "getrandom",
        "infer",
        "proptest",
        "serde",
        "serde_json",
        "sqlx",
        "thiserror",
        "unicode_normalization",
        "uuid",
    ];
    kept(&except(rules::is_pure(sources(), "shared/src", &crates(), &may), &exceptions));
}

#[test]
fn only_the_store_speaks_sql() {
    kept(&rules::sql_stands_in_the_store(sources()));
}

#[test]
fn only_one_file_knows_both_engines() {
    let exceptions = [
        Exception { path: "server/src/store/engine.rs", reason: "the one that does" },
        Exception { path: "server/src/store/writer.rs", reason: "a commit is another thing on each engine" },
        Exception { path: "server/src/store/events.rs", reason: "xid8 has no Rust type: it is bound as text" },
    ];
    kept(&except(rules::one_file_knows_both_engines(sources()), &exceptions));
}

#[test]
fn only_term_writes_escapes() {
    let exceptions = [
        Exception { path: "simulator/src/customers/shop.rs", reason: "a customer who tries" },
        Exception { path: "tui/src/text/strange.rs", reason: "what fuzz tests feed on" },
    ];
    kept(&except(rules::escapes_stand_in_term(sources()), &exceptions));
}

/// Else the ledger would be the server's opinion of itself.
#[test]
fn the_simulated_world_does_not_know_the_server() {
    for folder in ["simulator/src/whatsapp", "simulator/src/model", "simulator/src/customers"] {
        kept(&rules::does_not_name(sources(), folder, "baton_server"));
    }
}

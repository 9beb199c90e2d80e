//! The real program: what it says, what it exits with, and what it does beside a running server.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod knowledge;
mod place;

use std::{
    fs,
    io::Write,
    net::{TcpListener, TcpStream},
};

use place::{Place, SETTINGS};

#[test]
fn help_teaches() {
    let place = Place::new("");
    let help = place.run(&["--help"]).succeeds();
    for word in ["Examples:", "serve --config baton.toml", "agent add Ana --role agent", "Exit codes", "BATON_LOG"] {
        assert!(help.contains(word), "{word} in {help}");
    }
    for command in ["serve", "agent", "channel", "knowledge", "switch", "costs", "doctor", "replay"] {
        let help = place.run(&[command, "--help"]).succeeds();
        assert!(help.contains("Usage: baton-server"), "{help}");
    }
    assert!(place.run(&["agent", "add", "--help"]).succeeds().contains("supervisor"));
    assert!(place.run(&["--version"]).succeeds().starts_with("baton-server "));
}

/// One line with the key, what was found and what is expected; code 2; nothing made.
#[test]
fn a_bad_start_says_what_is_wrong() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = SETTINGS.replace("127.0.0.1:0", &taken.local_addr().unwrap().to_string());
    let cases = [
        (
            String::new(),
            "whatsapp.phone_number_id: found nothing, expected the id of a WhatsApp number in baton.toml (here, or",
        ),
        (SETTINGS.replace("app_secret", "app_sceret"), "whatsapp.app_sceret: found a key that does not exist"),
        (SETTINGS.replace("\"0123456789abcdef\"", "\"\""), "whatsapp.app_secret: found nothing, expected"),
        (SETTINGS.replace("127.0.0.1:0", "here"), "listen: found \"here\", expected an address and port"),
        (SETTINGS.replace("\"127.0.0.1:0\"", ""), "baton.toml:1: found a mistake in the TOML"),
        (
            SETTINGS.replace("playbook = \"shop\"", "playbook = \"none.toml\""),
            "playbook: found \"none.toml\" (none.toml: No such file",
        ),
        (format!("database_url = \"mysql://x\"\n{SETTINGS}"), "database_url: found \"mysql://\", expected sqlite://"),
        (format!("database_url = \"sqlite://no/such/folder/b.db\"\n{SETTINGS}"), "database_url: cannot open `no/such/"),
        (
            format!("database_url = \"postgres://baton:hunter2@127.0.0.1:1/baton\"\n{SETTINGS}"),
            "database_url: cannot reach the database: error communicating with database: Connection refused",
        ),
        (taken, "which cannot be bound: "),
    ];
    for (settings, expected) in cases {
        let place = Place::new(&settings);
        let said = place.run(&["serve"]).fails(2);
        assert!(said.contains(expected), "{said:?} should have {expected:?}");
        assert!(!said.contains("hunter2") && !said.contains("panicked"), "{said}");
        assert_eq!(said.trim_end().lines().count(), 1, "{said}");
        assert!(!place.file("baton.db").exists(), "{expected}: a database was made");
    }
}

#[test]
fn wrong_arguments_and_variables_are_told_too() {
    let place = Place::new(SETTINGS);
    type Case = (&'static [&'static str], &'static [(&'static str, &'static str)], &'static str);
    let cases: [Case; 6] = [
        (&["serve", "--config", "nowhere.toml"], &[], "nowhere.toml: found No such file"),
        (&["serve"], &[("BATON_LISTEN", "8080")], "environment: BATON_LISTEN: found \"8080\""),
        (&["serve"], &[("BATON_LOG", "info,a=b=c")], "environment: BATON_LOG: found \"info,a=b=c\", expected a level"),
        (&["serve"], &[("BATON_LOG_FORMAT", "xml")], "BATON_LOG_FORMAT: found \"xml\", expected text or json"),
        (&["agent", "add", "A\u{1b}[2J", "--role", "agent"], &[], "NAME: found \"A\\u{1b}[2J\", expected up to 40"),
        (&["agent", "add", "Ana", "--role", "boss"], &[], "[possible values: agent, supervisor, admin]"),
    ];
    for (arguments, variables, expected) in cases {
        let said = place.run_with(arguments, variables).fails(2);
        assert!(said.contains(expected), "{said:?} should have {expected:?}");
        assert!(!said.contains('\u{1b}'), "{said:?}");
    }
}

#[test]
fn a_file_that_is_no_database_is_told() {
    let place = Place::new(SETTINGS);
    fs::write(place.file("baton.db"), "not a database, but long enough to be read as if it were one".repeat(99))
        .unwrap();
    let said = place.run(&["serve"]).fails(2);
    assert!(said.contains("database_url: ") && said.contains("not a database"), "{said}");
}

/// What we tell people to write is read as it stands.
#[test]
fn the_samples_of_the_documents_are_settings() {
    let readme = include_str!("../../../README.md");
    let sample = readme.split_once("```toml").and_then(|(_, rest)| rest.split_once("```")).unwrap().0;
    for settings in [sample, include_str!("../../../docs/baton.example.toml")] {
        let place = Place::new(settings);
        fs::write(place.file("playbook.toml"), include_str!("../../../playbooks/shop.toml")).unwrap();
        let said = place.run_with(&["switch"], &[("ANTHROPIC_API_KEY", "a-key")]).fails(2);
        assert!(said.contains("baton.db` does not exist yet"), "{said}");
    }
}

#[test]
fn people_are_added_before_the_first_start() {
    let place = Place::new(SETTINGS);
    let said = place.run(&["agent", "list"]).fails(2);
    assert!(said.contains("baton.db` does not exist yet"), "{said}");

    let added = place.run(&["agent", "add", " Ana Lima ", "--role", "supervisor", "--team", "repairs"]);
    let secret = added.succeeds().trim().to_owned();
    assert!(secret.len() >= 32 && !secret.contains(char::is_whitespace), "{secret}");
    assert!(added.explains("Ana Lima can sign in as a supervisor, once") && added.explains("baton login http://127.0"));
    let kept = fs::read(place.file("baton.db")).unwrap();
    assert!(!kept.windows(secret.len()).any(|window| window == secret.as_bytes()), "the secret itself is not kept");

    let again = place.run(&["agent", "add", "Ana Lima", "--role", "agent"]).fails(1);
    assert!(again.contains("somebody is called \"Ana Lima\" already"), "{again}");
    let second = place.run(&["agent", "secret", "Ana Lima"]).succeeds();
    assert!(second.trim().len() >= 32 && second.trim() != secret);
    let listed = place.run(&["agent", "list"]).succeeds();
    assert!(listed.contains("Ana Lima  supervisor  repairs") && !listed.contains("disabled"), "{listed}");

    let asked = place.run(&["agent", "disable", "Ana Lima"]).fails(2);
    assert!(asked.contains("--yes"), "{asked}");
    place.run(&["agent", "disable", "Ana Lima", "--yes"]).succeeds();
    assert!(place.run(&["agent", "list"]).succeeds().contains("disabled"));
    assert!(place.run(&["agent", "secret", "Ana Lima"]).fails(1).contains("cannot sign in"));
    assert!(place.run(&["agent", "secret", "Bob"]).fails(1).contains("nobody is called \"Bob\""));
}

#[test]
fn the_operator_acts_beside_a_running_server() {
    let place = Place::new(SETTINGS);
    let server = place.serve();
    place.run(&["agent", "add", "Ana", "--role", "agent"]).succeeds();
    assert!(place.run(&["agent", "list"]).succeeds().contains("Ana"));
    let shown = place.run(&["switch"]).succeeds();
    assert_eq!(words(&shown), [["CHANNEL", "BOT", "SENDING"], ["shop", "on", "on"]]);
    let shown = place.run(&["switch", "bot", "off"]).succeeds();
    assert_eq!(words(&shown)[1], ["shop", "off", "on"]);
    let shown = place.run(&["switch", "--channel", "shop", "sending", "off"]).succeeds();
    assert_eq!(words(&shown)[1], ["shop", "off", "off"]);
    let wrong = place.run(&["switch", "--channel", "shoe", "bot", "on"]).fails(2);
    assert!(wrong.contains("--channel: found \"shoe\", expected one of: shop"), "{wrong}");
    assert!(place.run(&["switch", "bot"]).fails(2).contains("<STATE>"));
    assert!(place.run(&["replay"]).succeeds().starts_with("0 dead letters"));
    let costs = place.run(&["costs", "--month", "2026-10", "--json"]).succeeds();
    assert!(costs.contains("\"month\": \"2026-10\"") && costs.contains("\"nanos\": 0"), "{costs}");
    assert!(place.run(&["costs", "--month", "may"]).fails(2).contains("expected a month such as 2026-11"));
    assert!(server.end().success());
    let shown = place.run(&["switch"]).succeeds();
    assert_eq!(words(&shown)[1], ["shop", "off", "off"], "switches outlive the server");
}

#[test]
fn a_number_is_listed_paused_and_resumed() {
    let place = Place::new(SETTINGS);
    let server = place.serve();
    let listed = place.run(&["channel", "list"]).succeeds();
    let heading =
        ["CHANNEL", "NUMBER", "ID", "APP", "TEAM", "PLAYBOOK", "BOT", "SENDING", "QUEUED", "PAUSED", "BECAUSE"];
    assert_eq!(words(&listed), [heading.as_slice(), &["shop", "2", "default", "shop", "on", "on", "0"]]);
    place.run(&["channel", "pause", "shop", "--reason", "moving house"]).succeeds();
    let listed = place.run(&["channel", "list"]).succeeds();
    assert!(listed.contains("off  off") && listed.contains("moving house"), "{listed}");
    assert_eq!(words(&place.run(&["switch"]).succeeds())[1], ["shop", "off", "off"], "the same switches");
    place.run(&["channel", "resume", "shop"]).succeeds();
    let listed = place.run(&["channel", "list"]).succeeds();
    assert!(!listed.contains("off") && !listed.contains("moving"), "{listed}");
    assert!(place.run(&["channel", "pause", "shoe"]).fails(2).contains("expected one of: shop"));
    assert!(place.run(&["channel", "test", "shoe"]).fails(2).contains("expected one of: shop"));
    assert!(place.run(&["channel", "test"]).prints(1).contains("WRONG number of shop: Graph cannot be reached"));
    assert!(server.end().success());
}

#[test]
fn each_numbers_playbook_is_named() {
    let outlet = "[[channel]]\nname = \"outlet\"\nphone_number_id = \"4\"\nbusiness_account_id = \"3\"\n\
                  access_token = \"token\"\nplaybook = \"outlet.toml\"\n";
    let place = Place::new(&format!("{SETTINGS}{outlet}"));
    let said = place.run(&["channel", "list"]).fails(2);
    assert!(said.contains("channel[1].playbook: found \"outlet.toml\" ("), "{said}");
    fs::write(place.file("outlet.toml"), "business = \"Outlet\"\nlanguage = [\"en\"]").unwrap();
    let said = place.run(&["serve"]).fails(2);
    assert!(said.contains("outlet.toml:2: language: found a key that does not exist, expected `languages`"), "{said}");
    fs::write(place.file("outlet.toml"), "business = \"Outlet\"\nlanguages = [\"en\"]").unwrap();
    let server = place.serve();
    let listed = place.run(&["channel", "list"]).succeeds();
    assert_eq!(words(&listed)[1], ["outlet", "4", "default", "outlet.toml", "on", "on", "0"]);
    assert_eq!(words(&listed)[2], ["shop", "2", "default", "shop", "on", "on", "0"]);
    fs::write(place.file("cases.csv"), "text,intent\nwhen do you open?,opening_hours\n").unwrap();
    let asked = |channel| place.run(&["intents", "test", "cases.csv", "--channel", channel]);
    assert!(asked("shoe").fails(2).contains("--channel: found \"shoe\", expected one of: shop, outlet"));
    assert!(asked("outlet").fails(2).contains("found the intent \"opening_hours\""));
    asked("shop").succeeds();
    let examined = place.run(&["doctor"]).prints(1);
    assert!(examined.contains("playbook of shop: shop: the bot speaks for Marola"), "{examined}");
    assert!(examined.contains("playbook of outlet: outlet.toml: the bot speaks for Outlet"), "{examined}");
    assert!(server.end().success());
}

/// One answer of Meta's, whatever it is asked; and what it was asked.
fn meta(status: &'static str, body: &'static str) -> (String, std::thread::JoinHandle<String>) {
    use std::io::Read;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v26.0", listener.local_addr().unwrap());
    let asked = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = Vec::new();
        while !asked.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            asked.push(byte[0]);
        }
        let length = body.len();
        write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}").unwrap();
        String::from_utf8(asked).unwrap()
    });
    (url, asked)
}

#[test]
fn a_number_is_added_once_meta_knows_it() {
    const TOKEN: (&str, &str) = ("WHATSAPP_ACCESS_TOKEN_OUTLET", "outlet-token");
    let add = |url: &str| -> Vec<String> {
        let ids = ["--phone-number-id", "77", "--business-account-id", "88", "--team", "outlet"];
        let more = ["--key-header", "D360-API-KEY", "--graph-url", url, "--playbook", "shop"];
        ["channel", "add", "outlet"].iter().chain(&ids).chain(&more).map(|&word| word.to_owned()).collect()
    };
    let run = |place: &Place, url: &str, variables: &[(&str, &str)]| {
        let arguments = add(url);
        place.run_with(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), variables)
    };
    let place = Place::new(SETTINGS);
    let refusal = r#"{"error":{"message":"Invalid OAuth access token","type":"OAuthException","code":190}}"#;
    let (url, asked) = meta("401 Unauthorized", refusal);
    assert!(run(&place, &url, &[TOKEN]).fails(1).contains("(190); nothing was written"));
    asked.join().unwrap();
    assert_eq!(fs::read_to_string(place.file("baton.toml")).unwrap(), SETTINGS);
    assert!(run(&place, "http://127.0.0.1:1", &[]).fails(2).contains("WHATSAPP_ACCESS_TOKEN_OUTLET"), "no token");

    let (url, asked) = meta("200 OK", r#"{"id":"77","verified_name":"The Outlet","display_phone_number":"+1 555"}"#);
    let added = run(&place, &url, &[TOKEN]);
    assert!(added.succeeds().contains("channel test outlet") && added.explains("The Outlet, +1 555"));
    let asked = asked.join().unwrap().to_lowercase();
    assert!(asked.starts_with("get /v26.0/77?") && asked.contains("d360-api-key: outlet-token"), "{asked}");
    let written = fs::read_to_string(place.file("baton.toml")).unwrap();
    assert!(written.starts_with(SETTINGS) && !written.contains("outlet-token"), "{written}");
    assert!(written.contains("playbook = \"shop\""), "{written}");
    let server = place.serve_with(&[TOKEN]);
    let listed = place.run_with(&["channel", "list"], &[TOKEN]).succeeds();
    assert_eq!(words(&listed)[1], ["outlet", "77", "default", "outlet", "shop", "on", "on", "0"]);
    assert!(run(&place, &url, &[TOKEN]).fails(2).contains("in the settings already"));
    assert!(server.end().success());
    let kept = fs::read(place.file("baton.db")).unwrap();
    assert!(!kept.windows(12).any(|window| window == b"outlet-token"), "secrets are not in the database");
}

#[test]
fn the_doctor_says_what_is_wrong() {
    assert!(Place::new("").run(&["doctor"]).fails(2).contains("whatsapp.phone_number_id: found nothing"));
    let place = Place::new(SETTINGS);
    let examined = place.run(&["doctor"]);
    let lines = examined.prints(1);
    for line in
        ["ok    settings: numbers: shop;", "note  database: baton.db is made", "WRONG number of shop: Graph cannot"]
    {
        assert!(lines.contains(line), "{line} in {lines}");
    }
    assert!(examined.explains("2 things are wrong") && !lines.contains("0123456789abcdef"), "{lines}");
    assert!(!place.file("baton.db").exists(), "it changes nothing");

    let server = place.serve();
    let lines = place.run_with(&["doctor"], &[("BATON_LISTEN", server.address())]).prints(1);
    for line in ["ok    server: it runs and is ready", "ok    database: SQLite at baton.db", "ok    dead letters: none"]
    {
        assert!(lines.contains(line), "{line} in {lines}");
    }
    assert!(server.end().success());
}

#[test]
fn without_a_playbook_the_server_says_that_it_is_silent() {
    let place = Place::new(&SETTINGS.replace("playbook = \"shop\"\n", ""));
    let server = place.serve();
    place.waits_for_log("no playbook is named");
    let lines = place.run(&["doctor"]).prints(1);
    assert!(lines.contains("note  playbook: none is named"), "{lines}");
    place.run(&["agent", "add", "Ada", "--role", "admin"]).succeeds();
    let lines = place.run(&["doctor"]).prints(1);
    assert!(lines.contains("note  people: only admins"), "{lines}");
    place.run(&["agent", "add", "Ana", "--role", "agent"]).succeeds();
    let lines = place.run(&["doctor"]).prints(1);
    assert!(lines.contains("ok    people: 1 can answer customers"), "{lines}");
    assert!(server.end().success());
}

#[test]
fn one_server_a_file_and_a_clean_end() {
    let place = Place::new(SETTINGS);
    let first = place.serve();
    for path in ["/health/live", "/health/ready", "/metrics"] {
        assert!(first.get(path).starts_with("HTTP/1.1 200 "), "{path}");
    }
    let second = place.run(&["serve"]).fails(2);
    assert!(second.contains("database_url: another server already uses `baton.db`"), "{second}");
    assert!(first.end().success(), "SIGTERM ends it with 0");
    let third = place.serve();
    assert!(third.end().success(), "the file is free again");
}

/// A request that does not end keeps a server; whoever cannot wait says so twice.
#[test]
fn a_second_signal_cuts() {
    let place = Place::new(SETTINGS);
    let server = place.serve();
    let mut stuck = TcpStream::connect(server.address()).unwrap();
    write!(stuck, "POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf").unwrap();
    // It is read after this one, whose answer shows that both have been accepted.
    assert!(server.get("/health/live").starts_with("HTTP/1.1 200 "));
    server.ask_to_stop();
    place.waits_for_log("stopping");
    let status = server.end();
    assert_eq!(status.code(), Some(1));
    assert!(place.log().contains("cut off"), "{}", place.log());
    assert!(place.serve().end().success(), "the next start finds everything in order");
}

#[test]
fn the_log_can_be_read_by_programs() {
    let place = Place::new(SETTINGS);
    let server = place.serve_with(&[("BATON_LOG_FORMAT", "json"), ("BATON_LOG", "baton_server=info")]);
    assert!(server.end().success());
    let log = place.log();
    assert!(log.lines().count() >= 2, "{log}");
    for line in log.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        // WARN: nobody is at the address of the Graph API.
        assert!(line["level"] == "INFO" || line["level"] == "WARN", "{line}");
    }
}

/// Where its log is written there is no space left.
#[cfg(target_os = "linux")]
#[test]
fn a_log_that_cannot_be_written_ends_nothing() {
    let place = Place::new(SETTINGS);
    let server = place.serve_into("/dev/full");
    for path in ["/health/live", "/health/ready"] {
        assert!(server.get(path).starts_with("HTTP/1.1 200 "), "{path}");
    }
    assert!(server.end().success());
}

#[test]
fn a_command_of_another_version_leaves_the_tables_alone() {
    let place = Place::new(SETTINGS);
    let server = place.serve();
    place.sql(
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
               values (9999, 'later', true, x'00', 0)",
    );
    let said = place.run(&["agent", "add", "Ana", "--role", "agent"]).fails(2);
    assert!(said.contains("another version"), "{said}");
    assert!(server.end().success());
}

fn words(table: &str) -> Vec<Vec<&str>> {
    table.lines().map(|line| line.split_whitespace().collect()).collect()
}

//! End to end, as an agent sees it: the real client in a real terminal, the real server, and a
//! simulated WhatsApp on the other side.

use std::path::PathBuf;

use baton_server::store::{
    Urgency,
    agents::{self, Agent},
};
use baton_shared::Role;
use baton_simulator::whatsapp::{Attachment, Person, PersonId, Saying};
use baton_tests::{
    app::{App, eventually},
    programs::binary,
    pty::Terminal,
};
use sha2::{Digest, Sha256};

const ESC: &str = "\u{1b}";
const ENTER: &str = "\r";

/// An agent's machine: a home folder with a sign-in in it.
struct Desk {
    app: App,
    home: tempfile::TempDir,
    baton: PathBuf,
}

impl Desk {
    async fn new() -> Self {
        let app = App::sqlite().await;
        let baton = tokio::task::spawn_blocking(|| binary("baton")).await.unwrap();
        let desk = Self { app, home: tempfile::tempdir().unwrap(), baton };
        desk.add_agent("Ana", "open sesame").await;
        let mut login = desk.terminal(&["login", &desk.app.url("")], 100, 20);
        login.sees("ecret");
        login.press("open sesame\r");
        assert!(login.ends(), "{}", login.text());
        desk
    }

    async fn add_agent(&self, name: &str, secret: &str) {
        let now = self.app.clock.now();
        let agent = Agent {
            id: baton_shared::Ids::system().next(now),
            name: name.into(),
            role: Role::Agent,
            team: String::new(),
            created_at: now,
            disabled_at: None,
        };
        let hash = hex::encode(Sha256::digest(secret.as_bytes()));
        let job = self.app.db().write(Urgency::First, move |tx| {
            let (agent, hash) = (agent.clone(), hash.clone());
            Box::pin(async move { agents::insert(tx, &agent, &hash).await })
        });
        job.await.unwrap();
    }

    fn terminal(&self, arguments: &[&str], columns: u16, rows: u16) -> Terminal {
        let home = self.home.path().to_string_lossy().into_owned();
        Terminal::run(&self.baton, arguments, &[("HOME", &home)], columns, rows)
    }

    fn inbox(&self) -> Terminal {
        self.terminal(&[], 120, 36)
    }

    fn customer(&self, name: &str, phone: &str) -> PersonId {
        self.app.simulator.with(|world, _| world.whatsapp.add_person(Person::new(name, phone, &format!("US.{phone}"))))
    }

    fn writes(&self, customer: PersonId, text: &str) {
        self.app.simulator.with(|world, now| drop(world.whatsapp.say(now, customer, Saying::text(text))));
    }

    /// What has reached phones.
    fn reached(&self) -> Vec<String> {
        self.app
            .simulator
            .with(|world, _| world.whatsapp.ledger().reached().iter().map(|reached| reached.text.clone()).collect())
    }

    async fn reaches(&self, text: &str) {
        eventually(text, async || self.reached().iter().any(|reached| reached == text)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_takes_answers_and_hands_back() {
    let desk = Desk::new().await;
    let marina = desk.customer("Marina Souza", "5511999990000");
    let mut inbox = desk.inbox();
    inbox.sees("live");
    desk.writes(marina, "I want to talk to a human, my order 88121 arrived broken");
    inbox.sees("Marina Souza");
    inbox.press("u");
    inbox.sees("my order 88121");
    inbox.press("t");
    inbox.sees("YOURS");
    inbox.press("i");
    inbox.types("Hi Marina, Ana here.");
    inbox.press(ENTER);
    desk.reaches("Hi Marina, Ana here.").await;
    inbox.sees("✓✓");
    desk.writes(marina, "thank you so much");
    inbox.sees("thank you so much");
    inbox.press(ESC);
    // Alone: right behind it, the next key would be an Alt+key to any terminal.
    inbox.sees("NORMAL");
    inbox.press("b");
    inbox.sees("Note for the bot");
    inbox.types("Refund approved");
    inbox.press(ENTER);
    inbox.sees_no("YOURS");
    inbox.press("q");
    assert!(inbox.ends());
    assert!(!inbox.screen().alternate_screen(), "the terminal is as it was");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_saved_and_its_address_shown_where_no_browser_is() {
    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    let desk = Desk::new().await;
    let marina = desk.customer("Marina Souza", "5511999990000");
    let mut inbox = desk.inbox();
    inbox.sees("live");
    desk.writes(marina, "I want to talk to a human");
    inbox.sees("Marina Souza");
    inbox.press("u");
    inbox.sees("talk to a human");
    // So that the file is what was said last.
    inbox.press("t");
    inbox.sees("YOURS");
    let bill = Attachment::new("document", "image/png", PNG).named("../../my bill.png").saying("this one");
    desk.app.simulator.with(|world, now| drop(world.whatsapp.say(now, marina, Saying::attached(bill))));
    inbox.sees("[document my bill.png, 16 B]");
    inbox.press("O");
    inbox.sees("/api/v1/media/");
    inbox.press(ESC);
    inbox.sees_no("/api/v1/media/");
    inbox.press("s");
    inbox.sees("Save the file");
    inbox.press(ENTER);
    inbox.sees("saved 16 B");
    assert_eq!(std::fs::read(desk.home.path().join("my bill.png")).unwrap(), PNG);
    inbox.press("s");
    inbox.sees("Save the file");
    inbox.press(ENTER);
    inbox.sees("overwrite it?");
    inbox.press(ESC);
    inbox.sees_no("overwrite it?");
    inbox.press("q");
    inbox.sees("Quit?");
    inbox.press("y");
    assert!(inbox.ends());
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_9_typed_text_survives_a_kill() {
    let desk = Desk::new().await;
    let marina = desk.customer("Marina Souza", "5511999990000");
    desk.writes(marina, "I want to talk to a human");
    let mut inbox = desk.inbox();
    inbox.sees("Marina Souza");
    inbox.press("u");
    inbox.sees("talk to a human");
    inbox.press("t");
    inbox.sees("YOURS");
    inbox.press("i");
    inbox.types("A long answer that nobody");
    inbox.sees("draft saved");
    inbox.kill();
    let mut inbox = desk.inbox();
    inbox.sees("Marina Souza");
    inbox.press(ENTER);
    inbox.sees("A long answer that nobody");
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_12_a_customers_text_does_nothing_to_the_terminal() {
    let desk = Desk::new().await;
    let evil = desk.customer("Eve\u{1b}]0;owned\u{7}\u{202e}", "5511999990001");
    desk.writes(evil, "human please \u{1b}[2J\u{1b}]52;c;ZXZpbA==\u{7}\u{9b}31m\u{202e}desrever\r\nsecond line");
    let mut inbox = desk.inbox();
    inbox.sees("Eve");
    inbox.press("u");
    inbox.sees("second line");
    // 64 kB over one letter, and what comes after them.
    desk.writes(evil, &format!("Z{}", "\u{301}\u{327}".repeat(16_000)));
    desk.writes(evil, "still here?");
    inbox.sees("still here?");
    inbox.sees("live");
    let raw = String::from_utf8_lossy(&inbox.raw).into_owned();
    // What was written around the poison may stand there as harmless letters.
    for poison in ["\u{1b}]52", "\u{1b}]0;owned", "owned\u{7}", "\u{202e}", "\u{9b}"] {
        assert!(!raw.contains(poison), "{poison:?} reached the terminal");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_server_is_said_and_found_again() {
    let mut desk = Desk::new().await;
    let marina = desk.customer("Marina Souza", "5511999990000");
    desk.writes(marina, "I want to talk to a human");
    let mut inbox = desk.inbox();
    inbox.sees("Marina Souza");
    inbox.sees("live");
    desk.app.crash().await;
    inbox.wait("a lost line", |screen| !screen.contents().contains("live "));
    desk.app.restart().await;
    inbox.sees("live");
    desk.writes(marina, "are you still there?");
    inbox.press("u");
    inbox.sees("are you still there?");
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_9_a_small_screen_says_what_it_needs_and_loses_nothing() {
    let desk = Desk::new().await;
    let mut inbox = desk.terminal(&[], 20, 5);
    inbox.wait("a sentence", |screen| screen.contents().contains("60"));
    inbox.press("q");
    assert!(inbox.ends());

    let marina = desk.customer("Marina Souza", "5511999990000");
    desk.writes(marina, "I want to talk to a human");
    let mut inbox = desk.inbox();
    inbox.sees("Marina Souza");
    inbox.press("u");
    inbox.sees("talk to a human");
    inbox.press("t");
    inbox.sees("YOURS");
    inbox.press("i");
    inbox.types("A long answer");
    inbox.resize(20, 5);
    inbox.wait("a sentence", |screen| screen.contents().contains("60"));
    inbox.resize(120, 36);
    inbox.sees("A long answer");
    inbox.types(" that goes on");
    inbox.press(ENTER);
    desk.reaches("A long answer that goes on").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_places_no_cursor_is_a_sentence_and_an_exit_code() {
    let desk = Desk::new().await;
    let home = desk.home.path().to_string_lossy().into_owned();
    let mut inbox = Terminal::run(&desk.baton, &[], &[("HOME", &home), ("TERM", "dumb")], 80, 24);
    assert!(!inbox.ends());
    let said = inbox.text();
    assert!(said.contains("TERM is `dumb`") && said.contains("baton queue --json"), "{said}");
    assert!(!String::from_utf8_lossy(&inbox.raw).contains(ESC), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_terminal_is_a_sentence_and_an_exit_code() {
    let desk = Desk::new().await;
    let home = desk.home.path().to_path_buf();
    let mut command = tokio::process::Command::new(&desk.baton);
    let output = command.env("HOME", home).stdin(std::process::Stdio::null()).output().await.unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("terminal") && !said.contains("panicked"), "{said}");
}

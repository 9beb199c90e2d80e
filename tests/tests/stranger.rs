//! `cargo run` as a stranger meets it, in a pseudo-terminal.
#![cfg(unix)]

use baton_tests::{programs::binary, pty::Terminal};

fn demo(environment: &[(&str, &str)], rows: u16) -> Terminal {
    Terminal::run(&binary("demo"), &[], environment, 120, rows)
}

#[test]
fn a_stranger_finds_people_who_wait_takes_one_and_leaves() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = demo(&[("HOME", &home.path().to_string_lossy())], 40);
    terminal.wait("a closed window", |screen| {
        let shown = screen.contents();
        shown.contains("Diego Ramos") && shown.contains("closed")
    });
    terminal.wait("a window that closes", |screen| {
        let shown = screen.contents();
        shown.contains("Hannah Schmidt") && shown.contains("closes")
    });
    for reason in ["asked for a human", "a human-only t", "the bot was no"] {
        terminal.sees(reason);
    }
    terminal.press("u");
    terminal.sees("Stehlampe flackert");
    terminal.press("t");
    terminal.sees("you took over");
    terminal.press("q");
    terminal.sees("1 conversation is yours");
    terminal.press("y");
    assert!(terminal.ends(), "{}", terminal.text());
    let screen = terminal.screen();
    assert!(!screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste());
    let last = terminal.text();
    assert!(last.contains("README.md") && last.contains("--headless"), "{last}");
}

#[test]
fn without_a_screen_one_is_told_what_works() {
    let mut terminal = demo(&[("TERM", "dumb")], 24);
    assert!(!terminal.ends());
    let said = terminal.text();
    assert!(said.contains("no terminal") && said.contains("--headless"), "{said}");
}

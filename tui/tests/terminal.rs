//! The terminal is given back as it was, whatever happens: tried in a real one.
//!
//! Each test runs one function of `other_side` in this same program, within a pseudo-terminal.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "clippy takes the helpers of a test for no test")]

use std::{
    io::{Read, Write},
    num::NonZero,
    process::Command,
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

const PATIENCE: Duration = Duration::from_secs(60);

/// A terminal with a program in it.
struct Terminal {
    emulator: vt100::Parser,
    raw: Vec<u8>,
    output: Receiver<Vec<u8>>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    modes_before: String,
    master: Box<dyn MasterPty + Send>,
}

impl Terminal {
    /// Runs `other_side::{name}`.
    fn run(name: &str) -> Self {
        let pair = native_pty_system().openpty(PtySize { rows: 24, cols: 80, ..PtySize::default() }).unwrap();
        let modes_before = modes(&*pair.master);
        let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
        command.args(["--exact", &format!("other_side::{name}"), "--ignored", "--nocapture", "--test-threads=1"]);
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut chunk) {
                if sender.send(chunk[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        let emulator = vt100::Parser::new(NonZero::new(24).unwrap(), NonZero::new(80).unwrap(), 0);
        let keys = pair.master.take_writer().unwrap();
        Self { emulator, raw: Vec::new(), output, keys, child, modes_before, master: pair.master }
    }

    /// Reads on until `seen` of the screen and all bytes.
    fn wait(&mut self, what: &str, seen: impl Fn(&vt100::Screen, &[u8]) -> bool) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while !seen(self.emulator.screen(), &self.raw) {
            let left = deadline.saturating_duration_since(tokio::time::Instant::now());
            let Ok(bytes) = self.output.recv_timeout(left) else {
                panic!("{what} was not seen in: {}", self.emulator.screen().contents());
            };
            self.emulator.process(&bytes);
            self.raw.extend(bytes);
        }
    }

    fn wait_for(&mut self, text: &str) {
        self.wait(text, |screen, _| screen.contents().contains(text));
    }

    /// Lets the program go on until it has the terminal again: the first signals may come before it
    /// has stopped.
    fn continue_until_held(&mut self) {
        for _ in 0..400 {
            self.signal("CONT");
            if let Ok(bytes) = self.output.recv_timeout(Duration::from_millis(50)) {
                self.emulator.process(&bytes);
                self.raw.extend(bytes);
            }
            if self.emulator.screen().alternate_screen() {
                return;
            }
        }
        panic!("the program did not go on");
    }

    fn wait_for_end(&mut self) {
        while let Ok(bytes) = self.output.recv_timeout(PATIENCE) {
            self.emulator.process(&bytes);
            self.raw.extend(bytes);
        }
        self.child.wait().unwrap();
    }

    fn signal(&self, name: &str) {
        let id = self.child.process_id().unwrap().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    fn assert_given_back(&self) {
        let screen = self.emulator.screen();
        assert!(!screen.alternate_screen() && !screen.bracketed_paste() && !screen.hide_cursor());
        assert_eq!(modes(&*self.master), self.modes_before, "the line discipline is as it was");
        let raw = String::from_utf8_lossy(&self.raw);
        assert!(raw.contains("\x1b[?7h") && raw.contains("\x1b[?1004l") && raw.contains("\x1b[23;2t"));
    }

    fn assert_held(&self) {
        assert!(self.emulator.screen().alternate_screen() && self.emulator.screen().bracketed_paste());
        assert_ne!(modes(&*self.master), self.modes_before);
    }
}

fn modes(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios())
}

#[test]
fn leaving_gives_the_terminal_back() {
    let mut terminal = Terminal::run("shows_and_leaves_on_terminate");
    terminal.wait_for("inbox");
    terminal.assert_held();
    terminal.signal("TERM");
    terminal.wait_for_end();
    terminal.assert_given_back();
    assert!(!terminal.emulator.screen().contents().contains("inbox"));
}

#[test]
fn a_panic_gives_the_terminal_back_and_is_read_there() {
    let mut terminal = Terminal::run("panics");
    terminal.wait_for_end();
    terminal.assert_given_back();
    let raw = String::from_utf8_lossy(&terminal.raw);
    let (_, after) = raw.split_once("\x1b[?1049l").unwrap();
    assert!(after.contains("the roof is on fire"));
}

#[test]
fn a_contained_panic_is_not_seen() {
    let mut terminal = Terminal::run("contains_a_panic");
    terminal.wait_for("still here");
    terminal.assert_held();
    assert!(!String::from_utf8_lossy(&terminal.raw).contains("broken message"));
    terminal.signal("TERM");
    terminal.wait_for_end();
    terminal.assert_given_back();
}

#[test]
fn being_stopped_gives_the_terminal_back_until_it_goes_on() {
    let mut terminal = Terminal::run("shows_and_leaves_on_terminate");
    terminal.wait_for("inbox");
    terminal.signal("TSTP");
    terminal.wait("the main screen", |screen, raw| !screen.alternate_screen() && raw.ends_with(b"\x1b[23;2t"));
    terminal.continue_until_held();
    terminal.wait_for("inbox");
    terminal.assert_held();
    terminal.signal("TERM");
    terminal.wait_for_end();
    terminal.assert_given_back();
}

#[test]
fn a_terminal_that_answers_is_heard() {
    let mut terminal = Terminal::run("asks");
    terminal.wait("the questions", |_, raw| raw.ends_with(b"\x1b[c"));
    terminal.keys.write_all(b"\x1b[1;2R\x1b]11;rgb:fbfb/fbfb/f8f8\x1b\\\x1b[?2027;1$y\x1b[?62;22c").unwrap();
    terminal.wait_for("ground: Some(Light), wide_lines: false, whole_clusters: true, complete: true");
    terminal.wait_for_end();
    terminal.assert_given_back();
}

#[test]
fn a_terminal_that_says_nothing_is_not_waited_for() {
    let mut terminal = Terminal::run("asks");
    terminal.wait_for("ground: None, wide_lines: false, whole_clusters: false, complete: false");
    terminal.wait_for_end();
}

/// What runs inside the terminal.
mod other_side {
    use std::{io::stdout, time::Duration};

    use baton::{
        term::{Guard, Screen, Signal, Signals, guard, probe},
        text::{Clean, contain::contain, paint},
    };
    use ratatui::style::Style;

    fn enter() -> Guard {
        guard::install_panic_hook();
        Guard::enter(&probe::Environment::read(|_| None)).unwrap()
    }

    fn show(screen: &mut Screen<std::io::Stdout>, words: &'static str) {
        let words = Clean::from_static(words);
        screen
            .draw(|frame| {
                paint::text(frame.buffer_mut(), 5, 5, 40, &words, Style::new());
            })
            .unwrap();
    }

    async fn until_terminate(guard: &Guard, words: &'static str) {
        let mut signals = Signals::listen().unwrap();
        let mut screen = Screen::new(stdout()).unwrap();
        show(&mut screen, words);
        loop {
            match signals.next().await {
                Signal::Terminate | Signal::Hangup => return,
                Signal::Suspend => guard.suspend().unwrap(),
                Signal::Continue => guard.resume().unwrap(),
            }
            screen.redraw().unwrap();
            show(&mut screen, words);
        }
    }

    #[tokio::test]
    #[ignore = "runs inside the terminal of another test"]
    async fn shows_and_leaves_on_terminate() {
        let guard = enter();
        until_terminate(&guard, "inbox").await;
    }

    #[test]
    #[ignore = "runs inside the terminal of another test"]
    fn panics() {
        let _guard = enter();
        panic!("the roof is on fire");
    }

    #[tokio::test]
    #[ignore = "runs inside the terminal of another test"]
    async fn contains_a_panic() {
        let guard = enter();
        assert_eq!(contain(|| panic!("broken message")), None::<()>);
        until_terminate(&guard, "still here").await;
    }

    #[test]
    #[ignore = "runs inside the terminal of another test"]
    fn asks() {
        let guard = enter();
        let answers = probe::ask(Duration::from_millis(300));
        drop(guard);
        println!("{answers:?}");
    }
}

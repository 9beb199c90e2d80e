//! A program in a terminal of its own: keys in, screen out.

use std::{
    io::{Read, Write},
    num::NonZero,
    path::Path,
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::{Duration, Instant},
};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::app::SOON;

/// Nobody's fingers are faster.
const HUMAN: Duration = Duration::from_millis(30);

pub struct Terminal {
    emulator: vt100::Parser,
    output: Receiver<Vec<u8>>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    /// Closed, it would take the program's terminal away.
    master: Box<dyn MasterPty + Send>,
    /// Everything that was written, escapes included.
    pub raw: Vec<u8>,
}

impl Terminal {
    /// Runs `program` at `columns` x `rows`, with nothing of this process's environment but the path.
    pub fn run(program: &Path, arguments: &[&str], environment: &[(&str, &str)], columns: u16, rows: u16) -> Self {
        let size = PtySize { rows, cols: columns, ..PtySize::default() };
        let pair = native_pty_system().openpty(size).expect("a terminal");
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.env_clear();
        for (name, value) in
            [("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("LANG", "C.UTF-8"), ("TZ", "UTC")]
        {
            command.env(name, value);
        }
        for (name, value) in environment {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).expect("a program");
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().expect("its output");
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut chunk = [0; 8192];
            while let Ok(count @ 1..) = reader.read(&mut chunk) {
                if sender.send(chunk[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        let (rows, columns) = (NonZero::new(rows).expect("rows"), NonZero::new(columns).expect("columns"));
        let emulator = vt100::Parser::new(rows, columns, 0);
        let keys = pair.master.take_writer().expect("its input");
        Self { emulator, output, keys, child, master: pair.master, raw: Vec::new() }
    }

    pub fn screen(&self) -> &vt100::Screen {
        self.emulator.screen()
    }

    pub fn text(&self) -> String {
        self.screen().contents()
    }

    /// Waits until the screen shows `text`.
    pub fn sees(&mut self, text: &str) {
        self.wait(text, |screen| screen.contents().contains(text));
    }

    /// Waits until the screen shows `text` no more.
    pub fn sees_no(&mut self, text: &str) {
        self.wait(&format!("no {text}"), |screen| !screen.contents().contains(text));
    }

    pub fn wait(&mut self, what: &str, seen: impl Fn(&vt100::Screen) -> bool) {
        let deadline = Instant::from(tokio::time::Instant::now()) + SOON;
        while !seen(self.emulator.screen()) {
            let left = deadline.saturating_duration_since(Instant::from(tokio::time::Instant::now()));
            assert!(!left.is_zero(), "waited in vain for {what}:\n{}", self.text());
            self.read_for(left.min(Duration::from_millis(200)));
        }
    }

    /// Takes in what the program writes within `time`; whether it is still there.
    pub fn read_for(&mut self, time: Duration) -> bool {
        match self.output.recv_timeout(time) {
            Ok(bytes) => {
                self.raw.extend_from_slice(&bytes);
                self.emulator.process(&bytes);
                true
            }
            Err(RecvTimeoutError::Timeout) => true,
            Err(RecvTimeoutError::Disconnected) => false,
        }
    }

    /// Presses keys, as bytes.
    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("its input");
        self.keys.flush().expect("its input");
    }

    /// Types like a person: a key is not pressed before the one before it shows.
    pub fn types(&mut self, text: &str) {
        let mut typed = String::new();
        for key in text.chars() {
            self.press(&key.to_string());
            typed.push(key);
            let line: String = typed.chars().rev().take(12).collect::<Vec<_>>().into_iter().rev().collect();
            self.sees(line.trim());
            // Keys that are closer together than 10 ms are a paste to the composer.
            std::thread::sleep(HUMAN);
        }
    }

    /// The process's number.
    pub fn id(&self) -> u32 {
        self.child.process_id().expect("a process that runs")
    }

    /// Somebody pulls at the window's corner.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.master.resize(PtySize { rows, cols: columns, ..PtySize::default() }).expect("another size");
        let (rows, columns) = (NonZero::new(rows).expect("rows"), NonZero::new(columns).expect("columns"));
        self.emulator.screen_mut().set_size(rows, columns);
    }

    pub fn kill(&mut self) {
        self.child.kill().expect("to kill it");
        self.child.wait().expect("its end");
    }

    /// Waits for its end, and says whether it went well.
    pub fn ends(&mut self) -> bool {
        let deadline = tokio::time::Instant::now() + SOON;
        loop {
            self.read_for(Duration::from_millis(100));
            if let Some(status) = self.child.try_wait().expect("its state") {
                while let Ok(bytes) = self.output.recv_timeout(Duration::from_millis(100)) {
                    self.emulator.process(&bytes);
                }
                return status.success();
            }
            assert!(tokio::time::Instant::now() < deadline, "it does not end:\n{}", self.text());
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended long ago.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

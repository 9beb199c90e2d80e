//! Puts the terminal into our hands, and back as it was, whatever happens.

use std::{
    io::{self, IsTerminal, Write},
    sync::atomic::{AtomicBool, Ordering},
};

use crossterm::terminal::{disable_raw_mode, enable_raw_mode};

use super::probe::Environment;
use crate::text::contain;

/// Saves the title; not repeated when we come back from being stopped.
const SAVE_TITLE: &[u8] = b"\x1b[22;2t";
/// Alternate screen, no wrapping at the edge, pastes marked, focus told.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?7l\x1b[?2004h\x1b[?1004h\x1b[2J";
const LEAVE: &[u8] = b"\x1b[?2026l\x1b[0m\x1b[?1004l\x1b[?2004l\x1b[?7h\x1b[?25h\x1b[?1049l";
const RESTORE_TITLE: &[u8] = b"\x1b[23;2t";

static HELD: AtomicBool = AtomicBool::new(false);

/// Why there can be no inbox here.
#[derive(Debug, thiserror::Error)]
pub enum NoTerminal {
    #[error("the inbox needs a terminal, and this is a pipe or a file; try `baton queue --json` or `baton tail`")]
    NotATerminal,
    #[error(
        "the inbox needs a terminal that can place its cursor, and TERM is `dumb`; try `baton queue --json` or `baton tail`"
    )]
    Dumb,
    #[error("the terminal refused: {0}")]
    Refused(#[from] io::Error),
}

/// Holds the terminal; dropping it gives the terminal back.
#[derive(Debug)]
pub struct Guard(());

impl Guard {
    /// Takes the terminal: raw, alternate screen, marked pastes, focus events.
    ///
    /// # Errors
    /// If there is none, or none that can show an inbox; then nothing was changed.
    pub fn enter(environment: &Environment) -> Result<Self, NoTerminal> {
        if environment.dumb {
            return Err(NoTerminal::Dumb);
        }
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Err(NoTerminal::NotATerminal);
        }
        enable_raw_mode()?;
        HELD.store(true, Ordering::SeqCst);
        let guard = Self(());
        write(&[SAVE_TITLE, ENTER])?;
        Ok(guard)
    }

    /// Gives the terminal back and stops this process, as Ctrl+Z would; returns when it goes on, with
    /// the terminal taken again. The screen must be drawn anew.
    ///
    /// # Errors
    /// If the terminal cannot be taken again.
    pub fn suspend(&self) -> io::Result<()> {
        restore();
        #[cfg(unix)]
        signal_hook::low_level::raise(signal_hook::consts::SIGSTOP)?;
        self.resume()
    }

    /// Takes the terminal again, after something else stopped this process and had the terminal
    /// meanwhile. The screen must be drawn anew.
    ///
    /// # Errors
    /// If the terminal cannot be taken again.
    pub fn resume(&self) -> io::Result<()> {
        // A shell may have set its own modes, which crossterm does not know.
        disable_raw_mode()?;
        enable_raw_mode()?;
        let held = HELD.swap(true, Ordering::SeqCst);
        write(if held { &[ENTER] } else { &[SAVE_TITLE, ENTER] })
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        restore();
    }
}

/// Makes a panic give the terminal back before it is reported; one that is contained leaves it.
pub fn install_panic_hook() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if contain::is_contained() {
            return;
        }
        restore();
        report(panic);
    }));
}

/// Gives the terminal back, once. Errors are of no use any more: the terminal may be gone.
fn restore() {
    if HELD.swap(false, Ordering::SeqCst) {
        let _ = write(&[LEAVE, RESTORE_TITLE]);
        let _ = disable_raw_mode();
    }
}

fn write(parts: &[&[u8]]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(&parts.concat())?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_terminal_the_reason_is_a_sentence() {
        let dumb = Environment::read(|name| (name == "TERM").then(|| "dumb".to_owned()));
        let refused = Guard::enter(&dumb).unwrap_err();
        assert!(matches!(refused, NoTerminal::Dumb));
        assert!(refused.to_string().contains("TERM is `dumb`"));
        assert!(NoTerminal::NotATerminal.to_string().starts_with("the inbox needs a terminal"));
    }

    #[test]
    fn what_is_set_is_unset_again() {
        let modes = |bytes: &[u8], end: char| -> Vec<String> {
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            let modes = text.split("\x1b[?").filter_map(|part| part.split_once(end));
            let mut modes: Vec<String> =
                modes.map(|(mode, _)| mode.to_owned()).filter(|mode| mode.parse::<u16>().is_ok()).collect();
            modes.sort();
            modes
        };
        let set = modes(ENTER, 'h');
        assert_eq!(set, ["1004", "1049", "2004"]);
        assert!(set.iter().all(|mode| modes(LEAVE, 'l').contains(mode)));
        assert_eq!(modes(ENTER, 'l'), ["7"]);
        assert_eq!(modes(LEAVE, 'h'), ["25", "7"]);
    }
}

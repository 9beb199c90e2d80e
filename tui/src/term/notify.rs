//! Tells an agent who looks elsewhere that somebody waits.

use std::time::Duration;

use super::Escape;
use crate::text::Clean;

/// How often at most a notification goes out; what comes in between becomes one.
const PAUSE: Duration = Duration::from_secs(2);

/// What the terminal understands; the bell rings in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Channel {
    #[default]
    Bell,
    /// OSC 9: iTerm2, WezTerm, Ghostty, kitty.
    Osc9,
    /// OSC 777: urxvt, foot, VTE.
    Osc777,
}

/// Who waits and why; never what was written, unless the agent wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub title: Clean,
    pub body: Clean,
}

impl Notice {
    /// The sequence that shows it; within tmux it is handed through, and the bell marks the window.
    pub fn escape(&self, channel: Channel, in_tmux: bool) -> Escape {
        let (title, body) = (field(&self.title), field(&self.body));
        let shown = match channel {
            Channel::Bell => return Escape::bell(),
            // A number first would be a command of ConEmu's, such as a progress bar.
            Channel::Osc9 if title.starts_with(|c: char| c.is_ascii_digit()) => {
                Escape::osc(&format!("9; {title}: {body}"))
            }
            Channel::Osc9 => Escape::osc(&format!("9;{title}: {body}")),
            Channel::Osc777 => Escape::osc(&format!("777;notify;{title};{body}")),
        };
        let shown = if in_tmux { shown.through_tmux() } else { shown };
        shown.then(Escape::bell())
    }
}

/// One field of a command, in which `;` would begin the next.
fn field(text: &Clean) -> String {
    text.as_str().replace(';', ",").replace('\n', " ")
}

/// Lets the first notice pass, and makes one of those that come soon after it.
#[derive(Debug, Default)]
pub struct Coalesce {
    last: Option<Duration>,
    kept: Option<Notice>,
    more: usize,
}

impl Coalesce {
    /// A notice at `at`, a monotonic time; what to show now, if anything.
    pub fn push(&mut self, notice: Notice, at: Duration) -> Option<Notice> {
        match &self.kept {
            Some(_) => self.more += 1,
            None => self.kept = Some(notice),
        }
        self.due(at)
    }

    /// What to show at `at`, if anything is kept and enough time has passed.
    pub fn due(&mut self, at: Duration) -> Option<Notice> {
        if self.next().is_none_or(|next| at < next) {
            return None;
        }
        let notice = self.kept.take()?;
        self.last = Some(at);
        match std::mem::take(&mut self.more) {
            0 => Some(notice),
            more => Some(Notice { body: Clean::line(&format!("{} (and {more} more)", notice.body)), ..notice }),
        }
    }

    /// When [`Coalesce::due`] will have something.
    pub fn next(&self) -> Option<Duration> {
        self.kept.as_ref().map(|_| self.last.map_or(Duration::ZERO, |last| last + PAUSE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(title: &str) -> Notice {
        Notice { title: Clean::line(title), body: Clean::from_static("asked for a person; refund") }
    }

    #[test]
    fn each_terminal_gets_what_it_understands() {
        let notice = notice("Baton");
        assert_eq!(notice.escape(Channel::Bell, true).as_bytes(), b"\x07");
        assert_eq!(notice.escape(Channel::Osc9, false).as_bytes(), b"\x1b]9;Baton: asked for a person, refund\x07\x07");
        let tmux = notice.escape(Channel::Osc777, true);
        let expected = b"\x1bPtmux;\x1b\x1b]777;notify;Baton;asked for a person, refund\x07\x1b\\\x07";
        assert_eq!(tmux.as_bytes(), expected);
    }

    #[test]
    fn a_name_cannot_command_the_terminal() {
        let evil = notice("4;1;50\x07\x1b]0;x").escape(Channel::Osc9, false);
        assert!(evil.as_bytes().starts_with(b"\x1b]9; 4,1,50"));
        assert_eq!(evil.as_bytes().iter().filter(|byte| **byte == 0x1b).count(), 1);
    }

    #[test]
    fn a_flood_becomes_one_notice() {
        let mut coalesce = Coalesce::default();
        let at = Duration::from_millis;
        assert_eq!(coalesce.push(notice("a"), at(5_000)), Some(notice("a")));
        assert_eq!(coalesce.next(), None);
        assert_eq!(coalesce.push(notice("b"), at(5_100)), None);
        assert_eq!(coalesce.push(notice("c"), at(5_200)), None);
        assert_eq!(coalesce.next(), Some(at(7_000)));
        assert_eq!(coalesce.due(at(6_999)), None);
        let both = coalesce.due(at(7_000)).unwrap();
        assert_eq!((both.title.as_str(), both.body.as_str()), ("b", "asked for a person; refund (and 1 more)"));
        assert_eq!(coalesce.due(at(20_000)), None);
    }
}

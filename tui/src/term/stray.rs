//! Answers to our questions that come too late, when they would be taken for keys.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A terminal at the far end of a slow line has this long.
const WAIT: Duration = Duration::from_secs(5);
const KEYS_MAX: usize = 40;

/// Swallows the answer about the background colour, which arrives as Alt+], its letters, and a bell
/// or Alt+\. Needed only if [`super::probe::ask`] did not wait for all answers.
#[derive(Clone, Copy, Debug)]
pub struct Stray {
    until: Duration,
    inside: Option<usize>,
}

impl Stray {
    /// Watches from `now`, a monotonic time, for a few seconds.
    pub fn new(now: Duration) -> Self {
        Self { until: now + WAIT, inside: None }
    }

    /// Whether `key`, which came at `at`, belongs to an answer and must not be acted upon.
    pub fn swallows(&mut self, key: &KeyEvent, at: Duration) -> bool {
        let Some(count) = self.inside else {
            let begins = at <= self.until && key.code == KeyCode::Char(']') && key.modifiers == KeyModifiers::ALT;
            self.inside = begins.then_some(0);
            return begins;
        };
        let ends = matches!(
            (key.code, key.modifiers),
            (KeyCode::Char('g'), KeyModifiers::CONTROL) | (KeyCode::Char('\\'), KeyModifiers::ALT)
        );
        let goes_on = count < KEYS_MAX
            && matches!(key.code, KeyCode::Char('0'..='9' | 'a'..='f' | 'A'..='F' | ';' | ':' | '/' | 'r' | 'g'))
            && !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
        self.inside = (goes_on && !ends).then_some(count + 1);
        goes_on || ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(c: char, modifiers: KeyModifiers) -> KeyEvent {
        KeyEvent::new(KeyCode::Char(c), modifiers)
    }

    fn left_over(end: KeyEvent) -> String {
        let mut stray = Stray::new(Duration::ZERO);
        let answer = "11;rgb:1111/1515/1c1c".chars().map(|c| key(c, KeyModifiers::NONE));
        let keys = [key('j', KeyModifiers::NONE), key(']', KeyModifiers::ALT)].into_iter().chain(answer);
        let keys = keys.chain([end, key('k', KeyModifiers::NONE), key('g', KeyModifiers::NONE)]);
        keys.filter(|key| !stray.swallows(key, Duration::from_secs(1))).filter_map(|key| key.code.as_char()).collect()
    }

    #[test]
    fn a_late_answer_is_no_key() {
        assert_eq!(left_over(key('g', KeyModifiers::CONTROL)), "jkg");
        assert_eq!(left_over(key('\\', KeyModifiers::ALT)), "jkg");
    }

    #[test]
    fn a_person_who_types_the_same_loses_one_key_at_most() {
        let mut stray = Stray::new(Duration::ZERO);
        assert!(stray.swallows(&key(']', KeyModifiers::ALT), Duration::from_secs(1)));
        assert!(!stray.swallows(&key('x', KeyModifiers::NONE), Duration::from_secs(1)));
        assert!(!stray.swallows(&key('1', KeyModifiers::NONE), Duration::from_secs(1)));
        assert!(!stray.swallows(&key(']', KeyModifiers::ALT), Duration::from_secs(6)));
    }
}

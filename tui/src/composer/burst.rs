//! Tells a paste from typing where the terminal does not.

use std::time::Duration;

/// Nobody types faster; key repeat is slower, too.
const QUICK: Duration = Duration::from_millis(10);
const KEYS: u32 = 3;
/// How long after the last quick key Enter still belongs to the paste.
const OPEN: Duration = Duration::from_millis(60);

/// Watches when keys come: Windows, and terminals without bracketed paste, send a paste as keys, and
/// its line ends must not send twenty messages.
#[derive(Clone, Copy, Debug, Default)]
pub struct Burst {
    last: Option<Duration>,
    quick: u32,
    open_until: Option<Duration>,
}

impl Burst {
    /// Notes a key that came at `at`, a monotonic time; whether it belongs to a paste, so that Enter
    /// is a line end.
    pub fn key(&mut self, at: Duration) -> bool {
        let is_quick = self.last.is_some_and(|last| at.saturating_sub(last) < QUICK);
        self.quick = if is_quick { self.quick.saturating_add(1) } else { 1 };
        self.last = Some(at);
        if self.quick >= KEYS {
            self.open_until = Some(at + OPEN);
        }
        self.open_until.is_some_and(|until| at <= until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(times: &[u64]) -> Vec<bool> {
        let mut burst = Burst::default();
        times.iter().map(|at| burst.key(Duration::from_millis(*at))).collect()
    }

    #[test]
    fn typing_is_no_paste() {
        assert_eq!(keys(&[0, 40, 49, 90, 130, 139]), [false; 6]);
    }

    #[test]
    fn from_the_third_quick_key_it_is_a_paste_and_for_a_moment_after() {
        assert_eq!(keys(&[0, 1, 2, 3, 50, 120, 1_000]), [false, false, true, true, true, false, false]);
    }
}

//! A sequence for the terminal; only this folder can make one.

/// Bytes that a terminal obeys.
#[derive(Clone, PartialEq, Eq)]
pub struct Escape(Vec<u8>);

impl Escape {
    /// An operating system command; `body` must hold no control characters.
    pub(super) fn osc(body: &str) -> Self {
        debug_assert!(!body.contains(char::is_control));
        Self(format!("\x1b]{body}\x07").into_bytes())
    }

    pub(super) fn bell() -> Self {
        Self(vec![0x07])
    }

    pub(super) fn then(mut self, next: Self) -> Self {
        self.0.extend(next.0);
        self
    }

    /// Handed through tmux to the terminal around it, if its `allow-passthrough` is on.
    pub(super) fn through_tmux(&self) -> Self {
        let mut wrapped = b"\x1bPtmux;".to_vec();
        for &byte in &self.0 {
            if byte == 0x1b {
                wrapped.push(byte);
            }
            wrapped.push(byte);
        }
        wrapped.extend(b"\x1b\\");
        Self(wrapped)
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Escape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Escape({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{term::title, text::Clean};

    #[test]
    fn escapes_are_doubled_on_their_way_through_tmux() {
        assert_eq!(Escape::osc("9;hi").through_tmux().as_bytes(), b"\x1bPtmux;\x1b\x1b]9;hi\x07\x1b\\");
    }

    #[test]
    fn a_name_cannot_leave_the_title() {
        let name = Clean::from_untrusted("Bob\x07\x1b]52;c;ZXZpbA==\x07\nx");
        let bytes = title(&name);
        assert_eq!(bytes.as_bytes().iter().filter(|byte| **byte == 0x1b || **byte == 0x07).count(), 2);
        assert!(bytes.as_bytes().starts_with(b"\x1b]2;Bob") && bytes.as_bytes().ends_with(b" x\x07"));
    }
}

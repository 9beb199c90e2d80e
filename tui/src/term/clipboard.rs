//! Copies by OSC 52, which also works over ssh.

use super::Escape;
use crate::text::Clean;

/// Terminals drop longer sequences, some without a word.
const BYTES_MAX: usize = 74_000;

/// More than a terminal's clipboard takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too long to copy: {bytes} bytes, the terminal takes {BYTES_MAX}")]
pub struct TooLong {
    pub bytes: usize,
}

/// The sequence that puts `text` into the clipboard; within tmux also for the terminal around it.
///
/// # Errors
/// If a terminal would drop it for its length.
pub fn copy(text: &Clean, in_tmux: bool) -> Result<Escape, TooLong> {
    let bytes = text.as_str().as_bytes();
    if bytes.len() > BYTES_MAX {
        return Err(TooLong { bytes: bytes.len() });
    }
    let direct = Escape::osc(&format!("52;c;{}", base64(bytes)));
    Ok(if in_tmux { direct.clone().then(direct.through_tmux()) } else { direct })
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0_u32, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        let digits = (0..4).map(|place| char::from(DIGITS[(group >> (18 - 6 * place) & 0x3f) as usize]));
        out.extend(digits.take(chunk.len() + 1));
        out.extend(std::iter::repeat_n('=', 3 - chunk.len()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        let cases =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy")];
        for (plain, coded) in cases {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn text_is_copied_as_base64_and_through_tmux_too() {
        let text = Clean::from_static("foo");
        assert_eq!(copy(&text, false).unwrap().as_bytes(), b"\x1b]52;c;Zm9v\x07");
        assert_eq!(copy(&text, true).unwrap().as_bytes(), b"\x1b]52;c;Zm9v\x07\x1bPtmux;\x1b\x1b]52;c;Zm9v\x07\x1b\\");
    }

    #[test]
    fn what_a_terminal_would_drop_is_refused() {
        let text = Clean::from_untrusted(&"日".repeat(21_000));
        assert!(copy(&text, false).is_ok());
        let long = Clean::already(&"x".repeat(BYTES_MAX + 1));
        assert_eq!(copy(&long, false), Err(TooLong { bytes: BYTES_MAX + 1 }));
    }
}

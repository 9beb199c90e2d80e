//! One key with its modifiers, and how people write it: `ctrl+s`, `g g`, `space w c`, `?`.

use std::{fmt, str::FromStr};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key with its modifiers. Shift is part of a letter, not a modifier of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Chord {
    pub code: KeyCode,
    pub ctrl: bool,
    pub alt: bool,
    pub shift: bool,
}

/// One or more chords, pressed one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sequence(pub Vec<Chord>);

/// Why a text names no keys.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no key: expected something like `x`, `X`, `ctrl+s`, `f1`, `esc`, `space` or `g g`")]
pub struct NoKey(String);

/// Names of keys that are not a letter; the second is what a hint shows.
const NAMED: [(&str, &str, KeyCode); 14] = [
    ("enter", "⏎", KeyCode::Enter),
    ("esc", "Esc", KeyCode::Esc),
    ("tab", "Tab", KeyCode::Tab),
    ("space", "Space", KeyCode::Char(' ')),
    ("backspace", "Bksp", KeyCode::Backspace),
    ("delete", "Del", KeyCode::Delete),
    ("up", "Up", KeyCode::Up),
    ("down", "Down", KeyCode::Down),
    ("left", "Left", KeyCode::Left),
    ("right", "Right", KeyCode::Right),
    ("home", "Home", KeyCode::Home),
    ("end", "End", KeyCode::End),
    ("pageup", "PgUp", KeyCode::PageUp),
    ("pagedown", "PgDn", KeyCode::PageDown),
];

impl Chord {
    const fn plain(code: KeyCode) -> Self {
        Self { code, ctrl: false, alt: false, shift: false }
    }

    /// How a hint shows it: `^s`, `⏎`, `G`.
    pub fn hint(&self) -> String {
        let mut hint = String::new();
        if self.ctrl {
            hint.push('^');
        }
        if self.alt {
            hint.push_str("Alt+");
        }
        if self.shift {
            hint.push_str("Shift+");
        }
        match self.code {
            // A caret means control by itself; capitals are how terminals' manuals write it.
            KeyCode::Char(letter) if self.ctrl && letter.is_ascii_lowercase() => hint.push(letter),
            KeyCode::Char(letter) if letter != ' ' => hint.push(letter),
            KeyCode::F(number) => hint.push_str(&format!("F{number}")),
            code => hint.push_str(NAMED.iter().find(|named| named.2 == code).map_or("?", |named| named.1)),
        }
        hint
    }
}

impl From<KeyEvent> for Chord {
    fn from(key: KeyEvent) -> Self {
        let mut chord = Self {
            code: key.code,
            ctrl: key.modifiers.contains(KeyModifiers::CONTROL),
            alt: key.modifiers.contains(KeyModifiers::ALT),
            shift: key.modifiers.contains(KeyModifiers::SHIFT),
        };
        match chord.code {
            KeyCode::Char(letter) => {
                // Terminals report ^J as a letter, some with shift and some without.
                chord.code = KeyCode::Char(if chord.ctrl { letter.to_ascii_lowercase() } else { letter });
                chord.shift = false;
            }
            KeyCode::BackTab => (chord.code, chord.shift) = (KeyCode::Tab, true),
            _ => {}
        }
        chord
    }
}

impl FromStr for Chord {
    type Err = NoKey;

    fn from_str(text: &str) -> Result<Self, NoKey> {
        let mut chord = Self::plain(KeyCode::Null);
        let mut rest = text;
        while let Some((modifier, after)) = rest.split_once('+').filter(|(_, after)| !after.is_empty()) {
            match modifier.to_ascii_lowercase().as_str() {
                "ctrl" => chord.ctrl = true,
                "alt" => chord.alt = true,
                "shift" => chord.shift = true,
                _ => return Err(NoKey(text.into())),
            }
            rest = after;
        }
        chord.code = code(rest).ok_or_else(|| NoKey(text.into()))?;
        if let (KeyCode::Char(letter), true) = (chord.code, chord.shift) {
            (chord.code, chord.shift) = (KeyCode::Char(letter.to_ascii_uppercase()), false);
        }
        Ok(chord)
    }
}

fn code(name: &str) -> Option<KeyCode> {
    let mut letters = name.chars();
    if let (Some(letter), None) = (letters.next(), letters.next()) {
        return Some(KeyCode::Char(letter));
    }
    let lower = name.to_ascii_lowercase();
    if let Some(number) = lower.strip_prefix('f').and_then(|number| number.parse().ok()) {
        return (1..=24).contains(&number).then_some(KeyCode::F(number));
    }
    NAMED.iter().find(|named| named.0 == lower).map(|named| named.2)
}

impl Sequence {
    pub fn hint(&self) -> String {
        let hints: Vec<String> = self.0.iter().map(Chord::hint).collect();
        // `gg` reads as one; `Space w` does not.
        let apart = if hints.iter().any(|hint| hint.chars().count() > 1) { " " } else { "" };
        hints.join(apart)
    }

    pub fn begins_with(&self, typed: &[Chord]) -> bool {
        self.0.starts_with(typed)
    }
}

impl FromStr for Sequence {
    type Err = NoKey;

    fn from_str(text: &str) -> Result<Self, NoKey> {
        let chords: Vec<Chord> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        if chords.is_empty() { Err(NoKey(text.into())) } else { Ok(Self(chords)) }
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(text: &str) -> String {
        text.parse::<Sequence>().unwrap().hint()
    }

    #[test]
    fn keys_are_read_and_shown() {
        for (text, shown) in [
            ("g g", "gg"),
            ("ctrl+s", "^s"),
            ("space w c", "Space w c"),
            ("shift+tab", "Shift+Tab"),
            ("shift+x", "X"),
            ("alt+enter", "Alt+⏎"),
            ("F1", "F1"),
            ("+", "+"),
            ("ctrl++", "^+"),
            ("?", "?"),
        ] {
            assert_eq!(hint(text), shown, "{text}");
        }
        for wrong in ["", "ctrl+", "hyper+x", "f99", "word"] {
            assert!(wrong.parse::<Sequence>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_terminals_report_is_one_chord() {
        let event = |code, modifiers| Chord::from(KeyEvent::new(code, modifiers));
        let newline: Chord = "ctrl+j".parse().unwrap();
        assert_eq!(event(KeyCode::Char('j'), KeyModifiers::CONTROL), newline);
        assert_eq!(event(KeyCode::Char('J'), KeyModifiers::CONTROL | KeyModifiers::SHIFT), newline);
        assert_eq!(event(KeyCode::Char('G'), KeyModifiers::SHIFT), "G".parse().unwrap());
        assert_eq!(event(KeyCode::BackTab, KeyModifiers::SHIFT), "shift+tab".parse().unwrap());
    }
}

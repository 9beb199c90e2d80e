//! A language by its two letters.

use std::{fmt, str::FromStr};

/// An ISO 639-1 code such as `en`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Language([u8; 2]);

impl Language {
    pub const ENGLISH: Self = Self(*b"en");
    pub const SPANISH: Self = Self(*b"es");
    pub const PORTUGUESE: Self = Self(*b"pt");
    pub const GERMAN: Self = Self(*b"de");
    pub const FRENCH: Self = Self(*b"fr");
    pub const ITALIAN: Self = Self(*b"it");
    pub const DUTCH: Self = Self(*b"nl");

    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for Language {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match *text.as_bytes() {
            [a, b] if a.is_ascii_lowercase() && b.is_ascii_lowercase() => Ok(Self([a, b])),
            _ => Err(()),
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

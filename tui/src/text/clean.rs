//! `Clean`: the only text that a view may draw.

use std::{
    borrow::{Borrow, Cow},
    fmt,
    hash::{Hash, Hasher},
    ops::Range,
};

use super::{
    emoji::Emoji,
    filter::{Filtered, Policy, filter},
    scalar::{self, Fate},
    width,
};

/// A customer's message; the rest of a longer one is behind the raw view.
const MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// A name, a title, a file name, a line of a table.
const LINE_BYTES_MAX: usize = 1_024;
const LINE_CELLS_MAX: usize = 4_096;

const MESSAGE: Policy =
    Policy { bytes_max: MESSAGE_BYTES_MAX, line_cells_max: LINE_CELLS_MAX, one_line: false, open_end: false };
const LINE: Policy = Policy { bytes_max: LINE_BYTES_MAX, one_line: true, ..MESSAGE };

/// Text that is only text: it cannot move the cursor, set a clipboard, hide, or reorder the screen.
///
/// It holds no control character but `\n`, no direction mark, nothing invisible but joiners where
/// they shape letters or emoji, at most 4 marks on a letter and 16 code points drawn as one, no line
/// over 4,096 cells, at most 64 kB; it is in NFC, and every cluster is at least one cell wide.
#[derive(Clone, Default)]
pub struct Clean {
    text: Cow<'static, str>,
    hidden_marks: u32,
    cut: bool,
}

impl Clean {
    /// Text of any number of lines from anybody: a message, a note, a bot's words, a server's error.
    pub fn from_untrusted(raw: &str) -> Self {
        Self::filtered(raw, MESSAGE)
    }

    /// Text for one line: a name, a file name, or own words put together at run time.
    pub fn line(raw: &str) -> Self {
        Self::filtered(raw, LINE)
    }

    /// Our own words.
    ///
    /// # Panics
    /// If there is an ASCII control character other than `\n` in them; in a constant, at build time.
    pub const fn from_static(words: &'static str) -> Self {
        let (bytes, mut at) = (words.as_bytes(), 0);
        while at < bytes.len() {
            assert!(
                bytes[at] == b'\n' || (bytes[at] >= b' ' && bytes[at] != 0x7f),
                "a control character in our own words"
            );
            at += 1;
        }
        Self { text: Cow::Borrowed(words), hidden_marks: 0, cut: false }
    }

    /// The parts one after the other; joined letters and marks are judged anew.
    pub fn concat(parts: &[&Self]) -> Self {
        let joined: String = parts.iter().map(|part| part.as_str()).collect();
        let mut whole = Self::from_untrusted(&joined);
        whole.hidden_marks = parts.iter().fold(whole.hidden_marks, |sum, part| sum.saturating_add(part.hidden_marks));
        whole.cut |= parts.iter().any(|part| part.cut);
        whole
    }

    fn filtered(raw: &str, policy: Policy) -> Self {
        let Filtered { text, hidden, cut } = filter(raw, policy);
        Self { text: Cow::Owned(text), hidden_marks: hidden, cut }
    }

    /// Text made from other clean text by a step that keeps clusters whole.
    pub(crate) fn derived(&self, text: String) -> Self {
        Self { text: Cow::Owned(text), hidden_marks: self.hidden_marks, cut: self.cut }
    }

    /// Text that went through [`filter`] already.
    pub(crate) fn already(text: &str) -> Self {
        Self { text: Cow::Owned(text.to_owned()), hidden_marks: 0, cut: false }
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// How many direction-turning or invisible marks were taken out; shown as `[hidden marks 3]`.
    pub fn hidden_marks(&self) -> u32 {
        self.hidden_marks
    }

    /// Whether the end is missing because the text was too long.
    pub fn was_cut(&self) -> bool {
        self.cut
    }

    /// Whether any of it is written from right to left: then it stands alone on its rows.
    pub fn has_rtl(&self) -> bool {
        !self.text.is_ascii() && self.text.chars().any(scalar::is_right_to_left)
    }

    /// Cells of its widest line.
    pub fn width(&self) -> usize {
        self.text.split('\n').map(width::of).max().unwrap_or(0)
    }

    /// The bytes of `range`, narrowed to whole clusters.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Self {
        let range = width::whole_clusters(&self.text, range);
        self.derived(self.text[range].to_owned())
    }

    /// In one line of at most `cells`, ending in `ellipsis` if something had to go.
    #[must_use]
    pub fn truncated(&self, cells: usize, ellipsis: &Self) -> Self {
        let first = self.text.split('\n').next().unwrap_or_default();
        let whole = first.len() == self.text.len();
        if whole && width::of(first) <= cells {
            return self.clone();
        }
        let room = cells.saturating_sub(width::of(ellipsis.as_str()));
        let kept = width::prefix(first, room);
        let tail = if width::of(ellipsis.as_str()) <= cells { ellipsis.as_str() } else { "" };
        self.derived(format!("{}{tail}", kept.trim_end()))
    }

    /// In one line of exactly `cells`: truncated, or filled with spaces.
    #[must_use]
    pub fn padded(&self, cells: usize, ellipsis: &Self) -> Self {
        let mut text = self.truncated(cells, ellipsis).text.into_owned();
        let missing = cells.saturating_sub(width::of(&text));
        text.extend(std::iter::repeat_n(' ', missing));
        self.derived(text)
    }

    /// As a terminal that cannot be trusted with emoji should get it.
    pub fn shown(&self, emoji: Emoji) -> Cow<'_, Self> {
        match emoji.rewrite(&self.text) {
            Cow::Borrowed(_) => Cow::Borrowed(self),
            Cow::Owned(text) => Cow::Owned(self.derived(text)),
        }
    }
}

/// Whether a terminal can only show `symbol`, the content of one cell: the last check before it.
pub(crate) fn is_showable(symbol: &str) -> bool {
    let shows = |c| match scalar::fate(c) {
        Fate::Keep | Fate::EmojiForm | Fate::Joiner | Fate::NonJoiner => true,
        Fate::Replace => scalar::is_tag(c),
        Fate::LineEnd | Fate::Tab | Fate::Hide | Fate::TextForm => false,
    };
    symbol.chars().all(shows) && !symbol.starts_with(scalar::is_tag)
}

impl fmt::Display for Clean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Shows the length only: customers' words do not belong into logs.
impl fmt::Debug for Clean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clean({} bytes)", self.text.len())
    }
}

impl AsRef<str> for Clean {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl Borrow<str> for Clean {
    fn borrow(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Clean {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Clean {}

impl PartialOrd for Clean {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Clean {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}

impl Hash for Clean {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_normalization::is_nfc;

    use super::{super::strange, *};

    fn clean(raw: &str) -> String {
        Clean::from_untrusted(raw).as_str().to_owned()
    }

    #[test]
    fn plain_text_stays_as_it_is() {
        for text in ["", "Oi, tudo bem?", "two\nlines", "João  Pires", "日本語", "❤\u{fe0f} 👨‍👩‍👧 👍🏽 🇧🇷 1\u{fe0f}\u{20e3}"]
        {
            assert_eq!(clean(text), text);
            assert_eq!(Clean::from_untrusted(text).hidden_marks(), 0);
        }
    }

    #[test]
    fn escape_sequences_lose_their_escape() {
        assert_eq!(clean("A\x1b[2JB"), "A\u{fffd}[2JB");
        assert_eq!(clean("\x1b]52;c;ZXZpbA==\x07"), "\u{fffd}]52;c;ZXZpbA==\u{fffd}");
        assert_eq!(clean("a\u{9b}2Jb"), "a\u{fffd}2Jb");
        assert_eq!(clean("a\0\x01\x02\x7f\u{80}b"), "a\u{fffd}b");
    }

    #[test]
    fn line_ends_and_tabs_become_ours() {
        assert_eq!(clean("a\r\nb\rc\u{85}d\u{2028}e\u{2029}f"), "a\nb\nc\nd\ne\nf");
        assert_eq!(clean("a\tb"), "a    b");
    }

    #[test]
    fn direction_marks_are_taken_out_and_counted() {
        let text = Clean::from_untrusted("user\u{202e}gnp.exe\u{2066}\u{200b}");
        assert_eq!(text.as_str(), "usergnp.exe");
        assert_eq!(text.hidden_marks(), 3);
    }

    #[test]
    fn towers_of_marks_are_cut_to_four() {
        let tower = format!("a{}b", "\u{301}\u{316}".repeat(150));
        let shown = clean(&tower);
        assert!(shown.chars().count() <= 7, "{}", shown.escape_unicode());
        assert!(shown.ends_with('b'));
        let heavy = Clean::from_untrusted(&"\u{300}".repeat(200_000));
        assert!(heavy.is_empty() && heavy.was_cut());
    }

    #[test]
    fn joiners_stay_only_where_they_shape() {
        assert_eq!(clean("می\u{200c}خواهم"), "می\u{200c}خواهم");
        assert_eq!(clean("क्\u{200d}ष"), "क्\u{200d}ष");
        assert_eq!(clean("a\u{200d}b\u{200c}c"), "abc");
        assert_eq!(clean("👍\u{200d}a"), "👍a");
        assert_eq!(clean("a\u{fe0f}"), "a");
    }

    #[test]
    fn tags_are_shown_unless_they_are_a_flag() {
        let scotland = "\u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}";
        assert_eq!(clean(scotland), scotland);
        assert_eq!(clean("hi\u{e0068}\u{e0069}"), "hi\u{fffd}");
        assert_eq!(clean("\u{1f3f4}\u{e0068}"), "\u{1f3f4}\u{fffd}");
    }

    #[test]
    fn names_are_one_line() {
        assert_eq!(Clean::line("  Ana\n\tLima \u{3000} x ").as_str(), "Ana Lima x");
        assert_eq!(Clean::line("a b").as_str(), "a b");
        assert_eq!(Clean::line(&"x".repeat(5_000)).as_str().len(), 1_024);
        assert_eq!(Clean::line(" \u{200b} ").as_str(), "");
    }

    #[test]
    fn long_lines_are_broken_not_lost() {
        let text = clean(&"x".repeat(10_000));
        assert_eq!(text.split('\n').map(str::len).collect::<Vec<_>>(), [4_096, 4_096, 1_808]);
    }

    #[test]
    fn truncating_counts_cells() {
        let dots = Clean::from_static("⋯");
        let name = Clean::line("日本語日本語");
        assert_eq!(name.truncated(12, &dots).as_str(), "日本語日本語");
        assert_eq!(name.truncated(6, &dots).as_str(), "日本⋯");
        assert_eq!(name.padded(6, &dots).as_str(), "日本⋯ ");
        assert_eq!(name.truncated(0, &dots).as_str(), "");
        assert_eq!(Clean::from_untrusted("one\ntwo").truncated(10, &dots).as_str(), "one⋯");
    }

    #[test]
    fn slices_keep_clusters_whole() {
        let text = Clean::from_untrusted("ae\u{301}b👨‍👩‍👧");
        assert_eq!(text.slice(0..2).as_str(), "a");
        assert_eq!(text.slice(1..999).as_str(), "éb👨‍👩‍👧");
        assert_eq!(text.slice(4..9).as_str(), "");
    }

    #[test]
    fn writing_from_right_to_left_is_noticed() {
        assert!(Clean::from_untrusted("سلام").has_rtl());
        assert!(!Clean::from_untrusted("olá").has_rtl());
    }

    #[test]
    fn debug_does_not_tell_the_words() {
        assert_eq!(format!("{:?}", Clean::line("secret")), "Clean(6 bytes)");
    }

    fn assert_harmless(text: &Clean) -> Result<(), TestCaseError> {
        let text = text.as_str();
        prop_assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
        let turning = ['\u{61c}', '\u{200b}', '\u{200e}', '\u{200f}', '\u{2028}', '\u{2029}', '\u{feff}'];
        let turns = |c| turning.contains(&c) || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}');
        prop_assert!(!text.contains(turns));
        prop_assert!(is_nfc(text), "{}", text.escape_unicode());
        for cluster in width::clusters(text).filter(|cluster| cluster.text != "\n") {
            prop_assert!(cluster.width > 0, "{}", cluster.text.escape_unicode());
            prop_assert!(cluster.text.chars().count() <= 16);
        }
        prop_assert!(text.split('\n').all(|line| width::of(line) <= 4_096));
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn limits_hold(part in strange::text(1..4), times in 1_usize..6_000) {
            let text = Clean::from_untrusted(&part.repeat(times));
            prop_assert!(text.as_str().len() <= 64 * 1024);
            prop_assert!(text.as_str().split('\n').all(|line| width::of(line) <= 4_096));
            prop_assert!(Clean::line(&part.repeat(times)).as_str().len() <= 1_024);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_become_harmless(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let raw = String::from_utf8_lossy(&bytes);
            assert_harmless(&Clean::from_untrusted(&raw))?;
            assert_harmless(&Clean::line(&raw))?;
        }

        #[test]
        fn strange_text_becomes_harmless_and_stays_so(raw in strange::text(0..60)) {
            let once = Clean::from_untrusted(&raw);
            assert_harmless(&once)?;
            let twice = Clean::from_untrusted(once.as_str());
            prop_assert_eq!(twice.as_str(), once.as_str(), "{}", raw.escape_unicode());
            prop_assert_eq!(twice.hidden_marks(), 0);
            let line = Clean::line(&raw);
            prop_assert!(!line.as_str().contains('\n'));
            prop_assert_eq!(Clean::line(line.as_str()), line);
        }

        #[test]
        fn truncating_never_exceeds(raw in strange::text(0..30), cells in 0_usize..60) {
            let dots = Clean::from_static("⋯");
            let text = Clean::line(&raw);
            prop_assert!(text.truncated(cells, &dots).width() <= cells);
            prop_assert_eq!(text.padded(cells, &dots).width(), cells);
        }
    }
}

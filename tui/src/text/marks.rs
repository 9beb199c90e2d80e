//! WhatsApp's own marks: `*bold*`, `_italic_`, `~struck~`, `` `mono` `` and ```` ```mono``` ````.

use std::ops::{BitOr, Range};

use unicode_width::UnicodeWidthChar;

use super::Clean;

/// How a stretch of text is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    pub bold: bool,
    pub italic: bool,
    pub strike: bool,
    pub mono: bool,
}

impl Marks {
    const BOLD: Self = Self { bold: true, ..Self::NONE };
    const ITALIC: Self = Self { italic: true, ..Self::NONE };
    const STRIKE: Self = Self { strike: true, ..Self::NONE };
    const MONO: Self = Self { mono: true, ..Self::NONE };
    const NONE: Self = Self { bold: false, italic: false, strike: false, mono: false };
}

impl BitOr for Marks {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self {
            bold: self.bold || other.bold,
            italic: self.italic || other.italic,
            strike: self.strike || other.strike,
            mono: self.mono || other.mono,
        }
    }
}

/// Text without its marks, and what they meant.
#[derive(Clone, Debug, Default)]
pub struct Marked {
    pub text: Clean,
    /// Bytes of `text` that are set in some way, in order, without overlap.
    pub spans: Vec<(Range<usize>, Marks)>,
}

/// Takes the marks out of `text`. A mark without its partner on the same line stays a character.
pub fn parse(text: &Clean) -> Marked {
    if !text.as_str().contains(['*', '_', '~', '`']) {
        return Marked { text: text.clone(), spans: Vec::new() };
    }
    let mut out = Out { text: String::with_capacity(text.as_str().len()), spans: Vec::new() };
    inline(text.as_str(), Marks::NONE, &mut out);
    Marked { text: text.derived(out.text), spans: out.spans }
}

struct Out {
    text: String,
    spans: Vec<(Range<usize>, Marks)>,
}

impl Out {
    fn push(&mut self, text: &str, marks: Marks) {
        let start = self.text.len();
        self.text.push_str(text);
        if marks != Marks::NONE && !text.is_empty() {
            self.spans.push((start..self.text.len(), marks));
        }
    }
}

fn inline(text: &str, marks: Marks, out: &mut Out) {
    let (mut plain, mut at) = (0, 0);
    // Where a search for a partner failed: up to there no other needs to be tried.
    let mut hopeless = Hopeless::default();
    while let Some(next) = text[at..].find(['*', '_', '~', '`']).map(|skip| at + skip) {
        let Some(found) = pair(text, next, marks, &mut hopeless) else {
            at = next + 1;
            continue;
        };
        out.push(&text[plain..next], marks);
        let inner = &text[found.inner.clone()];
        if found.marks.mono {
            out.push(inner, marks | found.marks);
        } else {
            inline(inner, marks | found.marks, out);
        }
        at = found.end;
        plain = at;
    }
    out.push(&text[plain..], marks);
}

struct Pair {
    inner: Range<usize>,
    end: usize,
    marks: Marks,
}

#[derive(Default)]
struct Hopeless {
    fence: usize,
    marks: [usize; 4],
}

fn pair(text: &str, at: usize, marks: Marks, hopeless: &mut Hopeless) -> Option<Pair> {
    if text[at..].starts_with("```") && at >= hopeless.fence {
        match text[at + 3..].find("```").map(|length| at + 3 + length) {
            Some(close) if close > at + 3 && !is_stood_on(text, at + 3) && !is_stood_on(text, close + 3) => {
                return Some(Pair { inner: at + 3..close, end: close + 3, marks: Marks::MONO });
            }
            Some(_) => {}
            None => hopeless.fence = text.len(),
        }
    }
    let (kind, set, byte) = match text.as_bytes()[at] {
        b'*' => (0, Marks::BOLD, b'*'),
        b'_' => (1, Marks::ITALIC, b'_'),
        b'~' => (2, Marks::STRIKE, b'~'),
        _ => (3, Marks::MONO, b'`'),
    };
    if marks | set == marks || at < hopeless.marks[kind] || !opens(text, at) {
        return None;
    }
    let line_end = text[at..].find('\n').map_or(text.len(), |length| at + length);
    let close = (at + 2..line_end).find(|&close| text.as_bytes()[close] == byte && closes(text, close));
    if close.is_none() {
        hopeless.marks[kind] = line_end;
    }
    close.map(|close| Pair { inner: at + 1..close, end: close + 1, marks: set })
}

fn opens(text: &str, at: usize) -> bool {
    let (mark, rest) = text[at..].split_at(1);
    let before = text[..at].chars().next_back();
    before.is_none_or(|c| !c.is_alphanumeric())
        && rest.starts_with(|c: char| !c.is_whitespace())
        && !is_stood_on(text, at + 1)
        && !rest.starts_with(mark)
}

fn closes(text: &str, at: usize) -> bool {
    let (mark, rest) = text[at..].split_at(1);
    let before = text[..at].chars().next_back();
    before.is_some_and(|c| !c.is_whitespace())
        && !rest.starts_with(char::is_alphanumeric)
        && !is_stood_on(text, at + 1)
        && !rest.starts_with(mark)
}

/// Whether what follows at `at` belongs to the mark before it, which then is a letter.
fn is_stood_on(text: &str, at: usize) -> bool {
    text[at..].starts_with(|c: char| c.width() == Some(0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::{strange, width},
        *,
    };

    fn parsed(text: &str) -> (String, Vec<(String, Marks)>) {
        let marked = parse(&Clean::from_untrusted(text));
        let text = marked.text.as_str().to_owned();
        let spans = marked.spans.into_iter().map(|(range, marks)| (text[range].to_owned(), marks)).collect();
        (text, spans)
    }

    #[test]
    fn marks_become_spans() {
        let (text, spans) = parsed("a *b* _i_ ~s~ `c` ```m *m*```.");
        assert_eq!(text, "a b i s c m *m*.");
        let expected = [
            ("b", Marks::BOLD),
            ("i", Marks::ITALIC),
            ("s", Marks::STRIKE),
            ("c", Marks::MONO),
            ("m *m*", Marks::MONO),
        ];
        assert_eq!(spans, expected.map(|(text, marks)| (text.to_owned(), marks)));
    }

    #[test]
    fn marks_nest() {
        let (text, spans) = parsed("*x _y_*");
        assert_eq!(text, "x y");
        assert_eq!(spans, [("x ".to_owned(), Marks::BOLD), ("y".to_owned(), Marks::BOLD | Marks::ITALIC)]);
    }

    #[test]
    fn what_is_no_mark_stays() {
        for text in ["2*3*4", "a_b_c", "* a *", "**", "****", "*a", "*a\nb*", "_", "```", "``````", "*\u{301}a*", "~ ~"]
        {
            let clean = Clean::from_untrusted(text);
            assert_eq!(parsed(text), (clean.as_str().to_owned(), vec![]), "{text}");
        }
    }

    proptest! {
        #[test]
        fn only_marks_go_missing(raw in prop::collection::vec(prop_oneof![
            prop::sample::select(vec!["*".to_owned(), "_".into(), "~".into(), "`".into(), "```".into()]),
            strange::text(1..3),
        ], 0..30)) {
            let text = Clean::from_untrusted(&raw.concat());
            let marked = parse(&text);
            let letters = |text: &str| text.replace(['*', '_', '~', '`'], "");
            prop_assert_eq!(letters(marked.text.as_str()), letters(text.as_str()));
            prop_assert!(width::clusters(marked.text.as_str()).all(|cluster| cluster.width > 0 || cluster.text == "\n"));
            let mut end = 0;
            for (range, _) in marked.spans {
                prop_assert!(range.start >= end && range.end > range.start);
                prop_assert!(marked.text.as_str().get(range.clone()).is_some());
                end = range.end;
            }
        }
    }
}

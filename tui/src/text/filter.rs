//! The passes that turn any text into one that can only be read.

use std::{iter::Peekable, str::Chars};

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark, is_nfc};
use unicode_width::UnicodeWidthChar;

use super::{
    scalar::{self, Fate},
    width,
};

/// Marks stacked on one letter; more is decoration that hides the lines around it.
const MARKS_MAX: usize = 4;
/// Code points drawn as one; a family of four with skin tones has eleven.
const SCALARS_MAX: usize = 16;
const REPLACEMENT: char = '\u{fffd}';

/// What differs between the kinds of text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    /// The most bytes that are read and kept.
    pub bytes_max: usize,
    /// A longer line is broken before anything lays it out.
    pub line_cells_max: usize,
    /// Every run of white space becomes one space.
    pub one_line: bool,
    /// The text is still being typed: a joiner at its end may yet join something.
    pub open_end: bool,
}

/// A filtered text.
#[derive(Debug, Default)]
pub(crate) struct Filtered {
    pub text: String,
    /// How many invisible or direction-turning code points were taken out.
    pub hidden: u32,
    /// Whether the end is missing.
    pub cut: bool,
}

/// Filters `raw`. Filtering the result again changes nothing.
pub(crate) fn filter(raw: &str, policy: Policy) -> Filtered {
    let kept = floor_boundary(raw, policy.bytes_max);
    let mut filtered = Filtered { cut: kept.len() < raw.len(), ..Filtered::default() };
    let mut text = kept.to_owned();
    // What one pass takes out can bring two others together, which the next pass judges. Each pass
    // shortens the text or breaks a line that was too long, so this ends.
    while !is_plain(text.as_bytes(), policy) {
        let composed = compose(scalars(&text, policy, &mut filtered.hidden));
        let next = clusters(&composed, policy, &mut filtered);
        if next == text {
            break;
        }
        text = next;
    }
    filtered.text = text;
    filtered
}

/// Whether there is nothing to do, which is so for most text.
fn is_plain(bytes: &[u8], policy: Policy) -> bool {
    let (mut column, mut before) = (0, b' ');
    let plain = bytes.iter().all(|&byte| {
        let gap = policy.one_line && byte == b' ' && before == b' ';
        column = if byte == b'\n' { 0 } else { column + 1 };
        before = byte;
        !gap && column <= policy.line_cells_max && (matches!(byte, b' '..=b'~') || (byte == b'\n' && !policy.one_line))
    });
    plain && !(policy.one_line && before == b' ' && !bytes.is_empty())
}

fn compose(text: String) -> String {
    if is_nfc(&text) { text } else { text.nfc().collect() }
}

/// The first pass: every code point by itself and its neighbours.
fn scalars(text: &str, policy: Policy, hidden: &mut u32) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let last = out.chars().next_back();
        let next = rest.peek().copied();
        let kept = match scalar::fate(c) {
            Fate::Keep => true,
            Fate::LineEnd => {
                if c == '\r' && next == Some('\n') {
                    rest.next();
                }
                out.push('\n');
                continue;
            }
            Fate::Tab => {
                out.push_str("    ");
                continue;
            }
            Fate::Replace => {
                if last != Some(REPLACEMENT) {
                    out.push(REPLACEMENT);
                }
                continue;
            }
            Fate::Hide => false,
            Fate::TextForm if last.is_some_and(scalar::is_emoji) => continue,
            Fate::TextForm => false,
            Fate::EmojiForm => takes_emoji_form(last, next),
            Fate::Joiner => joins_emoji(last, next, policy) || joins_letters(last, next, policy),
            Fate::NonJoiner => joins_letters(last, next, policy),
        };
        if kept {
            out.push(c);
            if c == '\u{1f3f4}' {
                subdivision(&mut rest, &mut out);
            }
        } else {
            *hidden = hidden.saturating_add(1);
        }
    }
    out
}

fn takes_emoji_form(last: Option<char>, next: Option<char>) -> bool {
    match last {
        Some('0'..='9' | '#' | '*') => next == Some('\u{20e3}'),
        Some(last) => scalar::is_emoji(last) && width::has_emoji_form(last),
        None => false,
    }
}

fn joins_emoji(last: Option<char>, next: Option<char>, policy: Policy) -> bool {
    last.is_some_and(|last| scalar::is_emoji(last) || last == '\u{fe0f}')
        && next.map_or(policy.open_end, |next| scalar::is_emoji(next) && !scalar::is_skin_tone(next))
}

fn joins_letters(last: Option<char>, next: Option<char>, policy: Policy) -> bool {
    last.is_some_and(scalar::is_joining_script) && next.map_or(policy.open_end, scalar::is_joining_script)
}

/// Takes the tags of a flag such as Scotland's over, if they are well-formed.
fn subdivision(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    let ahead: String = rest.clone().take_while(|&c| scalar::is_tag(c)).take(7).collect();
    let letters = ahead.chars().take_while(|c| matches!(c, '\u{e0030}'..='\u{e0039}' | '\u{e0061}'..='\u{e007a}'));
    let letters = letters.count();
    if (3..=6).contains(&letters) && ahead.chars().nth(letters) == Some('\u{e007f}') {
        out.extend(rest.take(letters + 1));
    }
}

/// The second pass: every cluster as it would be drawn.
fn clusters(text: &str, policy: Policy, filtered: &mut Filtered) -> String {
    let mut out = String::with_capacity(text.len());
    let mut column = 0;
    for cluster in width::clusters(text) {
        let at_end = cluster.start + cluster.text.len() == text.len();
        let Some(shown) = drawable(cluster.text, at_end && policy.open_end) else {
            filtered.hidden = filtered.hidden.saturating_add(1);
            continue;
        };
        let shown = shown.as_str();
        if shown.starts_with(REPLACEMENT) && out.ends_with(REPLACEMENT) {
            continue;
        }
        if policy.one_line && shown.starts_with(char::is_whitespace) {
            if !out.is_empty() && !out.ends_with(' ') {
                out.push(' ');
            }
            continue;
        }
        let cells = width::cluster(shown);
        let broken = shown != "\n" && column + cells > policy.line_cells_max;
        if out.len() + usize::from(broken) + shown.len() > policy.bytes_max {
            filtered.cut = true;
            break;
        }
        if broken {
            out.push('\n');
            column = 0;
        }
        out.push_str(shown);
        column = if shown == "\n" { 0 } else { column + cells };
    }
    if policy.one_line && out.ends_with(' ') {
        out.pop();
    }
    out
}

/// A cluster that may be drawn: as it came, or made anew.
enum Shown<'a> {
    Same(&'a str),
    Other(String),
}

impl Shown<'_> {
    fn as_str(&self) -> &str {
        match self {
            Shown::Same(text) => text,
            Shown::Other(text) => text,
        }
    }
}

/// The cluster within its limits; `None` if nothing of it can be seen.
fn drawable(cluster: &str, open: bool) -> Option<Shown<'_>> {
    if cluster.len() == 1 {
        return Some(Shown::Same(cluster));
    }
    // Without a letter to stand on, a mark would stand on what is drawn beside it.
    let standing = cluster.trim_start_matches(|c: char| c.width() == Some(0));
    if standing.is_empty() {
        let is_mark = cluster.starts_with(is_combining_mark);
        return (!is_mark).then(|| Shown::Other(REPLACEMENT.to_string()));
    }
    if standing.len() < cluster.len() {
        return Some(Shown::Other(standing.to_owned()));
    }
    // A terminal that does not draw it would put its marks onto the cell before.
    if cluster.starts_with(REPLACEMENT) && cluster.len() > REPLACEMENT.len_utf8() {
        return Some(Shown::Other(REPLACEMENT.to_string()));
    }
    let (mut marks, mut scalars) = (0, 0);
    let fits = cluster.chars().all(|c| {
        marks = if is_combining_mark(c) { marks + 1 } else { 0 };
        scalars += 1;
        marks <= MARKS_MAX && scalars <= SCALARS_MAX
    });
    let dangling = !open && ends_with_dangling_joiner(cluster);
    if fits && !dangling { Some(Shown::Same(cluster)) } else { Some(Shown::Other(limited(cluster, open))) }
}

fn limited(cluster: &str, open: bool) -> String {
    let mut marks = 0;
    let mut scalars: Vec<char> = cluster
        .chars()
        .filter(|&c| {
            marks = if is_combining_mark(c) { marks + 1 } else { 0 };
            marks <= MARKS_MAX
        })
        .collect();
    let too_long = scalars.len() > SCALARS_MAX;
    if too_long {
        scalars.truncate(SCALARS_MAX - 1);
    }
    let mut out: String = scalars.into_iter().collect();
    while (too_long || !open) && ends_with_dangling_joiner(&out) {
        out.pop();
    }
    if too_long {
        out.push(REPLACEMENT);
    }
    out
}

/// Whether it ends with a joiner that waits for another emoji.
fn ends_with_dangling_joiner(cluster: &str) -> bool {
    let mut back = cluster.chars().rev();
    back.next() == Some('\u{200d}') && !back.next().is_some_and(scalar::is_joining_script)
}

fn floor_boundary(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rev().find(|&at| text.is_char_boundary(at));
    &text[..end.unwrap_or(0)]
}
